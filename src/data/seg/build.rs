//! Makes the elements of a DICOM object.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::Code;

/// The largest number of characters of a decimal string (DICOM PS3.5, 6.2).
const MOST_DIGITS: usize = 16;

/// Returns an element with a text; an empty text is an element without a value.
pub fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    let value = if value.is_empty() { PrimitiveValue::Empty } else { PrimitiveValue::from(value) };
    DataElement::new(tag, vr, value)
}

/// Returns an element with several numbers as text (DS).
pub fn decimals(tag: Tag, values: &[f64]) -> InMemElement {
    let texts = values.iter().map(|value| decimal(*value)).collect::<Vec<_>>();
    DataElement::new(tag, VR::DS, PrimitiveValue::Strs(texts.into()))
}

/// Returns an element with a number of 16 bits.
pub fn short(tag: Tag, value: u16) -> InMemElement {
    DataElement::new(tag, VR::US, dicom_value!(U16, value))
}

/// Returns an element with numbers of 32 bits.
pub fn longs(tag: Tag, values: &[u32]) -> InMemElement {
    DataElement::new(tag, VR::UL, PrimitiveValue::U32(values.into()))
}

/// Returns a sequence of items.
pub fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

/// Returns a sequence of one item with these elements.
pub fn group(tag: Tag, elements: impl IntoIterator<Item = InMemElement>) -> InMemElement {
    sequence(tag, vec![InMemDicomObject::from_element_iter(elements)])
}

/// Returns a sequence with a code.
pub fn code(tag: Tag, Code { value, scheme, meaning }: &Code) -> InMemElement {
    group(
        tag,
        [
            text(tags::CODE_VALUE, VR::SH, value),
            text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme),
            text(tags::CODE_MEANING, VR::LO, meaning),
        ],
    )
}

/// Returns a number as a decimal string of at most 16 characters, as exact as that allows.
pub fn decimal(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".into();
    }
    let fits = |text: &String| text.len() <= MOST_DIGITS;
    let shortest = [format!("{value}"), format!("{value:e}")].into_iter().find(fits);
    // Fewer digits until the text is short enough; a small number keeps more of them with an exponent.
    let rounded = || {
        let fixed = (0..MOST_DIGITS).rev().map(|digits| format!("{value:.digits$}"));
        let scientific = (0..MOST_DIGITS).rev().map(|digits| format!("{value:.digits$e}"));
        let is_small = value.abs() < 1e-3;
        let mut texts: Box<dyn Iterator<Item = String>> =
            if is_small { Box::new(scientific) } else { Box::new(fixed.chain(scientific)) };
        texts.find(fits).unwrap_or_default()
    };
    shortest.unwrap_or_else(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_short_and_exact() {
        let is = |value: f64, text: &str| assert_eq!(decimal(value), text);
        is(0.0, "0");
        is(-0.0, "0");
        is(-123.25, "-123.25");
        is(0.1 + 0.2, "0.30000000000000");
        is(-1.0 / 3.0, "-0.3333333333333");
        is(1e-7, "0.0000001");
        is(1.234_567_890_12e-9, "1.23456789012e-9");
        is(-1.0 / 3e9, "-3.333333333e-10");
        is(123_456_789.123_456_79, "123456789.123457");
        is(1e300, "1e300");
        for value in [-199.903_437_123_456_78, 0.729_166_666_666_7, 1.0 / 3e5, -1e-17 / 3.0, 5e20 / 3.0] {
            let text = decimal(value);
            let read: f64 = text.parse().expect("a number");
            assert!(text.len() <= 16 && ((read - value) / value).abs() < 1e-8, "{value}: {text}");
        }
    }
}
