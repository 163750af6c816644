//! The kernels, in burn's kernel language.
//!
//! Matrices are contiguous and row-major. A kernel reads and computes in single precision; what a product reads next may be
//! stored in half precision (`F`). A kernel with a reduction runs one group of units (a *cube*) for each row; the number of
//! units is a power of two.

use cubecl::prelude::*;

/// What [`affine`] computes after the bias is added; burn's kernel language has constants of integers only.
pub const NO_ACTIVATION: u32 = 0;
/// The exact GELU.
pub const GELU: u32 = 1;
/// `max(x, 0)`.
pub const RELU: u32 = 2;
/// x for x > 0, otherwise 0.01 x.
pub const LEAKY_RELU: u32 = 3;

/// The largest finite number of half precision.
pub const LARGEST_HALF: f32 = 65504.0;

/// Returns `value` as it is stored. What half precision cannot hold becomes `not_a_number`, because the conversion may give
/// infinity or the largest number, as the driver likes, and a mask of either would not look wrong.
#[cube]
fn stored<F: Float>(value: f32, not_a_number: f32, #[comptime] is_half: bool) -> F {
    let mut kept = value;
    if comptime!(is_half) {
        kept = select(value.abs() > 65504.0f32, not_a_number, value);
    }
    F::cast_from(kept)
}

/// Returns the sum of the values of all units, in every unit.
#[cube]
fn sum(shared: &mut Shared<[f32]>, value: f32) -> f32 {
    let unit = UNIT_POS_X as usize;
    // The values of the reduction before may still be read.
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let mut step = CUBE_DIM_X as usize / 2;
    while step > 0 {
        if unit < step {
            let other = shared[unit + step];
            shared[unit] += other;
        }
        sync_cube();
        step /= 2;
    }
    shared[0]
}

/// `norm(x + shift + before) · weight + bias + after`, one cube for each row of `x`, `[rows, channels]`. What is absent
/// is not read; another tensor takes its place. There may be more cubes than rows. With `is_rounded`, the result is stored in
/// `rounded` as well.
#[cube(launch)]
pub fn norm<F: Float>(
    x: &Tensor<f32>,
    shift: &Tensor<f32>,
    before: &Tensor<f32>,
    weight: &Tensor<f32>,
    bias: &Tensor<f32>,
    after: &Tensor<f32>,
    output: &mut Tensor<f32>,
    rounded: &mut Tensor<F>,
    rows: u32,
    channels: u32,
    eps: f32,
    not_a_number: f32,
    #[comptime] has_shift: bool,
    #[comptime] has_before: bool,
    #[comptime] has_after: bool,
    #[comptime] is_rounded: bool,
    #[comptime] units: usize,
) {
    let mut shared = Shared::<[f32]>::new_slice(units);
    let channels = channels as usize;
    let row = CUBE_POS_X as usize + CUBE_POS_Y as usize * CUBE_COUNT_X as usize;
    // A cube behind the last row takes part in all barriers, reads that row and writes nothing.
    let is_row = row < rows as usize;
    let start = min(row, rows as usize - 1) * channels;
    let unit = UNIT_POS_X as usize;
    let width = CUBE_DIM_X as usize;

    // The sum is kept in the output, where the following passes of the same unit read it.
    let mut part = 0.0f32;
    let mut channel = unit;
    while channel < channels {
        let mut value = x[start + channel];
        if comptime!(has_shift) {
            value += shift[channel];
        }
        if comptime!(has_before) {
            value += before[start + channel];
        }
        if is_row {
            output[start + channel] = value;
        }
        part += value;
        channel += width;
    }
    let mean = sum(&mut shared, part) / f32::cast_from(channels as u32);

    let mut part = 0.0f32;
    let mut channel = unit;
    while channel < channels {
        let difference = output[start + channel] - mean;
        part += difference * difference;
        channel += width;
    }
    let variance = sum(&mut shared, part) / f32::cast_from(channels as u32);
    let scale = 1.0f32 / (variance + eps).sqrt();

    let mut channel = unit;
    while channel < channels {
        let mut value = (output[start + channel] - mean) * scale * weight[channel] + bias[channel];
        if comptime!(has_after) {
            value += after[start + channel];
        }
        if is_row {
            output[start + channel] = value;
            if comptime!(is_rounded) {
                rounded[start + channel] = stored::<F>(value, not_a_number, is_rounded);
            }
        }
        channel += width;
    }
}

/// `activation(x + bias) + residual`, one unit for each value. `bias` has one row or as many as `x`.
#[cube(launch)]
pub fn affine<F: Float>(
    x: &Tensor<f32>,
    bias: &Tensor<f32>,
    residual: &Tensor<f32>,
    output: &mut Tensor<F>,
    length: u32,
    bias_length: u32,
    not_a_number: f32,
    #[comptime] activation: u32,
    #[comptime] has_residual: bool,
    #[comptime] is_half: bool,
) {
    let at = ABSOLUTE_POS;
    if at < length as usize {
        let sum = x[at] + bias[at % bias_length as usize];
        let mut value = sum;
        if comptime!(activation == 1) {
            value = 0.5f32 * sum * (1.0f32 + Erf::erf(sum * 0.707_106_77f32));
        }
        if comptime!(activation == 2) {
            // Unlike a maximum, this keeps what is not a number.
            value = select(sum < 0.0f32, 0.0f32, sum);
        }
        if comptime!(activation == 3) {
            value = select(sum < 0.0f32, 0.01f32 * sum, sum);
        }
        if comptime!(has_residual) {
            value += residual[at];
        }
        output[at] = stored::<F>(value, not_a_number, is_half);
    }
}

/// Combines the values of all units for each row of `shared`, `[rows, units]`, in its first column: their sum or the
/// largest.
#[cube]
fn combine(
    shared: &mut Shared<[f32]>,
    #[comptime] rows: usize,
    #[comptime] units: usize,
    #[comptime] is_sum: bool,
) {
    let unit = UNIT_POS_X as usize;
    sync_cube();
    let mut step = CUBE_DIM_X as usize / 2;
    while step > 0 {
        if unit < step {
            #[unroll]
            for row in 0..rows {
                let at = row * units + unit;
                let (one, other) = (shared[at], shared[at + step]);
                if comptime!(is_sum) {
                    shared[at] = one + other;
                } else {
                    shared[at] = max(one, other);
                }
            }
        }
        sync_cube();
        step /= 2;
    }
}

/// Attention of one head, `softmax(scale · q kᵀ) v`, one cube for `rows` queries, so that these share what is read of keys
/// and values. The keys are processed `capacity` at a time: what was summed with the largest score of earlier keys is
/// multiplied to fit the largest of all, see <https://arxiv.org/abs/2205.14135>, algorithm 1.
///
/// Queries are the first columns of `queries`, `[n, query_width]`; keys and values are the columns of `memory`,
/// `[m, memory_width]`, from `key_start` and `value_start`. The biases have the columns of their matrix, and one row or
/// as many as it. Keys for which `hidden`, `[m]`, is not zero are left out. `head_capacity` is at least the number of
/// channels of a head.
#[cube(launch)]
pub fn attention<F: Float>(
    queries: &Tensor<f32>,
    query_bias: &Tensor<f32>,
    memory: &Tensor<f32>,
    memory_bias: &Tensor<f32>,
    hidden: &Tensor<f32>,
    output: &mut Tensor<F>,
    length: u32,
    keys: u32,
    channels: u32,
    heads: u32,
    query_width: u32,
    query_bias_step: u32,
    memory_width: u32,
    memory_bias_step: u32,
    key_start: u32,
    value_start: u32,
    scale: f32,
    not_a_number: f32,
    #[comptime] has_hidden: bool,
    #[comptime] is_half: bool,
    #[comptime] rows: usize,
    #[comptime] capacity: usize,
    #[comptime] head_capacity: usize,
    #[comptime] units: usize,
) {
    let mut shared = Shared::<[f32]>::new_slice(rows * units);
    let mut scores = Shared::<[f32]>::new_slice(rows * capacity);
    let mut query = Shared::<[f32]>::new_slice(rows * head_capacity);
    let mut mixed = Shared::<[f32]>::new_slice(rows * head_capacity);
    // For each query, the largest score so far and the sum of the weights.
    let mut tops = Shared::<[f32]>::new_slice(rows);
    let mut totals = Shared::<[f32]>::new_slice(rows);
    let unit = UNIT_POS_X as usize;
    let step = CUBE_DIM_X as usize;
    let keys = keys as usize;
    let length = length as usize;
    let first = (CUBE_POS_X as usize + CUBE_POS_Z as usize * CUBE_COUNT_X as usize) * rows;
    let width = channels as usize / heads as usize;
    let column = CUBE_POS_Y as usize * width;
    let memory_width = memory_width as usize;
    let bias_step = memory_bias_step as usize;
    // Finite, because the language has no infinity.
    let lowest = f32::new(-3.0e38_f32);

    let mut pair = unit;
    while pair < rows * width {
        let (row, channel) = (pair / width, pair % width);
        // Rows behind the last query compute what it does, and are not written.
        let source = min(first + row, length - 1);
        let at = column + channel;
        query[row * head_capacity + channel] = (queries[source * query_width as usize + at]
            + query_bias[source * query_bias_step as usize + at])
            * scale;
        mixed[row * head_capacity + channel] = 0.0f32;
        pair += step;
    }
    if unit < rows {
        tops[unit] = lowest;
        totals[unit] = 0.0f32;
    }
    sync_cube();

    let mut start = 0usize;
    while start < keys {
        let count = min(capacity, keys - start);
        #[unroll]
        for row in 0..rows {
            shared[row * units + unit] = lowest;
        }
        let mut key = unit;
        while key < count {
            let at = (start + key) * memory_width + key_start as usize + column;
            let bias_at = (start + key) * bias_step + key_start as usize + column;
            let mut sums = Array::<f32>::new(rows);
            #[unroll]
            for row in 0..rows {
                sums[row] = 0.0f32;
            }
            let mut channel = 0usize;
            while channel < width {
                let value = memory[at + channel] + memory_bias[bias_at + channel];
                #[unroll]
                for row in 0..rows {
                    sums[row] += query[row * head_capacity + channel] * value;
                }
                channel += 1;
            }
            #[unroll]
            for row in 0..rows {
                let mut score = sums[row];
                if comptime!(has_hidden) {
                    score = select(hidden[start + key] != 0.0f32, lowest, score);
                }
                scores[row * capacity + key] = score;
                let top = shared[row * units + unit];
                shared[row * units + unit] = max(top, score);
            }
            key += step;
        }
        combine(&mut shared, rows, units, false);

        let mut sums = Array::<f32>::new(rows);
        let mut higher = Array::<f32>::new(rows);
        #[unroll]
        for row in 0..rows {
            let top = max(tops[row], shared[row * units]);
            higher[row] = top;
            let mut part = 0.0f32;
            let mut key = unit;
            while key < count {
                let weight = (scores[row * capacity + key] - top).exp();
                scores[row * capacity + key] = weight;
                part += weight;
                key += step;
            }
            sums[row] = part;
        }
        // The largest scores have been read.
        sync_cube();
        #[unroll]
        for row in 0..rows {
            shared[row * units + unit] = sums[row];
        }
        combine(&mut shared, rows, units, true);

        let mut pair = unit;
        while pair < rows * width {
            let (row, channel) = (pair / width, pair % width);
            let at = value_start as usize + column + channel;
            let mut top = lowest;
            #[unroll]
            for other in 0..rows {
                top = select(other == row, higher[other], top);
            }
            let mut value = mixed[row * head_capacity + channel] * (tops[row] - top).exp();
            let mut key = 0usize;
            while key < count {
                value += scores[row * capacity + key]
                    * (memory[(start + key) * memory_width + at] + memory_bias[(start + key) * bias_step + at]);
                key += 1;
            }
            mixed[row * head_capacity + channel] = value;
            pair += step;
        }
        // The largest scores of the keys before have been read.
        sync_cube();
        #[unroll]
        for row in 0..rows {
            if unit == row {
                totals[row] = totals[row] * (tops[row] - higher[row]).exp() + shared[row * units];
                tops[row] = higher[row];
            }
        }
        sync_cube();
        start += capacity;
    }

    let mut pair = unit;
    while pair < rows * width {
        let (row, channel) = (pair / width, pair % width);
        if first + row < length {
            let value = mixed[row * head_capacity + channel] / totals[row];
            output[(first + row) * channels as usize + column + channel] =
                stored::<F>(value, not_a_number, is_half);
        }
        pair += step;
    }
}

/// Depthwise 7×7 convolution with zero padding over `[n·n, channels]`, one unit for each value. `weight` is
/// `[49, channels]`.
#[cube(launch)]
pub fn depthwise7(
    x: &Tensor<f32>,
    weight: &Tensor<f32>,
    bias: &Tensor<f32>,
    output: &mut Tensor<f32>,
    n: u32,
    channels: u32,
) {
    let at = ABSOLUTE_POS;
    let channels = channels as usize;
    let n = n as usize;
    if at < n * n * channels {
        let channel = at % channels;
        let place = at / channels;
        let (row, column) = (place / n, place % n);
        let mut value = bias[channel];
        for y in 0..7usize {
            for x_offset in 0..7usize {
                // Shifted by 3, so that no number is negative.
                let (source_row, source_column) = (row + y, column + x_offset);
                if source_row >= 3 && source_row < n + 3 && source_column >= 3 && source_column < n + 3 {
                    let source = (source_row - 3) * n + source_column - 3;
                    value += x[source * channels + channel] * weight[(y * 7 + x_offset) * channels + channel];
                }
            }
        }
        output[at] = value;
    }
}

/// The 3×3 neighbourhood of every position of a grid of n² positions with `channels` values each, zero outside:
/// `[n², 9 channels]`, by rows, columns and channels. One unit for each value.
///
/// If `is_raised`, the first half of the channels comes from `x`, `[n²/4, 4 · channels/2]`, in which a row holds the four
/// positions of a 2×2 square, and the second half from `skip`, `[n², channels/2]`. Otherwise `x` is `[n², channels]`.
#[cube(launch)]
pub fn neighbourhoods<F: Float>(
    x: &Tensor<f32>,
    skip: &Tensor<f32>,
    output: &mut Tensor<F>,
    n: u32,
    channels: u32,
    not_a_number: f32,
    #[comptime] is_raised: bool,
    #[comptime] is_half: bool,
) {
    let at = ABSOLUTE_POS;
    let channels = channels as usize;
    let n = n as usize;
    if at < n * n * 9 * channels {
        let channel = at % channels;
        let tap = at / channels % 9;
        let place = at / (9 * channels);
        // Shifted by 1, so that no number is negative.
        let (row, column) = (place / n + tap / 3, place % n + tap % 3);
        let mut value = 0.0f32;
        if row >= 1 && row <= n && column >= 1 && column <= n {
            let (row, column) = (row - 1, column - 1);
            if comptime!(is_raised) {
                let half = channels / 2;
                if channel < half {
                    let square = (row / 2) * (n / 2) + column / 2;
                    value = x[(square * 4 + row % 2 * 2 + column % 2) * half + channel];
                } else {
                    value = skip[(row * n + column) * half + channel - half];
                }
            } else {
                value = x[(row * n + column) * channels + channel];
            }
        }
        output[at] = stored::<F>(value, not_a_number, is_half);
    }
}

/// The end of the sub-pixel head, one unit for each pixel: bias, pixel shuffle from `[n², 16]` to `[4n, 4n]`, mean over
/// the 4×4 pixels that end at each pixel with zeros outside, and the last bias.
#[cube(launch)]
pub fn shuffle_and_blur(
    x: &Tensor<f32>,
    bias: &Tensor<f32>,
    last: &Tensor<f32>,
    output: &mut Tensor<f32>,
    n: u32,
) {
    let at = ABSOLUTE_POS;
    let n = n as usize;
    let side = 4 * n;
    if at < side * side {
        let (row, column) = (at / side, at % side);
        let mut sum = 0.0f32;
        for y in 0..4usize {
            for x_offset in 0..4usize {
                if row >= y && column >= x_offset {
                    let (row, column) = (row - y, column - x_offset);
                    let place = row % 4 * 4 + column % 4;
                    sum += x[((row / 4) * n + column / 4) * 16 + place] + bias[place];
                }
            }
        }
        output[at] = sum / 16.0f32 + last[0];
    }
}
