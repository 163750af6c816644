//! A learning-rate range test (Smith 2017): a few steps with a rate that rises from one to the next, and the loss at
//! each. The rate at which the loss falls fastest is a good one to train with.

use std::ops::ControlFlow;

use burn::tensor::Device;

use super::batches::{Batch, Form, training_items, with_batches};
use super::cases::Cases;
use super::config::TrainConfig;
use super::control::{Control, RunControl};
use super::error::TrainError;
use super::estimate::must_fit;
use super::folder::RunFolder;
use super::loss::LossTerms;
use super::pass::Pass;
use super::run::saying_faults;
use super::sampling::{CaseLosses, seed};
use super::shards::{Shards, parts};
use super::stage_heads::StageHeads;
use super::start::{Start, architecture, prepare, settled};
use super::step::{GradientSum, Optimiser};
use super::text_states::TextStates;
use super::watch::supervised;
use crate::data::write;
use crate::device::OpenDevice;
use crate::model::{Model, Registry};

/// The number of steps.
const STEPS: usize = 100;
/// The first and the last learning rate.
const RATES: [f64; 2] = [1e-7, 1.0];
/// The share of the previous losses in the smoothed loss.
const SMOOTHING: f64 = 0.9;
/// The test ends when the smoothed loss is higher than the lowest one by this share of what it has fallen by, or by this
/// share of itself.
const RISE: f64 = 0.5;
/// The number of steps on both sides of a step over which the slope of the loss is measured.
const REACH: usize = 4;
/// The steps at the beginning whose smoothed loss says nothing yet.
const FIRST: usize = 5;
/// The least share by which the smoothed loss must fall for a suggestion.
const LEAST_FALL: f64 = 0.01;
/// The table of the test in the run folder.
const TABLE: &str = "find-lr.csv";

/// One step of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateStep {
    /// The learning rate.
    pub rate: f64,
    /// The loss of the step, before the weights were changed with this rate.
    pub loss: f64,
    /// The exponential mean of the losses so far.
    pub smoothed: f64,
}

/// The result of the test.
#[derive(Clone, Debug, PartialEq)]
pub struct RateTest {
    /// The steps, with a rising learning rate.
    pub steps: Vec<RateStep>,
    /// The rate at which the loss fell fastest; `None` if it hardly fell.
    pub suggestion: Option<f64>,
    /// Why the test ended.
    pub reason: String,
}

/// Runs the test with the settings of a run and writes its table, `find-lr.csv`, into the folder `config.out`, which may
/// be used for a run afterwards. `report` receives each step and the number of all. The schedule, the warm-up, the averaged
/// weights and the validation play no part.
///
/// # Errors
/// The settings, the data or the weights cannot be used, a GPU failed or does not answer, or the table cannot be written.
pub fn find_lr(
    config: &TrainConfig,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(&RateStep, usize),
) -> Result<RateTest, TrainError> {
    let config = config.clone();
    let job = move |device: &OpenDevice, control: &Control, report: &mut dyn FnMut((RateStep, usize))| {
        saying_faults(device, || search(&config, device, control, report))
    };
    supervised(device, control, &mut |(step, steps)| report(&step, steps), job)
}

fn search(
    config: &TrainConfig,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut((RateStep, usize)),
) -> Result<RateTest, TrainError> {
    config.validate().map_err(TrainError::Config)?;
    let registry = Registry::default();
    let config = &settled(&registry, config)?;
    let network = architecture(&registry, config)?.network;
    let (cases, _) = Cases::open(config, true, network.image_side(), true, network.text().is_some())?;
    if cases.len() == 0 {
        return Err(TrainError::Config(format!(
            "the split {} has no cases; name another, or add phantoms",
            config.train_split
        )));
    }
    must_fit(config, network.as_ref(), device)?;
    std::fs::create_dir_all(&config.out).map_err(|error| {
        let name = config.out.display();
        TrainError::Folder(format!("{name}: the folder cannot be made ({error}); choose another"))
    })?;
    // A vocabulary that is made for the test is not kept.
    let folder = tempfile::tempdir().map_err(|error| {
        TrainError::Folder(format!("a temporary folder cannot be made ({error}); make room on the disk"))
    })?;
    let training_device = device.device.clone().autodiff();
    device.device.seed(config.seed);
    let folder = RunFolder::new(folder.path());
    let start = prepare(&registry, config, &folder, false, &cases, &training_device)?;
    let wanted = (!config.stage_losses.is_empty()).then_some(&config.stage_losses);
    let heads =
        |weights: &Vec<f64>| StageHeads::new(weights, &network.stages(), config.weight_decay, &device.device);
    let parts = if network.is_divisible() { parts(config) } else { 1 };
    let Start { model, is_text_frozen, form, .. } = start;
    let mut test = Test {
        config,
        control,
        report,
        plain: device.device.clone(),
        device: training_device,
        form: &form,
        shards: if device.is_gpu { None } else { Some(Shards::start(parts)?) },
        optimiser: Optimiser::of(config),
        stages: wanted.map(heads).transpose()?,
        kept: is_text_frozen.then(|| TextStates::kept_on(device.is_gpu)),
        model: Some(model),
        mean: 0.0,
        steps: Vec::new(),
    };
    let reason = test.run(&cases)?;
    let steps = test.steps;
    write_table(config, control, &steps)?;
    Ok(RateTest { suggestion: suggestion(&steps), steps, reason })
}

struct Test<'a> {
    config: &'a TrainConfig,
    control: &'a Control,
    report: &'a mut dyn FnMut((RateStep, usize)),
    plain: Device,
    device: Device,
    form: &'a Form,
    shards: Option<Shards>,
    optimiser: Optimiser,
    stages: Option<StageHeads>,
    kept: Option<TextStates>,
    model: Option<Box<dyn Model>>,
    /// The exponential mean, which begins with 0.
    mean: f64,
    steps: Vec<RateStep>,
}

impl Test<'_> {
    /// Goes through the cases as often as necessary, and returns why the test ended.
    fn run(&mut self, cases: &Cases) -> Result<String, TrainError> {
        let (form, config) = (self.form, self.config);
        for epoch in 0.. {
            let before = self.steps.len();
            let items = training_items(cases, config, epoch, &CaseLosses::default());
            let mut unreadable = None;
            let end = with_batches(cases, form, &items, config.batch_size, |batches| {
                loop {
                    let mut group: Vec<Batch> = batches.iter().take(config.accumulate).collect();
                    if group.is_empty() {
                        return Ok(None);
                    }
                    let skipped = group.iter().find_map(|batch| batch.skipped.first().cloned());
                    unreadable = skipped.or_else(|| unreadable.take());
                    group.retain(|batch| batch.count > 0);
                    if group.is_empty() {
                        continue;
                    }
                    if let ControlFlow::Break(reason) = self.step(&group)? {
                        return Ok(Some(reason));
                    }
                }
            });
            match end {
                Ok(Some(reason)) => return Ok(reason),
                Err(error) => return Err(error),
                Ok(None) if self.steps.len() == before => {
                    let reason = unreadable.unwrap_or_default();
                    return Err(TrainError::NothingReadable { count: cases.len(), reason });
                }
                Ok(None) => {}
            }
        }
        Ok(String::new())
    }

    fn step(&mut self, group: &[Batch]) -> Result<ControlFlow<String>, TrainError> {
        if self.control.wait() == RunControl::Stop {
            return Ok(ControlFlow::Break("it was stopped".into()));
        }
        let number = self.steps.len();
        let rate = RATES[0] * (RATES[1] / RATES[0]).powf(number as f64 / (STEPS - 1) as f64);
        let seed = seed(&[self.config.seed, number as u64]);
        self.plain.seed(seed);
        let Some(model) = self.model.take() else { return Ok(ControlFlow::Break(String::new())) };
        let images: usize = group.iter().map(|batch| batch.count).sum();
        let (mut gradients, mut loss) = (GradientSum::default(), 0.0);
        for (number, batch) in group.iter().enumerate() {
            let pass = Pass {
                form: self.form,
                device: &self.device,
                terms: LossTerms::of(self.config),
                is_by_case: false,
                shards: self.shards.as_ref(),
                seed: seed.wrapping_add((number as u64) << 48),
            };
            let share = batch.count as f64 / images as f64;
            let passed = pass.run(model.as_ref(), batch, self.kept.as_mut(), self.stages.as_ref(), share);
            loss += passed.loss.into_data().iter::<f32>().next().map_or(f64::NAN, f64::from);
            gradients.merge(passed.gradients);
            if let (Some(stages), Some(gradients)) = (&mut self.stages, passed.stages) {
                stages.add(gradients);
            }
        }
        if !loss.is_finite() {
            return Ok(ControlFlow::Break(format!("the loss became NaN at a rate of {rate:.1e}")));
        }
        if self.config.clip_norm > 0.0 {
            gradients.clip(self.config.clip_norm);
        }
        self.model = Some(self.optimiser.step(model, gradients, rate));
        if let Some(stages) = &mut self.stages {
            stages.step(rate);
        }
        self.mean = SMOOTHING * self.mean + (1.0 - SMOOTHING) * loss;
        let smoothed = self.mean / (1.0 - SMOOTHING.powi(number as i32 + 1));
        let step = RateStep { rate, loss, smoothed };
        self.steps.push(step);
        (self.report)((step, STEPS));
        // The program may be ended at any time.
        write_table(self.config, self.control, &self.steps)?;
        Ok(match end_after(&self.steps) {
            Some(reason) => ControlFlow::Break(reason),
            None => ControlFlow::Continue(()),
        })
    }
}

/// Why no further step follows, if that is so.
fn end_after(steps: &[RateStep]) -> Option<String> {
    if steps.len() >= STEPS {
        return Some(format!("all {STEPS} steps are done"));
    }
    let (first, now) = (steps.get(FIRST)?, steps.last()?);
    let lowest = steps[FIRST..].iter().map(|step| step.smoothed).fold(f64::INFINITY, f64::min);
    let fall = (first.smoothed - lowest).max(RISE * lowest.abs());
    (now.smoothed > lowest + RISE * fall).then(|| format!("the loss rises at a rate of {:.1e}", now.rate))
}

/// The rate at which the smoothed loss falls fastest with the logarithm of the rate; `None` if it hardly falls.
fn suggestion(steps: &[RateStep]) -> Option<f64> {
    let usable = steps.get(FIRST..)?;
    let lowest = usable.iter().enumerate().min_by(|a, b| a.1.smoothed.total_cmp(&b.1.smoothed))?.0;
    let first = usable.first()?.smoothed;
    if first - usable[lowest].smoothed < LEAST_FALL * first.abs() {
        return None;
    }
    let slope = |at: usize| {
        let (from, to) = (at.saturating_sub(REACH), (at + REACH).min(usable.len() - 1));
        (usable[to].smoothed - usable[from].smoothed) / (usable[to].rate / usable[from].rate).ln()
    };
    let steepest = (0..=lowest).min_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
    Some(usable[steepest].rate)
}

/// Writes the steps so far, unless the test was given up.
fn write_table(config: &TrainConfig, control: &Control, steps: &[RateStep]) -> Result<(), TrainError> {
    let mut text = "step,lr,loss,smoothed_loss\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        text += &format!("{},{:e},{},{}\n", number + 1, step.rate, step.loss, step.smoothed);
    }
    let written = control.unless_abandoned(|| write::bytes(&config.out.join(TABLE), text.as_bytes()));
    Ok(written.unwrap_or(Ok(()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps whose smoothed loss is a function of the decimal logarithm of the rate.
    fn steps(count: usize, loss: impl Fn(f64) -> f64) -> Vec<RateStep> {
        (0..count)
            .map(|number| {
                let rate = RATES[0] * (RATES[1] / RATES[0]).powf(number as f64 / (STEPS - 1) as f64);
                RateStep { rate, loss: loss(rate.log10()), smoothed: loss(rate.log10()) }
            })
            .collect()
    }

    #[test]
    fn the_steepest_rate_is_suggested() {
        // A fall around 10⁻³, and a rise from 10⁻¹ on.
        let loss = |x: f64| 1.0 - 0.5 / (1.0 + (-4.0 * (x + 3.0)).exp()) + (x + 1.0).max(0.0);
        let rate = suggestion(&steps(STEPS, loss)).expect("a suggestion");
        assert!((6e-4..1.7e-3).contains(&rate), "{rate}");
        assert_eq!(suggestion(&steps(STEPS, |_| 1.0)), None, "a loss that does not fall");
        assert_eq!(suggestion(&steps(STEPS, |x| 8.0 + x)), None, "a loss that only rises");
        assert_eq!(suggestion(&steps(3, loss)), None, "too few steps");
    }

    #[test]
    fn the_test_ends_when_the_loss_rises_or_all_steps_are_done() {
        let loss = |x: f64| if x < -2.0 { 1.0 } else { 1.0 + 2.0 * (x + 2.0) };
        let end = (1..=STEPS).find(|count| end_after(&steps(*count, loss)).is_some()).expect("an end");
        let reached = steps(end, loss)[end - 1].rate;
        assert!((1e-2..1e-1).contains(&reached), "{reached}");
        assert!(end_after(&steps(end, loss)).is_some_and(|reason| reason.contains("rises")));
        assert!(end_after(&steps(STEPS, |_| 1.0)).is_some_and(|reason| reason.contains("all 100 steps")));
    }
}
