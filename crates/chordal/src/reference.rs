//! The reference of all commands, made of the flags themselves: pages of a manual, and one page of the
//! book (`docs/commands.md`). Nothing is said here that `--help` does not say.

use clap::{Arg, Command};

mod man;
mod markdown;

pub(crate) use man::{page, pages};
pub(crate) use markdown::markdown;

/// A command and its words behind `chordal`; none of the program itself.
struct Described<'a> {
    path: String,
    command: &'a Command,
}

/// The program and every command that is not hidden, in the order of `--help`.
fn all(root: &Command) -> Vec<Described<'_>> {
    let mut found = Vec::new();
    let mut open = vec![Described {
        path: String::new(),
        command: root,
    }];
    while let Some(next) = open.pop() {
        let below = next.command.get_subcommands();
        let below: Vec<_> = below
            .filter(|command| !command.is_hide_set() && command.get_name() != "help")
            .map(|command| Described {
                path: format!("{} {}", next.path, command.get_name())
                    .trim()
                    .to_owned(),
                command,
            })
            .collect();
        open.extend(below.into_iter().rev());
        found.push(next);
    }
    found
}

/// The arguments that are a command's own, without `--help`.
fn own(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_own = |arg: &&Arg| {
        let is_help = ["help", "version"].contains(&arg.get_id().as_str());
        !arg.is_hide_set() && !arg.is_global_set() && !is_help
    };
    command.get_arguments().filter(is_own)
}

#[cfg(test)]
mod tests;
