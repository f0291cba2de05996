//! The papers' figures, measured on our own code: what `chordal sim figures` runs.
//!
//! Each figure is a module that runs production peers on virtual time and returns its rows
//! ([`Data`]); table and picture follow from the rows alone, so that `docs/figures.md` can be
//! held against the committed files. Nothing here decides whether a figure is good enough:
//! published values and bars stand beside ours, and the reader judges.

mod agreement;
mod arcs;
mod balance;
mod churn;
pub mod data;
mod failures;
mod field;
mod first_contact;
mod merge;
mod page;
mod path;
pub mod plot;
mod reconcile;
mod rounds;
mod sample;
mod table_three;

use anyhow::{Context, Result};

use data::Data;
use plot::Plot;

pub use page::{fill, picture_names};

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// What it is asked for by, and what its files are called.
    pub name: &'static str,
    /// What it shows, in a line.
    pub title: &'static str,
    /// Measures it.
    pub measure: fn(Effort) -> Result<Data>,
    /// Draws it.
    pub draw: fn(&Data) -> Vec<Plot>,
}

/// How much to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Every choice follows from this number.
    pub seed: u64,
    /// Only enough to see that everything works: seconds instead of minutes, fewer nodes and
    /// lookups than the published measurements had.
    pub quick: bool,
}

/// Every figure, in the order of the page.
pub const FIGURES: &[Figure] = &[
    path::FIGURE,
    failures::FIGURE,
    table_three::FIGURE,
    balance::FIGURE,
    arcs::FIGURE,
    agreement::FIGURE,
    first_contact::FIGURE,
    rounds::FIGURE,
    merge::FIGURE,
    reconcile::FIGURE,
];

/// The figure of this name.
pub fn figure(name: &str) -> Result<&'static Figure> {
    let names = || {
        let all: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        format!("there is no figure '{name}'; there are {}", all.join(", "))
    };
    let found = FIGURES.iter().find(|figure| figure.name == name);
    found.with_context(names)
}

#[cfg(test)]
mod tests;
