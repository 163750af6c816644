//! The masks of the stages as numbers, from the coarsest to the final one.

use eframe::egui::{Grid, RichText, Ui};

use super::toolbar::offer_to_fit;
use super::working::{needs_model, working};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{explain, heading, per_image};
use crate::app::stages::InspectionState;
use crate::app::state::State;
use crate::app::tab::Tab;

/// The masks of the stages as numbers.
pub struct Numbers;

const INFO: PaneInfo = PaneInfo {
    title: "Numbers",
    help: "The masks of the stages as numbers.",
    places: &[Place::new(Tab::Stages, Column::Right, 0)],
    size: [340.0, 400.0],
    ..PaneInfo::new(Pane::NUMBERS)
};

impl Panel for Numbers {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        needs_model(state)
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        working(ui, state, commands);
        show(ui, state, commands);
    }
}

/// The minimum width of a column, which aligns the columns of two models, in points.
const COLUMN: f32 = 34.0;

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let convention = per_image(state.settings.threshold);
    heading(ui, "Refinement", &convention);
    ui.push_id("open model", |ui| {
        ui.horizontal_wrapped(|ui| offer_to_fit(ui, state, false, commands));
        numbers(ui, &state.stages.look);
    });
    if let Some(other) = state.other() {
        ui.separator();
        heading(ui, &format!("Refinement of {}", other.name), &convention);
        ui.push_id("other model", |ui| {
            ui.horizontal_wrapped(|ui| offer_to_fit(ui, state, true, commands));
            numbers(ui, &state.stages.other);
        });
    }
}

fn numbers(ui: &mut Ui, look: &InspectionState) {
    let Some((of, steps)) = &look.refinement.steps else {
        ui.label(RichText::new("The numbers appear in a moment.").weak());
        return;
    };
    let is_old = look.seen.as_ref().is_some_and(|seen| seen.ticket != *of);
    let number =
        |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |value| format!("{value:.digits$}"));
    let header = |ui: &mut Ui, names: &[&str]| {
        for name in names {
            ui.label(RichText::new(*name).small().weak());
        }
        ui.end_row();
    };
    let unit = steps.first().map_or_else(String::new, |step| step.unit.words());
    ui.add_enabled_ui(!is_old, |ui| {
        if steps.iter().any(|step| step.counts.is_some()) {
            ui.add_space(4.0);
            ui.label(RichText::new("Against the ground truth").strong());
            Grid::new("against the truth").striped(true).min_col_width(COLUMN).spacing([7.0, 3.0]).show(ui, |ui| {
                header(ui, &["", "Dice", "IoU", &format!("HD95 {unit}"), "TP", "FP", "FN"]);
                for step in steps {
                    let Some(counts) = &step.counts else { continue };
                    ui.label(&step.name);
                    ui.label(format!("{:.3}", counts.dice()));
                    ui.label(format!("{:.3}", counts.iou()));
                    ui.label(number(step.truth_hd95, 1));
                    let share = |count: u64| {
                        let all = counts.true_positive + counts.false_positive + counts.false_negative + counts.true_negative;
                        format!("{:.1}", 100.0 * count as f64 / all.max(1) as f64)
                    };
                    ui.label(share(counts.true_positive));
                    ui.label(share(counts.false_positive));
                    ui.label(share(counts.false_negative));
                    ui.end_row();
                }
            });
            ui.label(RichText::new("TP, FP, FN: true positive, false positive, false negative, in % of the image.").small().weak());
        } else {
            ui.label(RichText::new("Without a ground truth there are no scores. Open one in the Read tab.").small().weak());
        }
        ui.add_space(8.0);
        ui.label(RichText::new("From stage to stage").strong());
        Grid::new("from stage to stage").striped(true).min_col_width(COLUMN).spacing([7.0, 3.0]).show(ui, |ui| {
            header(
                ui,
                &["", "Dice with\nstage before", &format!("HD95 to\nit, {unit}"), "Fine\nshare, %", "Area,\n%"],
            );
            for step in steps {
                ui.label(&step.name);
                ui.label(number(step.dice_with_before, 3));
                ui.label(number(step.hd95_to_before, 1));
                ui.label(format!("{:.1}", 100.0 * step.high_share));
                ui.label(format!("{:.1}", 100.0 * step.area));
                ui.end_row();
            }
        });
        ui.horizontal(|ui| {
            ui.label(RichText::new("Fine share").small().weak());
            explain(
                ui,
                "Share of the probability map's power, its mean left out, that lies beyond half of the highest frequency that the coarsest stage's map can hold.",
            );
        });
    });
}
