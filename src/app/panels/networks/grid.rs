//! The masks of all networks, in the arrangement of figures 5 and 6 of the paper: a row for each case.

use eframe::egui::{self, ColorImage, Label, RichText, ScrollArea, TextureOptions, Ui, vec2};

use crate::app::command::Command;
use crate::app::networks::{Cell, Networks, NetworksCommand};
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::{Around, Panel};
use crate::app::panels::widgets::{at_threshold, swatch};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::data::Outcome;
use crate::engine::NetworksCompared;
use crate::infer::comparison::CaseOrigin;

/// The smallest and the largest width of a picture, in points.
const WIDTH: [f32; 2] = [96.0, 240.0];
/// The gap between two pictures, in points.
const GAP: f32 = 6.0;

/// The grid.
pub struct NetworksGrid;

const INFO: PaneInfo = PaneInfo {
    title: "Masks of networks",
    help: "The masks of all compared networks, a row for each case, as in figures 5 and 6 of the paper.",
    places: &[Place::new(Tab::Compare, Column::Middle, 0)],
    growth: 2,
    is_hero: true,
    ..PaneInfo::new(Pane::new("networks_grid"))
};

impl Panel for NetworksGrid {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let words = "Choose two networks or more at the left, and the cases, to see their masks side by side.";
        state.networks.found.is_none().then_some(words)
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let Some((_, found)) = state.networks.found.clone() else { return };
        legend(ui, state, &found);
        let threshold = found.threshold;
        ui.label(RichText::new(format!("Scores are of each image, {}.", at_threshold(threshold))).small().weak());
        ScrollArea::both().id_salt("masks of networks").auto_shrink(false).show(ui, |ui| {
            rows(ui, &mut state.networks, &found, commands);
        });
    }
}

/// Draws the colours of the masks.
fn legend(ui: &mut Ui, state: &State, found: &NetworksCompared) {
    let colours = state.settings.colours.overlay();
    let has_truth = found.report.summaries.iter().any(|summary| summary.images > 0);
    let outcomes: &[Outcome] = if has_truth { &Outcome::COMPARED } else { &[Outcome::Mask] };
    ui.horizontal_wrapped(|ui| {
        for outcome in outcomes {
            swatch(ui, theme::colour(colours.colour(*outcome)));
            ui.label(RichText::new(outcome.title()).small());
        }
    });
}

fn rows(ui: &mut Ui, networks: &mut Networks, found: &NetworksCompared, commands: &mut Vec<Command>) {
    let columns = found.comparison.networks.len() + 2;
    let width = ((ui.available_width() - GAP * columns as f32) / columns as f32).clamp(WIDTH[0], WIDTH[1]);
    if networks.cells.is_empty() {
        ui.label(RichText::new("The masks appear in a moment.").weak());
    }
    for row in &mut networks.cells {
        let Some(case) = found.comparison.cases.get(row.case) else { continue };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&case.name).strong());
            if let CaseOrigin::Pair(sample, _) = &case.origin
                && ui.link("Open").on_hover_text(format!("Open {}", case.name)).clicked()
            {
                commands.push(Command::OpenPaths(vec![sample.image.clone()]));
            }
            if ui.link("Hide").on_hover_text(format!("Take {} out of the grid", case.name)).clicked() {
                commands.push(Command::Networks(NetworksCommand::Show(row.case, false)));
            }
        });
        let prompt = if case.prompt.trim().is_empty() { "(no text)" } else { case.prompt.as_str() };
        ui.add(Label::new(RichText::new(prompt).small().weak()).wrap());
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            let before = row.cells.len().saturating_sub(found.comparison.networks.len());
            for (place, cell) in row.cells.iter_mut().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(width);
                    let network = place.checked_sub(before).and_then(|at| found.comparison.networks.get(at));
                    let head = match (place, network) {
                        (_, Some(network)) => network.name.as_str(),
                        (0, None) => "Image",
                        (_, None) => "Ground truth",
                    };
                    ui.add(Label::new(RichText::new(head).small()).truncate());
                    picture(ui, cell, width);
                    if let Some(counts) = network.and_then(|network| network.scores.get(row.case)?.counts) {
                        let words = format!("Dice {:.3}, IoU {:.3}", counts.dice(), counts.iou());
                        ui.add(Label::new(RichText::new(words).small()).wrap());
                    }
                });
            }
        });
        ui.separator();
    }
}

fn picture(ui: &mut Ui, cell: &mut Cell, width: f32) {
    if let Some(fresh) = cell.fresh.take() {
        let image = ColorImage::from_rgb([fresh.width, fresh.height], &fresh.rgb);
        cell.texture = Some(ui.ctx().load_texture(cell.name.as_str(), image, TextureOptions::LINEAR));
    }
    if let Some(texture) = &cell.texture {
        let size = texture.size_vec2();
        let scale = width / size.x.max(size.y).max(1.0);
        let shown = vec2(size.x * scale, size.y * scale);
        ui.add(egui::Image::new((texture.id(), shown)).alt_text(cell.name.as_str()));
    }
}
