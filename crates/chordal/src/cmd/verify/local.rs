//! Whether a file of this machine is the one that a receipt is of.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use chordal_node::Receipt;
use chordal_node::model::ChunkId;

use crate::out::visible;
use crate::progress::Progress;
use crate::trouble::Trouble;

/// Bytes that are hashed at a time where the content lies in the record.
const PIECE_BYTES: u32 = 1 << 20;

/// Reads the file and compares it piece by piece. An error says where it differs first.
pub(super) fn compare(path: &Path, receipt: &Receipt) -> Result<(), Trouble> {
    let bar = Progress::bytes(Some(receipt.size), "reading");
    let compared = File::open(path).and_then(|file| difference(file, receipt, &bar));
    bar.clear();
    match compared.map_err(|error| Trouble::file(path, &error))? {
        None => Ok(()),
        Some(difference) => Err(Trouble::failed(
            "other_bytes",
            format!(
                "{} is not the file of the receipt ('{}'): {difference}",
                path.display(),
                visible(&receipt.name.to_string())
            ),
        )
        .advice("Compare with what the ring holds: chordal get NAME FILE.")),
    }
}

/// How the file differs; nothing where it does not.
fn difference(
    mut file: impl Read,
    receipt: &Receipt,
    bar: &Progress,
) -> io::Result<Option<String>> {
    let piece_bytes = match receipt.chunk_bytes {
        0 => PIECE_BYTES,
        bytes => bytes,
    };
    let mut hasher = blake3::Hasher::new();
    let (mut piece, mut size) = (Vec::new(), 0_u64);
    let mut chunks = receipt.chunks.iter();
    loop {
        piece.clear();
        (&mut file)
            .take(piece_bytes.into())
            .read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        let begin = size;
        size += piece.len() as u64;
        if size > receipt.size {
            return Ok(Some(format!("it is longer than {} bytes", receipt.size)));
        }
        if receipt.chunk_bytes > 0 && chunks.next() != Some(&ChunkId::of(&piece)) {
            return Ok(Some(format!(
                "it differs between the bytes {begin} and {}",
                size - 1
            )));
        }
        hasher.update(&piece);
        bar.advance(piece.len() as u64);
    }
    if size < receipt.size {
        return Ok(Some(format!("it has {size} of {} bytes", receipt.size)));
    }
    let is_same = *hasher.finalize().as_bytes() == receipt.hash;
    Ok((!is_same).then(|| "it has another hash".to_owned()))
}

#[cfg(test)]
mod tests;
