//! Every message of the schemas is explained on its page: an unexplained one is a secret that two
//! versions of the program keep from whoever must make them work together.

use std::path::Path;

use anyhow::Result;

use super::read;
use crate::house;

#[cfg(test)]
mod tests;

/// Which page explains which schema.
const PAGES: &[(&str, &str)] = &[
    ("proto/peer.proto", "docs/protocol.md"),
    ("proto/record.proto", "docs/protocol.md"),
];

/// Findings about the schemas among `files`.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for schema in files
        .iter()
        .filter(|path| house::extension(path) == Some("proto"))
    {
        let Some((_, page)) = PAGES.iter().find(|(path, _)| path == schema) else {
            found.push(format!("{schema}: no page is said to explain it"));
            continue;
        };
        if !files.iter().any(|path| path == page) {
            found.push(format!("{page}: missing; it should explain {schema}"));
            continue;
        }
        for message in unexplained(&read(root, schema)?, &read(root, page)?) {
            found.push(format!(
                "{page}: does not mention message {message} of {schema}"
            ));
        }
    }
    Ok(found)
}

/// Names of messages in `schema` that do not stand as words in `page`.
fn unexplained<'a>(schema: &'a str, page: &str) -> Vec<&'a str> {
    let words: Vec<&str> = page
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    schema
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("message "))
        .filter_map(|rest| rest.split([' ', '{']).next())
        .filter(|name| !words.contains(name))
        .collect()
}
