//! What a node keeps of the views that it went through. It is read from this node's own disk only.

use bytes::Bytes;
use chordal_object::Arc;
use prost::Message as _;

use super::{BadField, Checked, CodecError, key, malformed, replica};
use crate::history::History;
use crate::wire;

/// The bytes of arcs and their histories.
pub(crate) fn encode_pasts(pasts: &[(Arc, History)]) -> Bytes {
    let arcs = pasts.iter().map(|(arc, history)| wire::Past {
        arc: Some(key::arc_to_wire(*arc)),
        based: history.based,
        passed: replica::passed_to_wire(history),
    });
    let message = wire::Pasts {
        arcs: arcs.collect(),
    };
    message.encode_to_vec().into()
}

/// Reads what [`encode_pasts`] wrote.
pub(crate) fn decode_pasts(bytes: Bytes) -> Result<Vec<(Arc, History)>, CodecError> {
    let message = wire::Pasts::decode(bytes).map_err(malformed)?;
    let past = |past: wire::Past| -> Checked<(Arc, History)> {
        let history = replica::history(past.based, &past.passed)?;
        Ok((key::arc(past.arc)?, history))
    };
    let pasts = message.arcs.into_iter().map(past);
    let pasts: Checked<Vec<(Arc, History)>> = pasts.collect();
    pasts.map_err(|BadField(field)| CodecError::Field {
        message: "Pasts",
        field,
    })
}
