//! User commands of the Stages tab.

use std::path::{Path, PathBuf};

use eframe::egui::{Pos2, Rect};

use crate::analysis::maps::MapKind;
use crate::engine::FigureKind;
use crate::infer::{Overrides, Parameter};

/// A named change of the tab's state.
#[derive(Clone, Debug, PartialEq)]
pub enum StagesCommand {
    /// Choose the map that is shown for every stage.
    Show(MapKind),
    /// Set the opacity of the maps, 0…1.
    SetOpacity(f32),
    /// Show the maps with or without the image.
    Alone(bool),
    /// Show a single channel, given by stage and rank, instead of the map; `None` shows the map.
    ShowChannel(Option<(usize, usize)>),
    /// Set the visible part of the images.
    Zoom(Rect),
    /// Set the position of the pointer.
    Point(Option<Pos2>),
    /// Override parameters of the model; the flag says whether this continues the previous step.
    Override(Box<Overrides>, bool),
    /// Restore the original parameters.
    Reset,
    /// Write the modified model as a bundle into this folder.
    SaveModified(PathBuf),
    /// Fit stage read-outs of the open model on this data set.
    Fit(PathBuf),
    /// Like `Fit`, for the comparison model.
    FitCompared(PathBuf),
    /// Set up the sweep.
    SetSweep(SweepSettings),
    /// Run the sweep.
    Sweep,
    /// Write a figure in the format given by the file extension.
    SaveFigure(FigureKind, PathBuf),
    /// Set the width of figures, in pixels.
    FigureWidth(u32),
    /// Cancel the long task.
    CancelWork,
}

/// The settings of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepSettings {
    /// The parameter; `None` selects the first one of the model.
    pub parameter: Option<Parameter>,
    /// The first value.
    pub from: f32,
    /// The last value.
    pub to: f32,
    /// The number of values.
    pub count: usize,
    /// Whether to sweep over the open folder instead of the image.
    pub over_list: bool,
    /// Whether the plots range from 0 to 1; otherwise they are scaled to their values.
    pub has_full_axis: bool,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { parameter: None, from: 0.5, to: 10.0, count: 20, over_list: false, has_full_axis: false }
    }
}

/// Returns the name of a folder for a modified model, derived from the name of the original model.
pub fn turned_name(model: &Path) -> String {
    let name = model.file_stem().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    format!("{name}-modified")
}
