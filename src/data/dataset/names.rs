//! Compares spellings of file names, and reads names that are not valid Unicode.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::OsStr;

use encoding_rs::WINDOWS_1252;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Returns one form for all spellings of a name. Letters are composed (Unicode normalisation form C, because
/// systems differ in whether they decompose "ü") and case is folded (fully, so that "Straße" equals "STRASSE").
/// Other letters remain different; for instance the dotless "ı" of Turkish does not become an "i".
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let composer = ComposingNormalizerBorrowed::new_nfc();
    let mut folded = String::with_capacity(name.len());
    for letter in composer.normalize(name).chars() {
        if letter == 'ı' {
            folded.push(letter);
        } else {
            folded.extend(letter.to_uppercase().flat_map(char::to_lowercase));
        }
    }
    composer.normalize(&folded).into_owned()
}

/// Returns a name in the form in which it is shown and compared. A name that is not valid Unicode comes from an
/// old system or archive. It is read as Windows-1252, which has a character for every byte, so that different
/// names stay different.
pub fn readable(name: &OsStr) -> Cow<'_, str> {
    match name.to_str() {
        Some(name) => Cow::Borrowed(name),
        None => foreign(name),
    }
}

#[cfg(unix)]
fn foreign(name: &OsStr) -> Cow<'_, str> {
    use std::os::unix::ffi::OsStrExt;
    Cow::Owned(WINDOWS_1252.decode_without_bom_handling(name.as_bytes()).0.into_owned())
}

/// Returns a name that is not valid Unicode with its unpaired UTF-16 surrogates escaped.
#[cfg(not(unix))]
fn foreign(name: &OsStr) -> Cow<'_, str> {
    let escaped = format!("{name:?}");
    Cow::Owned(escaped.trim_matches('"').to_owned())
}

/// Restores a UTF-8 name that was wrongly read as Windows-1252 ("MÃ¼ller" for "Müller"). `None` if the name
/// cannot be such a misreading, or does not change.
pub fn mended(name: &str) -> Option<String> {
    let (bytes, _, is_lossy) = WINDOWS_1252.encode(name);
    let text = String::from_utf8(bytes.into_owned()).ok()?;
    (!is_lossy && text != name).then_some(text)
}

/// Compares names in natural order: "a2" before "a10".
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (ours, theirs) = (digits(left), digits(right));
        if ours > 0 && theirs > 0 {
            let number = |text: &[u8]| {
                let zeros = text.iter().take_while(|&&digit| digit == b'0').count();
                (text.len() - zeros, text[zeros..].to_vec())
            };
            let order = number(&left[..ours]).cmp(&number(&right[..theirs]));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (&left[ours..], &right[theirs..]);
            continue;
        }
        match (left.split_first(), right.split_first()) {
            (Some((one, rest)), Some((other, others))) if one == other => (left, right) = (rest, others),
            (one, other) => {
                let order = one.map(|(byte, _)| byte).cmp(&other.map(|(byte, _)| byte));
                // "a01" and "a1" have equal numbers; the order must still differ.
                return order.then_with(|| a.cmp(b));
            }
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name() {
        for (one, other) in [
            ("M\u{fc}ller", "Mu\u{308}ller"),
            ("\u{c5}ngstr\u{f6}m", "A\u{30a}NGSTRO\u{308}M"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ", "οδοσ"),
            ("\u{1fb3}", "\u{3b1}\u{345}"),
            // Each needs one of the two normalisations, before and after case folding.
            ("\u{1fb4}", "\u{3b1}\u{345}\u{301}"),
            ("\u{390}", "\u{3aa}\u{301}"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in [("ı", "i"), ("a", "\u{e1}"), ("a 1", "a1"), ("\u{2126}", "o")] {
            assert_ne!(fold(one), fold(other));
        }
    }

    #[test]
    fn numbers_count() {
        let mut names = ["b (10)", "b (9)", "b", "a_mask_2", "a_mask_10", "a_mask", "a01", "a1", "a1x"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a01", "a1", "a1x", "a_mask", "a_mask_2", "a_mask_10", "b", "b (9)", "b (10)"]);
    }

    #[test]
    fn a_name_that_was_misread_is_mended() {
        assert_eq!(mended("MÃ¼ller.png").as_deref(), Some("Müller.png"));
        assert_eq!(mended("Müller.png"), None);
        assert_eq!(mended("plain.png"), None);
        assert_eq!(mended("肺.png"), None);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_unicode_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let all: std::collections::HashSet<String> =
            (0x80..=0xff).map(|byte| readable(OsStr::from_bytes(&[b'a', byte])).into_owned()).collect();
        assert_eq!(all.len(), 128);
        assert_eq!(readable(OsStr::from_bytes(b"M\xfcller.png")), "Müller.png");
    }
}
