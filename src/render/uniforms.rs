//! The numbers that the shader gets with every frame.

use bytemuck::{Pod, Zeroable};

use crate::data::overlay::{OverlayColours, PREDICTION_OUTLINE, TRUTH_OUTLINE};

/// Where the image lies in the viewport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Position in the image, in pixels, at the top left of the viewport.
    pub corner: [f32; 2],
    /// Pixels of the image that the viewport spans.
    pub span: [f32; 2],
    /// Pixels of the image for each pixel of the screen.
    pub step: [f32; 2],
}

/// Colours of the picture, 8-bit sRGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureColours {
    /// Of the mask and of its agreement with the ground truth.
    pub overlay: OverlayColours,
    /// Around the picture.
    pub canvas: [u8; 3],
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// The mask.
    pub prediction: bool,
    /// The comparison with the truth.
    pub truth: bool,
    /// Areas filled.
    pub fill: bool,
    /// Outlines.
    pub contour: bool,
    /// Interpolation between the pixels of the image.
    pub smooth: bool,
    /// Black and white exchanged.
    pub invert: bool,
    /// The probability as a heat map in place of the mask's fill.
    pub heat: bool,
    /// False positives hatched, so that the comparison does not depend on hues.
    pub hatch: bool,
}

/// How the overlay is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureStyle {
    /// Probability from which a pixel is foreground, 0…1, as it is in [`crate::data::is_foreground`].
    pub threshold: f32,
    /// Opacity of the fill, 0…1.
    pub opacity: f32,
    /// Opacity of the outlines, 0…1.
    pub outline_opacity: f32,
    /// Width of the outlines in screen pixels.
    pub outline_px: f32,
    /// Values of the image that are black and white.
    pub window: [f32; 2],
}

impl Show {
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
        bits.iter().enumerate().map(|(place, &bit)| u32::from(bit) << place).sum()
    }
}

/// The uniform block of `shaders/picture.wgsl`, in its layout.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Uniforms {
    corner: [f32; 2],
    span: [f32; 2],
    pub(super) size: [f32; 2],
    pub(super) step: [f32; 2],
    pub(super) texels: f32,
    threshold: f32,
    opacity: f32,
    pub(super) flags: u32,
    outline: f32,
    outline_opacity: f32,
    pub(super) window: [f32; 2],
    /// Colour of a pixel's fill, transparent where the picture is seen as it is: see [`fill_at`].
    fill: [[f32; 4]; 8],
    prediction_outline: [f32; 4],
    truth_outline: [f32; 4],
    canvas: [f32; 4],
}

/// Place of a pixel's colour among the fills of [`Uniforms`]: by whether it is in the mask, whether there is a ground truth that it is
/// compared with, and whether it is in that. The shader finds it in the same way.
fn fill_at(is_predicted: bool, is_lesion: Option<bool>) -> usize {
    usize::from(is_predicted) + 2 * usize::from(is_lesion == Some(true)) + 4 * usize::from(is_lesion.is_some())
}

/// The fills of all pixels, at their places.
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

fn opaque(colour: [u8; 3]) -> [f32; 4] {
    let [r, g, b] = colour.map(|part| f32::from(part) / 255.0);
    [r, g, b, 1.0]
}

impl Uniforms {
    /// The part of a viewport of `size` pixels that the picture covers: left, top, width, height; none where it is not in sight.
    pub(super) fn covered(&self, size: [u32; 2]) -> Option<[u32; 4]> {
        let ends = |axis: usize| {
            let pixel = |place: f32| (place - self.corner[axis]) / self.span[axis] * size[axis] as f32;
            let (from, to) = (pixel(0.0).floor().max(0.0), pixel(self.size[axis]).ceil().min(size[axis] as f32));
            (to > from).then_some([from as u32, (to - from) as u32])
        };
        let ([left, width], [top, height]) = (ends(0)?, ends(1)?);
        Some([left, top, width, height])
    }

    /// The image's size is added when the picture is drawn.
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
        }
    }
}

/// Flags that need a texture to be there.
pub(super) const NEEDS_PREDICTION: u32 = 1;
pub(super) const NEEDS_TRUTH: u32 = 2;
/// The image is numbers, not colours.
pub(super) const HAS_VALUES: u32 = 256;
/// A pixel of the screen spans more than two texels, so that one sample would leave some out.
pub(super) const IS_REDUCED: u32 = 512;

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
