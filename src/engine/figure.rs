//! Figures of the current view.

use std::path::Path;
use std::sync::Arc;

use super::display::as_seen;
use crate::analysis::figure::{self, Case, Content, Figure, FigureError, Model, Options, Picture};
use crate::data::volume::{DisplayWindow, Lengths};
use crate::data::{Image, Mask};
use crate::infer::{Inspection, ModelInfo, Overrides, Prediction, SweepResult};

/// The kind of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// A map of every stage, the mask and the ground truth.
    Stages,
    /// The masks of the stages with their scores.
    Refinement,
    /// The learned filters.
    Spectrum,
    /// The weights of the text layers.
    Weights,
    /// The similarity of the text layers.
    Similarity,
    /// A sweep of one value over a range.
    Sweep,
}

/// A model and its results for the image.
#[derive(Clone, Debug)]
pub struct FigureModel {
    /// Information about the model.
    pub info: ModelInfo,
    /// The overrides of its own values.
    pub overrides: Option<Overrides>,
    /// The inspection of the image.
    pub inspection: Option<Arc<Inspection>>,
    /// The result of its sweep.
    pub sweep: Option<SweepResult>,
    /// Its prediction without the overrides.
    pub original: Option<Arc<Prediction>>,
}

/// The contents of a figure.
#[derive(Clone, Debug)]
pub struct FigureRequest {
    /// The kind of the figure.
    pub kind: FigureKind,
    /// The open model and, if there is one, the model for comparison.
    pub models: Vec<FigureModel>,
    /// The name of the image.
    pub name: String,
    /// The image and its display window.
    pub image: Option<(Arc<Image>, Option<DisplayWindow>)>,
    /// How lengths in the image are measured.
    pub lengths: Lengths,
    /// The ground truth.
    pub truth: Option<Arc<Mask>>,
    /// The drawing options.
    pub options: Options,
    /// The width of a PNG in pixels.
    pub width_px: u32,
}

/// Draws the figure and writes it in the format given by the extension of `path`: .png, .svg, or .csv for the
/// numbers only.
pub(super) fn write(request: &FigureRequest, path: &Path) -> Result<(), FigureError> {
    draw(request)?.write(path, request.width_px)
}

fn draw(request: &FigureRequest) -> Result<Figure, FigureError> {
    let picture = request.image.as_ref().map(|(image, seen)| Picture::of(&as_seen(image.clone(), *seen)));
    // If the inspection lacks something, the case is omitted where the figure allows it. The filters can be drawn
    // without a case.
    let has_spectra = |seen: &Inspection| seen.stages.iter().any(|stage| stage.spectra.is_some());
    let is_seen = request.models.iter().all(|model| {
        model.inspection.as_ref().is_some_and(|seen| request.kind != FigureKind::Spectrum || has_spectra(seen))
    });
    let case = picture.as_ref().filter(|_| is_seen).map(|picture| Case {
        name: &request.name,
        picture,
        lengths: request.lengths,
        truth: request.truth.as_deref(),
    });
    let models = request.models.iter().map(|model| Model {
        info: &model.info,
        overrides: model.overrides.as_ref(),
        inspections: model.inspection.iter().filter(|_| case.is_some()).map(AsRef::as_ref).collect(),
        original: model.original.as_ref().map(|prediction| &prediction.probability_model),
    });
    let content = Content { models: models.collect(), cases: case.into_iter().collect() };
    match request.kind {
        FigureKind::Stages => figure::stages(&content, &request.options),
        FigureKind::Refinement => figure::refinement(&content, &request.options),
        FigureKind::Spectrum => figure::spectrum(&content),
        FigureKind::Weights => figure::weights(&content),
        FigureKind::Similarity => figure::similarity(&content),
        FigureKind::Sweep => {
            let sweeps: Vec<(&ModelInfo, &SweepResult)> =
                request.models.iter().filter_map(|model| Some((&model.info, model.sweep.as_ref()?))).collect();
            figure::sweep(&sweeps, &request.options)
        }
    }
}
