//! `cat`: files of the ring to standard output, one after the other.

use super::{Context, get};
use crate::cli::CatArgs;
use crate::names;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: CatArgs) -> Result<(), Trouble> {
    let names = args.names.iter().map(|name| names::parse(name));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let client = context.client()?;
    for name in names {
        get::print(&client, &name.to_string()).await?;
    }
    Ok(())
}
