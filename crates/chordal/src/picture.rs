//! The ring drawn with letters: an ellipse on which every token stands at its place.

use chordal_web::api::RingPicture;

use crate::out::{Paint, short, size, visible};

/// Columns and rows of the ellipse; with the legend beside it 80 columns suffice.
const WIDTH: usize = 41;
const HEIGHT: usize = 17;

/// Where the legend begins.
const LEGEND: usize = WIDTH + 3;

/// What stands at a place of the drawing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    Empty,
    Line,
    Node(usize),
}

/// The drawing, line by line.
pub(crate) fn draw(ring: &RingPicture, paint: Paint) -> Vec<String> {
    let spots = spots(ring);
    let legend = legend(ring, paint);
    let height = HEIGHT.max(legend.len());
    let above = (height - legend.len()) / 2;
    (0..height)
        .map(|row| {
            let mut line = String::new();
            let mut column = 0;
            for (at, spot) in spots.get(row).into_iter().flatten().enumerate() {
                if *spot == Spot::Empty {
                    continue;
                }
                line.push_str(&" ".repeat(at - column));
                line.push_str(&mark(ring, *spot, paint));
                column = at + 1;
            }
            let text = row.checked_sub(above).and_then(|index| legend.get(index));
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                line.push_str(&" ".repeat(LEGEND - column));
                line.push_str(text);
            }
            line
        })
        .collect()
}

fn mark(ring: &RingPicture, spot: Spot, paint: Paint) -> String {
    match spot {
        Spot::Empty => " ".to_owned(),
        Spot::Line => paint.dim("·").to_string(),
        Spot::Node(index) => match ring.nodes[index].health.state.as_str() {
            "alive" => paint.nth(index, letter(index)).to_string(),
            _ => paint.red(letter(index).to_ascii_lowercase()).to_string(),
        },
    }
}

/// Each node's letter: A to Z, then again.
pub(crate) fn letter(index: usize) -> char {
    let offset = u8::try_from(index % 26).expect("below 26");
    char::from(b'A' + offset)
}

fn spots(ring: &RingPicture) -> Vec<Vec<Spot>> {
    let mut spots = vec![vec![Spot::Empty; WIDTH]; HEIGHT];
    for step in 0_u32..240 {
        let (row, column) = place(f64::from(step) / 240.0);
        spots[row][column] = Spot::Line;
    }
    for (index, node) in ring.nodes.iter().enumerate() {
        for token in &node.tokens {
            let (row, column) = place(token.at);
            spots[row][column] = Spot::Node(index);
        }
    }
    spots
}

/// Row and column of a part of the ring: zero is at the top, and it goes clockwise.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the result lies within the drawing by the maximum and minimum below"
)]
fn place(part: f64) -> (usize, usize) {
    let angle = part * std::f64::consts::TAU;
    let (half_width, half_height) = ((WIDTH - 1) as f64 / 2.0, (HEIGHT - 1) as f64 / 2.0);
    let column = half_width + half_width * angle.sin();
    let row = half_height - half_height * angle.cos();
    let within = |value: f64, most: usize| (value.round().max(0.0) as usize).min(most);
    (within(row, HEIGHT - 1), within(column, WIDTH - 1))
}

/// Nodes listed beside the drawing; more are counted.
const LISTED_MAX: usize = 12;

fn legend(ring: &RingPicture, paint: Paint) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} · {}",
            paint.bold(visible(&ring.name)),
            if ring.whole {
                paint.green("whole")
            } else {
                paint.red("not whole")
            }
        ),
        String::new(),
    ];
    let shown = ring.nodes.iter().enumerate().filter(|(_, node)| {
        // A node that left is history, not ring.
        node.health.state != "left"
    });
    for (index, node) in shown.clone().take(LISTED_MAX) {
        let state = match node.health.state.as_str() {
            "alive" => format!("{:>3.0} %", node.share * 100.0),
            other => other.to_owned(),
        };
        lines.push(format!(
            "{} {} :{:<5} {:>7} {}",
            mark(ring, Spot::Node(index), paint),
            short(&node.health.id),
            port(&node.health.addr),
            state,
            node.health.used_bytes.map(size).unwrap_or_default()
        ));
    }
    let more = shown.count().saturating_sub(LISTED_MAX);
    if more > 0 {
        lines.push(format!("and {more} more: chordal status"));
    }
    lines
}

fn port(addr: &str) -> &str {
    addr.rsplit_once(':').map_or(addr, |(_, port)| port)
}

#[cfg(test)]
mod tests;
