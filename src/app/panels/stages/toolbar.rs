//! The controls above the images: what is shown of the stages, and how.

use eframe::egui::{Button, ComboBox, DragValue, Label, Panel, RichText, Role, Slider, Ui, WidgetInfo};

use super::{BUSY, channels};
use crate::analysis::maps::MapKind;
use crate::app::actions;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::panels::{entries, widgets};
use crate::app::stages::{FIGURE_WIDTH, StagesCommand};
use crate::app::state::State;
use crate::app::text::NO_STAGES;
use crate::app::theme;
use crate::engine::FigureKind;

/// The width of the opacity slider with its name and its number, in points.
const OPACITY: f32 = 172.0;
/// The height of the line below the controls, in points.
const LINE: f32 = 24.0;
/// The width below which the controls would need more than two lines, so that they are in menus, in points.
const NARROW: f32 = 480.0;
/// The width below which even the menus would need several lines, in points.
const TIGHT: f32 = 240.0;
/// The width of the button of the menu of all else, with the space before it, in points.
const MORE: f32 = 76.0;
/// The name of the menu of models to compare with.
const COMPARE: &str = "Compare with";

/// Draws the controls.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    Panel::top("stages toolbar").show(ui, |ui| {
        let width = ui.available_width();
        if width < TIGHT {
            return tight(ui, state, commands);
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if width < NARROW {
                map_menu(ui, 132.0, state, commands);
                widgets::menu_that_stays(ui, "Display", |ui| {
                    is_alone(ui, state, commands);
                    ui.horizontal(|ui| opacity(ui, state, commands));
                });
            } else {
                maps(ui, state, commands);
                channels::button(ui, state, commands);
                ui.separator();
                is_alone(ui, state, commands);
                if ui.available_size_before_wrap().x < OPACITY {
                    ui.end_row();
                }
                opacity(ui, state, commands);
                ui.separator();
            }
            widgets::menu_that_stays(ui, "Save figure", |ui| figures(ui, state, commands));
            comparison(ui, state, commands);
        });
        // This line is present for every map, so that the images below do not move when the map changes.
        line(ui, state, commands);
    });
}

/// Draws the controls where there is space for one line: the choice of the map, and a menu of all else.
fn tight(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        map_menu(ui, ui.available_width() - MORE, state, commands);
        widgets::menu_that_stays(ui, "More", |ui| {
            line(ui, state, commands);
            ui.separator();
            is_alone(ui, state, commands);
            ui.horizontal(|ui| opacity(ui, state, commands));
            ui.separator();
            ui.menu_button("Save figure", |ui| figures(ui, state, commands));
            match state.comparison {
                Some(_) => comparison(ui, state, commands),
                None => drop(ui.menu_button(COMPARE, |ui| entries::menu(ui, actions::COMPARE, state, commands))),
            }
        });
    });
}

/// Draws what belongs to the chosen map: the choice of a channel, the stage read-outs, or an explanation.
fn line(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let kind = state.settings.stages.kind;
    ui.horizontal(|ui| {
        ui.set_min_height(LINE);
        ui.spacing_mut().item_spacing.x = 6.0;
        if state.stages.channel.is_some() {
            channels::choice(ui, state, commands);
        } else if kind == MapKind::StageMask {
            linear_probes(ui, state, commands);
        } else {
            let words = RichText::new(explained(kind)).small().weak();
            ui.add(Label::new(words).truncate()).on_hover_text(explained(kind));
        }
    });
}

/// Draws the kinds of maps side by side or one below the other, according to the layout of `ui`.
fn maps(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let has_stages = !state.has_no_stages();
    for kind in MapKind::ALL {
        let is_shown = state.settings.stages.kind == kind && state.stages.channel.is_none();
        let response = ui.add_enabled(has_stages, Button::selectable(is_shown, kind.name()));
        if response.on_hover_text(explained(kind)).on_disabled_hover_text(NO_STAGES).clicked() {
            commands.push(Command::Stages(StagesCommand::Show(kind)));
        }
    }
}

/// Draws the kinds of maps and the channels as a drop-down list, `width` points wide.
fn map_menu(ui: &mut Ui, width: f32, state: &State, commands: &mut Vec<Command>) {
    let name = if state.stages.channel.is_some() { channels::NAME } else { state.settings.stages.kind.name() };
    let combo = ComboBox::from_id_salt("stage map").width(width).truncate().selected_text(name);
    let shown = combo.show_ui(ui, |ui| {
        maps(ui, state, commands);
        channels::button(ui, state, commands);
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Map"));
}

fn is_alone(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let mut is_alone = state.settings.stages.is_alone;
    let words = "Shows the maps without the picture beneath.";
    if ui.checkbox(&mut is_alone, "Maps only").on_hover_text(words).changed() {
        commands.push(Command::Stages(StagesCommand::Alone(is_alone)));
    }
}

fn opacity(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let settings = &state.settings.stages;
    ui.add_enabled_ui(!settings.is_alone, |ui| {
        let label = ui.label(RichText::new("Opacity").weak());
        ui.spacing_mut().slider_width = 56.0;
        let mut opacity = settings.opacity;
        let slider = Slider::new(&mut opacity, 0.0..=1.0).step_by(0.01).fixed_decimals(2);
        let response = ui.add(slider).labelled_by(label.id);
        if response.on_disabled_hover_text("Maps that stand alone cover nothing.").changed() {
            commands.push(Command::Stages(StagesCommand::SetOpacity(opacity)));
        }
    });
}

/// Draws the menu that exports figures.
fn figures(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let kinds = [
        (FigureKind::Stages, "Stages as shown…"),
        (FigureKind::Refinement, "Masks of the stages, with numbers…"),
        (FigureKind::Spectrum, "Spectrum filters…"),
        (FigureKind::Weights, "Layer weights…"),
        (FigureKind::Similarity, "Similarity of the layers…"),
        (FigureKind::Sweep, "Sweep…"),
    ];
    for (kind, name) in kinds {
        let missing = state.figure_missing(kind);
        let response = ui.add_enabled(missing.is_none(), Button::new(name));
        if response.on_disabled_hover_text(missing.unwrap_or_default()).clicked() {
            commands.push(Command::OpenDialog(DialogKind::SaveFigure(kind)));
            ui.close();
        }
    }
    ui.separator();
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Width of a PNG in pixels").weak());
        let mut width = state.settings.stages.figure_width;
        let value = DragValue::new(&mut width).speed(10.0).range(FIGURE_WIDTH.0..=FIGURE_WIDTH.1);
        if ui.add(value).labelled_by(label.id).changed() {
            commands.push(Command::Stages(StagesCommand::FigureWidth(width)));
        }
    });
    ui.label(RichText::new("The file extension decides: .png, .svg, or .csv for all numbers.").small().weak());
}

fn explained(kind: MapKind) -> &'static str {
    match kind {
        MapKind::Activation => "Mean over the channels of the stage's output, scaled to 0…1 over each map.",
        MapKind::Attribution => {
            "Grad-CAM: where the output of the stage contributes to the mean logit of the mask (at threshold 0.5), scaled to a highest value of 1."
        }
        MapKind::StageMask => {
            "The mask of each stage by its stage read-out (linear probe): a 1×1 convolution on its output, fitted on the frozen network."
        }
        MapKind::Change => {
            "Difference between a stage and the stage before: of the probabilities of their masks, or of their activations where there are no stage read-outs. Orange is more, blue is less."
        }
    }
}

/// Tells the user where the masks of the stages come from, or how to obtain them.
fn linear_probes(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if !offer_to_fit(ui, state, false, commands)
        && let Some(words) = state.model.as_ref().and_then(|model| model.info.linear_probes.as_ref())
    {
        let words = format!("Stage read-outs (linear probes) {words}.");
        ui.add(Label::new(RichText::new(&words).small().weak()).truncate()).on_hover_text(&words);
    }
    offer_to_fit(ui, state, true, commands);
}

/// If a model has no stage read-outs, says so and offers to fit them. `is_other` selects the comparison model.
pub fn offer_to_fit(ui: &mut Ui, state: &State, is_other: bool, commands: &mut Vec<Command>) -> bool {
    let info = if is_other { state.other() } else { state.model.as_ref().map(|model| &model.info) };
    let Some(info) = info.filter(|info| info.linear_probes.is_none() && !info.stages.is_empty()) else {
        return false;
    };
    let colour = theme::palette(ui.visuals()).warning;
    let (who, name, kind) = match is_other {
        true => {
            (info.name.as_str(), format!("Fit stage read-outs for {}…", info.name), DialogKind::FitComparedData)
        }
        false => ("This model", "Fit stage read-outs…".to_owned(), DialogKind::FitData),
    };
    let words = "Fits a 1×1 convolution for each stage on the training split of a data set. The model itself does not change.";
    let button = ui.add_enabled(state.stages.work.pending().is_none(), Button::new(name)).on_hover_text(words);
    if button.on_disabled_hover_text(BUSY).clicked() {
        commands.push(Command::OpenDialog(kind));
    }
    // The reason stands after the button, so that a narrow panel shortens the words and keeps the button whole.
    let reason = format!("{who} has no stage read-outs (linear probes).");
    ui.add(Label::new(RichText::new(&reason).color(colour)).truncate()).on_hover_text(&reason);
    true
}

/// Draws the comparison model.
fn comparison(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(other) = &state.comparison else {
        let words = "Shows another model's stages below these, for the same image and prompt, and its numbers in the panels.";
        let menu = widgets::menu(ui, COMPARE, |ui| entries::menu(ui, actions::COMPARE, state, commands));
        menu.on_hover_text(words);
        return;
    };
    let name = match (other.error.as_ref().or(state.stages.other.error.as_ref()), &other.info) {
        (Some(error), _) => error.clone(),
        (None, Some(info)) => format!("Compared with {}", info.name),
        (None, None) => "Opening the other model…".into(),
    };
    if ui.button("End the comparison").on_hover_text(&name).clicked() {
        commands.push(Command::EndComparison);
    }
    ui.add(Label::new(RichText::new(&name).weak()).truncate()).on_hover_text(&name);
}
