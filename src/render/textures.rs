//! The textures that are uploaded to the device: image, probability, ground truth and labels.

use std::borrow::Cow;
use std::sync::Arc;

use eframe::egui_wgpu::wgpu;

use crate::data::{Mask, Texels};

/// The format of the labels.
const LABEL_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Uint;

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
    /// The reduced pictures of the texels, each with half the columns and rows of the one before
    /// ([`crate::data::pyramid`]). Without them, an image that is shown much reduced loses detail between its samples.
    pub reduced: Arc<Vec<Texels>>,
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

/// The labels of an annotation: for every pixel the number of its label, 0 where it has none.
#[derive(Clone, Debug)]
pub struct LabelLayer {
    /// The key of what the labels belong to, such as a slice; it changes when nothing of the previous content
    /// remains.
    pub key: u64,
    /// The numbers of columns and rows.
    pub size: [usize; 2],
    /// The numbers of the labels, row-major.
    pub values: Arc<Vec<u8>>,
    /// The number of changes of the content.
    pub revision: u64,
    /// The newest changes in ascending order, each with its revision and its box: left, top, width and height.
    /// Only these boxes are uploaded if the device has the content of an earlier revision.
    pub changes: Vec<(u64, [usize; 4])>,
    /// A box that holds every pixel with a label: left, top, width and height; `None` if no pixel has one. Only there are the
    /// labels read, which is most of the work of drawing them.
    pub labelled: Option<[usize; 4]>,
}

impl LabelLayer {
    /// Returns the boxes that changed since a revision; `None` if this is not known any more.
    fn changed_since(&self, revision: u64) -> Option<impl Iterator<Item = [usize; 4]> + '_> {
        let newer = self.changes.iter().filter(move |(of, _)| *of > revision);
        let missing = self.revision.checked_sub(revision)?;
        (newer.clone().count() as u64 == missing).then(|| newer.map(|(_, area)| *area))
    }

    /// Returns the left, top, right and bottom edges of the box that is drawn with labels, in image pixels, where one texel
    /// stands for up to `step` pixels along each axis.
    fn drawn_box(&self, step: usize) -> Option<[f32; 4]> {
        let [left, top, width, height] = self.labelled?;
        // A texel shows the label of its middle in all that it covers.
        let margin = if step > 1 { step } else { 0 };
        let [from, to] = [[left, top], [left + width + margin, top + height + margin]];
        let from = from.map(|side| side.saturating_sub(margin));
        Some([from[0], from[1], to[0], to[1]].map(|side| side as f32))
    }
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
        let view = upload(device, queue, format, [1, 1], &[&bytes[..texel.min(4)]]);
        Self { key: None, view }
    }
}

/// The texture of the labels on the device.
pub(super) struct ResidentLabels {
    /// The key and the revision of the content; `None` if no layer was uploaded.
    content: Option<(u64, u64)>,
    /// The edges of the box outside which no pixel has a label: left, top, right and bottom in image pixels; `None` if no
    /// pixel has one.
    pub(super) labelled: Option<[f32; 4]>,
    texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
}

impl ResidentLabels {
    /// Creates a texture of one texel that stands for a missing layer.
    pub(super) fn empty(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let texture = upload_texture(device, queue, LABEL_FORMAT, [1, 1], &[&[0]]);
        Self { content: None, labelled: None, view: view(&texture), texture }
    }

    /// Uploads what changed of the labels. Returns whether there is a new texture, which must be bound.
    pub(super) fn update(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, layer: &LabelLayer) -> bool {
        let content = Some((layer.key, layer.revision));
        if self.content == content {
            return false;
        }
        let limit = device.limits().max_texture_dimension_2d as usize;
        self.labelled = layer.drawn_box(step_of(layer.size, limit));
        let known =
            self.content.filter(|(key, _)| *key == layer.key && layer.size.iter().all(|side| *side <= limit));
        self.content = content;
        if let Some(changes) = known.and_then(|(_, revision)| layer.changed_since(revision)) {
            changes.for_each(|area| write_part(queue, &self.texture, layer, area));
            return false;
        }
        let (size, bytes) = fit(&layer.values, layer.size, limit);
        self.texture = upload_texture(device, queue, LABEL_FORMAT, size, &[&bytes]);
        self.view = view(&self.texture);
        true
    }
}

/// Uploads one box of the labels, row by row from where they lie in memory.
fn write_part(
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
    layer: &LabelLayer,
    [left, top, width, height]: [usize; 4],
) {
    if width == 0 || height == 0 {
        return;
    }
    let columns = layer.size[0];
    let (from, to) = (top * columns + left, (top + height - 1) * columns + left + width);
    let origin = wgpu::Origin3d { x: left as u32, y: top as u32, z: 0 };
    queue.write_texture(
        wgpu::TexelCopyTextureInfo { origin, ..texture.as_image_copy() },
        &layer.values[from..to],
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(columns as u32), rows_per_image: None },
        wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
    );
}

/// Creates a texture of `width` by `height` texels and uploads its levels, the largest first, their rows without padding.
pub(super) fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    format: wgpu::TextureFormat,
    size: [usize; 2],
    levels: &[&[u8]],
) -> wgpu::TextureView {
    view(&upload_texture(device, queue, format, size, levels))
}

fn view(texture: &wgpu::Texture) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn upload_texture(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    format: wgpu::TextureFormat,
    [width, height]: [usize; 2],
    levels: &[&[u8]],
) -> wgpu::Texture {
    let size = wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("himix picture"),
        size,
        mip_level_count: levels.len() as u32,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for (mip_level, bytes) in (0..).zip(levels) {
        let size = size.mip_level_size(mip_level, wgpu::TextureDimension::D2);
        let bytes_per_row = (bytes.len() / size.height as usize) as u32;
        queue.write_texture(
            wgpu::TexelCopyTextureInfo { mip_level, ..texture.as_image_copy() },
            bytes,
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: None },
            size,
        );
    }
    texture
}

/// Returns the number of pixels along an axis for which about one texel stands, in a texture whose sides are at most `limit`.
fn step_of([columns, rows]: [usize; 2], limit: usize) -> usize {
    columns.max(rows).div_ceil(limit.max(1)).max(1)
}

/// Returns the size and the bytes of a texture of masks or labels whose sides are at most `limit`. Of values that are
/// more, about every n-th pixel along both axes is taken: the one in the middle of what the texel covers. No
/// side becomes 0, which the device would refuse.
pub(super) fn fit(values: &[u8], [columns, rows]: [usize; 2], limit: usize) -> ([usize; 2], Cow<'_, [u8]>) {
    let step = step_of([columns, rows], limit);
    if step == 1 {
        return ([columns, rows], Cow::Borrowed(values));
    }
    let (width, height) = (columns.div_ceil(step), rows.div_ceil(step));
    let middle = |texel: usize, texels: usize, pixels: usize| (2 * texel + 1) * pixels / (2 * texels);
    let values = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, middle(y, height, rows))))
        .map(|(x, row)| values[row * columns + middle(x, width, columns)])
        .collect();
    ([width, height], std::borrow::Cow::Owned(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduced_truth_has_both_sides() {
        let fit = |width: usize, height: usize, limit: usize| {
            let values: Vec<u8> = (0..width * height).map(|at| (at % 251) as u8).collect();
            let (size, bytes) = super::fit(&values, [width, height], limit);
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

    #[test]
    fn only_what_changed_of_the_labels_is_uploaded_if_that_is_known() {
        let changes = vec![(3, [0, 0, 1, 1]), (4, [1, 0, 2, 2]), (5, [0, 1, 1, 1])];
        let layer = LabelLayer {
            key: 1,
            size: [4, 4],
            values: Arc::new(vec![0; 16]),
            revision: 5,
            changes,
            labelled: None,
        };
        let since = |revision| layer.changed_since(revision).map(Iterator::collect::<Vec<_>>);
        assert_eq!(since(4), Some(vec![[0, 1, 1, 1]]));
        assert_eq!(since(2), Some(vec![[0, 0, 1, 1], [1, 0, 2, 2], [0, 1, 1, 1]]));
        assert_eq!(since(5), Some(Vec::new()));
        assert_eq!((since(1), since(6)), (None, None), "all is uploaded");
    }
}
