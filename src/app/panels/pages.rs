//! The pages that open over the window.

use eframe::egui::{Align2, Context, Label, RichText, Ui, Vec2, Window};

use super::{export, preferences, presets, shortcuts};
use crate::app::command::Command;
use crate::app::page::Page;
use crate::app::state::State;

const ABOUT: &[&str] = &[
    "Segments lesions in the open image from a text prompt, with the HiMix network.",
    "For research use only. This is not a medical device: it must not be used for diagnosis or treatment, and its \
     masks and scores have not been validated for any clinical purpose.",
    "Images, prompts and masks stay on this computer.",
];

/// Draws the open page, if there is one.
pub fn show(ctx: &Context, state: &State, commands: &mut Vec<Command>) {
    let Some(page) = state.page else { return };
    let mut stays = true;
    let title = if Page::PREFERENCES.contains(&page) { "Preferences" } else { page.name() };
    Window::new(title)
        .open(&mut stays)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, Vec2::ZERO)
        .show(ctx, |ui| {
            if Page::PREFERENCES.contains(&page) {
                parts(ui, page, commands);
            }
            match page {
                Page::Preferences => preferences::show(ui, state, commands),
                Page::Shortcuts => shortcuts::show(ui, state, commands),
                Page::Presets => presets::show(ui, state, commands),
                Page::Export => export::show(ui, state, commands),
                Page::About => about(ui),
                Page::Network => network(ui, state),
            }
        });
    if !stays {
        commands.push(Command::ShowPage(None));
    }
}

/// Draws the tabs of the preferences.
fn parts(ui: &mut Ui, page: Page, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        for part in Page::PREFERENCES {
            if ui.selectable_label(page == part, part.name()).clicked() {
                commands.push(Command::ShowPage(Some(part)));
            }
        }
    });
    ui.separator();
}

fn network(ui: &mut Ui, state: &State) {
    ui.set_width(448.0);
    let asked = state.jobs.network_view.asked();
    match state.network_view.as_ref().filter(|(key, _)| Some(key) == asked) {
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
        None if state.document.image.is_none() => {
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
