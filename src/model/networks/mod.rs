//! The networks of this program, one a folder. Nothing outside a folder names it, but for its line in [`ALL`].

pub mod himix;

use super::registry::Entry;

/// All of them; the first is the one that a bundle without a tag has.
pub const ALL: &[Entry] = &[himix::ENTRY];
