//! Where the workspace is. The one place that knows that this package lies one folder below it.

use std::path::{Path, PathBuf};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace's root folder")
        .to_path_buf()
}
