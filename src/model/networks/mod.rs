//! The networks of this program, one folder each. Outside its folder, a network is named only in [`ALL`].

pub mod himix;
pub mod medsam;

use super::registry::Entry;

/// All networks. The first one is assumed for a bundle without a tag.
pub const ALL: &[Entry] = &[himix::ENTRY, medsam::ENTRY];
