//! Convolutions that keep the grid, of images `[channels, height, width]`, and their gradients.
//!
//! The library computes the gradient of a kernel as a convolution with an image as its kernel, one multiplication at a
//! time if there are few channels. Here everything is a product with packed weights: the convolution and the gradient
//! with respect to the image with the channels of a pixel side by side, the gradient with respect to the kernel with the
//! pixels of a channel side by side.

use super::Activation;
use super::product::{PackedWeights, Rows};

/// The sizes of a convolution with stride 1, an odd square kernel and as many zeros around the image as keep its grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct GridConv {
    /// The number of channels of the input.
    pub input: usize,
    /// The number of channels of the output.
    pub output: usize,
    /// The number of lines of an image.
    pub height: usize,
    /// The number of pixels of a line.
    pub width: usize,
    /// The side length of the kernel.
    pub kernel: usize,
}

/// The gradients of a convolution.
pub(super) struct Gradients {
    /// With respect to the input, if it was asked for.
    pub input: Option<Vec<f32>>,
    /// With respect to the weight, `[out, in, k, k]`.
    pub weight: Vec<f32>,
    /// With respect to the bias, `[out]`.
    pub bias: Vec<f32>,
}

impl GridConv {
    fn pixels(&self) -> usize {
        self.height * self.width
    }

    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// The number of pixels of a line with its zeros.
    fn stride(&self) -> usize {
        self.width + self.kernel - 1
    }

    /// The number of pixels of an image with its zeros.
    fn padded(&self) -> usize {
        (self.height + self.kernel - 1) * self.stride()
    }

    /// How many pixels of an image with zeros lie between a pixel of the output and what each tap reads for it.
    fn offsets(&self) -> Vec<usize> {
        (0..self.taps()).map(|tap| tap / self.kernel * self.stride() + tap % self.kernel).collect()
    }

    /// Maps images `[images, in, height, width]` to `[images, out, height, width]`. `weight` is `[out, in, k, k]`.
    pub fn forward(&self, images: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let taps = self.taps();
        let mut rows = vec![0f32; weight.len()];
        for (row, kernels) in rows.chunks_exact_mut(taps * self.input).zip(weight.chunks_exact(taps * self.input))
        {
            for (channel, kernel) in kernels.chunks_exact(taps).enumerate() {
                kernel.iter().enumerate().for_each(|(tap, value)| row[tap * self.input + channel] = *value);
            }
        }
        self.apply(images, &PackedWeights::new(&rows, bias.to_vec(), taps), self.input)
    }

    /// Returns the gradients from that with respect to the output.
    pub fn backward(&self, images: &[f32], gradient: &[f32], weight: &[f32], for_input: bool) -> Gradients {
        let mut bias = vec![0f32; self.output];
        for (channel, pixels) in gradient.chunks_exact(self.pixels().max(1)).enumerate() {
            bias[channel % self.output] += sum(pixels);
        }
        let input = for_input.then(|| self.by_input(gradient, weight));
        Gradients { input, weight: self.by_weight(images, gradient), bias }
    }

    /// The gradient with respect to the input is the convolution of the gradient with the kernels turned by 180°.
    fn by_input(&self, gradient: &[f32], weight: &[f32]) -> Vec<f32> {
        let taps = self.taps();
        let mut rows = vec![0f32; weight.len()];
        for (place, value) in weight.iter().enumerate() {
            let (output, input, tap) = (place / taps / self.input, place / taps % self.input, place % taps);
            rows[(input * taps + taps - 1 - tap) * self.output + output] = *value;
        }
        self.apply(gradient, &PackedWeights::new(&rows, vec![0.0; self.input], taps), self.output)
    }

    /// Applies packed kernels to images of this many channels.
    fn apply(&self, images: &[f32], weights: &PackedWeights, channels: usize) -> Vec<f32> {
        let (pixels, stride, border, offsets) = (self.pixels(), self.stride(), self.kernel / 2, self.offsets());
        let rows = Rows { count: pixels, line: self.width.max(1), stride, offsets: &offsets };
        let mut output = Vec::with_capacity(images.len() / channels.max(1) * weights.output());
        let mut side_by_side = vec![0f32; self.padded() * channels];
        for image in images.chunks_exact((channels * pixels).max(1)) {
            // Line by line, so that both sides of the transposition stay in the cache.
            for line in 0..self.height {
                let start = ((line + border) * stride + border) * channels;
                let values = &mut side_by_side[start..][..self.width * channels];
                for channel in 0..channels {
                    let source = &image[channel * pixels + line * self.width..][..self.width];
                    let places = values[channel..].iter_mut().step_by(channels);
                    places.zip(source).for_each(|(place, value)| *place = *value);
                }
            }
            let product = weights.multiply(&side_by_side, rows, Activation::None, None);
            let start = output.len();
            output.resize(start + product.len(), 0.0);
            let (planes, channels) = (&mut output[start..], weights.output());
            for (line, values) in product.chunks_exact((self.width * channels).max(1)).enumerate() {
                for channel in 0..channels {
                    let places = &mut planes[channel * pixels + line * self.width..][..self.width];
                    let source = values[channel..].iter().step_by(channels);
                    places.iter_mut().zip(source).for_each(|(place, value)| *place = *value);
                }
            }
        }
        output
    }

    /// For every tap the product of the image, moved by what the tap reads, and the gradient. Both have lines of the
    /// same length, so that moving is no more than another beginning: what lies beyond the end of a line, of an image
    /// or of a channel is multiplied by the zeros after the lines of the gradient.
    fn by_weight(&self, images: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (pixels, stride, border, offsets) = (self.pixels(), self.stride(), self.kernel / 2, self.offsets());
        let padded = self.padded();
        let margin = offsets.last().copied().unwrap_or(0);
        let mut image = vec![0f32; self.input * padded + margin];
        let mut by_output = vec![0f32; self.output * padded];
        let mut sums: Vec<Option<Vec<f32>>> = vec![None; self.taps()];
        let place = |to: &mut [f32], from: &[f32], first: usize| {
            for (channel, plane) in from.chunks_exact(pixels.max(1)).enumerate() {
                for (line, values) in plane.chunks_exact(self.width).enumerate() {
                    let start = channel * padded + line * stride + first;
                    to[start..][..self.width].copy_from_slice(values);
                }
            }
        };
        let pairs = images.chunks_exact((self.input * pixels).max(1));
        for (x, dy) in pairs.zip(gradient.chunks_exact((self.output * pixels).max(1))) {
            place(&mut image, x, border * stride + border);
            place(&mut by_output, dy, 0);
            let packed = PackedWeights::new(&by_output, vec![0.0; self.output], 1);
            for (sum, offset) in sums.iter_mut().zip(&offsets) {
                let rows = Rows::same(self.input);
                *sum = Some(packed.multiply(&image[*offset..], rows, Activation::None, sum.as_deref()));
            }
        }
        let mut weight = vec![0f32; self.output * self.input * self.taps()];
        for (tap, sum) in sums.iter().enumerate() {
            for (place, value) in sum.iter().flatten().enumerate() {
                let (input, output) = (place / self.output, place % self.output);
                weight[(output * self.input + input) * self.taps() + tap] = *value;
            }
        }
        weight
    }
}

/// The sum in eight parts, which is more exact than one after the other, and quicker.
fn sum(values: &[f32]) -> f32 {
    const PARTS: usize = 8;
    let mut parts = [0f32; PARTS];
    let chunks = values.chunks_exact(PARTS);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        parts.iter_mut().zip(chunk).for_each(|(part, value)| *part += value);
    }
    parts.iter().sum::<f32>() + rest
}
