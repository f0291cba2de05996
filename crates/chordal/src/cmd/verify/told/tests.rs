use chordal_node::model::RecordCopy;

use super::*;
use crate::cmd::verify::example::checked;

#[test]
fn a_maker_and_signers_that_were_expelled_are_named() {
    let mut checked = checked();
    let good = of_receipt(&checked);
    assert_eq!(good["maker_expelled"], false);
    assert_eq!(good["signed"]["expelled"], json!([]));
    assert_eq!(good["signed"]["chunks"], json!([3, 3, 3]));

    let maker = NodeId::new(checked.receipt.maker().0);
    checked.expelled = BTreeSet::from([maker, NodeId::new([9; 32])]);
    let told = of_receipt(&checked);
    assert_eq!(told["maker_expelled"], true);
    assert_eq!(told["signed"]["expelled"], json!([maker.to_string()]));
    assert_eq!(told["signed"]["record"], 2);
    assert_eq!(told["signed"]["chunks"], json!([2, 2, 2]));
}

#[test]
fn a_ring_that_became_smaller_is_not_promised_copies_that_it_does_not_make() {
    let found = |told, on: u8| {
        let nodes: Vec<NodeId> = (0..on).map(|seed| NodeId::new([seed; 32])).collect();
        Found {
            wanted: 3,
            told,
            record: nodes.iter().map(|id| (*id, RecordCopy::Same)).collect(),
            chunks: vec![nodes],
            ..Found::default()
        }
    };
    assert_eq!(fewer(&found(3, 3)), "");
    assert!(fewer(&found(3, 2)).contains("made again"));
    assert!(fewer(&found(2, 2)).contains("with more nodes"));
}
