use std::path::Path;

use super::*;
use crate::cli;

/// What is in force for a command in this home, with these variables.
fn in_force(home: &Path, args: &str, variables: &[(&str, &str)]) -> Result<InForce, NotUnderstood> {
    let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
    let environment = |name: &str| {
        if name == "CHORDAL_HOME" {
            return Some(home.as_os_str().to_owned());
        }
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    understand(&args, environment).map(|(_, in_force)| in_force)
}

/// A home with this file.
fn home(file: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(FILE_NAME), file).unwrap();
    home
}

/// The value and where it comes from.
fn of(in_force: &InForce, name: &str) -> (String, Source) {
    let row = in_force
        .rows
        .iter()
        .find(|row| row.setting.name == name)
        .unwrap();
    let values: Vec<_> = row
        .values
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    (values.join(" "), row.source.clone())
}

fn wrong(result: Result<InForce, NotUnderstood>) -> String {
    match result {
        Err(NotUnderstood::Set(trouble)) => trouble.paragraph(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let home = home("grace = \"3m\"\noffer = \"3GB\"\nclassic = true\nbits = 9\n");
    let file = |line| Source::File(home.path().join(FILE_NAME), line);
    let variables = [
        ("CHORDAL_GRACE", "2m"),
        ("CHORDAL_OFFER", "2GB"),
        ("CHORDAL_BITS", ""),
    ];
    let args = "chordal node --grace 1m --classic=false";
    let found = in_force(home.path(), args, &variables).unwrap();
    assert_eq!(of(&found, "grace"), ("1m".into(), Source::Flag));
    assert_eq!(of(&found, "offer"), ("2GB".into(), Source::Variable));
    assert_eq!(of(&found, "classic"), ("false".into(), Source::Flag));
    assert_eq!(of(&found, "bits"), ("9".into(), file(4)));
    assert_eq!(of(&found, "scrub-days"), ("14".into(), Source::Default));
    assert_eq!(of(&found, "http"), (String::new(), Source::Default));
}

#[test]
fn every_command_gets_the_value_that_is_in_force() {
    let home =
        home("grace = \"3m\"\nclassic = true\nnode = \"127.0.0.1:7\"\njoin = [\"a:1\", \"b:2\"]\n");
    let environment =
        |name: &str| (name == "CHORDAL_HOME").then(|| home.path().as_os_str().to_owned());
    let cli = |args: &str| {
        let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
        understand(&args, environment).unwrap().0
    };
    let node = cli("chordal node --bits 5");
    assert_eq!(node.common.node, Some("127.0.0.1:7".parse().unwrap()));
    let cli::Command::Node(node) = node.command else {
        panic!("another command");
    };
    assert_eq!(node.run.grace.as_secs(), 180);
    assert_eq!(node.run.join, ["a:1", "b:2"]);
    assert!(node.run.classic && node.run.nearby);
    assert_eq!(node.run.bits, Some(5));
    // Whoever joins says where, and takes the ring as it is.
    let cli::Command::Join(join) = cli("chordal join c:3").command else {
        panic!("another command");
    };
    assert_eq!(join.run.0.grace.as_secs(), 180);
    assert!(join.run.0.join.is_empty() && !join.run.0.classic);
}

#[test]
fn a_flag_replaces_the_places_of_the_file_and_a_variable_holds_several() {
    let home = home("join = [\"a:1\", \"b:2\"]\n");
    let found = in_force(home.path(), "chordal up --join c:3 --join d:4", &[]).unwrap();
    assert_eq!(of(&found, "join"), ("c:3 d:4".into(), Source::Flag));
    let variables = [("CHORDAL_JOIN", "e:5, f:6")];
    let found = in_force(home.path(), "chordal up", &variables).unwrap();
    assert_eq!(of(&found, "join"), ("e:5 f:6".into(), Source::Variable));
}

#[test]
fn a_wrong_variable_is_named_and_stops_only_who_heeds_it() {
    let home = home("");
    let variables = [("CHORDAL_OFFER", "lots")];
    let what = wrong(in_force(home.path(), "chordal up", &variables));
    assert!(
        what.starts_with("CHORDAL_OFFER: 'lots' is not a size"),
        "{what}"
    );
    in_force(home.path(), "chordal ls", &variables).unwrap();
    in_force(home.path(), "chordal up --offer 1GB", &variables).unwrap();
}

#[test]
fn a_file_that_is_named_is_read_instead_of_the_homes() {
    let home = home("this is no settings file");
    let named = home.path().join("mine.toml");
    std::fs::write(&named, "home = \"other\"\nlog = \"debug\"\n").unwrap();
    let path = named.to_str().unwrap();
    let args = format!("chordal status --config {path}");
    let found = in_force(home.path(), &args, &[]).unwrap();
    assert_eq!(
        of(&found, "log"),
        ("debug".into(), Source::File(named.clone(), 2))
    );
    assert_eq!(found.file, Some((Place::Named(named.clone()), true)));
    // The variable says where the home is; without it the file does.
    assert_eq!(of(&found, "home").1, Source::Variable);
    let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
    let (cli, _) = understand(&args, |_| None).unwrap();
    assert_eq!(cli.common.home, Some(home.path().join("other")));
    let found = in_force(home.path(), "chordal status", &[("CHORDAL_CONFIG", path)]).unwrap();
    assert_eq!(of(&found, "log").0, "debug");
    wrong(in_force(home.path(), "chordal status", &[]));
}

#[test]
fn commands_that_need_no_settings_are_not_stopped_by_a_broken_file() {
    let home = home("ofer = 1");
    for args in ["man", "completions bash", "config --example", "demo", "sim"] {
        in_force(home.path(), &format!("chordal {args}"), &[]).unwrap();
    }
    for args in ["node", "up", "join a:1", "ls", "status", "config", "put x"] {
        wrong(in_force(home.path(), &format!("chordal {args}"), &[]));
    }
    let typed = in_force(home.path(), "chordal --help", &[]);
    assert!(matches!(typed, Err(NotUnderstood::Typed(_))));
}

#[test]
fn a_commands_own_flag_is_not_taken_for_the_setting_of_that_name() {
    let home = home("offer = \"3GB\"");
    let typed = in_force(
        home.path(),
        "chordal plan join",
        &[("CHORDAL_OFFER", "2GB")],
    );
    let NotUnderstood::Typed(error) = typed.unwrap_err() else {
        panic!("it has to be typed");
    };
    assert!(error.to_string().contains("--offer"), "{error}");
}

#[test]
fn a_variable_that_is_almost_one_of_ours_is_refused_and_another_is_let_be() {
    let check = |name: &str| check_variables([OsString::from(name)].into_iter());
    for ours in ["CHORDAL_OFFER", "CHORDAL_SCRUB_DAYS", "CHORDAL_LOG"] {
        check(ours).unwrap();
    }
    for other in ["CHORDAL_TOKEN", "CHORDAL_", "CHORDAL_BACKUP_HOST", "OFER"] {
        check(other).unwrap();
    }
    for (slip, meant) in [
        ("CHORDAL_OFER", "CHORDAL_OFFER"),
        ("CHORDAL_OFFRE", "CHORDAL_OFFER"),
        ("CHORDAL_SCRUBDAYS", "CHORDAL_SCRUB_DAYS"),
    ] {
        let said = check(slip).unwrap_err().paragraph();
        assert!(said.contains(slip) && said.contains(meant), "{said}");
    }
}
