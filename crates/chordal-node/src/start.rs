//! Starting a node: folder, identity, admission, store, network, core, in this order.

pub(crate) mod address;
mod entrance;
mod error;
mod rebuilt;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{Admission, Endpoint, Fingerprint, Limits, NodeKey, Target};
use chordal_object::{Bits, NodeId};
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::{Config, Peer, Profile, Settings, Time, saved_nodes};
use chordal_store::OpenError;
use tokio::sync::{OnceCell, broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acquaintances::{Acquaintances, Recalled};
use crate::attest::Attestor;
use crate::chronicle;
use crate::client::{Client, SharedSettings};
use crate::counters::Counting;
use crate::driver::Driver;
use crate::exec::{self, Disk, FORMER, Keeper, MEMBERS, SETTINGS, Server, Transfers};
use crate::expulsions::{Expulsions, Spread};
use crate::held::Held;
use crate::home::NodeFolder;
use crate::inbox::Inbox;
use crate::limits::{
    BULK_BODY_BYTES_MAX, BULK_CONNECTIONS_MAX, COMMANDS_MAX, FREE_PORT_TRIES, INBOUND_BYTES_MAX,
    MET_MAX, NOTICES_MAX, TOKENS,
};
use crate::nearby::{self, Presence};
use crate::node::{Node, NodeConfig, Phase, Shared};
use crate::notices::Notices;
use crate::put::now_ms;
use crate::recorder::{Recorder, Rotation};
use crate::repair::Repair;
use crate::scrub;
use crate::settings_bytes;

use entrance::Entrance;
pub use error::StartError;

/// Starts a node; see [`Node::start`].
pub(crate) async fn start(config: NodeConfig) -> Result<Node, StartError> {
    for _ in 1..FREE_PORT_TRIES {
        let own_folder = config.data.is_none();
        match Box::pin(start_at(config.clone())).await {
            // A node that was started at the same moment found the same port free.
            Err(StartError::PortInUse(_)) if config.listen.port() == 0 => {}
            Err(StartError::Locked { .. }) if config.listen.port() == 0 && own_folder => {}
            end => return end,
        }
    }
    Box::pin(start_at(config)).await
}

async fn start_at(mut config: NodeConfig) -> Result<Node, StartError> {
    // First of all, so that a port in use is found before anything is touched.
    config.listen = address::probe(config.listen)?;
    if let Some(code) = &config.invite {
        config.join.extend(&code.addrs);
    }
    let addr = address::advertised(&config);
    let counting = Arc::new(Counting::default());
    let inbox = Arc::new(Inbox::default());
    let on_disk = {
        let (config, counting) = (config.clone(), Arc::clone(&counting));
        let inbox = Arc::clone(&inbox);
        // Whoever gives this start up does not wait for another machine's answer.
        let stop = CancellationToken::new();
        let _stops = stop.clone().drop_guard();
        let opening = move || OnDisk::open(&config, (counting, inbox), &stop);
        let opened = tokio::task::spawn_blocking(opening);
        opened.await.map_err(|_| StartError::Interrupted)??
    };
    let (endpoint, events) = Endpoint::bind(chordal_net::Config {
        listen: config.listen,
        key: on_disk.key.clone(),
        admission: Arc::clone(&on_disk.entrance.admission),
        limits: network_limits(),
    })
    .await?;
    let (is_new, former) = (on_disk.is_new, on_disk.former);
    let seeds = on_disk.seeds.clone();
    let (node, driver, spread) = assemble(
        &config,
        addr,
        on_disk,
        (counting, inbox),
        (endpoint, events),
    )?;
    let disk = driver.disk.clone();
    node.tasks.spawn(driver.run());
    node.tasks.spawn(spread.run(node.stop.clone()));
    node.tasks
        .spawn(scrub::run(disk.clone(), config.scrub, node.stop.clone()));
    let announced = config.nearby && nearby::is_of_use(node.endpoint.local_addr());
    let presence = announced.then(|| presence(&node));
    let node = Node::new(node);
    if let Some(presence) = presence {
        node.stay_in_sight(presence);
    }
    tracing::info!(node = %node.id().short(), addr = %node.addr(), "started");
    if !seeds.is_empty() {
        join(&node, seeds, is_new).await?;
    }
    if is_new {
        keep_settings(&node, disk.clone()).await?;
    }
    if let Some(former) = former {
        node.spawn(|client| rebuilt::forget(client, disk, former));
    }
    Ok(node)
}

/// Keeps the settings of the ring that a new node founded or joined. Not before it has joined, so
/// that after a join in vain it can be started otherwise.
async fn keep_settings(node: &Node, disk: Disk) -> Result<(), StartError> {
    let bytes = settings_bytes::encode(&node.settings());
    let kept = disk.keep_value(SETTINGS, bytes).await;
    drop(disk);
    if kept.is_ok() {
        return Ok(());
    }
    node.shutdown(Duration::ZERO).await;
    Err(StartError::Store {
        path: node.folder().to_owned(),
        reason: "the disk is full or failed".to_owned(),
    })
}

/// Joins at the start. A node that belongs to a ring from an earlier life goes on without: it finds
/// its way back by itself when others come up again.
async fn join(node: &Node, addresses: Vec<SocketAddr>, is_new: bool) -> Result<(), StartError> {
    match node.join(addresses).await {
        Ok(nodes) => {
            tracing::info!(nodes, "joined");
            Ok(())
        }
        Err(error) if !is_new => {
            tracing::warn!(%error, "not joined; going on with the ring of the earlier life");
            Ok(())
        }
        Err(error) => {
            node.shutdown(Duration::ZERO).await;
            Err(StartError::Join(error))
        }
    }
}

/// What a node finds on its disk when it starts.
struct OnDisk {
    folder: NodeFolder,
    key: NodeKey,
    entrance: Entrance,
    control_token: String,
    incarnation: u64,
    keeper: Keeper,
    settings: Settings,
    /// Whether this folder has not belonged to a ring yet.
    is_new: bool,
    /// Who this node was before its index was lost, while the ring may still wait for that one.
    former: Option<NodeId>,
    /// Where to join.
    seeds: Vec<SocketAddr>,
    members: Option<Bytes>,
}

impl OnDisk {
    /// Opens everything, in an order in which a refusal leaves the rest untouched.
    fn open(
        config: &NodeConfig,
        (counting, alarm): (Arc<Counting>, Arc<Inbox>),
        stop: &CancellationToken,
    ) -> Result<Self, StartError> {
        let path = match &config.data {
            Some(path) => path.clone(),
            None => config.home.node_folder(config.listen.port()),
        };
        entrance::foresee(config, &path, false)?;
        let folder = NodeFolder::open(&path)?;
        let store_path = folder.store();
        let keeper = Keeper::open(
            &store_path,
            config.offer,
            Arc::clone(&counting),
            Arc::clone(&alarm),
        );
        let keeper = match keeper {
            Err(OpenError::IndexLost(why)) => {
                entrance::foresee(config, &path, true)?;
                rebuilt::keeper(config, &folder, &why, (counting, alarm))?
            }
            end => end.map_err(|error| StartError::of_store(&path, error))?,
        };
        let value = |name| {
            let value = keeper.value(name);
            value.map_err(|error| StartError::Store {
                path: path.clone(),
                reason: error.to_string(),
            })
        };
        let members = value(MEMBERS)?;
        let kept = value(SETTINGS)?;
        let is_new = kept.is_none();
        let former = rebuilt::former(&folder, value(FORMER)?)?;
        let recalled = former.map(|_| Recalled::read(&path)).unwrap_or_default();
        let settings = match (kept, recalled.settings.clone()) {
            (Some(bytes), _) => kept_settings(config, &path, &bytes)?,
            (None, Some(settings)) => settings,
            (None, None) => founding_settings(config)?,
        };
        let seeds = match former {
            Some(former) if is_new => {
                let own = [former, exec::node(folder.key()?.peer_id())];
                rebuilt::seeds(config, &path, &own, &recalled)?
            }
            Some(_) | None => config.join.clone(),
        };
        let key = folder.key()?;
        let entrance = entrance::open(config, &folder, &key, stop)?;
        let mut seeds = seeds;
        seeds.splice(0..0, entrance.let_in_at);
        let knows_others = members
            .clone()
            .is_some_and(|saved| saved_nodes(saved).len() > 1);
        if seeds.is_empty() && !knows_others && entrance.invitations.is_none() {
            // It was let in and stopped before it had noted anybody.
            seeds.extend(config.home.founder());
        }
        entrance::recall_expelled(&config.home, &folder, &key, &entrance.admission)?;
        Ok(Self {
            entrance,
            control_token: folder.control_token()?,
            incarnation: folder.next_incarnation()?,
            folder,
            key,
            keeper,
            settings,
            is_new,
            former,
            seeds,
            members,
        })
    }
}

/// The settings of the ring that this node belonged to. What the starter asked for must not
/// contradict them.
fn kept_settings(config: &NodeConfig, path: &Path, bytes: &[u8]) -> Result<Settings, StartError> {
    let settings = settings_bytes::decode(bytes).ok_or_else(|| StartError::Newer {
        path: path.to_owned(),
        what: "the ring's settings".to_owned(),
    })?;
    let is_classic = settings.profile == Profile::Classic;
    let other_bits = config.bits.is_some_and(|bits| bits != settings.bits.get());
    if other_bits || (config.classic && !is_classic) {
        let profile = if is_classic { "classic" } else { "standard" };
        return Err(StartError::Settings(format!(
            "{} belongs to a {profile} ring of {} bits; start it as such, or choose another --data",
            path.display(),
            settings.bits.get()
        )));
    }
    Ok(settings)
}

/// The settings of a ring that this node founds.
fn founding_settings(config: &NodeConfig) -> Result<Settings, StartError> {
    let mut settings = Settings::default();
    if config.classic {
        settings.profile = Profile::Classic;
        settings.bits = Bits::CLASSIC;
    }
    if let Some(bits) = config.bits {
        settings.bits = Bits::new(bits)
            .ok_or_else(|| StartError::Settings(format!("a key has 3 to 128 bits, not {bits}")))?;
    }
    if let Some(name) = &config.ring_name {
        settings.ring_name.clone_from(name);
    }
    Ok(settings)
}

fn network_limits() -> Limits {
    Limits {
        inbound_bytes_max: INBOUND_BYTES_MAX,
        body_bytes_max: BULK_BODY_BYTES_MAX,
        bulk_connections_max: BULK_CONNECTIONS_MAX,
        ..Limits::default()
    }
}

/// The core of this node, at the beginning of a life, and what records it.
fn core(
    config: &NodeConfig,
    node: NodeId,
    addr: SocketAddr,
    on_disk: &OnDisk,
    tasks: &TaskTracker,
) -> Result<(Peer, Option<Recorder>), StartError> {
    let birth = Config {
        settings: on_disk.settings.clone(),
        timing: config.timing.clone(),
        node,
        addr,
        incarnation: on_disk.incarnation,
        offered_bytes: offered_bytes(config, &on_disk.keeper),
        tokens: if config.offer == Some(0) { 0 } else { TOKENS },
        remembered: on_disk.members.clone(),
        table_nodes: TABLE_MAX,
        seed: RandomState::new().hash_one(on_disk.incarnation),
    };
    let record = |path: &PathBuf| {
        let recorder = Recorder::start(path, Rotation::default(), birth.clone(), tasks);
        recorder.map_err(|error| StartError::Record {
            path: path.clone(),
            reason: error.to_string(),
        })
    };
    let recorder = config.record.as_ref().map(record).transpose()?;
    Ok((Peer::new(birth, Time::default()), recorder))
}

/// What this node offers to the ring; told where it is less than was wished.
fn offered_bytes(config: &NodeConfig, keeper: &Keeper) -> u64 {
    let offered = keeper.offered_bytes();
    if let Some(wished) = config.offer.filter(|&wished| wished > offered) {
        tracing::warn!(
            wished,
            offered,
            "the disk has not that much room; less is offered"
        );
    }
    offered
}

/// Puts the parts together.
fn assemble(
    config: &NodeConfig,
    addr: SocketAddr,
    on_disk: OnDisk,
    (counting, inbox): (Arc<Counting>, Arc<Inbox>),
    (endpoint, events): (Endpoint, chordal_net::Events),
) -> Result<(Shared, Driver, Spread), StartError> {
    let addr = address::with_port(addr, endpoint.local_addr());
    let id = exec::node(on_disk.key.peer_id());
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let held = Arc::new(Held::default());
    let settings = Arc::new(RwLock::new(on_disk.settings.clone()));
    let phase = watch::Sender::new(Phase::Running);
    let notices = broadcast::Sender::new(NOTICES_MAX);
    let (orders, orders_taken) = mpsc::channel(COMMANDS_MAX);
    let (peer, recorder) = core(config, id, addr, &on_disk, &tasks)?;
    let folder = Arc::new(on_disk.folder);
    let acquaintances = Acquaintances::new(folder.path(), Arc::clone(&settings));
    let disk = Disk::new(on_disk.keeper, acquaintances, &tasks);
    let (met, meetings) = mpsc::channel(MET_MAX);
    let member = (on_disk.key, addr, on_disk.entrance.admission);
    let (expulsions, attestor) = words(config, member, &disk, &settings);
    let shared = Shared {
        id,
        addr,
        home: config.home.clone(),
        folder: folder.path().to_owned(),
        control_token: on_disk.control_token,
        invitations: on_disk.entrance.invitations,
        expulsions: expulsions.clone(),
        client: Arc::new(Client::new(orders, &inbox, &held, &settings, &counting)),
        attestor: attestor.downgrade(),
        endpoint: endpoint.clone(),
        notices: notices.clone(),
        repair: Repair::new(config.repair),
        chronicle: Arc::new(chronicle::Log::new(now_ms())),
        phase: phase.clone(),
        tasks: tasks.clone(),
        stop: stop.clone(),
        stopped: OnceCell::new(),
    };
    let driver = Driver {
        peer,
        recorder,
        started: Instant::now(),
        transfers: Transfers::new(
            endpoint.clone(),
            disk.clone(),
            Arc::clone(&held),
            (Arc::clone(&counting), Arc::clone(&shared.repair)),
            (tasks.clone(), stop.clone()),
        ),
        server: Server::new(
            disk.clone(),
            Arc::clone(&settings),
            (expulsions, attestor),
            (Arc::clone(&counting), Arc::clone(&shared.repair)),
            tasks.clone(),
        ),
        repair: Arc::clone(&shared.repair),
        met,
        chronicle: Arc::clone(&shared.chronicle),
        notices: Notices::new(notices, folder, counting, tasks.clone()),
        endpoint,
        events,
        orders: orders_taken,
        inbox,
        held,
        disk,
        settings,
        phase,
        tasks,
        stop,
        replies: HashMap::new(),
        spare: Vec::new(),
    };
    let spread = spread(&shared, &driver.inbox, meetings);
    Ok((shared, driver, spread))
}

/// What keeps and spreads the authority's words, and what signs words of the node's own.
fn words(
    config: &NodeConfig,
    (key, addr, admission): (NodeKey, SocketAddr, Arc<Admission>),
    disk: &Disk,
    settings: &SharedSettings,
) -> (Expulsions, Attestor) {
    let signs = (key, addr, Arc::clone(&admission));
    let attestor = Attestor::new(signs, disk, settings, config.scrub);
    (Expulsions::new(config.home.clone(), admission), attestor)
}

/// What this node may say on the local network.
fn presence(shared: &Shared) -> Presence {
    Presence {
        node: exec::peer(shared.id),
        ring: Fingerprint::of(&shared.expulsions.admission().authority()),
        listens: shared.endpoint.local_addr(),
        invites: shared.invitations.is_some(),
    }
}

/// What spreads the word of expulsions on this node.
fn spread(shared: &Shared, inbox: &Arc<Inbox>, met: mpsc::Receiver<Target>) -> Spread {
    Spread {
        own: exec::peer(shared.id),
        expulsions: shared.expulsions.clone(),
        endpoint: shared.endpoint.clone(),
        inbox: Arc::clone(inbox),
        phase: shared.phase.clone(),
        met,
        tasks: shared.tasks.clone(),
    }
}
