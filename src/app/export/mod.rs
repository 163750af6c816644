//! Labels on their way out of the program and into it: the form of an export, files that are opened as annotation,
//! measurements, and the batch over the worklist.

mod apply;
mod batch;
mod batch_form;
mod codes;
mod command;
mod form;
mod form_fields;
mod labels;
mod measured;
mod measuring;
mod opening;

use std::path::PathBuf;
use std::sync::Arc;

pub use batch_form::{BatchForm, PromptsOf};
pub use command::{BatchCommand, DropAnswer, ExportCommand};
pub use form_fields::{Form, FormLabel, Of};
pub use measured::MeasuredOf;

use crate::analysis::measurements::Measurements;
use crate::data::mask::Agreed;
use crate::data::seg::Codes;
use crate::engine::jobs::{BatchDone, LabelsExported, LabelsOpened, TruthQuestion};
use crate::engine::{Pending, Several, Ticket};

/// What an export writes: the file, the form that asked for it, and the annotation that is saved with it, as the ticket of
/// its image and its revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Exports {
    /// The file.
    pub path: PathBuf,
    /// The form, as it was then.
    pub form: Form,
    /// The image and the revision of the annotation, if all of it is in the file.
    pub saves: Option<(Ticket, u64)>,
}

/// A file that is opened as annotation, and how it is laid on the image.
#[derive(Clone, Debug, PartialEq)]
pub struct OpensLabels {
    /// The file.
    pub path: PathBuf,
    /// The slice of a single mask without a position, from 0.
    pub slice: Option<usize>,
    /// The alignment that was agreed to.
    pub agreed: Agreed,
}

/// The list of codes that say what segments are.
pub struct SegmentCodes {
    /// The list that is used.
    pub list: Arc<Codes>,
    /// The user's list that is being read.
    pub reading: Pending<PathBuf, Codes>,
    /// Why the user's list cannot be used, as a sentence.
    pub failed: Option<String>,
}

impl Default for SegmentCodes {
    fn default() -> Self {
        Self { list: Arc::new(Codes::built_in()), reading: Pending::default(), failed: None }
    }
}

/// The state of exports, measurements and the batch.
#[derive(Default)]
pub struct Exporting {
    /// The form of an export, if it is open.
    pub form: Option<Form>,
    /// The list of segment codes.
    pub codes: SegmentCodes,
    /// The exports that are being written.
    pub writing: Several<Exports, LabelsExported>,
    /// The file that is being opened as annotation.
    pub opening: Pending<OpensLabels, LabelsOpened>,
    /// The question to answer before labels can be laid on the image.
    pub question: Option<TruthQuestion>,
    /// A file that was dropped, of which the user says what it is meant for.
    pub dropped: Option<PathBuf>,
    /// Whether the panel with the measurements was drawn in this frame.
    pub is_measured: bool,
    /// The measurements that are being made.
    pub measuring: Pending<MeasuredOf, Measurements>,
    /// The newest measurements, with what they were made of.
    pub measured: Option<(MeasuredOf, Measurements)>,
    /// The settings of the batch.
    pub batch: BatchForm,
    /// The batch that is running.
    pub running: Pending<PathBuf, BatchDone>,
    /// What the last batch did.
    pub done: Option<BatchDone>,
}

impl Exporting {
    /// Forgets what belonged to the image that was closed.
    pub fn leave_image(&mut self) {
        self.form = None;
        self.opening.cancel();
        self.question = None;
        self.dropped = None;
        self.measuring.cancel();
        self.measured = None;
    }
}
