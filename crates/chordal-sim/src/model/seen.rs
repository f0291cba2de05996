//! The worlds that were seen: a set of 64-bit fingerprints.
//!
//! Two worlds of one fingerprint would count as one. With n worlds the expected number of such
//! losses is about n² / 2⁶⁵; the findings say it.

/// A fingerprint of a packed world, with every bit mixed into every other.
pub(crate) fn fingerprint<const N: usize>(words: [u64; N]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in words {
        let product = u128::from(state ^ word) * 0xd6e8_feb8_6659_fd93_u128;
        let bytes = product.to_be_bytes();
        let (mut high, mut low) = ([0; 8], [0; 8]);
        high.copy_from_slice(&bytes[..8]);
        low.copy_from_slice(&bytes[8..]);
        state = (u64::from_be_bytes(high) ^ u64::from_be_bytes(low)).rotate_left(23);
        state = (state ^ state >> 32).wrapping_mul(0xe703_7ed1_a0b4_28db);
    }
    state ^ state >> 29
}

/// A set of fingerprints: open addressing, three quarters full at most.
#[derive(Debug)]
pub(crate) struct Seen {
    slots: Vec<u64>,
    len: usize,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![0; 1 << 16],
            len: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Puts a fingerprint in; says whether it is new.
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let fingerprint = fingerprint.max(1);
        let place = self.place(fingerprint);
        let new = self.slots[place] == 0;
        self.slots[place] = fingerprint;
        self.len += usize::from(new);
        new
    }

    /// Where a fingerprint is or belongs.
    fn place(&self, fingerprint: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = usize::try_from(fingerprint & mask as u64).expect("the mask is an index");
        while self.slots[place] != 0 && self.slots[place] != fingerprint {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let doubled = vec![0; self.slots.len() * 2];
        for fingerprint in std::mem::replace(&mut self.slots, doubled) {
            if fingerprint != 0 {
                let place = self.place(fingerprint);
                self.slots[place] = fingerprint;
            }
        }
    }
}
