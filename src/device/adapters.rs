//! The graphics adapters of this machine.

use burn::tensor::DeviceKind;
use burn::tensor::wgpu::wgpu;

use super::tuning;

/// An adapter that wgpu offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The name of the hardware.
    pub name: String,
    /// The name of the graphics API.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// Whether the adapter is real hardware rather than a software renderer.
    pub is_hardware: bool,
    /// Whether the adapter computes in half precision.
    pub has_half: bool,
    pub(super) kind: DeviceKind,
    /// The file name of its stored tuning results.
    pub(super) store: String,
}

/// Returns the place of an adapter of this kind in the order in which adapters are tried without a choice: real hardware
/// first and, like wgpu's preference for high performance, a card before the processor's own graphics.
pub fn adapter_rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// Returns the adapters of this machine: hardware before software, discrete before integrated; `gpu:N` refers to
/// this order.
pub fn adapters() -> Vec<Adapter> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = pollster::block_on(instance.enumerate_adapters(backends));
    // burn numbers the adapters of each kind separately.
    let (mut discrete, mut integrated, mut virtual_gpu) = (0, 0, 0);
    let next = |counter: &mut usize| {
        *counter += 1;
        *counter - 1
    };
    let mut list: Vec<(u8, Adapter)> = found
        .into_iter()
        .map(|adapter| {
            let info = adapter.get_info();
            let (is_hardware, kind) = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => (true, DeviceKind::DiscreteGpu(next(&mut discrete))),
                wgpu::DeviceType::IntegratedGpu => (true, DeviceKind::IntegratedGpu(next(&mut integrated))),
                wgpu::DeviceType::VirtualGpu => (true, DeviceKind::VirtualGpu(next(&mut virtual_gpu))),
                wgpu::DeviceType::Cpu => (false, DeviceKind::Cpu),
                wgpu::DeviceType::Other => (false, DeviceKind::DefaultDevice),
            };
            let rank = adapter_rank(info.device_type);
            let backend = info.backend.to_string();
            let driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
            let store = tuning::name(&info);
            let has_half = adapter.features().contains(wgpu::Features::SHADER_F16);
            (rank, Adapter { name: info.name, backend, driver, is_hardware, has_half, kind, store })
        })
        .collect();
    list.sort_by_key(|(rank, _)| *rank);
    list.into_iter().map(|(_, adapter)| adapter).collect()
}

/// Returns whether the system has any device that a graphics driver could use. If not, drivers are not queried:
/// this takes a tenth of a second or more, and Mesa's device selection prints warnings to standard error if nobody
/// is logged in.
pub(super) fn may_have_gpu() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let is_graphics = |name: &str| {
        // NVIDIA's own driver, WSL, Mali and Adreno have no nodes in /dev/dri.
        ["nvidia", "dxg", "mali", "kgsl"].iter().any(|start| name.starts_with(start))
    };
    let mut found = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let has_nodes = || std::fs::read_dir("/dev/dri").is_ok_and(|mut nodes| nodes.next().is_some());
    has_nodes() || found.any(|entry| entry.file_name().to_str().is_some_and(is_graphics))
}
