//! Draws the image with its overlay on the graphics device.
//!
//! The image, the probability, the ground truth and the labels are textures that are uploaded when they change. Threshold,
//! opacity, colours, zoom and pan are uniforms: changing them uploads nothing else.

mod content;
mod paint;
mod reduction;
mod resources;
mod textures;
mod uniforms;

pub use content::Paint;
pub use paint::Picture;
pub use resources::Pipeline;
pub use textures::{ImageLayer, LabelLayer, ProbabilityLayer, TruthLayer};
pub use uniforms::{LabelColours, Labels, PictureColours, PictureStyle, Placement, Show, Uniforms};
