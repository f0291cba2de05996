//! The shapes of the control API, for both of its ends.
//!
//! Ids, keys and hashes are text as people see it: hexadecimal digits, or small numbers on a small
//! ring. Fields may be added; none changes its meaning within `/v1`.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::pace::Progress;
use crate::problem::Missing;
use crate::safety::Safety;

mod forecast;

pub use forecast::{
    FateShares, FileFate, Measured, Minority, NamedNode, Plan, PlanFlow, PlanNode, WhatIf,
};

/// The answer to a put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The file's name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its content.
    pub hash: String,
    /// Which write of the name this was.
    pub version: String,
    /// How safe it is.
    pub copies: Copies,
}

/// How many copies are durable, of how many there should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// So many are.
    pub durable: u32,
    /// So many should be.
    pub wanted: u32,
}

/// One file in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its content.
    pub hash: String,
    /// When it was written (RFC 3339, UTC).
    pub modified: String,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The files, in order of their paths.
    pub files: Vec<Row>,
    /// Where the next page begins: its `after`. Nothing when this is the last page.
    pub next: Option<String>,
    /// Nodes whose silence makes the page incomplete; empty when it is complete.
    pub missing: Vec<Missing>,
}

/// One file, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its content.
    pub hash: String,
    /// When it was written (RFC 3339, UTC).
    pub modified: String,
    /// Which write of the name this is.
    pub version: String,
    /// Where its record lives on the ring.
    pub key: String,
    /// In how many chunks its bytes are; 0 when they are in the record.
    pub chunks: u64,
    /// Its media type; empty when nobody said.
    pub content_type: String,
    /// What users attached.
    pub metadata: BTreeMap<String, String>,
}

/// The answer to a delete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The name that is no more.
    pub name: String,
    /// Which write of the name the deletion was.
    pub version: String,
    /// On how many holders it is durable.
    pub copies: Copies,
}

/// The way to a name and who holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Where {
    /// The name.
    pub name: String,
    /// Where it lives on the ring.
    pub key: String,
    /// The same as a part of the ring, 0 to below 1.
    #[serde(default)]
    pub at: f64,
    /// Whether a holder that answered has it.
    pub exists: bool,
    /// Whether it is known to have been deleted: its holders keep the record of that for a while, and
    /// their copies are copies of it.
    #[serde(default)]
    pub deleted: bool,
    /// The lookup's hops; the last one is the owner.
    pub hops: Vec<Hop>,
    /// The nodes that should hold its record.
    pub holders: Vec<Holder>,
}

/// One hop of a lookup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// The node asked.
    pub node: String,
    /// Its address.
    pub addr: String,
    /// The pointer that led there: `own`, `table`, `finger 7`, `successor`, `predecessor`.
    pub via: String,
    /// How long it took to answer, in milliseconds.
    pub ms: f64,
}

/// A node that should hold a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub node: String,
    /// Where.
    pub addr: String,
    /// `durable`, `missing` or `unreachable`.
    pub copy: String,
}

/// How the ring is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The node asked.
    pub node: OwnNode,
    /// The ring around it.
    pub ring: RingHealth,
    /// Copies and their repair.
    pub repair: Repair,
}

/// The node asked, as it is itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnNode {
    /// Its id.
    pub id: String,
    /// Where others reach it.
    pub addr: String,
    /// Its tokens with their nearest pointers.
    pub tokens: Vec<OwnToken>,
}

/// A token and its nearest pointers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnToken {
    /// Its position.
    pub key: String,
    /// The position before it.
    pub predecessor: String,
    /// The position after it.
    pub successor: String,
    /// The node of the position before it.
    pub predecessor_node: String,
    /// The node of the position after it.
    pub successor_node: String,
}

/// The ring, as gathered from all its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingHealth {
    /// Its name.
    pub name: String,
    /// Its nodes, in order of their ids.
    pub nodes: Vec<NodeHealth>,
    /// Whether the live nodes' pointers form one ordered ring.
    pub whole: bool,
    /// What is not as it should be, in words for people.
    pub problems: Vec<String>,
}

/// One node of the ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHealth {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// `alive`, `suspect`, `leaving`, `gone` or `left`.
    pub state: String,
    /// Bytes stored; nothing when it did not say.
    pub used_bytes: Option<u64>,
    /// Bytes offered to the ring.
    pub offered_bytes: u64,
    /// What looking after its copies came to; nothing when it did not say.
    pub scrub: Option<Scrub>,
}

/// What looking after a node's copies came to, over all its lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrub {
    /// When every copy had been read again last (RFC 3339, UTC); nothing when that never was.
    pub round_ended: Option<String>,
    /// Copies found damaged or missing.
    pub found: u64,
    /// How many of them were replaced since.
    pub mended: u64,
}

/// What repair is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// `idle`, `waiting` (for nodes that do not answer) or `working`.
    pub state: String,
    /// Copies that are missing or out of reach in the whole ring.
    pub copies_missing: u64,
}

/// The ring as a picture needs it: every node with its places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RingPicture {
    /// Its name.
    pub name: String,
    /// Bits of a key.
    pub bits: u8,
    /// Whether the live nodes' pointers form one ordered ring.
    pub whole: bool,
    /// What is not as it should be.
    pub problems: Vec<String>,
    /// Its nodes, in order of their ids.
    pub nodes: Vec<PicturedNode>,
}

/// One node of the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PicturedNode {
    /// Its health.
    #[serde(flatten)]
    pub health: NodeHealth,
    /// Where its tokens are.
    pub tokens: Vec<PicturedToken>,
    /// The part of the ring whose keys it owns, 0 to 1.
    pub share: f64,
    /// Copies that it should hold and does not have yet; nothing when it did not say.
    #[serde(default)]
    pub copies_wanted: Option<u64>,
    /// Things that it holds only until their holders have them; nothing when it did not say.
    #[serde(default)]
    pub handing_off: Option<u64>,
}

/// One token of the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PicturedToken {
    /// Its position.
    pub key: String,
    /// The position as a part of the ring, 0 to below 1.
    pub at: f64,
}

/// Everything that the dashboard draws of the ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The id of the node asked.
    pub node: String,
    /// Its address.
    pub addr: String,
    /// The ring with all places.
    pub ring: RingPicture,
    /// What repair is doing.
    pub repair: Repair,
    /// How it gets on.
    pub progress: Progress,
    /// What all that means for the files.
    pub safety: Safety,
    /// What moves between the node asked and others.
    pub flows: Vec<Flow>,
    /// How many events the node noted since it started: when it grows, [`Timeline`] has more.
    pub noted: u64,
}

/// What is told of chunks that move between the node asked and another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The other node.
    pub node: String,
    /// Chunks that came from there since it was told last.
    pub fetched: u64,
    /// Chunks that went there.
    pub given: u64,
}

/// What changed of a [`Scene`]. Its nodes are only those that are not as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneChange {
    /// The new state.
    #[serde(flatten)]
    pub scene: Scene,
    /// Ids of nodes that are no more in it.
    pub removed: Vec<String>,
}

/// Puts together what the dashboard draws.
pub(crate) fn scene(
    status: Status,
    ring: RingPicture,
    progress: Progress,
    flows: Vec<Flow>,
    noted: u64,
) -> Scene {
    Scene {
        safety: Safety::of(&status.ring.nodes, &status.repair),
        node: status.node.id,
        addr: status.node.addr,
        ring,
        repair: status.repair,
        progress,
        flows,
        noted,
    }
}

/// What happened in the ring in the last day, as far as the node asked saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Since when nothing is missing (RFC 3339, UTC): at most a day ago, at most since the node
    /// started.
    pub since: String,
    /// What the node's clock says (RFC 3339, UTC).
    pub now: String,
    /// What happened, oldest first.
    pub events: Vec<TimelineEvent>,
}

/// Something that happened to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// To whom.
    pub node: String,
    /// That node's address; nothing where nobody knew.
    pub addr: Option<String>,
    /// `appeared`, `suspected`, `recovered`, `gone` or `left`.
    pub what: String,
    /// Where its tokens were, as parts of the ring.
    pub tokens: Vec<f64>,
}

/// What would be lost if nodes died now, by who should hold what. Shares are parts of all keys, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Of how many nodes each key's copies are, if all are there.
    pub copies: usize,
    /// Nodes whose copies count: they answer, and have all that they should hold.
    pub counted: usize,
    /// The share of keys of which 0, 1, 2 and so on copies count.
    pub shares: Vec<f64>,
    /// What any one, any two and any three deaths would lose.
    pub deaths: Vec<RiskOfDeaths>,
}

/// What so many deaths at once would lose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskOfDeaths {
    /// So many.
    pub count: usize,
    /// How many groups of exactly so many nodes have all copies of something that count.
    pub groups: usize,
    /// How many groups of so many nodes there are.
    pub choices: u64,
    /// Whose deaths would lose most; empty where nothing would be lost.
    pub worst: Vec<String>,
    /// The share of keys that would be lost then.
    pub share: f64,
}

/// A link to the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardLink {
    /// What to put behind `#` in the dashboard's address. It works once.
    pub link: String,
    /// For how many seconds it does.
    pub seconds: u64,
}

/// A wish for a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// What the link has behind `#`.
    pub link: String,
}

/// The half of a session that the page keeps; the other half is a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionToken {
    /// For the header `Chordal-Session`.
    pub token: String,
    /// For how many seconds the session lasts.
    pub seconds: u64,
}

/// A wish to have the browser fetch a file by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantTicket {
    /// The file's name.
    pub name: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// For the parameter `ticket` of `GET /v1/files`, once.
    pub ticket: String,
    /// The file's full name, which the download must be asked by.
    pub name: String,
}

/// The ring's certificate: what a walk over the live ring found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The ring's name.
    pub ring: String,
    /// `right`, `wrong`, or `unknown` where too little was heard to say.
    pub verdict: String,
    /// Nodes with tokens that answered.
    pub nodes: usize,
    /// Their tokens.
    pub tokens: usize,
    /// How many of these are on the ring.
    pub on_ring: usize,
    /// What is wrong, at most 32 of it; nothing on a ring that is right.
    pub flaws: Vec<CheckFlaw>,
    /// The nodes that answered, those without tokens included, in order of their ids.
    pub heard: Vec<HeardNode>,
    /// The nodes that did not answer.
    pub silent: Vec<SilentNode>,
    /// Nodes that could not be asked.
    pub unasked: usize,
    /// How many times the ring was walked: again where it looked wrong.
    pub walks: u32,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

/// One thing that is wrong with a ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFlaw {
    /// `disordered_list`, `no_live_successor`, `separate_rings`, `disordered_ring`, `appendage`,
    /// `predecessor`, `successor`, `list_length` or `shared_position`.
    pub kind: String,
    /// In words for people.
    pub message: String,
    /// The tokens that the words name.
    pub tokens: Vec<NamedToken>,
}

/// A token that a flaw names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedToken {
    /// Its position.
    pub key: String,
    /// Its node.
    pub node: String,
    /// That node's address; nothing where nobody said.
    pub addr: Option<String>,
    /// Whether that node answered.
    pub answers: bool,
}

/// A node that answered a walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardNode {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// How many tokens it has on the ring.
    pub tokens: usize,
}

/// A node that did not answer a walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentNode {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// How many predecessors and list entries still name it.
    pub pointers: usize,
}

/// The finger tables of a node, one a token, in the order of its tokens. In JSON: an object whose
/// names are the tokens and whose values are the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingers(pub Vec<(String, Vec<Finger>)>);

/// One finger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finger {
    /// The key where it starts.
    pub start: String,
    /// The node of the first token known at or after it.
    pub node: String,
    /// That node's address.
    pub addr: String,
    /// That token's position.
    pub key: String,
}

impl Serialize for Fingers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (token, fingers) in &self.0 {
            map.serialize_entry(token, fingers)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fingers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Fingers;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object of finger tables")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Fingers, A::Error> {
                let mut tables = Vec::new();
                while let Some(table) = map.next_entry()? {
                    tables.push(table);
                }
                Ok(Fingers(tables))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A wish to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Addresses of nodes of the ring, `ip:port`.
    pub addrs: Vec<String>,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// How many nodes this node knows there, itself included.
    pub nodes: usize,
}

/// A wish to let other machines in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// How many machines.
    pub uses: u32,
    /// For how long, in seconds.
    pub seconds: u64,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// What to type on the other machine: `chordal join CODE`.
    pub code: String,
    /// Where it will look for the ring, `ip:port`.
    pub addrs: Vec<String>,
    /// How many machines it lets in.
    pub uses: u32,
    /// For how long, in seconds.
    pub seconds: u64,
}

/// A wish to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// Even where copies would be lost.
    #[serde(default)]
    pub force: bool,
}

/// A wish to forget a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// Its id, or so much of its beginning that no other node begins so, or its address.
    pub node: String,
    /// Even where it may be the last one to have something.
    #[serde(default)]
    pub force: bool,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Always true.
    pub forgotten: bool,
    /// The node that nobody waits for from now on.
    pub node: String,
    /// Where it was.
    pub addr: String,
}

/// The members of the ring and its former ones, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Everybody.
    pub members: Vec<Membership>,
    /// Whether the node that was asked holds the ring's authority: whether it may invite and expel.
    pub authority: bool,
}

/// One member, or former one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Who.
    pub id: String,
    /// Where others reach it; nothing for one that was let in and was never seen on the ring.
    pub addr: Option<String>,
    /// `alive`, `suspect`, `leaving`, `gone`, `left`, `expelled`, or `unseen` for one that was let in
    /// and was never seen on the ring.
    pub state: String,
    /// Since when it is a member, RFC 3339, by the clock of the machine that let it in; nothing where
    /// the node that was asked cannot know.
    pub since: Option<String>,
    /// Since when it is expelled, RFC 3339.
    pub expelled: Option<String>,
    /// `own` for a node started where the ring's authority is, `invitation` for one that was let in;
    /// nothing where the node that was asked cannot know.
    pub by: Option<String>,
    /// The invitation that let it in.
    pub invitation: Option<String>,
    /// Bytes it offers; nothing for one that was never seen.
    pub offered_bytes: Option<u64>,
}

/// A wish to expel a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expel {
    /// Its id, or so much of its beginning that no other node begins so, or its address.
    pub node: String,
    /// Even where it may be the last one to have something.
    #[serde(default)]
    pub force: bool,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expelled {
    /// Always true.
    pub expelled: bool,
    /// The node that nobody talks to from now on.
    pub node: String,
    /// Where it was, if it was ever seen.
    pub addr: Option<String>,
    /// Since when, RFC 3339.
    pub since: String,
    /// How many other nodes were told at once. They tell the rest.
    pub told: usize,
}

/// The answer to a leave: everything is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Always true.
    pub left: bool,
    /// The node that left.
    pub node: String,
    /// Where others reached it.
    pub addr: String,
}
