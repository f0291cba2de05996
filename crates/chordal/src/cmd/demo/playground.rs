//! When the story is told the ring stays, and whoever watched may break and mend it.

use std::path::Path;

use chordal_web::safety::Safety;

use super::{FILE, flags, holders};
use crate::child::ChildNode;
use crate::client::{Client, Upload};
use crate::menu::prompt::Prompt;
use crate::out::{Out, size};
use crate::picture::letter;
use crate::trouble::Trouble;

/// The largest file that may be put in: the demo's nodes offer little.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The ring of the demo, and who of it lives.
pub(super) struct Playground<'a> {
    out: Out,
    home: &'a Path,
    nodes: Vec<ChildNode>,
    alive: Vec<bool>,
}

/// What somebody typed.
enum Wish<'a> {
    Kill(&'a str),
    Start(&'a str),
    Where(&'a str),
    Put(&'a str),
    Ring,
    Open,
    Help,
    Quit,
    Strange,
}

impl<'a> Playground<'a> {
    /// Takes over the nodes, one of which was killed.
    pub(super) fn new(out: Out, home: &'a Path, nodes: Vec<ChildNode>, killed: usize) -> Self {
        let alive = (0..nodes.len()).map(|index| index != killed).collect();
        Self {
            out,
            home,
            nodes,
            alive,
        }
    }

    /// Does what is typed, until `q` or the end of the input.
    pub(super) async fn play(mut self) -> Result<(), Trouble> {
        self.out.line("")?;
        self.open().await?;
        self.help()?;
        let prompt = Prompt::open();
        while let Some(line) = prompt.ask("demo> ").await {
            let done = match wish(&line) {
                Wish::Quit => break,
                Wish::Kill(node) => self.kill(node),
                Wish::Start(node) => self.start(node).await,
                Wish::Where(name) => self.whereis(name).await,
                Wish::Put(file) => self.put(file).await,
                Wish::Ring => self.ring().await,
                Wish::Open => self.open().await,
                Wish::Help => self.help(),
                Wish::Strange if line.trim().is_empty() => Ok(()),
                Wish::Strange => self.help(),
            };
            if let Err(trouble) = done {
                self.out.line(trouble.paragraph())?;
            }
        }
        prompt.close();
        Ok(())
    }

    fn help(&self) -> Result<(), Trouble> {
        self.out.line(format_args!(
            "Now you: kill C · start C · where {FILE} · put FILE · ring · open · q ends it and removes everything"
        ))
    }

    async fn open(&self) -> Result<(), Trouble> {
        let client = self.client()?;
        let link = client.dashboard_link().await?;
        let addr = client.addr();
        self.out.line(format_args!(
            "The dashboard, by a link that works once, for minutes:\n  http://{addr}/#{}",
            link.link
        ))
    }

    fn kill(&mut self, name: &str) -> Result<(), Trouble> {
        let index = self.index(name)?;
        if !self.alive[index] {
            let what = format!("{} does not run", letter(index));
            return Err(Trouble::failed("refused", what));
        }
        self.nodes[index].kill();
        self.alive[index] = false;
        let living = self.alive.iter().filter(|alive| **alive).count();
        self.out.line(format_args!(
            "{} was killed (kill -9); {living} live. See: ring",
            letter(index)
        ))
    }

    async fn start(&mut self, name: &str) -> Result<(), Trouble> {
        let index = self.index(name)?;
        if self.alive[index] {
            return Err(Trouble::failed(
                "refused",
                format!("{} runs already", letter(index)),
            ));
        }
        let port = self.nodes[index].ring.port();
        self.nodes[index] = ChildNode::start_at(self.home, port, &flags(&[])).await?;
        self.alive[index] = true;
        self.out.line(format_args!(
            "{} is back, with what its disk still had. See: ring",
            letter(index)
        ))
    }

    async fn whereis(&self, name: &str) -> Result<(), Trouble> {
        let found = self.client()?.whereis(name).await?;
        self.out.line(holders(&found, &self.nodes))
    }

    async fn put(&self, file: &str) -> Result<(), Trouble> {
        let path = Path::new(file);
        let problem = |error: std::io::Error| Trouble::file(path, &error);
        let length = tokio::fs::metadata(path).await.map_err(problem)?.len();
        if length > FILE_BYTES_MAX {
            return Err(Trouble::failed(
                "refused",
                format!("the demo takes files of up to {}", size(FILE_BYTES_MAX)),
            ));
        }
        let content = tokio::fs::read(path).await.map_err(problem)?;
        let name = path
            .file_name()
            .map_or_else(|| file.into(), |name| name.to_string_lossy());
        let stored = self
            .client()?
            .put(&name, Upload::bytes(content.into()), None)
            .await?;
        self.out.line(format_args!(
            "stored {name}  {}  {} of {} copies durable. See: where {name}",
            size(length),
            stored.copies.durable,
            stored.copies.wanted
        ))
    }

    async fn ring(&self) -> Result<(), Trouble> {
        let status = self.client()?.status().await?;
        for (index, node) in self.nodes.iter().enumerate() {
            let mut nodes = status.ring.nodes.iter();
            let state = nodes
                .find(|health| health.id == node.id)
                .map_or("unknown", |health| health.state.as_str());
            self.out
                .line(format_args!("{}  {state}  {}", letter(index), node.ring))?;
        }
        let safety = Safety::of(&status.ring.nodes, &status.repair);
        self.out.line(&safety.words)
    }

    /// A node that can be asked.
    fn client(&self) -> Result<&Client, Trouble> {
        let mut nodes = self.nodes.iter().zip(&self.alive);
        let living = nodes.find(|(_, alive)| **alive);
        living.map(|(node, _)| &node.client).ok_or_else(|| {
            Trouble::failed("no_node", "all five are dead")
                .still("Their disks are there.")
                .advice("Start one: start A")
        })
    }

    fn index(&self, name: &str) -> Result<usize, Trouble> {
        (0..self.nodes.len())
            .find(|&index| letter(index).to_string().eq_ignore_ascii_case(name))
            .ok_or_else(|| Trouble::failed("not_found", format!("'{name}' is no node of A to E")))
    }
}

fn wish(line: &str) -> Wish<'_> {
    let line = line.trim();
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (verb, rest.trim()) {
        ("kill", node) if !node.is_empty() => Wish::Kill(node),
        ("start", node) if !node.is_empty() => Wish::Start(node),
        ("where", name) if !name.is_empty() => Wish::Where(name),
        ("put", file) if !file.is_empty() => Wish::Put(file),
        ("ring" | "status", "") => Wish::Ring,
        ("open", "") => Wish::Open,
        ("help" | "?", "") => Wish::Help,
        // The prompt says 0 for Ctrl-C and Ctrl-D.
        ("q" | "quit" | "exit" | "0", "") => Wish::Quit,
        _ => Wish::Strange,
    }
}
