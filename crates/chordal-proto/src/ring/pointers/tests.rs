use chordal_object::{Key, NodeId};

use super::{Heard, Knowledge, ListRule, Pointers, Question, Step};
use crate::member::Token;

const RULE: ListRule = ListRule {
    entries: 3,
    nodes: 1,
};

fn token(position: u8) -> Token {
    Token {
        key: Key::new(u128::from(position)),
        node: NodeId::new([position; 32]),
    }
}

fn tokens(positions: &[u8]) -> Vec<Token> {
    positions.iter().map(|&position| token(position)).collect()
}

/// Knows that these tokens are silent, or no members any more.
#[derive(Default)]
struct Known {
    silent: Vec<u8>,
    former: Vec<u8>,
}

impl Knowledge for Known {
    fn answers(&self, asked: Token) -> bool {
        self.is_member(asked) && !self.silent.iter().any(|&position| token(position) == asked)
    }

    fn is_member(&self, asked: Token) -> bool {
        !self.former.iter().any(|&position| token(position) == asked)
    }
}

fn member(position: u8, predecessor: u8, successors: &[u8]) -> Pointers {
    Pointers {
        predecessor: token(predecessor),
        successors: tokens(successors),
        ..Pointers::alone(token(position))
    }
}

/// Lets `pointers` hear an answer and returns the step.
fn hear(pointers: &mut Pointers, from: u8, predecessor: u8, list: &[u8], known: &Known) -> Step {
    let heard = Heard {
        from: token(from),
        predecessor: token(predecessor),
        successors: &tokens(list),
    };
    pointers.answered(&heard, None, RULE, known)
}

fn join(position: u8, before: u8, list: &[u8], known: &Known) -> Option<Pointers> {
    let mut joiner = Pointers {
        on_ring: false,
        ..Pointers::alone(token(position))
    };
    let heard = Heard {
        from: token(before),
        predecessor: token(before),
        successors: &tokens(list),
    };
    joiner.join(&heard, RULE, known).then_some(joiner)
}

#[test]
fn a_round_asks_the_successor_takes_its_list_and_notifies_it() {
    let known = Known::default();
    let mut pointers = member(10, 90, &[20, 40]);
    assert_eq!(pointers.stabilise(None, &known), Step::Ask(token(20)));
    let step = hear(&mut pointers, 20, 10, &[30, 40, 50], &known);
    assert_eq!(step, Step::Notify(token(20)));
    assert_eq!(pointers.successors, tokens(&[20, 30, 40]));
}

#[test]
fn the_predecessor_of_the_successor_is_asked_before_it_is_adopted() {
    let known = Known::default();
    let mut pointers = member(10, 90, &[20, 40]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    let step = hear(&mut pointers, 20, 15, &[40], &known);
    assert_eq!(step, Step::Ask(token(15)));
    assert_eq!(pointers.successors, tokens(&[20, 40]));
    let step = hear(&mut pointers, 15, 10, &[20, 40], &known);
    assert_eq!(step, Step::Notify(token(15)));
    assert_eq!(pointers.successors, tokens(&[15, 20, 40]));
}

#[test]
fn the_nearest_of_two_candidates_is_asked_first_and_the_other_one_if_it_is_not_there() {
    let known = Known::default();
    for (predecessor, offer) in [(18, 15), (15, 18)] {
        let mut pointers = member(10, 90, &[20, 40]);
        let first = pointers.stabilise(None, &known);
        assert!(matches!(first, Step::Ask(_)));
        let list = tokens(&[40]);
        let heard = Heard {
            from: token(20),
            predecessor: token(predecessor),
            successors: &list,
        };
        let step = pointers.answered(&heard, Some(token(offer)), RULE, &known);
        assert_eq!(step, Step::Ask(token(15)));
        let mut lost = pointers.clone();
        assert_eq!(pointers.refused(token(15)), Step::Ask(token(18)));
        assert_eq!(lost.unanswered(token(15)), Step::Ask(token(18)));
        assert_eq!(pointers.refused(token(18)), Step::Notify(token(20)));
    }
}

#[test]
fn a_lost_message_takes_nobody_off_the_list() {
    let known = Known::default();
    let mut pointers = member(10, 90, &[20, 40]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    let before = pointers.successors.clone();
    assert_eq!(pointers.unanswered(token(20)), Step::Rest);
    assert_eq!(pointers.successors, before);
}

#[test]
fn a_silent_successor_goes_and_its_late_answer_is_not_used() {
    let mut pointers = member(10, 90, &[20, 40]);
    let first = pointers.stabilise(None, &Known::default());
    assert!(matches!(first, Step::Ask(_)));
    let known = Known {
        silent: vec![20],
        former: Vec::new(),
    };
    assert_eq!(pointers.stabilise(None, &known), Step::Ask(token(40)));
    let step = hear(&mut pointers, 20, 10, &[30, 40], &known);
    assert_eq!(step, Step::Rest);
    assert_eq!(pointers.successors, tokens(&[40]));
    assert_eq!(pointers.asking, Some(Question::Successor(token(40))));
}

#[test]
fn a_successor_that_is_not_on_the_ring_says_so_and_goes() {
    let known = Known::default();
    let mut pointers = member(10, 90, &[20, 40]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    assert_eq!(pointers.refused(token(20)), Step::Ask(token(40)));
    assert_eq!(pointers.successors, tokens(&[40]));
}

#[test]
fn with_its_last_successor_gone_a_token_is_alone_and_asks_whom_the_table_offers() {
    let mut pointers = member(10, 20, &[20]);
    let known = Known {
        silent: vec![20],
        former: Vec::new(),
    };
    let step = pointers.stabilise(Some(token(40)), &known);
    assert_eq!(step, Step::Ask(token(40)));
    assert!(pointers.is_alone());
    assert_eq!(pointers.predecessor, token(10));
    let step = hear(&mut pointers, 40, 20, &[10], &known);
    assert_eq!(step, Step::Notify(token(40)));
    assert_eq!(pointers.successors, tokens(&[40]));
}

#[test]
fn former_members_are_taken_out_of_an_adopted_list_and_nobody_takes_their_place() {
    let known = Known {
        silent: vec![40],
        former: vec![30],
    };
    let mut pointers = member(10, 90, &[20]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    assert_eq!(
        hear(&mut pointers, 20, 10, &[30, 40, 50], &known),
        Step::Notify(token(20))
    );
    assert_eq!(pointers.successors, tokens(&[20, 40]));
}

#[test]
fn an_adopted_list_ends_before_it_comes_round_again() {
    let known = Known::default();
    let mut pointers = member(10, 90, &[20]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    assert_eq!(
        hear(&mut pointers, 20, 10, &[30, 10, 20], &known),
        Step::Notify(token(20))
    );
    assert_eq!(pointers.successors, tokens(&[20, 30]));
}

#[test]
fn a_list_grows_beyond_its_length_until_it_names_enough_nodes() {
    let same_node = |position: u8| Token {
        node: NodeId::new([20; 32]),
        ..token(position)
    };
    let list = [same_node(30), same_node(40), token(50), token(60)];
    let heard = Heard {
        from: token(20),
        predecessor: token(10),
        successors: &list,
    };
    let rule = ListRule {
        entries: 2,
        nodes: 2,
    };
    let known = Known::default();
    let mut pointers = member(10, 90, &[20]);
    let first = pointers.stabilise(None, &known);
    assert!(matches!(first, Step::Ask(_)));
    let step = pointers.answered(&heard, None, rule, &known);
    assert_eq!(step, Step::Notify(token(20)));
    assert_eq!(pointers.successors.len(), 4);
    assert_eq!(pointers.successors[3], token(50));
}

#[test]
fn the_predecessor_gives_way_to_a_closer_token_or_when_it_is_silent() {
    let known = Known::default();
    let mut pointers = member(50, 30, &[60]);
    assert_eq!(pointers.notified(token(40), &known), None);
    assert_eq!(pointers.predecessor, token(40));
    assert_eq!(pointers.notified(token(30), &known), Some(token(40)));
    assert_eq!(pointers.predecessor, token(40));
    let known = Known {
        silent: vec![40],
        former: Vec::new(),
    };
    assert_eq!(pointers.notified(token(30), &known), None);
    assert_eq!(pointers.predecessor, token(30));
}

#[test]
fn a_predecessor_found_lost_gives_way_only_if_it_is_still_the_predecessor() {
    let mut pointers = member(50, 40, &[60]);
    pointers.predecessor_lost(token(35), token(30));
    assert_eq!(pointers.predecessor, token(40));
    pointers.predecessor_lost(token(40), token(30));
    assert_eq!(pointers.predecessor, token(30));
}

#[test]
fn a_joining_token_takes_the_whole_list_of_the_token_before_it() {
    let joined = join(15, 10, &[20, 30, 40], &Known::default()).unwrap();
    assert!(joined.on_ring);
    assert_eq!(joined.predecessor, token(10));
    assert_eq!(joined.successors, tokens(&[20, 30, 40]));
}

#[test]
fn a_joining_token_refuses_a_place_that_is_not_its_own() {
    assert_eq!(join(25, 10, &[20, 30, 40], &Known::default()), None);
}

#[test]
fn a_token_joins_where_its_earlier_life_is_still_listed() {
    let joined = join(20, 10, &[20, 30, 40], &Known::default()).unwrap();
    assert_eq!(joined.successors, tokens(&[30, 40]));
    let joined = join(20, 10, &[20], &Known::default()).unwrap();
    assert_eq!(joined.successors, tokens(&[10]));
}

#[test]
fn the_second_token_of_a_ring_has_the_first_on_both_sides() {
    let joined = join(20, 10, &[10], &Known::default()).unwrap();
    assert_eq!(joined.successors, tokens(&[10]));
    assert_eq!(joined.predecessor, token(10));
}

#[test]
fn a_token_alone_asks_whoever_notified_it() {
    let known = Known::default();
    let mut pointers = Pointers::alone(token(10));
    assert_eq!(pointers.stabilise(None, &known), Step::Rest);
    assert_eq!(pointers.notified(token(20), &known), None);
    assert_eq!(pointers.stabilise(None, &known), Step::Ask(token(20)));
}

#[test]
fn the_word_of_a_former_member_is_not_used() {
    let mut pointers = member(10, 90, &[20, 40]);
    assert_eq!(
        pointers.stabilise(None, &Known::default()),
        Step::Ask(token(20))
    );
    let known = Known {
        silent: Vec::new(),
        former: vec![20],
    };
    assert_eq!(hear(&mut pointers, 20, 10, &[30, 40], &known), Step::Rest);
    assert_eq!(pointers.successors, tokens(&[20, 40]));
}
