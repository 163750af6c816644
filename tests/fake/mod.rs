//! A model without weights: the left half of every image is lesion, and tokens are words.

// Each test uses a part of this.
#![allow(dead_code)]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use himix::data::Image;
use himix::device::DeviceChoice;
use himix::infer::{
    Attribution, DomainFigure, GroupOverrides, InferError, InspectOptions, Inspection, Milliseconds, ModelInfo,
    OpenModel, Overrides, Plane, Prediction, Segmenter, Spectra, StageOverrides, StageParameters, StageView,
    SuggestedThreshold, TokensRead, WarmUp, WarmUpProgress, Warmed,
};
use himix::text::prompt::{ReadWord, Reading};

/// Side of the fake model's input.
const SIDE: usize = 32;
/// Width of the images that the tests use.
pub const WIDTH: usize = 64;
/// Height of these images.
pub const HEIGHT: usize = 48;
/// Tokens that the fake model reads, including the two special ones.
const LIMIT: usize = 8;
/// Probability inside and outside the lesion.
const LESION: [f32; 2] = [0.9, 0.1];

/// The behaviour of the fake model, and the requests that it received.
#[derive(Clone, Default)]
pub struct FakeModel {
    /// Number of predictions.
    pub calls: Arc<AtomicU64>,
    /// The prompts.
    pub prompts: Arc<Mutex<Vec<String>>>,
    /// Duration of a prediction.
    pub takes: Duration,
    /// Whether it reports that it is untrained.
    pub is_untrained: bool,
    /// Whether its stages have masks.
    pub has_linear_probes: bool,
    /// Whether it refuses every mask, and with it every look at its stages.
    pub refuses_masks: bool,
    /// Whether it refuses to show its stages.
    pub refuses_stages: bool,
    /// Whether it reads no text and has no stages.
    pub is_plain: bool,
    /// Whether the sides that the prompt names are the lesion, and not always the left one.
    pub is_guided: bool,
    /// Whether several threads may use it at once.
    pub is_shared: bool,
    /// The threshold that it has for X-rays, of which every image is one.
    pub threshold: Option<f32>,
    /// The GPU that it can be made ready on.
    pub gpu: Option<Arc<SlowGpu>>,
    /// The GPU that it computes on.
    pub on_gpu: Option<Arc<SlowGpu>>,
    /// One reference for every model that exists.
    pub alive: Arc<()>,
}

/// How the warm-up of a [`SlowGpu`] ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The model is ready.
    #[default]
    Ready,
    /// The GPU is there, but computes other masks than the CPU.
    ReadyButWrong,
    /// There is no GPU, which nobody has to know.
    NoGpu,
    /// There is no GPU, which was asked for.
    NoGpuWithNotice,
    /// The GPU is found, and fails.
    Fails,
    /// The driver panics.
    Panics,
}

/// A GPU that is made ready in five steps, each of which waits until the test allows it.
#[derive(Default)]
pub struct SlowGpu {
    /// How the warm-up ends after its steps.
    pub ends: Ending,
    allowed: AtomicU64,
    /// Whether a warm-up is running, which is never true of two at a time.
    pub is_busy: AtomicBool,
    /// The number of warm-ups that were abandoned.
    pub abandoned: AtomicU64,
    /// One reference for every model on this GPU.
    pub alive: Arc<()>,
}

/// The number of steps of a [`SlowGpu`].
pub const STEPS: u64 = 5;

impl SlowGpu {
    pub fn new(ends: Ending) -> Arc<Self> {
        Arc::new(Self { ends, ..Self::default() })
    }

    /// Allows `steps` further steps.
    pub fn allow(&self, steps: u64) {
        self.allowed.fetch_add(steps, Ordering::SeqCst);
    }

    fn warm_up(self: Arc<Self>, model: FakeModel) -> WarmUp {
        Box::new(move |report| {
            if self.ends == Ending::NoGpu {
                return Ok(Warmed::NoGpu(None));
            }
            if self.ends == Ending::NoGpuWithNotice {
                return Ok(Warmed::NoGpu(Some("gpu is not to be had. The CPU is used.".into())));
            }
            assert!(!self.is_busy.swap(true, Ordering::SeqCst), "two warm-ups at a time");
            for step in 0..STEPS {
                let percent = (100 * step / STEPS) as u8;
                let progress = WarmUpProgress { device: "Fake GPU".into(), step: "preparing the fake", percent };
                if report(progress) == ControlFlow::Break(()) {
                    self.abandoned.fetch_add(1, Ordering::SeqCst);
                    self.is_busy.store(false, Ordering::SeqCst);
                    return Ok(Warmed::Abandoned);
                }
                while self.allowed.load(Ordering::SeqCst) == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                self.allowed.fetch_sub(1, Ordering::SeqCst);
            }
            self.is_busy.store(false, Ordering::SeqCst);
            match self.ends {
                Ending::Fails => Err("the device is lost".into()),
                Ending::Panics => panic!("the driver panics"),
                _ => {
                    let alive = self.alive.clone();
                    Ok(Warmed::Ready(Box::new(FakeModel { gpu: None, on_gpu: Some(self), alive, ..model })))
                }
            }
        })
    }
}

impl FakeModel {
    /// What the engine opens models with. A model named "missing" cannot be opened; one named "no-masks" or "no-stages" refuses those.
    pub fn opener(&self) -> OpenModel {
        let model = self.clone();
        Arc::new(move |source, _| match source.path().to_str() {
            Some("missing") => Err("missing: there is no such model; choose another".into()),
            Some("no-masks") => Ok(Box::new(Self { refuses_masks: true, ..model.clone() })),
            Some("no-stages") => Ok(Box::new(Self { refuses_stages: true, ..model.clone() })),
            _ => Ok(Box::new(model.clone())),
        })
    }

    fn device(&self) -> String {
        if self.on_gpu.is_some() { "Fake GPU".into() } else { "Test device".into() }
    }

    /// The newest prompt.
    pub fn last_prompt(&self) -> String {
        self.all_prompts().pop().unwrap_or_default()
    }

    /// All prompts.
    pub fn all_prompts(&self) -> Vec<String> {
        self.prompts.lock().map(|prompts| prompts.clone()).unwrap_or_default()
    }
}

impl Segmenter for FakeModel {
    fn info(&self) -> ModelInfo {
        ModelInfo {
            name: "fake".into(),
            is_trained: !self.is_untrained,
            provenance: "nothing at all".into(),
            token_limit: if self.is_plain { 0 } else { LIMIT },
            stages: if self.is_plain { Vec::new() } else { vec![7, 14, 28] },
            parameters: 1_234_567,
            device: self.device(),
            notices: Vec::new(),
            overrides: if self.is_plain { Overrides::default() } else { overrides() },
            linear_probes: self.has_linear_probes.then(|| "fitted on nothing".into()),
            ..ModelInfo::default()
        }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Ok(mut prompts) = self.prompts.lock() {
            prompts.push(prompt.to_owned());
        }
        std::thread::sleep(self.takes);
        if self.refuses_masks {
            return Err("this model makes no masks".into());
        }
        match prompt {
            "refuse" => return Err("the fake refuses".into()),
            "panic" => panic!("the fake panics"),
            "lose the device" if self.on_gpu.is_some() => panic!("the device is lost"),
            _ => {}
        }
        let is_wrong = self.on_gpu.as_ref().is_some_and(|gpu| gpu.ends == Ending::ReadyButWrong);
        let half = |width, height| {
            let mut plane = half(width, height);
            if self.is_guided {
                let named = ["left", "right"].map(|side| prompt.contains(side));
                for (at, value) in plane.values.iter_mut().enumerate() {
                    *value = LESION[usize::from(!named[usize::from(at % width >= width / 2)])];
                }
            }
            plane.values.iter_mut().filter(|_| is_wrong).for_each(|value| *value = 1.0 - *value);
            plane
        };
        let probability = half(image.width, image.height);
        let stage = |grid, sigma| StageParameters { grid, sigma: Some(sigma), layer_weights: Vec::new() };
        Ok(Prediction {
            // The model's input is a square.
            probability_model: half(SIDE, SIDE),
            parameters: vec![stage(7, 6.18), stage(14, 4.70), stage(28, 0.95)],
            tokens: tokens_read(prompt),
            milliseconds: Milliseconds { vision: 0.0, text: 3.0, decoder: 9.0, total: 12.0 },
            device: self.device(),
            // A prompt says what the picture is.
            domain: prompt.contains("photograph").then(|| DomainFigure {
                kind: "X-rays".into(),
                distance: 9.14,
                percentile: 99.7,
                is_unlike: true,
            }),
            threshold: self.threshold.map(|threshold| SuggestedThreshold { kind: "xray".into(), threshold }),
            ..Prediction::of_map(prompt, probability)
        })
    }

    /// The finer a stage, the darker it is; σ of the first stage moves the boundary of the lesion.
    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        if self.refuses_stages {
            return Err("this model shows no stages".into());
        }
        let mut prediction = self.predict(image, prompt)?;
        if let Some(sigma) = overrides.and_then(|overrides| overrides.stages[0].sigma) {
            let edge = ((sigma / 10.0).min(1.0) * image.width as f32) as usize;
            for (at, value) in prediction.probability.values.iter_mut().enumerate() {
                *value = LESION[usize::from(at % image.width >= edge)];
            }
            let model = &mut prediction.probability_model;
            for (at, value) in model.values.iter_mut().enumerate() {
                *value = LESION[usize::from(at % SIDE * image.width / SIDE >= edge)];
            }
        }
        let stage = |grid: usize| {
            let side = 2 * grid;
            let output: Vec<f32> = (0..2 * side * side).map(|at| (at % side) as f32 / grid as f32).collect();
            let linear_probe = self.has_linear_probes.then(|| half(side, side));
            let attribution = wanted
                .attribution
                .then(|| Attribution { map: half(side, side), contributions: vec![0.25, -0.75] });
            let spectra = wanted.spectra.then(|| Spectra { before: vec![4.0, 2.0], after: vec![5.0, 2.5] });
            StageView { grid, channels: 2, output, attribution, linear_probe, spectra }
        };
        let similarity = if wanted.similarity { vec![1.0, 0.5, 0.5, 1.0] } else { Vec::new() };
        Ok(Inspection { prediction, stages: [7, 14, 28].map(stage).into(), similarity, explained: 1 })
    }

    fn on_gpu(&self, choice: DeviceChoice) -> Option<WarmUp> {
        let gpu = self.gpu.clone().filter(|_| choice != DeviceChoice::Cpu)?;
        Some(gpu.warm_up(self.clone()))
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        self.is_shared.then(|| Box::new(self.clone()) as Box<dyn Segmenter>)
    }
}

/// Reads every word as one token; a word with a "q" is not understood.
fn tokens_read(prompt: &str) -> TokensRead {
    let words: Vec<String> = prompt.split_whitespace().map(str::to_owned).collect();
    let (read, dropped) = words.split_at(words.len().min(LIMIT - 2));
    let mut at = 0;
    let read_words = words.iter().enumerate().map(|(place, word)| {
        let from = at + prompt[at..].find(word.as_str()).unwrap_or(0);
        at = from + word.len();
        ReadWord {
            bytes: from..at,
            pieces: vec![word.clone()],
            is_mark: false,
            is_understood: !word.contains('q'),
            is_within_limit: place < LIMIT - 2,
        }
    });
    let reading = Reading { words: read_words.collect(), tokens: words.len() + 2, limit: LIMIT };
    TokensRead { read: read.to_vec(), dropped: dropped.to_vec(), limit: LIMIT, reading }
}

/// Returns the parameters that can be overridden.
fn overrides() -> Overrides {
    let stage = |grid| StageOverrides { grid, sigma: Some(5.0), is_filtered: true, betas: Some([1.0; 3]) };
    let group =
        |first| GroupOverrides { layers: vec![first, first + 1], alpha: Some(vec![1.0, 2.0]), is_used: true };
    Overrides { stages: [7, 14, 28].map(stage).into(), groups: [1, 3, 5].map(group).into(), order: vec![3, 2, 1] }
}

fn half(width: usize, height: usize) -> Plane {
    let values = (0..width * height).map(|index| LESION[usize::from(index % width >= width / 2)]).collect();
    Plane { width, height, values }
}
