//! The interface of a network to the rest of the program.
//!
//! A network is a folder of `model/networks`: a configuration that implements [`Network`] and [`KeyTable`], a burn
//! module that implements [`Model`], and an [`Executor`] that computes one image at a time. Features that only
//! some networks have are optional capabilities: text ([`TextConditioned`]) and decoder stages ([`Inspectable`],
//! [`StagedExecutor`]).

use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use serde_json::{Map, Value};

use super::ablation::Ablation;
use super::config::{Axes, ConfigError};
use super::key_table::KeyTable;
use super::overrides::Overrides;
use super::parameters::Parameters;
use super::target::Target;
use super::trace::Trace;
use crate::input::InputForm;

/// The configuration of a network: everything that follows from its sizes, without weights. The values are checked
/// when the configuration is read ([`super::Registry`]).
pub trait Network: KeyTable + fmt::Debug + Send + Sync {
    /// The tag of the network in a bundle's `config.json`.
    fn name(&self) -> &'static str;

    /// The sizes as written to `config.json`, without the tag and without the entries that every bundle has.
    fn sizes(&self) -> Map<String, Value>;

    /// A short description of the sizes for messages.
    fn describe(&self) -> String;

    /// The side length of the square input in pixels.
    fn image_side(&self) -> usize;

    /// The same network for another side length of its input, with everything that follows from it.
    ///
    /// # Errors
    /// The network cannot have an input of this size.
    fn with_image_side(&self, side: usize) -> Result<Arc<dyn Network>, ConfigError>;

    /// The order of the axes if `config.json` does not give one.
    fn default_axes(&self) -> Axes {
        Axes::Yx
    }

    /// The form of images and masks if `config.json` does not give one.
    fn default_input(&self) -> InputForm {
        InputForm::default()
    }

    /// The limits of the text input; `None` for a network without text.
    fn text(&self) -> Option<TextInput> {
        None
    }

    /// Whether the network is prompted by a box, [`Inputs::boxes`] and [`Executor::encode_box`].
    fn takes_box(&self) -> bool {
        false
    }

    /// The vectors of words that the network reads; `None` for a network that reads none. A network that also has
    /// [`Self::text`] makes them of tokens itself.
    fn vectors(&self) -> Option<VectorInput> {
        None
    }

    /// The number of words of a prompt that the network reads, if it reads words and not pieces of them. Its
    /// [`Tokens::mask`] then says where words begin.
    fn word_limit(&self) -> Option<usize> {
        self.vectors().map(|vectors| vectors.words)
    }

    /// The decoder stages, coarse to fine; empty if there are none to inspect.
    fn stages(&self) -> Vec<StageShape> {
        Vec::new()
    }

    /// The cost of one image in training.
    fn cost(&self) -> Cost;

    /// Whether a batch may be divided among threads in training. The images of a batch must be independent of each
    /// other, except in the batch norm of [`super::blocks::conv_norm`], and no layer but
    /// [`super::layers::drop_out`] may draw random numbers.
    fn is_divisible(&self) -> bool {
        false
    }

    /// Builds a model with random weights, which are drawn when they are first read.
    ///
    /// # Errors
    /// No network can be built with these sizes.
    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError>;

    /// The configuration of the model that [`Inspectable::with_overrides`] creates; `None` if nothing can be
    /// overridden.
    fn with_overrides(&self, overrides: &Overrides) -> Option<Arc<dyn Network>> {
        let _ = overrides;
        None
    }

    /// The configuration of a variant for an ablation study. `clusters` are the groups of text layers for
    /// [`Ablation::Clustering`], the one with the lowest layers first; without them it has other groups of the same cost.
    ///
    /// # Errors
    /// The network has no such variant.
    fn ablation(
        &self,
        variant: Ablation,
        clusters: Option<Vec<Vec<usize>>>,
    ) -> Result<Arc<dyn Network>, ConfigError> {
        drop(clusters);
        let (network, variant) = (self.name(), variant.name());
        Err(ConfigError(format!(
            "the network {network} has no variant {variant}, because the variants are those of HiMix; choose an architecture of HiMix, or compare networks with himix ablate --networks"
        )))
    }
}

/// The limits of a network's text input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextInput {
    /// The maximum number of tokens of a prompt, including the special tokens.
    pub token_limit: usize,
    /// The number of vocabulary entries that the network has embeddings for.
    pub vocabulary_size: usize,
}

/// The vectors of words that a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorInput {
    /// The number of words.
    pub words: usize,
    /// The number of values of a word.
    pub size: usize,
}

/// The shape of a decoder stage's output, `[channels, 2 · grid, 2 · grid]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageShape {
    /// The side length of the stage's input grid, by which the stage is named.
    pub grid: usize,
    /// The number of channels of its output.
    pub channels: usize,
}

/// The cost of one image in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// The number of multiplications and additions of the forward pass.
    pub operations: f64,
    /// The number of values that a step keeps for the backward pass.
    pub kept: f64,
    /// The bytes of memory that the CPU takes for each of these values, measured on whole runs: less than four where the
    /// kernels of this program keep less than is counted, more where copies are kept, as of dropped attention weights.
    pub value_bytes: f64,
    /// The part of a text encoder, of which a frozen one keeps nothing and needs no gradients.
    pub text: TextCost,
}

/// The cost of a text encoder in training; zero for a network without text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextCost {
    /// The number of values in its parameters.
    pub parameters: f64,
    /// The number of values of one prompt that a step keeps for the backward pass.
    pub kept: f64,
}

/// The tokens of a batch of prompts.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The token ids, `[batch, tokens]`.
    pub ids: Tensor<2, Int>,
    /// 1 for a real token and 0 for padding, `[batch, tokens]`. For a network with [`Network::word_limit`], a token that
    /// continues the word of the one before it has 2.
    pub mask: Tensor<2, Int>,
}

/// The inputs of a model.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The images, `[batch, 3, side, side]`.
    pub image: Tensor<4>,
    /// The prompts. A network without text does not read them; for any other network they must be `Some`.
    pub tokens: Option<Tokens>,
    /// The boxes, `[batch, 4]` as (left, top, right, bottom) in pixels of the network's input. A network that takes no
    /// box does not read them; for any other network they must be `Some`.
    pub boxes: Option<Tensor<2>>,
    /// The vectors of the words of the prompts, `[batch, words, size]`, which a network with [`Network::vectors`] reads
    /// in place of tokens.
    pub vectors: Option<Tensor<3>>,
}

impl Inputs {
    /// Images `[batch, 3, side, side]` without a prompt.
    pub fn new(image: Tensor<4>) -> Self {
        Self { image, tokens: None, vectors: None, boxes: None }
    }

    /// The same images with these prompts.
    #[must_use]
    pub fn with_tokens(self, tokens: Option<Tokens>) -> Self {
        Self { tokens, ..self }
    }

    /// The same images with these boxes.
    #[must_use]
    pub fn with_boxes(self, boxes: Option<Tensor<2>>) -> Self {
        Self { boxes, ..self }
    }

    /// The same images with these vectors of words.
    #[must_use]
    pub fn with_vectors(self, vectors: Option<Tensor<3>>) -> Self {
        Self { vectors, ..self }
    }
}

/// A network with its weights, as published: it supports batches and gradients and can record every intermediate
/// tensor by name.
pub trait Model: Parameters + fmt::Debug + Send {
    /// Computes the logits, `[batch, 1, side, side]`.
    ///
    /// # Panics
    /// Panics if the network reads text and there are no tokens, or takes a box and there is none.
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4>;

    /// Prepares the network for the prediction of one image at a time. The executor takes over the weights; if
    /// the model is a clone of one that still exists, some of them are copied.
    ///
    /// What is computed once is computed where the model is. For a GPU it should be on the CPU, because a GPU would
    /// compile and tune kernels for shapes that never come again.
    fn prepare(self: Box<Self>, target: &Target) -> Box<dyn Executor>;

    /// Returns the model with a text encoder that is not trained, or the model unchanged if it has no text
    /// encoder.
    fn freeze_text(self: Box<Self>) -> Box<dyn Model>;

    /// The capabilities of a model that reads text; `None` for any other model.
    fn text_conditioned(&self) -> Option<&dyn TextConditioned> {
        None
    }

    /// The capabilities of a model with decoder stages; `None` for any other model.
    fn inspectable(&self) -> Option<&dyn Inspectable> {
        None
    }
}

/// A model whose text encoder can run separately, so that its outputs are computed only once per prompt while it
/// is frozen.
pub trait TextConditioned {
    /// The text encoder's outputs that the rest of the network may read: one tensor per layer, each
    /// `[batch, tokens, hidden]`.
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>>;

    /// Computes [`Model::forward`] from these outputs.
    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4>;
}

/// A model with decoder stages whose parameters can be overridden, and whose mask can be attributed to the outputs
/// of the stages.
pub trait Inspectable {
    /// The values with which the model runs.
    fn overrides(&self) -> Overrides;

    /// Returns a model with the same weights but other values, as described by [`Network::with_overrides`].
    /// `overrides` must be valid and match the shape of this network.
    fn with_overrides(&self, overrides: &Overrides) -> Box<dyn Model>;

    /// The decoder as a function of the stages' outputs. The model must be on an autodiff device.
    fn attributor(&self, overrides: &Overrides) -> Box<dyn Attributor>;
}

/// Differentiates the mask with respect to the outputs of the stages.
pub trait Attributor: fmt::Debug + Send {
    /// The gradient of the mean logit over the pixels where `chosen`, `[1, 1, side, side]`, is 1, with respect to
    /// the output of stage `stage` (coarse to fine).
    ///
    /// `output`, `features` and `text` are those of an [`Executor`], as `[positions, channels]`; the gradient has
    /// the shape of `output`.
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2>;
}

/// The values of an image that an executor keeps for further prompts. Their meaning is private to the network.
pub type Features = Vec<Tensor<2>>;

/// The values of a prompt that an executor keeps for further images: one tensor per text layer, each
/// `[1, tokens, hidden]`, or the tokens of a box; empty for a network without a prompt.
pub type TextStates = Vec<Tensor<3>>;

/// A network prepared for prediction: it computes the same values with fewer operations, for one image at a time
/// and without gradients.
pub trait Executor: fmt::Debug + Send {
    /// Maps an image `[1, 3, side, side]` to the values that do not depend on the prompt.
    fn encode_image(&self, image: Tensor<4>) -> Features;

    /// Maps one prompt to the values that do not depend on the image.
    fn encode_text(&self, tokens: Tokens) -> TextStates {
        drop(tokens);
        TextStates::new()
    }

    /// Maps a box, (left, top, right, bottom) in pixels of the network's input, to the values that do not depend on the
    /// image. They take the place of those of a text.
    fn encode_box(&self, corners: [f32; 4]) -> TextStates {
        let _ = corners;
        TextStates::new()
    }

    /// Maps the vectors of the words of one prompt, `[1, words, size]`, to the values that do not depend on the image.
    fn encode_vectors(&self, vectors: Tensor<3>) -> TextStates {
        drop(vectors);
        TextStates::new()
    }

    /// Combines both to logits `[1, 1, side, side]`.
    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4>;

    /// Another executor for another thread, with the same weights in the same memory and the same results to the
    /// last bit. `None` if the network cannot share its weights; sets are then processed one image at a time.
    fn share(&self) -> Option<Box<dyn Executor>> {
        None
    }

    /// The capabilities of a network with decoder stages; `None` for any other network.
    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        None
    }
}

/// The executor of a network with decoder stages.
pub trait StagedExecutor {
    /// The network's own values, without modifications.
    fn overrides(&self) -> &Overrides;

    /// Runs [`Executor::decode`] with `overrides` in place of the network's own values and also returns the
    /// outputs of the stages. `overrides` must be valid and match the shape of this network.
    fn decode_with(&mut self, features: &Features, text: &TextStates, overrides: &Overrides) -> Decoded;
}

/// The results of a decoder with stages. The tensors stay on their device and nothing is read back.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The logits, `[1, 1, side, side]`.
    pub logits: Tensor<4>,
    /// The stages, coarse to fine.
    pub stages: Vec<DecodedStage>,
}

/// The intermediate results of a stage.
#[derive(Clone, Debug)]
pub struct DecodedStage {
    /// The input of the stage, `[n², C]`.
    pub input: Tensor<2>,
    /// The output of its spectrum filter, `[n², C]`; `None` if no filter ran.
    pub filtered: Option<Tensor<2>>,
    /// The output of the stage, `[4n², channels]`.
    pub output: Tensor<2>,
}
