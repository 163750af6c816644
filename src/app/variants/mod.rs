//! Variants of a prompt on the same image: what is pinned, and what is known of the masks.

mod apply;
mod demonstration;
mod requests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::typing::Typing;
use crate::data::describe::Judgement;
use crate::data::volume::DisplayWindow;
use crate::engine::jobs::Differences;
use crate::engine::{Counts, Pending, Slot, Ticket, threshold_step};
use crate::infer::Prediction;
use crate::render::ProbabilityLayer;
use crate::text::prompt::Misread;

pub use demonstration::demonstration;

/// The maximum number of pins.
pub const MOST: usize = 8;

/// What is pinned: a prompt, the model that reads it, and the threshold of its mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PinSpec {
    /// The name of the variant; empty if it has none.
    #[serde(default)]
    pub name: String,
    /// The prompt.
    pub prompt: String,
    /// Whether the second model reads it, not the open one.
    #[serde(default)]
    pub is_compared: bool,
    /// The probability at and above which a pixel belongs to the mask.
    pub threshold: f32,
}

/// The inputs of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct PinnedOf {
    /// The prompt.
    pub prompt: String,
    /// Which model.
    pub slot: Slot,
    /// The ticket of the request that opened the model.
    pub opened: Ticket,
    /// The key of the image's pixels.
    pub image: u64,
    /// The display window of the network's input.
    pub seen: Option<DisplayWindow>,
}

/// The mask of a pin.
#[derive(Clone, Debug)]
pub struct PinnedMask {
    /// The number of the mask.
    pub ticket: Ticket,
    /// The inputs.
    pub of: PinnedOf,
    /// The prediction.
    pub prediction: Arc<Prediction>,
    /// The layer that draws it.
    pub layer: ProbabilityLayer,
    /// The pixel counts at every threshold.
    pub counts: Counts,
    /// What the network could not read of the prompt.
    pub misread: Option<Misread>,
    /// What the rules say, with the threshold step that it is about.
    pub judgement: Option<(usize, Judgement)>,
}

/// A pinned variant.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The number that identifies it in commands.
    pub id: u64,
    /// What is pinned.
    pub spec: PinSpec,
    /// What of the prompt is sent, while a word of it is being typed.
    pub typing: Option<Typing>,
    /// The newest mask.
    pub mask: Option<PinnedMask>,
}

impl Pin {
    /// Returns the part of the prompt that is sent to the network.
    pub fn sent(&self) -> &str {
        self.typing.as_ref().map_or(&self.spec.prompt, Typing::sent)
    }

    /// Returns the model that reads the prompt.
    pub fn slot(&self) -> Slot {
        if self.spec.is_compared { Slot::Compared } else { Slot::Primary }
    }

    /// Returns the agreement of mask and text at the pin's threshold, if it is known.
    pub fn agreement(&self) -> Option<f64> {
        let (step, judgement) = self.mask.as_ref()?.judgement.as_ref()?;
        judgement.agreement.filter(|_| *step == threshold_step(self.spec.threshold))
    }
}

/// The order in which the pins are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they were pinned.
    #[default]
    Pinned,
    /// The highest Dice first.
    Dice,
    /// The highest IoU first.
    Iou,
    /// The largest mask first.
    Area,
    /// The best agreement of mask and text first.
    Agreement,
}

impl Order {
    /// All orders, with their names.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Pinned, "As pinned"),
        (Self::Dice, "Dice"),
        (Self::Iou, "IoU"),
        (Self::Area, "Area"),
        (Self::Agreement, "Agreement with the text"),
    ];
}

/// A command about the pins.
#[derive(Clone, Debug, PartialEq)]
pub enum VariantsCommand {
    /// Pin the prompt of the main view.
    Pin,
    /// Pin the forms of the current prompt for a demonstration, in place of the pins.
    Demonstrate,
    /// Remove a pin.
    Remove(u64),
    /// Remove all pins.
    Clear,
    /// Set the prompt of a pin to what was typed so far.
    Type(u64, String),
    /// Send the prompt of a pin as it stands.
    EndTyping(u64),
    /// Set the threshold of a pin.
    SetThreshold(u64, f32),
    /// Have a pin read by the second model, or by the open one.
    Compare(u64, bool),
    /// Make a pin the current one.
    Choose(u64),
    /// Make the pin that is this many positions further the current one.
    Step(i64),
    /// Show a pin, or the current one, in the main view.
    Use(Option<u64>),
    /// Order the pins.
    Order(Order),
    /// Show the probability in place of the masks.
    Heat(bool),
}

/// The answer to a request for masks, in the order of the prompts.
type Predictions = Vec<(Arc<Prediction>, Counts)>;

/// What a comparison of the masks was made of: the pins, with the numbers of their masks and their threshold steps.
pub type ComparedMasks = Vec<(u64, Ticket, usize)>;

/// The state of the Prompts tab.
#[derive(Default)]
pub struct Variants {
    /// The pins, in the order in which they were pinned.
    pub pins: Vec<Pin>,
    /// The current pin.
    pub current: Option<u64>,
    /// The order in which they are shown.
    pub order: Order,
    /// Whether the pins show the probability in place of the mask.
    pub heat: bool,
    /// The pending requests for masks, of the open and of the second model.
    predictions: [Pending<Vec<PinnedOf>, Predictions>; 2],
    /// Why there are no masks, for each of the two models.
    pub errors: [Option<String>; 2],
    /// The pixel counts against a ground truth that arrived after a mask.
    counts: Pending<Ticket, Counts>,
    /// What the rules say of a mask.
    judging: Pending<(Ticket, usize), Judgement>,
    /// The comparison of the masks with each other.
    comparing: Pending<ComparedMasks, Differences>,
    /// The newest comparison, with what it is of and the layer that draws the disagreement.
    pub differences: Option<(ComparedMasks, Differences, ProbabilityLayer)>,
}

impl Variants {
    /// Returns the pin with this number.
    pub fn pin(&self, id: u64) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.id == id)
    }

    /// Returns the current pin; the first one if none was chosen.
    pub fn current(&self) -> Option<&Pin> {
        self.current.and_then(|id| self.pin(id)).or_else(|| self.pins.first())
    }

    /// Returns what is pinned, for the undo history and for session files.
    pub fn specs(&self) -> Vec<PinSpec> {
        self.pins.iter().map(|pin| pin.spec.clone()).collect()
    }

    /// Returns the pins in the order in which they are shown. Those without a value for the order are last.
    pub fn ordered(&self) -> Vec<&Pin> {
        let mut pins: Vec<&Pin> = self.pins.iter().collect();
        let value = |pin: &&Pin| {
            let mask = pin.mask.as_ref();
            let scores = mask.and_then(|mask| mask.counts.table.confusion(pin.spec.threshold));
            match self.order {
                Order::Pinned => None,
                Order::Dice => scores.map(|scores| scores.dice()),
                Order::Iou => scores.map(|scores| scores.iou()),
                Order::Area => mask.map(|mask| mask.counts.table.foreground(pin.spec.threshold) as f64),
                Order::Agreement => pin.agreement(),
            }
        };
        let key = |pin: &&Pin| value(pin).unwrap_or(f64::NEG_INFINITY);
        pins.sort_by(|a, b| key(b).total_cmp(&key(a)));
        pins
    }

    /// Returns the number of masks that are done and of all that were requested; `None` if none is awaited.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.predictions.iter().find_map(|request| request.pending()?.progress())
    }

    /// Returns whether masks are awaited.
    pub fn is_waiting(&self) -> bool {
        self.predictions.iter().any(|request| request.pending().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ThresholdCounts;
    use crate::infer::Plane;

    fn pin(id: u64, values: &[f32], truth: &[u8]) -> Pin {
        let plane = Plane { width: values.len(), height: 1, values: values.to_vec() };
        let prediction = Prediction::of_map("", plane);
        let table = Arc::new(ThresholdCounts::new(values, Some(truth)));
        let of = PinnedOf { prompt: String::new(), slot: Slot::Primary, opened: 1, image: 1, seen: None };
        let layer = ProbabilityLayer { key: id, size: [values.len(), 1], values: Arc::new(values.to_vec()) };
        let mask = PinnedMask {
            ticket: id,
            of,
            prediction: Arc::new(prediction),
            layer,
            counts: Counts { truth: Some(1), table },
            misread: None,
            judgement: None,
        };
        let spec = PinSpec { name: String::new(), prompt: String::new(), is_compared: false, threshold: 0.5 };
        Pin { id, spec, typing: None, mask: Some(mask) }
    }

    #[test]
    fn pins_are_ordered_by_what_is_asked_for() {
        let truth = [1, 1, 0, 0];
        let mut variants = Variants {
            pins: vec![
                pin(1, &[0.9, 0.9, 0.9, 0.9], &truth),
                pin(2, &[0.9, 0.9, 0.1, 0.1], &truth),
                pin(3, &[0.1, 0.1, 0.9, 0.1], &truth),
            ],
            ..Variants::default()
        };
        variants.pins.push(Pin { mask: None, id: 4, ..pin(4, &[0.9], &[1]) });
        let mut ids = |order| {
            variants.order = order;
            variants.ordered().iter().map(|pin| pin.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Order::Pinned), [1, 2, 3, 4]);
        assert_eq!(ids(Order::Dice), [2, 1, 3, 4]);
        assert_eq!(ids(Order::Iou), [2, 1, 3, 4]);
        assert_eq!(ids(Order::Area), [1, 2, 3, 4]);
        assert_eq!(ids(Order::Agreement), [1, 2, 3, 4], "nothing is known of it");
    }
}
