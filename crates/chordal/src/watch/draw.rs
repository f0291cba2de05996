//! The view on the screen: every line says in words what it says in colour.

use chordal_web::api::PicturedNode;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::view::{View, checked, done, headline, repair};
use crate::out::{fold, short, size, visible};

/// Rows of what happened of late, where there is room.
const LATELY_ROWS: u16 = 6;

/// Rows of problems that are shown.
const PROBLEMS_ROWS: usize = 3;

/// Columns of the row of a node without its bar.
const ROW_COLUMNS: u16 = 84;

/// Columns of the names before the texts.
const NAME_COLUMNS: usize = 8;

/// Columns of a bar.
const BAR_COLUMNS: u16 = 24;

/// What a text is, for its colour.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Strong,
    Quiet,
    Good,
    Uneasy,
    Bad,
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let area = frame.area();
    let top = top(view, area.width);
    let height = u16::try_from(top.len()).unwrap_or(u16::MAX);
    let lately = lately_rows(view, area.height.saturating_sub(height));
    let [head, list, news, foot] = Layout::vertical([
        Constraint::Length(height.min(area.height.saturating_sub(3))),
        Constraint::Min(1),
        Constraint::Length(lately),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(top), head);
    if view.help {
        let rest = Rect::new(list.x, list.y, list.width, list.height + news.height);
        frame.render_widget(help(), rest);
    } else {
        nodes(frame, list, view);
        if lately > 0 {
            frame.render_widget(Paragraph::new(happened(view, lately)), news);
        }
    }
    frame.render_widget(Paragraph::new(keys(view)), foot);
}

/// The lines above the list.
fn top(view: &View, width: u16) -> Vec<Line<'static>> {
    let line = |name: &str, tone: Tone, text: &str| folded(view, width, name, tone, text);
    let mut lines = Vec::new();
    if let Some(away) = &view.away {
        let words = format!("the node is away {away}; trying again");
        lines.extend(line("!", Tone::Bad, &words));
    }
    let Some(scene) = &view.scene else {
        lines.push(Line::from("The ring is being looked at."));
        return lines;
    };
    let mut title = vec![view.span(Tone::Strong, headline(scene))];
    let asked = format!("asked {}", scene.addr);
    let columns = Line::from(title.clone()).width() + asked.len();
    if let Some(gap) = usize::from(width)
        .checked_sub(columns)
        .filter(|gap| *gap > 1)
    {
        title.push(Span::raw(" ".repeat(gap)));
        title.push(view.span(Tone::Quiet, asked));
    }
    lines.push(Line::from(title));
    lines.push(Line::default());
    let safety = &scene.safety;
    let (tone, unplug) = match (safety.state.as_str(), safety.unplug) {
        ("safe", 1..) => (Tone::Good, "yes, any one node. ".to_owned()),
        ("missing", _) => (Tone::Bad, "no. ".to_owned()),
        ("safe", 0) => (Tone::Uneasy, "no: not every node answers. ".to_owned()),
        _ => (Tone::Uneasy, "no. ".to_owned()),
    };
    lines.extend(line("unplug", tone, &(unplug + &safety.words)));
    let tone = if scene.repair.state == "idle" {
        Tone::Plain
    } else {
        Tone::Uneasy
    };
    lines.extend(line("repair", tone, &repair(scene)));
    if let Some(done) = done(scene) {
        let percent = (done * 100.0).floor();
        lines.extend(line(
            "",
            Tone::Plain,
            &format!("{} {percent:.0} %", bar(done)),
        ));
    }
    lines.extend(match &view.check {
        Some((check, at)) => {
            let tone = match check.verdict.as_str() {
                "right" => Tone::Plain,
                "wrong" => Tone::Bad,
                _ => Tone::Uneasy,
            };
            line("check", tone, &checked(check, at))
        }
        None => line("check", Tone::Quiet, "the ring is being walked"),
    });
    for problem in scene.ring.problems.iter().take(PROBLEMS_ROWS) {
        lines.extend(line("!", Tone::Uneasy, &visible(problem)));
    }
    lines.push(Line::default());
    lines
}

/// A text behind its name, folded beside it.
fn folded(view: &View, width: u16, name: &str, tone: Tone, text: &str) -> Vec<Line<'static>> {
    let columns = usize::from(width).saturating_sub(NAME_COLUMNS).max(20);
    let text = fold(text, columns);
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    let lines = text.lines().zip(names).map(|(text, name)| {
        Line::from(vec![
            view.span(Tone::Quiet, format!("{name:NAME_COLUMNS$}")),
            view.span(tone, text.to_owned()),
        ])
    });
    lines.collect()
}

/// Rows for what happened, with its heading: only where the list has enough for itself.
fn lately_rows(view: &View, left: u16) -> u16 {
    let nodes = u16::try_from(view.nodes().len()).unwrap_or(u16::MAX);
    let list = nodes.saturating_add(2).min(left / 2);
    let room = left.saturating_sub(list.saturating_add(1));
    let events = u16::try_from(view.lately.len()).unwrap_or(u16::MAX);
    let more = if left > 30 {
        3 * LATELY_ROWS
    } else {
        LATELY_ROWS
    };
    match events.min(more).min(room.saturating_sub(2)) {
        0 => 0,
        rows => rows + 2,
    }
}

/// The list of nodes, as far as there is room.
fn nodes(frame: &mut Frame<'_>, area: Rect, view: &mut View) {
    let rows = usize::from(area.height.saturating_sub(1));
    view.page = rows.max(1);
    view.bound();
    let all = view.nodes();
    let shown = all.iter().skip(view.top).take(rows);
    let above = view.top;
    let below = all.len().saturating_sub(above + shown.len());
    let more = match (above, below) {
        (0, 0) => String::new(),
        _ => format!("   ({above} above, {below} below)"),
    };
    let heading = format!(
        "  {:8}  {:21}  {:8}  used{more}",
        "node", "address", "state"
    );
    let heading = Line::from(view.span(Tone::Quiet, heading));
    let own = view.scene.as_ref().map(|scene| scene.node.clone());
    let lines = shown.map(|node| row(view, node, own.as_deref(), area.width));
    let lines: Vec<Line<'_>> = std::iter::once(heading).chain(lines).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn row(view: &View, node: &PicturedNode, own: Option<&str>, width: u16) -> Line<'static> {
    let health = &node.health;
    let (tone, mark) = match health.state.as_str() {
        "alive" => (Tone::Good, "●"),
        "suspect" => (Tone::Uneasy, "◐"),
        "leaving" => (Tone::Uneasy, "→"),
        _ => (Tone::Bad, "○"),
    };
    let used = health.used_bytes.map_or_else(|| "?".to_owned(), size);
    let used = format!("{used} of {}", size(health.offered_bytes));
    let mut spans = vec![
        view.span(tone, mark.to_owned()),
        Span::raw(format!(" {:8}  {:21}  ", short(&health.id), health.addr)),
        view.span(tone, format!("{:8}", health.state)),
        Span::raw(format!("  {used:24}")),
    ];
    if width >= ROW_COLUMNS + BAR_COLUMNS {
        spans.push(Span::raw(format!(
            "  {}",
            bar(part(health.used_bytes, health.offered_bytes))
        )));
    }
    let wanted = node.copies_wanted.filter(|wanted| *wanted > 0);
    let handing = node.handing_off.filter(|handing| *handing > 0);
    let note = match (wanted, handing) {
        (Some(wanted), _) => format!("  lacks {wanted}"),
        (None, Some(handing)) => format!("  hands {handing}"),
        (None, None) if own == Some(health.id.as_str()) => "  (asked)".to_owned(),
        (None, None) => String::new(),
    };
    spans.push(view.span(Tone::Quiet, note));
    Line::from(spans)
}

/// What happened of late, under its heading.
fn happened(view: &View, rows: u16) -> Vec<Line<'static>> {
    let heading = Line::from(view.span(Tone::Quiet, "  lately".to_owned()));
    let events = view.lately.iter().take(usize::from(rows.saturating_sub(2)));
    let events = events.map(|event| Line::from(Span::raw(format!("  {}", visible(event)))));
    [Line::default(), heading]
        .into_iter()
        .chain(events)
        .collect()
}

fn keys(view: &View) -> Line<'static> {
    let keys = if view.help {
        "? closes this   q ends"
    } else {
        "q ends   ↑ ↓ scroll   c check now   ? help"
    };
    Line::from(view.span(Tone::Quiet, keys.to_owned()))
}

fn help() -> Paragraph<'static> {
    let lines = [
        "  q, Esc, Ctrl-C          end; the node runs on",
        "  ↑ ↓, j k                scroll the nodes by one",
        "  PgUp PgDn, Space        by a page",
        "  Home End, g G           to the first, to the last",
        "  c                       walk the ring now (else every 30 seconds)",
        "  ?                       this",
        "",
        "  ● alive   ◐ silent: waited for   → leaving   ○ given up",
        "  lacks    copies that a node has yet to fetch; hands: that others fetch from it",
        "  unplug   whether nodes may be switched off now, and nothing is lost",
        "  repair   copies that are missing, how fast they are made, how long it takes",
        "  check    the certificate: one ordered ring, every pointer right",
    ];
    Paragraph::new(lines.map(Line::from).to_vec())
}

/// The part of an offer that is used.
#[expect(
    clippy::cast_precision_loss,
    reason = "a bar has some dozens of columns"
)]
fn part(used: Option<u64>, offered: u64) -> f64 {
    let used = used.unwrap_or(0).min(offered) as f64;
    used / offered.max(1) as f64
}

/// A bar of a part, 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of some dozens of columns"
)]
fn bar(part: f64) -> String {
    let columns = usize::from(BAR_COLUMNS - 2);
    let full = ((part * f64::from(BAR_COLUMNS - 2)).floor() as usize).min(columns);
    format!("[{}{}]", "█".repeat(full), "·".repeat(columns - full))
}

impl View {
    /// A text in its tone.
    fn span(&self, tone: Tone, text: String) -> Span<'static> {
        let style = Style::default();
        let style = match (tone, self.colours) {
            (Tone::Strong, _) => style.add_modifier(Modifier::BOLD),
            (Tone::Plain, _) | (_, false) => style,
            (Tone::Quiet, true) => style.add_modifier(Modifier::DIM),
            (Tone::Good, true) => style.fg(Color::Green),
            (Tone::Uneasy, true) => style.fg(Color::Yellow),
            (Tone::Bad, true) => style.fg(Color::Red),
        };
        Span::styled(text, style)
    }
}

#[cfg(test)]
mod tests;
