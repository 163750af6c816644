//! The menu bar, and at its right what computes.

use eframe::egui::{Align, Button, Label, Layout, MenuBar, Panel, RichText, Ui};

use super::sentences;
use crate::app::command::Command;
use crate::app::dialogs::Purpose;
use crate::app::state::{Page, State, Tab, file_name};
use crate::app::theme::ThemeChoice;
use crate::data::samples::SAMPLES;
use crate::device::DeviceChoice;
use crate::infer::{BUNDLED_NAME, ModelSource};

/// Draws the menu bar.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    Panel::top("menu").show(ui, |ui| {
        MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| file(ui, state, commands));
            ui.menu_button("View", |ui| view(ui, state, commands));
            ui.menu_button("Prompt", |ui| sentences::menu(ui, state, commands));
            ui.menu_button("Model", |ui| model(ui, state, commands));
            ui.menu_button("Help", |ui| help(ui, commands));
            ui.separator();
            for (tab, name) in [(Tab::Read, "Read"), (Tab::Stages, "Stages"), (Tab::Train, "Train")] {
                if ui.selectable_label(state.tab == tab, name).clicked() {
                    commands.push(Command::ShowTab(tab));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(headline) = state.training.headline()
                    && ui.button(headline).on_hover_text("Show the training").clicked()
                {
                    commands.push(Command::ShowTab(Tab::Train));
                }
                ui.add(Label::new(RichText::new(what_computes(state)).weak()).truncate());
            });
        });
    });
}

/// The model and its device in one line.
fn what_computes(state: &State) -> String {
    match (&state.awaited_model, &state.model) {
        (Some(awaited), _) => format!("Opening model {}…", file_name(&awaited.what.model)),
        (None, Some(model)) => format!("{} · {}", model.info.name, model.info.device),
        (None, None) => "No model is open".into(),
    }
}

/// An entry of a menu that makes `command`.
pub fn item(ui: &mut Ui, enabled: bool, text: &str, keys: &str, command: Command, commands: &mut Vec<Command>) {
    let mut button = Button::new(text);
    if !keys.is_empty() {
        button = button.shortcut_text(keys);
    }
    if ui.add_enabled(enabled, button).clicked() {
        commands.push(command);
    }
}

/// An entry of a menu that switches something on and off.
fn switch(
    ui: &mut Ui,
    is_on: bool,
    text: &str,
    command: impl FnOnce(bool) -> Command,
    commands: &mut Vec<Command>,
) {
    let mut value = is_on;
    if ui.checkbox(&mut value, text).clicked() {
        commands.push(command(value));
    }
}

fn file(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let (has_image, has_mask) = (state.image.is_some(), state.shown.is_some());
    item(ui, true, "Open image…", "Ctrl O", Command::Ask(Purpose::Image), commands);
    item(ui, true, "Open folder…", "Ctrl Shift O", Command::Ask(Purpose::Folder), commands);
    item(ui, has_image, "Open ground truth…", "", Command::Ask(Purpose::Truth), commands);
    item(ui, state.truth.is_some(), "Close ground truth", "", Command::CloseTruth, commands);
    item(ui, true, "Open model folder…", "", Command::Ask(Purpose::ModelFolder), commands);
    ui.menu_button("Sample cases", |ui| {
        for sample in SAMPLES {
            item(ui, true, sample.title, "", Command::OpenSample(sample), commands);
        }
    });
    ui.separator();
    item(ui, has_mask, "Save mask…", "Ctrl S", Command::Ask(Purpose::SaveMask), commands);
    item(ui, has_mask, "Save overlay…", "", Command::Ask(Purpose::SaveOverlay), commands);
    ui.separator();
    let recent = &state.settings.recent;
    if recent.is_empty() {
        ui.add_enabled(false, Button::new("Recent"));
    } else {
        ui.menu_button("Recent", |ui| {
            for path in recent {
                let button = ui.button(file_name(path)).on_hover_text(path.display().to_string());
                if button.clicked() {
                    commands.push(Command::OpenPaths(vec![path.clone()]));
                }
            }
        });
    }
    ui.separator();
    item(ui, true, "Quit", "Ctrl Q", Command::Quit, commands);
}

fn view(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let has_image = state.image.is_some();
    ui.add_enabled_ui(state.worklist.is_some(), |ui| {
        switch(ui, state.show_worklist, "Worklist", Command::ShowWorklist, commands);
    });
    item(ui, has_image, "Fit the window", "F", Command::Fit, commands);
    item(ui, has_image, "Actual size (1:1)", "Ctrl 1", Command::ActualSize, commands);
    ui.separator();
    let settings = &state.settings;
    switch(ui, state.show_overlay, "Overlay", Command::ShowOverlay, commands);
    ui.add_enabled_ui(state.truth.is_some(), |ui| {
        switch(ui, state.show_truth, "Comparison with the ground truth", Command::ShowTruth, commands);
    });
    switch(ui, settings.fill, "Fill areas", Command::Fill, commands);
    switch(ui, settings.contour, "Draw outlines", Command::Contour, commands);
    switch(ui, settings.smooth, "Smooth picture", Command::Smooth, commands);
    switch(ui, settings.heat, "Heat map of the probability", Command::Heat, commands);
    switch(ui, settings.colour_blind, "Colours without red and green", Command::ColourBlind, commands);
    switch(ui, settings.show_patient, "Show the patient's name", Command::ShowPatient, commands);
    ui.separator();
    ui.add_enabled_ui(has_image, |ui| {
        if let Some(open) = &state.image {
            switch(ui, open.seen.is_inverted, "Invert", Command::Invert, commands);
        }
        item(ui, has_image, "Predict with this window", "U", Command::UseWindow, commands);
        let page = Command::ShowPage(Some(Page::Network));
        item(ui, has_image, "What the network gets", "W", page, commands);
    });
    ui.separator();
    for (choice, name) in [(ThemeChoice::Dark, "Dark theme"), (ThemeChoice::Light, "Light theme")] {
        if ui.radio(settings.theme == choice, name).clicked() {
            commands.push(Command::SetTheme(choice));
        }
    }
}

fn model(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    item(ui, true, "Open model folder…", "", Command::Ask(Purpose::ModelFolder), commands);
    item(ui, true, "Open model file…", "", Command::Ask(Purpose::ModelFile), commands);
    let bundled = ModelSource::new(BUNDLED_NAME);
    let is_other = state.model.as_ref().is_none_or(|model| model.source != bundled);
    item(ui, is_other, "Open the bundled model", "", Command::OpenModel(bundled), commands);
    ui.separator();
    let mut choices = vec![
        (DeviceChoice::Auto, "Choose the device automatically".to_owned()),
        (DeviceChoice::Cpu, "Compute on the CPU".to_owned()),
        (DeviceChoice::Gpu(None), "Compute on the GPU".to_owned()),
    ];
    if let DeviceChoice::Gpu(Some(number)) = state.device {
        choices.push((state.device, format!("Compute on GPU {number}")));
    }
    for (choice, name) in choices {
        if ui.radio(state.device == choice, name).clicked() {
            commands.push(Command::SetDevice(choice));
        }
    }
}

fn help(ui: &mut Ui, commands: &mut Vec<Command>) {
    let open = Command::ShowPalette(Some(String::new()));
    item(ui, true, "Command palette…", "Ctrl K", open, commands);
    item(ui, true, "Keyboard shortcuts", "?", Command::ShowPage(Some(Page::Shortcuts)), commands);
    item(ui, true, "Messages", "", Command::ShowPage(Some(Page::Messages)), commands);
    item(ui, true, "About HiMix", "", Command::ShowPage(Some(Page::About)), commands);
}
