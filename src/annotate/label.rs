//! Labels of an annotation, and where their pixels come from.

use serde::{Deserialize, Serialize};

/// The identifier of a label within its annotation, which is not reused after the label was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelId(pub(super) u32);

/// What made a prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedBy {
    /// The name of the model.
    pub model: String,
    /// The prompt.
    pub prompt: String,
    /// The probability at and above which a pixel was foreground, 0…1.
    pub threshold: f32,
}

/// The origin of the pixels of a label in a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A prediction that was taken over as it was.
    Predicted(PredictedBy),
    /// A prediction that was corrected by hand afterwards.
    Corrected(PredictedBy),
    /// Drawn by hand.
    Drawn,
    /// Computed from other regions, for instance by interpolation between slices.
    Derived,
    /// Read from a file.
    Read,
}

impl Origin {
    /// Returns the origin of pixels of this origin, to which some of the origin `other` were added.
    pub fn with(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Predicted(by), new) if *new == Self::Predicted(by.clone()) => new.clone(),
            (Self::Predicted(by) | Self::Corrected(by), _) | (_, Self::Predicted(by) | Self::Corrected(by)) => {
                Self::Corrected(by.clone())
            }
            (Self::Derived, Self::Derived) => Self::Derived,
            (Self::Read, Self::Read) => Self::Read,
            _ => Self::Drawn,
        }
    }

    /// Returns the origin of pixels of this origin, from which some were taken by an act of the origin `act`. What
    /// is left is no prediction because it made room for one.
    pub fn without(&self, act: &Self) -> Self {
        match (self, act) {
            (Self::Predicted(by) | Self::Corrected(by), _) => Self::Corrected(by.clone()),
            (_, Self::Predicted(_) | Self::Corrected(_)) => self.clone(),
            _ => self.with(act),
        }
    }

    /// Returns the origin of a part of pixels of this origin: a part of a prediction is a corrected one.
    pub fn touched(&self) -> Self {
        match self {
            Self::Predicted(by) => Self::Corrected(by.clone()),
            other => other.clone(),
        }
    }
}

/// A kind of region that pixels can belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The name shown to the user; unique within an annotation.
    pub name: String,
    /// The colour, 8-bit sRGB.
    pub colour: [u8; 3],
    /// Whether its pixels are protected from changes.
    pub is_locked: bool,
    /// Whether it is displayed.
    pub is_visible: bool,
}

impl Label {
    /// Creates a label that is visible and not locked.
    pub fn new(name: impl Into<String>, colour: [u8; 3]) -> Self {
        Self { name: name.into(), colour, is_locked: false, is_visible: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_that_was_touched_is_a_corrected_one() {
        let by = PredictedBy { model: "m".into(), prompt: "left lung".into(), threshold: 0.5 };
        let (predicted, corrected) = (Origin::Predicted(by.clone()), Origin::Corrected(by));
        assert_eq!(predicted.with(&Origin::Drawn), corrected);
        assert_eq!(corrected.with(&Origin::Derived), corrected);
        assert_eq!(Origin::Drawn.with(&predicted), corrected);
        assert_eq!(predicted.with(&predicted), predicted);
        assert_eq!(Origin::Drawn.with(&Origin::Derived), Origin::Drawn);
        assert_eq!(Origin::Derived.with(&Origin::Derived), Origin::Derived);
        assert_eq!(Origin::Read.with(&Origin::Drawn), Origin::Drawn);
    }

    #[test]
    fn what_loses_pixels_does_not_become_what_took_them() {
        let by = |prompt: &str| PredictedBy { model: "m".into(), prompt: prompt.into(), threshold: 0.5 };
        let (predicted, corrected) = (Origin::Predicted(by("left")), Origin::Corrected(by("left")));
        for act in [Origin::Drawn, Origin::Derived, predicted.clone(), Origin::Predicted(by("right"))] {
            assert_eq!((predicted.without(&act), corrected.without(&act)), (corrected.clone(), corrected.clone()));
        }
        for origin in [Origin::Drawn, Origin::Derived, Origin::Read] {
            assert_eq!(origin.without(&predicted), origin, "nothing of it was predicted");
            assert_eq!((origin.without(&Origin::Drawn), origin.touched()), (Origin::Drawn, origin));
        }
        assert_eq!(predicted.touched(), corrected);
    }
}
