use clap::CommandFactory;

use super::*;

#[test]
fn the_flags_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_node_without_arguments_listens_where_the_seed_did() {
    let cli = Cli::try_parse_from(["chordal", "node"]).unwrap();
    let Command::Node(args) = cli.command else {
        panic!("another command");
    };
    assert_eq!((args.ip.to_string(), args.port), ("127.0.0.1".into(), 2000));
}

#[test]
fn common_flags_may_stand_anywhere() {
    let before = Cli::try_parse_from(["chordal", "--node", "127.0.0.1:5000", "ls"]).unwrap();
    let after = Cli::try_parse_from(["chordal", "ls", "--node", "127.0.0.1:5000"]).unwrap();
    assert_eq!(before.common.node, after.common.node);
    assert!(before.common.node.is_some());
}
