//! What the threads report, taken into the state.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eframe::egui::{ColorImage, Context, TextureOptions};

use super::HimixApp;
use super::command::Command;
use super::notes::{About, Kind};
use super::picture::layer;
use super::state::{Distance, OpenImage, OpenModel, OpenTruth, PromptOf, Shown, file_name};
use super::view::View;
use crate::data::worklist::Item;
use crate::data::{Image, Truth, Volume};
use crate::engine::{Counts, DisplayPixels, Event, FileCommand, FileEvent, Predicted, Ticket};
use crate::infer::{ModelInfo, ModelSource};
use crate::render::ProbabilityLayer;

/// What was read of an image.
struct Arrived {
    case: Option<Box<Item>>,
    volume: Arc<Volume>,
    slice: usize,
    image: Arc<Image>,
    display: DisplayPixels,
}

impl HimixApp {
    /// Takes in everything that was reported since the last frame.
    pub(super) fn take_arrivals(&mut self, ctx: &Context) {
        self.take_dialog_answer();
        self.take_training();
        while let Some(event) = self.engine.next_event() {
            self.take_event(ctx, event);
        }
        self.take_inspections();
        if let Some(predicted) = self.engine.take_prediction() {
            self.take_prediction(predicted);
        }
    }

    fn take_event(&mut self, ctx: &Context, event: Event) {
        match event {
            Event::ModelOpened { ticket, source, info } => self.take_model(ticket, source, info),
            Event::ModelFailed { ticket, message } => {
                if let Some(awaited) = self.state.awaited_model.take_if(|awaited| awaited.ticket == ticket) {
                    self.state.notes.add(Kind::Error, message);
                    // A model that was remembered and is gone leaves nobody without one.
                    let fallback = self.fallback.clone().filter(|fallback| *fallback != awaited.what);
                    if let (None, Some(fallback)) = (&self.state.model, fallback) {
                        self.commands.push(Command::OpenModel(fallback));
                    }
                }
            }
            Event::ModelUpdated(info) => {
                if let Some(model) = &mut self.state.model {
                    model.info = info;
                }
            }
            Event::ModelLost { message } => {
                self.state.model = None;
                self.state.awaited_prediction = None;
                self.state.notes.add(Kind::Error, message);
            }
            Event::PredictionFailed { ticket, message } => {
                if self.state.awaited_prediction.take_if(|awaited| awaited.ticket == ticket).is_some() {
                    self.state.notes.add_of_case(Kind::Error, message);
                }
            }
            Event::Study { ticket, event } => self.take_study(ticket, event),
            Event::InspectionFailed { ticket, message } => self.inspection_failed(ticket, message),
            Event::Notice(text) => self.state.notes.add(Kind::Warning, text),
            Event::Thumbnail { list, place, picture } => {
                if let Some(worklist) = self.state.worklist.as_mut().filter(|worklist| worklist.ticket == list) {
                    worklist.take_thumbnail(ctx, place, picture.as_ref());
                }
            }
            Event::File(event) => self.take_file_event(ctx, event),
            Event::Compared(event) => self.take_compared(*event),
            Event::Estimated { ticket, result } => self.take_estimate(ticket, result),
            Event::Interrupted { folder, run } => self.take_interrupted(folder, run.map(|run| *run)),
        }
    }

    fn take_file_event(&mut self, ctx: &Context, event: FileEvent) {
        match event {
            FileEvent::Sorted { image, folder, truth, model, refused } => {
                refused.into_iter().for_each(|text| self.state.notes.add(Kind::Warning, text));
                // A mask named with a folder is that of the series in it, which has to be found first.
                let is_of_folder = folder.is_some() && image.is_none();
                self.commands.extend(folder.map(Command::OpenFolder));
                self.commands.extend(image.map(Command::OpenImage));
                if is_of_folder {
                    self.state.truth_of_folder = truth;
                } else {
                    self.commands.extend(truth.map(|path| Command::OpenTruth(vec![path])));
                }
                self.commands.extend(model.map(Command::OpenModel));
            }
            FileEvent::ImageOpened { ticket, path, volume, slice, image, display, partners, case } => {
                let file = path.clone();
                let prompt = case.as_ref().and_then(|case| case.prompt.clone()).filter(|_| !self.is_typed_ahead());
                if self.take_image(ticket, path, Arrived { case, volume, slice, image, display }) {
                    if let Some(prompt) = prompt {
                        self.state.prompt = prompt;
                        self.state.prompt_of = PromptOf::File(ticket);
                    }
                    // Of a list its folder is among the recent ones, not every case that was looked at.
                    if self.state.worklist.as_ref().is_none_or(|list| list.current.is_none()) {
                        self.state.settings.remember(&file);
                    }
                    self.request_prediction();
                    self.finish_recall();
                    // A truth that was named with the image is on its way already.
                    if self.state.awaited_truth.is_none() && !partners.is_empty() {
                        self.commands.push(Command::OpenTruth(partners));
                    }
                }
            }
            FileEvent::Progress { ticket, done, count } => {
                if self.state.awaited_image.as_ref().is_some_and(|awaited| awaited.ticket == ticket) {
                    self.state.progress = Some((done, count));
                }
            }
            FileEvent::SampleOpened { ticket, truth_ticket, sample, volume, image, display, mask, prompt } => {
                let arrived = Arrived { case: None, volume, slice: 0, image, display };
                if self.take_image(ticket, PathBuf::from(sample.title), arrived) {
                    let path = PathBuf::from(format!("{}, truth", sample.title));
                    let truth = Arc::new(Truth::of_mask(path, &mask));
                    self.state.truth = Some(OpenTruth::new(truth_ticket, truth, 0));
                    self.state.show_truth = true;
                    self.state.prompt = prompt;
                    self.state.prompt_of = PromptOf::Sample(sample.title);
                    self.request_prediction();
                    self.finish_recall();
                }
            }
            FileEvent::TruthOpened { ticket, truth } => self.take_truth(ticket, Arc::new(*truth)),
            FileEvent::TruthAsked { ticket, question } => {
                if self.state.awaited_truth.take_if(|awaited| awaited.ticket == ticket).is_some() {
                    self.state.truth_question = Some(question);
                }
            }
            FileEvent::Scored { prediction_ticket, counts } => self.take_counts(prediction_ticket, counts),
            FileEvent::Listed { ticket, folder, items } => self.take_list(ticket, folder, items),
            FileEvent::NetworkView { key, picture } => {
                if let Some(bytes) = picture.texels.rgba() {
                    let image = ColorImage::from_rgba_unmultiplied([picture.width, picture.height], bytes);
                    let texture = ctx.load_texture("what the network gets", image, TextureOptions::NEAREST);
                    self.state.network_view.1 = Some((key, texture));
                }
            }
            FileEvent::Measured { of, distance } => {
                self.state.measuring.take_if(|measuring| *measuring == of);
                self.state.distance = Some(Distance { of, length: distance });
            }
            FileEvent::Composed { ticket, picture } => {
                if !self.take_base(ctx, ticket, &picture) {
                    self.take_painting(ticket, picture);
                }
            }
            FileEvent::Refined { ticket, steps } => self.take_steps(ticket, steps),
            FileEvent::TextRead { path, text } => self.take_settings_text(&path, &text),
            FileEvent::Saved { path } => self.say_saved(&path),
            FileEvent::Cancelled { ticket } => {
                self.image_failed(ticket, None);
            }
            FileEvent::Failed { ticket, message } => {
                let is_shown = ticket.is_some_and(|ticket| self.image_failed(ticket, Some(&message)));
                let truth = self.state.awaited_truth.take_if(|awaited| Some(awaited.ticket) == ticket);
                self.state.awaited_list.take_if(|awaited| Some(*awaited) == ticket);
                match (is_shown, truth) {
                    (true, _) => self.state.notes.keep(Kind::Error, message),
                    (false, Some(_)) => self.state.notes.add_of_case(Kind::Error, message),
                    (false, None) => self.state.notes.add(Kind::Error, message),
                }
            }
        }
    }

    fn take_model(&mut self, ticket: Ticket, source: ModelSource, info: ModelInfo) {
        if self.state.awaited_model.take_if(|awaited| awaited.ticket == ticket).is_none() {
            return;
        }
        for notice in &info.notices {
            self.state.notes.add(Kind::Warning, notice.clone());
        }
        self.state.settings.remember_model(source.clone().into());
        self.state.stages.forget_model();
        self.state.model = Some(OpenModel { source, info });
        self.request_prediction();
    }

    /// Whether it was still wanted.
    fn take_image(&mut self, ticket: Ticket, path: PathBuf, arrived: Arrived) -> bool {
        let Arrived { case, volume, slice, image, display } = arrived;
        let Some(awaited) = self.state.awaited_image.take_if(|awaited| awaited.ticket == ticket) else {
            return false;
        };
        let source = awaited.what;
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
        // What matters most stands last, where it is seen without a click; loaders say it first.
        let notes = volume.assumptions.iter().chain(volume.notes.iter().rev()).chain(&reduced);
        notes.for_each(|note| self.state.notes.note(About::Image, note));
        self.state.image =
            Some(OpenImage { ticket, path, source, name, case, volume, slice, image, layer, full, seen, asked });
        true
    }

    /// Shows no image any more, and nothing that belongs to one.
    pub(super) fn close_image(&mut self) {
        self.forget_prediction();
        let state = &mut self.state;
        state.image = None;
        state.failed = None;
        state.progress = None;
        state.ruler = None;
        state.playing = None;
        state.truth = None;
        state.truth_question = None;
        state.shown = None;
        state.view = View::default();
        state.notes.leave_case();
        state.stages.forget_image();
        if let Some(comparison) = &mut state.training.comparison {
            comparison.forget();
        }
    }

    fn take_truth(&mut self, ticket: Ticket, truth: Arc<Truth>) {
        let Some(awaited) = self.state.awaited_truth.take_if(|awaited| awaited.ticket == ticket) else { return };
        let Some(open) = self.state.image.as_ref().filter(|open| Some(open.ticket) == awaited.what) else {
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
    }

    /// Compares with a truth from now on.
    pub(super) fn show_truth(&mut self, truth: OpenTruth) {
        self.state.truth = Some(truth);
        self.state.show_truth = true;
        self.score_shown();
        self.request_compared();
    }

    /// Has the prediction that is shown counted against the truth.
    fn score_shown(&mut self) {
        let (Some(shown), Some((truth_ticket, truth))) = (&self.state.shown, self.state.truth_mask()) else {
            return;
        };
        let (prediction_ticket, prediction) = (shown.ticket, shown.prediction.clone());
        let score = FileCommand::Score { prediction_ticket, prediction, truth_ticket, truth };
        if let Err(busy) = self.engine.file(score) {
            self.state.notes.add(Kind::Error, busy.to_string());
        }
    }

    fn take_counts(&mut self, prediction: Ticket, counts: Counts) {
        let truth = self.state.truth.as_ref().map(|truth| truth.ticket);
        let shown = self.state.shown.as_mut().filter(|shown| shown.ticket == prediction);
        if let Some(shown) = shown.filter(|_| counts.truth == truth) {
            shown.counts = counts;
        }
    }

    fn take_prediction(&mut self, predicted: Predicted) {
        let Predicted { ticket, image, prediction, counts } = predicted;
        match &mut self.state.awaited_prediction {
            // An answer to an earlier edit: the wait for the newest one begins anew.
            Some(awaited) if awaited.ticket != ticket => awaited.since = Instant::now(),
            awaited => *awaited = None,
        }
        let Some(open) = &self.state.image else { return };
        // An answer about an image that was shown before says nothing about this one.
        if !Arc::ptr_eq(&open.image, &image) {
            return;
        }
        let grid = &prediction.probability_model;
        let layer = ProbabilityLayer {
            key: ticket,
            size: [grid.width, grid.height],
            values: Arc::new(grid.values.clone()),
        };
        let is_counted = self.state.truth_mask().is_none_or(|(truth, _)| counts.truth == Some(truth));
        self.state.shown = Some(Shown { ticket, since: Instant::now(), prediction, counts, layer });
        if !is_counted {
            // The truth came while the prediction was made.
            self.score_shown();
        }
    }
}
