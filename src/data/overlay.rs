//! How a mask agrees with the ground truth, pixel by pixel, and the colours in which that is shown.
//!
//! The window, the shader, saved pictures and figures take both from here.

use serde::{Deserialize, Serialize};

/// What a pixel of the overlay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In the mask, where there is no ground truth to compare with.
    Mask,
    /// In the mask and in the ground truth.
    TruePositive,
    /// In the ground truth only.
    FalseNegative,
    /// In the mask only.
    FalsePositive,
}

impl Outcome {
    /// What a comparison with a ground truth shows, in the order of a legend.
    pub const COMPARED: [Self; 3] = [Self::TruePositive, Self::FalseNegative, Self::FalsePositive];

    /// Its name in a legend.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::TruePositive => "true positive",
            Self::FalseNegative => "false negative",
            Self::FalsePositive => "false positive",
        }
    }

    /// Its name at the beginning of a line of the window.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mask => "Mask",
            Self::TruePositive => "True positive",
            Self::FalseNegative => "False negative",
            Self::FalsePositive => "False positive",
        }
    }

    /// Returns the abbreviation of [`Self::title`], for a legend without room for more.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Mask => "Mask",
            Self::TruePositive => "TP",
            Self::FalseNegative => "FN",
            Self::FalsePositive => "FP",
        }
    }

    /// Of a pixel that is in the mask or not. `is_lesion` says whether it is in the ground truth, and is `None` where there is none.
    /// `None` for background, where nothing is drawn.
    pub fn of(is_predicted: bool, is_lesion: Option<bool>) -> Option<Self> {
        match (is_predicted, is_lesion) {
            (true, None) => Some(Self::Mask),
            (true, Some(true)) => Some(Self::TruePositive),
            (false, Some(true)) => Some(Self::FalseNegative),
            (true, Some(false)) => Some(Self::FalsePositive),
            (false, _) => None,
        }
    }
}

/// Colours of a mask and of its agreement with the ground truth, 8-bit sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayColours {
    /// The mask where there is nothing to compare with.
    pub mask: [u8; 3],
    /// True positive.
    #[serde(alias = "found")]
    pub true_positive: [u8; 3],
    /// False negative.
    #[serde(alias = "missed")]
    pub false_negative: [u8; 3],
    /// False positive.
    #[serde(alias = "wrong")]
    pub false_positive: [u8; 3],
}

impl OverlayColours {
    /// Yellow, red and green, as in the paper's figures 5 and 6.
    pub const PAPER: Self = Self {
        mask: [0, 200, 232],
        true_positive: [255, 224, 0],
        false_negative: [255, 48, 48],
        false_positive: [48, 208, 80],
    };
    /// Blue, orange and grey, which can be told apart with every kind of colour vision.
    pub const SAFE: Self = Self {
        mask: [0, 200, 232],
        true_positive: [0, 114, 178],
        false_negative: [240, 150, 0],
        false_positive: [200, 200, 200],
    };

    /// The colour of an outcome.
    pub fn colour(&self, outcome: Outcome) -> [u8; 3] {
        match outcome {
            Outcome::Mask => self.mask,
            Outcome::TruePositive => self.true_positive,
            Outcome::FalseNegative => self.false_negative,
            Outcome::FalsePositive => self.false_positive,
        }
    }

    /// The colour of a pixel, see [`Outcome::of`]; `None` where the picture is seen as it is.
    pub fn of(&self, is_predicted: bool, is_lesion: Option<bool>) -> Option<[u8; 3]> {
        Outcome::of(is_predicted, is_lesion).map(|outcome| self.colour(outcome))
    }
}

/// Outline of the mask, 8-bit sRGB.
pub const PREDICTION_OUTLINE: [u8; 3] = [0, 229, 255];
/// Outline of the ground truth, 8-bit sRGB.
pub const TRUTH_OUTLINE: [u8; 3] = [255, 255, 255];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_older_settings_are_read() {
        let text = r#"{"mask": [1, 2, 3], "found": [4, 5, 6], "missed": [7, 8, 9], "wrong": [10, 11, 12]}"#;
        let colours: OverlayColours = serde_json::from_str(text).expect("colours");
        assert_eq!((colours.true_positive, colours.false_positive), ([4, 5, 6], [10, 11, 12]));
    }
}
