//! The pages of the help menu.

use eframe::egui::{Align2, Context, Grid, Label, RichText, ScrollArea, Ui, Vec2, Window};

use super::toasts;
use crate::app::command::Command;
use crate::app::keys::SHORTCUTS;
use crate::app::state::{Page, State};

const ABOUT: &[&str] = &[
    "Draws the lesion that a sentence describes, with the HiMix network, on the picture that is open.",
    "For research use only. This is not a medical device: it must not be used for diagnosis or treatment, and its \
     masks and scores have not been validated for any clinical purpose.",
    "Images, prompts and masks stay on this computer.",
];

/// Draws the page that is open, if one is.
pub fn show(ctx: &Context, state: &State, commands: &mut Vec<Command>) {
    let Some(page) = state.page else { return };
    let mut stays = true;
    let title = match page {
        Page::Shortcuts => "Keyboard shortcuts",
        Page::Messages => "Messages",
        Page::About => "About HiMix",
        Page::Network => "What the network gets",
        Page::Past => "Past predictions of this session",
    };
    Window::new(title)
        .open(&mut stays)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, Vec2::ZERO)
        .show(ctx, |ui| match page {
            Page::Shortcuts => shortcuts(ui),
            Page::Messages => messages(ui, state),
            Page::About => about(ui),
            Page::Network => network(ui, state),
            Page::Past => super::sentences::past(ui, state, commands),
        });
    if !stays {
        commands.push(Command::ShowPage(None));
    }
}

fn shortcuts(ui: &mut Ui) {
    // Two columns, so that the page fits the smallest window.
    ui.horizontal_top(|ui| {
        for half in SHORTCUTS.chunks(SHORTCUTS.len().div_ceil(2)) {
            ui.vertical(|ui| {
                for (group, keys) in half {
                    ui.label(RichText::new(*group).heading());
                    Grid::new(*group).num_columns(2).spacing([20.0, 3.0]).min_col_width(165.0).show(ui, |ui| {
                        for (keys, action) in *keys {
                            ui.label(RichText::new(*keys).color(ui.visuals().hyperlink_color));
                            ui.label(*action);
                            ui.end_row();
                        }
                    });
                    ui.add_space(10.0);
                }
            });
            ui.add_space(24.0);
        }
    });
    ui.label(RichText::new("While a text field has the cursor, letters are text.").small().weak());
}

fn messages(ui: &mut Ui, state: &State) {
    ui.set_width(560.0);
    if state.notes.log().next().is_none() {
        ui.label(RichText::new("There was nothing to say so far.").weak());
    }
    ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
        for note in state.notes.log() {
            ui.label(toasts::heading(ui, note.kind));
            ui.add(Label::new(&note.text).wrap());
            ui.add_space(4.0);
        }
    });
}

fn network(ui: &mut Ui, state: &State) {
    ui.set_width(448.0);
    let (asked, known) = &state.network_view;
    match known.as_ref().filter(|(key, _)| Some(*key) == *asked) {
        Some((_, texture)) => {
            let picture = eframe::egui::Image::new(texture).fit_to_exact_size(Vec2::splat(448.0));
            ui.add(picture.alt_text("What the network gets"));
            let [width, height] = texture.size();
            let words = format!(
                "{width} × {height} pixels, as the window was when it was asked; then every channel loses its mean and is divided by \
                 its standard deviation."
            );
            ui.add(Label::new(RichText::new(words).small().weak()).wrap());
        }
        None if state.image.is_none() => {
            ui.label(RichText::new("Open an image to see what the network gets of it.").weak());
        }
        None => {
            ui.label(RichText::new("…").weak());
        }
    }
}

fn about(ui: &mut Ui) {
    ui.set_width(440.0);
    ui.label(RichText::new(format!("HiMix viewer {}", env!("CARGO_PKG_VERSION"))).strong());
    for words in ABOUT {
        ui.add_space(4.0);
        ui.add(Label::new(*words).wrap());
    }
    ui.add_space(4.0);
    ui.label(RichText::new(concat!("Licence: ", env!("CARGO_PKG_LICENSE"))).small().weak());
}
