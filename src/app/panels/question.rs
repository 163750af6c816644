//! The strips below the menu that ask how to place a mask on the image if their grids differ, and what a dropped file is
//! meant for.

use eframe::egui::{Frame, Label, Margin, Panel, RichText, Stroke, Ui};

use crate::app::command::{Command, TruthAnswer};
use crate::app::export::{DropAnswer, ExportCommand};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::app::theme;
use crate::engine::jobs::TruthQuestion;

/// Draws a strip for every question that is open.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if state.tab == Tab::Train {
        return;
    }
    if let Some(question) = &state.truth_question {
        placement(ui, question, "ground truth", commands, Command::AnswerTruth);
    }
    if let Some(question) = &state.export.question {
        let answer = |answer| Command::Export(ExportCommand::AnswerLabels(answer));
        placement(ui, question, "annotation", commands, answer);
    }
    if let Some(path) = &state.export.dropped {
        let title = format!("What is {} meant for?", file_name(path));
        strip(ui, "question of a dropped file", &title, "", |ui| {
            let answers = [
                (
                    "Open as annotation",
                    Some(DropAnswer::Annotation),
                    "Its labels are added to the annotation of the open image.",
                ),
                ("Open as ground truth", Some(DropAnswer::Truth), "The mask is compared with it."),
                ("Open as image", Some(DropAnswer::Image), "It is shown in place of the open image."),
                ("Do not open it", None, "Nothing changes."),
            ];
            for (name, answer, words) in answers {
                if ui.button(name).on_hover_text(words).clicked() {
                    commands.push(Command::Export(ExportCommand::AnswerDrop(answer)));
                }
            }
        });
    }
}

/// Asks how a mask is placed on the image.
fn placement(
    ui: &mut Ui,
    question: &TruthQuestion,
    what: &str,
    commands: &mut Vec<Command>,
    command: impl Fn(Option<TruthAnswer>) -> Command,
) {
    let file = question.paths.first().map(|path| file_name(path)).unwrap_or_default();
    let title = format!("How should the {what} {file} be placed on this image?");
    strip(ui, &format!("question of the {what}"), &title, &question.message, |ui| {
        let answers = [
            (question.can_resample, "Resample by position", Some(TruthAnswer::Resample)),
            (question.by_number, "Match voxels by index", Some(TruthAnswer::ByNumber)),
            (question.on_slice, "Assign to this slice", Some(TruthAnswer::OnThisSlice)),
            (true, "Do not use it", None),
        ];
        for (_, name, answer) in answers.into_iter().filter(|(is_offered, ..)| *is_offered) {
            if ui.button(name).on_hover_text(explanation(answer)).clicked() {
                commands.push(command(answer));
            }
        }
    });
}

/// Draws a strip with a title, what it is about, and the buttons of the answers.
fn strip(ui: &mut Ui, id: &str, title: &str, message: &str, answers: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui.visuals());
    let edge = Stroke::new(1.0, palette.warning);
    let frame = Frame::new().fill(palette.field).inner_margin(Margin::symmetric(10, 6)).stroke(edge);
    Panel::top(id.to_owned()).frame(frame).show(ui, |ui| {
        ui.add(Label::new(RichText::new(title).strong().color(palette.warning)).wrap());
        if !message.is_empty() {
            ui.add(Label::new(message).wrap());
        }
        ui.horizontal_wrapped(answers);
    });
}

fn explanation(answer: Option<TruthAnswer>) -> &'static str {
    match answer {
        Some(TruthAnswer::Resample) => {
            "Every pixel of the image takes the label of the mask voxel nearest to it in mm. Where the grids differ, outlines move by up \
             to half a voxel."
        }
        Some(TruthAnswer::ByNumber) => {
            "The first voxel of the mask is placed on the first voxel of the image, whatever the positions say. Choose this if a program \
             lost or changed the positions when it saved the mask."
        }
        Some(TruthAnswer::OnThisSlice) => {
            "The mask belongs to the slice that is shown now. Scores are of this slice alone."
        }
        None => "The image is shown without this ground truth.",
    }
}
