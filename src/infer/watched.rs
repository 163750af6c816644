//! A model on a GPU whose driver may hang: a call that never returns would freeze whoever waits for it. The model computes
//! on a thread of its own, and after some time without an answer it is left behind there and opened again on the CPU.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use super::error::InferError;
use super::gpu_thread::{GpuThread, Hung, Outcome};
use super::info::ModelInfo;
use super::inspection::{InspectOptions, Inspection};
use super::prediction::Prediction;
use super::predictor::Predictor;
use super::segmenter::Segmenter;
use super::warm_up::{Report, WarmUp, WarmUpProgress};
use crate::data::Image;
use crate::device::DeviceChoice;
use crate::model::overrides::Overrides;

/// The times after which a GPU is taken for hung.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// While kernels may be compiled and tuned, which takes minutes.
    pub(super) untuned: Duration,
    /// For a plain prediction, once everything that it needs is tuned.
    pub(super) tuned: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { untuned: Duration::from_secs(600), tuned: Duration::from_secs(60) }
    }
}

/// Opens the same model on the CPU.
pub(super) type Reopen = Box<dyn Fn() -> Result<Box<dyn Segmenter>, InferError> + Send>;

/// The model as it comes back from the thread, with the outcome of the work.
type Returned<T> = Outcome<(Box<dyn Segmenter>, Outcome<T>)>;

/// A model that is replaced by one on the CPU if it does not answer.
pub(super) struct Watched {
    /// The model; `None` while the thread has it, and if it could not be opened again.
    model: Option<Box<dyn Segmenter>>,
    /// The thread; `None` once the CPU computes, which may take its time.
    thread: Option<GpuThread>,
    /// What was known of the model before it was left behind.
    info: ModelInfo,
    reopen: Reopen,
    patience: Patience,
    is_tuned: bool,
    notices: Vec<String>,
}

impl Watched {
    /// Watches `model`. If no thread can be started, it is not watched.
    pub(super) fn new(model: Box<dyn Segmenter>, reopen: Reopen, patience: Patience, is_tuned: bool) -> Self {
        let (info, thread) = (model.info(), GpuThread::start());
        Self { model: Some(model), thread, info, reopen, patience, is_tuned, notices: Vec::new() }
    }

    /// How long a call may take: what a warm-up does not run may still have to be tuned.
    fn limit(&self, is_plain: bool) -> Duration {
        if self.is_tuned && is_plain { self.patience.tuned } else { self.patience.untuned }
    }

    /// Whether calls are watched: not once the model has moved to the CPU, which it also does by itself.
    fn is_watched(&mut self) -> bool {
        let predictor = self.model.as_mut().and_then(|model| model.local());
        if predictor.is_some_and(|predictor| !predictor.device().is_gpu) {
            self.thread = None;
        }
        self.thread.is_some()
    }

    fn model(&mut self) -> Result<&mut Box<dyn Segmenter>, InferError> {
        let lost = || InferError::from("the model was lost with its device; open it again");
        self.model.as_mut().ok_or_else(lost)
    }

    /// Gives `work` to the thread and returns the channel on which the model comes back.
    fn hand_over<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Segmenter) -> T + Send + 'static,
    ) -> Option<Receiver<Returned<T>>> {
        let thread = self.thread.as_ref()?;
        let mut model = self.model.take()?;
        Some(thread.begin(move || {
            // The model comes back after a panic as well.
            let outcome = catch_unwind(AssertUnwindSafe(|| work(model.as_mut())));
            (model, outcome)
        }))
    }

    fn take_back<T>(&mut self, returned: Returned<T>) -> T {
        let outcome = returned.and_then(|(model, outcome)| {
            self.model = Some(model);
            outcome
        });
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Leaves the model and its thread behind, and opens the model on the CPU.
    fn give_up(&mut self, waited: Duration) -> Result<&mut Box<dyn Segmenter>, InferError> {
        let (device, seconds) = (self.info.device.clone(), waited.as_secs());
        tracing::warn!("a GPU does not answer; the CPU is used");
        self.thread = None;
        self.model = Some((self.reopen)()?);
        self.notices.push(format!(
            "{device} has not answered for {seconds} s. The CPU is used from now on. Choose the device again to try it \
             once more; if it hangs again, start the computer anew or update the graphics driver."
        ));
        self.model()
    }

    /// Runs `work` with the model, and once more on the CPU if the GPU does not answer.
    fn run<T: Send + 'static>(
        &mut self,
        is_plain: bool,
        work: impl Fn(&mut dyn Segmenter) -> Result<T, InferError> + Clone + Send + 'static,
    ) -> Result<T, InferError> {
        let Some(returned) = self.hand_over(work.clone()) else { return work(self.model()?.as_mut()) };
        let limit = self.limit(is_plain);
        match returned.recv_timeout(limit) {
            Ok(returned) => self.take_back(returned),
            Err(_) => work(self.give_up(limit)?.as_mut()),
        }
    }

    /// Waits for a warm-up and passes its progress on.
    fn follow(
        &mut self,
        asked: &Receiver<(WarmUpProgress, Sender<ControlFlow<()>>)>,
        returned: &Receiver<Returned<Result<(), InferError>>>,
        report: &mut Report<'_>,
    ) -> Result<Result<(), InferError>, Hung> {
        let mut asked = asked.clone();
        loop {
            select! {
                recv(asked) -> question => match question {
                    Ok((progress, answer)) => drop(answer.send(report(progress))),
                    // There are no more steps, but the model is still on its way.
                    Err(_) => asked = never(),
                },
                recv(returned) -> back => return back.map(|back| self.take_back(back)).map_err(|_| Hung),
                default(self.patience.untuned) => return Err(Hung),
            }
        }
    }
}

impl Segmenter for Watched {
    fn info(&self) -> ModelInfo {
        self.model.as_ref().map_or_else(|| self.info.clone(), |model| model.info())
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        if !self.is_watched() {
            return self.model()?.predict(image, prompt);
        }
        let (image, prompt) = (Arc::new(image.clone()), prompt.to_owned());
        self.run(true, move |model| model.predict(&image, &prompt))
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        if !self.is_watched() {
            return self.model()?.inspect(image, prompt, overrides, wanted);
        }
        let is_plain =
            overrides.is_none() && InspectOptions { maps: false, ..wanted } == InspectOptions::default();
        let (image, prompt, overrides) = (Arc::new(image.clone()), prompt.to_owned(), overrides.cloned());
        self.run(is_plain, move |model| model.inspect(&image, &prompt, overrides.as_ref(), wanted))
    }

    fn warm_up(&mut self, report: &mut Report<'_>) -> Result<(), InferError> {
        let (ask, asked) = bounded::<(WarmUpProgress, Sender<ControlFlow<()>>)>(0);
        let work = move |model: &mut dyn Segmenter| {
            model.warm_up(&mut |progress| {
                let (answer, answered) = bounded(1);
                let is_asked = ask.send((progress, answer)).is_ok();
                answered.recv().ok().filter(|_| is_asked).unwrap_or(ControlFlow::Break(()))
            })
        };
        if !self.is_watched() {
            return self.model()?.warm_up(report);
        }
        let Some(returned) = self.hand_over(work) else { return self.model()?.warm_up(report) };
        let mut is_whole = true;
        let mut told = |progress| {
            let flow = report(progress);
            is_whole &= flow.is_continue();
            flow
        };
        match self.follow(&asked, &returned, &mut told) {
            Ok(outcome) => {
                self.is_tuned |= outcome.is_ok() && is_whole;
                outcome
            }
            Err(Hung) => self.give_up(self.patience.untuned).map(|_| ()),
        }
    }

    fn on_gpu(&self, choice: DeviceChoice) -> Option<WarmUp> {
        self.model.as_ref()?.on_gpu(choice)
    }

    fn take_notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.notices);
        notices.extend(self.model.iter_mut().flat_map(|model| model.take_notices()));
        notices
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        self.model.as_ref()?.share()
    }

    fn local(&mut self) -> Option<&mut Predictor> {
        self.model.as_mut()?.local()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::sleep;

    use super::*;
    use crate::infer::fakes::{Drawn, square};

    const SHORT: Patience = Patience { untuned: Duration::from_millis(400), tuned: Duration::from_millis(100) };

    /// A model on a card whose driver fails in one way or another.
    struct Card {
        inner: Drawn,
        /// How long it takes to answer.
        takes: Duration,
        panics: bool,
    }

    impl Card {
        fn boxed(takes: Duration, panics: bool) -> Box<dyn Segmenter> {
            Box::new(Self { inner: Drawn::new(|_| square(0.3)), takes, panics })
        }
    }

    impl Segmenter for Card {
        fn info(&self) -> ModelInfo {
            ModelInfo { device: "card".into(), ..ModelInfo::default() }
        }

        fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
            sleep(self.takes);
            assert!(!self.panics, "wgpu error: Validation Error: Parent device is lost");
            Ok(Prediction { device: "card".into(), ..self.inner.predict(image, prompt)? })
        }

        fn inspect(
            &mut self,
            image: &Image,
            prompt: &str,
            overrides: Option<&Overrides>,
            wanted: InspectOptions,
        ) -> Result<Inspection, InferError> {
            sleep(self.takes);
            self.inner.inspect(image, prompt, overrides, wanted)
        }

        fn warm_up(&mut self, report: &mut Report<'_>) -> Result<(), InferError> {
            for percent in [0, 50] {
                let progress = WarmUpProgress { device: "card".into(), step: "preparing", percent };
                if report(progress).is_break() {
                    return Ok(());
                }
                sleep(self.takes);
            }
            Ok(())
        }

        fn take_notices(&mut self) -> Vec<String> {
            Vec::new()
        }
    }

    /// Watches the card; the second value counts how often the model was opened on the CPU.
    fn watched(model: Box<dyn Segmenter>, is_tuned: bool) -> (Watched, Arc<AtomicUsize>) {
        let opened = Arc::<AtomicUsize>::default();
        let count = opened.clone();
        let reopen: Reopen = Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Drawn::new(|_| square(0.7))))
        });
        (Watched::new(model, reopen, SHORT, is_tuned), opened)
    }

    const FOREVER: Duration = Duration::from_secs(3600);

    #[test]
    fn a_card_that_answers_is_used() {
        let (mut model, opened) = watched(Card::boxed(Duration::ZERO, false), true);
        for _ in 0..3 {
            assert_eq!(model.predict(&Drawn::image(), "left").expect("a mask").device, "card");
        }
        assert!(model.inspect(&Drawn::image(), "left", None, InspectOptions::default()).is_ok());
        assert_eq!((opened.load(Ordering::SeqCst), model.take_notices().len()), (0, 0));
        assert_eq!(model.info().device, "card");
    }

    #[test]
    fn a_card_that_never_answers_is_replaced_by_the_cpu_once_and_for_all() {
        let (mut model, opened) = watched(Card::boxed(FOREVER, false), true);
        for _ in 0..2 {
            let prediction = model.predict(&Drawn::image(), "left").expect("the CPU answers");
            assert_eq!(prediction.device, "none", "the fake of the CPU");
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        let notices = model.take_notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].contains("card has not answered") && notices[0].contains("The CPU is used"));
        assert!(notices[0].contains("Choose the device again"), "{notices:?}");
    }

    #[test]
    fn while_it_is_tuned_a_card_may_take_longer() {
        let slow = SHORT.tuned * 2;
        let (mut model, opened) = watched(Card::boxed(slow, false), false);
        assert_eq!(model.predict(&Drawn::image(), "left").expect("a mask").device, "card");
        let mut told = Vec::new();
        let mut report = |progress: WarmUpProgress| {
            told.push(progress.percent);
            ControlFlow::Continue(())
        };
        model.warm_up(&mut report).expect("it is warm");
        assert_eq!((told, opened.load(Ordering::SeqCst)), (vec![0, 50], 0));
        // From now on it is expected to be quick.
        assert_eq!(model.predict(&Drawn::image(), "left").expect("a mask").device, "none");
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_a_warm_up_does_not_run_or_has_not_run_may_take_longer() {
        let slow = SHORT.tuned * 2;
        let (mut model, opened) = watched(Card::boxed(slow, false), true);
        let image = Drawn::image();
        let wanted = InspectOptions { attribution: true, ..InspectOptions::default() };
        assert!(model.inspect(&image, "left", None, wanted).is_ok());
        assert!(model.inspect(&image, "left", Some(&Overrides::default()), InspectOptions::default()).is_ok());
        assert_eq!(opened.load(Ordering::SeqCst), 0);
        let (mut model, opened) = watched(Card::boxed(slow, false), false);
        model.warm_up(&mut |_| ControlFlow::Break(())).expect("it was not wanted");
        assert_eq!(model.predict(&image, "left").expect("a mask").device, "card");
        assert_eq!(opened.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_model_that_has_moved_to_the_cpu_is_not_watched() {
        let predictor = Predictor::open_on(&crate::infer::ModelSource::bundled(), crate::device::cpu());
        let reopen: Reopen = Box::new(|| Err("it must not be opened again".into()));
        // No prediction is this quick.
        let patience = Patience { untuned: Duration::ZERO, tuned: Duration::ZERO };
        let mut model = Watched::new(Box::new(predictor.expect("opens")), reopen, patience, true);
        model.warm_up(&mut |_| ControlFlow::Continue(())).expect("nothing to warm up");
        assert!(model.predict(&Drawn::image(), "left").is_ok());
        assert_eq!(model.take_notices(), Vec::<String>::new());
    }

    #[test]
    fn a_card_that_hangs_while_it_is_tuned_is_given_up_and_a_stop_is_heard() {
        let (mut model, opened) = watched(Card::boxed(FOREVER, false), false);
        model.warm_up(&mut |_| ControlFlow::Continue(())).expect("the CPU has nothing to warm up");
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        let (mut model, opened) = watched(Card::boxed(FOREVER, false), false);
        model.warm_up(&mut |_| ControlFlow::Break(())).expect("it was not wanted");
        assert_eq!(opened.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_panic_of_a_lost_device_reaches_the_caller_and_the_model_is_kept() {
        let (mut model, _) = watched(Card::boxed(Duration::ZERO, true), true);
        for _ in 0..2 {
            let panic = catch_unwind(AssertUnwindSafe(|| model.predict(&Drawn::image(), "left")));
            let panic = panic.expect_err("the device is lost");
            let text = panic.downcast_ref::<&str>().copied().unwrap_or_default();
            assert!(text.contains("Parent device is lost"), "{text}");
        }
        assert_eq!(model.info().device, "card");
    }
}
