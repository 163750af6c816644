//! The data of a figure: plain values that both the window and the command line can provide.

use super::FigureError;
use super::picture::Picture;
use crate::analysis::maps::MapKind;
use crate::analysis::number::number;
use crate::data::volume::Lengths;
use crate::data::{Mask, OverlayColours};
use crate::infer::{Inspection, ModelInfo, Overrides, Plane, changes};

/// A model in a figure.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    /// The description of the model.
    pub info: &'a ModelInfo,
    /// The parameters of a modified model; `None` for the original ones.
    pub overrides: Option<&'a Overrides>,
    /// The inspection of each case of the figure, in the order of the cases. May be empty if the figure needs
    /// none.
    pub inspections: Vec<&'a Inspection>,
    /// The probability of the first case without the overrides, at the model's size; `None` if the effect of the
    /// overrides is not drawn.
    pub original: Option<&'a Plane>,
}

impl Model<'_> {
    /// Returns the parameters with which the model ran.
    pub fn overrides(&self) -> &Overrides {
        self.overrides.unwrap_or(&self.info.overrides)
    }

    /// Describes what the reader must know apart from the name: that the model is modified or untrained.
    pub(super) fn remarks(&self, name: &str) -> String {
        let mut words = String::new();
        if let Some(overrides) = self.overrides.filter(|overrides| **overrides != self.info.overrides) {
            words += &format!("{} was modified: {}. ", self.info.name, changes(&self.info.overrides, overrides));
        }
        if !self.info.is_trained {
            words += &format!("{name} is untrained: its masks have no meaning.");
        }
        words.trim_end().into()
    }
}

/// An image with its data.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The name of the image.
    pub name: &'a str,
    /// The displayed image.
    pub picture: &'a Picture,
    /// The unit of lengths in the image.
    pub lengths: Lengths,
    /// The ground truth, which has the size of the image.
    pub truth: Option<&'a Mask>,
}

/// One model, or two for comparison, and the cases.
#[derive(Clone, Debug, Default)]
pub struct Content<'a> {
    /// The models.
    pub models: Vec<Model<'a>>,
    /// The cases, one row each.
    pub cases: Vec<Case<'a>>,
}

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The probability at and above which a pixel is foreground.
    pub threshold: f32,
    /// The map of every stage.
    pub map: MapKind,
    /// A single channel instead of the map: the stage, counted from the coarsest, and the channel.
    pub channel: Option<(usize, usize)>,
    /// The opacity of a map over the image, 0…1; at 1, the image is hidden.
    pub opacity: f32,
    /// The colours of masks.
    pub colours: OverlayColours,
    /// Whether masks are drawn as in the window: also those of the stages are thresholded, and all of them have
    /// `opacity`.
    pub as_shown: bool,
    /// The part of the image that is drawn: left, top, right, bottom, 0…1; `None` for all of it.
    pub part: Option<[f32; 4]>,
    /// Whether the Dice axis of a sweep ranges from 0 to 1; otherwise it covers the values.
    pub full_axis: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            map: MapKind::default(),
            channel: None,
            opacity: 1.0,
            colours: OverlayColours::PAPER,
            as_shown: false,
            part: None,
            full_axis: true,
        }
    }
}

impl Content<'_> {
    /// Returns the names of the models, which are made distinct.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.models.len());
        for model in &self.models {
            let name = &model.info.name;
            let modified = if model.overrides.is_some_and(|overrides| *overrides != model.info.overrides) {
                ", modified"
            } else {
                ""
            };
            let mut full = format!("{name}{modified}");
            let mut count = 2;
            while names.contains(&full) {
                full = format!("{name}{modified} ({count})");
                count += 1;
            }
            names.push(full);
        }
        names
    }

    /// Checks that the content can be drawn.
    ///
    /// # Errors
    /// Returns an error if there is no content, or if masks differ in size from their images.
    pub(super) fn check(&self) -> Result<(), FigureError> {
        let nothing = |reason: &str| Err(FigureError::Nothing { reason: reason.into() });
        if self.models.is_empty() {
            return nothing("no model is open; open one");
        }
        if self.cases.is_empty() {
            return nothing("there is no image; open one");
        }
        if self.models.iter().any(|model| model.inspections.len() != self.cases.len()) {
            return nothing("the inspection of an image is missing; wait for it");
        }
        for (index, case) in self.cases.iter().enumerate() {
            let size = |width: usize, height: usize| format!("{width}x{height}");
            let picture = size(case.picture.width, case.picture.height);
            let mut sizes: Vec<(&'static str, String)> = Vec::new();
            sizes.extend(case.truth.map(|truth| ("mask", size(truth.width, truth.height))));
            let predictions = self.models.iter().map(|model| &model.inspections[index].prediction.probability);
            sizes.extend(predictions.map(|plane| ("prediction", size(plane.width, plane.height))));
            if let Some((what, found)) = sizes.into_iter().find(|(_, size)| *size != picture) {
                return Err(FigureError::Size { name: case.name.into(), what, found, expected: picture });
            }
        }
        Ok(())
    }

    /// Describes what the reader must know about the models.
    pub(super) fn remarks(&self) -> String {
        let remarks = self.models.iter().zip(self.names()).map(|(model, name)| model.remarks(&name));
        remarks.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl Options {
    /// Returns whether the stages are drawn as masks, not as probabilities.
    pub(super) fn draws_stage_masks(&self) -> bool {
        self.as_shown && self.map == MapKind::StageMask && self.channel.is_none()
    }

    /// Formats the threshold.
    pub(super) fn threshold_words(&self) -> String {
        let text = number(f64::from(self.threshold), 3);
        let short = text.trim_end_matches('0');
        if short.ends_with('.') { format!("{short}0") } else { short.into() }
    }
}
