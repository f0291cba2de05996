//! A second peer beside each one, that hears of everything through a recording and now and then
//! goes on from a snapshot of itself: whatever any test does, a replay would come to the same.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::recording::{
    Begin, Decisions, FORMAT, Frames, Item, MAGIC, Mark, Start, Step, Told, Twin, encode,
};
use chordal_proto::{Config, Effect, Input, Peer, Time};

/// A peer's second self.
pub(crate) struct Shadow {
    twin: Twin,
    decided: Decisions,
    inputs: u32,
}

/// How often states are compared, and how often the twin goes on from a snapshot.
const COMPARED_EVERY: u32 = 64;
const REBORN_EVERY: u32 = 256;

impl Shadow {
    pub(crate) fn new(config: &Config, now: Time) -> Self {
        Self {
            twin: begin(now, Start::Life(Box::new(config.clone()))),
            decided: Decisions::default(),
            inputs: 0,
        }
    }

    /// The peer is about to be told this.
    pub(crate) fn follow(&mut self, at: Time, input: Input) {
        // The effects of its birth are taken with those of its first input.
        if self.inputs > 0 {
            assert_eq!(self.decided, self.twin.decided());
        }
        let step = Step {
            at,
            decided: self.twin.decided(),
            told: Told::from(input),
        };
        let Item::Step(step) = written_and_read(&Item::Step(step)) else {
            panic!("a step is read as a step");
        };
        self.twin.step(step).unwrap();
        self.inputs += 1;
    }

    /// The peer decided this.
    pub(crate) fn note(&mut self, effect: &Effect) {
        self.decided.note(effect);
    }

    /// The peer came to rest.
    pub(crate) fn compare(&mut self, at: Time, peer: &Peer) {
        if self.inputs.is_multiple_of(COMPARED_EVERY) {
            let mark = Mark {
                at,
                decided: self.decided,
                state: peer.fingerprint(),
            };
            self.twin.check(&mark).unwrap();
        }
        if self.inputs.is_multiple_of(REBORN_EVERY) {
            let snapshot = Bytes::from(peer.snapshot());
            self.twin = begin(at, Start::State(snapshot, self.decided));
        }
    }
}

fn begin(at: Time, start: Start) -> Twin {
    let begin = Begin {
        format: FORMAT,
        program: "test".to_owned(),
        node: NodeId::new([0; 32]),
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        life: 0,
        segment: 0,
        clock_began_ms: 0,
        lost: 0,
        at,
        start,
    };
    let Item::Begin(begin) = written_and_read(&Item::Begin(Box::new(begin))) else {
        panic!("a beginning is read as one");
    };
    Twin::new(&begin).unwrap().0
}

fn written_and_read(item: &Item) -> Item {
    let bytes = [MAGIC.as_slice(), &encode(item)].concat();
    Frames::new(&bytes).unwrap().next().unwrap().unwrap()
}
