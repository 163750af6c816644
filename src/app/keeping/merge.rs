//! Two annotations of one image.

use crate::annotate::{Annotation, Combine, Edit, Region, Rules};

/// Adds what was drawn in one annotation to another one, label by label. Returns the result and the edits that lead to it.
pub(super) fn merged(base: &Annotation, drawn: &Annotation) -> (Annotation, Vec<Edit>) {
    let (mut merged, mut edits) = (base.clone(), Vec::new());
    for (id, label) in drawn.labels() {
        let known = merged.named(&label.name).or_else(|| {
            let (new, edit) = merged.add_label(label.clone()).ok()?;
            merged.apply(std::slice::from_ref(&edit)).ok()?;
            edits.push(edit);
            Some(new)
        });
        let Some(known) = known else { continue };
        for slice in drawn.slices(id) {
            let Some(drawn) = drawn.mask(id, slice) else { continue };
            let region = Region::from_mask(&drawn.mask);
            // A label that is locked keeps its pixels.
            let painted = merged.paint(known, slice, &region, Combine::Add, &Rules::default(), &drawn.origin);
            let Ok(painted) = painted else { continue };
            if merged.apply(&painted).is_ok() {
                edits.extend(painted);
            }
        }
    }
    (merged, edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Label, Origin, reversed};

    fn drawn(names: &[&str], pixels: [u8; 3]) -> Annotation {
        let mut annotation = Annotation::new([3, 1, 2]);
        for name in names {
            let (id, edit) = annotation.add_label(Label::new(*name, [1, 2, 3])).expect("a new name");
            annotation.apply(&[edit]).expect("it fits");
            let region = Region::new([0, 0], [3, 1], pixels.to_vec());
            let edits = annotation.paint(id, 1, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
            annotation.apply(&edits.expect("not locked")).expect("it fits");
        }
        annotation
    }

    #[test]
    fn what_was_drawn_is_added_to_what_there_was() {
        let base = drawn(&["lung", "lesion"], [1, 0, 0]);
        let (result, edits) = merged(&base, &drawn(&["lesion", "polyp"], [0, 0, 1]));
        let names: Vec<&str> = result.labels().map(|(_, label)| label.name.as_str()).collect();
        assert_eq!(names, ["lung", "lesion", "polyp"]);
        let pixels = |name: &str| {
            let id = result.named(name)?;
            Some(result.mask(id, 1)?.mask.values.clone())
        };
        // The label that was drawn last has the pixel.
        assert_eq!((pixels("lesion"), pixels("polyp")), (Some(vec![1, 0, 0]), Some(vec![0, 0, 1])));
        let mut back = result.clone();
        back.apply(&reversed(&edits)).expect("the edits can be undone");
        let is_back = back.labels().eq(base.labels());
        assert!(is_back && base.labels().all(|(id, _)| back.mask(id, 1) == base.mask(id, 1)));
        assert_eq!(merged(&base, &Annotation::new([3, 1, 2])).1, []);
    }
}
