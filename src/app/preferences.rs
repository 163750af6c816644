//! Panels and keys as the user wants them.

use eframe::egui;

use super::HimixApp;
use super::actions;
use super::keys::{ActionId, Chord};
use super::notes::Kind;
use super::pane::Pane;
use super::tab::Tab;

/// Size of text in the presentation, in relation to that of the window.
const PRESENTED: f32 = 1.5;

impl HimixApp {
    /// Opens a panel in the layout that is shown, or in the one that has it, or closes it.
    pub(super) fn open_pane(&mut self, pane: Pane, is_open: bool) {
        let state = &mut self.state;
        let info = state.layouts.panes().get(pane);
        let has_it = |tab: &Tab| info.is_some_and(|info| info.place(*tab).is_some());
        let Some(tab) = Some(state.tab).filter(has_it).or_else(|| Tab::ALL.into_iter().find(has_it)) else {
            return;
        };
        if let Some(layout) = state.layouts.get_mut(tab) {
            layout.open(pane, is_open);
        }
        state.settings.layouts = state.layouts.stored();
        if is_open && tab != state.tab {
            self.show_tab(tab);
        }
    }

    /// Arranges the panels of the layout that is shown as they were meant. The worklist of an open folder stays.
    pub(super) fn reset_layout(&mut self) {
        let state = &mut self.state;
        state.layouts.reset(state.tab);
        let has_list = state.worklist.as_ref().is_some_and(|list| list.items.len() > 1);
        if let Some(layout) = state.layouts.get_mut(state.tab).filter(|_| has_list && state.tab == Tab::Read) {
            layout.open(Pane::WORKLIST, true);
        }
        state.settings.layouts = state.layouts.stored();
    }

    /// Begins or ends the presentation. It fills the screen with larger text; neither is remembered.
    pub(super) fn present(&mut self, ctx: &egui::Context, is_on: bool) {
        match (is_on, self.state.presentation) {
            (true, None) => {
                let zoom = ctx.zoom_factor();
                self.state.presentation = Some(zoom);
                ctx.set_zoom_factor(zoom * PRESENTED);
            }
            (false, Some(zoom)) => {
                self.state.presentation = None;
                ctx.set_zoom_factor(zoom);
            }
            _ => return,
        }
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(is_on));
    }

    /// Shows another task.
    pub(super) fn show_tab(&mut self, tab: Tab) {
        self.state.tab = tab;
        self.state.overlay_held = false;
    }

    /// Gives a key to an action and says who lost it.
    pub(super) fn bind(&mut self, action: ActionId, place: Option<usize>, chord: Chord) {
        let state = &mut self.state;
        let Some(action) = actions::find(action) else { return };
        if chord.is_reserved() {
            let text = format!(
                "“{chord}” stays what it is in every program. Choose another key for “{}”.",
                action.full_name()
            );
            return state.notes.add(Kind::Warning, text);
        }
        state.rebinding = None;
        for loser in state.settings.keys.bind(actions::all(), action, place, chord) {
            let text = format!("“{chord}” was taken from “{}” for “{}”.", loser.full_name(), action.full_name());
            state.notes.add(Kind::Info, text);
        }
    }

    /// Takes key number `place` from an action.
    pub(super) fn unbind(&mut self, action: ActionId, place: usize) {
        if let Some(action) = actions::find(action) {
            self.state.settings.keys.unbind(action, place);
        }
    }

    /// Gives an action its usual keys again, or all of them.
    pub(super) fn reset_keys(&mut self, action: Option<ActionId>) {
        let keys = &mut self.state.settings.keys;
        match action {
            Some(action) => {
                if let Some(action) = actions::find(action) {
                    keys.reset(actions::all(), action);
                }
            }
            None => keys.reset_all(),
        }
    }
}
