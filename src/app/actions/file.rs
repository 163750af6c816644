//! The File menu.

use eframe::egui::Key;

use super::action::{Action, Given, Group, Undo, VIEWERS, image};
use super::choices::{Choice, Choices, Item};
use crate::analysis::export::Format;
use crate::app::command::Command;
use crate::app::dialogs::{DialogKind, OverlaySize};
use crate::app::export::{BatchCommand, ExportCommand};
use crate::app::keeping::KeepCommand;
use crate::app::keys::{ActionId, Chord};
use crate::app::page::Page;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::data::samples::SAMPLES;

const NEW: Action = Action::of(Group::Program);
const OVERLAY: Action = Action { words: "export picture", undo: Undo::Impossible, ..NEW };

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("open_image"),
        name: "Open image…",
        keys: &[Chord::ctrl(Key::O)],
        command: |_| Ok(Command::OpenDialog(DialogKind::Image)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_folder"),
        name: "Open folder…",
        words: "worklist series data set",
        keys: &[Chord::ctrl_shift(Key::O)],
        command: |_| Ok(Command::OpenDialog(DialogKind::Folder)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_session"),
        name: "Open session…",
        words: "restore project load",
        command: |_| Ok(Command::OpenDialog(DialogKind::OpenSession)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_truth"),
        name: "Open ground truth…",
        words: "mask compare",
        command: |state| image(state).map(|_| Command::OpenDialog(DialogKind::Truth)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_saved_annotation"),
        name: "Open saved annotation…",
        words: "labels himixa load",
        tabs: VIEWERS,
        command: |state| image(state).map(|_| Command::OpenDialog(DialogKind::OpenAnnotation)),
        undo: Undo::Step,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_as_annotation"),
        name: "Open mask as annotation…",
        words: "mask label map segmentation dicom nifti import load",
        command: |state| image(state).map(|_| Command::OpenDialog(DialogKind::Annotation)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("close_truth"),
        name: "Close ground truth",
        command: |state| {
            state.document.truth.as_ref().map(|_| Command::CloseTruth).ok_or("No ground truth is open.")
        },
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Choices(Choices {
        prefix: "Sample case",
        all: |_| SAMPLES.map(|sample| Choice::new(sample.title, Command::OpenSample(sample))).into(),
        ..Choices::named("Sample cases")
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("save_annotation"),
        name: "Save annotation",
        words: "store labels himixa",
        keys: &[Chord::ctrl(Key::S)],
        keyless: &[Tab::Read, Tab::Prompts, Tab::Stages],
        tabs: VIEWERS,
        command: |state| state.can_save_annotation().map(|()| Command::Keep(KeepCommand::Save)),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("save_annotation_as"),
        name: "Save annotation as…",
        words: "store labels himixa copy",
        tabs: VIEWERS,
        command: |state| state.can_save_annotation().map(|()| Command::OpenDialog(DialogKind::SaveAnnotation)),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("save_mask"),
        name: "Save mask…",
        words: "export",
        keys: &[Chord::ctrl(Key::S)],
        keyless: &[Tab::Annotate],
        command: |state| save(state, DialogKind::SaveMask),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Menu("Export", EXPORT),
    Item::Menu("Save overlay", SAVE_OVERLAY),
    Item::Action(Action {
        id: ActionId("save_session"),
        name: "Save session…",
        words: "project store pins view",
        keys: &[Chord::ctrl_shift(Key::S)],
        command: |state| state.can_save_session().map(|()| Command::OpenDialog(DialogKind::SaveSession)),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("batch"),
        name: "Segment the worklist…",
        words: "batch all cases export masks folder",
        command: |state| {
            let show = Command::Export(ExportCommand::Batch(BatchCommand::Show));
            state.worklist.as_ref().map(|_| show).ok_or("Open a folder first.")
        },
        ..NEW
    }),
    Item::Line,
    Item::Choices(Choices {
        prefix: "Open recent",
        none: "Nothing was opened yet.",
        all: |state| {
            let recent = state.settings.recent.iter();
            let choice = |path: &std::path::PathBuf| Choice {
                detail: path.parent().map(file_name).unwrap_or_default(),
                hint: path.display().to_string(),
                ..Choice::new(file_name(path), Command::OpenPaths(vec![path.clone()]))
            };
            recent.map(choice).collect()
        },
        ..Choices::named("Recent")
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("preferences"),
        name: "Preferences…",
        words: "settings options",
        keys: &[Chord::ctrl(Key::Comma)],
        command: |state| {
            Ok(Command::ShowPage((state.page != Some(Page::Preferences)).then_some(Page::Preferences)))
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("quit"),
        name: "Quit",
        words: "exit close",
        keys: &[Chord::ctrl(Key::Q)],
        command: |_| Ok(Command::Quit),
        undo: Undo::Impossible,
        ..NEW
    }),
];

/// The sizes in which the image with its overlay can be saved.
const SAVE_OVERLAY: &[Item] = &[
    Item::Action(Action {
        id: ActionId("save_overlay"),
        name: "Save overlay at image resolution (1×)…",
        command: |state| save(state, DialogKind::SaveOverlay(OverlaySize::Image)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("save_overlay_twice"),
        name: "Save overlay at twice the resolution (2×)…",
        command: |state| save(state, DialogKind::SaveOverlay(OverlaySize::Twice)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("save_overlay_screen"),
        name: "Save overlay as on screen…",
        command: |state| save(state, DialogKind::SaveOverlay(OverlaySize::Screen)),
        ..OVERLAY
    }),
];

const EXPORTED: Action = Action { words: "save annotation mask label", undo: Undo::Impossible, ..NEW };

/// The formats in which annotation and prediction are written.
const EXPORT: &[Item] = &[
    Item::Action(Action {
        id: ActionId("export_png"),
        name: "PNG…",
        command: |state| export(state, Format::Png),
        ..EXPORTED
    }),
    Item::Action(Action {
        id: ActionId("export_nifti"),
        name: "NIfTI label map…",
        command: |state| export(state, Format::Nifti),
        ..EXPORTED
    }),
    Item::Action(Action {
        id: ActionId("export_dicom"),
        name: "DICOM segmentation…",
        words: "save annotation mask label seg pacs",
        command: |state| export(state, Format::DicomSeg),
        ..EXPORTED
    }),
    Item::Action(Action {
        id: ActionId("export_csv"),
        name: "Measurements (CSV)…",
        words: "save area diameter volume table",
        command: |state| export(state, Format::Csv),
        ..EXPORTED
    }),
];

fn export(state: &State, format: Format) -> Given {
    image(state)?;
    let is_there = state.can_export();
    if is_there { Ok(Command::Export(ExportCommand::Show(format))) } else { Err("There is no mask yet.") }
}

fn save(state: &State, kind: DialogKind) -> Given {
    if state.has_mask_to_save() { Ok(Command::OpenDialog(kind)) } else { Err("There is no mask yet.") }
}
