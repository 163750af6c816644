//! Takes the results and events of the background threads into the state.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eframe::egui::{ColorImage, Context, TextureOptions};

use super::HimixApp;
use super::command::Command;
use super::keeping::KeepCommand;
use super::notes::{About, Kind};
use super::picture::layer;
use super::record::{PromptOf, Source};
use super::session_file::SessionCommand;
use super::state::{Distance, OpenImage, OpenModel, OpenTruth, Shown};
use super::text::file_name;
use super::view::View;
use crate::data::Truth;
use crate::engine::jobs::{CountPixels, ImageOpened, SampleOpened, TruthOpened};
use crate::engine::{Counts, Event, Failure, ModelEvent, Predicted, Slot, Sorted, Ticket};
use crate::infer::{ModelInfo, ModelSource};
use crate::render::ProbabilityLayer;

impl HimixApp {
    /// Handles all results and events that have arrived since the last frame.
    pub(super) fn take_arrivals(&mut self, ctx: &Context) {
        self.take_dialog_answer();
        self.take_training();
        while let Some(event) = self.engine.next_event() {
            self.take_event(ctx, event);
        }
        self.take_slice();
        self.take_model();
        self.take_files();
        self.take_cases();
        self.take_numbers(ctx);
        self.take_stages(ctx);
        self.take_comparison();
        self.take_influence(ctx);
        self.take_judgement();
        self.take_robustness();
        self.take_networks();
        self.take_variants();
        self.take_uncertainty();
        self.take_annotation_scores();
        self.take_operation();
        self.take_export();
        self.take_proposals();
        self.take_report();
        self.take_sessions();
        if let Some((ticket, outcome)) = self.state.jobs.prediction.take_any() {
            match outcome {
                Ok(predicted) => self.take_prediction(ticket, predicted),
                Err(failure) => self.say_failure_of_case(failure),
            }
        }
    }

    fn take_event(&mut self, ctx: &Context, event: Event) {
        match event {
            Event::Model { slot: Slot::Primary, event } => self.take_model_event(event),
            Event::Model { slot: Slot::Compared, event } => self.take_compared_event(event),
            Event::Thumbnail { list, place, picture } => {
                if let Some(worklist) = self.state.worklist.as_mut().filter(|worklist| worklist.ticket == list) {
                    worklist.take_thumbnail(ctx, place, picture.as_ref());
                }
            }
        }
    }

    fn take_model_event(&mut self, event: ModelEvent) {
        match event {
            ModelEvent::Updated { opened, info } => {
                // The answer to the request that opened the model comes another way and may not be taken yet.
                if opened == self.state.jobs.model.newest() {
                    self.take_model();
                }
                if let Some(model) = self.state.model.as_mut().filter(|model| model.opened == opened) {
                    model.info = *info;
                }
            }
            ModelEvent::WarmUp(progress) => self.state.warm_up = progress,
            ModelEvent::Lost(message) => {
                self.state.model = None;
                let newest = self.state.jobs.prediction.newest();
                self.state.jobs.prediction.forget(newest);
                self.state.notes.add(Kind::Error, message);
            }
            ModelEvent::Notice(text) => self.state.notes.add(Kind::Warning, text),
        }
    }

    /// Tells the user why a request failed, unless it was cancelled.
    pub(super) fn say_failure(&mut self, failure: Failure) {
        if let Some(message) = failure.message() {
            self.state.notes.add(Kind::Error, message);
        }
    }

    /// Like [`Self::say_failure`], for a failure that concerns the open case.
    pub(super) fn say_failure_of_case(&mut self, failure: Failure) {
        if let Some(message) = failure.message() {
            self.state.notes.add_of_case(Kind::Error, message);
        }
    }

    /// Handles the result of opening a model.
    fn take_model(&mut self) {
        let Some(outcome) = self.state.jobs.model.take() else { return };
        let Some(source) = self.state.jobs.model.asked().cloned() else { return };
        match outcome {
            Ok(info) => self.show_model(self.state.jobs.model.newest(), source, info),
            Err(failure) => {
                self.say_failure(failure);
                // If the remembered model no longer exists, the fallback model is opened instead.
                let fallback = self.fallback.clone().filter(|fallback| *fallback != source);
                if let (None, Some(fallback)) = (&self.state.model, fallback) {
                    self.commands.push(Command::OpenModel(fallback));
                }
            }
        }
    }

    /// Handles the results of reading and writing files.
    fn take_files(&mut self) {
        for (_, outcome) in self.state.jobs.sorting.take() {
            match outcome {
                Ok(sorted) => self.take_sorted(sorted),
                Err(failure) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.list.take() {
            let (ticket, folder) = (self.state.jobs.list.newest(), self.state.jobs.list.asked().cloned());
            match (outcome, folder) {
                (Ok(items), Some(folder)) => self.take_list(ticket, folder, items),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.image.take() {
            self.take_opened(outcome);
        }
        // A ground truth waits for its image, which was requested first and is read first.
        if self.state.jobs.image.pending().is_none()
            && let Some(outcome) = self.state.jobs.truth.take()
        {
            match outcome {
                Ok(TruthOpened::Laid(truth)) => self.take_truth(Arc::new(*truth)),
                Ok(TruthOpened::Asked(question)) => self.state.truth_question = Some(question),
                Err(failure) => self.say_failure_of_case(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.text.take() {
            match (outcome, self.state.jobs.text.asked().cloned()) {
                (Ok(text), Some(path)) => self.take_settings_text(&path, &text),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        for (path, outcome) in self.state.jobs.saving.take() {
            match outcome {
                Ok(()) => self.say_saved(&path),
                Err(failure) => self.say_failure(failure),
            }
        }
        if let Some(message) = self.settings_file.take() {
            self.state.notes.add(Kind::Error, message);
        }
    }

    fn take_sorted(&mut self, sorted: Sorted) {
        let Sorted { image, folder, truth, annotation, model, session, labels, refused } = sorted;
        refused.into_iter().for_each(|text| self.state.notes.add(Kind::Warning, text));
        // A mask passed together with a folder belongs to the series in that folder, which has to be found first.
        let is_of_folder = folder.is_some() && image.is_none();
        self.commands.extend(folder.map(Command::OpenFolder));
        self.commands.extend(image.map(Command::OpenImage));
        if is_of_folder {
            self.state.truth_of_folder = truth;
        } else {
            self.commands.extend(truth.map(|path| Command::OpenTruth(vec![path])));
        }
        self.commands.extend(annotation.map(|path| Command::Keep(KeepCommand::Open(path))));
        if let Some(path) = labels {
            self.state.export.dropped = Some(path);
        }
        self.commands.extend(model.map(Command::OpenModel));
        self.commands.extend(session.map(|path| Command::Session(SessionCommand::Open(path))));
    }

    fn take_opened(&mut self, outcome: Result<ImageOpened, Failure>) {
        let (ticket, source) = (self.state.jobs.image.newest(), self.state.jobs.image.asked().cloned());
        match (outcome, source) {
            (Ok(mut opened), Some(source)) => {
                let partners = std::mem::take(&mut opened.partners);
                let sample = opened.sample.take();
                let prompt = opened.case.as_ref().and_then(|case| case.prompt.clone());
                let prompt = prompt.filter(|_| !self.is_typed_ahead());
                self.show_image(ticket, source.clone(), opened);
                match (sample, source) {
                    (Some(sample), _) => self.show_sample(sample),
                    (None, Source::Files(path, _)) => {
                        if let Some(prompt) = prompt {
                            self.state.bring(prompt, PromptOf::File(ticket));
                        }
                        // For a worklist, the recent files contain its folder rather than every case that was
                        // viewed.
                        if self.state.worklist.as_ref().is_none_or(|list| list.current.is_none()) {
                            self.state.settings.remember(&path);
                        }
                    }
                    (None, Source::Sample(_)) => {}
                }
                let is_of_session = self.restore_image(ticket);
                self.request_prediction();
                self.finish_recall();
                // A ground truth that was passed together with the image has already been requested, and a session
                // names its own.
                if !is_of_session && self.state.jobs.truth.pending().is_none() && !partners.is_empty() {
                    self.commands.push(Command::OpenTruth(partners));
                }
            }
            (Ok(_), None) => {}
            (Err(failure), _) => {
                let message = failure.message();
                let is_shown = self.image_failed(ticket, message.as_deref());
                match (message, is_shown) {
                    (Some(message), true) => self.state.notes.keep(Kind::Error, message),
                    (Some(message), false) => self.state.notes.add(Kind::Error, message),
                    (None, _) => {}
                }
            }
        }
    }

    fn show_sample(&mut self, SampleOpened { sample, mask, prompt }: SampleOpened) {
        let path = PathBuf::from(format!("{}, truth", sample.title));
        let truth = Arc::new(Truth::of_mask(path, &mask));
        self.state.document.truth = Some(OpenTruth::new(self.engine.ticket(), truth, 0));
        self.state.show_truth = true;
        self.state.bring(prompt, PromptOf::Sample(sample.title));
    }

    /// Handles the results of counting, measuring and rendering.
    fn take_numbers(&mut self, ctx: &Context) {
        if let Some(outcome) = self.state.jobs.counts.take() {
            match (outcome, self.state.jobs.counts.asked().copied()) {
                (Ok(counts), Some(prediction)) => self.take_counts(prediction, counts),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.distance.take() {
            match (outcome, self.state.jobs.distance.asked().copied()) {
                (Ok(length), Some(of)) => self.state.distance = Some(Distance { of, length }),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.clearing.take() {
            match outcome {
                Ok(0) => self.state.notes.add(Kind::Info, "No GPU tuning was stored."),
                Ok(_) => {
                    let text = "The stored GPU tuning was deleted. HiMix tunes the GPU again when it is started.";
                    self.state.notes.add(Kind::Info, text);
                }
                Err(failure) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.jobs.network_view.take() {
            match (outcome, self.state.jobs.network_view.asked().copied()) {
                (Ok(picture), Some(key)) => {
                    if let Some(bytes) = picture.texels.rgba() {
                        let image = ColorImage::from_rgba_unmultiplied([picture.width, picture.height], bytes);
                        let texture = ctx.load_texture("what the network gets", image, TextureOptions::NEAREST);
                        self.state.network_view = Some((key, texture));
                    }
                }
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
    }

    fn show_model(&mut self, opened: Ticket, source: ModelSource, info: ModelInfo) {
        for notice in &info.notices {
            self.state.notes.add(Kind::Warning, notice.clone());
        }
        self.state.settings.remember_model(source.clone());
        self.state.stages.forget_model();
        self.forget_override_steps();
        self.state.document.predictions.clear();
        let words = info.vocabulary.lines().map(str::to_owned).collect();
        self.state.model = Some(OpenModel { opened, source, info, words });
        self.request_prediction();
    }

    fn show_image(&mut self, ticket: Ticket, source: Source, opened: ImageOpened) {
        let ImageOpened { volume, slice, image, display, case, .. } = opened;
        let path = match &source {
            Source::Files(path, _) => path.clone(),
            Source::Sample(sample) => PathBuf::from(sample.title),
        };
        let name = self.enter_case(ticket, &source, volume.slices);
        let reduced = (display.reduction > 1).then(|| {
            format!(
                "The image has {} × {} pixels, more than the graphics device can show. It is shown at 1/{} of its \
                 size; the network and the scores use all of it.",
                image.width, image.height, display.reduction
            )
        });
        let mut seen = volume.first_display_window(&image);
        if let Some(window) = self.state.settings.windows.get(&volume.modality).filter(|_| volume.unit == "HU") {
            seen.window = *window;
        }
        let full = volume.full_range(&image);
        let asked = volume.for_network(full, seen);
        let layer = layer(ticket, &image, display);
        self.close_image();
        // The most important note goes last, where it is visible without a click; loaders list it first.
        let notes = volume.assumptions.iter().chain(volume.notes.iter().rev()).chain(&reduced);
        notes.for_each(|note| self.state.notes.note(About::Image, note));
        self.state.document.open(OpenImage {
            ticket,
            path,
            source,
            name,
            case,
            volume,
            slice,
            coming: None,
            image,
            layer,
            full,
            seen,
            asked,
        });
        self.enter_annotation();
        self.prepare_slices();
    }

    /// Closes the image and everything that belongs to it.
    pub(super) fn close_image(&mut self) {
        self.finish_stroke();
        self.leave_annotation();
        self.forget_annotation_steps();
        self.state.annotating.leave_image();
        self.state.export.leave_image();
        let ticket = self.forget_prediction();
        self.engine.forget_slices();
        let state = &mut self.state;
        state.document.close();
        state.failed = None;
        state.ruler = None;
        state.playing = None;
        state.truth_question = None;
        state.shown = None;
        state.view = View::default();
        state.notes.leave_case();
        state.stages.forget_image();
        state.proposals.forget_image(ticket);
        if let Some(comparison) = &mut state.comparison {
            comparison.forget();
        }
    }

    fn take_truth(&mut self, truth: Arc<Truth>) {
        let (ticket, image) = (self.state.jobs.truth.newest(), self.state.jobs.truth.asked());
        let Some(open) = self.state.document.image.as_ref().filter(|open| Some(&open.ticket) == image) else {
            let path = truth.files.first().map(|path| path.display().to_string()).unwrap_or_default();
            let text = format!(
                "The ground truth was not opened, because its image was not. Open the image, then the mask: {path}"
            );
            return self.state.notes.add(Kind::Error, text);
        };
        self.state.notes.leave_truth();
        let name = truth.files.first().map(|path| file_name(path)).unwrap_or_default();
        for note in &truth.laid.labels.notes {
            self.state.notes.note(About::Truth, format!("Ground truth {name}: {note}"));
        }
        let slice = open.slice;
        self.show_truth(OpenTruth::new(ticket, truth, slice));
        if self.state.sessions.hides(ticket) {
            self.state.show_truth = false;
        }
    }

    /// Compares predictions with this ground truth from now on.
    pub(super) fn show_truth(&mut self, truth: OpenTruth) {
        self.state.document.truth = Some(truth);
        self.state.show_truth = true;
        // Slices that were prepared earlier do not include the masks of this ground truth.
        self.prepare_slices();
        self.score_shown();
        self.request_compared();
    }

    /// Requests the pixel counts of the displayed prediction against the ground truth.
    pub(super) fn score_shown(&mut self) {
        let (Some(shown), Some(truth)) = (&self.state.shown, self.state.truth_mask()) else { return };
        let (prediction, job) = (shown.ticket, CountPixels { prediction: shown.prediction.clone(), truth });
        let sent = self.engine.ask(&mut self.state.jobs.counts, prediction, job);
        self.say_if_busy(sent);
    }

    fn take_counts(&mut self, prediction: Ticket, counts: Counts) {
        let truth = self.state.document.truth.as_ref().map(|truth| truth.ticket);
        let shown = self.state.shown.as_mut().filter(|shown| shown.ticket == prediction);
        if let Some(shown) = shown.filter(|_| counts.truth == truth) {
            shown.counts = counts;
        }
    }

    fn take_prediction(&mut self, ticket: Ticket, predicted: Predicted) {
        let Predicted { image, prediction, counts, .. } = predicted;
        if self.state.jobs.prediction.newest() != ticket {
            // This answers an earlier edit, so the wait for the newest one starts again.
            self.state.jobs.prediction.waits_since(Instant::now());
        }
        let Some(open) = &self.state.document.image else { return };
        // An answer about a previously shown image says nothing about this one.
        if !Arc::ptr_eq(&open.image, &image) {
            return;
        }
        if self.state.jobs.prediction.newest() == ticket {
            let of_model = prediction.threshold.as_ref().map(|of_model| of_model.threshold);
            self.state.settings.follow_threshold(of_model);
        }
        let grid = &prediction.probability_model;
        let layer = ProbabilityLayer {
            key: ticket,
            size: [grid.width, grid.height],
            values: Arc::new(grid.values.clone()),
        };
        let is_counted = self.state.truth_mask().is_none_or(|(truth, _)| counts.truth == Some(truth));
        let misread = prediction.tokens.reading.misread(&prediction.prompt);
        let shown = Shown { ticket, since: Instant::now(), prediction, counts, layer, misread };
        self.remember(&shown);
        self.state.shown = Some(shown);
        if !is_counted {
            // The ground truth arrived while the prediction was being computed.
            self.score_shown();
        }
    }

    /// Caches the prediction of the slice that is shown, if none of its inputs has changed since it was requested.
    fn remember(&mut self, shown: &Shown) {
        let document = &self.state.document;
        let Some(open) = document.image.as_ref().filter(|open| open.volume.slices > 1) else { return };
        let slice = open.slice;
        let Some(of) = self.provenance().filter(|_| shown.ticket == self.state.jobs.prediction.newest()) else {
            return;
        };
        let prediction = &shown.prediction;
        let maps = prediction.stages.iter().map(|stage| stage.map.values.len());
        let planes = [&prediction.probability, &prediction.probability_model].map(|plane| plane.values.len());
        let numbers = maps.chain(planes).sum::<usize>() + shown.layer.values.len();
        let bytes = numbers * size_of::<f32>();
        self.state.document.predictions.put(slice, of, bytes, shown.clone());
    }
}
