//! The training loop.

mod checkpoint;
mod epoch;
mod gpu;
mod settle;
mod start_scores;
mod validated;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;

use crate::device::{OpenDevice, guarded};
use crate::model::config::{ModelConfig, Provenance, Temperature};
use crate::model::{Model, Registry};
use crate::train::average::Average;
use crate::train::batches::Form;
use crate::train::cases::Cases;
use crate::train::config::TrainConfig;
use crate::train::control::Control;
use crate::train::error::TrainError;
use crate::train::estimate::{memory_used, must_fit};
use crate::train::event::{Epoch, Event};
use crate::train::folder::{AVERAGE, OPTIMISER, Progress, RunFolder, STAGES};
use crate::train::manifest::Manifest;
use crate::train::place;
use crate::train::shards::{Shards, parts};
use crate::train::stage_heads::StageHeads;
use crate::train::start::{Start, architecture, prepare, resumed_architecture, settled};
use crate::train::step::Optimiser;
use crate::train::text_states::TextStates;
use crate::train::validate::preview;
use gpu::{Losses, Rehearsal};

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
    let folder = RunFolder::new(&config.out).of_run(control);
    if folder.is_used() {
        return Err(TrainError::Folder(format!(
            "{}: there is a run in this folder already; resume it, or choose another folder",
            config.out.display()
        )));
    }
    let config = divided(&settled(registry, config)?, device);
    saying_faults(device, || Run::begin(registry, &config, folder, device, control, report, None)?.train())
}

/// The settings with the number of parts of a batch that suits this machine, unless they have one. Recorded with the
/// run, the number is the same when the run is resumed, and so are its results.
fn divided(config: &TrainConfig, device: &OpenDevice) -> TrainConfig {
    let shards = if device.is_gpu { config.shards } else { parts(config) };
    TrainConfig { shards, ..config.clone() }
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
    let folder = RunFolder::new(folder).of_run(control);
    // If the run was moved, its folder is the current one.
    let config = TrainConfig { out: folder.path().to_owned(), ..folder.config()? };
    config.validate().map_err(TrainError::Config)?;
    let mut config = divided(&config, device);
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
    saying_faults(device, || Run::begin(registry, &config, folder, device, control, report, resumed)?.train())
}

/// Runs `job`; a GPU that fails, which is a panic, becomes an error that says how to go on.
pub(super) fn saying_faults<T>(
    device: &OpenDevice,
    job: impl FnOnce() -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    if !device.is_gpu {
        return job();
    }
    guarded(&device.name, job).map_err(TrainError::from).flatten()
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
    /// The name of the device, by which the window's models on the same card are known.
    device_name: String,
    /// The number of images in one pass through the network.
    pass: usize,
    train: Cases,
    validation: Cases,
    /// The configuration of the bundle without the scores.
    model_config: ModelConfig,
    vocabulary: Option<PathBuf>,
    form: Form,
    model: Option<Box<dyn Model>>,
    optimiser: Optimiser,
    /// The heads of the auxiliary losses, if the settings want them.
    stages: Option<StageHeads>,
    /// The moving average of the weights, if the settings want one.
    average: Option<Average>,
    /// The threads for the parts of a batch; `None` on a GPU.
    shards: Option<Shards>,
    kept: Option<TextStates>,
    preview: Vec<usize>,
    progress: Progress,
    losses: Losses,
    /// The fraction of the epoch's time spent waiting for data.
    waiting: f64,
    saved: Instant,
    /// Why the first case that could not be read was skipped.
    unreadable: Option<String>,
    /// When the epoch was begun or resumed.
    begun: Instant,
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
        let reads_text = network.text().is_some();
        let (mut train, mut notes) = Cases::open(config, true, side, true, reads_text)?;
        let (mut validation, more) = Cases::open(config, false, side, true, reads_text)?;
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
        let training_device = device.device.clone().autodiff();
        let wanted = (!config.stage_losses.is_empty()).then_some(&config.stage_losses);
        let heads =
            |weights: &Vec<f64>| StageHeads::new(weights, &network.stages(), config.weight_decay, &device.device);
        let mut stages = wanted.map(heads).transpose()?;
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
        device.device.seed(config.seed);
        let start = prepare(registry, config, &folder, is_resumed, &train, &training_device)?;
        let parts = if network.is_divisible() { parts(config) } else { 1 };
        let shards = if device.is_gpu { None } else { Some(Shards::start(parts)?) };
        let mut optimiser = Optimiser::of(config);
        if is_resumed {
            optimiser.load(&folder.arrays(OPTIMISER)?, &device.device);
        }
        let mut average = (config.ema_decay > 0.0).then(|| Average::new(config.ema_decay));
        if let Some(average) = average.as_mut().filter(|_| is_resumed) {
            average.load(&folder.arrays(AVERAGE)?, &device.device);
        }
        if let Some(stages) = stages.as_mut().filter(|_| is_resumed) {
            stages.load(&folder.arrays(STAGES)?, &device.device);
        }
        let Start { config: model_config, vocabulary, model, is_text_frozen, form, notices } = start;
        notes.extend(notices);
        let kept = is_text_frozen.then(|| TextStates::kept_on(device.is_gpu));
        let pass = if device.is_gpu {
            let (form, model, cases) = (&form, model.as_ref(), train.len());
            let rehearsal =
                Rehearsal { config, form, model, is_text_frozen, open: device, device: &training_device, cases };
            let pass = rehearsal.run(control, report)?;
            folder.log(&memory_used(config, network.as_ref(), pass.min(train.len()), device));
            pass
        } else {
            config.batch_size
        };
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
            device_name: device.name.clone(),
            pass,
            train,
            validation,
            model_config,
            vocabulary,
            form,
            model: Some(model),
            optimiser,
            stages,
            average,
            shards,
            kept,
            preview,
            progress,
            losses: Losses::on(device.is_gpu),
            waiting: 0.0,
            saved: Instant::now(),
            unreadable: None,
            begun: Instant::now(),
        })
    }

    fn train(mut self) -> Result<Option<Epoch>, TrainError> {
        if let Outcome::Stopped = self.score_start()? {
            return self.stopped();
        }
        let reason = loop {
            let number = self.progress.history.len();
            if let Some(reason) = self.end_before(number) {
                break reason;
            }
            self.begun = Instant::now();
            if let Outcome::Stopped = self.epoch(number)? {
                return self.stopped();
            }
            let Some(validated) = self.validate() else { return self.stopped() };
            self.finish(number, validated)?;
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
            .then(|| config.criterion.no_progress(since))
    }

    /// Ends the run after a stop. Its results are kept and the run can be resumed.
    fn stopped(mut self) -> Result<Option<Epoch>, TrainError> {
        self.checkpoint()?;
        self.say_end("it was stopped, and can be resumed".into())
    }

    fn say_end(self, reason: String) -> Result<Option<Epoch>, TrainError> {
        let best = self.progress.best().cloned();
        self.folder.log(&reason);
        if let Some(note) = self.nothing_gained() {
            self.folder.log(&note);
            (self.report)(Event::Warning(note));
        }
        let bundle = best.as_ref().map(|_| self.folder.best());
        (self.report)(Event::Finished { best: best.clone(), bundle, reason });
        Ok(best)
    }
}
