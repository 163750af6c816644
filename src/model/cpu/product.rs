//! A matrix product for few rows, such as the 24 tokens of a prompt with the weights of a layer.
//!
//! The general product packs its operands first, which for 24 rows takes as long as the product itself. This one
//! reads every weight once, in place, as rows of dot products.

use burn::tensor::{Tensor, TensorData};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Activation;

/// The numbers of weight rows and input rows that one step processes. Their sums fill the vector registers.
const TILE: (usize, usize) = (4, 6);
/// The number of weight rows per task.
const TASK_ROWS: usize = 64;

/// Weights `[out, in]`, stored in rows in the memory of this process, with their bias.
#[derive(Debug)]
pub struct RowWeights {
    weight: TensorData,
    bias: Vec<f32>,
    input: usize,
}

impl RowWeights {
    /// Takes over the tensors' memory if no other handle refers to it.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        let [_, input] = weight.dims();
        Self { weight: weight.into_data(), bias: bias.into_data().iter::<f32>().collect(), input }
    }

    /// Computes `activation(x Wᵀ + b)`; maps `[rows, in]` to `[rows, out]`.
    pub fn forward(&self, x: Tensor<2>, activation: Activation) -> Tensor<2> {
        let device = x.device();
        let [rows, _] = x.dims();
        let data = x.into_data();
        let (input, output) = (self.input, self.bias.len());
        let (Ok(inputs), Ok(weights)) = (data.as_slice::<f32>(), self.weight.as_slice::<f32>()) else {
            panic!("the network's numbers are f32 in this process");
        };
        // The sums are transposed, [out, rows], so that every task writes a contiguous range.
        let mut transposed = vec![0f32; output * rows];
        let arch = Arch::new();
        let tasks = transposed.par_chunks_mut(TASK_ROWS * rows).zip(weights.par_chunks(TASK_ROWS * input));
        tasks.for_each(|(sums, weights)| arch.dispatch(Task { sums, weights, inputs, rows, input }));
        let mut values = vec![0f32; rows * output];
        values.par_chunks_mut(output).enumerate().for_each(|(row, line)| {
            for (column, value) in line.iter_mut().enumerate() {
                *value = transposed[column * rows + row];
            }
        });
        let y = Tensor::from_data(TensorData::new(values, [rows, output]), &device);
        super::bias_activation(y, &self.bias, activation)
    }
}

/// The product of some weight rows with all inputs.
struct Task<'a> {
    sums: &'a mut [f32],
    weights: &'a [f32],
    inputs: &'a [f32],
    rows: usize,
    input: usize,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sums, weights, inputs, rows, input } = self;
        let count = weights.len() / input;
        let weight = |index: usize| &weights[index * input..(index + 1) * input];
        let line = |index: usize| &inputs[index * input..(index + 1) * input];
        let (wide, high) = TILE;
        let mut first = 0;
        while first < count {
            let tall = if count - first >= wide { wide } else { 1 };
            let mut row = 0;
            while row < rows {
                let many = if rows - row >= high { high } else { 1 };
                if (tall, many) == TILE {
                    let w: [&[f32]; 4] = std::array::from_fn(|offset| weight(first + offset));
                    let x: [&[f32]; 6] = std::array::from_fn(|offset| line(row + offset));
                    store(sums, rows, first, row, tile(simd, w, x));
                } else {
                    for w in 0..tall {
                        for x in 0..many {
                            sums[(first + w) * rows + row + x] = dot(simd, weight(first + w), line(row + x));
                        }
                    }
                }
                row += many;
            }
            first += tall;
        }
    }
}

#[inline(always)]
fn store(sums: &mut [f32], rows: usize, first: usize, row: usize, dots: [[f32; 6]; 4]) {
    for (offset, dots) in dots.iter().enumerate() {
        let start = (first + offset) * rows + row;
        sums[start..start + dots.len()].copy_from_slice(dots);
    }
}

/// The dot product of two rows.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let sum = a.iter().zip(b).fold(simd.splat_f32s(0.0), |sum, (a, b)| simd.mul_add_f32s(*a, *b, sum));
    simd.reduce_sum_f32s(sum) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// All dot products of four rows with six rows of the same length.
///
/// The sums are separate variables because the compiler would keep arrays of sums in memory instead of registers.
#[inline(always)]
fn tile<S: Simd>(simd: S, weights: [&[f32]; 4], inputs: [&[f32]; 6]) -> [[f32; 6]; 4] {
    let [w0, w1, w2, w3] = weights.map(|row| S::as_simd_f32s(row).0);
    let [x0, x1, x2, x3, x4, x5] = inputs.map(|row| S::as_simd_f32s(row).0);
    let w0_all = w0;
    let zero = simd.splat_f32s(0.0);
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5] = [zero; 6];
    let [mut b0, mut b1, mut b2, mut b3, mut b4, mut b5] = [zero; 6];
    let [mut c0, mut c1, mut c2, mut c3, mut c4, mut c5] = [zero; 6];
    let [mut d0, mut d1, mut d2, mut d3, mut d4, mut d5] = [zero; 6];
    let left = w0.iter().zip(w1).zip(w2).zip(w3);
    let right = x0.iter().zip(x1).zip(x2).zip(x3).zip(x4).zip(x5);
    for ((((w0, w1), w2), w3), (((((x0, x1), x2), x3), x4), x5)) in left.zip(right) {
        macro_rules! column {
            ($x:ident, $a:ident, $b:ident, $c:ident, $d:ident) => {
                $a = simd.mul_add_f32s(*w0, *$x, $a);
                $b = simd.mul_add_f32s(*w1, *$x, $b);
                $c = simd.mul_add_f32s(*w2, *$x, $c);
                $d = simd.mul_add_f32s(*w3, *$x, $d);
            };
        }
        column!(x0, a0, b0, c0, d0);
        column!(x1, a1, b1, c1, d1);
        column!(x2, a2, b2, c2, d2);
        column!(x3, a3, b3, c3, d3);
        column!(x4, a4, b4, c4, d4);
        column!(x5, a5, b5, c5, d5);
    }
    // A closure would be compiled without the vector instructions that the sums need.
    macro_rules! sums {
        ($($sum:ident),*) => {
            [$(simd.reduce_sum_f32s($sum)),*]
        };
    }
    let mut dots = [
        sums!(a0, a1, a2, a3, a4, a5),
        sums!(b0, b1, b2, b3, b4, b5),
        sums!(c0, c1, c2, c3, c4, c5),
        sums!(d0, d1, d2, d3, d4, d5),
    ];
    if size_of_val(w0_all) == size_of_val(weights[0]) {
        return dots;
    }
    for (dots, w) in dots.iter_mut().zip(weights) {
        let rest = S::as_simd_f32s(w).1;
        for (dot, x) in dots.iter_mut().zip(inputs) {
            *dot += rest.iter().zip(S::as_simd_f32s(x).1).map(|(a, b)| a * b).sum::<f32>();
        }
    }
    dots
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn every_remainder_of_the_tiles_is_right() {
        let device = Device::flex();
        for (rows, input, output) in [(24, 96, 130), (7, 33, 5), (1, 3, 1), (13, 64, 66)] {
            let x = Tensor::<2>::random([rows, input], Distribution::Normal(0.0, 1.0), &device);
            let weight = Tensor::<2>::random([output, input], Distribution::Normal(0.0, 1.0), &device);
            let bias = Tensor::<1>::random([output], Distribution::Normal(0.0, 1.0), &device);
            let expected = x.clone().matmul(weight.clone().transpose()) + bias.clone().unsqueeze();
            let ours = RowWeights::new(weight, bias).forward(x, Activation::None);
            let worst = (ours - expected).abs().max().into_scalar::<f32>();
            assert!(worst < 1e-4, "{rows}×{input}×{output}: {worst:e}");
        }
    }
}
