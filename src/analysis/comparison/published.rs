//! Published Dice and IoU of the networks that HiMix is compared with, each with the convention in which it was computed.
//!
//! The paper's main table (Hwang, Sim, Kim: "HiMix", WACV 2026) mixes two conventions between its rows. A pooled Dice D fixes the
//! pooled IoU, D / (2 − D), and a mean over images lies above it, so that the printed numbers tell which one a row has. Rows of
//! different conventions must not be ranked against each other, so that a published score stands beside one found here only
//! where both have the same.

use std::fmt;
use std::str::FromStr;

/// The data sets of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedSet {
    /// QaTa-COV19.
    Qata,
    /// MosMedData+.
    Mosmed,
    /// Kvasir-SEG.
    Kvasir,
}

impl PublishedSet {
    /// All data sets.
    pub const ALL: [Self; 3] = [Self::Qata, Self::Mosmed, Self::Kvasir];

    /// The name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Qata => "qata",
            Self::Mosmed => "mosmed",
            Self::Kvasir => "kvasir",
        }
    }
}

impl fmt::Display for PublishedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qata => "QaTa-COV19",
            Self::Mosmed => "MosMedData+",
            Self::Kvasir => "Kvasir-SEG",
        })
    }
}

impl FromStr for PublishedSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|set| set.key() == text.trim().to_ascii_lowercase());
        found
            .ok_or_else(|| format!("'{text}' is no data set with published scores; choose qata, mosmed or kvasir"))
    }
}

/// How a score of several images was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// One score over the pixels of all images.
    Pooled,
    /// The mean of the scores of the images.
    PerImage,
    /// Dice and IoU fit neither.
    Unclear,
}

impl Convention {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pooled => "pooled",
            Self::PerImage => "per image",
            Self::Unclear => "unclear",
        }
    }
}

/// A published row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The network.
    pub network: &'static str,
    /// The data set.
    pub set: PublishedSet,
    /// How the scores were computed.
    pub convention: Convention,
    /// Dice and IoU in percent, as printed.
    pub percent: [f64; 2],
    /// Where the numbers come from, as far as it is known.
    pub source: &'static str,
}

const fn row(
    network: &'static str,
    set: PublishedSet,
    convention: Convention,
    percent: [f64; 2],
    source: &'static str,
) -> Published {
    Published { network, set, convention, percent, source }
}

/// Every published row, as the main table of the HiMix paper prints it.
pub const PUBLISHED: [Published; 21] = {
    use Convention::{PerImage, Pooled, Unclear};
    use PublishedSet::{Kvasir, Mosmed, Qata};
    [
        row("U-Net", Qata, PerImage, [79.02, 69.46], "LViT's paper"),
        row("U-Net", Mosmed, PerImage, [64.60, 50.73], "LViT's paper"),
        row("U-Net", Kvasir, PerImage, [82.94, 74.47], "HiMix's paper; the run is not documented"),
        row("TransUNet", Qata, PerImage, [78.63, 69.13], "LViT's paper"),
        row("TransUNet", Mosmed, PerImage, [71.24, 58.44], "LViT's paper"),
        row("TransUNet", Kvasir, PerImage, [79.67, 71.14], "HiMix's paper; the run is not documented"),
        row("MedSAM", Qata, PerImage, [78.49, 69.11], "HiMix's paper; the prompt is not stated"),
        row("MedSAM", Mosmed, PerImage, [54.22, 42.22], "HiMix's paper; the prompt is not stated"),
        row("MedSAM", Kvasir, PerImage, [86.69, 79.24], "HiMix's paper; the prompt is not stated"),
        row("LViT", Qata, PerImage, [83.66, 75.11], "LViT's paper"),
        row("LViT", Mosmed, PerImage, [74.57, 61.33], "LViT's paper"),
        row("LViT", Kvasir, Pooled, [87.17, 77.26], "HiMix's paper; the origin is not stated"),
        row("GuideDecoder", Qata, Pooled, [89.78, 81.45], "GuideDecoder's paper"),
        row("GuideDecoder", Mosmed, Pooled, [77.75, 63.60], "MMI-UNet's paper"),
        row("GuideDecoder", Kvasir, Pooled, [88.31, 79.07], "HiMix's paper"),
        row("MMI-UNet", Qata, Pooled, [90.88, 83.28], "MMI-UNet's paper"),
        row("MMI-UNet", Mosmed, Pooled, [78.42, 64.50], "MMI-UNet's paper"),
        row("MMI-UNet", Kvasir, Unclear, [91.43, 84.57], "HiMix's paper"),
        row("HiMix", Qata, Pooled, [91.17, 83.78], "HiMix's paper"),
        row("HiMix", Mosmed, Pooled, [79.44, 65.90], "HiMix's paper"),
        row("HiMix", Kvasir, Pooled, [92.18, 85.50], "HiMix's paper"),
    ]
};

/// Returns the published row of the network with this name, in which only letters and digits count, so that `unet` and `U-Net` are
/// the same.
pub fn published(network: &str, set: PublishedSet) -> Option<&'static Published> {
    let plain = |name: &str| -> String {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    PUBLISHED.iter().find(|row| row.set == set && plain(row.network) == plain(network))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conventions follow from the printed numbers: a pooled IoU is D / (2 − D), a mean of IoU lies above it.
    #[test]
    fn conventions_agree_with_the_numbers() {
        for Published { network, set, convention, percent: [dice, iou], .. } in PUBLISHED {
            let pooled = 100.0 * (dice / 100.0) / (2.0 - dice / 100.0);
            match convention {
                Convention::Pooled => assert!((iou - pooled).abs() < 0.03, "{network} {set}: {iou} {pooled}"),
                Convention::PerImage => assert!(iou > pooled + 0.5, "{network} {set}: {iou} {pooled}"),
                Convention::Unclear => {
                    assert!((0.1..0.5).contains(&(iou - pooled)), "{network} {set}: {iou} {pooled}")
                }
            }
        }
    }

    #[test]
    fn names_are_found_in_any_spelling() {
        for name in ["unet", "U-Net", "U Net"] {
            assert_eq!(published(name, PublishedSet::Qata).map(|row| row.percent), Some([79.02, 69.46]));
        }
        assert_eq!(published("my network", PublishedSet::Qata), None);
        assert_eq!(PUBLISHED.iter().filter(|row| row.set == PublishedSet::Kvasir).count(), 7);
        assert!("coco".parse::<PublishedSet>().is_err());
        assert_eq!("QaTa".parse(), Ok(PublishedSet::Qata));
    }
}
