//! Suggested names of saved files, and the size of saved images.

use std::sync::Arc;

use super::annotating::Looked;
use super::dialogs::OverlaySize;
use super::record::Source;
use super::state::{Shown, State};
use super::text;
use crate::annotate::Label;
use crate::data::Mask;
use crate::engine::{MaskOf, OverlayFrame};

/// The mask that is looked at.
enum Seen<'a> {
    /// That of the active label, which this is.
    Annotation(&'a Label),
    /// That which is shown for the prompt, or of a reader in its place.
    Shown(&'a Shown),
}

impl State {
    /// Returns the name of a PNG file for an output of this kind about what is looked at in the slice that is shown, made
    /// of image, slice and prompt, or of image, slice and label. `None` without an image.
    pub fn suggested_name(&self, kind: &str) -> Option<String> {
        let slice = self.document.image.as_ref()?.slice;
        // This is the prompt that produced the mask; the prompt in the text field may be newer.
        let words = match self.seen_mask() {
            Some(Seen::Annotation(label)) => label.name.as_str(),
            Some(Seen::Shown(shown)) => shown.prediction.prompt.as_str(),
            None => self.document.prompt.as_str(),
        };
        Some(self.suggested_stem(kind, words, Some(slice))? + ".png")
    }

    /// Returns a file name without an ending, made of image, slice and these words, for an output of this kind about a
    /// slice, from 0; `None` for an output about all slices. `None` without an image.
    pub fn suggested_stem(&self, kind: &str, words: &str, slice: Option<usize>) -> Option<String> {
        let open = self.document.image.as_ref()?;
        // The name has no file extension; the name of a series has none from the start.
        let stem = match &open.source {
            Source::Files(path, files) if files.len() < 2 => {
                let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                stem.strip_suffix(".nii").map_or(stem.clone(), str::to_owned)
            }
            _ => open.name.clone(),
        };
        let slice = slice.filter(|_| open.volume.slices > 1);
        let slice = slice.map(|slice| format!("{} {}", open.source.piece().to_lowercase(), slice + 1));
        let parts = [stem.as_str(), slice.as_deref().unwrap_or_default(), words];
        Some(text::file_stem(&parts, kind))
    }

    /// Returns the mask that is looked at; `None` if there is none. What is saved, how it is named and whether it can be
    /// saved follow this alone.
    fn seen_mask(&self) -> Option<Seen<'_>> {
        match self.looked() {
            Looked::Annotation => self.document.annotation.label(self.annotating.active?).map(Seen::Annotation),
            Looked::Prediction | Looked::Difference => self.shown.as_ref().map(Seen::Shown),
        }
    }

    /// Returns whether there is a mask to save.
    pub fn has_mask_to_save(&self) -> bool {
        self.seen_mask().is_some()
    }

    /// Returns the mask that is looked at, to be saved; `None` if there is none.
    pub fn mask_to_save(&self) -> Option<MaskOf> {
        match self.seen_mask()? {
            Seen::Annotation(_) => self.annotated_mask().map(MaskOf::Mask),
            Seen::Shown(shown) => Some(MaskOf::Prediction(shown.prediction.clone(), self.settings.threshold)),
        }
    }

    /// Returns the mask with which the picture compares the one that is looked at: the annotation if their difference is
    /// shown, otherwise the ground truth if it is.
    pub fn reference_to_save(&self) -> Option<Arc<Mask>> {
        match self.looked() {
            Looked::Difference => self.annotated_mask(),
            Looked::Prediction | Looked::Annotation => {
                self.truth_mask().filter(|_| self.show_truth).map(|(_, mask)| mask)
            }
        }
    }

    /// Returns the part and the size of the image to write. `None` if the image is written as it is.
    pub fn overlay_frame(&self, size: OverlaySize) -> Option<OverlayFrame> {
        let open = self.document.image.as_ref()?;
        let (image, is_smooth) = ([open.image.width, open.image.height], self.settings.smooth);
        match size {
            OverlaySize::Image => None,
            OverlaySize::Twice => OverlayFrame::whole(image, 2.0, is_smooth),
            OverlaySize::Screen => self.view.seen(image).map(|[corner, span, size]| OverlayFrame {
                corner,
                span,
                size: size.map(|side| side.round().max(1.0) as usize),
                is_smooth,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Combine, Origin, Region, Rules};
    use crate::app::annotating::Annotating;
    use crate::app::fixture::{opened, predict};
    use crate::app::tab::Tab;

    fn draw(state: &mut State) {
        let annotation = &mut state.document.annotation;
        let (id, edit) = annotation.add_label(Label::new("Lesion", [0; 3])).expect("a new name");
        annotation.apply(&[edit]).expect("it fits");
        let region = Region::new([2, 0], [1, 1], vec![1]);
        let edits = annotation.paint(id, 0, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
        annotation.apply(&edits.expect("it can be painted")).expect("they fit");
        state.annotating.take_annotation(annotation);
    }

    #[test]
    fn what_is_saved_and_its_name_are_of_what_is_looked_at() {
        let mut state = opened();
        let saved = |state: &State| {
            let mask = state.mask_to_save().map(|mask| mask.mask().values.clone());
            assert_eq!(mask.is_some(), state.has_mask_to_save());
            (mask, state.suggested_name("mask"))
        };
        state.document.prompt = "being typed".into();
        assert_eq!(saved(&state), (None, Some("chest_being-typed_mask.png".into())));
        draw(&mut state);
        let drawn = (Some(vec![0, 0, 1]), Some("chest_Lesion_mask.png".into()));
        assert_eq!(saved(&state), drawn, "without a prediction as well");
        predict(&mut state);
        assert_eq!(saved(&state), drawn);
        let predicted = (Some(vec![1, 0, 0]), Some("chest_left-lung_mask.png".into()));
        state.tab = Tab::Stages;
        assert_eq!(saved(&state), predicted, "the tab is about the network");
        state.tab = Tab::Read;
        state.annotating = Annotating::default();
        assert_eq!(saved(&state), predicted);
        assert_eq!(state.reference_to_save(), None, "there is no ground truth");
    }
}
