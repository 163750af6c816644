//! The mask decoder of SAM: tokens and image attend to each other, and a token becomes the weights of a mask.

use burn::module::{Initializer, Module};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::config::MedSamConfig;
use super::image_encoder::Mlp;
use crate::model::blocks::text_encoder::Table;
use crate::model::layers::{LayerNorm, Linear, Upsample2, attend, gelu, to_channels_first, to_channels_last};
use crate::model::trace::Trace;

/// An attention whose projections may be narrower than its input.
#[derive(Module, Debug)]
pub struct Attention {
    /// The projection of the query.
    pub q_proj: Linear,
    /// The projection of the key.
    pub k_proj: Linear,
    /// The projection of the value.
    pub v_proj: Linear,
    /// The projection of the output.
    pub out_proj: Linear,
    heads: usize,
}

impl Attention {
    fn new(channels: usize, narrow: usize, heads: usize, device: &Device) -> Self {
        Self {
            q_proj: Linear::new(channels, narrow, device),
            k_proj: Linear::new(channels, narrow, device),
            v_proj: Linear::new(channels, narrow, device),
            out_proj: Linear::new(narrow, channels, device),
            heads,
        }
    }

    /// The number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Maps query `[batch, n, channels]`, key and value `[batch, m, channels]` to `[batch, n, channels]`.
    fn forward(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> Tensor<3> {
        let (query, key) = (self.q_proj.forward(query), self.k_proj.forward(key));
        self.out_proj.forward(attend(query, key, self.v_proj.forward(value), self.heads, None))
    }
}

/// A layer in which tokens attend to each other and to the image, and the image to the tokens.
#[derive(Module, Debug)]
pub struct TwoWayLayer {
    /// The attention of the tokens to each other.
    pub self_attn: Attention,
    /// The norm after it.
    pub norm1: LayerNorm,
    /// The attention of the tokens to the image.
    pub cross_attn_token_to_image: Attention,
    /// The norm after it.
    pub norm2: LayerNorm,
    /// The MLP of the tokens, with a ReLU.
    pub mlp: Mlp,
    /// The norm after it.
    pub norm3: LayerNorm,
    /// The norm after the attention of the image.
    pub norm4: LayerNorm,
    /// The attention of the image to the tokens.
    pub cross_attn_image_to_token: Attention,
}

/// Tokens and image, `[batch, n, channels]` each.
#[derive(Clone, Debug)]
pub struct TwoWay {
    /// The tokens.
    pub tokens: Tensor<3>,
    /// The image, by positions.
    pub image: Tensor<3>,
}

impl TwoWayLayer {
    fn new(config: &MedSamConfig, device: &Device) -> Self {
        let sizes = &config.mask_decoder;
        let (channels, narrow) = (sizes.dim, config.narrow());
        let norm = || LayerNorm::new(channels, sizes.layer_norm_eps, device);
        let cross = || Attention::new(channels, narrow, sizes.heads, device);
        Self {
            self_attn: Attention::new(channels, channels, sizes.heads, device),
            norm1: norm(),
            cross_attn_token_to_image: cross(),
            norm2: norm(),
            mlp: Mlp {
                lin1: Linear::new(channels, sizes.mlp_size, device),
                lin2: Linear::new(sizes.mlp_size, channels, device),
            },
            norm3: norm(),
            norm4: norm(),
            cross_attn_image_to_token: cross(),
        }
    }

    /// `prompts` are the tokens before the first layer, which are added to queries and keys again in every layer;
    /// `positions`, `[1, n², channels]`, to those of the image.
    fn forward(&self, x: TwoWay, prompts: &Tensor<3>, positions: &Tensor<3>, is_first: bool) -> TwoWay {
        let TwoWay { tokens, image } = x;
        // The output of the first attention takes the place of the tokens.
        let tokens = if is_first {
            self.self_attn.forward(tokens.clone(), tokens.clone(), tokens)
        } else {
            let placed = tokens.clone() + prompts.clone();
            tokens.clone() + self.self_attn.forward(placed.clone(), placed, tokens)
        };
        let tokens = self.norm1.forward(tokens);
        let key = image.clone() + positions.clone();
        let query = tokens.clone() + prompts.clone();
        let tokens = tokens + self.cross_attn_token_to_image.forward(query, key.clone(), image.clone());
        let tokens = self.norm2.forward(tokens);
        let wide = relu(self.mlp.lin1.forward(tokens.clone()));
        let tokens = self.norm3.forward(tokens + self.mlp.lin2.forward(wide));
        let placed = tokens.clone() + prompts.clone();
        let image = image + self.cross_attn_image_to_token.forward(key, placed, tokens.clone());
        TwoWay { tokens, image: self.norm4.forward(image) }
    }
}

/// The layers of the decoder.
#[derive(Module, Debug)]
pub struct Transformer {
    /// The two-way layers.
    pub layers: Vec<TwoWayLayer>,
    /// The last attention of the tokens to the image.
    pub final_attn_token_to_image: Attention,
    /// The norm after it.
    pub norm_final_attn: LayerNorm,
}

/// The enlargement of the image, four times in each direction.
#[derive(Module, Debug)]
pub struct Upscaling {
    /// The first transposed convolution.
    pub first: Upsample2,
    /// The norm over the channels after it.
    pub norm: LayerNorm,
    /// The second transposed convolution.
    pub second: Upsample2,
}

/// Linear layers with a ReLU between them.
#[derive(Module, Debug)]
pub struct Chain {
    /// The layers.
    pub layers: Vec<Linear>,
}

impl Chain {
    /// Creates `count` layers, all but the last `hidden` wide.
    fn new([input, hidden, output]: [usize; 3], count: usize, device: &Device) -> Self {
        let width = |index: usize| if index == count { output } else { hidden };
        let layer = |index: usize| Linear::new(if index == 0 { input } else { hidden }, width(index + 1), device);
        Self { layers: (0..count).map(layer).collect() }
    }

    /// Maps `[.., input]` to `[.., output]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let Some((last, others)) = self.layers.split_last() else { return x };
        last.forward(others.iter().fold(x, |x, layer| relu(layer.forward(x))))
    }
}

/// The number of layers of the MLP that turns a token into the weights of a mask.
const HYPERNETWORK_DEPTH: usize = 3;

/// The mask decoder.
#[derive(Module, Debug)]
pub struct MaskDecoder {
    /// The layers.
    pub transformer: Transformer,
    /// The token of the IoU's estimate.
    pub iou_token: Table,
    /// The tokens of the masks.
    pub mask_tokens: Table,
    /// The enlargement of the image.
    pub output_upscaling: Upscaling,
    /// The MLPs that turn the tokens into weights of masks.
    pub output_hypernetworks_mlps: Vec<Chain>,
    /// The estimate of the masks' IoU, which does not influence the masks.
    pub iou_prediction_head: Chain,
}

impl MaskDecoder {
    /// Creates a decoder with random weights.
    pub fn new(config: &MedSamConfig, device: &Device) -> Self {
        let sizes = &config.mask_decoder;
        let dim = sizes.dim;
        let normal = Initializer::Normal { mean: 0.0, std: 1.0 };
        Self {
            transformer: Transformer {
                layers: (0..sizes.depth).map(|_| TwoWayLayer::new(config, device)).collect(),
                final_attn_token_to_image: Attention::new(dim, config.narrow(), sizes.heads, device),
                norm_final_attn: LayerNorm::new(dim, sizes.layer_norm_eps, device),
            },
            iou_token: Table { weight: normal.init([1, dim], device) },
            mask_tokens: Table { weight: normal.init([sizes.masks, dim], device) },
            output_upscaling: Upscaling {
                first: Upsample2::new(dim, dim / 4, true, device),
                norm: LayerNorm::new(dim / 4, sizes.channel_norm_eps, device),
                second: Upsample2::new(dim / 4, dim / 8, true, device),
            },
            output_hypernetworks_mlps: (0..sizes.masks)
                .map(|_| Chain::new([dim, dim, dim / 8], HYPERNETWORK_DEPTH, device))
                .collect(),
            iou_prediction_head: Chain::new([dim, sizes.iou_hidden, sizes.masks], sizes.iou_depth, device),
        }
    }

    /// The tokens before those of the prompt, `[1 + masks, channels]`.
    pub fn own_tokens(&self) -> Tensor<2> {
        Tensor::cat(vec![self.iou_token.weight.val(), self.mask_tokens.weight.val()], 0)
    }

    /// Maps the image with the embedding of a mask, `[batch, channels, n, n]`, the positions of the grid, `[n²,
    /// channels]`, and the tokens of the prompt, `[batch, m, channels]`, to logits, `[batch, 1, 4n, 4n]`.
    pub fn forward(
        &self,
        image: Tensor<4>,
        positions: Tensor<2>,
        prompt: Tensor<3>,
        trace: &mut Trace,
    ) -> Tensor<4> {
        let [batch, channels, grid, _] = image.dims();
        let own = self.own_tokens();
        let [count, _] = own.dims();
        let prompts = Tensor::cat(vec![own.unsqueeze::<3>().expand([batch, count, channels]), prompt], 1);
        let positions = positions.unsqueeze::<3>();
        let image = to_channels_last(image).reshape([batch, grid * grid, channels]);
        let mut x = TwoWay { tokens: prompts.clone(), image };
        for (index, layer) in self.transformer.layers.iter().enumerate() {
            x = layer.forward(x, &prompts, &positions, index == 0);
            trace.record(format!("decoder{index}.tokens"), &x.tokens);
            trace.record(format!("decoder{index}.image"), &x.image);
        }
        let TwoWay { tokens, image } = x;
        let (query, key) = (tokens.clone() + prompts, image.clone() + positions);
        let attended = self.transformer.final_attn_token_to_image.forward(query, key, image.clone());
        let tokens = self.transformer.norm_final_attn.forward(tokens + attended);
        trace.record("decoder.tokens", &tokens);

        let planes = to_channels_first(image.reshape([batch, grid, grid, channels]));
        let up = &self.output_upscaling;
        let enlarged = up.norm.forward(to_channels_last(up.first.forward(planes)));
        let enlarged = gelu(up.second.forward(to_channels_first(gelu(enlarged))));
        trace.record("decoder.upscaled", &enlarged);

        let token = |index: usize| tokens.clone().narrow(1, index, 1).squeeze_dim::<2>(1);
        if trace.is_on() {
            for (index, chain) in self.output_hypernetworks_mlps.iter().enumerate().skip(1) {
                trace.record(format!("decoder.mask_weights.{index}"), &chain.forward(token(1 + index)));
            }
            trace.record("iou.all", &self.iou_prediction_head.forward(token(0)));
        }
        let weights = self.output_hypernetworks_mlps[0].forward(token(1));
        trace.record("decoder.mask_weights.0", &weights);
        let [_, depth, side, _] = enlarged.dims();
        let logits = weights.unsqueeze_dim::<3>(1).matmul(enlarged.reshape([batch, depth, side * side]));
        logits.reshape([batch, 1, side, side])
    }
}
