//! The charts of a run.

use eframe::egui::{Color32, RichText, Slider, Ui};

use super::chart::{self, Series, Style};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::explain;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::app::training::TrainCommand;
use crate::app::training::run::Run;
use crate::engine::run::Epoch;

/// The minimum width of a chart, in points.
const NARROW: f32 = 216.0;
const RAW: &str = "A smoothed line is an exponential moving average over the epochs before; the values themselves stay visible \
                   beneath it.";

/// Losses and scores over the epochs.
pub struct Curves;

const INFO: PaneInfo = PaneInfo {
    title: "Curves",
    help: "Losses and scores over the epochs.",
    places: &[Place::new(Tab::Train, Column::Middle, 3)],
    size: [700.0, 300.0],
    growth: 2,
    ..PaneInfo::new(Pane::new("curves"))
};

impl Panel for Curves {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.training.run.is_none().then_some("Losses and scores appear here, epoch by epoch.")
    }

    fn is_idle(&self, state: &State, _is_front: bool) -> bool {
        state.training.run.is_none()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the charts.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(run) = &state.training.run else { return };
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Smoothing").weak());
        explain(ui, RAW);
        let mut share = state.training.smoothing;
        ui.spacing_mut().slider_width = 140.0;
        let slider = Slider::new(&mut share, 0.0..=0.95).step_by(0.05).fixed_decimals(2);
        if ui.add(slider).labelled_by(label.id).changed() {
            commands.push(Command::Train(TrainCommand::Smooth(share)));
        }
    });
    let lines = &theme::palette(ui.visuals()).lines;
    let all = charts(run, lines);
    let gap = 14.0;
    let columns = ((ui.available_width() + gap) / (NARROW + gap)).floor().clamp(1.0, 4.0);
    let width = (ui.available_width() - gap * (columns - 1.0)) / columns;
    let style = Style { width: width.floor() - 1.0, smoothing: state.training.smoothing, is_share: false };
    for row in all.chunks(columns as usize) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (title, convention, series, is_share) in row {
                chart::show(ui, title, convention, series, Style { is_share: *is_share, ..style });
            }
        });
    }
}

/// The title, the convention, the lines, and whether the values are shares, 0…1.
type Chart = (String, &'static str, Vec<Series>, bool);

fn charts(run: &Run, lines: &[Color32; 4]) -> Vec<Chart> {
    let line = |name: &str, number: usize, value: &dyn Fn(&Epoch) -> Option<f64>| Series {
        name: name.to_owned(),
        colour: lines[number % lines.len()],
        points: run.epochs.iter().filter_map(|epoch| Some([epoch.number as f64, value(epoch)?])).collect(),
        is_background: false,
    };
    // The weights that the run started from are the values of epoch 0.
    let validated = |name: &str, number: usize, before: Option<f64>, value: &dyn Fn(&Epoch) -> Option<f64>| {
        let mut series = line(name, number, value);
        series.points.splice(0..0, before.map(|before| [0.0, before]));
        series
    };
    let start = run.start.as_ref();
    let steps = Series {
        name: "Every step".into(),
        colour: lines[0],
        points: run.step_losses.clone(),
        is_background: true,
    };
    let loss = vec![
        steps,
        line("Training", 0, &|epoch| Some(epoch.train_loss)),
        validated("Validation", 1, start.map(|start| start.validation_loss), &|epoch| Some(epoch.validation_loss)),
    ];
    let dice = vec![
        validated("Pooled", 0, start.map(|start| start.pooled_dice), &|epoch| Some(epoch.pooled_dice)),
        validated("Per image", 1, start.map(|start| start.per_image_dice), &|epoch| Some(epoch.per_image_dice)),
    ];
    let iou = vec![
        line("Pooled", 0, &|epoch| Some(epoch.pooled_iou)),
        line("Per image", 1, &|epoch| Some(epoch.per_image_iou)),
    ];
    let rate = vec![line("Learning rate", 0, &|epoch| Some(epoch.learning_rate))];
    let stages = run.epochs.last().map_or(0, |epoch| epoch.sigma.len());
    let sigma = (0..stages)
        .map(|stage| {
            line(&format!("Stage {}", grid(stage)), stage, &|epoch| epoch.sigma.get(stage)?.map(f64::from))
        })
        .collect();
    let mut charts = vec![
        ("Loss".to_owned(), "grey: every step of the training", loss, false),
        ("Dice".to_owned(), "validation, threshold 0.50", dice, true),
        ("IoU".to_owned(), "validation, threshold 0.50", iou, true),
        ("Learning rate".to_owned(), "", rate, false),
        ("Filter width σ".to_owned(), "frequency bins", sigma, false),
    ];
    let groups = run.epochs.last().map_or(&[][..], |epoch| &epoch.layer_weights);
    for (stage, group) in groups.iter().enumerate().filter(|(_, group)| !group.is_empty()) {
        let weights = group.iter().enumerate().map(|(place, (layer, _))| {
            let weight = |epoch: &Epoch| Some(f64::from(epoch.layer_weights.get(stage)?.get(place)?.1));
            line(&format!("Layer {layer}"), place, &weight)
        });
        charts.push((format!("Text layers, stage {}", grid(stage)), "weights", weights.collect(), true));
    }
    charts
}

/// Returns the side length of the grid of a stage in the full model; stages are counted coarse to fine.
fn grid(stage: usize) -> usize {
    7 << stage
}
