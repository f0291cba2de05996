//! Everything that may be set, in one table: the flags, the environment, the settings file,
//! `chordal config` and the documents are all made of it.
//!
//! A setting holds for a node as long as it runs, or for this user's commands. What a single command
//! does once (`--json`, `--force`, `-r`) is none, and the program never writes the file.

use std::ffi::OsStr;

use clap::{Arg, ArgAction, value_parser};

use crate::amounts::{
    parse_addr, parse_bits, parse_days, parse_place, parse_rate, parse_size, parse_switch,
    parse_time,
};

mod file;
mod flags;
mod in_force;

pub(crate) use flags::{AnySetting, JoinRunArgs, RunArgs};
pub(crate) use in_force::{InForce, NotUnderstood, Row, Source, check_variables, understand};

/// Something that may be set.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub(crate) name: &'static str,
    /// What stands for a value in help texts.
    pub(crate) value_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    pub(crate) default: Fallback,
    /// A value as it would stand in the file.
    pub(crate) example: &'static str,
    /// One sentence.
    pub(crate) about: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Addr,
    Bits,
    Days,
    Filter,
    Path,
    /// Nodes to join or join codes, several. Codes are secrets.
    Places,
    Rate,
    Size,
    Switch,
    Text,
    Time,
}

/// Which commands heed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    Everywhere,
    /// Those that start a node: `node`, `up` and `join`.
    Running,
    /// `node` and `up`: where to join, or what ring to found.
    Starting,
}

/// What holds where nothing is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fallback {
    /// This value.
    Is(&'static str),
    /// What these words say.
    Means(&'static str),
}

/// What the names of all variables begin with.
const VARIABLES: &str = "CHORDAL_";

/// The one setting that cannot stand in the file: which file it is.
pub(crate) const CONFIG: &str = "config";

/// The setting that can stand only in a file that was named: where the file is looked for.
pub(crate) const HOME: &str = "home";

/// All settings, as they are shown.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting {
        name: CONFIG,
        value_name: "FILE",
        kind: Kind::Path,
        scope: Scope::Everywhere,
        default: Fallback::Means("`chordal.toml` in the home, if it is there"),
        example: "\"/etc/chordal/chordal.toml\"",
        about: "The file with settings",
    },
    Setting {
        name: HOME,
        value_name: "DIR",
        kind: Kind::Path,
        scope: Scope::Everywhere,
        default: Fallback::Means("`chordal` in the platform's folder for data"),
        example: "\"/srv/chordal\"",
        about: "Where nodes keep their identity and data",
    },
    Setting {
        name: "node",
        value_name: "IP:PORT",
        kind: Kind::Addr,
        scope: Scope::Everywhere,
        default: Fallback::Means("the node that runs in the home; of several, the lowest port"),
        example: "\"127.0.0.1:2000\"",
        about: "The node to talk to, by its ring address",
    },
    Setting {
        name: "log",
        value_name: "FILTER",
        kind: Kind::Filter,
        scope: Scope::Everywhere,
        default: Fallback::Means("`info` for a node, `warn` for a command"),
        example: "\"chordal_node=debug\"",
        about: "What to log to standard error",
    },
    Setting {
        name: "log-json",
        value_name: "true|false",
        kind: Kind::Switch,
        scope: Scope::Everywhere,
        default: Fallback::Is("false"),
        example: "true",
        about: "Log objects instead of lines",
    },
    Setting {
        name: "join",
        value_name: "IP:PORT or CODE",
        kind: Kind::Places,
        scope: Scope::Starting,
        default: Fallback::Means("the ring of the node's earlier life, or a new one"),
        example: "[\"192.0.2.7:2000\", \"192.0.2.8:2000\"]",
        about: "Join the ring of the node there, or by a code of `chordal invite`, which counts once; \
                addresses may be several",
    },
    Setting {
        name: "data",
        value_name: "DIR",
        kind: Kind::Path,
        scope: Scope::Running,
        default: Fallback::Means("the folder `nodes/PORT` of the home"),
        example: "\"/srv/disk1/chordal\"",
        about: "The node's own folder, instead of one in the home",
    },
    Setting {
        name: "offer",
        value_name: "SIZE",
        kind: Kind::Size,
        scope: Scope::Running,
        default: Fallback::Means("what the disk has free"),
        example: "\"100GB\"",
        about: "How much of the disk the ring may use, for example 100GB; with 0 the node only reads \
                and writes",
    },
    Setting {
        name: "http",
        value_name: "IP:PORT",
        kind: Kind::Addr,
        scope: Scope::Running,
        default: Fallback::Means("a free port of the loopback"),
        example: "\"127.0.0.1:8080\"",
        about: "Where the control API and the dashboard listen",
    },
    Setting {
        name: "grace",
        value_name: "TIME",
        kind: Kind::Time,
        scope: Scope::Running,
        default: Fallback::Is("10m"),
        example: "\"30m\"",
        about: "How long the copies of a silent node are waited for before they are made again",
    },
    Setting {
        name: "scrub-days",
        value_name: "DAYS",
        kind: Kind::Days,
        scope: Scope::Running,
        default: Fallback::Is("14"),
        example: "30",
        about: "Within how many days every copy on this node's disk is read again, to find what has \
                rotted",
    },
    Setting {
        name: "scrub-rate",
        value_name: "SIZE",
        kind: Kind::Rate,
        scope: Scope::Running,
        default: Fallback::Is("20MiB"),
        example: "\"5MiB\"",
        about: "How much is read for that a second at most",
    },
    Setting {
        name: "repair-rate",
        value_name: "SIZE",
        kind: Kind::Rate,
        scope: Scope::Running,
        default: Fallback::Is("64MiB"),
        example: "\"16MiB\"",
        about: "How much this node copies a second at most to make missing copies, and gives to others \
                that make some; less while clients wait for its disk",
    },
    Setting {
        name: "record",
        value_name: "FILE",
        kind: Kind::Path,
        scope: Scope::Running,
        default: Fallback::Means("nothing is recorded"),
        example: "\"/var/tmp/chordal.record\"",
        about: "Record everything the node decides upon, for `chordal sim replay`; the newest 128 MiB \
                are kept, in FILE, FILE.1 and so on, without the contents of files",
    },
    Setting {
        name: "no-mdns",
        value_name: "true|false",
        kind: Kind::Switch,
        scope: Scope::Running,
        default: Fallback::Is("false"),
        example: "true",
        about: "Do not say on the local network where this node is, nor look there for a ring that is \
                not where it was",
    },
    Setting {
        name: "classic",
        value_name: "true|false",
        kind: Kind::Switch,
        scope: Scope::Starting,
        default: Fallback::Is("false"),
        example: "true",
        about: "Found a ring for the blackboard: 10-bit SHA-1 positions of `ip:port`, one token a node",
    },
    Setting {
        name: "bits",
        value_name: "M",
        kind: Kind::Bits,
        scope: Scope::Starting,
        default: Fallback::Means("128, or 10 with --classic"),
        example: "16",
        about: "Bits of a position in a new ring, 3 to 128",
    },
    Setting {
        name: "ring-name",
        value_name: "NAME",
        kind: Kind::Text,
        scope: Scope::Starting,
        default: Fallback::Means("`chordal`"),
        example: "\"home\"",
        about: "What a new ring is called",
    },
];

/// What the flag is called inside of clap, so that a command's own flag of the same name
/// (`plan join --offer`) is not taken for the setting.
fn id(name: &str) -> String {
    format!("setting {name}")
}

/// Whether this flag of a command is a setting.
pub(crate) fn is_setting(arg: &Arg) -> bool {
    SETTINGS
        .iter()
        .any(|setting| *arg.get_id() == *id(setting.name))
}

impl Setting {
    /// The setting of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Whether it may stand in a file.
    pub(crate) fn is_of_the_file(&self) -> bool {
        self.name != CONFIG
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("{VARIABLES}{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// The default in words.
    pub(crate) fn default_words(&self) -> &'static str {
        match self.default {
            Fallback::Is(words) | Fallback::Means(words) => words,
        }
    }

    /// What a value may be, or why this one is none. A join code is not repeated.
    pub(crate) fn check(&self, value: &OsStr) -> Result<(), String> {
        if self.kind == Kind::Path {
            let some = !value.is_empty();
            return some
                .then_some(())
                .ok_or_else(|| "there is nothing in it".to_owned());
        }
        let Some(text) = value.to_str() else {
            return Err("this is no text in UTF-8".to_owned());
        };
        match self.kind {
            Kind::Addr => parse_addr(text).map(drop),
            Kind::Bits => parse_bits(text).map(drop),
            Kind::Days => parse_days(text).map(drop),
            Kind::Filter => crate::log::filter(text).map(drop),
            Kind::Path => Ok(()),
            Kind::Rate => parse_rate(text).map(drop),
            Kind::Size => parse_size(text).map(drop),
            Kind::Switch => parse_switch(text).map(drop),
            Kind::Time => parse_time(text).map(drop),
            Kind::Places | Kind::Text if text.trim().is_empty() => {
                Err("there is nothing in it".to_owned())
            }
            Kind::Places => parse_place(text),
            Kind::Text => Ok(()),
        }
    }

    /// The flag.
    fn arg(&self) -> Arg {
        let arg = Arg::new(id(self.name))
            .long(self.name)
            .value_name(self.value_name)
            .help(self.help());
        let arg = match self.kind {
            Kind::Addr => arg.value_parser(parse_addr),
            Kind::Bits => arg.value_parser(parse_bits),
            Kind::Days => arg.value_parser(parse_days),
            Kind::Filter | Kind::Text => arg.value_parser(value_parser!(String)),
            Kind::Path => arg.value_parser(value_parser!(std::path::PathBuf)),
            Kind::Places => arg.action(ArgAction::Append),
            Kind::Rate => arg.value_parser(parse_rate),
            Kind::Size => arg.value_parser(parse_size),
            Kind::Time => arg.value_parser(parse_time),
            // `--classic` alone says yes; `--classic=false` wins over what the file says.
            Kind::Switch => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .hide_default_value(true)
                .value_parser(parse_switch),
        };
        let arg = match self.default {
            Fallback::Is(value) => arg.default_value(value),
            Fallback::Means(_) => arg,
        };
        match self.scope {
            Scope::Everywhere => arg.global(true).help_heading("Everywhere"),
            Scope::Running | Scope::Starting => arg,
        }
    }

    /// The sentence, with the default where the flag does not know it, and the variable.
    fn help(&self) -> String {
        let default = match self.default {
            Fallback::Is(_) => String::new(),
            Fallback::Means(words) => format!(" [default: {words}]"),
        };
        format!("{}{default} [env: {}]", self.about, self.variable())
    }
}

#[cfg(test)]
mod tests;
