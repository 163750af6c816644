//! Sliders and switches of one value.

use eframe::egui::{Response, RichText, Slider, Ui};

use crate::app::command::Command;
use crate::app::panels::widgets::explain;
use crate::app::stages::StagesCommand;
use crate::infer::{Dial, Dials};

/// Where the rails of all sliders begin, in points from the left.
const INDENT: f32 = 96.0;

/// Uses `dials`; `response` is of the slider or switch that changed them.
pub fn turn(response: &Response, dials: Dials, commands: &mut Vec<Command>) {
    // The whole of a drag is one step back.
    let goes_on = response.dragged() && !response.drag_started();
    commands.push(Command::Stages(StagesCommand::Turn(Box::new(dials), goes_on)));
}

/// A slider; a double click on its name brings the model's own value back.
pub fn slider(
    ui: &mut Ui,
    dials: &Dials,
    own: &Dials,
    dial: Dial,
    (name, words): (&str, &str),
    range: std::ops::RangeInclusive<f32>,
    commands: &mut Vec<Command>,
) {
    let (Some(value), Some(untouched)) = (dial.get(dials), dial.get(own)) else { return };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let is_turned = value != untouched;
        let text = RichText::new(name);
        let label = ui.label(if is_turned { text.strong() } else { text.weak() });
        if !words.is_empty() {
            explain(ui, words);
        }
        let indent = ui.max_rect().left() + INDENT - ui.cursor().left();
        ui.add_space(indent.max(0.0));
        let back = 58.0;
        ui.spacing_mut().slider_width = ui.available_width() - 58.0 - back;
        let mut turned = value;
        let (low, high) = (range.start().min(untouched), range.end().max(untouched));
        let slider = Slider::new(&mut turned, low..=high).logarithmic(matches!(dial, Dial::Sigma(_)));
        // Shown with two decimals, but not rounded to them: that would turn every value that is looked at.
        let shown = |value: f64, _| format!("{value:.2}").replace('-', "−");
        let typed = |text: &str| text.replace('−', "-").trim().parse().ok();
        let slider = slider.custom_formatter(shown).custom_parser(typed).smart_aim(false);
        let response = ui.add(slider).labelled_by(label.id);
        if response.changed() && (turned - value).abs() > 1e-6 {
            let mut dials = dials.clone();
            dial.set(&mut dials, turned);
            turn(&response, dials, commands);
        }
        let text = format!("({untouched:.2})").replace('-', "−");
        let hint = if is_turned { "Click: back to the model's own value" } else { "The model's own value" };
        let button = eframe::egui::Button::new(RichText::new(text).small()).frame(false);
        let response = ui.add_enabled(is_turned, button).on_hover_text(hint).on_disabled_hover_text(hint);
        if response.clicked() {
            let mut dials = dials.clone();
            dial.set(&mut dials, untouched);
            turn(&response, dials, commands);
        }
    });
}
