//! The numbers of a comparison of networks: scores, differences, sorted cases, cost.

use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, Ui};

use crate::analysis::comparison::{NetworkSummary, PairSummary, differences};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::networks::NetworksCommand;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{at_threshold, grouped, heading, section};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::engine::NetworksCompared;
use crate::metrics::{Interval, Spread};

/// The number of images that are listed at each end of the sorted differences.
const LISTED: usize = 12;

/// The numbers.
pub struct NetworksNumbers;

const INFO: PaneInfo = PaneInfo {
    title: "Scores of networks",
    help: "Scores, differences and cost of the compared networks.",
    places: &[Place::new(Tab::Compare, Column::Right, 0)],
    size: [400.0, 600.0],
    ..PaneInfo::new(Pane::new("networks_scores"))
};

impl Panel for NetworksNumbers {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.networks.found.is_none().then_some("The numbers appear once networks have been compared.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let Some((_, found)) = &state.networks.found else { return };
        let images = found.comparison.cases.len();
        let s = if images == 1 { "" } else { "s" };
        heading(ui, "Scores", &format!("{} image{s}, {}", grouped(images as u64), at_threshold(found.threshold)));
        let is_saving = state.networks.saving.pending().is_some();
        let save = ui.add_enabled(!is_saving, Button::new("Save tables and figure…"));
        let words = "Tables as Markdown, CSV and LaTeX, and the cases of the grid as SVG and PNG, into a folder.";
        if save.on_hover_text(words).clicked() {
            commands.push(Command::OpenDialog(DialogKind::SaveNetworks));
        }
        scores(ui, &found.report.summaries);
        cost(ui, &found.report.summaries);
        pairs(ui, state, found, commands);
        for note in &found.report.notes {
            ui.add(Label::new(RichText::new(note).small().weak()).wrap());
        }
    }
}

/// Draws a table whose first line has the names of its columns.
fn table(ui: &mut Ui, name: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    ScrollArea::horizontal().id_salt(name).show(ui, |ui| {
        Grid::new(name).striped(true).spacing([10.0, 3.0]).show(ui, |ui| {
            heads.iter().for_each(|head| drop(ui.label(RichText::new(*head).small().weak())));
            ui.end_row();
            for row in rows {
                row.into_iter().for_each(|cell| drop(ui.label(cell)));
                ui.end_row();
            }
        });
    });
}

fn dash() -> String {
    "–".to_owned()
}

fn scores(ui: &mut Ui, summaries: &[NetworkSummary]) {
    let heads = ["", "Dice pooled", "Dice per image", "IoU pooled", "IoU per image", "HD95 per image", "Empty"];
    let spread = |Spread { mean, std, .. }: &Spread| match mean.is_finite() {
        true => format!("{mean:.3} ± {std:.3}"),
        false => dash(),
    };
    let pooled = |score: f64, interval: &Option<Interval>| match interval {
        Some(Interval { low, high, .. }) => format!("{score:.3} ({low:.3} to {high:.3})"),
        None => dash(),
    };
    let row = |summary: &NetworkSummary| {
        let hd95 = &summary.hd95;
        vec![
            summary.name.clone(),
            pooled(summary.pooled.dice(), &summary.pooled_interval[0]),
            spread(&summary.per_image[0]),
            pooled(summary.pooled.iou(), &summary.pooled_interval[1]),
            spread(&summary.per_image[1]),
            if hd95.mean.is_finite() { format!("{:.1} ± {:.1} px", hd95.mean, hd95.std) } else { dash() },
            if summary.images > 0 { summary.empty.to_string() } else { dash() },
        ]
    };
    table(ui, "scores of networks", &heads, summaries.iter().map(row));
}

fn cost(ui: &mut Ui, summaries: &[NetworkSummary]) {
    section(ui, "Cost", "one image");
    let row = |summary: &NetworkSummary| {
        let cost = &summary.cost;
        vec![
            summary.name.clone(),
            cost.parameters.map_or_else(dash, |count| format!("{:.1} M", count as f64 / 1e6)),
            cost.gflop.map_or_else(dash, |gflop| format!("{gflop:.1}")),
            cost.milliseconds.map_or_else(dash, |time| format!("{time:.0} ms")),
            cost.device.clone().unwrap_or_else(dash),
        ]
    };
    table(ui, "cost of networks", &["", "Parameters", "GFLOP", "Time", "Device"], summaries.iter().map(row));
}

fn pairs(ui: &mut Ui, state: &State, found: &NetworksCompared, commands: &mut Vec<Command>) {
    let networks = &state.networks;
    let Some(shown) = found.report.pairs.get(networks.pair) else { return };
    section(ui, "Differences", "Dice");
    let name = |pair: &PairSummary| {
        let [first, second] = pair.networks.map(|number| found.report.summaries[number].name.as_str());
        format!("{second} less {first}")
    };
    let heads = ["", "Pooled", "Per image", "Better, worse", "p"];
    let interval =
        |Interval { estimate, low, high, .. }: &Interval| format!("{estimate:+.3} ({low:+.3} to {high:+.3})");
    let row = |pair: &PairSummary| {
        let [better, worse] = pair.better_worse;
        let p = if pair.p_holm < 0.001 { "< 0.001".to_owned() } else { format!("{:.3}", pair.p_holm) };
        vec![
            name(pair),
            interval(&pair.pooled_dice),
            interval(&pair.dice_per_image),
            format!("{better}, {worse}"),
            p,
        ]
    };
    table(ui, "differences of networks", &heads, found.report.pairs.iter().map(row));
    section(ui, "Sorted cases", "difference of Dice, per image");
    if found.report.pairs.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for (place, pair) in found.report.pairs.iter().enumerate() {
                if ui.selectable_label(place == networks.pair, name(pair)).clicked() {
                    commands.push(Command::Networks(NetworksCommand::Pair(place)));
                }
            }
        });
    }
    let sorted = differences(&found.comparison, shown.networks);
    let count = sorted.len();
    for (place, one) in sorted.iter().enumerate() {
        if place == LISTED && count > 2 * LISTED {
            ui.label(
                RichText::new(format!("… {} cases between them …", grouped((count - 2 * LISTED) as u64))).weak(),
            );
        }
        if count > 2 * LISTED && (LISTED..count - LISTED).contains(&place) {
            continue;
        }
        let case = &found.comparison.cases[one.case].name;
        let words = format!("{:+.3}: {:.3} and {:.3}, {case}", one.difference(), one.dice[0], one.dice[1]);
        let mut is_shown = networks.rows.contains(&one.case);
        if ui.checkbox(&mut is_shown, words).on_hover_text("Show the case in the grid").changed() {
            commands.push(Command::Networks(NetworksCommand::Show(one.case, is_shown)));
        }
    }
}
