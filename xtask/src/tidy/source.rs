//! How Rust is written here: file and function lengths, imports, the module's first line, and no
//! notes of things left to do.
//!
//! The scan reads formatted code by lines and indentation. It knows no grammar, which is enough
//! because the format check runs before it.

use crate::house;

#[cfg(test)]
mod tests;

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 80;

/// Notes of unfinished work, put together here so that this file does not hold them.
const NOTES: &[&str] = &[
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("X", "XX"),
];

/// Globs that tests may use: the module under test, and the vocabulary of the property tests.
const GLOBS_IN_TESTS: &[&str] = &["super", "proptest::prelude"];

/// Whether the rules are for this file.
pub(super) fn is_ours(path: &str) -> bool {
    let place = path.starts_with("crates/") || path.starts_with("xtask/");
    place && house::extension(path) == Some("rs")
}

/// What is untidy in the file at `path` (from the root) with this text.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    if is_generated(path, text) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut found = notes(&lines);
    found.extend(globs(&lines, is_test(path)));
    if !is_test(path) {
        found.extend(opening(&lines));
        found.extend(long_file(&lines));
        found.extend(long_functions(&lines));
    }
    found
        .into_iter()
        .map(|(line, what)| format!("{path}:{line}: {what}"))
        .collect()
}

/// A line's number and what is wrong with it.
type Finding = (usize, String);

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || house::file_name(path) == "tests.rs"
}

/// Whether a program wrote the file. The name alone does not exempt it, nor the mark alone.
fn is_generated(path: &str, text: &str) -> bool {
    let named = path.split('/').any(|part| part.starts_with("generated"))
        || house::file_name(path).starts_with("wire");
    let marked = text
        .lines()
        .next()
        .is_some_and(|line| line.contains("@generated"));
    named && marked
}

fn opening(lines: &[&str]) -> Option<Finding> {
    let opens = lines.first().is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| (1, "a module opens with `//!`: what it is for".to_string()))
}

fn long_file(lines: &[&str]) -> Option<Finding> {
    let length = lines.len();
    (length > FILE_LINES_MAX).then(|| {
        (
            length,
            format!("{length} lines, more than {FILE_LINES_MAX}"),
        )
    })
}

fn notes(lines: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if let Some(note) = words.find(|word| NOTES.contains(word)) {
            found.push((index + 1, format!("{note}: do it, or write an issue")));
        }
    }
    found
}

/// Imports of everything. An import may be spread over lines; it ends with its semicolon.
fn globs(lines: &[&str], in_test: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let start = index;
        index += 1;
        let Some(first) = after_visibility(lines[start]).strip_prefix("use ") else {
            continue;
        };
        let mut import = first.to_string();
        while !import.contains(';') && index < lines.len() {
            import.push_str(lines[index].trim());
            index += 1;
        }
        let import: String = import.chars().filter(|c| !c.is_whitespace()).collect();
        let path = import.trim_end_matches(';').trim_end_matches("::*");
        let allowed = in_test && GLOBS_IN_TESTS.contains(&path);
        if import.contains('*') && !allowed {
            found.push((
                start + 1,
                "an import of everything hides where names come from".into(),
            ));
        }
    }
    found
}

/// The line without indentation and without `pub`, `pub(crate)` and the like.
fn after_visibility(line: &str) -> &str {
    let line = line.trim_start();
    let Some(rest) = line.strip_prefix("pub") else {
        return line;
    };
    let rest = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    rest.strip_prefix(' ').unwrap_or(line)
}

fn long_functions(lines: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let length = function_length(&lines[start..]);
        if length > FUNCTION_LINES_MAX {
            let what = format!("fn {name} has {length} lines, more than {FUNCTION_LINES_MAX}");
            found.push((start + 1, what));
        }
    }
    found
}

/// The name of the function whose first line this is.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = after_visibility(line);
    for word in ["default ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

/// Lines from the function's first to its closing brace, which stands at the same indentation.
fn function_length(lines: &[&str]) -> usize {
    let indentation = indentation(lines[0]);
    let mut in_body = false;
    for (index, line) in lines.iter().enumerate() {
        let level = self::indentation(line) == indentation && !line.trim().is_empty();
        if in_body && level && line.trim_start().starts_with('}') {
            return index + 1;
        }
        if !in_body {
            if line.ends_with(';') || (level && line.ends_with('}')) {
                return index + 1;
            }
            in_body = level && line.ends_with('{');
        }
    }
    lines.len()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
