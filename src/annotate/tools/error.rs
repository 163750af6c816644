//! The reasons for which a tool refuses.

/// The reason why a tool made no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// A length in mm was given, and the pixel size is not known.
    #[error("The pixel size of this image is not known, so lengths in mm cannot be used. Choose pixels.")]
    NoPixelSize,
    /// A length across slices was given, and the distance between slices is not known.
    #[error("The distance between the slices is not known, so this works in single slices only.")]
    NoSliceDistance,
    /// A volume was given for single slices, or an area for a stack.
    #[error("In single slices a size is an area in mm², in a stack a volume in mm³.")]
    WrongUnit,
    /// A length or size is not a positive number.
    #[error("The size must be a positive number.")]
    NotPositive,
    /// The point lies outside the image.
    #[error("The point lies outside the image.")]
    Outside,
    /// The point lies where the tool may not go: outside the region it is confined to, or on a pixel without a value.
    #[error("The tool cannot start at this point.")]
    Blocked,
    /// There is no probability map for this slice.
    #[error("There is no prediction for this slice. Enter a prompt first.")]
    NoProbability,
    /// The masks differ in size.
    #[error("The masks differ in size.")]
    Sizes,
}
