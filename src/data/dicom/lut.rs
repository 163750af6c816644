//! Look-up tables of DICOM files: from stored values to those of the modality, from these to what is shown.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::Object;
use crate::data::scan::Mapping;

/// The table of the modality LUT sequence (DICOM PS3.3 C.11.1).
pub fn modality(object: &Object, is_signed: bool) -> Option<Mapping> {
    let (first, entries) = table(object, tags::MODALITY_LUT_SEQUENCE, is_signed)?;
    Some(Mapping::Table { first, entries })
}

/// The table of the VOI LUT sequence (C.11.2), joined to what is applied before it, and its range of values.
pub fn voi(object: &Object, is_signed: bool, before: &Mapping) -> Option<(Mapping, [f32; 2])> {
    let (first, entries) = table(object, tags::VOILUT_SEQUENCE, is_signed)?;
    let range = entries
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &value| [low.min(value), high.max(value)]);
    let at = |value: f32| {
        let last = entries.len() as f32 - 1.0;
        entries[(value - first).clamp(0.0, last) as usize]
    };
    let joined = match before {
        Mapping::Same => Mapping::Table { first, entries },
        Mapping::Table { first, entries } => {
            Mapping::Table { first: *first, entries: entries.iter().map(|&value| at(value)).collect() }
        }
        Mapping::Linear(pairs) => {
            let [slope, intercept] = *pairs.first()?;
            // Stored values that reach the table, from the first to the last.
            let ends = [(first - intercept) / slope, (first + entries.len() as f32 - 1.0 - intercept) / slope];
            let (low, high) = (ends[0].min(ends[1]).floor(), ends[0].max(ends[1]).ceil());
            let count = (high - low).clamp(0.0, 65_536.0) as usize + 1;
            let entries = (0..count).map(|step| at((low + step as f32) * slope + intercept)).collect();
            Mapping::Table { first: low, entries }
        }
    };
    Some((joined, range))
}

/// First stored value and entries of the first table of a sequence.
fn table(object: &Object, sequence: Tag, is_signed: bool) -> Option<(f32, Vec<f32>)> {
    let items = object.element_opt(sequence).ok()??.items()?;
    let item: &InMemDicomObject = items.first()?;
    let descriptor: Vec<i64> = item.element(tags::LUT_DESCRIPTOR).ok()?.to_multi_int().ok()?;
    let [count, first, bits] = *descriptor.get(..3)?.first_chunk::<3>()?;
    let count = if count & 0xffff == 0 { 65_536 } else { (count & 0xffff) as usize };
    let first = first & 0xffff;
    let first = if is_signed && first > 32_767 { first - 65_536 } else { first };
    let data = item.element(tags::LUT_DATA).ok()?;
    let entries: Vec<f32> = match data.to_bytes() {
        // Written as bytes or words; 8 bit tables may have an entry in each byte.
        Ok(bytes) if bits <= 8 && bytes.len() < 2 * count => bytes.iter().map(|&byte| f32::from(byte)).collect(),
        _ => data.to_multi_int::<i64>().ok()?.iter().map(|value| (value & 0xffff) as f32).collect(),
    };
    let entries: Vec<f32> = entries.into_iter().take(count).collect();
    (!entries.is_empty()).then_some((first as f32, entries))
}
