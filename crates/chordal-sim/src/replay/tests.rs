use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::recording::{
    Begin, Decisions, FORMAT, Item, MAGIC, Mark, Start, Step, Told, encode,
};
use chordal_proto::{Config, Input, Peer, Settings, Time, Timing};
use tempfile::TempDir;

use super::calendar::Moment;
use super::{End, Options, Show, Verdict, replay};
use crate::dice::Dice;

/// A lonely node that wakes and wakes, and is recorded.
struct Recorded {
    peer: Peer,
    now: Time,
    decided: Decisions,
    bytes: Vec<u8>,
    segment: u64,
    config: Config,
}

impl Recorded {
    fn new(number: u8) -> Self {
        let config = Config {
            settings: Settings::default(),
            timing: Timing::default(),
            node: NodeId::new([number; 32]),
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000 + u16::from(number))),
            incarnation: 1,
            offered_bytes: 1 << 30,
            tokens: 2,
            table_nodes: TABLE_MAX,
            remembered: None,
            seed: u64::from(number),
        };
        let mut recorded = Self {
            peer: Peer::new(config.clone(), Time::default()),
            now: Time::default(),
            decided: Decisions::default(),
            bytes: Vec::new(),
            segment: 0,
            config: config.clone(),
        };
        recorded.begin(Start::Life(Box::new(config)), 0);
        recorded.decide();
        recorded
    }

    fn begin(&mut self, start: Start, lost: u64) {
        self.bytes = MAGIC.to_vec();
        self.write(&Item::Begin(Box::new(Begin {
            format: FORMAT,
            program: "0.1.0".to_owned(),
            node: self.config.node,
            addr: self.config.addr,
            life: self.config.seed,
            segment: self.segment,
            clock_began_ms: 1_795_383_918_757,
            lost,
            at: self.now,
            start,
        })));
        self.segment += 1;
    }

    /// Ends the segment and begins the next; the bytes of the one that ended.
    fn rotate(&mut self, lost: u64) -> Vec<u8> {
        let full = std::mem::take(&mut self.bytes);
        let state = Start::State(Bytes::from(self.peer.snapshot()), self.decided);
        self.begin(state, lost);
        full
    }

    fn write(&mut self, item: &Item) {
        self.bytes.extend(encode(item));
    }

    fn wake(&mut self, times: u32) {
        for _ in 0..times {
            self.now = self.now + Duration::from_millis(300);
            self.write(&Item::Step(Step {
                at: self.now,
                decided: self.decided,
                told: Told::Tick,
            }));
            self.wake_unrecorded();
        }
    }

    fn wake_unrecorded(&mut self) {
        self.peer.handle(self.now, Input::Tick);
        self.decide();
    }

    fn decide(&mut self) {
        while let Some(effect) = self.peer.poll() {
            self.decided.note(&effect);
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            at: self.now,
            decided: self.decided,
            state: self.peer.fingerprint(),
        }
    }

    fn end(mut self) -> Vec<u8> {
        let mark = self.mark();
        self.write(&Item::End(mark));
        self.bytes
    }
}

fn replayed(segments: &[&[u8]]) -> anyhow::Result<(Vec<Verdict>, String)> {
    let folder = TempDir::new().unwrap();
    let mut files = Vec::new();
    for (number, bytes) in segments.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, bytes).unwrap();
        files.push(path);
    }
    of(files, |_| {})
}

fn of(
    files: Vec<PathBuf>,
    change: impl FnOnce(&mut Options),
) -> anyhow::Result<(Vec<Verdict>, String)> {
    let mut options = Options {
        files,
        ..Options::default()
    };
    change(&mut options);
    let mut out = Vec::new();
    let verdicts = replay(&options, &mut out)?;
    Ok((verdicts, String::from_utf8(out).unwrap()))
}

fn only(verdicts: &[Verdict]) -> &Verdict {
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    &verdicts[0]
}

#[test]
fn a_whole_recording_is_the_same_to_the_end() {
    let mut node = Recorded::new(1);
    node.wake(20);
    let mark = node.mark();
    node.write(&Item::Mark(mark));
    node.wake(20);
    let state = node.peer.fingerprint();
    let (verdicts, out) = replayed(&[&node.end()]).unwrap();
    assert_eq!(only(&verdicts).end, End::Stopped(state));
    assert_eq!((verdicts[0].inputs, verdicts[0].marks), (40, 2));
    assert!(out.contains("wakes: Stabilise("), "{out}");
}

#[test]
fn segments_go_on_where_the_one_before_ended_in_whatever_order_they_are_given() {
    let mut node = Recorded::new(1);
    node.wake(10);
    let first = node.rotate(0);
    node.wake(10);
    let second = node.rotate(0);
    node.wake(10);
    let third = node.end();
    let (verdicts, out) = replayed(&[&third, &first, &second]).unwrap();
    assert!(matches!(only(&verdicts).end, End::Stopped(_)), "{out}");
    assert_eq!(verdicts[0].inputs, 30);

    let (verdicts, _) = replayed(&[&third, &second]).unwrap();
    assert!(only(&verdicts).is_same());
    assert_eq!((verdicts[0].inputs, verdicts[0].missing), (20, 1));

    let (verdicts, out) = replayed(&[&third, &first]).unwrap();
    assert!(only(&verdicts).is_same(), "{out}");
    assert_eq!(verdicts[0].missing, 1);
}

#[test]
fn what_was_not_recorded_is_said_and_passed_over() {
    let mut node = Recorded::new(1);
    node.wake(10);
    node.now = node.now + Duration::from_secs(9);
    node.wake_unrecorded();
    let first = node.rotate(1);
    node.wake(10);
    let (verdicts, out) = replayed(&[&first, &node.end()]).unwrap();
    assert!(only(&verdicts).is_same(), "{out}");
    assert_eq!(verdicts[0].lost, 1);
    assert!(out.contains("1 inputs were not recorded"), "{out}");
}

#[test]
fn another_decision_or_state_is_noticed() {
    let mut node = Recorded::new(1);
    node.wake(10);
    // Something that the recording does not know of.
    node.now = node.now + Duration::from_secs(9);
    node.wake_unrecorded();
    let (verdicts, out) = replayed(&[&node.end()]).unwrap();
    assert!(!only(&verdicts).is_same());
    assert!(out.contains("DIVERGED after input 10"), "{out}");
}

#[test]
fn a_recording_cut_anywhere_is_replayed_up_to_there() {
    let mut node = Recorded::new(1);
    node.wake(12);
    let whole = node.end();
    let mut seen = 0;
    for end in 0..whole.len() {
        let Ok((verdicts, _)) = replayed(&[&whole[..end]]) else {
            // Nothing can be said before it is known whose it is.
            assert_eq!(seen, 0, "cut at {end}");
            continue;
        };
        assert!(matches!(only(&verdicts).end, End::Open(_)), "cut at {end}");
        assert!(verdicts[0].inputs >= seen);
        seen = verdicts[0].inputs;
    }
    assert_eq!(seen, 12);
}

#[test]
fn changed_bytes_are_told_and_do_no_harm() {
    let mut node = Recorded::new(1);
    node.wake(12);
    let whole = node.end();
    let mut dice = Dice::new(1, "damage");
    for _ in 0..300 {
        let mut bytes = whole.clone();
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
        match replayed(&[&bytes]) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok((verdicts, out)) => {
                let verdict = only(&verdicts);
                // A length that became longer reads as a cut.
                let told = matches!(verdict.end, End::Unreadable { .. } | End::Open(_));
                assert!(told && verdict.inputs < 13, "{out}");
            }
        }
    }
}

#[test]
fn something_else_is_refused_with_its_name() {
    for other in [&b""[..], b"#!/bin/sh\n", MAGIC] {
        let error = replayed(&[other]).unwrap_err().to_string();
        assert!(error.contains("/0"), "{error}");
    }
    let error = of(vec![PathBuf::from("/nowhere/at/all")], |_| {}).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn several_nodes_are_shown_in_order_of_time_and_a_part_on_demand() {
    let folder = TempDir::new().unwrap();
    let files: Vec<PathBuf> = (1..=2)
        .map(|number| {
            let mut node = Recorded::new(number);
            node.wake(20);
            let path = folder.path().join(number.to_string());
            fs::write(&path, node.end()).unwrap();
            path
        })
        .collect();
    let (verdicts, out) = of(files.clone(), |_| {}).unwrap();
    assert_eq!(verdicts.len(), 2);
    assert!(
        out.starts_with("began at 2026-11-22T21:45:18.757Z\n"),
        "{out}"
    );
    let times: Vec<f64> = out
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(times.len() > 40 && times.is_sorted(), "{out}");

    let (_, part) = of(files.clone(), |options| {
        options.from = Some(Duration::from_secs(2));
        options.to = Some(Duration::from_secs(4));
    })
    .unwrap();
    assert!(part.lines().count() < out.lines().count() / 2);

    let (verdicts, quiet) = of(files.clone(), |options| {
        options.show = Show::Verdicts;
        options.nodes = vec!["127.0.0.1:5002".to_owned()];
    })
    .unwrap();
    assert_eq!((verdicts.len(), quiet.lines().count()), (1, 1), "{quiet}");

    let nobody = of(files, |options| options.nodes = vec!["ff".to_owned()]);
    assert!(nobody.is_err());
}

#[test]
fn moments_are_written_as_people_write_them() {
    let moment = |ms| Moment::new(ms, Duration::ZERO).to_string();
    assert_eq!(moment(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(moment(951_782_399_999), "2000-02-28T23:59:59.999Z");
    assert_eq!(moment(951_782_400_000), "2000-02-29T00:00:00.000Z");
    assert_eq!(moment(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
}
