//! The docked panels of a task: dragged by their tabs, resized at their edges, closed, and opened from the View
//! menu.

use std::collections::HashSet;

use eframe::egui::{
    self, Color32, Frame, Label, Margin, Rect, Response, RichText, ScrollArea, Stroke, Style, Ui, Visuals,
    WidgetText,
};
use egui_tiles::{
    Behavior, Container, EditAction, ResizeState, SimplificationOptions, TabState, Tabs, Tile, TileId, Tiles,
    Tree, UiResponse,
};

use super::panel::{Around, Panel};
use crate::app::command::Command;
use crate::app::pane::{Pane, Panes};
use crate::app::state::State;
use crate::app::theme;

/// The height of a tab bar, and the gap between two panels, which serves as the splitter, in points.
const BAR: f32 = 23.0;
const GAP: f32 = 4.0;
/// Half the width of the area in which the pointer can grab a splitter, in points.
const GRAB: f32 = 5.0;

/// Draws those of `panels` that belong to the current task, and returns the rectangle of its main panel.
pub fn show(
    ui: &mut Ui,
    state: &mut State,
    panels: &'static [&'static dyn Panel],
    commands: &mut Vec<Command>,
) -> Rect {
    let tab = state.tab;
    let room = ui.available_rect_before_wrap();
    let idle = idle(state, panels);
    let Some(layout) = state.layouts.get_mut(tab) else { return room };
    layout.set_aside(&idle);
    layout.fit(room.size(), GAP, BAR);
    // The panels receive the whole state, so the tree is taken out of it while they are drawn.
    let mut tree = std::mem::replace(layout.tree(), Tree::empty(egui::Id::unique("no layout")));
    let bare = bare(&tree.tiles, state.layouts.panes());
    let mut dock = Dock { state, panels, commands, bare, is_edited: false };
    ui.scope(|ui| {
        ui.style_mut().interaction.resize_grab_radius_side = GRAB;
        tree.ui(&mut dock, ui);
    });
    let is_edited = dock.is_edited;
    let mut hero = room;
    let heroes: Vec<Pane> =
        state.layouts.panes().of(tab).filter(|info| info.is_hero).map(|info| info.pane).collect();
    if let Some(layout) = state.layouts.get_mut(tab) {
        *layout.tree() = tree;
        layout.bring_back(&idle);
        let found = heroes.into_iter().find(|pane| layout.is_seen(*pane));
        hero = found.and_then(|pane| layout.rect(pane)).unwrap_or(room);
    }
    if is_edited {
        commands.push(Command::KeepLayout);
    }
    hero
}

/// Returns the open panels that are idle, each with whether it is at the front of its stack.
fn idle(state: &State, panels: &[&dyn Panel]) -> Vec<(Pane, bool)> {
    let Some(layout) = state.layouts.get(state.tab) else { return Vec::new() };
    let is_open = |pane: Pane| layout.is_open(pane) && !layout.is_requested(pane);
    let open = panels.iter().filter(|panel| is_open(panel.info().pane));
    open.filter_map(|panel| {
        let pane = panel.info().pane;
        let is_front = layout.is_seen(pane);
        panel.is_idle(state, is_front).then_some((pane, is_front))
    })
    .collect()
}

/// Returns the stacks with a single panel that needs no tab: the main panel, or a panel that draws its own title.
fn bare(tiles: &Tiles<Pane>, panes: &Panes) -> HashSet<TileId> {
    let is_bare = |tabs: &Tabs| {
        let mut seen = tabs.children.iter().filter(|tile| tiles.is_visible(**tile));
        let (only, another) = (seen.next(), seen.next());
        let info = only.and_then(|tile| panes.get(*tiles.get_pane(tile)?));
        another.is_none() && info.is_some_and(|info| info.is_hero || info.is_named)
    };
    let stacks = tiles.iter().filter_map(|(id, tile)| match tile {
        Tile::Container(Container::Tabs(tabs)) if is_bare(tabs) => Some(*id),
        _ => None,
    });
    stacks.collect()
}

struct Dock<'a> {
    state: &'a mut State,
    panels: &'static [&'static dyn Panel],
    commands: &'a mut Vec<Command>,
    /// The stacks without a tab bar.
    bare: HashSet<TileId>,
    is_edited: bool,
}

impl Dock<'_> {
    fn panel(&self, pane: Pane) -> Option<&'static dyn Panel> {
        self.panels.iter().copied().find(|panel| panel.info().pane == pane)
    }
}

impl Behavior<Pane> for Dock<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        let Some(panel) = self.panel(*pane) else { return UiResponse::None };
        let Self { state, commands, .. } = self;
        let mut show = |ui: &mut Ui| match panel.missing(state) {
            Some(words) => drop(ui.add(Label::new(RichText::new(words).weak()).wrap())),
            None => panel.show(ui, state, commands),
        };
        match panel.around() {
            Around::Bare => show(ui),
            Around::Margin => plain(ui, show),
            Around::Scrolled => plain(ui, |ui| {
                ScrollArea::vertical().id_salt(pane.name()).auto_shrink(false).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    show(ui);
                    ui.add_space(4.0);
                });
            }),
        }
        if panel.is_dragged(ui) { UiResponse::DragStarted } else { UiResponse::None }
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        let title = self.panel(*pane).map(|panel| panel.title(self.state)).unwrap_or_default();
        RichText::new(title).size(12.5).into()
    }

    fn on_tab_button(&mut self, tiles: &mut Tiles<Pane>, tile: TileId, response: Response) -> Response {
        let info = tiles.get_pane(&tile).and_then(|pane| self.panel(*pane)).map(|panel| panel.info());
        let Some(info) = info else { return response };
        if !info.is_hero {
            response.context_menu(|ui| {
                if ui.button(format!("Close “{}”", info.title)).clicked() {
                    self.commands.push(Command::OpenPane(info.pane, false));
                }
                if ui.button("Reset the layout").clicked() {
                    self.commands.push(Command::ResetLayout);
                }
            });
        }
        let words = "Drag to move the panel; right-click to close it. The View menu opens it again.";
        response.on_hover_text(format!("{}\n{words}", info.help))
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

/// Draws `content` on the background of a panel, with its margin.
fn plain<T>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> T) -> T {
    Frame::new()
        .inner_margin(Margin::symmetric(8, 5))
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            content(ui)
        })
        .inner
}
