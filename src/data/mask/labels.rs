//! Masks before it is decided which of their labels count: a label for every pixel.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Mask, MaskKind};
use crate::data::volume::{Geometry, Source, Turn};

/// One class of a mask file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// Its number, as the file has it; of colours their number by order, from 1.
    pub value: i64,
    /// Its colour, where the file has colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<[u8; 3]>,
    /// Pixels that have it.
    pub pixels: u64,
    /// Whether it is foreground unless the user says otherwise.
    pub is_foreground: bool,
}

/// Which labels of a mask are foreground.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelChoice {
    /// All that are above 0 or not background.
    #[default]
    Foreground,
    /// These alone.
    Only(BTreeSet<i64>),
}

impl LabelChoice {
    /// Whether a label is foreground.
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
            Self::Foreground => f.write_str("all but background"),
            Self::Only(values) => f.write_str(&values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl std::str::FromStr for LabelChoice {
    type Err = String;

    /// "1,3" or "all".
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("all") {
            return Ok(Self::Foreground);
        }
        let values = text.split(',').map(|part| part.trim().parse::<i64>());
        let values: Result<BTreeSet<i64>, _> = values.collect();
        values.map(Self::Only).map_err(|_| "say whole numbers with commas, for instance 1,3".into())
    }
}

/// The place of each pixel's label in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// Up to 256 labels.
    U8(Vec<u8>),
    /// More.
    U16(Vec<u16>),
}

impl Indices {
    /// No wider than `count` labels need.
    pub fn of(indices: Vec<u16>, count: usize) -> Self {
        match count {
            0..=256 => Self::U8(indices.into_iter().map(|index| index as u8).collect()),
            _ => Self::U16(indices),
        }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(indices) => indices.len(),
            Self::U16(indices) => indices.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of pixel `at`.
    pub fn at(&self, at: usize) -> usize {
        match self {
            Self::U8(indices) => usize::from(indices[at]),
            Self::U16(indices) => usize::from(indices[at]),
        }
    }

    /// Turns the pixels in place; `shape` is theirs before.
    pub fn turn(&mut self, turn: Turn, shape: [usize; 3]) {
        match self {
            Self::U8(indices) => turn.apply(indices, shape, 1),
            Self::U16(indices) => turn.apply(indices, shape, 1),
        }
    }

    /// Those of the pixels that `from` names; 0, which is background, for none.
    pub fn picked(&self, from: impl Iterator<Item = Option<usize>>) -> Self {
        match self {
            Self::U8(indices) => Self::U8(from.map(|at| at.map_or(0, |at| indices[at])).collect()),
            Self::U16(indices) => Self::U16(from.map(|at| at.map_or(0, |at| indices[at])).collect()),
        }
    }
}

/// What a mask file holds: a label for every pixel, and how that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMap {
    /// Pixels per row.
    pub columns: usize,
    /// Rows of a slice.
    pub rows: usize,
    /// Slices; at least one.
    pub slices: usize,
    /// For each pixel, slice after slice and row after row, the place of its label in `labels`.
    pub indices: Indices,
    /// The labels, background first.
    pub labels: Vec<Label>,
    /// How they were told apart.
    pub kind: MaskKind,
    /// Where the pixels lie.
    pub geometry: Geometry,
    /// What file it is of.
    pub source: Source,
    /// What there is to say of it, one sentence each.
    pub notes: Vec<String>,
}

/// What is odd about the foreground of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// No pixel is foreground.
    Nothing,
    /// Every pixel is foreground.
    Everything,
}

impl Oddity {
    /// A warning that stands beside a score.
    pub fn warning(self) -> &'static str {
        match self {
            Self::Nothing => {
                "The ground truth has no foreground at all: every mask scores 0 against it but an empty one."
            }
            Self::Everything => "The ground truth is foreground everywhere: check that it is a mask.",
        }
    }
}

impl LabelMap {
    /// Columns, rows and slices.
    pub fn shape(&self) -> [usize; 3] {
        [self.columns, self.rows, self.slices]
    }

    /// Its labels that are not background, with at least one pixel.
    pub fn classes(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().skip(1).filter(|label| label.pixels > 0)
    }

    /// The binary mask of slice `slice`, from 0, under a choice of labels.
    ///
    /// # Panics
    /// If there is no such slice.
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

    /// The binary masks of all slices.
    pub fn masks(&self, choice: &LabelChoice) -> Vec<Mask> {
        (0..self.slices).map(|slice| self.mask(slice, choice)).collect()
    }

    /// Foreground pixels under a choice of labels.
    pub fn foreground(&self, choice: &LabelChoice) -> u64 {
        self.labels.iter().filter(|label| choice.has(label)).map(|label| label.pixels).sum()
    }

    /// Whether nothing or everything is foreground under a choice of labels, in so many slices.
    pub fn oddity(&self, choice: &LabelChoice, slices: usize) -> Option<Oddity> {
        match self.foreground(choice) {
            0 => Some(Oddity::Nothing),
            foreground if foreground == (self.columns * self.rows * slices) as u64 => Some(Oddity::Everything),
            _ => None,
        }
    }

    /// Labels that a choice names and the mask does not have.
    pub fn absent(&self, choice: &LabelChoice) -> Vec<i64> {
        let LabelChoice::Only(values) = choice else { return Vec::new() };
        let has = |value: &&i64| !self.labels.iter().any(|label| label.value == **value && label.pixels > 0);
        values.iter().filter(has).copied().collect()
    }

    /// Turns the pixels, and what the geometry says of them.
    pub(crate) fn turn(&mut self, turn: Turn) {
        let shape = self.shape();
        self.indices.turn(turn, shape);
        self.geometry.turn_by(turn, shape);
        [self.columns, self.rows, self.slices] = turn.shape(shape);
    }

    /// Counts the pixels of every label anew.
    pub(super) fn count(&mut self) {
        let mut counts = vec![0_u64; self.labels.len()];
        match &self.indices {
            Indices::U8(indices) => indices.iter().for_each(|&index| counts[usize::from(index)] += 1),
            Indices::U16(indices) => indices.iter().for_each(|&index| counts[usize::from(index)] += 1),
        }
        self.labels.iter_mut().zip(counts).for_each(|(label, count)| label.pixels = count);
    }
}
