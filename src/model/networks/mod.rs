//! The networks of this program, one folder each. Outside its folder, a network is named only in [`ALL`].

pub mod guidedecoder;
pub mod himix;
pub mod lvit;
pub mod medsam;
pub mod mmiunet;
pub mod transunet;
pub mod unet;

use super::registry::Entry;

/// All networks. The first one is assumed for a bundle without a tag.
pub const ALL: &[Entry] = &[
    himix::ENTRY,
    guidedecoder::ENTRY,
    lvit::ENTRY,
    medsam::ENTRY,
    mmiunet::ENTRY,
    transunet::ENTRY,
    unet::ENTRY,
];
