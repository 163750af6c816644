//! Keys, as commands. A key typed in a text field is text, never a command.

use eframe::egui::{self, Event, Key, Modifiers, vec2};

use super::command::Command;
use super::dialogs::Purpose;
use super::state::{State, Tab};
use super::view::{PAN_STEP, ZOOM_STEP};

/// A press of `[` or `]`.
const THRESHOLD_STEP: f32 = 0.01;
/// A press of `A` or `D`.
const OPACITY_STEP: f32 = 0.05;

/// The number keys from 0.
const DIGITS: [Key; 10] =
    [Key::Num0, Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];

/// Every key and what it does, for the page of shortcuts.
pub const SHORTCUTS: &[(&str, &[(&str, &str)])] = &[
    (
        "Picture",
        &[
            ("+  −, wheel, Ctrl wheel", "Zoom"),
            ("Drag, middle drag, arrows", "Move"),
            ("F, double-click", "Fit the window"),
            ("Ctrl 1", "One image pixel per screen pixel"),
            ("Shift drag", "Ruler; Esc takes it away"),
            ("Right drag", "Window (across) and level (up, down)"),
            ("0  1 … 9", "Full range, presets of the window"),
            ("I  U  W", "Invert; predict with this window; what the network gets"),
            ("Page Up  Down, wheel", "Slice; Home, End: first, last"),
        ],
    ),
    (
        "Overlay",
        &[
            ("S", "Overlay on or off"),
            ("Space, held", "Hide the overlay"),
            ("G", "Comparison with the ground truth on or off"),
            ("H  C", "Heat map; colours without red and green"),
            ("A  D", "Opacity down, up"),
            ("[  ]", "Threshold down, up"),
        ],
    ),
    (
        "Prompt",
        &[
            ("/", "Type in the prompt"),
            ("Ctrl Enter, Esc", "Leave the prompt"),
            ("L", "Past predictions of this session"),
            ("Ctrl Z, Ctrl Shift Z", "Undo, redo in the prompt"),
        ],
    ),
    (
        "Program",
        &[
            ("Ctrl O, Ctrl Shift O", "Open an image, a folder"),
            ("N  P", "Next, previous case of the worklist"),
            ("Ctrl S", "Save the mask"),
            ("Ctrl +  −  0", "Larger, smaller, normal text"),
            ("Ctrl K", "Command palette"),
            ("?", "This page"),
            ("Ctrl Q", "Quit"),
        ],
    ),
];

/// Turns the keys of this frame into commands.
pub fn collect(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let in_text = ctx.text_edit_focused();
    let in_widget = ctx.egui_wants_keyboard_input();
    ctx.input_mut(|input| {
        with_control(input, state, commands);
        if !in_text && state.tab == Tab::Train {
            help(input, state, commands);
        }
        if in_text || state.tab == Tab::Train {
            return;
        }
        letters(input, state, commands);
        // Widgets that have the keyboard use the space bar and the arrows themselves.
        if !in_widget {
            movement(input, commands);
        }
    });
    let hold = !in_widget && state.tab == Tab::Read && ctx.input(|input| input.key_down(Key::Space));
    if hold != state.overlay_held {
        commands.push(Command::HoldOverlay(hold));
    }
}

fn with_control(input: &mut egui::InputState, state: &State, commands: &mut Vec<Command>) {
    if input.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::O) {
        commands.push(Command::Ask(Purpose::Folder));
    }
    if input.consume_key(Modifiers::COMMAND, Key::K) {
        commands.push(Command::ShowPalette(match state.palette {
            Some(_) => None,
            None => Some(String::new()),
        }));
    }
    let mut on = |key, command| {
        if input.consume_key(Modifiers::COMMAND, key) {
            commands.push(command);
        }
    };
    on(Key::O, Command::Ask(Purpose::Image));
    on(Key::Num1, Command::ActualSize);
    on(Key::Q, Command::Quit);
    if state.shown.is_some() {
        on(Key::S, Command::Ask(Purpose::SaveMask));
    }
}

/// The keys of the Train tab: only those of the pages of help.
fn help(input: &egui::InputState, state: &State, commands: &mut Vec<Command>) {
    let pressed = |wanted| input.key_pressed(wanted);
    if state.page.is_some() && pressed(Key::Escape) {
        commands.push(Command::ShowPage(None));
    }
    if pressed(Key::Questionmark) || (input.modifiers.shift && pressed(Key::Slash)) {
        commands.push(Command::ShowPage(Some(super::state::Page::Shortcuts)));
    }
}

fn letters(input: &mut egui::InputState, state: &State, commands: &mut Vec<Command>) {
    let settings = &state.settings;
    let mut typed_slash = false;
    for event in &input.events {
        // What is typed behind the key that goes to the prompt is meant for the prompt.
        if typed_slash {
            break;
        }
        let Event::Key { key, pressed: true, modifiers, repeat, .. } = event else { continue };
        if modifiers.command || modifiers.ctrl || modifiers.alt {
            continue;
        }
        let first = !*repeat;
        commands.push(match key {
            Key::Questionmark if first => Command::ShowPage(Some(super::state::Page::Shortcuts)),
            Key::Slash if first && modifiers.shift => Command::ShowPage(Some(super::state::Page::Shortcuts)),
            Key::Slash if first => {
                typed_slash = true;
                Command::FocusPrompt
            }
            Key::Escape if state.page.is_some() => Command::ShowPage(None),
            Key::Escape if state.awaited_image.is_some() => Command::CancelOpening,
            Key::Escape if state.ruler.is_some() => Command::Ruler(None),
            Key::I if first => match &state.image {
                Some(open) => Command::Invert(!open.seen.is_inverted),
                None => continue,
            },
            Key::W if first => Command::ShowPage(Some(super::state::Page::Network)),
            Key::L if first => Command::ShowPage(Some(super::state::Page::Past)),
            Key::N => Command::StepItem(1),
            Key::P => Command::StepItem(-1),
            Key::U if first => Command::UseWindow,
            Key::H if first => Command::Heat(!settings.heat),
            Key::C if first => Command::ColourBlind(!settings.colour_blind),
            Key::PageUp => Command::StepSlice(1),
            Key::PageDown => Command::StepSlice(-1),
            Key::Home => Command::ShowSlice(0),
            Key::End => Command::ShowSlice(usize::MAX),
            key if first && DIGITS.contains(key) => {
                Command::PresetWindow(DIGITS.iter().position(|digit| digit == key).unwrap_or(0))
            }
            Key::F if first => Command::Fit,
            Key::S if first => Command::ShowOverlay(!state.show_overlay),
            Key::G if first && state.truth.is_some() => Command::ShowTruth(!state.show_truth),
            Key::A => Command::SetOpacity(settings.opacity - OPACITY_STEP),
            Key::D => Command::SetOpacity(settings.opacity + OPACITY_STEP),
            Key::OpenBracket => Command::SetThreshold(settings.threshold - THRESHOLD_STEP),
            Key::CloseBracket => Command::SetThreshold(settings.threshold + THRESHOLD_STEP),
            Key::Plus | Key::Equals => Command::Zoom(ZOOM_STEP, None),
            Key::Minus => Command::Zoom(1.0 / ZOOM_STEP, None),
            _ => continue,
        });
    }
    if typed_slash {
        // The key that puts the cursor into the prompt is not typed into it.
        input.events.retain(|event| !matches!(event, Event::Text(text) if text == "/"));
    }
}

fn movement(input: &egui::InputState, commands: &mut Vec<Command>) {
    let arrows = [
        (Key::ArrowLeft, vec2(PAN_STEP, 0.0)),
        (Key::ArrowRight, vec2(-PAN_STEP, 0.0)),
        (Key::ArrowUp, vec2(0.0, PAN_STEP)),
        (Key::ArrowDown, vec2(0.0, -PAN_STEP)),
    ];
    for (key, points) in arrows {
        let presses = input.num_presses(key);
        if presses > 0 && !input.modifiers.any() {
            commands.push(Command::Pan(points * presses as f32));
        }
    }
}
