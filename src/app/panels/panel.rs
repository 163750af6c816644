//! The panel trait: each panel is a type that describes its purpose, its place and how it is drawn.

use eframe::egui::Ui;

use crate::app::command::Command;
use crate::app::pane::PaneInfo;
use crate::app::state::State;

/// The frame around the content of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// No frame: the content fills the panel to its edges.
    Bare,
    /// A margin.
    Margin,
    /// A margin; the panel scrolls as a whole.
    Scrolled,
}

/// A panel. Its type is defined in its own file and listed in [`super::PANELS`].
pub trait Panel: Sync {
    /// Returns the name, title, help and default place.
    fn info(&self) -> &'static PaneInfo;

    /// Returns the current title.
    fn title(&self, _state: &State) -> String {
        self.info().title.to_owned()
    }

    /// Returns the frame around the content.
    fn around(&self) -> Around {
        Around::Scrolled
    }

    /// Returns the reason why the panel has nothing to show, as a sentence that says what to do; `None` if it has
    /// content. The sentence is drawn in place of the content.
    fn missing(&self, _state: &State) -> Option<&'static str> {
        None
    }

    /// Returns whether the panel is hidden for now, because it would be empty in a task that has not begun. It
    /// remains open and keeps its place. `is_front` says whether it is at the front of its stack.
    fn is_idle(&self, _state: &State, _is_front: bool) -> bool {
        false
    }

    /// Draws the content.
    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>);

    /// Returns whether a part of the content that serves as its tab has begun to be dragged. Called after the
    /// panel was drawn.
    fn is_dragged(&self, _ui: &Ui) -> bool {
        false
    }
}
