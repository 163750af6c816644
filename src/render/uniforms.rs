//! The numbers that the shader gets with every frame.

use bytemuck::{Pod, Zeroable};

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

/// Colours of the overlay: red, green, blue, 0…1, sRGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayColours {
    /// The mask where there is nothing to compare with.
    pub prediction: [f32; 3],
    /// Lesion found.
    pub true_positive: [f32; 3],
    /// Lesion missed.
    pub false_negative: [f32; 3],
    /// Background taken for lesion.
    pub false_positive: [f32; 3],
    /// Outline of the mask.
    pub prediction_outline: [f32; 3],
    /// Outline of the truth.
    pub truth_outline: [f32; 3],
    /// Around the picture.
    pub canvas: [f32; 3],
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
    /// Probability from which a pixel belongs to the mask, 0…1.
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
    colours: [[f32; 4]; 7],
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
    pub fn new(placement: Placement, show: Show, colours: &OverlayColours, look: PictureStyle) -> Self {
        let colours = [
            colours.prediction,
            colours.true_positive,
            colours.false_negative,
            colours.false_positive,
            colours.prediction_outline,
            colours.truth_outline,
            colours.canvas,
        ];
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
            colours: colours.map(|[r, g, b]| [r, g, b, 1.0]),
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
