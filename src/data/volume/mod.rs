//! The content of a file or a series: one image or a stack of images, as stored values with their meaning.

pub(crate) mod geometry;
mod grid;
mod lengths;
mod mapping;
mod sides;
mod source;
mod turn;
mod values;
mod window;

pub use geometry::{Geometry, Measured, Placement, SliceDistance};
pub use grid::Grid;
pub use lengths::{Lengths, Unit};
pub use mapping::ValueMapping;
pub use sides::Sides;
pub use source::{DicomSource, NiftiFields, NiftiForm, NiftiSource, PictureSource, Source};
pub use turn::Turn;
pub use values::StoredPixels;
pub use window::{DisplayWindow, NamedWindow, PRESETS, Preset, Window};

use super::{Image, Pixels};

/// The kind of images. It decides which display windows are offered and remembered.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// A photograph, a drawing or an exported image, whose values have no unit.
    #[default]
    Picture,
    /// Computed tomography.
    Ct,
    /// A radiograph (CR, DX, MG).
    Radiograph,
    /// Any other modality: MR, ultrasound, nuclear medicine.
    Other,
}

impl Modality {
    /// Returns the name for display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "Picture",
            Self::Ct => "CT",
            Self::Radiograph => "Radiograph",
            Self::Other => "Scan",
        }
    }
}

/// A text about a person. Its `Debug` output hides it, so that it does not appear in messages and logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Private(pub String);

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private(…)")
    }
}

/// One image, or a stack of images of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// The kind of images.
    pub modality: Modality,
    /// Pixels per row.
    pub columns: usize,
    /// Rows per slice.
    pub rows: usize,
    /// Number of slices or frames, at least one.
    pub slices: usize,
    /// Number of channels: 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// The samples as stored.
    pub values: StoredPixels,
    /// The mapping from stored samples to values.
    pub mapping: ValueMapping,
    /// Unit of the mapped values, for instance `HU`; empty if there is none.
    pub unit: &'static str,
    /// The positions and the sizes of the pixels.
    pub geometry: Geometry,
    /// The kind of file that was read, with the metadata of its format.
    pub source: Source,
    /// The display windows in the file.
    pub windows: Vec<NamedWindow>,
    /// Whether low values are bright (MONOCHROME1).
    pub is_inverted: bool,
    /// The mapped value that marks pixels without a measurement.
    pub padding: Option<f32>,
    /// The patient's name, if the file has it.
    pub patient: Option<Private>,
    /// Notes about the volume, as sentences.
    pub notes: Vec<String>,
    /// Assumptions made where the file is silent, as sentences. They are shown less prominently than notes.
    pub assumptions: Vec<String>,
}

impl Volume {
    /// Returns a volume of one slice from an image whose values have no unit and no geometry.
    pub fn of_image(image: Image) -> Self {
        let values = match image.pixels {
            Pixels::U8(values) => StoredPixels::U8(values),
            Pixels::U16(values) => StoredPixels::U16(values),
            Pixels::F32(values) => StoredPixels::F32(values),
        };
        Self { channels: image.channels, ..Self::plain(image.width, image.height, 1, values) }
    }

    /// Returns a volume of grey values without unit and geometry. `values` holds `columns * rows * slices`
    /// samples.
    pub fn plain(columns: usize, rows: usize, slices: usize, values: StoredPixels) -> Self {
        Self {
            modality: Modality::Picture,
            columns,
            rows,
            slices,
            channels: 1,
            values,
            mapping: ValueMapping::Same,
            unit: "",
            geometry: Geometry::default(),
            source: Source::Made,
            windows: Vec::new(),
            is_inverted: false,
            padding: None,
            patient: None,
            notes: Vec::new(),
            assumptions: Vec::new(),
        }
    }

    /// Returns the slice with this number, counted from 0, in mapped values. Unsigned 8-bit and 16-bit samples
    /// without a mapping keep their type; all others become floating point.
    ///
    /// # Panics
    /// Panics if there is no such slice.
    pub fn slice(&self, number: usize) -> Image {
        assert!(number < self.slices, "slice {number} of {}", self.slices);
        let count = self.columns * self.rows * self.channels;
        let range = number * count..(number + 1) * count;
        let pixels = match (&self.values, &self.mapping) {
            (StoredPixels::U8(values), ValueMapping::Same) => Pixels::U8(values[range].to_vec()),
            (StoredPixels::U16(values), ValueMapping::Same) => Pixels::U16(values[range].to_vec()),
            (values, mapping) => {
                let mut floats = values.floats(range);
                mapping.apply(&mut floats, number);
                Pixels::F32(floats)
            }
        };
        Image { width: self.columns, height: self.rows, channels: self.channels, pixels }
    }

    /// Returns the window in which a slice is displayed first: the first window in the file, else the lung
    /// window for CT in HU, else 0…255 for 8-bit samples, else the full range of the slice.
    pub fn first_window(&self, slice: &Image) -> Window {
        if let Some(own) = self.windows.first() {
            return own.window;
        }
        match (self.modality, &slice.pixels) {
            (Modality::Ct, _) if self.unit == "HU" => PRESETS[0].window,
            (_, Pixels::U8(_)) => Window::EIGHT_BIT,
            _ => self.full_range(slice),
        }
    }

    /// Returns the first window of a slice together with the inversion of the volume.
    pub fn first_display_window(&self, slice: &Image) -> DisplayWindow {
        DisplayWindow { window: self.first_window(slice), is_inverted: self.is_inverted }
    }

    /// Returns the window that is applied to the network's input if a slice with the full range `full` is
    /// displayed in `display_window`. `None` for a picture that is displayed with its full range and without
    /// inversion, because the network's preprocessing expects such images unchanged.
    pub fn for_network(&self, full: Window, display_window: DisplayWindow) -> Option<DisplayWindow> {
        let is_as_stored =
            !display_window.is_inverted && self.modality == Modality::Picture && display_window.window == full;
        (!is_as_stored).then_some(display_window)
    }

    /// Returns a slice as the network receives it if it is displayed in `window`, or by default in its first
    /// window.
    pub fn default_network_input(&self, slice: usize, window: Option<Window>) -> Image {
        let image = self.slice(slice);
        let mut display_window = self.first_display_window(&image);
        display_window.window = window.unwrap_or(display_window.window);
        match self.for_network(self.full_range(&image), display_window) {
            Some(display_window) => image.windowed(display_window.window, display_window.is_inverted),
            None => image,
        }
    }

    /// Returns the height of a pixel divided by its width; 1 if it is not known.
    pub fn pixel_aspect(&self) -> f32 {
        self.geometry.aspect() as f32
    }

    /// Returns the pixel grid, with which masks are aligned.
    pub fn grid(&self) -> Grid<'_> {
        Grid { shape: self.shape(), geometry: &self.geometry }
    }

    /// Returns the numbers of columns, rows and slices.
    pub fn shape(&self) -> [usize; 3] {
        [self.columns, self.rows, self.slices]
    }

    /// Turns the pixels and the geometry by `turn`, and records this in `geometry.turn`.
    pub fn turn(&mut self, turn: Turn) {
        let (shape, channels) = (self.shape(), self.channels);
        self.values.turn(turn, shape, channels);
        self.geometry.turn_by(turn, shape);
        [self.columns, self.rows, self.slices] = turn.shape(shape);
        if let (ValueMapping::Linear(pairs), true) = (&mut self.mapping, turn.reversed[2])
            && pairs.len() > 1
        {
            pairs.reverse();
        }
    }

    /// Returns the window from the smallest to the largest value of a slice, without padding. It is 0…255 for
    /// 8-bit samples, and for a slice of padding alone.
    pub fn full_range(&self, slice: &Image) -> Window {
        if matches!(slice.pixels, Pixels::U8(_)) {
            return Window::EIGHT_BIT;
        }
        let counts = |value: &f32| Some(*value) != self.padding;
        let range = slice
            .floats()
            .filter(counts)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if range.0 <= range.1 { Window::of_range(range.0, range.1) } else { Window::EIGHT_BIT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_has_mapped_values() {
        let mut scan = Volume::plain(2, 1, 2, StoredPixels::I16(vec![1, 2, 3, 4]));
        assert_eq!(scan.slice(1).pixels, Pixels::F32(vec![3.0, 4.0]));
        scan.mapping = ValueMapping::Linear(vec![[2.0, -1000.0], [1.0, 0.5]]);
        assert_eq!(scan.slice(0).pixels, Pixels::F32(vec![-998.0, -996.0]));
        assert_eq!(scan.slice(1).pixels, Pixels::F32(vec![3.5, 4.5]));
        scan.mapping = ValueMapping::Table { first: 2.0, entries: vec![10.0, 20.0] };
        assert_eq!(scan.slice(0).pixels, Pixels::F32(vec![10.0, 10.0]));
        assert_eq!(scan.slice(1).pixels, Pixels::F32(vec![20.0, 20.0]));
        let picture = Volume::plain(1, 1, 1, StoredPixels::U8(vec![7]));
        assert_eq!(picture.slice(0).pixels, Pixels::U8(vec![7]));
    }

    #[test]
    fn padding_is_no_value() {
        let mut scan = Volume::plain(3, 1, 1, StoredPixels::I16(vec![-2048, 10, 30]));
        scan.padding = Some(-2048.0);
        assert_eq!(scan.full_range(&scan.slice(0)), Window::of_range(10.0, 30.0));
    }

    #[test]
    fn a_name_is_not_written() {
        assert_eq!(format!("{:?}", Private("Doe".into())), "Private(…)");
    }
}
