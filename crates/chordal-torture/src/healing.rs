//! Whether the ring is right again: all machines in it, every pointer right, every copy there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fleet::{Door, Fleet};
use crate::http::Api;
use crate::limits::{LOOK_EVERY, REQUEST_PATIENCE};

/// Looks at rings.
#[derive(Debug, Default)]
pub(crate) struct Healing {
    apis: BTreeMap<u64, Api>,
    turn: usize,
}

impl Healing {
    /// Waits until the ring is healed. How long it took, or what is still wrong after this time.
    pub(crate) fn wait(&mut self, fleet: &Fleet, patience: Duration) -> Result<Duration, String> {
        let begun = Instant::now();
        loop {
            let wrong = match self.look(fleet) {
                Ok(()) => return Ok(begun.elapsed()),
                Err(wrong) => wrong,
            };
            if begun.elapsed() > patience {
                return Err(wrong);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// What is wrong with the ring, as one node after the other sees it.
    fn look(&mut self, fleet: &Fleet) -> Result<(), String> {
        let doors = fleet.doors();
        self.turn += 1;
        let door = &doors[self.turn % doors.len()];
        let status = self.ask(door, "/v1/status")?;
        judge_status(&status, doors.len())?;
        let check = self.ask(door, "/v1/check")?;
        judge_check(&check, doors.len())
    }

    /// The answer of one node.
    pub(crate) fn ask(&mut self, door: &Door, target: &str) -> Result<Value, String> {
        let api = self.apis.entry(door.number).or_insert_with(|| door.api());
        match api.ask("GET", target, b"", REQUEST_PATIENCE) {
            Ok(answer) if answer.status == 200 => Ok(answer.json()),
            Ok(answer) => Err(answer.complaint()),
            Err(error) => {
                self.apis.remove(&door.number);
                Err(format!("machine {}: no answer: {error}", door.machine))
            }
        }
    }
}

fn judge_status(status: &Value, running: usize) -> Result<(), String> {
    let nodes = status["ring"]["nodes"].as_array();
    let states = nodes.into_iter().flatten();
    let members = states.filter(|node| node["state"] != "gone" && node["state"] != "left");
    let (alive, others): (Vec<_>, Vec<_>) = members.partition(|node| node["state"] == "alive");
    if alive.len() != running || !others.is_empty() {
        return Err(format!(
            "{} nodes alive and {} not, instead of {running}",
            alive.len(),
            others.len()
        ));
    }
    if status["ring"]["whole"] != true {
        return Err(format!("not whole: {}", status["ring"]["problems"]));
    }
    if status["repair"]["state"] != "idle" {
        return Err(format!("repair: {}", status["repair"]));
    }
    Ok(())
}

fn judge_check(check: &Value, running: usize) -> Result<(), String> {
    if check["verdict"] == "right" && check["nodes"] == running {
        return Ok(());
    }
    Err(format!(
        "check of {} nodes, {running} run: {} {}",
        check["nodes"], check["verdict"], check["flaws"]
    ))
}
