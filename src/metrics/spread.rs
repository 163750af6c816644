//! Mean and standard deviation of scores.

/// Mean and population standard deviation, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Population standard deviation (divided by the number of values).
    pub std: f64,
}

/// Mean and population standard deviation of `values`; both not a number if there are none.
pub fn mean_std(values: &[f64]) -> Spread {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Spread { mean, std: variance.sqrt() }
}
