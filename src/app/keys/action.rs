//! What a key can do, and which keys do it unless the user says otherwise.

use eframe::egui::{Key, vec2};
use serde::{Deserialize, Serialize};

use super::chord::Chord;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::layout::Pane;
use crate::app::stages::StagesCommand;
use crate::app::state::{Page, State, Tab};
use crate::app::theme::Scheme;
use crate::app::view::{PAN_STEP, ZOOM_STEP};

/// A press of the threshold's keys.
const THRESHOLD_STEP: f32 = 0.01;
/// A press of the opacity's keys.
const OPACITY_STEP: f32 = 0.05;

macro_rules! actions {
    ($($action:ident: $group:ident, $name:literal, [$($chord:expr),*];)*) => {
        /// Something that a key does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action {
            $(#[doc = $name] $action,)*
        }

        impl Action {
            /// All, in the order in which they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$action,)*];

            /// Where it is listed.
            pub fn group(self) -> Group {
                match self { $(Self::$action => Group::$group,)* }
            }

            /// For people.
            pub fn name(self) -> &'static str {
                match self { $(Self::$action => $name,)* }
            }

            /// Its keys, unless the user says otherwise.
            pub fn usual(self) -> &'static [Chord] {
                match self { $(Self::$action => const { &[$($chord),*] },)* }
            }
        }
    };
}

/// What actions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The picture.
    Picture,
    /// Slices and cases.
    Slices,
    /// Window and level.
    Window,
    /// The overlay.
    Overlay,
    /// The sentence.
    Prompt,
    /// Everything else.
    Program,
}

impl Group {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Picture, Self::Slices, Self::Window, Self::Overlay, Self::Prompt, Self::Program];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "Picture",
            Self::Slices => "Slices and cases",
            Self::Window => "Window and level",
            Self::Overlay => "Overlay",
            Self::Prompt => "Prompt",
            Self::Program => "Program",
        }
    }
}

const fn key(key: Key) -> Chord {
    Chord::key(key)
}

actions! {
    ZoomIn: Picture, "Zoom in", [key(Key::Plus), key(Key::Equals)];
    ZoomOut: Picture, "Zoom out", [key(Key::Minus)];
    Fit: Picture, "Fit the window", [key(Key::F)];
    ActualSize: Picture, "Actual size (1:1)", [Chord::ctrl(Key::Num1)];
    PanLeft: Picture, "Move to the left", [key(Key::ArrowLeft)];
    PanRight: Picture, "Move to the right", [key(Key::ArrowRight)];
    PanUp: Picture, "Move up", [key(Key::ArrowUp)];
    PanDown: Picture, "Move down", [key(Key::ArrowDown)];
    NextSlice: Slices, "Next slice", [key(Key::PageUp)];
    PreviousSlice: Slices, "Previous slice", [key(Key::PageDown)];
    FirstSlice: Slices, "First slice", [key(Key::Home)];
    LastSlice: Slices, "Last slice", [key(Key::End)];
    Play: Slices, "Play or pause the slices", [key(Key::K)];
    NextCase: Slices, "Next case", [key(Key::N)];
    PreviousCase: Slices, "Previous case", [key(Key::P)];
    Window0: Window, "Full range", [key(Key::Num0)];
    Window1: Window, "Window preset 1", [key(Key::Num1)];
    Window2: Window, "Window preset 2", [key(Key::Num2)];
    Window3: Window, "Window preset 3", [key(Key::Num3)];
    Window4: Window, "Window preset 4", [key(Key::Num4)];
    Window5: Window, "Window preset 5", [key(Key::Num5)];
    Window6: Window, "Window preset 6", [key(Key::Num6)];
    Window7: Window, "Window preset 7", [key(Key::Num7)];
    Window8: Window, "Window preset 8", [key(Key::Num8)];
    Window9: Window, "Window preset 9", [key(Key::Num9)];
    Invert: Window, "Invert", [key(Key::I)];
    UseWindow: Window, "Predict with this window", [key(Key::U)];
    NetworkView: Window, "What the network gets", [key(Key::W)];
    Overlay: Overlay, "Overlay on or off", [key(Key::S)];
    HoldOverlay: Overlay, "Hide the overlay while held", [key(Key::Space)];
    Truth: Overlay, "Comparison with the ground truth on or off", [key(Key::G)];
    Heat: Overlay, "Heat map on or off", [key(Key::H)];
    SafeColours: Overlay, "Colours without red and green on or off", [key(Key::C)];
    LessOpacity: Overlay, "Less opacity", [key(Key::A)];
    MoreOpacity: Overlay, "More opacity", [key(Key::D)];
    LessThreshold: Overlay, "Lower threshold", [key(Key::OpenBracket)];
    MoreThreshold: Overlay, "Higher threshold", [key(Key::CloseBracket)];
    FocusPrompt: Prompt, "Type in the prompt", [key(Key::Slash)];
    Past: Prompt, "Past predictions", [key(Key::L)];
    Information: Program, "Image information", [Chord::ctrl(Key::I)];
    OpenImage: Program, "Open image…", [Chord::ctrl(Key::O)];
    OpenFolder: Program, "Open folder…", [Chord::ctrl_shift(Key::O)];
    SaveMask: Program, "Save mask…", [Chord::ctrl(Key::S)];
    Undo: Program, "Undo", [Chord::ctrl(Key::Z)];
    Redo: Program, "Redo", [Chord::ctrl_shift(Key::Z), Chord::ctrl(Key::Y)];
    Read: Program, "Read", [key(Key::F1)];
    Stages: Program, "Stages", [key(Key::F2)];
    Train: Program, "Train", [key(Key::F3)];
    Presentation: Program, "Presentation", [key(Key::F11)];
    Palette: Program, "Command palette…", [Chord::ctrl(Key::K)];
    Shortcuts: Program, "Keyboard shortcuts", [key(Key::Questionmark)];
    Quit: Program, "Quit", [Chord::ctrl(Key::Q)];
}

/// Keys that are as they are, and the mouse, for the page of shortcuts.
pub const FIXED: &[(&str, &str)] = &[
    ("Wheel, Ctrl wheel, pinch", "Zoom; in a stack the wheel alone goes through the slices"),
    ("Drag, middle drag", "Move the picture"),
    ("Double click", "Fit the window"),
    ("Right drag", "Window (across) and level (up, down)"),
    ("Shift drag", "Ruler"),
    (
        "Esc",
        "Leave the prompt or the presentation, close a page, cancel opening, dismiss messages, remove the ruler",
    ),
    ("Enter", "Leave the prompt"),
    ("Ctrl Z, Ctrl Shift Z", "Undo and redo in the prompt while it has the cursor"),
    ("Ctrl +  −  0", "Larger, smaller, normal text"),
    ("Ctrl Tab", "The next panel of the stack under the pointer"),
];

impl Action {
    /// The full range and the presets of the window, in their order.
    pub const WINDOWS: [Self; 10] = [
        Self::Window0,
        Self::Window1,
        Self::Window2,
        Self::Window3,
        Self::Window4,
        Self::Window5,
        Self::Window6,
        Self::Window7,
        Self::Window8,
        Self::Window9,
    ];

    /// Whether it is done again and again while its key is held.
    pub fn repeats(self) -> bool {
        use Action::*;
        matches!(
            self,
            ZoomIn
                | ZoomOut
                | PanLeft
                | PanRight
                | PanUp
                | PanDown
                | NextSlice
                | PreviousSlice
                | NextCase
                | PreviousCase
                | LessOpacity
                | MoreOpacity
                | LessThreshold
                | MoreThreshold
                | Undo
                | Redo
        )
    }

    /// Whether a widget that has the keyboard uses such a key itself: a slider the arrows, a button the space bar.
    pub fn yields_to_widgets(self) -> bool {
        matches!(self, Self::PanLeft | Self::PanRight | Self::PanUp | Self::PanDown | Self::HoldOverlay)
    }

    /// The tasks in which it does something.
    pub fn works_in(self, tab: Tab) -> bool {
        match self {
            Self::Undo | Self::Redo => tab != Tab::Train,
            action => tab != Tab::Train || action.group() == Group::Program,
        }
    }

    /// The command that it gives now; none where there is nothing that it could act on.
    pub fn command(self, state: &State) -> Option<Command> {
        let settings = &state.settings;
        if let Some(number) = Self::WINDOWS.iter().position(|window| *window == self) {
            return Some(Command::PresetWindow(number));
        }
        let has_image = state.image.is_some();
        // The key that opens a page closes it too.
        let page = |page: Page| (state.page != Some(page)).then_some(page);
        let pan = |x: f32, y: f32| Command::Pan(vec2(x, y) * PAN_STEP);
        Some(match self {
            Self::ZoomIn => Command::Zoom(ZOOM_STEP, None),
            Self::ZoomOut => Command::Zoom(1.0 / ZOOM_STEP, None),
            Self::Fit => Command::Fit,
            Self::ActualSize => Command::ActualSize,
            Self::PanLeft => pan(1.0, 0.0),
            Self::PanRight => pan(-1.0, 0.0),
            Self::PanUp => pan(0.0, 1.0),
            Self::PanDown => pan(0.0, -1.0),
            Self::NextSlice => Command::StepSlice(1),
            Self::PreviousSlice => Command::StepSlice(-1),
            Self::FirstSlice => Command::ShowSlice(0),
            Self::LastSlice => Command::ShowSlice(usize::MAX),
            Self::Play => return has_image.then(|| Command::Play(state.playing.is_none())),
            Self::NextCase => Command::StepItem(1),
            Self::PreviousCase => Command::StepItem(-1),
            Self::Invert => Command::Invert(!state.image.as_ref()?.is_inverted()),
            Self::UseWindow => Command::UseWindow,
            Self::NetworkView => Command::ShowPage(page(Page::Network)),
            Self::Overlay => Command::ShowOverlay(!state.show_overlay),
            // What is held has no moment; the windows were answered above.
            Self::HoldOverlay
            | Self::Window0
            | Self::Window1
            | Self::Window2
            | Self::Window3
            | Self::Window4
            | Self::Window5
            | Self::Window6
            | Self::Window7
            | Self::Window8
            | Self::Window9 => return None,
            Self::Truth => return state.truth.is_some().then_some(Command::ShowTruth(!state.show_truth)),
            Self::Heat => Command::Heat(!settings.heat),
            Self::SafeColours => Command::UseColours(match settings.colours.scheme {
                Scheme::Safe => Scheme::Paper,
                Scheme::Paper | Scheme::Own => Scheme::Safe,
            }),
            Self::LessOpacity => Command::MoveOpacity(-OPACITY_STEP),
            Self::MoreOpacity => Command::MoveOpacity(OPACITY_STEP),
            Self::LessThreshold => Command::MoveThreshold(-THRESHOLD_STEP),
            Self::MoreThreshold => Command::MoveThreshold(THRESHOLD_STEP),
            Self::FocusPrompt => Command::FocusPrompt,
            Self::Past => Command::OpenPane(Pane::Past, true),
            // The key that opens the panel leaves it for the one behind it, or closes it where it stands alone.
            Self::Information if state.is_seen(Pane::Information) => match state.is_seen(Pane::Result) {
                true => Command::OpenPane(Pane::Information, false),
                false => Command::OpenPane(Pane::Result, true),
            },
            Self::Information => Command::OpenPane(Pane::Information, true),
            Self::OpenImage => Command::OpenDialog(DialogKind::Image),
            Self::OpenFolder => Command::OpenDialog(DialogKind::Folder),
            Self::SaveMask => return state.shown.is_some().then_some(Command::OpenDialog(DialogKind::SaveMask)),
            Self::Undo if state.tab == Tab::Stages => {
                return stages(state.stages.override_history.can_undo(), StagesCommand::Undo);
            }
            Self::Redo if state.tab == Tab::Stages => {
                return stages(state.stages.override_history.can_redo(), StagesCommand::Redo);
            }
            Self::Undo => return state.history.can_undo().then_some(Command::Undo),
            Self::Redo => return state.history.can_redo().then_some(Command::Redo),
            Self::Read => Command::ShowTab(Tab::Read),
            Self::Stages => Command::ShowTab(Tab::Stages),
            Self::Train => Command::ShowTab(Tab::Train),
            Self::Presentation => Command::Present(state.presentation.is_none()),
            Self::Palette => Command::ShowPalette(match state.palette {
                Some(_) => None,
                None => Some(String::new()),
            }),
            Self::Shortcuts => Command::ShowPage(page(Page::Shortcuts)),
            Self::Quit => Command::Quit,
        })
    }
}

fn stages(can: bool, command: StagesCommand) -> Option<Command> {
    can.then_some(Command::Stages(command))
}
