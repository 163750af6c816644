//! How an image is sampled that is shown smaller than it is.

/// The number of texels of its level that a sample stands for. A linear sample weights two texels along an axis, so that
/// samples no farther apart than one texel take all texels with the same weight; the rest keeps edges sharper than a
/// coarser level would, at a difference in weight of a tenth.
const APART: f32 = 1.19;
/// The number of samples along an axis where the pixels are square, and the largest of all.
const USUAL: f32 = 2.0;
const MOST: f32 = 8.0;

/// The level of the pyramid that is sampled, and the number of samples for a pixel of the screen along both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reduction {
    pub(super) level: usize,
    pub(super) samples: [u32; 2],
}

impl Reduction {
    /// Chooses level and samples for screen pixels that span so many texels across and down, of an image with `levels`
    /// reduced pictures. Returns `None` if one sample skips none.
    pub(super) fn new(spanned: [f32; 2], levels: usize) -> Option<Self> {
        if spanned.iter().all(|side| *side <= 2.0) {
            return None;
        }
        // The side with more detail decides, unless the other one would need too many samples.
        let levels_for = |side: f32, samples: f32| (side / (samples * APART)).log2().ceil().max(0.0) as usize;
        let [short, long] = [spanned[0].min(spanned[1]), spanned[0].max(spanned[1])];
        let level = levels_for(short, USUAL).max(levels_for(long, MOST)).min(levels);
        let of_level = |side: f32| side / 2.0_f32.powi(level as i32);
        let samples = spanned.map(|side| (of_level(side) / APART).ceil().clamp(1.0, MOST) as u32);
        Some(Self { level, samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduction(spanned: [f32; 2], levels: usize) -> Option<(usize, [u32; 2])> {
        Reduction::new(spanned, levels).map(|Reduction { level, samples }| (level, samples))
    }

    #[test]
    fn four_samples_of_one_level_take_every_texel() {
        for spanned in [0.02, 1.0, 2.0] {
            assert_eq!(reduction([spanned; 2], 12), None, "{spanned}: nothing is skipped");
        }
        let mut spanned = 2.01_f32;
        while spanned < 4000.0 {
            let (level, samples) = reduction([spanned; 2], 12).expect("it is reduced");
            assert_eq!(samples, [2, 2], "{spanned}");
            let apart = spanned / 2.0_f32.powi(level as i32) / 2.0;
            assert!(apart <= 1.2 && (level == 0 || apart > 0.59), "{spanned}: {apart} of level {level}");
            spanned *= 1.13;
        }
        assert_eq!(reduction([4.36; 2], 11), Some((1, [2, 2])));
    }

    #[test]
    fn pixels_that_are_not_square_get_more_samples_along_one_side() {
        // Along the side that is enlarged one sample is enough, and the level keeps its detail.
        assert_eq!(reduction([0.5, 3.0], 8), Some((0, [1, 3])));
        assert_eq!(reduction([12.0, 3.0], 8), Some((1, [6, 2])));
        let (level, samples) = reduction([0.5, 40.0], 8).expect("it is reduced");
        assert!(level == 3 && samples == [1, 5], "{level} {samples:?}: more samples than eight take too long");
    }

    #[test]
    fn the_smallest_picture_is_the_last() {
        assert_eq!(reduction([40.0; 2], 2), Some((2, [8, 8])));
        assert_eq!(reduction([5.0; 2], 0), Some((0, [5, 5])), "without reduced pictures");
    }
}
