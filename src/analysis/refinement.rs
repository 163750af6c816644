//! Quantifies refinement: how the masks of an image approach the ground truth and the final mask from stage to
//! stage.

use super::maps::raised;
use crate::data::volume::{Lengths, Unit};
use crate::data::{Mask, foreground};
use crate::infer::{Inspection, Plane, radial_power};
use crate::metrics::{Confusion, hd95_of};

/// One mask of the sequence from the coarsest stage to the final one.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The name: "Stage 7" or "Final".
    pub name: String,
    /// The share of the image that the mask covers, 0…1.
    pub area: f64,
    /// The agreement with the ground truth for this image; `None` without a ground truth.
    pub counts: Option<Confusion>,
    /// The unit of the distances.
    pub unit: Unit,
    /// The 95th percentile Hausdorff distance to the ground truth; `None` without a ground truth, or if only one
    /// of the masks is empty.
    pub truth_hd95: Option<f64>,
    /// The Dice score with the previous mask; `None` for the first mask.
    pub dice_with_before: Option<f64>,
    /// The 95th percentile Hausdorff distance to the previous mask; `None` for the first mask, or if only one of
    /// the masks is empty.
    pub hd95_to_before: Option<f64>,
    /// The share of the probability map's power, without its mean, above half of the highest frequency that the
    /// coarsest stage's map can represent.
    pub high_share: f64,
}

/// Returns the steps of the stages' own masks, from coarse to fine, and of the final mask, at the size of the
/// image. A pixel belongs to a mask if its probability is at least `threshold`. Without linear probes, only the
/// final mask is included. Distances are measured in `lengths`.
pub fn steps(inspection: &Inspection, truth: Option<&Mask>, threshold: f32, lengths: Lengths) -> Vec<Step> {
    let prediction = &inspection.prediction;
    let (width, height) = (prediction.probability.width, prediction.probability.height);
    let mut maps: Vec<(String, Plane, Plane)> = Vec::new();
    for stage in &inspection.stages {
        if let Some(linear_probe) = &stage.linear_probe {
            maps.push((
                format!("Stage {}", stage.grid),
                linear_probe.clone(),
                raised(linear_probe, width, height),
            ));
        }
    }
    maps.push(("Final".into(), prediction.probability_model.clone(), prediction.probability.clone()));
    let side = prediction.probability_model.width;
    // The limit is what the coarsest stage can represent, whether or not it has a linear probe, so that models with
    // and without can be compared. Its map has twice the side of its grid.
    let coarsest = inspection.stages.iter().map(|stage| 2 * stage.grid).min().unwrap_or(side);
    let distance = |a: &[u8], b: &[u8]| hd95_of(a, b, width, height, lengths.size);
    let mut before: Option<Vec<u8>> = None;
    let mut steps = Vec::with_capacity(maps.len());
    for (name, small, large) in maps {
        let mask = foreground(&large.values, threshold);
        let truth = truth.map(|truth| truth.values.as_slice());
        steps.push(Step {
            name,
            area: mask.iter().filter(|pixel| **pixel != 0).count() as f64 / mask.len().max(1) as f64,
            counts: truth.map(|truth| Confusion::of(&mask, truth)),
            unit: lengths.unit,
            truth_hd95: truth.and_then(|truth| distance(&mask, truth)),
            dice_with_before: before.as_ref().map(|before| Confusion::of(&mask, before).dice()),
            hd95_to_before: before.as_ref().and_then(|before| distance(&mask, before)),
            high_share: high_share(&raised(&small, side, side), coarsest / 4),
        });
        before = Some(mask);
    }
    steps
}

/// Returns the share of a square map's power, without its mean, at `first` or more cycles across the map.
fn high_share(plane: &Plane, first: usize) -> f64 {
    // These are sums over rings, not means, because rings differ in size.
    let n = plane.width;
    let mean = plane.values.iter().sum::<f32>() / plane.values.len().max(1) as f32;
    let values: Vec<f32> = plane.values.iter().map(|value| value - mean).collect();
    let power = radial_power(&values, n);
    let folded = |u: usize| u.min(n - u) as f64;
    let mut count = vec![0f64; power.len()];
    for at in 0..n * n {
        let ring = (folded(at / n).hypot(folded(at % n)).round() as usize).min(power.len() - 1);
        count[ring] += 1.0;
    }
    let sums: Vec<f64> = power.iter().zip(&count).map(|(mean, count)| f64::from(*mean) * count).collect();
    let all: f64 = sums.iter().sum();
    if all > 0.0 { sums[first.min(sums.len())..].iter().sum::<f64>() / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_waves_are_high() {
        let wave = |k: f32| {
            let values =
                (0..32 * 32).map(|at| (std::f32::consts::TAU * k * (at % 32) as f32 / 32.0).cos()).collect();
            Plane { width: 32, height: 32, values }
        };
        assert!(high_share(&wave(2.0), 4) < 1e-6);
        assert!(high_share(&wave(6.0), 4) > 1.0 - 1e-6);
        assert_eq!(high_share(&wave(0.0), 4), 0.0);
    }
}
