//! The domain of a model: how far the features of a picture are from those of the training pictures.
//!
//! The features are the mean and the standard deviation of every channel of the vision encoder's outputs. They are
//! standardised and projected ([`DomainSummary`]); the Mahalanobis distance to each kind of training pictures tells
//! whether the picture may be of that kind (Lee et al., *A Simple Unified Framework for Detecting Out-of-Distribution
//! Samples and Adversarial Attacks*, NeurIPS 2018). A picture that is near says nothing of whether its mask is right.

use serde::{Deserialize, Serialize};

use crate::metrics::{Gaussian, dot};
use crate::model::weights::domain::DomainSummary;

/// What is added to the mean square outside the subspace before its logarithm is taken.
const SMALLEST: f64 = 1e-6;

/// How far a picture is from the training pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainFigure {
    /// The kind of training pictures that it is nearest to.
    pub kind: String,
    /// The Mahalanobis distance to that kind.
    pub distance: f32,
    /// The share of held-out pictures of that kind that are nearer, in per cent.
    pub percentile: f32,
    /// Whether it is beyond the threshold of every kind.
    pub is_unlike: bool,
}

impl DomainFigure {
    /// Returns what is said beside a mask of a picture that is unlike the training pictures; `None` for another one.
    pub fn words(&self) -> Option<String> {
        let distance = self.distance;
        let held_out = if self.percentile < 100.0 {
            format!("{:.1} % of those", rounded_down(self.percentile))
        } else {
            "all".to_owned()
        };
        self.is_unlike.then(|| {
            format!(
                "This picture is unlike the training pictures (distance {distance:.1}, farther than {held_out} that were \
                 held out)."
            )
        })
    }
}

/// Returns a share in per cent to the tenth below, and less than 100: what is not farther than all is not called that.
fn rounded_down(percent: f32) -> f64 {
    // A tenth has no exact number and may lie below itself.
    const EXACT: f64 = 1e-3;
    ((f64::from(percent) * 10.0 + EXACT).floor() / 10.0).min(99.9)
}

/// The coordinates of pictures: standardisation and subspace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coordinates {
    pub centre: Vec<f64>,
    pub scale: Vec<f64>,
    pub basis: Vec<Vec<f64>>,
}

impl Coordinates {
    /// Returns why features have no coordinates: their number is another one, or one is not finite.
    fn check(&self, features: &[f32]) -> Result<(), String> {
        let (own, others) = (self.centre.len(), features.len());
        if own != others {
            return Err(format!(
                "it summarises {own} features, and those of this network are {others}: it belongs to another model; \
                 summarise the training pictures of this one with `himix domain fit`, or remove the file"
            ));
        }
        if features.iter().any(|value| !value.is_finite()) {
            return Err(
                "the features of a picture are not finite and cannot be compared; check the weights of the model"
                    .into(),
            );
        }
        Ok(())
    }

    /// Returns the standardised features; `None` if their number is another one or one is not finite.
    pub fn standardised(&self, features: &[f32]) -> Option<Vec<f64>> {
        self.check(features).ok()?;
        let of = |((value, centre), scale): ((&f32, &f64), &f64)| (f64::from(*value) - centre) / scale;
        Some(features.iter().zip(&self.centre).zip(&self.scale).map(of).collect())
    }

    /// Returns the coordinates along the basis, and the logarithm of the mean square of the rest.
    pub fn of(&self, features: &[f32]) -> Option<Vec<f64>> {
        let standardised = self.standardised(features)?;
        let mut found: Vec<f64> = self.basis.iter().map(|vector| dot(vector, &standardised)).collect();
        let rest = dot(&standardised, &standardised) - dot(&found, &found);
        let count = standardised.len().saturating_sub(self.basis.len()).max(1) as f64;
        found.push((rest.max(0.0) / count + SMALLEST).ln());
        Some(found)
    }
}

/// A summary of training pictures, prepared for distances.
#[derive(Clone, Debug)]
pub struct Domain {
    summary: DomainSummary,
    coordinates: Coordinates,
    kinds: Vec<Gaussian>,
}

impl Domain {
    /// Prepares a summary; `None` if a covariance is not positive definite.
    pub fn new(summary: DomainSummary) -> Option<Self> {
        let wide = |values: &Vec<f32>| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let kinds = summary.kinds.iter().map(|kind| {
            let covariance: Vec<Vec<f64>> = kind.covariance.iter().map(wide).collect();
            Gaussian::new(wide(&kind.mean), &covariance)
        });
        let kinds = kinds.collect::<Option<Vec<_>>>()?;
        let coordinates = Coordinates {
            centre: wide(&summary.centre),
            scale: wide(&summary.scale),
            basis: summary.basis.iter().map(wide).collect(),
        };
        Some(Self { summary, coordinates, kinds })
    }

    /// The summary.
    pub fn summary(&self) -> &DomainSummary {
        &self.summary
    }

    /// Returns how far a picture with these features is from the training pictures.
    ///
    /// # Errors
    /// They are not features of the model whose pictures are summarised, or not finite. The message goes with the path of
    /// the summary.
    pub fn figure(&self, features: &[f32]) -> Result<DomainFigure, String> {
        self.coordinates.check(features)?;
        let figure = self.coordinates.of(features).and_then(|point| self.of_point(&point));
        figure.ok_or_else(|| "the distance of a picture cannot be computed; make the summary again".into())
    }

    fn of_point(&self, point: &[f64]) -> Option<DomainFigure> {
        let distances = self.kinds.iter().map(|kind| kind.distance(point));
        let distances = distances.collect::<Option<Vec<f64>>>()?;
        let beyond = |index: &usize| distances[*index] / f64::from(self.summary.kinds[*index].threshold);
        let nearest = (0..distances.len()).min_by(|a, b| beyond(a).total_cmp(&beyond(b)))?;
        let kind = &self.summary.kinds[nearest];
        let distance = distances[nearest] as f32;
        Some(DomainFigure {
            kind: kind.name.clone(),
            distance,
            percentile: percentile(&kind.quantiles, distance),
            is_unlike: distance > kind.threshold,
        })
    }
}

/// Returns the per cent of a distribution that is below `value`, from its quantiles at 0, 1, …, 100 %.
fn percentile(quantiles: &[f32], value: f32) -> f32 {
    let above = quantiles.partition_point(|quantile| *quantile < value);
    match (above.checked_sub(1), quantiles.get(above)) {
        (None, _) => 0.0,
        (Some(_), None) => 100.0,
        (Some(below), Some(next)) => {
            let width = next - quantiles[below];
            below as f32 + if width > 0.0 { (value - quantiles[below]) / width } else { 0.0 }
        }
    }
}

/// Returns the features of a picture from the vision encoder's outputs, each with its values in rows of `channels`:
/// the means of the channels of all outputs, then their standard deviations.
pub(super) fn pooled(outputs: &[(Vec<f32>, usize)]) -> Vec<f32> {
    let (mut means, mut deviations) = (Vec::new(), Vec::new());
    for (values, channels) in outputs {
        let rows = values.len() / (*channels).max(1);
        let (mut sum, mut squares) = (vec![0.0_f64; *channels], vec![0.0_f64; *channels]);
        for row in values.chunks_exact((*channels).max(1)) {
            for (channel, value) in row.iter().enumerate() {
                sum[channel] += f64::from(*value);
                squares[channel] += f64::from(*value).powi(2);
            }
        }
        for (sum, squares) in sum.into_iter().zip(squares) {
            let mean = sum / rows.max(1) as f64;
            means.push(mean as f32);
            deviations.push((squares / rows.max(1) as f64 - mean * mean).max(0.0).sqrt() as f32);
        }
    }
    means.extend(deviations);
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_inverse_of_the_quantiles() {
        let quantiles: Vec<f32> = (0..=100).map(|percent| percent as f32 / 10.0).collect();
        assert!((percentile(&quantiles, 9.975) - 99.75).abs() < 1e-3);
        assert!((percentile(&quantiles, 5.0) - 50.0).abs() < 1e-3);
        assert_eq!((percentile(&quantiles, -1.0), percentile(&quantiles, 11.0)), (0.0, 100.0));
        assert!(percentile(&[1.0; 101], 1.0) <= 100.0);
    }

    #[test]
    fn features_are_means_and_deviations_of_the_channels() {
        let outputs = [(vec![1.0, 10.0, 3.0, 10.0], 2), (vec![4.0, 6.0, 8.0], 1)];
        let found = pooled(&outputs);
        let expected = [2.0, 10.0, 6.0, 1.0, 0.0, (8.0_f32 / 3.0).sqrt()];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn only_what_is_unlike_is_said() {
        let figure =
            |is_unlike, percentile| DomainFigure { kind: "qata".into(), distance: 4.23, percentile, is_unlike };
        let words = |place: &str| format!("This picture is unlike the training pictures (distance 4.2, {place}).");
        for (percentile, place) in [
            (99.7, "farther than 99.7 % of those that were held out"),
            (99.69, "farther than 99.6 % of those that were held out"),
            (99.99999, "farther than 99.9 % of those that were held out"),
            (100.0, "farther than all that were held out"),
        ] {
            assert_eq!(figure(true, percentile).words(), Some(words(place)));
        }
        assert_eq!(figure(false, 97.0).words(), None);
    }
}
