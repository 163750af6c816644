//! Sample cases: synthetic images with a mask and a prompt, which are drawn on request.

use super::phantom::{Kind, Phantom, phantom};

/// Side of the square images, in pixels.
const SIDE: usize = 448;

/// A sample case, which is drawn from a fixed seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleCase {
    /// Title of the case.
    pub title: &'static str,
    /// Kind of image.
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
    /// Draws the case at 448 × 448 pixels.
    pub fn make(&self) -> Phantom {
        phantom(self.kind, self.seed, self.index, SIDE)
    }

    /// Draws the case at `side × side` pixels, for a thumbnail. Its noise differs from that of the full image.
    pub fn thumbnail(&self, side: usize) -> Phantom {
        phantom(self.kind, self.seed, self.index, side)
    }
}
