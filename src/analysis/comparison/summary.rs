//! The scores of every network, and the differences of every pair of networks.

use serde::Serialize;

use crate::infer::comparison::{CaseScore, ComparedCase, ComparedNetwork, Comparison, NetworkCost};
use crate::metrics::{Bootstrap, Confusion, Interval, PairedCase, Spread, Wilcoxon, holm, mean_std, wilcoxon};

/// The scores of a network over the images that have a ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSummary {
    /// The name.
    pub name: String,
    /// Its size and speed.
    pub cost: NetworkCost,
    /// What the reader must know of it, a sentence each.
    pub notes: Vec<String>,
    /// The number of images with a ground truth.
    pub images: usize,
    /// The pixel counts of all images together; `dice()` and `iou()` are the pooled scores.
    pub pooled: Confusion,
    /// The intervals of pooled Dice and pooled IoU.
    pub pooled_interval: [Option<Interval>; 2],
    /// Dice and IoU per image.
    pub per_image: [Spread; 2],
    /// The intervals of their means.
    pub per_image_interval: [Option<Interval>; 2],
    /// The 95 % Hausdorff distance in pixels, over the images that have one.
    pub hd95: Spread,
    /// The number of images without such a distance, because one of the masks is empty.
    pub without_hd95: usize,
    /// The number of masks without foreground.
    pub empty: usize,
}

/// How two networks differ, on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairSummary {
    /// The numbers of the two networks; the differences are those of the second less the first.
    pub networks: [usize; 2],
    /// The difference of pooled Dice.
    pub pooled_dice: Interval,
    /// The mean difference of Dice per image.
    pub dice_per_image: Interval,
    /// The numbers of images on which the second has the higher and the lower Dice.
    pub better_worse: [usize; 2],
    /// Wilcoxon's signed-rank test of the differences of Dice per image.
    pub wilcoxon: Wilcoxon,
    /// The p-value after Holm's correction over all pairs.
    pub p_holm: f64,
}

/// The Dice of one image by two networks.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseDifference {
    /// The number of the case.
    pub case: usize,
    /// Dice of this image by the first and by the second network.
    pub dice: [f64; 2],
}

impl CaseDifference {
    /// Dice of the second network less that of the first.
    pub fn difference(&self) -> f64 {
        self.dice[1] - self.dice[0]
    }
}

/// Returns the scores of every network. Intervals resample subjects.
pub fn summaries(comparison: &Comparison, bootstrap: Bootstrap) -> Vec<NetworkSummary> {
    comparison.networks.iter().map(|network| summary(network, &comparison.cases, bootstrap)).collect()
}

fn summary(network: &ComparedNetwork, cases: &[ComparedCase], bootstrap: Bootstrap) -> NetworkSummary {
    let scored: Vec<(&str, Confusion, &CaseScore)> = cases
        .iter()
        .zip(&network.scores)
        .filter_map(|(case, score)| Some((case.subject(), score.counts?, score)))
        .collect();
    let counts = || scored.iter().map(|(subject, counts, _)| (*subject, *counts));
    let of = [Confusion::dice, Confusion::iou];
    let values = |of: fn(&Confusion) -> f64| counts().map(move |(subject, counts)| (subject, of(&counts)));
    let distances: Vec<f64> = scored.iter().filter_map(|(_, _, score)| score.hd95).collect();
    NetworkSummary {
        name: network.name.clone(),
        cost: network.cost.clone(),
        notes: network.notes.clone(),
        images: scored.len(),
        pooled: counts().map(|(_, counts)| counts).sum(),
        pooled_interval: of.map(|of| bootstrap.pooled(counts(), of)),
        per_image: of.map(|of| mean_std(&values(of).map(|(_, value)| value).collect::<Vec<_>>())),
        per_image_interval: of.map(|of| bootstrap.mean(values(of))),
        hd95: mean_std(&distances),
        without_hd95: scored.len() - distances.len(),
        empty: counts().filter(|(_, counts)| counts.true_positive + counts.false_positive == 0).count(),
    }
}

/// Returns the differences of every pair of networks, in the order of their numbers; none without a ground truth.
pub fn pairs(comparison: &Comparison, bootstrap: Bootstrap) -> Vec<PairSummary> {
    let count = comparison.networks.len();
    let all = (0..count).flat_map(|first| (first + 1..count).map(move |second| [first, second]));
    let mut pairs: Vec<PairSummary> = all.filter_map(|networks| pair(comparison, networks, bootstrap)).collect();
    let p_values: Vec<f64> = pairs.iter().map(|pair| pair.wilcoxon.p_value).collect();
    pairs.iter_mut().zip(holm(&p_values)).for_each(|(pair, p)| pair.p_holm = p);
    pairs
}

fn pair(comparison: &Comparison, networks: [usize; 2], bootstrap: Bootstrap) -> Option<PairSummary> {
    let [first, second] = networks.map(|number| &comparison.networks[number].scores);
    let cases: Vec<PairedCase> = comparison
        .cases
        .iter()
        .zip(first.iter().zip(second))
        .filter_map(|(case, (first, second))| {
            let subject = case.subject().to_owned();
            Some(PairedCase { subject, reference: first.counts?, other: second.counts? })
        })
        .collect();
    let difference = |case: &PairedCase| case.other.dice() - case.reference.dice();
    let differences: Vec<f64> = cases.iter().map(difference).collect();
    let count = |is_counted: fn(&f64) -> bool| differences.iter().filter(|value| is_counted(value)).count();
    let wilcoxon = wilcoxon(&differences)?;
    Some(PairSummary {
        networks,
        pooled_dice: bootstrap.pooled_dice_difference(&cases)?,
        dice_per_image: bootstrap.mean(cases.iter().map(|case| (case.subject.as_str(), difference(case))))?,
        better_worse: [count(|value| *value > 0.0), count(|value| *value < 0.0)],
        wilcoxon,
        p_holm: wilcoxon.p_value,
    })
}

/// Returns the Dice of every image by two networks, in ascending order of the difference; images without a ground truth are left
/// out.
pub fn differences(comparison: &Comparison, networks: [usize; 2]) -> Vec<CaseDifference> {
    let [first, second] = networks.map(|number| &comparison.networks[number].scores);
    let dice = |score: &CaseScore| score.counts.map(|counts| counts.dice());
    let mut differences: Vec<CaseDifference> = first
        .iter()
        .zip(second)
        .enumerate()
        .filter_map(|(case, (first, second))| Some(CaseDifference { case, dice: [dice(first)?, dice(second)?] }))
        .collect();
    differences.sort_by(|a, b| a.difference().total_cmp(&b.difference()));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::comparison::tests::comparison;

    fn bootstrap() -> Bootstrap {
        Bootstrap { resamples: 500, ..Bootstrap::default() }
    }

    /// Dice of a mask of `pixels` where the truth has two: `2 · min / (pixels + 2)`.
    fn dice(pixels: f64) -> f64 {
        2.0 * pixels.min(2.0) / (pixels + 2.0)
    }

    #[test]
    fn scores_are_those_of_the_formulas() {
        let found = summaries(&comparison(), bootstrap());
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let network = &found[1];
        // Masks of 1, 0, 4, 2 and 3 pixels: 7 true positives, 3 false positives, 3 false negatives.
        close(network.pooled.dice(), 14.0 / 20.0);
        close(network.pooled.iou(), 7.0 / 13.0);
        let per_image = [1.0, 0.0, 4.0, 2.0, 3.0].map(dice);
        let mean = per_image.iter().sum::<f64>() / 5.0;
        close(network.per_image[0].mean, mean);
        close(
            network.per_image[0].std,
            (per_image.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 5.0).sqrt(),
        );
        let ious = [0.5, 0.0, 0.5, 1.0, 2.0 / 3.0];
        close(network.per_image[1].mean, ious.iter().sum::<f64>() / 5.0);
        let [pooled, _] = network.pooled_interval;
        let pooled = pooled.expect("an interval");
        assert_eq!(pooled.subjects, 4, "two images are of one subject");
        close(pooled.estimate, 14.0 / 20.0);
        assert!(pooled.low < 0.7 && pooled.high > 0.7);
        let mean_interval = network.per_image_interval[0].expect("an interval");
        close(mean_interval.estimate, mean);
        assert_eq!((network.empty, network.without_hd95), (1, 1));
        assert_eq!((found[2].empty, found[2].hd95.mean.is_nan(), found[2].without_hd95), (5, true, 5));
        assert_eq!((found[0].per_image[0].mean, found[0].images), ((4.0 + dice(1.0)) / 5.0, 5));
    }

    #[test]
    fn pairs_are_compared_on_the_same_images() {
        let comparison = comparison();
        let found = pairs(&comparison, bootstrap());
        assert_eq!(found.iter().map(|pair| pair.networks).collect::<Vec<_>>(), [[0, 1], [0, 2], [1, 2]]);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let pair = &found[0];
        // HiMix: 9 true positives, 1 false negative.
        close(pair.pooled_dice.estimate, 14.0 / 20.0 - 18.0 / 19.0);
        let expected = [dice(1.0) - 1.0, -1.0, dice(4.0) - 1.0, 0.0, dice(3.0) - dice(1.0)];
        close(pair.dice_per_image.estimate, expected.iter().sum::<f64>() / 5.0);
        assert_eq!((pair.better_worse, pair.wilcoxon.zeros), ([1, 3], 1));
        // All five images are worse: two of the 32 ways to give signs are as extreme.
        assert_eq!((found[1].wilcoxon.p_value, found[1].better_worse), (0.0625, [0, 5]));
        // Holm: the smallest of three p-values is multiplied by three.
        close(found[1].p_holm, 0.1875);
        let sorted = differences(&comparison, [0, 1]);
        let order: Vec<usize> = sorted.iter().map(|difference| difference.case).collect();
        assert_eq!((order[0], order[3], order[4]), (1, 3, 4));
        close(sorted[4].difference(), dice(3.0) - dice(1.0));
    }

    #[test]
    fn without_a_ground_truth_there_are_no_scores() {
        let mut comparison = comparison();
        for network in &mut comparison.networks {
            network.scores.iter_mut().for_each(|score| (score.counts, score.hd95) = (None, None));
        }
        let found = summaries(&comparison, bootstrap());
        assert_eq!((found[0].images, found[0].pooled_interval), (0, [None; 2]));
        assert_eq!((pairs(&comparison, bootstrap()).len(), differences(&comparison, [0, 1]).len()), (0, 0));
    }
}
