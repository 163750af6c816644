//! The panel about the network: model, device, learned filter widths and timings.

use eframe::egui::{RichText, Ui};

use super::panel::Panel;
use super::widgets::{explained_row, milliseconds, row};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::{about_warm_up, file_name};
use crate::infer::{ModelInfo, Prediction, WarmUpProgress};
use crate::text::UnknownWords;

const SIGMA: &str = "Learned width of the spectrum filter of a decoder stage; a larger σ keeps fewer high frequencies. Raw σ \
                     values cannot be compared between stages, because their grids differ in size. The Stages tab shows what \
                     each filter does (Spectrum).";
const TEMPERATURE: &str = "The network's certainty was fitted to how often it is right: logits are divided by this number before \
                           they become probabilities. Above 1 it is less certain than it was trained to be.";
const TIME: &str = "Time of this prediction. A part that was computed before is taken from the cache: “Cached”.";

/// Filter widths, timings, device and origin of the model.
pub struct Network;

const INFO: PaneInfo = PaneInfo {
    title: "Network",
    help: "Filter widths, timing, device and origin of the open model.",
    places: &[Place::new(Tab::Read, Column::Right, 1)],
    ..PaneInfo::new(Pane::new("model"))
};

impl Panel for Network {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.spacing_mut().interact_size.y = 17.0;
    ui.spacing_mut().item_spacing.y = 2.0;
    match (&state.model, state.jobs.model.pending()) {
        (Some(model), _) => about_model(ui, &model.info, state.warm_up.as_ref()),
        (None, Some(awaited)) => {
            ui.label(RichText::new(format!("Opening {}…", file_name(awaited.what.path()))).weak());
        }
        (None, None) => {
            ui.label(RichText::new("No model is open.").weak());
            if ui.button("Open model…").clicked() {
                commands.push(Command::OpenDialog(DialogKind::ModelFolder));
            }
        }
    }
    if let Some(shown) = &state.shown {
        network(ui, &shown.prediction, !state.reads_no_text());
    }
}

fn network(ui: &mut Ui, prediction: &Prediction, reads_text: bool) {
    ui.separator();
    let stages = prediction.parameters.len();
    for (place, stage) in prediction.parameters.iter().enumerate() {
        let name = format!("σ of stage {} (Layer {})", stage.grid, stages - place);
        let value = stage.sigma.map_or("Off".into(), |sigma| format!("{sigma:.2}"));
        explained_row(ui, &name, SIGMA, value);
    }
    ui.separator();
    let times = &prediction.milliseconds;
    let part = |value: f64| if value > 0.0 { milliseconds(value) } else { "Cached".into() };
    row(ui, "Time for the image", part(times.vision));
    if reads_text {
        row(ui, "Time for the text", part(times.text));
    }
    row(ui, "Time for the decoder", milliseconds(times.decoder));
    explained_row(ui, "Total time", TIME, milliseconds(times.total));
}

fn about_model(ui: &mut Ui, info: &ModelInfo, warm_up: Option<&WarmUpProgress>) {
    let size = format!("{}, {:.1} million parameters", info.name, info.parameters as f64 / 1e6);
    row(ui, "Name", info.name.as_str()).on_hover_text(size);
    row(ui, "Device", info.device.as_str()).on_hover_text(&info.device);
    if let Some(progress) = warm_up {
        let text = format!("{} %, {}", progress.percent, progress.step);
        row(ui, "GPU warming up", text).on_hover_text(about_warm_up(progress));
    }
    let origin = match (info.is_trained, info.provenance.as_str()) {
        (false, _) => "Not trained",
        (true, "") => "Not stated",
        (true, origin) => origin,
    };
    row(ui, "Trained on", origin.strip_prefix("Trained on ").unwrap_or(origin)).on_hover_text(&info.provenance);
    let unknown = match info.unknown_words {
        UnknownWords::Pieces => None,
        UnknownWords::Token => Some("One token each"),
        UnknownWords::Drop => Some("Not read"),
    };
    if let Some(unknown) = unknown {
        row(ui, "Unknown words", unknown).on_hover_text(info.unknown_words.words());
    }
    if let Some(temperature) = info.temperature {
        explained_row(ui, "Temperature", TEMPERATURE, format!("{temperature:.2}"));
    }
}
