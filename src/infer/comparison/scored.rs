//! What a network made of a case.

use std::sync::Arc;

use super::case::CaseImage;
use crate::data::foreground;
use crate::metrics::{Confusion, hd95};

/// A mask, one bit for each pixel, so that the masks of many cases fit into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedMask {
    bits: Arc<[u8]>,
    pixels: usize,
}

impl PackedMask {
    /// Packs a mask; a value other than 0 is foreground.
    pub fn of(mask: &[u8]) -> Self {
        let byte = |values: &[u8]| {
            values.iter().enumerate().fold(0, |byte, (at, value)| byte | (u8::from(*value != 0) << at))
        };
        Self { bits: mask.chunks(8).map(byte).collect(), pixels: mask.len() }
    }

    /// Returns the mask, 1 for foreground and 0 for background.
    pub fn values(&self) -> Vec<u8> {
        (0..self.pixels).map(|at| self.bits[at / 8] >> (at % 8) & 1).collect()
    }
}

/// The mask of a case and its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseScore {
    /// The mask, of the image's size.
    pub mask: PackedMask,
    /// The pixel counts against the ground truth; `None` without one.
    pub counts: Option<Confusion>,
    /// The 95 % Hausdorff distance in pixels; `None` without a ground truth, or if one of the masks is empty.
    pub hd95: Option<f64>,
}

impl CaseScore {
    /// Scores the probabilities of a case, one for each pixel of the image.
    pub fn of(case: &CaseImage, probability: &[f32], threshold: f32) -> Self {
        let mask = foreground(probability, threshold);
        let truth = case.truth.as_ref();
        Self {
            counts: truth.map(|truth| Confusion::of(&mask, &truth.values)),
            hd95: truth.and_then(|truth| hd95(&mask, &truth.values, truth.width, truth.height)),
            mask: PackedMask::of(&mask),
        }
    }
}
