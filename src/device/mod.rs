//! Chooses the compute device, and falls back to the CPU if a GPU fails.

mod adapters;
mod choice;
pub mod effort;
mod launches;
pub mod precedence;
pub mod precision;
mod rate;
#[cfg(feature = "remote")]
pub mod remote;
pub mod tuning;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, DeviceKind};

use adapters::may_have_gpu;
pub use adapters::{Adapter, adapter_rank, adapters};
pub use choice::DeviceChoice;
pub use effort::GpuTuning;
pub use launches::{KernelLaunches, Launches, launches_of};
pub use precision::Precision;
pub use rate::{ProductRate, product_rate, product_rate_at};

/// The environment variable that says which device [`DeviceChoice::Auto`] is.
pub const VARIABLE: &str = "HIMIX_DEVICE";

/// The port of `himix serve` if none is named.
pub const REMOTE_PORT: u16 = 7316;

/// Why a device of another computer cannot be had, in a program that was built without the feature.
#[cfg(not(feature = "remote"))]
pub const WITHOUT_REMOTE: &str = "this himix was built without devices of other computers; build it with \
                                  cargo build --release --features remote";

/// A device that is ready to compute.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// The device handle of burn.
    pub device: Device,
    /// The display name, for example `CPU (flex, 2 threads)`.
    pub name: String,
    /// Whether the device is a GPU or that of another computer, which may fail during use.
    pub is_gpu: bool,
    /// Whether a graphics driver computes on the CPU, as llvmpipe does.
    pub is_software: bool,
    /// Whether a GPU computes the products of predictions in half precision.
    pub is_half: bool,
    /// Whether a GPU may do so for a model that does not fit into its memory otherwise.
    pub can_be_half: bool,
    /// A notice for the user, for example that the GPU could not be opened.
    pub notice: Option<String>,
}

impl OpenDevice {
    /// Whether the device is that of another computer.
    pub fn is_remote(&self) -> bool {
        #[cfg(feature = "remote")]
        let is_remote = matches!(self.device.as_dispatch(), burn::backend::DispatchDevice::Remote(_));
        #[cfg(not(feature = "remote"))]
        let is_remote = false;
        is_remote
    }
}

/// Returns the CPU as a compute device.
pub fn cpu() -> OpenDevice {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = format!("CPU, {threads} thread{}", if threads == 1 { "" } else { "s" });
    OpenDevice {
        device: Device::flex(),
        name: threads,
        is_gpu: false,
        is_software: false,
        is_half: false,
        can_be_half: false,
        notice: None,
    }
}

/// Returns what `choice` stands for if `variable` is the value of the environment variable, and a notice for the user if
/// that is no device.
fn resolved(choice: DeviceChoice, variable: Option<&str>) -> (DeviceChoice, Option<String>) {
    choice::resolved(choice, variable, |reason| {
        format!("{VARIABLE}: {reason}. The device is chosen automatically.")
    })
}

/// Returns whether `choice` may lead to a GPU or another computer. This is answered at once, without asking any driver.
pub fn may_be_gpu(choice: DeviceChoice) -> bool {
    match resolved(choice, std::env::var(VARIABLE).ok().as_deref()).0 {
        DeviceChoice::Cpu => false,
        DeviceChoice::Auto => may_have_gpu(),
        DeviceChoice::Gpu(_) => true,
        #[cfg(feature = "remote")]
        DeviceChoice::Remote(_) => true,
    }
}

/// Returns the adapters that `choice` allows, in the order in which they are tried; empty if the CPU computes.
///
/// # Errors
/// The GPU that was asked for does not exist; the message is for the user.
fn candidates(choice: DeviceChoice) -> Result<Vec<Adapter>, String> {
    if !may_be_gpu(choice) {
        return Ok(Vec::new());
    }
    let mut all = adapters();
    let count = all.len();
    match choice {
        DeviceChoice::Cpu => all.clear(),
        #[cfg(feature = "remote")]
        DeviceChoice::Remote(_) => all.clear(),
        DeviceChoice::Auto => all.retain(|adapter| adapter.is_hardware),
        // A software adapter is far slower than the CPU, so that it does not take the place of a card.
        DeviceChoice::Gpu(None) if all.iter().any(|adapter| adapter.is_hardware) => {
            all.retain(|adapter| adapter.is_hardware);
        }
        DeviceChoice::Gpu(None) => {}
        DeviceChoice::Gpu(Some(number)) => all = all.into_iter().skip(number).take(1).collect(),
    }
    if matches!(choice, DeviceChoice::Gpu(_)) && all.is_empty() {
        let found = match count {
            0 => "no graphics adapter was found; install its Vulkan driver".to_owned(),
            count => format!("there are adapters 0 to {} only", count - 1),
        };
        return Err(format!("{choice} is not to be had: {found}. The CPU is used."));
    }
    Ok(all)
}

/// Returns the devices on which runs can be trained side by side: every card of the kind and graphics API of the first one, if
/// there are several, and otherwise the device that is chosen automatically.
pub fn side_by_side() -> Vec<DeviceChoice> {
    let chosen = resolved(DeviceChoice::Auto, std::env::var(VARIABLE).ok().as_deref()).0;
    if chosen != DeviceChoice::Auto || !may_be_gpu(DeviceChoice::Auto) {
        return vec![DeviceChoice::Auto];
    }
    cards(&adapters())
}

/// The cards that are like the first adapter.
fn cards(adapters: &[Adapter]) -> Vec<DeviceChoice> {
    let is_card = |adapter: &Adapter| matches!(adapter.kind, DeviceKind::DiscreteGpu(_));
    // One card may be offered through several interfaces.
    let is_like_first = |adapter: &Adapter| {
        is_card(adapter) && adapters.first().is_some_and(|first| first.backend == adapter.backend)
    };
    let found: Vec<DeviceChoice> = (0..adapters.len())
        .filter(|at| is_like_first(&adapters[*at]))
        .map(|at| DeviceChoice::Gpu(Some(at)))
        .collect();
    if found.len() > 1 { found } else { vec![DeviceChoice::Auto] }
}

/// Opens the requested device; an unavailable GPU is replaced by the next one or by the CPU, with a notice.
pub fn open(choice: DeviceChoice) -> OpenDevice {
    open_telling(choice, |_| ())
}

/// Like [`open`]; `tell` receives the name of every GPU before it is opened, which can take seconds.
pub fn open_telling(choice: DeviceChoice, tell: impl FnMut(&str)) -> OpenDevice {
    let (choice, wrong) = resolved(choice, std::env::var(VARIABLE).ok().as_deref());
    let device = open_resolved(choice, tell);
    let notice = wrong.into_iter().chain(device.notice.clone()).reduce(|all, next| all + " " + &next);
    OpenDevice { notice, ..device }
}

fn open_resolved(choice: DeviceChoice, tell: impl FnMut(&str)) -> OpenDevice {
    #[cfg(feature = "remote")]
    if let DeviceChoice::Remote(address) = choice {
        let mut tell = tell;
        tell(&choice.to_string());
        return remote::open(address).unwrap_or_else(|reason| with_notice(format!("{reason}. The CPU is used.")));
    }
    match candidates(choice) {
        Ok(candidates) => first_of(&candidates, tell, open_adapter),
        Err(notice) => with_notice(notice),
    }
}

/// Opens the first adapter that can be opened; if there is none, the CPU.
fn first_of(
    candidates: &[Adapter],
    mut tell: impl FnMut(&str),
    mut open: impl FnMut(&Adapter) -> Result<OpenDevice, String>,
) -> OpenDevice {
    let mut refused = Vec::new();
    for adapter in candidates {
        tell(&format!("{} ({})", adapter.name, adapter.backend));
        match open(adapter) {
            Ok(device) => {
                tracing::info!(device = device.name, "device opened");
                let refused =
                    (!refused.is_empty()).then(|| format!("{}. {} is used.", refused.join("; "), device.name));
                let notice =
                    refused.into_iter().chain(device.notice.clone()).reduce(|all, next| all + " " + &next);
                return OpenDevice { notice, ..device };
            }
            Err(reason) => refused.push(format!("{} could not be opened ({reason})", adapter.name)),
        }
    }
    if refused.is_empty() { cpu() } else { with_notice(format!("{}. The CPU is used.", refused.join("; "))) }
}

/// Connects to the computer that `choice` asks for, if it asks for one. [`open`] would go on without it, on the CPU.
///
/// # Errors
/// It cannot be used; the message says what to do.
pub fn reach(choice: DeviceChoice) -> Result<(), String> {
    let (choice, _) = resolved(choice, std::env::var(VARIABLE).ok().as_deref());
    // The connection is kept, and opening the device again finds it.
    #[cfg(feature = "remote")]
    if let DeviceChoice::Remote(address) = choice {
        return remote::open(address).map(drop);
    }
    let _ = choice;
    Ok(())
}

/// Returns the CPU as a compute device, with a notice that explains why.
pub fn with_notice(notice: String) -> OpenDevice {
    tracing::warn!("the device that was asked for cannot be used; the CPU is");
    OpenDevice { notice: Some(notice), ..cpu() }
}

/// A computation that failed on its device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the computation failed on {device} ({reason}); choose another device or restart")]
pub struct Fault {
    /// The name of the device.
    pub device: String,
    /// The error message of the device.
    pub reason: String,
}

impl Fault {
    /// Whether the memory of the device was too small.
    pub fn is_out_of_memory(&self) -> bool {
        // burn, cubecl and wgpu have no common error for this, and most of them reach us as the text of a panic.
        let reason = self.reason.to_ascii_lowercase();
        ["out of memory", "out-of-memory", "outofmemory", "out of device memory", "buffertoobig", "too big"]
            .iter()
            .any(|words| reason.contains(words))
    }
}

/// An error that a device may have caused.
pub trait DeviceError: From<Fault> + fmt::Display {
    /// Returns the fault of the device, after which the same work may succeed on another one; `None` if it was no fault.
    fn fault(&self) -> Option<Fault>;
}

/// What the user is told of an error of the compute library.
pub fn reason(text: &str) -> String {
    #[cfg(feature = "remote")]
    if let Some(words) = remote::lost(text) {
        return words.to_owned();
    }
    text.to_owned()
}

/// Runs `job`, converting a panic of the compute library to a [`Fault`], because a failing GPU panics.
pub fn guarded<T>(device: &str, job: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(job)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let reason = reason(&text.unwrap_or_else(|| "no reason given".into()));
        Fault { device: device.to_owned(), reason: reason.lines().next().unwrap_or("").to_owned() }
    })
}

/// Runs `job` on `device`; if a GPU fails, runs it again in its other precision where that may help, and otherwise on the
/// CPU; the device of such a repetition has a notice. Returns the result and the device that produced it.
///
/// # Errors
/// Returns the errors of `job` that are not faults of a GPU, and any error of the CPU.
pub fn with_fallback<T, E: DeviceError>(
    device: OpenDevice,
    mut job: impl FnMut(&OpenDevice) -> Result<T, E>,
) -> Result<(T, OpenDevice), E> {
    let mut device = device;
    loop {
        let error = match guarded(&device.name, || job(&device)).map_err(E::from).flatten() {
            Ok(value) => return Ok((value, device)),
            Err(error) => error,
        };
        let Some(fault) = error.fault().filter(|_| device.is_gpu) else { return Err(error) };
        device = match device.in_other_precision(&fault) {
            Some(other) => {
                tracing::warn!(is_half = other.is_half, "the GPU failed; its other precision is tried");
                // What the failed attempt has left behind would be in the way.
                other.device.memory_cleanup();
                other
            }
            None => with_notice(format!("{error}. The CPU is used from now on.")),
        };
    }
}

/// Computes a product on a device and returns the device.
fn answering(device: Device) -> Result<Device, String> {
    let one = burn::tensor::Tensor::<2>::ones([2, 2], &device);
    one.clone().matmul(one).try_into_data().map(|_| device).map_err(|error| error.to_string())
}

fn open_adapter(adapter: &Adapter) -> Result<OpenDevice, String> {
    // burn opens devices lazily and panics on failure, so the first product is computed here, where the panic can
    // be caught.
    let notice = tuning::select(adapter);
    let kind = adapter.kind.clone();
    let device = std::panic::catch_unwind(move || answering(Device::wgpu(kind)))
        .map_err(|_| "its driver does not offer what the network needs".to_owned())??;
    let name = format!("{} ({})", adapter.name, adapter.backend);
    let is_software = !adapter.is_hardware;
    Ok(OpenDevice { device, name, is_gpu: true, is_software, is_half: false, can_be_half: false, notice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    enum Failed {
        #[error(transparent)]
        Device(#[from] Fault),
        #[error("wrong input")]
        Input,
    }

    impl DeviceError for Failed {
        fn fault(&self) -> Option<Fault> {
            match self {
                Self::Device(fault) => Some(fault.clone()),
                Self::Input => None,
            }
        }
    }

    /// Returns a device that is treated as a GPU in these tests.
    fn gpu() -> OpenDevice {
        OpenDevice { name: "card".into(), is_gpu: true, ..cpu() }
    }

    #[test]
    fn a_gpu_that_fails_is_replaced_by_the_cpu_and_said_so() {
        let (value, device) = with_fallback(gpu(), |device| -> Result<_, Failed> {
            assert!(!device.is_gpu, "the card is broken\nand says more");
            Ok(7)
        })
        .expect("on the CPU");
        assert_eq!((value, device.is_gpu), (7, false));
        let notice = device.notice.expect("a notice");
        assert!(notice.contains("card (the card is broken)") && notice.ends_with("The CPU is used from now on."));
    }

    #[test]
    fn a_model_that_does_not_fit_is_tried_in_half_precision_before_the_cpu() {
        let card = OpenDevice { can_be_half: true, ..gpu() };
        let mut tried = Vec::new();
        let (_, device) = with_fallback(card, |device| -> Result<(), Failed> {
            tried.push((device.name.clone(), device.is_half));
            assert!(!device.is_gpu, "Out of memory");
            Ok(())
        })
        .expect("on the CPU");
        assert_eq!(tried[..2], [("card".to_owned(), false), ("card, f16".to_owned(), true)]);
        assert_eq!((tried.len(), device.is_gpu), (3, false));
    }

    #[test]
    fn runs_stand_side_by_side_on_cards_of_one_interface_only() {
        let adapter = |backend: &str, kind: DeviceKind| Adapter {
            name: "card".into(),
            backend: backend.into(),
            is_hardware: true,
            has_half: false,
            kind,
            driver: String::new(),
            store: String::new(),
        };
        let (first, second) = (DeviceKind::DiscreteGpu(0), DeviceKind::DiscreteGpu(1));
        let two =
            [adapter("Vulkan", first), adapter("Vulkan", second), adapter("Vulkan", DeviceKind::IntegratedGpu(0))];
        assert_eq!(cards(&two), [DeviceChoice::Gpu(Some(0)), DeviceChoice::Gpu(Some(1))]);
        // One card with two drivers.
        let [first, second] = [DeviceKind::DiscreteGpu(0), DeviceKind::DiscreteGpu(1)];
        assert_eq!(cards(&[adapter("Vulkan", first), adapter("DX12", second)]), [DeviceChoice::Auto]);
        assert_eq!(cards(&[]), [DeviceChoice::Auto]);
    }

    #[test]
    fn a_driver_that_makes_no_device_is_passed_over_and_named() {
        let adapter = |name: &str| Adapter {
            name: name.into(),
            backend: "Vulkan".into(),
            is_hardware: true,
            has_half: false,
            kind: burn::tensor::DeviceKind::DefaultDevice,
            driver: String::new(),
            store: String::new(),
        };
        let both = [adapter("broken"), adapter("sound")];
        let open = |adapter: &Adapter| match adapter.name.as_str() {
            "sound" => Ok(OpenDevice { name: "sound".into(), is_gpu: true, ..cpu() }),
            _ => Err("it makes no device".to_owned()),
        };
        let mut told = Vec::new();
        let device = first_of(&both, |name| told.push(name.to_owned()), open);
        assert_eq!(told, ["broken (Vulkan)", "sound (Vulkan)"]);
        let notice = "broken could not be opened (it makes no device). sound is used.";
        assert_eq!((device.is_gpu, device.notice.as_deref()), (true, Some(notice)));
        let device = first_of(&both[..1], |_| (), open);
        let notice = "broken could not be opened (it makes no device). The CPU is used.";
        assert_eq!((device.is_gpu, device.notice.as_deref()), (false, Some(notice)));
        assert_eq!(first_of(&both[1..], |_| (), open).notice, None);
        let with_notice = |adapter: &Adapter| {
            open(adapter).map(|device| OpenDevice { notice: Some("Nothing can be stored.".into()), ..device })
        };
        let device = first_of(&both, |_| (), with_notice);
        let notice = "broken could not be opened (it makes no device). sound is used. Nothing can be stored.";
        assert_eq!(device.notice.as_deref(), Some(notice));
        assert_eq!(first_of(&[], |_| (), open).notice, None, "a machine without a card has nothing to explain");
    }

    #[test]
    fn the_variable_says_what_auto_is_and_nothing_else() {
        let gpu = DeviceChoice::Gpu(Some(1));
        assert_eq!(resolved(DeviceChoice::Auto, Some("gpu:1")), (gpu, None));
        assert_eq!(resolved(DeviceChoice::Cpu, Some("gpu:1")), (DeviceChoice::Cpu, None));
        assert_eq!(resolved(gpu, Some("cpu")), (gpu, None));
        assert_eq!(resolved(DeviceChoice::Auto, Some(" ")), (DeviceChoice::Auto, None));
        assert_eq!(resolved(DeviceChoice::Auto, None), (DeviceChoice::Auto, None));
        let (choice, notice) = resolved(DeviceChoice::Auto, Some("cuda"));
        assert_eq!(choice, DeviceChoice::Auto);
        assert!(notice.is_some_and(|text| text.starts_with("HIMIX_DEVICE: 'cuda' is no device; say auto")));
    }

    #[test]
    fn too_little_memory_is_told_from_a_lost_device() {
        let fault = |reason: &str| Fault { device: "card".into(), reason: reason.into() };
        for reason in [
            "out of device memory allocating 4096 bytes",
            "An out-of-memory error happened during launch",
            "wgpu error: Out of Memory",
            "BufferTooBig(1024)",
        ] {
            assert!(fault(reason).is_out_of_memory(), "{reason}");
        }
        assert!(!fault("wgpu error: Validation Error: Parent device is lost").is_out_of_memory());
    }

    #[test]
    fn what_is_no_fault_of_the_gpu_is_not_tried_again() {
        let mut calls = 0;
        let outcome = with_fallback(gpu(), |_| -> Result<(), Failed> {
            calls += 1;
            Err(Failed::Input)
        });
        assert_eq!((outcome.map(|_| ()), calls), (Err(Failed::Input), 1));
        let outcome = with_fallback(cpu(), |_| -> Result<(), Failed> { panic!("out of memory") });
        assert!(
            outcome.is_err_and(|error| error.to_string().contains("out of memory")),
            "there is no other device"
        );
    }
}
