//! The flags of the table, and what came of them.
//!
//! Whether a value was typed, or is the default that a variable or the file put there, is not to be
//! seen here; `InForce` knows it.

use std::any::Any;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use super::{SETTINGS, Scope, id};
use crate::cli::Common;

/// How a node runs, whichever way it is started.
#[derive(Clone, Debug)]
pub(crate) struct RunArgs {
    pub(crate) join: Vec<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) offer: Option<u64>,
    pub(crate) http: Option<SocketAddr>,
    pub(crate) grace: Duration,
    pub(crate) scrub_period: Duration,
    pub(crate) scrub_rate: u64,
    pub(crate) repair_rate: u64,
    pub(crate) record: Option<PathBuf>,
    pub(crate) nearby: bool,
    pub(crate) classic: bool,
    pub(crate) bits: Option<u8>,
    pub(crate) ring_name: Option<String>,
}

/// How a node runs that `chordal join` starts: it says itself where to join, and founds no ring.
#[derive(Clone, Debug)]
pub(crate) struct JoinRunArgs(pub(crate) RunArgs);

/// Every flag of the table, for a command that only asks what they come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnySetting;

fn add(command: Command, scopes: &[Scope]) -> Command {
    let settings = SETTINGS.iter().filter(|row| scopes.contains(&row.scope));
    command.args(settings.map(super::Setting::arg))
}

/// The value of a flag, if this command has it.
fn one<T: Any + Clone + Send + Sync>(matches: &ArgMatches, name: &str) -> Option<T> {
    let id = id(name);
    matches.try_contains_id(&id).ok()?;
    matches.get_one(&id).cloned()
}

/// The value of a flag with a default.
fn given<T: Any + Clone + Send + Sync>(matches: &ArgMatches, name: &str) -> T {
    one(matches, name).expect("the table has a default for it, and all who run a node have it")
}

impl FromArgMatches for RunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let join = matches.try_get_many(&id("join")).ok().flatten();
        Ok(Self {
            join: join
                .map(|places| places.cloned().collect())
                .unwrap_or_default(),
            data: one(matches, "data"),
            offer: one(matches, "offer"),
            http: one(matches, "http"),
            grace: given(matches, "grace"),
            scrub_period: given(matches, "scrub-days"),
            scrub_rate: given(matches, "scrub-rate"),
            repair_rate: given(matches, "repair-rate"),
            record: one(matches, "record"),
            nearby: !given::<bool>(matches, "no-mdns"),
            classic: one(matches, "classic").unwrap_or(false),
            bits: one(matches, "bits"),
            ring_name: one(matches, "ring-name"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RunArgs {
    fn augment_args(command: Command) -> Command {
        add(command, &[Scope::Running, Scope::Starting])
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for JoinRunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        RunArgs::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Args for JoinRunArgs {
    fn augment_args(command: Command) -> Command {
        add(command, &[Scope::Running])
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AnySetting {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), Error> {
        Ok(())
    }
}

impl Args for AnySetting {
    fn augment_args(command: Command) -> Command {
        RunArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Common {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self {
            node: one(matches, "node"),
            home: one(matches, "home"),
            json: matches.get_flag("json"),
            log: one(matches, "log"),
            log_json: given(matches, "log-json"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Common {
    fn augment_args(command: Command) -> Command {
        let json = Arg::new("json")
            .long("json")
            .global(true)
            .action(ArgAction::SetTrue)
            .help_heading("Everywhere")
            .help("Objects for programs instead of words for people");
        add(command, &[Scope::Everywhere]).arg(json)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
