//! Matrix products with the weights of a layer, which are rearranged once when a model is opened.
//!
//! A general product rearranges (packs) its operands in every call, which for the 24 tokens of a prompt or the 49 and
//! 196 positions of an image costs as much as the product itself; without it, the columns of a wide layer fall into
//! the same lines of the cache. Here the weights lie in the order in which they are used, in panels of 64 columns, and
//! bias, activation and residual are applied while the sums are still in the cache.
//!
//! A 3×3 convolution is a product as well: each position of its kernel (a *tap*) reads the image at another offset.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{Activation, bias_activation};

/// The number of columns of a panel. The sums of six rows of it fill the registers of the widest vectors.
const PANEL: usize = 64;
/// The narrowest panel: a vector of the widest kind.
const LEAST_PANEL: usize = 16;
/// The rows of a panel that are used for all inputs before the next ones, so that they stay in the second-level cache.
const DEPTH: usize = 1536;
/// The largest number of rows of the output in a task, whose sums must stay in the cache.
const TALL: usize = 192;
/// The smallest number of rows for which each thread computes its own rows and reads all weights. With fewer rows,
/// the threads share the weights out.
const LEAST_ROWS: usize = 48;
/// The number of rows of a tile.
const HIGH: usize = 6;
/// The number of multiplications below which a second thread costs more than it gains.
const SMALL: usize = 1 << 18;

/// The weights of a layer in the order in which a product uses them, with the bias.
#[derive(Debug)]
pub struct PackedWeights {
    /// The panels, each `[depth, width]`. All but the last are [`PANEL`] wide; the last is filled up with zeros.
    panels: Vec<f32>,
    bias: Vec<f32>,
    /// The number of channels of the input.
    input: usize,
    /// The number of taps; 1 for a linear layer.
    taps: usize,
}

/// The rows of the input that a row of the output reads.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The number of rows of the output.
    pub count: usize,
    /// The number of rows of the output after which the input skips rows.
    pub line: usize,
    /// The number of rows of the input for `line` rows of the output.
    pub stride: usize,
    /// The offset in rows of every tap.
    pub offsets: &'a [usize],
}

impl Rows<'_> {
    /// The rows of a linear layer.
    pub fn same(count: usize) -> Self {
        Self { count, line: count.max(1), stride: count.max(1), offsets: &[0] }
    }

    fn first(&self, row: usize) -> usize {
        row / self.line * self.stride + row % self.line
    }
}

/// A part of the depth of a product that reads consecutive values of the input.
#[derive(Clone, Copy)]
struct Segment {
    /// The offset in rows of the input.
    offset: usize,
    /// The first channel.
    channel: usize,
    /// The first row of the panel.
    place: usize,
    /// The number of channels.
    length: usize,
}

impl PackedWeights {
    /// Rearranges `weight`, `[out, taps · in]` in row-major order, with the bias `[out]`.
    pub fn new(weight: &[f32], bias: Vec<f32>, taps: usize) -> Self {
        let output = bias.len();
        let depth = weight.len() / output.max(1);
        let columns = output / PANEL * PANEL + (output % PANEL).next_multiple_of(LEAST_PANEL);
        let mut panels = vec![0f32; columns * depth];
        panels.par_chunks_mut((PANEL * depth).max(1)).enumerate().for_each(|(number, panel)| {
            let width = panel.len() / depth;
            let rows = &weight[number * PANEL * depth..weight.len().min((number + 1) * PANEL * depth)];
            // In blocks, so that both sides of the transposition stay in the cache.
            for first in (0..depth).step_by(LEAST_PANEL) {
                let last = (first + LEAST_PANEL).min(depth);
                for (column, row) in rows.chunks_exact(depth).enumerate() {
                    for (line, value) in panel[first * width..].chunks_exact_mut(width).zip(&row[first..last]) {
                        line[column] = *value;
                    }
                }
            }
        });
        Self { panels, bias, input: depth / taps.max(1), taps }
    }

    /// The number of columns of the output.
    pub fn output(&self) -> usize {
        self.bias.len()
    }

    fn depth(&self) -> usize {
        self.taps * self.input
    }

    /// The panel with this number, and its width.
    fn panel(&self, number: usize) -> (&[f32], usize) {
        let start = number * PANEL * self.depth();
        let panel = &self.panels[start..self.panels.len().min(start + PANEL * self.depth())];
        (panel, panel.len() / self.depth().max(1))
    }

    /// The depth, divided into blocks whose part of a panel stays in the cache.
    fn blocks(&self, offsets: &[usize]) -> Vec<Vec<Segment>> {
        let mut blocks: Vec<Vec<Segment>> = Vec::new();
        let mut rest = 0;
        for (tap, offset) in offsets.iter().enumerate() {
            let mut channel = 0;
            while channel < self.input {
                let length = DEPTH.min(self.input - channel);
                let segment = Segment { offset: *offset, channel, place: tap * self.input + channel, length };
                match blocks.last_mut() {
                    Some(block) if length <= rest => block.push(segment),
                    _ => {
                        rest = DEPTH;
                        blocks.push(vec![segment]);
                    }
                }
                rest -= length;
                channel += length;
            }
        }
        blocks
    }

    /// Computes `activation(x Wᵀ + b) + residual` for the rows of `input`, `[.., in]`. The result is `[rows, out]`, like
    /// the residual.
    ///
    /// # Panics
    /// Panics if there is not one offset for each tap, or a row lies outside of `input`.
    pub fn multiply(
        &self,
        input: &[f32],
        rows: Rows,
        activation: Activation,
        residual: Option<&[f32]>,
    ) -> Vec<f32> {
        assert_eq!(rows.offsets.len(), self.taps, "a row of the output reads one row for each tap");
        let (output, count) = (self.output(), rows.count);
        let panels = output.div_ceil(PANEL);
        let (tall, wide) = grid(count, panels, count * output * self.depth());
        let across = panels.div_ceil(wide.max(1)).max(1);
        let blocks = self.blocks(rows.offsets);
        let mut values: Vec<f32> = Vec::with_capacity(count * output);
        let mut tasks: Vec<Task> = (0..count.div_ceil(tall) * across)
            .map(|number| {
                let (row, panel) = (number / across * tall, number % across * wide);
                Task {
                    weights: self,
                    input,
                    rows,
                    activation,
                    residual,
                    blocks: &blocks,
                    first: row,
                    panels: panel..(panel + wide).min(panels),
                    lines: Vec::with_capacity(tall),
                }
            })
            .collect();
        let space = &mut values.spare_capacity_mut()[..count * output];
        for (row, line) in space.chunks_exact_mut(output.max(1)).enumerate() {
            for (place, part) in line.chunks_mut(wide * PANEL).enumerate() {
                tasks[row / tall * across + place].lines.push(part);
            }
        }
        let arch = Arch::new();
        if tasks.len() == 1 {
            tasks.into_iter().for_each(|task| arch.dispatch(task));
        } else {
            tasks.into_par_iter().with_max_len(1).for_each(|task| arch.dispatch(task));
        }
        // SAFETY: the capacity was reserved above. The tasks together have all parts of all lines, and each of them
        // writes every value of its parts.
        #[allow(unsafe_code)]
        unsafe {
            values.set_len(count * output);
        }
        values
    }
}

/// The number of rows and of panels of a task.
fn grid(rows: usize, panels: usize, operations: usize) -> (usize, usize) {
    let threads = rayon::current_num_threads();
    if threads == 1 || operations < SMALL {
        return (TALL.min(rows.next_multiple_of(HIGH)).max(HIGH), panels.max(1));
    }
    let blocks = rows.div_ceil(TALL).max(threads.min(rows / LEAST_ROWS)).max(1);
    let blocks = if blocks > 1 { blocks.next_multiple_of(threads.min(blocks)) } else { 1 };
    let tall = rows.div_ceil(blocks).next_multiple_of(HIGH).max(HIGH);
    let blocks = rows.div_ceil(tall).max(1);
    // More tasks than threads, so that a thread that was interrupted does not delay the others.
    let across = if blocks < threads { (2 * threads).div_ceil(blocks) } else { 1 };
    (tall, panels.div_ceil(across.min(panels).max(1)).max(1))
}

/// The product for some rows and panels of the output.
struct Task<'a> {
    weights: &'a PackedWeights,
    input: &'a [f32],
    rows: Rows<'a>,
    activation: Activation,
    residual: Option<&'a [f32]>,
    blocks: &'a [Vec<Segment>],
    first: usize,
    panels: Range<usize>,
    /// The columns of the panels in every row.
    lines: Vec<&'a mut [MaybeUninit<f32>]>,
}

/// A block of the depth of a panel.
#[derive(Clone, Copy)]
struct Run<'a> {
    input: &'a [f32],
    channels: usize,
    segments: &'a [Segment],
    panel: &'a [f32],
    width: usize,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, input, rows, activation, residual, blocks, first, panels, mut lines } = self;
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        // Vectors of eight values come with sixteen registers, the others with thirty-two.
        let most = if lanes == 8 { 2 } else { 4 };
        let count = lines.len();
        let mut sums = vec![0f32; count * PANEL];
        let start = panels.start;
        for number in panels {
            let (panel, width) = weights.panel(number);
            for (block, segments) in blocks.iter().enumerate() {
                let run = Run { input, channels: weights.input, segments, panel, width };
                let is_first = block == 0;
                let mut row = 0;
                while row < count {
                    let base: [usize; HIGH] = std::array::from_fn(|offset| rows.first(first + row + offset));
                    let sums = &mut sums[row * PANEL..];
                    let high = match count - row {
                        HIGH.. => HIGH,
                        2.. => 2,
                        _ => 1,
                    };
                    let mut column = 0;
                    while column < width {
                        let vectors = ((width - column) / lanes).min(most);
                        let vectors = if vectors == 3 { 2 } else { vectors };
                        match (high, vectors) {
                            (HIGH, 4) => six_by_four(simd, run, base, column, sums, is_first),
                            (HIGH, 2) => six_by_two(simd, run, base, column, sums, is_first),
                            (HIGH, _) => six_by_one(simd, run, base, column, sums, is_first),
                            (2, 4) => two_by_four(simd, run, base, column, sums, is_first),
                            (2, 2) => two_by_two(simd, run, base, column, sums, is_first),
                            (2, _) => two_by_one(simd, run, base, column, sums, is_first),
                            (_, 4) => one_by_four(simd, run, base, column, sums, is_first),
                            (_, 2) => one_by_two(simd, run, base, column, sums, is_first),
                            (_, _) => one_by_one(simd, run, base, column, sums, is_first),
                        }
                        column += vectors * lanes;
                    }
                    row += high;
                }
            }
            let columns = number * PANEL..weights.output().min((number + 1) * PANEL);
            let bias = &weights.bias[columns.clone()];
            for (index, line) in lines.iter_mut().enumerate() {
                let line = &mut line[(number - start) * PANEL..][..columns.len()];
                let sums = &mut sums[index * PANEL..][..columns.len()];
                bias_activation(sums, bias, activation);
                let place = (first + index) * weights.output() + columns.start;
                match residual.map(|residual| &residual[place..][..columns.len()]) {
                    Some(residual) => {
                        for ((y, sum), x) in line.iter_mut().zip(sums.iter()).zip(residual) {
                            y.write(sum + x);
                        }
                    }
                    None => {
                        for (y, sum) in line.iter_mut().zip(sums.iter()) {
                            y.write(*sum);
                        }
                    }
                }
            }
        }
    }
}

/// Defines the product of some rows of the input with some vectors of columns from `column` on, whose sums it stores, or
/// adds, in rows of [`PANEL`].
///
/// The sums are separate variables because the compiler would keep arrays of sums in memory instead of registers.
macro_rules! tile {
    ($name:ident, [$($weight:ident)*], $(($row:literal $x:ident $([$w:ident $sum:ident $vector:literal])*))*) => {
        #[inline(always)]
        fn $name<S: Simd>(
            simd: S,
            run: Run,
            base: [usize; HIGH],
            column: usize,
            sums: &mut [f32],
            is_first: bool,
        ) {
            $($(let mut $sum = simd.splat_f32s(0.0);)*)*
            for segment in run.segments {
                let length = segment.length;
                let lines = run.panel[segment.place * run.width..].chunks_exact(run.width);
                $(
                    let start = (base[$row] + segment.offset) * run.channels + segment.channel;
                    let $x = &run.input[start..][..length];
                )*
                for (line, k) in lines.zip(0..length) {
                    let [$($weight,)* ..] = S::as_simd_f32s(&line[column..]).0 else {
                        unreachable!("the panel has these columns");
                    };
                    $(
                        let value = simd.splat_f32s($x[k]);
                        $($sum = simd.mul_add_f32s(*$w, value, $sum);)*
                    )*
                }
            }
            $(
                let vectors = S::as_mut_simd_f32s(&mut sums[$row * PANEL + column..][..PANEL - column]).0;
                $(
                    vectors[$vector] = if is_first { $sum } else { simd.add_f32s(vectors[$vector], $sum) };
                )*
            )*
        }
    };
}

tile!(six_by_four, [w0 w1 w2 w3],
    (0 x0 [w0 a0 0] [w1 a1 1] [w2 a2 2] [w3 a3 3])
    (1 x1 [w0 b0 0] [w1 b1 1] [w2 b2 2] [w3 b3 3])
    (2 x2 [w0 c0 0] [w1 c1 1] [w2 c2 2] [w3 c3 3])
    (3 x3 [w0 d0 0] [w1 d1 1] [w2 d2 2] [w3 d3 3])
    (4 x4 [w0 e0 0] [w1 e1 1] [w2 e2 2] [w3 e3 3])
    (5 x5 [w0 f0 0] [w1 f1 1] [w2 f2 2] [w3 f3 3]));
tile!(six_by_two, [w0 w1],
    (0 x0 [w0 a0 0] [w1 a1 1])
    (1 x1 [w0 b0 0] [w1 b1 1])
    (2 x2 [w0 c0 0] [w1 c1 1])
    (3 x3 [w0 d0 0] [w1 d1 1])
    (4 x4 [w0 e0 0] [w1 e1 1])
    (5 x5 [w0 f0 0] [w1 f1 1]));
tile!(six_by_one, [w0],
    (0 x0 [w0 a0 0]) (1 x1 [w0 b0 0]) (2 x2 [w0 c0 0]) (3 x3 [w0 d0 0]) (4 x4 [w0 e0 0]) (5 x5 [w0 f0 0]));
tile!(two_by_four, [w0 w1 w2 w3],
    (0 x0 [w0 a0 0] [w1 a1 1] [w2 a2 2] [w3 a3 3])
    (1 x1 [w0 b0 0] [w1 b1 1] [w2 b2 2] [w3 b3 3]));
tile!(two_by_two, [w0 w1], (0 x0 [w0 a0 0] [w1 a1 1]) (1 x1 [w0 b0 0] [w1 b1 1]));
tile!(two_by_one, [w0], (0 x0 [w0 a0 0]) (1 x1 [w0 b0 0]));
tile!(one_by_four, [w0 w1 w2 w3], (0 x0 [w0 a0 0] [w1 a1 1] [w2 a2 2] [w3 a3 3]));
tile!(one_by_two, [w0 w1], (0 x0 [w0 a0 0] [w1 a1 1]));
tile!(one_by_one, [w0], (0 x0 [w0 a0 0]));

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(random: &mut fastrand::Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| random.f32() - 0.5).collect()
    }

    /// The product in f64, one value at a time, before the activation.
    fn expected(
        [input, weight, bias]: [&[f32]; 3],
        rows: Rows,
        channels: usize,
        row: usize,
        column: usize,
    ) -> f64 {
        let depth = channels * rows.offsets.len();
        let weight = &weight[column * depth..(column + 1) * depth];
        let taps = rows.offsets.iter().zip(weight.chunks_exact(channels));
        let sum: f64 = taps
            .flat_map(|(offset, weight)| {
                let first = rows.first(row) + offset;
                weight.iter().zip(&input[first * channels..])
            })
            .map(|(w, x)| f64::from(*w) * f64::from(*x))
            .sum();
        sum + f64::from(bias[column])
    }

    #[test]
    fn every_remainder_is_right_on_any_number_of_threads() {
        let mut random = fastrand::Rng::with_seed(1);
        // Fewer and more rows than a tile and a task, widths beside those of panels, a depth of several blocks.
        let sizes =
            [(1, 3, 5), (7, 33, 70), (49, 96, 130), (196, 100, 96), (13, 3100, 66), (401, 20, 16), (3, 1600, 200)];
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for (rows, depth, output) in sizes {
                let (input, weight) = (draw(&mut random, rows * depth), draw(&mut random, output * depth));
                let (bias, residual) = (draw(&mut random, output), draw(&mut random, rows * output));
                let packed = PackedWeights::new(&weight, bias.clone(), 1);
                for (activation, onto) in [
                    (Activation::None, None),
                    (Activation::Relu, Some(&residual[..])),
                    (Activation::LeakyRelu, None),
                ] {
                    let found = pool.install(|| packed.multiply(&input, Rows::same(rows), activation, onto));
                    assert_eq!(found.len(), rows * output);
                    for (place, found) in found.iter().enumerate() {
                        let (row, column) = (place / output, place % output);
                        let sum = expected([&input, &weight, &bias], Rows::same(rows), depth, row, column);
                        let active = match activation {
                            Activation::Relu => sum.max(0.0),
                            Activation::LeakyRelu => sum.max(0.01 * sum),
                            _ => sum,
                        };
                        let exact = active + onto.map_or(0.0, |onto| f64::from(onto[place]));
                        let error = (f64::from(*found) - exact).abs();
                        assert!(error < 1e-4, "{rows}×{depth}×{output} at {row}, {column}: {error:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn taps_read_rows_at_their_offsets() {
        let mut random = fastrand::Rng::with_seed(2);
        // The depth of a tap does not divide that of a block, and blocks hold several taps or parts of one.
        for (channels, output) in [(5, 20), (700, 33), (1600, 17)] {
            let (line, stride, lines) = (5, 8, 3);
            let offsets = [0, 2, 8, 9];
            let rows = Rows { count: line * lines, line, stride, offsets: &offsets };
            let input = draw(&mut random, (stride * lines + 9) * channels);
            let weight = draw(&mut random, output * channels * offsets.len());
            let bias = draw(&mut random, output);
            let found =
                PackedWeights::new(&weight, bias.clone(), 4).multiply(&input, rows, Activation::None, None);
            for (place, found) in found.iter().enumerate() {
                let exact = expected([&input, &weight, &bias], rows, channels, place / output, place % output);
                assert!((f64::from(*found) - exact).abs() < 1e-4, "{channels} channels at {place}");
            }
        }
    }

    #[test]
    fn tasks_cover_all_rows_and_panels() {
        for threads in [1, 2, 3, 16] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for (rows, panels) in [(1, 1), (24, 12), (49, 48), (196, 24), (3136, 2), (100_000, 1)] {
                let (tall, wide) = pool.install(|| grid(rows, panels, usize::MAX));
                assert!(tall > 0 && tall % HIGH == 0 && wide > 0 && wide <= panels);
                // The sums of a task stay in the cache.
                assert!(tall < TALL + HIGH, "{tall} rows");
                let tasks = rows.div_ceil(tall) * panels.div_ceil(wide);
                assert!(tasks >= threads.min(panels), "{rows} rows, {panels} panels: {tasks} tasks");
            }
        }
    }
}
