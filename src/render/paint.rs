//! The picture as egui sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eframe::egui::{PaintCallback, PaintCallbackInfo, Rect};
use eframe::egui_wgpu::{self, CallbackResources, CallbackTrait, ScreenDescriptor, wgpu};

use super::resources::Pipeline;
use super::textures::{ImageLayer, ProbabilityLayer, TruthLayer};
use super::uniforms::{HAS_VALUES, NEEDS_PREDICTION, NEEDS_TRUTH, Uniforms};
use crate::data::Texels;

/// Draws pictures into a window whose surface has one format.
#[derive(Clone, Debug)]
pub struct Picture {
    format: wgpu::TextureFormat,
    uploads: Arc<AtomicU64>,
}

/// Everything that one frame shows.
#[derive(Clone, Debug)]
pub struct Paint {
    /// The image.
    pub image: ImageLayer,
    /// The probability, if there is a prediction.
    pub probability: Option<ProbabilityLayer>,
    /// The mask to compare with, if there is one.
    pub truth: Option<TruthLayer>,
    /// Threshold, colours, zoom and the like.
    pub uniforms: Uniforms,
}

impl Picture {
    /// For a surface of `format`. The shader is compiled when the first picture is drawn.
    pub fn new(format: wgpu::TextureFormat) -> Self {
        Self { format, uploads: Arc::default() }
    }

    /// How many textures were uploaded so far.
    pub fn uploads(&self) -> u64 {
        self.uploads.load(Ordering::Relaxed)
    }

    /// What to add to a painter so that the picture appears in `rect`.
    pub fn callback(&self, rect: Rect, mut paint: Paint) -> PaintCallback {
        let Paint { image, probability, truth, uniforms } = &mut paint;
        uniforms.size = image.size.map(|side| side as f32);
        uniforms.texels = 1.0 / image.reduction.max(1) as f32;
        if let Texels::Values { scale, .. } = &image.texels {
            uniforms.flags |= HAS_VALUES;
            uniforms.window = [uniforms.window[0] / scale, uniforms.window[1] * scale];
        }
        if probability.is_none() {
            uniforms.flags &= !NEEDS_PREDICTION;
        }
        if truth.is_none() {
            uniforms.flags &= !NEEDS_TRUTH;
        }
        egui_wgpu::Callback::new_paint_callback(rect, Callback { picture: self.clone(), paint })
    }
}

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
        let Paint { image, probability, truth, uniforms } = &self.paint;
        let uploaded = pipeline.update(device, queue, image, probability.as_ref(), truth.as_ref(), uniforms);
        self.picture.uploads.fetch_add(uploaded, Ordering::Relaxed);
        Vec::new()
    }

    fn paint(
        &self,
        _info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        if let Some(pipeline) = resources.get::<Pipeline>()
            && let Some(current) = pipeline.current()
        {
            pass.set_pipeline(current);
            pass.set_bind_group(0, &pipeline.bind_group, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}
