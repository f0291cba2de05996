//! Workers share jobs without a leader: whoever owns a job's key does it. Three peers in one
//! process, messages passed by hand, a clock made up; then one of them dies. Nothing is stored.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::{BTreeMap, VecDeque};
use std::{net::SocketAddr, time::Duration};

use chordal_object::{Bits, NodeId};
use chordal_proto::effect::{Answer, Effect};
use chordal_proto::input::{Command, Completion, DiskError, Input, OperationId};
use chordal_proto::{Config, Peer, Settings, Time, Timing};

type Peers = BTreeMap<SocketAddr, Peer>;
fn id(addr: SocketAddr) -> NodeId {
    NodeId::new([addr.port().to_be_bytes()[1]; 32])
}
/// Gives a peer a command and does what peers want done for half a minute.
fn run(peers: &mut Peers, now: &mut Time, at: SocketAddr, command: Command) -> Option<Answer> {
    let (mut answered, operation) = (None, OperationId(now.as_nanos()));
    let mut queue = VecDeque::from([(at, Input::Command { operation, command })]);
    for _ in 0..300 {
        while let Some((addr, input)) = queue.pop_front() {
            let (from, peer) = (id(addr), peers.get_mut(&addr).expect("it lives"));
            peer.handle(*now, input);
            while let Some(effect) = peers.get_mut(&addr).and_then(Peer::poll) {
                if let Effect::Send { to, bytes } = effect {
                    let lives = peers.contains_key(&to.addr); // What is sent to the dead is lost.
                    queue.extend(lives.then_some((to.addr, Input::Message { from, addr, bytes })));
                } else if let Effect::Disk { effect, .. } = effect {
                    let completion = Completion::Disk(Err(DiskError::Failed)); // There is none.
                    queue.push_back((addr, Input::Completion { effect, completion }));
                } else if let Effect::Reply { answer, .. } = effect {
                    answered = answer.ok();
                }
            }
        }
        *now = *now + Duration::from_millis(100);
        let due = |(_, peer): &(_, &Peer)| peer.deadline().is_some_and(|(at, _)| at <= *now);
        let due = peers.iter().filter(due);
        queue.extend(due.map(|(&addr, _)| (addr, Input::Tick)));
    }
    answered
}
fn main() {
    let (mut peers, mut now) = (Peers::new(), Time::from_nanos(0));
    let [a, b, c] = [1, 2, 3].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    for addr in [a, b, c] {
        #[rustfmt::skip] // With no table of all nodes there are fingers only, as in the papers.
        let config = Config { settings: Settings::default(), timing: Timing::default(), node: id(addr), addr,
            incarnation: 1, offered_bytes: 1, tokens: 8, table_nodes: 0, remembered: None, seed: 7 };
        peers.insert(addr, Peer::new(config, now));
        run(&mut peers, &mut now, addr, Command::Join(vec![a]));
    }
    for dead in [None, Some(c)] {
        peers.retain(|&addr, _| Some(addr) != dead);
        for (at, job) in [(a, "report"), (a, "index"), (b, "index"), (b, "report")] {
            let (living, key) = (peers.len(), Bits::MAX.classic_key(job));
            if let Some(Answer::Found(it)) = run(&mut peers, &mut now, at, Command::LookUp(key)) {
                let owner = it.owner.map(|token| token.node);
                println!("{living} live: {at} says that {owner:?} does {job}");
            }
        }
    }
}
