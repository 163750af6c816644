//! Predictions in half precision through wgpu beside those in single precision.

use himix::data::Image;
use himix::data::phantom::{Kind, phantom};
use himix::device::{self, DeviceChoice, OpenDevice, Precision, launches_of};
use himix::infer::{ModelSource, Predictor};

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
    if device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let open = device::open(DeviceChoice::Gpu(None));
    assert!(open.is_gpu, "{:?}", open.notice);
    if !open.offers_half() {
        return common::skip(Need::Installable, "the adapter has no half precision");
    }
    let Some(mini) = mini() else { return };
    let cases = vec![(mini.image.clone(), mini.prompt.clone())];
    compare(&mini.source, &open, &cases);
    let drawn = [Kind::Xray, Kind::Ct].map(|kind| phantom(kind, 1, 2, 224));
    let cases = drawn.map(|drawn| (drawn.image, drawn.prompt));
    compare(&ModelSource::bundled(), &open, &cases);
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
