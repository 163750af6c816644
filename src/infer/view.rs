//! A changed copy of an image: moved by a little, and mirrored.

use serde::{Deserialize, Serialize};

use super::prediction::Plane;
use crate::data::{Area, Image, Pixels};
use crate::text::prompt::mirror;

/// By how many pixels of the image it is moved to the right and down, and whether it is mirrored after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The pixels to the right and down.
    pub shift: [i64; 2],
    /// Whether left and right are exchanged, in the image and in its prompt.
    pub is_mirrored: bool,
}

impl View {
    /// Whether nothing is changed.
    pub(super) fn is_original(&self) -> bool {
        *self == Self::default()
    }

    /// The place in an image of this size from which the pixel at `at` comes. Edges are repeated.
    fn source(&self, at: [usize; 2], size: [usize; 2]) -> [usize; 2] {
        let at = if self.is_mirrored { [size[0] - 1 - at[0], at[1]] } else { at };
        [0, 1].map(|axis| (at[axis] as i64 - self.shift[axis]).clamp(0, size[axis] as i64 - 1) as usize)
    }

    /// The image of this view. Edges are repeated.
    pub(super) fn image(&self, image: &Image) -> Image {
        let size = [image.width, image.height];
        let mut order = Vec::with_capacity(image.pixels.len());
        for y in 0..image.height {
            for x in 0..image.width {
                let [from_x, from_y] = self.source([x, y], size);
                let first = (from_y * image.width + from_x) * image.channels;
                order.extend(first..first + image.channels);
            }
        }
        let pixels = match &image.pixels {
            Pixels::U8(values) => Pixels::U8(order.iter().map(|index| values[*index]).collect()),
            Pixels::U16(values) => Pixels::U16(order.iter().map(|index| values[*index]).collect()),
            Pixels::F32(values) => Pixels::F32(order.iter().map(|index| values[*index]).collect()),
        };
        Image { pixels, ..*image }
    }

    /// The prompt for the image of this view, whose original has this size.
    pub(super) fn prompt(&self, prompt: &str, [width, height]: [usize; 2]) -> String {
        match prompt.parse::<Area>() {
            Ok(area) => self.area(area, [width, height]).to_string(),
            Err(_) if self.is_mirrored => mirror(prompt),
            Err(_) => prompt.to_owned(),
        }
    }

    /// The box around what `area` is around in the original. One that would lie outside stays, like the edge that is repeated.
    pub(super) fn area(&self, area: Area, [width, height]: [usize; 2]) -> Area {
        let [right, down] = self.shift.map(|step| step as f32);
        let moved = Area {
            left: area.left + right,
            top: area.top + down,
            right: area.right + right,
            bottom: area.bottom + down,
        };
        let moved = if moved.clipped(width, height).is_ok() { moved } else { area };
        if !self.is_mirrored {
            return moved;
        }
        let wide = width as f32;
        Area { left: wide - moved.right, right: wide - moved.left, ..moved }
    }

    /// The value of the original place at `at` of a map of this view; `None` if it was moved out of the image.
    pub(super) fn original(&self, map: &Plane, at: [usize; 2], image: [usize; 2]) -> Option<f32> {
        let size = [map.width, map.height];
        let mut place = [0; 2];
        for axis in [0, 1] {
            let shift = (self.shift[axis] as f64 * size[axis] as f64 / image[axis] as f64).round() as i64;
            let moved = at[axis] as i64 + shift;
            place[axis] = usize::try_from(moved).ok().filter(|moved| *moved < size[axis])?;
        }
        if self.is_mirrored {
            place[0] = size[0] - 1 - place[0];
        }
        Some(map.values[place[1] * map.width + place[0]])
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use burn::tensor::Tensor;

    use super::*;
    use crate::device;
    use crate::infer::{ENSEMBLE, ModelSource, Predictor, Segmenter, Uncertainty, uncertainty};
    use crate::model::Tokens;
    use crate::model::network::{Executor, Features, TextStates};

    /// The numbers of images and texts that were encoded and of masks that were decoded.
    #[derive(Clone, Debug, Default)]
    struct Passes(Arc<[AtomicUsize; 3]>);

    impl Passes {
        fn add(&self, which: usize) {
            self.0[which].fetch_add(1, Ordering::Relaxed);
        }

        /// The numbers since the last call.
        fn take(&self) -> [usize; 3] {
            [0, 1, 2].map(|which| self.0[which].swap(0, Ordering::Relaxed))
        }
    }

    /// An executor whose passes are counted, with all that share its weights.
    #[derive(Debug)]
    struct Counted(Box<dyn Executor>, Passes);

    impl Executor for Counted {
        fn encode_image(&self, image: Tensor<4>) -> Features {
            self.1.add(0);
            self.0.encode_image(image)
        }

        fn encode_text(&self, tokens: Tokens) -> TextStates {
            self.1.add(1);
            self.0.encode_text(tokens)
        }

        fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4> {
            self.1.add(2);
            self.0.decode(features, text)
        }

        fn share(&self) -> Option<Box<dyn Executor>> {
            Some(Box::new(Self(self.0.share()?, self.1.clone())))
        }
    }

    const LEFT: &str = "Unilateral pulmonary infection, one infected area, middle left lung.";

    fn image(seed: u64) -> Image {
        let mut random = fastrand::Rng::with_seed(seed);
        let pixels = (0..60 * 48).map(|_| random.u8(..)).collect();
        Image { width: 60, height: 48, channels: 1, pixels: Pixels::U8(pixels) }
    }

    fn model() -> (Predictor, Passes) {
        let mut model = Predictor::open_on(&ModelSource::bundled(), device::cpu()).expect("opens");
        let passes = Passes::default();
        model.watch(|executor| Box::new(Counted(executor, passes.clone())));
        (model, passes)
    }

    fn ensemble(model: &mut dyn Segmenter, image: &Image, prompt: &str) -> Uncertainty {
        uncertainty(model, image, prompt, |_, _| ControlFlow::Continue(())).expect("done").expect("not stopped")
    }

    #[test]
    fn nothing_is_computed_twice_for_an_ensemble_and_another_prompt_needs_the_decoder_only() {
        let (mut model, passes) = model();
        let (first, second) = (image(1), image(2));
        ensemble(&mut model, &first, LEFT);
        // The text and its mirror image.
        assert_eq!(passes.take(), [ENSEMBLE, 2, ENSEMBLE]);
        ensemble(&mut model, &first, LEFT);
        assert_eq!(passes.take(), [0, 0, ENSEMBLE]);
        ensemble(&mut model, &first, "Bilateral pulmonary infection.");
        // There is no side in it.
        assert_eq!(passes.take(), [0, 1, ENSEMBLE], "the mirror image of this text is the text");
        ensemble(&mut model, &first, &LEFT.replace("left", "right"));
        assert_eq!(passes.take(), [0, 0, ENSEMBLE], "it is the mirror image of the first text");
        ensemble(&mut model, &second, LEFT);
        assert_eq!(passes.take(), [ENSEMBLE, 0, ENSEMBLE]);
        // A job in the window has a model of its own, which shares the weights and what is known.
        let mut twin = model.share().expect("shares its weights");
        ensemble(&mut twin, &second, "Unilateral pulmonary infection, upper right lung.");
        assert_eq!(passes.take(), [0, 2, ENSEMBLE]);
        model.forget();
        ensemble(&mut model, &second, LEFT);
        assert_eq!(passes.take(), [ENSEMBLE, 2, ENSEMBLE]);
    }

    #[test]
    fn a_view_is_the_prediction_of_the_copy() {
        let (mut model, _) = model();
        let image = image(3);
        for view in [
            View::default(),
            View { shift: [3, -2], is_mirrored: false },
            View { shift: [-3, 2], is_mirrored: true },
        ] {
            let (copy, prompt) = (view.image(&image), view.prompt(LEFT, [60, 48]));
            assert_eq!(prompt.contains("right"), view.is_mirrored);
            let expected = Predictor::predict(&mut model, &copy, &prompt).expect("a prediction");
            for time in ["computed", "known"] {
                let found = Predictor::view(&mut model, &image, view, LEFT).expect("a view");
                assert_eq!(found, expected.probability_model, "{view:?}, {time}");
            }
        }
    }

    #[test]
    fn a_prompt_that_several_threads_need_is_encoded_once() {
        let (mut model, passes) = model();
        let image = image(4);
        Predictor::predict(&mut model, &image, "left lung").expect("a prediction");
        passes.take();
        let twins: Vec<Predictor> = (0..4).map(|_| model.share().expect("shares its weights")).collect();
        std::thread::scope(|scope| {
            for mut twin in twins {
                let image = &image;
                scope.spawn(move || Predictor::predict(&mut twin, image, LEFT).expect("a prediction"));
            }
        });
        assert_eq!(passes.take(), [0, 1, 4]);
    }
}
