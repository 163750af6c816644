//! The training loop.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::{Batch, Deal, Pairs, with_batches};
use super::config::TrainConfig;
use super::event::{Epoch, Event};
use super::loss::loss;
use super::schedule::learning_rate;
use super::score::Scores;
use super::step::{optimiser, step};
use crate::data::{DataError, Dataset, write};
use crate::device::OpenDevice;
use crate::model::config::{Axes, ModelConfig, Provenance};
use crate::model::weights::{ModelSource, WeightsError, bundle, save::Precision};
use crate::model::{HiMix, Trace};
use crate::text::{TextError, Tokenizer, vocabulary};

/// Why a run could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The vocabulary cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    /// The loss is no number any more.
    #[error(
        "the loss became NaN in epoch {epoch}, step {step}; the best weights so far are kept; try a smaller learning rate"
    )]
    NotANumber {
        /// Epoch, from 1.
        epoch: usize,
        /// Step, from 1.
        step: usize,
    },
}

/// Name of the vocabulary made of the training sentences, inside the output folder.
const VOCABULARY: &str = "vocab.txt";

struct Start {
    config: ModelConfig,
    vocabulary: PathBuf,
    tokenizer: Tokenizer,
    model: HiMix,
}

/// Trains, reporting through `report`, until the end or until `stop` is set; the best weights by validation loss are kept as
/// a bundle in `config.out` whenever they are reached.
pub fn run(
    config: &TrainConfig,
    device: &OpenDevice,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Event),
) -> Result<Option<Epoch>, TrainError> {
    config.validate().map_err(TrainError::Config)?;
    let train = Dataset::open(&config.data, &config.train_split)?;
    let validation = Dataset::open(&config.data, &config.validation_split)?;
    std::fs::create_dir_all(&config.out).map_err(|error| {
        WeightsError::file(&config.out, format!("the folder cannot be made ({error}); choose another"))
    })?;
    let training_device = device.device.clone().autodiff();
    device.device.seed(config.seed);
    let mut start = prepare(config, &train, &training_device)?;
    let load = |dataset: &Dataset, limit: usize| {
        let (tokens, side) = (start.config.token_limit, start.config.decoder.image_size);
        Pairs::load(dataset, limit, &start.tokenizer, tokens, side, start.config.axes == Axes::Xy)
    };
    let (train, validation) = (load(&train, config.limit)?, load(&validation, config.limit)?);
    report(Event::Started {
        train: train.len(),
        validation: validation.len(),
        parameters: start.model.num_params(),
        device: device.name.clone(),
    });

    let mut optimiser = optimiser(config.weight_decay);
    let mut best: Option<Epoch> = None;
    let mut reason = format!("all {} epochs are done", config.epochs);
    for epoch in 0..config.epochs {
        let begin = Instant::now();
        let rate = learning_rate(config, epoch);
        let deal = Deal {
            batch_size: config.batch_size,
            seed: Some(config.seed.wrapping_mul(1_000_003).wrapping_add(epoch as u64)),
            zoom_probability: config.zoom_probability,
        };
        let steps = train.len().div_ceil(config.batch_size);
        let mut model = start.model;
        let mut losses: Vec<Tensor<1>> = Vec::with_capacity(steps);
        let mut waited = 0.0;
        let tokens = start.config.token_limit;
        start.model = with_batches(&train, deal, |batches| {
            for number in 1..=steps {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let wait = Instant::now();
                let Ok(batch) = batches.recv() else { break };
                waited += wait.elapsed().as_secs_f64();
                let (input, target) = tensors(&batch, &start.config, tokens, &training_device);
                let logits = model.forward(input.0, input.1, input.2, &mut Trace::off());
                let loss = loss(logits, target, config.cross_entropy);
                // Kept on the device; reading it back here would make every step wait for it.
                losses.push(loss.total.clone().inner());
                model = step(model, &mut optimiser, &loss, rate);
                report(Event::Step { epoch: epoch + 1, step: number, steps });
            }
            model
        });
        let training_secs = begin.elapsed().as_secs_f64();
        if stop.load(Ordering::Relaxed) {
            reason = "it was stopped".into();
            break;
        }
        let losses: Vec<f32> =
            losses.into_iter().flat_map(|l| l.into_data().iter::<f32>().collect::<Vec<_>>()).collect();
        if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
            return Err(TrainError::NotANumber { epoch: epoch + 1, step: index + 1 });
        }
        let scores = validate(&start.model, &validation, config, &start.config, &device.device);
        let is_best = best.as_ref().is_none_or(|best| scores.loss() < best.validation_loss);
        let outcome = Epoch {
            number: epoch + 1,
            train_loss: losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64,
            validation_loss: scores.loss(),
            pooled_dice: scores.pooled_dice(),
            per_image_dice: scores.per_image_dice(),
            learning_rate: rate,
            seconds: begin.elapsed().as_secs_f64(),
            waiting: waited / training_secs.max(1e-9),
            is_best,
        };
        if is_best {
            keep(config, &start, &outcome)?;
            best = Some(outcome.clone());
        }
        report(Event::Epoch(outcome));
        let since = epoch + 1 - best.as_ref().map_or(0, |best| best.number);
        if epoch + 1 >= config.min_epochs && since >= config.patience {
            reason = format!("the validation loss has not fallen for {since} epochs");
            break;
        }
    }
    report(Event::Finished { best: best.clone(), reason });
    Ok(best)
}

/// Architecture, vocabulary and first weights.
fn prepare(config: &TrainConfig, train: &Dataset, device: &Device) -> Result<Start, TrainError> {
    let (architecture, vocabulary, model) = match &config.start {
        Some(folder) => {
            let located = bundle::locate(&ModelSource::new(folder))?;
            let vocabulary = located.vocabulary()?.to_path_buf();
            (located.config.clone(), vocabulary, Some(located.load(device)?))
        }
        None => {
            let mut architecture = match &config.architecture {
                Some(path) => bundle::read_config(path)?,
                None => ModelConfig::default(),
            };
            // Trained here, the network sees images the way they are.
            architecture.axes = Axes::Yx;
            let vocabulary = match &config.vocab {
                Some(path) => path.clone(),
                None => {
                    let path = config.out.join(VOCABULARY);
                    let sentences = train.samples.iter().map(|sample| sample.prompt.as_str());
                    let words = vocabulary::build(sentences, architecture.text.vocab_size);
                    write::bytes(&path, words.as_bytes())?;
                    path
                }
            };
            (architecture, vocabulary, None)
        }
    };
    let tokenizer = Tokenizer::from_file(&vocabulary)?;
    if tokenizer.vocabulary_size() > architecture.text.vocab_size {
        return Err(TrainError::Config(format!(
            "{}: the vocabulary has {} entries, the architecture {}; choose a smaller one or raise text.vocab_size",
            vocabulary.display(),
            tokenizer.vocabulary_size(),
            architecture.text.vocab_size
        )));
    }
    let has_start = model.is_some();
    let mut model = match model {
        Some(model) => model,
        None => HiMix::new(&architecture, device).map_err(|error| TrainError::Config(error.to_string()))?,
    };
    if !config.train_text.unwrap_or(!has_start) {
        model.text = model.text.freeze();
    }
    Ok(Start { config: architecture, vocabulary, tokenizer, model })
}

type Input = (Tensor<4>, Tensor<2, Int>, Tensor<2, Int>);

fn tensors(batch: &Batch, config: &ModelConfig, tokens: usize, device: &Device) -> (Input, Tensor<4>) {
    let (count, side) = (batch.count, config.decoder.image_size);
    let float = |values: &Vec<f32>, channels: usize| {
        Tensor::<4>::from_data(TensorData::new(values.clone(), [count, channels, side, side]), device)
    };
    let int =
        |values: &Vec<i64>| Tensor::<2, Int>::from_data(TensorData::new(values.clone(), [count, tokens]), device);
    ((float(&batch.images, 3), int(&batch.ids), int(&batch.attention)), float(&batch.targets, 1))
}

fn validate(
    model: &HiMix,
    pairs: &Pairs,
    config: &TrainConfig,
    architecture: &ModelConfig,
    device: &Device,
) -> Scores {
    let model = model.valid();
    let mut scores = Scores::default();
    let side = architecture.decoder.image_size;
    let deal = Deal { batch_size: config.batch_size.min(16), seed: None, zoom_probability: 0.0 };
    with_batches(pairs, deal, |batches| {
        for batch in batches {
            let (input, target) = tensors(&batch, architecture, architecture.token_limit, device);
            let logits = model.forward(input.0, input.1, input.2, &mut Trace::off());
            let value = loss(logits.clone(), target, config.cross_entropy).total.into_data();
            let logits: Vec<f32> = logits.into_data().iter().collect();
            let value = value.iter::<f32>().next().map_or(f64::NAN, f64::from);
            scores.add(&logits, &batch.targets, side * side, value);
        }
    });
    scores
}

/// Writes the current weights as the bundle.
fn keep(config: &TrainConfig, start: &Start, epoch: &Epoch) -> Result<(), TrainError> {
    let name = file_name(&config.out);
    let data = file_name(&config.data);
    let provenance = Provenance {
        name,
        trained: true,
        description: format!(
            "Trained on the split {} of {data}, epoch {}; validation Dice {:.3} pooled, {:.3} per image.",
            config.train_split, epoch.number, epoch.pooled_dice, epoch.per_image_dice
        ),
        ..Provenance::default()
    };
    let architecture = ModelConfig { provenance, ..start.config.clone() };
    let model = start.model.valid();
    bundle::write(&config.out, &architecture, &model, &start.vocabulary, None, Precision::F32)?;
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}
