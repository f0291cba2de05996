//! Steps of a replay in words.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::iter;

use chordal_object::NodeId;
use chordal_proto::Effect;
use chordal_proto::codec;
use chordal_proto::effect::DiskOp;
use chordal_proto::input::Damaged;
use chordal_proto::recording::Told;

use super::life::{Event, Life};

/// The most characters of a value shown on a line.
const VALUE_CHARS_MAX: usize = 240;

/// What nodes are called: A, B, C for those that were recorded, else the head of their id.
#[derive(Debug)]
pub(super) struct Words {
    names: BTreeMap<NodeId, String>,
    /// The same by the head of the id, as ids stand in values.
    shown: BTreeMap<String, String>,
}

impl Words {
    pub(super) fn new(lives: &[Life<'_>]) -> Self {
        let mut names = BTreeMap::new();
        for life in lives {
            let number = names.len();
            names
                .entry(life.begin().node)
                .or_insert_with(|| letters(number));
        }
        let shown = names
            .iter()
            .map(|(node, name)| (node.short(), name.clone()));
        Self {
            shown: shown.collect(),
            names,
        }
    }

    pub(super) fn name(&self, node: NodeId) -> String {
        let known = self.names.get(&node).cloned();
        known.unwrap_or_else(|| node.short())
    }

    /// What happened, and what came of it.
    pub(super) fn event(&self, event: &Event) -> Vec<String> {
        match event {
            Event::Began { is_birth, effects } => {
                let first = if *is_birth {
                    "begins its life"
                } else {
                    "goes on from a recorded state"
                };
                self.with_effects(first.to_owned(), effects)
            }
            Event::Told {
                told,
                due,
                effects,
                successors,
            } => {
                let first = match (told, due) {
                    (Told::Tick, Some(reason)) => format!("wakes: {reason:?}"),
                    (told, _) => self.told(told),
                };
                let mut lines = self.with_effects(first, effects);
                lines.extend(successors.iter().map(|(token, list)| {
                    let list: Vec<String> = list
                        .iter()
                        .map(|next| format!("{}@{}", self.name(next.node), next.key))
                        .collect();
                    self.short(&format!("= successors of {token}: {}", list.join(" ")))
                }));
                lines
            }
            Event::Same(state) => vec![format!("is in the recorded state {state}")],
            Event::Continued(segment) => vec![format!("goes on in segment {segment}")],
            Event::Skipped(lost) => vec![format!(
                "goes on from a recorded state: {lost} inputs or whole segments are missing"
            )],
            Event::Ended(end) => vec![format!("ends: {end}")],
        }
    }

    fn told(&self, told: &Told) -> String {
        let line = match told {
            Told::Tick => "wakes".to_owned(),
            Told::Message { from, envelope, .. } => {
                let (from, request) = (self.name(*from), number(envelope.request));
                format!("<- {from}{request} {:?}", envelope.message)
            }
            Told::Malformed { from, reason, .. } => {
                format!("<- {} something unreadable: {reason}", self.name(*from))
            }
            Told::Disconnected(node) => format!("lost the connection to {}", self.name(*node)),
            Told::Unreachable { addr, node, reason } => {
                let whom = node.map_or_else(|| addr.to_string(), |node| self.name(node));
                format!("cannot reach {whom}: {reason}")
            }
            Told::Command { operation, command } => {
                format!("command {}: {command:?}", operation.0)
            }
            Told::Expelled(nodes) => {
                let names = nodes.iter().map(|&node| self.name(node));
                format!("expelled: {}", names.collect::<Vec<_>>().join(", "))
            }
            Told::Damaged(Damaged::Chunk(chunk)) => format!("the copy of chunk {chunk} was bad"),
            Told::Damaged(Damaged::Record(name)) => format!("the copy of {name}'s record was bad"),
            Told::Cancel(operation) => format!("command {} is withdrawn", operation.0),
            Told::Completion { effect, completion } => {
                format!("effect {} ended: {completion:?}", effect.0)
            }
        };
        self.short(&line)
    }

    fn with_effects(&self, first: String, effects: &[Effect]) -> Vec<String> {
        let mut lines = vec![first];
        lines.extend(effects.iter().map(|effect| self.effect(effect)));
        lines
    }

    fn effect(&self, effect: &Effect) -> String {
        let line = match effect {
            Effect::Send { to, bytes } => {
                let whom = to
                    .node
                    .map_or_else(|| to.addr.to_string(), |node| self.name(node));
                match codec::decode(bytes.clone()) {
                    Ok(envelope) => {
                        let request = number(envelope.request);
                        format!("-> {whom}{request} {:?}", envelope.message)
                    }
                    Err(error) => format!("-> {whom} {} bytes: {error}", bytes.len()),
                }
            }
            Effect::Transfer { effect, transfer } => {
                format!("effect {}: {}", effect.0, debug(transfer))
            }
            Effect::Disk {
                effect,
                op: DiskOp::SaveMembers(bytes),
            } => format!("effect {}: SaveMembers({} bytes)", effect.0, bytes.len()),
            Effect::Disk { effect, op } => format!("effect {}: {}", effect.0, debug(op)),
            Effect::Reply { operation, answer } => match answer {
                Ok(answer) => format!("command {} done: {}", operation.0, debug(answer)),
                Err(failure) => format!("command {} failed: {}", operation.0, debug(failure)),
            },
            Effect::Notice(notice) => format!("! {}", debug(notice)),
        };
        self.short(&line)
    }

    /// The line with names for nodes and only the heads of keys, or its beginning with how much is
    /// left out.
    fn short(&self, line: &str) -> String {
        let mut short = String::with_capacity(line.len().min(VALUE_CHARS_MAX * 4));
        let mut chars = 0;
        let mut left = 0;
        for word in words(line) {
            let is_digits = word.bytes().all(|letter| letter.is_ascii_hexdigit());
            let named = self.shown.get(word).map_or(word, String::as_str);
            let is_key = is_digits && named.len() >= 32;
            let shown = if is_key { named.get(..DIGITS) } else { None }.unwrap_or(named);
            let count = shown.chars().count();
            if left > 0 || chars + count > VALUE_CHARS_MAX {
                left += count;
                continue;
            }
            chars += count;
            short.push_str(shown);
            if is_key {
                short.push('…');
            }
        }
        if left > 0 {
            short = format!("{short}… ({left} more)");
        }
        short
    }
}

fn number(request: u64) -> String {
    if request == 0 {
        String::new()
    } else {
        format!(" #{request}")
    }
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// How many hexadecimal digits are shown of a key or a hash.
const DIGITS: usize = 8;

/// What a line is cut into: words of letters and digits, and what lies between them.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    iter::from_fn(move || {
        let is_word = |letter: char| letter.is_ascii_alphanumeric();
        let kind = is_word(rest.chars().next()?);
        let end = rest.find(|letter| is_word(letter) != kind);
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(word)
    })
}

/// A, B … Z, AA, AB …
fn letters(number: usize) -> String {
    let last = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    match number / 26 {
        0 => last.to_string(),
        rest => format!("{}{last}", letters(rest - 1)),
    }
}
