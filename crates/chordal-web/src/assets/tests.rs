use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

#[test]
fn every_file_of_the_folder_is_served() {
    let served: BTreeSet<String> = ASSETS
        .iter()
        .map(|asset| asset.path.trim_start_matches('/').to_owned())
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(served, there);
}

#[test]
fn nothing_is_asked_of_another_host_and_nothing_is_inline() {
    for asset in ASSETS {
        // The names of XML's own languages are no places.
        let text = asset.text.replace("http://www.w3.org/", "");
        for elsewhere in ["http://", "https://", "//cdn", "eval(", "innerHTML"] {
            assert!(!text.contains(elsewhere), "{}: {elsewhere}", asset.path);
        }
        if asset.path == "/index.html" {
            for inline in [" style=", " onclick=", "<style", "javascript:"] {
                assert!(!text.contains(inline), "{inline}");
            }
        }
    }
}

#[test]
fn whatever_a_file_imports_or_names_is_there() {
    let paths: BTreeSet<&str> = ASSETS.iter().map(|asset| asset.path).collect();
    let mut named = 0;
    for asset in ASSETS {
        for piece in asset.text.split(['"', '\'']) {
            let name = piece.trim_start_matches("./");
            let is_name = !name.contains([' ', '<', '/'])
                && [".js", ".css", ".svg"]
                    .iter()
                    .any(|end| name.ends_with(end));
            if is_name {
                named += 1;
                let path = format!("/{name}");
                assert!(paths.contains(path.as_str()), "{}: {name}", asset.path);
            }
        }
    }
    assert!(named > ASSETS.len() / 2);
}
