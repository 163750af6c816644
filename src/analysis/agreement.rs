//! The agreement of two readers: their masks of the same cases, compared pixel by pixel.

use std::io::Write;
use std::path::PathBuf;

use crate::data::cases::{MaskPair, MaskPairs};
use crate::data::mask::{Agreed, LabelMap, lay, read};
use crate::data::volume::{Geometry, Unit};
use crate::data::{DataError, LabelChoice, MaskReading, write};
use crate::metrics::{Confusion, Spread, hd95_of, hd95_volume, mean_std};

/// The names of the columns of [`Agreement::write_table`]. Scores are of one case.
pub const COLUMNS: [&str; 9] = [
    "case",
    "dice_per_image",
    "kappa_per_image",
    "hd95",
    "hd95_unit",
    "both",
    "only_first",
    "only_second",
    "neither",
];

/// The agreement of two masks of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAgreement {
    /// The name of the case.
    pub case: String,
    /// The files of the masks of the first and of the second reader.
    pub masks: [PathBuf; 2],
    /// The numbers of pixels, or of voxels of a stack. The first reader's mask is the reference.
    pub counts: Confusion,
    /// The 95 % Hausdorff distance, in 3D for a stack; `None` if only one of the masks is empty.
    pub hd95: Option<f64>,
    /// The unit of the distance: `mm` if the masks have a pixel spacing, otherwise `px`.
    pub unit: String,
}

/// The agreement of two readers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// The names of the readers. The masks of the first are the reference.
    pub readers: [String; 2],
    /// The cases that both have.
    pub cases: Vec<CaseAgreement>,
    /// The names of the cases that only the first and only the second has.
    pub alone: [Vec<String>; 2],
    /// The cases whose masks could not be compared, with the reason.
    pub failed: Vec<(String, String)>,
    /// Notes about files of states that could not be read, whose cases are missing.
    pub notes: Vec<String>,
}

/// The mean of a score over cases, and the number of cases in which it is not defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The statistics of the defined values.
    pub spread: Spread,
    /// The number of cases without a value.
    pub undefined: usize,
}

/// Compares the masks of two readers. Every label of `choice` is foreground. `goes_on` receives the number of compared
/// cases and their total, and returns whether to continue.
///
/// # Errors
/// Returns [`DataError::Cancelled`] if `goes_on` says so. Masks that cannot be read or differ in size are listed.
pub fn compare(
    pairs: MaskPairs,
    choice: &LabelChoice,
    reading: &MaskReading,
    goes_on: &dyn Fn(usize, usize) -> bool,
) -> Result<Agreement, DataError> {
    let MaskPairs { readers, pairs, alone, notes } = pairs;
    let mut agreement = Agreement { readers, alone, notes, ..Agreement::default() };
    let count = pairs.len();
    for (done, pair) in pairs.into_iter().enumerate() {
        if !goes_on(done, count) {
            return Err(DataError::Cancelled { path: pair.masks[0].clone() });
        }
        let case = pair.case.clone();
        match of_pair(pair, choice, reading) {
            Ok(found) => agreement.cases.push(found),
            Err(error) => agreement.failed.push((case, error.to_string())),
        }
    }
    Ok(agreement)
}

fn of_pair(pair: MaskPair, choice: &LabelChoice, reading: &MaskReading) -> Result<CaseAgreement, DataError> {
    let MaskPair { case, masks } = pair;
    let first = read(&masks[0], reading)?;
    let second = read(&masks[1], reading)?;
    // Two masks of one case have the same voxels, perhaps stored in another order.
    let grid = crate::data::mask::Grid { shape: first.shape(), geometry: &first.geometry };
    let second = lay(&masks[1], second, grid, None, Agreed::Refuse)?.labels;
    let [a, b] = [&first, &second].map(|labels| values(labels, choice));
    let counts = Confusion::of(&b, &a);
    let (spacing, unit) = spacing(&first.geometry, first.slices);
    let hd95 = match first.shape() {
        [width, height, 1] => hd95_of(&b, &a, width, height, [spacing[0], spacing[1]]),
        shape => hd95_volume(&b, &a, shape, spacing),
    };
    Ok(CaseAgreement { case, masks, counts, hd95, unit })
}

fn values(labels: &LabelMap, choice: &LabelChoice) -> Vec<u8> {
    labels.masks(choice).into_iter().flat_map(|mask| mask.values).collect()
}

/// Returns the distances of columns, rows and slices, and their unit. A stack needs all three for a length in mm.
fn spacing(geometry: &Geometry, slices: usize) -> ([f64; 3], String) {
    let lengths = geometry.lengths();
    let [column, row] = lengths.size;
    match (lengths.unit, geometry.slice_mm) {
        (unit, _) if slices == 1 => ([column, row, 1.0], unit.words()),
        (Unit::Millimetres(_), Some(slice)) => ([column, row, slice], lengths.unit.words()),
        _ => ([1.0; 3], Unit::Pixels.words()),
    }
}

impl Agreement {
    /// Returns the summed counts of all cases.
    pub fn pooled(&self) -> Confusion {
        self.cases.iter().map(|case| case.counts).sum()
    }

    /// Returns the Dice coefficients of the cases.
    pub fn dice(&self) -> Spread {
        mean_std(&self.cases.iter().map(|case| case.counts.dice()).collect::<Vec<_>>())
    }

    /// Returns Cohen's kappa of the cases.
    pub fn kappa(&self) -> Mean {
        mean(self.cases.iter().map(|case| case.counts.kappa()))
    }

    /// Returns the 95 % Hausdorff distances of the cases with their unit; `None` if the cases have different units.
    pub fn hd95(&self) -> Option<(Mean, &str)> {
        let unit = self.cases.first().map_or("px", |case| case.unit.as_str());
        let is_one = self.cases.iter().all(|case| case.unit == unit);
        is_one.then(|| (mean(self.cases.iter().map(|case| case.hd95)), unit))
    }

    /// Writes a table with one row for each case (CSV). Cells stay empty where a score is not defined.
    ///
    /// # Errors
    /// Returns an error if the table cannot be written.
    pub fn write_table(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let number =
            |value: Option<f64>, digits: usize| value.map_or_else(String::new, |v| format!("{v:.digits$}"));
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS)?;
        for CaseAgreement { case, counts, hd95, unit, .. } in &self.cases {
            table.write_record([
                write::text_cell(case),
                number(Some(counts.dice()), 6),
                number(counts.kappa(), 6),
                number(*hd95, 3),
                unit.clone(),
                counts.true_positive.to_string(),
                counts.false_negative.to_string(),
                counts.false_positive.to_string(),
                counts.true_negative.to_string(),
            ])?;
        }
        table.flush()
    }
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Mean {
    let all: Vec<Option<f64>> = values.collect();
    let known: Vec<f64> = all.iter().copied().flatten().collect();
    Mean { spread: mean_std(&known), undefined: all.len() - known.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::cases::pairs_of_folders;

    /// Writes a mask of 6 × 4 pixels with foreground in these columns.
    fn put(folder: &tempfile::TempDir, name: &str, columns: std::ops::Range<usize>, width: usize) {
        let values: Vec<u8> =
            (0..4 * width).map(|at| if columns.contains(&(at % width)) { 255 } else { 0 }).collect();
        write::png8(&folder.path().join(name), width, 4, &values).expect("written");
    }

    fn compared(folders: [&tempfile::TempDir; 2]) -> Agreement {
        let pairs = pairs_of_folders(folders.map(|folder| folder.path())).expect("pairs");
        compare(pairs, &LabelChoice::Foreground, &MaskReading::default(), &|_, _| true).expect("compared")
    }

    #[test]
    fn readers_agree_by_case_and_in_total() {
        let [a, b] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
        for (name, first, second, width) in
            [("one.png", 0..3, 1..3, 6), ("two.png", 0..0, 0..2, 6), ("none.png", 0..0, 0..0, 6)]
        {
            put(&a, name, first, width);
            put(&b, name, second, width);
        }
        put(&a, "size.png", 0..1, 6);
        put(&b, "size.png", 0..1, 5);
        put(&b, "alone.png", 0..1, 5);
        let found = compared([&a, &b]);
        assert_eq!(found.alone, [Vec::<String>::new(), vec!["alone.png".into()]]);
        assert!(found.failed.len() == 1 && found.failed[0].1.contains("5x4"), "{:?}", found.failed);
        let [none, one, two] = &found.cases[..] else { panic!("{:?}", found.cases) };
        let counts = |case: &CaseAgreement| {
            let Confusion { true_positive, false_positive, false_negative, true_negative } = case.counts;
            [true_positive, false_positive, false_negative, true_negative]
        };
        assert_eq!((counts(one), counts(two)), ([8, 0, 4, 12], [0, 8, 0, 16]));
        assert_eq!((one.counts.dice(), one.hd95, one.unit.as_str()), (0.8, Some(1.0), "px"));
        // Observed 20 of 24; by chance (8 · 12 + 16 · 12) of 24².
        let kappa = one.counts.kappa().expect("two classes");
        assert!((kappa - (20.0 / 24.0 - 0.5) / 0.5).abs() < 1e-12, "{kappa}");
        assert_eq!(
            (two.hd95, two.counts.kappa(), none.hd95, none.counts.kappa()),
            (None, Some(0.0), Some(0.0), None)
        );
        assert_eq!((found.pooled().dice(), found.dice().mean), (16.0 / 28.0, (1.0 + 0.8 + 0.0) / 3.0));
        assert_eq!(found.kappa().undefined, 1);
        let (distance, unit) = found.hd95().expect("one unit");
        assert_eq!((distance.spread.mean, distance.undefined, unit), (0.5, 1, "px"));
        let mut table = Vec::new();
        found.write_table(&mut table).expect("written");
        let table = String::from_utf8(table).expect("UTF-8");
        assert_eq!(table.lines().nth(2), Some("one.png,0.800000,0.666667,1.000,px,8,4,0,12"));
        assert_eq!(table.lines().nth(3), Some("two.png,0.000000,0.000000,,px,0,0,8,16"));
    }

    #[test]
    fn a_comparison_can_be_cancelled() {
        let folder = tempfile::tempdir().expect("a folder");
        put(&folder, "a.png", 0..1, 6);
        let pairs = pairs_of_folders([folder.path(); 2]).expect("pairs");
        let found = compare(pairs, &LabelChoice::Foreground, &MaskReading::default(), &|_, _| false);
        assert!(matches!(found, Err(DataError::Cancelled { .. })));
        let same = compared([&folder; 2]);
        assert_eq!((same.cases[0].counts.dice(), same.cases[0].counts.kappa()), (1.0, Some(1.0)));
    }
}
