//! The textures that are uploaded to the device: image, probability and ground truth.

use std::sync::Arc;

use eframe::egui_wgpu::wgpu;

use crate::data::{Mask, Texels};

/// The image. A layer with the key of the previous one is not uploaded again.
#[derive(Clone, Debug)]
pub struct ImageLayer {
    /// The key of the content; it changes when the pixels do.
    pub key: u64,
    /// The size of the image, in pixels.
    pub size: [usize; 2],
    /// The size of the texture in texels, which is smaller than the image if that was too large for the device.
    pub texture_size: [usize; 2],
    /// The number of image pixels along each side of a texel.
    pub reduction: usize,
    /// The content of the texture.
    pub texels: Texels,
}

/// The probability of the prediction, on the grid of the model's output.
#[derive(Clone, Debug)]
pub struct ProbabilityLayer {
    /// The key of the content; it changes when the values do.
    pub key: u64,
    /// The numbers of columns and rows of the grid.
    pub size: [usize; 2],
    /// The probabilities, row-major, 0…1.
    pub values: Arc<Vec<f32>>,
}

/// The ground truth of the image.
#[derive(Clone, Debug)]
pub struct TruthLayer {
    /// The key of the content; it changes when the mask does.
    pub key: u64,
    /// The mask, which has the size of the image.
    pub mask: Arc<Mask>,
}

/// A texture on the device. The key of its content is `None` if no layer was uploaded.
pub(super) struct Resident {
    pub(super) key: Option<u64>,
    pub(super) view: wgpu::TextureView,
}

impl Resident {
    /// Creates a texture of one texel that stands for a missing layer.
    pub(super) fn empty(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let bytes = [0; 4];
        let texel = format.block_copy_size(None).unwrap_or(4) as usize;
        let view = upload(device, queue, format, [1, 1], &bytes[..texel.min(4)]);
        Self { key: None, view }
    }
}

/// Creates a texture of `width` by `height` texels and uploads `bytes`, its rows without padding.
pub(super) fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    format: wgpu::TextureFormat,
    [width, height]: [usize; 2],
    bytes: &[u8],
) -> wgpu::TextureView {
    let size = wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("himix picture"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let bytes_per_row = (bytes.len() / height.max(1)) as u32;
    queue.write_texture(
        texture.as_image_copy(),
        bytes,
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: None },
        size,
    );
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// Returns the size and the bytes of a ground truth texture whose sides are at most `limit`. Of a mask that is
/// larger, about every n-th pixel along both axes is taken: the one in the middle of what the texel covers. No
/// side becomes 0, which the device would refuse.
pub(super) fn fit_truth(mask: &Mask, limit: usize) -> ([usize; 2], std::borrow::Cow<'_, [u8]>) {
    let step = mask.width.max(mask.height).div_ceil(limit.max(1)).max(1);
    if step == 1 {
        return ([mask.width, mask.height], std::borrow::Cow::Borrowed(&mask.values));
    }
    let (width, height) = (mask.width.div_ceil(step), mask.height.div_ceil(step));
    let middle = |texel: usize, texels: usize, pixels: usize| (2 * texel + 1) * pixels / (2 * texels);
    let values = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, middle(y, height, mask.height))))
        .map(|(x, row)| mask.values[row * mask.width + middle(x, width, mask.width)])
        .collect();
    ([width, height], std::borrow::Cow::Owned(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduced_truth_has_both_sides() {
        let fit = |width: usize, height: usize, limit: usize| {
            let values = (0..width * height).map(|at| (at % 251) as u8).collect();
            let mask = Mask { width, height, values };
            let (size, bytes) = fit_truth(&mask, limit);
            (size, bytes.into_owned())
        };
        // Three pixels for each texel, of which the middle one is taken.
        assert_eq!(fit(1, 9, 4), ([1, 3], vec![1, 4, 7]));
        assert_eq!(fit(9, 1, 4), ([3, 1], vec![1, 4, 7]));
        assert_eq!(fit(1, 20_000, 8192).0, [1, 6667]);
        assert_eq!(fit(6, 6, 2), ([2, 2], vec![7, 10, 25, 28]));
        // The last texel covers the pixels that are left.
        assert_eq!(fit(5, 1, 4), ([3, 1], vec![0, 2, 4]));
        for (width, height, limit) in [(1, 20_000, 8192), (3, 16_385, 8192), (20_000, 2, 8192), (17, 16, 16)] {
            let (size, bytes) = fit(width, height, limit);
            assert!(size.iter().all(|side| (1..=limit).contains(side)), "{size:?}");
            assert_eq!(bytes.len(), size[0] * size[1]);
        }
        assert_eq!(fit(3, 2, 3), ([3, 2], vec![0, 1, 2, 3, 4, 5]), "unchanged");
    }
}
