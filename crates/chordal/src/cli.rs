//! Flags and commands, as typed. What they mean is in `cmd`, one module a command.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::amounts::{parse_ip, parse_size, parse_time};
use crate::settings::{AnySetting, JoinRunArgs, RunArgs};
use crate::trouble::EXITS;

pub(crate) mod examples;
mod forecast;

pub(crate) use forecast::{Change, PlanArgs, WhatIfArgs};

/// A handful of machines as one fault-tolerant file pool.
///
/// Start a node on each machine, put a file in at any of them, get it back from any other, lose
/// machines and keep the files.
#[derive(Debug, Parser)]
#[command(
    name = "chordal",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands: settings that hold everywhere, and in which form to answer.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) node: Option<SocketAddr>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) log: Option<String>,
    pub(crate) log_json: bool,
}

/// The whole command line as clap has it, with its examples.
pub(crate) fn command() -> clap::Command {
    let codes: Vec<String> = EXITS
        .iter()
        .map(|(exit, _)| format!("{} {}", *exit as u8, exit.short()))
        .collect();
    let steps = shown("First steps", examples::FIRST_STEPS);
    let end = format!("{steps}\nExit codes: {}.", codes.join(", "));
    let command = Cli::command().after_help(end);
    command.mut_subcommands(|command| with_examples(command, ""))
}

fn with_examples(command: clap::Command, above: &str) -> clap::Command {
    let path = format!("{above} {}", command.get_name()).trim().to_owned();
    let command = match examples::of(&path) {
        [] => command,
        examples => command.after_help(shown("Examples", examples)),
    };
    command.mut_subcommands(|command| with_examples(command, &path))
}

fn shown(head: &str, examples: &[examples::Example]) -> String {
    let wide = examples.iter().map(|(typed, _)| typed.len()).max();
    let wide = wide.unwrap_or(0);
    let lines = examples
        .iter()
        .map(|(typed, what)| format!("  {typed:wide$}  {what}\n"));
    lines.fold(format!("{head}:\n"), |text, line| text + &line)
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node in the foreground; on a terminal it shows a menu
    Node(NodeArgs),
    /// Start a node for real use: all addresses of this machine, port 2000 or the next free one
    Up(UpArgs),
    /// Store files
    Put(PutArgs),
    /// Fetch a file
    Get(GetArgs),
    /// Print files
    Cat(CatArgs),
    /// List files
    Ls(LsArgs),
    /// Describe a file
    Stat(NameArgs),
    /// Delete files
    Rm(RmArgs),
    /// Join a ring by the code of `chordal invite`, or tell the running node to join another one's
    Join(JoinArgs),
    /// Print a code that lets another machine in: `chordal join CODE` there
    Invite(InviteArgs),
    /// Hand everything over and leave the ring for good
    Leave(LeaveArgs),
    /// Say that a silent node will not come back: its copies are made again at once
    Forget(ForgetArgs),
    /// Expel a node for good: nobody talks to it any more, and its copies are made again
    Expel(ExpelArgs),
    /// Who is in the ring, since when, and by which invitation
    Members,
    /// What would be lost if any one, two or three nodes died now
    Risk,
    /// Which files would be lost or short of copies if these nodes died now
    #[command(name = "whatif")]
    Whatif(WhatIfArgs),
    /// What would move if a node joined or nodes left, and how long that may take
    Plan(PlanArgs),
    /// Prove that a file is still there: checks a receipt of `put --receipt`, and asks the holders again
    Verify(VerifyArgs),
    /// Open the dashboard in a browser: prints a link that works once
    Open(OpenArgs),
    /// How the ring is
    Status(StatusArgs),
    /// Draw the ring
    Ring,
    /// Walk the live ring: is it one ordered ring with every pointer right, and if not, why
    Check(CheckArgs),
    /// The finger tables of the node
    Fingers,
    /// Which way leads to a file, and who holds it
    Where(NameArgs),
    /// Five nodes on this machine, a file, a killed node: see the ring heal; nothing is kept
    Demo(DemoArgs),
    /// Measure a ring of this machine, or a running one, beside the machine's own limits
    Bench(BenchArgs),
    /// Simulate rings on virtual time, with faults, and check every promise
    Sim(chordal_sim::command::SimArgs),
    /// What is set, and where each value comes from: a flag, a variable, a file, or nobody said
    Config(ConfigArgs),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or write those of all commands into a folder
    Man(ManArgs),
}

/// `chordal node`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeArgs {
    /// The address others reach this node at
    #[arg(default_value = "127.0.0.1", value_parser = parse_ip)]
    pub(crate) ip: IpAddr,
    /// Its port; 0 takes a free one
    #[arg(default_value_t = 2000)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// No menu: print one line when ready, and serve
    #[arg(long)]
    pub(crate) no_menu: bool,
    /// End when standard input does: for programs that start nodes of their own
    #[arg(long, hide = true, requires = "no_menu")]
    pub(crate) until_stdin_ends: bool,
}

/// `chordal up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// `chordal put`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PutArgs {
    /// Files, or with -r folders; `-` is standard input. A last argument SPACE:PREFIX says where
    /// to put them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What to call the file
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Folders with all they hold; files that are stored already are not stored again
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Say nothing but what went wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Write a receipt here: what the file's holders sign that they hold of it; see `verify`
    #[arg(long, value_name = "FILE", conflicts_with = "recursive")]
    pub(crate) receipt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) only: OnlyArgs,
}

/// `chordal verify`.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The receipt
    #[arg(value_name = "RECEIPT")]
    pub(crate) receipt: PathBuf,
    /// Is this the file that the receipt is of?
    #[arg(long, value_name = "FILE")]
    pub(crate) bytes: Option<PathBuf>,
    /// Have every holder read its copies again and hash them
    #[arg(long, conflicts_with = "offline")]
    pub(crate) deep: bool,
    /// Only check the signatures; no ring is needed
    #[arg(long)]
    pub(crate) offline: bool,
    /// The ring's authority, where this machine does not know it: 64 digits
    #[arg(long, value_name = "KEY")]
    pub(crate) authority: Option<String>,
}

/// What must be true for a file to be stored.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OnlyArgs {
    /// Store it only where there is no file of that name; of many that try at once, one does
    #[arg(long, conflicts_with = "if_version")]
    pub(crate) if_absent: bool,
    /// Store it only where the file has this version, as `stat` shows it
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<String>,
}

impl OnlyArgs {
    /// Whether anything must be true.
    pub(crate) const fn is_condition(&self) -> bool {
        self.if_absent || self.if_version.is_some()
    }
}

/// `chordal get`.
#[derive(Clone, Debug, Args)]
pub(crate) struct GetArgs {
    /// The file, or with -r a folder of files
    pub(crate) name: String,
    /// A folder, a file, or `-` for standard output
    #[arg(default_value = ".")]
    pub(crate) dest: PathBuf,
    /// NAME and every file below it, as in a folder
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Replace a local file that exists
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say nothing but what went wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `chordal cat`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CatArgs {
    /// The files
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// `chordal ls`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LsArgs {
    /// Names that begin with this; `SPACE:` for a whole space
    #[arg(default_value = "")]
    pub(crate) prefix: String,
    /// Size, date and hash too
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Names exactly as they are, each ended by a NUL byte, and nothing else: for `xargs -0`
    #[arg(short = '0', long, conflicts_with_all = ["long", "json"])]
    pub(crate) null: bool,
}

/// A command about one file.
#[derive(Clone, Debug, Args)]
pub(crate) struct NameArgs {
    /// The file: PATH or SPACE:PATH
    pub(crate) name: String,
}

/// `chordal rm`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RmArgs {
    /// The files, or with -r folders of files
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// NAME and every file below it, as in a folder
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Delete it only if it has this version, as `stat` shows it
    #[arg(long, value_name = "VERSION", conflicts_with = "recursive")]
    pub(crate) if_version: Option<String>,
}

/// `chordal join`.
#[derive(Clone, Debug, Args)]
pub(crate) struct JoinArgs {
    /// A join code, or a node of the ring: IP:PORT, or HOST:PORT
    #[arg(value_name = "CODE or IP:PORT")]
    pub(crate) place: String,
    #[command(flatten)]
    pub(crate) run: JoinRunArgs,
}

/// `chordal invite`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct InviteArgs {
    /// How many machines the code lets in
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) uses: u32,
    /// How long it is good for, for example 30m or 2d
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = parse_time)]
    pub(crate) lasts: Duration,
}

/// `chordal open`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct OpenArgs {
    /// Only print the link
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// `chordal leave`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LeaveArgs {
    /// Even where copies would be lost
    #[arg(long)]
    pub(crate) force: bool,
}

/// `chordal forget`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ForgetArgs {
    /// The node: its address IP:PORT, its id, or the first digits of its id
    #[arg(value_name = "NODE")]
    pub(crate) which: String,
    /// Even where it may be the last one to have something, which is then lost
    #[arg(long)]
    pub(crate) force: bool,
}

/// `chordal expel`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExpelArgs {
    /// The node: its address IP:PORT, its id, or the first digits of its id
    #[arg(value_name = "NODE")]
    pub(crate) which: String,
    /// Even where it may be the last one to have something, which is then lost
    #[arg(long)]
    pub(crate) force: bool,
}

/// `chordal config`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print a settings file with everything that may stand in it, to be changed
    #[arg(long)]
    pub(crate) example: bool,
    #[command(flatten)]
    _any: AnySetting,
}

/// `chordal man`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ManArgs {
    /// A folder for a page of every command, such as /usr/local/share/man/man1
    pub(crate) dir: Option<PathBuf>,
    /// Print the reference of all commands as Markdown instead
    #[arg(long, hide = true, conflicts_with = "dir")]
    pub(crate) markdown: bool,
}

/// `chordal check`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct CheckArgs {
    /// Look again until the ring is right, for so many seconds at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait: Option<u64>,
    /// The ring is right only if so many nodes are on it
    #[arg(long, value_name = "N")]
    pub(crate) nodes: Option<usize>,
}

/// `chordal status`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct StatusArgs {
    /// Stay, and show every change: full screen on a terminal, else a line each
    #[arg(short, long)]
    pub(crate) watch: bool,
}

/// `chordal demo`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Size of the file that goes in
    #[arg(long, value_name = "SIZE", default_value = "8MiB", value_parser = parse_size)]
    pub(crate) size: u64,
    /// Stay afterwards, to be played with, also where standard input is no terminal
    #[arg(long, conflicts_with = "leave")]
    pub(crate) stay: bool,
    /// End when the story is told, also on a terminal
    #[arg(long)]
    pub(crate) leave: bool,
}

/// `chordal bench`.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArgs {
    /// Small sizes: a look, not a figure
    #[arg(long)]
    pub(crate) quick: bool,
    /// Size of the big file
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) big: Option<u64>,
    /// How many times the big file is stored and fetched
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: Option<u32>,
    /// Size of a small file
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) small: Option<u64>,
    /// How many small files
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u32>,
    /// How many small files at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) in_flight: u32,
    /// Instead of all that: start N nodes at once, and time how soon `check` finds the ring right
    #[arg(long, value_name = "N", conflicts_with_all = ["quick", "big", "rounds", "small", "count"],
          value_parser = clap::value_parser!(u16).range(2..=256))]
    pub(crate) ring: Option<u16>,
    /// With --ring: kill so many at once, and time how soon the ring is right again
    #[arg(long, value_name = "K", default_value_t = 0, requires = "ring")]
    pub(crate) kill: u16,
    /// Where the nodes keep their data meanwhile, instead of the folder for temporary files
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
