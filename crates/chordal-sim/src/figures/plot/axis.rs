//! Axes: how values become places, and which of them are written down.

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// How values become places.
    pub scale: Scale,
}

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from zero.
    Linear,
    /// Each doubling the same length; shows only what is above zero.
    Log2,
    /// Each factor of ten the same length; shows only what is above zero.
    Log10,
}

/// An axis with its ends.
#[derive(Debug)]
pub(super) struct Span {
    scale: Scale,
    /// The ends, as the scale has them: logarithms where it is one.
    first: f64,
    last: f64,
}

/// The most ticks on a linear axis.
const TICKS_MAX: f64 = 10.0;

impl Axis {
    /// An axis with this beside it.
    pub fn new(label: &str, scale: Scale) -> Self {
        Self {
            label: label.to_owned(),
            scale,
        }
    }

    /// An axis long enough for these values.
    pub(super) fn span(&self, values: impl Iterator<Item = f64>) -> Span {
        let scale = self.scale;
        let shown =
            values.filter(|&value| value.is_finite() && (scale == Scale::Linear || value > 0.0));
        let placed: Vec<f64> = shown.map(|value| scale.place(value)).collect();
        let least = placed.iter().copied().fold(f64::INFINITY, f64::min);
        let most = placed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if placed.is_empty() {
            return Span {
                scale,
                first: 0.0,
                last: 1.0,
            };
        }
        let (first, last) = match scale {
            Scale::Linear => {
                let step = step_for(most.max(0.0) - least.min(0.0));
                (
                    (least.min(0.0) / step + 1e-9).floor() * step,
                    (most / step - 1e-9).ceil() * step,
                )
            }
            Scale::Log2 | Scale::Log10 => (least.floor(), most.ceil()),
        };
        let last = if last > first { last } else { first + 1.0 };
        Span { scale, first, last }
    }
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log2 => value.log2(),
            Self::Log10 => value.log10(),
        }
    }
}

impl Span {
    /// Where a value lies: 0 at the first end, 1 at the last.
    pub(super) fn share(&self, value: f64) -> f64 {
        (self.scale.place(value) - self.first) / (self.last - self.first)
    }

    /// Whether a value has a place on this axis.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// The values written beside the axis, in order.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let step = match self.scale {
            Scale::Linear => step_for(self.last - self.first),
            Scale::Log2 | Scale::Log10 => ((self.last - self.first) / 14.0).ceil().max(1.0),
        };
        let mut ticks = Vec::new();
        let mut number = 0_u32;
        loop {
            let place = self.first + step * f64::from(number);
            if place > self.last + step / 1e6 {
                return ticks;
            }
            let value = match self.scale {
                Scale::Linear => place,
                Scale::Log2 => place.exp2(),
                Scale::Log10 => 10_f64.powf(place),
            };
            ticks.push((value, label(value, step, self.scale)));
            number += 1;
        }
    }
}

/// A round step that divides a length into a handful of parts.
fn step_for(length: f64) -> f64 {
    if length <= 0.0 {
        return 1.0;
    }
    let rough = length / TICKS_MAX;
    let decade = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps
        .into_iter()
        .find(|&step| step >= rough * 0.999)
        .unwrap_or(steps[3])
}

/// A value in as few digits as tell it from its neighbours.
fn label(value: f64, step: f64, scale: Scale) -> String {
    let digits = match scale {
        Scale::Linear if step >= 1.0 => 0,
        Scale::Linear => (1..6)
            .find(|&digits| step * 10_f64.powi(digits) >= 0.999)
            .unwrap_or(6),
        Scale::Log2 | Scale::Log10 if value >= 1.0 => 0,
        Scale::Log2 | Scale::Log10 => 3,
    };
    let digits = usize::try_from(digits).unwrap_or(0);
    let value = if value == 0.0 { 0.0 } else { value };
    format!("{value:.digits$}")
}
