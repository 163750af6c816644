//! The sentence with its words coloured by their influence.

use eframe::egui::{
    Label, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::table::numbers;
use crate::analysis::maps::Scale;
use crate::app::command::Command;
use crate::app::influence::{InfluenceCommand, InfluenceState, Measure, Method, Selection};
use crate::app::theme;
use crate::infer::influence::{Influence, PartInfluence};

/// The number of steps of a colour bar.
const STEPS: u16 = 60;

/// Draws the sentence and the bar of its colours. A click on a word selects it.
pub fn show(
    ui: &mut Ui,
    influence: &InfluenceState,
    found: &Influence,
    measure: Measure,
    commands: &mut Vec<Command>,
) {
    let value = |method: Method, part: &PartInfluence| {
        let change = method.of(part)?.change;
        Some(measure.of(&change)?.abs())
    };
    // The colours of both methods are comparable.
    let both =
        Method::ALL.into_iter().flat_map(|method| found.words.iter().filter_map(move |part| value(method, part)));
    let most = both.fold(0.0, f64::max);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(1.0, 4.0);
        let mut done = 0;
        for (place, part) in found.words.iter().enumerate() {
            between(ui, &found.prompt[done..part.bytes.start]);
            done = part.bytes.end;
            let share = value(influence.method, part).map(|value| if most > 0.0 { value / most } else { 0.0 });
            let selection = Selection::Word(place);
            let is_selected = influence.selected == Some(selection);
            let response = chip(ui, &found.prompt[part.bytes.clone()], share, is_selected);
            let label = spoken(&found.prompt[part.bytes.clone()], part, influence.method, measure);
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, &label));
            if response.on_hover_ui(|ui| numbers(ui, part)).clicked() {
                let selection = Some(selection).filter(|_| !is_selected);
                commands.push(Command::Influence(InfluenceCommand::Select(selection)));
            }
        }
        if found.unexamined == 0 {
            between(ui, &found.prompt[done..]);
        } else {
            ui.label(RichText::new(format!(" … {} more", found.unexamined)).weak());
        }
    });
    bar(ui, Scale::Sequential, ["0".to_owned(), measure.format(most).replace('+', "")], "Colours of the words");
}

/// Says what a word does: "left: changed pixels 25.0 % when left out".
fn spoken(word: &str, part: &PartInfluence, method: Method, measure: Measure) -> String {
    let value = method.of(part).and_then(|effect| measure.of(&effect.change));
    let when = match method {
        Method::LeaveOut => "when left out",
        Method::MaskToken => "when replaced by [MASK]",
    };
    match value {
        Some(value) => format!("{word}: {} {} {when}", measure.name().to_lowercase(), measure.format(value)),
        None => format!("{word}: not examined"),
    }
}

/// Draws what stands between two words: a space, or marks.
fn between(ui: &mut Ui, text: &str) {
    let marks: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if marks.trim().is_empty() {
        ui.add_space(2.0);
    } else {
        ui.add(Label::new(RichText::new(marks.trim()).weak()).selectable(false));
        ui.add_space(2.0);
    }
}

/// Draws a word on the colour of its share, 0…1, of the largest influence.
fn chip(ui: &mut Ui, word: &str, share: Option<f64>, is_selected: bool) -> Response {
    let palette = theme::palette(ui.visuals());
    let fill = share.map_or(palette.token, |share| theme::colour(Scale::Sequential.colour(share as f32)));
    let colour = theme::text_on(fill);
    let galley = ui.painter().layout_no_wrap(word.to_owned(), TextStyle::Body.resolve(ui.style()), colour);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(8.0, 4.0), Sense::click());
    ui.painter().rect_filled(rect, 3.0, fill);
    ui.painter().galley(pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0), galley, colour);
    let edge = match (is_selected || response.has_focus(), response.hovered()) {
        (true, _) => Stroke::new(2.0, palette.accent),
        (false, true) => Stroke::new(1.0, palette.text),
        (false, false) => Stroke::new(1.0, palette.line),
    };
    ui.painter().rect_stroke(rect, 3.0, edge, StrokeKind::Outside);
    response
}

/// Draws a colour scale between its lowest and its highest number.
pub fn bar(ui: &mut Ui, scale: Scale, [low, high]: [String; 2], name: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(&low).small());
        let (rect, response) = ui.allocate_exact_size(vec2(2.0 * f32::from(STEPS), 10.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{name}: {low} to {high}")));
        let [from, to] = scale.range();
        for step in (0..STEPS).map(f32::from) {
            let value = from + (to - from) * (step + 0.5) / f32::from(STEPS);
            let part = Rect::from_min_size(rect.min + vec2(2.0 * step, 0.0), vec2(2.0, rect.height()));
            ui.painter().rect_filled(part, 0.0, theme::colour(scale.colour(value)));
        }
        ui.label(RichText::new(&high).small());
    });
}
