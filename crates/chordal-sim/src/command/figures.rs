//! `chordal sim figures`: measures the papers' figures on this program's own code.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::Outcome;
use crate::figures::data::Data;
use crate::figures::{Effort, FIGURES, Figure, figure, fill, picture_names};

/// Measure the figures of the Chord papers and print them beside the published values
#[derive(Clone, Debug, Args)]
pub struct FiguresArgs {
    /// Which figures, or 'all'
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Measure only enough to see that it works
    #[arg(long)]
    quick: bool,
    /// Write rows and pictures to DIR/figures, and the tables of DIR/figures.md
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Measure nothing: draw again from the rows in DIR/figures
    #[arg(long, requires = "write")]
    redraw: bool,
}

/// Measures, prints, and writes if asked to.
pub(super) fn run(arguments: &FiguresArgs) -> Result<Outcome> {
    let all = arguments.names.iter().any(|name| name == "all");
    let wanted: Vec<&Figure> = if all {
        FIGURES.iter().collect()
    } else {
        let named = arguments.names.iter().map(|name| figure(name));
        named.collect::<Result<_>>()?
    };
    let effort = Effort {
        seed: arguments.seed,
        quick: arguments.quick,
    };
    for figure in wanted {
        let data = match &arguments.write {
            Some(folder) if arguments.redraw => match read(folder, figure)? {
                Some(data) => data,
                None if all => continue,
                None => bail!(
                    "{} has not been measured yet: leave --redraw out",
                    figure.name
                ),
            },
            _ => (figure.measure)(effort)?,
        };
        let mut out = io::stdout();
        writeln!(out, "{}\n\n{}", figure.title, data.markdown())?;
        if let Some(folder) = &arguments.write {
            write(folder, figure, &data)?;
        }
    }
    Ok(Outcome::Kept)
}

/// The rows that were written, if any were.
fn read(folder: &Path, figure: &Figure) -> Result<Option<Data>> {
    let file = folder.join(format!("figures/{}.csv", figure.name));
    if !file.exists() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Data::read(&text).map(Some)
}

fn write(folder: &Path, figure: &Figure, data: &Data) -> Result<()> {
    let files = folder.join("figures");
    fs::create_dir_all(&files)?;
    fs::write(files.join(format!("{}.csv", figure.name)), data.csv())?;
    for (plot, file) in (figure.draw)(data).iter().zip(picture_names(figure)) {
        fs::write(files.join(file), plot.svg())?;
    }
    let page = folder.join("figures.md");
    let text =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    fs::write(&page, fill(&text, figure, data)?)?;
    Ok(())
}
