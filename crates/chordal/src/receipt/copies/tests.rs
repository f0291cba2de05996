use super::*;
use crate::receipt::example::receipt;

#[test]
fn a_receipt_shows_no_more_copies_than_nodes_signed_for() {
    let nobody = BTreeSet::new();
    let full = Copies::of(&receipt(), &nobody);
    assert_eq!((full.record, &full.chunks), (3, &vec![3, 3, 3]));
    assert!(full.are_enough());

    // The same node twice is one.
    let mut twice = receipt();
    twice.statements.extend(receipt().statements);
    assert_eq!(Copies::of(&twice, &nobody), full);

    let mut empty = receipt();
    for statement in &mut empty.statements {
        statement.held.clear();
        statement.holding.record = RecordCopy::Missing;
    }
    let shown = Copies::of(&empty, &nobody);
    assert_eq!((shown.fewest(), shown.are_enough()), (0, false));

    let mut one_short = receipt();
    one_short.statements[0].held.pop();
    one_short.statements[1].held.pop();
    let shown = Copies::of(&one_short, &nobody);
    assert_eq!(
        (shown.chunks.clone(), shown.are_enough()),
        (vec![3, 3, 1], false)
    );

    let mut no_record = receipt();
    for statement in &mut no_record.statements[1..] {
        statement.holding.record = RecordCopy::Older;
    }
    let shown = Copies::of(&no_record, &nobody);
    assert_eq!((shown.record, shown.are_enough()), (1, false));
}

#[test]
fn who_was_expelled_counts_nowhere() {
    let receipt = receipt();
    let nodes: Vec<NodeId> = receipt
        .statements
        .iter()
        .map(|it| it.holding.node)
        .collect();
    let one = Copies::of(&receipt, &nodes[..1].iter().copied().collect());
    assert_eq!((one.record, one.fewest(), one.are_enough()), (2, 2, true));
    let two = Copies::of(&receipt, &nodes[..2].iter().copied().collect());
    assert_eq!((two.record, two.fewest(), two.are_enough()), (1, 1, false));
}

#[test]
fn a_small_ring_needs_as_few_as_a_put_does() {
    let enough: Vec<usize> = (0..6).map(enough).collect();
    assert_eq!(enough, [1, 1, 1, 2, 3, 3]);
}
