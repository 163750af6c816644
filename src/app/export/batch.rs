//! The batch over the worklist.

use std::path::PathBuf;

use super::PromptsOf;
use super::{BatchCommand, Exporting};
use crate::analysis::batch::{BatchCase, BatchSettings, BatchSummary};
use crate::analysis::export::{Format, Formats};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::engine::jobs::BatchImages;
use crate::engine::{Failure, Slot};

impl State {
    /// Returns whether the open model follows a prompt, a text or a box.
    fn is_prompted(&self) -> bool {
        self.model.as_ref().is_none_or(|model| model.info.is_prompted())
    }

    /// Returns the prompt of the text field, or the box of the picture for a model that takes one.
    fn field(&self) -> String {
        match self.takes_box() {
            true => self.document.area.as_ref().map(ToString::to_string).unwrap_or_default(),
            false => self.document.prompt.trim().to_owned(),
        }
    }

    /// Returns the cases of the worklist with their prompts; none without a worklist.
    fn batch_cases(&self) -> Vec<BatchCase> {
        let Some(list) = &self.worklist else { return Vec::new() };
        let prompt = self.field();
        let prompts_of = |own: Option<String>| match self.export.batch.prompts {
            // Such a network makes a mask of every image.
            _ if !self.is_prompted() => Some(String::new()),
            PromptsOf::Cases => own,
            PromptsOf::Field => Some(prompt.clone()).filter(|prompt| !prompt.is_empty()),
        };
        let items = list.with_edits().into_iter();
        items
            .map(|item| BatchCase { prompts: prompts_of(item.prompt.clone()).into_iter().collect(), item })
            .collect()
    }

    /// Returns the reason why a batch cannot begin, as a sentence; `None` if it can.
    pub fn batch_refusal(&self) -> Option<&'static str> {
        let form = &self.export.batch;
        let (list, needs_prompts) = (self.worklist.as_ref(), self.is_prompted());
        let has_own = || list.is_some_and(|list| list.has_prompts() || !list.edited.is_empty());
        if list.is_none() {
            Some("Open a folder first.")
        } else if self.model.is_none() {
            Some("Open a model first.")
        } else if needs_prompts && form.prompts == PromptsOf::Cases && !has_own() {
            Some("The cases have no prompts. Use the prompt of the text field.")
        } else if needs_prompts && form.prompts == PromptsOf::Field && self.field().is_empty() {
            Some("Type a prompt first.")
        } else if form.formats.is_empty() {
            Some("Choose a format.")
        } else if form.out.trim().is_empty() {
            Some("Choose a folder for the masks.")
        } else {
            self.codes_refusal().filter(|_| form.formats.contains(&Format::DicomSeg))
        }
    }
}

impl HimixApp {
    /// Carries out a command about the batch.
    pub(super) fn apply_batch(&mut self, command: BatchCommand) {
        let Exporting { batch, running, .. } = &mut self.state.export;
        match command {
            BatchCommand::Show => {
                self.read_codes();
                if !matches!(self.state.tab, Tab::Read | Tab::Annotate) {
                    self.show_tab(Tab::Read);
                }
                self.open_pane(Pane::BATCH, true);
            }
            BatchCommand::Prompts(of) => batch.prompts = of,
            BatchCommand::Format(format, is_on) => {
                batch.formats.retain(|other| *other != format);
                batch.formats.extend(is_on.then_some(format));
            }
            BatchCommand::Out(out) => batch.out = out,
            BatchCommand::Start => self.start_batch(),
            BatchCommand::Cancel => running.cancel(),
        }
    }

    fn start_batch(&mut self) {
        let state = &mut self.state;
        let Some(list) = state.worklist.as_ref().filter(|_| state.batch_refusal().is_none()) else { return };
        let Some(model) = state.model.as_ref() else { return };
        let out = PathBuf::from(state.export.batch.out.trim());
        let settings = BatchSettings {
            model: model.source.clone(),
            threshold: state.settings.threshold,
            window: None,
            formats: Formats::from_iter(state.export.batch.formats.iter().copied()),
            limit: state.settings.limit(),
            codes: state.export.codes.list.as_ref().clone(),
        };
        let job =
            BatchImages { folder: list.folder.clone(), cases: state.batch_cases(), settings, out: out.clone() };
        state.export.done = None;
        self.engine.ask_model(Slot::Primary, &mut self.state.export.running, out, job);
    }

    /// Takes what a batch did.
    pub(super) fn take_batch(&mut self) {
        match self.state.export.running.take() {
            Some(Ok(done)) => {
                if done.summary.is_stopped {
                    let text = "The batch was stopped. Start it with the same folder to go on.";
                    self.state.notes.add(Kind::Info, text);
                }
                let BatchSummary { partial, failed, .. } = done.summary;
                let counts = [(failed, "failed"), (partial, "were written in some of the formats only")];
                let counts = counts.into_iter().filter(|(count, _)| *count > 0);
                let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
                if let Some(first) = done.failures.first() {
                    let counts = counts.join(" and ");
                    let text = format!("Of the masks of the batch, {counts}; the first: {first}");
                    self.state.notes.add(Kind::Warning, text);
                }
                self.state.export.done = Some(done);
            }
            Some(Err(Failure::Cancelled)) => {
                let text = "The batch was stopped. Start it with the same folder to go on.";
                self.state.notes.add(Kind::Info, text);
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
    }
}
