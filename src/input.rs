//! The form in which a network expects images and masks. It is part of a bundle (`config.json`, entry `input`), because
//! weights are of no use with another form than that in which they were trained.

use serde::{Deserialize, Serialize};

/// The form in which a network expects images and masks. The default is HiMix's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputForm {
    /// The range of the values.
    pub range: Range,
    /// The order of the channels.
    pub channels: Channels,
    /// How an image is resized.
    pub resize: Resize,
    /// How a mask is resized in training. Scores at the size of the image use the mask as it is.
    pub mask: MaskResize,
}

/// The range of the values of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// Each channel has mean 0 and population standard deviation 1; a constant channel becomes 0.
    #[default]
    ZScore,
    /// 8-bit values are divided by 255; others are stretched from the smallest to the largest value of the image to
    /// [0, 1].
    Unit,
    /// From the smallest to the largest value of the resized image over all channels, to [0, 1]; a constant image becomes
    /// 0.
    MinMax,
}

/// The order of the channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads images.
    Bgr,
}

/// How an image is resized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Bicubic with a = −0.75, half-pixel centres and edges clamped, without antialiasing.
    #[default]
    AsHimix,
    /// Bilinear with half-pixel centres, without antialiasing, in the 8-bit fixed-point arithmetic of OpenCV.
    OpencvBilinear,
    /// Cubic splines after a Gaussian filter where the image is reduced, then cut off to 8 bits, as scikit-image resizes.
    CubicAntialiased,
}

/// How a mask is resized in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskResize {
    /// The nearest neighbour.
    #[default]
    AsHimix,
    /// Bilinear in OpenCV's arithmetic; every pixel above 0 is foreground, so that lesions grow by a border.
    BilinearAny,
}

impl InputForm {
    /// Whether images have to be rounded to 8 bits before they are resized.
    pub fn is_eight_bit(self) -> bool {
        self.resize != Resize::AsHimix
    }
}
