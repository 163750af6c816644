//! Decomposed relative positions, and positions in the image as sines of random frequencies.

use std::f64::consts::TAU;

use crate::model::remote::permuted;
use burn::tensor::{Device, Tensor, TensorData};

/// Lengthens the vectors of a self-attention over a grid of `span × span` positions, so that a plain attention of them adds
/// the relative positions to its logits.
///
/// The logit of a query at (y, x) and a key at (v, u) is `q·k/√d + q·H[y − v + span − 1] + q·W[x − u + span − 1]`, where H
/// and W are `tables`, `[2 span − 1, d]` each. The first sum over the rows v is one number of the query for each row of the
/// grid, so that it is the scalar product of these numbers and a vector of the key that is 1 at its row; the second is the
/// same for the columns. No matrix of all queries and keys is needed, and gradients follow from those of the attention.
///
/// `vectors` are query, key and value, `[batch, span², heads · d]`. The results are `[batch, span², heads · (d + 2 span)]`;
/// the values are lengthened by zeros, which [`reduced`] takes away.
pub fn augmented(vectors: [Tensor<3>; 3], tables: [Tensor<2>; 2], heads: usize, span: usize) -> [Tensor<3>; 3] {
    let [query, key, value] = vectors;
    let [batch, length, channels] = query.dims();
    let (depth, device) = (channels / heads, query.device());
    let long = depth + 2 * span;
    // A plain attention divides by √long.
    let scale = (long as f64).sqrt();
    let [of_rows, of_columns] = tables.map(|table| distances(table, span, &device));
    let split = |x: Tensor<3>| x.reshape([batch, length, heads, depth]);
    let query = split(query);
    // [span, batch·span·heads, d]: all queries of a row of the grid meet the same vectors.
    let grid = query.clone().reshape([batch, span, span, heads * depth]);
    let by_rows = {
        let rows = grid.clone().swap_dims(0, 1).reshape([span, batch * span * heads, depth]);
        let numbers = rows.matmul(of_rows.swap_dims(1, 2)).reshape([span, batch, span, heads * span]);
        numbers.swap_dims(0, 1).reshape([batch, length, heads, span])
    };
    let by_columns = {
        let columns = permuted(grid, [2, 0, 1, 3]).reshape([span, batch * span * heads, depth]);
        let numbers = columns.matmul(of_columns.swap_dims(1, 2)).reshape([span, batch, span, heads * span]);
        permuted(numbers, [1, 2, 0, 3]).reshape([batch, length, heads, span])
    };
    let query = Tensor::cat(vec![query * (scale / (depth as f64).sqrt()), by_rows * scale, by_columns * scale], 3);
    let places = places(span, &device).reshape([1, length, 1, 2 * span]).expand([batch, length, heads, 2 * span]);
    let key = Tensor::cat(vec![split(key), places], 3);
    let zeros = Tensor::zeros([batch, length, heads, 2 * span], &device);
    let value = Tensor::cat(vec![split(value), zeros], 3);
    [query, key, value].map(|x| x.reshape([batch, length, heads * long]))
}

/// Takes away what [`augmented`] added to the values: maps `[batch, length, heads · long]` to `[batch, length, channels]`.
pub fn reduced(mixed: Tensor<3>, heads: usize, channels: usize) -> Tensor<3> {
    let [batch, length, all] = mixed.dims();
    let split = mixed.reshape([batch, length, heads, all / heads]);
    split.narrow(3, 0, channels / heads).reshape([batch, length, channels])
}

/// The vectors of the distances between all pairs of places along an axis, `[queries, keys, d]`, from the table `[2 span − 1,
/// d]`.
fn distances(table: Tensor<2>, span: usize, device: &Device) -> Tensor<3> {
    let indices: Vec<i64> = (0..span * span).map(|at| (at / span + span - 1 - at % span) as i64).collect();
    let indices = Tensor::from_data(TensorData::new(indices, [span * span]), device);
    let [_, depth] = table.dims();
    table.select(0, indices).reshape([span, span, depth])
}

/// Row and column of each position of the grid as vectors that are 1 there, `[span², 2 span]`.
fn places(span: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0f32; span * span * 2 * span];
    for (at, line) in values.chunks_exact_mut(2 * span).enumerate() {
        line[at / span] = 1.0;
        line[span + at % span] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, [span * span, 2 * span]), device)
}

/// Places in the image, `[rows, 2]` as (x, y) in 0…1, as sines and cosines: `[rows, 2 frequencies]`. `frequencies` are `[2,
/// frequencies]`.
pub fn sines(places: Tensor<2>, frequencies: Tensor<2>) -> Tensor<2> {
    let angles = (places * 2.0 - 1.0).matmul(frequencies) * TAU;
    Tensor::cat(vec![angles.clone().sin(), angles.cos()], 1)
}

/// The centres of the positions of a grid as (x, y) in 0…1, `[n², 2]`, row by row.
pub fn centres(grid: usize, device: &Device) -> Tensor<2> {
    let place = |index: usize| (index as f32 + 0.5) / grid as f32;
    let values: Vec<f32> = (0..grid * grid).flat_map(|at| [place(at % grid), place(at / grid)]).collect();
    Tensor::from_data(TensorData::new(values, [grid * grid, 2]), device)
}

/// The matrix that interpolates `input` values linearly to `output` values, `[output, input]`. The centres of the outermost
/// pixels are the edges beyond which the outermost value holds (`align_corners = false`).
pub fn linear_matrix(input: usize, output: usize) -> Vec<f32> {
    let mut values = vec![0f32; input * output];
    for (index, line) in values.chunks_exact_mut(input).enumerate() {
        let place = ((index as f64 + 0.5) * input as f64 / output as f64 - 0.5).max(0.0);
        let first = (place as usize).min(input - 1);
        let share = (place - first as f64).min(1.0) as f32;
        line[first] += 1.0 - share;
        line[(first + 1).min(input - 1)] += share;
    }
    values
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::activation::softmax;

    use super::*;
    use crate::model::layers::attend;

    #[test]
    fn the_longer_vectors_give_the_attention_with_relative_positions() {
        let device = Device::flex();
        let (batch, span, heads, depth) = (2, 3, 2, 4);
        let length = span * span;
        let draw = |shape| Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let [query, key, value] = [0, 1, 2].map(|_| draw([batch, length, heads * depth]));
        let tables = [0, 1].map(|_| draw([1, 2 * span - 1, depth]).squeeze_dim::<2>(0));
        let [long_query, long_key, long_value] =
            augmented([query.clone(), key.clone(), value.clone()], tables.clone(), heads, span);
        let ours = reduced(attend(long_query, long_key, long_value, heads, None), heads, heads * depth);

        // The definition, number by number.
        let numbers = |x: &Tensor<3>| x.to_data().iter::<f32>().collect::<Vec<f32>>();
        let [q, k, v] = [&query, &key, &value].map(numbers);
        let [rows, columns] = tables.each_ref().map(|t| t.to_data().iter::<f32>().collect::<Vec<f32>>());
        let vector = |x: &[f32], image: usize, at: usize, head: usize| {
            x[((image * length + at) * heads + head) * depth..][..depth].to_vec()
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let mut expected = Vec::new();
        for image in 0..batch {
            for at in 0..length {
                for head in 0..heads {
                    let query = vector(&q, image, at, head);
                    let logit = |other: usize| {
                        let vertical = at / span + span - 1 - other / span;
                        let horizontal = at % span + span - 1 - other % span;
                        dot(&query, &vector(&k, image, other, head)) / (depth as f32).sqrt()
                            + dot(&query, &rows[vertical * depth..][..depth])
                            + dot(&query, &columns[horizontal * depth..][..depth])
                    };
                    let logits: Vec<f32> = (0..length).map(logit).collect();
                    let weights = softmax(Tensor::<1>::from_data(logits.as_slice(), &device), 0);
                    let weights: Vec<f32> = weights.into_data().iter().collect();
                    let mut sum = vec![0f32; depth];
                    for (other, weight) in weights.iter().enumerate() {
                        for (sum, value) in sum.iter_mut().zip(vector(&v, image, other, head)) {
                            *sum += weight * value;
                        }
                    }
                    expected.extend(sum);
                }
            }
        }
        let worst = numbers(&ours).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst:e}");
    }

    #[test]
    fn interpolation_is_linear_between_centres_and_constant_beyond_them() {
        // Centres of the coarse pixels are at 2 and 6 of 8 in units of the fine ones.
        let matrix = linear_matrix(2, 8);
        let share: Vec<f32> = matrix.chunks_exact(2).map(|line| line[1]).collect();
        assert_eq!(share, [0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 1.0, 1.0]);
        assert!(matrix.chunks_exact(2).all(|line| (line[0] + line[1] - 1.0).abs() < 1e-6));
    }
}
