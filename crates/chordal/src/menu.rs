//! The menu of a node: the seed's six entries under the seed's numbers, then ours.
//!
//! It is a client of its own node, so that files go the same way as with `put` and `get`. What
//! happens in the ring meanwhile is told above the prompt.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use chordal_node::model::{Notice, Profile};
use chordal_node::{Node, NodeError};
use chordal_web::api;
use tokio::sync::broadcast;
use tokio_util::task::AbortOnDropHandle;

use crate::cli::OnlyArgs;
use crate::client::Client;
use crate::cmd::{get, put};
use crate::names::{self, Prefix};
use crate::out::{Out, short, short_key, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;
use crate::{cmd, log};

pub(crate) mod prompt;

use prompt::Prompt;

/// Why the menu ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MenuEnd {
    /// The user wants the node to pause.
    Quit,
    /// The user wants the node to leave.
    Leave,
    /// There is nothing more to read.
    InputEnded,
}

const ENTRIES: &str = "
1. Join Network
2. Leave Network
3. Upload File
4. Download File
5. Print Finger Table
6. Print my predecessor and successor
7. List files
8. Where is a file
9. Status
0. Quit (the node pauses, its copies stay on this disk)";

/// The menu.
#[derive(Debug)]
pub(crate) struct Menu {
    out: Out,
    prompt: Prompt,
}

impl Menu {
    /// A menu on this terminal, or on whatever standard input is.
    pub(crate) fn open(out: Out) -> Self {
        let prompt = Prompt::open();
        if let Some(printer) = prompt.printer() {
            log::print_through(Some(printer));
        }
        Self { out, prompt }
    }

    /// Gives the terminal back.
    pub(crate) fn close(&mut self) {
        log::print_through(None);
        self.prompt.close();
    }

    /// Says who this node is.
    pub(crate) fn greet(&self, node: &Node) -> Result<(), Trouble> {
        self.introduce(node)?;
        self.out
            .line(format_args!("Listening on {}", node.addr()))?;
        self.out.line("Dashboard: chordal open")?;
        self.out.line(ENTRIES)
    }

    fn introduce(&self, node: &Node) -> Result<(), Trouble> {
        if node.settings().profile == Profile::Classic {
            let key = node.settings().bits.classic_key(&node.addr().to_string());
            return self.out.line(format_args!("My ID is: {key}"));
        }
        self.out
            .line(format_args!("My ID is: {}", node.id().short()))
    }

    /// The node has left and began anew.
    pub(crate) fn left(&self, addr: SocketAddr, node: &Node) -> Result<(), Trouble> {
        self.out.line(format_args!("{addr} has left the network"))?;
        self.out.ending(format_args!(
            "Everything it held is with the other nodes. It is alone now on a ring of its own, as {}.",
            node.id().short()
        ))
    }

    /// The node may not leave.
    pub(crate) fn refused(&self, error: &NodeError) -> Result<(), Trouble> {
        let problem = chordal_web::leave_problem(error);
        self.complain(&problem.into())
    }

    /// The last line.
    pub(crate) fn farewell(&self, id: &str) -> Result<(), Trouble> {
        self.out.ending(format_args!(
            "Node {id} pauses. Its copies are on its disk and count when it returns."
        ))
    }

    /// Asks and does, until the user wants something that is not the menu's to do.
    pub(crate) async fn run(&mut self, node: &Node, client: &Client) -> Result<MenuEnd, Trouble> {
        let telling = self
            .prompt
            .is_terminal()
            .then(|| AbortOnDropHandle::new(tokio::spawn(tell_notices(node.notices()))));
        let end = self.choices(client).await;
        drop(telling);
        end
    }

    async fn choices(&mut self, client: &Client) -> Result<MenuEnd, Trouble> {
        loop {
            let Some(line) = self.prompt.ask("> ").await else {
                return Ok(MenuEnd::InputEnded);
            };
            let done = match line.trim() {
                "1" => self.join(client).await,
                "2" => match cmd::leave::refuse_alone(client).await {
                    Ok(()) => return Ok(MenuEnd::Leave),
                    Err(trouble) => Err(trouble),
                },
                "3" => self.upload(client).await,
                "4" => self.download(client).await,
                "5" => self.fingers(client).await,
                "6" => self.neighbours(client).await,
                "7" => self.list(client).await,
                "8" => self.whereis(client).await,
                "9" => self.status(client).await,
                "0" | "q" | "quit" | "exit" => return Ok(MenuEnd::Quit),
                "" => self.out.line(ENTRIES),
                other => self.out.line(format_args!(
                    "'{}' is not in the menu.{ENTRIES}",
                    visible(other)
                )),
            };
            match done {
                Ok(()) => {}
                // Nobody reads any more.
                Err(trouble) if trouble.is_silent() => return Ok(MenuEnd::InputEnded),
                Err(trouble) => self.complain(&trouble)?,
            }
        }
    }

    /// Says what went wrong; the menu goes on.
    fn complain(&self, trouble: &Trouble) -> Result<(), Trouble> {
        let text = self.out.folded(&format!("error: {}", trouble.paragraph()));
        let red = self.out.paint().red("error:").to_string();
        self.out.line(text.replacen("error:", &red, 1))
    }

    /// Asks for a line; an end of the input is an error that ends the action.
    async fn need(&mut self, question: &str) -> Result<String, Trouble> {
        let line = self.prompt.ask(question).await;
        line.map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .ok_or_else(|| Trouble::usage("nothing was entered"))
    }

    async fn join(&mut self, client: &Client) -> Result<(), Trouble> {
        let ip = self.need("Enter IP to connect: ").await?;
        let port = self.need("Enter port: ").await?;
        let ip: IpAddr = match ip.as_str() {
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            text => text.parse().map_err(|_| {
                Trouble::usage(format!("'{}' is not an IP address", visible(text)))
                    .advice("Recheck IP/Port.")
            })?,
        };
        let port: u16 = port.parse().map_err(|_| {
            Trouble::usage(format!("'{}' is not a port", visible(&port))).advice("Recheck IP/Port.")
        })?;
        let addr = SocketAddr::new(ip, port);
        let joined = client.join(vec![addr.to_string()]).await?;
        self.out
            .line(format_args!("Joined the network of {addr}"))?;
        self.out.ending(format_args!(
            "{} nodes now. 6 shows the neighbours, 5 the fingers.",
            joined.nodes
        ))
    }

    async fn upload(&mut self, client: &Client) -> Result<(), Trouble> {
        let file = PathBuf::from(self.need("Enter filename: ").await?);
        let name = names::of_file(&file)?;
        let name = Prefix::parse("")?.join(&name)?.to_string();
        let shown = visible(&name);
        self.out.line(format_args!("Uploading file {shown}"))?;
        let length = std::fs::metadata(&file)
            .map_err(|error| {
                Trouble::file(&file, &error).advice("Name a file of the current folder.")
            })?
            .len();
        let bar = Progress::bytes(Some(length), &name);
        let stored = put::put_one(client, &file, &name, &OnlyArgs::default(), bar.clone()).await;
        bar.clear();
        let stored = stored?;
        self.out.line(format_args!(
            "File uploaded: {shown}, {} bytes",
            stored.size
        ))?;
        self.out.ending(put::safety(&stored))
    }

    async fn download(&mut self, client: &Client) -> Result<(), Trouble> {
        let name = names::parse(&self.need("Enter filename: ").await?)?;
        let file = names::local_file(&name)?;
        self.out.line(format_args!(
            "Downloading file {}",
            visible(&name.to_string())
        ))?;
        let keep = get::Existing::Keep;
        let fetched = get::fetch(client, &name, Path::new(&file), keep, None).await?;
        self.out.line(format_args!(
            "File downloaded: {}, {} bytes",
            visible(&file),
            fetched.size
        ))?;
        self.out
            .ending("It is in the current folder, and its hash was checked.")
    }

    async fn fingers(&self, client: &Client) -> Result<(), Trouble> {
        let tables = client.fingers().await?;
        self.out.line("Printing F Table")?;
        for (token, fingers) in &tables.0 {
            if tables.0.len() > 1 {
                self.out.line(format_args!("Token {}", short_key(token)))?;
            }
            for run in cmd::fingers::runs(fingers) {
                // A blackboard's table is short enough to be shown whole.
                let shown = if fingers.len() <= BLACKBOARD_BITS {
                    run.fingers
                } else {
                    &run.fingers[..1]
                };
                for finger in shown {
                    self.out.line(finger_row(finger))?;
                }
                let rest = run.fingers.len() - shown.len();
                if rest > 0 {
                    self.out
                        .line(format_args!("  and {rest} more with the same value"))?;
                }
            }
        }
        Ok(())
    }

    async fn neighbours(&self, client: &Client) -> Result<(), Trouble> {
        let status = client.status().await?;
        for token in &status.node.tokens {
            self.out.line(format_args!(
                "My ID: {} Predecessor: {} Successor: {}",
                short_key(&token.key),
                short_key(&token.predecessor),
                short_key(&token.successor)
            ))?;
        }
        if status.node.tokens.is_empty() {
            self.out
                .line("This node offers nothing, so it has no place on the ring.")?;
        }
        Ok(())
    }

    async fn list(&self, client: &Client) -> Result<(), Trouble> {
        let prefix = Prefix::parse("")?;
        let mut pages = cmd::ls::Pages::new(client, &prefix);
        let mut files = 0_u64;
        while let Some(page) = pages.next().await? {
            for row in &page.files {
                files += 1;
                self.out.line(cmd::ls::long(row))?;
            }
        }
        pages.complete()?;
        self.out.ending(format_args!(
            "{}; the list is complete.",
            crate::out::count(files, "file")
        ))
    }

    async fn whereis(&mut self, client: &Client) -> Result<(), Trouble> {
        let name = names::parse(&self.need("Enter filename: ").await?)?;
        let found = client.whereis(&name.to_string()).await?;
        cmd::whereis::tell(self.out, &found)
    }

    async fn status(&self, client: &Client) -> Result<(), Trouble> {
        cmd::status::tell(self.out, &client.status().await?)
    }
}

/// Up to so many fingers a table is shown row by row.
const BLACKBOARD_BITS: usize = 16;

/// A row as the seed printed it.
fn finger_row(finger: &api::Finger) -> String {
    let (ip, port) = finger
        .addr
        .rsplit_once(':')
        .unwrap_or((finger.addr.as_str(), "?"));
    format!(
        "KeyID: {} Value ({}, ('{ip}', {port}))",
        short_key(&finger.start),
        short_key(&finger.key)
    )
}

/// Tells what happens in the ring while the node lives.
async fn tell_notices(mut notices: broadcast::Receiver<Notice>) {
    let mut told = None;
    loop {
        match notices.recv().await {
            Ok(notice) => {
                // A node speaks of every token of another one; people hear it once.
                let line = in_words(&notice);
                if line.is_some() && line != told {
                    log::tell(line.as_deref().unwrap_or_default());
                    told = line;
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// What a person at the menu wants to know; the rest is for the log.
fn in_words(notice: &Notice) -> Option<String> {
    let node = |id: &chordal_object::NodeId| short(&id.to_string()).to_owned();
    Some(match notice {
        Notice::Appeared(token) => format!("· node {} is in the ring", node(&token.node)),
        Notice::Suspected { node: id, .. } => format!("· node {} does not answer", node(id)),
        Notice::Recovered(id) => format!("· node {} answers again", node(id)),
        Notice::Gone(id) => format!("· node {} is given up; its copies are made again", node(id)),
        Notice::Left(id) => format!("· node {} left the ring", node(id)),
        Notice::Refuted { .. }
        | Notice::Placed { .. }
        | Notice::Pointers { .. }
        | Notice::Synchronised { .. }
        | Notice::HandedOff { .. }
        | Notice::Collected { .. }
        | Notice::Malformed { .. }
        | Notice::NotUnderstood { .. } => return None,
    })
}

#[cfg(test)]
mod tests;
