//! Label maps: a label for every pixel of a mask, before labels are selected as foreground.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Mask, MaskKind};
use crate::data::volume::{Geometry, Source, Turn};

/// One class of a mask file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// The value of the label: the stored integer or the palette index. Colours without a palette, channels and
    /// files are numbered.
    pub value: i64,
    /// The colour of the label, if the file has colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<[u8; 3]>,
    /// The number of pixels with this label.
    pub pixels: u64,
    /// Whether the label is foreground by default.
    pub is_foreground: bool,
}

/// The choice of the labels of a mask that are foreground.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelChoice {
    /// All labels that are foreground by default: values above 0, and all colours and channels but the
    /// background.
    #[default]
    Foreground,
    /// Only the labels with these values.
    Only(BTreeSet<i64>),
}

impl LabelChoice {
    /// Returns whether this choice includes a label as foreground.
    pub fn has(&self, label: &Label) -> bool {
        match self {
            Self::Foreground => label.is_foreground,
            Self::Only(values) => values.contains(&label.value),
        }
    }
}

impl std::fmt::Display for LabelChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Foreground => f.write_str("all except background"),
            Self::Only(values) => f.write_str(&values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl std::str::FromStr for LabelChoice {
    type Err = String;

    /// Parses label values with commas between them, such as "1,3", or "all" for the default.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("all") {
            return Ok(Self::Foreground);
        }
        let values = text.split(',').map(|part| part.trim().parse::<i64>());
        let values: Result<BTreeSet<i64>, _> = values.collect();
        values.map(Self::Only).map_err(|_| "give whole numbers with commas, for instance 1,3".into())
    }
}

/// The index of each pixel's label in the list of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// Indices of up to 256 labels.
    U8(Vec<u8>),
    /// Indices of up to 65,536 labels.
    U16(Vec<u16>),
}

impl Indices {
    /// Stores the indices in 8 bits if `count` labels fit, otherwise in 16 bits.
    pub fn of(indices: Vec<u16>, count: usize) -> Self {
        match count {
            0..=256 => Self::U8(indices.into_iter().map(|index| index as u8).collect()),
            _ => Self::U16(indices),
        }
    }

    /// Returns the number of pixels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(indices) => indices.len(),
            Self::U16(indices) => indices.len(),
        }
    }

    /// Returns whether there are no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the index of pixel `at`.
    pub fn at(&self, at: usize) -> usize {
        match self {
            Self::U8(indices) => usize::from(indices[at]),
            Self::U16(indices) => usize::from(indices[at]),
        }
    }

    /// Turns the pixels in place. `shape` is the number of columns, rows and slices before.
    pub fn turn(&mut self, turn: Turn, shape: [usize; 3]) {
        match self {
            Self::U8(indices) => turn.apply(indices, shape, 1),
            Self::U16(indices) => turn.apply(indices, shape, 1),
        }
    }

    /// Returns the label indices of the pixels that `from` iterates over. `None` gives 0, the background.
    pub fn picked(&self, from: impl Iterator<Item = Option<usize>>) -> Self {
        match self {
            Self::U8(indices) => Self::U8(from.map(|at| at.map_or(0, |at| indices[at])).collect()),
            Self::U16(indices) => Self::U16(from.map(|at| at.map_or(0, |at| indices[at])).collect()),
        }
    }
}

/// The content of a mask file: a label for every pixel, and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMap {
    /// The number of pixels per row.
    pub columns: usize,
    /// The number of rows of a slice.
    pub rows: usize,
    /// The number of slices, which is at least 1.
    pub slices: usize,
    /// The index in `labels` of each pixel's label, slice by slice and row by row.
    pub indices: Indices,
    /// The labels, background first.
    pub labels: Vec<Label>,
    /// How the labels were distinguished.
    pub kind: MaskKind,
    /// The position and the size of the pixels.
    pub geometry: Geometry,
    /// The kind of file from which the labels were read, with its identity.
    pub source: Source,
    /// Notes about the mask, one sentence each.
    pub notes: Vec<String>,
}

/// What is unusual about the foreground of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// No pixel is foreground.
    Nothing,
    /// Every pixel is foreground.
    Everything,
}

impl Oddity {
    /// Returns the warning that is displayed beside a score.
    pub fn warning(self) -> &'static str {
        match self {
            Self::Nothing => "The ground truth has no foreground at all: any mask that is not empty scores 0.",
            Self::Everything => "The ground truth is foreground everywhere: check that it is a mask.",
        }
    }
}

impl LabelMap {
    /// Returns the numbers of columns, rows and slices.
    pub fn shape(&self) -> [usize; 3] {
        [self.columns, self.rows, self.slices]
    }

    /// Iterates over the labels that are not background and have at least one pixel.
    pub fn classes(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().skip(1).filter(|label| label.pixels > 0)
    }

    /// Returns the binary mask of slice `slice`, from 0, for a choice of labels.
    ///
    /// # Panics
    /// Panics if there is no such slice.
    pub fn mask(&self, slice: usize, choice: &LabelChoice) -> Mask {
        assert!(slice < self.slices, "slice {slice} of {}", self.slices);
        let is_foreground: Vec<u8> = self.labels.iter().map(|label| u8::from(choice.has(label))).collect();
        let count = self.columns * self.rows;
        let range = slice * count..(slice + 1) * count;
        let values = match &self.indices {
            Indices::U8(indices) => {
                indices[range].iter().map(|&index| is_foreground[usize::from(index)]).collect()
            }
            Indices::U16(indices) => {
                indices[range].iter().map(|&index| is_foreground[usize::from(index)]).collect()
            }
        };
        Mask { width: self.columns, height: self.rows, values }
    }

    /// Returns the binary masks of all slices.
    pub fn masks(&self, choice: &LabelChoice) -> Vec<Mask> {
        (0..self.slices).map(|slice| self.mask(slice, choice)).collect()
    }

    /// Returns the number of foreground pixels for a choice of labels.
    pub fn foreground(&self, choice: &LabelChoice) -> u64 {
        self.labels.iter().filter(|label| choice.has(label)).map(|label| label.pixels).sum()
    }

    /// Returns whether nothing or everything is foreground in `slices` slices for a choice of labels; `None` if
    /// neither.
    pub fn oddity(&self, choice: &LabelChoice, slices: usize) -> Option<Oddity> {
        match self.foreground(choice) {
            0 => Some(Oddity::Nothing),
            foreground if foreground == (self.columns * self.rows * slices) as u64 => Some(Oddity::Everything),
            _ => None,
        }
    }

    /// Returns the values in a choice that no pixel of the mask has. The result is empty for the default choice.
    pub fn absent(&self, choice: &LabelChoice) -> Vec<i64> {
        let LabelChoice::Only(values) = choice else { return Vec::new() };
        let has = |value: &&i64| !self.labels.iter().any(|label| label.value == **value && label.pixels > 0);
        values.iter().filter(has).copied().collect()
    }

    /// Turns the pixels and the geometry together.
    pub(crate) fn turn(&mut self, turn: Turn) {
        let shape = self.shape();
        self.indices.turn(turn, shape);
        self.geometry.turn_by(turn, shape);
        [self.columns, self.rows, self.slices] = turn.shape(shape);
    }

    /// Counts the pixels of every label again.
    pub(super) fn count(&mut self) {
        let mut counts = vec![0_u64; self.labels.len()];
        match &self.indices {
            Indices::U8(indices) => indices.iter().for_each(|&index| counts[usize::from(index)] += 1),
            Indices::U16(indices) => indices.iter().for_each(|&index| counts[usize::from(index)] += 1),
        }
        self.labels.iter_mut().zip(counts).for_each(|(label, count)| label.pixels = count);
    }
}
