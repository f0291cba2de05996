//! `man`: pages of the manual, made of the flags themselves.

use super::Context;
use crate::cli::ManArgs;
use crate::out::count;
use crate::reference;
use crate::trouble::Trouble;

pub(super) fn run(context: Context, args: ManArgs) -> Result<(), Trouble> {
    let failed = |error: std::io::Error| Trouble::failed("failed", error.to_string());
    if args.markdown {
        return context.out.line(reference::markdown().trim_end());
    }
    let Some(dir) = args.dir else {
        let page = reference::page().map_err(failed)?;
        return context.out.line(page.text.trim_end());
    };
    let pages = reference::pages().map_err(failed)?;
    std::fs::create_dir_all(&dir).map_err(|error| Trouble::file(&dir, &error))?;
    for page in &pages {
        let path = dir.join(&page.file);
        std::fs::write(&path, &page.text).map_err(|error| Trouble::file(&path, &error))?;
    }
    let pages = pages.len() as u64;
    let told = serde_json::json!({ "pages": pages, "folder": dir.display().to_string() });
    context.out.either(&told, |out| {
        out.line(format_args!(
            "{} in {}",
            count(pages, "page"),
            dir.display()
        ))
    })?;
    context.out.ending("Read one: man chordal-put")
}
