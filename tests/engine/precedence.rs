//! A training run on the card of the window's model lets a prediction go first.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use himix::data::Image;
use himix::device::precedence::PRECEDENCE;
use himix::engine::{Engine, Pending, Predicted, Slot};
use himix::infer::{
    InferError, InspectOptions, Inspection, ModelInfo, OpenModel, Overrides, Prediction, Segmenter,
};

use super::fake::FakeModel;
use super::{answer, open, request, soon};

/// No other test has a model on it.
const CARD: &str = "The card of this test";

/// Whether a prediction has begun, and whether it has ended.
#[derive(Default)]
struct Seen {
    begun: AtomicBool,
    ended: AtomicBool,
}

/// A model that takes its time on a card.
struct OnCard(Box<dyn Segmenter>, Arc<Seen>);

impl Segmenter for OnCard {
    fn info(&self) -> ModelInfo {
        ModelInfo { device: CARD.into(), ..self.0.info() }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        self.1.begun.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(100));
        let prediction = self.0.predict(image, prompt);
        self.1.ended.store(true, Ordering::SeqCst);
        prediction
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        self.0.inspect(image, prompt, overrides, wanted)
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.0.take_notices()
    }
}

/// Gives way as a run does before a pass, and returns whether the run had to finish what it had begun.
fn gives_way() -> bool {
    let has_finished = Cell::new(false);
    PRECEDENCE.give_way(CARD, || has_finished.set(true));
    has_finished.get()
}

#[test]
fn a_run_on_the_card_of_the_model_waits_for_a_prediction() {
    let (seen, inner) = (Arc::new(Seen::default()), FakeModel::default().opener());
    let of_model = seen.clone();
    let opener: OpenModel = Arc::new(move |source, device| {
        Ok(Box::new(OnCard(inner(source, device)?, of_model.clone())) as Box<dyn Segmenter>)
    });
    assert!(!gives_way(), "there is no model on the card");
    let mut engine = Engine::start(opener, himix::engine::trainer(), Arc::new(|| ())).expect("threads start");
    open(&mut engine, Slot::Primary, "demo").expect("the model opens");
    assert!(gives_way(), "the run has one pass on the card at a time");
    let mut predictions = Pending::<(), Predicted>::default();
    engine.predict(Slot::Primary, &mut predictions, request(1, "left lung"));
    soon("the prediction to begin", || seen.begun.load(Ordering::SeqCst).then_some(()));
    assert!(gives_way());
    assert!(seen.ended.load(Ordering::SeqCst), "the next pass waits for the prediction");
    answer(&mut predictions).expect("a prediction");
    drop(engine);
    assert!(!gives_way(), "the model is gone");
}
