//! The Bridger, in which the features of a stage and the text attend to each other.

use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::relu;
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};

use super::config::{MmiUnetConfig, NORM_EPS};
use crate::model::layers::{Attention, Conv2d, ConvShape, LayerNorm, Linear, Upsample2, drop_out};
use crate::model::trace::Trace;

/// The standard deviation of the initial weights of the linear layers.
const INIT_STD: f64 = 0.02;

fn dense(input: usize, output: usize, device: &Device) -> Linear {
    let mut linear = Linear::new(input, output, device);
    set_dense(&mut linear, device);
    linear
}

fn set_dense(linear: &mut Linear, device: &Device) {
    let [output, input] = linear.weight.lazy_shape().dims();
    linear.weight = Initializer::Normal { mean: 0.0, std: INIT_STD }.init([output, input], device);
    linear.bias = Initializer::Zeros.init([output], device);
}

/// Attention of one input to itself and to a memory, and a feed-forward network, each with a layer norm behind the
/// residual (post-norm).
#[derive(Module, Debug)]
pub struct Interactor {
    /// The self-attention.
    pub self_attn: Attention,
    /// The attention to the memory.
    pub multihead_attn: Attention,
    /// The first layer of the feed-forward network.
    pub linear1: Linear,
    /// The second layer of the feed-forward network.
    pub linear2: Linear,
    /// The layer norm after the self-attention.
    pub norm1: LayerNorm,
    /// The layer norm after the attention to the memory.
    pub norm2: LayerNorm,
    /// The layer norm after the feed-forward network.
    pub norm3: LayerNorm,
    dropout: Dropout,
}

/// The intermediate results of an [`Interactor`].
struct Interaction {
    after_self: Tensor<3>,
    after_cross: Tensor<3>,
    fused: Tensor<3>,
}

impl Interactor {
    fn new(channels: usize, config: &MmiUnetConfig, device: &Device) -> Self {
        let attention = || {
            let mut attention = Attention::new(channels, config.bridger.heads, device);
            set_dense(&mut attention.out_proj, device);
            attention
        };
        let norm = || LayerNorm::new(channels, NORM_EPS, device);
        Self {
            self_attn: attention(),
            multihead_attn: attention(),
            linear1: dense(channels, config.bridger.feed_forward, device),
            linear2: dense(config.bridger.feed_forward, channels, device),
            norm1: norm(),
            norm2: norm(),
            norm3: norm(),
            dropout: DropoutConfig::new(config.bridger.dropout).init(),
        }
    }

    /// Maps `[batch, n, C]` with the memory `[batch, m, C]` to `[batch, n, C]`.
    fn forward(&self, x: Tensor<3>, memory: Tensor<3>) -> Interaction {
        let dropped = |x: Tensor<3>| drop_out(&self.dropout, x);
        let mixed = self.self_attn.forward_dropping(x.clone(), x.clone(), x.clone(), &self.dropout);
        let after_self = self.norm1.forward(x + dropped(mixed));
        let mixed =
            self.multihead_attn.forward_dropping(after_self.clone(), memory.clone(), memory, &self.dropout);
        let after_cross = self.norm2.forward(after_self.clone() + dropped(mixed));
        let wide = dropped(relu(self.linear1.forward(after_cross.clone())));
        let fused = self.norm3.forward(after_cross.clone() + dropped(self.linear2.forward(wide)));
        Interaction { after_self, after_cross, fused }
    }
}

/// The Bridger of a stage of the encoder.
#[derive(Module, Debug)]
pub struct Bridger {
    /// Halves the grid of the features.
    pub zoom_in: Conv2d,
    /// The layer norm of the reduced features.
    pub ln_v: LayerNorm,
    /// The linear layer of the text, from hidden to C channels.
    pub linear1: Linear,
    /// The layer norm of the text.
    pub ln_t: LayerNorm,
    /// The interactor whose queries come from the image.
    pub fusion_v: Interactor,
    /// The interactor whose queries come from the text. That of the last stage is in the authors' files, but nothing reads
    /// what it returns.
    pub fusion_t: Interactor,
    /// Doubles the grid of the fused features.
    pub zoom_out: Upsample2,
    /// The linear layer of the fused text, from C to hidden channels.
    pub linear2: Linear,
}

impl Bridger {
    /// Creates the Bridger of stage `level` (fine to coarse).
    pub fn new(config: &MmiUnetConfig, level: usize, device: &Device) -> Self {
        let (channels, hidden) = (config.vision.hidden_sizes[level], config.text.hidden_size);
        let shape = ConvShape { input: channels, output: channels, kernel: 2, stride: 2, padding: 0, groups: 1 };
        // Kaiming's normal distribution of the fan-out.
        let kaiming = Initializer::Normal { mean: 0.0, std: (2.0 / (4 * channels) as f64).sqrt() };
        let mut zoom_in = Conv2d::new(shape, false, device);
        zoom_in.weight = kaiming.init([channels, channels, 2, 2], device);
        let mut zoom_out = Upsample2::new(channels, channels, false, device);
        zoom_out.weight = kaiming.init([channels, channels, 2, 2], device);
        Self {
            zoom_in,
            ln_v: LayerNorm::new(channels, NORM_EPS, device),
            linear1: dense(hidden, channels, device),
            ln_t: LayerNorm::new(channels, NORM_EPS, device),
            fusion_v: Interactor::new(channels, config, device),
            fusion_t: Interactor::new(channels, config, device),
            zoom_out,
            linear2: dense(channels, hidden, device),
        }
    }

    /// Maps the features of a stage, `[batch, C, n, n]`, and the text, `[batch, tokens, hidden]`, to the fused features
    /// and text of the same shapes. The text of the last stage is computed only if it is recorded.
    pub fn forward(
        &self,
        x: Tensor<4>,
        text: Tensor<3>,
        is_last: bool,
        name: &str,
        trace: &mut Trace,
    ) -> (Tensor<4>, Tensor<3>) {
        trace.record(format!("{name}.features"), &x);
        trace.record(format!("{name}.text_in"), &text);
        let reduced = self.zoom_in.forward(x.clone());
        trace.record(format!("{name}.zoomed_in"), &reduced);
        let [batch, channels, m, _] = reduced.dims();
        let v = self.ln_v.forward(reduced.reshape([batch, channels, m * m]).swap_dims(1, 2));
        trace.record(format!("{name}.visual_tokens"), &v);
        let u = self.ln_t.forward(self.linear1.forward(text.clone()));
        trace.record(format!("{name}.text_tokens"), &u);

        let Interaction { after_self, after_cross, fused } = self.fusion_v.forward(v.clone(), u.clone());
        trace.record(format!("{name}.visual_after_self"), &after_self);
        trace.record(format!("{name}.visual_after_cross"), &after_cross);
        trace.record(format!("{name}.visual_fused"), &fused);
        let enlarged = self.zoom_out.forward(fused.swap_dims(1, 2).reshape([batch, channels, m, m]));
        // The last row and column of an odd grid are no part of the reduced one.
        let rest = x.dims()[2] - 2 * m;
        let enlarged = match rest {
            0 => enlarged,
            rest => enlarged.pad([(0, 0), (0, 0), (0, rest), (0, rest)], PadMode::Constant(0.0)),
        };
        trace.record(format!("{name}.zoomed_out"), &enlarged);
        let features = x + enlarged;
        trace.record(format!("{name}.visual_out"), &features);

        if is_last && !trace.is_on() {
            return (features, text);
        }
        let fused = self.fusion_t.forward(u, v).fused;
        trace.record(format!("{name}.text_fused"), &fused);
        let text = text + self.linear2.forward(fused);
        trace.record(format!("{name}.text_out"), &text);
        (features, text)
    }
}
