//! The handle of a running node: everything that an edge may ask of it.
//!
//! A [`Node`] is cheap to clone. It takes no decision: a wish becomes a command to the core, and
//! the core's answer comes back.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{EXPELLED_MAX, Endpoint, InviteCode};
use chordal_object::{Name, NodeId};
use chordal_proto::effect::{Answer, Notice, RingCheck, RingStatus, TokenFingers, Whereabouts};
use chordal_proto::forecast::{Change, Loss};
use chordal_proto::input::{Command, Draft};
use chordal_proto::limits::LIST_ROWS_MAX;
use chordal_proto::{Settings, Timing};
use futures_util::Stream;
use tokio::sync::{OnceCell, broadcast, watch};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attest::{Asker, Attested, Inquiry, WeakAttestor};
use crate::chronicle::{self, Chronicle};
use crate::client::{Client, unexpected};
use crate::counters::{Count, Counters, Counting};
use crate::error::NodeError;
use crate::exec;
use crate::expulsions::{Expulsions, tell_all};
use crate::files::{ByteRange, Download, FileInfo, ListPage, Only, PutRequest, PutResult, Removed};
use crate::home::{Admitted, Announcement, Home, HomeError, Invitations, RunningNode, now};
use crate::limits::TOKENS;
use crate::losses::{self, LossPage};
use crate::meter::Fetched;
use crate::moved::Moved;
use crate::nearby::{Announced, Presence, reunite};
use crate::receipt::{self, Receipt};
use crate::repair::{Repair, RepairPace};
use crate::scrub::ScrubPace;
use crate::start::address::reachable;
use crate::start::{self, StartError};
use crate::{get, put, stop};

/// What a node is told when it starts.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder of this user's nodes.
    pub home: Home,
    /// Where to listen for the ring; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where others reach this node; nothing to take `listen`, or where that is all addresses of
    /// the machine, the one that a packet to the outside would leave by.
    pub advertise: Option<SocketAddr>,
    /// The node's folder; nothing for its place in the home.
    pub data: Option<PathBuf>,
    /// Bytes offered to the ring; nothing for what the disk has free. With 0 the node keeps
    /// nothing and only reads and writes.
    pub offer: Option<u64>,
    /// Addresses of nodes whose ring to join; none to found a ring, or to return to the old one.
    pub join: Vec<SocketAddr>,
    /// A join code: enters the ring that it is of, and joins at its addresses.
    pub invite: Option<InviteCode>,
    /// Whether the node says on the local network where it is, and looks there for nodes of its ring
    /// that it cannot reach otherwise. Of no effect where it listens on the loopback alone.
    pub nearby: bool,
    /// Whether a newly founded ring is of the classic profile: SHA-1, 10 bits, one token a node.
    pub classic: bool,
    /// Bits of a newly founded ring's keys, 3 to 128; nothing for the profile's own.
    pub bits: Option<u8>,
    /// The name of a newly founded ring; nothing for `chordal`.
    pub ring_name: Option<String>,
    /// How the node paces its work.
    pub timing: Timing,
    /// How soon every copy is read again, and how fast.
    pub scrub: ScrubPace,
    /// How fast copies are made again.
    pub repair: RepairPace,
    /// Where to record everything that the node's core is told, for a replay; nothing to record
    /// nothing. Contents of files are not in it.
    pub record: Option<PathBuf>,
}

impl NodeConfig {
    /// A node of this home that listens there; everything else as it comes.
    pub fn new(home: Home, listen: SocketAddr) -> Self {
        Self {
            home,
            listen,
            advertise: None,
            data: None,
            offer: None,
            join: Vec::new(),
            invite: None,
            nearby: false,
            classic: false,
            bits: None,
            ring_name: None,
            timing: Timing::default(),
            scrub: ScrubPace::default(),
            repair: RepairPace::default(),
            record: None,
        }
    }
}

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It works.
    Running,
    /// It handed everything over and belongs to the ring no more; the program may stop it.
    Left,
    /// The ring's authority has expelled it; the program should stop it.
    Expelled,
    /// It takes no new work and ends.
    Stopping,
    /// It has ended.
    Stopped,
}

/// Why nobody can be invited here.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The ring's authority is elsewhere: where this machine was let in, if that is known.
    #[error("this machine does not hold the ring's authority")]
    NotFounder(Option<SocketAddr>),
    /// There is no address that a code could hold.
    #[error("this node listens at no address that means anything on another machine")]
    NoAddress,
    /// So many are open that this one would be one too many.
    #[error("{0} invitations are open, as many as there may be")]
    TooMany(usize),
    /// The invitation could not be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The program is about to end.
    #[error("the program is stopping")]
    Interrupted,
}

/// Why a node was not expelled.
#[derive(Debug, thiserror::Error)]
pub enum ExpelError {
    /// The ring's authority is elsewhere: where this machine was let in, if that is known.
    #[error("this machine does not hold the ring's authority")]
    NotFounder(Option<SocketAddr>),
    /// It is the node that was asked.
    #[error("a node does not expel itself")]
    Itself,
    /// No more can be remembered.
    #[error("{EXPELLED_MAX} nodes were expelled from this ring, and no more can be")]
    TooMany,
    /// The ring would not, or could not say.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// It could not be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The program is about to end.
    #[error("the program is stopping")]
    Interrupted,
}

/// A node was expelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expelled {
    /// Since when, in Unix seconds.
    pub since: u64,
    /// How many others were told at once. They tell the rest.
    pub told: usize,
}

/// Whether a leave may lose copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It may.
    Yes,
    /// It is refused then.
    No,
}

/// A running node. When the last clone is dropped without [`Node::shutdown`] the node ends at once,
/// as if its program had been killed: nothing acknowledged is lost by that.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
}

/// What all clones of a node share. The driver's task does not hold it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: NodeId,
    pub(crate) addr: SocketAddr,
    pub(crate) home: Home,
    pub(crate) folder: PathBuf,
    pub(crate) control_token: String,
    pub(crate) invitations: Option<Arc<Invitations>>,
    pub(crate) expulsions: Expulsions,
    pub(crate) client: Arc<Client>,
    pub(crate) attestor: WeakAttestor,
    pub(crate) endpoint: Endpoint,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) repair: Arc<Repair>,
    pub(crate) chronicle: Arc<chronicle::Log>,
    pub(crate) phase: watch::Sender<Phase>,
    /// Everything that runs for this node, threads that wait for the disk included.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) stopped: OnceCell<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.close();
    }
}

impl Node {
    /// Starts a node and, where it is told to join, joins. When this fails nothing stays running.
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        start::start(config).await
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Lets something run beside the node until it stops.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Client>) -> F,
    ) {
        let work = work(Arc::clone(&self.shared.client));
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(async move {
            stop.run_until_cancelled(work).await.unwrap_or_default();
        });
    }

    /// Says on the local network where this node is, and looks there for its ring when it has lost it.
    pub(crate) fn stay_in_sight(&self, presence: Presence) {
        let endpoint = self.shared.endpoint.clone();
        self.spawn(async move |client| {
            let _announced = spawn_blocking(move || Announced::begin(&presence)).await;
            reunite(client, endpoint, presence).await;
        });
    }

    /// Who this node is.
    pub fn id(&self) -> NodeId {
        self.shared.id
    }

    /// Where it listens for the ring.
    pub fn listening(&self) -> SocketAddr {
        self.shared.endpoint.local_addr()
    }

    /// Where others reach it.
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// What the ring is set to.
    pub fn settings(&self) -> Settings {
        self.shared.client.settings()
    }

    /// The secret that a client of the control API must show: 64 hexadecimal digits.
    pub fn control_token(&self) -> &str {
        &self.shared.control_token
    }

    /// Whether this node may let others in: its home holds the ring's authority.
    pub fn may_invite(&self) -> bool {
        self.shared.invitations.is_some()
    }

    /// A code that lets so many other machines in, for so long.
    pub async fn invite(&self, uses: u32, lasts: Duration) -> Result<InviteCode, InviteError> {
        let invitations = self.shared.invitations.clone();
        let invitations = invitations.ok_or_else(|| InviteError::NotFounder(self.founder()))?;
        let addrs = reachable(self.addr(), self.listening());
        if addrs.is_empty() {
            return Err(InviteError::NoAddress);
        }
        let code = InviteCode::fresh(&addrs, &invitations.authority().id());
        let secret = code.secret;
        let opened = spawn_blocking(move || invitations.open(secret, uses, lasts)).await;
        match opened {
            Ok(opened) => opened.map(|()| code),
            Err(_) => Err(InviteError::Interrupted),
        }
    }

    /// Where the node listened that let this home in, if it was invited.
    fn founder(&self) -> Option<SocketAddr> {
        self.shared.home.founder()
    }

    /// Whom the ring's authority let in, in that order; none where it is not here.
    pub async fn admitted(&self) -> Result<Option<Vec<Admitted>>, InviteError> {
        let Some(invitations) = self.shared.invitations.clone() else {
            return Ok(None);
        };
        let reading = spawn_blocking(move || invitations.roster().all()).await;
        let admitted = reading.map_err(|_| InviteError::Interrupted)?;
        Ok(Some(admitted?))
    }

    /// Leaves word in the home that this node runs, so that the command line finds it. The word
    /// goes with the returned value.
    pub fn announce(&self, http: Option<SocketAddr>) -> Result<Announcement, HomeError> {
        let node = RunningNode {
            ring: self.listening(),
            http,
            pid: std::process::id(),
            folder: self.shared.folder.clone(),
        };
        Announcement::write(&self.shared.home.running_folder(), &node)
    }

    /// What it did since it started.
    pub fn counters(&self) -> Counters {
        let network = self.shared.endpoint.counters();
        let mut counters = self.shared.client.counting.snapshot(network);
        counters.copying_bytes_per_second = self.shared.repair.bytes_per_second();
        counters
    }

    /// What happens in the ring, as it happens. A slow listener misses the oldest.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.shared.notices.subscribe()
    }

    /// What happened in the ring in the last day, as far as this node saw it.
    pub fn chronicle(&self) -> Chronicle {
        self.shared.chronicle.read(put::now_ms())
    }

    /// How many events the chronicle noted since the node started: it grows when there is more to read.
    pub fn events_noted(&self) -> u64 {
        self.shared.chronicle.noted()
    }

    /// How many chunks went between this node and others, by the other node.
    pub fn moved(&self) -> BTreeMap<NodeId, Moved> {
        self.shared.client.counting.moved.read()
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    /// Returns once the node has left the ring, was expelled from it, or has stopped, and says which.
    pub async fn wait_left(&self) -> Phase {
        let mut phase = self.shared.phase.subscribe();
        let ended = |phase: &Phase| matches!(phase, Phase::Left | Phase::Expelled | Phase::Stopped);
        match phase.wait_for(ended).await {
            Ok(phase) => *phase,
            // The sender lives as long as this node.
            Err(_) => Phase::Stopped,
        }
    }

    /// Stores a file, whatever its size, in constant memory. Acknowledged means durable on a
    /// majority of the holders; on any error nothing is visible. Dropping the future gives up.
    pub async fn put<S, E>(&self, request: PutRequest, body: S) -> Result<PutResult, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Display,
    {
        let put = put::put(&self.shared.client, request, body).await;
        self.counted(put, |counting| &counting.puts)
    }

    /// Begins to read a file, or a range of it.
    pub async fn get(&self, name: &Name, range: Option<ByteRange>) -> Result<Download, NodeError> {
        let got = get::get(&self.shared.client, name, range).await;
        self.counted(got, |counting| &counting.gets)
    }

    /// What is known of a file.
    pub async fn stat(&self, name: &Name) -> Result<FileInfo, NodeError> {
        let _work = self.shared.client.begin()?;
        get::stat(&self.shared.client, name).await
    }

    /// Deletes a name, if what `only` asks for is true. One that is not there is an error.
    pub async fn remove(&self, name: &Name, only: Option<&Only>) -> Result<Removed, NodeError> {
        let condition = put::condition(&self.shared.client, name, only).await?;
        let tombstone = Draft {
            name: name.clone(),
            modified_ms: put::now_ms(),
            file: None,
            condition,
        };
        let answer = self.ask(Command::WriteRecord(tombstone)).await;
        let Answer::Written {
            version, copies, ..
        } = self.counted(answer, |counting| &counting.removes)?
        else {
            unexpected("WriteRecord")
        };
        Ok(Removed { version, copies })
    }

    /// A page of the names in a space that begin with `prefix` and come after `after`, at most
    /// `limit` and at most 1,000.
    pub async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ListPage, NodeError> {
        let limit_max = u32::try_from(LIST_ROWS_MAX).unwrap_or(u32::MAX);
        let command = Command::List {
            space: space.to_owned(),
            prefix: prefix.to_owned(),
            after: after.map(str::to_owned),
            limit: limit.min(limit_max),
        };
        let answer = self.ask(command).await;
        let Answer::Listed {
            rows,
            more,
            last,
            missing,
        } = self.counted(answer, |counting| &counting.lists)?
        else {
            unexpected("List")
        };
        Ok(ListPage {
            rows,
            more,
            last,
            missing,
        })
    }

    /// What deaths would do to the files of such a page: those that are to be looked at are chosen as
    /// with [`Node::list`].
    pub async fn losses(
        &self,
        loss: &Loss,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<LossPage, NodeError> {
        let page = self.list(space, prefix, after, limit).await?;
        let client = &self.shared.client;
        let _work = client.begin()?;
        losses::judge(client, loss, page).await
    }

    /// A node like this one that joins and offers so much, for a forecast.
    pub const fn newcomer(offered_bytes: u64) -> Change {
        Change::Join {
            offered_bytes,
            tokens: if offered_bytes > 0 { TOKENS } else { 0 },
        }
    }

    /// How fast this node has fetched copies of its own since it started.
    pub fn fetched(&self) -> Fetched {
        self.shared.client.counting.fetching.read()
    }

    /// The way to a name, and who holds it.
    pub async fn whereis(&self, name: &Name) -> Result<Whereabouts, NodeError> {
        let Answer::Where(whereabouts) = self.ask(Command::Where(name.clone())).await? else {
            unexpected("Where")
        };
        Ok(whereabouts)
    }

    /// What the holders of a file say of it now, each signed by its own key. Reading again takes as long
    /// as holders allow themselves.
    pub async fn attest(&self, inquiry: &Inquiry) -> Result<Attested, NodeError> {
        let _work = self.shared.client.begin()?;
        self.asker()?.inquire(inquiry).await
    }

    /// A receipt of a file, if this is its version: what its holders sign now.
    pub async fn receipt(&self, name: &Name, version: Option<&str>) -> Result<Receipt, NodeError> {
        let _work = self.shared.client.begin()?;
        receipt::make(&self.asker()?, name, version).await
    }

    fn asker(&self) -> Result<Asker, NodeError> {
        let own = self.shared.attestor.upgrade();
        Ok(Asker {
            client: Arc::clone(&self.shared.client),
            endpoint: self.shared.endpoint.clone(),
            own: own.ok_or(NodeError::Stopping)?,
        })
    }

    /// How the whole ring is.
    pub async fn status(&self) -> Result<RingStatus, NodeError> {
        let Answer::Status(status) = self.ask(Command::Status).await? else {
            unexpected("Status")
        };
        Ok(status)
    }

    /// Walks the live ring, node by node over the network, and says what it is: the certificate.
    pub async fn check(&self) -> Result<RingCheck, NodeError> {
        let Answer::Checked(check) = self.ask(Command::Check).await? else {
            unexpected("Check")
        };
        Ok(check)
    }

    /// This node's finger tables, one a token.
    pub async fn fingers(&self) -> Result<Vec<TokenFingers>, NodeError> {
        let Answer::Fingers(fingers) = self.ask(Command::Fingers).await? else {
            unexpected("Fingers")
        };
        Ok(fingers)
    }

    /// Joins the ring of whoever answers at one of these addresses; returns how many nodes it
    /// knows there, itself included. When it fails the node stays as it was.
    pub async fn join(&self, addresses: Vec<SocketAddr>) -> Result<usize, NodeError> {
        let Answer::Joined { nodes } = self.ask(Command::Join(addresses)).await? else {
            unexpected("Join")
        };
        Ok(nodes)
    }

    /// Hands everything over and leaves the ring for good. Without [`Force::Yes`] it is refused
    /// while copies would be lost.
    pub async fn leave(&self, force: Force) -> Result<(), NodeError> {
        let force = force == Force::Yes;
        let Answer::Left = self.ask(Command::Leave { force }).await? else {
            unexpected("Leave")
        };
        let home = self.shared.home.clone();
        let forgetting = spawn_blocking(move || home.forget_founder()).await;
        if let Ok(Err(error)) = forgetting {
            tracing::warn!(%error, "the ring that was left is looked for at the next start");
        }
        Ok(())
    }

    /// Gives a silent node up at once and for good, in the whole ring. Refused for one that answers,
    /// and without [`Force::Yes`] where it may be the last one to have something.
    pub async fn forget(&self, node: NodeId, force: Force) -> Result<(), NodeError> {
        let force = force == Force::Yes;
        let Answer::Forgotten = self.ask(Command::Forget { node, force }).await? else {
            unexpected("Forget")
        };
        Ok(())
    }

    /// Expels a node in the authority's name, for good: every node ends its connections with it and
    /// refuses it, and its copies are made again elsewhere. Without [`Force::Yes`] it is refused where
    /// that node may be the last one to have something.
    pub async fn expel(&self, node: NodeId, force: Force) -> Result<Expelled, ExpelError> {
        let peer = exec::peer(node);
        let invitations = self.shared.invitations.clone();
        let invitations = invitations.ok_or_else(|| ExpelError::NotFounder(self.founder()))?;
        if node == self.id() {
            return Err(ExpelError::Itself);
        }
        let (expulsions, endpoint) = (&self.shared.expulsions, &self.shared.endpoint);
        let admission = expulsions.admission();
        if !admission.is_refused(&peer) {
            if admission.expulsions().len() >= EXPELLED_MAX {
                return Err(ExpelError::TooMany);
            }
            let force = force == Force::Yes;
            let Answer::Expellable = self.ask(Command::MayExpel { node, force }).await? else {
                unexpected("MayExpel")
            };
            let home = self.shared.home.clone();
            let expulsion = invitations.authority().expel(peer, now());
            // Kept before anything else: what others were told must hold here, too.
            let keeping = spawn_blocking(move || home.keep_expelled(&[expulsion])).await;
            keeping.map_err(|_| ExpelError::Interrupted)??;
            let _is_news = admission.expel(expulsion).expect("signed by its authority");
        }
        let since = admission.expulsion_of(&peer).map_or(0, |word| word.since());
        let told = tell_all(endpoint, expulsions).await;
        Ok(Expelled { since, told })
    }

    /// Since when nodes are members, in Unix seconds: of this node, and of those it is connected with.
    pub fn member_since(&self) -> BTreeMap<NodeId, u64> {
        let own = self.shared.expulsions.admission().certificate().issued_at();
        let peers = self.shared.endpoint.peers().into_iter();
        let peers = peers.map(|peer| (exec::node(peer.id), peer.since));
        peers.chain([(self.id(), own)]).collect()
    }

    /// Who is expelled, and since when, in Unix seconds.
    pub fn expelled(&self) -> BTreeMap<NodeId, u64> {
        let all = self.shared.expulsions.admission().expulsions().into_iter();
        all.map(|word| (exec::node(word.node()), word.since()))
            .collect()
    }

    /// Stops in order: takes no new work, lets work in flight end within `grace`, says farewell to
    /// the neighbours, closes connections and the store. Takes at most 10 seconds; after it all of
    /// the node's tasks have ended. Its copies stay on its disk. A second call waits for the first.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared
            .stopped
            .get_or_init(|| stop::stop(&self.shared, grace))
            .await;
    }

    async fn ask(&self, command: Command) -> Result<Answer, NodeError> {
        let client = &self.shared.client;
        let _work = client.begin()?;
        client.ask(command).await
    }

    /// Counts an operation's end.
    fn counted<T>(
        &self,
        end: Result<T, NodeError>,
        which: impl Fn(&Counting) -> &Count,
    ) -> Result<T, NodeError> {
        let counting = &self.shared.client.counting;
        match &end {
            Ok(_) => which(counting).one(),
            Err(error) => {
                counting.failures.one();
                tracing::debug!(%error, "an operation failed");
            }
        }
        end
    }
}
