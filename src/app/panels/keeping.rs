//! What becomes of the annotation: a strip where something is to be said or asked, and the question before closing.

use eframe::egui::{Color32, Context, Id, Modal, RichText, Ui};

use super::session::strip;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::keeping::{Access, ClosingUnsaved, KeepCommand};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::app::theme;

/// Draws the strips that there are.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    changed_by_others(ui, state, commands);
    // Who only looks at the image in two windows need not know.
    let is_annotated = state.tab == Tab::Annotate || state.document.annotation.labels().next().is_some();
    if let Some(reason) = state.keeping.read_only().filter(|_| is_annotated) {
        strip(ui, "annotation that cannot be changed", |ui| {
            ui.horizontal_wrapped(|ui| {
                heading(ui, "The annotation is read-only.");
                ui.label(reason);
            });
        });
    }
    failing(ui, state, commands);
}

/// Says that changes cannot be written.
fn failing(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let open = state.keeping.failing();
    let closed = state.keeping.failing_cases();
    let Some(reason) = open.or(closed.map(|(_, reason)| reason)) else { return };
    strip(ui, "annotation that cannot be written", |ui| {
        ui.horizontal_wrapped(|ui| {
            heading(ui, "Changes of the annotation cannot be written.");
            let others = match closed {
                Some((1, _)) => " One closed image waits for it as well.".to_owned(),
                Some((count, _)) => format!(" {count} closed images wait for it as well."),
                None => String::new(),
            };
            ui.label(format!("HiMix keeps them in memory and tries again every few seconds.{others} {reason}"));
            if ui.button("Try again").clicked() {
                commands.push(Command::Keep(KeepCommand::TryAgain));
            }
        });
    });
}

/// Asks what to do with a file that another program has changed.
fn changed_by_others(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(path) = state.keeping.changed_by_others() else { return };
    strip(ui, "annotation changed by others", |ui| {
        ui.horizontal_wrapped(|ui| {
            heading(ui, "The annotation was not saved.");
            let name = file_name(path);
            ui.label(format!("Another program has changed {name} since it was opened or saved here."))
                .on_hover_text(path.display().to_string());
            let replace = ui.button("Replace it").on_hover_text(format!("Keeps their version as {name}.bak."));
            if replace.clicked() {
                commands.push(Command::Keep(KeepCommand::Replace));
            }
            if ui.button("Save under another name…").clicked() {
                commands.push(Command::Keep(KeepCommand::KeepTheirs));
                commands.push(Command::OpenDialog(DialogKind::SaveAnnotation));
            }
            if ui.button("Do not save").clicked() {
                commands.push(Command::Keep(KeepCommand::KeepTheirs));
            }
        });
    });
}

fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).strong().color(theme::palette(ui.visuals()).warning));
}

/// Draws a line that says whether the annotation is kept and saved.
pub fn line(ui: &mut Ui, state: &State) {
    let warning = theme::palette(ui.visuals()).warning;
    let (text, colour): (String, Option<Color32>) = match state.keeping.access() {
        None | Some(Access::Opening) => return,
        Some(Access::ReadOnly(_)) => ("Read-only".into(), None),
        Some(Access::Failing(_)) if state.keeping.failing().is_none() => return,
        Some(Access::Failing(_)) => ("Changes are only in memory".into(), Some(warning)),
        Some(Access::Unkept) => ("Changes are only in memory until they are saved".into(), None),
        Some(Access::Kept) => {
            let annotation = &state.document.annotation;
            let text = match state.keeping.file() {
                Some(path) if !annotation.is_dirty() => format!("Saved in {}", file_name(path)),
                Some(path) => format!("Kept; not saved in {} yet", file_name(path)),
                None if annotation.labels().next().is_none() => return,
                None => "Kept with the image; not saved in a file".into(),
            };
            (text, None)
        }
    };
    let text = RichText::new(text).small();
    ui.label(match colour {
        Some(colour) => text.color(colour),
        None => text.weak(),
    });
}

/// Asks what to do with unsaved changes when the window is about to be closed.
pub fn ask_before_closing(ctx: &Context, state: &State, commands: &mut Vec<Command>) {
    if state.keeping.closing != ClosingUnsaved::Asks {
        return;
    }
    Modal::new(Id::unique("closing unsaved")).show(ctx, |ui| {
        ui.set_max_width(420.0);
        ui.heading("Close without saving the annotation?");
        let name = state.document.image.as_ref().map_or("the image", |open| open.name.as_str());
        ui.label(if state.would_lose_changes() {
            format!("The last changes of the annotation of {name} could not be written anywhere. Closing loses them.")
        } else {
            format!(
                "The annotation of {name} has changes that are in no file of yours. HiMix keeps them and shows them when the image is opened \
                 again on this computer."
            )
        });
        ui.add_space(6.0);
        ui.horizontal_wrapped(|ui| {
            let mut button = |ui: &mut Ui, text: &str, command: KeepCommand| {
                if ui.button(text).clicked() {
                    commands.push(Command::Keep(command));
                }
            };
            if state.can_save_annotation().is_ok() {
                let is_known = state.keeping.file().is_some();
                button(ui, if is_known { "Save and close" } else { "Save and close…" }, KeepCommand::SaveAndClose);
            }
            button(ui, "Close without saving", KeepCommand::CloseAnyway);
            button(ui, "Keep open", KeepCommand::StayOpen);
        });
    });
}
