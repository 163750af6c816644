//! All state changes as named commands. Panels and keys create commands; [`super::HimixApp`] applies them.

use std::path::PathBuf;

use eframe::egui::{Pos2, Vec2};

use super::annotating::AnnotateCommand;
use super::boxed::BoxCommand;
use super::builder::command::BuilderCommand;
use super::cases::CasesCommand;
use super::dialogs::{DialogKind, OverlaySize};
use super::export::ExportCommand;
use super::influence::InfluenceCommand;
use super::keeping::KeepCommand;
use super::keys::{ActionId, Chord};
use super::networks::NetworksCommand;
use super::page::Page;
use super::pane::Pane;
use super::proposals::ProposalsCommand;
use super::report::command::ReportCommand;
use super::robustness::RobustnessCommand;
use super::session_file::SessionCommand;
use super::stages::StagesCommand;
use super::tab::Tab;
use super::theme::{Scheme, ThemeChoice};
use super::training::TrainCommand;
pub use super::truth_answer::TruthAnswer;
use super::uncertainty::UncertaintyCommand;
use super::variants::VariantsCommand;
use crate::data::samples::SampleCase;
use crate::data::volume::{Modality, NamedWindow, Window};
use crate::data::{LabelChoice, OverlayColours};
use crate::device::{DeviceChoice, GpuTuning, Precision};
use crate::engine::ThumbnailRequest;
use crate::infer::ModelSource;

/// A user command.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for a path with the system's file dialog.
    OpenDialog(DialogKind),
    /// Open these paths, whatever they contain.
    OpenPaths(Vec<PathBuf>),
    /// Open these paths, which were dropped on the window. The user is asked what a file of labels is meant for.
    OpenDropped(Vec<PathBuf>),
    /// Show another image.
    OpenImage(PathBuf),
    /// Open the contents of a folder.
    OpenFolder(PathBuf),
    /// Show a case of the worklist.
    OpenItem(usize),
    /// Move by this many cases in the worklist.
    StepItem(i64),
    /// Toggle the mark of the open worklist case.
    MarkItem,
    /// Show only the cases that contain these words.
    SearchList(String),
    /// A command about the work on the cases of the list.
    Cases(CasesCommand),
    /// Open a panel in the layout that contains it, or close it.
    OpenPane(Pane, bool),
    /// Restore the default panel arrangement of this layout.
    ResetLayout,
    /// Keep the panel arrangement that the user has just made by hand.
    KeepLayout,
    /// Wait for the new key of an action, which replaces the key at the given position or is added; `None` stops
    /// waiting.
    Rebind(Option<(ActionId, Option<usize>)>),
    /// Assign a key to an action, in place of the key at the given position or as an additional one.
    Bind(ActionId, Option<usize>, Chord),
    /// Remove one of the keys of an action.
    Unbind(ActionId, usize),
    /// Restore the default keys of one action, or of all actions if `None`.
    ResetKeys(Option<ActionId>),
    /// Request thumbnails.
    MakeThumbnails(ThumbnailRequest),
    /// Open a sample case with its ground truth and its prompt.
    OpenSample(SampleCase),
    /// Open a ground truth mask to compare with.
    OpenTruth(Vec<PathBuf>),
    /// Answer the question about a ground truth; `None` leaves the ground truth out.
    AnswerTruth(Option<TruthAnswer>),
    /// Choose which labels of the ground truth count as foreground.
    ChooseLabels(LabelChoice),
    /// Close the ground truth.
    CloseTruth,
    /// Open another model for comparison.
    CompareWith(ModelSource),
    /// Close the comparison model.
    EndComparison,
    /// Open a model in place of the current one.
    OpenModel(ModelSource),
    /// Switch to another compute device.
    SetDevice(DeviceChoice),
    /// Choose the precision of predictions on a GPU.
    SetPrecision(Precision),
    /// Draw the window with the graphics adapter of this name from the next start on; `None` chooses the fastest one.
    SetDisplayAdapter(Option<String>),
    /// Tune a GPU as thoroughly as this, from the next start on.
    SetGpuTuning(GpuTuning),
    /// Delete the stored results of GPU tuning.
    ClearGpuCache,
    /// Write the mask to a file.
    SaveMask(PathBuf),
    /// Write the image with its overlay to a file, at this size.
    SaveOverlay(PathBuf, OverlaySize),
    /// Set the prompt to a text whose words are complete.
    SetPrompt(String),
    /// Set the prompt to what was typed so far, whose last word may be incomplete.
    TypePrompt(String),
    /// Send the prompt as it stands, because typing has ended.
    EndTyping,
    /// Draw a mask while the prompt is empty, or nothing.
    DrawWithoutPrompt(bool),
    /// Add a prompt to the favourites or remove it.
    Favourite(String, bool),
    /// Show a past prediction again, by its number.
    Recall(u64),
    /// Open the command palette with this text, or close it.
    ShowPalette(Option<String>),
    /// Move the keyboard focus to the prompt.
    FocusPrompt,
    /// Set the probability at and above which a pixel belongs to the mask, 0…1.
    SetThreshold(f32),
    /// Use the threshold that the model has for the kind of the image.
    UseModelThreshold(f32),
    /// Change the threshold by this amount.
    MoveThreshold(f32),
    /// Set the opacity of the overlay's fill, 0…1.
    SetOpacity(f32),
    /// Change the opacity by this amount.
    MoveOpacity(f32),
    /// Show or hide the overlay.
    ShowOverlay(bool),
    /// Hide the overlay while a key is held.
    HoldOverlay(bool),
    /// Show or hide the comparison with the ground truth.
    ShowTruth(bool),
    /// Switch filled areas on or off.
    Fill(bool),
    /// Switch outlines on or off.
    Contour(bool),
    /// Switch interpolation between image pixels on or off.
    Smooth(bool),
    /// Zoom by a factor, around a point on the screen or the centre of the viewport.
    Zoom(f32, Option<Pos2>),
    /// Pan the image, in points on the screen.
    Pan(Vec2),
    /// Fit the whole image into the viewport.
    Fit,
    /// Show one image pixel per screen pixel.
    ActualSize,
    /// Show another slice; the index starts at 0.
    ShowSlice(usize),
    /// Move by this many slices.
    StepSlice(i64),
    /// Start or stop playing the stack slice by slice.
    Play(bool),
    /// Set the display window.
    SetWindow(Window),
    /// Set the display window assigned to a number key.
    PresetWindow(usize),
    /// Set the display windows assigned to the number keys for a modality.
    SetPresets(Modality, Vec<NamedWindow>),
    /// Invert or restore the grey scale relative to what the file specifies.
    Invert(bool),
    /// Use the current display window for the network input.
    UseWindow,
    /// Draw a ruler between two points of the image, or remove it if `None`.
    Ruler(Option<[Vec2; 2]>),
    /// Cancel opening an image.
    CancelOpening,
    /// Show or hide the patient's name.
    ShowPatient(bool),
    /// Show or hide identifying attributes in the image information.
    ShowIdentifiers(bool),
    /// Apply or ignore the EXIF orientation of images.
    Upright(bool),
    /// Show or hide the probability as a heat map.
    Heat(bool),
    /// Choose the colour scheme of the overlay.
    UseColours(Scheme),
    /// Set the user-defined overlay colours.
    SetColours(OverlayColours),
    /// Choose the dark or the light theme.
    SetTheme(ThemeChoice),
    /// Set the size of text and widgets relative to the default.
    TextSize(f32),
    /// Set the maximum memory for the decoded content of one file, in GiB.
    SetMemoryLimit(f32),
    /// Start or end the presentation, which shows only the image, the prompt and the legend, with larger text.
    Present(bool),
    /// Switch to another task.
    ShowTab(Tab),
    /// A command of the Stages tab.
    Stages(StagesCommand),
    /// A command of the panel about the influence of words.
    Influence(InfluenceCommand),
    /// A command about the comparison of networks.
    Networks(NetworksCommand),
    /// A command about the map of the uncertainty.
    Uncertainty(UncertaintyCommand),
    /// A command about the study of robustness.
    Robustness(RobustnessCommand),
    /// A command about proposals for the prompt.
    Proposals(ProposalsCommand),
    /// A command about the box of a model that takes one.
    Box(BoxCommand),
    /// A command about the pinned variants.
    Variants(VariantsCommand),
    /// A command about the annotation.
    Annotate(AnnotateCommand),
    /// A command about keeping and saving annotations.
    Keep(KeepCommand),
    /// A command about exports, files that are opened as annotation, and the batch.
    Export(ExportCommand),
    /// Set the maximum memory for undoing, in MiB.
    SetUndoMemory(u32),
    /// A command of the builder.
    Builder(BuilderCommand),
    /// A command of the Report panel.
    Report(ReportCommand),
    /// A command about sessions.
    Session(SessionCommand),
    /// A command of the Train tab.
    Train(TrainCommand),
    /// Copy a description of the program, the devices and the settings to the clipboard, for a fault report.
    CopyDiagnostics,
    /// Open a page, or close it if `None`.
    ShowPage(Option<Page>),
    /// Undo the last step.
    Undo,
    /// Redo the last undone step.
    Redo,
    /// Dismiss a toast.
    Dismiss(u64),
    /// Dismiss all toasts.
    DismissAll,
    /// Hide the notes about the open case.
    HideNotes,
    /// Close the window.
    Quit,
}

impl Command {
    /// Returns whether the command goes through the steps that were done, and is none itself.
    pub fn is_step(&self) -> bool {
        use AnnotateCommand::{RedoTo, UndoTo};
        matches!(self, Self::Undo | Self::Redo | Self::Annotate(UndoTo(_) | RedoTo(_)))
    }

    /// Returns whether a stroke that goes on is not ended by this command: it belongs to the stroke, or comes while one
    /// draws and has nothing to do with the annotation.
    pub fn continues_stroke(&self) -> bool {
        use AnnotateCommand::{CancelStroke, EndStroke, Hover, Stroke};
        let is_of_stroke = matches!(self, Self::Annotate(Stroke { .. } | EndStroke | CancelStroke | Hover(_)));
        let is_of_view = matches!(self, Self::Zoom(..) | Self::Pan(_) | Self::HoldOverlay(_));
        // These come by themselves: a list that scrolls, a panel that has moved, a prompt that has lost the keyboard.
        is_of_stroke || is_of_view || matches!(self, Self::MakeThumbnails(_) | Self::KeepLayout | Self::EndTyping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_is_ended_by_what_changes_something_and_by_nothing_else() {
        let goes_on = [
            Command::HoldOverlay(true),
            Command::KeepLayout,
            Command::EndTyping,
            Command::Pan(Vec2::ZERO),
            Command::Annotate(AnnotateCommand::Hover(None)),
        ];
        assert!(goes_on.iter().all(Command::continues_stroke));
        let ends = [
            Command::Undo,
            Command::StepSlice(1),
            Command::ShowTab(Tab::Read),
            Command::Annotate(AnnotateCommand::AddLabel),
            Command::Annotate(AnnotateCommand::UndoTo(0)),
        ];
        assert!(!ends.iter().any(Command::continues_stroke));
    }
}
