//! stub
use super::Context;
use crate::cli::BenchArgs;
use crate::trouble::Trouble;
pub(super) async fn run(_context: Context, _args: BenchArgs) -> Result<(), Trouble> {
    Ok(())
}
