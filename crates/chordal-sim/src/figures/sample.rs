//! Numbers of many lookups in a few: mean and percentiles, written as the papers write them.

/// What was counted, sorted.
#[derive(Debug)]
pub(super) struct Sample(Vec<u32>);

impl Sample {
    pub(super) fn new(counts: impl Iterator<Item = u32>) -> Self {
        let mut counts: Vec<u32> = counts.collect();
        counts.sort_unstable();
        Self(counts)
    }

    pub(super) fn mean(&self) -> f64 {
        let sum: f64 = self.0.iter().copied().map(f64::from).sum();
        sum / count(self.0.len()).max(1.0)
    }

    /// The count that so many of a hundred do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> u32 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or(0)
    }

    /// The 1st and the 99th percentile.
    pub(super) fn range(&self) -> String {
        format!("{} to {}", self.percentile(1), self.percentile(99))
    }
}

/// A number of things as a number to calculate with.
pub(super) fn count(things: usize) -> f64 {
    u32::try_from(things).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests;
