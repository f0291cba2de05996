//! Mistakes made on purpose: a checker that cannot fail proves nothing.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A holder that stays one goes on counting when the view changes.
    CarryOver,
    /// Nobody tells which views it went through.
    TellNothing,
    /// Whoever is asked answers, under whatever view it is.
    AnyView,
    /// A node agrees before what makes it agree is saved.
    Unsaved,
    /// Only members of the new view are asked.
    OwnViewOnly,
    /// Who is asked without being a holder does not note under which view.
    Unnoted,
    /// Who is no holder any more forgets its past although too few of the holders count.
    ForgetEarly,
}

impl Mistake {
    /// Every mistake there is.
    pub const ALL: [Self; 7] = [
        Self::CarryOver,
        Self::TellNothing,
        Self::AnyView,
        Self::Unsaved,
        Self::OwnViewOnly,
        Self::Unnoted,
        Self::ForgetEarly,
    ];

    /// What the command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CarryOver => "carry-over",
            Self::TellNothing => "tell-nothing",
            Self::AnyView => "any-view",
            Self::Unsaved => "unsaved",
            Self::OwnViewOnly => "own-view-only",
            Self::Unnoted => "unnoted",
            Self::ForgetEarly => "forget-early",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mistake| mistake.name() == name)
    }
}
