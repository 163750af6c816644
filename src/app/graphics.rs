//! The graphics adapter that draws the window.
//!
//! A driver may announce an adapter that cannot create a device. The window then uses the next one. The user can
//! choose an adapter in the preferences or, where no window opens any more, by an environment variable.

use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui_wgpu::{NativeAdapterSelectorMethod, WgpuSetupCreateNew};
use eframe::wgpu;

use crate::device::adapter_rank;

/// The environment variable with the name of the adapter to use, or a part of it. It comes before the preferences.
pub const VARIABLE: &str = "HIMIX_DISPLAY_ADAPTER";

/// What an adapter says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    /// The name and the graphics API, as the preferences show them.
    name: String,
    kind: wgpu::DeviceType,
}

impl Offer {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        Self { name: format!("{} ({})", info.name, info.backend), kind: info.device_type }
    }
}

/// What was found when the window was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapters {
    /// The names of all adapters that can draw to the window, in the order in which they are tried without a choice.
    pub names: Vec<String>,
    /// A message for the user if another adapter was chosen or came first.
    pub notice: Option<String>,
}

/// The adapters as they are found, for the thread that opens the window.
pub type Found = Arc<Mutex<Adapters>>;

/// Returns the adapter that the user asks for by the environment variable or else by the preferences.
pub fn wanted(preferred: Option<&str>) -> Option<String> {
    let variable = std::env::var(VARIABLE).ok().filter(|name| !name.trim().is_empty());
    variable.or_else(|| preferred.map(str::to_owned))
}

/// Returns how the window gets its device: with all limits of the adapter, so that large images fit.
pub fn setup(wanted: Option<String>, found: Found) -> WgpuSetupCreateNew {
    let selector: NativeAdapterSelectorMethod = Arc::new(move |adapters, surface| {
        let fits = |adapter: &&wgpu::Adapter| surface.is_none_or(|surface| adapter.is_surface_supported(surface));
        let adapters: Vec<&wgpu::Adapter> = adapters.iter().filter(fits).collect();
        let offers: Vec<Offer> = adapters.iter().map(|adapter| Offer::of(adapter)).collect();
        // The only adapter is not tried first: the window says what is wrong with it.
        let is_alone = adapters.len() == 1;
        let opens = |index: usize| {
            is_alone || pollster::block_on(adapters[index].request_device(&descriptor(adapters[index]))).is_ok()
        };
        let (chosen, all) = choose(&offers, wanted.as_deref(), opens);
        let notice = all.notice.clone();
        *found.lock().unwrap_or_else(PoisonError::into_inner) = all;
        chosen
            .map(|index| adapters[index].clone())
            .ok_or_else(|| notice.unwrap_or_else(|| "no graphics adapter can draw to the window".into()))
    });
    WgpuSetupCreateNew {
        device_descriptor: Arc::new(descriptor),
        native_adapter_selector: Some(selector),
        ..WgpuSetupCreateNew::without_display_handle()
    }
}

fn descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    wgpu::DeviceDescriptor {
        label: Some("himix window"),
        required_limits: adapter.limits(),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        ..wgpu::DeviceDescriptor::default()
    }
}

/// Returns the index of the first adapter that opens, the wanted one first, and what the user should know.
fn choose(offers: &[Offer], wanted: Option<&str>, opens: impl Fn(usize) -> bool) -> (Option<usize>, Adapters) {
    let is_wanted = |offer: &Offer| {
        wanted.is_some_and(|wanted| offer.name.to_lowercase().contains(&wanted.trim().to_lowercase()))
    };
    let mut order: Vec<usize> = (0..offers.len()).collect();
    order.sort_by_key(|index| adapter_rank(offers[*index].kind));
    let mut names: Vec<String> = order.iter().map(|index| offers[*index].name.clone()).collect();
    names.dedup();
    order.sort_by_key(|index| !is_wanted(&offers[*index]));
    let mut refused: Vec<&str> = Vec::new();
    let chosen = order.into_iter().find(|index| {
        let does_open = opens(*index);
        if !does_open {
            refused.push(&offers[*index].name);
        }
        does_open
    });
    let name = chosen.map(|index| offers[index].name.as_str());
    let mut notice = Vec::new();
    if let Some(wanted) = wanted.filter(|_| !offers.iter().any(is_wanted)) {
        notice.push(format!("There is no graphics adapter “{wanted}”."));
    }
    if !refused.is_empty() {
        notice.push(format!("The driver of {} creates no device.", refused.join(" and ")));
    }
    if let Some(name) = name.filter(|_| !notice.is_empty()) {
        notice.push(format!("The window is drawn by {name}."));
    }
    let notice = (!notice.is_empty()).then(|| notice.join(" "));
    (chosen, Adapters { names, notice })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers() -> [Offer; 3] {
        [
            Offer { name: "llvmpipe (vulkan)".into(), kind: wgpu::DeviceType::Cpu },
            Offer { name: "Arc (vulkan)".into(), kind: wgpu::DeviceType::IntegratedGpu },
            Offer { name: "GeForce (vulkan)".into(), kind: wgpu::DeviceType::DiscreteGpu },
        ]
    }

    #[test]
    fn hardware_comes_first_and_the_order_is_listed() {
        let (chosen, adapters) = choose(&offers(), None, |_| true);
        assert_eq!(chosen, Some(2));
        assert_eq!(adapters.names, ["GeForce (vulkan)", "Arc (vulkan)", "llvmpipe (vulkan)"]);
        assert_eq!(adapters.notice, None);
    }

    #[test]
    fn an_adapter_without_a_device_is_passed_over_and_named() {
        let (chosen, adapters) = choose(&offers(), None, |index| index == 0);
        assert_eq!(chosen, Some(0));
        let notice = "The driver of GeForce (vulkan) and Arc (vulkan) creates no device. The window is drawn by \
                      llvmpipe (vulkan).";
        assert_eq!(adapters.notice.as_deref(), Some(notice));
        let (chosen, adapters) = choose(&offers()[..1], None, |_| false);
        assert_eq!(chosen, None);
        assert_eq!(adapters.notice.as_deref(), Some("The driver of llvmpipe (vulkan) creates no device."));
        assert_eq!(choose(&[], None, |_| true), (None, Adapters::default()));
    }

    #[test]
    fn the_wanted_adapter_comes_first_by_any_part_of_its_name() {
        assert_eq!(choose(&offers(), Some("LLVM"), |_| true).0, Some(0));
        assert_eq!(choose(&offers(), Some("Arc (vulkan)"), |_| true).0, Some(1));
        // If it does not open, the usual order follows.
        let (chosen, adapters) = choose(&offers(), Some("arc"), |index| index != 1);
        assert_eq!(chosen, Some(2));
        assert!(adapters.notice.is_some_and(|notice| notice.starts_with("The driver of Arc (vulkan)")));
        let (chosen, adapters) = choose(&offers(), Some("Radeon"), |_| true);
        let notice = "There is no graphics adapter “Radeon”. The window is drawn by GeForce (vulkan).";
        assert_eq!((chosen, adapters.notice.as_deref()), (Some(2), Some(notice)));
    }
}
