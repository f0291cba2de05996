use super::*;
use crate::cli;
use crate::settings::{SETTINGS, Setting};
use crate::trouble::Exit;

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

#[test]
fn the_census_follows_what_the_node_notices() {
    let mut census = Census::default();
    census.silent.insert(node(1), false);
    let addr = "192.0.2.1:2000".parse().unwrap();
    let alone = census.words(addr);
    assert_eq!(alone, "1 node in the ring; this one is at 192.0.2.1:2000");
    let token = chordal_node::model::Token {
        key: chordal_node::model::Key::new(3),
        node: node(2),
    };
    census.note(&Notice::Appeared(token));
    assert!(census.words(addr).starts_with("2 nodes in the ring;"));
    census.note(&Notice::Suspected {
        node: node(2),
        reason: String::new(),
    });
    assert!(
        census
            .words(addr)
            .starts_with("2 nodes in the ring, 1 of them silent;")
    );
    census.note(&Notice::Recovered(node(2)));
    assert!(census.words(addr).starts_with("2 nodes in the ring;"));
    census.note(&Notice::Gone(node(2)));
    assert_eq!(census.words(addr), alone);
}

#[test]
fn the_unit_file_says_what_the_program_understands() {
    let unit = include_str!("../../../../packaging/systemd/chordal.service");
    let of = |name: &str| {
        let mut lines = unit.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    assert_eq!(of("Type"), Some("notify"));
    let start = of("ExecStart").unwrap().split(' ');
    cli::command().try_get_matches_from(start).unwrap();
    for set in of("Environment").unwrap().split(' ') {
        let (variable, _) = set.split_once('=').unwrap();
        let is_known = |setting: &Setting| setting.variable() == variable;
        assert!(SETTINGS.iter().any(is_known), "{variable}");
    }
    let hopeless = format!("{} {}", Exit::Usage as u8, Exit::Refused as u8);
    assert_eq!(of("RestartPreventExitStatus"), Some(hopeless.as_str()));
}
