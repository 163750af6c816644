//! The panels of a task in their places: dragged by their tabs, sized at their edges, closed and opened from the View menu.

use std::collections::HashSet;

use eframe::egui::{
    self, Color32, Frame, Margin, Rect, Response, RichText, ScrollArea, Stroke, Style, Ui, Visuals, WidgetText,
};
use egui_tiles::{
    Behavior, Container, EditAction, ResizeState, SimplificationOptions, TabState, Tabs, Tile, TileId, Tiles,
    Tree, UiResponse,
};

use super::{canvas, information, level, model, pages, prompt, prompts, result, stages, train, worklist};
use crate::app::command::Command;
use crate::app::layout::{Pane, fit};
use crate::app::state::{State, Tab};
use crate::app::theme;
use crate::render::Picture;

/// Height of a bar of tabs, and the space between two panels, which is the splitter, in points.
const BAR: f32 = 23.0;
const GAP: f32 = 4.0;
/// Half of the width in which the pointer takes hold of a splitter, in points.
const GRAB: f32 = 5.0;

/// Draws the panels of the task that is open, and returns where its hero is.
pub fn show(ui: &mut Ui, state: &mut State, picture: &Picture, commands: &mut Vec<Command>) -> Rect {
    let tab = state.tab;
    let room = ui.available_rect_before_wrap();
    let Some(layout) = state.layouts.get_mut(tab) else { return room };
    // The panels see all of the state, so the tree is not within it while they are drawn.
    let mut tree = std::mem::replace(layout.tree(), Tree::empty(egui::Id::unique("no layout")));
    let idle = hide_idle(&mut tree, state);
    if let Some(root) = tree.root() {
        fit(&mut tree.tiles, root, room.size(), GAP, BAR);
    }
    let bare = bare(&tree.tiles);
    let mut dock = Dock { state, picture, commands, bare, is_edited: false };
    ui.scope(|ui| {
        ui.style_mut().interaction.resize_grab_radius_side = GRAB;
        tree.ui(&mut dock, ui);
    });
    let is_edited = dock.is_edited;
    // They are open all the same: their places stay theirs.
    for (tile, is_front) in idle {
        tree.set_visible(tile, true);
        if is_front {
            tree.make_active(|id, _| id == tile);
        }
    }
    let mut hero = room;
    if let Some(layout) = state.layouts.get_mut(tab) {
        *layout.tree() = tree;
        let found = tab.panes().iter().find(|pane| pane.is_hero() && layout.is_seen(**pane));
        hero = found.and_then(|pane| layout.rect(*pane)).unwrap_or(room);
    }
    if is_edited {
        commands.push(Command::KeepLayout);
    }
    hero
}

/// Hides the open panels of a training run for as long as there is none: four boxes that only say that they are empty. Returns
/// them, each with whether it was in front of those that share its place.
fn hide_idle(tree: &mut Tree<Pane>, state: &State) -> Vec<(TileId, bool)> {
    if state.tab != Tab::Train || state.training.run.is_some() {
        return Vec::new();
    }
    let mut panes = vec![Pane::Cases, Pane::Curves, Pane::Log];
    if state.training.comparison.is_none() {
        panes.push(Pane::Comparison);
    }
    let tiles: Vec<TileId> = panes.iter().filter_map(|pane| tree.tiles.find_pane(pane)).collect();
    let mut hidden: Vec<TileId> = tiles.into_iter().filter(|tile| tree.is_visible(*tile)).collect();
    // Messages, where nobody has opened them and there are none.
    let messages = tree.tiles.find_pane(&Pane::Messages).filter(|tile| tree.is_visible(*tile));
    let front = tree.active_tiles();
    hidden.extend(messages.filter(|tile| !front.contains(tile) && state.notes.log().next().is_none()));
    hidden.iter().for_each(|tile| tree.set_visible(*tile, false));
    hidden.into_iter().map(|tile| (tile, front.contains(&tile))).collect()
}

/// Stacks of one panel that needs no tab: what the layout is for, and the prompt, which is drawn with its name.
fn bare(tiles: &Tiles<Pane>) -> HashSet<TileId> {
    let is_bare = |tabs: &Tabs| {
        let mut seen = tabs.children.iter().filter(|tile| tiles.is_visible(**tile));
        let (only, another) = (seen.next(), seen.next());
        let pane = only.and_then(|tile| tiles.get_pane(tile));
        another.is_none() && pane.is_some_and(|pane| pane.is_hero() || *pane == Pane::Prompt)
    };
    let stacks = tiles.iter().filter_map(|(id, tile)| match tile {
        Tile::Container(Container::Tabs(tabs)) if is_bare(tabs) => Some(*id),
        _ => None,
    });
    stacks.collect()
}

struct Dock<'a> {
    state: &'a mut State,
    picture: &'a Picture,
    commands: &'a mut Vec<Command>,
    /// Stacks without a bar of tabs.
    bare: HashSet<TileId>,
    is_edited: bool,
}

impl Behavior<Pane> for Dock<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        let Self { state, picture, commands, .. } = self;
        match pane {
            Pane::Picture => canvas::show(ui, state, picture, commands),
            Pane::Stages => stages::show(ui, state, commands),
            Pane::Settings => plain(ui, |ui| train::settings(ui, state, commands)),
            Pane::Worklist => plain(ui, |ui| worklist::show(ui, state, commands)),
            Pane::Prompt => {
                let is_dragged = plain(ui, |ui| prompt::show(ui, state, commands));
                return if is_dragged { UiResponse::DragStarted } else { UiResponse::None };
            }
            Pane::Log => plain(ui, |ui| train::log(ui, state)),
            pane => plain(ui, |ui| {
                ScrollArea::vertical().id_salt(pane.title()).auto_shrink(false).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    scrolled(ui, *pane, state, commands);
                    ui.add_space(4.0);
                });
            }),
        }
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        let unread = if *pane == Pane::Messages { self.state.notes.unread() } else { 0 };
        let title = if unread > 0 { format!("{} ({unread})", pane.title()) } else { pane.title().to_owned() };
        RichText::new(title).size(12.5).into()
    }

    fn on_tab_button(&mut self, tiles: &mut Tiles<Pane>, tile: TileId, response: Response) -> Response {
        let pane = tiles.get_pane(&tile).copied();
        if let Some(pane) = pane.filter(|pane| !pane.is_hero()) {
            response.context_menu(|ui| {
                if ui.button(format!("Close “{}”", pane.title())).clicked() {
                    self.commands.push(Command::OpenPane(pane, false));
                }
                if ui.button("Reset the layout").clicked() {
                    self.commands.push(Command::ResetLayout);
                }
            });
        }
        response.on_hover_text("Drag to move the panel; right click to close it. The View menu opens it again.")
    }

    fn tab_bar_height(&self, _style: &Style) -> f32 {
        BAR
    }

    fn is_tab_bar_visible(&self, tile: TileId, _tabs: &Tabs) -> bool {
        !self.bare.contains(&tile)
    }

    fn gap_width(&self, _style: &Style) -> f32 {
        GAP
    }

    fn min_size(&self) -> f32 {
        60.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn resize_stroke(&self, style: &Style, state: ResizeState) -> Stroke {
        let palette = theme::palette(&style.visuals);
        match state {
            ResizeState::Idle => Stroke::new(1.0, palette.line),
            ResizeState::Hovering | ResizeState::Dragging => Stroke::new(GAP - 1.0, palette.accent),
        }
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> Color32 {
        theme::palette(visuals).bar
    }

    fn tab_bg_color(&self, visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> Color32 {
        if state.active { theme::palette(visuals).panel } else { Color32::TRANSPARENT }
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(&self, visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> Color32 {
        let palette = theme::palette(visuals);
        if state.active { palette.text } else { palette.weak }
    }

    fn on_edit(&mut self, action: EditAction) {
        self.is_edited |= action != EditAction::TileDragged;
    }
}

/// A panel's ground and margin.
fn plain<T>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> T) -> T {
    Frame::new()
        .inner_margin(Margin::symmetric(8, 5))
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            content(ui)
        })
        .inner
}

/// The content of the panels that scroll as a whole.
fn scrolled(ui: &mut Ui, pane: Pane, state: &mut State, commands: &mut Vec<Command>) {
    match pane {
        Pane::Result => result::show(ui, state, commands),
        Pane::Information => information::show(ui, state, commands),
        Pane::Window => level::show(ui, state, commands),
        Pane::Model => model::show(ui, state, commands),
        Pane::Past => prompts::past(ui, state, commands),
        Pane::Messages => pages::messages(ui, state),
        Pane::Run => train::run(ui, state, commands),
        Pane::Cases => train::cases(ui, state, commands),
        Pane::Curves => train::curves(ui, state, commands),
        Pane::Comparison => train::comparison(ui, state, commands),
        Pane::WhatIf | Pane::Spectrum | Pane::Fusion | Pane::Numbers | Pane::Sweep => {
            stages::side(ui, pane, state, commands);
        }
        // These do not scroll as a whole.
        Pane::Picture | Pane::Stages | Pane::Settings | Pane::Worklist | Pane::Prompt | Pane::Log => {}
    }
}
