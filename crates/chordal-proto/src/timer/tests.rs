//! Wake-ups against a plain model, few and many.

use std::collections::BTreeMap;

use super::{Reason, Timers};
use crate::request::RequestId;
use crate::rng::Rng;
use crate::time::Time;

#[test]
fn wake_ups_come_in_order_however_many_there_are() {
    let mut rng = Rng::new(3);
    let mut timers = Timers::default();
    let mut model: BTreeMap<Reason, Time> = BTreeMap::new();
    for step in 0..4000_u64 {
        // The number of reasons swells and shrinks over the bound between list and maps.
        let reasons = if (step / 400).is_multiple_of(2) {
            60
        } else {
            6
        };
        let reason = Reason::RequestOver(RequestId(rng.below(reasons) as u64));
        let at = Time::from_nanos(rng.below(50) as u64);
        match rng.below(4) {
            0 => {
                timers.set(at, reason);
                model.insert(reason, at);
            }
            1 => {
                timers.at_latest(at, reason);
                let earlier = model.get(&reason).is_none_or(|&other| at < other);
                if earlier {
                    model.insert(reason, at);
                }
            }
            2 => {
                timers.cancel(reason);
                model.remove(&reason);
            }
            _ => {
                let first = model.iter().map(|(&reason, &at)| (at, reason)).min();
                let due = first.filter(|&(time, _)| time <= at);
                assert_eq!(timers.pop_due(at), due.map(|(_, reason)| reason));
                if let Some((_, reason)) = due {
                    model.remove(&reason);
                }
            }
        }
        let first = model.iter().map(|(&reason, &at)| (at, reason)).min();
        assert_eq!(timers.first(), first);
    }
}
