//! Sliders and switches for single parameters.

use eframe::egui::{Response, RichText, Slider, Ui};

use crate::app::command::Command;
use crate::app::panels::widgets::explain;
use crate::app::stages::StagesCommand;
use crate::infer::{Overrides, Parameter};

/// The start of the rails of all sliders, in points from the left.
const INDENT: f32 = 96.0;

/// Applies `overrides`; `response` belongs to the slider or switch that changed them.
pub fn push_override(response: &Response, overrides: Overrides, commands: &mut Vec<Command>) {
    // A whole drag forms one undo step.
    let goes_on = response.dragged() && !response.drag_started();
    commands.push(Command::Stages(StagesCommand::Override(Box::new(overrides), goes_on)));
}

/// Draws a slider, and beside it the original value, which a click restores.
pub fn slider(
    ui: &mut Ui,
    overrides: &Overrides,
    own: &Overrides,
    parameter: Parameter,
    (name, words): (&str, &str),
    range: std::ops::RangeInclusive<f32>,
    commands: &mut Vec<Command>,
) {
    let (Some(value), Some(original)) = (parameter.get(overrides), parameter.get(own)) else { return };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let is_modified = value != original;
        let text = RichText::new(name);
        let label = ui.label(if is_modified { text.strong() } else { text.weak() });
        if !words.is_empty() {
            explain(ui, words);
        }
        let indent = ui.max_rect().left() + INDENT - ui.cursor().left();
        ui.add_space(indent.max(0.0));
        let back = 58.0;
        ui.spacing_mut().slider_width = ui.available_width() - 58.0 - back;
        let mut moved = value;
        let (low, high) = (range.start().min(original), range.end().max(original));
        let slider = Slider::new(&mut moved, low..=high).logarithmic(matches!(parameter, Parameter::Sigma(_)));
        // The value is shown with two decimals but not rounded to them, because viewing a value must not change
        // it.
        let shown = |value: f64, _| format!("{value:.2}").replace('-', "−");
        let typed = |text: &str| text.replace('−', "-").trim().parse().ok();
        let slider = slider.custom_formatter(shown).custom_parser(typed).smart_aim(false);
        let response = ui.add(slider).labelled_by(label.id);
        if response.changed() && (moved - value).abs() > 1e-6 {
            let mut overrides = overrides.clone();
            parameter.set(&mut overrides, moved);
            push_override(&response, overrides, commands);
        }
        let text = format!("({original:.2})").replace('-', "−");
        let hint = if is_modified { "Click to restore the original value" } else { "The original value" };
        let button = eframe::egui::Button::new(RichText::new(text).small()).frame(false);
        let response = ui.add_enabled(is_modified, button).on_hover_text(hint).on_disabled_hover_text(hint);
        if response.clicked() {
            let mut overrides = overrides.clone();
            parameter.set(&mut overrides, original);
            push_override(&response, overrides, commands);
        }
    });
}
