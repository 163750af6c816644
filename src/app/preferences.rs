//! Panels and keys as the user wants them.

use eframe::egui;

use super::HimixApp;
use super::keys::{Action, Chord};
use super::layout::Pane;
use super::notes::Kind;
use super::state::Tab;

/// Size of text in the presentation, in relation to that of the window.
const PRESENTED: f32 = 1.5;

impl HimixApp {
    /// Opens a panel in the layout that is shown, or in the one that has it, or closes it.
    pub(super) fn open_pane(&mut self, pane: Pane, is_open: bool) {
        let state = &mut self.state;
        let has_it = |tab: &Tab| tab.panes().contains(&pane);
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
            layout.open(Pane::Worklist, true);
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
    pub(super) fn bind(&mut self, action: Action, place: Option<usize>, chord: Chord) {
        let state = &mut self.state;
        if chord.is_reserved() {
            let text = format!(
                "“{chord}” stays what it is in every program. Choose another key for “{}”.",
                action.name()
            );
            return state.notes.add(Kind::Warning, text);
        }
        state.rebinding = None;
        for loser in state.settings.keys.bind(action, place, chord) {
            let text = format!("“{chord}” was taken from “{}” for “{}”.", loser.name(), action.name());
            state.notes.add(Kind::Info, text);
        }
    }
}
