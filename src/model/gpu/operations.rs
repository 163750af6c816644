//! The operations for burn's GPU backend, through its extension interface. With `Fusion`, an operation takes its place in
//! the queue of the operations that burn still wants to combine.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use half::f16;

use super::kernels;

/// The most units of a cube; every adapter offers as many.
const UNITS: u32 = 256;

/// The number of queries that share a cube of an attention, if there are many.
const SEVERAL: usize = 4;
/// The widest heads for which queries share a cube, because each takes memory for twice its channels.
const WIDE: usize = 128;
/// The most keys that an attention processes at a time. With them, and with heads of 128 channels, a cube takes 14 KiB.
const KEYS: usize = 512;
/// The fewest, by whose number those that are processed at a time can be divided.
const FEWEST_KEYS: usize = 32;
/// The values for which every adapter has memory in a cube: 16 KiB.
const SHARED: usize = 4096;

/// Which of the optional operands of [`Operations::normalise`] are given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// A row that is added first.
    pub shift: bool,
    /// A tensor that is added first.
    pub before: bool,
    /// A tensor that is added last.
    pub after: bool,
}

/// The sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The channels of all heads.
    pub channels: usize,
    /// The number of heads.
    pub heads: usize,
    /// The first column of the keys in the memory.
    pub key_start: usize,
    /// The first column of the values in the memory.
    pub value_start: usize,
    /// Whether some keys are hidden.
    pub has_hidden: bool,
}

/// The operations, each one kernel. The kernels are described in [`super::kernels`].
#[backend_extension(Cube, Fusion)]
pub trait Operations: Backend {
    /// The layer norm of rows.
    #[allow(clippy::too_many_arguments, reason = "every operand of a kernel is an argument of the interface")]
    #[fusion(dtype = x, shape = x)]
    fn normalise(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        before: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        after: FloatTensor<Self>,
        eps: f32,
        given: Given,
    ) -> FloatTensor<Self>;

    /// The layer norm of rows, and the same in half precision.
    #[allow(clippy::too_many_arguments, reason = "every operand of a kernel is an argument of the interface")]
    #[fusion(meta = twice)]
    fn normalise_twice(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        before: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        after: FloatTensor<Self>,
        eps: f32,
        given: Given,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The product of two matrices in half precision, which is summed and stored in single precision.
    #[fusion(dtype = element(&false), shape = multiplied(x, weight))]
    fn multiply(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Bias, activation and residual.
    #[fusion(dtype = element(is_half), shape = x)]
    fn finish(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        activation: u32,
        has_residual: bool,
        is_half: bool,
    ) -> FloatTensor<Self>;

    /// Attention of several heads.
    #[fusion(dtype = element(is_half), shape = attended(queries, layout))]
    fn attend_from(
        queries: FloatTensor<Self>,
        query_bias: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        memory_bias: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        layout: Layout,
        is_half: bool,
    ) -> FloatTensor<Self>;

    /// Depthwise 7×7 convolution.
    #[fusion(dtype = x, shape = x)]
    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        n: usize,
    ) -> FloatTensor<Self>;

    /// 3×3 neighbourhoods.
    #[fusion(dtype = element(is_half), shape = neighbours(n, channels))]
    fn neighbourhoods(
        x: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        n: usize,
        channels: usize,
        is_raised: bool,
        is_half: bool,
    ) -> FloatTensor<Self>;

    /// Pixel shuffle and mean of the head.
    #[fusion(dtype = x, shape = enlarged(n))]
    fn shuffle_and_blur(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        last: FloatTensor<Self>,
        n: usize,
    ) -> FloatTensor<Self>;
}

/// The element type of an output.
fn element(is_half: &bool) -> DType {
    if *is_half { DType::F16 } else { DType::F32 }
}

#[allow(clippy::too_many_arguments, reason = "it receives the arguments of the operation")]
fn twice(
    x: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &f32,
    _: &Given,
) -> (TensorSpec, TensorSpec) {
    (x.clone(), TensorSpec::new(x.shape.clone(), DType::F16))
}

fn multiplied(x: &Shape, weight: &Shape) -> Shape {
    [x[0], weight[1]].into()
}

fn attended(queries: &Shape, layout: &Layout) -> Shape {
    [queries[0], layout.channels].into()
}

fn neighbours(n: &usize, channels: &usize) -> Shape {
    [n * n, 9 * channels].into()
}

fn enlarged(n: &usize) -> Shape {
    [1, 1, 4 * n, 4 * n].into()
}

fn empty(like: &CubeTensor, shape: Shape, is_half: bool) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, element(&is_half))
}

/// The number of units of a cube that works on `width` values: a power of two.
fn units(width: usize) -> u32 {
    let width = u32::try_from(width).unwrap_or(UNITS);
    width.next_power_of_two().clamp(32, UNITS)
}

/// Distributes so many cubes over two dimensions, because one holds 65535 only. There may be some more in all.
fn spread(count: usize) -> [u32; 2] {
    let rows = count.div_ceil(usize::from(u16::MAX));
    [number(count.div_ceil(rows.max(1))), number(rows)]
}

/// The cubes for one unit for each of `values`.
fn cubes(values: usize) -> CubeCount {
    let [x, y] = spread(values.div_ceil(UNITS as usize));
    CubeCount::Static(x, y, 1)
}

/// The number of keys that an attention processes at a time: as many as there are, or as fit beside `rows` queries with
/// heads of `width` channels. Heads of more than 1900 channels leave no room; they need an adapter with more memory.
fn keys_at_a_time(keys: usize, rows: usize, width: usize, units: u32) -> usize {
    let others = units as usize + 2 * width + 2;
    let free = (SHARED / rows).saturating_sub(others) / FEWEST_KEYS * FEWEST_KEYS;
    keys.next_multiple_of(FEWEST_KEYS).min(free.clamp(FEWEST_KEYS, KEYS))
}

fn number(value: usize) -> u32 {
    u32::try_from(value).expect("a tensor has fewer than 2³² values")
}

fn argument(tensor: CubeTensor) -> TensorArg {
    into_contiguous(tensor).into_tensor_arg()
}

/// The distance of the biases of two rows: 0 if all have the same.
fn bias_step(bias: &CubeTensor) -> u32 {
    let shape = bias.shape();
    if shape[0] == 1 { 0 } else { number(shape[1]) }
}

/// Launches the layer norm.
fn norm(operands: [CubeTensor; 6], eps: f32, given: Given, output: &CubeTensor, rounded: Option<&CubeTensor>) {
    let shape = output.shape();
    let units = units(shape[1]);
    let [x_cubes, y_cubes] = spread(shape[0]);
    let [x, shift, before, weight, bias, after] = operands.map(argument);
    let launch = if rounded.is_some() { kernels::norm::launch::<f16> } else { kernels::norm::launch::<f32> };
    launch(
        &output.client.clone(),
        CubeCount::Static(x_cubes, y_cubes, 1),
        CubeDim::new_1d(units),
        x,
        shift,
        before,
        weight,
        bias,
        after,
        output.clone().into_tensor_arg(),
        rounded.unwrap_or(output).clone().into_tensor_arg(),
        number(shape[0]),
        number(shape[1]),
        eps,
        f32::NAN,
        given.shift,
        given.before,
        given.after,
        rounded.is_some(),
        units as usize,
    );
}

impl Operations for CubeBackend {
    fn normalise(
        x: CubeTensor,
        shift: CubeTensor,
        before: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        after: CubeTensor,
        eps: f32,
        given: Given,
    ) -> CubeTensor {
        let output = empty(&x, x.shape(), false);
        norm([x, shift, before, weight, bias, after], eps, given, &output, None);
        output
    }

    fn normalise_twice(
        x: CubeTensor,
        shift: CubeTensor,
        before: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        after: CubeTensor,
        eps: f32,
        given: Given,
    ) -> (CubeTensor, CubeTensor) {
        let [output, rounded] = [false, true].map(|is_half| empty(&x, x.shape(), is_half));
        norm([x, shift, before, weight, bias, after], eps, given, &output, Some(&rounded));
        (output, rounded)
    }

    fn multiply(x: CubeTensor, weight: CubeTensor) -> CubeTensor {
        let product = matmul(x, weight, None, MatmulStrategy::default(), element(&false));
        product.expect("two matrices that fit each other can be multiplied")
    }

    fn finish(
        x: CubeTensor,
        bias: CubeTensor,
        residual: CubeTensor,
        activation: u32,
        has_residual: bool,
        is_half: bool,
    ) -> CubeTensor {
        let shape = x.shape();
        let output = empty(&x, shape.clone(), is_half);
        let length = shape.num_elements();
        let bias_length = bias.shape().num_elements();
        let launch = if is_half { kernels::affine::launch::<f16> } else { kernels::affine::launch::<f32> };
        launch(
            &output.client.clone(),
            cubes(length),
            CubeDim::new_1d(UNITS),
            argument(x),
            argument(bias),
            argument(residual),
            output.clone().into_tensor_arg(),
            number(length),
            number(bias_length),
            f32::NAN,
            activation,
            has_residual,
            is_half,
        );
        output
    }

    fn attend_from(
        queries: CubeTensor,
        query_bias: CubeTensor,
        memory: CubeTensor,
        memory_bias: CubeTensor,
        hidden: CubeTensor,
        layout: Layout,
        is_half: bool,
    ) -> CubeTensor {
        let Layout { channels, heads, key_start, value_start, has_hidden } = layout;
        let (of_queries, of_memory) = (queries.shape(), memory.shape());
        let (rows, keys) = (of_queries[0], of_memory[0]);
        let output = empty(&queries, attended(&of_queries, &layout), is_half);
        let width = channels / heads;
        let rows_each = if rows >= SEVERAL * SEVERAL && width <= WIDE { SEVERAL } else { 1 };
        let units = units(keys.max(rows_each * width).min(128));
        let head_capacity = width.next_multiple_of(16);
        let [x_cubes, z_cubes] = spread(rows.div_ceil(rows_each));
        let (query_step, memory_step) = (bias_step(&query_bias), bias_step(&memory_bias));
        let launch = if is_half { kernels::attention::launch::<f16> } else { kernels::attention::launch::<f32> };
        launch(
            &output.client.clone(),
            CubeCount::Static(x_cubes, number(heads), z_cubes),
            CubeDim::new_1d(units),
            argument(queries),
            argument(query_bias),
            argument(memory),
            argument(memory_bias),
            argument(hidden),
            output.clone().into_tensor_arg(),
            number(rows),
            number(keys),
            number(channels),
            number(heads),
            number(of_queries[1]),
            query_step,
            number(of_memory[1]),
            memory_step,
            number(key_start),
            number(value_start),
            1.0 / (width as f32).sqrt(),
            f32::NAN,
            has_hidden,
            is_half,
            rows_each,
            keys_at_a_time(keys, rows_each, head_capacity, units),
            head_capacity,
            units as usize,
        );
        output
    }

    fn depthwise(x: CubeTensor, weight: CubeTensor, bias: CubeTensor, n: usize) -> CubeTensor {
        let shape = x.shape();
        let output = empty(&x, shape.clone(), false);
        kernels::depthwise7::launch(
            &output.client.clone(),
            cubes(shape.num_elements()),
            CubeDim::new_1d(UNITS),
            argument(x),
            argument(weight),
            argument(bias),
            output.clone().into_tensor_arg(),
            number(n),
            number(shape[1]),
        );
        output
    }

    fn neighbourhoods(
        x: CubeTensor,
        skip: CubeTensor,
        n: usize,
        channels: usize,
        is_raised: bool,
        is_half: bool,
    ) -> CubeTensor {
        let shape = neighbours(&n, &channels);
        let output = empty(&x, shape.clone(), is_half);
        let launch =
            if is_half { kernels::neighbourhoods::launch::<f16> } else { kernels::neighbourhoods::launch::<f32> };
        launch(
            &output.client.clone(),
            cubes(shape.num_elements()),
            CubeDim::new_1d(UNITS),
            argument(x),
            argument(skip),
            output.clone().into_tensor_arg(),
            number(n),
            number(channels),
            f32::NAN,
            is_raised,
            is_half,
        );
        output
    }

    fn shuffle_and_blur(x: CubeTensor, bias: CubeTensor, last: CubeTensor, n: usize) -> CubeTensor {
        let shape = enlarged(&n);
        let output = empty(&x, shape.clone(), false);
        kernels::shuffle_and_blur::launch(
            &output.client.clone(),
            cubes(shape.num_elements()),
            CubeDim::new_1d(UNITS),
            argument(x),
            argument(bias),
            argument(last),
            output.clone().into_tensor_arg(),
            number(n),
        );
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_cube_and_no_dimension_has_too_many() {
        for count in [1, 65_535, 65_536, 1 << 20, 5_000_001] {
            let [x, y] = spread(count).map(|size| size as usize);
            assert!(x <= 65_535 && y <= 65_535 && x * y >= count && (x - 1) * y < count, "{count}: {x}, {y}");
        }
    }

    #[test]
    fn an_attention_takes_no_more_memory_than_every_adapter_has() {
        for (keys, rows, width) in [(9, 4, 24), (4000, 4, 128), (4000, 1, 768), (50, 1, 1536), (4000, 1, 1840)] {
            let units = units(keys.min(128));
            let capacity = keys_at_a_time(keys, rows, width, units);
            let values = rows * (units as usize + capacity + 2 * width + 2);
            assert!(values <= SHARED && (FEWEST_KEYS..=KEYS).contains(&capacity), "{width}: {capacity}");
        }
        assert_eq!(keys_at_a_time(9, 4, 32, 32), 32, "no more than there are");
        assert_eq!(keys_at_a_time(4000, 4, 128, 128), KEYS);
    }
}
