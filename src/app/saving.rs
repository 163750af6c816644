//! Suggested names of saved files, and the size of saved images.

use super::annotating::Looked;
use super::dialogs::OverlaySize;
use super::record::Source;
use super::state::State;
use super::text;
use crate::engine::{MaskOf, OverlayFrame};

impl State {
    /// Returns the name of a PNG file for an output of this kind about the slice that is shown, made of image, slice and
    /// prompt. `None` without an image.
    pub fn suggested_name(&self, kind: &str) -> Option<String> {
        let slice = self.document.image.as_ref()?.slice;
        Some(self.suggested_stem(kind, Some(slice))? + ".png")
    }

    /// Returns a file name without an ending, made of image, slice and prompt, for an output of this kind about a slice,
    /// from 0; `None` for an output about all slices. `None` without an image.
    pub fn suggested_stem(&self, kind: &str, slice: Option<usize>) -> Option<String> {
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
        // This is the prompt that produced the mask; the prompt in the text field may be newer.
        let prompt =
            self.shown.as_ref().map_or(self.document.prompt.as_str(), |shown| shown.prediction.prompt.as_str());
        let parts = [stem.as_str(), slice.as_deref().unwrap_or_default(), prompt];
        Some(text::file_stem(&parts, kind))
    }

    /// Returns the mask that is looked at, to be saved; `None` if there is none.
    pub fn mask_to_save(&self) -> Option<MaskOf> {
        match self.looked() {
            Looked::Annotation => self.annotated_mask().map(MaskOf::Mask),
            Looked::Prediction | Looked::Difference => {
                let shown = self.shown.as_ref()?;
                Some(MaskOf::Prediction(shown.prediction.clone(), self.settings.threshold))
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
