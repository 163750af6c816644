//! Presence: how likely it is that what a prompt names is in the image at all, from the probability map.
//!
//! A network that was trained on images with lesions alone draws a mask on every image. Its map may still be weaker
//! where there is nothing: four numbers of the map go into a logistic regression that is calibrated on images with and
//! without lesion ([`calibrate`](super::calibrate_presence)). A calibration says nothing of other kinds of images, and a
//! network whose maps are as strong on images without lesions cannot be helped by it: its description says how
//! well the two were told apart.

use serde::{Deserialize, Serialize};

use super::prediction::Plane;
use crate::model::weights::presence::PresenceCalibration;
use crate::text::prompt::parse;

/// The presence below which it is said to be low.
pub const LOW_BELOW: f32 = 0.2;
/// Probabilities are limited to this distance from 0 and 1 before their log-odds are taken, so that these stay within
/// ±9.2.
const CLOSEST: f64 = 1e-4;
/// The share of the pixels, those with the highest probabilities, whose mean is a feature.
const TOP: f64 = 0.01;
/// The probability from which on a pixel counts as area, whatever threshold is in use.
const AREA_FROM: f32 = 0.5;

/// The numbers of a probability map from which presence is computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresenceFeatures {
    /// The log-odds of the maximum, within ±9.2.
    pub maximum: f64,
    /// The log-odds of the mean of the highest 1 % of the values, within ±9.2.
    pub top_percent: f64,
    /// The share of the values that are at least 0.5, 0…1.
    pub area: f64,
    /// The log-odds of the mean of the values that are at least 0.5, within ±9.2; 0 if there are none.
    pub inside: f64,
}

impl PresenceFeatures {
    /// Returns the features of a map at the model's resolution, so that they do not depend on the size of the image;
    /// `None` if it has no values.
    pub fn of(map: &Plane) -> Option<Self> {
        let mut values = map.values.clone();
        let last = values.len().checked_sub(1)?;
        let count = ((values.len() as f64 * TOP).ceil() as usize).clamp(1, values.len());
        let (mut covered, mut sum) = (0.0, 0.0);
        for value in values.iter().filter(|value| **value >= AREA_FROM) {
            covered += 1.0;
            sum += f64::from(*value);
        }
        let area = covered / values.len() as f64;
        let inside = if covered > 0.0 { log_odds(sum / covered) } else { 0.0 };
        // Only the highest values need to be apart from the others.
        values.select_nth_unstable_by((count - 1).min(last), |a, b| b.total_cmp(a));
        let top = &values[..count];
        let maximum = top.iter().copied().fold(0.0, f32::max);
        let mean = top.iter().map(|value| f64::from(*value)).sum::<f64>() / count as f64;
        Some(Self { maximum: log_odds(f64::from(maximum)), top_percent: log_odds(mean), area, inside })
    }

    /// Returns the features in the order of the weights.
    pub fn values(&self) -> [f64; 4] {
        [self.maximum, self.top_percent, self.area, self.inside]
    }
}

fn log_odds(probability: f64) -> f64 {
    let limited = probability.clamp(CLOSEST, 1.0 - CLOSEST);
    (limited / (1.0 - limited)).ln()
}

/// Returns the presence of what `prompt` names in the image of `map`, 0…1. `None` if the prompt is empty or says that
/// there is no finding, because it then names nothing, and if the map has no values.
pub fn presence(calibration: &PresenceCalibration, map: &Plane, prompt: &str) -> Option<f32> {
    let names_nothing =
        prompt.trim().is_empty() || parse(prompt).prompt.is_some_and(|prompt| prompt.is_negative());
    if names_nothing {
        return None;
    }
    let logit = presence_logit(calibration, &PresenceFeatures::of(map)?);
    Some((1.0 / (1.0 + (-logit).exp())) as f32)
}

/// Returns the log-odds of presence.
pub fn presence_logit(calibration: &PresenceCalibration, features: &PresenceFeatures) -> f64 {
    let weights = &calibration.weights;
    let weighted = weights.maximum * features.maximum
        + weights.top_percent * features.top_percent
        + weights.area * features.area
        + weights.inside * features.inside;
    calibration.bias + weighted
}

/// Returns what is said beside a mask with this presence: that it is low if it is below [`LOW_BELOW`],
/// that it is doubtful if it is below one half, and otherwise `None`.
pub fn presence_words(presence: f32) -> Option<&'static str> {
    if presence < LOW_BELOW {
        Some("Presence is low: what the prompt names may not be in this image.")
    } else if presence < 0.5 {
        Some("Doubtful whether what the prompt names is in this image.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::presence::PresenceWeights;

    fn map(values: Vec<f32>) -> Plane {
        Plane { width: values.len(), height: 1, values }
    }

    #[test]
    fn features_are_the_maximum_the_top_percent_and_the_area() {
        // Of 200 values, two are the highest 1 %.
        let mut values = vec![0.1; 200];
        (values[17], values[90], values[91]) = (0.9, 0.7, 0.5);
        let found = PresenceFeatures::of(&map(values)).expect("values");
        let expected = [(0.9_f64 / 0.1).ln(), (0.8_f64 / 0.2).ln(), 3.0 / 200.0, (0.7_f64 / 0.3).ln()];
        for (found, expected) in found.values().into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let certain = PresenceFeatures::of(&map(vec![1.0, 0.0])).expect("values");
        assert!((certain.maximum - 9.21).abs() < 0.01, "{certain:?}");
        assert_eq!(PresenceFeatures::of(&map(Vec::new())), None);
        assert!(
            PresenceFeatures::of(&map(vec![f32::NAN]))
                .is_some_and(|found| found.area == 0.0 && found.inside == 0.0)
        );
    }

    #[test]
    fn presence_is_the_regression_and_there_is_none_without_a_finding() {
        let calibration = PresenceCalibration {
            description: String::new(),
            weights: PresenceWeights { maximum: 1.0, top_percent: 0.0, area: 2.0, inside: 0.5 },
            bias: -1.0,
            groups: Vec::new(),
        };
        let map = map(vec![0.75, 0.25]);
        let logit = -1.0 + 3.0_f64.ln() + 2.0 * 0.5 + 0.5 * 3.0_f64.ln();
        let expected = (1.0 / (1.0 + (-logit).exp())) as f32;
        let found = presence(&calibration, &map, "lower left lung").expect("a presence");
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        for nothing in ["", "  ", "No pulmonary infection.", "no polyp"] {
            assert_eq!(presence(&calibration, &map, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn words_are_said_where_presence_is_low() {
        assert!(presence_words(0.1).is_some_and(|words| words.starts_with("Presence is low")));
        assert!(presence_words(LOW_BELOW).is_some_and(|words| words.starts_with("Doubtful")));
        assert_eq!((presence_words(0.5), presence_words(1.0)), (None, None));
    }
}
