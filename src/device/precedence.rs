//! The precedence of the window's predictions over training on the same GPU.
//!
//! A card works off what it is given in the order in which it is given, for the whole process. A training run gives it
//! steps without waiting for their results, so that a prediction would wait behind all of them. While a model of the
//! window lives on the same card, the run therefore gives it one pass at a time, and none while the model computes.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::precision::card;

/// The models and the predictions of this process.
pub static PRECEDENCE: Precedence = Precedence::new();

/// The longest time that a pass of a training run is held back by predictions. It goes on after that, so that neither
/// an unbroken row of them nor one that hangs ends the run.
pub const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The devices on which models of the window live, by name without the precision. Two cards of the same name count as one, which costs the
/// run some waiting and changes no result.
#[derive(Debug)]
pub struct Precedence {
    devices: Mutex<BTreeMap<String, Usage>>,
    changed: Condvar,
}

/// What the window does on a device.
#[derive(Debug, Default)]
struct Usage {
    /// The number of models that live there.
    models: usize,
    /// The number of their computations that have not ended.
    computing: usize,
}

impl Precedence {
    const fn new() -> Self {
        Self { devices: Mutex::new(BTreeMap::new()), changed: Condvar::new() }
    }

    /// Says that a model of the window lives on the device of this name, until the result is dropped.
    pub fn settle(&self, device: &str) -> Residence<'_> {
        let device = card(device).to_owned();
        self.lock().entry(device.clone()).or_default().models += 1;
        Residence { of: self, device }
    }

    /// Called by a training run before each pass on the device of this name. Returns at once if no model of the window
    /// lives there. Otherwise `finish` must wait until the device has done everything that the run gave it; then this
    /// waits while a model computes, at most [`LONGEST_WAIT`].
    pub fn give_way(&self, device: &str, finish: impl FnOnce()) {
        let device = card(device);
        if !self.lock().contains_key(device) {
            return;
        }
        finish();
        let end = Instant::now() + LONGEST_WAIT;
        let mut devices = self.lock();
        while devices.get(device).is_some_and(|usage| usage.computing > 0) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (devices, _) = self.changed.wait_timeout(devices, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Usage>> {
        // Every state between two changes is valid.
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A model of the window on a device.
#[derive(Debug)]
pub struct Residence<'a> {
    of: &'a Precedence,
    device: String,
}

impl<'a> Residence<'a> {
    /// Says that the model computes, until the result is dropped. The result may outlive the residence.
    pub fn compute(&self) -> Computation<'a> {
        self.of.lock().entry(self.device.clone()).or_default().computing += 1;
        Computation { of: self.of, device: self.device.clone() }
    }
}

impl Drop for Residence<'_> {
    fn drop(&mut self) {
        leave(self.of, &self.device, |usage| usage.models -= 1);
    }
}

/// A computation of a model of the window.
#[derive(Debug)]
pub struct Computation<'a> {
    of: &'a Precedence,
    device: String,
}

impl Drop for Computation<'_> {
    fn drop(&mut self) {
        leave(self.of, &self.device, |usage| usage.computing -= 1);
    }
}

/// Changes the usage of a device, forgets the device if it is unused then, and wakes those who wait.
fn leave(of: &Precedence, device: &str, change: impl FnOnce(&mut Usage)) {
    let mut devices = of.lock();
    if let Some(usage) = devices.get_mut(device) {
        change(usage);
        if usage.models == 0 && usage.computing == 0 {
            devices.remove(device);
        }
    }
    drop(devices);
    of.changed.notify_all();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const CARD: &str = "card (Vulkan)";

    /// A device that works off passes in their order, each slowly.
    #[derive(Debug, Default)]
    struct SlowDevice {
        given: AtomicUsize,
        done: AtomicUsize,
    }

    impl SlowDevice {
        fn work_until(&self, is_over: &AtomicBool) {
            while !is_over.load(Ordering::SeqCst) || self.backlog() > 0 {
                thread::sleep(Duration::from_millis(1));
                if self.backlog() > 0 {
                    self.done.fetch_add(1, Ordering::SeqCst);
                }
            }
        }

        fn backlog(&self) -> usize {
            self.given.load(Ordering::SeqCst) - self.done.load(Ordering::SeqCst)
        }

        /// Gives the device a pass, without waiting, and returns its number, from 0.
        fn give(&self) -> usize {
            self.given.fetch_add(1, Ordering::SeqCst)
        }

        /// Waits until so many passes are done.
        fn wait_for(&self, count: usize) {
            while self.done.load(Ordering::SeqCst) < count {
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    /// Trains on a slow device while a model on `place` predicts, and returns the largest number of passes of the run
    /// behind which a prediction waited.
    fn most_before_a_prediction(place: &str) -> usize {
        const PASSES: usize = 200;
        let precedence = Precedence::new();
        let (device, is_over) = (SlowDevice::default(), AtomicBool::new(false));
        let residence = precedence.settle(place);
        thread::scope(|scope| {
            scope.spawn(|| device.work_until(&is_over));
            scope.spawn(|| {
                // It gives passes far more quickly than the device works them off.
                for _ in 0..PASSES {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    precedence.give_way(CARD, || device.wait_for(device.given.load(Ordering::SeqCst)));
                    device.give();
                }
            });
            device.wait_for(3);
            let predict = |_| {
                let _computing = residence.compute();
                let done = device.done.load(Ordering::SeqCst);
                let number = device.give();
                device.wait_for(number + 1);
                number - done
            };
            let most = (0..20).map(predict).max().unwrap_or_default();
            is_over.store(true, Ordering::SeqCst);
            most
        })
    }

    #[test]
    fn a_prediction_waits_for_one_pass_at_most() {
        assert!(most_before_a_prediction(CARD) <= 1);
        assert!(most_before_a_prediction("another card") > 1, "a run beside another card does not wait");
    }

    #[test]
    fn a_run_goes_on_when_the_computation_ends() {
        let precedence = Precedence::new();
        let residence = precedence.settle(CARD);
        let (computing, ended) = (residence.compute(), AtomicBool::new(false));
        thread::scope(|scope| {
            let run = scope.spawn(|| {
                precedence.give_way(CARD, || ());
                ended.load(Ordering::SeqCst)
            });
            thread::sleep(Duration::from_millis(20));
            ended.store(true, Ordering::SeqCst);
            drop(computing);
            assert_eq!(run.join().ok(), Some(true), "it waits for the computation");
        });
    }

    #[test]
    fn nothing_is_waited_for_where_no_model_lives() {
        let precedence = Precedence::new();
        precedence.give_way(CARD, || panic!("there is no reason to wait"));
        let computing = precedence.settle(CARD).compute();
        precedence.give_way("another card", || panic!("it is another one"));
        drop(computing);
        precedence.give_way(CARD, || panic!("the model is gone"));
    }
}
