use super::*;
use crate::cli::{self, examples};

#[test]
fn the_page_of_the_book_is_what_the_flags_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let differs = page
        .lines()
        .zip(markdown().lines())
        .position(|(is, should)| is != should);
    assert!(
        page == markdown(),
        "docs/commands.md is stale from line {:?} on: cargo xtask reference --write",
        differs.map(|line| line + 1)
    );
}

#[test]
fn every_command_has_examples_and_every_example_is_understood() {
    let mut root = cli::command();
    root.build();
    for described in all(&root).iter().skip(1) {
        let examples = examples::of(&described.path);
        assert!(!examples.is_empty(), "{} has no example", described.path);
        for (typed, _) in examples {
            let words = typed.split(' ');
            let matches = cli::command().try_get_matches_from(words);
            let matches = matches.unwrap_or_else(|error| panic!("{typed}: {error}"));
            let (mut path, mut matches) = (String::new(), &matches);
            while let Some((name, next)) = matches.subcommand() {
                path = format!("{path} {name}");
                matches = next;
            }
            let path = path.trim();
            assert!(path.starts_with(&described.path), "{typed} is of {path}");
        }
    }
}

#[test]
fn every_command_has_a_page_with_its_examples_and_the_exit_codes() {
    let mut root = cli::command();
    root.build();
    let pages = pages().unwrap();
    assert_eq!(pages.len(), all(&root).len());
    let page = |name: &str| &pages.iter().find(|page| page.file == name).unwrap().text;
    assert!(page("chordal-put.1").contains("chordal put photo.jpg"));
    assert!(page("chordal-put.1").contains(".SH \"EXIT STATUS\""));
    assert!(page("chordal-sim-replay.1").contains("chordal sim replay"));
    let root = page("chordal.1");
    assert!(root.contains("chordal\\-put(1)") && root.contains("CHORDAL_SCRUB_DAYS"));
    for page in &pages {
        assert!(
            page.text.starts_with(".ie \\n(.g") || page.text.contains(".TH "),
            "{}",
            page.file
        );
    }
}

#[test]
fn completions_know_every_command() {
    let mut root = cli::command();
    root.build();
    for shell in [
        clap_complete::Shell::Bash,
        clap_complete::Shell::Zsh,
        clap_complete::Shell::Fish,
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "chordal", &mut text);
        let text = String::from_utf8(text).unwrap();
        for described in all(&root).iter().skip(1) {
            let name = described.command.get_name();
            assert!(text.contains(name), "{shell} does not know {name}");
        }
        assert!(text.contains("scrub-days"));
    }
}
