//! From a chunk's number in a file to its name: a walk down the tree of list chunks, of which one
//! list a level is kept.

use chordal_object::{ChunkId, ChunkList, LIST_CHUNK_IDS, Name};

use crate::client::Client;
use crate::error::NodeError;

/// The chunks of a file by their numbers, asked for in ascending order.
#[derive(Debug)]
pub(super) struct Walk {
    name: Name,
    list: ChunkList,
    /// The list last read at each level, the top one first, with its number among those of its
    /// level.
    read: Vec<Option<(u64, Vec<ChunkId>)>>,
}

/// A position in a list that the list does not have.
struct Missing;

impl Walk {
    pub(super) fn new(name: Name, list: ChunkList) -> Self {
        let levels = usize::try_from(list.depth).unwrap_or(0);
        Self {
            name,
            list,
            read: vec![None; levels],
        }
    }

    /// The name of a data chunk. Reads list chunks where the walk enters new ones.
    pub(super) async fn chunk(
        &mut self,
        client: &Client,
        number: u64,
    ) -> Result<ChunkId, NodeError> {
        // The chunk whose list lacks the wanted id, for the error.
        let mut parent = ChunkId::new([0; 32]);
        let levels = self.read.len();
        for level in 0..=levels {
            // What lies below one id at this level is so many data chunks.
            let below = LIST_IDS.pow(u32::try_from(levels - level).unwrap_or(0));
            let index = number / below;
            let id = match self.id_at(level, index) {
                Ok(id) => id,
                Err(Missing) => return Err(self.corrupt(parent, "is a list that is too short")),
            };
            if level == levels {
                return Ok(id);
            }
            parent = id;
            if !matches!(&self.read[level], Some((read, _)) if *read == index) {
                let ids = self.read_list(client, id).await?;
                self.read[level] = Some((index, ids));
            }
        }
        Err(self.corrupt(parent, "leads nowhere"))
    }

    /// The id with this number among those of its level; the list it stands in has been read.
    fn id_at(&self, level: usize, index: u64) -> Result<ChunkId, Missing> {
        let (ids, index) = match level.checked_sub(1) {
            None => (&self.list.ids, index),
            Some(above) => {
                let (_, ids) = self.read[above].as_ref().ok_or(Missing)?;
                (ids, index % LIST_IDS)
            }
        };
        let index = usize::try_from(index).map_err(|_| Missing)?;
        ids.get(index).copied().ok_or(Missing)
    }

    async fn read_list(&self, client: &Client, id: ChunkId) -> Result<Vec<ChunkId>, NodeError> {
        let chunk = client.fetch_chunk(id).await?;
        let chunk = chunk.ok_or_else(|| self.corrupt(id, "is on none of its holders"))?;
        ChunkList::ids_of_list(chunk.bytes())
            .ok_or_else(|| self.corrupt(id, "should be a list and is none"))
    }

    fn corrupt(&self, chunk: ChunkId, what: &'static str) -> NodeError {
        NodeError::Corrupt {
            name: self.name.clone(),
            chunk,
            what,
        }
    }
}

const LIST_IDS: u64 = LIST_CHUNK_IDS as u64;
