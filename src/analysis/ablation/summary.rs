//! The statistics of every variant, and its difference to the reference.

use std::collections::BTreeMap;

use super::cases::{CaseScore, RunScores};
use crate::infer::comparison::NetworkCost;
use crate::metrics::{Bootstrap, Confusion, Interval, PairedCase, Spread, Wilcoxon, holm, mean_std, wilcoxon};

/// The statistics of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantSummary {
    /// The name.
    pub variant: String,
    /// The variant in words.
    pub title: String,
    /// The size of the network, as far as it is known.
    pub cost: NetworkCost,
    /// The seeds of the runs.
    pub seeds: Vec<u64>,
    /// The number of images that all runs of the variant have scores of.
    pub images: usize,
    /// Dice pooled over all pixels of all images, of each run in the order of the seeds.
    pub pooled_dice: Vec<f64>,
    /// IoU pooled likewise.
    pub pooled_iou: Vec<f64>,
    /// The mean Dice per image, of each run.
    pub mean_dice: Vec<f64>,
    /// The mean IoU per image, of each run.
    pub mean_iou: Vec<f64>,
    /// Dice per image over the images; of several runs, each image has the mean over the seeds.
    pub dice: Spread,
    /// IoU per image, likewise.
    pub iou: Spread,
    /// The difference to the reference; `None` for itself, and if no run of it has the same seed.
    pub difference: Option<Difference>,
}

/// The difference of a variant to the reference, over the images and seeds that both have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The number of seeds.
    pub seeds: usize,
    /// The number of images.
    pub images: usize,
    /// Pooled Dice of the variant less that of the reference, over the pixels of all seeds, with a bootstrap interval
    /// that resamples subjects.
    pub pooled_dice: Interval,
    /// The mean difference of Dice per image, likewise.
    pub dice_per_image: Interval,
    /// Wilcoxon's signed-rank test of the differences of Dice per image, each the mean over the seeds.
    pub wilcoxon: Wilcoxon,
    /// The p-value after Holm's correction over all variants that are compared.
    pub p_holm: f64,
}

/// Returns the mean and the sample standard deviation (divided by the number of values less one), which is NaN for fewer
/// than two values.
pub fn over_seeds(values: &[f64]) -> (f64, f64) {
    let Spread { mean, std, .. } = mean_std(values);
    let count = values.len() as f64;
    (mean, if count > 1.0 { std * (count / (count - 1.0)).sqrt() } else { f64::NAN })
}

/// The images by case.
type Cases<'a> = BTreeMap<&'a str, &'a CaseScore>;

fn by_case(run: &RunScores) -> Cases<'_> {
    run.cases.iter().map(|case| (case.case.as_str(), case)).collect()
}

/// Returns the statistics of every variant, in the order in which the variants first occur. All are compared with the one
/// whose name is `reference`.
pub fn summaries(runs: &[RunScores], reference: &str, bootstrap: Bootstrap) -> Vec<VariantSummary> {
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        if !names.contains(&run.variant.as_str()) {
            names.push(&run.variant);
        }
    }
    let of = |name: &str| -> BTreeMap<u64, Cases> {
        runs.iter().filter(|run| run.variant == name).map(|run| (run.seed, by_case(run))).collect()
    };
    let whole = of(reference);
    let mut summaries: Vec<VariantSummary> = names
        .iter()
        .filter_map(|name| {
            let own = of(name);
            let difference = (*name != reference).then(|| difference(&whole, &own, bootstrap)).flatten();
            let first = runs.iter().find(|run| run.variant == *name)?;
            Some(VariantSummary { difference, ..summary(first, &own) })
        })
        .collect();
    let compared = || summaries.iter().filter_map(|summary| summary.difference.as_ref());
    let corrected = holm(&compared().map(|difference| difference.wilcoxon.p_value).collect::<Vec<_>>());
    let differences = summaries.iter_mut().filter_map(|summary| summary.difference.as_mut());
    differences.zip(corrected).for_each(|(difference, p)| difference.p_holm = p);
    summaries
}

/// The cases that all runs have.
fn common<'a>(runs: &[&Cases<'a>]) -> Vec<&'a str> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    first.keys().copied().filter(|case| others.iter().all(|run| run.contains_key(case))).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// The statistics of a variant by itself.
fn summary(first: &RunScores, runs: &BTreeMap<u64, Cases>) -> VariantSummary {
    let all: Vec<&Cases> = runs.values().collect();
    let cases = common(&all);
    let over_images = |score: fn(&Confusion) -> f64| {
        let of = |case: &&str| mean(all.iter().map(|run| score(&run[case].counts)));
        mean_std(&cases.iter().map(of).collect::<Vec<_>>())
    };
    let of_runs = |score: &dyn Fn(&[Confusion]) -> f64| {
        let counts = |run: &&Cases| score(&cases.iter().map(|case| run[case].counts).collect::<Vec<_>>());
        all.iter().map(counts).collect::<Vec<f64>>()
    };
    VariantSummary {
        variant: first.variant.clone(),
        title: first.title.clone(),
        cost: first.cost.clone(),
        seeds: runs.keys().copied().collect(),
        images: cases.len(),
        pooled_dice: of_runs(&|counts| counts.iter().copied().sum::<Confusion>().dice()),
        pooled_iou: of_runs(&|counts| counts.iter().copied().sum::<Confusion>().iou()),
        mean_dice: of_runs(&|counts| mean(counts.iter().map(Confusion::dice))),
        mean_iou: of_runs(&|counts| mean(counts.iter().map(Confusion::iou))),
        dice: over_images(Confusion::dice),
        iou: over_images(Confusion::iou),
        difference: None,
    }
}

fn difference(
    reference: &BTreeMap<u64, Cases>,
    own: &BTreeMap<u64, Cases>,
    bootstrap: Bootstrap,
) -> Option<Difference> {
    let pairs: Vec<[&Cases; 2]> = own.iter().filter_map(|(seed, run)| Some([reference.get(seed)?, run])).collect();
    let cases = common(&pairs.iter().flatten().copied().collect::<Vec<_>>());
    let subject = |case: &str| pairs.first().map_or("", |[first, _]| first[case].subject.as_str());
    let paired: Vec<PairedCase> = pairs
        .iter()
        .flat_map(|[reference, other]| {
            cases.iter().map(|case| PairedCase {
                subject: subject(case).to_owned(),
                reference: reference[case].counts,
                other: other[case].counts,
            })
        })
        .collect();
    let of_case = |case: &str| {
        mean(pairs.iter().map(|[reference, other]| other[case].counts.dice() - reference[case].counts.dice()))
    };
    let differences: Vec<f64> = cases.iter().map(|case| of_case(case)).collect();
    let mut subjects: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (case, difference) in cases.iter().zip(&differences) {
        let (sum, count) = subjects.entry(subject(case)).or_default();
        *sum += difference;
        *count += 1;
    }
    let groups: Vec<(f64, usize)> = subjects.into_values().collect();
    let dice_per_image = bootstrap.interval(&groups, |drawn| {
        let count: usize = drawn.iter().map(|(_, count)| count).sum();
        drawn.iter().map(|(sum, _)| sum).sum::<f64>() / count as f64
    })?;
    let wilcoxon = wilcoxon(&differences)?;
    Some(Difference {
        seeds: pairs.len(),
        images: cases.len(),
        pooled_dice: bootstrap.pooled_dice_difference(&paired)?,
        dice_per_image,
        wilcoxon,
        p_holm: wilcoxon.p_value,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run whose images have these true positives, with two false positives and ten pixels of lesion each; the first two
    /// are of one subject.
    pub fn run(variant: &str, seed: u64, found: &[u64]) -> RunScores {
        let case = |(index, found): (usize, &u64)| CaseScore {
            case: format!("1/{index}.png#1"),
            subject: format!("sub-{}", index.max(1)),
            counts: Confusion {
                true_positive: *found,
                false_positive: 2,
                false_negative: 10 - found,
                true_negative: 50,
            },
        };
        let cases = found.iter().enumerate().map(case).collect();
        let cost = NetworkCost { parameters: Some(2_840_000), gflop: Some(1.25), ..NetworkCost::default() };
        RunScores { variant: variant.into(), title: variant.to_uppercase(), seed, cost, cases }
    }

    fn dice(found: u64) -> f64 {
        2.0 * found as f64 / (found as f64 + 2.0 + 10.0)
    }

    #[test]
    fn spreads_over_images_and_over_seeds_are_different_things() {
        let runs = [run("full", 1, &[8, 6, 4]), run("full", 2, &[6, 6, 6])];
        let found = &summaries(&runs, "full", Bootstrap::default())[0];
        assert_eq!((found.seeds.as_slice(), found.images), (&[1, 2][..], 3));
        // Over the images: each image is the mean of its seeds.
        let images: Vec<f64> = [(8, 6), (6, 6), (4, 6)].iter().map(|(a, b)| (dice(*a) + dice(*b)) / 2.0).collect();
        let average = images.iter().sum::<f64>() / 3.0;
        let sd = (images.iter().map(|value| (value - average).powi(2)).sum::<f64>() / 3.0).sqrt();
        assert!((found.dice.mean - average).abs() < 1e-12 && (found.dice.std - sd).abs() < 1e-12);
        // Over the seeds: the sample standard deviation of the two means.
        let means = [(dice(8) + dice(6) + dice(4)) / 3.0, dice(6)];
        assert!(found.mean_dice.iter().zip(means).all(|(a, b)| (a - b).abs() < 1e-12));
        let (mean, sd) = over_seeds(&found.mean_dice);
        assert!((mean - average).abs() < 1e-12);
        assert!((sd - (means[0] - means[1]).abs() / 2.0_f64.sqrt()).abs() < 1e-12);
        assert!(over_seeds(&[0.5]).1.is_nan());
        // Pooled: 18 of 30 pixels are found with 6 false positives, in both runs.
        assert!(found.pooled_dice.iter().all(|value| (value - 36.0 / 54.0).abs() < 1e-12));
    }

    #[test]
    fn a_variant_is_compared_image_by_image_with_the_full_model_of_the_same_seed() {
        let runs = [
            run("full", 1, &[8, 6, 4, 7]),
            run("last-layer", 1, &[7, 5, 3, 6]),
            run("last-layer", 3, &[0, 0, 0, 0]),
            run("no-filter", 2, &[9, 9, 9, 9]),
        ];
        let found = summaries(&runs, "full", Bootstrap { resamples: 200, ..Bootstrap::default() });
        assert_eq!(found[0].difference, None);
        let difference = found[1].difference.expect("seed 1 is common");
        assert_eq!((difference.seeds, difference.images, difference.pooled_dice.subjects), (1, 4, 3));
        let pooled = 42.0 / (21.0 + 8.0 + 40.0) - 50.0 / (25.0 + 8.0 + 40.0);
        assert!((difference.pooled_dice.estimate - pooled).abs() < 1e-12);
        let each = [(8, 7), (6, 5), (4, 3), (7, 6)].map(|(full, own)| dice(own) - dice(full));
        assert!((difference.dice_per_image.estimate - each.iter().sum::<f64>() / 4.0).abs() < 1e-12);
        // All four differences are negative: 2 of 16 assignments of signs are as extreme.
        assert!((difference.wilcoxon.p_value - 0.125).abs() < 1e-12);
        assert!((difference.p_holm - 0.125).abs() < 1e-12, "one comparison needs no correction");
        assert_eq!(found[2].difference, None, "the full model has no seed 2");
        // Any of them may be the reference.
        let found = summaries(&runs, "last-layer", Bootstrap { resamples: 200, ..Bootstrap::default() });
        let turned = found[0].difference.expect("seed 1 is common");
        assert!((turned.pooled_dice.estimate + pooled).abs() < 1e-12 && found[1].difference.is_none());
    }

    #[test]
    fn images_that_a_run_lacks_are_left_out() {
        let runs = [run("full", 1, &[8, 6, 4]), run("last-layer", 1, &[8, 6])];
        let found = summaries(&runs, "full", Bootstrap { resamples: 50, ..Bootstrap::default() });
        assert_eq!((found[0].images, found[1].images), (3, 2));
        assert_eq!(found[1].difference.map(|difference| difference.images), Some(2));
    }
}
