//! Scaled dot-product attention of a batch and its gradients, without storing the matrix of scores.
//!
//! A stage with a 28² grid has 784² scores for each head and image. Stored as tensors, they would take gigabytes
//! in a training step. Here, four queries at a time are compared with all keys, their scores stay in the cache,
//! and the backward pass computes them again (as in Dao et al., *FlashAttention*, 2022).

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::exp;

/// The number of queries that one step processes. Their sums fill the vector registers.
const ROWS: usize = 4;
/// The number of keys is padded to a multiple of this, the width of the widest vector.
const LANES: usize = 16;
/// The least number of queries for which another thread is worth it.
const LEAST: usize = 64;

/// The sizes of an attention operation. Query and output are `[batch, queries, channels]`; key and value are
/// `[batch, keys, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The number of images.
    pub batch: usize,
    /// The number of queries per image.
    pub queries: usize,
    /// The number of keys per image.
    pub keys: usize,
    /// The number of channels of all heads together.
    pub channels: usize,
    /// The number of heads. Head `h` has the channels starting at `h · channels / heads`.
    pub heads: usize,
}

impl Sizes {
    fn depth(&self) -> usize {
        self.channels / self.heads
    }

    fn wide(&self) -> usize {
        self.keys.next_multiple_of(LANES)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.depth() as f32).sqrt()
    }
}

/// Returns the output and, for each image, head and query, the logarithm of the sum of the exponentials, which the
/// backward pass needs.
pub fn forward(query: &[f32], key: &[f32], value: &[f32], sizes: Sizes) -> (Vec<f32>, Vec<f32>) {
    let arch = Arch::new();
    let units: Vec<Vec<(Vec<f32>, Vec<f32>)>> = (0..sizes.batch * sizes.heads)
        .into_par_iter()
        .map(|unit| {
            let of = |x, length| columns(x, length, sizes, unit);
            let (query, key, value) = (of(query, sizes.queries), of(key, sizes.keys), of(value, sizes.keys));
            let (query, key, value) = (query.as_slice(), key.as_slice(), value.as_slice());
            let parts = ranges(sizes).into_par_iter();
            parts.map(|range| arch.dispatch(Forward { query, key, value, range, sizes })).collect()
        })
        .collect();
    let mut output = vec![0f32; sizes.batch * sizes.queries * sizes.channels];
    let mut logs = Vec::with_capacity(units.len() * sizes.queries);
    for (unit, parts) in units.into_iter().enumerate() {
        for ((mixed, log), range) in parts.into_iter().zip(ranges(sizes)) {
            scatter(&mixed, range, sizes.queries, sizes, unit, &mut output);
            logs.extend(log);
        }
    }
    (output, logs)
}

/// The parts into which the queries of one head of one image are divided, so that no thread is idle if there are fewer heads
/// than threads. The result of a query does not depend on the others.
fn ranges(sizes: Sizes) -> Vec<Range<usize>> {
    let units = (sizes.batch * sizes.heads).max(1);
    let parts = rayon::current_num_threads().div_ceil(units).min(sizes.queries / LEAST).max(1);
    let step = sizes.queries.div_ceil(parts).next_multiple_of(ROWS).max(ROWS);
    (0..sizes.queries).step_by(step).map(|start| start..(start + step).min(sizes.queries)).collect()
}

/// The values of the forward pass that the backward pass needs.
#[derive(Clone, Copy)]
pub struct Saved<'a> {
    /// The query passed to [`forward`].
    pub query: &'a [f32],
    /// The key passed to [`forward`].
    pub key: &'a [f32],
    /// The value passed to [`forward`].
    pub value: &'a [f32],
    /// The output of [`forward`].
    pub output: &'a [f32],
    /// The logarithms returned by [`forward`].
    pub logs: &'a [f32],
}

/// Returns the gradients with respect to query, key and value from the gradient with respect to the output.
pub fn backward(saved: Saved, gradient: &[f32], sizes: Sizes) -> [Vec<f32>; 3] {
    let arch = Arch::new();
    let units: Vec<[Vec<f32>; 3]> = (0..sizes.batch * sizes.heads)
        .into_par_iter()
        .map(|unit| {
            let of = |x, length| columns(x, length, sizes, unit);
            arch.dispatch(Backward {
                query: of(saved.query, sizes.queries),
                key: of(saved.key, sizes.keys),
                value: of(saved.value, sizes.keys),
                output: of(saved.output, sizes.queries),
                gradient: of(gradient, sizes.queries),
                logs: &saved.logs[unit * sizes.queries..(unit + 1) * sizes.queries],
                sizes,
            })
        })
        .collect();
    let zeros = |length: usize| vec![0f32; sizes.batch * length * sizes.channels];
    let mut whole = [zeros(sizes.queries), zeros(sizes.keys), zeros(sizes.keys)];
    for (unit, parts) in units.iter().enumerate() {
        for ((part, whole), length) in parts.iter().zip(&mut whole).zip([sizes.queries, sizes.keys, sizes.keys]) {
            scatter(part, 0..length, length, sizes, unit, whole);
        }
    }
    whole
}

/// Extracts one head of one image as `[depth, width]`, with each channel padded with zeros to the width.
fn columns(x: &[f32], length: usize, sizes: Sizes, unit: usize) -> Vec<f32> {
    let (depth, wide) = (sizes.depth(), length.next_multiple_of(LANES));
    let (image, head) = (unit / sizes.heads, unit % sizes.heads);
    let mut transposed = vec![0f32; depth * wide];
    let rows =
        x[image * length * sizes.channels..(image + 1) * length * sizes.channels].chunks_exact(sizes.channels);
    for (index, row) in rows.enumerate() {
        for (channel, value) in row[head * depth..(head + 1) * depth].iter().enumerate() {
            transposed[channel * wide + index] = *value;
        }
    }
    transposed
}

/// Writes `[depth, width]` of the rows `range` of one head back to their position; an image has `length` rows.
fn scatter(part: &[f32], range: Range<usize>, length: usize, sizes: Sizes, unit: usize, whole: &mut [f32]) {
    let (depth, wide) = (sizes.depth(), range.len().next_multiple_of(LANES));
    let (image, head) = (unit / sizes.heads, unit % sizes.heads);
    let first = image * length;
    let place = &mut whole[(first + range.start) * sizes.channels..(first + range.end) * sizes.channels];
    for (index, row) in place.chunks_exact_mut(sizes.channels).enumerate() {
        for (channel, value) in row[head * depth..(head + 1) * depth].iter_mut().enumerate() {
            *value = part[channel * wide + index];
        }
    }
}

// The functions below contain no closures around vector operations: a closure would be compiled without the vector
// instructions of the machine, and each operation in it would be a call.

/// Computes `scores[row][key] = Σ_c rows[c][row] · columns[c][key]`.
///
/// Two vectors of keys at a time give enough independent sums to keep the arithmetic units busy.
#[inline(always)]
fn scores<S: Simd>(simd: S, rows: &[[f32; ROWS]], columns: &[f32], wide: usize, scores: &mut [Vec<f32>; ROWS]) {
    let [first, second, third, fourth] = scores;
    let (first, second) = (S::as_mut_simd_f32s(first).0, S::as_mut_simd_f32s(second).0);
    let (third, fourth) = (S::as_mut_simd_f32s(third).0, S::as_mut_simd_f32s(fourth).0);
    let zero = simd.splat_f32s(0.0);
    let mut place = 0;
    while place < first.len() {
        // The last vector of an odd number is computed twice.
        let next = (place + 1).min(first.len() - 1);
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [zero; 8];
        for ([w, x, y, z], column) in rows.iter().zip(columns.chunks_exact(wide)) {
            let column = S::as_simd_f32s(column).0;
            let (left, right) = (column[place], column[next]);
            let (w, x) = (simd.splat_f32s(*w), simd.splat_f32s(*x));
            let (y, z) = (simd.splat_f32s(*y), simd.splat_f32s(*z));
            a = simd.mul_add_f32s(w, left, a);
            b = simd.mul_add_f32s(x, left, b);
            c = simd.mul_add_f32s(y, left, c);
            d = simd.mul_add_f32s(z, left, d);
            e = simd.mul_add_f32s(w, right, e);
            f = simd.mul_add_f32s(x, right, f);
            g = simd.mul_add_f32s(y, right, g);
            h = simd.mul_add_f32s(z, right, h);
        }
        (first[place], second[place], third[place], fourth[place]) = (a, b, c, d);
        (first[next], second[next], third[next], fourth[next]) = (e, f, g, h);
        place += 2;
    }
}

/// Computes `Σ_key weights[row][key] · column[key]` for every row.
#[inline(always)]
fn sums<S: Simd>(simd: S, weights: &[Vec<f32>; ROWS], column: &[f32]) -> [f32; ROWS] {
    let [first, second, third, fourth] = weights;
    let (first, second) = (S::as_simd_f32s(first).0, S::as_simd_f32s(second).0);
    let (third, fourth) = (S::as_simd_f32s(third).0, S::as_simd_f32s(fourth).0);
    let zero = simd.splat_f32s(0.0);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [zero; 8];
    let keys = S::as_simd_f32s(column).0;
    let pairs = keys.chunks_exact(2).zip(first.chunks_exact(2)).zip(second.chunks_exact(2));
    for ((((key, w), x), y), z) in pairs.zip(third.chunks_exact(2)).zip(fourth.chunks_exact(2)) {
        a = simd.mul_add_f32s(w[0], key[0], a);
        b = simd.mul_add_f32s(x[0], key[0], b);
        c = simd.mul_add_f32s(y[0], key[0], c);
        d = simd.mul_add_f32s(z[0], key[0], d);
        e = simd.mul_add_f32s(w[1], key[1], e);
        f = simd.mul_add_f32s(x[1], key[1], f);
        g = simd.mul_add_f32s(y[1], key[1], g);
        h = simd.mul_add_f32s(z[1], key[1], h);
    }
    if keys.len() % 2 == 1
        && let ([.., key], [.., w], [.., x], [.., y], [.., z]) = (keys, first, second, third, fourth)
    {
        a = simd.mul_add_f32s(*w, *key, a);
        b = simd.mul_add_f32s(*x, *key, b);
        c = simd.mul_add_f32s(*y, *key, c);
        d = simd.mul_add_f32s(*z, *key, d);
    }
    [
        simd.reduce_sum_f32s(simd.add_f32s(a, e)),
        simd.reduce_sum_f32s(simd.add_f32s(b, f)),
        simd.reduce_sum_f32s(simd.add_f32s(c, g)),
        simd.reduce_sum_f32s(simd.add_f32s(d, h)),
    ]
}

/// Computes `columns[c][key] += Σ_row rows[c][row] · weights[row][key]`.
#[inline(always)]
fn add<S: Simd>(simd: S, rows: &[[f32; ROWS]], weights: &[Vec<f32>; ROWS], columns: &mut [f32], wide: usize) {
    let [first, second, third, fourth] = weights;
    let (first, second) = (S::as_simd_f32s(first).0, S::as_simd_f32s(second).0);
    let (third, fourth) = (S::as_simd_f32s(third).0, S::as_simd_f32s(fourth).0);
    for ([w, x, y, z], column) in rows.iter().zip(columns.chunks_exact_mut(wide)) {
        let (w, x) = (simd.splat_f32s(*w), simd.splat_f32s(*x));
        let (y, z) = (simd.splat_f32s(*y), simd.splat_f32s(*z));
        let sums = S::as_mut_simd_f32s(column).0.iter_mut();
        for ((((sum, a), b), c), d) in sums.zip(first).zip(second).zip(third).zip(fourth) {
            let left = simd.mul_add_f32s(w, *a, simd.mul_add_f32s(x, *b, *sum));
            let right = simd.mul_add_f32s(y, *c, simd.mul_f32s(z, *d));
            *sum = simd.add_f32s(left, right);
        }
    }
}

/// Copies the four values starting at `start` of every channel to `rows`.
#[inline(always)]
fn take(columns: &[f32], wide: usize, start: usize, rows: &mut [[f32; ROWS]]) {
    for (row, column) in rows.iter_mut().zip(columns.chunks_exact(wide)) {
        row.copy_from_slice(&column[start..start + ROWS]);
    }
}

fn rows_of_zeros(wide: usize) -> [Vec<f32>; ROWS] {
    std::array::from_fn(|_| vec![0f32; wide])
}

/// The forward pass of the queries `range` of one head of one image.
struct Forward<'a> {
    query: &'a [f32],
    key: &'a [f32],
    value: &'a [f32],
    /// Begins with a multiple of [`ROWS`].
    range: Range<usize>,
    sizes: Sizes,
}

impl WithSimd for Forward<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { query, key, value, range, sizes } = self;
        let (wide, scale) = (sizes.wide(), sizes.scale());
        let (wide_queries, wide_range) =
            (sizes.queries.next_multiple_of(LANES), range.len().next_multiple_of(LANES));
        let mut weights = rows_of_zeros(wide);
        let mut output = vec![0f32; sizes.depth() * wide_range];
        let mut logs = vec![0f32; wide_range];
        let mut queries = vec![[0f32; ROWS]; sizes.depth()];
        for start in (0..range.len()).step_by(ROWS) {
            take(query, wide_queries, range.start + start, &mut queries);
            scores(simd, &queries, key, wide, &mut weights);
            let mut factors = [0f32; ROWS];
            for (row, weights) in weights.iter_mut().enumerate() {
                let top = largest(&weights[..sizes.keys]);
                exponentials(weights, scale, scale * top);
                weights[sizes.keys..].fill(0.0);
                let sum = total(weights);
                factors[row] = 1.0 / sum;
                logs[start + row] = scale * top + sum.ln();
            }
            for (column, mixed) in value.chunks_exact(wide).zip(output.chunks_exact_mut(wide_range)) {
                let sums = sums(simd, &weights, column);
                for (row, sum) in sums.into_iter().enumerate() {
                    mixed[start + row] = sum * factors[row];
                }
            }
        }
        logs.truncate(range.len());
        (output, logs)
    }
}

/// The backward pass of one head of one image.
struct Backward<'a> {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    output: Vec<f32>,
    gradient: Vec<f32>,
    logs: &'a [f32],
    sizes: Sizes,
}

impl WithSimd for Backward<'_> {
    type Output = [Vec<f32>; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { query, key, value, output, gradient, logs, sizes } = self;
        let (wide, scale, depth) = (sizes.wide(), sizes.scale(), sizes.depth());
        let wide_queries = sizes.queries.next_multiple_of(LANES);
        let (mut weights, mut by_score) = (rows_of_zeros(wide), rows_of_zeros(wide));
        let mut by_query = vec![0f32; depth * wide_queries];
        let (mut by_key, mut by_value) = (vec![0f32; depth * wide], vec![0f32; depth * wide]);
        let zeros = vec![[0f32; ROWS]; depth];
        let (mut queries, mut gradients, mut outputs) = (zeros.clone(), zeros.clone(), zeros);
        for start in (0..sizes.queries).step_by(ROWS) {
            take(&query, wide_queries, start, &mut queries);
            take(&gradient, wide_queries, start, &mut gradients);
            take(&output, wide_queries, start, &mut outputs);
            scores(simd, &queries, &key, wide, &mut weights);
            scores(simd, &gradients, &value, wide, &mut by_score);
            for (row, (weights, by_score)) in weights.iter_mut().zip(&mut by_score).enumerate() {
                // A query that only pads the group of four has gradient 0 and adds nothing.
                let log = logs.get(start + row).copied().unwrap_or(f32::MAX);
                exponentials(weights, scale, log);
                weights[sizes.keys..].fill(0.0);
                let mean: f32 = gradients.iter().zip(&outputs).map(|(g, o)| g[row] * o[row]).sum();
                for (by_score, weight) in by_score.iter_mut().zip(weights.iter()) {
                    *by_score = *weight * (*by_score - mean) * scale;
                }
            }
            add(simd, &gradients, &weights, &mut by_value, wide);
            add(simd, &queries, &by_score, &mut by_key, wide);
            for (column, by_query) in key.chunks_exact(wide).zip(by_query.chunks_exact_mut(wide_queries)) {
                by_query[start..start + ROWS].copy_from_slice(&sums(simd, &by_score, column));
            }
        }
        [by_query, by_key, by_value]
    }
}

/// Computes `x ← exp(scale · x − shift)`. The exponents must not be positive.
#[inline(always)]
fn exponentials(row: &mut [f32], scale: f32, shift: f32) {
    for x in row {
        *x = exp(*x * scale - shift);
    }
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut side = [f32::NEG_INFINITY; LANES];
    let (body, tail) = row.as_chunks::<LANES>();
    for chunk in body {
        for (m, x) in side.iter_mut().zip(chunk) {
            *m = if *x > *m { *x } else { *m };
        }
    }
    side.iter().chain(tail).fold(f32::NEG_INFINITY, |m, x| m.max(*x))
}

#[inline(always)]
fn total(row: &[f32]) -> f32 {
    let mut side = [0f32; LANES];
    for chunk in row.as_chunks::<LANES>().0 {
        for (sum, x) in side.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    side.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_head_is_divided_among_threads_and_keeps_its_bits() {
        for (heads, queries) in [(1, 150), (1, 64), (1, 3), (2, 301)] {
            let sizes = Sizes { batch: 1, queries, keys: 37, channels: 6, heads };
            let mut random = fastrand::Rng::with_seed(3);
            let mut draw = |rows: usize| (0..rows * 6).map(|_| random.f32() - 0.5).collect::<Vec<f32>>();
            let (query, key, value) = (draw(queries), draw(37), draw(37));
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                pool.install(|| (ranges(sizes).len(), forward(&query, &key, &value, sizes)))
            };
            let (whole, expected) = with(1);
            assert_eq!(whole, 1);
            let (parts, divided) = with(4);
            assert_eq!(parts, (4_usize.div_ceil(heads)).min(queries / LEAST).max(1));
            assert_eq!(divided, expected, "{heads} heads and {queries} queries");
        }
    }
}
