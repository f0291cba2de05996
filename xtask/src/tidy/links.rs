//! Every link from a page of the house to another file, or to a heading, leads somewhere.
//!
//! Addresses on the network are not visited: a check must not depend on other people's machines.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::read;
use crate::house;

#[cfg(test)]
mod tests;

/// Findings about the Markdown among `files`.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for path in files
        .iter()
        .filter(|path| house::extension(path) == Some("md"))
    {
        pages.insert(path.as_str(), read(root, path)?);
    }
    Ok(broken(files, &pages))
}

fn broken(files: &[String], pages: &BTreeMap<&str, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in pages {
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let leads_to = if file.is_empty() {
                Some((*path).to_string())
            } else {
                resolve(path, file)
            };
            let Some(leads_to) = leads_to.filter(|to| exists(to, files)) else {
                found.push(format!("{path}:{line}: {target} leads nowhere"));
                continue;
            };
            let page = pages.get(leads_to.as_str());
            if !heading.is_empty() && page.is_some_and(|page| !has_heading(page, heading)) {
                found.push(format!(
                    "{path}:{line}: {target} names no heading of {leads_to}"
                ));
            }
        }
    }
    found
}

/// The targets of `[text](target)` and `[label]: target` outside code, with their line numbers.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        if let Some((label, target)) = line.trim_start().split_once("]: ")
            && label.starts_with('[')
            && let Some(target) = target.split_whitespace().next()
        {
            found.push((number, target.to_string()));
        }
        for rest in line.split("](").skip(1) {
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            let target = rest.get(..end).unwrap_or(rest);
            found.push((number, target.trim_matches(['<', '>']).to_string()));
        }
    }
    found
}

/// The lines outside fenced code, numbered from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((index + 1, line))
    })
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// `target` as seen from the folder of `from`; `None` if it leaves the house.
fn resolve(from: &str, target: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a file of the house, or a folder with one in it, has this path.
fn exists(path: &str, files: &[String]) -> bool {
    let is_folder_of = |file: &str| {
        file.strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    path.is_empty() || files.iter().any(|file| file == path || is_folder_of(file))
}

fn has_heading(page: &str, wanted: &str) -> bool {
    prose(page)
        .filter_map(|(_, line)| line.strip_prefix('#'))
        .any(|heading| anchor(heading.trim_start_matches('#')) == wanted)
}

/// A heading's anchor, by the rule of the usual viewers.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
