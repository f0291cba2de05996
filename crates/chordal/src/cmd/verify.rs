//! `verify`: is what a receipt says still so?
//!
//! First on this machine: signatures, and the bytes of a local file. Then the holders are asked again
//! with a fresh nonce; every answer's signature is checked here, so that the node that passes them on
//! need not be believed.

mod asking;
#[cfg(test)]
mod example;
mod judge;
mod local;
mod told;

use std::collections::BTreeSet;

use chordal_node::model::NodeId;
use chordal_node::{AuthorityId, Receipt};

use super::Context;
use crate::cli::VerifyArgs;
use crate::receipt::{self, Copies};
use crate::trouble::Trouble;

use asking::{Found, Now};
use judge::Verdict;

/// A receipt that was checked here.
#[derive(Debug)]
struct Checked {
    receipt: Receipt,
    authority: AuthorityId,
    /// Who was expelled from the ring, as far as this machine knows.
    expelled: BTreeSet<NodeId>,
    /// Whether a local file was compared, and is the one.
    is_file: bool,
}

pub(super) async fn run(context: Context, args: VerifyArgs) -> Result<(), Trouble> {
    let context = context.at_work();
    let receipt = receipt::read(&args.receipt)?;
    let authority = receipt::trusted(&context.common, args.authority.as_deref(), &receipt)?;
    receipt::check(&args.receipt, &receipt, &authority)?;
    let good = "The receipt's signatures are good: that was checked here, without the ring.";
    if let Some(path) = &args.bytes {
        local::compare(path, &receipt).map_err(|trouble| trouble.still(good))?;
    }
    let expelled = receipt::expelled(&context.common, &authority)?;
    let checked = Checked {
        receipt,
        authority,
        expelled,
        is_file: args.bytes.is_some(),
    };
    if args.offline {
        let copies = checked.copies();
        told::offline(&context, &checked, &copies)?;
        return judge::alone(&copies);
    }
    let asked = async {
        let client = context.client()?;
        asking::ask(&client, &checked, args.deep).await
    };
    let (found, now) = asked
        .await
        .map_err(|trouble| trouble.still(format!("{good} What is there now is not known.")))?;
    let verdict = Verdict::of(&checked.receipt, &found, &now);
    told::online(&context, &checked, &found, &verdict)?;
    verdict.end(&found, &now)
}

impl Checked {
    /// How many copies the receipt alone shows.
    fn copies(&self) -> Copies {
        Copies::of(&self.receipt, &self.expelled)
    }

    /// Whether the node that made the receipt was expelled since.
    fn is_by_expelled(&self) -> bool {
        let maker = NodeId::new(self.receipt.maker().0);
        self.expelled.contains(&maker)
    }
}
