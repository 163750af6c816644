//! The thread that reads and writes files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;

use super::display::DisplayPixels;
use super::event_sender::{EventSender, guarded};
use super::message::{Counts, Event, FileCommand, FileEvent, Ticket, TruthQuestion};
use super::scores::ThresholdCounts;
use super::{enlarge, figure, overlay, sort};
use crate::analysis::refinement;
use crate::data::volume::DisplayWindow;
use crate::data::{self, DataError, Image, Orientation, Pixels, Truth, Volume};
use crate::metrics::hd95_of;

/// Slices between two reports of how far reading is.
const PROGRESS: usize = 8;

/// Works until the engine is dropped; what was asked for before that is still done.
pub(super) fn run(commands: &Receiver<FileCommand>, out: &EventSender) {
    let mut newest = None;
    for command in commands {
        let ticket = ticket_of(&command);
        let file = path_of(&command);
        let event = match guarded(|| work(command, out, &mut newest)) {
            Ok(Ok(event)) => event,
            Ok(Err(error)) if matches!(error.downcast_ref(), Some(DataError::Cancelled { .. })) => {
                ticket.map(|ticket| FileEvent::Cancelled { ticket })
            }
            Ok(Err(error)) => Some(failed(ticket, error.to_string(), file.as_deref())),
            Err(reason) => {
                let message = format!("The file could not be used ({reason}). Try another file.");
                Some(failed(ticket, message, file.as_deref()))
            }
        };
        if let Some(event) = event {
            out.send(Event::File(event));
        }
    }
}

/// The image that was opened last, which a mask is laid on.
type Newest = Option<(Ticket, Arc<Volume>)>;

fn work(
    command: FileCommand,
    out: &EventSender,
    newest: &mut Newest,
) -> Result<Option<FileEvent>, Box<dyn std::error::Error>> {
    Ok(Some(match command {
        FileCommand::Sort { paths, has_image } => sort::sort(paths, has_image),
        FileCommand::List { ticket, folder } => {
            let items = data::worklist::list(&folder)?;
            FileEvent::Listed { ticket, folder, items }
        }
        FileCommand::OpenImage { ticket, path, files, texture_limit, limit, orientation, looks_up, cancel } => {
            let progress = |done: usize, count: usize| {
                if done == count || done.is_multiple_of(PROGRESS) {
                    out.send(Event::File(FileEvent::Progress { ticket, done, count }));
                }
                !cancel.load(Ordering::Relaxed)
            };
            let case = looks_up.then(|| data::worklist::case(&path)).flatten().map(Box::new);
            let orientation = match &case {
                Some(case) if case.reading.orientation == Orientation::AsStored => Orientation::AsStored,
                _ => orientation,
            };
            let volume = if files.len() > 1 {
                data::dicom::open_series(&files, limit, &|done| progress(done, files.len()))?
            } else {
                data::open::open_as(&path, limit, orientation, &progress)?
            };
            let slice = volume.slices / 2;
            let image = Arc::new(volume.slice(slice));
            let display = DisplayPixels::of(&image, texture_limit);
            let partners = match case.as_ref().map(|case| case.truth.as_slice()) {
                Some(masks @ [_, ..]) => masks.to_vec(),
                _ => data::dataset::partners(&path),
            };
            let volume = Arc::new(volume);
            *newest = Some((ticket, volume.clone()));
            FileEvent::ImageOpened { ticket, path, volume, slice, image, display, partners, case }
        }
        FileCommand::OpenSample { ticket, truth_ticket, sample, texture_limit } => {
            let made = sample.make();
            let display = DisplayPixels::of(&made.image, texture_limit);
            let volume = Arc::new(Volume::of_image(made.image.clone()));
            *newest = Some((ticket, volume.clone()));
            let (image, mask, prompt) = (Arc::new(made.image), Arc::new(made.mask), made.prompt);
            FileEvent::SampleOpened { ticket, truth_ticket, sample, volume, image, display, mask, prompt }
        }
        FileCommand::OpenTruth { ticket, paths, image, reading } => {
            let Some((_, volume)) = newest.as_ref().filter(|(opened, _)| Some(*opened) == image) else {
                let path = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
                return Err(format!(
                    "The ground truth was not opened, because its image was not. Open the image, then the mask: {path}"
                )
                .into());
            };
            match Truth::read(&paths, volume.grid(), &reading) {
                Ok(truth) => FileEvent::TruthOpened { ticket, truth: Box::new(truth) },
                Err(error) => match question(&error, &paths, image) {
                    Some(question) => FileEvent::TruthAsked { ticket, question },
                    None => return Err(error.into()),
                },
            }
        }
        FileCommand::Score { prediction_ticket, prediction, truth_ticket, truth } => {
            let table = Arc::new(ThresholdCounts::new(&prediction.probability.values, Some(&truth.values)));
            FileEvent::Scored { prediction_ticket, counts: Counts { truth: Some(truth_ticket), table } }
        }
        FileCommand::Measure { of, prediction, truth, threshold, size } => {
            let mask = prediction.mask(threshold);
            let distance = hd95_of(&mask, &truth.values, truth.width, truth.height, size);
            FileEvent::Measured { of, distance }
        }
        FileCommand::NetworkView { key, image, seen, side } => {
            let picture = data::preprocess::resampled(&as_seen(image, seen), side);
            FileEvent::NetworkView { key, picture: DisplayPixels::of(&picture, side) }
        }
        FileCommand::SaveMask { path, prediction, threshold } => {
            let pixels: Vec<u8> = prediction.mask(threshold).into_iter().map(|value| value * 255).collect();
            let plane = &prediction.probability;
            data::write::png8(&path, plane.width, plane.height, &pixels)?;
            FileEvent::Saved { path }
        }
        FileCommand::SaveOverlay { path, frame, image, seen, prediction, truth, threshold, paint } => {
            let image = as_seen(image, seen);
            if let Some(frame) = frame {
                let large = enlarge::enlarge(frame, &image, &prediction, truth.as_deref(), threshold);
                let pixels = overlay::compose(&large.image, &large.mask, large.truth.as_deref(), &paint);
                data::write::png_rgb(&path, large.image.width, large.image.height, &pixels)?;
                return Ok(Some(FileEvent::Saved { path }));
            }
            let truth = truth.as_ref().map(|mask| mask.values.as_slice());
            let pixels = overlay::compose(&image, &prediction.mask(threshold), truth, &paint);
            data::write::png_rgb(&path, image.width, image.height, &pixels)?;
            FileEvent::Saved { path }
        }
        FileCommand::Refine { ticket, inspection, truth, threshold, lengths } => {
            let steps = refinement::steps(&inspection, truth.as_deref(), threshold, lengths);
            FileEvent::Refined { ticket, steps }
        }
        FileCommand::Compose { ticket, image, seen, prediction, truth, threshold, paint, side } => {
            let image = as_seen(image, seen);
            let truth = truth.as_ref().map(|mask| mask.values.as_slice());
            let pixels = Pixels::U8(overlay::compose(&image, &prediction.mask(threshold), truth, &paint));
            let painted = Image { width: image.width, height: image.height, channels: 3, pixels };
            FileEvent::Composed { ticket, picture: DisplayPixels::of(&painted, side) }
        }
        FileCommand::SaveFigure { path, request } => {
            figure::write(&request, &path)?;
            FileEvent::Saved { path }
        }
        FileCommand::ReadText { path } => {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| DataError::Unreadable { path: path.clone(), reason: error.to_string() })?;
            FileEvent::TextRead { path, text }
        }
        FileCommand::Write { path, bytes } => {
            write(&path, &bytes)?;
            return Ok(None);
        }
        FileCommand::Save { path, bytes } => {
            write(&path, &bytes)?;
            FileEvent::Saved { path }
        }
    }))
}

/// What the user can decide about a mask that does not fit as it is.
fn question(error: &DataError, paths: &[PathBuf], image: Option<Ticket>) -> Option<TruthQuestion> {
    let (can_resample, by_number, on_slice) = match error {
        DataError::MaskGrid { fits_by_number, .. } => (true, *fits_by_number, false),
        DataError::MaskFrame { .. } => (false, true, false),
        DataError::MaskSlice { .. } => (false, false, true),
        _ => return None,
    };
    let message = error.to_string();
    Some(TruthQuestion { paths: paths.to_vec(), image, message, can_resample, by_number, on_slice })
}

/// The image in 8 bit, as it is seen.
pub(super) fn as_seen(image: Arc<Image>, seen: Option<DisplayWindow>) -> Arc<Image> {
    match seen {
        Some(seen) => Arc::new(image.windowed(seen.window, seen.is_inverted)),
        None => image,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if let Some(folder) = path.parent() {
        // If this fails, the write that follows says why.
        let _ = std::fs::create_dir_all(folder);
    }
    data::write::bytes(path, bytes)
}

fn ticket_of(command: &FileCommand) -> Option<Ticket> {
    match command {
        FileCommand::OpenImage { ticket, .. }
        | FileCommand::List { ticket, .. }
        | FileCommand::OpenSample { ticket, .. }
        | FileCommand::OpenTruth { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

fn path_of(command: &FileCommand) -> Option<PathBuf> {
    match command {
        FileCommand::OpenTruth { paths, .. } => paths.first().cloned(),
        FileCommand::OpenImage { path, .. }
        | FileCommand::SaveMask { path, .. }
        | FileCommand::SaveOverlay { path, .. }
        | FileCommand::SaveFigure { path, .. }
        | FileCommand::ReadText { path }
        | FileCommand::Save { path, .. }
        | FileCommand::Write { path, .. } => Some(path.clone()),
        FileCommand::Sort { .. }
        | FileCommand::Score { .. }
        | FileCommand::List { .. }
        | FileCommand::NetworkView { .. }
        | FileCommand::Measure { .. }
        | FileCommand::Compose { .. }
        | FileCommand::Refine { .. }
        | FileCommand::OpenSample { .. } => None,
    }
}

/// A failure whose message names the file, at its end unless it does already.
fn failed(ticket: Option<Ticket>, message: String, file: Option<&Path>) -> FileEvent {
    let message = match file.map(|file| file.display().to_string()) {
        Some(file) if !message.contains(&file) => format!("{message} File: {file}"),
        _ => message,
    };
    FileEvent::Failed { ticket, message }
}
