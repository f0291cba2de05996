//! Clients: each writes through one node, reads through another one at once, and does not give up
//! when it is refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use chordal_object::{Name, Version};
use chordal_sim::dice::Dice;

use crate::fleet::{Door, Fleet};
use crate::http::{Answer, Api};
use crate::judge::{Broken, Judge, Ran, Way};
use crate::limits::{CLIENT_PATIENCE, REFUSED_PAUSE, REQUEST_PATIENCE, SHARED_FOR, SHARED_NAMES};
use crate::options::Options;

/// All clients of a run.
#[derive(Debug)]
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// The space that all names are in.
pub(crate) const SPACE: &str = "torture";

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    dice: Dice,
    fleet: Arc<Fleet>,
    judge: Arc<Judge>,
    apis: BTreeMap<u64, Api>,
}

/// What a client wants of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// To store these bytes.
    Put(&'a [u8]),
    /// To have it deleted.
    Delete,
    /// To read it.
    Get,
}

impl Wish<'_> {
    const fn verb(self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Delete => "delete",
            Self::Get => "get",
        }
    }
}

impl Clients {
    /// Starts so many clients.
    pub(crate) fn start(options: &Options, fleet: &Arc<Fleet>, judge: &Arc<Judge>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let known = Arc::new(Mutex::new(Vec::new()));
        let seed = options.seed;
        let threads = (0..options.clients).map(|number| {
            let dice = Dice::new(seed, &format!("client {number}"));
            let client = Client::new(dice, fleet, judge);
            let (stop, known) = (Arc::clone(&stop), Arc::clone(&known));
            std::thread::spawn(move || {
                let mut worker = Worker {
                    client,
                    number,
                    made: 0,
                    began,
                    known,
                };
                while !stop.load(Ordering::Relaxed) {
                    worker.step();
                }
            })
        });
        let threads = threads.collect();
        Self { stop, threads }
    }

    /// Ends them all; what they have begun they end.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a client does not panic");
        }
    }
}

/// A client that makes up its own work.
#[derive(Debug)]
struct Worker {
    client: Client,
    number: u16,
    made: u64,
    began: Instant,
    /// Names that somebody has written, for everybody.
    known: Arc<Mutex<Vec<Name>>>,
}

impl Worker {
    /// Does one thing, and looks through another node whether it is so.
    fn step(&mut self) {
        let roll = self.client.dice.below(100);
        let name = match roll {
            0..55 => self.new_name(),
            55..75 => self.shared_name(),
            _ => self.known_name().unwrap_or_else(|| self.new_name()),
        };
        let asked = match roll {
            0..72 => {
                let length = length(&mut self.client.dice);
                let content = self.client.dice.bytes(length);
                self.client.pursue(&name, Wish::Put(&content), None)
            }
            72..83 => self.client.pursue(&name, Wish::Delete, None),
            _ => None,
        };
        self.client.pursue(&name, Wish::Get, asked);
        if roll < 55 {
            self.lock().push(name);
        }
    }

    fn new_name(&mut self) -> Name {
        self.made += 1;
        name(&format!("own/{}/{:06}", self.number, self.made))
    }

    fn shared_name(&mut self) -> Name {
        let period = self.began.elapsed().as_secs() / SHARED_FOR.as_secs();
        let number = self.client.dice.below(SHARED_NAMES);
        name(&format!("shared/{period}/{number}"))
    }

    fn known_name(&mut self) -> Option<Name> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.client.dice.pick(&known).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Name>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(path: &str) -> Name {
    Name::new(SPACE, path).expect("a short path of plain letters")
}

/// How long a new file is: mostly short, so that there are many; some in chunks, a few in several.
fn length(dice: &mut Dice) -> usize {
    match dice.below(1000) {
        0..850 => dice.between(1, 4 << 10),
        850..950 => dice.between(4 << 10, 16 << 10),
        950..997 => dice.between(16 << 10, 300 << 10),
        _ => dice.between(1 << 20, 5 << 20),
    }
}

impl Client {
    /// A client of this fleet.
    pub(crate) fn new(dice: Dice, fleet: &Arc<Fleet>, judge: &Arc<Judge>) -> Self {
        Self {
            dice,
            fleet: Arc::clone(fleet),
            judge: Arc::clone(judge),
            apis: BTreeMap::new(),
        }
    }

    /// Asks through any machine but one until it is done, and says through which one it was.
    pub(crate) fn pursue(
        &mut self,
        name: &Name,
        wish: Wish<'_>,
        not: Option<usize>,
    ) -> Option<usize> {
        let mut refused_since: Option<Instant> = None;
        loop {
            let door = self.fleet.pick(&mut self.dice, not)?;
            let begun = Instant::now();
            let end = self.attempt(&door, name, wish);
            let ran = self.fleet.is_open(&door);
            // While nothing is promised, and while something is done to the very node that was
            // asked, nobody counts the seconds.
            let counted = self.fleet.majority_since().filter(|_| ran);
            let since = counted.map(|clear| refused_since.unwrap_or(begun).max(clear));
            let waited = since.map_or_else(Default::default, |since| since.elapsed());
            let why = match end {
                Ok(()) => {
                    self.judge.waited(name, wish.verb(), waited);
                    return Some(door.machine);
                }
                Err(why) => why,
            };
            let way = Way {
                machine: door.machine,
                took: begun.elapsed(),
            };
            let ran = if ran { Ran::AllTheTime } else { Ran::Disturbed };
            self.judge.refused(name, wish.verb(), way, ran, &why);
            refused_since = since;
            if waited > CLIENT_PATIENCE {
                self.judge.waited(name, wish.verb(), waited);
                return None;
            }
            std::thread::sleep(REFUSED_PAUSE);
        }
    }

    /// Asks once through this node.
    pub(crate) fn attempt(
        &mut self,
        door: &Door,
        name: &Name,
        wish: Wish<'_>,
    ) -> Result<(), String> {
        match wish {
            Wish::Put(content) => {
                let hash = *blake3::hash(content).as_bytes();
                let write = self.judge.begin_write(name, Some(hash));
                let (answer, way) = self.ask(door, "PUT", "files", name, content)?;
                let version = self.version(&answer)?;
                let said = answer.json()["hash"].as_str().map(str::to_owned);
                if said.as_deref() != Some(blake3::Hash::from(hash).to_hex().as_str()) {
                    let what = format!("a put of {name} is acknowledged as another content");
                    self.judge.broken(Broken::WrongBytes, Some(name), &what);
                }
                self.judge.written(name, &write, version, way);
            }
            Wish::Delete => {
                let write = self.judge.begin_write(name, None);
                let (answer, way) = self.ask(door, "DELETE", "files", name, b"")?;
                if is_not_found(&answer) {
                    self.judge.nothing_to_delete(name, &write, way);
                    return Ok(());
                }
                let version = self.version(&answer)?;
                self.judge.written(name, &write, version, way);
            }
            Wish::Get => {
                let read = self.judge.begin_read(name);
                let (answer, way) = self.ask(door, "GET", "files", name, b"")?;
                if is_not_found(&answer) {
                    self.judge.found_nothing(name, &read, way);
                    return Ok(());
                }
                let version = answer.header("chordal-version");
                let version = version.and_then(|text| self.fleet.version(text));
                let version = success(&answer)?.and(version).ok_or("no version")?;
                let hash = *blake3::hash(&answer.body).as_bytes();
                self.judge.found(name, &read, version, hash, way);
            }
        }
        Ok(())
    }

    /// Asks this node something about a name, and waits for the whole answer.
    pub(crate) fn ask(
        &mut self,
        door: &Door,
        method: &str,
        what: &str,
        name: &Name,
        body: &[u8],
    ) -> Result<(Answer, Way), String> {
        let target = format!("/v1/{what}?name={name}");
        let begun = Instant::now();
        let api = self.apis.entry(door.number).or_insert_with(|| door.api());
        let answer = api.ask(method, &target, body, REQUEST_PATIENCE);
        let way = Way {
            machine: door.machine,
            took: begun.elapsed(),
        };
        match answer {
            Ok(answer) => Ok((answer, way)),
            Err(error) => {
                self.apis.remove(&door.number);
                Err(format!("no answer: {error}"))
            }
        }
    }

    fn version(&self, answer: &Answer) -> Result<Version, String> {
        success(answer)?;
        let json = answer.json();
        let version = json["version"].as_str();
        let version = version.and_then(|text| self.fleet.version(text));
        version.ok_or_else(|| "no version".to_owned())
    }
}

fn is_not_found(answer: &Answer) -> bool {
    answer.status == 404 && answer.json()["code"] == "not_found"
}

/// Something if the answer is a success.
fn success(answer: &Answer) -> Result<Option<()>, String> {
    match answer.status {
        200..300 => Ok(Some(())),
        _ => Err(answer.complaint()),
    }
}
