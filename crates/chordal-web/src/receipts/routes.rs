//! The control API's part: making a receipt, and asking holders.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;

use super::{Answers, NoReceipt, Question, ReceiptFile, ReceiptWanted};
use crate::failure::{self, Wish};
use crate::problem::{Code, Problem};
use crate::routes::{Shared, json_body};

/// `POST /v1/receipts`: what the holders of a file sign now.
pub(crate) async fn make(
    State(shared): State<Shared>,
    body: Bytes,
) -> Result<Json<ReceiptFile>, Problem> {
    let wanted: ReceiptWanted = json_body(&body)?;
    let name = wanted.name.parse();
    let name = name.map_err(|_| bad(&NoReceipt::Field("name")))?;
    let receipt = shared.node.receipt(&name, wanted.version.as_deref()).await;
    receipt
        .map(|receipt| Json(ReceiptFile::of(&receipt)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `POST /v1/attest`: the holders' answers to a question.
pub(crate) async fn attest(
    State(shared): State<Shared>,
    body: Bytes,
) -> Result<Json<Answers>, Problem> {
    let question: Question = json_body(&body)?;
    let inquiry = question.inquiry().map_err(|error| bad(&error))?;
    let attested = shared.node.attest(&inquiry).await;
    attested
        .map(|attested| Json(Answers::of(&attested)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

fn bad(error: &NoReceipt) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!("the question is not understood: {error}"),
    )
}
