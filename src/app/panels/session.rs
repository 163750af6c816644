//! The strips below the menu about sessions: one that was left behind, and files that the open one lacks.

use std::time::Duration;

use eframe::egui::{Frame, Label, Margin, Panel, RichText, Stroke, Ui};

use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::session_file::SessionCommand;
use crate::app::state::State;
use crate::app::text::file_name;
use crate::app::theme;
use crate::engine::session::{Lost, Part};

/// The extensions of model files, which are no folders.
const WEIGHTS: [&str; 2] = ["safetensors", "ckpt"];

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
        let title = "HiMix was not closed properly the last time.";
        ui.add(Label::new(RichText::new(title).strong().color(palette.warning)).wrap());
        ui.horizontal_wrapped(|ui| {
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
        let palette = theme::palette(ui.visuals());
        for lost in lost {
            let name = file_name(&lost.path);
            let title = format!("The {} of the session is not there: {name}", lost.part.name());
            ui.add(Label::new(RichText::new(title).strong().color(palette.warning)).wrap());
            ui.add(Label::new(words(state, lost)).wrap());
            ui.horizontal_wrapped(|ui| {
                if ui.button(format!("Find {name}…")).clicked() {
                    commands.push(Command::OpenDialog(dialog(lost)));
                }
                let leave = ui.button(format!("Leave out the {}", lost.part.name()));
                if leave.on_hover_text("The rest of the session stays open.").clicked() {
                    commands.push(Command::Session(SessionCommand::LeaveOut(lost.part)));
                }
            });
        }
    });
}

/// Says where the file was, and what cannot be shown without it.
fn words(state: &State, lost: &Lost) -> String {
    let place = lost.path.display();
    let mut words = match lost.count {
        1 => format!("It was {place}."),
        count => format!("{count} of its files are not there, the first of them {place}."),
    };
    words += " Find it, or drop it on the window; what lies beside it is then found as well.";
    let waiting = state.variants.pins.iter().filter(|pin| pin.spec.is_compared).count();
    if lost.part == Part::SecondModel && waiting > 0 {
        words += " Pins of this model stay without a mask until then.";
    }
    words
}

fn dialog(lost: &Lost) -> DialogKind {
    let is_model = matches!(lost.part, Part::Model | Part::SecondModel);
    let ending = lost.path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let is_file = ending.is_some_and(|ending| WEIGHTS.contains(&ending.as_str()));
    if is_model && !is_file { DialogKind::FindFolder(lost.part) } else { DialogKind::FindFile(lost.part) }
}

fn strip(ui: &mut Ui, name: &'static str, content: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui.visuals());
    let edge = Stroke::new(1.0, palette.warning);
    let frame = Frame::new().fill(palette.field).inner_margin(Margin::symmetric(10, 6)).stroke(edge);
    Panel::top(name).frame(frame).show(ui, content);
}
