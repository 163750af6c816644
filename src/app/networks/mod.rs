//! The comparison of several networks: what is chosen, running and found.

mod apply;
mod arrivals;
mod requests;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::TextureHandle;

use crate::analysis::figure::Picture;
use crate::data::OverlayColours;
use crate::engine::jobs::PaintedCase;
use crate::engine::{NetworksCompared, Pending, Ticket};
use crate::infer::comparison::Entrant;

/// The numbers of networks that can be compared.
pub const FEWEST: usize = 2;
/// See [`FEWEST`].
pub const MOST: usize = 6;
/// The number of cases that are shown first.
pub const FIRST_ROWS: usize = 6;
/// The largest side of a picture of the grid, in pixels.
pub const SIDE: usize = 384;

/// On which cases networks are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CasesOf {
    /// The open image with its prompt.
    #[default]
    Image,
    /// Cases of a data set.
    Data,
}

/// What is typed into the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworksField {
    /// The folder of a model or of predictions that is to be added.
    Path,
    /// The folder of the data set; empty for that of the worklist.
    Folder,
    /// The split.
    Split,
    /// The names of the cases, separated by commas; empty for all.
    Only,
    /// The folder in which predictions are kept; empty to keep none.
    Kept,
}

/// The comparison of networks.
#[derive(Default)]
pub struct Networks {
    /// The networks, in the order of the columns.
    pub chosen: Vec<Entrant>,
    /// The cases.
    pub of: CasesOf,
    /// What is typed.
    pub typed: NetworksTyped,
    /// The greatest number of cases; 0 for all.
    pub most: usize,
    /// The comparison that is running.
    pub pending: Pending<(), Arc<NetworksCompared>>,
    /// The outcome of the last comparison, with its ticket.
    pub found: Option<(Ticket, Arc<NetworksCompared>)>,
    /// The number of the pair of which the sorted differences are shown.
    pub pair: usize,
    /// The numbers of the cases in the grid.
    pub rows: Vec<usize>,
    /// The pictures that are being drawn.
    pub painting: Pending<Painted, Vec<PaintedCase>>,
    /// The pictures of the grid.
    pub cells: Vec<CellRow>,
    /// The tables and the figure that are being written.
    pub saving: Pending<PathBuf, Vec<PathBuf>>,
}

/// The text fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworksTyped {
    /// See [`NetworksField::Path`].
    pub path: String,
    /// See [`NetworksField::Folder`].
    pub folder: String,
    /// See [`NetworksField::Split`].
    pub split: String,
    /// See [`NetworksField::Only`].
    pub only: String,
    /// See [`NetworksField::Kept`].
    pub kept: String,
}

impl Default for NetworksTyped {
    fn default() -> Self {
        let [path, folder, only, kept] = [const { String::new() }; 4];
        Self { path, folder, split: "test".into(), only, kept }
    }
}

/// What the pictures of the grid depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Painted {
    /// The comparison.
    pub compared: Ticket,
    /// The numbers of the cases.
    pub rows: Vec<usize>,
    /// The colours.
    pub colours: OverlayColours,
}

/// The pictures of a case in the grid.
pub struct CellRow {
    /// The number of the case.
    pub case: usize,
    /// Image, ground truth and masks.
    pub cells: Vec<Cell>,
}

/// A picture of the grid.
pub struct Cell {
    /// What it shows, for its accessibility label.
    pub name: String,
    /// The pixels, until they are on the graphics device.
    pub fresh: Option<Picture>,
    /// The pixels on the graphics device.
    pub texture: Option<TextureHandle>,
}

/// A command about the comparison of networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworksCommand {
    /// Type into a field.
    Type(NetworksField, String),
    /// Add the model that is open, and the second one if there is one.
    AddOpen,
    /// Add a model.
    AddModel(PathBuf),
    /// Add a folder of predictions.
    AddPredictions(PathBuf),
    /// Give a network another name.
    Rename(usize, String),
    /// Remove a network.
    Remove(usize),
    /// Choose the cases.
    Of(CasesOf),
    /// Set the greatest number of cases.
    Most(usize),
    /// Start.
    Start,
    /// End after the image in progress.
    Cancel,
    /// Show the sorted differences of another pair.
    Pair(usize),
    /// Show a case in the grid, or take it out.
    Show(usize, bool),
    /// Write tables and figure into a folder.
    Save(PathBuf),
}
