//! The index's bytes on a simulated disk: as they are seen, and as they would be left.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc as Shared;

use super::SECTOR_BYTES;

const BLOCK_BYTES: usize = 4096;

type Block = [u8; BLOCK_BYTES];

/// Two images of one file that share the blocks in which they agree.
#[derive(Debug, Default)]
pub(super) struct IndexImage {
    live: Image,
    durable: Image,
    /// What happened since the last sync, in order.
    unsynced: Vec<Unsynced>,
}

/// A sparse file: a block that is not there is zeroes.
#[derive(Clone, Debug, Default)]
struct Image {
    length: u64,
    blocks: BTreeMap<u64, Shared<Block>>,
}

#[derive(Debug)]
enum Unsynced {
    Write { offset: u64, bytes: Box<[u8]> },
    Length(u64),
}

impl IndexImage {
    pub(super) fn len(&self) -> u64 {
        self.live.length
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.live.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.live.read(offset, out);
        Ok(())
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.live.write(offset, bytes);
        self.unsynced.push(Unsynced::Write {
            offset,
            bytes: bytes.into(),
        });
    }

    pub(super) fn set_len(&mut self, length: u64) {
        self.live.set_len(length);
        self.unsynced.push(Unsynced::Length(length));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Unsynced::Write { offset, bytes } => {
                    for number in blocks_of(offset, bytes.len()) {
                        match self.live.blocks.get(&number) {
                            Some(block) => {
                                self.durable.blocks.insert(number, Shared::clone(block));
                            }
                            None => {
                                self.durable.blocks.remove(&number);
                            }
                        }
                    }
                }
                Unsynced::Length(length) => self.durable.set_len(length),
            }
        }
        self.durable.length = self.live.length;
    }

    /// The image after a power cut, with the fate of every unsynced change chosen.
    pub(super) fn what_is_left(&self, choose: &mut dyn FnMut(u32) -> u32) -> Self {
        let mut left = self.durable.clone();
        for change in &self.unsynced {
            match (choose(3), change) {
                (0, _) | (1, Unsynced::Length(_)) => {}
                (1, Unsynced::Write { offset, bytes }) => {
                    for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                        if choose(2) == 1 {
                            left.write(offset + (number * SECTOR_BYTES) as u64, sector);
                        }
                    }
                }
                (_, Unsynced::Length(length)) => left.set_len(*length),
                (_, Unsynced::Write { offset, bytes }) => left.write(*offset, bytes),
            }
        }
        Self {
            live: left.clone(),
            durable: left,
            unsynced: Vec::new(),
        }
    }

    /// Bytes of the blocks that are there.
    pub(super) fn used_bytes(&self) -> u64 {
        (self.live.blocks.len() * BLOCK_BYTES) as u64
    }

    /// Bytes of the blocks that a write would add.
    pub(super) fn growth_bytes(&self, offset: u64, length: usize) -> u64 {
        let new = blocks_of(offset, length)
            .filter(|number| !self.live.blocks.contains_key(number))
            .count();
        (new * BLOCK_BYTES) as u64
    }

    pub(super) fn rot(&mut self, bit: u64) -> bool {
        let offset = bit / 8;
        if offset >= self.live.length {
            return false;
        }
        for image in [&mut self.live, &mut self.durable] {
            let mut byte = [0];
            image.read(offset, &mut byte);
            byte[0] ^= 1 << (bit % 8);
            image.write(offset, &byte);
        }
        true
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.live.length).unwrap_or(0)];
        self.live.read(0, &mut bytes);
        bytes
    }
}

impl Image {
    fn read(&self, offset: u64, out: &mut [u8]) {
        let mut position = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let (number, within) = place(position);
            let length = rest.len().min(BLOCK_BYTES - within);
            let (part, after) = rest.split_at_mut(length);
            match self.blocks.get(&number) {
                Some(block) => part.copy_from_slice(&block[within..within + length]),
                None => part.fill(0),
            }
            position += length as u64;
            rest = after;
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut position = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (number, within) = place(position);
            let length = rest.len().min(BLOCK_BYTES - within);
            let (part, after) = rest.split_at(length);
            let block = self
                .blocks
                .entry(number)
                .or_insert_with(|| Shared::new([0; BLOCK_BYTES]));
            Shared::make_mut(block)[within..within + length].copy_from_slice(part);
            position += length as u64;
            rest = after;
        }
        self.length = self.length.max(position);
    }

    fn set_len(&mut self, length: u64) {
        if length < self.length {
            let (number, within) = place(length);
            let first_gone = if within == 0 { number } else { number + 1 };
            self.blocks.split_off(&first_gone);
            if within > 0
                && let Some(block) = self.blocks.get_mut(&number)
            {
                Shared::make_mut(block)[within..].fill(0);
            }
        }
        self.length = length;
    }
}

/// The block that a position is in, and where in it.
fn place(position: u64) -> (u64, usize) {
    let block = BLOCK_BYTES as u64;
    let within = usize::try_from(position % block).expect("a block is small");
    (position / block, within)
}

/// The blocks that a range touches.
fn blocks_of(offset: u64, length: usize) -> impl Iterator<Item = u64> {
    let block = BLOCK_BYTES as u64;
    offset / block..(offset + length as u64).div_ceil(block)
}
