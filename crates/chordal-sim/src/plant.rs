//! Mistakes made on purpose, to see them caught.
//!
//! A mistake is a lying disk, a program that starts wrongly, or a neighbour whose answers are not
//! what its program said: nothing production-like has any of them.

mod tongue;

pub(crate) use tongue::twist;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// None.
    Nothing,
    /// Disks call records durable that they keep in memory, and lose in a crash.
    AckBeforeDurable,
    /// Disks lose an acknowledged record now and then, and say nothing.
    LoseRecords,
    /// Machines say that a chunk has arrived and is there, and throw it away.
    LoseChunks,
    /// Disks give the first version of a name for ever.
    StaleReads,
    /// Disks say that nothing refers to any chunk.
    CollectUnasked,
    /// Disks take lower versions than the one that was promised, and say nothing.
    IgnorePromises,
    /// Disks keep the first word on members and views, and drop later ones.
    ForgetViews,
    /// Disks drop a record where it is deleted, and keep no tombstone.
    ForgetTombstones,
    /// Disks that are to drop one version of a record drop any.
    RemoveNewer,
    /// Disks leave things out when they say what they hold of an arc.
    HideItems,
    /// Disks keep chunks that they are to drop.
    KeepRemoved,
    /// Disks are not scrubbed, and nobody is told of bad copies.
    OverlookRot,
    /// Nodes start with the incarnation of their last life.
    ReuseIncarnation,
    /// Holders that have not caught up say that they count.
    CountUnsettled,
    /// Nodes say that they are under a view for good when they are not.
    AgreeUnsealed,
    /// Nodes say that they once had everything when they had not.
    ClaimBase,
    /// Nodes tell nothing of the views that they went through.
    TellNoPast,
    /// Nodes say that they hold the same of an arc, whatever they hold.
    SayEqual,
    /// Holders confirm a hand-off before they have everything.
    ConfirmEarly,
    /// Nodes say of every page of names that nothing is missing.
    ClaimWholeLists,
    /// Nodes leave the last name out of a page.
    HideRows,
    /// Nodes say of whatever chunks they are offered or asked for that they have them.
    ClaimChunks,
    /// Nodes acknowledge records under a view that is not theirs.
    AckWrongView,
    /// Holders acknowledge records below what they promised.
    AckRefused,
    /// Nodes say at any time that nothing of theirs refers to a chunk.
    DenyReferences,
}

impl Plant {
    /// Every mistake there is.
    pub const ALL: [Self; 25] = [
        Self::AckBeforeDurable,
        Self::LoseRecords,
        Self::LoseChunks,
        Self::StaleReads,
        Self::CollectUnasked,
        Self::IgnorePromises,
        Self::ForgetViews,
        Self::ForgetTombstones,
        Self::RemoveNewer,
        Self::HideItems,
        Self::KeepRemoved,
        Self::OverlookRot,
        Self::ReuseIncarnation,
        Self::CountUnsettled,
        Self::AgreeUnsealed,
        Self::ClaimBase,
        Self::TellNoPast,
        Self::SayEqual,
        Self::ConfirmEarly,
        Self::ClaimWholeLists,
        Self::HideRows,
        Self::ClaimChunks,
        Self::AckWrongView,
        Self::AckRefused,
        Self::DenyReferences,
    ];

    /// What the command line calls it; nothing for no mistake.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Nothing => return None,
            Self::AckBeforeDurable => "ack-before-durable",
            Self::LoseRecords => "lose-records",
            Self::LoseChunks => "lose-chunks",
            Self::StaleReads => "stale-reads",
            Self::CollectUnasked => "collect-unasked",
            Self::IgnorePromises => "ignore-promises",
            Self::ForgetViews => "forget-views",
            Self::ForgetTombstones => "forget-tombstones",
            Self::RemoveNewer => "remove-newer",
            Self::HideItems => "hide-items",
            Self::KeepRemoved => "keep-removed",
            Self::OverlookRot => "overlook-rot",
            Self::ReuseIncarnation => "reuse-incarnation",
            Self::CountUnsettled => "count-unsettled",
            Self::AgreeUnsealed => "agree-unsealed",
            Self::ClaimBase => "claim-base",
            Self::TellNoPast => "tell-no-past",
            Self::SayEqual => "say-equal",
            Self::ConfirmEarly => "confirm-early",
            Self::ClaimWholeLists => "claim-whole-lists",
            Self::HideRows => "hide-rows",
            Self::ClaimChunks => "claim-chunks",
            Self::AckWrongView => "ack-wrong-view",
            Self::AckRefused => "ack-refused",
            Self::DenyReferences => "deny-references",
        })
    }

    /// The mistake of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|plant| plant.name() == Some(name))
    }
}
