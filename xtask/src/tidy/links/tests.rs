use super::*;

fn broken_in(pages: &[(&str, &str)], others: &[&str]) -> Vec<String> {
    let files: Vec<String> = pages
        .iter()
        .map(|(path, _)| path)
        .chain(others)
        .map(ToString::to_string)
        .collect();
    let pages = pages
        .iter()
        .map(|(path, text)| (*path, (*text).to_string()))
        .collect();
    broken(&files, &pages)
}

#[test]
fn a_link_to_a_file_that_is_not_there_is_found_with_its_line() {
    let found = broken_in(
        &[("docs/a.md", "# A\n\nSee [b](b.md) and ![c](img/c.png).\n")],
        &[],
    );
    assert_eq!(
        found,
        [
            "docs/a.md:3: b.md leads nowhere",
            "docs/a.md:3: img/c.png leads nowhere"
        ]
    );
}

#[test]
fn links_are_followed_from_the_page_they_stand_on() {
    let text =
        "[up](../README.md) [beside](./b.md) [folder](../crates/a) [self](#a) [root](..)\n# A\n";
    let found = broken_in(
        &[("docs/a.md", text), ("README.md", ""), ("docs/b.md", "")],
        &["crates/a/Cargo.toml"],
    );
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_link_out_of_the_house_is_found() {
    let found = broken_in(&[("a.md", "[x](../b.md)")], &["b.md"]);
    assert_eq!(found, ["a.md:1: ../b.md leads nowhere"]);
}

#[test]
fn a_heading_that_is_not_there_is_found() {
    let other = "# One\n## 2. Both `ways`, *always*\n```\n# not a heading\n```\n";
    let pages = [
        (
            "a.md",
            "[1](b.md#one) [2](b.md#2-both-ways-always)\n[3](b.md#three)\n[4](b.md#not-a-heading)",
        ),
        ("b.md", other),
    ];
    let found = broken_in(&pages, &[]);
    assert_eq!(
        found,
        [
            "a.md:2: b.md#three names no heading of b.md",
            "a.md:3: b.md#not-a-heading names no heading of b.md"
        ]
    );
}

#[test]
fn reference_links_are_followed() {
    let found = broken_in(&[("a.md", "See [b].\n\n[b]: missing.md \"title\"\n")], &[]);
    assert_eq!(found, ["a.md:3: missing.md leads nowhere"]);
}

#[test]
fn code_and_addresses_on_the_network_are_no_links_of_ours() {
    let text = "`[x](gone.md)` [y](https://example.org/gone.md) [z](mailto:a@example.org)\n\
                ```\n[w](gone.md)\n```\n";
    assert!(broken_in(&[("a.md", text)], &[]).is_empty());
}
