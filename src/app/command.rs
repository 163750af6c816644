//! Every change of state, by name. Panels and keys make commands; [`super::HimixApp`] applies them.

use std::path::PathBuf;

use eframe::egui::{Pos2, Vec2};

use super::dialogs::{DialogKind, OverlaySize};
use super::keys::{ActionId, Chord};
use super::page::Page;
use super::pane::Pane;
use super::stages::StagesCommand;
use super::tab::Tab;
use super::theme::{Scheme, ThemeChoice};
use super::training::TrainCommand;
use crate::data::samples::SampleCase;
use crate::data::volume::{Modality, NamedWindow, Window};
use crate::data::{LabelChoice, OverlayColours};
use crate::device::DeviceChoice;
use crate::engine::ThumbnailRequest;
use crate::infer::ModelSource;

/// What the user says of a ground truth that does not fit as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthAnswer {
    /// Resample it by position.
    Resample,
    /// Lay it on the image by voxel numbers.
    ByNumber,
    /// Lay it on the slice that is shown.
    OnThisSlice,
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for a path with the system's dialog.
    OpenDialog(DialogKind),
    /// Open whatever these paths are.
    OpenPaths(Vec<PathBuf>),
    /// Show another image.
    OpenImage(PathBuf),
    /// Show what a folder holds.
    OpenFolder(PathBuf),
    /// Show a case of the worklist.
    OpenItem(usize),
    /// Go on by cases.
    StepItem(i64),
    /// Mark the case of the worklist that is open, or take its mark away.
    MarkItem,
    /// Keep the cases that hold these words.
    SearchList(String),
    /// Open a panel, in the layout that has it, or close it.
    OpenPane(Pane, bool),
    /// Arrange the panels of this layout as they were meant.
    ResetLayout,
    /// The panels were arranged by hand.
    KeepLayout,
    /// Wait for the new key of an action, in the place of one that it has or as one more; or wait no longer.
    Rebind(Option<(ActionId, Option<usize>)>),
    /// Give a key to an action.
    Bind(ActionId, Option<usize>, Chord),
    /// Take one of its keys from an action.
    Unbind(ActionId, usize),
    /// The usual keys of an action, or of all.
    ResetKeys(Option<ActionId>),
    /// Have thumbnails made.
    MakeThumbnails(ThumbnailRequest),
    /// Show a sample case with its truth and its prompt.
    OpenSample(SampleCase),
    /// Compare with a mask.
    OpenTruth(Vec<PathBuf>),
    /// Lays the truth that was asked about on the image as said; none leaves it out.
    AnswerTruth(Option<TruthAnswer>),
    /// Takes other labels of the truth as foreground.
    ChooseLabels(LabelChoice),
    /// Compare with nothing any more.
    CloseTruth,
    /// Compare with another model.
    CompareWith(ModelSource),
    /// Close the model that is compared with.
    EndComparison,
    /// Open a model in place of the one that is open.
    OpenModel(ModelSource),
    /// Compute somewhere else.
    SetDevice(DeviceChoice),
    /// Write the mask.
    SaveMask(PathBuf),
    /// Write the picture with its overlay, in this size.
    SaveOverlay(PathBuf, OverlaySize),
    /// The prompt was edited.
    SetPrompt(String),
    /// Keep a prompt among the favourites, or no longer.
    Favourite(String, bool),
    /// Show a past prediction again.
    Recall(u64),
    /// Open the command palette with this text, or close it.
    ShowPalette(Option<String>),
    /// Put the cursor into the prompt.
    FocusPrompt,
    /// Probability from which a pixel belongs to the mask, 0…1.
    SetThreshold(f32),
    /// Move that by so much.
    MoveThreshold(f32),
    /// Opacity of the overlay's fill, 0…1.
    SetOpacity(f32),
    /// Move that by so much.
    MoveOpacity(f32),
    /// Show the overlay.
    ShowOverlay(bool),
    /// Hide the overlay for as long as a key is held.
    HoldOverlay(bool),
    /// Show the comparison with the truth.
    ShowTruth(bool),
    /// Fill areas.
    Fill(bool),
    /// Draw outlines.
    Contour(bool),
    /// Interpolate between the pixels of the picture.
    Smooth(bool),
    /// Zoom by a factor, about a point on the screen or the middle.
    Zoom(f32, Option<Pos2>),
    /// Move the picture by points on the screen.
    Pan(Vec2),
    /// Show the whole image.
    Fit,
    /// One pixel of the image for one of the screen.
    ActualSize,
    /// Show another slice, from 0.
    ShowSlice(usize),
    /// Move on by slices.
    StepSlice(i64),
    /// Show one slice after the other.
    Play(bool),
    /// See the picture in another window.
    SetWindow(Window),
    /// See it in the window of a number key.
    PresetWindow(usize),
    /// The windows on the number keys, for a kind of picture.
    SetPresets(Modality, Vec<NamedWindow>),
    /// Exchange black and white against what the file says.
    Invert(bool),
    /// Have the network look at the picture as it is seen now.
    UseWindow,
    /// Draw a ruler between two points of the image, or none.
    Ruler(Option<[Vec2; 2]>),
    /// Break off the opening of an image.
    CancelOpening,
    /// Show the patient's name.
    ShowPatient(bool),
    /// Name in the information on the image what can identify a person.
    ShowIdentifiers(bool),
    /// Turn pictures upright as their EXIF data asks.
    Upright(bool),
    /// Show the probability as a heat map.
    Heat(bool),
    /// Draw the overlay in another set of colours.
    UseColours(Scheme),
    /// Draw it in the user's own.
    SetColours(OverlayColours),
    /// Dark or light.
    SetTheme(ThemeChoice),
    /// Size of text and everything else, in relation to the usual.
    TextSize(f32),
    /// Most memory that the decoded content of one file may take, GiB.
    SetMemoryLimit(f32),
    /// Show the picture, the prompt and the legend alone, with larger text; or the whole window again.
    Present(bool),
    /// Read, stages, train: what fills the window.
    ShowTab(Tab),
    /// Something of the Stages tab.
    Stages(StagesCommand),
    /// Something of the Train tab.
    Train(TrainCommand),
    /// Put a description of the program, the devices and the settings on the clipboard, for a report of a fault.
    CopyDiagnostics,
    /// Open a page of help, or close it.
    ShowPage(Option<Page>),
    /// Look at the picture as before the last change of that.
    Undo,
    /// Take an undo back.
    Redo,
    /// Take a toast away.
    Dismiss(u64),
    /// Take all toasts away.
    DismissAll,
    /// Hide the notes on the case that is open.
    HideNotes,
    /// Close the window.
    Quit,
}
