//! The ring for pipes and files: a line whenever what it says is another, or the whole scene for
//! programs.

use chordal_web::api::Scene;
use jiff::Zoned;
use tokio::sync::mpsc;

use super::feed::News;
use super::view::{headline, repair};
use crate::out::Out;
use crate::trouble::Trouble;

/// Prints until nobody reads.
pub(super) async fn tell(out: Out, mut news: mpsc::Receiver<News>) -> Result<(), Trouble> {
    let mut last = String::new();
    while let Some(news) = news.recv().await {
        let line = match news {
            News::Scene(scene) if out.json => {
                out.object(&scene)?;
                continue;
            }
            News::Scene(scene) => words(&scene),
            News::Away(why) => format!("{why}; trying again"),
            News::Checked(_) | News::Lately(_) => continue,
        };
        if line == last {
            continue;
        }
        if out.json {
            out.object(&serde_json::json!({ "away": line }))?;
        } else {
            out.line(format_args!(
                "{}  {line}",
                Zoned::now().strftime("%H:%M:%S")
            ))?;
        }
        last = line;
    }
    Ok(())
}

fn words(scene: &Scene) -> String {
    let mut words = headline(scene);
    if scene.repair.state != "idle" {
        words.push_str("; ");
        words.push_str(&repair(scene));
    }
    words.push_str("; safe to unplug: ");
    words.push_str(&scene.safety.unplug.to_string());
    words
}
