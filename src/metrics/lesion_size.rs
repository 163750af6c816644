//! Scores by the size of the lesion. A network that finds large lesions may miss small ones, which a pooled score hardly
//! shows because they have few pixels.

use super::bootstrap::{Bootstrap, Interval};
use super::confusion::Confusion;

/// The bounds between the groups, as shares of the image that the ground truth covers. Discs of this size have a
/// diameter of about a ninth, a quarter and a half of the side of a square image: less than a cell of the coarsest grid of
/// a network that reduces 224 pixels to 7 positions, less than two cells, less than half of the grid, and more.
pub const LESION_SIZES: [f64; 3] = [0.01, 0.05, 0.2];

/// The scores of the images whose lesions have a similar size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LesionSizeGroup {
    /// The smallest share of the image that a lesion of this group covers.
    pub from: f64,
    /// The share of the next group, which this one does not reach. The last group ends with 1, the whole image.
    pub to: f64,
    /// The number of images.
    pub images: usize,
    /// The mean Dice score per image, with an interval that resamples subjects; `None` without images.
    pub dice: Option<Interval>,
    /// The pixel counts of all its images together.
    pub pooled: Confusion,
}

/// What was predicted for images without a lesion, whose Dice score is 0 or 1 and says little.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WithoutLesion {
    /// The number of images.
    pub images: usize,
    /// The number of them with a predicted mask that is not empty.
    pub marked: usize,
    /// The mean share of the image that is predicted; `None` without images.
    pub false_positive_area: Option<f64>,
}

/// Scores by the size of the lesion.
#[derive(Clone, Debug, PartialEq)]
pub struct ByLesionSize {
    /// The groups, small lesions first.
    pub groups: Vec<LesionSizeGroup>,
    /// The images whose ground truth is empty, which belong to no group.
    pub without: WithoutLesion,
}

/// Groups images by the share that the ground truth covers, with the bounds [`LESION_SIZES`]. Each case is a subject, or the
/// name of an image without one, with its pixel counts.
pub fn by_lesion_size<'a>(
    cases: impl IntoIterator<Item = (&'a str, Confusion)>,
    bootstrap: &Bootstrap,
) -> ByLesionSize {
    let mut members: Vec<Vec<(&str, Confusion)>> = vec![Vec::new(); LESION_SIZES.len() + 1];
    let mut without = WithoutLesion::default();
    let mut marked_area = 0.0;
    for (subject, counts) in cases {
        let share = counts.truth_share();
        if share == 0.0 {
            without.images += 1;
            without.marked += usize::from(counts.false_positive > 0);
            marked_area += counts.false_positive as f64 / counts.pixels().max(1) as f64;
        } else {
            members[LESION_SIZES.iter().filter(|bound| share >= **bound).count()].push((subject, counts));
        }
    }
    without.false_positive_area = (without.images > 0).then(|| marked_area / without.images as f64);
    let groups = members.into_iter().enumerate().map(|(index, cases)| LesionSizeGroup {
        from: index.checked_sub(1).map_or(0.0, |below| LESION_SIZES[below]),
        to: LESION_SIZES.get(index).copied().unwrap_or(1.0),
        images: cases.len(),
        dice: bootstrap.mean(cases.iter().map(|(subject, counts)| (*subject, counts.dice()))),
        pooled: cases.iter().map(|(_, counts)| *counts).sum(),
    });
    ByLesionSize { groups: groups.collect(), without }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask of 20 × 20 pixels, of which the first `count` are foreground from the pixel `from` on.
    fn mask(from: usize, count: usize) -> Vec<u8> {
        (0..400).map(|at| u8::from((from..from + count).contains(&at))).collect()
    }

    /// The counts of a prediction and a ground truth that begin at different pixels.
    fn counts(predicted: (usize, usize), truth: (usize, usize)) -> Confusion {
        Confusion::of(&mask(predicted.0, predicted.1), &mask(truth.0, truth.1))
    }

    #[test]
    fn an_image_belongs_to_the_group_of_its_lesion() {
        // Of 400 pixels, 4 are a hundredth, 20 a twentieth and 80 a fifth: the bounds themselves belong to the larger group.
        let sizes = [1, 3, 4, 19, 20, 79, 80, 400];
        let cases: Vec<(String, Confusion)> =
            sizes.iter().map(|size| (format!("image {size}"), counts((0, *size), (0, *size)))).collect();
        let cases = || cases.iter().map(|(name, counts)| (name.as_str(), *counts));
        let found = by_lesion_size(cases(), &Bootstrap { resamples: 50, ..Bootstrap::default() });
        let bounds: Vec<[f64; 2]> = found.groups.iter().map(|group| [group.from, group.to]).collect();
        assert_eq!(bounds, [[0.0, 0.01], [0.01, 0.05], [0.05, 0.2], [0.2, 1.0]]);
        assert!(found.groups.iter().all(|group| group.images == 2), "{found:?}");
        let pixels: Vec<u64> = found.groups.iter().map(|group| group.pooled.true_positive).collect();
        assert_eq!(pixels, [4, 23, 99, 480]);
        assert_eq!(found.without, WithoutLesion::default());
    }

    #[test]
    fn scores_are_those_of_the_masks() {
        // 10 of 400 pixels are 2.5 %. Half of the first is found, with nothing false: 2·5 / (5 + 10). The second is missed by
        // a mask of 6 pixels. Pooled: 2·5 / (5 + 6 + 10 + 10).
        let cases = [("a", counts((0, 5), (0, 10))), ("b", counts((200, 6), (0, 10)))];
        let found = by_lesion_size(cases, &Bootstrap { resamples: 2000, ..Bootstrap::default() });
        let group = found.groups[1];
        let dice = group.dice.expect("two images");
        assert_eq!((group.images, dice.subjects), (2, 2));
        assert!((dice.estimate - (2.0 / 3.0) / 2.0).abs() < 1e-12, "{dice:?}");
        // With two subjects, the ends are those of a subject alone.
        assert!(dice.low == 0.0 && (dice.high - 2.0 / 3.0).abs() < 1e-12, "{dice:?}");
        assert!((group.pooled.dice() - 10.0 / 31.0).abs() < 1e-12);
        for other in [0, 2, 3] {
            assert_eq!((found.groups[other].images, found.groups[other].dice), (0, None));
        }
    }

    #[test]
    fn images_of_a_subject_are_drawn_together() {
        let cases = [("a", counts((0, 10), (0, 10))), ("a", counts((200, 10), (0, 10)))];
        let found = by_lesion_size(cases, &Bootstrap { resamples: 200, ..Bootstrap::default() });
        let dice = found.groups[1].dice.expect("two images");
        assert_eq!((dice.subjects, dice.estimate, dice.low, dice.high), (1, 0.5, 0.5, 0.5));
    }

    #[test]
    fn images_without_a_lesion_are_in_no_group() {
        let cases = [
            ("a", counts((0, 0), (0, 0))),
            ("b", counts((0, 40), (0, 0))),
            ("c", counts((0, 20), (0, 0))),
            ("d", counts((0, 0), (0, 100))),
        ];
        let found = by_lesion_size(cases, &Bootstrap { resamples: 50, ..Bootstrap::default() });
        // A tenth, a twentieth and nothing of three images.
        let WithoutLesion { images, marked, false_positive_area } = found.without;
        assert_eq!((images, marked), (3, 2));
        assert!((false_positive_area.expect("an area") - 0.15 / 3.0).abs() < 1e-12);
        assert_eq!(found.groups.iter().map(|group| group.images).collect::<Vec<_>>(), [0, 0, 0, 1]);
    }
}
