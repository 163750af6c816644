//! Keyboard chords and the actions they are bound to. The actions are declared in `actions`.

mod bindings;
mod chord;

pub use bindings::{ActionId, Bindings, Keyed};
pub use chord::Chord;
