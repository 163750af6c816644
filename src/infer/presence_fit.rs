//! Calibrates presence on images with and without lesion.

use std::collections::BTreeMap;

use super::presence::PresenceFeatures;
use crate::metrics::{Logistic, LogisticCase, auroc};
use crate::model::weights::presence::{PresenceCalibration, PresenceGroup, PresenceWeights};

/// The penalty of the squared weights. It only keeps them finite where the classes can be separated.
const PENALTY: f64 = 1e-3;
/// The number of parts of the cross-validation.
const FOLDS: usize = 5;

/// An image of a calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceCase {
    /// The kind of image, such as "X-rays" or "phantom X-rays".
    pub group: String,
    /// The numbers of its probability map.
    pub features: PresenceFeatures,
    /// Whether the image has a lesion.
    pub has_lesion: bool,
}

/// Fits presence to `cases`, which come from `origin`. `None` if there is no group that has images both with and
/// without lesion.
///
/// A group of images that all have a lesion, or all have none, is left out of the fit, because the regression would
/// learn what distinguishes the group. Within the others, the images with and those without lesion count
/// the same, and so do the groups: 0.5 stands for even odds, whatever the numbers of images are. The areas under the
/// ROC curve come from a cross-validation in five parts, so that no image is scored by a regression that has
/// seen it.
pub fn calibrate_presence(origin: &str, cases: &[PresenceCase]) -> Option<PresenceCalibration> {
    let fitted = fit(cases, |_| true)?;
    let mut scores = vec![f64::NAN; cases.len()];
    for fold in 0..FOLDS {
        let Some(held_out) = fit(cases, |index| index % FOLDS != fold) else { continue };
        for index in (fold..cases.len()).step_by(FOLDS) {
            scores[index] = held_out.logit(&cases[index].features.values());
        }
    }
    let [maximum, top_percent, area, inside] = fitted.weights;
    Some(PresenceCalibration {
        description: origin.to_owned(),
        weights: PresenceWeights { maximum, top_percent, area, inside },
        bias: fitted.bias,
        groups: presence_groups(cases, &scores),
    })
}

/// Describes the groups of `cases` in the order of their names, with the area under the ROC curve of `scores`, one for
/// each case.
pub fn presence_groups(cases: &[PresenceCase], scores: &[f64]) -> Vec<PresenceGroup> {
    let mut groups: BTreeMap<&str, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for (case, score) in cases.iter().zip(scores) {
        let (scores, has_lesion) = groups.entry(&case.group).or_default();
        scores.push(*score);
        has_lesion.push(case.has_lesion);
    }
    let described = groups.into_iter().map(|(name, (scores, has_lesion))| {
        let with_lesion = has_lesion.iter().filter(|has| **has).count();
        PresenceGroup {
            name: name.to_owned(),
            with_lesion,
            without_lesion: has_lesion.len() - with_lesion,
            auroc: auroc(&scores, &has_lesion),
        }
    });
    described.collect()
}

/// Fits the regression to the cases whose index `belongs`.
fn fit(cases: &[PresenceCase], belongs: impl Fn(usize) -> bool) -> Option<Logistic<4>> {
    let used: Vec<&PresenceCase> =
        cases.iter().enumerate().filter(|(index, _)| belongs(*index)).map(|(_, case)| case).collect();
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for case in &used {
        counts.entry(&case.group).or_default()[usize::from(case.has_lesion)] += 1;
    }
    counts.retain(|_, counts| !counts.contains(&0));
    let case = |case: &PresenceCase| {
        let count = counts.get(case.group.as_str())?[usize::from(case.has_lesion)];
        let features = case.features.values();
        Some(LogisticCase { features, is_positive: case.has_lesion, weight: 1.0 / count as f64 })
    };
    let cases: Vec<LogisticCase<4>> = used.into_iter().filter_map(case).collect();
    Logistic::fit(&cases, PENALTY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::{Plane, presence};

    /// Phantoms whose maps are weak without a lesion, X-rays whose maps say nothing, and frames that all have one.
    fn cases() -> Vec<PresenceCase> {
        let case = |index: usize| {
            let group = ["phantoms", "X-rays", "frames"][index % 3];
            let has_lesion = group == "frames" || (index / 3).is_multiple_of(2);
            let strength = match (group, has_lesion) {
                ("phantoms", false) => -2.0,
                ("phantoms", true) => 4.0,
                ("X-rays", _) => 3.0 + (index % 7) as f64 / 7.0,
                _ => 2.0,
            };
            let jitter = (index * 31 % 11) as f64 / 11.0;
            let features =
                PresenceFeatures { maximum: strength + jitter, top_percent: strength, area: 0.05, inside: 1.0 };
            PresenceCase { group: group.into(), features, has_lesion }
        };
        (0..300).map(case).collect()
    }

    #[test]
    fn groups_that_can_be_told_apart_are_and_the_others_are_reported() {
        let found = calibrate_presence("a test", &cases()).expect("a fit");
        let counts: Vec<(&str, usize, usize)> = found
            .groups
            .iter()
            .map(|group| (group.name.as_str(), group.with_lesion, group.without_lesion))
            .collect();
        assert_eq!(counts, [("X-rays", 50, 50), ("frames", 100, 0), ("phantoms", 50, 50)]);
        let areas: Vec<Option<f64>> = found.groups.iter().map(|group| group.auroc).collect();
        assert!(areas[0].is_some_and(|area| (0.2..0.8).contains(&area)), "{found:?}");
        assert!(areas[1].is_none() && areas[2].is_some_and(|area| area > 0.99), "{found:?}");
        let map = |value: f32| Plane { width: 10, height: 10, values: vec![value; 100] };
        let at = |value| presence(&found, &map(value), "left lung").expect("a presence");
        assert!(at(0.05) < 0.2 && at(0.99) > 0.5, "{} {}", at(0.05), at(0.99));
    }

    #[test]
    fn a_group_of_one_class_changes_nothing() {
        let with = calibrate_presence("", &cases()).expect("a fit");
        let mut cases = cases();
        cases.retain(|case| case.group != "frames");
        let without = calibrate_presence("", &cases).expect("a fit");
        assert_eq!((with.weights, with.bias), (without.weights, without.bias));
    }

    #[test]
    fn one_class_alone_cannot_be_calibrated() {
        let mut cases = cases();
        cases.retain(|case| case.has_lesion);
        assert_eq!(calibrate_presence("", &cases), None);
        assert_eq!(calibrate_presence("", &[]), None);
    }
}
