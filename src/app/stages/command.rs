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
    /// Write the modified model as a bundle into this folder.
    SaveModified(PathBuf),
    /// Fit stage read-outs of the open model on this data set.
    Fit(PathBuf),
    /// As `Fit`, of the model that is compared with.
    FitCompared(PathBuf),
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
    /// The parameter; `None` for the first that the model has.
    pub parameter: Option<Parameter>,
    /// First value.
    pub from: f32,
    /// Last value.
    pub to: f32,
    /// Number of values.
    pub count: usize,
    /// Over the open folder in place of the picture.
    pub over_list: bool,
    /// Whether the plots go from 0 to 1; otherwise they are scaled to their values.
    pub has_full_axis: bool,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { parameter: None, from: 0.5, to: 10.0, count: 20, over_list: false, has_full_axis: false }
    }
}

/// A folder for a modified model beside the one it was made of.
pub fn turned_name(model: &Path) -> String {
    let name = model.file_stem().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    format!("{name}-modified")
}
