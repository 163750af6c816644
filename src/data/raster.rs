//! An image file with everything by which a mask is recognised: palette, alpha channel, pages, and whether it was
//! compressed with losses.

use std::path::Path;

use super::volume::{PictureSource, Source, StoredPixels, Turn};
use super::{DataError, Image, Limit, Orientation, Pixels, Volume};

/// The content of an image file. `values`, `alpha` and `palette` are turned alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Pixels per row.
    pub columns: usize,
    /// Rows of a page.
    pub rows: usize,
    /// Pages of this size, at least one.
    pub pages: usize,
    /// 1 (grey) or 3 (red, green, blue); a palette is looked up, an alpha channel is not counted.
    pub channels: usize,
    /// Samples in the type and range of the file: page after page, row after row, channels interleaved.
    pub values: StoredPixels,
    /// The alpha channel, one sample for each pixel in the type of `values`, if the file has one.
    pub alpha: Option<StoredPixels>,
    /// The palette, if the file has one for all pages.
    pub palette: Option<Palette>,
    /// Whether low values are meant to be bright: white is zero, in samples whose range is not known. Unsigned
    /// samples of 8 and 16 bits are inverted on reading instead, as other programs do.
    pub is_inverted: bool,
    /// Whether the file was compressed with losses (JPEG, lossy WebP), so that values scatter.
    pub is_lossy: bool,
    /// How the pixels were turned relative to their stored order.
    pub turn: Turn,
    /// What the file says about itself.
    pub source: PictureSource,
    /// Notes about the file, one sentence each.
    pub notes: Vec<String>,
}

/// The palette of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// The palette index of each pixel.
    pub indices: Vec<u8>,
    /// The colours, 8-bit red, green, blue.
    pub colours: Vec<[u8; 3]>,
}

impl Palette {
    /// Returns the colour of every pixel, interleaved; black for indices beyond the palette.
    pub fn look_up(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(3 * self.indices.len());
        for &index in &self.indices {
            out.extend(self.colours.get(usize::from(index)).unwrap_or(&[0; 3]));
        }
        out
    }
}

impl Raster {
    /// Makes a raster of one page in stored order, without palette and alpha channel.
    pub(super) fn plain(
        columns: usize,
        rows: usize,
        channels: usize,
        values: StoredPixels,
        source: PictureSource,
    ) -> Self {
        Self {
            columns,
            rows,
            pages: 1,
            channels,
            values,
            alpha: None,
            palette: None,
            is_inverted: false,
            is_lossy: false,
            turn: Turn::NONE,
            source,
            notes: Vec::new(),
        }
    }

    /// Turns the pixels upright, or adds a note that they are not. An orientation of 1, and a missing one, change
    /// nothing.
    pub(super) fn orient(&mut self, path: &Path, limit: Limit, orientation: Orientation) -> Result<(), DataError> {
        let (Some(turn), Some(number)) = (self.source.turn(), self.source.orientation) else { return Ok(()) };
        if orientation == Orientation::AsStored {
            let note = format!(
                "Orientation {number} in the file ({}) was not applied: pixels are as stored.",
                turn.name()
            );
            self.notes.push(note);
            return Ok(());
        }
        let shape = [self.columns, self.rows, self.pages];
        let others = [
            self.alpha.as_ref().map_or(0, StoredPixels::bytes),
            self.palette.as_ref().map_or(0, |all| all.indices.len() as u64),
        ];
        let values = self.values.bytes();
        // The memory holds the image, and a copy of one page while it is turned.
        limit.allow(path, values + others.iter().sum::<u64>() + values / self.pages as u64)?;
        self.values.turn(turn, shape, self.channels);
        if let Some(alpha) = &mut self.alpha {
            alpha.turn(turn, shape, 1);
        }
        if let Some(palette) = &mut self.palette {
            turn.apply(&mut palette.indices, shape, 1);
        }
        [self.columns, self.rows, self.pages] = turn.shape(shape);
        self.turn = turn;
        self.notes.push(format!("Orientation {number} in the file was applied: {}.", turn.name()));
        Ok(())
    }

    /// Returns the first page, without what only masks need. Signed samples become floating point.
    pub fn into_image(self) -> Image {
        let mut pixels = match self.values {
            StoredPixels::U8(values) => Pixels::U8(values),
            StoredPixels::U16(values) => Pixels::U16(values),
            StoredPixels::F32(values) => Pixels::F32(values),
            StoredPixels::I16(values) => Pixels::F32(values.into_iter().map(f32::from).collect()),
        };
        let count = self.columns * self.rows * self.channels;
        match &mut pixels {
            Pixels::U8(values) => values.truncate(count),
            Pixels::U16(values) => values.truncate(count),
            Pixels::F32(values) => values.truncate(count),
        }
        Image { width: self.columns, height: self.rows, channels: self.channels, pixels }
    }

    /// Returns all pages as the slices of a stack, without what only masks need.
    pub fn into_volume(self) -> Volume {
        let mut volume = Volume::plain(self.columns, self.rows, self.pages, self.values);
        volume.channels = self.channels;
        volume.is_inverted = self.is_inverted;
        volume.geometry.turn = self.turn;
        volume.source = Source::Picture(self.source);
        volume.notes = self.notes;
        volume
    }
}
