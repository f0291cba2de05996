//! `risk`: what would be lost if any one, any two or any three nodes died now.

use chordal_web::api::{Risk, RiskOfDeaths};
use chordal_web::safety::Safety;

use super::Context;
use crate::out::{Out, short};
use crate::trouble::Trouble;

pub(super) async fn run(context: Context) -> Result<(), Trouble> {
    let client = context.client()?;
    let risk = client.risk().await?;
    context.out.either(&risk, |out| tell(out, &risk))?;
    let bears_one = risk.deaths.iter().any(|deaths| deaths.share <= 0.0);
    if bears_one {
        return context.out.ending(
            "Parts of all keys, by who should hold what and answers now. One file: chordal where NAME",
        );
    }
    let status = client.status().await?;
    let safety = Safety::of(&status.ring.nodes, &status.repair);
    context.out.ending(match safety.state.as_str() {
        "minority" => safety.words.as_str(),
        _ => "Add a node, or wait for the copies that are being made: chordal status",
    })
}

fn tell(out: Out, risk: &Risk) -> Result<(), Trouble> {
    out.line(format_args!(
        "copies of everything: {}, on nodes that answer and have caught up: {}",
        risk.copies, risk.counted
    ))?;
    for (count, share) in risk.shares.iter().enumerate() {
        if *share > 0.0 {
            out.line(format_args!(
                "  {count} copies count of {}",
                percent(*share)
            ))?;
        }
    }
    for deaths in &risk.deaths {
        out.line(of_deaths(out, deaths))?;
    }
    Ok(())
}

fn of_deaths(out: Out, deaths: &RiskOfDeaths) -> String {
    let who = match deaths.count {
        1 => "any one node dies".to_owned(),
        count => format!("any {count} nodes die"),
    };
    if deaths.share <= 0.0 {
        let nothing = out.paint().green("nothing is lost");
        return format!("if {who}: {nothing}");
    }
    let worst: Vec<&str> = deaths.worst.iter().map(|node| short(node)).collect();
    let lost = out.paint().yellow(format!(
        "up to {} is lost or out of reach",
        percent(deaths.share)
    ));
    format!(
        "if {who}: {lost}, at worst with {} ({} of {} choices lose something)",
        worst.join(", "),
        deaths.groups,
        deaths.choices
    )
}

/// A part of all keys, never rounded to nothing.
pub(super) fn percent(share: f64) -> String {
    if share < 0.0005 {
        "less than 0.1 %".to_owned()
    } else {
        format!("{:.1} %", share * 100.0)
    }
}
