//! Which of the two masks is looked at: the prediction of the network or the annotation.

use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::Mask;
use std::sync::Arc;

/// The mask that picture, scores, figures and saved files show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    /// The prediction of the network.
    #[default]
    Prediction,
    /// The annotation.
    Annotation,
    /// The prediction compared with the annotation.
    Difference,
}

impl Looked {
    /// All of them, in display order.
    pub const ALL: [Self; 3] = [Self::Prediction, Self::Annotation, Self::Difference];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prediction => "Prediction",
            Self::Annotation => "Annotation",
            Self::Difference => "Difference",
        }
    }
}

impl State {
    /// Returns which of the two masks is looked at. This is the one rule for everything that reads a mask: without an
    /// annotation, and in the tabs about the network, it is the prediction.
    pub fn looked(&self) -> Looked {
        let has_annotation = self.document.annotation.labels().next().is_some();
        let is_about_network = matches!(self.tab, Tab::Prompts | Tab::Stages);
        let is_about_readers = self.shown_readers().is_some();
        if has_annotation && !is_about_network && !is_about_readers {
            self.annotating.chosen()
        } else {
            Looked::Prediction
        }
    }

    /// Returns the mask of the active label in the slice that is shown; `None` without a label. A label without
    /// pixels there has an empty mask.
    pub fn annotated_mask(&self) -> Option<Arc<Mask>> {
        let (open, label) = (self.document.image.as_ref()?, self.annotating.active?);
        let annotation = &self.document.annotation;
        annotation.label(label)?;
        let [width, height, _] = annotation.shape();
        let empty = || Arc::new(Mask { width, height, values: vec![0; width * height] });
        Some(annotation.mask(label, open.slice).map_or_else(empty, |known| known.mask.clone()))
    }
}

impl super::Annotating {
    /// Returns the choice of the user, whether or not there is an annotation.
    pub(super) fn chosen(&self) -> Looked {
        self.looked
    }
}
