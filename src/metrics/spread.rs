//! Summary statistics of scores.

/// Statistics of the scores of many images, in the unit of the scores. All are NaN if there are no scores.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Population standard deviation (divided by the number of values).
    pub std: f64,
    /// Median.
    pub median: f64,
    /// 25th percentile.
    pub lower_quartile: f64,
    /// 75th percentile.
    pub upper_quartile: f64,
}

/// Returns the mean, the population standard deviation and the quartiles of `values`.
pub fn mean_std(values: &[f64]) -> Spread {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [lower_quartile, median, upper_quartile] =
        [0.25, 0.5, 0.75].map(|share| percentile(&sorted, share).unwrap_or(f64::NAN));
    Spread { mean, std: variance.sqrt(), median, lower_quartile, upper_quartile }
}

/// Returns the quantile `share` (0…1) of the sorted values, interpolated linearly between neighbours like
/// `numpy.percentile`. `None` if there are no values.
pub(super) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}
