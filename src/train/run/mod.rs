//! The training loop.

mod checkpoint;
mod settle;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};

use crate::device::OpenDevice;
use crate::model::config::{ModelConfig, Provenance, Temperature};
use crate::model::{Model, Registry};
use crate::train::batches::{Batch, Form, training_items, with_batches};
use crate::train::cases::Cases;
use crate::train::config::TrainConfig;
use crate::train::control::{Control, RunControl};
use crate::train::error::TrainError;
use crate::train::estimate::must_fit;
use crate::train::event::{Epoch, Event};
use crate::train::folder::{Progress, RunFolder};
use crate::train::loss::loss;
use crate::train::manifest::Manifest;
use crate::train::pace::Pace;
use crate::train::place;
use crate::train::schedule::learning_rate;
use crate::train::start::{Start, architecture, prepare, resumed_architecture};
use crate::train::step::{GradientSum, Optimiser};
use crate::train::text_states::TextStates;
use crate::train::validate::{Tensors, Validation, Validator, logits, preview, validate};

/// The number of steps after which losses are read back from a GPU. On the CPU, reading does not wait for
/// anything.
const READ_EVERY: usize = 16;

/// Trains from the beginning into `config.out`, reporting through `report`, until the run ends or is stopped.
/// Returns the best epoch, whose weights are in the bundle [`RunFolder::best`].
///
/// # Errors
/// The settings, the data or the weights cannot be used, the folder already contains a run, or the loss is not
/// finite any more.
pub fn run(
    config: &TrainConfig,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    run_in(&Registry::default(), config, device, control, report)
}

/// Like [`run`], for a network in `registry`.
pub fn run_in(
    registry: &Registry,
    config: &TrainConfig,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    config.validate().map_err(TrainError::Config)?;
    let folder = RunFolder::new(&config.out);
    if folder.is_used() {
        return Err(TrainError::Folder(format!(
            "{}: there is a run in this folder already; resume it, or choose another folder",
            config.out.display()
        )));
    }
    Run::begin(registry, config, folder, device, control, report, None)?.train()
}

/// Continues the run in `folder` from its last checkpoint. On the same device, it reaches the same weights and
/// metrics as an uninterrupted run. `data` gives the current locations of its data sets, in the order of the
/// settings; if it is empty, they are searched at their previous locations and where they moved together with the
/// run folder.
///
/// # Errors
/// There is no run to resume, its data were changed or not found, or an error of [`run`] occurred.
pub fn resume(
    folder: &Path,
    data: &[PathBuf],
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    resume_in(&Registry::default(), folder, data, device, control, report)
}

/// Like [`resume`], for a network in `registry`.
pub fn resume_in(
    registry: &Registry,
    folder: &Path,
    data: &[PathBuf],
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    let folder = RunFolder::new(folder);
    // If the run was moved, its folder is the current one.
    let mut config = TrainConfig { out: folder.path().to_owned(), ..folder.config()? };
    config.validate().map_err(TrainError::Config)?;
    let progress = folder.progress()?;
    if let Some(reason) = &progress.ended {
        let name = folder.path().display();
        return Err(TrainError::Folder(format!(
            "{name}: this run is finished ({reason}); start another one from {}",
            folder.best().display()
        )));
    }
    let manifest = folder.manifest()?;
    config.data = place::find(folder.path(), manifest.as_ref(), &config.data, data)?;
    let resumed = Some(Resumed { progress, manifest });
    Run::begin(registry, &config, folder, device, control, report, resumed)?.train()
}

/// What the folder of a run records about it.
struct Resumed {
    progress: Progress,
    /// The record of the data; `None` in a folder of an older version.
    manifest: Option<Manifest>,
}

/// How an epoch or a validation ended.
enum Outcome {
    Done,
    Stopped,
}

struct Run<'a> {
    config: &'a TrainConfig,
    folder: RunFolder,
    control: &'a Control,
    report: &'a mut dyn FnMut(Event),
    plain: Device,
    device: Device,
    is_gpu: bool,
    train: Cases,
    validation: Cases,
    /// The configuration of the bundle without the scores.
    model_config: ModelConfig,
    vocabulary: Option<PathBuf>,
    form: Form,
    model: Option<Box<dyn Model>>,
    optimiser: Optimiser,
    kept: Option<TextStates>,
    preview: Vec<usize>,
    progress: Progress,
    /// The losses that are still on the device.
    unread: Vec<Tensor<1>>,
    /// The fraction of the epoch's time spent waiting for data.
    waiting: f64,
    saved: Instant,
}

impl<'a> Run<'a> {
    fn begin(
        registry: &Registry,
        config: &'a TrainConfig,
        folder: RunFolder,
        device: &OpenDevice,
        control: &'a Control,
        report: &'a mut dyn FnMut(Event),
        resumed: Option<Resumed>,
    ) -> Result<Self, TrainError> {
        report(Event::Preparing("looking through the data".into()));
        let architecture = match &resumed {
            Some(_) => resumed_architecture(registry, &folder)?,
            None => architecture(registry, config)?,
        };
        let network = architecture.network;
        let side = network.image_side();
        let (mut train, mut notes) = Cases::open(config, true, side, true)?;
        let (mut validation, more) = Cases::open(config, false, side, true)?;
        notes.extend(more);
        notes.extend(train.shared_with(&validation));
        for (cases, split) in [(&train, &config.train_split), (&validation, &config.validation_split)] {
            if cases.len() == 0 {
                return Err(TrainError::Config(format!(
                    "the split {split} has no cases; name another, or add phantoms"
                )));
            }
        }
        must_fit(config, network.as_ref(), device)?;
        let manifest = settle::manifest(config, &folder, &train, &validation, report)?;
        let is_resumed = resumed.is_some();
        match &resumed {
            None => {
                folder.begin(config)?;
                folder.record(&manifest)?;
            }
            Some(resumed) => {
                let recorded = resumed.manifest.as_ref();
                notes.extend(settle::compare(&folder, recorded, &manifest, &mut train, &mut validation)?);
            }
        }
        report(Event::Preparing("making the network".into()));
        let training_device = device.device.clone().autodiff();
        device.device.seed(config.seed);
        let start = prepare(registry, config, &folder, is_resumed, &train, &training_device)?;
        let mut optimiser = Optimiser::new(config.weight_decay);
        if is_resumed {
            optimiser.load(&folder.optimiser()?, &device.device);
        }
        let Start { config: model_config, vocabulary, model, is_text_frozen, form, notices } = start;
        notes.extend(notices);
        let kept = is_text_frozen.then(TextStates::default);
        let (preview, cases) = preview(&validation, &form, config.preview);
        let progress = resumed.map(|resumed| resumed.progress).unwrap_or_default();
        folder.log(if is_resumed { "resumed" } else { "begun" });
        report(Event::Started {
            train: train.len(),
            validation: validation.len(),
            parameters: model.count(),
            history: progress.history.clone(),
            epochs: config.epochs,
            device: device.name.clone(),
            cases,
        });
        notes.into_iter().for_each(|note| report(Event::Warning(note)));
        let subjects = train.subject_codes();
        let model_config = ModelConfig {
            provenance: Provenance {
                name: checkpoint::file_name(&config.out),
                trained: true,
                subjects,
                ..Provenance::default()
            },
            // It was fitted to the initial weights.
            temperature: Temperature::default(),
            ..model_config
        };
        Ok(Self {
            config,
            folder,
            control,
            report,
            plain: device.device.clone(),
            device: training_device,
            is_gpu: device.is_gpu,
            train,
            validation,
            model_config,
            vocabulary,
            form,
            model: Some(model),
            optimiser,
            kept,
            preview,
            progress,
            unread: Vec::new(),
            waiting: 0.0,
            saved: Instant::now(),
        })
    }

    fn train(mut self) -> Result<Option<Epoch>, TrainError> {
        let reason = loop {
            let number = self.progress.history.len();
            if let Some(reason) = self.end_before(number) {
                break reason;
            }
            let begin = Instant::now();
            if let Outcome::Stopped = self.epoch(number)? {
                return self.stopped();
            }
            let Some(validation) = self.validate() else { return self.stopped() };
            self.finish(number, &validation, begin.elapsed().as_secs_f64())?;
        };
        self.progress.ended = Some(reason.clone());
        self.checkpoint()?;
        self.say_end(reason)
    }

    /// The reason why no further epoch follows, if there is one.
    fn end_before(&self, number: usize) -> Option<String> {
        let config = self.config;
        if number >= config.epochs {
            return Some(format!("all {} epochs are done", config.epochs));
        }
        let since = number - self.progress.best().map_or(0, |best| best.number);
        (number >= config.min_epochs.max(1) && since >= config.patience)
            .then(|| format!("the validation loss has not fallen for {since} epochs"))
    }

    /// Ends the run after a stop. Its results are kept and the run can be resumed.
    fn stopped(mut self) -> Result<Option<Epoch>, TrainError> {
        self.checkpoint()?;
        self.say_end("it was stopped, and can be resumed".into())
    }

    fn say_end(self, reason: String) -> Result<Option<Epoch>, TrainError> {
        let best = self.progress.best().cloned();
        self.folder.log(&reason);
        let bundle = best.as_ref().map(|_| self.folder.best());
        (self.report)(Event::Finished { best: best.clone(), bundle, reason });
        Ok(best)
    }

    /// Trains the remaining steps of epoch `number`, counted from 0.
    fn epoch(&mut self, number: usize) -> Result<Outcome, TrainError> {
        let config = self.config;
        let items = training_items(&self.train, config, number);
        let group = config.batch_size * config.accumulate;
        let steps = items.len().div_ceil(group);
        let first = self.progress.step;
        let rate = learning_rate(config, number);
        let mut pace = Pace::new(config.epochs - number, steps);
        // The cases are moved out so that the batches can borrow them while the run itself is modified.
        let cases = std::mem::replace(&mut self.train, Cases::none());
        let form = self.form.clone();
        let rest = items.get(first * group..).unwrap_or_default();
        let outcome = with_batches(&cases, &form, rest, config.batch_size, |batches| {
            for step in first..steps {
                if self.wait() == RunControl::Stop {
                    return Ok(Outcome::Stopped);
                }
                let passes = (items.len() - step * group).min(group).div_ceil(config.batch_size);
                let waiting = Instant::now();
                let group: Vec<Batch> = batches.iter().take(passes).collect();
                pace.waited(waiting.elapsed());
                // With this seed, dropout draws the same numbers in this step wherever the run was resumed.
                self.plain.seed(seed(config.seed, number, step));
                self.step(group, rate)?;
                self.progress.step = step + 1;
                self.look_at_losses(number, step + 1 == steps)?;
                pace.stepped();
                (self.report)(Event::Step {
                    epoch: number + 1,
                    step: step + 1,
                    steps,
                    loss: self.progress.losses.last().copied(),
                    seconds_left: pace.seconds_left(step + 1),
                });
                if self.saved.elapsed() > Duration::from_secs_f64(config.checkpoint_minutes * 60.0) {
                    self.checkpoint()?;
                }
            }
            Ok(Outcome::Done)
        });
        self.train = cases;
        self.waiting = pace.waiting_share();
        outcome
    }

    /// Waits while the run is paused, and reports it.
    fn wait(&mut self) -> RunControl {
        if self.control.command() != RunControl::Pause {
            return self.control.command();
        }
        (self.report)(Event::Paused);
        let command = self.control.wait();
        if command == RunControl::Run {
            (self.report)(Event::Continued);
        }
        command
    }

    /// One step of the optimiser over a group of passes.
    fn step(&mut self, group: Vec<Batch>, rate: f64) -> Result<(), TrainError> {
        let images: usize = group.iter().map(|batch| batch.count).sum();
        for reason in group.iter().flat_map(|batch| &batch.skipped) {
            self.progress.skipped += 1;
            self.folder.log(&format!("skipped: {reason}"));
            (self.report)(Event::Warning(format!("skipped: {reason}")));
        }
        let Some(model) = self.model.take() else { return Ok(()) };
        if images == 0 {
            self.model = Some(model);
            return Ok(());
        }
        let mut gradients = GradientSum::default();
        let mut total: Option<Tensor<1>> = None;
        for batch in group.iter().filter(|batch| batch.count > 0) {
            let tensors = Tensors::of(batch, &self.form, &self.device);
            let logits = logits(model.as_ref(), &tensors, batch, self.kept.as_mut());
            // Every image has the same weight, regardless of its pass.
            let share = batch.count as f64 / images as f64;
            let value = loss(logits, tensors.target, self.config.cross_entropy).total * share;
            let plain = value.clone().inner();
            total = Some(match total {
                Some(sum) => sum + plain,
                None => plain,
            });
            gradients.add(model.as_ref(), value.backward());
        }
        self.unread.extend(total);
        self.model = Some(self.optimiser.step(model, gradients, rate));
        Ok(())
    }

    /// Reads losses back (from a GPU only occasionally) and ends the run if one of them is not finite.
    fn look_at_losses(&mut self, epoch: usize, is_last: bool) -> Result<(), TrainError> {
        if self.is_gpu && self.unread.len() < READ_EVERY && !is_last {
            return Ok(());
        }
        for loss in self.unread.drain(..) {
            let value = loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN);
            if !value.is_finite() {
                let error = TrainError::NotANumber { epoch: epoch + 1, step: self.progress.losses.len() + 1 };
                self.folder.log(&error.to_string());
                return Err(error);
            }
            self.progress.losses.push(value);
        }
        Ok(())
    }

    fn validate(&mut self) -> Option<Validation> {
        let model = self.model.as_deref()?;
        let control = self.control;
        let is_wanted = || control.wait() != RunControl::Stop;
        let with = Validator {
            cases: &self.validation,
            form: &self.form,
            preview: &self.preview,
            cross_entropy: self.config.cross_entropy,
            device: &self.plain,
        };
        validate(model, &with, self.kept.as_mut(), &is_wanted)
    }
}

/// A different seed for every step.
fn seed(seed: u64, epoch: usize, step: usize) -> u64 {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add((epoch as u64) << 32).wrapping_add(step as u64)
}
