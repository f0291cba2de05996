//! `fingers`: the finger tables of the node.

use chordal_web::api::{Finger, Fingers};

use super::Context;
use crate::out::{Out, short, short_key};
use crate::trouble::Trouble;

pub(super) async fn run(context: Context) -> Result<(), Trouble> {
    let tables = context.client()?.fingers().await?;
    context.out.either(&tables, |out| tell(out, &tables))?;
    context
        .out
        .ending("Finger i points to the first token 2^i or more further on. See them used: chordal where NAME")
}

fn tell(out: Out, tables: &Fingers) -> Result<(), Trouble> {
    let paint = out.paint();
    for (token, fingers) in &tables.0 {
        out.line(format_args!("{} {token}", paint.bold("token")))?;
        for run in runs(fingers) {
            out.line(row(&run))?;
        }
    }
    Ok(())
}

fn row(run: &Run<'_>) -> String {
    let finger = &run.fingers[0];
    let range = match run.fingers.len() {
        1 => run.first.to_string(),
        many => format!("{}–{}", run.first, run.first + many - 1),
    };
    format!(
        "  finger {range:>7}  from {}  →  {} at {} ({})",
        short_key(&finger.start),
        short(&finger.node),
        finger.addr,
        short_key(&finger.key)
    )
}

/// Fingers in a row that point to the same token: on a wide ring most of them do.
pub(crate) struct Run<'a> {
    /// The index of the first.
    pub(crate) first: usize,
    /// One at least.
    pub(crate) fingers: &'a [Finger],
}

/// A table as runs of equal pointers.
pub(crate) fn runs(fingers: &[Finger]) -> Vec<Run<'_>> {
    let mut first = 0;
    fingers
        .chunk_by(|a, b| a.key == b.key && a.node == b.node)
        .map(|fingers| {
            let run = Run { first, fingers };
            first += fingers.len();
            run
        })
        .collect()
}
