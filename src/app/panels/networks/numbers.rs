//! The numbers of a comparison of networks: scores, differences, sorted cases, cost.

use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, Ui};

use crate::analysis::comparison::{NetworkSummary, PairSummary, differences};
use crate::analysis::number::{probability, signed};
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
/// The space between the columns of a table, and the least and greatest width of the names of its rows, in points.
const GAP: f32 = 8.0;
const NAME: [f32; 2] = [64.0, 160.0];

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

/// A row of a table: its name, and for each column a number with what stands below it in small letters.
struct Row {
    name: String,
    cells: Vec<[String; 2]>,
}

/// Draws a table. `columns` are the names and widths of its columns; the names of the rows have what is left of the width of
/// the panel. What is wider than its column goes on in the next line, so that the table is no wider than the panel.
fn table(ui: &mut Ui, name: &str, columns: &[(&str, f32)], rows: impl Iterator<Item = Row>) {
    let taken: f32 = columns.iter().map(|(_, width)| width + GAP).sum();
    let names = (ui.available_width() - taken).clamp(NAME[0], NAME[1]);
    let cell = |ui: &mut Ui, width: f32, [number, below]: [String; 2]| {
        ui.vertical(|ui| {
            ui.set_max_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            if !number.is_empty() {
                // A single word would be broken anywhere; it is cut, and whole under the pointer.
                let is_word = !number.contains(' ');
                let label = Label::new(number);
                ui.add(if is_word { label.truncate() } else { label.wrap() });
            }
            if !below.is_empty() {
                ui.add(Label::new(RichText::new(below).small().weak()).wrap());
            }
        });
    };
    // A column of the narrowest panels is wider than the panel.
    ScrollArea::horizontal().id_salt(name).show(ui, |ui| {
        Grid::new(name).striped(true).spacing([GAP, 3.0]).min_col_width(0.0).show(ui, |ui| {
            ui.label("");
            columns.iter().for_each(|(head, width)| cell(ui, *width, [String::new(), (*head).to_owned()]));
            ui.end_row();
            for Row { name, cells } in rows {
                cell(ui, names, [name, String::new()]);
                cells.into_iter().zip(columns).for_each(|(words, (_, width))| cell(ui, *width, words));
                ui.end_row();
            }
        });
    });
}

/// A number with nothing below it.
fn plain(number: impl Into<String>) -> [String; 2] {
    [number.into(), String::new()]
}

fn dash() -> [String; 2] {
    plain("–")
}

fn scores(ui: &mut Ui, summaries: &[NetworkSummary]) {
    let spread = |Spread { mean, std, .. }: &Spread| match mean.is_finite() {
        true => [format!("{mean:.3}"), format!("± {std:.3}")],
        false => dash(),
    };
    let pooled = |score: f64, interval: &Option<Interval>| match interval {
        Some(Interval { low, high, .. }) => [format!("{score:.3}"), format!("{low:.3} to {high:.3}")],
        None => dash(),
    };
    let row = |summary: &NetworkSummary| {
        let hd95 = &summary.hd95;
        let cells = vec![
            pooled(summary.pooled.dice(), &summary.pooled_interval[0]),
            spread(&summary.per_image[0]),
            match hd95.mean.is_finite() {
                true => [format!("{:.1} px", hd95.mean), format!("± {:.1}", hd95.std)],
                false => dash(),
            },
            if summary.images > 0 { plain(summary.empty.to_string()) } else { dash() },
        ];
        Row { name: summary.name.clone(), cells }
    };
    let columns = [("Dice pooled", 92.0), ("Dice per image", 56.0), ("HD95 per image", 60.0), ("Empty", 40.0)];
    table(ui, "scores of networks", &columns, summaries.iter().map(row));
    let row = |summary: &NetworkSummary| {
        let cells = vec![pooled(summary.pooled.iou(), &summary.pooled_interval[1]), spread(&summary.per_image[1])];
        Row { name: summary.name.clone(), cells }
    };
    let columns = [("IoU pooled", 92.0), ("IoU per image", 56.0)];
    table(ui, "IoU of networks", &columns, summaries.iter().map(row));
}

fn cost(ui: &mut Ui, summaries: &[NetworkSummary]) {
    section(ui, "Cost", "one image");
    let row = |summary: &NetworkSummary| {
        let cost = &summary.cost;
        let cells = vec![
            cost.parameters.map_or_else(dash, |count| plain(format!("{:.1} M", count as f64 / 1e6))),
            cost.gflop.map_or_else(dash, |gflop| plain(format!("{gflop:.1}"))),
            cost.milliseconds.map_or_else(dash, |time| plain(format!("{time:.0} ms"))),
            cost.device.clone().map_or_else(dash, plain),
        ];
        Row { name: summary.name.clone(), cells }
    };
    let columns = [("Parameters", 68.0), ("GFLOP", 48.0), ("Time", 56.0), ("Device", 76.0)];
    table(ui, "cost of networks", &columns, summaries.iter().map(row));
}

fn pairs(ui: &mut Ui, state: &State, found: &NetworksCompared, commands: &mut Vec<Command>) {
    let networks = &state.networks;
    let Some(shown) = found.report.pairs.get(networks.pair) else { return };
    section(ui, "Differences", "Dice");
    let name = |pair: &PairSummary| {
        let [first, second] = pair.networks.map(|number| found.report.summaries[number].name.as_str());
        format!("{second} less {first}")
    };
    let interval = |Interval { estimate, low, high, .. }: &Interval| {
        [signed(*estimate, 3), format!("{} to {}", signed(*low, 3), signed(*high, 3))]
    };
    let row = |pair: &PairSummary| {
        let [better, worse] = pair.better_worse;
        let cells = vec![
            interval(&pair.pooled_dice),
            interval(&pair.dice_per_image),
            plain(format!("{better}, {worse}")),
            plain(probability(pair.p_holm)),
        ];
        Row { name: name(pair), cells }
    };
    let columns = [("Pooled", 66.0), ("Per image", 66.0), ("Better, worse", 52.0), ("p", 54.0)];
    table(ui, "differences of networks", &columns, found.report.pairs.iter().map(row));
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
        let [first, second] = one.dice;
        let words = format!("{}: {first:.3} and {second:.3}, {case}", signed(one.difference(), 3));
        let mut is_shown = networks.rows.contains(&one.case);
        if ui.checkbox(&mut is_shown, words).on_hover_text("Show the case in the grid").changed() {
            commands.push(Command::Networks(NetworksCommand::Show(one.case, is_shown)));
        }
    }
}
