//! The batch over the worklist.

use eframe::egui::{Button, Label, RichText, TextEdit, Ui};

use super::export::codes;
use super::panel::Panel;
use super::prompt::says_no_text;
use super::stages::working::needs_model;
use super::widgets::{grouped, working_bar};
use crate::analysis::batch::BatchSummary;
use crate::analysis::export::Format;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::export::{BatchCommand, ExportCommand, PromptsOf};
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// Masks of all cases of the worklist.
pub struct Batch;

const INFO: PaneInfo = PaneInfo {
    title: "Batch",
    help: "Segments all cases of the worklist and writes their masks. What is done is skipped.",
    places: &[
        Place::new(Tab::Read, Column::Right, 0).closed(),
        Place::new(Tab::Annotate, Column::Right, 1).closed(),
    ],
    ..PaneInfo::new(Pane::BATCH)
};

impl Panel for Batch {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        if state.worklist.is_none() {
            Some("Open a folder to segment all of its cases.")
        } else {
            needs_model(state)
        }
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let form = &state.export.batch;
        let mut set = |command| commands.push(Command::Export(ExportCommand::Batch(command)));
        ui.label(RichText::new("Prompts").weak());
        let choices =
            [(PromptsOf::Cases, "Those of the cases"), (PromptsOf::Field, "The prompt below, for all cases")];
        if !says_no_text(ui, state) {
            for (of, words) in choices {
                if ui.radio(form.prompts == of, words).clicked() {
                    set(BatchCommand::Prompts(of));
                }
            }
        }
        ui.label(RichText::new("Formats").weak());
        for format in Format::ALL {
            let mut is_on = form.formats.contains(&format);
            if ui.checkbox(&mut is_on, format.title()).changed() {
                set(BatchCommand::Format(format, is_on));
            }
        }
        let coded = if form.formats.contains(&Format::DicomSeg) { codes(ui, state) } else { None };
        let mut asks = false;
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new("Masks to").weak());
            let mut out = form.out.clone();
            let width = (ui.available_width() - 84.0).max(60.0);
            if ui.add(TextEdit::singleline(&mut out).desired_width(width)).labelled_by(label.id).changed() {
                set(BatchCommand::Out(out));
            }
            asks = ui.button("Choose…").clicked();
        });
        running(ui, state, &mut set);
        commands.extend(coded);
        if asks {
            commands.push(Command::OpenDialog(DialogKind::BatchFolder));
        }
    }
}

fn running(ui: &mut Ui, state: &State, set: &mut impl FnMut(BatchCommand)) {
    let Some(work) = state.export.running.pending() else {
        let why_not = state.batch_refusal();
        let start = ui.add_enabled(why_not.is_none(), Button::new("Segment all cases"));
        if start.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            set(BatchCommand::Start);
        }
        if let Some(done) = &state.export.done {
            let BatchSummary { done: made, known, partial, failed, .. } = &done.summary;
            let lacking = lacking(*partial);
            let [made, known, failed] = [made, known, failed].map(|count| grouped(*count as u64));
            let words = format!("{made} masks made, {known} were done before,{lacking} {failed} failed.");
            ui.add(Label::new(words).wrap());
            for failure in &done.failures {
                ui.add(Label::new(RichText::new(failure).small().weak()).wrap());
            }
            let words = format!("Written to {}", done.summary.manifest.display());
            ui.add(Label::new(RichText::new(words).small().weak()).wrap());
        }
        return;
    };
    let is_cancelled = working_bar(ui, work, |progress| match progress {
        Some([done, count]) => format!("{done} of {count} masks"),
        None => "Beginning…".to_owned(),
    });
    if is_cancelled {
        set(BatchCommand::Cancel);
    }
}

/// The number of masks that were written in some of the formats only, as a part of a sentence; nothing if there is none.
fn lacking(partial: usize) -> String {
    match partial {
        0 => String::new(),
        count => format!(" {} written in some of the formats only,", grouped(count as u64)),
    }
}
