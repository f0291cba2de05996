//! Quantities as people type them: `250ms`, `1.5s`, `2m`, `1%`.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// A length of time: a number and `us`, `ms`, `s`, `m`, `h` or `d`. A bare number is seconds.
pub(crate) fn time(text: &str) -> Result<Duration> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .with_context(|| format!("'{text}' is no length of time, such as 250ms, 20s or 5m"))?;
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => bail!("'{unit}' is none of us, ms, s, m, h, d"),
    };
    Duration::try_from_secs_f64(number * seconds)
        .with_context(|| format!("'{text}' is too long for a run"))
}

/// A probability: `1%`, or `0.01`.
pub(crate) fn share(text: &str) -> Result<f64> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let number: f64 = number
        .parse()
        .with_context(|| format!("'{text}' is no share, such as 1% or 0.01"))?;
    let share = number / scale;
    ensure!(
        (0.0..=1.0).contains(&share),
        "'{text}' is not between 0% and 100%"
    );
    Ok(share)
}
