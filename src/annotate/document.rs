//! An image and everything that belongs to it.

use std::path::PathBuf;
use std::sync::Arc;

use super::annotation::Annotation;
use super::predictions::Predictions;
use super::source::Source;
use crate::data::volume::{DisplayWindow, Window};
use crate::data::worklist::Item;
use crate::data::{Area, Image, Mask, Truth, Volume};

/// The number that matches the answers of threads with their requests.
pub type Ticket = u64;

/// The document. `L` is the displayed form of a slice, and `P` the stored form of a prediction; the owner chooses
/// both.
#[derive(Debug)]
pub struct Document<L, P> {
    /// The image; `None` if none is open.
    pub image: Option<OpenImage<L>>,
    /// The current text of the prompt.
    pub prompt: String,
    /// The box in the image with which a model is prompted that takes one; `None` if there is none.
    pub area: Option<Area>,
    /// The predictions by slice.
    pub predictions: Predictions<P>,
    /// The ground truth; `None` if none is open.
    pub truth: Option<OpenTruth>,
    /// The annotation; empty without an image.
    pub annotation: Annotation,
}

impl<L, P> Default for Document<L, P> {
    fn default() -> Self {
        Self {
            image: None,
            prompt: String::new(),
            area: None,
            predictions: Predictions::default(),
            truth: None,
            annotation: Annotation::default(),
        }
    }
}

impl<L, P> Document<L, P> {
    /// Opens an image in place of the previous one, of which only the prompt is kept.
    pub fn open(&mut self, image: OpenImage<L>) {
        self.close();
        self.annotation = Annotation::new(image.volume.shape());
        self.image = Some(image);
    }

    /// Closes the image and everything that belongs to it; the prompt is kept, because it is often reused for the
    /// next image.
    pub fn close(&mut self) {
        self.image = None;
        self.area = None;
        self.truth = None;
        self.predictions.clear();
        self.annotation = Annotation::default();
    }
}

/// The open image and its current slice.
#[derive(Clone, Debug)]
pub struct OpenImage<L> {
    /// The ticket that identifies the image in later events.
    pub ticket: Ticket,
    /// The path of its file.
    pub path: PathBuf,
    /// The source from which it can be opened again.
    pub source: Source,
    /// The display name; for a series, the name of the series, never that of one of its files.
    pub name: String,
    /// The entry of a single file in its surrounding data set; `None` for a case of a worklist and for a file
    /// outside a data set.
    pub case: Option<Box<Item>>,
    /// All slices of the image.
    pub volume: Arc<Volume>,
    /// The index of the current slice, starting at 0.
    pub slice: usize,
    /// The index of the requested slice while it is being prepared; `None` if the requested slice is shown.
    pub coming: Option<usize>,
    /// The values of the current slice.
    pub image: Arc<Image>,
    /// The pixels of the current slice for the screen.
    pub layer: L,
    /// The window from the smallest to the largest value of the slice.
    pub full: Window,
    /// The display window.
    pub seen: DisplayWindow,
    /// The window of the network input at the last request; `None` if the network received the image as it is
    /// stored.
    pub asked: Option<DisplayWindow>,
}

impl<L> OpenImage<L> {
    /// Returns the title of the current slice.
    pub fn title(&self) -> String {
        format!("{}, {} {}", self.name, self.source.piece().to_lowercase(), self.slice + 1)
    }

    /// Returns the index of the slice that was requested last, whether or not it is already shown.
    pub fn asked_slice(&self) -> usize {
        self.coming.unwrap_or(self.slice)
    }
}

/// The ground truth to compare with.
#[derive(Clone, Debug)]
pub struct OpenTruth {
    /// The ticket that identifies it in later events.
    pub ticket: Ticket,
    /// The path of its file, or of the first of several.
    pub path: PathBuf,
    /// Its labels on the grid of the image, and the choice of foreground labels.
    pub truth: Arc<Truth>,
    /// The mask of the current slice; `None` if the ground truth does not cover it.
    pub mask: Option<Arc<Mask>>,
}

impl OpenTruth {
    /// Creates the ground truth with the mask of slice `slice`, whose index starts at 0.
    pub fn new(ticket: Ticket, truth: Arc<Truth>, slice: usize) -> Self {
        let path = truth.files.first().cloned().unwrap_or_default();
        let mask = truth.mask(slice);
        Self { ticket, path, truth, mask }
    }
}

#[cfg(test)]
mod tests {
    use super::super::predictions::Provenance;
    use super::super::{Combine, Label, Origin, Region, Rules};
    use super::*;
    use crate::data::volume::StoredPixels;

    fn image(slices: usize) -> OpenImage<()> {
        let volume = Volume::plain(2, 1, slices, StoredPixels::U8(vec![0; 2 * slices]));
        let window = Window::EIGHT_BIT;
        OpenImage {
            ticket: 1,
            path: PathBuf::new(),
            source: Source::Files(PathBuf::new(), Vec::new()),
            name: String::new(),
            case: None,
            image: Arc::new(volume.slice(0)),
            volume: Arc::new(volume),
            slice: 0,
            coming: None,
            layer: (),
            full: window,
            seen: DisplayWindow { window, is_inverted: false },
            asked: None,
        }
    }

    #[test]
    fn another_image_takes_nothing_over_but_the_prompt() {
        let mut document = Document::<(), char>::default();
        document.open(image(3));
        document.prompt = "left lung".into();
        let of = Provenance { model: "m".into(), prompt: "left lung".into(), window: None };
        document.predictions.put(0, of.clone(), 1, 'a');
        let mask = Mask { width: 2, height: 1, values: vec![1, 0] };
        let truth = Truth::of_mask(PathBuf::from("truth"), &mask);
        document.truth = Some(OpenTruth::new(2, Arc::new(truth), 0));
        let annotation = &mut document.annotation;
        let (id, edit) = annotation.add_label(Label::new("lesion", [1, 2, 3])).expect("a new name");
        annotation.apply(&[edit]).expect("the edit fits");
        let region = Region::from_mask(&mask);
        let painted = annotation.paint(id, 2, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
        annotation.apply(&painted.expect("the image has three slices")).expect("the edits fit");

        document.open(image(1));
        assert!(document.truth.is_none() && document.predictions.get(0, &of).is_none());
        assert_eq!((document.annotation.labels().count(), document.annotation.is_dirty()), (0, false));
        assert_eq!(document.prompt, "left lung");
    }

    #[test]
    fn the_slice_that_was_asked_for_counts_before_it_is_shown() {
        let mut open = image(5);
        assert_eq!(open.asked_slice(), 0);
        open.coming = Some(3);
        assert_eq!((open.slice, open.asked_slice()), (0, 3));
    }
}
