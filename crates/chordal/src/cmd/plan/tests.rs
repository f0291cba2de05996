use super::*;

const GIB: u64 = 1 << 30;

fn node(id: Option<&str>, gets: u64, gives: u64, then: u64) -> PlanNode {
    PlanNode {
        id: id.map(str::to_owned),
        addr: None,
        offered_bytes: 10 * GIB,
        used_bytes: Some(then.saturating_sub(gets)),
        gets,
        gives,
        drops: 0,
        then_bytes: Some(then),
    }
}

fn plan(nodes: Vec<PlanNode>) -> Plan {
    Plan {
        change: "leave".into(),
        leaving: Vec::new(),
        copies_now: 3,
        copies_then: 3,
        bytes: nodes.iter().map(|node| node.gets).sum(),
        nodes,
        flows: Vec::new(),
        range: None,
        measured: None,
        budget_bytes_per_s: 1,
    }
}

#[test]
fn the_time_is_that_of_the_node_with_most_to_fetch_or_to_give() {
    let nodes = vec![node(Some("a"), 100, 0, 100), node(Some("b"), 50, 300, 50)];
    assert_eq!(seconds(&plan(nodes), 10), 30);
    assert_eq!(seconds(&plan(Vec::new()), 10), 0);
}

#[test]
fn who_would_have_more_than_it_offers_is_said_to_be_full() {
    let full = plan(vec![node(Some("a"), GIB, 0, 11 * GIB)]);
    assert!(ending(&full).contains("full"), "{}", ending(&full));
    let fits = plan(vec![node(Some("a"), GIB, 0, 9 * GIB)]);
    assert!(!ending(&fits).contains("full"));
    // One that has too much already and gets nothing is none of the plan's.
    assert!(!is_full(&node(Some("a"), 0, 5, 11 * GIB)));
}
