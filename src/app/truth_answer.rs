//! How a ground truth, or labels, that do not match the image are handled.

/// How to handle a ground truth that does not match the image as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthAnswer {
    /// Resample it by its position in space.
    Resample,
    /// Place it on the image by voxel index.
    ByNumber,
    /// Place it on the slice that is shown.
    OnThisSlice,
}
