//! Changes to panels, layouts and keys.

use eframe::egui;

use super::HimixApp;
use super::actions;
use super::keys::{ActionId, Chord};
use super::notes::Kind;
use super::pane::Pane;
use super::tab::Tab;

/// The text size during a presentation relative to that of the window.
const PRESENTED: f32 = 1.5;

impl HimixApp {
    /// Opens a panel in the current layout, or in the layout that contains it, or closes it.
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

    /// Restores the default panel arrangement of the current layout. The worklist of an open folder stays.
    pub(super) fn reset_layout(&mut self) {
        let state = &mut self.state;
        state.layouts.reset(state.tab);
        let has_list = state.worklist.as_ref().is_some_and(|list| list.items.len() > 1);
        let shows_list = has_list && matches!(state.tab, Tab::Read | Tab::Annotate);
        if let Some(layout) = state.layouts.get_mut(state.tab).filter(|_| shows_list) {
            layout.open(Pane::WORKLIST, true);
        }
        state.settings.layouts = state.layouts.stored();
    }

    /// Starts or ends the presentation, which fills the screen and enlarges the text; neither is saved.
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

    /// Switches to another task.
    pub(super) fn show_tab(&mut self, tab: Tab) {
        let training = &self.state.training;
        // What was wrong with the data may have been mended meanwhile, for instance by saving a pair.
        let is_outdated = training.has_new_pairs || matches!(training.estimated, Some(Err(_)));
        if tab == Tab::Train && self.state.tab != tab && is_outdated {
            self.look_at_form();
        }
        self.state.tab = tab;
        self.state.overlay_held = false;
    }

    /// Assigns a key to an action and tells the user which action lost it.
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

    /// Removes the key at position `place` from an action.
    pub(super) fn unbind(&mut self, action: ActionId, place: usize) {
        if let Some(action) = actions::find(action) {
            self.state.settings.keys.unbind(action, place);
        }
    }

    /// Restores the default keys of one action, or of all actions.
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
