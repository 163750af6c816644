//! Measurements as a table (CSV as in RFC 4180).

use std::path::Path;

use super::{ComponentMeasures, Measurements, SliceMeasures, Values};
use crate::data::{DataError, write};

/// The names of the columns. A row with the slice `all` is a component in all slices, with the longest of its longest
/// diameters and the slice of it; the other rows are its parts in single slices.
pub const COLUMNS: [&str; 17] = [
    "image",
    "label",
    "component",
    "slice",
    "pixels",
    "area",
    "area_unit",
    "longest_diameter",
    "perpendicular_diameter",
    "diameter_in_slice",
    "length_unit",
    "volume",
    "volume_unit",
    "value_mean",
    "value_std",
    "value_unit",
    "convention",
];

/// What the numbers are, in every row, so that it stays with them.
const CONVENTION: &str = "components and slices from 1; diameters between outer pixel edges, the perpendicular one a chord of the \
    convex hull; std divided by the number of pixels";

/// Writes the measurements of an image as a table and reads it again before it gets its name. `image` is the name of the
/// image.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if it cannot be written, and [`DataError::Differs`] if it reads back differently.
pub fn write_table(path: &Path, image: &str, measurements: &Measurements) -> Result<(), DataError> {
    let rows = rows(image, measurements);
    let fill = |out: &mut dyn std::io::Write| {
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS)?;
        rows.iter().try_for_each(|row| table.write_record(row))?;
        table.flush()
    };
    let check = |part: &Path| {
        let mut table = csv::Reader::from_path(part).map_err(|error| error.to_string())?;
        let mut expected = rows.iter();
        for record in table.records() {
            let record = record.map_err(|error| error.to_string())?;
            if !expected.next().is_some_and(|row| record.iter().eq(row.iter().map(String::as_str))) {
                return Err("it has other rows".into());
            }
        }
        if expected.next().is_none() { Ok(()) } else { Err("it lacks rows".into()) }
    };
    write::checked(path, fill, check)
}

fn rows(image: &str, measurements: &Measurements) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for label in &measurements.labels {
        for (number, component) in (1..).zip(&label.components) {
            let begin = [write::text_cell(image), write::text_cell(&label.name), number_cell(number)];
            let mut row = |cells: Vec<String>| rows.push(begin.iter().cloned().chain(cells).collect());
            row(whole(component, measurements));
            component.slices.iter().for_each(|part| row(slice(part, measurements)));
        }
    }
    rows
}

fn number_cell(number: usize) -> String {
    number.to_string()
}

fn decimal(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.4}"))
}

fn whole(component: &ComponentMeasures, measurements: &Measurements) -> Vec<String> {
    let units = &measurements.units;
    let longest = component.longest();
    let mut cells = vec!["all".into(), component.pixels.to_string(), String::new(), String::new()];
    cells.extend(diameters(longest, measurements));
    cells.push(component.volume_mm3.map_or_else(|| component.pixels.to_string(), |volume| format!("{volume:.4}")));
    cells.push(units.volume_words().into());
    cells.extend(values(component.values, measurements));
    cells
}

fn slice(part: &SliceMeasures, measurements: &Measurements) -> Vec<String> {
    let area = part.area_mm2.map_or_else(|| part.pixels.to_string(), |area| format!("{area:.4}"));
    let mut cells =
        vec![number_cell(part.slice + 1), part.pixels.to_string(), area, measurements.units.area_words()];
    cells.extend(diameters(Some(part), measurements));
    cells.extend([String::new(), String::new()]);
    cells.extend(values(part.values, measurements));
    cells
}

fn diameters(part: Option<&SliceMeasures>, measurements: &Measurements) -> [String; 4] {
    [
        decimal(part.map(|part| part.longest.length)),
        decimal(part.map(|part| part.perpendicular.length)),
        part.map_or_else(String::new, |part| number_cell(part.slice + 1)),
        measurements.units.length.words(),
    ]
}

fn values(values: Option<Values>, measurements: &Measurements) -> [String; 4] {
    let unit = if values.is_some() { measurements.units.value.clone() } else { String::new() };
    [decimal(values.map(|values| values.mean)), decimal(values.map(|values| values.std)), unit, CONVENTION.into()]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::measurements::measure;
    use crate::data::export::LabelMasks;
    use crate::data::volume::StoredPixels;
    use crate::data::{Mask, Volume};

    #[test]
    fn rows_have_units_and_no_formula() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("measurements.csv");
        let mut volume = Volume::plain(3, 1, 1, StoredPixels::I16(vec![-10, -20, -30]));
        let mask = Mask { width: 3, height: 1, values: vec![1, 1, 0] };
        let label = |name: &str| LabelMasks {
            name: name.into(),
            colour: [0; 3],
            slices: [(0, Arc::new(mask.clone()))].into(),
        };
        let mut read = |pixel_mm| {
            volume.geometry.pixel_mm = pixel_mm;
            write_table(&path, "-a, b.png", &measure(&volume, &[label("=1+1")])).expect("written");
            let mut table = csv::Reader::from_path(&path).expect("a table");
            assert_eq!(table.headers().expect("names"), COLUMNS.as_slice());
            let rows: Vec<Vec<String>> =
                table.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
            rows
        };
        let rows = read(None);
        assert_eq!(rows[0][..6], ["'-a, b.png", "'=1+1", "1", "all", "2", ""]);
        assert_eq!(rows[0][7..16], ["2.0000", "1.0000", "1", "px", "2", "voxels", "-15.0000", "5.0000", ""]);
        let rows = read(Some([0.5, 0.5]));
        assert_eq!(rows[1][3..11], ["1", "2", "0.5000", "mm²", "1.0000", "0.5000", "1", "mm"]);
        assert_eq!(rows[1][11..13], ["", ""]);
        assert!(rows[1][16].contains("outer pixel edges"));
    }
}
