//! A checked receipt for tests.

use std::collections::BTreeSet;

use super::Checked;
use crate::receipt::example::receipt;

pub(super) fn checked() -> Checked {
    let receipt = receipt();
    Checked {
        authority: receipt.authority,
        receipt,
        expelled: BTreeSet::new(),
        is_file: false,
    }
}
