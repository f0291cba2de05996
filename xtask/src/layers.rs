//! Arrows between crates point down only, and the pure crates use nothing but what is listed here.
//!
//! The compiler refuses a use without a dependency; this refuses the dependency. Development
//! dependencies are exempt: tests may stand on anything. The table mirrors `ARCHITECTURE.md`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// What one member of the workspace may depend on.
struct Layer {
    member: &'static str,
    /// Members it may use.
    ours: &'static [&'static str],
    /// Crates of others.
    theirs: Theirs,
}

enum Theirs {
    /// These and no others: the member must stay pure or small.
    Only(&'static [&'static str]),
    /// Any but these.
    AnyBut(&'static [&'static str]),
}

const LAYERS: &[Layer] = &[
    Layer {
        member: "chordal-object",
        ours: &[],
        theirs: Theirs::Only(&["blake3", "bytes", "prost", "serde", "sha1", "thiserror"]),
    },
    Layer {
        member: "chordal-proto",
        ours: &["chordal-object"],
        theirs: Theirs::Only(&[
            "blake3",
            "bytes",
            "negentropy",
            "postcard",
            "prost",
            "rand_chacha",
            "rand_core",
            "serde",
            "thiserror",
            "tracing",
        ]),
    },
    Layer {
        member: "chordal-store",
        ours: &["chordal-object"],
        theirs: Theirs::Only(&["blake3", "bytes", "redb", "rustix", "thiserror", "tracing"]),
    },
    Layer {
        member: "chordal-net",
        ours: &[],
        theirs: Theirs::Only(&[
            "bytes",
            "data-encoding",
            "futures-util",
            "ring",
            "rustls",
            "socket2",
            "thiserror",
            "tokio",
            "tokio-rustls",
            "tokio-util",
            "tracing",
        ]),
    },
    Layer {
        member: "chordal-node",
        ours: &[
            "chordal-object",
            "chordal-proto",
            "chordal-store",
            "chordal-net",
        ],
        theirs: Theirs::AnyBut(&["anyhow", "axum", "clap", "hyper", "prost", "redb", "rustls"]),
    },
    Layer {
        member: "chordal-s3",
        ours: &["chordal-object", "chordal-node"],
        theirs: Theirs::AnyBut(&["clap", "redb", "rustls"]),
    },
    Layer {
        member: "chordal-web",
        ours: &["chordal-object", "chordal-node"],
        theirs: Theirs::AnyBut(&["clap", "redb", "rustls"]),
    },
    Layer {
        // `chordal-object` is vocabulary: names and keys may be spoken of everywhere.
        member: "chordal",
        ours: &[
            "chordal-object",
            "chordal-node",
            "chordal-web",
            "chordal-s3",
            "chordal-sim",
        ],
        theirs: Theirs::AnyBut(&["prost", "redb", "rustls"]),
    },
    Layer {
        member: "chordal-sim",
        ours: &["chordal-object", "chordal-proto", "chordal-store"],
        theirs: Theirs::AnyBut(&["futures-util", "tokio", "tokio-util"]),
    },
    Layer {
        member: "chordal-torture",
        ours: &["chordal-object", "chordal-sim"],
        theirs: Theirs::AnyBut(&["futures-util", "tokio", "tokio-util"]),
    },
    Layer {
        member: "xtask",
        ours: &[],
        theirs: Theirs::AnyBut(&["tokio"]),
    },
];

/// Every arrow of the workspace at `root` that the table does not allow.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    offending(&metadata)
}

/// The same, over what `cargo metadata` answered.
fn offending(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("metadata without packages")?;
    let members: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    ensure!(
        members.len() == packages.len(),
        "metadata with a package without a name"
    );

    let mut found = Vec::new();
    for (member, package) in members.iter().zip(packages) {
        let Some(layer) = LAYERS.iter().find(|layer| layer.member == *member) else {
            found.push(format!("{member}: has no row in the table of layers"));
            continue;
        };
        let dependencies = package["dependencies"]
            .as_array()
            .context("no dependencies")?;
        for dependency in dependencies {
            if dependency["kind"] == "dev" {
                continue;
            }
            let name = dependency["name"]
                .as_str()
                .context("a dependency without a name")?;
            if members.contains(&name) {
                if !layer.ours.contains(&name) {
                    found.push(format!(
                        "{member} -> {name}: this arrow points the wrong way"
                    ));
                }
            } else if !layer.theirs.allow(name) {
                found.push(format!(
                    "{member} -> {name}: not among the crates it may use"
                ));
            }
        }
    }
    Ok(found)
}

impl Theirs {
    fn allow(&self, name: &str) -> bool {
        match self {
            Self::Only(allowed) => allowed.contains(&name),
            Self::AnyBut(refused) => !refused.contains(&name),
        }
    }
}
