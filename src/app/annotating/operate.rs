//! Operations on the active label, computed on a thread.

use super::Looked;
use crate::annotate::tools::{Extent, Spacing};
use crate::annotate::{Edit, LabelId, Operate, Operation};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::jobs::OperateOnLabel;
use crate::engine::{Pending, Ticket};

/// An operation that is being computed.
pub type Operating = Pending<Operated, Vec<Edit>>;

/// What an operation was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Operated {
    /// The operation.
    pub operation: Operation,
    /// The label.
    pub label: LabelId,
    image: Ticket,
    slice: usize,
    revision: u64,
}

impl HimixApp {
    /// Asks for an operation on the active label.
    pub(super) fn operate(&mut self, operation: Operation) {
        let state = &mut self.state;
        let (Some(open), Some(label)) = (&state.document.image, state.annotating.active) else {
            return state.notes.add_of_case(Kind::Warning, "There is no label yet. Draw something first.");
        };
        if state.annotating.operating.pending().is_some() {
            return state.notes.add_of_case(Kind::Info, "An operation is going on. Wait for it, or cancel it.");
        }
        let geometry = &open.volume.geometry;
        let spacing = Spacing { pixel_mm: geometry.pixel_mm, slice_mm: geometry.slice_mm };
        let annotation = state.document.annotation.clone();
        let (image, slice, revision) = (open.ticket, open.slice, annotation.revision());
        let extent = if open.volume.slices > 1 { state.annotating.operations.extent } else { Extent::Slice };
        let operate = Operate { operation, label, slice, extent, spacing, rules: state.annotating.rules };
        let of = Operated { operation, label, image, slice, revision };
        let sent = self.engine.ask(&mut state.annotating.operating, of, OperateOnLabel { annotation, operate });
        self.say_if_busy(sent);
    }

    /// Applies the edits of an operation that arrived, as one step.
    pub(in crate::app) fn take_operation(&mut self) {
        let operating = &mut self.state.annotating.operating;
        let Some(arrived) = operating.take() else { return };
        let Some(of) = operating.asked().cloned() else { return };
        let edits = match arrived {
            Ok(edits) => edits,
            Err(failure) => return self.say_failure_of_case(failure),
        };
        let is_open = self.state.document.image.as_ref().is_some_and(|open| open.ticket == of.image);
        if !is_open {
            return;
        }
        if self.state.document.annotation.revision() != of.revision || self.state.annotating.is_drawing() {
            let text = format!("The annotation was changed during the {}. Do it again.", of.operation.step());
            return self.state.notes.add_of_case(Kind::Warning, text);
        }
        if edits.is_empty() {
            let text = format!("Nothing was changed by the {}.", of.operation.step());
            return self.state.notes.add_of_case(Kind::Info, text);
        }
        self.annotate(of.operation.step(), Ok(edits));
        self.state.annotating.looked = Looked::Annotation;
        if of.operation == Operation::CopyToNext {
            self.show_slice(of.slice + 1);
        }
    }
}
