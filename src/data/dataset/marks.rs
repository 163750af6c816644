//! Recognises the name of a mask, and of one of several masks.

use super::listing::stem;
use super::names::fold;

/// What the name of a mask has in addition to that of its image, before or after it.
const BEFORE: &[&str] = &["mask_", "mask-", "gt_", "label_"];
const AFTER: &[&str] =
    &["_mask", "-mask", ".mask", "_segmentation", "_seg", "_gt", "-gt", "_label", "_groundtruth", "_lesion"];

/// Returns what the names of image and mask have in common: the folded name, without its extension and without the
/// mark of a mask.
pub fn key(name: &str) -> String {
    let folded = fold(stem(name));
    let bare = BEFORE.iter().find_map(|mark| folded.strip_prefix(mark)).unwrap_or(&folded);
    let bare = AFTER.iter().find_map(|mark| bare.strip_suffix(mark)).unwrap_or(bare);
    if bare.is_empty() { folded } else { bare.to_owned() }
}

/// Whether the name is that of a mask.
pub fn is_mask(name: &str) -> bool {
    key(name) != fold(stem(name))
}

/// A further mask of an image that has several, as in BUSI: `x_mask_1.png` beside `x_mask.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// The key of its image.
    pub key: String,
    /// Folded stem of the mask beside which it lies: `x_mask`.
    pub first: String,
}

/// Returns the image to which a numbered mask belongs. The number must follow the mark (`x_mask_1`, `x_mask-1`,
/// `x_mask1`, `x_mask (1)`): `mask_x_1` and `x_1` could also be the mask of an image `x_1`.
pub fn further(name: &str) -> Option<Further> {
    let folded = fold(stem(name));
    let first = match folded.strip_suffix(')') {
        Some(open) => without_number(open)?.strip_suffix('(')?.trim_end(),
        None => {
            let marked = without_number(&folded)?;
            marked.strip_suffix(['_', '-', '.', ' ']).unwrap_or(marked)
        }
    };
    let is_marked = AFTER.iter().any(|mark| first.strip_suffix(mark).is_some_and(|bare| !bare.is_empty()));
    is_marked.then(|| Further { key: key(first), first: first.to_owned() })
}

fn without_number(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (bare.len() < text.len()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_and_its_mask_have_one_key() {
        for mask in ["mask_A.png", "a_mask.JPG", "a.png", "A_Segmentation.png", "a-GT.tif", "MASK_a"] {
            assert_eq!(key(mask), "a", "{mask}");
        }
        assert_eq!(key("mask_.png"), "mask_");
        assert_eq!(key("v1.2"), "v1.2", "no ending that is known");
        assert_eq!(key("Mu\u{308}ller_mask.png"), key("M\u{fc}ller.png"));
        assert!(is_mask("Mask_x.png") && is_mask("x_mask.png") && !is_mask("x.png") && !is_mask("masked.png"));
    }

    #[test]
    fn a_number_after_the_mark() {
        let image = |name| further(name).map(|further| (further.key, further.first));
        let of = |key: &str, first: &str| Some((key.to_owned(), first.to_owned()));
        assert_eq!(image("benign (4)_mask_1.png"), of("benign (4)", "benign (4)_mask"));
        assert_eq!(image("benign (10)_mask_12.png"), of("benign (10)", "benign (10)_mask"));
        for name in ["X_mask_2.png", "x_mask-2.png", "x_mask2.png", "x_mask (2).png", "x_MASK(2).png"] {
            assert_eq!(image(name), of("x", "x_mask"), "{name}");
        }
        assert_eq!(image("x_seg_02.tif"), of("x", "x_seg"));
        let none = [
            "x_1.png",
            "mask_x_1.png",
            "benign (4).png",
            "benign (4)_mask.png",
            "_mask_1.png",
            "12.png",
            "(1).png",
        ];
        assert!(none.into_iter().all(|name| image(name).is_none()));
    }
}
