//! The last look: when all is quiet every file is read through several nodes, has all its copies,
//! and stands in the listing; what was deleted does not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chordal_object::Name;
use chordal_sim::dice::Dice;
use chordal_sim::oracle::Duty;
use serde_json::Value;

use crate::clients::{Client, SPACE, Wish};
use crate::events::Events;
use crate::fleet::{Door, Fleet};
use crate::healing::Healing;
use crate::judge::{Broken, Judge};
use crate::limits::{LAST_READS_MAX, LOOK_EVERY};
use crate::options::Options;

/// Copies that every file should have.
const COPIES: usize = 3;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Looked {
    /// How long the ring took to be right after the clients had ended.
    pub(crate) healed: Duration,
    /// Names that anybody ever wrote.
    pub(crate) names: usize,
    /// Through how many nodes each was read.
    pub(crate) nodes: usize,
    /// Files whose copies were counted.
    pub(crate) counted: u64,
}

/// Looks at everything.
pub(crate) fn look(
    options: &Options,
    events: &mut Events,
    fleet: &Arc<Fleet>,
    judge: &Arc<Judge>,
) -> Looked {
    judge.event("the last look");
    let healed = match events.heal() {
        Ok(took) => took,
        Err(wrong) => {
            let what = format!("the ring is not right in the end: {wrong}");
            judge.broken(Broken::Unhealed, None, &what);
            return Looked::default();
        }
    };
    let duties = judge.duties();
    let doors = fleet.doors();
    if options.plant {
        lose_one(options, fleet, judge, &duties, &doors);
    }
    let fitting = LAST_READS_MAX / duties.len().max(1);
    let nodes = fitting.clamp(2, doors.len());
    let (next, counted) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for number in 0..options.clients {
            let (duties, doors, next, counted) = (&duties, &doors, &next, &counted);
            scope.spawn(move || {
                let dice = Dice::new(options.seed, &format!("last look {number}"));
                let mut client = Client::new(dice, fleet, judge);
                while let Some((index, (name, duty))) = take(duties, next) {
                    for turn in 0..nodes {
                        let door = &doors[(index + turn) % doors.len()];
                        read(&mut client, judge, door, name);
                    }
                    if matches!(duty, Duty::Present(_)) {
                        let door = &doors[index % doors.len()];
                        copies(&mut client, judge, door, name, COPIES.min(doors.len()));
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    list(judge, &doors[0], &duties);
    Looked {
        healed,
        names: duties.len(),
        nodes,
        counted: counted.into_inner(),
    }
}

fn take<'a, T>(all: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    all.get(index).map(|one| (index, one))
}

/// Deletes a file without a word to the judge.
fn lose_one(
    options: &Options,
    fleet: &Arc<Fleet>,
    judge: &Arc<Judge>,
    duties: &[(Name, Duty)],
    doors: &[Door],
) {
    let is_there = |duty: &Duty| matches!(duty, Duty::Present(_));
    if let Some((name, _)) = duties.iter().find(|(_, duty)| is_there(duty)) {
        let mut client = Client::new(Dice::new(options.seed, "plant"), fleet, judge);
        let end = client.ask(&doors[0], "DELETE", "files", name, b"");
        judge.event(&format!("{name} is lost on purpose: {:?}", end.is_ok()));
    }
}

/// Tries for a while; a last error is a broken promise, since all is quiet.
fn insist(
    judge: &Judge,
    name: &Name,
    broken: Broken,
    mut attempt: impl FnMut() -> Result<(), String>,
) {
    let begun = Instant::now();
    while let Err(why) = attempt() {
        if begun.elapsed() > Duration::from_secs(5) {
            judge.broken(
                broken,
                Some(name),
                &format!("{name}, when all is quiet: {why}"),
            );
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn read(client: &mut Client, judge: &Judge, door: &Door, name: &Name) {
    insist(judge, name, Broken::Refusal, || {
        client.attempt(door, name, Wish::Get)
    });
}

fn copies(client: &mut Client, judge: &Judge, door: &Door, name: &Name, wanted: usize) {
    insist(judge, name, Broken::Copies, || {
        let (answer, _) = client.ask(door, "GET", "where", name, b"")?;
        let json = answer.json();
        let holders = json["holders"].as_array();
        let durable = holders
            .into_iter()
            .flatten()
            .filter(|holder| holder["copy"] == "durable")
            .count();
        if durable < wanted {
            return Err(format!("{durable} copies of {wanted}: {}", json["holders"]));
        }
        Ok(())
    });
}

/// Compares a whole listing.
fn list(judge: &Judge, door: &Door, duties: &[(Name, Duty)]) {
    let listed = match listing(door) {
        Ok(listed) => listed,
        Err(why) => {
            judge.broken(Broken::Listing, None, &format!("no listing: {why}"));
            return;
        }
    };
    for (name, duty) in duties {
        let is_listed = listed.contains(&name.to_string());
        let wrong = match duty {
            Duty::Present(_) => !is_listed,
            Duty::Absent => is_listed,
            Duty::Anything => false,
        };
        if wrong {
            let what = format!("the listing is wrong about {name}: listed {is_listed}, {duty:?}");
            judge.broken(Broken::Listing, Some(name), &what);
        }
    }
}

fn listing(door: &Door) -> Result<BTreeSet<String>, String> {
    let mut asker = Healing::default();
    let mut names = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = asker.ask(door, &format!("/v1/list?space={SPACE}{after}"))?;
        if page["missing"] != Value::Array(Vec::new()) {
            return Err(format!("it lacks what {} have", page["missing"]));
        }
        let rows = page["files"].as_array();
        let rows = rows.into_iter().flatten();
        names.extend(rows.filter_map(|row| row["name"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(names),
        }
    }
}
