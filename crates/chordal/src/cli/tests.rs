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
fn sizes_and_times_are_read_as_people_write_them() {
    assert_eq!(parse_size("0"), Ok(0));
    assert_eq!(parse_size("100GB"), Ok(100_000_000_000));
    assert_eq!(parse_size("2 MiB"), Ok(2 << 20));
    assert!(parse_size("lots").is_err());
    assert_eq!(parse_time("5s"), Ok(Duration::from_secs(5)));
    assert_eq!(parse_time("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(parse_time("10m"), Ok(Duration::from_mins(10)));
    assert!(parse_time("-5s").is_err());
    assert!(parse_time("5").is_err());
    assert_eq!(parse_days("14"), Ok(Duration::from_hours(14 * 24)));
    assert_eq!(parse_days("0.5"), Ok(Duration::from_hours(12)));
    for days in ["0", "-1", "4000", "NaN", "inf", "soon"] {
        assert!(parse_days(days).is_err(), "{days}");
    }
    assert_eq!(parse_rate("1MiB"), Ok(1 << 20));
    assert!(parse_rate("0").is_err());
}

#[test]
fn common_flags_may_stand_anywhere() {
    let before = Cli::try_parse_from(["chordal", "--node", "127.0.0.1:5000", "ls"]).unwrap();
    let after = Cli::try_parse_from(["chordal", "ls", "--node", "127.0.0.1:5000"]).unwrap();
    assert_eq!(before.common.node, after.common.node);
    assert!(before.common.node.is_some());
}
