//! The Dice scores of the pinned masks against each other.

use eframe::egui::{Color32, Grid, RichText, Ui};

use super::name;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::explain;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::colour_map::magma;

/// The masks of the pins against each other.
pub struct DifferencesPanel;

const WORDS: &str = "Dice of each pair of masks, on this image: 1 where two variants give the same mask, 0 where they have no pixel \
                     in common. Two empty masks have 1.";

const INFO: PaneInfo = PaneInfo {
    title: "Pairwise Dice",
    help: "How much the masks of the pinned variants have in common.",
    places: &[Place::new(Tab::Prompts, Column::Right, 1)],
    ..PaneInfo::new(Pane::new("pairwise_dice"))
};

impl Panel for DifferencesPanel {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn is_idle(&self, state: &State, _: bool) -> bool {
        state.variants.pins.is_empty()
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        (state.variants.pins.len() < 2).then_some("Pin two or more variants to compare their masks.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, _: &mut Vec<Command>) {
        show(ui, state);
    }
}

fn show(ui: &mut Ui, state: &State) {
    let Some((of, differences, _)) = &state.variants.differences else {
        ui.label(RichText::new("The numbers appear with the masks.").weak());
        return;
    };
    // The numbers are shown while all of their pins are there.
    let place = |id: u64| state.variants.pins.iter().position(|pin| pin.id == id);
    let places: Option<Vec<usize>> = of.iter().map(|(id, ..)| place(*id)).collect();
    let Some(places) = places.filter(|places| places.len() == differences.dice.len()) else {
        ui.label(RichText::new("The numbers appear with the masks.").weak());
        return;
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new("per image").small().weak());
        explain(ui, WORDS);
    });
    Grid::new("pairwise dice").spacing([6.0, 3.0]).min_col_width(30.0).show(ui, |ui| {
        ui.label("");
        for place in &places {
            ui.label(RichText::new((place + 1).to_string()).small().weak());
        }
        ui.end_row();
        for (row, place) in places.iter().enumerate() {
            let title = name(&state.variants.pins[*place], *place);
            ui.label(RichText::new(title).small());
            for column in 0..places.len() {
                if column == row {
                    ui.label(RichText::new("–").small().weak());
                    continue;
                }
                let dice = differences.dice[row][column];
                let [r, g, b] = magma(dice as f32).map(|part| (part * 255.0).round() as u8);
                let colour = if dice > 0.6 { Color32::BLACK } else { Color32::WHITE };
                let text = RichText::new(format!("{dice:.2}")).small().color(colour);
                ui.label(text.background_color(Color32::from_rgb(r, g, b)));
            }
            ui.end_row();
        }
    });
}
