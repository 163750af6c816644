//! Draws the image view in egui by a paint callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eframe::egui::epaint::ViewportInPixels;
use eframe::egui::{PaintCallback, PaintCallbackInfo, Rect};
use eframe::egui_wgpu::{self, CallbackResources, CallbackTrait, ScreenDescriptor, wgpu};

use super::content::Paint;
use super::reduction::Reduction;
use super::resources::Pipeline;
use super::uniforms::{
    HAS_VALUES, IS_REDUCED, LABEL_IS_TRUTH, NEEDS_LABELS, NEEDS_PREDICTION, NEEDS_TRUTH, SAMPLES,
};
use crate::data::Texels;

/// Draws images on a surface of a fixed texture format.
#[derive(Clone, Debug)]
pub struct Picture {
    format: wgpu::TextureFormat,
    uploads: Arc<AtomicU64>,
}

impl Picture {
    /// Creates the painter for a surface of `format`. The shader is compiled when the first image is drawn.
    pub fn new(format: wgpu::TextureFormat) -> Self {
        Self { format, uploads: Arc::default() }
    }

    /// Returns the number of textures that have been uploaded so far.
    pub fn uploads(&self) -> u64 {
        self.uploads.load(Ordering::Relaxed)
    }

    /// Returns the paint callback that draws the image in `rect`. It adds the size and the kind of the image to
    /// the uniforms.
    pub fn callback(&self, rect: Rect, mut paint: Paint) -> PaintCallback {
        let Paint { image, probability, truth, labels, uniforms, .. } = &mut paint;
        uniforms.size = image.size.map(|side| side as f32);
        uniforms.texels = 1.0 / image.reduction.max(1) as f32;
        if let Texels::StoredPixels { scale, .. } = &image.texels {
            uniforms.flags |= HAS_VALUES;
            uniforms.window = [uniforms.window[0] / scale, uniforms.window[1] * scale];
        }
        let spanned = uniforms.step.map(|step| step * uniforms.texels);
        if let Some(Reduction { level, samples: [across, down] }) = Reduction::new(spanned, image.reduced.len()) {
            uniforms.level = level as f32;
            uniforms.flags |= IS_REDUCED | across << SAMPLES[0] | down << SAMPLES[1];
        }
        if probability.is_none() {
            uniforms.flags &= !NEEDS_PREDICTION;
        }
        if labels.is_none() {
            uniforms.flags &= !NEEDS_LABELS;
        }
        if truth.is_none() && uniforms.flags & LABEL_IS_TRUTH == 0 {
            uniforms.flags &= !NEEDS_TRUTH;
        }
        egui_wgpu::Callback::new_paint_callback(rect, Callback { picture: self.clone(), paint })
    }
}

/// The callback that egui runs for one image in a frame.
struct Callback {
    picture: Picture,
    paint: Paint,
}

impl CallbackTrait for Callback {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let format = self.picture.format;
        let pipeline = resources.entry::<Pipeline>().or_insert_with(|| Pipeline::new(device, queue, format));
        let uploaded = pipeline.update(device, queue, &self.paint);
        self.picture.uploads.fetch_add(uploaded, Ordering::Relaxed);
        Vec::new()
    }

    fn paint(&self, info: PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        let Some(pipeline) = resources.get::<Pipeline>() else { return };
        let Some(drawn) = pipeline.drawn(self.paint.place) else { return };
        let view = info.viewport_in_pixels();
        let size = [view.width_px, view.height_px].map(|side| u32::try_from(side).unwrap_or(0));
        let (uniforms, seen) = (&self.paint.uniforms, info.clip_rect_in_pixels());
        pass.set_bind_group(0, drawn.bind_group, &[]);
        let mut draw = |pipeline: &wgpu::RenderPipeline, part: [u32; 4]| {
            if let Some([left, top, width, height]) = common(part, [view.left_px, view.top_px], &seen) {
                pass.set_scissor_rect(left, top, width, height);
                pass.set_pipeline(pipeline);
                pass.draw(0..3, 0..1);
            }
        };
        let whole = [0, 0, size[0], size[1]];
        let image = uniforms.covered(size).unwrap_or([0; 4]);
        around(whole, image).into_iter().for_each(|part| draw(&pipeline.ground, part));
        // What reads the labels runs only where there are some.
        let labelled = match drawn.unlabelled {
            Some(_) => drawn.labelled.and_then(|area| overlap(image, uniforms.covered_by(area, size)?)),
            None => Some(image),
        };
        let labelled = labelled.unwrap_or([0; 4]);
        draw(drawn.pipeline, labelled);
        if let Some(unlabelled) = drawn.unlabelled {
            around(image, labelled).into_iter().for_each(|part| draw(unlabelled, part));
        }
    }
}

/// Returns the part that two rectangles have in common, each as left, top, width and height. Returns `None` if there is none.
fn overlap(one: [u32; 4], other: [u32; 4]) -> Option<[u32; 4]> {
    let axis = |axis: usize| {
        let from = one[axis].max(other[axis]);
        let to = (one[axis] + one[axis + 2]).min(other[axis] + other[axis + 2]);
        (to > from).then(|| [from, to - from])
    };
    let ([left, width], [top, height]) = (axis(0)?, axis(1)?);
    Some([left, top, width, height])
}

/// Returns the parts of a rectangle above, below, left and right of another one that lies within it, each as left, top,
/// width and height; parts may be empty.
fn around([left, top, width, height]: [u32; 4], inner: [u32; 4]) -> [[u32; 4]; 4] {
    // Of an inner one without area nothing is cut out.
    let [x, y, wide, high] = if inner[2] * inner[3] == 0 { [left, top, 0, 0] } else { inner };
    [
        [left, top, width, y - top],
        [left, y + high, width, top + height - (y + high)],
        [left, y, x - left, high],
        [x + wide, y, left + width - (x + wide), high],
    ]
}

/// Returns the part of a rectangle that lies within `clip`, as left, top, width and height in pixels. The
/// rectangle is given relative to the viewport corner `from`. Returns `None` if nothing is left.
fn common([left, top, width, height]: [u32; 4], from: [i32; 2], clip: &ViewportInPixels) -> Option<[u32; 4]> {
    let axis = |start: i32, length: u32, clip_start: i32, clip_length: i32| {
        let (from, to) = (start.max(clip_start).max(0), (start + length as i32).min(clip_start + clip_length));
        (to > from).then(|| [from as u32, (to - from) as u32])
    };
    let [x, wide] = axis(from[0] + left as i32, width, clip.left_px, clip.width_px)?;
    let [y, high] = axis(from[1] + top as i32, height, clip.top_px, clip.height_px)?;
    Some([x, y, wide, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_of_the_picture_is_drawn() {
        let clip = ViewportInPixels { left_px: 100, top_px: 50, from_bottom_px: 0, width_px: 400, height_px: 300 };
        assert_eq!(common([0, 10, 600, 100], [100, 50], &clip), Some([100, 60, 400, 100]));
        assert_eq!(common([0, 0, 50, 50], [40, 0], &clip), None);
    }

    #[test]
    fn every_pixel_is_drawn_once() {
        let whole = [2, 1, 7, 6];
        let inners = [[2, 1, 7, 6], [4, 3, 2, 1], [2, 1, 1, 1], [8, 6, 1, 1], [2, 3, 7, 2], [0; 4], [5, 5, 0, 1]];
        for inner in inners {
            let mut drawn = [[0; 12]; 10];
            for [left, top, width, height] in around(whole, inner).into_iter().chain([inner]) {
                for row in &mut drawn[top as usize..(top + height) as usize] {
                    row[left as usize..(left + width) as usize].iter_mut().for_each(|times| *times += 1);
                }
            }
            for (y, row) in drawn.iter().enumerate() {
                for (x, times) in row.iter().enumerate() {
                    let is_within = (2..9).contains(&x) && (1..7).contains(&y);
                    assert_eq!(*times, i32::from(is_within), "{inner:?}: {x} {y}");
                }
            }
        }
        assert_eq!(overlap([0, 0, 4, 4], [2, 3, 9, 9]), Some([2, 3, 2, 1]));
        assert_eq!(overlap([0, 0, 4, 4], [4, 0, 2, 2]), None);
    }
}
