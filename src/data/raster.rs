//! An image file with everything by which a mask is recognised: palette, alpha channel, pages, and whether the
//! compression was lossy.

use std::path::Path;

use super::volume::{PictureSource, Source, StoredPixels, Turn};
use super::{DataError, Image, Limit, Orientation, Pixels, Volume};

/// The content of an image file. `values`, `alpha` and `palette` have the same orientation.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Pixels per row.
    pub columns: usize,
    /// Rows per page.
    pub rows: usize,
    /// Number of pages of this size, at least one.
    pub pages: usize,
    /// Number of channels: 1 (grey) or 3 (red, green, blue). Palette indices are replaced by their colours, and
    /// an alpha channel is not counted.
    pub channels: usize,
    /// The samples in the type and range of the file, page after page, row-major with interleaved channels.
    pub values: StoredPixels,
    /// The alpha channel, if the file has one: one sample per pixel, in the type of `values`.
    pub alpha: Option<StoredPixels>,
    /// The palette, if the file has one that holds for all pages.
    pub palette: Option<Palette>,
    /// Whether low values are bright: the file says that white is zero, but the range of its samples is not
    /// known. Unsigned samples of 8 and 16 bits are inverted on reading instead, as other programs do.
    pub is_inverted: bool,
    /// Whether the compression was lossy (JPEG, lossy WebP), so that the values of one label scatter.
    pub is_lossy: bool,
    /// How the pixels were turned relative to their stored order.
    pub turn: Turn,
    /// The format and the properties that the file states.
    pub source: PictureSource,
    /// Notes about the file, one sentence each.
    pub notes: Vec<String>,
}

/// The palette of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// The palette index of each pixel.
    pub indices: Vec<u8>,
    /// The colours as 8-bit red, green and blue.
    pub colours: Vec<[u8; 3]>,
}

impl Palette {
    /// Returns the colour of every pixel, three interleaved bytes each. Indices beyond the palette give black.
    pub fn look_up(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(3 * self.indices.len());
        for &index in &self.indices {
            out.extend(self.colours.get(usize::from(index)).unwrap_or(&[0; 3]));
        }
        out
    }
}

impl Raster {
    /// Returns a raster of one page in stored order, without palette and alpha channel.
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

    /// Turns the pixels upright, or keeps the stored order, as `orientation` says. A note records what was done.
    /// Does nothing if the file has no orientation or orientation 1.
    ///
    /// # Errors
    /// Returns [`DataError::BeyondLimit`] if turning the pixels would take more memory than `limit` allows.
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

    /// Returns the first page as an image, without palette and alpha channel. Signed samples become floating
    /// point.
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

    /// Returns all pages as the slices of a volume, without palette and alpha channel.
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
