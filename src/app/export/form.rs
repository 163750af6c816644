//! The form of an export: format, labels and file.

use std::path::PathBuf;

use super::{Form, FormLabel, Of};
use crate::analysis::export::Format;
use crate::app::record::Source;
use crate::app::state::State;

impl State {
    /// Returns whether there is something to export.
    pub fn can_export(&self) -> bool {
        self.predicted().is_some() || self.document.annotation.labels().next().is_some()
    }

    /// Returns the form of an export in a format; `None` without an image or a mask.
    pub(super) fn export_form(&self, format: Format) -> Option<Form> {
        let open = self.document.image.as_ref().filter(|_| self.can_export())?;
        let labels: Vec<FormLabel> = self
            .document
            .annotation
            .labels()
            .map(|(id, label)| FormLabel {
                id,
                name: label.name.clone(),
                colour: label.colour,
                is_on: true,
                concept: self.export.codes.list.place_of(&label.name),
            })
            .collect();
        let is_annotated = !self.document.annotation.is_blank();
        let of = if is_annotated || self.predicted().is_none() { Of::Annotation } else { Of::Prediction };
        let form = Form { image: open.ticket, format, of, labels, path: String::new(), exists: Vec::new() };
        Some(Form { path: self.suggested_export(&form), ..form })
    }

    /// Returns the path that is suggested for an export, beside the image.
    pub(super) fn suggested_export(&self, form: &Form) -> String {
        let kind = form.of.name().to_lowercase();
        // An annotation has no prompt, and several labels and slices.
        let (words, slice) = match (form.of, self.predicted()) {
            (Of::Prediction, Some(shown)) => {
                let slice = self.document.image.as_ref().map(|open| open.slice);
                (shown.prediction.prompt.as_str(), slice)
            }
            _ => ("", None),
        };
        let name = self.suggested_stem(&kind, words, slice).unwrap_or(kind) + form.format.ending();
        let folder = self.document.image.as_ref().and_then(|open| match &open.source {
            Source::Files(path, _) => path.parent().map(PathBuf::from),
            Source::Sample(_) => None,
        });
        folder.unwrap_or_default().join(name).display().to_string()
    }
}
