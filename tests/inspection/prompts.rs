//! Several prompts of one image with the bundled model.

use std::ops::ControlFlow;

use himix::data::{Image, Pixels};
use himix::infer::{ModelSource, Predictor, Segmenter, predict_each};

fn picture() -> Image {
    let pixels = (0..224 * 224).map(|at| ((at * 31 + (at / 224) * 17) % 251) as u8).collect();
    Image { width: 224, height: 224, channels: 1, pixels: Pixels::U8(pixels) }
}

fn bundled() -> Predictor {
    Predictor::open_on(&ModelSource::new("bundled"), himix::device::cpu()).expect("opens")
}

#[test]
fn the_image_is_encoded_once_and_the_masks_are_those_of_single_predictions() {
    let image = picture();
    let prompts: Vec<String> =
        ["upper left lung", "lower right lung", "", "one small polyp", "upper left lung"].map(String::from).into();
    let mut model = bundled();
    let go_on = |_| ControlFlow::Continue(());
    let keep = |_, prediction| prediction;
    let predictions = predict_each(&mut model, &image, &prompts, keep, go_on).expect("masks").expect("all");
    let encoded = predictions.iter().filter(|prediction| prediction.milliseconds.vision > 0.0).count();
    assert_eq!(encoded, 1);
    assert!(predictions[4].milliseconds.text == 0.0, "a prompt that is there twice is read once");
    for (prompt, prediction) in prompts.iter().zip(&predictions) {
        let alone = bundled().predict(&image, prompt).expect("a mask");
        assert_eq!(alone.probability.values, prediction.probability.values, "{prompt}");
        assert_eq!(alone.tokens.reading, prediction.tokens.reading);
    }
    let reading = &predictions[3].tokens.reading;
    assert_eq!(reading.understood(), (3, 3));
}

#[test]
fn the_mask_token_stands_in_a_prompt_for_a_word() {
    let mut model = bundled();
    let image = picture();
    let [whole, masked, without] = ["upper left lung", "upper [MASK] lung", "upper lung"]
        .map(|prompt| Segmenter::predict(&mut model, &image, prompt).expect("a mask"));
    assert_eq!(masked.tokens.read, ["upper", "[MASK]", "lung"]);
    assert_ne!(masked.probability.values, whole.probability.values);
    assert_ne!(masked.probability.values, without.probability.values);
}
