//! The labels of the annotation and of the prediction as plain data for the threads.

use std::collections::BTreeSet;

use super::{Form, FormLabel, Of};
use crate::analysis::export::{SegmentWords, model_of};
use crate::annotate::{Annotation, LabelId, Origin, PredictedBy};
use crate::app::state::State;
use crate::data::export::LabelMasks;
use crate::data::seg::{Algorithm, Concept, Model};
use crate::engine::MaskOf;
use crate::engine::jobs::LabelsOf;

impl State {
    /// Returns the labels that a form asks for; `None` if there are none any more.
    pub(super) fn labels_of_form(&self, form: &Form) -> Option<LabelsOf> {
        match form.of {
            Of::Prediction => self.predicted_labels(),
            Of::Annotation => {
                let concepts: Vec<&Concept> = self.export.codes.list.concepts().collect();
                let chosen = form.labels.iter().filter(|label| label.is_on);
                let found = chosen.filter_map(|FormLabel { id, concept, .. }| {
                    let concept = concept.and_then(|place| concepts.get(place).copied()).cloned();
                    self.label_of(*id, concept.unwrap_or_else(Concept::lesion))
                });
                let found: Vec<_> = found.collect();
                (!found.is_empty()).then_some(LabelsOf::Known(found))
            }
        }
    }

    /// Returns all labels of the annotation for measurements.
    pub(super) fn annotated_labels(&self) -> LabelsOf {
        let ids = self.document.annotation.labels().map(|(id, _)| id);
        LabelsOf::Known(ids.filter_map(|id| self.label_of(id, Concept::lesion())).collect())
    }

    /// Returns the prediction of the slice that is shown.
    pub(super) fn predicted_labels(&self) -> Option<LabelsOf> {
        let (open, shown) = (self.document.image.as_ref()?, self.predicted()?);
        let model = self.model.as_ref().map(|model| model_of(&model.info)).unwrap_or_default();
        Some(LabelsOf::Predicted {
            mask: MaskOf::Prediction(shown.prediction.clone(), self.settings.threshold),
            slice: open.slice,
            prompt: shown.prediction.prompt.clone(),
            model,
            codes: self.export.codes.list.clone(),
        })
    }

    fn label_of(&self, id: LabelId, concept: Concept) -> Option<(LabelMasks, SegmentWords)> {
        let annotation = &self.document.annotation;
        let label = annotation.label(id)?;
        let mask = |slice| Some((slice, annotation.mask(id, slice)?.mask.clone()));
        let slices = annotation.slices(id).filter_map(mask).collect();
        let (description, by) = origin(annotation, id);
        let version = |name: &str| {
            let model = self.model.as_ref().filter(|model| model.info.name == name);
            model.map(|model| model.info.provenance.clone()).unwrap_or_default()
        };
        let algorithm = match by {
            By::Person => Algorithm::Manual,
            By::Model(name) => Algorithm::Automatic(Model { version: version(&name), name }),
            By::Both(name) => Algorithm::Semiautomatic(Model { version: version(&name), name }),
        };
        let masks = LabelMasks { name: label.name.clone(), colour: label.colour, slices };
        Some((masks, SegmentWords { description, algorithm, concept }))
    }
}

/// Who made a label.
#[derive(Debug, PartialEq, Eq)]
enum By {
    Person,
    /// A model, by its name.
    Model(String),
    /// A model, and a person who corrected or added something.
    Both(String),
}

/// Returns how a label was made, in words with the prompts, and by whom.
fn origin(annotation: &Annotation, id: LabelId) -> (String, By) {
    let origins = annotation.slices(id).filter_map(|slice| Some(&annotation.mask(id, slice)?.origin));
    let (mut prompts, mut model, mut is_touched) = (BTreeSet::new(), None, false);
    for origin in origins {
        match origin {
            Origin::Predicted(by) => {
                prompts.insert(words(by));
                model = Some(by.model.clone());
            }
            Origin::Corrected(by) => {
                prompts.insert(words(by));
                (model, is_touched) = (Some(by.model.clone()), true);
            }
            Origin::Drawn | Origin::Derived | Origin::Read => is_touched = true,
        }
    }
    let description = prompts.into_iter().collect::<Vec<_>>().join("; ");
    let by = match model {
        None => By::Person,
        Some(name) if is_touched => By::Both(name),
        Some(name) => By::Model(name),
    };
    (description, by)
}

/// Returns the prompt of a prediction with its threshold.
fn words(by: &PredictedBy) -> String {
    format!("{} (threshold {})", by.prompt, by.threshold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Combine, Label, Region, Rules};
    use crate::data::Mask;

    #[test]
    fn a_prediction_that_was_corrected_is_semiautomatic() {
        let mut annotation = Annotation::new([2, 1, 3]);
        let (id, edit) = annotation.add_label(Label::new("lesion", [0; 3])).expect("a label");
        annotation.apply(&[edit]).expect("applied");
        assert_eq!(origin(&annotation, id), (String::new(), By::Person));
        let by = PredictedBy { model: "demo".into(), prompt: "left lung".into(), threshold: 0.5 };
        let mut paint = |slice, values: [u8; 2], origin: &Origin| {
            let region = Region::from_mask(&Mask { width: 2, height: 1, values: values.to_vec() });
            let edits = annotation.paint(id, slice, &region, Combine::Add, &Rules::default(), origin);
            annotation.apply(&edits.expect("edits")).expect("applied");
            super::origin(&annotation, id)
        };
        let words = "left lung (threshold 0.5)".to_owned();
        let predicted = Origin::Predicted(by);
        assert_eq!(paint(0, [1, 0], &predicted), (words.clone(), By::Model("demo".into())));
        assert_eq!(paint(1, [1, 0], &Origin::Drawn), (words.clone(), By::Both("demo".into())));
        assert_eq!(paint(0, [0, 1], &Origin::Drawn), (words, By::Both("demo".into())));
    }
}
