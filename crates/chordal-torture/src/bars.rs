//! Bars instead of faults: what it costs a ring that holds much to bear one thing after the other.
//!
//! Five nodes are filled until each holds about so many bytes. Then one is away for a while and returns, one
//! dies for good, one joins, and everything is deleted. Each time it is told how long it took, how many
//! bytes were copied for it, and how clients fared meanwhile. Nothing is judged but that the ring heals and
//! that every read gives what was written: figures are for people, beside what the machine can do.

mod foreground;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chordal_sim::dice::Dice;
use serde_json::Value;

use self::foreground::Foreground;
use crate::fleet::{Door, Fleet};
use crate::healing::Healing;
use crate::limits::{BAR_PATIENCE, LOOK_EVERY};
use crate::machine::Machine;
use crate::options::Options;
use crate::say;

/// The nodes that are filled.
const NODES: u64 = 5;

/// Copies of everything.
const COPIES: u64 = 3;

/// Bytes of each file.
const FILE_BYTES: u64 = 32 << 20;

/// How long clients are watched while nothing happens.
const IDLE: Duration = Duration::from_secs(15);

/// What of a full ring may be left when everything is deleted: names of what was there.
const LEFT_PER_MILLE: u64 = 5;

/// A ring and what was put into it.
struct Bars<'a> {
    options: &'a Options,
    fleet: Fleet,
    healing: Healing,
    machines: Vec<Machine>,
    dice: Dice,
    files: u64,
}

/// Measures everything, one after the other.
pub(crate) fn run(options: &Options, node_bytes: u64, home: &Path) -> Result<()> {
    let mut bars = Bars {
        options,
        fleet: Fleet::new(options, home),
        healing: Healing::default(),
        machines: Vec::new(),
        dice: Dice::new(options.seed, "bars"),
        files: (node_bytes * NODES / COPIES).div_ceil(FILE_BYTES),
    };
    for _ in 0..NODES {
        bars.add()?;
    }
    bars.heal()?;
    bars.fill()?;
    let idle = bars.watched(|_| {
        std::thread::sleep(IDLE);
        Ok(())
    })?;
    say(format_args!("bars: clients while nothing happens: {idle}"));
    bars.away()?;
    bars.death()?;
    bars.join()?;
    bars.delete()
}

impl Bars<'_> {
    /// Puts the files in, through one node after the other.
    fn fill(&mut self) -> Result<()> {
        let began = Instant::now();
        let doors = self.fleet.doors();
        for (number, door) in (0..self.files).zip(doors.iter().cycle()) {
            let content = content(number);
            let answer = door
                .api()
                .ask("PUT", &target(number), &content, BAR_PATIENCE)?;
            ensure!(answer.status < 300, "a put failed: {}", answer.complaint());
        }
        let took = began.elapsed();
        self.heal()?;
        let bytes = self.files * FILE_BYTES;
        say(format_args!(
            "bars: {} put in {took:.1?}: {} a second, in {COPIES} copies",
            Size(bytes),
            Size(per_second(bytes, took))
        ));
        Ok(())
    }

    /// One node is away for a part of the grace time.
    fn away(&mut self) -> Result<()> {
        let before = self.copied()?;
        let victim = self.machines.len() - 1;
        self.switch_off(victim);
        std::thread::sleep(self.options.away);
        let meanwhile = self.copied()?.saturating_sub(before);
        let began = Instant::now();
        self.start(victim)?;
        self.heal()?;
        let after = self.copied()?.saturating_sub(before + meanwhile);
        say(format_args!(
            "bars: one of {NODES} away for {:?}: {} copied meanwhile, {} after its return, right after {:.1?}",
            self.options.away,
            Size(meanwhile),
            Size(after),
            began.elapsed()
        ));
        Ok(())
    }

    /// One node dies for good, and the ring is told so.
    fn death(&mut self) -> Result<()> {
        let victim = self.machines.len() - 1;
        let id = self.machines[victim].life.as_ref().context("it is off")?.id;
        let held = self.used(&id.to_string())?;
        self.switch_off(victim);
        let mut machine = self.machines.remove(victim);
        machine.wipe(&self.fleet.program)?;
        let before = self.copied_by_each()?;
        let mut took = Duration::ZERO;
        let fared = self.watched(|bars| {
            let began = Instant::now();
            bars.forget(&id.to_string())?;
            bars.heal()?;
            took = began.elapsed();
            Ok(())
        })?;
        let now = self.copied_by_each()?;
        let copied = now
            .iter()
            .zip(&before)
            .map(|(now, then)| now.saturating_sub(*then));
        let (copied, most): (u64, u64) = (copied.clone().sum(), copied.max().unwrap_or(0));
        let rate = self.options.repair_rate;
        let budget = rate * self.machines.len() as u64;
        say(format_args!(
            "bars: one of {NODES} with {} dies for good: right after {took:.1?} ({:.2} of what a budget of {} a second on \
             each node allows if all make as much, {:.2} by what one of them has to make), {} copied ({:.3} of what was \
             lost), {} of it by one node",
            Size(held),
            took.as_secs_f64() * ratio(budget, held),
            Size(rate),
            took.as_secs_f64() * ratio(rate, most),
            Size(copied),
            ratio(copied, held),
            Size(most),
        ));
        say(format_args!("bars: clients meanwhile: {fared}"));
        Ok(())
    }

    /// A node joins.
    fn join(&mut self) -> Result<()> {
        let before = self.copied()?;
        let mut took = Duration::ZERO;
        let fared = self.watched(|bars| {
            let began = Instant::now();
            bars.add()?;
            bars.heal()?;
            took = began.elapsed();
            Ok(())
        })?;
        let copied = self.copied()?.saturating_sub(before);
        let all = self.used_by_all()?;
        let share = all / self.machines.len() as u64;
        say(format_args!(
            "bars: one joins: right after {took:.1?}, {} copied ({:.3} of its fair share)",
            Size(copied),
            ratio(copied, share)
        ));
        say(format_args!("bars: clients meanwhile: {fared}"));
        ensure!(fared.wrong == 0, "something could not be read for a moment");
        Ok(())
    }

    /// Everything is deleted.
    fn delete(&mut self) -> Result<()> {
        let full = self.used_by_all()?;
        let doors = self.fleet.doors();
        let began = Instant::now();
        let small = (0..foreground::NAMES).map(foreground::target);
        let all = (0..self.files).map(target).chain(small);
        for (target, door) in all.zip(doors.iter().cycle()) {
            let answer = door.api().ask("DELETE", &target, b"", BAR_PATIENCE)?;
            // Clients may not have come to write every small file.
            ensure!(
                answer.status < 300 || answer.status == 404,
                "a delete failed: {}",
                answer.complaint()
            );
        }
        let deleted = began.elapsed();
        while self.used_by_all()? > full * LEFT_PER_MILLE / 1000 {
            if began.elapsed() > BAR_PATIENCE {
                bail!("{} are still used", Size(self.used_by_all()?));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        say(format_args!(
            "bars: {} deleted in {deleted:.1?}: {} of disk are back on all nodes after {:.1?}",
            Size(self.files * FILE_BYTES),
            Size(full),
            began.elapsed()
        ));
        Ok(())
    }

    /// Does something while clients read and write small files, and tells how they fared.
    fn watched(&mut self, what: impl FnOnce(&mut Self) -> Result<()>) -> Result<foreground::Fared> {
        let door = self.door()?;
        let foreground = Foreground::start(&door, self.files);
        let done = what(self);
        let fared = foreground.stop();
        done.map(|()| fared)
    }

    fn add(&mut self) -> Result<()> {
        self.machines.push(Machine::new(self.machines.len()));
        self.start(self.machines.len() - 1)
    }

    fn start(&mut self, place: usize) -> Result<()> {
        let door = self.fleet.pick(&mut self.dice, Some(place));
        let join: Vec<_> = door.map(|door| door.ring).into_iter().collect();
        let machine = &mut self.machines[place];
        machine.start(&self.fleet.program, &join)?;
        let life = machine.life.as_ref().context("it is off")?;
        self.fleet.open(machine.number, life);
        Ok(())
    }

    fn switch_off(&mut self, place: usize) {
        let machine = &mut self.machines[place];
        self.fleet.close(machine.number);
        machine.kill();
    }

    fn forget(&mut self, node: &str) -> Result<()> {
        let body = format!("{{\"node\":\"{node}\",\"force\":false}}");
        let began = Instant::now();
        loop {
            let mut api = self.door()?.api();
            let answer = api.ask("POST", "/v1/forget", body.as_bytes(), BAR_PATIENCE)?;
            if answer.status < 300 {
                return Ok(());
            }
            // It is not known yet that it is silent.
            if began.elapsed() > BAR_PATIENCE {
                bail!("it is not forgotten: {}", answer.complaint());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn heal(&mut self) -> Result<()> {
        let healed = self.healing.wait(&self.fleet, BAR_PATIENCE);
        healed
            .map(drop)
            .map_err(|wrong| anyhow!("the ring does not heal: {wrong}"))
    }

    /// Bytes that all nodes which run now have copied since they started.
    fn copied(&mut self) -> Result<u64> {
        self.copied_by_each().map(|copied| copied.iter().sum())
    }

    /// The same, node by node.
    fn copied_by_each(&mut self) -> Result<Vec<u64>> {
        let doors = self.fleet.doors().into_iter();
        let copied = doors.map(|door| {
            let counters = self.ask(&door, "/v1/counters")?;
            counters["copied_bytes"].as_u64().context("no count")
        });
        copied.collect()
    }

    fn used(&mut self, id: &str) -> Result<u64> {
        let status = self.status()?;
        let nodes = status["ring"]["nodes"].as_array().context("no nodes")?;
        let node = nodes.iter().find(|node| node["id"] == id);
        node.and_then(|node| node["used_bytes"].as_u64())
            .context("it is not said what the node holds")
    }

    fn used_by_all(&mut self) -> Result<u64> {
        let status = self.status()?;
        let nodes = status["ring"]["nodes"].as_array().context("no nodes")?;
        let alive = nodes.iter().filter(|node| node["state"] == "alive");
        Ok(alive.filter_map(|node| node["used_bytes"].as_u64()).sum())
    }

    fn status(&mut self) -> Result<Value> {
        let door = self.door()?;
        self.ask(&door, "/v1/status")
    }

    fn ask(&mut self, door: &Door, target: &str) -> Result<Value> {
        let answer = self.healing.ask(door, target);
        answer.map_err(|error| anyhow!("{target}: {error}"))
    }

    /// The first node, to which nothing is done.
    fn door(&self) -> Result<Door> {
        self.fleet
            .doors()
            .into_iter()
            .next()
            .context("no node runs")
    }
}

/// Where a file is.
fn target(number: u64) -> String {
    format!("/v1/files?name=bars:big/{number}")
}

/// What is in a file: different bytes in each.
fn content(number: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(FILE_BYTES).expect("a file fits in memory")];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// Bytes, for people.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.1} MiB", ratio(self.0, 1 << 20))
    }
}

fn per_second(bytes: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1000) / millis
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures for people need not be exact to the byte"
)]
fn ratio(some: u64, all: u64) -> f64 {
    some as f64 / all.max(1) as f64
}
