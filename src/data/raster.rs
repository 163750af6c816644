//! A picture file with everything that a mask is recognised by: palette, alpha channel, pages, whether it was compressed with losses.

use super::volume::{PictureSource, Turn, Values};

/// What a picture file stores. `values`, `alpha` and `palette` are turned alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Pixels per row.
    pub columns: usize,
    /// Rows of a page.
    pub rows: usize,
    /// Pages of this size; at least one.
    pub pages: usize,
    /// 1 (grey) or 3 (red, green, blue); a palette is looked up, an alpha channel is not counted.
    pub channels: usize,
    /// Samples in the type and range of the file: page after page, row after row, channels interleaved.
    pub values: Values,
    /// The alpha channel, one sample a pixel in the type of `values`, where the file has one.
    pub alpha: Option<Values>,
    /// Where the file has a palette.
    pub palette: Option<Palette>,
    /// Whether it was compressed with losses (JPEG, lossy WebP), so that values scatter.
    pub is_lossy: bool,
    /// How the pixels were turned from the way they are stored.
    pub turn: Turn,
    /// What the file says of itself.
    pub source: PictureSource,
    /// What there is to say of it, one sentence each.
    pub notes: Vec<String>,
}

/// A picture's palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// The number of each pixel's colour.
    pub indices: Vec<u8>,
    /// The colours, 8 bit red, green, blue.
    pub colours: Vec<[u8; 3]>,
}
