//! Nodes that come and go while lookups run: what several figures stand on.

use std::time::Duration;

use anyhow::Result;
use chordal_proto::Time;

use super::field::{Field, Seen, told};
use super::sample::count;
use crate::dice::Dice;
use crate::ring_world::{Spread, Stop};

/// How nodes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// All with notice.
    Leave,
    /// All without a word.
    Crash,
    /// One half each.
    Both,
}

/// Who comes and goes, and what is asked meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Churn {
    /// Mean pause between two who come, exponential.
    pub(super) come_every: Duration,
    /// When each goes.
    pub(super) leave: Departures,
    /// How they go.
    pub(super) going: Going,
    /// Mean pause between two lookups, or groups of lookups, exponential.
    pub(super) look_up_every: Duration,
    /// Lookups of one key from different nodes at once.
    pub(super) group: usize,
    /// How many groups.
    pub(super) groups: usize,
}

/// When nodes go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Departures {
    /// Any one of them, after exponential pauses of this mean.
    Every(Duration),
    /// Each after a session of its own of this mean, Weibull of shape 0.5: most are short. Those
    /// that stand at the beginning are in the middle of theirs.
    Sessions(Duration),
}

/// What was seen.
#[derive(Debug)]
pub(super) struct Churned {
    pub(super) seen: Vec<Seen>,
    /// Nodes that came and that went.
    pub(super) came: u32,
    pub(super) went: u32,
    pub(super) lasted: Duration,
}

/// Things to come, each with its time.
struct Ahead {
    come: Time,
    go: Time,
    look_up: Time,
    /// Who goes when, with sessions.
    sessions: Vec<(Time, usize)>,
}

/// Lets nodes come and go until all lookups have been begun, and waits for the last ones.
pub(super) fn churn(field: &mut Field, churn: Churn) -> Result<Churned> {
    let began = field.world.now();
    let mut ahead = ahead(field, churn);
    let mut churned = Churned {
        seen: Vec::new(),
        came: 0,
        went: 0,
        lasted: Duration::ZERO,
    };
    let mut group = 0_u64;
    while count(usize::try_from(group).unwrap_or(usize::MAX)) < count(churn.groups) {
        let session = ahead.sessions.iter().map(|&(at, _)| at).min();
        let go = session.unwrap_or(ahead.go);
        let next = ahead.come.min(go).min(ahead.look_up);
        field.run_until(next)?;
        churned.seen.extend(field.seen());
        if next == ahead.look_up {
            look_up(field, churn.group, group)?;
            group += 1;
            ahead.look_up = next + field.dice.exponential(churn.look_up_every);
        } else if next == ahead.come {
            let number = field.world.add_machine();
            told(field.world.join(number))?;
            churned.came += 1;
            ahead.come = next + field.dice.exponential(churn.come_every);
            if let Departures::Sessions(mean) = churn.leave {
                let session = Spread::Weibull(mean).draw(&mut field.dice);
                ahead.sessions.push((next + session, number));
            }
        } else {
            let who = if let Departures::Every(mean) = churn.leave {
                ahead.go = next + field.dice.exponential(mean);
                let serving = field.serving();
                field.dice.pick(&serving).copied()
            } else {
                let place = ahead.sessions.iter().position(|&(at, _)| at == go);
                place.map(|place| ahead.sessions.swap_remove(place).1)
            };
            if let Some(who) = who {
                go_away(field, who, churn.going)?;
                churned.went += 1;
            }
        }
    }
    churned.lasted = field.world.now().since(began);
    for _ in 0..60 {
        told(field.world.run_for(Duration::from_secs(1)))?;
        churned.seen.extend(field.seen());
    }
    churned.seen.extend(field.never_ended());
    Ok(churned)
}

fn ahead(field: &mut Field, churn: Churn) -> Ahead {
    let now = field.world.now();
    let come = now + field.dice.exponential(churn.come_every);
    let look_up = now + field.dice.exponential(churn.look_up_every);
    let (go, sessions) = match churn.leave {
        Departures::Every(mean) => (now + field.dice.exponential(mean), Vec::new()),
        Departures::Sessions(mean) => {
            let serving = field.serving();
            let sessions = serving
                .into_iter()
                .map(|number| (now + rest_of_session(&mut field.dice, mean), number))
                .collect();
            (now, sessions)
        }
    };
    Ahead {
        come,
        go,
        look_up,
        sessions,
    }
}

/// What is left of a session that one falls into, of Weibull sessions of shape 0.5: long ones are
/// fallen into more often, so that its length is that of the square of three exponentials' sum.
fn rest_of_session(dice: &mut Dice, mean: Duration) -> Duration {
    let unit = Duration::from_millis(1);
    let sum = (0..3)
        .map(|_| dice.exponential(unit).as_nanos())
        .sum::<u128>();
    let square = sum * sum / unit.as_nanos();
    let nanos = mean.as_nanos() / 2 * square / unit.as_nanos();
    let session = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    dice.time(Duration::ZERO, session)
}

fn look_up(field: &mut Field, times: usize, group: u64) -> Result<()> {
    let serving = field.serving();
    let key = field.any_key();
    for _ in 0..times {
        if let Some(&from) = field.dice.pick(&serving) {
            field.ask(from, key, group)?;
        }
    }
    Ok(())
}

fn go_away(field: &mut Field, who: usize, going: Going) -> Result<()> {
    let leaves = match going {
        Going::Leave => true,
        Going::Crash => false,
        Going::Both => field.dice.chance(0.5),
    };
    if leaves && field.world.machines()[who].serves() {
        told(field.world.leave(who, true))
    } else {
        field.world.crash(who, Stop::Machine);
        Ok(())
    }
}
