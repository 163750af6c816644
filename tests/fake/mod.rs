//! A model without weights: the left half of every image is lesion, tokens are words.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use himix::data::Image;
use himix::engine::{OpenModel, Segmenter};
use himix::infer::{Milliseconds, ModelInfo, Plane, Prediction, StageParameters, TokensRead};

/// Width of the images that the tests use.
pub const WIDTH: usize = 64;
/// Their height.
pub const HEIGHT: usize = 48;
/// Tokens that the fake takes, the two special ones included.
const LIMIT: usize = 8;
/// Probability in the lesion and outside.
const LESION: [f32; 2] = [0.9, 0.1];

/// How the fake behaves, and what it was asked.
#[derive(Clone, Default)]
pub struct FakeModel {
    /// How often a mask was asked for.
    pub calls: Arc<AtomicU64>,
    /// The sentences.
    pub prompts: Arc<Mutex<Vec<String>>>,
    /// How long a mask takes.
    pub takes: Duration,
    /// Whether it says of itself that it is untrained.
    pub is_untrained: bool,
}

impl FakeModel {
    /// What the engine opens models with.
    pub fn opener(&self) -> OpenModel {
        let model = self.clone();
        Arc::new(move |_, _| Ok(Box::new(model.clone())))
    }

    /// The newest sentence.
    pub fn last_prompt(&self) -> String {
        self.all_prompts().pop().unwrap_or_default()
    }

    /// All sentences.
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
            token_limit: LIMIT,
            parameters: 1_234_567,
            device: "Test device".into(),
            notices: Vec::new(),
            ..ModelInfo::default()
        }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, String> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Ok(mut prompts) = self.prompts.lock() {
            prompts.push(prompt.to_owned());
        }
        std::thread::sleep(self.takes);
        match prompt {
            "refuse" => return Err("the fake refuses".into()),
            "panic" => panic!("the fake panics"),
            _ => {}
        }
        let words: Vec<String> = prompt.split_whitespace().map(str::to_owned).collect();
        let read = words.len().min(LIMIT - 2);
        let probability = half(image.width, image.height);
        let stage = |grid, sigma| StageParameters { grid, sigma: Some(sigma), layer_weights: Vec::new() };
        Ok(Prediction {
            prompt: prompt.to_owned(),
            probability_model: probability.clone(),
            probability,
            stages: Vec::new(),
            parameters: vec![stage(7, 6.18), stage(14, 4.70), stage(28, 0.95)],
            tokens: TokensRead { read: words[..read].to_vec(), dropped: words[read..].to_vec(), limit: LIMIT },
            milliseconds: Milliseconds { vision: 0.0, text: 3.0, decoder: 9.0, total: 12.0 },
            device: "Test device".into(),
        })
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }
}

fn half(width: usize, height: usize) -> Plane {
    let values = (0..width * height).map(|index| LESION[usize::from(index % width >= width / 2)]).collect();
    Plane { width, height, values }
}
