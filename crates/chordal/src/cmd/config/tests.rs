use std::collections::BTreeSet;
use std::ffi::OsString;

use chordal_node::{AuthorityId, InviteCode};

use super::*;
use crate::settings;

/// What `chordal config` understands of this file.
fn in_force(file: &str) -> InForce {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, file).unwrap();
    let args = ["chordal", "config", "--config"].map(OsString::from);
    let args: Vec<_> = args.into_iter().chain([path.into_os_string()]).collect();
    settings::understand(&args, |_| None).unwrap().1
}

#[test]
fn the_example_sets_nothing_as_it_is_and_everything_when_it_is_uncommented() {
    let example = example();
    assert!(
        example
            .lines()
            .all(|line| line.is_empty() || line.starts_with('#'))
    );
    assert!(example.lines().all(|line| line.chars().count() <= COLUMNS));
    let uncommented: Vec<_> = example
        .lines()
        .filter_map(|line| line.strip_prefix('#').filter(|line| !line.starts_with(' ')))
        .collect();
    let in_force = in_force(&uncommented.join("\n"));
    let set = in_force
        .rows
        .iter()
        .filter(|row| matches!(row.source, Source::File(..)));
    let set: BTreeSet<_> = set.map(|row| row.setting.name).collect();
    let all = SETTINGS.iter().filter(|setting| setting.is_of_the_file());
    assert_eq!(set, all.map(|setting| setting.name).collect());
}

#[test]
fn a_join_code_is_not_shown() {
    let addr = "192.0.2.1:2000".parse().unwrap();
    let code = InviteCode::fresh(&[addr], &AuthorityId([7; 32]));
    let file = format!("join = [\"{addr}\", \"{code}\", \"chordal join {code}\"]");
    let in_force = in_force(&file);
    let row = in_force
        .rows
        .iter()
        .find(|row| row.setting.name == "join")
        .unwrap();
    assert_eq!(ToldSetting::of(row).value, ["192.0.2.1:2000", CODE, CODE]);
}
