//! One pin: its picture, its prompt and its numbers.

use eframe::egui::emath::GuiRounding;
use eframe::egui::{
    Align, Button, DragValue, Frame, Id, Label, Layout, Margin, Rect, Response, RichText, Role, ScrollArea, Sense,
    Stroke, StrokeKind, TextEdit, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::grid::TEXTS;
use super::{edge, name};
use crate::app::annotating::Looked;
use crate::app::command::Command;
use crate::app::panels::canvas::{Over, paint_over};
use crate::app::panels::hud;
use crate::app::state::State;
use crate::app::theme;
use crate::app::variants::{Pin, VariantsCommand};
use crate::app::view::View;
use crate::render::ProbabilityLayer;

/// The number of the place of the disagreement map in a frame, behind those of the pins.
const MAP: u32 = 100;
/// The number of scroll points that double the zoom, divided by ln 2.
const WHEEL: f32 = 220.0;
/// The radius of the mark of the linked pointer, in points.
const POINTER: f32 = 4.0;

/// Draws a pin, which is in this position of the order shown.
pub fn show(ui: &mut Ui, state: &State, place: usize, id: u64, commands: &mut Vec<Command>) {
    let Some(pin) = state.variants.pin(id) else { return };
    let is_chosen = state.variants.current().is_some_and(|current| current.id == id);
    let frame = frame(ui, is_chosen);
    ui.spacing_mut().item_spacing = vec2(4.0, 2.0);
    let area = ui.max_rect();
    let (image, texts) = area.split_top_bottom_at_y(area.bottom() - TEXTS);
    picture(ui, image.shrink(1.0).round_to_pixels(ui.pixels_per_point()), state, id, commands);
    // The texts stand on a panel, because the canvas is dark in both themes.
    ui.painter().rect_filled(texts, 0.0, theme::palette(ui.visuals()).panel);
    ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(texts.shrink2(vec2(4.0, 2.0))), |ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.spacing_mut().button_padding = vec2(4.0, 0.0);
        let title = head(ui, state, pin, place, commands);
        prompt(ui, pin, title, commands);
        for line in numbers(state, pin) {
            ui.add(Label::new(RichText::new(line).small()).truncate());
        }
    });
    ui.painter().rect_stroke(area, 2.0, frame, StrokeKind::Inside);
}

fn frame(ui: &Ui, is_current: bool) -> Stroke {
    Stroke::new(if is_current { 2.0 } else { 1.0 }, edge(ui, is_current))
}

/// Draws the title, the threshold and the buttons. Returns the id of the title.
fn head(ui: &mut Ui, state: &State, pin: &Pin, place: usize, commands: &mut Vec<Command>) -> Id {
    let mut ask = |command| commands.push(Command::Variants(command));
    ui.horizontal(|ui| {
        let title = name(pin, place);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let remove = ui.add(Button::new("×").small()).on_hover_text("Remove the pin");
            remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove {title}")));
            if remove.clicked() {
                ask(VariantsCommand::Remove(pin.id));
            }
            let shown = ui.add(Button::new(RichText::new("Use").small()));
            shown.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Use {title}")));
            if shown.on_hover_text("Show its prompt and threshold in the main view (E)").clicked() {
                ask(VariantsCommand::Use(Some(pin.id)));
            }
            let mut threshold = pin.spec.threshold;
            let drag = DragValue::new(&mut threshold).speed(0.005).range(0.0..=1.0).fixed_decimals(2);
            let drag = ui.add(drag).on_hover_text("Threshold of the mask");
            if drag.changed() {
                ask(VariantsCommand::SetThreshold(pin.id, threshold));
            }
            if state.comparison.is_some() {
                let mut is_compared = pin.spec.is_compared;
                let toggle = ui.toggle_value(&mut is_compared, RichText::new("2nd").small());
                if toggle.on_hover_text("Read by the second model").changed() {
                    ask(VariantsCommand::Compare(pin.id, is_compared));
                }
            }
            let label = Label::new(RichText::new(title.as_str()).strong().small()).truncate();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.add(label).id).inner
        })
        .inner
    })
    .inner
}

/// Draws the prompt of a pin, which can be edited; `title` is the id of its label.
fn prompt(ui: &mut Ui, pin: &Pin, title: Id, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    let mut text = pin.spec.prompt.clone();
    let font = TextStyle::Small.resolve(ui.style());
    let height = 2.0 * ui.text_style_height(&TextStyle::Small) + 3.0;
    let frame = Frame::new().fill(palette.field).corner_radius(3).inner_margin(Margin::symmetric(4, 1));
    frame.show(ui, |ui| {
        ui.spacing_mut().scroll.fade.strength = 0.0;
        let area =
            ScrollArea::vertical().id_salt("prompt of a pin").max_height(height).min_scrolled_height(height);
        area.auto_shrink(false).show(ui, |ui| {
            let edit = TextEdit::multiline(&mut text)
                .id(Id::unique(("prompt of pin", pin.id)))
                .frame(Frame::NONE)
                .font(font)
                .hint_text("(no text)")
                .desired_rows(2)
                .return_key(None)
                .desired_width(f32::INFINITY);
            let response = ui.add(edit).labelled_by(title);
            if response.gained_focus() {
                commands.push(Command::Variants(VariantsCommand::Choose(pin.id)));
            }
            if response.changed() {
                // A prompt is a single line.
                let text = text.replace(['\r', '\n'], " ");
                commands.push(Command::Variants(VariantsCommand::Type(pin.id, text)));
            }
            if response.lost_focus() {
                commands.push(Command::Variants(VariantsCommand::EndTyping(pin.id)));
            }
        });
    });
}

/// Returns the numbers of a pin's mask in two lines: the scores, if there is a ground truth; the area and the agreement
/// with the text. Without a mask, returns the reason.
pub fn numbers(state: &State, pin: &Pin) -> Vec<String> {
    let Some(mask) = pin.mask.as_ref().filter(|_| state.is_current(pin)) else {
        return vec![match (pin.spec.is_compared, state.comparison.is_some()) {
            (true, false) => "The second model is not open".into(),
            _ => "The mask appears in a moment".into(),
        }];
    };
    let threshold = pin.spec.threshold;
    let table = &mask.counts.table;
    let truth = state.truth_mask().map(|(ticket, _)| ticket);
    let scores = table.confusion(threshold).filter(|_| truth.is_some() && mask.counts.truth == truth);
    let scores = scores.map(|scores| format!("Dice {:.3} · IoU {:.3}", scores.dice(), scores.iou()));
    let area = match table.foreground(threshold) {
        0 => "empty mask".to_owned(),
        _ => format!("mask {:.1} %", 100.0 * table.foreground_fraction(threshold)),
    };
    let agreement = pin.agreement().map(|agreement| format!(" · agrees {agreement:.2}")).unwrap_or_default();
    scores.into_iter().chain([area + &agreement]).collect()
}

/// Returns what the network could not read of a pin's prompt.
pub fn misread<'a>(state: &State, pin: &'a Pin) -> Option<&'a str> {
    let mask = pin.mask.as_ref().filter(|_| state.is_current(pin))?;
    Some(&mask.misread.as_ref()?.words)
}

/// Draws the picture of a pin.
pub fn picture(ui: &mut Ui, rect: Rect, state: &State, id: u64, commands: &mut Vec<Command>) {
    let Some(pin) = state.variants.pin(id) else { return };
    let place = state.variants.pins.iter().position(|other| other.id == id).unwrap_or(0);
    let of_image = state.document.image.as_ref().map(|open| open.layer.key);
    // While a new mask is computed, the earlier one of the same image is dimmed.
    let mask = pin.mask.as_ref().filter(|mask| Some(mask.of.image) == of_image);
    let misread_of = mask.and_then(|mask| mask.misread.as_ref());
    let is_doubtful = misread_of.is_some_and(|misread| misread.doubt.is_some());
    let view = state.view.linked(rect);
    let over = Over {
        place: place as u32 + 1,
        view: &view,
        probability: mask.map(|mask| mask.layer.clone()),
        threshold: pin.spec.threshold,
        heat: state.variants.heat,
        compares: state.compares(),
        is_dimmed: is_doubtful || !state.is_current(pin),
        looked: Looked::Prediction,
    };
    let label = format!("Picture of {}", name(pin, place));
    let response = draw(ui, rect, state, over, &label, commands);
    if let Some(words) = misread(state, pin).filter(|_| state.presentation.is_none()) {
        hud::small_warning(
            &ui.painter().with_clip_rect(rect.intersect(ui.clip_rect())),
            rect.left_top() + vec2(6.0, 4.0),
            words,
        );
    }
    if response.clicked() {
        commands.push(Command::Variants(VariantsCommand::Choose(id)));
    }
}

/// Draws the map of the disagreement between the pins.
pub fn disagreement(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let area = ui.max_rect();
    let (image, texts) = area.split_top_bottom_at_y(area.bottom() - TEXTS);
    let rect = image.shrink(1.0).round_to_pixels(ui.pixels_per_point());
    let view = state.view.linked(rect);
    let layer: Option<ProbabilityLayer> = state.variants.differences.as_ref().map(|(.., layer)| layer.clone());
    let over = Over {
        place: MAP,
        view: &view,
        probability: layer,
        threshold: 2.0,
        heat: true,
        compares: false,
        is_dimmed: state.variants.is_waiting(),
        looked: Looked::Prediction,
    };
    draw(ui, rect, state, over, "Disagreement of the variants", commands);
    ui.painter().rect_filled(texts, 0.0, theme::palette(ui.visuals()).panel);
    ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(texts.shrink2(vec2(4.0, 2.0))), |ui| {
        ui.label(RichText::new("Disagreement").strong().small());
        let words = "Dark where all masks say the same, bright where half of them have the pixel.";
        ui.add(Label::new(RichText::new(words).small().weak()).wrap());
    });
    let frame = frame(ui, false);
    ui.painter().rect_stroke(area, 2.0, frame, StrokeKind::Inside);
}

/// Draws the image with a mask, linked to the main view.
fn draw(
    ui: &mut Ui,
    rect: Rect,
    state: &State,
    over: Over<'_>,
    label: &str,
    commands: &mut Vec<Command>,
) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(("picture", over.place)), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
    let view = *over.view;
    let palette = theme::palette(ui.visuals());
    if let Some(paint) = paint_over(state, over, palette, ui.pixels_per_point()) {
        ui.painter().with_clip_rect(rect.intersect(ui.clip_rect())).add(state.picture.callback(rect, paint));
    }
    link(ui, &response, &state.view, &view, commands);
    response
}

/// Moves the main view as the pointer moves this one, and marks the place of the pointer in all pictures.
fn link(ui: &Ui, response: &Response, main: &View, view: &View, commands: &mut Vec<Command>) {
    if response.dragged() {
        commands.push(Command::Pan(response.drag_delta() * main.zoom() / view.zoom()));
    }
    if response.double_clicked() {
        commands.push(Command::Fit);
    }
    let id = Id::unique("linked pointer");
    let pass = ui.ctx().cumulative_pass_nr();
    if let Some(pointer) = response.hover_pos() {
        let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        // The wheel scrolls the pins unless Ctrl is held, which `zoom_delta` has.
        let factor = if ui.input(|input| input.modifiers.shift) { (wheel / WHEEL).exp() } else { pinch };
        let at = view.image_at(pointer);
        if factor != 1.0 {
            commands.push(Command::Zoom(factor, Some(main.screen_at(at))));
        }
        ui.data_mut(|data| data.insert_temp(id, (at, pass)));
    }
    let marked: Option<(Vec2, u64)> = ui.data(|data| data.get_temp(id));
    if let Some((at, _)) = marked.filter(|(_, of)| of + 1 >= pass) {
        let point = view.screen_at(at);
        if response.rect.contains(point) && !response.hovered() {
            let painter = ui.painter().with_clip_rect(response.rect);
            for (radius, colour) in [(POINTER + 1.0, theme::BEHIND_WORDS), (POINTER, theme::OVER_PICTURE)] {
                painter.circle_stroke(pos2(point.x, point.y), radius, Stroke::new(1.0, colour));
            }
        }
    }
}
