//! Which node is meant by what an operator typed: an id, its beginning, or an address.
//!
//! It never guesses: what fits two nodes is refused with both.

use std::net::SocketAddr;

use chordal_node::model::{NodeReport, NodeState};

use crate::problem::{Code, Problem};

/// The shortest beginning of an id that names a node, in digits.
const DIGITS_MIN: usize = 4;

/// The node of these that is meant. Of several that were at one address it is the one that does not
/// answer, if there is only one: a machine that was set up anew is another node there.
pub(crate) fn node<'a>(nodes: &'a [NodeReport], text: &str) -> Result<&'a NodeReport, Problem> {
    let found: Vec<&NodeReport> = match text.parse::<SocketAddr>() {
        Ok(addr) => nodes
            .iter()
            .filter(|node| node.member.addr == addr)
            .collect(),
        Err(_) => by_id(nodes, text)?,
    };
    let silent = |node: &&NodeReport| matches!(node.state, NodeState::Suspect | NodeState::Gone);
    let silent: Vec<&NodeReport> = found.iter().copied().filter(silent).collect();
    match (found.as_slice(), silent.as_slice()) {
        ([one], _) | ([_, _, ..], [one]) => Ok(one),
        ([], _) => Err(Problem::new(
            Code::UnknownNode,
            format!("no node '{text}' was ever heard of here"),
        )
        .advice("See the nodes and their ids with `chordal status --json`.")),
        (several, _) => {
            let ids = several.iter().map(|node| node.member.node.to_string());
            let ids = ids.collect::<Vec<_>>().join(", ");
            Err(Problem::new(
                Code::BadRequest,
                format!("'{text}' may be any of several nodes: {ids}"),
            )
            .advice("Name it by more of its id."))
        }
    }
}

fn by_id<'a>(nodes: &'a [NodeReport], text: &str) -> Result<Vec<&'a NodeReport>, Problem> {
    let is_id = text.len() >= DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        let why = format!(
            "'{text}' is neither an address IP:PORT nor {DIGITS_MIN} digits or more of an id"
        );
        return Err(Problem::new(Code::BadRequest, why));
    }
    let text = text.to_ascii_lowercase();
    let begins = |node: &&NodeReport| node.member.node.to_string().starts_with(&text);
    Ok(nodes.iter().filter(begins).collect())
}

#[cfg(test)]
mod tests;
