//! How much a mask changes when the image is mirrored or moved by a little, which should not change it.
//!
//! An ensemble at the time of the prediction: the image as it is, moved by four pixels of the network's input in four directions, and the
//! same five mirrored, with left and right exchanged in the prompt. A box is moved and mirrored with the image. Each probability is mirrored and
//! moved back. Where the members
//! differ, the mask hangs on what should not matter (Wang et al., Aleatoric uncertainty estimation with test-time augmentation for medical
//! image segmentation with convolutional neural networks, Neurocomputing 2019). Where they agree, the mask may still be wrong.

use std::ops::ControlFlow;

use super::error::InferError;
use super::prediction::Plane;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use super::view::View;
use crate::data::Image;

/// The number of predictions.
pub const ENSEMBLE: usize = 10;
/// The largest standard deviation of probabilities, which is reached if one half of the members is certain of lesion and the
/// other half of none.
pub const LARGEST_DEVIATION: f32 = 0.5;
/// How far the image is moved, in pixels of the network's input.
const STEP: f64 = 4.0;
/// The directions in which it is moved.
const SHIFTS: [[i64; 2]; 5] = [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]];

/// What an ensemble says of a mask, on the grid of the network's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// The mean probability of the members.
    pub mean: Plane,
    /// The standard deviation of the probability over the members, 0…0.5.
    pub deviation: Plane,
    /// The share of the image that the mask of each member covers, at a probability of 0.5.
    pub areas: Vec<f64>,
}

impl Uncertainty {
    /// The largest standard deviation of a pixel.
    pub fn largest(&self) -> f32 {
        self.deviation.values.iter().copied().fold(0.0, f32::max)
    }

    /// The mean standard deviation of the pixels whose mean probability is at least 0.5; `None` if there are none.
    pub fn in_mask(&self) -> Option<f64> {
        let inside = self.mean.values.iter().zip(&self.deviation.values).filter(|(mean, _)| **mean >= 0.5);
        let (sum, count) =
            inside.fold((0.0, 0_usize), |(sum, count), (_, deviation)| (sum + f64::from(*deviation), count + 1));
        (count > 0).then(|| sum / count as f64)
    }

    /// The smallest and the largest share of the image that the mask of a member covers.
    pub fn area_range(&self) -> [f64; 2] {
        let of = |choose: fn(f64, f64) -> f64| self.areas.iter().copied().reduce(choose).unwrap_or_default();
        [of(f64::min), of(f64::max)]
    }
}

/// The members for an image and a network's output of these sizes. An image of few pixels is moved by one at least.
fn members(image: [usize; 2], grid: [usize; 2]) -> Vec<View> {
    let step = [0, 1].map(|axis| ((STEP * image[axis] as f64 / grid[axis].max(1) as f64).round() as i64).max(1));
    let of = |is_mirrored: bool| {
        SHIFTS.map(|shift| View { shift: [0, 1].map(|axis| shift[axis] * step[axis]), is_mirrored })
    };
    [of(false), of(true)].concat()
}

/// Computes the ensemble for an image and a prompt: ten predictions, side by side if the model allows it. A model on the CPU keeps the
/// features of the views, so that the next prompt for the same image costs passes of the decoder only. `progress` receives the
/// number of finished predictions and the total; `None` if it broke.
///
/// # Errors
/// A prediction failed, or the image has no pixels.
pub fn uncertainty(
    segmenter: &mut dyn Segmenter,
    image: &Image,
    prompt: &str,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Uncertainty>, InferError> {
    if image.pixels.is_empty() {
        return Err("the image has no pixels; choose another".into());
    }
    if progress(0, ENSEMBLE).is_break() {
        return Ok(None);
    }
    // The first prediction tells the size of the network's output.
    let first = segmenter.predict(image, prompt)?.probability_model;
    if progress(1, ENSEMBLE).is_break() {
        return Ok(None);
    }
    let (size, grid) = ([image.width, image.height], [first.width, first.height]);
    let members = members(size, grid);
    let others = &members[1..];
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| -> Result<Plane, InferError> {
        segmenter.view(image, others[index], prompt)
    };
    let mut sums = Sums::new(grid);
    sums.add(&members[0], &first, size);
    let is_done = in_order(segmenter, others.len(), 1, job, |next| {
        for (done, member) in others.iter().enumerate() {
            sums.add(member, &next()?, size);
            if progress(done + 2, ENSEMBLE).is_break() {
                return Ok(false);
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    Ok(is_done.then(|| sums.uncertainty()))
}

/// The sums over the members, by pixels of the network's output.
struct Sums {
    grid: [usize; 2],
    /// The number of members, the sum and the sum of squares.
    pixels: Vec<(f64, f64, f64)>,
    areas: Vec<f64>,
}

impl Sums {
    fn new(grid: [usize; 2]) -> Self {
        Self { grid, pixels: vec![(0.0, 0.0, 0.0); grid[0] * grid[1]], areas: Vec::new() }
    }

    fn add(&mut self, member: &View, map: &Plane, image: [usize; 2]) {
        for (index, (count, sum, squares)) in self.pixels.iter_mut().enumerate() {
            let at = [index % self.grid[0], index / self.grid[0]];
            if let Some(value) = member.original(map, at, image).map(f64::from) {
                *count += 1.0;
                *sum += value;
                *squares += value * value;
            }
        }
        let covered = map.values.iter().filter(|value| **value >= 0.5).count();
        self.areas.push(covered as f64 / map.values.len().max(1) as f64);
    }

    fn uncertainty(self) -> Uncertainty {
        let [width, height] = self.grid;
        let plane = |of: &dyn Fn(&(f64, f64, f64)) -> f64| Plane {
            width,
            height,
            values: self.pixels.iter().map(|pixel| of(pixel) as f32).collect(),
        };
        let mean = plane(&|(count, sum, _)| sum / count);
        let deviation = plane(&|(count, sum, squares)| (squares / count - (sum / count).powi(2)).max(0.0).sqrt());
        Uncertainty { mean, deviation, areas: self.areas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Area, Pixels};
    use crate::infer::{InspectOptions, Inspection, ModelInfo, Overrides, Prediction};

    /// A model whose probability is the brightness of the picture, or of the part of it that the prompt names, a half or a box.
    struct Bright;

    impl Segmenter for Bright {
        fn info(&self) -> ModelInfo {
            ModelInfo::default()
        }

        fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
            let (width, height) = (image.width, image.height);
            let area = prompt.parse::<Area>().ok();
            let is_in = |area: Area, [x, y]: [usize; 2]| {
                let [x, y] = [x as f32 + 0.5, y as f32 + 0.5];
                (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y)
            };
            let is_asked = |x: usize, y: usize| match prompt {
                "left" => x < width / 2,
                "right" => x >= width / 2,
                // This one minds where the picture is.
                "the first column" => x == 0,
                _ => area.is_none_or(|area| is_in(area, [x, y])),
            };
            let value = |at: usize| {
                if is_asked(at % width, at / width) { image.value(at % width, at / width, 0) / 255.0 } else { 0.0 }
            };
            let values = (0..width * height).map(value).collect();
            Ok(Prediction::of_map(prompt, Plane { width, height, values }))
        }

        fn inspect(
            &mut self,
            image: &Image,
            prompt: &str,
            _: Option<&Overrides>,
            _: InspectOptions,
        ) -> Result<Inspection, InferError> {
            let prediction = self.predict(image, prompt)?;
            Ok(Inspection { prediction, stages: Vec::new(), similarity: Vec::new(), explained: 0 })
        }

        fn take_notices(&mut self) -> Vec<String> {
            Vec::new()
        }
    }

    /// A picture with a bright square.
    fn picture() -> Image {
        let is_bright = |at: usize| (8..16).contains(&(at % 40)) && (10..22).contains(&(at / 40));
        let pixels = (0..40 * 32).map(|at| u8::from(is_bright(at)) * 255).collect();
        Image { width: 40, height: 32, channels: 1, pixels: Pixels::U8(pixels) }
    }

    fn of(prompt: &str) -> Uncertainty {
        let go_on = |_, _| ControlFlow::Continue(());
        uncertainty(&mut Bright, &picture(), prompt, go_on).expect("an ensemble").expect("not stopped")
    }

    #[test]
    fn a_mask_that_moves_with_the_picture_is_certain() {
        for prompt in ["", "left"] {
            let found = of(prompt);
            assert_eq!(found.areas.len(), ENSEMBLE);
            assert_eq!((found.largest(), found.in_mask()), (0.0, Some(0.0)), "{prompt}");
            let truth: Vec<f32> = picture().floats().map(|value| value / 255.0).collect();
            assert_eq!(found.mean.values, truth, "{prompt}");
            let [least, most] = found.area_range();
            assert!((least - 96.0 / 1280.0).abs() < 1e-12 && least == most);
        }
        assert_eq!(of("right").in_mask(), None, "there is nothing");
    }

    #[test]
    fn a_box_moves_with_the_picture() {
        // The box cuts the square, which reaches from 8 to 16 and from 10 to 22.
        let found = of("box 10, 12, 20, 26");
        assert_eq!((found.largest(), found.in_mask()), (0.0, Some(0.0)));
        assert!(found.areas.iter().all(|area| (area - 60.0 / 1280.0).abs() < 1e-12), "{:?}", found.areas);
        // One at the edge, which a step takes out of the picture, is still a box of the picture.
        let at_edge = Area { left: 37.0, top: 3.0, right: 40.0, bottom: 9.0 };
        for member in members([40, 32], [40, 32]) {
            assert!(member.area(at_edge, [40, 32]).clipped(40, 32).is_ok(), "{member:?}");
        }
        let mirrored = View { shift: [4, 0], is_mirrored: true };
        assert_eq!(mirrored.prompt("box 10, 12, 20, 26", [40, 32]), "box 16, 12, 26, 26");
    }

    #[test]
    fn a_mask_that_depends_on_where_the_picture_is_is_not() {
        let mut image = picture();
        image.pixels = Pixels::U8(vec![255; 40 * 32]);
        let found = uncertainty(&mut Bright, &image, "the first column", |_, _| ControlFlow::Continue(()));
        let found = found.expect("an ensemble").expect("not stopped");
        // The first column is foreground in the three members that keep it, and not in their mirror images and in the one
        // moved to the right; by the formula of a share p of ones, the deviation is √(p(1 − p)).
        let at_left = found.mean.values[16 * 40];
        let deviation = found.deviation.values[16 * 40];
        assert!((0.1..0.9).contains(&at_left), "{at_left}");
        assert!((deviation - (at_left * (1.0 - at_left)).sqrt()).abs() < 1e-6);
        assert!(found.largest() <= LARGEST_DEVIATION);
        assert_eq!(found.deviation.values[16 * 40 + 20], 0.0);
    }

    #[test]
    fn members_are_undone_exactly() {
        let image = picture();
        for member in members([40, 32], [40, 32]) {
            let moved = member.image(&image);
            let map = Plane { width: 40, height: 32, values: moved.floats().collect() };
            for at in 0..40 * 32 {
                if let Some(value) = member.original(&map, [at % 40, at / 40], [40, 32]) {
                    assert_eq!(value, image.value(at % 40, at / 40, 0), "{member:?} {at}");
                }
            }
        }
        assert!(members([8, 8], [224, 224]).iter().any(|member| member.shift == [1, 0]), "one pixel at least");
    }

    #[test]
    fn it_can_be_stopped_after_each_prediction() {
        let mut seen = Vec::new();
        let stop = |done, _| {
            seen.push(done);
            if done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert_eq!(uncertainty(&mut Bright, &picture(), "", stop).expect("no failure"), None);
        assert_eq!(seen, [0, 1, 2, 3]);
    }
}
