//! Who belongs to the ring, put together from what the ring says, what the authority's machine noted,
//! and whom the authority expelled.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use chordal_node::model::{NodeId, NodeReport, NodeState};
use chordal_node::{Admitted, By, Node};

use crate::failure::{self, Wish};
use crate::problem::{Code, Problem};
use crate::{api, facts};

/// The shortest beginning of an id that names a node, in digits.
const DIGITS_MIN: usize = 4;

/// Digits of a whole id.
const DIGITS: usize = 64;

/// Everybody who is or was a member, as far as one node knows.
#[derive(Debug)]
pub(crate) struct Members {
    all: BTreeMap<NodeId, Known>,
    has_authority: bool,
}

/// What is known of one.
#[derive(Debug, Default)]
struct Known {
    report: Option<NodeReport>,
    admitted: Option<Admitted>,
    since: Option<u64>,
    expelled: Option<u64>,
}

impl Members {
    /// Asks a node.
    pub(crate) async fn of(node: &Node) -> Result<Self, Problem> {
        let status = node.status().await;
        let status = status.map_err(|error| failure::problem(&error, Wish::Look))?;
        let admitted = node.admitted().await;
        let admitted = admitted.map_err(|error| failure::no_invitation(&error))?;
        let has_authority = admitted.is_some();
        let mut all: BTreeMap<NodeId, Known> = BTreeMap::new();
        for report in status.nodes {
            let known = all.entry(report.member.node).or_default();
            known.report = Some(report);
        }
        for one in admitted.into_iter().flatten() {
            let known = all.entry(NodeId::new(one.node.0)).or_default();
            known.admitted = Some(one);
        }
        for (id, since) in node.member_since() {
            all.entry(id).or_default().since = Some(since);
        }
        for (id, since) in node.expelled() {
            all.entry(id).or_default().expelled = Some(since);
        }
        Ok(Self { all, has_authority })
    }

    /// The one that an operator means by its address, its id, or the beginning of its id. It never
    /// guesses: what fits two is refused with both. A whole id is taken though nobody heard of it.
    pub(crate) fn find(&self, text: &str) -> Result<(NodeId, Option<SocketAddr>), Problem> {
        let found: Vec<NodeId> = if let Ok(addr) = text.parse::<SocketAddr>() {
            let there = self
                .all
                .iter()
                .filter(|(_, known)| known.addr() == Some(addr));
            let there: Vec<(&NodeId, &Known)> = there.collect();
            // Former nodes of that address aside, if there is one that is not.
            let present = there.iter().filter(|(_, known)| known.is_present());
            let present: Vec<NodeId> = present.map(|(id, _)| **id).collect();
            match present.as_slice() {
                [] => there.iter().map(|(id, _)| **id).collect(),
                _ => present,
            }
        } else {
            let is_id =
                text.len() >= DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_id {
                let why = format!(
                    "'{text}' is neither an address IP:PORT nor {DIGITS_MIN} digits or more of an id"
                );
                return Err(Problem::new(Code::BadRequest, why));
            }
            let text = text.to_ascii_lowercase();
            let ids = self.all.keys().copied();
            ids.filter(|id| id.to_string().starts_with(&text)).collect()
        };
        match found.as_slice() {
            [one] => Ok((*one, self.all.get(one).and_then(Known::addr))),
            [] => match whole_id(text) {
                Some(id) => Ok((id, None)),
                None => Err(Problem::new(
                    Code::UnknownNode,
                    format!("no node '{text}' was ever heard of here"),
                )
                .advice("See the nodes and their ids with `chordal members --json`.")),
            },
            several => {
                let ids = several.iter().map(ToString::to_string);
                let ids = ids.collect::<Vec<_>>().join(", ");
                Err(Problem::new(
                    Code::BadRequest,
                    format!("'{text}' may be any of several nodes: {ids}"),
                )
                .advice("Name it by more of its id."))
            }
        }
    }

    /// All of them, for the API.
    pub(crate) fn told(&self) -> api::Members {
        let members = self.all.iter().map(|(id, known)| known.told(*id));
        api::Members {
            members: members.collect(),
            authority: self.has_authority,
        }
    }
}

impl Known {
    fn addr(&self) -> Option<SocketAddr> {
        self.report.as_ref().map(|report| report.member.addr)
    }

    fn is_present(&self) -> bool {
        let state = self.report.as_ref().map(|report| report.state);
        let is_present = matches!(
            state,
            Some(NodeState::Alive | NodeState::Suspect | NodeState::Leaving)
        );
        is_present && self.expelled.is_none()
    }

    fn told(&self, id: NodeId) -> api::Membership {
        let state = match (&self.report, self.expelled) {
            (_, Some(_)) => "expelled".to_owned(),
            (Some(report), None) => facts::state(report.state),
            (None, None) => "unseen".to_owned(),
        };
        let since = self.admitted.as_ref().map(|one| one.since).or(self.since);
        let (by, invitation) = match self.admitted.as_ref().map(|one| &one.by) {
            Some(By::Own) => (Some("own"), None),
            Some(By::Invitation(label)) => (Some("invitation"), Some(label.clone())),
            None => (None, None),
        };
        api::Membership {
            id: id.to_string(),
            addr: self.addr().map(|addr| addr.to_string()),
            state,
            since: since.map(facts::unix_time),
            expelled: self.expelled.map(facts::unix_time),
            by: by.map(str::to_owned),
            invitation,
            offered_bytes: self
                .report
                .as_ref()
                .map(|report| report.member.offered_bytes),
        }
    }
}

fn whole_id(text: &str) -> Option<NodeId> {
    let is_whole = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_whole { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
