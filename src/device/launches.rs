//! Counts and times the kernels that a GPU runs.
//!
//! A prediction for one prompt is a few hundred small kernels, and on a fast card starting them costs more than running
//! them. Their number is therefore a measure of its own, and the same on every adapter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cubecl_runtime::config::{TypeNameFormatLevel, type_name_format};
use cubecl_runtime::logging::{Duration, LaunchObservation, LaunchObserver, TimingMethod, TimingRequest};

/// The launches of one kind of kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelLaunches {
    /// The name of the kernel, without its path.
    pub name: String,
    /// The number of launches.
    pub count: usize,
    /// The time that they took in milliseconds; 0 if it was not measured.
    pub ms: f64,
}

/// The kernels that some work launched, on all GPUs and threads of this process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launches {
    /// Every kind of kernel; those that took longest come first, then those that were launched most often.
    pub kernels: Vec<KernelLaunches>,
}

impl Launches {
    /// The number of launches.
    pub fn count(&self) -> usize {
        self.kernels.iter().map(|kernel| kernel.count).sum()
    }

    /// The sum of the times in milliseconds.
    pub fn ms(&self) -> f64 {
        self.kernels.iter().map(|kernel| kernel.ms).sum()
    }
}

/// The counts and seconds by the full name of a kernel.
#[derive(Default)]
struct Observer {
    found: Mutex<HashMap<&'static str, (usize, f64)>>,
    is_timed: bool,
}

impl Observer {
    fn add(&self, kernel: &'static str, count: usize, seconds: f64) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = found.entry(kernel).or_default();
        *entry = (entry.0 + count, entry.1 + seconds);
    }
}

impl LaunchObserver for Observer {
    fn launched(&self, kernel: &'static str) {
        self.add(kernel, 1, 0.0);
    }

    fn timing(&self) -> TimingRequest {
        if self.is_timed { TimingRequest::Resolved } else { TimingRequest::None }
    }

    fn timed(&self, kernel: &'static str, duration: Duration, _: TimingMethod) {
        self.add(kernel, 0, duration.as_secs_f64());
    }
}

/// Runs `job`, which has to read its result back, and returns its value and the kernels that it launched. With
/// `is_timed`, every kernel is timed; they run one at a time then, so that the sum is more than the job takes otherwise.
pub fn launches_of<T>(is_timed: bool, job: impl FnOnce() -> T) -> (T, Launches) {
    let observer = Arc::new(Observer { is_timed, ..Observer::default() });
    let observation = LaunchObservation::new(observer.clone());
    let value = job();
    drop(observation);
    let mut by_name: HashMap<String, (usize, f64)> = HashMap::new();
    for (name, (count, seconds)) in observer.found.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let entry = by_name.entry(type_name_format(name, TypeNameFormatLevel::Short)).or_default();
        *entry = (entry.0 + count, entry.1 + seconds);
    }
    let mut kernels: Vec<KernelLaunches> =
        by_name.into_iter().map(|(name, (count, s))| KernelLaunches { name, count, ms: s * 1e3 }).collect();
    kernels.sort_by(|a, b| b.ms.total_cmp(&a.ms).then(b.count.cmp(&a.count)).then(a.name.cmp(&b.name)));
    (value, Launches { kernels })
}
