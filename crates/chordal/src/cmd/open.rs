//! `open`: a link to the dashboard, and on a desktop the browser that shows it.
//!
//! The link works once and only for minutes. It is never an argument of another program, since
//! arguments can be read by everybody on the machine: the browser is given a private file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::Context;
use super::invite::span;
use crate::cli::OpenArgs;
use crate::find;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: OpenArgs) -> Result<(), Trouble> {
    let client = context.client()?;
    let link = client.dashboard_link().await?;
    let url = format!("http://{}/#{}", client.addr(), link.link);
    let lasts = std::time::Duration::from_secs(link.seconds);
    if context.out.json {
        return context
            .out
            .object(&json!({ "url": url, "seconds": link.seconds }));
    }
    context.out.line(&url)?;
    let shown = !args.no_browser && has_desktop() && {
        let home = find::home(&context.common)?;
        show(&home.path().join("dashboard.html"), &url).is_ok()
    };
    let begin = if shown {
        "Opened in your browser."
    } else {
        "Open it in a browser on this machine."
    };
    context.out.ending(format_args!(
        "{begin} The link works once, within {}.",
        span(lasts)
    ))
}

/// Whether there is a screen for a browser to appear on.
fn has_desktop() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Hands a page that leads to the address to the browser of this desktop.
fn show(page: &Path, url: &str) -> std::io::Result<()> {
    let folder = page.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let file = tempfile::Builder::new().tempfile_in(folder)?;
    let text = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Chordal</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={url}\">\
         <p><a href=\"{url}\">The dashboard of this node</a>\n"
    );
    std::fs::write(file.path(), text)?;
    // Private from the first byte on, since temporary files are; the next one takes its place.
    file.persist(page).map_err(|error| error.error)?;
    let mut opener = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        Command::new("explorer")
    } else {
        Command::new("xdg-open")
    };
    let silent = opener.arg(page).stdin(Stdio::null()).stdout(Stdio::null());
    // It may stay for as long as the browser does; nobody waits for it.
    silent.stderr(Stdio::null()).spawn().map(drop)
}
