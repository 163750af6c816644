//! What the threads of a set ask the thread that has the model for. They ask for one prediction at a time, as they do of a model
//! of their own ([`Asker`]), and prepare images and finish predictions themselves. The thread that has the model waits until
//! enough of them have asked ([`serve`]).

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batch_case::{BatchCase, Front};
use super::error::InferError;
use super::info::ModelInfo;
use super::inspection::{InspectOptions, Inspection};
use super::prediction::Prediction;
use super::segmenter::Segmenter;
use crate::data::Image;
use crate::model::overrides::Overrides;

/// The number of images that are computed together.
pub(super) const SIZE: usize = 16;
/// The time that an incomplete batch waits for another image.
const MOMENT: Duration = Duration::from_millis(4);

/// The logits of an image, and the name of the device that computed them.
pub(super) type Logits = (Vec<f32>, String);

/// A prediction that a thread asks for.
pub(super) struct Ask {
    case: BatchCase,
    /// The values with which the network runs; `None` for its own.
    overrides: Option<Overrides>,
    answer: Sender<Result<Logits, InferError>>,
}

/// An inspection of more than the mask, which is computed by itself.
pub(super) struct Whole {
    image: Image,
    prompt: String,
    overrides: Option<Overrides>,
    wanted: InspectOptions,
    answer: Sender<Result<Inspection, InferError>>,
}

/// What a thread of a set asks for.
pub(super) enum Request {
    Mask(Box<Ask>),
    Whole(Box<Whole>),
}

/// A model whose network another thread has.
pub(super) struct Asker {
    pub(super) front: Front,
    pub(super) out: Sender<Request>,
}

impl Asker {
    fn ask<T>(&self, request: impl FnOnce(Sender<Result<T, InferError>>) -> Request) -> Result<T, InferError> {
        let ended = || InferError::from("the thread that computes the set ended; start again");
        let (answer, answered): (_, Receiver<_>) = bounded(1);
        self.out.send(request(answer)).map_err(|_| ended())?;
        answered.recv().map_err(|_| ended())?
    }
}

impl Segmenter for Asker {
    fn info(&self) -> ModelInfo {
        self.front.info.clone()
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        Ok(self.inspect(image, prompt, None, InspectOptions::default())?.prediction)
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let start = Instant::now();
        if wanted != InspectOptions::default() {
            let (image, prompt, overrides) = (image.clone(), prompt.to_owned(), overrides.cloned());
            return self
                .ask(|answer| Request::Whole(Box::new(Whole { image, prompt, overrides, wanted, answer })));
        }
        let case = self.front.case(image, prompt);
        let encoding = case.encoding.clone();
        let changed = overrides.cloned();
        let (logits, device) =
            self.ask(|answer| Request::Mask(Box::new(Ask { case, overrides: changed, answer })))?;
        let overrides = overrides.unwrap_or(&self.front.info.overrides);
        let prediction = self.front.prediction((image, prompt), &encoding, logits, overrides, &device, start);
        Ok(Inspection { prediction, stages: Vec::new(), similarity: Vec::new(), explained: 0 })
    }

    fn take_notices(&mut self) -> Vec<String> {
        // The thread that has the model keeps them.
        Vec::new()
    }
}

/// Computes what is asked for.
pub(super) trait Compute {
    /// The logits of each case, in their order.
    ///
    /// # Errors
    /// The model failed or rejects the values.
    fn logits(&mut self, cases: &[BatchCase], overrides: Option<&Overrides>) -> Result<Vec<Logits>, InferError>;

    /// An inspection of one image.
    ///
    /// # Errors
    /// See [`Segmenter::inspect`].
    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError>;
}

/// Answers requests in batches until all askers are gone.
pub(super) fn serve(compute: &mut dyn Compute, requests: &Receiver<Request>) {
    let mut waiting: Vec<Ask> = Vec::new();
    loop {
        if waiting.is_empty() {
            match requests.recv() {
                Ok(request) => receive(compute, request, &mut waiting),
                Err(_) => return,
            }
        }
        while waiting.len() < SIZE
            && let Ok(request) = requests.recv_timeout(MOMENT)
        {
            receive(compute, request, &mut waiting);
        }
        answer(compute, take_alike(&mut waiting));
    }
}

fn receive(compute: &mut dyn Compute, request: Request, waiting: &mut Vec<Ask>) {
    match request {
        Request::Mask(ask) => waiting.push(*ask),
        Request::Whole(whole) => {
            let Whole { image, prompt, overrides, wanted, answer } = *whole;
            // A thread that does not wait any more belongs to a set that was ended.
            let _ = answer.send(compute.inspect(&image, &prompt, overrides.as_ref(), wanted));
        }
    }
}

/// Takes the largest group that is computed with the same values.
fn take_alike(waiting: &mut Vec<Ask>) -> Vec<Ask> {
    let count = |ask: &Ask| waiting.iter().filter(|other| other.overrides == ask.overrides).count();
    let Some(overrides) = waiting.iter().max_by_key(|ask| count(ask)).map(|ask| ask.overrides.clone()) else {
        return Vec::new();
    };
    let (taken, others) = std::mem::take(waiting).into_iter().partition(|ask| ask.overrides == overrides);
    *waiting = others;
    taken
}

fn answer(compute: &mut dyn Compute, asked: Vec<Ask>) {
    let Some(overrides) = asked.first().map(|ask| ask.overrides.clone()) else { return };
    let (cases, answers): (Vec<BatchCase>, Vec<_>) = asked.into_iter().map(|ask| (ask.case, ask.answer)).unzip();
    match compute.logits(&cases, overrides.as_ref()) {
        Ok(logits) => {
            answers.iter().zip(logits).for_each(|(answer, logits)| drop(answer.send(Ok(logits))));
        }
        Err(error) => {
            // An error cannot be copied; its words can.
            let reason = error.to_string();
            answers.iter().for_each(|answer| drop(answer.send(Err(InferError::Refused(reason.clone())))));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::scope;

    use super::*;
    use crate::data::Pixels;

    /// A model whose logits are the first value of the image, and that remembers the sizes of its batches.
    #[derive(Default)]
    struct Counting {
        sizes: Vec<usize>,
        fails: bool,
    }

    impl Compute for Counting {
        fn logits(
            &mut self,
            cases: &[BatchCase],
            overrides: Option<&Overrides>,
        ) -> Result<Vec<Logits>, InferError> {
            self.sizes.push(cases.len());
            if self.fails {
                return Err("it is broken".into());
            }
            let factor = overrides.map_or(1.0, |_| -1.0);
            Ok(cases.iter().map(|case| (vec![factor * case.image[0]], "card".to_owned())).collect())
        }

        fn inspect(
            &mut self,
            _: &Image,
            prompt: &str,
            _: Option<&Overrides>,
            _: InspectOptions,
        ) -> Result<Inspection, InferError> {
            Err(format!("whole: {prompt}").as_str().into())
        }
    }

    fn case(value: f32) -> BatchCase {
        BatchCase { image: vec![value], encoding: crate::infer::finish::encode(None, 0, "") }
    }

    /// Lets this many threads ask `compute` for three predictions each; every second thread has values of its own.
    fn ask_all(compute: &mut Counting, threads: usize) -> Vec<Result<f32, String>> {
        let (out, requests) = bounded(threads);
        scope(|scope| {
            let askers: Vec<_> = (0..threads)
                .map(|number| {
                    let out = out.clone();
                    scope.spawn(move || {
                        let changed = Overrides { order: vec![1], ..Overrides::default() };
                        let overrides = (number % 2 == 1).then_some(changed);
                        (0..3)
                            .map(|round| {
                                let (answer, answered) = bounded(1);
                                let case = case((10 * number + round) as f32);
                                let ask = Ask { case, overrides: overrides.clone(), answer };
                                out.send(Request::Mask(Box::new(ask))).expect("somebody listens");
                                let logits = answered.recv().expect("an answer");
                                logits.map(|(values, _)| values[0]).map_err(|error| error.to_string())
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            drop(out);
            serve(compute, &requests);
            askers.into_iter().flat_map(|asker| asker.join().expect("it ends")).collect()
        })
    }

    #[test]
    fn every_asker_gets_its_own_logits_and_several_are_computed_together() {
        let mut compute = Counting::default();
        let found = ask_all(&mut compute, 8);
        let expected = |at: usize| -> Result<f32, String> {
            let value = (10 * (at / 3) + at % 3) as f32;
            Ok(if at / 3 % 2 == 1 { -value } else { value })
        };
        assert_eq!(found, (0..24).map(expected).collect::<Vec<_>>());
        assert_eq!(compute.sizes.iter().sum::<usize>(), 24);
        assert!(compute.sizes.iter().all(|size| (1..=SIZE).contains(size)), "{:?}", compute.sizes);
    }

    #[test]
    fn a_failure_reaches_everyone_who_asked() {
        let mut compute = Counting { fails: true, ..Counting::default() };
        let found = ask_all(&mut compute, 3);
        assert_eq!(found, vec![Err("it is broken".to_owned()); 9]);
    }

    #[test]
    fn more_than_a_mask_is_computed_by_itself() {
        let (answer, answered) = bounded(1);
        let (out, requests) = bounded(1);
        let image = Image { width: 1, height: 1, channels: 1, pixels: Pixels::U8(vec![0]) };
        let whole = Whole {
            image,
            prompt: "left".into(),
            overrides: None,
            wanted: InspectOptions { maps: true, ..InspectOptions::default() },
            answer,
        };
        out.send(Request::Whole(Box::new(whole))).expect("there is room");
        drop(out);
        serve(&mut Counting::default(), &requests);
        let error = answered.recv().expect("an answer").expect_err("the fake refuses");
        assert_eq!(error.to_string(), "whole: left");
    }
}
