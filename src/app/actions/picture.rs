//! Actions with keys or an entry in the palette or the preferences, but without a menu: navigation, slices,
//! display windows, overlay strength and tabs.

use eframe::egui::{Key, vec2};

use super::action::{Action, Given, Group, Hold, READERS, Section, Undo, image};
use super::choices::{Choice, Choices, Item, Shape};
use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord};
use crate::app::state::{OpenImage, State};
use crate::app::tab::Tab;
use crate::app::theme::Scheme;
use crate::app::view::{PAN_STEP, ZOOM_STEP};

/// The change of the threshold per key press.
const THRESHOLD_STEP: f32 = 0.01;
/// The change of the opacity per key press.
const OPACITY_STEP: f32 = 0.05;

const PICTURE: Action = Action::of(Group::Picture);
const SLICES: Action = Action::of(Group::Slices);
const OVERLAY: Action = Action { undo: Undo::Step, ..Action::of(Group::Overlay) };
const PROGRAM: Action = Action::of(Group::Program);

/// Hides the overlay while its key is held. It is not triggered by a key event: the keyboard module checks whether
/// the key is down.
pub const HOLD_OVERLAY: Action = Action {
    id: ActionId("hold_overlay"),
    name: "Hide the overlay while held",
    keys: &[Chord::key(Key::Space)],
    yields_to_widgets: true,
    is_in_palette: false,
    command: |_| Err("Hold its key instead."),
    undo: Undo::Unneeded,
    ..OVERLAY
};

/// The full range and the display window presets, in order. The palette lists them by the names of the windows.
pub const WINDOWS: [Action; 10] = [
    window(ActionId("window0"), "Full range", &[Chord::key(Key::Num0)], |state| preset(state, 0)),
    window(ActionId("window1"), "Window preset 1", &[Chord::key(Key::Num1)], |state| preset(state, 1)),
    window(ActionId("window2"), "Window preset 2", &[Chord::key(Key::Num2)], |state| preset(state, 2)),
    window(ActionId("window3"), "Window preset 3", &[Chord::key(Key::Num3)], |state| preset(state, 3)),
    window(ActionId("window4"), "Window preset 4", &[Chord::key(Key::Num4)], |state| preset(state, 4)),
    window(ActionId("window5"), "Window preset 5", &[Chord::key(Key::Num5)], |state| preset(state, 5)),
    window(ActionId("window6"), "Window preset 6", &[Chord::key(Key::Num6)], |state| preset(state, 6)),
    window(ActionId("window7"), "Window preset 7", &[Chord::key(Key::Num7)], |state| preset(state, 7)),
    window(ActionId("window8"), "Window preset 8", &[Chord::key(Key::Num8)], |state| preset(state, 8)),
    window(ActionId("window9"), "Window preset 9", &[Chord::key(Key::Num9)], |state| preset(state, 9)),
];

const fn window(id: ActionId, name: &'static str, keys: &'static [Chord], command: fn(&State) -> Given) -> Action {
    Action { id, name, keys, is_in_palette: false, command, undo: Undo::Step, ..Action::of(Group::Window) }
}

/// All of these actions.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("zoom_in"),
        name: "Zoom in",
        keys: &[Chord::key(Key::Plus), Chord::key(Key::Equals)],
        hold: Hold::Repeats,
        command: |state| image(state).map(|_| Command::Zoom(ZOOM_STEP, None)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("zoom_out"),
        name: "Zoom out",
        keys: &[Chord::key(Key::Minus)],
        hold: Hold::Repeats,
        command: |state| image(state).map(|_| Command::Zoom(1.0 / ZOOM_STEP, None)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("pan_left"),
        name: "Move to the left",
        keys: &[Chord::key(Key::ArrowLeft)],
        hold: Hold::Repeats,
        yields_to_widgets: true,
        command: |state| image(state).map(|_| pan(1.0, 0.0)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("pan_right"),
        name: "Move to the right",
        keys: &[Chord::key(Key::ArrowRight)],
        hold: Hold::Repeats,
        yields_to_widgets: true,
        command: |state| image(state).map(|_| pan(-1.0, 0.0)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("pan_up"),
        name: "Move up",
        keys: &[Chord::key(Key::ArrowUp)],
        hold: Hold::Repeats,
        yields_to_widgets: true,
        command: |state| image(state).map(|_| pan(0.0, 1.0)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("pan_down"),
        name: "Move down",
        keys: &[Chord::key(Key::ArrowDown)],
        hold: Hold::Repeats,
        yields_to_widgets: true,
        command: |state| image(state).map(|_| pan(0.0, -1.0)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("next_slice"),
        name: "Next slice",
        keys: &[Chord::key(Key::PageUp)],
        hold: Hold::Repeats,
        command: |state| stack(state).map(|_| Command::StepSlice(1)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("previous_slice"),
        name: "Previous slice",
        keys: &[Chord::key(Key::PageDown)],
        hold: Hold::Repeats,
        command: |state| stack(state).map(|_| Command::StepSlice(-1)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("first_slice"),
        name: "First slice",
        keys: &[Chord::key(Key::Home)],
        command: |state| stack(state).map(|_| Command::ShowSlice(0)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("last_slice"),
        name: "Last slice",
        keys: &[Chord::key(Key::End)],
        command: |state| stack(state).map(|_| Command::ShowSlice(usize::MAX)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("play"),
        name: "Play or pause the slices",
        keys: &[Chord::key(Key::K)],
        command: |state| stack(state).map(|_| Command::Play(state.playing.is_none())),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("next_case"),
        name: "Next case",
        keys: &[Chord::key(Key::N)],
        hold: Hold::Repeats,
        command: |state| list(state).map(|()| Command::StepItem(1)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("previous_case"),
        name: "Previous case",
        keys: &[Chord::key(Key::P)],
        hold: Hold::Repeats,
        command: |state| list(state).map(|()| Command::StepItem(-1)),
        ..SLICES
    }),
    Item::Action(Action {
        id: ActionId("mark_case"),
        name: "Mark or unmark the case",
        words: "flag star worklist",
        keys: &[Chord::key(Key::M)],
        command: |state| {
            list(state)?;
            let current = state.worklist.as_ref().and_then(|list| list.current);
            current.map(|_| Command::MarkItem).ok_or("Open a case of the worklist first.")
        },
        undo: Undo::Again,
        ..SLICES
    }),
    Item::Action(WINDOWS[0]),
    Item::Action(WINDOWS[1]),
    Item::Action(WINDOWS[2]),
    Item::Action(WINDOWS[3]),
    Item::Action(WINDOWS[4]),
    Item::Action(WINDOWS[5]),
    Item::Action(WINDOWS[6]),
    Item::Action(WINDOWS[7]),
    Item::Action(WINDOWS[8]),
    Item::Action(WINDOWS[9]),
    Item::Action(HOLD_OVERLAY),
    Item::Action(Action {
        id: ActionId("safe_colours"),
        name: "Colours without red and green",
        words: "colour-blind safe",
        keys: &[Chord::key(Key::C)],
        is_on: Some(|state| state.settings.colours.scheme == Scheme::Safe),
        command: |state| {
            Ok(Command::UseColours(match state.settings.colours.scheme {
                Scheme::Safe => Scheme::Paper,
                Scheme::Paper | Scheme::Own => Scheme::Safe,
            }))
        },
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("less_opacity"),
        name: "Less opacity",
        keys: &[Chord::key(Key::A)],
        hold: Hold::Repeats,
        command: |_| Ok(Command::MoveOpacity(-OPACITY_STEP)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("more_opacity"),
        name: "More opacity",
        keys: &[Chord::key(Key::D)],
        hold: Hold::Repeats,
        command: |_| Ok(Command::MoveOpacity(OPACITY_STEP)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("less_threshold"),
        name: "Lower threshold",
        keys: &[Chord::key(Key::OpenBracket)],
        tabs: READERS,
        hold: Hold::Repeats,
        command: |_| Ok(Command::MoveThreshold(-THRESHOLD_STEP)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("more_threshold"),
        name: "Higher threshold",
        keys: &[Chord::key(Key::CloseBracket)],
        tabs: READERS,
        hold: Hold::Repeats,
        command: |_| Ok(Command::MoveThreshold(THRESHOLD_STEP)),
        ..OVERLAY
    }),
    Item::Action(Action {
        id: ActionId("read"),
        name: "Read tab",
        keys: &[Chord::key(Key::F1)],
        words: "go to show task layout",
        command: |_| Ok(Command::ShowTab(Tab::Read)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("annotate"),
        name: "Annotate tab",
        keys: &[Chord::key(Key::F5)],
        words: "go to show task layout draw correct mask",
        command: |_| Ok(Command::ShowTab(Tab::Annotate)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("stages"),
        name: "Stages tab",
        keys: &[Chord::key(Key::F2)],
        words: "go to show task layout",
        command: |_| Ok(Command::ShowTab(Tab::Stages)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("prompts"),
        name: "Prompts tab",
        keys: &[Chord::key(Key::F4)],
        words: "go to show task layout compare variants laboratory",
        command: |_| Ok(Command::ShowTab(Tab::Prompts)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("compare"),
        name: "Compare tab",
        keys: &[Chord::key(Key::F6)],
        words: "go to show task layout networks models figure",
        command: |_| Ok(Command::ShowTab(Tab::Compare)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("train"),
        name: "Train tab",
        keys: &[Chord::key(Key::F3)],
        words: "go to show task layout",
        command: |_| Ok(Command::ShowTab(Tab::Train)),
        ..PROGRAM
    }),
    Item::Action(Action {
        id: ActionId("smooth"),
        name: "Smooth picture",
        words: "preferences settings",
        section: Some(Section::Pictures),
        is_on: Some(|state| state.settings.smooth),
        undo: Undo::Step,
        command: |state| Ok(Command::Smooth(!state.settings.smooth)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("show_patient"),
        name: "Show the patient's name",
        words: "preferences settings",
        section: Some(Section::Pictures),
        is_on: Some(|state| state.settings.show_patient),
        undo: Undo::Again,
        command: |state| Ok(Command::ShowPatient(!state.settings.show_patient)),
        ..PICTURE
    }),
    Item::Action(Action {
        id: ActionId("upright"),
        name: "Turn pictures upright as their EXIF data asks",
        words: "rotate orientation preferences settings",
        section: Some(Section::Pictures),
        is_on: Some(|state| state.settings.upright),
        undo: Undo::Again,
        command: |state| Ok(Command::Upright(!state.settings.upright)),
        ..PICTURE
    }),
    Item::Choices(Choices {
        prefix: "Window",
        words: "level preset brightness contrast",
        shape: Shape::Hidden,
        all: windows,
        undo: Undo::Step,
        ..Choices::named("Windows")
    }),
    Item::Choices(Choices {
        words: "preferences settings",
        shape: Shape::Hidden,
        section: Some(Section::Pictures),
        prefix: "Memory for one file",
        all: memory,
        undo: Undo::Again,
        ..Choices::named("Memory for one file")
    }),
    Item::Choices(Choices {
        words: "preferences settings history steps",
        shape: Shape::Hidden,
        section: Some(Section::Pictures),
        prefix: "Memory for undoing",
        all: undo_memory,
        undo: Undo::Again,
        ..Choices::named("Memory for undoing")
    }),
];

/// Returns the options for the maximum memory for undoing.
fn undo_memory(state: &State) -> Vec<Choice> {
    let now = state.settings.undo_memory_mib;
    let choice = |mib: u32| Choice {
        is_on: Some(mib == now),
        ..Choice::new(format!("{mib} MiB"), Command::SetUndoMemory(mib))
    };
    [64, 256, 1024, 4096].map(choice).into()
}

fn pan(x: f32, y: f32) -> Command {
    Command::Pan(vec2(x, y) * PAN_STEP)
}

/// Returns the open image if it has several slices; the error says why it is not available.
fn stack(state: &State) -> Result<&OpenImage, &'static str> {
    let open = image(state)?;
    if open.volume.slices > 1 { Ok(open) } else { Err("The image has one slice.") }
}

fn list(state: &State) -> Result<(), &'static str> {
    state.worklist.as_ref().map(|_| ()).ok_or("Open a folder first.")
}

fn preset(state: &State, number: usize) -> Given {
    let windows = image(state)?.windows(&state.settings);
    if number < windows.len() { Ok(Command::PresetWindow(number)) } else { Err("The image has no such preset.") }
}

/// Returns the display windows of the open image as options; the first ten have keys.
fn windows(state: &State) -> Vec<Choice> {
    let windows = state.document.image.as_ref().map(|open| open.windows(&state.settings)).unwrap_or_default();
    let choice = |(number, (name, window)): (usize, (String, _))| Choice {
        detail: WINDOWS.get(number).map_or_else(String::new, |action| state.settings.keys.label(action)),
        ..Choice::new(name, Command::SetWindow(window))
    };
    windows.into_iter().enumerate().map(choice).collect()
}

/// Returns the options for the maximum memory of the decoded content of one file.
fn memory(state: &State) -> Vec<Choice> {
    let now = state.settings.memory_limit_gib;
    let choice = |gib: f32| Choice {
        is_on: Some((gib - now).abs() < 1e-3),
        ..Choice::new(format!("{gib} GiB"), Command::SetMemoryLimit(gib))
    };
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0].map(choice).into()
}
