//! A second peer beside a node's: it hears of everything through a recording, and now and then
//! goes on from a snapshot of the first. Whatever happens to a simulated node, a replay of it would
//! have come to the same.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::recording::{
    Begin, Decisions, FORMAT, Frames, Item, MAGIC, Mark, Start, Step, Told, Twin, encode,
};
use chordal_proto::{Config, Effect, Input, Peer, Time};

/// States are compared after so many inputs, and the twin goes on from a snapshot after so many.
const COMPARED_EVERY: u32 = 16;
const REBORN_EVERY: u32 = 48;

/// A peer's second self.
#[derive(Debug)]
pub(crate) struct Shadow {
    twin: Twin,
    decided: Decisions,
    inputs: u32,
}

impl Shadow {
    /// Beside a peer that begins so.
    pub(crate) fn new(config: Config, now: Time) -> Result<Self, String> {
        Ok(Self {
            twin: twin(now, Start::Life(Box::new(config)))?,
            decided: Decisions::default(),
            inputs: 0,
        })
    }

    /// The peer is about to be told this.
    pub(crate) fn follow(&mut self, at: Time, input: Input) -> Result<(), String> {
        let step = Step {
            at,
            decided: self.decided,
            told: Told::from(input),
        };
        let Item::Step(step) = written_and_read(&Item::Step(step))? else {
            return Err("a step is read as something else".to_owned());
        };
        self.inputs += 1;
        let told = self.twin.step(step);
        told.map(drop).map_err(|how| how.to_string())
    }

    /// The peer decided this.
    pub(crate) fn note(&mut self, effect: &Effect) {
        self.decided.note(effect);
    }

    /// The peer came to rest.
    pub(crate) fn compare(&mut self, at: Time, peer: &Peer) -> Result<(), String> {
        if self.inputs.is_multiple_of(COMPARED_EVERY) {
            let mark = Mark {
                at,
                decided: self.decided,
                state: peer.fingerprint(),
            };
            self.twin.check(&mark).map_err(|how| how.to_string())?;
        }
        if self.inputs.is_multiple_of(REBORN_EVERY) {
            let snapshot = Bytes::from(peer.snapshot());
            self.twin = twin(at, Start::State(snapshot, self.decided))?;
        }
        Ok(())
    }
}

fn twin(at: Time, start: Start) -> Result<Twin, String> {
    let begin = Begin {
        format: FORMAT,
        program: String::new(),
        node: NodeId::new([0; 32]),
        addr: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        life: 0,
        segment: 0,
        clock_began_ms: 0,
        lost: 0,
        at,
        start,
    };
    let Item::Begin(begin) = written_and_read(&Item::Begin(Box::new(begin)))? else {
        return Err("a beginning is read as something else".to_owned());
    };
    let born = Twin::new(&begin);
    born.map(|(twin, _)| twin)
        .map_err(|error| error.to_string())
}

fn written_and_read(item: &Item) -> Result<Item, String> {
    let bytes = [MAGIC.as_slice(), &encode(item)].concat();
    let mut frames = Frames::new(&bytes).map_err(|damage| damage.to_string())?;
    match frames.next() {
        Some(Ok(item)) => Ok(item),
        Some(Err(damage)) => Err(damage.to_string()),
        None => Err("nothing was written".to_owned()),
    }
}
