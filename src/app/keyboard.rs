//! Converts keyboard input to commands. A key typed into a text field is text, never a command.

use eframe::egui::{self, Event, Key};

use super::actions::{self, Action, Hold};
use super::annotating::AnnotateCommand;
use super::boxed::BoxCommand;
use super::command::Command;
use super::keys::{ActionId, Chord};
use super::state::State;
use super::tab::Tab;

/// Converts the keys of this frame to commands.
pub fn collect(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    if let Some((action, place)) = state.rebinding {
        return ctx.input_mut(|input| rebind(input, action, place, commands));
    }
    let keys = Keyboard { in_text: ctx.text_edit_focused(), in_widget: ctx.egui_wants_keyboard_input() };
    ctx.input_mut(|input| keys.take(input, state, commands));
    let holds = |chord: &Chord| ctx.input(|input| input.key_down(chord.key) && !input.modifiers.any());
    let bindings = &state.settings.keys;
    let is_held = matches!(state.tab, Tab::Read | Tab::Annotate)
        && !keys.in_widget
        && bindings.of(&actions::HOLD_OVERLAY).iter().any(holds);
    if is_held != state.overlay_held {
        commands.push(Command::HoldOverlay(is_held));
    }
}

/// Which widget has the keyboard focus.
struct Keyboard {
    in_text: bool,
    in_widget: bool,
}

impl Keyboard {
    /// Removes the keys that trigger actions from the frame's events.
    fn take(&self, input: &mut egui::InputState, state: &State, commands: &mut Vec<Command>) {
        let mut has_gone_to_prompt = false;
        let mut typed = None;
        input.events.retain(|event| {
            match event {
                // Text typed after the key that focuses the prompt belongs to the prompt, but that key's own
                // letter does not.
                Event::Text(text) if typed.as_ref() == Some(text) => {
                    typed = None;
                    false
                }
                Event::Key { key, pressed: true, modifiers, repeat, .. } if !has_gone_to_prompt => {
                    if *key == Key::Escape && !self.in_text {
                        commands.extend(escape(state));
                        return true;
                    }
                    if !self.in_text
                        && let Some(command) = of_outline(state, *key, modifiers.command)
                    {
                        commands.push(command);
                        return false;
                    }
                    let chord = Chord::pressed(*key, *modifiers);
                    let Some(action) = self.action(state, chord) else { return true };
                    if action.id == actions::FOCUS_PROMPT {
                        has_gone_to_prompt = true;
                        typed = Some(chord.to_string().to_lowercase());
                    }
                    if !repeat || action.hold == Hold::Repeats {
                        commands.extend((action.command)(state));
                    }
                    // The action of a held key is triggered by the key's state, so its event is dropped.
                    action.id == actions::HOLD_OVERLAY.id
                }
                _ => true,
            }
        });
    }

    fn action(&self, state: &State, chord: Chord) -> Option<&'static Action> {
        if self.in_text && !chord.works_in_text() {
            return None;
        }
        let action = state.settings.keys.action(actions::all(), chord, state.tab)?;
        // A text field that is being edited has its own undo, and deletes words and ends with the keys of a case.
        let of_texts = [actions::UNDO, actions::REDO, actions::ACCEPT_CASE, actions::REJECT_CASE];
        let is_texts = self.in_text && of_texts.contains(&action.id);
        let is_widgets = self.in_widget && action.yields_to_widgets;
        (!is_texts && !is_widgets).then_some(action)
    }
}

/// Returns what a key does to the outline that is being clicked together; `None` without an outline, and for other
/// keys.
fn of_outline(state: &State, key: Key, removes: bool) -> Option<Command> {
    if state.tab != Tab::Annotate || !state.annotating.has_outline() {
        return None;
    }
    match key {
        Key::Enter => Some(Command::Annotate(AnnotateCommand::CloseOutline { removes })),
        Key::Backspace => Some(Command::Annotate(AnnotateCommand::RemovePoint)),
        _ => None,
    }
}

fn escape(state: &State) -> Option<Command> {
    if state.annotating.is_drawing() || state.annotating.has_outline() {
        Some(Command::Annotate(AnnotateCommand::CancelStroke))
    } else if state.page.is_some() {
        Some(Command::ShowPage(None))
    } else if state.presentation.is_some() {
        Some(Command::Present(false))
    } else if state.jobs.image.pending().is_some() {
        Some(Command::CancelOpening)
    } else if state.notes.toasts().next().is_some() {
        Some(Command::DismissAll)
    } else {
        let has_box = state.draws_box() && state.document.area.is_some();
        let remove_box = has_box.then_some(Command::Box(BoxCommand::Clear));
        state.ruler.is_some().then_some(Command::Ruler(None)).or(remove_box)
    }
}

/// Takes the next key as the new key of an action.
fn rebind(input: &mut egui::InputState, action: ActionId, place: Option<usize>, commands: &mut Vec<Command>) {
    for event in std::mem::take(&mut input.events) {
        match event {
            Event::Key { key: Key::Escape, pressed: true, .. } => commands.push(Command::Rebind(None)),
            Event::Key { key, pressed: true, modifiers, repeat: false, .. } if !Chord::is_modifier(key) => {
                commands.push(Command::Bind(action, place, Chord::pressed(key, modifiers)));
                return;
            }
            Event::Key { .. } | Event::Text(_) => {}
            other => input.events.push(other),
        }
    }
}
