//! Manual overrides of decoder parameters.

use eframe::egui::{Button, ComboBox, Id, Label, RichText, Ui};

use super::BUSY;
use super::parameter::{push_override, slider};
use super::working::{needs_model, working};
use crate::app::actions;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{per_image, row, section};
use crate::app::stages::StagesCommand;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::foreground;
use crate::engine::{ThresholdCounts, threshold_step};
use crate::infer::{Overrides, Parameter, Plane, changes};
use crate::metrics::Confusion;

const BETAS: [(&str, &str); 3] = [
    (
        "β₁ cross att.",
        "Scale of the residual branch of the cross attention, in which the image asks and the text answers.",
    ),
    ("β₂ self att.", "Scale of the residual branch of the self attention."),
    ("β₃ MLP", "Scale of the residual branch of the MLP."),
];

/// The decoder parameters, for manual overrides.
pub struct WhatIf;

const INFO: PaneInfo = PaneInfo {
    title: "What if",
    help: "Parameters of the decoder, to be overridden by hand.",
    places: &[Place::new(Tab::Stages, Column::Right, 0)],
    size: [340.0, 400.0],
    ..PaneInfo::new(Pane::new("what_if"))
};

impl Panel for WhatIf {
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

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(model) = &state.model else { return };
    let own = &model.info.overrides;
    let overrides = state.stages.overrides.as_ref().unwrap_or(own);
    if own.is_nothing() {
        ui.label(RichText::new("This model has no parameters to override.").weak());
        return;
    }
    buttons(ui, state, commands);
    effect(ui, state, own, overrides);
    for (stage, of) in overrides.stages.iter().enumerate() {
        section(ui, &format!("Stage {}", of.grid), "");
        stage_overrides(ui, overrides, own, stage, commands);
    }
    if overrides.groups.is_empty() {
        return;
    }
    section(ui, "Layer weights", "values before the softmax");
    for group in 0..overrides.groups.len() {
        group_overrides(ui, overrides, own, group, commands);
    }
}

fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let is_modified = state.stages.overrides.is_some();
    ui.horizontal_wrapped(|ui| {
        let mut button = |ui: &mut Ui, is_on: bool, name: &str, [hint, why_not]: [&str; 2], command: Command| {
            let response = ui.add_enabled(is_on, Button::new(name)).on_hover_text(hint);
            if response.on_disabled_hover_text(why_not).clicked() {
                commands.push(command);
            }
        };
        let original = "Every parameter has its original value";
        let stages = Command::Stages;
        button(ui, is_modified, "Reset", ["Restores all original values", original], stages(StagesCommand::Reset));
        for (id, name) in [(actions::UNDO, "Undo"), (actions::REDO, "Redo")] {
            let Some(action) = actions::find(id) else { continue };
            let title = format!("{} ({})", action.title(state), state.settings.keys.label(action));
            let given = action.given(state);
            let hint = [title.as_str(), given.as_ref().err().copied().unwrap_or_default()];
            button(ui, given.is_ok(), name, hint, given.unwrap_or(Command::Undo));
        }
        let can_save = is_modified && state.stages.work.pending().is_none();
        let hint = [
            "Saves the model with these values in a folder of its own",
            if is_modified { BUSY } else { original },
        ];
        button(ui, can_save, "Save as a new bundle…", hint, Command::OpenDialog(DialogKind::SaveModified));
    });
}

/// Draws the effect of the overrides on the mask. Its height is the same without overrides, because a slider must
/// not move away from the pointer that holds it.
fn effect(ui: &mut Ui, state: &State, own: &Overrides, overrides: &Overrides) {
    let seen = state.stages.look.seen.as_ref().filter(|seen| seen.overrides.is_some() && own != overrides);
    let words = match seen {
        Some(_) => format!("Modified: {}.", changes(own, overrides)),
        None => "Original. Change a parameter: the mask is updated at once.".to_owned(),
    };
    ui.add(Label::new(RichText::new(&words).small().weak()).truncate()).on_hover_text(&words);
    let threshold = state.settings.threshold;
    let pair = seen.zip(state.shown.as_ref());
    let between = pair.map(|(seen, shown)| {
        let of = (seen.ticket, shown.ticket, threshold_step(threshold));
        // The score is computed once and cached, not in every frame.
        let id = Id::unique("dice with the original mask");
        if let Some((_, dice)) =
            ui.data(|data| data.get_temp::<((u64, u64, usize), f64)>(id)).filter(|(known, _)| *known == of)
        {
            return dice;
        }
        let mask = |plane: &Plane| foreground(&plane.values, threshold);
        let modified = mask(&seen.inspection.prediction.probability_model);
        let dice = Confusion::of(&modified, &mask(&shown.prediction.probability_model)).dice();
        ui.data_mut(|data| data.insert_temp(id, (of, dice)));
        dice
    });
    row(ui, "Dice with the original mask", between.map_or("–".into(), |dice| format!("{dice:.3}")))
        .on_hover_text("At the size of the network's output, of this image.");
    let area = pair.map(|(seen, shown)| {
        let share = |table: &ThresholdCounts| 100.0 * table.foreground_fraction(threshold);
        format!("{:.1} % to {:.1} %", share(&shown.counts.table), share(&seen.counts.table))
    });
    row(ui, "Area", area.unwrap_or_else(|| "–".into()));
    let dice = pair.and_then(|(seen, shown)| {
        let dice = |table: &ThresholdCounts| Some(table.confusion(threshold)?.dice());
        Some(format!("{:.3} to {:.3}", dice(&shown.counts.table)?, dice(&seen.counts.table)?))
    });
    row(ui, &format!("Dice ({})", per_image(threshold)), dice.unwrap_or_else(|| "–".into()));
}

fn stage_overrides(
    ui: &mut Ui,
    overrides: &Overrides,
    own: &Overrides,
    stage: usize,
    commands: &mut Vec<Command>,
) {
    let of = &overrides.stages[stage];
    ui.push_id(("stage", stage), |ui| {
        match of.sigma {
            None if of.betas.is_some() => {
                ui.label(RichText::new("This stage has no spectrum filter.").small().weak());
            }
            None if overrides.groups.is_empty() || !overrides.layer_weights()[stage].is_empty() => {
                ui.label(RichText::new("This stage has no filter and no scales to change.").small().weak());
            }
            None => {
                ui.label(RichText::new("This stage reads no text and has no guide block.").small().weak());
            }
            Some(_) => {
                ui.horizontal(|ui| {
                    let mut is_filtered = of.is_filtered;
                    let words = "When off, the input of the stage is not filtered.";
                    let response = ui.checkbox(&mut is_filtered, format!("Spectrum filter of stage {}", of.grid));
                    if response.on_hover_text(words).changed() {
                        let mut overrides = overrides.clone();
                        overrides.stages[stage].is_filtered = is_filtered;
                        commands.push(Command::Stages(StagesCommand::Override(Box::new(overrides), false)));
                    }
                });
                let words =
                    "Width of the filter in frequency bins. It cannot be compared between stages: see Spectrum.";
                ui.add_enabled_ui(of.is_filtered, |ui| {
                    slider(ui, overrides, own, Parameter::Sigma(stage), ("σ", words), 0.1..=50.0, commands);
                });
            }
        }
        for (which, names) in BETAS.into_iter().enumerate() {
            slider(ui, overrides, own, Parameter::Beta(stage, which), names, -3.0..=5.0, commands);
        }
        feeding(ui, overrides, stage, commands);
    });
}

/// Draws the choice of the group that feeds a stage; the stage that it fed before takes the other group.
fn feeding(ui: &mut Ui, overrides: &Overrides, stage: usize, commands: &mut Vec<Command>) {
    let Some(&number) = overrides.order.get(stage) else { return };
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Text from").weak());
        let name = |number: usize| format!("G{number}");
        let combo = ComboBox::from_id_salt("group").width(56.0).selected_text(name(number));
        combo
            .show_ui(ui, |ui| {
                for other in 1..=overrides.groups.len() {
                    let response = ui.selectable_label(other == number, name(other));
                    if response.clicked() && other != number {
                        let mut overrides = overrides.clone();
                        if let Some(place) = overrides.order.iter().position(|of| *of == other) {
                            overrides.order.swap(stage, place);
                        }
                        push_override(&response, overrides, commands);
                    }
                }
            })
            .response
            .labelled_by(label.id);
        let mut is_used = overrides.groups[number - 1].is_used;
        let words = "When off, the stage that the group feeds runs without its guide block.";
        let response = ui.checkbox(&mut is_used, format!("Text of G{number}")).on_hover_text(words);
        if response.changed() {
            let mut overrides = overrides.clone();
            overrides.groups[number - 1].is_used = is_used;
            push_override(&response, overrides, commands);
        }
    });
}

fn group_overrides(
    ui: &mut Ui,
    overrides: &Overrides,
    own: &Overrides,
    group: usize,
    commands: &mut Vec<Command>,
) {
    let of = &overrides.groups[group];
    let stage = overrides.order.iter().position(|number| *number == group + 1);
    let grid = stage
        .and_then(|stage| overrides.stages.get(stage))
        .map_or(String::new(), |stage| format!(", feeds stage {}", stage.grid));
    ui.label(RichText::new(format!("G{}{grid}", group + 1)).strong());
    if of.alpha.is_none() {
        ui.label(RichText::new("The layers of this group have equal, fixed weights.").small().weak());
        return;
    }
    ui.push_id(("group", group), |ui| {
        for (index, layer) in of.layers.iter().enumerate() {
            let name = format!("Layer {layer}");
            slider(ui, overrides, own, Parameter::Layer(group, index), (&name, ""), -4.0..=6.0, commands);
        }
    });
    let weights: Vec<String> = of.weights().iter().map(|weight| format!("{weight:.3}")).collect();
    ui.label(RichText::new(format!("Weights {}", weights.join(", "))).small().weak());
}
