//! Plots as SVG text: lines and points over two axes, ours beside what others published.
//!
//! The same plot is the same text on every machine, so that a committed picture can be compared
//! with its data. It draws what it is given and refuses to judge it: no fits, no smoothing, and
//! nothing but lines and points.

mod axis;

use std::fmt::Write;

pub use axis::{Axis, Scale};

/// A picture.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows, above it.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn, in the order of the legend.
    pub lines: Vec<Line>,
}

/// Points of one kind, joined.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the legend calls it.
    pub label: String,
    /// Whose figures these are.
    pub source: Source,
    /// From left to right. Points that an axis cannot show are left out.
    pub points: Vec<(f64, f64)>,
}

/// Whose figures a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Measured here: a full line with filled points.
    Ours,
    /// Published by others: a dashed line with hollow points.
    Published,
    /// A formula or a bar: a dotted line without points.
    Formula,
}

/// Size of the whole picture and of the margins round the field, in pixels.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 52.0;

/// Colours that colour-blind readers can tell apart (Okabe and Ito), and the shades for a dark
/// background.
const COLOURS: [(&str, &str); 7] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#f0803c"),
    ("#009e73", "#2fc99b"),
    ("#cc79a7", "#e39cc3"),
    ("#8a6d00", "#e6c84a"),
    ("#555555", "#b0b0b0"),
    ("#7a3fb0", "#b98ae6"),
];

impl Plot {
    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let xs = self.lines.iter().flat_map(|line| &line.points);
        let x = self.x.span(xs.clone().map(|point| point.0));
        let y = self.y.span(xs.map(|point| point.1));
        let mut out = String::new();
        self.head(&mut out);
        grid(&mut out, &x, &y);
        let title = escape(&self.title);
        text(&mut out, LEFT, 24.0, "start", "title", &title);
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        let label = escape(&self.x.label);
        text(&mut out, middle, HEIGHT - 12.0, "middle", "label", &label);
        let height = f64::midpoint(TOP, HEIGHT - BOTTOM);
        line_of(
            &mut out,
            &format!(
                "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(16 {height:.1}) rotate(-90)\">{}</text>",
                escape(&self.y.label)
            ),
        );
        for (number, line) in self.lines.iter().enumerate() {
            draw(&mut out, number, line, &x, &y);
            legend(&mut out, number, line);
        }
        out.push_str("</svg>\n");
        out
    }

    fn head(&self, out: &mut String) {
        line_of(
            out,
            &format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{}\">",
                escape(&self.title)
            ),
        );
        let mut light = String::new();
        let mut dark = String::new();
        for (number, (on_light, on_dark)) in COLOURS.iter().enumerate() {
            for (rules, colour) in [(&mut light, on_light), (&mut dark, on_dark)] {
                write!(rules, ".c{number}{{color:{colour}}}").expect("text takes any line");
            }
        }
        line_of(
            out,
            &format!(
                "<style>text{{font:12px system-ui,sans-serif;fill:#222}}.title{{font-size:15px;font-weight:600}}.tick{{font-size:11px;fill:#555}}.back,.hollow{{fill:#fff}}.grid{{stroke:#ddd}}.frame{{stroke:#888;fill:none}}{light}@media(prefers-color-scheme:dark){{text{{fill:#e6e6e6}}.tick{{fill:#aaa}}.back,.hollow{{fill:#16181d}}.grid{{stroke:#33373f}}.frame{{stroke:#777}}{dark}}}</style>"
            ),
        );
        line_of(
            out,
            &format!("<rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>"),
        );
    }
}

/// The frame, and a thin line with its number for each tick.
fn grid(out: &mut String, x: &axis::Span, y: &axis::Span) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (value, label) in x.ticks() {
        let at = across(x, value);
        line_of(
            out,
            &format!(
                "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>"
            ),
        );
        text(out, at, bottom + 16.0, "middle", "tick", &label);
    }
    for (value, label) in y.ticks() {
        let at = up(y, value);
        line_of(
            out,
            &format!(
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>"
            ),
        );
        text(out, LEFT - 6.0, at + 4.0, "end", "tick", &label);
    }
    let (width, height) = (right - LEFT, bottom - TOP);
    line_of(
        out,
        &format!(
            "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/>"
        ),
    );
}

fn draw(out: &mut String, number: usize, line: &Line, x: &axis::Span, y: &axis::Span) {
    let shown: Vec<(f64, f64)> = line
        .points
        .iter()
        .filter(|(px, py)| x.shows(*px) && y.shows(*py))
        .map(|&(px, py)| (across(x, px), up(y, py)))
        .collect();
    let mut way = String::new();
    for (px, py) in &shown {
        write!(
            way,
            "{}{px:.1} {py:.1}",
            if way.is_empty() { "M" } else { "L" }
        )
        .expect("text takes any line");
    }
    if shown.len() > 1 {
        line_of(out, &stroke(number, line.source, &way));
    }
    for (px, py) in shown {
        point(out, number, line.source, px, py);
    }
}

fn stroke(number: usize, source: Source, way: &str) -> String {
    let dashes = match source {
        Source::Ours => "",
        Source::Published => " stroke-dasharray=\"6 4\"",
        Source::Formula => " stroke-dasharray=\"2 3\"",
    };
    format!(
        "<path class=\"c{}\" d=\"{way}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.8\"{dashes}/>",
        number % COLOURS.len()
    )
}

fn point(out: &mut String, number: usize, source: Source, x: f64, y: f64) {
    let class = number % COLOURS.len();
    match source {
        Source::Ours => line_of(
            out,
            &format!(
                "<circle class=\"c{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"currentColor\"/>"
            ),
        ),
        Source::Published => line_of(
            out,
            &format!(
                "<circle class=\"hollow c{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" stroke=\"currentColor\" stroke-width=\"1.6\"/>"
            ),
        ),
        Source::Formula => {}
    }
}

/// One row right of the field: a sample of the line, and its name.
fn legend(out: &mut String, number: usize, line: &Line) {
    let left = WIDTH - RIGHT + 16.0;
    let row = u32::try_from(number).map_or(0.0, f64::from);
    let y = TOP + 8.0 + row * 20.0;
    let way = format!("M{left:.1} {y:.1}L{:.1} {y:.1}", left + 26.0);
    line_of(out, &stroke(number, line.source, &way));
    point(out, number, line.source, left + 13.0, y);
    let label = escape(&line.label);
    text(out, left + 34.0, y + 4.0, "start", "key", &label);
}

fn across(span: &axis::Span, value: f64) -> f64 {
    LEFT + span.share(value) * (WIDTH - RIGHT - LEFT)
}

fn up(span: &axis::Span, value: f64) -> f64 {
    HEIGHT - BOTTOM - span.share(value) * (HEIGHT - BOTTOM - TOP)
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, class: &str, words: &str) {
    line_of(
        out,
        &format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        ),
    );
}

fn line_of(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// Text that no reader of the SVG takes for markup.
fn escape(words: &str) -> String {
    words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
