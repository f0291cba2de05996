//! The receipt that tests look at: the one whose form is kept for good.

use chordal_node::Receipt;
use chordal_web::receipts::ReceiptFile;

pub(crate) fn receipt() -> Receipt {
    let text = include_str!("../../../chordal-web/tests/golden/receipt-1.json");
    ReceiptFile::read(text.as_bytes()).unwrap()
}
