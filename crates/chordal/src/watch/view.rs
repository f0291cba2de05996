//! What is known of the ring that is watched, and the words for it. How it is drawn is elsewhere.

use chordal_web::api::{Check, PicturedNode, Scene, TimelineEvent};
use chordal_web::safety::is_member;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::feed::News;
use super::keys::Key;
use crate::out::{count, short, size, visible};

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct View {
    /// The newest state.
    pub(super) scene: Option<Box<Scene>>,
    /// The newest certificate, and when it was made.
    pub(super) check: Option<(Box<Check>, String)>,
    /// What happened, newest first.
    pub(super) lately: Vec<String>,
    /// Since when the node is away, and why.
    pub(super) away: Option<String>,
    /// Whether the help is shown.
    pub(super) help: bool,
    /// Whether colours may be used.
    pub(super) colours: bool,
    /// The first row of the list that is shown.
    pub(super) top: usize,
    /// How many rows are shown, as it was drawn last.
    pub(super) page: usize,
}

/// Events that are kept to be shown.
const LATELY_MAX: usize = 32;

impl View {
    pub(super) const fn new(colours: bool) -> Self {
        Self {
            scene: None,
            check: None,
            lately: Vec::new(),
            away: None,
            help: false,
            colours,
            top: 0,
            page: 1,
        }
    }

    /// Takes news.
    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Scene(scene) => {
                self.scene = Some(scene);
                self.away = None;
            }
            News::Checked(check) => self.check = Some((check, clock(&Zoned::now()))),
            News::Lately(events) => {
                let newest = events.iter().rev().take(LATELY_MAX);
                self.lately = newest.map(happened).collect();
            }
            News::Away(why) if self.away.is_none() => {
                self.away = Some(format!("since {}: {why}", clock(&Zoned::now())));
            }
            News::Away(_) => {}
        }
        self.bound();
    }

    /// Does what a key is for.
    pub(super) fn press(&mut self, key: Key) {
        let page = i32::try_from(self.page).unwrap_or(1);
        match key {
            Key::Help => self.help = !self.help,
            Key::Rows(rows) => self.scroll(rows),
            Key::Pages(pages) => self.scroll(pages.saturating_mul(page)),
            Key::First => self.top = 0,
            Key::Last => self.top = usize::MAX,
            Key::Quit | Key::Check | Key::Resized => {}
        }
        self.bound();
    }

    fn scroll(&mut self, rows: i32) {
        let by = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        self.top = if rows < 0 {
            self.top.saturating_sub(by)
        } else {
            self.top.saturating_add(by)
        };
    }

    /// Keeps the list's last row at the bottom.
    pub(super) fn bound(&mut self) {
        self.top = self.top.min(self.nodes().len().saturating_sub(self.page));
    }

    /// The nodes in the list: those that left are no more in it.
    pub(super) fn nodes(&self) -> Vec<&PicturedNode> {
        let nodes = self.scene.iter().flat_map(|scene| &scene.ring.nodes);
        nodes.filter(|node| node.health.state != "left").collect()
    }
}

/// The ring in a line.
pub(super) fn headline(scene: &Scene) -> String {
    let members: Vec<&PicturedNode> = scene
        .ring
        .nodes
        .iter()
        .filter(|node| is_member(&node.health))
        .collect();
    let silent = members.iter().filter(|node| node.health.state == "suspect");
    let silent = match silent.count() as u64 {
        0 => String::new(),
        silent => format!(", {} silent", count(silent, "node")),
    };
    let used = members.iter().filter_map(|node| node.health.used_bytes);
    let offered = members.iter().map(|node| node.health.offered_bytes);
    format!(
        "{} · {}{silent} · {} · {} used of {}",
        visible(&scene.ring.name),
        count(members.len() as u64, "node"),
        if scene.ring.whole {
            "whole"
        } else {
            "not whole"
        },
        size(used.fold(0, u64::saturating_add)),
        size(offered.fold(0, u64::saturating_add)),
    )
}

/// What repair does.
pub(super) fn repair(scene: &Scene) -> String {
    let (missing, progress) = (scene.repair.copies_missing, &scene.progress);
    let copies = count(missing, "copy");
    match scene.repair.state.as_str() {
        "idle" if missing == 0 => "nothing to do".to_owned(),
        "waiting" => format!("{copies} out of reach; their nodes are waited for"),
        _ if missing == 0 => "comparing copies, none is known to be missing".to_owned(),
        _ => {
            let rate = progress.per_second.map_or(String::new(), |pace| {
                let left = progress.left_s.map_or(String::new(), |left| {
                    format!(", {} left", crate::out::time(left))
                });
                format!(", {pace:.1} a second{left}")
            });
            format!("{copies} missing{rate}")
        }
    }
}

/// How far repair has come, 0 to 1; nothing where nothing is being made.
#[expect(
    clippy::cast_precision_loss,
    reason = "a bar has some dozens of columns"
)]
pub(super) fn done(scene: &Scene) -> Option<f64> {
    let (missing, most) = (scene.repair.copies_missing, scene.progress.most_missing);
    let works = scene.repair.state == "working" && most > 0;
    works.then(|| 1.0 - (missing.min(most) as f64 / most as f64))
}

/// What a walk over the ring found.
pub(super) fn checked(check: &Check, at: &str) -> String {
    match check.verdict.as_str() {
        "right" => format!(
            "right: {}, {}, every pointer as it should be (at {at})",
            count(check.nodes as u64, "node"),
            count(check.tokens as u64, "token")
        ),
        "wrong" => {
            let first = check.flaws.first();
            let first = first.map_or(String::new(), |flaw| visible(&flaw.message));
            format!("wrong: {first} (at {at}; all of it: chordal check)")
        }
        _ => format!("not certain: too few nodes answered (at {at})"),
    }
}

/// An event for people.
fn happened(event: &TimelineEvent) -> String {
    let at = event.at.parse::<Timestamp>().ok();
    let at = at.map_or(String::new(), |at| clock(&at.to_zoned(TimeZone::system())));
    let what = match event.what.as_str() {
        "appeared" => "is in the ring",
        "suspected" => "does not answer",
        "recovered" => "answers again",
        "gone" => "was given up",
        "left" => "has left",
        other => other,
    };
    let addr = event.addr.as_deref().unwrap_or("");
    format!("{at}  {}  {addr:21}  {what}", short(&event.node))
}

fn clock(time: &Zoned) -> String {
    time.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
