//! The commands, one module each, and what they share.

use crate::cli::{Cli, Command, Common};
use crate::client::Client;
use crate::find;
use crate::out::Out;
use crate::settings::InForce;
use crate::trouble::Trouble;

mod bench;
mod cat;
pub(crate) mod check;
mod completions;
mod config;
mod demo;
mod expel;
pub(crate) mod fingers;
mod forget;
pub(crate) mod get;
mod invite;
mod join;
pub(crate) mod leave;
pub(crate) mod ls;
mod man;
mod members;
mod node;
mod open;
mod plan;
pub(crate) mod put;
mod ring;
mod risk;
mod rm;
mod sim;
mod stat;
pub(crate) mod status;
mod up;
mod verify;
mod whatif;
pub(crate) mod whereis;

pub(crate) use node::Signals;

/// What every command gets.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The flags that all commands have.
    pub(crate) common: Common,
    /// Where to print.
    pub(crate) out: Out,
}

impl Context {
    /// The same; where quiet is wanted it prints nothing but errors.
    pub(crate) fn quiet_if(self, quiet: bool) -> Self {
        let out = if quiet { self.out.silent() } else { self.out };
        Self { out, ..self }
    }

    /// The same for a command that does more than print.
    pub(crate) fn at_work(self) -> Self {
        let out = self.out.at_work();
        Self { out, ..self }
    }

    /// A client of the node to talk to.
    pub(crate) fn client(&self) -> Result<Client, Trouble> {
        find::client(&self.common)
    }
}

/// What is logged when nobody says: nodes tell what happens, commands only what is wrong.
pub(crate) fn log_filter(command: &Command) -> &'static str {
    let serves = if let Command::Node(args) = command {
        args.no_menu || !node::has_menu_terminal()
    } else {
        matches!(command, Command::Up(_))
    };
    if serves { "info" } else { "warn" }
}

/// Does what was typed.
pub(crate) async fn run(cli: Cli, in_force: InForce) -> Result<(), Trouble> {
    let context = Context {
        out: Out::new(cli.common.json),
        common: cli.common,
    };
    match cli.command {
        Command::Node(args) => Box::pin(node::run(context, args)).await,
        Command::Up(args) => Box::pin(up::run(context, args)).await,
        Command::Put(args) => Box::pin(put::run(context, args)).await,
        Command::Get(args) => Box::pin(get::run(context, args)).await,
        Command::Cat(args) => cat::run(context, args).await,
        Command::Ls(args) => ls::run(context, args).await,
        Command::Stat(args) => stat::run(context, args).await,
        Command::Rm(args) => rm::run(context, args).await,
        Command::Join(args) => Box::pin(join::run(context, args)).await,
        Command::Invite(args) => invite::run(context, args).await,
        Command::Leave(args) => leave::run(context, args).await,
        Command::Forget(args) => forget::run(context, args).await,
        Command::Expel(args) => expel::run(context, args).await,
        Command::Members => members::run(context).await,
        Command::Open(args) => open::run(context, args).await,
        Command::Status(args) => status::run(context, args).await,
        Command::Ring => ring::run(context).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Risk => risk::run(context).await,
        Command::Whatif(args) => whatif::run(context, args).await,
        Command::Plan(args) => plan::run(context, args).await,
        Command::Verify(args) => Box::pin(verify::run(context, args)).await,
        Command::Fingers => fingers::run(context).await,
        Command::Where(args) => whereis::run(context, args).await,
        Command::Demo(args) => Box::pin(demo::run(context, args)).await,
        Command::Bench(args) => Box::pin(bench::run(context, args)).await,
        Command::Sim(args) => sim::run(context, args).await,
        Command::Config(args) => config::run(context, args, in_force),
        Command::Completions { shell } => completions::run(context, shell),
        Command::Man(args) => man::run(context, args),
    }
}
