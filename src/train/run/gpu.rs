//! What a run does differently on a GPU: it is made ready before the first step, batches have few sizes, losses are read
//! back now and then, and a failure of the device ends the run with words.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor, Transaction};

use crate::device::precedence::PRECEDENCE;
use crate::device::{self, Fault, OpenDevice, guarded};
use crate::model::{Model, Trace};
use crate::train::TrainConfig;
use crate::train::batches::{Batch, Form};
use crate::train::control::{Control, RunControl};
use crate::train::error::TrainError;
use crate::train::event::Event;
use crate::train::loss::LossTerms;
use crate::train::pass::{logits, states};
use crate::train::step::{GradientSum, Optimiser};
use crate::train::tensors::Tensors;
use crate::train::text_states::TextStates;

/// The time after which losses are read back. Reading waits for all steps before it.
const READ_AFTER: Duration = Duration::from_millis(500);
/// The number of losses after which they are read back in any case.
const MOST_UNREAD: usize = 256;

/// The losses of the last steps that are still on the device.
pub(super) struct Losses {
    unread: Vec<Tensor<1>>,
    is_gpu: bool,
    read: Instant,
}

impl Losses {
    pub(super) fn on(is_gpu: bool) -> Self {
        Self { unread: Vec::new(), is_gpu, read: Instant::now() }
    }

    pub(super) fn add(&mut self, loss: Option<Tensor<1>>) {
        self.unread.extend(loss);
    }

    /// Reads all losses back at once, one of each step, if it is time to; on the CPU it always is.
    pub(super) fn read(&mut self, is_last: bool) -> Vec<f32> {
        let waits = self.is_gpu && !is_last;
        if waits && self.read.elapsed() < READ_AFTER && self.unread.len() < MOST_UNREAD {
            return Vec::new();
        }
        let transaction = self.unread.drain(..).fold(Transaction::default(), |all, loss| all.register(loss));
        let values = transaction.execute();
        self.read = Instant::now();
        values.into_iter().map(|data| data.iter::<f32>().next().unwrap_or(f32::NAN)).collect()
    }
}

/// Lets the window's predictions on the same card go before the next pass; `device` is that of the run, `name` its name.
pub(super) fn give_way(is_gpu: bool, name: &str, device: &Device) {
    if is_gpu {
        // An error shows when the losses or the results of a validation are read.
        PRECEDENCE.give_way(name, || drop(device.sync()));
    }
}

/// A part of making a GPU ready for training.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Validation,
    Forward,
    Backward,
    Update,
}

impl Part {
    /// The parts in their order, with the share of time in percent that usually lies before each.
    const ALL: [(Self, u8); 4] =
        [(Self::Validation, 0), (Self::Forward, 35), (Self::Backward, 45), (Self::Update, 90)];
}

/// A step and a pass of a validation with an invented batch, so that all kernels are compiled and tuned before the
/// run begins. The results of tuning are stored like those of predictions.
pub(super) struct Rehearsal<'a> {
    pub(super) config: &'a TrainConfig,
    pub(super) form: &'a Form,
    pub(super) model: &'a dyn Model,
    pub(super) is_text_frozen: bool,
    pub(super) open: &'a OpenDevice,
    pub(super) device: &'a Device,
    /// The number of cases in an epoch, which limits the size of a batch.
    pub(super) cases: usize,
}

impl Rehearsal<'_> {
    /// Makes the device ready and returns the number of images of a pass: the batch size, or a part of it if a whole
    /// batch does not fit into the memory of the card. Reports the progress, and returns early if the run is to stop.
    ///
    /// # Errors
    /// The device failed, or not even one image fits.
    pub(super) fn run(&self, control: &Control, report: &mut dyn FnMut(Event)) -> Result<usize, TrainError> {
        let mut pass = self.config.batch_size;
        loop {
            let size = pass.min(self.cases.max(1));
            let fault = match guarded(&self.open.name, || self.parts(size, control, report)) {
                Ok(Ok(())) => return Ok(pass),
                Ok(Err(fault)) | Err(fault) => fault,
            };
            let smaller = fault.is_out_of_memory().then(|| smaller_pass(self.config.batch_size, size)).flatten();
            let Some(smaller) = smaller else { return Err(fault.into()) };
            report(Event::Warning(format!(
                "A batch of {size} images does not fit into the memory of {}. A step takes {smaller} at a time, with \
                 the same sum of gradients; batch normalisation then averages over {smaller} images.",
                self.open.name
            )));
            self.open.device.memory_cleanup();
            pass = smaller;
        }
    }

    fn parts(&self, size: usize, control: &Control, report: &mut dyn FnMut(Event)) -> Result<(), Fault> {
        let fault = |reason: String| Fault { device: self.open.name.clone(), reason };
        let batch = invented(self.form, size);
        let mut kept = self.is_text_frozen.then(|| TextStates::kept_on(true));
        let mut made = Made::default();
        for (part, percent) in Part::ALL {
            report(Event::Preparing(format!("making the GPU ready, {percent} %")));
            if control.command() == RunControl::Stop {
                return Ok(());
            }
            self.part(part, &batch, kept.as_mut(), &mut made);
            self.open.device.sync().map_err(|error| fault(device::reason(&error.to_string())))?;
        }
        Ok(())
    }

    fn part(&self, part: Part, batch: &Batch, kept: Option<&mut TextStates>, made: &mut Made) {
        match part {
            Part::Validation => {
                let plain = self.model.without_gradients();
                let states = states(plain.as_ref(), batch, &self.open.device, kept);
                let tensors = Tensors::of(batch, 0..batch.count, self.form, &self.open.device);
                drop(logits(plain.as_ref(), &tensors, states.as_deref(), &mut Trace::off()).into_data());
            }
            Part::Forward => {
                // The outputs for these prompts are kept by now and only looked up, as in most steps.
                let states = states(self.model, batch, self.device, kept);
                let tensors = Tensors::of(batch, 0..batch.count, self.form, self.device);
                let logits = logits(self.model, &tensors, states.as_deref(), &mut Trace::off());
                let value = LossTerms::of(self.config).loss(logits, tensors.target).total;
                drop(value.clone().inner().into_data());
                made.value = Some(value);
            }
            Part::Backward => {
                let value = made.value.take();
                made.gradients = value.map(|value| GradientSum::of(self.model, value.backward()));
            }
            Part::Update => {
                let Some(mut gradients) = made.gradients.take() else { return };
                if self.config.clip_norm > 0.0 {
                    gradients.clip(self.config.clip_norm);
                }
                // The weights of the run are another handle and stay as they are.
                drop(Optimiser::of(self.config).step(self.model.boxed(), gradients, 1e-9));
            }
        }
    }
}

/// What a part leaves to the next.
#[derive(Default)]
struct Made {
    value: Option<Tensor<1>>,
    gradients: Option<GradientSum>,
}

/// A batch of grey ramps with a mask in one half.
fn invented(form: &Form, count: usize) -> Batch {
    let (pixels, tokens) = (form.side * form.side, form.tokens());
    let ramp = |at: usize| (at % form.side) as f32 / form.side as f32 - 0.5;
    Batch {
        images: (0..count * 3 * pixels).map(ramp).collect(),
        targets: (0..count * pixels).map(|at| f32::from(u8::from(ramp(at) > 0.0))).collect(),
        ids: vec![1; count * tokens],
        attention: vec![1; count * tokens],
        boxes: if form.takes_box {
            [0.0, 0.0, form.side as f32, form.side as f32].repeat(count)
        } else {
            Vec::new()
        },
        count,
        cases: (0..count).collect(),
        skipped: Vec::new(),
    }
}

/// The largest part of a batch that is smaller than `size` and divides the batch evenly, at most one half of `size`;
/// `None` for a single image.
fn smaller_pass(batch: usize, size: usize) -> Option<usize> {
    (1..=size / 2).rev().find(|part| batch.is_multiple_of(*part))
}

/// Fills the last pass of an epoch up with the first of its items, because a pass of another size would be compiled and
/// tuned anew. An epoch of less than one pass has a single size and stays as it is.
pub(super) fn filled<T: Clone>(mut items: Vec<T>, pass: usize) -> Vec<T> {
    let missing = items.len().next_multiple_of(pass) - items.len();
    if items.len() > pass {
        items.extend_from_within(..missing);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::InputForm;
    use crate::model::Registry;

    #[test]
    fn a_smaller_pass_divides_the_batch() {
        assert_eq!(smaller_pass(32, 32), Some(16));
        assert_eq!(smaller_pass(20, 20), Some(10));
        assert_eq!(smaller_pass(20, 5), Some(2));
        assert_eq!(smaller_pass(7, 7), Some(1));
        assert_eq!(smaller_pass(32, 1), None);
        // Only ten cases in an epoch.
        assert_eq!(smaller_pass(32, 10), Some(4));
    }

    #[test]
    fn the_last_pass_is_filled_with_the_first_items() {
        assert_eq!(filled((0..7).collect(), 3), [0, 1, 2, 3, 4, 5, 6, 0, 1]);
        assert_eq!(filled((0..6).collect(), 3), [0, 1, 2, 3, 4, 5]);
        assert_eq!(filled((0..2).collect(), 3), [0, 1]);
    }

    #[test]
    fn losses_are_those_of_every_step_in_order() {
        let device = device::cpu().device;
        let loss = |value: f32| Some(Tensor::<1>::from_data([value], &device));
        let mut on_cpu = Losses::on(false);
        on_cpu.add(loss(0.5));
        assert_eq!(on_cpu.read(false), [0.5]);
        let mut on_gpu = Losses::on(true);
        on_gpu.add(loss(0.25));
        on_gpu.add(loss(0.125));
        assert_eq!(on_gpu.read(true), [0.25, 0.125]);
        assert!(on_gpu.read(true).is_empty());
        for value in 0..MOST_UNREAD {
            on_gpu.add(loss(value as f32));
        }
        assert_eq!(on_gpu.read(false).len(), MOST_UNREAD, "they do not grow without end");
    }

    /// Rehearses with the small architecture on the CPU, which stands for a card.
    fn rehearse(control: &Control) -> (Result<usize, TrainError>, Vec<String>) {
        let network =
            Registry::default().parse(include_str!("../../../assets/small.json")).expect("sizes").network;
        let open = OpenDevice { name: "card".into(), is_gpu: true, ..device::cpu() };
        let device = open.device.clone().autodiff();
        let model = network.build(&device).expect("a network");
        let form = Form {
            text: None,
            side: network.image_side(),
            is_transposed: false,
            takes_box: network.takes_box(),
            input: InputForm::default(),
        };
        // Without a tokeniser the text is left to the frozen encoder, which then has no tokens.
        let config = TrainConfig { batch_size: 2, ..TrainConfig::default() };
        let rehearsal = Rehearsal {
            config: &config,
            form: &form,
            model: model.as_ref(),
            is_text_frozen: true,
            open: &open,
            device: &device,
            cases: 1,
        };
        let mut told = Vec::new();
        let outcome = rehearsal.run(control, &mut |event| match event {
            Event::Preparing(text) | Event::Warning(text) => told.push(text),
            other => panic!("{other:?}"),
        });
        (outcome, told)
    }

    #[test]
    fn a_stop_ends_the_preparation_before_its_first_part() {
        let control = Control::default();
        control.ask(RunControl::Stop);
        let (outcome, told) = rehearse(&control);
        assert_eq!((outcome.ok(), told), (Some(2), vec!["making the GPU ready, 0 %".to_owned()]));
    }

    #[test]
    fn a_device_that_fails_while_it_is_prepared_is_named() {
        // A network that reads a prompt cannot do without one and panics, as a device that is lost does.
        let (outcome, _) = rehearse(&Control::default());
        let text = outcome.expect_err("it fails").to_string();
        assert!(text.contains("card") && text.contains("--resume") && text.contains("device = cpu"), "{text}");
    }
}
