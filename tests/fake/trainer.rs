//! A training run without a network: losses fall, masks grow, and it handles requests between two steps.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use himix::engine::run::{
    Cell, Control, Epoch, Estimate, Event, Interrupted, Plan, PreviewCase, Queue, QueueEvent, RunControl,
    StartScores, TrainConfig, WorkFault, Worker,
};
use himix::engine::{Trainer, TrainingJob};
use himix::infer::OpenModel;

/// Side of the preview images.
const SIDE: usize = 8;

/// The behaviour of the fake trainer, and the jobs that it received.
#[derive(Clone)]
pub struct FakeTrainer {
    /// Number of epochs.
    pub epochs: usize,
    /// Number of steps in an epoch.
    pub steps: usize,
    /// Duration of a step.
    pub step_takes: Duration,
    /// Fails after its first epoch with this message.
    pub fails: Option<&'static str>,
    /// Panics after its first step.
    pub panics: bool,
    /// Finished epochs of an interrupted run in a folder, if there is one.
    pub interrupted: Option<usize>,
    /// The scores of the weights that it starts from, if they are not random.
    pub start: Option<StartScores>,
    /// The jobs that it received.
    pub works: Arc<Mutex<Vec<TrainingJob>>>,
}

impl Default for FakeTrainer {
    fn default() -> Self {
        Self {
            epochs: 3,
            steps: 4,
            step_takes: Duration::from_millis(2),
            fails: None,
            panics: false,
            interrupted: None,
            start: None,
            works: Arc::default(),
        }
    }
}

impl FakeTrainer {
    /// Returns the jobs that it received, in order.
    pub fn works(&self) -> Vec<TrainingJob> {
        self.works.lock().map(|works| works.clone()).unwrap_or_default()
    }
}

impl Trainer for FakeTrainer {
    fn train(&self, work: &TrainingJob, control: &Control, report: &mut dyn FnMut(Event)) -> Result<(), String> {
        self.works.lock().map_err(|error| error.to_string())?.push(work.clone());
        let done = if matches!(work, TrainingJob::Resume(_)) { self.interrupted.unwrap_or(0) } else { 0 };
        let history: Vec<Epoch> = (1..=done).map(epoch).collect();
        report(Event::Preparing("looking through the data".into()));
        report(Event::Started {
            train: 1400,
            validation: 300,
            parameters: 1_700_000,
            history: history.clone(),
            epochs: self.epochs,
            device: "Test device".into(),
            cases: vec![case("left.png"), case("right.png")],
        });
        report(Event::Warning("one image was left out".into()));
        if let Some(start) = &self.start {
            report(Event::Preview { epoch: 0, masks: vec![mask(0), mask(0)] });
            report(Event::Start(start.clone()));
        }
        let mut best = history.last().cloned();
        for number in done + 1..=self.epochs {
            for step in 1..=self.steps {
                if self.waits_and_stops(control, report) {
                    let bundle = best.is_some().then(|| self.best(Path::new("run")));
                    let reason = "it was stopped, and can be resumed".into();
                    report(Event::Checkpoint);
                    report(Event::Finished { best, bundle, reason });
                    return Ok(());
                }
                std::thread::sleep(self.step_takes);
                let seconds_left = 60.0 * (self.epochs - number) as f64;
                let loss = Some(1.0 / (number as f32 + step as f32 / self.steps as f32));
                report(Event::Step { epoch: number, step, steps: self.steps, loss, seconds_left });
                assert!(!self.panics, "the fake panics");
            }
            best = Some(epoch(number));
            report(Event::Epoch(epoch(number)));
            report(Event::Preview { epoch: number, masks: vec![mask(number), mask(2 * number)] });
            report(Event::Checkpoint);
            if let Some(message) = self.fails {
                return Err(message.into());
            }
        }
        let bundle = Some(self.best(Path::new("run")));
        report(Event::Finished { best, bundle, reason: format!("all {} epochs are done", self.epochs) });
        Ok(())
    }

    fn check(&self, plan: &Plan) -> Result<(), String> {
        let is_boxed = plan.variants.iter().any(|variant| variant.name() == "medsam");
        if is_boxed { Err("medsam: the network takes a box".into()) } else { Ok(()) }
    }

    fn work(&self, queue: &Queue, _: &OpenModel, report: &mut dyn FnMut(QueueEvent)) -> Result<(), String> {
        queue.work(&FakeWorker(self), report).map_err(|error| error.to_string())
    }

    fn estimate(&self, config: &TrainConfig) -> Result<Estimate, String> {
        if config.data.iter().any(|folder| folder.ends_with("empty")) {
            return Err("empty: there are no images in this folder; choose another".into());
        }
        Ok(Estimate {
            train: 1400,
            validation: 300,
            parameters: 1_700_000,
            bytes: 1 << 30,
            seconds_per_epoch: 190.0,
            notes: vec!["2 masks are missing".into()],
        })
    }

    fn interrupted(&self, folder: &Path) -> Option<Interrupted> {
        let config = TrainConfig { out: folder.to_owned(), phantoms: 77, ..TrainConfig::default() };
        self.interrupted.map(|epoch| Interrupted { config, epoch })
    }

    fn best(&self, folder: &Path) -> PathBuf {
        folder.join("best")
    }
}

/// Trains the runs of a queue like single runs, and writes scores of two images.
struct FakeWorker<'a>(&'a FakeTrainer);

impl Worker for FakeWorker<'_> {
    fn devices(&self) -> usize {
        1
    }

    fn train(
        &self,
        _: usize,
        run: &Cell,
        control: &Control,
        report: &mut dyn FnMut(Event),
    ) -> Result<bool, WorkFault> {
        self.0.train(&TrainingJob::New(Box::new(run.config.clone())), control, report)?;
        Ok(control.command() != RunControl::Stop)
    }

    fn score(&self, _: usize, run: &Cell) -> Result<(), WorkFault> {
        let folder = &run.config.out;
        let found = if run.name.contains("full") { 8 } else { 6 };
        let mut text = "data,image,subject,prompt,dice_per_image,iou_per_image,true_positive,false_positive,false_negative,true_negative\n".to_owned();
        for image in ["a.png", "b.png"] {
            text += &format!("1,{image},{image},left,0,0,{found},2,3,50\n");
        }
        let written =
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join("cases.csv"), text));
        written.map_err(|error| WorkFault::from(error.to_string()))
    }

    fn has_scores(&self, run: &Cell) -> bool {
        run.config.out.join("cases.csv").is_file()
    }
}

impl FakeTrainer {
    /// Waits while the run is paused; returns whether it must stop.
    fn waits_and_stops(&self, control: &Control, report: &mut dyn FnMut(Event)) -> bool {
        if control.command() == RunControl::Pause {
            report(Event::Paused);
            while control.command() == RunControl::Pause {
                std::thread::sleep(Duration::from_millis(1));
            }
            report(Event::Continued);
        }
        control.command() == RunControl::Stop
    }
}

/// Returns the numbers of an epoch: losses fall, scores rise.
fn epoch(number: usize) -> Epoch {
    let share = 1.0 - 1.0 / (number as f64 + 1.0);
    let weights = |first: usize| (first..first + 4).map(|layer| (layer, 0.1 * layer as f32)).collect();
    Epoch {
        number,
        train_loss: 1.0 - 0.5 * share,
        validation_loss: 1.0 - 0.4 * share,
        pooled_dice: share,
        pooled_iou: 0.9 * share,
        per_image_dice: 0.8 * share,
        per_image_iou: 0.7 * share,
        learning_rate: 1e-3 / number as f64,
        sigma: vec![Some(6.18), Some(4.7), None],
        layer_weights: vec![weights(9), weights(5), weights(1)],
        images: 1400,
        skipped: 1,
        seconds: 190.0,
        waiting: 0.01,
        is_best: true,
        ..Epoch::default()
    }
}

/// Makes a grey image whose left half is lesion.
fn case(name: &str) -> Arc<PreviewCase> {
    let truth = (0..SIDE * SIDE).map(|index| u8::from(index % SIDE < SIDE / 2)).collect();
    Arc::new(PreviewCase {
        name: name.into(),
        prompt: "left lung".into(),
        side: SIDE,
        rgb: vec![90; 3 * SIDE * SIDE],
        truth,
    })
}

/// Makes a mask of so many columns.
fn mask(columns: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|index| if index % SIDE < columns { 255 } else { 0 }).collect()
}
