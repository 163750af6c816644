//! The steps of an epoch.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::gpu::{filled, give_way};
use super::{Outcome, Run};
use crate::model::Model;
use crate::train::batches::{Batch, training_items, with_batches};
use crate::train::cases::Cases;
use crate::train::control::RunControl;
use crate::train::error::TrainError;
use crate::train::event::Event;
use crate::train::loss::LossTerms;
use crate::train::pace::Pace;
use crate::train::pass::Pass;
use crate::train::schedule::rate_of_step;
use crate::train::step::GradientSum;

impl Run<'_> {
    /// Trains the remaining steps of epoch `number`, counted from 0.
    pub(super) fn epoch(&mut self, number: usize) -> Result<Outcome, TrainError> {
        let config = self.config;
        let items = training_items(&self.train, config, number, &self.progress.case_losses);
        let (pass, is_gpu) = (self.pass, self.is_gpu);
        let items = if is_gpu { filled(items, pass) } else { items };
        let group = config.batch_size * config.accumulate;
        let steps = items.len().div_ceil(group);
        let first = self.progress.step;
        let mut pace = Pace::new(config.epochs - number, steps);
        // The cases are moved out so that the batches can borrow them while the run itself is modified.
        let cases = std::mem::replace(&mut self.train, Cases::none());
        let form = self.form.clone();
        let rest = items.get(first * group..).unwrap_or_default();
        let outcome = with_batches(&cases, &form, rest, pass, |batches| {
            for step in first..steps {
                if self.wait() == RunControl::Stop {
                    return Ok(Outcome::Stopped);
                }
                let passes = (items.len() - step * group).min(group).div_ceil(pass);
                let waiting = Instant::now();
                let group: Vec<Batch> = batches.iter().take(passes).collect();
                pace.waited(waiting.elapsed());
                // With this seed, dropout draws the same numbers in this step wherever the run was resumed.
                let seed = seed(config.seed, number, step);
                self.plain.seed(seed);
                self.step(group, rate_of_step(config, number, step, steps), seed);
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
        if let (Ok(Outcome::Done), true, Some(reason)) =
            (&outcome, self.progress.losses.is_empty(), &self.unreadable)
        {
            return Err(TrainError::NothingReadable { count: self.train.len(), reason: reason.clone() });
        }
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
    fn step(&mut self, group: Vec<Batch>, rate: f64, seed: u64) {
        let images: usize = group.iter().map(|batch| batch.count).sum();
        for reason in group.iter().flat_map(|batch| &batch.skipped) {
            self.progress.skipped += 1;
            self.unreadable.get_or_insert_with(|| reason.clone());
            self.folder.log(&format!("skipped: {reason}"));
            (self.report)(Event::Warning(format!("skipped: {reason}")));
        }
        let Some(model) = self.model.take() else { return };
        if images == 0 {
            self.model = Some(model);
            return;
        }
        let mut gradients = GradientSum::default();
        let mut total: Option<Tensor<1>> = None;
        for (number, batch) in group.iter().enumerate().filter(|(_, batch)| batch.count > 0) {
            give_way(self.is_gpu, &self.device_name, &self.plain);
            let pass = Pass {
                form: &self.form,
                device: &self.device,
                terms: LossTerms::of(self.config),
                is_by_case: self.config.hard_examples > 0.0,
                shards: self.shards.as_ref(),
                seed: seed.wrapping_add((number as u64) << 48),
            };
            // Every image has the same weight, regardless of its pass.
            let share = batch.count as f64 / images as f64;
            let passed = pass.run(model.as_ref(), batch, self.kept.as_mut(), self.stages.as_ref(), share);
            self.progress.case_losses.note(&batch.cases, &passed.by_case);
            total = Some(match total {
                Some(sum) => sum + passed.loss,
                None => passed.loss,
            });
            gradients.merge(passed.gradients);
            if let (Some(stages), Some(gradients)) = (&mut self.stages, passed.stages) {
                stages.add(gradients);
            }
        }
        self.losses.add(total);
        self.update(model, gradients, rate);
        if self.is_gpu {
            // The card begins at once. An error shows when the losses are read.
            let _ = self.plain.flush();
        }
    }

    /// Changes the weights, their average and the heads of the stages by the gradients of a step.
    fn update(&mut self, model: Box<dyn Model>, mut gradients: GradientSum, rate: f64) {
        if self.config.clip_norm > 0.0 {
            gradients.clip(self.config.clip_norm);
        }
        let model = self.optimiser.step(model, gradients, rate);
        if let Some(stages) = &mut self.stages {
            stages.step(rate);
        }
        if let Some(average) = &mut self.average {
            average.add(model.as_ref());
        }
        self.model = Some(model);
    }

    /// Reads losses back (from a GPU only occasionally) and ends the run if one of them is not finite.
    pub(super) fn look_at_losses(&mut self, epoch: usize, is_last: bool) -> Result<(), TrainError> {
        for value in self.losses.read(is_last) {
            if !value.is_finite() {
                let error = TrainError::NotANumber { epoch: epoch + 1, step: self.progress.losses.len() + 1 };
                self.folder.log(&error.to_string());
                return Err(error);
            }
            self.progress.losses.push(value);
        }
        Ok(())
    }
}

/// A different seed for every step.
fn seed(seed: u64, epoch: usize, step: usize) -> u64 {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add((epoch as u64) << 32).wrapping_add(step as u64)
}
