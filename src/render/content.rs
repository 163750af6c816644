//! What is drawn in one place of a frame.

use super::textures::{ImageLayer, LabelLayer, ProbabilityLayer, TruthLayer};
use super::uniforms::Uniforms;

/// The content of a frame.
#[derive(Clone, Debug)]
pub struct Paint {
    /// The number of the place in the frame; each place has a probability of its own, and all have the same image,
    /// ground truth and labels.
    pub place: u32,
    /// The image.
    pub image: ImageLayer,
    /// The probability, if there is a prediction.
    pub probability: Option<ProbabilityLayer>,
    /// The ground truth, if there is one.
    pub truth: Option<TruthLayer>,
    /// The labels of the annotation, if there is one.
    pub labels: Option<LabelLayer>,
    /// The threshold, colours, zoom and other parameters of the shader.
    pub uniforms: Uniforms,
}
