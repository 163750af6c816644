//! Summarises the features of training pictures.

use super::domain::{Coordinates, Domain};
use crate::metrics::{Gaussian, mean_covariance, principal_subspace};
use crate::model::weights::domain::{DomainKind, DomainSummary};

/// The largest number of vectors of the basis.
const MOST_VECTORS: usize = 32;
/// The fewest pictures of a kind, and of those held out.
pub const FEWEST_PICTURES: usize = 20;

/// The features of pictures of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainPictures {
    /// The name of the kind.
    pub name: String,
    /// The features of training pictures.
    pub training: Vec<Vec<f32>>,
    /// Those of pictures that were held out.
    pub held_out: Vec<Vec<f32>>,
}

/// Summarises pictures that come from `origin`. At most `false_alarms`, 0…1, of the held-out pictures of each kind are
/// beyond the threshold.
///
/// # Errors
/// A kind has too few pictures, or the features are no features of one network; the message says which.
pub fn fit_domain(origin: &str, kinds: &[DomainPictures], false_alarms: f64) -> Result<DomainSummary, String> {
    if let Some(few) =
        kinds.iter().find(|kind| kind.training.len() < FEWEST_PICTURES || kind.held_out.len() < FEWEST_PICTURES)
    {
        return Err(format!(
            "{} has {} training pictures and {} held out; each must be {FEWEST_PICTURES} at least",
            few.name,
            few.training.len(),
            few.held_out.len()
        ));
    }
    let unequal = || "the features of the pictures are not finite, or not of one network".to_owned();
    let training = || kinds.iter().flat_map(|kind| &kind.training);
    let first = training().next().ok_or("there are no pictures")?;
    if kinds.iter().flat_map(|kind| kind.training.iter().chain(&kind.held_out)).any(|row| row.len() != first.len())
    {
        return Err(unequal());
    }
    let count = training().count() as f64;
    let mean_of = |value: &dyn Fn(f64, usize) -> f64| -> Vec<f64> {
        let mut mean = vec![0.0; first.len()];
        for row in training() {
            for (index, (mean, feature)) in mean.iter_mut().zip(row).enumerate() {
                *mean += value(f64::from(*feature), index) / count;
            }
        }
        mean
    };
    let centre = mean_of(&|feature, _| feature);
    let variance = mean_of(&|feature, index| (feature - centre[index]).powi(2));
    let scale =
        variance.into_iter().map(|variance| if variance > 1e-12 { variance.sqrt() } else { 1.0 }).collect();
    let mut coordinates = Coordinates { centre, scale, basis: Vec::new() };
    let rows: Option<Vec<Vec<f64>>> = training().map(|row| coordinates.standardised(row)).collect();
    let rows = rows.ok_or_else(unequal)?;
    // A quarter of the pictures at most, so that the covariance of a kind can be told from noise.
    coordinates.basis = principal_subspace(&rows, MOST_VECTORS.min(rows.len() / 4));
    let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let mut found = Vec::new();
    for kind in kinds {
        let points = |rows: &[Vec<f32>]| -> Result<Vec<Vec<f64>>, String> {
            rows.iter().map(|row| coordinates.of(row)).collect::<Option<_>>().ok_or_else(unequal)
        };
        let same = || format!("the pictures of {} are all the same", kind.name);
        let (mean, covariance) = mean_covariance(&points(&kind.training)?).ok_or_else(same)?;
        let gaussian = Gaussian::new(mean.clone(), &covariance).ok_or_else(same)?;
        let distances = points(&kind.held_out)?.into_iter().map(|point| gaussian.distance(&point));
        let mut distances = distances.collect::<Option<Vec<f64>>>().ok_or_else(unequal)?;
        distances.sort_by(f64::total_cmp);
        let last = distances.len() - 1;
        let allowed = (false_alarms.clamp(0.0, 1.0) * distances.len() as f64).floor() as usize;
        let quantile = |percent: usize| {
            let at = percent as f64 / 100.0 * last as f64;
            let (below, above) = (distances[at.floor() as usize], distances[at.ceil() as usize]);
            below + (at - at.floor()) * (above - below)
        };
        found.push(DomainKind {
            name: kind.name.clone(),
            pictures: kind.training.len(),
            held_out: kind.held_out.len(),
            mean: narrow(&mean),
            covariance: covariance.iter().map(|line| narrow(line)).collect(),
            // Numbers of 32 bits must not put the picture that sets the threshold beyond it.
            threshold: (distances[last.saturating_sub(allowed)] * (1.0 + 1e-4)) as f32,
            quantiles: (0..=100).map(|percent| quantile(percent) as f32).collect(),
        });
    }
    let summary = DomainSummary {
        description: origin.to_owned(),
        centre: narrow(&coordinates.centre),
        scale: narrow(&coordinates.scale),
        basis: coordinates.basis.iter().map(|vector| narrow(vector)).collect(),
        kinds: found,
    };
    Domain::new(summary.clone()).ok_or_else(unequal)?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Features of a fake network: two kinds around means of their own, with correlated noise in a few directions.
    fn pictures(kind: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut normal = move || (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
        (0..count)
            .map(|_| {
                let causes: Vec<f32> = (0..5).map(|_| normal()).collect();
                let of = |index: usize, noise: f32| {
                    let mean = if index % 2 == kind { 3.0 } else { 0.0 };
                    mean + causes[index % 5] * (1.0 + index as f32 / 20.0) + 0.2 * noise
                };
                (0..40).map(|index| of(index, normal())).collect()
            })
            .collect()
    }

    fn kinds() -> Vec<DomainPictures> {
        let of = |kind: usize, name: &str| DomainPictures {
            name: name.into(),
            training: pictures(kind, 300, kind as u64),
            held_out: pictures(kind, 200, 10 + kind as u64),
        };
        vec![of(0, "X-rays"), of(1, "frames")]
    }

    #[test]
    fn held_out_pictures_are_seldom_unlike_and_others_are() {
        let kinds = kinds();
        let domain = Domain::new(fit_domain("a test", &kinds, 0.02).expect("a summary")).expect("sound");
        let unlike = |rows: &[Vec<f32>]| {
            rows.iter().filter(|row| domain.figure(row).is_ok_and(|figure| figure.is_unlike)).count()
        };
        for (index, kind) in kinds.iter().enumerate() {
            assert!(unlike(&kind.held_out) <= 4, "at most 2 % of 200");
            let others = pictures(index, 500, 77 + index as u64);
            assert!(unlike(&others) <= 30, "{} of 500 that nobody has seen", unlike(&others));
            let figure = domain.figure(&kind.held_out[0]).expect("a figure");
            assert_eq!(figure.kind, kind.name);
            let percentiles: Vec<f32> =
                others.iter().map(|row| domain.figure(row).expect("a figure").percentile).collect();
            let below_half = percentiles.iter().filter(|percentile| **percentile < 50.0).count();
            assert!((175..=325).contains(&below_half), "{below_half} of 500 below the median");
        }
        // Far along a direction in which the pictures vary, and in one in which they do not.
        let mut shifted = pictures(0, 50, 5);
        shifted.iter_mut().for_each(|row| row.iter_mut().for_each(|value| *value += 8.0));
        assert_eq!(unlike(&shifted), 50);
        let mut broken = pictures(0, 50, 6);
        broken.iter_mut().for_each(|row| row.rotate_left(3));
        assert!(unlike(&broken) >= 48, "{}", unlike(&broken));
        let refused = domain.figure(&[0.0; 3]).expect_err("another number");
        assert!(refused.contains("40 features") && refused.contains("are 3"), "{refused}");
        assert!(domain.figure(&[f32::NAN; 40]).is_err_and(|reason| reason.contains("not finite")));
    }

    #[test]
    fn what_cannot_be_summarised_is_refused() {
        let mut few = kinds();
        few[1].held_out.truncate(5);
        assert!(fit_domain("", &few, 0.02).is_err_and(|reason| reason.contains("frames") && reason.contains('5')));
        let mut unequal = kinds();
        unequal[0].training[7].pop();
        assert!(fit_domain("", &unequal, 0.02).is_err());
        let mut broken = kinds();
        broken[0].training[7][1] = f32::NAN;
        assert!(fit_domain("", &broken, 0.02).is_err());
        let same = DomainPictures {
            name: "same".into(),
            training: vec![vec![1.0; 4]; 20],
            held_out: vec![vec![1.0; 4]; 20],
        };
        assert!(fit_domain("", &[same], 0.02).is_err_and(|reason| reason.contains("same")));
        assert!(fit_domain("", &[], 0.02).is_err());
    }
}
