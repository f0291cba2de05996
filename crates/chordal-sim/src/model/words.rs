//! Moves and worlds in words. Seats are lettered in their order on the ring.

use super::moves::Move;
use super::world::{Asking, Id, Ids, Stand, World, bit, token};

/// The world to begin with.
pub(crate) fn start(world: &World) -> String {
    format!("to begin with: {}", members(world))
}

/// A move and what it made.
pub(crate) fn line(by: Move, world: &World) -> String {
    format!("{}: {}", deed(by), members(world))
}

/// A flaw with letters for tokens.
pub(crate) fn lettered(flaw: &str) -> String {
    (0..6).fold(flaw.to_owned(), |flaw, id| {
        let token = token(id);
        let long = format!("token {} of node {}", token.key, token.node.short());
        flaw.replace(&long, &letter(id))
    })
}

fn letter(id: Id) -> String {
    char::from(b'A' + id).to_string()
}

fn letters(ids: impl Iterator<Item = Id>) -> String {
    ids.map(letter).collect::<Vec<_>>().join(" ")
}

fn deed(by: Move) -> String {
    let while_silent = |silent: Ids| {
        let known = letters((0..6).filter(|&id| silent & bit(id) != 0));
        if known.is_empty() {
            String::new()
        } else {
            format!(", holding {known} for dead")
        }
    };
    match by {
        Move::Stabilise { id, silent } => {
            format!("{} begins a round{}", letter(id), while_silent(silent))
        }
        Move::Answer { id, of } => format!("{} answers {}", letter(of), letter(id)),
        Move::Hear {
            id,
            of,
            silent,
            offer,
        } => {
            let offered = offer.map_or(String::new(), |offer| {
                format!(" and of {} from the table", letter(offer))
            });
            let silent = while_silent(silent);
            format!("{} hears from {}{offered}{silent}", letter(id), letter(of))
        }
        Move::Lose { id, of } => {
            format!(
                "a message between {} and {} is lost",
                letter(id),
                letter(of)
            )
        }
        Move::Refuse { id, of } => {
            format!(
                "{} says to {} that it is not on the ring",
                letter(of),
                letter(id)
            )
        }
        Move::Seek { id, of } => {
            format!("{} answers {}, which wants to join", letter(of), letter(id))
        }
        Move::Join { id, of, silent } => {
            let silent = while_silent(silent);
            format!("{} joins behind {}{silent}", letter(id), letter(of))
        }
        Move::Notified { id, of, silent } => {
            let silent = while_silent(silent);
            format!("{} is notified of {}{silent}", letter(id), letter(of))
        }
        Move::Die { id } => format!("{} dies", letter(id)),
        Move::Believed { id, by } => {
            format!("{} has heard of {}'s return", letter(by), letter(id))
        }
    }
}

fn members(world: &World) -> String {
    let mut words = Vec::new();
    for id in world.ids() {
        let seat = world.seat(id);
        if seat.stand != Stand::On {
            continue;
        }
        let listed = if seat.list == bit(id) {
            letter(id)
        } else {
            letters(world.after(id).filter(|&other| seat.list & bit(other) != 0))
        };
        let mut word = format!("{}→{listed}", letter(id));
        if seat.predecessor != id {
            word = format!("{word} (before it {})", letter(seat.predecessor));
        }
        if let Asking::Successor(of) | Asking::Candidate(of, _) = seat.asking {
            word = format!("{word} (asks {})", letter(of));
        }
        words.push(word);
    }
    words.join(", ")
}
