//! A sweep of one parameter over a range of values, for the open image or the open folder.

use eframe::egui::{Button, Color32, ComboBox, DragValue, RichText, TextStyle, Ui};
use egui_plot::{Line, LineStyle, PlotPoints, Points, VLine};

use super::BUSY;
use super::working::{needs_model, working};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::plot;
use crate::app::panels::widgets::{at_threshold, grouped, section, swatch};
use crate::app::stages::{StagesCommand, SweepSettings};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::engine::FigureKind;
use crate::infer::{Parameter, SweepPoint, SweepResult};

/// The maximum number of values of a sweep.
const MOST: usize = 200;
/// The height of a plot, in points.
const HEIGHT: f32 = 150.0;
/// The minimum range of a plot's vertical axis.
const LEAST_SPAN: f64 = 0.01;
const RANGE: &str = "“From” must be less than “To”.";

/// A sweep of one parameter over a range of values.
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
        ComboBox::from_id_salt("parameter")
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
        number(ui, "From", settings.from, |settings, value| settings.from = value);
        number(ui, "To", settings.to, |settings, value| settings.to = value);
        let label = ui.label(RichText::new("Values").weak());
        let mut count = settings.count;
        if ui.add(DragValue::new(&mut count).range(2..=MOST)).labelled_by(label.id).changed() {
            set(SweepSettings { count, ..settings });
        }
    });
    let others_modified = state.stages.overrides.as_ref().is_some_and(|modified| {
        let mut modified = modified.clone();
        if let Some(value) = parameter.get(own) {
            parameter.set(&mut modified, value);
        }
        modified != *own
    });
    if others_modified {
        let words = "All other parameters are as set under What if.";
        ui.label(RichText::new(words).small().color(theme::palette(ui.visuals()).warning));
    }
    let list = state.worklist.as_ref();
    ui.horizontal_wrapped(|ui| {
        let is_over_list = settings.over_list && list.is_some();
        if ui.radio(!is_over_list, "This image").clicked() {
            set(SweepSettings { over_list: false, ..settings });
        }
        let name = list.map_or("The open folder".into(), |list| {
            let [shown, all] = [list.shown.len(), list.items.len()].map(|count| grouped(count as u64));
            match list.shown.len() == list.items.len() {
                true => format!("The open folder ({all} cases)"),
                false => format!("The open folder ({shown} of {all} cases, as filtered)"),
            }
        });
        ui.add_enabled_ui(list.is_some(), |ui| {
            let hint = "Open a folder in the Read tab first.";
            if ui.radio(is_over_list, name).on_disabled_hover_text(hint).clicked() {
                set(SweepSettings { over_list: true, ..settings });
            }
        });
    });
    truth_in_words(ui, state, settings);
    ui.horizontal(|ui| {
        let why_not = why_not(state, settings);
        let draw = ui.add_enabled(why_not.is_none(), Button::new("Draw the sweep"));
        if draw.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            commands.push(Command::Stages(StagesCommand::Sweep));
        }
        let save = ui.add_enabled(state.stages.swept.is_some(), Button::new("Save…"));
        if save.on_disabled_hover_text("Draw a sweep first.").clicked() {
            commands.push(Command::OpenDialog(DialogKind::SaveFigure(FigureKind::Sweep)));
        }
        if settings.from >= settings.to {
            ui.label(RichText::new(RANGE).small().color(ui.visuals().error_fg_color));
        }
    });
    if let Some(swept) = &state.stages.swept {
        result(ui, swept, state.stages.swept_other.as_ref(), state.stages.swept_threshold, settings, commands);
    }
}

/// Returns the reason why no sweep can be run now; `None` if one can.
fn why_not(state: &State, settings: SweepSettings) -> Option<&'static str> {
    match state.worklist.as_ref().filter(|_| settings.over_list) {
        _ if state.stages.work.pending().is_some() => Some(BUSY),
        _ if settings.from >= settings.to => Some(RANGE),
        Some(list) if list.shown.is_empty() => Some("No case of the worklist matches its search."),
        Some(_) => None,
        None => state.document.image.is_none().then_some("Open an image first."),
    }
}

/// Tells the user what can be plotted with the available ground truths.
fn truth_in_words(ui: &mut Ui, state: &State, settings: SweepSettings) {
    let weak = |ui: &mut Ui, words: &str| drop(ui.label(RichText::new(words).small().weak()));
    let Some(list) = state.worklist.as_ref().filter(|_| settings.over_list) else {
        if state.document.truth.is_none() {
            weak(ui, "Without a ground truth, only the area can be drawn.");
        }
        return;
    };
    let has_truth = |place: &&usize| list.items.get(**place).is_some_and(|item| !item.truth.is_empty());
    let masks = list.shown.iter().filter(has_truth).count();
    if masks == 0 {
        let words = "No case has a ground truth, so only the area can be drawn.";
        ui.label(RichText::new(words).color(theme::palette(ui.visuals()).warning));
    } else if masks < list.shown.len() {
        let masks = grouped(masks as u64);
        weak(
            ui,
            &format!("{masks} of the cases have a ground truth: Dice is that of these, the area that of all."),
        );
    }
}

fn range(parameter: Parameter) -> (f32, f32) {
    match parameter {
        Parameter::Sigma(_) => (0.5, 10.0),
        Parameter::Beta(_, _) => (0.0, 3.0),
        Parameter::Layer(_, _) => (-2.0, 4.0),
    }
}

fn result(
    ui: &mut Ui,
    swept: &SweepResult,
    other: Option<&(String, SweepResult)>,
    threshold: f32,
    settings: SweepSettings,
    commands: &mut Vec<Command>,
) {
    let cases = if swept.cases == 1 { "1 case".into() } else { format!("{} cases", grouped(swept.cases as u64)) };
    let with = match swept.with_truth {
        count if count == swept.cases => String::new(),
        0 => ", none with a ground truth".into(),
        count => format!(", {} with a ground truth", grouped(count as u64)),
    };
    section(ui, &swept.name, &format!("{cases}{with}, {}", at_threshold(threshold)));
    let mut is_full = settings.has_full_axis;
    let words = "Draws every plot from 0 to 1. Otherwise it is scaled to its values.";
    if ui.checkbox(&mut is_full, "Axes from 0 to 1").on_hover_text(words).changed() {
        let settings = SweepSettings { has_full_axis: is_full, ..settings };
        commands.push(Command::Stages(StagesCommand::SetSweep(settings)));
    }
    let colours = theme::palette(ui.visuals()).lines;
    let mut dice: Vec<(&str, Color32, Value)> = Vec::new();
    if swept.with_truth > 1 {
        dice.push(("Dice pooled", colours[1], |point| point.dice_pooled));
        dice.push(("Dice per image, mean", colours[2], |point| point.dice_per_image));
    } else if swept.with_truth == 1 {
        dice.push(("Dice per image", colours[1], |point| point.dice_per_image));
    }
    let area: (&str, Color32, Value) = ("Area, share of the image", colours[0], |point| Some(point.area));
    for (name, lines) in [("dice", dice), ("area", vec![area])] {
        if !lines.is_empty() {
            chart(ui, name, &lines, swept, other, is_full);
        }
    }
    let mut words = format!("The vertical line is the original value, {:.2}.", swept.own);
    if let Some((name, swept)) = other {
        words += &format!(" Dashed: {name}, whose original value is {:.2}.", swept.own);
    }
    ui.label(RichText::new(words).small().weak());
}

/// Returns the plotted value of a sweep point.
type Value = fn(&SweepPoint) -> Option<f64>;

/// Draws lines over the values of the sweep, with their legend above.
fn chart(
    ui: &mut Ui,
    id: &str,
    lines: &[(&str, Color32, Value)],
    swept: &SweepResult,
    other: Option<&(String, SweepResult)>,
    is_full: bool,
) {
    let points = |swept: &SweepResult, value: Value| -> Vec<[f64; 2]> {
        swept.points.iter().filter_map(|point| Some([f64::from(point.value), value(point)?])).collect()
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (name, colour, _) in lines {
            // A name always stays with its colour.
            let font = TextStyle::Small.resolve(ui.style());
            let width = ui.painter().layout_no_wrap((*name).to_owned(), font, *colour).size().x;
            if ui.available_size_before_wrap().x < width + 20.0 {
                ui.end_row();
            }
            swatch(ui, *colour);
            ui.label(RichText::new(*name).small());
            ui.add_space(6.0);
        }
    });
    let all = lines.iter().flat_map(|(_, _, value)| {
        let others = other.map(|(_, other)| points(other, *value)).unwrap_or_default();
        points(swept, *value).into_iter().chain(others)
    });
    let [low, high] = axis(all.map(|[_, y]| y), is_full);
    let own = theme::palette(ui.visuals()).lines[3];
    let base = plot::base(("sweep", id), HEIGHT, false).include_y(low).include_y(high);
    base.set_margin_fraction(eframe::egui::vec2(0.02, 0.04)).show(ui, |drawing| {
        drawing.vline(VLine::new("original", f64::from(swept.own)).color(own).width(1.0));
        for (name, colour, value) in lines {
            let values = points(swept, *value);
            let marks: PlotPoints = values.iter().copied().collect();
            drawing.line(Line::new(*name, PlotPoints::from(values)).color(*colour).width(1.6));
            drawing.points(Points::new(*name, marks).color(*colour).radius(2.0));
            if let Some((_, other)) = other {
                let line: PlotPoints = points(other, *value).into();
                drawing.line(Line::new(*name, line).color(*colour).width(1.2).style(LineStyle::dashed_dense()));
            }
        }
    });
}

/// Returns the limits of the vertical axis: those of the values, or 0 and 1. A constant line has a range too.
fn axis(values: impl Iterator<Item = f64>, is_full: bool) -> [f64; 2] {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    match (is_full || low > high, high - low) {
        (true, _) => [0.0, 1.0],
        (false, span) if span < LEAST_SPAN => {
            let middle = f64::midpoint(low, high);
            [middle - LEAST_SPAN / 2.0, middle + LEAST_SPAN / 2.0]
        }
        (false, _) => [low, high],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_scaled_to_its_values_or_goes_from_0_to_1() {
        let of = |values: &[f64], is_full| axis(values.iter().copied(), is_full);
        assert_eq!(of(&[0.81, 0.84, 0.82], false), [0.81, 0.84]);
        assert_eq!(of(&[0.81, 0.84, 0.82], true), [0.0, 1.0]);
        let flat = of(&[0.5, 0.5], false);
        assert!(flat[0] < 0.5 && flat[1] > 0.5, "{flat:?}");
        assert_eq!(of(&[], false), [0.0, 1.0]);
    }
}
