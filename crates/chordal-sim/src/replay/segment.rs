//! One file of a recording.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chordal_proto::recording::{Begin, Damage, FORMAT, Frames, Item};

/// The longest file read: far more than a recorder writes into one.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A segment in memory.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) begin: Begin,
    bytes: Vec<u8>,
}

impl Segment {
    /// Reads a file, as far as its beginning says whose it is.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let length = std::fs::metadata(path)
            .with_context(|| format!("cannot read {name}"))?
            .len();
        if length > FILE_BYTES_MAX {
            bail!("{name} is too long for a recording");
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let first = Frames::new(&bytes).map(|mut frames| frames.next());
        let begin = match first {
            Ok(Some(Ok(Item::Begin(begin)))) => *begin,
            Ok(Some(Err(damage))) | Err(damage) => bail!("{name}: {damage}"),
            Ok(Some(Ok(_))) => bail!("{name}: {}", Damage::OtherBuild),
            Ok(None) => bail!("{name} is empty: its node ended before it was told anything"),
        };
        if begin.format != FORMAT {
            bail!(
                "{name} has format {}, written by chordal {}; this one reads format {FORMAT}",
                begin.format,
                begin.program
            );
        }
        Ok(Self {
            path: path.to_owned(),
            begin,
            bytes,
        })
    }

    /// Everything after the beginning.
    pub(super) fn items(&self) -> Result<Frames<'_>> {
        let mut frames = Frames::new(&self.bytes).context("it was a recording just before")?;
        drop(frames.next());
        Ok(frames)
    }

    /// Whether one node wrote both between one start and stop.
    pub(super) fn is_of_same_life(&self, other: &Self) -> bool {
        (self.begin.node, self.begin.life) == (other.begin.node, other.begin.life)
    }
}
