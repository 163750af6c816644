//! What the user wants of the Stages tab.

use std::path::{Path, PathBuf};

use eframe::egui::{Pos2, Rect};

use crate::analysis::maps::MapKind;
use crate::engine::FigureKind;
use crate::infer::{Overrides, Parameter};

/// A change of the tab's state, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum StagesCommand {
    /// What is shown of every stage.
    Show(MapKind),
    /// Opacity of the maps, 0…1.
    SetOpacity(f32),
    /// Maps without the picture.
    Alone(bool),
    /// A single channel in place of the map: stage and rank; or the map again.
    ShowChannel(Option<(usize, usize)>),
    /// The part of the pictures that is seen.
    Zoom(Rect),
    /// Where the pointer is.
    Point(Option<Pos2>),
    /// Values in place of the model's own; whether this goes on with the last step.
    Turn(Box<Overrides>, bool),
    /// The original values.
    Reset,
    /// Write the turned model as a bundle into this folder.
    SaveModified(PathBuf),
    /// Fit read-outs on this data set.
    Fit(PathBuf),
    /// How the sweep is set up.
    SetSweep(SweepSettings),
    /// Sweep.
    Sweep,
    /// Write a figure, as the ending of its name says.
    SaveFigure(FigureKind, PathBuf),
    /// Width of figures, pixels.
    FigureWidth(u32),
    /// Break the long work off.
    CancelWork,
}

/// A sweep as it is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepSettings {
    /// What is turned; the first that the model has, where there is none.
    pub parameter: Option<Parameter>,
    /// From.
    pub from: f32,
    /// To.
    pub to: f32,
    /// Number of values.
    pub count: usize,
    /// Over the open folder in place of the picture.
    pub over_list: bool,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { parameter: None, from: 0.5, to: 10.0, count: 20, over_list: false }
    }
}

/// A folder for a turned model beside the one it was made of.
pub fn turned_name(model: &Path) -> String {
    let name = model.file_stem().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    format!("{name}-modified")
}
