//! Known mistakes, made on purpose, so that the checker is seen to find them.
//!
//! Each is put around the production transition, never into it.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A joiner takes the first successor only (Chord 2003, Figure 6).
    JoinWithOneSuccessor,
    /// The successor's predecessor is adopted without asking it (Chord 2003, Figure 6).
    AdoptUnasked,
    /// A predecessor that did not answer once is forgotten; then any token is taken for it (Chord
    /// 2003, `check_predecessor`).
    ForgetPredecessor,
    /// The ring starts with one token and nobody is ever heard of but by pointers (Chord 2003).
    StartAloneWithoutMerging,
    /// A lost message takes the successor off the list.
    AccuseOnLoss,
    /// A joiner adds the token before it to the list it was given.
    JoinPastTheEnd,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::JoinWithOneSuccessor,
        Self::AdoptUnasked,
        Self::ForgetPredecessor,
        Self::StartAloneWithoutMerging,
        Self::AccuseOnLoss,
        Self::JoinPastTheEnd,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JoinWithOneSuccessor => "join-with-one-successor",
            Self::AdoptUnasked => "adopt-unasked",
            Self::ForgetPredecessor => "forget-predecessor",
            Self::StartAloneWithoutMerging => "start-alone-without-merging",
            Self::AccuseOnLoss => "accuse-on-loss",
            Self::JoinPastTheEnd => "join-past-the-end",
        }
    }

    /// Finds a mistake by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mistake| mistake.name() == name)
    }
}
