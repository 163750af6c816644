//! The same operations as operations of burn, for a device that cannot run kernels of our own: one of another computer,
//! where every operation is one that burn knows by name.

use burn::tensor::activation::{gelu, leaky_relu, relu, softmax};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, PadMode};
use burn::tensor::{Tensor, module};

use super::{Added, Attended};
use crate::model::cpu::Activation;
use crate::model::layers::LayerNorm;

/// The score of a key that is left out; its weight is 0.
const LOWEST: f32 = f32::MIN / 4.0;

/// [`super::normalise`].
pub fn normalise(norm: &LayerNorm, x: Tensor<2>, added: Added<'_>) -> Tensor<2> {
    let Added { shift, before, after } = added;
    let x = shift.cloned().into_iter().chain(before).fold(x, |x, more| x + more);
    let y = module::layer_norm(x, norm.weight.val(), Some(norm.bias.val()), norm.eps());
    after.into_iter().fold(y, |y, after| y + after)
}

/// [`super::finish`].
pub fn finish(x: Tensor<2>, bias: &Tensor<2>, activation: Activation, residual: Option<Tensor<2>>) -> Tensor<2> {
    let sum = x + bias.clone();
    let y = match activation {
        Activation::None => sum,
        Activation::Gelu => gelu(sum),
        Activation::Relu => relu(sum),
        Activation::LeakyRelu => leaky_relu(sum, 0.01),
    };
    residual.into_iter().fold(y, |y, residual| y + residual)
}

/// [`super::attend`].
pub fn attend(attended: Attended<'_>, hidden: Option<&Tensor<2>>, channels: usize, heads: usize) -> Tensor<2> {
    let Attended { queries, memory, key_start } = attended;
    let ([length, _], [keys, _]) = (queries.0.dims(), memory.0.dims());
    let width = channels / heads;
    // `[rows, heads · width]` as `[heads, rows, width]`.
    let split = |(x, bias): &(Tensor<2>, &Tensor<2>), start: usize| -> Tensor<3> {
        let columns = start..start + channels;
        let x = x.clone().slice_dim(1, columns.clone()) + (*bias).clone().slice_dim(1, columns);
        let [rows, _] = x.dims();
        x.reshape([rows, heads, width]).swap_dims(0, 1)
    };
    let (query, key) = (split(&queries, 0), split(&memory, key_start));
    let value = split(&memory, key_start + channels);
    let mut scores = query.matmul(key.swap_dims(1, 2)) / (width as f64).sqrt();
    if let Some(hidden) = hidden {
        let is_hidden = hidden.clone().not_equal_elem(0.0).unsqueeze_dim::<3>(0).expand([heads, length, keys]);
        scores = scores.mask_fill(is_hidden, LOWEST);
    }
    softmax(scores, 2).matmul(value).swap_dims(0, 1).reshape([length, channels])
}

/// [`super::depthwise7`].
pub fn depthwise7(x: Tensor<2>, n: usize, weight: &Tensor<2>, bias: &Tensor<2>) -> Tensor<2> {
    let [_, channels] = x.dims();
    let planes = x.transpose().reshape([1, channels, n, n]);
    let weight = weight.clone().transpose().reshape([channels, 1, 7, 7]);
    let options = ConvOptions::new([1, 1], [3, 3], [1, 1], channels);
    let planes = module::conv2d(planes, weight, Some(bias.clone().reshape([channels])), options);
    planes.reshape([channels, n * n]).transpose()
}

/// [`super::neighbourhoods`].
pub fn neighbourhoods(x: Tensor<2>, n: usize) -> Tensor<2> {
    let [_, channels] = x.dims();
    let padded = x.reshape([n, n, channels]).pad([(1, 1), (1, 1), (0, 0)], PadMode::Constant(0.0));
    let tap = |tap: usize| {
        let (row, column) = (tap / 3, tap % 3);
        padded.clone().slice([row..row + n, column..column + n]).reshape([n * n, channels])
    };
    Tensor::cat((0..9).map(tap).collect(), 1)
}

/// [`super::raised_neighbourhoods`].
pub fn raised_neighbourhoods(raised: Tensor<2>, skip: Tensor<2>, n: usize) -> Tensor<2> {
    let [_, half] = skip.dims();
    let squares = raised.reshape([n / 2, n / 2, 2, 2 * half]).swap_dims(1, 2).reshape([n * n, half]);
    neighbourhoods(Tensor::cat(vec![squares, skip], 1), n)
}

/// [`super::shuffle_and_blur`].
pub fn shuffle_and_blur(x: Tensor<2>, bias: &Tensor<2>, last: &Tensor<1>, n: usize) -> Tensor<4> {
    let fine = (x + bias.clone()).reshape([n, n, 4, 4]).swap_dims(1, 2).reshape([1, 1, 4 * n, 4 * n]);
    let padded = fine.pad([(0, 0), (0, 0), (3, 0), (3, 0)], PadMode::Constant(0.0));
    let mean = module::avg_pool2d(padded, AvgPoolOptions::new([4, 4]).with_stride([1, 1]));
    mean + last.clone().reshape([1, 1, 1, 1])
}

#[cfg(test)]
mod tests {
    //! Against the definitions, number by number.

    use burn::tensor::{Device, Distribution};

    use super::*;

    /// Random values, as a tensor and as a list.
    fn draw(rows: usize, columns: usize) -> (Tensor<2>, Vec<f32>) {
        let drawn = Tensor::<2>::random([rows, columns], Distribution::Uniform(-1.0, 1.0), &Device::flex());
        (drawn.clone(), values(drawn))
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    fn assert_close<const D: usize>(ours: Tensor<D>, expected: &[f32], what: &str) {
        let ours = values(ours);
        assert_eq!(ours.len(), expected.len(), "{what}");
        for (at, (ours, expected)) in ours.iter().zip(expected).enumerate() {
            assert!((ours - expected).abs() < 1e-5, "{what} at {at}: {ours} and not {expected}");
        }
    }

    #[test]
    fn a_norm_has_what_is_added_before_and_after() {
        let (rows, channels) = (3, 5);
        let ((x, of_x), (shift, of_shift)) = (draw(rows, channels), draw(1, channels));
        let ((before, of_before), (after, of_after)) = (draw(rows, channels), draw(rows, channels));
        let ((weight, of_weight), (bias, of_bias)) = (draw(1, channels), draw(1, channels));
        let mut norm = LayerNorm::new(channels, 1e-5, &Device::flex());
        norm.weight = norm.weight.map(|_| weight.clone().reshape([channels]));
        norm.bias = norm.bias.map(|_| bias.clone().reshape([channels]));
        let expected = |is_full: bool| -> Vec<f32> {
            let sum = |at: usize| match is_full {
                true => of_x[at] + of_shift[at % channels] + of_before[at],
                false => of_x[at],
            };
            let of_row = |row: usize| {
                let row = row * channels..(row + 1) * channels;
                let mean = row.clone().map(sum).sum::<f32>() / channels as f32;
                let variance = row.map(|at| (sum(at) - mean).powi(2)).sum::<f32>() / channels as f32;
                (mean, (variance + 1e-5).sqrt())
            };
            let value = |at: usize| {
                let ((mean, deviation), channel) = (of_row(at / channels), at % channels);
                let value = (sum(at) - mean) / deviation * of_weight[channel] + of_bias[channel];
                if is_full { value + of_after[at] } else { value }
            };
            (0..rows * channels).map(value).collect()
        };
        assert_close(normalise(&norm, x.clone(), Added::default()), &expected(false), "norm");
        let added = Added { shift: Some(&shift), before: Some(before), after: Some(after) };
        assert_close(normalise(&norm, x, added), &expected(true), "norm of a sum");
    }

    #[test]
    fn the_residual_is_added_after_the_activation() {
        let ((x, of_x), (residual, of_residual)) = (draw(4, 3), draw(4, 3));
        for rows in [1, 4] {
            let (bias, of_bias) = draw(rows, 3);
            for (activation, function) in [
                (Activation::None, (|x| x) as fn(f32) -> f32),
                (Activation::Relu, |x| x.max(0.0)),
                (Activation::LeakyRelu, |x| if x > 0.0 { x } else { 0.01 * x }),
            ] {
                let value = |at: usize| function(of_x[at] + of_bias[at % of_bias.len()]);
                let alone: Vec<f32> = (0..12).map(value).collect();
                assert_close(finish(x.clone(), &bias, activation, None), &alone, "activation");
                let both: Vec<f32> = (0..12).map(|at| value(at) + of_residual[at]).collect();
                assert_close(finish(x.clone(), &bias, activation, Some(residual.clone())), &both, "residual");
            }
        }
        // x Φ(x) at 1, from a table of the normal distribution.
        let one = Tensor::<2>::ones([1, 1], &Device::flex());
        assert_close(finish(one.clone(), &(one - 1.0), Activation::Gelu, None), &[0.841_344_7], "GELU");
    }

    /// The definition for queries `[n, C]`, keys and values `[m, C]`, of which those in `seen` count.
    fn mixed(
        of: [&dyn Fn(usize, usize) -> f32; 3],
        n: usize,
        seen: &[usize],
        channels: usize,
        heads: usize,
    ) -> Vec<f32> {
        let [query, key, value] = of;
        let width = channels / heads;
        let at = |row: usize, channel: usize| {
            let head = channel / width * width;
            let score = |other: &usize| {
                let product = (head..head + width).map(|channel| query(row, channel) * key(*other, channel));
                (product.sum::<f32>() / (width as f32).sqrt()).exp()
            };
            let total: f32 = seen.iter().map(score).sum();
            seen.iter().map(|other| score(other) * value(*other, channel)).sum::<f32>() / total
        };
        (0..n * channels).map(|index| at(index / channels, index % channels)).collect()
    }

    #[test]
    fn attention_leaves_hidden_keys_out() {
        let (n, channels, heads) = (5, 6, 3);
        let (all, of_all) = draw(n, 3 * channels);
        let hidden = Tensor::<2>::from_data([[0.0, 1.0, 0.0, 0.0, 1.0]], &Device::flex());
        for rows in [1, n] {
            let (bias, of_bias) = draw(rows, 3 * channels);
            let part = |part: usize| {
                let (of_all, of_bias) = (&of_all, &of_bias);
                move |row: usize, channel: usize| {
                    let at = row * 3 * channels + part * channels + channel;
                    of_all[at] + of_bias[at % of_bias.len()]
                }
            };
            for (hidden, seen) in [(None, vec![0, 1, 2, 3, 4]), (Some(&hidden), vec![0, 2, 3])] {
                let expected = mixed([&part(0), &part(1), &part(2)], n, &seen, channels, heads);
                let ours = attend(Attended::itself(all.clone(), &bias), hidden, channels, heads);
                assert_close(ours, &expected, "self-attention");
            }
        }
        let m = 4;
        let ((x, of_x), (bias, of_bias)) = (draw(n, channels), draw(1, channels));
        let ((memory, of_memory), (shift, of_shift)) = (draw(m, 2 * channels), draw(m, 2 * channels));
        let query = |row: usize, channel: usize| of_x[row * channels + channel] + of_bias[channel];
        let other = |part: usize| {
            let (of_memory, of_shift) = (&of_memory, &of_shift);
            move |row: usize, channel: usize| {
                let at = row * 2 * channels + part * channels + channel;
                of_memory[at] + of_shift[at]
            }
        };
        let expected = mixed([&query, &other(0), &other(1)], n, &[0, 1, 2, 3], channels, heads);
        let ours = attend(Attended::other((x, &bias), (memory, &shift)), None, channels, heads);
        assert_close(ours, &expected, "cross-attention");
    }

    /// The value at a row and column of a grid, zero outside; `value` takes a position and a channel.
    fn at(
        value: impl Fn(usize, usize) -> f32,
        n: usize,
        [row, column]: [usize; 2],
        channel: usize,
        lead: usize,
    ) -> f32 {
        let inside = |place: usize| (lead..n + lead).contains(&place);
        if inside(row) && inside(column) { value((row - lead) * n + column - lead, channel) } else { 0.0 }
    }

    #[test]
    fn a_depthwise_convolution_has_zeros_around_the_grid() {
        let (n, channels) = (4, 3);
        let ((x, of_x), (weight, of_weight), (bias, of_bias)) =
            (draw(n * n, channels), draw(49, channels), draw(1, channels));
        let value = |index: usize| {
            let (place, channel) = (index / channels, index % channels);
            let tap = |tap: usize| {
                let source = [place / n + tap / 7, place % n + tap % 7];
                at(|place, channel| of_x[place * channels + channel], n, source, channel, 3)
                    * of_weight[tap * channels + channel]
            };
            of_bias[channel] + (0..49).map(tap).sum::<f32>()
        };
        let expected: Vec<f32> = (0..n * n * channels).map(value).collect();
        assert_close(depthwise7(x, n, &weight, &bias), &expected, "depthwise convolution");
    }

    #[test]
    fn neighbourhoods_go_by_rows_columns_and_channels() {
        let (n, channels) = (4, 3);
        let ((x, of_x), (raised, of_raised)) = (draw(n * n, channels), draw(n * n / 4, 4 * channels));
        let around = |value: &dyn Fn(usize, usize) -> f32, width: usize| -> Vec<f32> {
            let one = |index: usize| {
                let (place, tap, channel) = (index / (9 * width), index / width % 9, index % width);
                at(value, n, [place / n + tap / 3, place % n + tap % 3], channel, 1)
            };
            (0..n * n * 9 * width).map(one).collect()
        };
        let plain = |place: usize, channel: usize| of_x[place * channels + channel];
        assert_close(neighbourhoods(x.clone(), n), &around(&plain, channels), "neighbourhoods");
        let joined = |place: usize, channel: usize| {
            if channel >= channels {
                return plain(place, channel - channels);
            }
            let (row, column) = (place / n, place % n);
            let square = (row / 2) * (n / 2) + column / 2;
            of_raised[(square * 4 + row % 2 * 2 + column % 2) * channels + channel]
        };
        let expected = around(&joined, 2 * channels);
        assert_close(raised_neighbourhoods(raised, x, n), &expected, "raised neighbourhoods");
    }

    #[test]
    fn the_head_takes_the_mean_of_the_pixels_that_end_at_each() {
        let n = 3;
        let ((x, of_x), (bias, of_bias), (last, of_last)) = (draw(n * n, 16), draw(1, 16), draw(1, 1));
        let side = 4 * n;
        let fine = |row: usize, column: usize| {
            let part = row % 4 * 4 + column % 4;
            of_x[(row / 4 * n + column / 4) * 16 + part] + of_bias[part]
        };
        let value = |index: usize| {
            let (row, column) = (index / side, index % side);
            let rows = row.saturating_sub(3)..=row;
            let sum: f32 =
                rows.map(|y| (column.saturating_sub(3)..=column).map(|x| fine(y, x)).sum::<f32>()).sum();
            sum / 16.0 + of_last[0]
        };
        let expected: Vec<f32> = (0..side * side).map(value).collect();
        assert_close(shuffle_and_blur(x, &bias, &last.reshape([1]), n), &expected, "head");
    }
}
