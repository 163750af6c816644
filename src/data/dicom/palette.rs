//! The colours of palette images, which are looked up in tables of the file (DICOM PS3.3 C.7.6.3.1.5 and
//! C.7.6.3.1.6).

use std::path::Path;

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::stream::Writing;
use crate::data::DataError;

/// The tables of red, green and blue, reduced to 8 bits.
pub struct Palette {
    /// The index of the first entry.
    first: i64,
    channels: [Vec<u8>; 3],
}

impl Palette {
    /// Returns the colour of an index. An index outside the tables has the colour of their nearest end.
    pub fn colour(&self, index: u16) -> [u8; 3] {
        std::array::from_fn(|channel| {
            let table = &self.channels[channel];
            let place = (i64::from(index) - self.first).clamp(0, table.len() as i64 - 1);
            table[place as usize]
        })
    }

    /// Reads the three tables of a palette image (DICOM PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6). The descriptor of
    /// red applies to all.
    ///
    /// # Errors
    /// Returns an error if the descriptor is missing, or if a table is missing or empty.
    pub fn of(path: &Path, object: &InMemDicomObject) -> Result<Self, DataError> {
        let missing = || DataError::damaged(path, "its palette is missing or empty");
        let descriptor = object
            .element(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR)
            .ok()
            .and_then(|element| element.to_multi_int::<i64>().ok())
            .filter(|values| values.len() >= 3)
            .ok_or_else(missing)?;
        let data = [
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ];
        let count = if descriptor[0] & 0xffff == 0 { 65_536 } else { (descriptor[0] & 0xffff) as usize };
        let mut channels: [Vec<u8>; 3] = Default::default();
        for (channel, tag) in channels.iter_mut().zip(data) {
            let bytes =
                object.element(tag).ok().and_then(|element| element.to_bytes().ok().map(|b| b.into_owned()));
            let bytes = bytes.ok_or_else(missing)?;
            *channel = if descriptor[2] > 8 || bytes.len() >= 2 * count {
                let words = Writing::EXPLICIT.words(&bytes);
                // Entries of 16 bits should extend to 65535, but some files have 8-bit values in them.
                let is_narrow = words.iter().all(|&word| word < 256);
                words.iter().map(|&word| if is_narrow { word as u8 } else { (word >> 8) as u8 }).collect()
            } else {
                bytes
            };
            if channel.is_empty() {
                return Err(missing());
            }
        }
        Ok(Self { first: descriptor[1], channels })
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::{DataElement, PrimitiveValue, VR};

    use super::*;

    #[test]
    fn an_index_beyond_the_table_has_the_colour_of_its_end() {
        let mut object = InMemDicomObject::new_empty();
        let mut put = |tag, values: &[u16]| {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::U16(values.iter().copied().collect())));
        };
        // Three entries of 16 bits, the first for index 10.
        put(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, &[3, 10, 16]);
        put(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, &[0x1000, 0x2000, 0x3000]);
        put(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, &[0x4000, 0x5000, 0x6000]);
        put(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, &[0x7000, 0x8000, 0xff00]);
        let palette = Palette::of(Path::new("a"), &object).expect("a palette");
        assert_eq!(palette.colour(11), [0x20, 0x50, 0x80]);
        assert_eq!([palette.colour(3), palette.colour(10)], [[0x10, 0x40, 0x70]; 2]);
        assert_eq!([palette.colour(12), palette.colour(999)], [[0x30, 0x60, 0xff]; 2]);
    }
}
