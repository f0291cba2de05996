//! Flags and commands, as typed. What they mean is in `cmd`, one module a command.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// A handful of machines as one fault-tolerant file pool.
///
/// Start a node on each machine, put a file in at any of them, get it back from any other, lose
/// machines and keep the files.
#[derive(Debug, Parser)]
#[command(
    name = "chordal",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "First steps:\n  chordal demo                     see it work, 30 seconds, nothing is kept\n  \
                  chordal up                       start a node\n  \
                  chordal put FILE                 store a file\n  \
                  chordal join IP:PORT             make the node part of another node's ring\n\n\
                  Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not enough copies \
                  reachable, 5 refused."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Common {
    /// The node to talk to, by its ring address; else the node that runs in `CHORDAL_HOME`
    #[arg(
        long,
        global = true,
        env = "CHORDAL_NODE",
        value_name = "IP:PORT",
        hide_env_values = true
    )]
    pub(crate) node: Option<SocketAddr>,
    /// Where nodes keep their identity and data; else the platform's data folder
    #[arg(
        long,
        global = true,
        env = "CHORDAL_HOME",
        value_name = "DIR",
        hide_env_values = true
    )]
    pub(crate) home: Option<PathBuf>,
    /// Objects for programs instead of words for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log to standard error, for example `info` or `chordal_node=debug`
    #[arg(
        long,
        global = true,
        env = "CHORDAL_LOG",
        value_name = "FILTER",
        hide_env_values = true
    )]
    pub(crate) log: Option<String>,
    /// Log objects instead of lines
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
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
    /// Open the dashboard in a browser: prints a link that works once
    Open(OpenArgs),
    /// How the ring is
    Status,
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
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// How a node runs, whichever way it is started.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunArgs {
    /// Join the ring of the node there, or by a code of `chordal invite`; addresses may be several
    #[arg(long, value_name = "IP:PORT or CODE")]
    pub(crate) join: Vec<String>,
    /// The node's own folder, instead of one in `CHORDAL_HOME`
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How much of the disk the ring may use, for example 100GB; 0 only reads and writes
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) offer: Option<u64>,
    /// A ring for the blackboard: 10-bit SHA-1 positions of `ip:port`, one token a node
    #[arg(long)]
    pub(crate) classic: bool,
    /// Bits of a position, 3 to 128
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u8).range(3..=128))]
    pub(crate) bits: Option<u8>,
    /// Where the control API listens; a free loopback port if not given
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) http: Option<SocketAddr>,
    /// How long the copies of a silent node are waited for before they are made again
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) grace: Option<Duration>,
    /// Within how many days every copy on this node's disk is read again, to find what has rotted;
    /// 14 if not given
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    pub(crate) scrub_days: Option<Duration>,
    /// How much is read for that a second at most; 20MiB if not given
    #[arg(long, value_name = "SIZE", value_parser = parse_rate)]
    pub(crate) scrub_rate: Option<u64>,
    /// Record everything the node decides upon, for `chordal sim replay`; the newest 128 MiB are
    /// kept, in FILE, FILE.1 and so on, without the contents of files
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Do not say on the local network where this node is, nor look there for a ring that is not
    /// where it was
    #[arg(long)]
    pub(crate) no_mdns: bool,
    /// What a new ring is called
    #[arg(long, value_name = "NAME")]
    pub(crate) ring_name: Option<String>,
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
#[derive(Clone, Debug, Default, Args)]
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
    /// Folders with all they hold
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) only: OnlyArgs,
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

/// `chordal get`.
#[derive(Clone, Debug, Args)]
pub(crate) struct GetArgs {
    /// The file, or with -r the prefix of files
    pub(crate) name: String,
    /// A folder, a file, or `-` for standard output
    #[arg(default_value = ".")]
    pub(crate) dest: PathBuf,
    /// Every file whose name begins with NAME
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Replace a local file that exists
    #[arg(short, long)]
    pub(crate) force: bool,
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
    /// The files, or with -r prefixes of files
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Every file whose name begins with NAME
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

/// How a node runs that `chordal join` starts.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct JoinRunArgs {
    /// How much of the disk the ring may use, for example 100GB; 0 only reads and writes
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) offer: Option<u64>,
    /// The node's own folder, instead of one in `CHORDAL_HOME`
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Do not say on the local network where this node is, nor look there for the ring
    #[arg(long)]
    pub(crate) no_mdns: bool,
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

fn parse_ip(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse()
        .map_err(|_| format!("'{text}' is not an IP address"))
}

fn parse_size(text: &str) -> Result<u64, String> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| format!("'{text}' is not a size such as 100GB, 512MiB or 0"))
}

fn parse_rate(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("nothing would be read at all".to_owned()),
        rate => Ok(rate),
    }
}

fn parse_days(text: &str) -> Result<Duration, String> {
    const DAYS_MAX: f64 = 3650.0;
    let days = text.parse::<f64>().ok();
    let days = days.filter(|&days| days > 0.0 && days <= DAYS_MAX);
    days.map(|days| Duration::from_hours(24).mul_f64(days))
        .ok_or_else(|| format!("'{text}' is not a number of days above 0 and up to {DAYS_MAX}"))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("'{text}' is not a time such as 5s or 10m"))
}

#[cfg(test)]
mod tests;
