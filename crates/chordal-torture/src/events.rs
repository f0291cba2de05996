//! Does to machines what the plan says, one event after the other, and waits until the ring is
//! healed before the next one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::Signal;

use crate::fleet::Fleet;
use crate::healing::Healing;
use crate::http::Api;
use crate::judge::{Broken, Judge};
use crate::limits::{HEAL_PATIENCE, LEAVE_PATIENCE, LOOK_EVERY, REQUEST_PATIENCE, START_TRIES};
use crate::machine::Machine;
use crate::options::Options;
use crate::plan::{Event, Plan};

/// The machines, and what is done to them.
#[derive(Debug)]
pub(crate) struct Events {
    options: Options,
    plan: Plan,
    fleet: Arc<Fleet>,
    judge: Arc<Judge>,
    healing: Healing,
    machines: Vec<Machine>,
    numbers: usize,
    /// How often each kind of event happened.
    pub(crate) counts: BTreeMap<&'static str, u32>,
    /// How long the ring took each time to be right again.
    pub(crate) healed: Vec<Duration>,
}

impl Events {
    /// Before the first machine.
    pub(crate) fn new(options: &Options, fleet: Arc<Fleet>, judge: Arc<Judge>) -> Self {
        Self {
            options: options.clone(),
            plan: Plan::new(options.seed, usize::from(options.nodes), options.down),
            fleet,
            judge,
            healing: Healing::default(),
            machines: Vec::new(),
            numbers: 0,
            counts: BTreeMap::new(),
            healed: Vec::new(),
        }
    }

    /// Founds the ring.
    pub(crate) fn found(&mut self) -> Result<()> {
        for _ in 0..self.options.nodes {
            self.add()?;
        }
        let took = self.heal().map_err(|wrong| anyhow!("no ring: {wrong}"))?;
        self.judge.event(&format!(
            "{} machines are one ring after {took:.1?}",
            self.machines.len()
        ));
        Ok(())
    }

    /// Goes on until the time is over, or a promise about the ring itself is broken.
    pub(crate) fn torment(&mut self) {
        let until = Instant::now() + self.options.time();
        let pace = Duration::from_secs(self.options.every);
        let mut number = 0;
        while Instant::now() < until && self.options.events.is_none_or(|most| number < most) {
            let next = (Instant::now() + pace).min(until);
            if let Some(event) = self.plan.next(self.machines.len()) {
                number += 1;
                if let Err(error) = self.carry_out(event) {
                    let what = format!("{event:?}: {error:#}");
                    self.judge.broken(Broken::Died, None, &what);
                    return;
                }
                match self.heal() {
                    Ok(took) => {
                        self.healed.push(took);
                        let waited = self.judge.longest_since();
                        self.judge
                            .event(&format!("healed after {took:.1?}, {waited}"));
                    }
                    Err(wrong) => {
                        let what = format!("the ring does not heal: {wrong}");
                        self.judge.broken(Broken::Unhealed, None, &what);
                        return;
                    }
                }
            }
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Waits until the ring is right.
    pub(crate) fn heal(&mut self) -> Result<Duration, String> {
        for machine in &mut self.machines {
            if machine.has_died() {
                return Err(format!("machine {} has ended by itself", machine.number));
            }
        }
        let patience = HEAL_PATIENCE + self.options.grace().min(HEAL_PATIENCE);
        self.healing.wait(&self.fleet, patience)
    }

    /// Switches all machines off.
    pub(crate) fn end(&mut self) {
        self.machines.clear();
    }

    fn carry_out(&mut self, event: Event) -> Result<()> {
        let victim = self.plan.dice().below(self.machines.len());
        let kind = match event {
            Event::Crash(away) => {
                self.switch_off(victim, "is killed");
                self.machines[victim].kill();
                self.return_after(victim, away, &[])?;
                "killed"
            }
            Event::Freeze(away) => {
                self.switch_off(victim, "stands still");
                self.machines[victim].signal(Signal::STOP)?;
                std::thread::sleep(away);
                self.machines[victim].signal(Signal::CONT)?;
                self.open(victim, away)?;
                self.fleet.one_back();
                "frozen"
            }
            Event::Pause(away) => {
                self.switch_off(victim, "is ended in order");
                self.machines[victim].signal(Signal::TERM)?;
                self.ended_in_order(victim)?;
                self.return_after(victim, away, &[])?;
                "paused"
            }
            Event::Wipe(away) => {
                self.switch_off(victim, "is killed and wiped");
                self.machines[victim].wipe(&self.fleet.program)?;
                let join = self.somebody()?;
                self.return_after(victim, away, &join)?;
                "wiped"
            }
            Event::Death => {
                self.switch_off(victim, "is killed for good");
                let mut machine = self.machines.swap_remove(victim);
                machine.wipe(&self.fleet.program)?;
                self.fleet.one_back();
                "dead"
            }
            Event::Leave => {
                self.leave(victim)?;
                "left"
            }
            Event::Join => {
                self.add()?;
                "joined"
            }
            Event::TwinCrash(away, again) => {
                self.twins(away, again)?;
                "killed in pairs"
            }
        };
        *self.counts.entry(kind).or_default() += 1;
        Ok(())
    }

    /// Kills two holders of the newest file at once.
    fn twins(&mut self, away: Duration, again: Duration) -> Result<()> {
        let victims = self.holders_of_newest();
        let Some(&[first, second]) = victims.first_chunk::<2>() else {
            bail!("no two holders of one file: {victims:?}");
        };
        for victim in [first, second] {
            self.switch_off(victim, "is killed, holder of the newest file");
        }
        for victim in [first, second] {
            self.machines[victim].kill();
        }
        self.return_after(first, away, &[])?;
        self.return_after(second, again, &[])
    }

    /// The machines that hold the newest file, in an order by the seed; any where none is known.
    fn holders_of_newest(&mut self) -> Vec<usize> {
        let door = self.fleet.doors().into_iter().next();
        let found = self.judge.newest().zip(door).and_then(|(name, door)| {
            let target = format!("/v1/where?name={name}");
            self.healing.ask(&door, &target).ok()
        });
        let holders = found.as_ref().and_then(|found| found["holders"].as_array());
        let ids = holders
            .into_iter()
            .flatten()
            .filter_map(|holder| holder["node"].as_str());
        let ids: Vec<&str> = ids.collect();
        let holds = |machine: &Machine| {
            let life = machine.life.as_ref();
            life.is_some_and(|life| ids.contains(&life.id.to_string().as_str()))
        };
        let mut victims: Vec<usize> = (0..self.machines.len())
            .filter(|&index| ids.is_empty() || holds(&self.machines[index]))
            .collect();
        for last in (1..victims.len()).rev() {
            victims.swap(last, self.plan.dice().below(last + 1));
        }
        victims
    }

    fn switch_off(&mut self, victim: usize, what: &str) {
        let number = self.machines[victim].number;
        self.fleet.close(number);
        self.fleet.one_down();
        self.judge.event(&format!("machine {number} {what}"));
    }

    fn return_after(&mut self, victim: usize, away: Duration, join: &[SocketAddr]) -> Result<()> {
        std::thread::sleep(away);
        self.start(victim, join)?;
        self.open(victim, away)?;
        self.fleet.one_back();
        Ok(())
    }

    fn open(&mut self, victim: usize, away: Duration) -> Result<()> {
        let machine = &self.machines[victim];
        let life = machine.life.as_ref().context("it is off")?;
        self.fleet.open(machine.number, life);
        self.judge.event(&format!(
            "machine {} runs again after {away:.1?}",
            machine.number
        ));
        Ok(())
    }

    /// Starts a machine; again where another program has taken its port meanwhile.
    fn start(&mut self, victim: usize, join: &[SocketAddr]) -> Result<()> {
        let machine = &mut self.machines[victim];
        let mut tries = 1;
        while let Err(error) = machine.start(&self.fleet.program, join) {
            if tries == START_TRIES {
                return Err(error);
            }
            self.judge.event(&format!("try {tries}: {error:#}"));
            tries += 1;
            std::thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    fn ended_in_order(&mut self, victim: usize) -> Result<()> {
        let machine = &mut self.machines[victim];
        if !machine.wait_end()? {
            bail!("machine {} did not end in order", machine.number);
        }
        Ok(())
    }

    /// Adds a machine to the ring.
    fn add(&mut self) -> Result<()> {
        let join = if self.machines.is_empty() {
            Vec::new()
        } else {
            self.somebody()?
        };
        let number = self.numbers;
        self.numbers += 1;
        self.judge.event(&format!("machine {number} is new"));
        self.machines.push(Machine::new(number));
        let last = self.machines.len() - 1;
        self.start(last, &join)?;
        let life = self.machines[last].life.as_ref().context("it is off")?;
        self.fleet.open(number, life);
        Ok(())
    }

    /// The address of a node that runs.
    fn somebody(&mut self) -> Result<Vec<SocketAddr>> {
        let door = self.fleet.pick(self.plan.dice(), None);
        Ok(vec![door.context("no node runs")?.ring])
    }

    /// Lets a machine hand over and go. It may refuse for as long as it holds the ring for unwell.
    fn leave(&mut self, victim: usize) -> Result<()> {
        let machine = &self.machines[victim];
        let life = machine.life.as_ref().context("it is off")?;
        let number = machine.number;
        self.judge
            .event(&format!("machine {number} is told to leave"));
        self.fleet.close(number);
        let until = Instant::now() + LEAVE_PATIENCE;
        loop {
            let mut api = Api::new(life.http, life.token.clone());
            let body = b"{\"force\":false}";
            let answer = api.ask("POST", "/v1/leave", body, LEAVE_PATIENCE + REQUEST_PATIENCE)?;
            if answer.status == 200 {
                break;
            }
            let why = answer.complaint();
            self.judge
                .event(&format!("machine {number} may not leave yet: {why}"));
            if Instant::now() > until {
                bail!("machine {number} may not leave: {why}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.ended_in_order(victim)?;
        self.machines.swap_remove(victim);
        Ok(())
    }
}
