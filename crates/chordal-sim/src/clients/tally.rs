//! How clients fared, in numbers.

/// Counts of what clients asked and got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Files put.
    pub(crate) puts: u64,
    /// Names deleted.
    pub(crate) deletes: u64,
    /// Files got.
    pub(crate) gets: u64,
    /// Listings begun.
    pub(crate) lists: u64,
    /// Writes and deletes acknowledged.
    pub(crate) written: u64,
    /// Files that came, whole.
    pub(crate) got: u64,
    /// Reads that found no such name.
    pub(crate) absent: u64,
    /// Operations that failed.
    pub(crate) failed: u64,
    /// Operations given up by their clients.
    pub(crate) cancelled: u64,
    /// Listings that said what they lack.
    pub(crate) lists_incomplete: u64,
}

impl Tally {
    /// How often a client was not served.
    pub(crate) const fn troubles(&self) -> u64 {
        self.failed + self.lists_incomplete
    }
}
