//! A picture file with everything that a mask is recognised by: palette, alpha channel, pages, whether it was compressed with losses.

use std::path::Path;

use super::volume::{PictureSource, Source, StoredPixels, Turn};
use super::{DataError, Image, Limit, Orientation, Pixels, Volume};

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
    pub values: StoredPixels,
    /// The alpha channel, one sample a pixel in the type of `values`, where the file has one.
    pub alpha: Option<StoredPixels>,
    /// Where the file has a palette, and one for all pages.
    pub palette: Option<Palette>,
    /// Whether low values are meant to be bright: white is zero, in samples whose range is not known. In samples of 8 and 16 bit without
    /// a sign white is zero no more once they are read: they are turned round, as other programs do.
    pub is_inverted: bool,
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

impl Palette {
    /// The colour of every pixel, interleaved; black for numbers that the palette does not have.
    pub fn look_up(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(3 * self.indices.len());
        for &index in &self.indices {
            out.extend(self.colours.get(usize::from(index)).unwrap_or(&[0; 3]));
        }
        out
    }
}

impl Raster {
    /// One page as it is stored, without anything beside its pixels.
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

    /// Makes it upright, or says that it is not. An orientation of 1, and none at all, leave everything where it is.
    pub(super) fn orient(&mut self, path: &Path, limit: Limit, orientation: Orientation) -> Result<(), DataError> {
        let (Some(turn), Some(number)) = (self.source.turn(), self.source.orientation) else { return Ok(()) };
        if orientation == Orientation::AsStored {
            let note = format!(
                "The file gives orientation {number} ({}), which was not applied: pixels are as stored.",
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
        // What there is, and a copy of one page while it is turned.
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
        self.notes.push(format!("The orientation that the file gives ({number}) was applied: {}.", turn.name()));
        Ok(())
    }

    /// The first page, without what only masks need. Signed samples become floating point.
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

    /// All pages as the slices of a stack, without what only masks need.
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
