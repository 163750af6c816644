//! One value over a settings, for the picture or the open folder.

use eframe::egui::{Button, Color32, ComboBox, DragValue, RichText, Ui};
use egui_plot::{Line, LineStyle, PlotPoints, Points, VLine};

use super::working::{needs_model, working};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::plot;
use crate::app::panels::widgets::{section, swatch};
use crate::app::stages::{StagesCommand, SweepSettings};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::engine::FigureKind;
use crate::infer::{Parameter, SweepPoint, SweepResult};

/// Most values of a sweep.
const MOST: usize = 200;

/// One parameter over a range of values.
pub struct Sweep;

const INFO: PaneInfo = PaneInfo {
    title: "Sweep",
    help: "One parameter over a range of values.",
    places: &[Place::new(Tab::Stages, Column::Right, 0)],
    size: [340.0, 400.0],
    ..PaneInfo::new(Pane::new("sweep"))
};

impl Panel for Sweep {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        needs_model(state)
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        working(ui, state, commands);
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(model) = &state.model else { return };
    let own = &model.info.overrides;
    let parameters = Parameter::all(own);
    let settings = state.stages.sweep_settings;
    let Some(parameter) = settings.parameter.or(parameters.first().copied()) else {
        ui.label(RichText::new("This model has no parameters to override.").weak());
        return;
    };
    let mut set = |settings: SweepSettings| commands.push(Command::Stages(StagesCommand::SetSweep(settings)));
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Sweep").weak());
        ComboBox::from_id_salt("dial")
            .width(ui.available_width() - 12.0)
            .selected_text(parameter.name(own))
            .show_ui(ui, |ui| {
                for other in &parameters {
                    if ui.selectable_label(*other == parameter, other.name(own)).clicked() {
                        let (from, to) = range(*other);
                        set(SweepSettings { parameter: Some(*other), from, to, ..settings });
                    }
                }
            })
            .response
            .labelled_by(label.id);
    });
    ui.horizontal(|ui| {
        let mut number = |ui: &mut Ui, name: &str, value: f32, change: fn(&mut SweepSettings, f32)| {
            let label = ui.label(RichText::new(name).weak());
            let mut value = value;
            let low = if matches!(parameter, Parameter::Sigma(_)) { 0.05 } else { -20.0 };
            let drag = DragValue::new(&mut value).speed(0.05).range(low..=100.0).max_decimals(2);
            if ui.add(drag).labelled_by(label.id).changed() {
                let mut settings = settings;
                change(&mut settings, value);
                set(settings);
            }
        };
        number(ui, "from", settings.from, |settings, value| settings.from = value);
        number(ui, "to", settings.to, |settings, value| settings.to = value);
        let label = ui.label(RichText::new("values").weak());
        let mut count = settings.count;
        if ui.add(DragValue::new(&mut count).range(2..=MOST)).labelled_by(label.id).changed() {
            set(SweepSettings { count, ..settings });
        }
    });
    let others_turned = state.stages.overrides.as_ref().is_some_and(|turned| {
        let mut turned = turned.clone();
        if let Some(value) = parameter.get(own) {
            parameter.set(&mut turned, value);
        }
        turned != *own
    });
    if others_turned {
        let words = "All other parameters are as set under What if.";
        ui.label(RichText::new(words).small().color(theme::palette(ui.visuals()).warning));
    }
    let list = state.worklist.as_ref();
    ui.horizontal_wrapped(|ui| {
        let is_over_list = settings.over_list && list.is_some();
        if ui.radio(!is_over_list, "this picture").clicked() {
            set(SweepSettings { over_list: false, ..settings });
        }
        let name =
            list.map_or("the open folder".into(), |list| format!("the open folder ({} cases)", list.items.len()));
        ui.add_enabled_ui(list.is_some(), |ui| {
            let hint = "Open a folder in the Read tab first.";
            if ui.radio(is_over_list, name).on_disabled_hover_text(hint).clicked() {
                set(SweepSettings { over_list: true, ..settings });
            }
        });
    });
    let has_truth = match list.filter(|_| settings.over_list) {
        Some(list) => {
            let masks = list.items.iter().filter(|item| !item.truth.is_empty()).count();
            if masks == 0 {
                let words = "No case of the folder has a mask: the area can be drawn, Dice cannot.";
                ui.label(RichText::new(words).color(theme::palette(ui.visuals()).warning));
            } else if masks < list.items.len() {
                let words = format!("{masks} of the cases have a mask: Dice is of those, the area of all.");
                ui.label(RichText::new(words).small().weak());
            }
            masks > 0
        }
        None => state.document.truth.is_some(),
    };
    if !has_truth && !settings.over_list {
        let words = "Without a ground truth the area can be drawn, Dice cannot.";
        ui.label(RichText::new(words).small().weak());
    }
    ui.horizontal(|ui| {
        let can = state.stages.work.pending().is_none()
            && settings.from < settings.to
            && (state.document.image.is_some() || settings.over_list);
        if ui.add_enabled(can, Button::new("Draw the sweep")).clicked() {
            commands.push(Command::Stages(StagesCommand::Sweep));
        }
        if ui.add_enabled(state.stages.swept.is_some(), Button::new("Save…")).clicked() {
            commands.push(Command::OpenDialog(DialogKind::SaveFigure(FigureKind::Sweep)));
        }
        if settings.from >= settings.to {
            ui.label(RichText::new("“from” must be less than “to”").small().color(ui.visuals().error_fg_color));
        }
    });
    if let Some(swept) = &state.stages.swept {
        result(ui, swept, state.stages.swept_other.as_ref());
    }
}

fn range(parameter: Parameter) -> (f32, f32) {
    match parameter {
        Parameter::Sigma(_) => (0.5, 10.0),
        Parameter::Beta(_, _) => (0.0, 3.0),
        Parameter::Layer(_, _) => (-2.0, 4.0),
    }
}

fn result(ui: &mut Ui, swept: &SweepResult, other: Option<&(String, SweepResult)>) {
    let cases = if swept.cases == 1 { "1 case".into() } else { format!("{} cases", swept.cases) };
    let with = match swept.with_truth {
        count if count == swept.cases => String::new(),
        0 => ", none with a mask".into(),
        count => format!(", {count} with a mask"),
    };
    section(ui, &swept.name, &format!("{cases}{with}"));
    let colours = theme::palette(ui.visuals()).lines;
    type Value = fn(&SweepPoint) -> Option<f64>;
    let points = |swept: &SweepResult, value: Value| -> Vec<[f64; 2]> {
        swept.points.iter().filter_map(|point| Some([f64::from(point.value), value(point)?])).collect()
    };
    let mut values: Vec<(&str, Color32, Value)> =
        vec![("area, share of the image", colours[0], |point| Some(point.area))];
    if swept.with_truth > 1 {
        values.push(("Dice pooled", colours[1], |point| point.dice_pooled));
        values.push(("Dice per image, mean", colours[2], |point| point.dice_per_image));
    } else if swept.with_truth == 1 {
        values.push(("Dice per image", colours[1], |point| point.dice_per_image));
    }
    let lines: Vec<(&str, Color32, Vec<[f64; 2]>)> =
        values.iter().map(|(name, colour, value)| (*name, *colour, points(swept, *value))).collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (name, colour, _) in &lines {
            swatch(ui, *colour);
            ui.label(RichText::new(*name).small());
        }
    });
    plot::base("sweep", 190.0, false).include_y(0.0).show(ui, |drawing| {
        drawing.vline(VLine::new("original", f64::from(swept.own)).color(colours[3]).width(1.0));
        for (name, colour, points) in &lines {
            let line: PlotPoints = points.iter().copied().collect();
            drawing.line(Line::new(*name, line).color(*colour).width(1.6));
            let marks: PlotPoints = points.iter().copied().collect();
            drawing.points(Points::new(*name, marks).color(*colour).radius(2.0));
        }
        for (name, colour, value) in values.iter().filter(|_| other.is_some()) {
            let line: PlotPoints = other.map(|(_, swept)| points(swept, *value)).unwrap_or_default().into();
            drawing.line(Line::new(*name, line).color(*colour).width(1.2).style(LineStyle::dashed_dense()));
        }
    });
    let mut words = format!("The vertical line is the original value, {:.2}.", swept.own);
    if let Some((name, swept)) = other {
        words += &format!(" Dashed: {name}, whose original value is {:.2}.", swept.own);
    }
    ui.label(RichText::new(words).small().weak());
}
