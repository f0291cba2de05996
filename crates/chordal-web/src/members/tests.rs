use chordal_node::model::{Member, Standing};

use super::*;

fn report(first: u8, port: u16, state: NodeState) -> (NodeId, Known) {
    let id = NodeId::new([first; 32]);
    let known = Known {
        report: Some(NodeReport {
            member: Member {
                node: id,
                addr: ([127, 0, 0, 1], port).into(),
                incarnation: 1,
                standing: Standing::Present,
                offered_bytes: 7,
                salts: Vec::new(),
            },
            state,
            status: None,
        }),
        ..Known::default()
    };
    (id, known)
}

fn members(all: impl IntoIterator<Item = (NodeId, Known)>) -> Members {
    Members {
        all: all.into_iter().collect(),
        has_authority: true,
    }
}

fn meant(members: &Members, text: &str) -> Result<u8, Code> {
    let found = members.find(text);
    found
        .map(|(id, _)| id.as_bytes()[0])
        .map_err(|problem| problem.code)
}

#[test]
fn whoever_is_there_is_meant_by_an_address_and_not_who_was_there_before() {
    let members = members([
        report(1, 5000, NodeState::Gone),
        report(2, 5000, NodeState::Alive),
        report(3, 5001, NodeState::Gone),
    ]);
    assert_eq!(meant(&members, "127.0.0.1:5000"), Ok(2));
    assert_eq!(meant(&members, "127.0.0.1:5001"), Ok(3));
    assert_eq!(meant(&members, "127.0.0.1:5002"), Err(Code::UnknownNode));
    assert_eq!(meant(&members, "0101"), Ok(1));
    assert_eq!(meant(&members, "node"), Err(Code::BadRequest));
    assert_eq!(meant(&members, "010"), Err(Code::BadRequest));
}

#[test]
fn a_whole_id_is_enough_though_nobody_heard_of_it() {
    let members = members([]);
    assert_eq!(meant(&members, &"2a".repeat(32)), Ok(0x2a));
    assert_eq!(meant(&members, &"2a".repeat(31)), Err(Code::UnknownNode));
}

#[test]
fn who_was_let_in_and_never_came_is_listed_and_the_expelled_are_called_so() {
    let guest = Admitted {
        node: chordal_node::PeerId([9; 32]),
        since: 0,
        by: By::Invitation("c0ffee".to_owned()),
    };
    let unseen = Known {
        admitted: Some(guest),
        ..Known::default()
    };
    let (id, mut expelled) = report(1, 5000, NodeState::Gone);
    expelled.expelled = Some(60);
    let told = members([(id, expelled), (NodeId::new([9; 32]), unseen)]).told();
    let [first, second] = told.members.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(first.state, "expelled");
    assert_eq!(first.expelled.as_deref(), Some("1970-01-01T00:01:00Z"));
    assert_eq!(
        (second.state.as_str(), second.addr.as_ref()),
        ("unseen", None)
    );
    assert_eq!(second.invitation.as_deref(), Some("c0ffee"));
    assert_eq!(second.since.as_deref(), Some("1970-01-01T00:00:00Z"));
}
