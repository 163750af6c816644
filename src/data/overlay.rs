//! The pixel-wise comparison of a mask with the ground truth, and the colours in which it is shown.
//!
//! The window, the shader, saved pictures and figures all use these definitions.

use serde::{Deserialize, Serialize};

/// The meaning of a pixel of the overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The pixel is in the mask, and there is no ground truth to compare with.
    Mask,
    /// The pixel is in the mask and in the ground truth.
    TruePositive,
    /// The pixel is in the ground truth only.
    FalseNegative,
    /// The pixel is in the mask only.
    FalsePositive,
}

impl Outcome {
    /// The outcomes that a comparison with the ground truth shows, in the order of a legend.
    pub const COMPARED: [Self; 3] = [Self::TruePositive, Self::FalseNegative, Self::FalsePositive];

    /// Returns the outcome's name, as a legend shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::TruePositive => "true positive",
            Self::FalseNegative => "false negative",
            Self::FalsePositive => "false positive",
        }
    }

    /// Returns the outcome's name with a capital, as it stands at the beginning of a line in the window.
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

    /// Returns the outcome of a pixel. `is_predicted` says whether the pixel is in the mask; `is_lesion` says
    /// whether it is in the ground truth, or is `None` if there is no ground truth. Returns `None` for
    /// background, where nothing is drawn.
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

/// The colours of a mask and of its comparison with the ground truth, in 8-bit sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayColours {
    /// Colour of the mask if there is no ground truth.
    pub mask: [u8; 3],
    /// Colour of true positives.
    #[serde(alias = "found")]
    pub true_positive: [u8; 3],
    /// Colour of false negatives.
    #[serde(alias = "missed")]
    pub false_negative: [u8; 3],
    /// Colour of false positives.
    #[serde(alias = "wrong")]
    pub false_positive: [u8; 3],
}

impl OverlayColours {
    /// Yellow true positives, red false negatives and green false positives, as in figures 5 and 6 of the paper.
    pub const PAPER: Self = Self {
        mask: [0, 200, 232],
        true_positive: [255, 224, 0],
        false_negative: [255, 48, 48],
        false_positive: [48, 208, 80],
    };
    /// Blue true positives, orange false negatives and grey false positives, which can be distinguished with
    /// every kind of colour vision.
    pub const SAFE: Self = Self {
        mask: [0, 200, 232],
        true_positive: [0, 114, 178],
        false_negative: [240, 150, 0],
        false_positive: [200, 200, 200],
    };

    /// Returns the colour of an outcome.
    pub fn colour(&self, outcome: Outcome) -> [u8; 3] {
        match outcome {
            Outcome::Mask => self.mask,
            Outcome::TruePositive => self.true_positive,
            Outcome::FalseNegative => self.false_negative,
            Outcome::FalsePositive => self.false_positive,
        }
    }

    /// Returns the colour of a pixel with the arguments of [`Outcome::of`]. `None` for background, where the
    /// image shows through.
    pub fn of(&self, is_predicted: bool, is_lesion: Option<bool>) -> Option<[u8; 3]> {
        Outcome::of(is_predicted, is_lesion).map(|outcome| self.colour(outcome))
    }
}

/// The colours of labels that have none of their own, 8-bit sRGB. None is close to the yellow, red and green of a comparison, nor to the
/// colour of a prediction.
pub const LABEL_COLOURS: [[u8; 3]; 8] = [
    [236, 102, 214],
    [88, 140, 255],
    [255, 150, 66],
    [164, 112, 255],
    [0, 190, 168],
    [255, 128, 152],
    [150, 190, 60],
    [196, 164, 132],
];
/// Colour of the mask's outline, in 8-bit sRGB.
pub const PREDICTION_OUTLINE: [u8; 3] = [0, 229, 255];
/// Colour of the ground truth's outline, in 8-bit sRGB.
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
