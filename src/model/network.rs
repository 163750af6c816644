//! What a network is to the rest of the program.
//!
//! A network is one folder of `model/networks`: a configuration that implements [`Network`] and [`KeyTable`], a burn module that
//! implements [`Model`], and an [`Executor`] that computes one image at a time. What only some networks have is a capability
//! that is asked for and may be absent: text ([`TextConditioned`]) and decoder stages ([`Inspectable`], [`StagedExecutor`]).

use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use serde_json::{Map, Value};

use super::config::{Axes, ConfigError};
use super::key_table::KeyTable;
use super::overrides::Overrides;
use super::parameters::Parameters;
use super::trace::Trace;

/// The configuration of a network: everything that its sizes decide, without weights. Values are checked when the configuration
/// is read ([`super::Registry`]).
pub trait Network: KeyTable + fmt::Debug + Send + Sync {
    /// The tag by which a bundle's `config.json` names it.
    fn name(&self) -> &'static str;

    /// The sizes as they stand in `config.json`, without the tag and without what every bundle has.
    fn sizes(&self) -> Map<String, Value>;

    /// The sizes in a few words, for messages.
    fn describe(&self) -> String;

    /// Side of the square input, pixels.
    fn image_side(&self) -> usize;

    /// Order of the axes where `config.json` does not say one.
    fn default_axes(&self) -> Axes {
        Axes::Yx
    }

    /// What it reads of a prompt; `None` for a network without text.
    fn text(&self) -> Option<TextInput> {
        None
    }

    /// Its decoder stages, coarse to fine; empty where there are none to look at.
    fn stages(&self) -> Vec<StageShape> {
        Vec::new()
    }

    /// What one image costs in training.
    fn cost(&self) -> Cost;

    /// A model with random weights, which are drawn when they are first read.
    fn build(&self, device: &Device) -> Result<Box<dyn Model>, ConfigError>;

    /// The configuration of the model that [`Inspectable::with_overrides`] makes; `None` where nothing can be overridden.
    fn with_overrides(&self, overrides: &Overrides) -> Option<Arc<dyn Network>> {
        let _ = overrides;
        None
    }
}

/// What a network reads of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextInput {
    /// Tokens of a prompt, special ones included.
    pub token_limit: usize,
    /// Entries of the vocabulary that it has room for.
    pub vocabulary_size: usize,
}

/// The shape of a decoder stage's output, `[channels, 2 · grid, 2 · grid]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageShape {
    /// Side of the grid on which the stage works and by which it is named.
    pub grid: usize,
    /// Channels of its output.
    pub channels: usize,
}

/// What one image costs in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Multiplications and additions of the forward pass.
    pub operations: f64,
    /// Numbers that a step keeps for the backward pass.
    pub kept: f64,
}

/// Tokens of a batch of prompts.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Numbers, `[batch, tokens]`.
    pub ids: Tensor<2, Int>,
    /// 1 for a real token and 0 for padding, `[batch, tokens]`.
    pub mask: Tensor<2, Int>,
}

/// What a model is given.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `[batch, 3, side, side]`
    pub image: Tensor<4>,
    /// The prompts; not read by a network without text, `None` only for such a one.
    pub tokens: Option<Tokens>,
}

/// A network with its weights, as the publication has it: batches, gradients, and every intermediate tensor by its name.
pub trait Model: Parameters + fmt::Debug + Send {
    /// Logits, `[batch, 1, side, side]`.
    ///
    /// # Panics
    /// Where the network reads text and there are no tokens.
    fn forward(&self, inputs: Inputs, trace: &mut Trace) -> Tensor<4>;

    /// The same network made ready for one image at a time. Takes the weights over; where the model is a clone of one that lives
    /// on, some are copied.
    fn prepare(self: Box<Self>) -> Box<dyn Executor>;

    /// The same model with a text encoder that is not trained; itself where it has none.
    fn freeze_text(self: Box<Self>) -> Box<dyn Model>;

    /// What can be asked of a model that reads text; `None` for any other.
    fn text_conditioned(&self) -> Option<&dyn TextConditioned> {
        None
    }

    /// What can be asked of a model with decoder stages; `None` for any other.
    fn inspectable(&self) -> Option<&dyn Inspectable> {
        None
    }
}

/// A model whose text encoder can run by itself, so that its outputs are computed once for each prompt while it is frozen.
pub trait TextConditioned {
    /// What the rest of the network may read of the prompts, a tensor a layer, each `[batch, tokens, hidden]`.
    fn text_states(&self, tokens: Tokens, trace: &mut Trace) -> Vec<Tensor<3>>;

    /// [`Model::forward`] from these outputs on.
    fn forward_from(&self, image: Tensor<4>, states: &[Tensor<3>], trace: &mut Trace) -> Tensor<4>;
}

/// A model with decoder stages whose values can be overridden, and whose mask can be traced back to what the stages gave.
pub trait Inspectable {
    /// The values with which it runs.
    fn overrides(&self) -> Overrides;

    /// The same weights with other values, as [`Network::with_overrides`] describes them. `overrides` must be valid and of this
    /// network's shape.
    fn with_overrides(&self, overrides: &Overrides) -> Box<dyn Model>;

    /// The decoder as a function of the stages' outputs; the model must lie on a differentiating device.
    fn attributor(&self, overrides: &Overrides) -> Box<dyn Attributor>;
}

/// Differentiates the mask by what the stages gave.
pub trait Attributor: fmt::Debug + Send {
    /// The gradient, by the output of stage `stage` (coarse to fine), of the mean logit where `chosen`, `[1, 1, side, side]`, is 1.
    ///
    /// `output`, `features` and `text` are as an [`Executor`] gives them, `[positions, channels]`; the gradient has the shape of
    /// `output`.
    fn gradient(
        &self,
        stage: usize,
        output: &Tensor<2>,
        features: &Features,
        text: &TextStates,
        chosen: &Tensor<4>,
    ) -> Tensor<2>;
}

/// What an executor keeps of an image for further prompts. What the tensors are is the network's own affair.
pub type Features = Vec<Tensor<2>>;

/// What an executor keeps of a prompt for further images, a tensor a text layer, each `[1, tokens, hidden]`; empty for a network
/// without text.
pub type TextStates = Vec<Tensor<3>>;

/// A network made ready for prediction: the same numbers by fewer operations, one image at a time, without gradients.
pub trait Executor: fmt::Debug + Send {
    /// Image `[1, 3, side, side]` → what does not depend on the prompt.
    fn encode_image(&self, image: Tensor<4>) -> Features;

    /// One prompt → what does not depend on the image.
    fn encode_text(&self, tokens: Tokens) -> TextStates {
        drop(tokens);
        TextStates::new()
    }

    /// Both → logits `[1, 1, side, side]`.
    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4>;

    /// What can be asked of a network with decoder stages; `None` for any other.
    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        None
    }
}

/// The executor of a network with decoder stages.
pub trait StagedExecutor {
    /// The values with which it runs by itself.
    fn overrides(&self) -> &Overrides;

    /// As [`Executor::decode`] with `overrides` in place of its own values, and what the stages gave. `overrides` must be valid and
    /// of this network's shape.
    fn decode_with(&mut self, features: &Features, text: &TextStates, overrides: &Overrides) -> Decoded;
}

/// What a decoder with stages gives; the tensors are on their device and nothing is read back.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[1, 1, side, side]`
    pub logits: Tensor<4>,
    /// The stages, coarse to fine.
    pub stages: Vec<DecodedStage>,
}

/// What a stage gives.
#[derive(Clone, Debug)]
pub struct DecodedStage {
    /// What comes into the stage, `[n², C]`.
    pub input: Tensor<2>,
    /// What its spectrum filter makes of that, `[n², C]`; `None` where no filter ran.
    pub filtered: Option<Tensor<2>>,
    /// Its output, `[4n², channels]`.
    pub output: Tensor<2>,
}
