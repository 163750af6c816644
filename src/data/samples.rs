//! Cases to try the program on, made when they are asked for: phantoms, each with a mask and a prompt.

use super::phantom::{Kind, Phantom, phantom};

/// Pixels a side.
const SIDE: usize = 448;

/// A sample case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleCase {
    /// What it is called.
    pub title: &'static str,
    /// What it shows.
    pub kind: Kind,
    seed: u64,
    index: u64,
}

/// The sample cases: two of each kind.
pub const SAMPLES: [SampleCase; 6] = [
    SampleCase { title: "Chest X-ray 1", kind: Kind::Xray, seed: 11, index: 1 },
    SampleCase { title: "CT slice 1", kind: Kind::Ct, seed: 11, index: 2 },
    SampleCase { title: "Endoscopy 1", kind: Kind::Endoscopy, seed: 11, index: 3 },
    SampleCase { title: "Chest X-ray 2", kind: Kind::Xray, seed: 11, index: 4 },
    SampleCase { title: "CT slice 2", kind: Kind::Ct, seed: 11, index: 5 },
    SampleCase { title: "Endoscopy 2", kind: Kind::Endoscopy, seed: 11, index: 6 },
];

impl SampleCase {
    /// Draws it.
    pub fn make(&self) -> Phantom {
        phantom(self.kind, self.seed, self.index, SIDE)
    }

    /// Draws it at `side × side` pixels, for a thumbnail; its grain differs from that of the case itself.
    pub fn thumbnail(&self, side: usize) -> Phantom {
        phantom(self.kind, self.seed, self.index, side)
    }
}
