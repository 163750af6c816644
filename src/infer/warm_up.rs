//! Making a model ready on a GPU before it answers.
//!
//! A GPU compiles a kernel, and tries out the variants of a product, when it meets a shape for the first time. This
//! takes up to minutes, in which the CPU has long answered. A warm-up opens the device, loads the weights and runs
//! every kind of pass once, on a thread of its own; then the model is handed over.

use std::ops::ControlFlow;

use super::error::InferError;
use super::inspection::InspectOptions;
use super::prediction::Milliseconds;
use super::predictor::Predictor;
use super::segmenter::{Segmenter, watched};
use crate::data::{Image, Pixels};
use crate::device::{self, DeviceChoice, OpenDevice};
use crate::model::overrides::Overrides;

/// The largest difference between the probabilities of two devices that is explained by rounding. Single precision
/// differs by 1e-5 and half precision by 1e-3; a driver that computes wrongly differs by far more.
const TOLERANCE: f32 = 0.02;
/// The factor by which a warm-up changes σ, so that the filters are computed again.
const OTHER_SIGMA: f32 = 1.25;

/// How far a warm-up is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmUpProgress {
    /// The name of the device that is made ready.
    pub device: String,
    /// What is being done, for example `preparing the decoder`.
    pub step: &'static str,
    /// The part that is done, 0 to 100, by the time that the steps usually take.
    pub percent: u8,
}

/// Receives the progress before every step; the warm-up is abandoned if it says so.
pub type Report<'a> = dyn FnMut(WarmUpProgress) -> ControlFlow<()> + 'a;

/// The outcome of a warm-up that did not fail.
pub enum Warmed {
    /// The model is ready on the GPU.
    Ready(Box<dyn Segmenter>),
    /// There is no GPU to change over to; the reason, if the user should know it.
    NoGpu(Option<String>),
    /// The warm-up was abandoned because nobody needs its result any more.
    Abandoned,
}

/// The work that makes a model ready on a GPU.
pub type WarmUp = Box<dyn FnOnce(&mut Report<'_>) -> Result<Warmed, InferError> + Send>;

/// A step of a warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Device,
    Weights,
    Image,
    Text,
    Decoder,
    Overrides,
    Inside,
}

impl Step {
    /// What a model needs that nobody uses yet, in order.
    const ALL: [Self; 7] =
        [Self::Device, Self::Weights, Self::Image, Self::Text, Self::Decoder, Self::Overrides, Self::Inside];
    /// What a prediction needs of a model that is open.
    const PREDICTION: [Self; 3] = [Self::Image, Self::Text, Self::Decoder];

    fn words(self) -> &'static str {
        match self {
            Self::Device => "opening the device",
            Self::Weights => "loading the weights",
            Self::Image => "preparing the image encoder",
            Self::Text => "preparing the text encoder",
            Self::Decoder => "preparing the decoder",
            Self::Overrides => "preparing changed values",
            Self::Inside => "preparing the stages",
        }
    }

    /// The usual time relative to the others, by the first start on an NVIDIA H100 (vision 25 s, text 9 s, decoder
    /// 86 s).
    fn share(self) -> usize {
        match self {
            Self::Device => 2,
            Self::Weights => 3,
            Self::Image => 20,
            Self::Text => 8,
            Self::Decoder => 52,
            Self::Overrides => 5,
            Self::Inside => 10,
        }
    }

    /// Returns the part of `steps` that comes before this one, in percent.
    fn percent(self, steps: &[Self]) -> u8 {
        let sum = |steps: &[Self]| steps.iter().map(|step| step.share()).sum::<usize>();
        let before = steps.iter().position(|step| *step == self).unwrap_or(0);
        u8::try_from(100 * sum(&steps[..before]) / sum(steps).max(1)).unwrap_or(100)
    }

    fn progress(self, steps: &[Self], device: &str) -> WarmUpProgress {
        WarmUpProgress { device: device.to_owned(), step: self.words(), percent: self.percent(steps) }
    }
}

impl Predictor {
    /// Runs every pass of a prediction once, if the device is a GPU.
    ///
    /// # Errors
    /// The device failed. The next prediction then moves to the CPU.
    pub fn warm_up(&mut self, report: &mut Report<'_>) -> Result<(), InferError> {
        if self.device().is_gpu {
            let _ = self.run_steps(&Step::PREDICTION, &Step::PREDICTION, report)?;
        }
        Ok(())
    }

    /// The work that makes this model ready on the GPU that `choice` asks for; `None` if it computes on one already
    /// or if this computer certainly has none.
    pub fn on_gpu(&self, choice: DeviceChoice) -> Option<WarmUp> {
        if self.device().is_gpu || !device::may_be_gpu(choice) {
            return None;
        }
        let (registry, source) = (self.registry().clone(), self.located().source.clone());
        Some(Box::new(move |report| {
            let mut flow = ControlFlow::Continue(());
            let opened = device::open_telling(choice, |name| {
                if flow.is_continue() {
                    flow = report(Step::Device.progress(&Step::ALL, name));
                }
            });
            if flow.is_break() {
                return Ok(Warmed::Abandoned);
            }
            if !opened.is_gpu {
                return Ok(Warmed::NoGpu(opened.notice));
            }
            let opened = opened.for_prediction();
            if report(Step::Weights.progress(&Step::ALL, &opened.name)).is_break() {
                return Ok(Warmed::Abandoned);
            }
            let notice = opened.notice.clone();
            let mut predictor = Self::open_in(&registry, &source, OpenDevice { notice: None, ..opened })?;
            let of_device = predictor.device().notice.clone();
            if !predictor.device().is_gpu {
                return Ok(Warmed::NoGpu(of_device));
            }
            // The other notices are about the model, which is open already.
            predictor.set_notices(notice.into_iter().chain(of_device).collect());
            match predictor.run_steps(&Step::ALL[2..], &Step::ALL, report) {
                Ok(ControlFlow::Continue(())) => Ok(Warmed::Ready(watched(predictor, true))),
                Ok(ControlFlow::Break(())) => Ok(Warmed::Abandoned),
                // The message is about a device that is not used yet, not about a prediction.
                Err(InferError::Compute { reason, .. }) => Err(InferError::Refused(reason)),
                Err(error) => Err(error),
            }
        }))
    }

    /// Runs `steps` of `all`. A failing device ends them: there is no fallback to the CPU, which is not what is to
    /// be made ready.
    fn run_steps(
        &mut self,
        steps: &[Step],
        all: &[Step],
        report: &mut Report<'_>,
    ) -> Result<ControlFlow<()>, InferError> {
        let device = self.device().name.clone();
        let mut flow = ControlFlow::Continue(());
        for step in steps {
            flow = report(step.progress(all, &device));
            if flow.is_break() {
                break;
            }
            device::guarded(&device, || self.run_step(*step)).map_err(InferError::from).flatten()?;
        }
        // Neither the test image nor a second copy of the weights stays on the device.
        self.forget();
        self.inspection_cache = Default::default();
        Ok(flow)
    }

    /// The text with which the model is tried: a box where it takes one, and a sentence that it knows where it reads no
    /// other.
    fn trial_prompt(&self, image: &Image, text: &str) -> String {
        let info = self.info();
        if info.takes_box {
            return info.whole_image(image.width, image.height);
        }
        self.known_sentences().first().map_or(text, String::as_str).to_owned()
    }

    fn run_step(&mut self, step: Step) -> Result<(), InferError> {
        let (image, text) = test_case();
        let prompt = &self.trial_prompt(&image, text);
        let mut times = Milliseconds::default();
        match step {
            Step::Device | Step::Weights => {}
            Step::Image => drop(self.features(&image, &mut times)?),
            Step::Text => drop(self.text_states(&self.encode(prompt), &mut times)?),
            Step::Decoder => {
                let wanted = InspectOptions { maps: true, ..InspectOptions::default() };
                self.look(&image, prompt, None, wanted)?;
            }
            Step::Overrides => {
                for overrides in other_values(self.overrides()) {
                    self.look(&image, prompt, Some(&overrides), InspectOptions::default())?;
                }
            }
            Step::Inside => {
                let wanted = InspectOptions {
                    maps: true,
                    stages: true,
                    attribution: true,
                    spectra: true,
                    similarity: true,
                };
                self.look(&image, prompt, None, wanted)?;
            }
        }
        Ok(())
    }
}

/// Values that lead the decoder along its other ways: other filters, no filters, no text.
fn other_values(own: &Overrides) -> Vec<Overrides> {
    if own.is_nothing() {
        return Vec::new();
    }
    let with = |change: fn(&mut Overrides)| {
        let mut overrides = own.clone();
        change(&mut overrides);
        overrides
    };
    vec![
        with(|all| {
            all.stages.iter_mut().filter_map(|stage| stage.sigma.as_mut()).for_each(|sigma| *sigma *= OTHER_SIGMA);
        }),
        with(|all| all.stages.iter_mut().for_each(|stage| stage.is_filtered = false)),
        with(|all| all.groups.iter_mut().for_each(|group| group.is_used = false)),
    ]
}

/// An image and a prompt for which a model is tried: a bright disc on a gradient.
fn test_case() -> (Image, &'static str) {
    const SIDE: usize = 64;
    let value = |at: usize| {
        let (x, y) = (at % SIDE, at / SIDE);
        let [dx, dy] = [x.abs_diff(SIDE / 3), y.abs_diff(SIDE / 2)];
        if dx * dx + dy * dy < SIDE * SIDE / 36 { 230 } else { (x + 2 * y) as u8 }
    };
    let pixels = Pixels::U8((0..SIDE * SIDE).map(value).collect());
    (Image { width: SIDE, height: SIDE, channels: 1, pixels }, "one infected area, upper left lung")
}

/// Checks that `other` answers as `current` does, before it takes its place: a driver may compute wrongly without any
/// error.
///
/// # Errors
/// The masks of a test image differ by more than rounding, or a model gave none. The message is for the user.
pub fn same_mask(current: &mut dyn Segmenter, other: &mut dyn Segmenter) -> Result<(), String> {
    let (image, prompt) = test_case();
    let values = |model: &mut dyn Segmenter| {
        let trial = model.local().map(|predictor| predictor.trial_prompt(&image, prompt));
        let prompt = trial.unwrap_or_else(|| prompt.to_owned());
        let prediction = model.predict(&image, &prompt).map_err(|error| error.to_string())?;
        Ok::<_, String>(prediction.probability_model.values)
    };
    let (current, other) = (values(current)?, values(other)?);
    let is_close = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE;
    if current.len() != other.len() || !current.iter().zip(&other).all(is_close) {
        return Err("its mask of a test image differs from that of the CPU".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::{GroupOverrides, ModelSource, StageOverrides};

    fn bundled() -> Predictor {
        Predictor::open_on(&ModelSource::bundled(), device::cpu()).expect("opens")
    }

    /// Returns a predictor on the CPU that is treated as a GPU.
    fn gpu() -> Predictor {
        let device = OpenDevice { name: "card".into(), is_gpu: true, ..device::cpu() };
        Predictor::open_on(&ModelSource::bundled(), device).expect("opens")
    }

    #[test]
    fn the_percentages_rise_to_the_end() {
        for steps in [&Step::ALL[..], &Step::PREDICTION] {
            let percents: Vec<u8> = steps.iter().map(|step| step.percent(steps)).collect();
            assert!(percents[0] == 0 && percents.is_sorted() && percents.last() < Some(&100), "{percents:?}");
        }
        assert_eq!(Step::ALL.map(Step::share).iter().sum::<usize>(), 100);
    }

    #[test]
    fn every_step_runs_and_nothing_stays_behind() {
        let mut predictor = gpu();
        let mut told = Vec::new();
        let mut report = |progress: WarmUpProgress| {
            told.push((progress.step, progress.percent));
            ControlFlow::Continue(())
        };
        let flow = predictor.run_steps(&Step::ALL[2..], &Step::ALL, &mut report).expect("it runs");
        assert!(flow.is_continue());
        assert_eq!(told.len(), 5);
        assert_eq!(told[2], ("preparing the decoder", 33));
        let (image, prompt) = test_case();
        let times = predictor.predict(&image, prompt).expect("a prediction").milliseconds;
        assert!(times.vision > 0.0 && times.text > 0.0, "the caches are empty");
    }

    #[test]
    fn an_abandoned_warm_up_ends_before_its_next_step() {
        let mut calls = 0;
        let mut report = |_| {
            calls += 1;
            if calls < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let flow = gpu().run_steps(&Step::PREDICTION, &Step::PREDICTION, &mut report).expect("no failure");
        assert!(flow.is_break());
        assert_eq!(calls, 2);
    }

    #[test]
    fn the_cpu_has_nothing_to_warm_up() {
        let mut predictor = bundled();
        predictor.warm_up(&mut |_| panic!("there is nothing to report")).expect("nothing fails");
        assert!(predictor.on_gpu(DeviceChoice::Cpu).is_none());
        assert!(predictor.on_gpu(DeviceChoice::Gpu(None)).is_some());
        assert!(gpu().on_gpu(DeviceChoice::Gpu(None)).is_none(), "it is there already");
    }

    #[test]
    fn a_gpu_that_does_not_exist_is_explained() {
        let warm_up = bundled().on_gpu(DeviceChoice::Gpu(Some(99))).expect("it has to be looked for");
        let outcome = warm_up(&mut |_| panic!("there is no device to report")).expect("no failure");
        assert!(matches!(outcome, Warmed::NoGpu(Some(text)) if text.contains("gpu:99 is not to be had")));
    }

    #[test]
    fn the_decoder_is_led_along_its_other_ways() {
        let stage = StageOverrides { grid: 7, sigma: Some(4.0), is_filtered: true, betas: Some([1.0; 3]) };
        let group = GroupOverrides { layers: vec![1], alpha: Some(vec![1.0]), is_used: true };
        let own = Overrides { stages: vec![stage], groups: vec![group], order: vec![1] };
        let all = other_values(&own);
        assert!(all.iter().all(|overrides| *overrides != own && overrides.validate().is_ok()));
        assert_eq!(all[0].stages[0].sigma, Some(5.0));
        assert!(other_values(&Overrides::default()).is_empty());
    }

    #[test]
    fn two_devices_that_compute_the_same_are_alike() {
        assert_eq!(same_mask(&mut bundled(), &mut gpu()), Ok(()));
    }
}
