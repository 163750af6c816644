//! Opening files as annotation.

use std::path::PathBuf;
use std::sync::Arc;

use super::TruthQuestion;
use super::opening::question;
use crate::annotate::{Annotation, AnnotationError, Combine, Edit, Label, Origin, Region, Rules, joined};
use crate::data::export::{LabelMasks, OpenedLabels, read_labels};
use crate::data::mask::Agreed;
use crate::data::{DataError, MaskReading, Volume};
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};

/// Reads the labels of a file, lays them on an image, and makes the edits that add them to its annotation.
#[derive(Debug)]
pub struct OpenLabels {
    /// The file.
    pub path: PathBuf,
    /// The ticket of the image.
    pub image: Ticket,
    /// The image.
    pub volume: Arc<Volume>,
    /// The annotation to which they are added.
    pub annotation: Annotation,
    /// How the file is read.
    pub reading: MaskReading,
    /// The slice, from 0, of a single mask without a position.
    pub slice: Option<usize>,
    /// The alignment that was agreed to.
    pub agreed: Agreed,
}

/// The labels of a file for an annotation.
#[derive(Debug)]
pub enum LabelsOpened {
    /// The edits that add them.
    Read {
        /// The ticket of the image.
        image: Ticket,
        /// The revision of the annotation for which the edits were made.
        revision: u64,
        /// The edits.
        edits: Vec<Edit>,
        /// What was read, as sentences.
        notes: Vec<String>,
    },
    /// The labels can be laid on the image once the user has decided how.
    Asked(TruthQuestion),
}

impl Job for OpenLabels {
    type Answer = LabelsOpened;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<LabelsOpened, Failure> {
        let Self { path, image, volume, annotation, reading, slice, agreed } = self;
        let opened = match read_labels(&path, &volume, &reading, slice, agreed) {
            Ok(opened) => opened,
            Err(error) => {
                return match question(&error, std::slice::from_ref(&path), image) {
                    Some(question) => Ok(LabelsOpened::Asked(question)),
                    None => Err(error.into()),
                };
            }
        };
        let OpenedLabels { labels, words, mut notes } = opened;
        if labels.is_empty() {
            return Err(DataError::NotAMask { path, reason: "no pixel has a label".into() }.into());
        }
        let count = labels.len();
        let revision = annotation.revision();
        let edits = edits(annotation, labels).map_err(|error| Failure::Failed(error.to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let what = if count == 1 { "1 label".into() } else { format!("{count} labels") };
        notes.insert(0, format!("{name}: {what}, placed {words}."));
        Ok(LabelsOpened::Read { image, revision, edits, notes })
    }
}

/// Returns the edits that add labels. A label whose name is taken gets a number behind it.
pub(super) fn edits(mut annotation: Annotation, labels: Vec<LabelMasks>) -> Result<Vec<Edit>, AnnotationError> {
    let mut all = Vec::new();
    for LabelMasks { name, colour, slices } in labels {
        let names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name} {number}")));
        let free = names.into_iter().find(|name| annotation.named(name).is_none()).unwrap_or(name);
        let (id, edit) = annotation.add_label(Label::new(free, colour))?;
        annotation.apply(std::slice::from_ref(&edit))?;
        all.push(edit);
        for (slice, mask) in slices {
            let region = Region::from_mask(&mask);
            let painted = annotation.paint(id, slice, &region, Combine::Add, &Rules::default(), &Origin::Read)?;
            annotation.apply(&painted)?;
            all.extend(painted);
        }
    }
    Ok(joined(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Mask;

    #[test]
    fn labels_are_added_under_free_names_as_one_reversible_step() {
        let mut annotation = Annotation::new([2, 1, 1]);
        let (id, edit) = annotation.add_label(Label::new("Lesion", [1, 2, 3])).expect("a label");
        annotation.apply(&[edit]).expect("applied");
        let before = annotation.clone();
        let mask = |values: [u8; 2]| Arc::new(Mask { width: 2, height: 1, values: values.to_vec() });
        let label =
            |values| LabelMasks { name: "Lesion".into(), colour: [9, 8, 7], slices: [(0, mask(values))].into() };
        let made = edits(annotation.clone(), vec![label([1, 1]), label([0, 1])]).expect("edits");
        annotation.apply(&made).expect("applied");
        let names: Vec<(String, [u8; 3])> =
            annotation.labels().map(|(_, label)| (label.name.clone(), label.colour)).collect();
        let expected = [("Lesion", [1, 2, 3]), ("Lesion 2", [9, 8, 7]), ("Lesion 3", [9, 8, 7])];
        assert_eq!(names, expected.map(|(name, colour)| (name.to_owned(), colour)));
        let of = |name: &str| {
            let id = annotation.named(name).expect("a label");
            annotation.mask(id, 0).map(|known| (known.mask.values.clone(), known.origin.clone()))
        };
        // A pixel belongs to one label, the later one.
        assert_eq!(of("Lesion 2"), Some((vec![1, 0], Origin::Read)));
        assert_eq!(of("Lesion 3"), Some((vec![0, 1], Origin::Read)));
        assert!(annotation.mask(id, 0).is_none());
        annotation.apply(&crate::annotate::reversed(&made)).expect("reversed");
        assert_eq!(annotation.labels().count(), before.labels().count());
    }
}
