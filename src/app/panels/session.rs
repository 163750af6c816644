//! The strips below the menu about sessions: one that was left behind, and files that the open one lacks.

use std::time::Duration;

use eframe::egui::{Frame, Margin, Panel, RichText, Stroke, Ui};

use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::session_file::SessionCommand;
use crate::app::state::State;
use crate::app::text::{file_name, middle};
use crate::app::theme;
use crate::engine::session::{Lost, Part};

/// The extensions of model files, which are no folders.
const WEIGHTS: [&str; 2] = ["safetensors", "ckpt"];
/// The maximum number of letters of a file name on a button.
const LETTERS: f32 = 48.0;
/// Work that takes longer than this is shown.
const LONG: Duration = Duration::from_millis(400);

/// Draws the strips that there are.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    progress(ui, state, commands);
    left_behind(ui, state, commands);
    lost(ui, state, commands);
}

/// Says how far the files of a session are compared, if that takes long.
fn progress(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some((since, progress)) = state.sessions.progress() else { return };
    if since.elapsed() < LONG {
        return ui.ctx().request_repaint_after(LONG);
    }
    let share = progress.map(|(done, count)| format!(" {} %", 100 * done.min(count) / count.max(1)));
    strip(ui, "session being opened", |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(format!(
                "Comparing the files of the session with what they were…{}",
                share.unwrap_or_default()
            ));
            if ui.button("Cancel").clicked() {
                commands.push(Command::Session(SessionCommand::Cancel));
            }
        });
    });
}

/// Offers a session that was left behind.
fn left_behind(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(about) = state.sessions.left_behind() else { return };
    let is_opening = state.sessions.opening.pending().is_some();
    strip(ui, "session left behind", |ui| {
        let palette = theme::palette(ui.visuals());
        ui.horizontal_wrapped(|ui| {
            let title = "HiMix was not closed properly the last time.";
            ui.label(RichText::new(title).strong().color(palette.warning));
            ui.label(format!("What was open can be restored: {about}."));
            ui.add_enabled_ui(!is_opening, |ui| {
                let restore =
                    ui.button("Restore").on_hover_text("Opens what was open, in place of what is open now.");
                if restore.clicked() {
                    commands.push(Command::Session(SessionCommand::Restore));
                }
                let discard = ui
                    .button("Discard")
                    .on_hover_text("Deletes the record of what was open. No image is deleted.");
                if discard.clicked() {
                    commands.push(Command::Session(SessionCommand::Discard));
                }
            });
        });
    });
}

/// Asks for the files that the open session lacks.
fn lost(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let lost = state.sessions.lost();
    if lost.is_empty() {
        return;
    }
    strip(ui, "files that the session lacks", |ui| {
        for lost in lost {
            ui.horizontal_wrapped(|ui| part(ui, state, lost, commands));
        }
        let words = "A file can also be dropped on the window. What lies beside it is then found as well.";
        ui.label(RichText::new(words).weak());
    });
}

/// Asks for the files of one part.
fn part(ui: &mut Ui, state: &State, lost: &Lost, commands: &mut Vec<Command>) {
    let name = middle(&file_name(&lost.path), LETTERS, |_| 1.0);
    let more = match lost.count {
        1 => String::new(),
        count => format!(" and {} more files", count - 1),
    };
    let title = format!("The {} of the session is not there: {name}{more}", lost.part.name());
    let title = RichText::new(title).strong().color(theme::palette(ui.visuals()).warning);
    ui.label(title).on_hover_text(format!("It was {}.", lost.path.display()));
    if ui.button(format!("Find {name}…")).clicked() {
        commands.push(Command::OpenDialog(dialog(lost)));
    }
    let leave = ui.button(format!("Leave out the {}", lost.part.name()));
    if leave.on_hover_text("The rest of the session stays open.").clicked() {
        commands.push(Command::Session(SessionCommand::LeaveOut(lost.part)));
    }
    let waits = lost.part == Part::SecondModel && state.variants.pins.iter().any(|pin| pin.spec.is_compared);
    if waits {
        ui.label(RichText::new("Pins of this model stay without a mask until then.").weak());
    }
}

fn dialog(lost: &Lost) -> DialogKind {
    let is_model = matches!(lost.part, Part::Model | Part::SecondModel);
    let ending = lost.path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let is_file = ending.is_some_and(|ending| WEIGHTS.contains(&ending.as_str()));
    if is_model && !is_file { DialogKind::FindFolder(lost.part) } else { DialogKind::FindFile(lost.part) }
}

pub fn strip(ui: &mut Ui, name: &'static str, content: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui.visuals());
    let edge = Stroke::new(1.0, palette.warning);
    let frame = Frame::new().fill(palette.field).inner_margin(Margin::symmetric(10, 6)).stroke(edge);
    Panel::top(name).frame(frame).show(ui, content);
}
