//! An image and everything that belongs to it.

use std::path::PathBuf;
use std::sync::Arc;

use super::annotation::Annotation;
use super::predictions::Predictions;
use super::source::Source;
use crate::data::volume::{DisplayWindow, Window};
use crate::data::worklist::Item;
use crate::data::{Image, Mask, Truth, Volume};

/// Number by which answers of threads are matched with what was asked.
pub type Ticket = u64;

/// What one works on. `L` is a slice as its holder draws it, `P` a prediction as its holder keeps it.
#[derive(Debug)]
pub struct Document<L, P> {
    /// The image; `None` if none is open.
    pub image: Option<OpenImage<L>>,
    /// The prompt as it is typed.
    pub prompt: String,
    /// Predictions by slice.
    pub predictions: Predictions<P>,
    /// The ground truth; `None` if none is open.
    pub truth: Option<OpenTruth>,
    /// What was annotated; empty without an image.
    pub annotation: Annotation,
}

impl<L, P> Default for Document<L, P> {
    fn default() -> Self {
        Self {
            image: None,
            prompt: String::new(),
            predictions: Predictions::default(),
            truth: None,
            annotation: Annotation::default(),
        }
    }
}

impl<L, P> Document<L, P> {
    /// Opens an image in place of the one before, of which only the prompt stays.
    pub fn open(&mut self, image: OpenImage<L>) {
        self.close();
        self.annotation = Annotation::new(image.volume.shape());
        self.image = Some(image);
    }

    /// Closes the image with all that belongs to it; the prompt stays, because it is often wanted for the next one.
    pub fn close(&mut self) {
        self.image = None;
        self.truth = None;
        self.predictions.clear();
        self.annotation = Annotation::default();
    }
}

/// The image that is open, and the slice of it that is shown.
#[derive(Clone, Debug)]
pub struct OpenImage<L> {
    /// Names it in later events.
    pub ticket: Ticket,
    /// Its file.
    pub path: PathBuf,
    /// How it can be opened again.
    pub source: Source,
    /// What it is called: of a series what that is, never the name of one of its files.
    pub name: String,
    /// What the data set around a lone file says of it; `None` for a case of a list and for a file of no data set.
    pub case: Option<Box<Item>>,
    /// All of its slices.
    pub volume: Arc<Volume>,
    /// Number of the slice that is shown, from 0.
    pub slice: usize,
    /// Number of the slice that was asked for and is being prepared; `None` if the one that was asked for is shown.
    pub coming: Option<usize>,
    /// Values of the slice that is shown.
    pub image: Arc<Image>,
    /// Its pixels, for the screen.
    pub layer: L,
    /// From the smallest to the largest value of the slice.
    pub full: Window,
    /// The window in which it is shown.
    pub seen: DisplayWindow,
    /// The window in which the network saw it when it was asked last; `None` if it saw it as it is stored.
    pub asked: Option<DisplayWindow>,
}

impl<L> OpenImage<L> {
    /// What the slice that is shown is called.
    pub fn title(&self) -> String {
        format!("{}, {} {}", self.name, self.source.piece().to_lowercase(), self.slice + 1)
    }

    /// Number of the slice that was asked for last, from 0, whether or not it is shown already.
    pub fn asked_slice(&self) -> usize {
        self.coming.unwrap_or(self.slice)
    }
}

/// The mask that is compared with.
#[derive(Clone, Debug)]
pub struct OpenTruth {
    /// Names it in later events.
    pub ticket: Ticket,
    /// Its file, the first of several.
    pub path: PathBuf,
    /// Its labels on the image, and which of them count.
    pub truth: Arc<Truth>,
    /// The mask of the slice that is shown; `None` where the ground truth says nothing of it.
    pub mask: Option<Arc<Mask>>,
}

impl OpenTruth {
    /// With the mask of slice `slice`, from 0.
    pub fn new(ticket: Ticket, truth: Arc<Truth>, slice: usize) -> Self {
        let path = truth.files.first().cloned().unwrap_or_default();
        let mask = truth.mask(slice);
        Self { ticket, path, truth, mask }
    }
}

#[cfg(test)]
mod tests {
    use super::super::annotation::{Label, Origin};
    use super::super::predictions::Provenance;
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
        let label = Label::new("lesion", [1, 2, 3], Origin::Drawn);
        let id = document.annotation.add_label(label).expect("a new name");
        document.annotation.set_mask(id, 2, Some(Arc::new(mask))).expect("the image has three slices");

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
