//! Draws the image with its overlay on the graphics device.
//!
//! The image, the probability and the ground truth are textures that are uploaded when they change. Threshold,
//! opacity, colours, zoom and pan are uniforms: changing them uploads nothing else.

mod content;
mod paint;
mod resources;
mod textures;
mod uniforms;

pub use content::Paint;
pub use paint::Picture;
pub use resources::Pipeline;
pub use textures::{ImageLayer, ProbabilityLayer, TruthLayer};
pub use uniforms::{PictureColours, PictureStyle, Placement, Show, Uniforms};
