//! Carries out the commands of the Annotate tab. Every change of the annotation passes through
//! [`HimixApp::apply_edits`].

use std::time::{Duration, Instant};

use super::{AnnotateCommand, Looked, Tool, label};
use crate::annotate::{Edit, Label, LabelId, Step, joined, reversed};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::tab::Tab;
use crate::app::undo::{Change, Held};
use crate::engine::Ticket;

/// The step by which a key changes the threshold of the regions of the prediction.
const THRESHOLD_STEP: f32 = 0.05;

impl HimixApp {
    /// Lets the tools go on that need more than a frame. Returns the time until another frame is needed; `None` if
    /// none is.
    pub(in crate::app) fn continue_tools(&mut self) -> Option<Duration> {
        self.keep_hovered();
        let growing = self.continue_drag();
        if self.continue_outline() { Some(Duration::ZERO) } else { growing }
    }

    /// Carries out a command about the annotation.
    pub(in crate::app) fn apply_annotating(&mut self, command: AnnotateCommand) {
        let state = &mut self.state;
        let has_mm = state.has_pixel_mm();
        match command {
            AnnotateCommand::Choose(tool) => {
                state.annotating.put_down();
                state.annotating.tool = tool;
            }
            AnnotateCommand::SetOptions(options) => state.annotating.options = options,
            AnnotateCommand::SetOperations(operations) => state.annotating.operations = operations,
            AnnotateCommand::SetRadius(radius) => state.annotating.radius.set(radius, has_mm),
            AnnotateCommand::ScaleRadius(factor) if state.annotating.tool == Tool::Region => {
                let step = if factor > 1.0 { THRESHOLD_STEP } else { -THRESHOLD_STEP };
                let threshold = &mut state.annotating.options.threshold;
                *threshold = ((*threshold + step) / THRESHOLD_STEP).round() * THRESHOLD_STEP;
                *threshold = threshold.clamp(THRESHOLD_STEP, 1.0 - THRESHOLD_STEP);
            }
            AnnotateCommand::ScaleRadius(factor) => {
                let radius = state.annotating.radius.value(has_mm);
                state.annotating.radius.set(radius * factor, has_mm);
            }
            AnnotateCommand::RadiusInMm(in_mm) => state.annotating.radius.in_mm = in_mm,
            AnnotateCommand::SetRules(rules) => state.annotating.rules = rules,
            AnnotateCommand::Stroke { points, erases } => self.draw(&points, erases),
            AnnotateCommand::EndStroke => self.release(),
            AnnotateCommand::CancelStroke => self.cancel_stroke(),
            AnnotateCommand::Click { at, removes } => self.click(at, removes),
            AnnotateCommand::Hover(at) => {
                self.point_at(at);
                if self.state.annotating.tool == Tool::Region {
                    self.hover_region(at);
                }
            }
            AnnotateCommand::CloseOutline { removes } => self.close_outline(removes),
            AnnotateCommand::RemovePoint => self.remove_point(),
            AnnotateCommand::Operate(operation) => self.operate(operation),
            AnnotateCommand::CancelOperation => state.annotating.operating.cancel(),
            AnnotateCommand::AddLabel => match label::added(&state.document.annotation) {
                Ok((id, edit)) => {
                    self.annotate("new label", Ok(vec![edit]));
                    self.state.annotating.active = Some(id);
                }
                Err(error) => state.notes.add_of_case(Kind::Warning, error.to_string()),
            },
            AnnotateCommand::SetLabel { id, label, gesture } => self.set_label(id, label, gesture),
            AnnotateCommand::RemoveLabel(id) => {
                let edits = state.document.annotation.remove_label(id);
                self.annotate("removal of a label", edits.map_err(|error| error.to_string()));
            }
            AnnotateCommand::Activate(id) => {
                if state.document.annotation.label(id).is_some() {
                    state.annotating.active = Some(id);
                }
            }
            AnnotateCommand::ActivateNumber(number) => {
                let label = state.document.annotation.labels().nth(number.saturating_sub(1));
                if let Some((id, _)) = label {
                    state.annotating.active = Some(id);
                }
            }
            AnnotateCommand::ClearSlice => {
                let slice = state.document.image.as_ref().map_or(0, |open| open.slice);
                self.clear("clearing of the slice", |at| at == slice);
            }
            AnnotateCommand::ClearLabel => self.clear("clearing of the label", |_| true),
            AnnotateCommand::UsePrediction(place) => self.use_prediction(place),
            AnnotateCommand::Look(looked) => state.annotating.looked = looked,
            AnnotateCommand::UndoTo(place) => self.step_to(place, true),
            AnnotateCommand::RedoTo(place) => self.step_to(place, false),
        }
    }

    /// Changes a label. What belongs to one gesture is one step.
    fn set_label(&mut self, id: LabelId, label: Label, gesture: Option<u64>) {
        let edit = self.state.document.annotation.set_label(id, label).map_err(|error| error.to_string());
        let edits = edit.map(|edit| edit.into_iter().collect::<Vec<_>>());
        match edits.and_then(|edits| self.apply_edits(&edits).map(|()| edits)) {
            Ok(edits) => {
                self.record_edits("change of a label", edits, gesture.map(|gesture| Held::Label(id, gesture)))
            }
            Err(text) => self.state.notes.add_of_case(Kind::Warning, text),
        }
    }

    fn clear(&mut self, name: &str, is_cleared: impl Fn(usize) -> bool) {
        let annotation = &self.state.document.annotation;
        let Some(id) = self.state.annotating.active else { return };
        if let Some(label) = annotation.label(id).filter(|label| label.is_locked) {
            let text = format!("The label “{}” is locked. Unlock it to change it.", label.name);
            return self.state.notes.add_of_case(Kind::Warning, text);
        }
        let slices = annotation.slices(id).filter(|slice| is_cleared(*slice));
        let edits = slices.filter_map(|slice| annotation.cleared(id, slice)).collect();
        self.annotate(name, Ok(edits));
    }

    /// Applies edits as one step, or tells the user why there are none.
    pub(in crate::app) fn annotate(&mut self, name: &str, edits: Result<Vec<Edit>, String>) {
        let applied = edits.and_then(|edits| self.apply_edits(&edits).map(|()| edits));
        match applied {
            Ok(edits) => {
                if edits.iter().any(|edit| matches!(edit, Edit::Mask { .. })) {
                    self.state.annotating.looked = Looked::Annotation;
                }
                self.record_edits(name, edits, None);
            }
            Err(text) => self.state.notes.add_of_case(Kind::Warning, text),
        }
    }

    /// Applies edits to the annotation and to the labels on the screen: the only place that changes an annotation.
    ///
    /// # Errors
    /// Returns a sentence for the user; then nothing was changed.
    pub(in crate::app) fn apply_edits(&mut self, edits: &[Edit]) -> Result<(), String> {
        if edits.is_empty() {
            return Ok(());
        }
        if let Some(reason) = self.state.keeping.read_only() {
            return Err(reason.to_owned());
        }
        let before = self.state.document.annotation.revision();
        self.state.document.annotation.apply(edits).map_err(|error| error.to_string())?;
        self.state.annotating.keep_active(&self.state.document.annotation);
        self.draw_edits(edits, before);
        self.state.keeping.record(edits);
        Ok(())
    }

    /// Records edits that were applied as one step, or, for a part of what is held, as a part of its step.
    pub(in crate::app) fn record_edits(&mut self, name: &str, edits: Vec<Edit>, held: Option<Held>) {
        let Some(of) = self.state.document.image.as_ref().map(|open| open.ticket) else { return };
        if edits.is_empty() {
            return;
        }
        let step = Step { name: name.to_owned(), change: Change::Annotation { of, edits } };
        let join = |last: &mut Step<Change>, next: Step<Change>| {
            if let (Change::Annotation { edits, .. }, Change::Annotation { edits: newest, .. }) =
                (&mut last.change, next.change)
            {
                edits.extend(newest);
                *edits = joined(std::mem::take(edits));
            }
        };
        match held {
            Some(kind) => self.state.history.record_held(step, kind, Duration::MAX, Instant::now(), join),
            None => self.state.history.record(step),
        }
    }

    /// Undoes or redoes the edits of a step, and shows the slice that it changed.
    ///
    /// # Errors
    /// Returns a sentence for the user; then nothing was changed.
    pub(in crate::app) fn step_annotation(
        &mut self,
        of: Ticket,
        edits: &[Edit],
        is_back: bool,
    ) -> Result<(), String> {
        let is_open = self.state.document.image.as_ref().is_some_and(|open| open.ticket == of);
        if !is_open {
            return Ok(());
        }
        if is_back { self.apply_edits(&reversed(edits)) } else { self.apply_edits(edits) }?;
        if matches!(self.state.tab, Tab::Train | Tab::Stages | Tab::Prompts) {
            self.show_tab(Tab::Annotate);
        }
        self.state.annotating.looked = Looked::Annotation;
        let now = self.state.document.image.as_ref().map(|open| open.asked_slice());
        let slices: Vec<usize> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Mask { slice, .. } => Some(*slice),
                Edit::Label { .. } => None,
            })
            .collect();
        if let Some(slice) = slices.first().filter(|_| now.is_some_and(|now| !slices.contains(&now))) {
            self.show_slice(*slice);
        }
        Ok(())
    }
}
