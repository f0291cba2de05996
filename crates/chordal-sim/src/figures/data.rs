//! What a figure's run measured, as rows of text: the one source of its table and its picture.
//!
//! Numbers are kept as they were written, in the digits that mean something, so that a file that
//! was read back is the file that was written. Cells have no commas and no line breaks.

use std::fmt::Write;

use anyhow::{Result, ensure};

/// Rows under named columns, with what has to be known to repeat them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// What was set: nodes, lists, seeds, how much was measured. One fact a line.
    pub setting: Vec<String>,
    /// The columns' names.
    pub columns: Vec<String>,
    /// One cell for each column; an empty one where there is nothing to say.
    pub rows: Vec<Vec<String>>,
}

impl Data {
    /// Columns without rows yet.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            setting: Vec::new(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Notes something that was set.
    pub fn set(&mut self, fact: impl Into<String>) {
        self.setting.push(fact.into());
    }

    /// Adds a row, which has a cell for each column.
    pub fn push<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(cells.into());
    }

    /// The points (x, y) of the rows whose cell in the `only` column says what it should.
    pub fn points(&self, only: &[(&str, &str)], x: &str, y: &str) -> Vec<(f64, f64)> {
        let rows = self.rows.iter().filter(|row| {
            only.iter()
                .all(|(column, wanted)| self.cell(row, column) == Some(*wanted))
        });
        rows.filter_map(|row| {
            let number = |column| self.cell(row, column)?.parse().ok();
            Some((number(x)?, number(y)?))
        })
        .collect()
    }

    /// The cell of a row in the column of this name.
    pub fn cell<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|name| name == column)?;
        row.get(place).map(String::as_str)
    }

    /// The rows as a file: facts behind `#`, then the columns, then the rows.
    pub fn csv(&self) -> String {
        let mut out = String::new();
        for fact in &self.setting {
            writeln!(out, "# {fact}").expect("text takes any line");
        }
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            writeln!(out, "{}", row.join(",")).expect("text takes any line");
        }
        out
    }

    /// Reads what [`Data::csv`] wrote.
    pub fn read(text: &str) -> Result<Self> {
        let mut data = Self::default();
        for line in text.lines() {
            if let Some(fact) = line.strip_prefix("# ") {
                data.setting.push(fact.to_owned());
                continue;
            }
            let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if data.columns.is_empty() {
                data.columns = cells;
            } else {
                let wanted = data.columns.len();
                ensure!(cells.len() == wanted, "'{line}' has not {wanted} cells");
                data.rows.push(cells);
            }
        }
        ensure!(!data.columns.is_empty(), "there are no columns");
        Ok(data)
    }

    /// The rows as a table in Markdown, with the facts above it.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for fact in &self.setting {
            writeln!(out, "- {fact}").expect("text takes any line");
        }
        out.push('\n');
        let rule = vec!["---".to_owned(); self.columns.len()];
        for row in [&self.columns, &rule].into_iter().chain(&self.rows) {
            writeln!(out, "| {} |", row.join(" | ")).expect("text takes any line");
        }
        out
    }
}

#[cfg(test)]
mod tests;
