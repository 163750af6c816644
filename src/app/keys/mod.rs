//! Keys: what is pressed together, and which of that does what. What there is to do is declared in `actions`.

mod bindings;
mod chord;

pub use bindings::{ActionId, Bindings, Keyed};
pub use chord::Chord;
