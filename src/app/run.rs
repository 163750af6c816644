//! Opens the window.

use std::sync::Arc;

use anyhow::anyhow;
use eframe::egui::ViewportBuilder;
use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};
use eframe::{NativeOptions, Renderer, wgpu};

use super::settings::{Settings, settings_path};
use super::{HimixApp, MINIMUM_SIZE, Start};
use crate::engine::{Trainer, trainer};
use crate::infer::{ModelSource, OpenModel};

/// Opens the window as `start` says, with the user's settings, and returns when it is closed. `open` opens models; without a model or
/// a device in `start` those of the last time are used.
pub fn run(open: OpenModel, start: Start) -> anyhow::Result<()> {
    let fallback = Some(ModelSource::bundled());
    run_with(open, trainer(), Start { fallback, settings: settings_path(), ..start })
}

/// As [`run`], with models opened by `open` and trained by `trainer`. The surface's format and the texture limit are those of the device.
pub fn run_with(open: OpenModel, trainer: Arc<dyn Trainer>, mut start: Start) -> anyhow::Result<()> {
    let (settings, damage) = match &start.settings {
        Some(path) => Settings::load(path),
        None => (Settings::default(), None),
    };
    let options = NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("HiMix")
            .with_app_id("himix")
            .with_inner_size(settings.window)
            .with_min_inner_size(MINIMUM_SIZE)
            .with_drag_and_drop(true),
        renderer: Renderer::Wgpu,
        // There are no gradients to smooth, and a software device pays for it on every pixel.
        dithering: false,
        wgpu_options: WgpuConfiguration { wgpu_setup: WgpuSetup::CreateNew(wgpu_setup()), ..Default::default() },
        ..NativeOptions::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |context| {
        if let Some(render) = &context.wgpu_render_state {
            start.surface = render.target_format;
            start.graphics = described(&render.adapter.get_info());
            tracing::info!(graphics = start.graphics, "window opened");
            start.texture_limit = render.device.limits().max_texture_dimension_2d as usize;
        }
        Ok(Box::new(HimixApp::with_settings(&context.egui_ctx, open, trainer, start, settings, damage)?))
    });
    eframe::run_native("HiMix", options, create).map_err(|error| {
        anyhow!("the window could not be opened ({error}); is there a display and a graphics driver?")
    })
}

/// Hardware, interface and driver of an adapter.
fn described(adapter: &wgpu::AdapterInfo) -> String {
    let wgpu::AdapterInfo { name, backend, driver, driver_info, device_type, .. } = adapter;
    format!("{name} ({device_type:?}, {backend}, driver {driver} {driver_info})")
}

/// A device with everything the adapter has, so that large pictures fit. Software adapters are taken if there is
/// nothing better.
fn wgpu_setup() -> WgpuSetupCreateNew {
    WgpuSetupCreateNew {
        device_descriptor: Arc::new(|adapter| wgpu::DeviceDescriptor {
            label: Some("himix window"),
            required_limits: adapter.limits(),
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            ..wgpu::DeviceDescriptor::default()
        }),
        ..WgpuSetupCreateNew::without_display_handle()
    }
}
