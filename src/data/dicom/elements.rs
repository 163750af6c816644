//! Reads the values of elements as texts and numbers, in all forms that occur in files.

use std::str::FromStr;

use dicom_core::Tag;
use dicom_object::InMemDicomObject;

/// Returns the text of an element without padding, or `None` if the element is missing or empty.
pub fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let text = object.element_opt(tag).ok()??.to_str().ok()?.trim_matches(['\0', ' ']).to_owned();
    (!text.is_empty()).then_some(text)
}

/// Returns the parts of a text of several values, without padding; empty if the element is missing.
pub fn texts(object: &InMemDicomObject, tag: Tag) -> Vec<String> {
    let element = object.element_opt(tag).ok().flatten();
    let strings = element.and_then(|element| element.to_multi_str().ok().map(|strings| strings.to_vec()));
    strings.unwrap_or_default().iter().map(|text| text.trim_matches(['\0', ' ']).to_owned()).collect()
}

/// Returns the values of an element that are numbers. Some files have the same value twice (`00500\00500`), some
/// have spaces, and some values are binary.
pub fn numbers<T: FromStr>(object: &InMemDicomObject, tag: Tag) -> Vec<T> {
    texts(object, tag).iter().filter_map(|text| text.trim().trim_end_matches('.').parse().ok()).collect()
}

/// Returns the first value that is a number, or `None` if it is missing or not finite.
pub fn number(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    numbers::<f64>(object, tag).first().copied().filter(|value| value.is_finite())
}

/// Returns the first `N` numbers of an element, or `None` if there are fewer or one is not finite.
pub fn array<const N: usize>(object: &InMemDicomObject, tag: Tag) -> Option<[f64; N]> {
    let values = numbers::<f64>(object, tag);
    let array: [f64; N] = values.get(..N)?.try_into().ok()?;
    array.iter().all(|value| value.is_finite()).then_some(array)
}
