//! Bootstrap intervals that resample subjects.
//!
//! Several images of one person are not independent. An interval over images would therefore be too narrow, so that
//! whole subjects are drawn.

use std::collections::BTreeMap;

use super::Confusion;
use super::spread::percentile;

/// The settings of a bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Bootstrap {
    /// The number of resamples.
    pub resamples: u32,
    /// The confidence level, 0…1.
    pub level: f64,
    /// The seed of the random numbers. Equal settings and equal cases give equal intervals.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 10_000, level: 0.95, seed: 0 }
    }
}

/// A bootstrap interval by the percentile method (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993,
/// chapter 13): its ends are the quantiles `(1 − level) / 2` and `(1 + level) / 2` of the resampled statistic.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The statistic of the cases themselves.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The number of subjects that were drawn from, and drawn in each resample.
    pub subjects: usize,
}

/// The outcomes of one image under two conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedCase {
    /// The subject, or the name of an image without one.
    pub subject: String,
    /// The pixel counts under the condition that is compared with, for instance structured prompts.
    pub reference: Confusion,
    /// The pixel counts under the other condition.
    pub other: Confusion,
}

impl Bootstrap {
    /// Returns the interval of a statistic over groups (subjects), of which as many as there are are drawn with
    /// replacement for each resample. A resample whose statistic is NaN is left out. `None` if there are no groups,
    /// no resamples, or if the level is not between 0 and 1.
    pub fn interval<T>(&self, groups: &[T], statistic: impl Fn(&[&T]) -> f64) -> Option<Interval> {
        if groups.is_empty() || !(self.level > 0.0 && self.level < 1.0) {
            return None;
        }
        let estimate = statistic(&groups.iter().collect::<Vec<_>>());
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut values = Vec::new();
        let mut drawn = Vec::with_capacity(groups.len());
        for _ in 0..self.resamples {
            drawn.clear();
            drawn.extend((0..groups.len()).map(|_| &groups[random.usize(..groups.len())]));
            values.push(statistic(&drawn));
        }
        values.retain(|value| !value.is_nan());
        values.sort_by(f64::total_cmp);
        let low = percentile(&values, (1.0 - self.level) / 2.0)?;
        let high = percentile(&values, f64::midpoint(1.0, self.level))?;
        Some(Interval { estimate, low, high, subjects: groups.len() })
    }

    /// Returns the interval of a pooled score: the counts of the drawn subjects are summed and `score`, for instance
    /// [`Confusion::dice`], is computed anew in every resample. Each case is a subject, or the name of an image without
    /// one, with its counts. `None` as for [`Bootstrap::interval`].
    pub fn pooled<'a>(
        &self,
        cases: impl IntoIterator<Item = (&'a str, Confusion)>,
        score: impl Fn(&Confusion) -> f64,
    ) -> Option<Interval> {
        let mut subjects: BTreeMap<&str, Confusion> = BTreeMap::new();
        cases.into_iter().for_each(|(subject, counts)| *subjects.entry(subject).or_default() += counts);
        let groups: Vec<Confusion> = subjects.into_values().collect();
        self.interval(&groups, |drawn| score(&drawn.iter().copied().copied().sum()))
    }

    /// Returns the interval of the mean of a value of each image, such as its Dice or the difference of two. Subjects are
    /// drawn with all their images, and every image counts once. `None` as for [`Bootstrap::interval`].
    pub fn mean<'a>(&self, cases: impl IntoIterator<Item = (&'a str, f64)>) -> Option<Interval> {
        let mut subjects: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (subject, value) in cases {
            let (sum, count) = subjects.entry(subject).or_default();
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
        let groups: Vec<(f64, f64)> = subjects.into_values().collect();
        self.interval(&groups, |drawn| {
            let add = |all: (f64, f64), one: &&(f64, f64)| (all.0 + one.0, all.1 + one.1);
            let (sum, count) = drawn.iter().fold((0.0, 0.0), add);
            sum / count
        })
    }

    /// Returns the interval of the difference of pooled Dice, `other − reference`. The counts of the drawn subjects
    /// are summed and both Dice coefficients are computed anew in every resample. `None` as for
    /// [`Bootstrap::interval`].
    pub fn pooled_dice_difference(&self, cases: &[PairedCase]) -> Option<Interval> {
        let mut subjects: BTreeMap<&str, [Confusion; 2]> = BTreeMap::new();
        for case in cases {
            let [reference, other] = subjects.entry(&case.subject).or_default();
            *reference += case.reference;
            *other += case.other;
        }
        let groups: Vec<[Confusion; 2]> = subjects.into_values().collect();
        self.interval(&groups, |drawn| {
            let pooled = |index: usize| drawn.iter().map(|counts| counts[index]).sum::<Confusion>().dice();
            pooled(1) - pooled(0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(subject: &str, [reference, other]: [[u64; 3]; 2]) -> PairedCase {
        let counts = |[true_positive, false_positive, false_negative]: [u64; 3]| Confusion {
            true_positive,
            false_positive,
            false_negative,
            true_negative: 100,
        };
        PairedCase { subject: subject.to_owned(), reference: counts(reference), other: counts(other) }
    }

    fn twelve() -> Vec<PairedCase> {
        let counts = |s: u64| [[10 * s + 20, 5 + s % 3, 7], [10 * s + 22 - s % 4, 4, 6 + s % 2]];
        (0..12).map(|s| case(&format!("sub-{s:02}"), counts(s))).collect()
    }

    /// The expected ends are those of 200 000 resamples of the same counts in NumPy 2 (`rng.integers`,
    /// `percentile(…, [2.5, 97.5])`): 0.010834 and 0.020198.
    #[test]
    fn the_interval_of_numpy() {
        let settings = Bootstrap { resamples: 40_000, ..Bootstrap::default() };
        let found = settings.pooled_dice_difference(&twelve()).expect("an interval");
        assert!((found.estimate - 0.014_739_121_350_832_884).abs() < 1e-12, "{found:?}");
        assert!((found.low - 0.010_834).abs() < 2e-4 && (found.high - 0.020_198).abs() < 2e-4, "{found:?}");
        assert_eq!(settings.pooled_dice_difference(&twelve()), Some(found), "a seed gives one result");
    }

    #[test]
    fn images_of_a_subject_are_drawn_together() {
        let settings = Bootstrap { resamples: 2000, ..Bootstrap::default() };
        // Ten images of each of two subjects give the interval of two cases.
        let (a, b) = ([[10, 0, 10], [10, 0, 0]], [[10, 10, 0], [10, 10, 0]]);
        let many: Vec<_> = (0..20).map(|index| if index < 10 { case("a", a) } else { case("b", b) }).collect();
        let two = settings.pooled_dice_difference(&[case("a", a), case("b", b)]).expect("an interval");
        let found = settings.pooled_dice_difference(&many).expect("an interval");
        assert_eq!((found.subjects, found.low, found.high), (2, two.low, two.high));
        assert!(
            found.low == 0.0 && (found.high - 1.0 / 3.0).abs() < 1e-12,
            "subject b alone, subject a alone: {found:?}"
        );
    }

    /// With two subjects a resample is one of three: twice the first (a quarter of all), both (half), twice the second. The
    /// quantiles of 2.5 % and 97.5 % are therefore those of a subject alone.
    #[test]
    fn pooled_scores_and_means_are_those_of_the_formulas() {
        let settings = Bootstrap { resamples: 2000, ..Bootstrap::default() };
        let counts = |[true_positive, false_positive, false_negative]: [u64; 3]| Confusion {
            true_positive,
            false_positive,
            false_negative,
            true_negative: 7,
        };
        let cases = [("a", counts([10, 0, 10])), ("b", counts([30, 10, 0])), ("a", counts([20, 10, 0]))];
        let found = settings.pooled(cases, Confusion::iou).expect("an interval");
        assert_eq!((found.estimate, found.subjects), (60.0 / 90.0, 2));
        assert_eq!((found.low, found.high), (30.0 / 50.0, 30.0 / 40.0));
        // Subject a has the values 1 and 2, b has 6: the mean over images is 3, not the mean 3.75 of the subjects' means.
        let found = settings.mean([("a", 1.0), ("b", 6.0), ("a", 2.0)]).expect("an interval");
        assert_eq!((found.estimate, found.low, found.high), (3.0, 1.5, 6.0));
        assert_eq!((settings.mean([]), settings.pooled([], Confusion::dice)), (None, None));
    }

    #[test]
    fn without_cases_there_is_no_interval() {
        let settings = Bootstrap { resamples: 100, ..Bootstrap::default() };
        assert_eq!(settings.pooled_dice_difference(&[]), None);
        assert_eq!(Bootstrap { level: 1.0, ..settings }.pooled_dice_difference(&twelve()), None);
        assert_eq!(Bootstrap { resamples: 0, ..settings }.pooled_dice_difference(&twelve()), None);
        let one = settings.pooled_dice_difference(&twelve()[..1]).expect("an interval");
        assert_eq!((one.low, one.high), (one.estimate, one.estimate));
    }
}
