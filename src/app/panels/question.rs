//! The strip below the menu that asks how to place a ground truth on the image if their grids differ.

use eframe::egui::{Frame, Label, Margin, Panel, RichText, Stroke, Ui};

use crate::app::command::{Command, TruthAnswer};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::app::theme;

/// Draws the strip, if there is a question.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(question) = state.truth_question.as_ref().filter(|_| state.tab != Tab::Train) else { return };
    let palette = theme::palette(ui.visuals());
    let edge = Stroke::new(1.0, palette.warning);
    let frame = Frame::new().fill(palette.field).inner_margin(Margin::symmetric(10, 6)).stroke(edge);
    Panel::top("question of the ground truth").frame(frame).show(ui, |ui| {
        let file = question.paths.first().map(|path| file_name(path)).unwrap_or_default();
        let title = format!("How should the ground truth {file} be placed on this image?");
        ui.add(Label::new(RichText::new(title).strong().color(palette.warning)).wrap());
        ui.add(Label::new(&question.message).wrap());
        ui.horizontal_wrapped(|ui| {
            let answers = [
                (question.can_resample, "Resample by position", Some(TruthAnswer::Resample)),
                (question.by_number, "Match voxels by index", Some(TruthAnswer::ByNumber)),
                (question.on_slice, "Assign to this slice", Some(TruthAnswer::OnThisSlice)),
                (true, "Do not use it", None),
            ];
            for (_, name, answer) in answers.into_iter().filter(|(is_offered, ..)| *is_offered) {
                if ui.button(name).on_hover_text(explanation(answer)).clicked() {
                    commands.push(Command::AnswerTruth(answer));
                }
            }
        });
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
