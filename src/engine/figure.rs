//! A figure of what the window shows.

use std::path::Path;
use std::sync::Arc;

use super::display::as_seen;
use crate::analysis::figure::{self, Case, Content, Figure, FigureError, Model, Options, Picture};
use crate::data::volume::{DisplayWindow, Lengths};
use crate::data::{Image, Mask};
use crate::infer::{Inspection, ModelInfo, Overrides, Prediction, SweepResult};

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// A map of every stage, the mask, the truth.
    Stages,
    /// The stages' own masks with their numbers.
    Refinement,
    /// The learned filters.
    Spectrum,
    /// Weights of the text layers.
    Weights,
    /// How alike the text layers are.
    Similarity,
    /// One value over a range.
    Sweep,
}

/// A model and what it did with the picture.
#[derive(Clone, Debug)]
pub struct FigureModel {
    /// What it is.
    pub info: ModelInfo,
    /// Values in place of its own.
    pub overrides: Option<Overrides>,
    /// What it did.
    pub inspection: Option<Arc<Inspection>>,
    /// Its sweep.
    pub sweep: Option<SweepResult>,
    /// Its prediction without the overrides.
    pub original: Option<Arc<Prediction>>,
}

/// Everything that a figure is made of.
#[derive(Clone, Debug)]
pub struct FigureRequest {
    /// Which figure.
    pub kind: FigureKind,
    /// The open model, and one that is compared with.
    pub models: Vec<FigureModel>,
    /// Name of the picture.
    pub name: String,
    /// The picture and how it is seen.
    pub image: Option<(Arc<Image>, Option<DisplayWindow>)>,
    /// How lengths in the picture are measured.
    pub lengths: Lengths,
    /// Mask to compare with.
    pub truth: Option<Arc<Mask>>,
    /// How it is drawn.
    pub options: Options,
    /// Width of a PNG.
    pub width_px: u32,
}

/// Draws it and writes it as the ending of `path` says: .png, .svg, or .csv for the numbers alone.
pub(super) fn write(request: &FigureRequest, path: &Path) -> Result<(), FigureError> {
    draw(request)?.write(path, request.width_px)
}

fn draw(request: &FigureRequest) -> Result<Figure, FigureError> {
    let picture = request.image.as_ref().map(|(image, seen)| Picture::of(&as_seen(image.clone(), *seen)));
    // What was not looked at is left out where the figure allows: filters have a picture of their own.
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
