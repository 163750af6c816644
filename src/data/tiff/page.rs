//! Reads the description of a page from its directory, and refuses kinds that are not supported, with advice.

use super::directory::Directory;

/// The tag PhotometricInterpretation, the meaning of a page's samples.
pub(super) const PHOTOMETRIC: u16 = 262;
/// The tag RowsPerStrip.
pub(super) const ROWS_PER_STRIP: u16 = 278;

/// The number type of a sample (tag 339, SampleFormat).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Unsigned integers.
    Unsigned,
    /// Signed integers.
    Signed,
    /// Floating point.
    Float,
}

/// The meaning of the samples (tag 262, PhotometricInterpretation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Grey; the lowest value is white.
    WhiteIsZero,
    /// Grey; the lowest value is black.
    BlackIsZero,
    /// Red, green and blue.
    Rgb,
    /// Indices into a palette.
    Palette,
    /// Amounts of the four printing inks.
    Cmyk,
    /// Luminance and two colour differences.
    YCbCr,
}

impl Meaning {
    /// Returns the number of samples that make up a colour.
    pub fn samples(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }
}

/// The compression (tag 259) of JPEG in the newer of its two forms in TIFF.
pub(super) const JPEG: u64 = 7;
/// The compression (tag 259) Zstandard.
pub(super) const ZSTD: u64 = 50_000;
/// The compression (tag 259) CCITT group 4 fax.
const FAX_4: u64 = 4;

/// The size and storage of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Page {
    /// The number of pixels per row.
    pub width: u32,
    /// The number of rows.
    pub height: u32,
    /// The number of bits per sample.
    pub bits: u8,
    /// The number of samples per pixel, including those that are not read.
    pub samples: usize,
    /// The number type of the samples.
    pub form: Form,
    /// The meaning of the samples.
    pub meaning: Meaning,
    /// The index of the alpha channel among the samples, if there is one.
    pub alpha: Option<usize>,
    /// The number of the compression (tag 259).
    pub compression: u64,
    /// Whether every sample has a plane of its own.
    pub is_planar: bool,
    /// The numbers of columns and rows of a tile. `None` if the page has strips.
    pub tile: Option<[u32; 2]>,
    /// The number of rows of a strip.
    pub strip: u32,
    /// Whether the first pixel lies in the lowest bit of a byte (FillOrder 2).
    pub is_reversed: bool,
    /// The orientation (tag 274), 1 to 8, if the page has one.
    pub orientation: Option<u16>,
}

/// The reason why a page is not read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The page is damaged or contradicts itself; the text says how.
    Damaged(String),
    /// The kind of the page is not supported. The texts name the kind, and give advice.
    Kind(String, &'static str),
}

const DECOMPRESS: &str =
    "convert it to a TIFF without compression, for instance with tiffcp -c none, or with bfconvert of Bio-Formats";
const RECOLOUR: &str =
    "convert it to a grey or RGB TIFF with all of its bits, for instance with magick IN -colorspace sRGB OUT.tif";
const WIDEN: &str = "convert it to a TIFF of 16 bit samples, for instance with magick IN -depth 16 OUT.tif";

/// Returns whether a directory is not displayed: a thumbnail, a reduced copy of another page, or a transparency
/// mask (tags 254 and 255).
pub(super) fn is_secondary(directory: Directory) -> bool {
    directory.one(254).is_some_and(|kind| kind & 0b101 != 0) || directory.one(255) == Some(2)
}

impl Page {
    /// Reads the description of a page. The lists of the directory must be known to be within the file.
    ///
    /// # Errors
    /// Returns the reason if the page is damaged or its kind is not supported.
    pub fn of(directory: Directory) -> Result<Self, Refusal> {
        let damaged = |text: &str| Refusal::Damaged(text.to_owned());
        let side = |tag, name| {
            let side = directory.one(tag).ok_or_else(|| damaged(&format!("a page has no {name}")))?;
            u32::try_from(side).map_err(|_| damaged(&format!("a page has a {name} of {side}")))
        };
        let (width, height) = (side(256, "width")?, side(257, "height")?);
        let compression = directory.one(259).unwrap_or(1);
        if let Some(name) = unread_compression(compression) {
            return Err(Refusal::Kind(format!("a TIFF with {name} compression"), DECOMPRESS));
        }
        let samples = usize::try_from(directory.one(277).unwrap_or(1)).unwrap_or(usize::MAX);
        let photometric = directory.one(PHOTOMETRIC);
        let meaning = match photometric {
            Some(0) => Meaning::WhiteIsZero,
            Some(1) => Meaning::BlackIsZero,
            Some(2) => Meaning::Rgb,
            Some(3) => Meaning::Palette,
            Some(5) => Meaning::Cmyk,
            Some(6) => Meaning::YCbCr,
            other => {
                return Err(Refusal::Kind(format!("a TIFF with {}", unread_colour(other)), RECOLOUR));
            }
        };
        let (form, bits) = number_type(directory)?;
        if samples < meaning.samples() || samples > usize::from(u16::MAX) {
            return Err(damaged(&format!(
                "a pixel has {samples} samples, and its colour needs {}",
                meaning.samples()
            )));
        }
        check_colour(directory, meaning, (form, bits), compression)?;
        if compression == FAX_4 && (bits, samples) != (1, 1) {
            return Err(damaged("fax compression of more than one bit a pixel"));
        }
        let tile = match (directory.one(322), directory.one(323)) {
            (None, None) => None,
            _ => Some([side(322, "width of a tile")?, side(323, "height of a tile")?]),
        };
        let is_planar = directory.one(284) == Some(2) && samples > 1;
        if bits < 8 && tile.is_some_and(|[width, _]| width % 8 > 0) {
            return Err(damaged("its tiles do not end with a byte"));
        }
        let rows = directory.one(ROWS_PER_STRIP).and_then(|rows| u32::try_from(rows).ok()).unwrap_or(u32::MAX);
        Ok(Self {
            width,
            height,
            bits,
            samples,
            form,
            meaning,
            alpha: alpha(directory, meaning, samples),
            compression,
            is_planar,
            tile,
            strip: rows.min(height),
            is_reversed: directory.one(266) == Some(2) && compression != JPEG,
            orientation: directory.orientation(),
        })
    }

    /// Returns the numbers of columns and rows of a tile or a strip.
    pub fn chunk(&self) -> [u32; 2] {
        self.tile.unwrap_or([self.width, self.strip])
    }

    /// Returns the number of pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Returns the number of bytes of the samples as stored without compression. Every row begins with a new
    /// byte.
    pub fn stored(&self) -> u64 {
        let row = |samples: usize| (u64::from(self.width) * samples as u64 * u64::from(self.bits)).div_ceil(8);
        let rows = u64::from(self.height);
        if self.is_planar { row(1) * rows * self.samples as u64 } else { row(self.samples) * rows }
    }

    /// Returns the number of bytes that the samples take while they are decoded and put in order. They are
    /// copied if they have less than a byte or 64 bits, are in separate planes, or lie beside samples that are
    /// not read.
    pub fn decoded(&self) -> u64 {
        let unpacked = if self.bits < 8 { self.pixels() * self.samples as u64 } else { 0 };
        let is_copied = self.bits == 64 || self.is_planar || self.samples != self.meaning.samples();
        self.stored() * if is_copied { 2 } else { 1 } + unpacked
    }

    /// Returns the number of channels after reading: 1 for grey, otherwise 3.
    pub fn channels(&self) -> usize {
        if matches!(self.meaning, Meaning::WhiteIsZero | Meaning::BlackIsZero) { 1 } else { 3 }
    }

    /// Returns the number of bytes of a sample after reading.
    pub fn sample_bytes(&self) -> u64 {
        match (self.form, self.bits) {
            (Form::Unsigned, 1..=8) => 1,
            (Form::Unsigned, 16) | (Form::Signed, 8 | 16) => 2,
            _ => 4,
        }
    }

    /// Returns the number of bytes of the page after reading: channels, alpha channel and palette indices.
    pub fn read(&self) -> u64 {
        let samples = self.channels() + usize::from(self.alpha.is_some());
        let numbers = u64::from(self.meaning == Meaning::Palette);
        self.pixels() * (samples as u64 * self.sample_bytes() + numbers)
    }

    /// Returns whether another page can be in one stack with this one because reading both gives the same kind
    /// of data. It may be stored differently and have further samples.
    pub fn is_like(&self, other: &Self) -> bool {
        let of = |page: &Self| {
            (page.width, page.height, page.bits, page.form, page.meaning, page.alpha.is_some(), page.orientation)
        };
        of(self) == of(other)
    }

    /// Returns whether another page has the same number of bytes in the same places.
    pub fn is_stored_like(&self, other: &Self) -> bool {
        let sides = |page: &Self| (page.width, page.height, page.tile, page.strip);
        let samples = |page: &Self| (page.bits, page.samples, page.form, page.is_planar, page.compression);
        sides(self) == sides(other) && samples(self) == samples(other)
    }

    /// Returns a description of how the samples are stored. `colours` is the number of palette colours.
    pub fn in_words(&self, colours: Option<usize>) -> String {
        let colour = match self.meaning {
            Meaning::WhiteIsZero => "grey, white is zero".into(),
            Meaning::BlackIsZero => "grey".into(),
            Meaning::Rgb => "colour".into(),
            Meaning::Palette => format!("palette of {} colours", colours.unwrap_or(0)),
            Meaning::Cmyk => "CMYK".into(),
            Meaning::YCbCr => "YCbCr colour".to_owned(),
        };
        let alpha = if self.alpha.is_some() { " with alpha channel" } else { "" };
        format!("{colour}{alpha}, {}", self.form.name(self.bits.into()))
    }

    /// Returns the number of samples of a pixel that are neither colour nor alpha.
    pub fn further(&self) -> usize {
        self.samples - self.meaning.samples() - usize::from(self.alpha.is_some())
    }
}

impl Form {
    /// Returns the name of the number type with `bits` bits.
    fn name(self, bits: u64) -> String {
        match self {
            Self::Unsigned => format!("{bits} bit"),
            Self::Signed => format!("{bits} bit signed"),
            Self::Float => format!("{bits} bit floating point"),
        }
    }
}

/// Returns the number type of the samples of a page, and the number of bits of each.
///
/// # Errors
/// Returns a refusal if the samples differ, or if their type is not supported.
fn number_type(directory: Directory) -> Result<(Form, u8), Refusal> {
    let bits = equal(directory, 258, 1)
        .ok_or_else(|| Refusal::Kind("a TIFF whose samples differ in their number of bits".into(), WIDEN))?;
    let form = match equal(directory, 339, 1) {
        Some(1) => Form::Unsigned,
        Some(2) => Form::Signed,
        Some(3) => Form::Float,
        Some(5 | 6) => {
            return Err(Refusal::Kind(
                "a TIFF of complex numbers".into(),
                "save their magnitude as a TIFF of 32 bit floating point samples",
            ));
        }
        Some(_) => return Err(Refusal::Kind("a TIFF whose samples have no known number type".into(), WIDEN)),
        None => return Err(Refusal::Kind("a TIFF whose samples differ in their number type".into(), WIDEN)),
    };
    let is_read = match form {
        Form::Unsigned => matches!(bits, 1 | 2 | 4 | 8 | 16 | 32 | 64),
        Form::Signed => matches!(bits, 8 | 16 | 32 | 64),
        Form::Float => matches!(bits, 16 | 32 | 64),
    };
    if !is_read {
        return Err(Refusal::Kind(format!("a TIFF of {} samples", form.name(bits)), WIDEN));
    }
    Ok((form, bits as u8))
}

/// Refuses colours whose number type is not used for them, and colours that several pixels share.
fn check_colour(
    directory: Directory,
    meaning: Meaning,
    (form, bits): (Form, u8),
    compression: u64,
) -> Result<(), Refusal> {
    let refuse = |kind: &str| {
        let kind = format!("a TIFF with {kind} of {} samples", form.name(bits.into()));
        Err(Refusal::Kind(kind, RECOLOUR))
    };
    match (meaning, form, bits) {
        (Meaning::Palette, Form::Unsigned, 1..=8) | (Meaning::Cmyk, Form::Unsigned, 8 | 16) => Ok(()),
        (Meaning::Palette, ..) => refuse("a palette"),
        (Meaning::Cmyk, ..) => refuse("CMYK colour"),
        // Decoded JPEG data have complete pixels. Otherwise two pixels in each direction share a colour by
        // default.
        (Meaning::YCbCr, Form::Unsigned, 8)
            if compression == JPEG || directory.values(530).as_deref() == Some(&[1, 1]) =>
        {
            Ok(())
        }
        (Meaning::YCbCr, Form::Unsigned, 8) => refuse("YCbCr colour at less than its full resolution"),
        (Meaning::YCbCr, ..) => refuse("YCbCr colour"),
        (Meaning::WhiteIsZero | Meaning::BlackIsZero | Meaning::Rgb, ..) => Ok(()),
    }
}

/// Returns the number that a tag has for all samples. Returns `default` if the tag is missing, and `None` if the
/// numbers differ.
fn equal(directory: Directory, tag: u16, default: u64) -> Option<u64> {
    let Some(values) = directory.values(tag) else { return Some(default) };
    let first = *values.first()?;
    values.iter().all(|&value| value == first).then_some(first)
}

/// Returns the index of the alpha channel among the samples (tag 338, ExtraSamples). It is the first sample
/// after the colour if the file says so, or the fourth sample of RGB if the tag is missing.
fn alpha(directory: Directory, meaning: Meaning, samples: usize) -> Option<usize> {
    let is_alpha = match directory.one(338) {
        Some(kind) => matches!(kind, 1 | 2),
        None => meaning == Meaning::Rgb && samples == 4,
    };
    (is_alpha && samples > meaning.samples()).then_some(meaning.samples())
}

/// Returns the name of a compression that is not supported, or `None` if it is supported.
fn unread_compression(number: u64) -> Option<String> {
    let name = match number {
        1 | FAX_4 | 5 | JPEG | 8 | 32_773 | 32_946 | ZSTD => return None,
        2 => "CCITT modified Huffman (fax)",
        3 => "CCITT group 3 (fax)",
        6 => "old-style JPEG",
        9 | 10 | 34_661 => "JBIG",
        32_766 => "NeXT run length",
        32_771 => "CCITT word-aligned run length",
        32_809 => "ThunderScan",
        33_003 | 33_004 | 33_005 | 34_712 => "JPEG 2000",
        34_676 | 34_677 => "SGI LogLuv",
        34_887 => "LERC",
        34_892 => "lossy JPEG (DNG)",
        34_925 => "LZMA",
        34_934 | 22_610 => "JPEG XR",
        50_001 => "WebP",
        50_002 | 52_546 => "JPEG XL",
        _ => return Some(format!("an unknown (number {number})")),
    };
    Some(name.into())
}

/// Returns the name of a kind of colour that is not supported.
fn unread_colour(photometric: Option<u64>) -> String {
    match photometric {
        None => "no meaning of its values (no PhotometricInterpretation)".into(),
        Some(4) => "only a transparency mask".into(),
        Some(8..=10) => "Lab colour".into(),
        Some(32_803) => "unprocessed data of a camera (CFA)".into(),
        Some(32_844 | 32_845) => "LogLuv colour".into(),
        Some(34_892) => "unprocessed data of a camera (linear raw)".into(),
        Some(number) => format!("an unknown kind of colour (number {number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_less_than_a_byte_take_a_byte_each_beside_what_is_stored() {
        // Rows of 10 × 3 samples of 4 bits are 15 bytes.
        let mut page = Page {
            width: 10,
            height: 7,
            bits: 4,
            samples: 3,
            form: Form::Unsigned,
            meaning: Meaning::Rgb,
            alpha: None,
            compression: 1,
            is_planar: false,
            tile: None,
            strip: 7,
            is_reversed: false,
            orientation: None,
        };
        assert_eq!((page.stored(), page.decoded()), (15 * 7, 15 * 7 + 10 * 7 * 3));
        page.bits = 8;
        assert_eq!((page.stored(), page.decoded()), (30 * 7, 30 * 7));
        page.is_planar = true;
        assert_eq!(page.decoded(), 2 * 30 * 7, "planes are put in order in a copy");
    }
}
