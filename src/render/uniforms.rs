//! The values that are passed to the shader with every frame.

use bytemuck::{Pod, Zeroable};

use crate::data::MOST_LABELS;
use crate::data::overlay::{OverlayColours, PREDICTION_OUTLINE, TRUTH_OUTLINE};

/// The number of colours of labels, as in the shader: one for each label and one for pixels without a label.
const LABEL_COLOURS: usize = MOST_LABELS + 1;

/// The position of the image in the viewport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The image position at the top left corner of the viewport, in pixels.
    pub corner: [f32; 2],
    /// The number of image pixels that the viewport spans along each axis.
    pub span: [f32; 2],
    /// The number of image pixels per screen pixel along each axis.
    pub step: [f32; 2],
}

/// The colours of the image view, 8-bit sRGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureColours {
    /// The colours of the mask and of its agreement with the ground truth.
    pub overlay: OverlayColours,
    /// The colour around the image.
    pub canvas: [u8; 3],
}

/// The layers and display options that are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Whether the mask is shown.
    pub prediction: bool,
    /// Whether the comparison with the ground truth is shown.
    pub truth: bool,
    /// Whether areas are filled.
    pub fill: bool,
    /// Whether outlines are drawn.
    pub contour: bool,
    /// Whether image pixels are interpolated.
    pub smooth: bool,
    /// Whether the grey scale is inverted.
    pub invert: bool,
    /// Whether the probability is shown as a heat map instead of the mask's fill.
    pub heat: bool,
    /// Whether false positives are hatched, so that the comparison does not depend on hues.
    pub hatch: bool,
    /// What is drawn of the labels.
    pub labels: Labels,
}

/// What is drawn of the labels of an annotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Labels {
    /// Nothing.
    #[default]
    Hidden,
    /// Every label in its colour, and of the prediction only its outline.
    Coloured,
    /// The active label takes the place of the prediction in the comparison with the ground truth.
    Mask,
    /// The active label takes the place of the ground truth in the comparison with the prediction.
    Truth,
}

/// The colours of the labels by their numbers, 8-bit sRGB; `None` for labels that are not shown. The first number
/// stands for pixels without a label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelColours {
    /// The colours.
    pub colours: Vec<Option<[u8; 3]>>,
    /// The number of the active label; 0 if there is none.
    pub active: u8,
}

/// How the overlay is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureStyle {
    /// The probability at and above which a pixel is foreground, 0…1, as in [`crate::data::is_foreground`].
    pub threshold: f32,
    /// The opacity of the fill, 0…1.
    pub opacity: f32,
    /// The opacity of the outlines, 0…1.
    pub outline_opacity: f32,
    /// The width of the outlines, in screen pixels.
    pub outline_px: f32,
    /// The image values that are displayed as black and as white.
    pub window: [f32; 2],
}

impl Show {
    /// Returns the settings as bits, beginning with `prediction` in the lowest bit.
    fn flags(self) -> u32 {
        let bits = [
            self.prediction,
            self.truth,
            self.fill,
            self.contour,
            self.smooth,
            self.invert,
            self.heat,
            self.hatch,
        ];
        let bits: u32 = bits.iter().enumerate().map(|(place, &bit)| u32::from(bit) << place).sum();
        bits | match self.labels {
            Labels::Hidden => 0,
            Labels::Coloured => LABELS,
            Labels::Mask => LABEL_IS_MASK,
            Labels::Truth => LABEL_IS_TRUTH,
        }
    }
}

/// The uniform block of `shaders/picture.wgsl`, in the same memory layout.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Uniforms {
    corner: [f32; 2],
    span: [f32; 2],
    /// The size of the image, in pixels.
    pub(super) size: [f32; 2],
    pub(super) step: [f32; 2],
    /// The number of texels per image pixel along each axis.
    pub(super) texels: f32,
    threshold: f32,
    opacity: f32,
    pub(super) flags: u32,
    outline: f32,
    outline_opacity: f32,
    /// The value that is displayed as black, and the reciprocal of the window width.
    pub(super) window: [f32; 2],
    /// The fill colours, which are transparent where the image is shown unchanged: see [`fill_at`].
    fill: [[f32; 4]; 8],
    prediction_outline: [f32; 4],
    truth_outline: [f32; 4],
    canvas: [f32; 4],
    /// The number of the active label.
    active: u32,
    /// The level of the image's texture that is sampled where the image is reduced.
    pub(super) level: f32,
    /// The sizes of the textures in texels: image, ground truth, labels and probability. They are added when the textures
    /// are on the device.
    pub(super) texture_sizes: [[f32; 2]; 4],
    padding: [u32; 2],
    /// The colours of the labels, which are transparent where nothing is drawn.
    labels: [[f32; 4]; LABEL_COLOURS],
}

/// Returns the index of a pixel's colour in the fills of [`Uniforms`]. It depends on whether the pixel is in the
/// mask, whether there is a ground truth to compare with, and whether the pixel is in the ground truth. The
/// shader computes the same index.
fn fill_at(is_predicted: bool, is_lesion: Option<bool>) -> usize {
    usize::from(is_predicted) + 2 * usize::from(is_lesion == Some(true)) + 4 * usize::from(is_lesion.is_some())
}

/// Returns the fill colours (red, green, blue, opacity, 0…1) by the index of [`fill_at`].
fn fills(colours: &OverlayColours) -> [[f32; 4]; 8] {
    let mut fills = [[0.0; 4]; 8];
    for is_predicted in [false, true] {
        for is_lesion in [None, Some(false), Some(true)] {
            if let Some(colour) = colours.of(is_predicted, is_lesion) {
                fills[fill_at(is_predicted, is_lesion)] = opaque(colour);
            }
        }
    }
    fills
}

/// Converts an 8-bit colour to red, green and blue, 0…1, with an opacity of 1.
fn opaque(colour: [u8; 3]) -> [f32; 4] {
    let [r, g, b] = colour.map(|part| f32::from(part) / 255.0);
    [r, g, b, 1.0]
}

impl Uniforms {
    /// Returns the part of a viewport of `size` pixels that the image covers, as left, top, width and height in
    /// pixels. Returns `None` if the image is not visible.
    pub(super) fn covered(&self, size: [u32; 2]) -> Option<[u32; 4]> {
        self.covered_by([0.0, 0.0, self.size[0], self.size[1]], size)
    }

    /// Returns the part of a viewport of `size` pixels that a box of the image covers, as left, top, width and height in
    /// pixels. The box has its left, top, right and bottom edges in image pixels. Returns `None` if nothing of it is
    /// visible.
    pub(super) fn covered_by(&self, [left, top, right, bottom]: [f32; 4], size: [u32; 2]) -> Option<[u32; 4]> {
        let ends = |axis: usize, [from, to]: [f32; 2]| {
            let pixel = |place: f32| (place - self.corner[axis]) / self.span[axis] * size[axis] as f32;
            let (from, to) = (pixel(from).floor().max(0.0), pixel(to).ceil().min(size[axis] as f32));
            (to > from).then_some([from as u32, (to - from) as u32])
        };
        let ([left, width], [top, height]) = (ends(0, [left, right])?, ends(1, [top, bottom])?);
        Some([left, top, width, height])
    }

    /// Creates the uniforms. The size of the image is added when the image is drawn.
    pub fn new(placement: Placement, show: Show, colours: &PictureColours, look: PictureStyle) -> Self {
        Self {
            corner: placement.corner,
            span: placement.span,
            size: [1.0; 2],
            step: placement.step,
            texels: 1.0,
            threshold: look.threshold,
            opacity: look.opacity,
            flags: show.flags(),
            outline: look.outline_px,
            outline_opacity: look.outline_opacity,
            window: [look.window[0], 1.0 / (look.window[1] - look.window[0]).max(f32::MIN_POSITIVE)],
            fill: fills(&colours.overlay),
            prediction_outline: opaque(PREDICTION_OUTLINE),
            truth_outline: opaque(TRUTH_OUTLINE),
            canvas: opaque(colours.canvas),
            active: 0,
            level: 0.0,
            texture_sizes: [[1.0; 2]; 4],
            padding: [0; 2],
            labels: [[0.0; 4]; LABEL_COLOURS],
        }
    }

    /// Adds the colours of the labels.
    pub fn with_labels(mut self, labels: &LabelColours) -> Self {
        self.active = u32::from(labels.active);
        for (place, colour) in self.labels.iter_mut().zip(&labels.colours) {
            *place = colour.map_or([0.0; 4], opaque);
        }
        self
    }
}

/// The flag of [`Show::prediction`], which requires the texture of the probability.
pub(super) const NEEDS_PREDICTION: u32 = 1;
/// The flag of [`Show::truth`], which requires the texture of the ground truth.
pub(super) const NEEDS_TRUTH: u32 = 2;
/// The flags of [`Labels`].
const LABELS: u32 = 1024;
const LABEL_IS_MASK: u32 = 2048;
pub(super) const LABEL_IS_TRUTH: u32 = 4096;
/// The flags that require the texture of the labels.
pub(super) const NEEDS_LABELS: u32 = LABELS | LABEL_IS_MASK | LABEL_IS_TRUTH;
/// The flag for a part of the image where no pixel has a label.
pub(super) const IS_UNLABELLED: u32 = 8192;
/// The flag for an image of values rather than colours.
pub(super) const HAS_VALUES: u32 = 256;
/// The flag for screen pixels that span more than two texels, so that one sample would skip some.
pub(super) const IS_REDUCED: u32 = 512;
/// The bits at which the numbers of samples of a reduced image begin, across and down.
pub(super) const SAMPLES: [u32; 2] = [16, 20];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::foreground::{THRESHOLD_STEPS, threshold_at};

    #[test]
    fn the_shader_gets_the_colours_and_thresholds_that_everything_else_has() {
        let (placement, style) = (
            Placement { corner: [0.0; 2], span: [1.0; 2], step: [1.0; 2] },
            PictureStyle {
                threshold: 0.5,
                opacity: 1.0,
                outline_opacity: 1.0,
                outline_px: 1.0,
                window: [0.0, 1.0],
            },
        );
        let colours = PictureColours { overlay: OverlayColours::PAPER, canvas: [0; 3] };
        for step in 0..=THRESHOLD_STEPS {
            let style = PictureStyle { threshold: threshold_at(step), ..style };
            let uniforms = Uniforms::new(placement, Show::default(), &colours, style);
            assert_eq!(uniforms.threshold.to_bits(), threshold_at(step).to_bits());
        }
        let fill = Uniforms::new(placement, Show::default(), &colours, style).fill;
        for is_predicted in [false, true] {
            for is_lesion in [None, Some(false), Some(true)] {
                let bytes = OverlayColours::PAPER.of(is_predicted, is_lesion);
                let [r, g, b, alpha] = fill[fill_at(is_predicted, is_lesion)];
                let drawn = (alpha > 0.0).then(|| [r, g, b].map(|part| (part * 255.0).round() as u8));
                assert_eq!(drawn, bytes, "{is_predicted} {is_lesion:?}");
            }
        }
    }
}
