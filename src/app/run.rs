//! Opens the window.

use std::sync::{Arc, PoisonError};

use anyhow::anyhow;
use eframe::egui::ViewportBuilder;
use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup};
use eframe::{NativeOptions, Renderer, wgpu};

use super::graphics::{self, Found};
use super::settings::{Settings, settings_path};
use super::{HimixApp, MINIMUM_SIZE, Start};
use crate::device::effort;
use crate::engine::{Trainer, trainer};
use crate::infer::{ModelSource, OpenModel};

/// Opens the window as `start` specifies, with the user's settings, and returns when it is closed. `open` opens
/// models; if `start` has no model or no device, those of the last session are used.
pub fn run(open: OpenModel, start: Start) -> anyhow::Result<()> {
    let fallback = Some(ModelSource::bundled());
    run_with(open, trainer(), Start { fallback, settings: settings_path(), ..start })
}

/// Like [`run`], with models opened by `open` and trained by `trainer`. The surface format and the texture limit
/// are taken from the device.
pub fn run_with(open: OpenModel, trainer: Arc<dyn Trainer>, mut start: Start) -> anyhow::Result<()> {
    let (settings, damage) = match &start.settings {
        Some(path) => Settings::load(path),
        None => (Settings::default(), None),
    };
    // burn reads it once, when the first device is opened.
    effort::choose(settings.gpu_tuning);
    let found = Found::default();
    let wanted = graphics::wanted(settings.display_adapter.as_deref());
    let setup = graphics::setup(wanted, found.clone());
    let options = NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("HiMix")
            .with_app_id("himix")
            .with_inner_size(settings.window)
            .with_min_inner_size(MINIMUM_SIZE)
            .with_drag_and_drop(true),
        renderer: Renderer::Wgpu,
        // The window has no gradients to smooth, and on a software device dithering costs time for every pixel.
        dithering: false,
        wgpu_options: WgpuConfiguration { wgpu_setup: WgpuSetup::CreateNew(setup), ..Default::default() },
        ..NativeOptions::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |context| {
        if let Some(render) = &context.wgpu_render_state {
            start.surface = render.target_format;
            start.graphics = described(&render.adapter.get_info());
            start.adapters = found.lock().unwrap_or_else(PoisonError::into_inner).clone();
            tracing::info!(graphics = start.graphics, "window opened");
            start.texture_limit = render.device.limits().max_texture_dimension_2d as usize;
        }
        Ok(Box::new(HimixApp::with_settings(&context.egui_ctx, open, trainer, start, settings, damage)?))
    });
    eframe::run_native("HiMix", options, create).map_err(|error| {
        anyhow!(
            "the window could not be opened ({error}); is there a display and a graphics driver? With several \
             adapters, {} chooses one by a part of its name",
            graphics::VARIABLE
        )
    })
}

/// Describes the hardware, the graphics API and the driver of an adapter.
fn described(adapter: &wgpu::AdapterInfo) -> String {
    let wgpu::AdapterInfo { name, backend, driver, driver_info, device_type, .. } = adapter;
    format!("{name} ({device_type:?}, {backend}, driver {driver} {driver_info})")
}
