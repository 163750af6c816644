//! The images side by side, with linked zoom and pointer.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::scroll_area::ScrollSource;
use eframe::egui::{
    Align, Color32, FontId, Label, Layout, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    TextureHandle, TextureOptions, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::grid::{FOOT, Grid, TITLE};
use super::legend::{self, Form};

use crate::analysis::maps::{Map, MapKind, channel_map, difference, stage_map};
use crate::analysis::stage_name;
use crate::app::command::Command;
use crate::app::stages::{MapOf, Maps, Pane, Place, StagesCommand, WHOLE, map_picture, mask_picture};
use crate::app::state::State;
use crate::app::theme;
use crate::engine::Inspected;
use crate::infer::Plane;

/// The layer over the image in a pane. Planes are borrowed, so that a frame does not copy them.
enum Layer<'a> {
    Nothing,
    Map(Arc<Map>),
    Mask(&'a Plane),
    Missing(&'static str),
}

/// The convention of the scores.
const PER_IMAGE: &str = " per image";

/// The column of an image: the input, the stages by their grids, the final mask, or the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Input,
    /// The side length of the grid, and a number that distinguishes stages with the same grid.
    Stage(usize, usize),
    Final,
    Difference,
}

/// An image of a row.
struct Cell<'a> {
    column: Column,
    title: String,
    place: Option<Place>,
    layer: Layer<'a>,
    foot: String,
}

/// Draws all images.
pub fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let Some(open) = &state.document.image else { return };
    let shape = [open.image.width, open.image.height];
    let aspect = shape[1] as f32 * open.volume.pixel_aspect() / shape[0].max(1) as f32;
    // The inspection is shared, so that the cells can borrow its planes while the state is changed.
    let seen = state.stages.look.seen.clone();
    let other = state.stages.other.seen.clone().filter(|_| state.comparison.is_some());
    let mut maps = std::mem::take(&mut state.stages.maps);
    let rows: Vec<(bool, u64, Vec<Cell>)> = [(false, &seen), (true, &other)]
        .into_iter()
        .filter_map(|(is_other, seen)| seen.as_ref().map(|seen| (is_other, seen)))
        .map(|(is_other, seen)| (is_other, seen.ticket, cells(state, seen, is_other, &mut maps)))
        .collect();
    state.stages.maps = maps;
    // Two models are stacked vertically, with stages on the same grid in the same column.
    let columns: BTreeSet<Column> = rows.iter().flat_map(|(_, _, cells)| cells).map(|cell| cell.column).collect();
    let columns: Vec<Column> = columns.into_iter().collect();
    let area = ui.available_rect_before_wrap();
    let of = |room: Rect| Grid::of(room, columns.len().max(1), rows.len(), aspect);
    // A cell that is free in the last line holds the legend.
    let whole = of(area);
    let (grid, room, legend_rect, form) = match whole.free(columns.len()) {
        Some(free) => (whole, area, free, Form::Stacked),
        None => {
            let form = Form::below(area);
            let edge = area.bottom() - form.height();
            let room = Rect::from_min_max(area.min, pos2(area.right(), edge));
            (of(room), room, Rect::from_min_max(pos2(area.left(), edge + 4.0), area.max), form)
        }
    };
    let mut pointer = None;
    let mut draw_all = |ui: &mut Ui, grid: &Grid| {
        for (row, (is_other, ticket, cells)) in rows.iter().enumerate() {
            for cell in cells {
                let place = columns.iter().position(|column| *column == cell.column).unwrap_or(0);
                let at = draw(ui, state, commands, cell, (*is_other, *ticket), grid.rect(row, place), shape);
                pointer = pointer.or(at);
            }
        }
    };
    let extent = grid.extent();
    // A grid that fills the room exactly may exceed it by a rounding error, which is no reason to scroll.
    let fits = |needed: f32, given: f32| needed <= given + 0.5;
    if fits(extent.x, room.width()) && fits(extent.y, room.height()) {
        draw_all(ui, &grid);
    } else {
        // The wheel zooms the images, so that only the bars scroll.
        let scroll =
            ScrollArea::both().id_salt("stages").auto_shrink(false).scroll_source(ScrollSource::SCROLL_BAR);
        ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
            scroll.show(ui, |ui| {
                let (content, _) = ui.allocate_exact_size(extent, Sense::hover());
                draw_all(ui, &grid.at(content.min));
            });
        });
    }
    // The command is sent only if the pointer has moved, because each command triggers a redraw.
    if pointer != state.stages.pointer {
        commands.push(Command::Stages(StagesCommand::Point(pointer)));
    }
    let scale = rows.iter().flat_map(|(_, _, cells)| cells).find_map(|cell| match &cell.layer {
        Layer::Map(map) => Some(map.scale),
        _ => None,
    });
    legend::show(ui, state, legend_rect, scale, form);
    ui.allocate_rect(area, Sense::hover());
}

fn cells<'a>(state: &State, seen: &'a Inspected, is_other: bool, maps: &mut Maps) -> Vec<Cell<'a>> {
    let stages = &seen.inspection.stages;
    let kind = state.settings.stages.kind;
    let model = if is_other { state.other() } else { state.model.as_ref().map(|model| &model.info) };
    // The rows are labelled only if there are two.
    let title = match model.filter(|_| state.other().is_some()) {
        Some(info) => format!("Input of {}", info.name),
        None => "Input".into(),
    };
    let mut cells =
        vec![Cell { column: Column::Input, title, place: None, layer: Layer::Nothing, foot: String::new() }];
    let look = if is_other { &state.stages.other } else { &state.stages.look };
    let steps = look.refinement.steps.as_ref().map(|(_, steps)| steps);
    for (index, stage) in stages.iter().enumerate() {
        let of = |channel, against| MapOf { of: seen.ticket, kind, channel, against };
        let at = (is_other, Place::Stage(index));
        let layer = match state.stages.channel {
            Some((chosen, rank)) if chosen == index => {
                let map = maps.get(at, of(Some(rank), None), || {
                    let channel = stage.ranked_channels().get(rank).copied();
                    channel.and_then(|channel| channel_map(stage, channel))
                });
                map.map_or(Layer::Missing("–"), Layer::Map)
            }
            Some(_) => Layer::Missing("Not selected"),
            None if kind == MapKind::StageMask => {
                stage.linear_probe.as_ref().map_or(Layer::Missing("No stage read-out"), Layer::Mask)
            }
            None => match maps.get(at, of(None, None), || stage_map(stages, index, kind)) {
                Some(map) => Layer::Map(map),
                None if kind == MapKind::Change => Layer::Missing("First stage"),
                None => Layer::Missing("Computing…"),
            },
        };
        let mut foot = value_at(state, &layer);
        if kind == MapKind::StageMask && foot.is_empty() {
            let name = format!("Stage {}", stage.grid);
            let step = steps.and_then(|steps| steps.iter().find(|step| step.name == name));
            let counts = step.and_then(|step| step.counts);
            foot = counts.map_or(foot, |counts| scores(&counts));
        }
        let before = stages[..index].iter().filter(|before| before.grid == stage.grid).count();
        cells.push(Cell {
            column: Column::Stage(stage.grid, before),
            title: stage_name(stage.grid, index, stages.len()),
            place: Some(Place::Stage(index)),
            layer,
            foot,
        });
    }
    let prediction = &seen.inspection.prediction;
    let counts = seen.counts.table.confusion(state.settings.threshold);
    let layer = Layer::Mask(&prediction.probability);
    let mut foot = value_at(state, &Layer::Mask(&prediction.probability_model));
    if foot.is_empty() {
        foot = counts.map_or(foot, |counts| scores(&counts));
    }
    let title = if seen.overrides.is_some() { "Final mask, modified" } else { "Final mask" };
    cells.push(Cell { column: Column::Final, title: title.into(), place: Some(Place::Final), layer, foot });
    if let (Some(_), Some(shown)) = (&seen.overrides, &state.shown) {
        let of = MapOf { of: seen.ticket, kind, channel: None, against: Some(shown.ticket) };
        let map = maps.get((is_other, Place::Difference), of, || {
            Some(difference(&prediction.probability_model, &shown.prediction.probability_model))
        });
        let layer = map.map_or(Layer::Nothing, Layer::Map);
        let foot = value_at(state, &layer);
        let (column, title) = (Column::Difference, "Modified − original".into());
        cells.push(Cell { column, title, place: Some(Place::Difference), layer, foot });
    }
    cells
}

fn scores(counts: &crate::metrics::Confusion) -> String {
    format!("Dice {:.3}, IoU {:.3}{PER_IMAGE}", counts.dice(), counts.iou())
}

/// Returns the value under the pointer.
fn value_at(state: &State, layer: &Layer<'_>) -> String {
    let plane = match layer {
        Layer::Map(map) => &map.plane,
        Layer::Mask(plane) => plane,
        _ => return String::new(),
    };
    let Some(pointer) = state.stages.pointer else { return String::new() };
    let at = |share: f32, size: usize| ((share * size as f32) as usize).min(size.saturating_sub(1));
    let value = plane.values[at(pointer.y, plane.height) * plane.width + at(pointer.x, plane.width)];
    format!("{value:.2} here").replace('-', "−")
}

fn draw(
    ui: &mut Ui,
    state: &mut State,
    commands: &mut Vec<Command>,
    cell: &Cell<'_>,
    (is_other, of): (bool, u64),
    rect: Rect,
    shape: [usize; 2],
) -> Option<Pos2> {
    let palette = theme::palette(ui.visuals());
    let response = ui.interact(rect, ui.scope_id().with((&cell.title, is_other)), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{}, picture", cell.title)));
    let part = state.stages.seen_part;
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(0.0, TITLE)));
    painter.rect_filled(rect, 0.0, Color32::BLACK);
    let texture = texture(ui, state, cell, (is_other, of), shape);
    let is_alone = state.settings.stages.is_alone && texture.is_some();
    if let (Some(base), false) = (&state.stages.base.texture, is_alone) {
        painter.image(base.id(), rect, part, Color32::WHITE);
    }
    if let Some(texture) = texture {
        let opacity = if is_alone { 1.0 } else { state.settings.stages.opacity };
        painter.image(texture.id(), rect, part, Color32::WHITE.gamma_multiply(opacity));
    }
    if let Layer::Missing(words) = cell.layer {
        let font = FontId::proportional(12.5);
        painter.text(rect.center(), eframe::egui::Align2::CENTER_CENTER, words, font, theme::OVER_PICTURE);
    }
    let mut line = |at: Pos2, height: f32, words: RichText| {
        let room = Rect::from_min_size(at, vec2(rect.width(), height));
        let layout = Layout::left_to_right(Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(room).layout(layout), |ui| {
            ui.add(Label::new(words.color(palette.canvas_text)).truncate());
        });
    };
    let is_wide = |words: &str, size: f32| {
        let font = FontId::proportional(size);
        painter.layout_no_wrap(words.to_owned(), font, Color32::WHITE).size().x > rect.width()
    };
    // A narrow cell shows the title without what stands in brackets, and only the first score with its convention.
    let title = match cell.title.split_once(" (") {
        Some((brief, _)) if is_wide(&cell.title, 13.5) => brief,
        _ => &cell.title,
    };
    line(rect.left_top() - vec2(0.0, TITLE), TITLE, RichText::new(title).size(13.5));
    if !cell.foot.is_empty() {
        let brief = cell.foot.split_once(',').filter(|_| cell.foot.ends_with(PER_IMAGE));
        let foot = match brief {
            Some((first, _)) if is_wide(&cell.foot, 12.0) => format!("{first}{PER_IMAGE}"),
            _ => cell.foot.clone(),
        };
        line(rect.left_bottom(), FOOT, RichText::new(foot).size(12.0));
    }
    crosshair(ui, state, rect);
    interact(ui, &response, rect, part, commands)
}

fn texture(
    ui: &Ui,
    state: &mut State,
    cell: &Cell<'_>,
    (is_other, of): (bool, u64),
    shape: [usize; 2],
) -> Option<TextureHandle> {
    let settings = &state.settings;
    let truth = state.truth_mask().filter(|_| state.show_truth);
    let place = cell.place?;
    let is_over_picture = !settings.stages.is_alone;
    let mut pane =
        Pane { of, is_other, place, kind: None, channel: None, mask: None, is_over_picture, against: None };
    match &cell.layer {
        Layer::Map(map) => {
            pane.kind = Some(settings.stages.kind);
            pane.channel = state.stages.channel.map(|(_, rank)| rank);
            pane.against = state.shown.as_ref().filter(|_| place == Place::Difference).map(|shown| shown.ticket);
            Some(
                state
                    .stages
                    .pictures
                    .texture(ui.ctx(), pane, TextureOptions::LINEAR, || map_picture(map, is_over_picture)),
            )
        }
        Layer::Mask(plane) => {
            let threshold = settings.threshold;
            pane.mask = Some((threshold, truth.as_ref().map(|(ticket, _)| *ticket), settings.colours.overlay()));
            let colours = settings.colours.overlay();
            let mask = truth.as_ref().map(|(_, mask)| mask.clone());
            Some(state.stages.pictures.texture(ui.ctx(), pane, TextureOptions::LINEAR, || {
                mask_picture(plane, shape, threshold, mask.as_deref(), colours)
            }))
        }
        Layer::Nothing | Layer::Missing(_) => None,
    }
}

/// Draws the pointer position in every image.
fn crosshair(ui: &Ui, state: &State, rect: Rect) {
    let Some(pointer) = state.stages.pointer else { return };
    let part = state.stages.seen_part;
    let at = rect.min + (pointer - part.min) / part.size() * rect.size();
    if rect.contains(at) {
        let stroke = Stroke::new(1.0, theme::OVER_PICTURE.gamma_multiply(0.8));
        ui.painter().circle_stroke(at, 4.0, Stroke::new(2.5, theme::BEHIND_WORDS));
        ui.painter().circle_stroke(at, 4.0, stroke);
    }
}

/// Handles zooming and panning. Returns the image point under the pointer.
fn interact(ui: &Ui, response: &Response, rect: Rect, part: Rect, commands: &mut Vec<Command>) -> Option<Pos2> {
    let mut push = |command| commands.push(Command::Stages(command));
    let share = |at: Pos2| part.min + (at - rect.min) / rect.size() * part.size();
    let pointer = response.hover_pos().map(share);
    if let Some(pointer) = pointer {
        let (scroll, zoom) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = (scroll / 200.0).exp() * zoom;
        if (factor - 1.0).abs() > 1e-4 {
            let size = part.size() / factor;
            let corner = pointer - (pointer - part.min) / factor;
            push(StagesCommand::Zoom(Rect::from_min_size(corner, size)));
        }
    }
    if response.dragged() {
        let moved = response.drag_delta() / rect.size() * part.size();
        push(StagesCommand::Zoom(part.translate(-moved)));
    }
    if response.double_clicked() {
        push(StagesCommand::Zoom(WHOLE));
    }
    pointer.map(|at| pos2(at.x.clamp(0.0, 1.0), at.y.clamp(0.0, 1.0)))
}
