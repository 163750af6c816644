//! Checks whether a mask contradicts its prompt.

use std::collections::BTreeSet;

use serde::Serialize;

use super::agreement::{sides, zones};
use super::{Description, side_of};
use crate::data::Mask;
use crate::text::prompt::{Laterality, LungFinding, Lungs, Polyps, Prompt, Side, Zone, Zones};

/// A rule by which a mask contradicts its prompt, by the identifier that scripts see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disagreement {
    /// The prompt names a finding, but the mask is empty.
    EmptyMask,
    /// The prompt says that there is no finding, but the mask is not empty.
    UnexpectedMask,
    /// The prompt is about lungs and the image is an endoscopy frame, or the reverse.
    OtherKind,
    /// The prompt names one side, and most of the mask lies on the other.
    OtherSide,
    /// The prompt names one side, or is unilateral, and the mask lies on both.
    BothSides,
    /// The prompt names both sides, or is bilateral, and the mask lies on one.
    OneSide,
    /// The mask has another number of areas.
    AreaCount,
    /// The mask reaches zones that the prompt does not name.
    OutsideZones,
    /// The mask reaches none of a zone that the prompt names.
    MissingZones,
    /// A polyp lies in a place that the prompt does not name.
    OtherPlace,
    /// A polyp has a size that the prompt does not name.
    OtherSize,
}

impl Disagreement {
    /// Returns the identifier, such as `other-side`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::EmptyMask => "empty-mask",
            Self::UnexpectedMask => "unexpected-mask",
            Self::OtherKind => "other-kind",
            Self::OtherSide => "other-side",
            Self::BothSides => "both-sides",
            Self::OneSide => "one-side",
            Self::AreaCount => "area-count",
            Self::OutsideZones => "outside-zones",
            Self::MissingZones => "missing-zones",
            Self::OtherPlace => "other-place",
            Self::OtherSize => "other-size",
        }
    }
}

/// A contradiction between a mask and its prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MaskWarning {
    /// The rule that found it.
    pub rule: Disagreement,
    /// A sentence that says it.
    pub message: String,
    /// The prompt with the contradicted part as the description has it, which the user may accept; `None` if there is
    /// no such prompt.
    pub mended: Option<Prompt2>,
}

/// Returns the half of the image in which more of the mask lies; `None` if both hold as much, as for an empty mask.
pub fn main_side(mask: &Mask) -> Option<Side> {
    let (mut left, mut right) = (0_usize, 0_usize);
    for (index, _) in mask.values.iter().enumerate().filter(|(_, value)| **value != 0) {
        match side_of(index % mask.width, mask.width) {
            Side::Left => left += 1,
            Side::Right => right += 1,
        }
    }
    match left.cmp(&right) {
        std::cmp::Ordering::Greater => Some(Side::Left),
        std::cmp::Ordering::Less => Some(Side::Right),
        std::cmp::Ordering::Equal => None,
    }
}
