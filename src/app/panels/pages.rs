//! The pages of the help menu.

use eframe::egui::{Align2, Context, Label, RichText, Ui, Vec2, Window};

use super::{presets, shortcuts, toasts};
use crate::app::command::Command;
use crate::app::state::{Page, State};

const ABOUT: &[&str] = &[
    "Segments lesions in the open image from a text prompt, with the HiMix network.",
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
        Page::Presets => "Window presets",
        Page::About => "About HiMix",
        Page::Network => "What the network gets",
    };
    Window::new(title)
        .open(&mut stays)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, Vec2::ZERO)
        .show(ctx, |ui| match page {
            Page::Shortcuts => shortcuts::show(ui, state, commands),
            Page::Presets => presets::show(ui, state, commands),
            Page::About => about(ui),
            Page::Network => network(ui, state),
        });
    if !stays {
        commands.push(Command::ShowPage(None));
    }
}

/// The panel of all messages.
pub fn messages(ui: &mut Ui, state: &mut State) {
    state.notes.mark_read();
    if state.notes.log().next().is_none() {
        ui.label(RichText::new("No messages so far.").weak());
    }
    for note in state.notes.log() {
        ui.label(toasts::heading(ui, note.kind));
        ui.add(Label::new(&note.text).wrap());
        ui.add_space(4.0);
    }
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
