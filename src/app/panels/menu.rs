//! The menu bar, and at its right what computes.

use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{
    Align, Button, Checkbox, Color32, Frame, Layout, MenuBar, Panel, RichText, Role, ScrollArea, Ui, WidgetInfo,
};

use super::prompts;
use super::widgets::{MENU_SPACE, menu_mark};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::keys::Action;
use crate::app::layout::Pane;
use crate::app::stages::StagesCommand;
use crate::app::state::{Page, State, Tab, file_name};
use crate::app::theme::ThemeChoice;
use crate::app::training::TrainCommand;
use crate::data::samples::SAMPLES;
use crate::device::DeviceChoice;
use crate::infer::{BUNDLED_NAME, ModelSource};

/// What the bar above a menu, its frame and the edge of the window take of the window's height, in points.
const EDGES: f32 = 56.0;
/// Least height of a menu, in points.
const LEAST: f32 = 120.0;

/// The switch for EXIF orientations.
pub const UPRIGHT: &str = "Turn pictures upright as their EXIF data asks";

/// Draws the menu bar.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let frame = Frame::side_top_panel(ui.style()).fill(Color32::TRANSPARENT);
    Panel::top("menu").frame(frame).show(ui, |ui| {
        MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| tall(ui, |ui| file(ui, state, commands)));
            ui.menu_button("View", |ui| tall(ui, |ui| view(ui, state, commands)));
            ui.menu_button("Prompt", |ui| tall(ui, |ui| prompts::menu(ui, state, commands)));
            ui.menu_button("Model", |ui| tall(ui, |ui| model(ui, state, commands)));
            ui.menu_button("Help", |ui| tall(ui, |ui| help(ui, state, commands)));
            ui.separator();
            for tab in Tab::ALL {
                if ui.selectable_label(state.tab == tab, tab.name()).clicked() {
                    commands.push(Command::ShowTab(tab));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(headline) = state.training.headline()
                    && ui.button(headline).on_hover_text("Show the training").clicked()
                {
                    commands.push(Command::ShowTab(Tab::Train));
                }
                let words =
                    Button::new(RichText::new(format!("{}{MENU_SPACE}", what_computes(state))).weak()).truncate();
                let (button, _) =
                    MenuButton::from_button(words).ui(ui, |ui| tall(ui, |ui| model(ui, state, commands)));
                menu_mark(ui, &button);
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, what_computes(state)));
            });
        });
    });
}

/// The content of a menu, which scrolls where the window is too low for it.
fn tall(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let height = (ui.ctx().content_rect().height() - EDGES).max(LEAST);
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, content);
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
pub fn item(ui: &mut Ui, enabled: bool, text: &str, command: Command, commands: &mut Vec<Command>) {
    keyed(ui, enabled, text, String::new(), command, commands);
}

/// An entry that does what a key does.
pub fn act(ui: &mut Ui, state: &State, action: Action, commands: &mut Vec<Command>) {
    let command = action.command(state);
    let keys = state.settings.keys.label(action);
    let enabled = command.is_some();
    keyed(ui, enabled, action.name(), keys, command.unwrap_or(Command::ShowPage(None)), commands);
}

fn keyed(ui: &mut Ui, enabled: bool, text: &str, keys: String, command: Command, commands: &mut Vec<Command>) {
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
    act(ui, state, Action::OpenImage, commands);
    act(ui, state, Action::OpenFolder, commands);
    item(ui, has_image, "Open ground truth…", Command::OpenDialog(DialogKind::Truth), commands);
    item(ui, state.truth.is_some(), "Close ground truth", Command::CloseTruth, commands);
    item(ui, true, "Open model folder…", Command::OpenDialog(DialogKind::ModelFolder), commands);
    ui.menu_button("Sample cases", |ui| {
        for sample in SAMPLES {
            item(ui, true, sample.title, Command::OpenSample(sample), commands);
        }
    });
    ui.separator();
    act(ui, state, Action::SaveMask, commands);
    item(ui, has_mask, "Save overlay…", Command::OpenDialog(DialogKind::SaveOverlay), commands);
    ui.separator();
    let recent = &state.settings.recent;
    if recent.is_empty() {
        ui.add_enabled(false, Button::new("Recent"));
    } else {
        ui.menu_button("Recent", |ui| {
            for path in recent {
                let folder = path.parent().map(file_name).filter(|name| !name.is_empty());
                let button = Button::new(file_name(path)).shortcut_text(folder.unwrap_or_default());
                if ui.add(button).on_hover_text(path.display().to_string()).clicked() {
                    commands.push(Command::OpenPaths(vec![path.clone()]));
                }
            }
        });
    }
    ui.separator();
    act(ui, state, Action::Quit, commands);
}

fn view(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if state.tab != Tab::Train {
        act(ui, state, Action::Undo, commands);
        act(ui, state, Action::Redo, commands);
        ui.separator();
    }
    ui.menu_button("Panels", |ui| tall(ui, |ui| panels(ui, state, commands)));
    item(ui, true, "Reset the layout", Command::ResetLayout, commands);
    act(ui, state, Action::Information, commands);
    act(ui, state, Action::Presentation, commands);
    ui.separator();
    let has_image = state.image.is_some();
    ui.add_enabled_ui(has_image, |ui| {
        act(ui, state, Action::Fit, commands);
        act(ui, state, Action::ActualSize, commands);
    });
    ui.separator();
    let settings = &state.settings;
    let keyed = |action: Action, text: &str| match settings.keys.label(action) {
        keys if keys.is_empty() => text.to_owned(),
        keys => format!("{text} ({keys})"),
    };
    switch(ui, state.show_overlay, &keyed(Action::Overlay, "Overlay"), Command::ShowOverlay, commands);
    ui.add_enabled_ui(state.truth.is_some(), |ui| {
        let text = keyed(Action::Truth, "Comparison with the ground truth");
        switch(ui, state.show_truth, &text, Command::ShowTruth, commands);
    });
    switch(ui, settings.fill, "Fill areas", Command::Fill, commands);
    switch(ui, settings.contour, "Draw outlines", Command::Contour, commands);
    switch(ui, settings.smooth, "Smooth picture", Command::Smooth, commands);
    switch(ui, settings.heat, &keyed(Action::Heat, "Heat map of the probability"), Command::Heat, commands);
    switch(ui, settings.show_patient, "Show the patient's name", Command::ShowPatient, commands);
    switch(ui, settings.upright, UPRIGHT, Command::Upright, commands);
    ui.separator();
    act(ui, state, Action::Invert, commands);
    ui.add_enabled_ui(has_image, |ui| {
        act(ui, state, Action::UseWindow, commands);
        act(ui, state, Action::NetworkView, commands);
    });
    item(ui, true, "Window presets…", Command::ShowPage(Some(Page::Presets)), commands);
    ui.separator();
    ui.menu_button("Text size", |ui| {
        for percent in [80, 90, 100, 110, 125, 150, 175, 200] {
            let is_now = (settings.zoom * 100.0).round() as i32 == percent;
            if ui.radio(is_now, format!("{percent} %")).clicked() {
                commands.push(Command::TextSize(percent as f32 / 100.0));
            }
        }
    });
    for (choice, name) in [(ThemeChoice::Dark, "Dark theme"), (ThemeChoice::Light, "Light theme")] {
        if ui.radio(settings.theme == choice, name).clicked() {
            commands.push(Command::SetTheme(choice));
        }
    }
}

/// The panels of the layout that is shown.
fn panels(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(layout) = state.layouts.get(state.tab) else { return };
    for pane in state.tab.panes() {
        let mut is_open = layout.is_open(*pane);
        let checkbox = Checkbox::new(&mut is_open, pane.title());
        if ui.add_enabled(!pane.is_hero(), checkbox).clicked() {
            commands.push(Command::OpenPane(*pane, is_open));
        }
    }
}

fn model(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    item(ui, true, "Open model folder…", Command::OpenDialog(DialogKind::ModelFolder), commands);
    item(ui, true, "Open model file…", Command::OpenDialog(DialogKind::ModelFile), commands);
    let bundled = ModelSource::new(BUNDLED_NAME);
    let is_other = state.model.as_ref().is_none_or(|model| model.source != bundled);
    item(ui, is_other, "Open the bundled model", Command::OpenModel(bundled), commands);
    ui.menu_button("Recent", |ui| models(ui, state, Command::OpenModel, commands));
    ui.menu_button("Compare with", |ui| compare(ui, state, commands));
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

/// Models to compare the open one with.
pub fn compare(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let with = |source| Command::Stages(StagesCommand::CompareWith(source));
    models(ui, state, with, commands);
    item(ui, true, "Model folder…", Command::OpenDialog(DialogKind::CompareModel), commands);
    if state.training.comparison.is_some() {
        ui.separator();
        item(ui, true, "End the comparison", Command::Train(TrainCommand::CloseComparison), commands);
    }
}

/// The bundled model and those of lately, but for the one that is open.
fn models(ui: &mut Ui, state: &State, command: impl Fn(ModelSource) -> Command, commands: &mut Vec<Command>) {
    let bundled = ModelSource::new(BUNDLED_NAME);
    let lately = state.settings.models.iter().cloned().map(ModelSource::from);
    let mut all: Vec<ModelSource> = lately.filter(|source| *source != bundled).collect();
    all.push(bundled);
    for source in all {
        let is_open = state.model.as_ref().is_some_and(|model| model.source == source);
        let path = source.model.display().to_string();
        let name = if path == BUNDLED_NAME { "The bundled model".into() } else { file_name(&source.model) };
        let button = ui.add_enabled(!is_open, Button::new(name)).on_hover_text(path);
        if button.on_disabled_hover_text("This model is open.").clicked() {
            commands.push(command(source));
        }
    }
}

fn help(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    act(ui, state, Action::Palette, commands);
    act(ui, state, Action::Shortcuts, commands);
    item(ui, true, "Messages", Command::OpenPane(Pane::Messages, true), commands);
    item(ui, true, "About HiMix", Command::ShowPage(Some(Page::About)), commands);
}
