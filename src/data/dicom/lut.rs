//! Look-up tables of DICOM files: from stored values to modality values, and from these to displayed values.

use dicom_core::VR;

use super::stream::Writing;
use crate::data::volume::{ValueMapping, Window};

/// A table of a Modality LUT Sequence (DICOM PS3.3 C.11.1) or a VOI LUT Sequence (C.11.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The value of the first entry as a 16-bit word; it is signed if the pixels are signed.
    first: u16,
    entries: Vec<f32>,
}

impl Table {
    /// Reads the LUT Descriptor, and the LUT Data with their value representation, of an item. Returns `None` if the
    /// descriptor is cut off or there is no entry.
    pub fn new(descriptor: &[u8], (kind, data): (VR, &[u8]), writing: Writing) -> Option<Self> {
        let [count, first, bits] = *writing.words(descriptor).first_chunk::<3>()?;
        let count = if count == 0 { 65_536 } else { usize::from(count) };
        // The data are words, or bytes (OB). Tables of 8 bits have two entries in a word, the first in its less significant
        // byte as pixels have (PS3.5, 8.1.1 and 8.2), or one.
        let mut entries: Vec<f32> = if bits <= 8 && data.len() < 2 * count {
            let is_swapped = writing.is_big && kind != VR::OB;
            let entry = |at: usize| data.get(at ^ usize::from(is_swapped)).or(data.get(at)).copied();
            (0..data.len()).filter_map(entry).map(f32::from).collect()
        } else {
            writing.words(data).into_iter().map(f32::from).collect()
        };
        entries.truncate(count);
        (!entries.is_empty()).then_some(Self { first, entries })
    }

    /// Returns the table as a mapping from stored values.
    pub fn modality(self, is_signed: bool) -> ValueMapping {
        ValueMapping::Table { first: self.first(is_signed), entries: self.entries }
    }

    /// Returns the stored value of the first entry.
    fn first(&self, is_signed: bool) -> f32 {
        if is_signed { f32::from(self.first as i16) } else { f32::from(self.first) }
    }

    /// Returns the table combined with the mapping before it, and the range of its entries. Returns `None` as
    /// [`joined`] does.
    pub fn voi(self, is_signed: bool, before: &ValueMapping) -> Option<(ValueMapping, [f32; 2])> {
        let range = self
            .entries
            .iter()
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &value| [low.min(value), high.max(value)]);
        let first = self.first(is_signed);
        let last = self.entries.len() as f32 - 1.0;
        if *before == ValueMapping::Same {
            return Some((ValueMapping::Table { first, entries: self.entries }, range));
        }
        let at = |value: f32| self.entries[(value - first).clamp(0.0, last) as usize];
        Some((joined(before, [first, first + last], at)?, range))
    }
}

/// Combines `curve` with the mapping before it to a table of every stored value that `before` maps to a value
/// between the two `ends`. Returns `None` if slices have different rescales, because one table applies to all
/// slices.
fn joined(before: &ValueMapping, ends: [f32; 2], curve: impl Fn(f32) -> f32) -> Option<ValueMapping> {
    let [slope, intercept] = match before {
        ValueMapping::Same => [1.0, 0.0],
        ValueMapping::Linear(pairs) => match pairs.as_slice() {
            [pair] => *pair,
            _ => return None,
        },
        ValueMapping::Table { first, entries } => {
            return Some(ValueMapping::Table {
                first: *first,
                entries: entries.iter().map(|&value| curve(value)).collect(),
            });
        }
    };
    let ends = ends.map(|end| (end - intercept) / slope);
    // Stored values of 16 bits lie within these limits.
    let [low, high] =
        [ends[0].min(ends[1]).floor(), ends[0].max(ends[1]).ceil()].map(|end| end.clamp(-32_768.0, 65_535.0));
    let count = (high - low).max(0.0) as usize + 1;
    let entries = (0..count).map(|step| curve((low + step as f32) * slope + intercept)).collect();
    low.is_finite().then_some(ValueMapping::Table { first: low, entries })
}

/// Converts a sigmoid window (DICOM PS3.3 C.11.2.1.3.1) to a table of brightness, 0…[`BRIGHTEST`], combined with
/// the mapping before it. Returns `None` as [`joined`] does.
pub fn sigmoid(window: Window, before: &ValueMapping) -> Option<ValueMapping> {
    let curve = |value: f32| BRIGHTEST / (1.0 + (-4.0 * (value - window.centre) / window.width).exp());
    // Three widths from the centre, the curve is black or white to five digits.
    joined(before, [window.centre - 3.0 * window.width, window.centre + 3.0 * window.width], curve)
}

/// The largest brightness of a sigmoid window.
pub const BRIGHTEST: f32 = 4095.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_words_and_of_bytes() {
        let words = Table::new(&[2, 0, 0xfe, 0xff, 16, 0], (VR::OW, &[1, 0, 2, 1, 9, 9]), Writing::EXPLICIT)
            .expect("a table");
        assert_eq!(words.clone().modality(true), ValueMapping::Table { first: -2.0, entries: vec![1.0, 258.0] });
        assert_eq!(words.modality(false), ValueMapping::Table { first: 65_534.0, entries: vec![1.0, 258.0] });
        let bytes = Table::new(&[3, 0, 0, 0, 8, 0], (VR::OW, &[5, 6, 7, 0]), Writing::EXPLICIT).expect("a table");
        assert_eq!(bytes.modality(false), ValueMapping::Table { first: 0.0, entries: vec![5.0, 6.0, 7.0] });
        assert_eq!(Table::new(&[3, 0, 0, 0], (VR::OW, &[5]), Writing::EXPLICIT), None);
    }

    #[test]
    fn entries_of_bytes_share_words_whose_byte_order_is_that_of_the_file() {
        let big = Writing { is_big: true, ..Writing::EXPLICIT };
        let entries = |kind: VR, bits: u8, data: &[u8], writing: Writing| {
            let descriptor = [3_u16, 0, u16::from(bits)];
            let descriptor =
                descriptor.map(|word| if writing.is_big { word.to_be_bytes() } else { word.to_le_bytes() });
            Table::new(descriptor.as_flattened(), (kind, data), writing).expect("a table").entries
        };
        for kind in [VR::OW, VR::US] {
            assert_eq!(entries(kind, 8, &[6, 5, 0, 7], big), [5.0, 6.0, 7.0], "{kind}");
            assert_eq!(entries(kind, 8, &[5, 6, 7, 0], Writing::EXPLICIT), [5.0, 6.0, 7.0], "{kind}");
            assert_eq!(
                entries(kind, 8, &[0, 5, 0, 6, 0, 7], big),
                [5.0, 6.0, 7.0],
                "{kind}: one entry in each word"
            );
            assert_eq!(entries(kind, 16, &[1, 5, 1, 6, 1, 7], big), [261.0, 262.0, 263.0], "{kind}");
        }
        assert_eq!(entries(VR::OB, 8, &[5, 6, 7, 0], big), [5.0, 6.0, 7.0], "bytes have no order");
        assert_eq!(
            entries(VR::OW, 8, &[6, 5, 7], big),
            [5.0, 6.0, 7.0],
            "the byte that fills the word is missing"
        );
    }

    #[test]
    fn no_table_stands_for_slices_that_are_scaled_differently() {
        let before = ValueMapping::Linear(vec![[1.0, 0.0], [2.0, 0.0]]);
        let window = Window { centre: 100.0, width: 40.0 };
        assert_eq!(sigmoid(window, &before), None);
        let table = Table::new(&[2, 0, 0, 0, 16, 0], (VR::OW, &[1, 0, 2, 0]), Writing::EXPLICIT).expect("a table");
        assert_eq!(table.voi(false, &before), None);
    }

    #[test]
    fn the_curve_of_the_standard() {
        let window = Window { centre: 100.0, width: 40.0 };
        let Some(ValueMapping::Table { first, entries }) =
            sigmoid(window, &ValueMapping::Linear(vec![[2.0, 10.0]]))
        else {
            panic!("no table")
        };
        let at = |stored: f32| entries[(stored - first) as usize] / BRIGHTEST;
        // The stored value 45 maps to 100, the centre; 55 maps to 120, half a width above: 1 / (1 + exp(-2)).
        assert!((at(45.0) - 0.5).abs() < 1e-6 && (at(55.0) - 0.880_797).abs() < 1e-5, "{} {}", at(45.0), at(55.0));
        assert!(entries.is_sorted() && entries[0] < 0.03 && entries[entries.len() - 1] > BRIGHTEST - 0.03);
    }
}
