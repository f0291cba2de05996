//! The page of figures: for each figure a part between two marks that follows from its rows.
//!
//! What stands between other lines is people's text and is never touched.

use anyhow::{Context, Result};

use super::Figure;
use super::data::Data;

/// The page with a figure's part as its rows say. Fails when the page has no marks for it.
pub fn fill(page: &str, figure: &Figure, data: &Data) -> Result<String> {
    let begin = format!("<!-- figure {}: begin -->\n", figure.name);
    let end = format!("<!-- figure {}: end -->", figure.name);
    let missing = || format!("the page has no part for the figure '{}'", figure.name);
    let (before, rest) = page.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    let mut part = data.markdown();
    for (plot, file) in (figure.draw)(data).iter().zip(picture_names(figure)) {
        part.push_str(&format_picture(&plot.title, &file));
    }
    Ok(format!("{before}{begin}{part}{end}{after}"))
}

/// The files of a figure's pictures, in their order.
pub fn picture_names(figure: &Figure) -> impl Iterator<Item = String> {
    let name = figure.name;
    (1..).map(move |number: u32| match number {
        1 => format!("{name}.svg"),
        _ => format!("{name}-{number}.svg"),
    })
}

fn format_picture(title: &str, file: &str) -> String {
    format!("\n![{title}](figures/{file})\n")
}

#[cfg(test)]
mod tests;
