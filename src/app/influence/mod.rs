//! The influence of the words of the prompt: what was examined, for what, and what of it is shown.

mod apply;
mod arrivals;

use std::ops::Range;
use std::sync::Arc;

use eframe::egui::TextureHandle;

use crate::data::Image;
use crate::data::volume::DisplayWindow;
use crate::engine::{DisplayPixels, Pending, Ticket};
use crate::infer::influence::{Change, Effect, Influence, PartInfluence, PhraseShares};

/// The maximum side length of the picture of a difference, in pixels.
pub const SIDE: usize = 512;

/// A user command of the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum InfluenceCommand {
    /// Examine the words of the prompt.
    Examine,
    /// Compute the Shapley values of its phrases.
    Share,
    /// Stop what is being computed.
    Cancel,
    /// Show where in the image a part of the prompt acts; `None` shows nothing.
    Select(Option<Selection>),
    /// Choose what is done with the words.
    Do(Method),
    /// Choose the measure.
    Measure(Measure),
}

/// What was examined; equal values give the same result.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// The ticket of the image, and the slice.
    pub image: (Ticket, usize),
    /// The display window applied to the network's input.
    pub window: Option<DisplayWindow>,
    /// The ground truth.
    pub truth: Option<Ticket>,
    /// The prompt.
    pub prompt: String,
    /// The ticket of the request that opened the model.
    pub model: Ticket,
    /// The step of the threshold.
    pub threshold: usize,
}

impl Examined {
    /// Returns what differs from `now`, in words; `None` if nothing does. `None` as `now` means that there is no image
    /// or no model.
    pub fn difference(&self, now: Option<&Self>) -> Option<&'static str> {
        let Some(now) = now else { return Some("Nothing is open any more that this belongs to.") };
        let differences = [
            (self.image != now.image, "This belongs to another image."),
            (self.model != now.model, "This belongs to another model."),
            (self.prompt != now.prompt, "This belongs to an earlier prompt."),
            (self.threshold != now.threshold, "This belongs to another threshold."),
            (self.window != now.window, "This belongs to another display window."),
            (self.truth != now.truth, "This belongs to another ground truth."),
        ];
        differences.into_iter().find(|(differs, _)| *differs).map(|(_, words)| words)
    }
}

/// The image that a result belongs to.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The image.
    pub image: Arc<Image>,
    /// The display window in which it was shown; `None` for the stored image.
    pub window: Option<DisplayWindow>,
}

/// A study, and its newest result.
pub struct Study<T> {
    /// The newest request.
    pub request: Pending<(Examined, Shown), Arc<T>>,
    /// The newest result with what was examined, and the ticket of its request.
    pub found: Option<(Ticket, Examined, Shown, Arc<T>)>,
    /// The reason why the newest request has no result.
    pub error: Option<String>,
}

impl<T> Default for Study<T> {
    fn default() -> Self {
        Self { request: Pending::default(), found: None, error: None }
    }
}

/// What is done with the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// They are left out.
    #[default]
    LeaveOut,
    /// They are replaced by the mask token.
    MaskToken,
}

impl Method {
    /// All methods, in display order.
    pub const ALL: [Self; 2] = [Self::LeaveOut, Self::MaskToken];

    /// Returns the name for display.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaveOut => "Left out",
            Self::MaskToken => "By [MASK]",
        }
    }

    /// Returns the effect of this method on a part; `None` if there is none.
    pub fn of(self, part: &PartInfluence) -> Option<&Effect> {
        match self {
            Self::LeaveOut => part.left_out.as_ref(),
            Self::MaskToken => part.masked.as_ref(),
        }
    }
}

/// What is measured of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// The mean absolute change of the probability.
    #[default]
    Probability,
    /// The share of pixels that change at the threshold.
    Pixels,
    /// The change of the area.
    Area,
    /// The change of Dice with the ground truth.
    Dice,
}

impl Measure {
    /// All measures, in display order.
    pub const ALL: [Self; 4] = [Self::Probability, Self::Pixels, Self::Area, Self::Dice];

    /// Returns the name for display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probability => "Probability",
            Self::Pixels => "Changed pixels",
            Self::Area => "Area",
            Self::Dice => "Dice",
        }
    }

    /// Explains the measure.
    pub fn words(self) -> &'static str {
        match self {
            Self::Probability => "mean absolute change of the probability, 0 to 1",
            Self::Pixels => "pixels that change sides at the threshold, % of the image",
            Self::Area => "change of the mask's area, % of the image",
            Self::Dice => "change of Dice with the ground truth, per image",
        }
    }

    /// Returns the value of a change; `None` without a ground truth.
    pub fn of(self, change: &Change) -> Option<f64> {
        match self {
            Self::Probability => Some(change.probability),
            Self::Pixels => Some(change.changed),
            Self::Area => Some(change.area),
            Self::Dice => change.dice,
        }
    }

    /// Formats a value.
    pub fn format(self, value: f64) -> String {
        let text = match self {
            Self::Probability => format!("{value:.3}"),
            Self::Pixels => format!("{:.1} %", 100.0 * value),
            Self::Area => format!("{:+.1} %", 100.0 * value),
            Self::Dice => format!("{value:+.3}"),
        };
        // A change that rounds to nothing has no sign.
        let is_zero = !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        if is_zero { text.replace(['+', '-'], "") } else { text.replace('-', "−") }
    }
}

/// A part of the prompt that was examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A word.
    Word(usize),
    /// A phrase.
    Phrase(usize),
    /// An exchange.
    Exchange(usize),
}

impl Selection {
    /// Returns the effect that is shown, with its bytes in the prompt.
    pub fn effect(self, found: &Influence, method: Method) -> Option<(&Effect, Range<usize>)> {
        let of = |part: &PartInfluence| part.bytes.clone();
        match self {
            Self::Word(place) => found.words.get(place).and_then(|part| Some((method.of(part)?, of(part)))),
            Self::Phrase(place) => found.phrases.get(place).and_then(|part| Some((method.of(part)?, of(part)))),
            Self::Exchange(place) => {
                found.exchanges.get(place).map(|exchange| (&exchange.effect, exchange.bytes.clone()))
            }
        }
    }
}

/// The picture of a difference; equal values give the same picture: the ticket of the study, the part and the method.
pub type PictureOf = (Ticket, Selection, Method);

/// The state of the panel.
#[derive(Default)]
pub struct InfluenceState {
    /// The words left out, replaced and exchanged.
    pub words: Study<Influence>,
    /// The Shapley values of the phrases.
    pub shares: Study<PhraseShares>,
    /// The part whose place in the image is shown.
    pub selected: Option<Selection>,
    /// What is done with the words that are coloured and shown.
    pub method: Method,
    /// The measure that is shown.
    pub measure: Measure,
    /// The picture that is being rendered.
    pub painting: Pending<PictureOf, DisplayPixels>,
    /// The newest picture.
    pub picture: Option<(PictureOf, TextureHandle)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_says_what_has_changed_since() {
        let of = Examined {
            image: (3, 0),
            window: None,
            truth: None,
            prompt: "left lung".into(),
            model: 1,
            threshold: 500,
        };
        assert_eq!(of.difference(Some(&of)), None);
        let differs = |now: Examined, words: &str| {
            assert!(of.difference(Some(&now)).is_some_and(|said| said.contains(words)), "{words}");
        };
        differs(Examined { prompt: "right lung".into(), ..of.clone() }, "prompt");
        differs(Examined { image: (3, 1), ..of.clone() }, "image");
        differs(Examined { model: 2, ..of.clone() }, "model");
        differs(Examined { threshold: 501, ..of.clone() }, "threshold");
        differs(Examined { truth: Some(4), ..of.clone() }, "ground truth");
        assert!(of.difference(None).is_some());
    }

    #[test]
    fn a_change_of_nothing_has_no_sign() {
        assert_eq!(Measure::Area.format(-0.000_04), "0.0 %");
        assert_eq!(Measure::Area.format(-0.0504), "−5.0 %");
        assert_eq!(
            (Measure::Dice.format(0.25).as_str(), Measure::Dice.format(-0.0).as_str()),
            ("+0.250", "0.000")
        );
        assert_eq!(Measure::Pixels.format(0.125), "12.5 %");
    }
}
