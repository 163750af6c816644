//! The fixed validation cases, epoch by epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::TextureHandle;

use crate::data::{Image, Pixels, is_foreground};
use crate::engine::run::PreviewCase;
use crate::engine::{OverlayPaint, compose};
use crate::metrics::Confusion;

/// The probability at and above which a pixel belongs to the mask.
const THRESHOLD: f32 = 0.5;

/// The validation cases, and their masks after every epoch.
#[derive(Default)]
pub struct Preview {
    /// The cases.
    pub cases: Vec<Arc<PreviewCase>>,
    masks: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The epoch that the user has selected; `None` for the newest.
    pub look_at: Option<usize>,
    /// The images on the graphics device.
    pub painted: Option<Painted>,
}

/// The cases with the masks of one epoch, on the graphics device.
pub struct Painted {
    /// The epoch.
    pub epoch: usize,
    /// One image per case, with its Dice score.
    pub pictures: Vec<(TextureHandle, Option<f64>)>,
}

impl Preview {
    /// Stores the masks after `epoch`: probability times 255, one plane per case.
    pub fn put(&mut self, epoch: usize, masks: Vec<Vec<u8>>) {
        self.masks.insert(epoch, masks);
    }

    /// Returns the epochs that have masks, in order.
    pub fn epochs(&self) -> Vec<usize> {
        self.masks.keys().copied().collect()
    }

    /// Returns the epoch to show: the last one with masks that is not after the selected one.
    pub fn shown(&self) -> Option<usize> {
        let until = self.look_at.unwrap_or(usize::MAX);
        let before = self.masks.range(..=until).next_back();
        before.or(self.masks.first_key_value()).map(|(epoch, _)| *epoch)
    }

    fn mask(&self, epoch: usize, case: usize) -> Option<Vec<u8>> {
        let plane = self.masks.get(&epoch)?.get(case)?;
        Some(plane.iter().map(|&value| u8::from(is_foreground(f32::from(value) / 255.0, THRESHOLD))).collect())
    }

    /// Returns the Dice score of one case after `epoch`.
    pub fn dice(&self, epoch: usize, case: usize) -> Option<f64> {
        let (mask, truth) = (self.mask(epoch, case)?, &self.cases.get(case)?.truth);
        (mask.len() == truth.len()).then(|| Confusion::of(&mask, truth).dice())
    }

    /// Renders one case after `epoch` with its ground truth: `3 × side × side` bytes, row-major.
    pub fn paint(&self, epoch: usize, case: usize, paint: &OverlayPaint) -> Option<Vec<u8>> {
        let (mask, case) = (self.mask(epoch, case)?, self.cases.get(case)?);
        let image =
            Image { width: case.side, height: case.side, channels: 3, pixels: Pixels::U8(case.rgb.clone()) };
        Some(compose(&image, &mask, Some(&case.truth), paint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_looks_back_at_an_earlier_epoch() {
        let truth = vec![1, 1, 0, 0];
        let case = PreviewCase { name: "a".into(), prompt: "b".into(), side: 2, rgb: vec![7; 12], truth };
        let mut preview = Preview { cases: vec![Arc::new(case)], ..Preview::default() };
        assert_eq!(preview.shown(), None);
        preview.put(3, vec![vec![0; 4]]);
        preview.put(5, vec![vec![255, 128, 127, 0]]);
        assert_eq!((preview.shown(), preview.epochs()), (Some(5), vec![3, 5]));
        assert_eq!((preview.dice(3, 0), preview.dice(5, 0)), (Some(0.0), Some(1.0)));
        preview.look_at = Some(4);
        assert_eq!(preview.shown(), Some(3));
        preview.look_at = Some(1);
        assert_eq!(preview.shown(), Some(3), "there is nothing older");
        assert_eq!(preview.dice(3, 1), None);
    }
}
