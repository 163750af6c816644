//! Predictions in half precision through wgpu beside those in single precision.

use burn::tensor::{Device, Distribution, Int, Tensor};
use himix::data::Image;
use himix::data::phantom::{Kind, phantom};
use himix::device::{self, DeviceChoice, OpenDevice, Precision, launches_of};
use himix::infer::{ModelSource, Predictor};
use himix::model::weights::bundle;
use himix::model::{Target, Tokens};

use super::{assert_close, mini};
use crate::common::{self, Child, Need};

/// The largest difference of logits and probabilities relative to the largest of them.
const TOLERANCE: f32 = 0.01;

#[test]
fn half_precision_makes_the_same_masks_with_as_many_kernels() {
    println!("{}", Child::with_little_tuning("half::in_a_child").run());
}

#[test]
#[ignore = "run by half_precision_makes_the_same_masks_with_as_many_kernels"]
fn in_a_child() {
    let (Some(open), Some(mini)) = (gpu(), mini()) else { return };
    let cases = [(mini.image.clone(), mini.prompt.clone())];
    compare(&mini.source, &open, &cases);
    large_values(&mini.source, &open.device);
}

/// The same for the bundled model: `cargo test --release --test inspection half::the_bundled -- --ignored --nocapture`.
#[test]
#[ignore = "minutes on a software adapter; see docs/testing.md"]
fn the_bundled_model_makes_the_same_masks_in_half_precision() {
    let Some(open) = gpu() else { return };
    let drawn = (0..12).map(|index| phantom(if index % 2 == 0 { Kind::Xray } else { Kind::Ct }, 1, index, 224));
    let cases: Vec<(Image, String)> = drawn.map(|drawn| (drawn.image, drawn.prompt)).collect();
    compare(&ModelSource::bundled(), &open, &cases);
}

/// A GPU with half precision, if there is one.
fn gpu() -> Option<OpenDevice> {
    if device::adapters().is_empty() {
        common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
        return None;
    }
    let open = device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    if !open.offers_half() {
        common::skip(Need::Installable, "the adapter has no half precision");
        return None;
    }
    Some(open)
}

/// Wherever a value is too large for half precision, the mask has something that is not a number. In single precision the same
/// network has a mask.
fn large_values(source: &ModelSource, gpu: &Device) {
    let cpu = Device::flex();
    let located = bundle::locate(source).expect("a model");
    let text = located.config.network.text().expect("HiMix reads text");
    let side = located.config.network.image_side();
    let image = Tensor::<4>::random([1, 3, side, side], Distribution::Normal(0.0, 1.0), &cpu);
    let image = Tensor::from_data(image.into_data(), gpu);
    let ids = Tensor::<2, Int>::ones([1, text.token_limit], gpu);
    for place in ["pwconv1.bias", "intermediate.bias", "guide.lin1.bias", "up.norm1.beta"] {
        let logits = |target: &Target| -> Vec<f32> {
            let mut changed = 0;
            let model = located.load(&cpu).expect("loads").map_parameters(&mut |path, slot| {
                // The first layer of its kind.
                if path.ends_with(place) && changed == 0 {
                    slot.load(vec![1e6; slot.shape().iter().product()]);
                    changed += 1;
                }
            });
            assert_eq!(changed, 1, "{place}");
            let executor = model.prepare(target);
            let text = executor.encode_text(Tokens { ids: ids.clone(), mask: ids.clone() });
            executor.decode(&executor.encode_image(image.clone()), &text).into_data().iter().collect()
        };
        let is_number = |value: &f32| value.is_finite();
        assert!(logits(&Target::single(gpu)).iter().all(is_number), "{place} in single precision");
        let half = logits(&Target::half(gpu));
        assert!(!half.iter().all(is_number), "{place}: a value that is too large is lost in the mask");
    }
}

/// Compares the masks of both precisions, and the number of kernels.
fn compare(source: &ModelSource, open: &OpenDevice, cases: &[(Image, String)]) {
    let [mut single, mut half] = [Precision::F32, Precision::F16].map(|precision| {
        let predictor = Predictor::open_on(source, open.clone().in_precision(precision)).expect("opens");
        assert_eq!(predictor.info().is_half, precision == Precision::F16);
        predictor
    });
    let (mut equal, mut pixels) = (0, 0);
    for (image, prompt) in cases {
        let seen = |predictor: &mut Predictor| {
            // What is tried out for tuning is launched in the first pass.
            predictor.predict(image, prompt).expect("a mask");
            predictor.forget();
            let (prediction, launches) = launches_of(false, || predictor.predict(image, prompt).expect("a mask"));
            assert!(predictor.take_notices().is_empty());
            (prediction.probability_model.values, launches.count())
        };
        let ((expected, kernels), (ours, of_half)) = (seen(&mut single), seen(&mut half));
        println!("{kernels} kernels in single precision, {of_half} in half precision");
        // The first products of an encoder read what none of our kernels made.
        assert!(of_half as f64 <= 1.05 * kernels as f64 + 2.0, "{of_half} kernels instead of {kernels}");
        assert_close(&ours, &expected, TOLERANCE, "mask in half precision");
        equal += ours.iter().zip(&expected).filter(|(a, b)| (**a >= 0.5) == (**b >= 0.5)).count();
        pixels += ours.len();
    }
    println!("{equal} of {pixels} pixels are equal");
    assert!(equal as f64 >= 0.999 * pixels as f64, "{equal} of {pixels} pixels are equal");
}
