//! The mask decoder, for one image and one box at a time.

use burn::tensor::{Tensor, TensorData};

use super::super::config::MedSamConfig;
use super::super::mask_decoder::{Attention, Chain, MaskDecoder, TwoWayLayer};
use super::super::positions::linear_matrix;
use crate::model::Target;
use crate::model::cpu::Activation;
use crate::model::layers::{attend, gelu};
use crate::model::network::{Features, TextStates};
use crate::model::prepared::{Affine, PreparedNorm};
use crate::model::remote::permuted;

/// The mask decoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedDecoder {
    /// The tokens before those of the prompt, `[1 + masks, channels]`.
    own: Tensor<2>,
    /// The positions of the grid, `[n², channels]`.
    positions: Tensor<2>,
    layers: Vec<PreparedLayer>,
    last: PreparedAttention,
    last_norm: PreparedNorm,
    first: Affine,
    norm: PreparedNorm,
    second: Affine,
    chain: Vec<Affine>,
    grid: usize,
    /// The matrix that enlarges an axis of the logits, `[side, 4n]`.
    enlarging: Tensor<2>,
}

/// An attention, prepared for prediction.
#[derive(Debug)]
struct PreparedAttention {
    query: Affine,
    key: Affine,
    value: Affine,
    out: Affine,
    heads: usize,
}

impl PreparedAttention {
    fn of(attention: Attention, target: &Target) -> Self {
        let heads = attention.heads();
        Self {
            query: Affine::of(attention.q_proj, target),
            key: Affine::of(attention.k_proj, target),
            value: Affine::of(attention.v_proj, target),
            out: Affine::of(attention.out_proj, target),
            heads,
        }
    }

    /// Mixes projected vectors and adds the projected result to `residual`.
    fn mix(&self, [query, key, value]: [Tensor<2>; 3], residual: Option<Tensor<2>>) -> Tensor<2> {
        let mixed = attend(query.unsqueeze(), key.unsqueeze(), value.unsqueeze(), self.heads, None).squeeze_dim(0);
        match residual {
            Some(residual) => self.out.forward_onto(mixed, residual),
            None => self.out.forward(mixed, Activation::None),
        }
    }
}

fn plain(affine: &Affine, x: Tensor<2>) -> Tensor<2> {
    affine.forward(x, Activation::None)
}

/// What a layer projects of the image: keys and values for the tokens, queries to the tokens.
#[derive(Debug)]
struct Projected {
    key: Tensor<2>,
    value: Tensor<2>,
    query: Tensor<2>,
}

/// A two-way layer, prepared for prediction.
#[derive(Debug)]
struct PreparedLayer {
    own: PreparedAttention,
    norm1: PreparedNorm,
    to_image: PreparedAttention,
    norm2: PreparedNorm,
    wide: Affine,
    narrow: Affine,
    norm3: PreparedNorm,
    norm4: PreparedNorm,
    to_tokens: PreparedAttention,
}

impl PreparedLayer {
    fn of(layer: TwoWayLayer, target: &Target) -> Self {
        Self {
            own: PreparedAttention::of(layer.self_attn, target),
            norm1: PreparedNorm::of(layer.norm1, target),
            to_image: PreparedAttention::of(layer.cross_attn_token_to_image, target),
            norm2: PreparedNorm::of(layer.norm2, target),
            wide: Affine::of(layer.mlp.lin1, target),
            narrow: Affine::of(layer.mlp.lin2, target),
            norm3: PreparedNorm::of(layer.norm3, target),
            norm4: PreparedNorm::of(layer.norm4, target),
            to_tokens: PreparedAttention::of(layer.cross_attn_image_to_token, target),
        }
    }

    fn project(&self, image: &Tensor<2>, positions: &Tensor<2>) -> Projected {
        let placed = image.clone() + positions.clone();
        Projected {
            key: plain(&self.to_image.key, placed.clone()),
            value: plain(&self.to_image.value, image.clone()),
            query: plain(&self.to_tokens.query, placed),
        }
    }

    fn forward(
        &self,
        tokens: Tensor<2>,
        image: Tensor<2>,
        projected: Projected,
        prompts: &Tensor<2>,
        is_first: bool,
    ) -> (Tensor<2>, Tensor<2>) {
        let placed = if is_first { tokens.clone() } else { tokens.clone() + prompts.clone() };
        let own = [
            plain(&self.own.query, placed.clone()),
            plain(&self.own.key, placed),
            plain(&self.own.value, tokens.clone()),
        ];
        let tokens = self.norm1.forward(self.own.mix(own, (!is_first).then_some(tokens)), None);

        let query = plain(&self.to_image.query, tokens.clone() + prompts.clone());
        let tokens = self.to_image.mix([query, projected.key, projected.value], Some(tokens));
        let (tokens, operand) = self.norm2.forward_twice(tokens, None);

        let wide = self.wide.forward_to_product(operand, Activation::Relu);
        let tokens = self.norm3.forward(self.narrow.forward_onto(wide, tokens), None);

        let key = plain(&self.to_tokens.key, tokens.clone() + prompts.clone());
        let value = plain(&self.to_tokens.value, tokens.clone());
        let image = self.to_tokens.mix([projected.query, key, value], Some(image));
        (tokens, self.norm4.forward(image, None))
    }
}

impl PreparedDecoder {
    /// Takes over the weights for `device`. `positions`, `[n², channels]`, are those of the grid.
    pub fn of(decoder: MaskDecoder, config: &MedSamConfig, positions: Tensor<2>, target: &Target) -> Self {
        let own = decoder.own_tokens().to_device(&target.device);
        let (transformer, up) = (decoder.transformer, decoder.output_upscaling);
        let chain = decoder.output_hypernetworks_mlps.into_iter().next().map(|Chain { layers }| layers);
        let (side, low) = (config.image_size, config.low_side());
        Self {
            own,
            positions: positions.to_device(&target.device),
            layers: transformer.layers.into_iter().map(|layer| PreparedLayer::of(layer, target)).collect(),
            last: PreparedAttention::of(transformer.final_attn_token_to_image, target),
            last_norm: PreparedNorm::of(transformer.norm_final_attn, target),
            first: Affine::of_raise(up.first, target),
            norm: PreparedNorm::of(up.norm, target),
            second: Affine::of_raise(up.second, target),
            chain: chain.unwrap_or_default().into_iter().map(|layer| Affine::of(layer, target)).collect(),
            grid: config.grid(),
            enlarging: Tensor::from_data(TensorData::new(linear_matrix(low, side), [side, low]), &target.device),
        }
    }

    /// What is kept of an image: its embedding, `[n², channels]`, and what the first layer projects of it.
    pub fn begin(&self, image: Tensor<2>) -> Features {
        let Some(first) = self.layers.first() else { return vec![image] };
        let Projected { key, value, query } = first.project(&image, &self.positions);
        vec![image, key, value, query]
    }

    /// Maps an image and the tokens of a box to logits, `[1, 1, 4n, 4n]`.
    pub fn low_resolution(&self, features: &Features, prompt: &TextStates) -> Tensor<4> {
        let prompts = prompt.iter().map(|tokens| tokens.clone().squeeze_dim::<2>(0));
        let prompts = Tensor::cat(std::iter::once(self.own.clone()).chain(prompts).collect(), 0);
        let (mut tokens, mut image) = (prompts.clone(), features[0].clone());
        for (index, layer) in self.layers.iter().enumerate() {
            let projected = match (index, &features[1..]) {
                (0, [key, value, query]) => {
                    Projected { key: key.clone(), value: value.clone(), query: query.clone() }
                }
                _ => layer.project(&image, &self.positions),
            };
            (tokens, image) = layer.forward(tokens, image, projected, &prompts, index == 0);
        }
        let last = &self.last;
        let query = plain(&last.query, tokens.clone() + prompts);
        let key = plain(&last.key, image.clone() + self.positions.clone());
        let mixed = last.mix([query, key, plain(&last.value, image.clone())], Some(tokens));
        let tokens = self.last_norm.forward(mixed, None);

        let n = self.grid;
        // The pixels of a position stay together until the logits, which are few, are put in order.
        let four = 4;
        let raised = self.first.forward(image, Activation::None);
        let [_, wide] = raised.dims();
        let raised = gelu(self.norm.forward(raised.reshape([n * n * four, wide / four]), None));
        let raised = self.second.forward(raised, Activation::Gelu);
        let [_, wide] = raised.dims();
        let pixels = raised.reshape([n * n * four * four, wide / four]);
        let mut weights = tokens.narrow(0, 1, 1);
        for (index, layer) in self.chain.iter().enumerate() {
            let activation = if index + 1 < self.chain.len() { Activation::Relu } else { Activation::None };
            weights = layer.forward(weights, activation);
        }
        let logits = pixels.matmul(weights.transpose());
        // By row, column, and their halves of either enlargement.
        let logits = permuted(logits.reshape([n, n, 2, 2, 2, 2]), [0, 2, 4, 1, 3, 5]);
        logits.reshape([1, 1, 4 * n, 4 * n])
    }

    /// Enlarges logits `[1, 1, 4n, 4n]` to the size of the input.
    pub fn enlarge(&self, logits: Tensor<4>) -> Tensor<4> {
        let [_, _, low, _] = logits.dims();
        let [side, _] = self.enlarging.dims();
        let wide = logits.reshape([low, low]).matmul(self.enlarging.clone().transpose());
        self.enlarging.clone().matmul(wide).reshape([1, 1, side, side])
    }
}
