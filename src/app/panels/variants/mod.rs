//! The Prompts tab: the prompt of the main view and its pinned variants side by side, with linked zoom.

mod cell;
pub mod differences;
mod grid;
mod toolbar;

use eframe::egui::emath::GuiRounding;
use eframe::egui::{
    CentralPanel, Color32, FontId, Frame, Label, Margin, Panel as Side, Rect, RichText, ScrollArea, Ui, UiBuilder,
    vec2,
};

use super::canvas;
use super::panel::{Around, Panel};
use super::widgets::at_threshold;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::app::variants::{Pin, VariantsCommand};
use grid::{Grid, divide};

/// The size of the prompt during a presentation in a large and in a small window, and the height of the latter, in points.
const PROMPT: [f32; 2] = [20.0, 14.0];
const SMALL: f32 = 520.0;
/// The most that the prompt takes of the height of the window.
const MOST_HIGH: f32 = 0.24;

/// The pinned variants side by side.
pub struct Variants;

const INFO: PaneInfo = PaneInfo {
    title: "Variants",
    help: "Prompts side by side on the same image, with what changes between their masks.",
    places: &[Place::new(Tab::Prompts, Column::Middle, 0)],
    size: [800.0, 600.0],
    growth: 3,
    is_hero: true,
    ..PaneInfo::new(Pane::new("variants"))
};

impl Panel for Variants {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Bare
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        if state.document.image.is_some() {
            toolbar::show(ui, state, commands);
        }
        let fill = theme::palette(ui.visuals()).canvas;
        CentralPanel::no_frame().frame(Frame::new().fill(fill)).show(ui, |ui| {
            if state.variants.pins.is_empty() || state.document.image.is_none() {
                canvas::show(ui, state, commands);
            } else {
                pins(ui, state, commands);
            }
        });
    }
}

/// Draws the main view at the left and the pins at the right.
fn pins(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let (left, right) = divide(ui.available_rect_before_wrap());
    ui.scope_builder(UiBuilder::new().max_rect(left).id_salt("main view"), |ui| {
        canvas::show(ui, state, commands);
    });
    let ids: Vec<u64> = state.variants.ordered().iter().map(|pin| pin.id).collect();
    let has_map = ids.len() > 1;
    let grid = Grid::new(right.size(), ids.len() + usize::from(has_map));
    ui.scope_builder(UiBuilder::new().max_rect(right).id_salt("pins"), |ui| {
        ScrollArea::vertical().id_salt("pins").auto_shrink(false).show(ui, |ui| {
            let (area, _) =
                ui.allocate_exact_size(vec2(right.width(), grid.height()), eframe::egui::Sense::hover());
            for (place, id) in ids.iter().enumerate() {
                let at = grid.cell(area.min, place).round_to_pixels(ui.pixels_per_point());
                inside(ui, at, ("pin", *id), |ui| cell::show(ui, state, place, *id, commands));
            }
            if has_map {
                let at = grid.cell(area.min, ids.len()).round_to_pixels(ui.pixels_per_point());
                inside(ui, at, ("pin", 0), |ui| cell::disagreement(ui, state, commands));
            }
        });
    });
}

fn inside(ui: &mut Ui, at: Rect, id: (&str, u64), content: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().max_rect(at).id_salt(id), |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(at.expand(1.0)));
        content(ui);
    });
}

/// Draws one pin over the whole window during a presentation, with its prompt in large letters; the keys step through
/// the pins.
pub fn present(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let Some(current) = state.variants.current().map(|pin| pin.id) else { return };
    let window = ui.ctx().content_rect().height();
    let ids: Vec<u64> = state.variants.ordered().iter().map(|pin| pin.id).collect();
    Side::bottom("variants of a presentation")
        .frame(Frame::side_top_panel(ui.style()).inner_margin(Margin::same(8)))
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                for (place, id) in ids.iter().enumerate() {
                    let Some(pin) = state.variants.pin(*id) else { continue };
                    if ui.selectable_label(*id == current, name(pin, place)).clicked() {
                        commands.push(Command::Variants(VariantsCommand::Choose(*id)));
                    }
                }
                ui.add_space(8.0);
                ui.label(RichText::new("Step with the keys , and .").weak());
            });
            let Some(pin) = state.variants.pin(current) else { return };
            let prompt = if pin.spec.prompt.is_empty() { "(no text)" } else { pin.spec.prompt.as_str() };
            // The picture must not jump from one pin to the next, so that the longest prompt has room in each.
            let size = PROMPT[usize::from(window < SMALL)];
            let font = FontId::proportional(size);
            let height = |pin: &Pin| {
                let text = pin.spec.prompt.clone();
                ui.painter().layout(text, font.clone(), Color32::PLACEHOLDER, ui.available_width()).size().y
            };
            let highest = state.variants.pins.iter().map(height).fold(size, f32::max).min(MOST_HIGH * window);
            let top = ui.cursor().top();
            ScrollArea::vertical().id_salt("prompt presented").max_height(highest).show(ui, |ui| {
                ui.add(Label::new(RichText::new(prompt).size(size)).wrap());
            });
            ui.add_space((highest - (ui.cursor().top() - top)).max(0.0));
            let numbers = cell::numbers(state, pin).join(" · ");
            let words = format!("{} · {numbers}", at_threshold(pin.spec.threshold));
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(words).weak());
                if let Some(misread) = cell::misread(state, pin) {
                    ui.label(RichText::new(misread).color(theme::palette(ui.visuals()).warning));
                }
            });
        });
    let fill = theme::palette(ui.visuals()).canvas;
    CentralPanel::no_frame().frame(Frame::new().fill(fill)).show(ui, |ui| {
        let rect = ui.available_rect_before_wrap().round_to_pixels(ui.pixels_per_point());
        if let Some(open) = &state.document.image {
            state.view.frame(rect, ui.pixels_per_point(), open.layer.size, open.volume.pixel_aspect());
        }
        cell::picture(ui, rect, state, current, commands);
    });
}

/// Returns the title of a pin, with its number.
fn name(pin: &Pin, place: usize) -> String {
    match pin.spec.name.as_str() {
        "" => format!("Variant {}", place + 1),
        name => format!("{} {name}", place + 1),
    }
}

/// Returns the colour of the frame around a cell.
fn edge(ui: &Ui, is_current: bool) -> Color32 {
    let palette = theme::palette(ui.visuals());
    if is_current { palette.accent } else { palette.line }
}
