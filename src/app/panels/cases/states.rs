//! The parts of the worklist that are about states.

use eframe::egui::{
    Button, Frame, Key, Margin, Painter, Panel, Pos2, Rect, RichText, Role, Stroke, TextEdit, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::app::cases::{CaseState, CasesCommand};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme::{self, Palette};
use crate::app::worklist::Worklist;

/// The radius of the badge with the state, in points.
const BADGE: f32 = 7.0;
/// The longest reader's name, in letters.
const LONGEST: usize = 60;

/// Draws a button for each state with the number of its cases, which reduces the list to them.
pub fn filters(ui: &mut Ui, list: &Worklist, commands: &mut Vec<Command>) {
    let counts = list.states.counts(list.items.len());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (state, count) in CaseState::ALL.into_iter().zip(counts) {
            let is_on = list.states.filter == Some(state);
            let text = format!("{} {count}", titled(state));
            let chosen = ui.selectable_label(is_on, RichText::new(text).small());
            let words = match is_on {
                true => "Shows all cases again.",
                false => "Shows only these cases.",
            };
            if chosen.on_hover_text(words).clicked() {
                commands.push(Command::Cases(CasesCommand::Filter((!is_on).then_some(state))));
            }
        }
    });
}

/// Returns the name of a state as a title.
fn titled(state: CaseState) -> &'static str {
    match state {
        CaseState::ToDo => "To do",
        CaseState::Draft => "Draft",
        CaseState::Done => "Done",
        CaseState::Rejected => "Rejected",
    }
}

/// Asks for the reader's name, if something waits for it.
pub fn name_question(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(naming) = &state.cases.naming else { return };
    let palette = theme::palette(ui.visuals());
    let frame = Frame::new().fill(palette.panel).inner_margin(6.0).stroke(Stroke::new(1.0, palette.accent));
    frame.show(ui, |ui| {
        ui.label("Your name, which the states of your cases and your masks are kept under:");
        let mut name = naming.name.clone();
        let field =
            TextEdit::singleline(&mut name).desired_width(f32::INFINITY).char_limit(LONGEST).hint_text("Name");
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Reader's name"));
        let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if response.changed() {
            commands.push(Command::Cases(CasesCommand::TypeName(name.clone())));
        }
        ui.horizontal_wrapped(|ui| {
            let is_named = !name.trim().is_empty();
            let used = ui.add_enabled(is_named, Button::new("Use this name"));
            if used.clicked() || (is_entered && is_named) {
                commands.push(Command::Cases(CasesCommand::UseName));
            }
            if ui.button("Not now").clicked() {
                commands.push(Command::Cases(CasesCommand::LeaveName));
            }
        });
    });
}

/// Draws the state of the open case at the bottom of the list, with what can be done with it.
pub fn open_case(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let (Some(list), Ok(place)) = (&state.worklist, state.open_case()) else { return };
    let of_case = list.states.state(place);
    let frame = Frame::new().inner_margin(Margin { top: 6, ..Margin::ZERO });
    Panel::bottom("state of the open case").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new("This case:").weak());
            ui.label(of_case.name());
            for (reader, state) in list.states.others(place) {
                ui.label(RichText::new(format!("· {reader}: {}", state.name())).weak());
            }
        });
        ui.horizontal_wrapped(|ui| {
            let mut button = |ui: &mut Ui, name: &str, words: &str, command: CasesCommand| {
                if ui.button(name).on_hover_text(words).clicked() {
                    commands.push(Command::Cases(command));
                }
            };
            button(
                ui,
                "Accept and next",
                "Keeps the mask as yours and opens the next case to do.",
                CasesCommand::Accept,
            );
            button(
                ui,
                "Reject",
                "Notes that the case cannot be used, and opens the next one to do.",
                CasesCommand::Reject,
            );
            if of_case != CaseState::ToDo {
                button(ui, "Back to do", "Puts the case back among those to do.", CasesCommand::TakeBack);
            }
        });
        if let Some(reader) = &state.settings.reader {
            let name =
                Button::new(RichText::new(format!("Reader: {reader}")).small().weak()).frame(false).truncate();
            if ui.add(name).on_hover_text("Changes the name.").clicked() {
                commands.push(Command::Cases(CasesCommand::AskName));
            }
        }
    });
}

/// Draws the state of a case at the lower right corner of its thumbnail: a ring for a draft, a tick for a case that is done,
/// a cross for a rejected one.
pub fn badge(painter: &Painter, thumbnail: Rect, state: CaseState, palette: &Palette) {
    if state == CaseState::ToDo {
        return;
    }
    let centre = thumbnail.right_bottom() - vec2(BADGE, BADGE);
    let colour = if state == CaseState::Rejected { palette.weak } else { palette.accent };
    let line = |points: &[Pos2]| {
        for ends in points.windows(2) {
            painter.line_segment([ends[0], ends[1]], Stroke::new(1.8, palette.canvas));
        }
    };
    painter.circle_filled(centre, BADGE, palette.canvas);
    let at = |x: f32, y: f32| pos2(centre.x + x, centre.y + y);
    match state {
        CaseState::Draft => {
            painter.circle_stroke(centre, BADGE - 2.0, Stroke::new(2.0, colour));
        }
        CaseState::Done => {
            painter.circle_filled(centre, BADGE - 1.0, colour);
            line(&[at(-3.0, 0.0), at(-0.8, 2.4), at(3.2, -2.4)]);
        }
        _ => {
            painter.circle_filled(centre, BADGE - 1.0, colour);
            line(&[at(-2.4, -2.4), at(2.4, 2.4)]);
            line(&[at(-2.4, 2.4), at(2.4, -2.4)]);
        }
    }
}
