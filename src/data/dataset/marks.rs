//! Recognises the file names of masks, also of several masks of one image.

use super::listing::stem;
use super::names::fold;

/// The marks of a mask, which its name has before that of the image.
const BEFORE: &[&str] = &["mask_", "mask-", "gt_", "label_"];
/// The marks of a mask, which its name has after that of the image.
const AFTER: &[&str] =
    &["_mask", "-mask", ".mask", "_segmentation", "_seg", "_gt", "-gt", "_label", "_groundtruth", "_lesion"];

/// Returns the key that the names of an image and of its mask have in common: the folded name without its
/// extension and without the mark of a mask.
pub fn key(name: &str) -> String {
    let folded = fold(stem(name));
    let bare = BEFORE.iter().find_map(|mark| folded.strip_prefix(mark)).unwrap_or(&folded);
    let bare = AFTER.iter().find_map(|mark| bare.strip_suffix(mark)).unwrap_or(bare);
    if bare.is_empty() { folded } else { bare.to_owned() }
}

/// Returns whether the name has the mark of a mask.
pub fn is_mask(name: &str) -> bool {
    key(name) != fold(stem(name))
}

/// The second or a further mask of an image, as in BUSI: `x_mask_1.png` beside `x_mask.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Further {
    /// The key of the image.
    pub key: String,
    /// The folded stem of the first mask: `x_mask`.
    pub first: String,
}

/// Returns the image and the first mask to which a numbered mask belongs, or `None` if the name is not that of a
/// numbered mask. The number must follow the mark (`x_mask_1`, `x_mask-1`, `x_mask1`, `x_mask (1)`), because
/// `mask_x_1` and `x_1` could also belong to an image `x_1`.
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
