//! What happens if half precision cannot hold a value, with an executor that gives what a GPU gives then.

use burn::tensor::Tensor;

use super::Predictor;
use crate::data::{Image, Pixels};
use crate::device::{self, OpenDevice};
use crate::infer::{ModelSource, content};
use crate::model::Tokens;
use crate::model::network::{Executor, Features, TextStates};

/// An executor whose masks have one pixel that is no number.
#[derive(Debug)]
struct Overflowing(Box<dyn Executor>);

impl Executor for Overflowing {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        self.0.encode_image(image)
    }

    fn encode_text(&self, tokens: Tokens) -> TextStates {
        self.0.encode_text(tokens)
    }

    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4> {
        let logits = self.0.decode(features, text);
        let none = Tensor::full([1, 1, 1, 1], f32::NAN, &logits.device());
        logits.slice_assign([0..1, 0..1, 3..4, 5..6], none)
    }
}

/// A predictor on the CPU that is treated as a GPU in half precision, or in single precision.
fn card(is_half: bool) -> Predictor {
    let name = if is_half { "card, f16" } else { "card" }.to_owned();
    let device = OpenDevice { name, is_gpu: true, is_half, ..device::cpu() };
    let mut model = Predictor::open_on(&ModelSource::bundled(), device).expect("opens");
    assert_eq!(model.info().is_half, is_half);
    model.watch(|executor| Box::new(Overflowing(executor)));
    model
}

fn image() -> Image {
    let pixels = (0..40 * 40).map(|at| (at * 7 % 256) as u8).collect();
    Image { width: 40, height: 40, channels: 1, pixels: Pixels::U8(pixels) }
}

const PROMPT: &str = "one infected area, upper left lung";

#[test]
fn a_mask_with_a_value_that_half_precision_cannot_hold_is_computed_in_single_precision() {
    let mut model = card(true);
    let prediction = model.predict(&image(), PROMPT).expect("a prediction");
    assert!(prediction.probability.values.iter().all(|value| value.is_finite()));
    assert_eq!((prediction.device.as_str(), model.info().is_half), ("card", false), "still on the card");
    let notices = model.take_notices();
    let notice = "card: half precision cannot hold a value of this model; it computes in f32 from now on.";
    assert_eq!(notices, [notice]);
    let expected = Predictor::open_on(&ModelSource::bundled(), device::cpu()).expect("opens");
    let expected = { expected }.predict(&image(), PROMPT).expect("a prediction");
    assert_eq!(prediction.probability.values, expected.probability.values);
}

#[test]
fn single_precision_is_not_blamed_on_half_precision() {
    let mut model = card(false);
    let prediction = model.predict(&image(), PROMPT).expect("a prediction");
    assert_eq!(prediction.device, "card");
    assert!(model.take_notices().is_empty());
}

#[test]
fn masks_of_half_precision_are_not_taken_for_those_of_single_precision() {
    let source = ModelSource::bundled();
    let [half, single] =
        [true, false].map(|is_half| content::model_content(&source, card(is_half).info()).expect("a hash"));
    assert_ne!(half, single);
}

#[test]
fn a_set_in_half_precision_is_computed_one_image_at_a_time() {
    assert!(!card(true).can_batch() && card(false).can_batch());
}
