//! Panels and keys as the user wants them.

use super::HimixApp;
use super::actions;
use super::keys::{ActionId, Chord};
use super::notes::Kind;
use super::pane::Pane;
use super::tab::Tab;

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
