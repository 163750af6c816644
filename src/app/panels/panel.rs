//! What a panel is: a type that says what it is for, where it stands and how it is drawn.

use eframe::egui::Ui;

use crate::app::command::Command;
use crate::app::pane::PaneInfo;
use crate::app::state::State;

/// What lies around the content of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// Nothing: the panel fills its place to the edges.
    Bare,
    /// A margin.
    Margin,
    /// A margin, and the panel scrolls as a whole.
    Scrolled,
}

/// A panel. Its type stands in its own file, and in the list [`super::PANELS`].
pub trait Panel: Sync {
    /// Name, title, help and place.
    fn info(&self) -> &'static PaneInfo;

    /// Its title now.
    fn title(&self, _state: &State) -> String {
        self.info().title.to_owned()
    }

    /// What lies around its content.
    fn around(&self) -> Around {
        Around::Scrolled
    }

    /// Why it has nothing to show for what is open, as a sentence that says what to do; `None` if it has. The sentence is drawn in its place.
    fn missing(&self, _state: &State) -> Option<&'static str> {
        None
    }

    /// Whether it stands aside for now, because it would be an empty box in a task that has not begun. It is open all the same, and keeps its
    /// place. `is_front` says whether it is in front of those that share its place.
    fn is_idle(&self, _state: &State, _is_front: bool) -> bool {
        false
    }

    /// Draws its content.
    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>);

    /// Whether something in it that stands for its tab has begun to be dragged. Asked after it was drawn.
    fn is_dragged(&self, _ui: &Ui) -> bool {
        false
    }
}
