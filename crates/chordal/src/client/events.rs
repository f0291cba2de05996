//! What a node tells as it happens: server-sent events, put together to whole scenes.

use std::collections::BTreeMap;

use bytes::BytesMut;
use chordal_web::WATCH_SILENCE_MAX;
use chordal_web::api::{PicturedNode, Scene, SceneChange};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{ANSWER_BYTES_MAX, Loan, broke_off};
use crate::trouble::Trouble;

/// A ring that is watched.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    /// Held for as long as the body is read.
    loan: Loan,
    unread: BytesMut,
    scene: Option<Scene>,
}

impl Events {
    pub(super) fn new(body: Incoming, loan: Loan) -> Self {
        Self {
            body,
            loan,
            unread: BytesMut::new(),
            scene: None,
        }
    }

    /// The ring as it is, and then whenever something has changed. The end of it is an error: the node
    /// has stopped, or stands still.
    pub(crate) async fn next(&mut self) -> Result<Scene, Trouble> {
        loop {
            while let Some((event, data)) = take_event(&mut self.unread) {
                if let Some(scene) = put_together(self.scene.take(), &event, &data)? {
                    self.scene = Some(scene.clone());
                    return Ok(scene);
                }
            }
            let frame = match timeout(WATCH_SILENCE_MAX, self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(self.cut(&error.to_string())),
                Ok(None) => return Err(self.cut("it ended")),
                Err(_) => return Err(self.cut("it fell silent")),
            };
            if let Ok(bytes) = frame.into_data() {
                self.unread.extend_from_slice(&bytes);
            }
            if self.unread.len() > ANSWER_BYTES_MAX {
                return Err(self.cut("an event is too long"));
            }
        }
    }

    fn cut(&self, reason: &str) -> Trouble {
        broke_off(self.loan.shared.addr, reason)
    }
}

/// Takes the first whole event: its name and its data. Comments, which only keep the connection alive,
/// are passed over.
fn take_event(unread: &mut BytesMut) -> Option<(String, String)> {
    let end = unread.windows(2).position(|pair| pair == b"\n\n")?;
    let block = unread.split_to(end + 2);
    let text = String::from_utf8_lossy(&block);
    let (mut event, mut data) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("event:") {
            name.trim_start().clone_into(&mut event);
        } else if let Some(piece) = line.strip_prefix("data:") {
            if !data.is_empty() {
                data.push('\n');
            }
            data.push_str(piece.strip_prefix(' ').unwrap_or(piece));
        }
    }
    Some((event, data))
}

/// The scene after an event; nothing after one that tells of none.
fn put_together(known: Option<Scene>, event: &str, data: &str) -> Result<Option<Scene>, Trouble> {
    let strange = |error: serde_json::Error| {
        Trouble::failed("failed", format!("an event was not understood: {error}"))
            .advice("The node may be of another version: compare `chordal --version`.")
    };
    match (event, known) {
        ("scene", _) => serde_json::from_str(data).map(Some).map_err(strange),
        ("change", Some(known)) => {
            let change: SceneChange = serde_json::from_str(data).map_err(strange)?;
            Ok(Some(changed(known, change)))
        }
        (_, known) => Ok(known),
    }
}

fn changed(known: Scene, change: SceneChange) -> Scene {
    let nodes = known.ring.nodes.into_iter();
    let mut nodes: BTreeMap<String, PicturedNode> =
        nodes.map(|node| (node.health.id.clone(), node)).collect();
    for id in &change.removed {
        nodes.remove(id);
    }
    let mut scene = change.scene;
    for node in std::mem::take(&mut scene.ring.nodes) {
        nodes.insert(node.health.id.clone(), node);
    }
    scene.ring.nodes = nodes.into_values().collect();
    scene
}

#[cfg(test)]
mod tests;
