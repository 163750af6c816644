//! The commands of the builder, and whose sides the open image has.

use super::command::BuilderCommand;
use super::{Offer, Whose};
use crate::app::HimixApp;
use crate::app::state::State;

impl Whose {
    /// Returns the sides for the open image: those of the patient only if the file says which side is which.
    pub fn of(state: &State) -> Self {
        let image = state.document.image.as_ref();
        Self::new(state.builder.left, image.and_then(|open| open.volume.geometry.sides?.is_mirrored()))
    }
}

impl HimixApp {
    /// Applies a command of the builder.
    pub(in crate::app) fn apply_builder(&mut self, command: BuilderCommand) {
        let builder = &mut self.state.builder;
        match command {
            BuilderCommand::Sides(left) => builder.left = left,
            BuilderCommand::Show(grammar) => {
                builder.chosen = Some((grammar, builder.parsed.grammar()));
                builder.offer = None;
            }
            BuilderCommand::Offer(prompt) => {
                builder.offer = prompt.map(|prompt| Offer { of: builder.text.clone(), prompt });
            }
        }
    }
}
