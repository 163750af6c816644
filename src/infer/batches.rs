//! Computes the images of a set on a GPU in batches. Starting a kernel costs a GPU more than computing a small one, so that
//! several images in one pass take little longer than one.
//!
//! `batch_requests` gathers what the threads of a set ask for; [`Batches`] computes it.

use std::mem::replace;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batch_case::BatchCase;
use super::batch_requests::{Compute, Logits, SIZE};
use super::error::InferError;
use super::gpu_thread::{GpuThread, Hung};
use super::inspection::{InspectOptions, Inspection};
use super::predictor::Predictor;
use super::watched::Patience;
use crate::data::Image;
use crate::device::{self, Fault, OpenDevice};
use crate::model::overrides::Overrides;
use crate::model::{Inputs, Model, Tokens, Trace};

/// The size of a pass below which images are computed one at a time.
const FEW: usize = 3;

/// A predictor that computes batches with the network as published, which it loads beside the prepared one for the time of
/// a set.
pub(super) struct Batches<'a> {
    predictor: &'a mut Predictor,
    plain: Option<Box<dyn Model>>,
    /// The network with the values that were asked for last.
    modified: Option<(Overrides, Box<dyn Model>)>,
    /// The number of images in a pass, which is smaller if the card has too little memory. A batch with fewer is filled up,
    /// because a GPU is tuned for each size anew.
    size: usize,
    /// The thread of all that is computed, because a driver may hang; `None` for a software renderer.
    thread: Option<GpuThread>,
    /// How long a pass or an inspection may take.
    patience: Duration,
}

/// The inputs of a pass as plain arrays, filled up to its size.
struct Filled {
    size: usize,
    side: usize,
    image: Vec<f32>,
    /// The tokens and the attention mask; empty for a network that reads no text.
    ids: Vec<i64>,
    mask: Vec<i64>,
}

impl Filled {
    fn of(cases: &[BatchCase], size: usize, side: usize) -> Self {
        let filled = || cases.iter().chain(cases.last().into_iter().cycle()).take(size);
        Self {
            size,
            side,
            image: filled().flat_map(|case| case.image.iter().copied()).collect(),
            ids: filled().flat_map(|case| case.encoding.ids.iter().copied()).collect(),
            mask: filled().flat_map(|case| case.encoding.mask.iter().copied()).collect(),
        }
    }

    /// Runs the network and reads the logits back.
    ///
    /// # Errors
    /// The message of the device.
    fn through(self, model: &dyn Model, device: &Device) -> Result<Vec<f32>, String> {
        let Self { size, side, image, ids, mask } = self;
        let image = Tensor::<4>::from_data(TensorData::new(image, [size, 3, side, side]), device);
        let limit = ids.len() / size;
        let tensor =
            |values: Vec<i64>| Tensor::<2, Int>::from_data(TensorData::new(values, [size, limit]), device);
        let tokens = (limit > 0).then(|| Tokens { ids: tensor(ids), mask: tensor(mask) });
        let logits = model.forward(Inputs::new(image).with_tokens(tokens), &mut Trace::off());
        let data = logits.try_into_data().map_err(|error| device::reason(&error.to_string()))?;
        Ok(data.iter::<f32>().collect())
    }
}

impl<'a> Batches<'a> {
    pub(super) fn of(predictor: &'a mut Predictor) -> Self {
        let is_hardware = !predictor.device().is_software;
        let thread = is_hardware.then(GpuThread::start).flatten();
        let patience = Patience::default().untuned;
        Self { predictor, plain: None, modified: None, size: SIZE, thread, patience }
    }

    /// Runs `work` with the predictor on the thread, for the time of which another with the same weights takes its place,
    /// and again on the CPU if the device hangs.
    fn alone<T: Send + 'static>(
        &mut self,
        work: impl Fn(&mut Predictor) -> Result<T, InferError> + Clone + Send + 'static,
    ) -> Result<T, InferError> {
        let (Some(thread), Some(twin)) = (&self.thread, self.predictor.twin()) else {
            return work(self.predictor);
        };
        let mut predictor = replace(self.predictor, twin);
        // They stay here, where they are not lost with a device that hangs.
        self.predictor.set_notices(predictor.take_notices());
        let name = predictor.device().name.clone();
        let on_thread = work.clone();
        let run = thread.run(self.patience, move || {
            let outcome = on_thread(&mut predictor);
            (predictor, outcome)
        });
        match run {
            Ok(Ok((mut predictor, outcome))) => {
                let mut notices = self.predictor.take_notices();
                notices.extend(predictor.take_notices());
                predictor.set_notices(notices);
                *self.predictor = predictor;
                if !self.predictor.device().is_gpu {
                    // The CPU may take its time.
                    self.thread = None;
                }
                outcome
            }
            Ok(Err(panic)) => resume_unwind(panic),
            Err(Hung) => {
                self.give_way(Failed::Hung(name))?;
                work(self.predictor)
            }
        }
    }

    fn one(&mut self, case: &BatchCase, overrides: &Overrides) -> Result<Logits, InferError> {
        let (case, overrides) = (Arc::new(case.clone()), overrides.clone());
        let work = move |predictor: &mut Predictor| {
            predictor.with_fallback(|predictor| predictor.logits_of(&case, &overrides))
        };
        let logits = self.alone(work)?;
        Ok((logits, self.predictor.device().name.clone()))
    }

    /// The network with these values, which is put back after a pass.
    fn take_model(&mut self, overrides: &Overrides) -> Result<Box<dyn Model>, InferError> {
        if let Some((_, model)) = self.modified.take_if(|(of, _)| of == overrides) {
            return Ok(model);
        }
        let plain = match self.plain.take() {
            Some(plain) => plain,
            None => self.predictor.load_plain(&self.predictor.device().device.clone())?,
        };
        if overrides == self.predictor.overrides() {
            return Ok(plain);
        }
        let changed = plain.inspectable().map(|model| model.with_overrides(overrides));
        let Some(changed) = changed else { return Ok(plain) };
        self.plain = Some(plain);
        Ok(changed)
    }

    fn put_back(&mut self, model: Box<dyn Model>, overrides: &Overrides) {
        if overrides == self.predictor.overrides() {
            self.plain = Some(model);
        } else {
            self.modified = Some((overrides.clone(), model));
        }
    }

    /// One pass through the network with at most as many cases as a pass has images.
    fn pass(&mut self, cases: &[BatchCase], overrides: &Overrides) -> Result<Vec<Logits>, Failed> {
        let side = self.predictor.side();
        let OpenDevice { device, name, .. } = self.predictor.device().clone();
        let model = self.take_model(overrides).map_err(Failed::Refused)?;
        let filled = Filled::of(cases, self.size, side);
        let work = move || {
            let values = filled.through(model.as_ref(), &device);
            (model, values)
        };
        let fault = |reason| Failed::Device(Fault { device: name.clone(), reason });
        let (model, values) = match &self.thread {
            Some(thread) => match thread.run(self.patience, work) {
                Ok(outcome) => outcome.unwrap_or_else(|panic| resume_unwind(panic)),
                Err(Hung) => return Err(Failed::Hung(name)),
            },
            None => work(),
        };
        self.put_back(model, overrides);
        let values = values.map_err(fault)?;
        let of_each = values.chunks_exact(side * side).take(cases.len());
        Ok(of_each.map(|values| (values.to_vec(), name.clone())).collect())
    }

    /// Handles a failure of a pass: fewer images at a time if the memory was too small; the CPU if the device hangs; one at
    /// a time otherwise, which leads to the CPU if the device is lost.
    ///
    /// # Errors
    /// The model refuses the request, or cannot be opened on the CPU.
    fn give_way(&mut self, failed: Failed) -> Result<(), InferError> {
        let (plain, modified) = (self.plain.take(), self.modified.take());
        match failed {
            Failed::Refused(error) => return Err(error),
            Failed::Hung(device) => {
                // What lies on a device that hangs is left there: dropping it could hang as well.
                std::mem::forget((plain, modified));
                self.thread = None;
                let seconds = self.patience.as_secs();
                self.predictor.leave_device(format!(
                    "{device} has not answered for {seconds} s. The CPU is used from now on."
                ))?;
            }
            Failed::Device(fault) if fault.is_out_of_memory() && self.size > 1 => {
                drop((plain, modified));
                self.size /= 2;
                self.predictor.device().device.memory_cleanup();
                let together = match self.size {
                    size if size < FEW => "they are computed one at a time".to_owned(),
                    size => format!("{size} are computed together"),
                };
                self.predictor.add_notice(format!(
                    "{} has too little memory for {} images at a time; {together} from now on.",
                    fault.device,
                    2 * self.size
                ));
            }
            Failed::Device(Fault { device, reason }) => {
                self.size = 1;
                self.predictor.add_notice(format!(
                    "{device} could not compute several images at once ({reason}); they are computed one at a time."
                ));
            }
        }
        Ok(())
    }
}

/// Why a pass has no logits.
#[derive(Debug)]
enum Failed {
    Refused(InferError),
    Device(Fault),
    /// The device, named here, did not answer in time.
    Hung(String),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Device(fault)
    }
}

impl Compute for Batches<'_> {
    fn logits(&mut self, cases: &[BatchCase], overrides: Option<&Overrides>) -> Result<Vec<Logits>, InferError> {
        let own = self.predictor.overrides().clone();
        let overrides = overrides.unwrap_or(&own);
        self.predictor.check_overrides(overrides).map_err(InferError::Overrides)?;
        let mut found: Vec<Logits> = Vec::with_capacity(cases.len());
        while found.len() < cases.len() {
            let rest = &cases[found.len()..];
            let open = self.predictor.device();
            if !open.is_gpu || self.size < FEW {
                found.push(self.one(&rest[0], overrides)?);
                continue;
            }
            let (name, part) = (open.name.clone(), &rest[..rest.len().min(self.size)]);
            match device::guarded(&name, || self.pass(part, overrides)).map_err(Failed::from).flatten() {
                Ok(logits) => found.extend(logits),
                Err(failed) => self.give_way(failed)?,
            }
        }
        Ok(found)
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let (image, prompt, overrides) = (Arc::new(image.clone()), prompt.to_owned(), overrides.cloned());
        self.alone(move |predictor| predictor.inspect(&image, &prompt, overrides.as_ref(), wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;
    use crate::infer::{GroupOverrides, ModelSource};

    /// A predictor on the CPU that is treated as a GPU.
    fn gpu() -> Predictor {
        let device = OpenDevice { name: "card".into(), is_gpu: true, ..device::cpu() };
        Predictor::open_on(&ModelSource::bundled(), device).expect("opens")
    }

    fn images() -> Vec<(Image, &'static str)> {
        let prompts = ["one infected area, upper left lung", "bilateral", "", "all right lung"];
        let image = |number: usize| {
            let value = |at: usize| ((at * (number + 3)) % 251) as u8;
            Image { width: 48, height: 48, channels: 1, pixels: Pixels::U8((0..48 * 48).map(value).collect()) }
        };
        prompts.into_iter().enumerate().map(|(number, prompt)| (image(number), prompt)).collect()
    }

    fn assert_alike(found: &[Logits], expected: &[Vec<f32>]) {
        assert_eq!(found.len(), expected.len());
        for ((found, _), expected) in found.iter().zip(expected) {
            assert_eq!(found.len(), expected.len());
            let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-2, "logits differ by {largest}");
        }
    }

    #[test]
    fn a_batch_has_the_logits_of_its_images_one_by_one() {
        let mut predictor = gpu();
        let front = predictor.front();
        let cases: Vec<BatchCase> = images().iter().map(|(image, prompt)| front.case(image, prompt)).collect();
        let own = predictor.overrides().clone();
        let mut changed = own.clone();
        changed.groups.iter_mut().take(1).for_each(|group: &mut GroupOverrides| group.is_used = false);
        for overrides in [own, changed] {
            let one = |case: &BatchCase| predictor.logits_of(case, &overrides).expect("logits");
            let expected: Vec<Vec<f32>> = cases.iter().map(one).collect();
            let mut batches = Batches::of(&mut predictor);
            batches.size = FEW;
            // A whole batch and a remainder that is filled up.
            assert_alike(&batches.logits(&cases, Some(&overrides)).expect("logits"), &expected);
            batches.size = cases.len() + 2;
            // A batch that is filled up.
            assert_alike(&batches.logits(&cases, Some(&overrides)).expect("logits"), &expected);
            batches.size = 1;
            assert_alike(&batches.logits(&cases, Some(&overrides)).expect("logits"), &expected);
        }
    }

    #[test]
    fn a_card_with_too_little_memory_computes_fewer_images_at_a_time() {
        let mut predictor = gpu();
        let mut batches = Batches::of(&mut predictor);
        let fault = |reason: &str| Failed::Device(Fault { device: "card".into(), reason: reason.into() });
        batches.give_way(fault("out of device memory allocating 4096 bytes")).expect("it goes on");
        assert_eq!(batches.size, SIZE / 2);
        for _ in 0..2 {
            batches.give_way(fault("out of device memory allocating 4096 bytes")).expect("it goes on");
        }
        batches.give_way(fault("wgpu error: Validation Error: Parent device is lost")).expect("it goes on");
        assert_eq!(batches.size, 1);
        assert!(predictor.device().is_gpu, "single images stay there");
        let notices = predictor.take_notices();
        assert!(notices[0].contains("too little memory for 16 images at a time; 8"), "{notices:?}");
        assert!(
            notices[2].contains("for 4 images at a time; they are computed one at a time from now on"),
            "{notices:?}"
        );
        assert!(
            notices[3].contains("Parent device is lost") && notices[3].contains("one at a time"),
            "{notices:?}"
        );
    }

    #[test]
    fn a_card_that_hangs_in_a_batch_is_replaced_by_the_cpu() {
        let mut predictor = gpu();
        let front = predictor.front();
        let cases: Vec<BatchCase> = images().iter().map(|(image, prompt)| front.case(image, prompt)).collect();
        let mut batches = Batches::of(&mut predictor);
        // No pass is this quick.
        batches.patience = Duration::ZERO;
        let found = batches.logits(&cases, None).expect("the CPU answers");
        assert_eq!(found.len(), cases.len());
        assert!(found.iter().all(|(_, device)| device.starts_with("CPU")), "{}", found[0].1);
        assert!(!predictor.device().is_gpu);
        let notices = predictor.take_notices();
        assert!(notices.iter().any(|notice| notice.contains("card has not answered")), "{notices:?}");
    }

    #[test]
    fn a_card_that_hangs_in_the_last_image_or_an_inspection_is_replaced_as_well() {
        let (image, prompt) = images().remove(0);
        for size in [SIZE, 1] {
            let mut predictor = gpu();
            let case = predictor.front().case(&image, prompt);
            let mut batches = Batches::of(&mut predictor);
            (batches.patience, batches.size) = (Duration::ZERO, size);
            let found = batches.logits(&[case], None).expect("the CPU answers");
            assert!(found[0].1.starts_with("CPU"), "{}", found[0].1);
        }
        let mut predictor = gpu();
        let mut batches = Batches::of(&mut predictor);
        let wanted = InspectOptions { maps: true, ..InspectOptions::default() };
        batches.patience = Duration::ZERO;
        let found = batches.inspect(&image, prompt, None, wanted).expect("the CPU answers");
        assert!(found.prediction.device.starts_with("CPU") && !found.prediction.stages.is_empty());
        assert!(!predictor.device().is_gpu && predictor.info().device.starts_with("CPU"));
        assert_eq!(predictor.take_notices().len(), 1);
    }

    #[test]
    fn what_is_computed_alone_on_a_card_leaves_the_model_as_it_is() {
        let mut predictor = gpu();
        predictor.add_notice("kept".into());
        let (image, prompt) = images().remove(0);
        let mut batches = Batches::of(&mut predictor);
        let wanted = InspectOptions { maps: true, ..InspectOptions::default() };
        let found = batches.inspect(&image, prompt, None, wanted).expect("it answers");
        assert!(batches.thread.is_some());
        assert_eq!((found.prediction.device.as_str(), predictor.take_notices().len()), ("card", 1));
    }
}
