//! The View menu, and other display switches.

use eframe::egui::Key;

use super::action::{Action, Given, Group, Hold, Section, Undo, VIEWERS, image};
use super::choices::{Choice, Choices, Item, Shape};
use super::help::page;
use super::panels;
use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord};
use crate::app::page::Page;
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::app::theme::{Scheme, ThemeChoice};
use crate::app::uncertainty::UncertaintyCommand;

/// The action that undoes a step.
pub const UNDO: ActionId = ActionId("undo");
/// The action that redoes a step.
pub const REDO: ActionId = ActionId("redo");

/// Restores the default text size.
pub const RESET_TEXT_SIZE: Action = Action {
    id: ActionId("reset_text_size"),
    name: "Reset text size",
    words: "zoom scale larger smaller preferences settings",
    section: Some(Section::Appearance),
    command: |state| match state.settings.zoom == 1.0 {
        true => Err("The text has its usual size."),
        false => Ok(Command::TextSize(1.0)),
    },
    ..PROGRAM
};

const PROGRAM: Action = Action::of(Group::Program);
const PICTURE: Action = Action::of(Group::Picture);
const OVERLAY: Action = Action { undo: Undo::Step, ..Action::of(Group::Overlay) };
const PREFERENCE: &str = "preferences settings";

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: UNDO,
        name: "Undo",
        keys: &[Chord::ctrl(Key::Z)],
        tabs: VIEWERS,
        hold: Hold::Repeats,
        step: Some(|state| state.history.undo_name()),
        command: |state| step(state, true),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: REDO,
        name: "Redo",
        keys: &[Chord::ctrl_shift(Key::Z), Chord::ctrl(Key::Y)],
        tabs: VIEWERS,
        hold: Hold::Repeats,
        step: Some(|state| state.history.redo_name()),
        command: |state| step(state, false),
        ..PROGRAM
    }),
    Item::Line,
    Item::Choices(panels::PANELS),
    Item::Action(Action {
        id: ActionId("reset_layout"),
        name: "Reset the layout",
        words: "panels arrange",
        command: |_| Ok(Command::ResetLayout),
        undo: Undo::Impossible,
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("information"),
        name: "Image information",
        words: "metadata header DICOM geometry",
        keys: &[Chord::ctrl(Key::I)],
        // The key opens the panel; if the panel is visible, it shows the panel behind it, or closes it if there is
        // none.
        command: |state| {
            let is_seen = |pane| state.is_seen(pane);
            Ok(match (is_seen(Pane::INFORMATION), is_seen(Pane::RESULT)) {
                (true, true) => Command::OpenPane(Pane::INFORMATION, false),
                (true, false) => Command::OpenPane(Pane::RESULT, true),
                (false, _) => Command::OpenPane(Pane::INFORMATION, true),
            })
        },
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("presentation"),
        name: "Presentation",
        words: "full screen fullscreen projector show",
        keys: &[Chord::key(Key::F11)],
        command: |state| Ok(Command::Present(state.presentation.is_none())),
        undo: Undo::Again,
        ..PROGRAM
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("fit"),
        name: "Fit the window",
        words: "zoom",
        keys: &[Chord::key(Key::F)],
        command: |state| image(state).map(|_| Command::Fit),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("actual_size"),
        name: "Actual size (1:1)",
        words: "zoom",
        keys: &[Chord::ctrl(Key::Num1)],
        command: |state| image(state).map(|_| Command::ActualSize),
        ..PICTURE
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("overlay"),
        name: "Overlay",
        words: "mask show hide",
        keys: &[Chord::key(Key::S)],
        is_on: Some(|state| state.show_overlay),
        command: |state| Ok(Command::ShowOverlay(!state.show_overlay)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("truth"),
        name: "Comparison with the ground truth",
        words: "compare mask",
        keys: &[Chord::key(Key::G)],
        is_on: Some(|state| state.show_truth),
        command: |state| {
            let shown = state.document.truth.as_ref().map(|_| Command::ShowTruth(!state.show_truth));
            shown.ok_or("Open a ground truth first.")
        },
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("fill"),
        name: "Fill areas",
        words: PREFERENCE,
        section: Some(Section::Overlay),
        is_on: Some(|state| state.settings.fill),
        command: |state| Ok(Command::Fill(!state.settings.fill)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("contour"),
        name: "Draw outlines",
        words: PREFERENCE,
        section: Some(Section::Overlay),
        is_on: Some(|state| state.settings.contour),
        command: |state| Ok(Command::Contour(!state.settings.contour)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("heat"),
        name: "Heat map",
        words: "probability preferences settings",
        section: Some(Section::Overlay),
        keys: &[Chord::key(Key::H)],
        is_on: Some(|state| state.settings.heat),
        command: |state| Ok(Command::Heat(!state.settings.heat)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("uncertainty"),
        name: "Uncertainty map",
        words: "ensemble deviation confidence doubt mirror shift",
        is_on: Some(|state| state.uncertainty.is_on),
        command: |state| Ok(Command::Uncertainty(UncertaintyCommand::Show(!state.uncertainty.is_on))),
        ..Action::of(Group::Overlay)
    }),
    Item::Choices(Choices {
        prefix: "Colours of the overlay",
        words: PREFERENCE,
        section: Some(Section::Overlay),
        all: |state| {
            let now = state.settings.colours.scheme;
            let choice = |(scheme, name)| Choice {
                is_on: Some(scheme == now),
                ..Choice::new(name, Command::UseColours(scheme))
            };
            Scheme::ALL.map(choice).into()
        },
        undo: Undo::Step,
        ..Choices::named("Colours of the overlay")
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("invert"),
        name: "Invert",
        words: "black white negative",
        keys: &[Chord::key(Key::I)],
        command: |state| image(state).map(|open| Command::Invert(!open.is_inverted())),
        undo: Undo::Step,
        ..Action::of(Group::Window)
    }),
    Item::Action(Action {
        id: ActionId("use_window"),
        name: "Predict with this window",
        words: "network level",
        keys: &[Chord::key(Key::U)],
        command: |state| image(state).map(|_| Command::UseWindow),
        ..Action::of(Group::Window)
    }),
    Item::Action(Action {
        id: ActionId("network_view"),
        name: "What the network gets",
        words: "input",
        keys: &[Chord::key(Key::W)],
        command: |state| image(state).and_then(|_| page(state, Page::Network)),
        ..Action::of(Group::Window)
    }),
    Item::Action(Action {
        id: ActionId("window_presets"),
        name: "Window presets…",
        words: "level preferences settings",
        command: |state| page(state, Page::Presets),
        ..PROGRAM
    }),
    Item::Line,
    Item::Choices(Choices {
        prefix: "Text size",
        words: "zoom scale larger smaller preferences settings",
        section: Some(Section::Appearance),
        all: |state| {
            let now = (state.settings.zoom * 100.0).round() as i32;
            let choice = |percent: i32| Choice {
                is_on: Some(percent == now),
                ..Choice::new(format!("{percent} %"), Command::TextSize(percent as f32 / 100.0))
            };
            [80, 90, 100, 110, 125, 150, 175, 200].map(choice).into()
        },
        ..Choices::named("Text size")
    }),
    Item::Action(RESET_TEXT_SIZE),
    Item::Choices(Choices {
        words: "appearance preferences settings",
        section: Some(Section::Appearance),
        shape: Shape::Lines,
        all: |state| {
            let choice = |(theme, name)| Choice {
                is_on: Some(state.settings.theme == theme),
                ..Choice::new(name, Command::SetTheme(theme))
            };
            [(ThemeChoice::Dark, "Dark theme"), (ThemeChoice::Light, "Light theme")].map(choice).into()
        },
        ..Choices::named("Theme")
    }),
];

/// Undoes or redoes a step in chronological order.
fn step(state: &State, is_back: bool) -> Given {
    let history = &state.history;
    match is_back {
        true => history.undo_name().map(|_| Command::Undo).ok_or("There is nothing to undo."),
        false => history.redo_name().map(|_| Command::Redo).ok_or("There is nothing to redo."),
    }
}
