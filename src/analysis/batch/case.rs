//! One image with one prompt: reads it, predicts its slices, and exports the masks.

use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

use super::manifest::{Entry, State, slashes, stamp};
use super::{BatchCase, BatchSettings};
use crate::analysis::export::{Export, Exported, Format, predicted, probabilities, write};
use crate::data::worklist::Item;
use crate::data::{DataError, Volume, dicom, fingerprint, open};
use crate::infer::{ModelInfo, Segmenter, SlicesWanted, model_content, predict_slices};

/// Extensions of files that are one image, so that several are computed side by side.
const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "bmp", "webp"];

/// The work for one mask.
pub struct Job<'a> {
    item: &'a Item,
    settings: &'a BatchSettings,
    /// The folder of its files below the folder of the results, with `/` between its parts.
    pub folder: String,
    out: &'a Path,
    /// The reason why it cannot be done, known before.
    refused: Option<String>,
    info: &'a ModelInfo,
    /// What it asks for; the results are missing.
    pub entry: Entry,
}

/// What a mask depends on that no setting names, as hashes.
pub struct Contents {
    model: String,
    codes: Option<String>,
}

impl Contents {
    /// Reads the files of the model.
    ///
    /// # Errors
    /// Returns an error if one of them cannot be read.
    pub fn of(settings: &BatchSettings, info: &ModelInfo) -> Result<Self, DataError> {
        let has_codes = settings.formats.has(Format::DicomSeg);
        let codes = has_codes.then(|| fingerprint::of_bytes(format!("{:?}", settings.codes).as_bytes()));
        Ok(Self { model: model_content(&settings.model, info)?, codes })
    }
}

impl<'a> Job<'a> {
    /// Returns the work for every prompt of a case; one that fails if there is none.
    pub fn of_case(
        case: &'a BatchCase,
        folder: &Path,
        out: &'a Path,
        settings: &'a BatchSettings,
        (info, contents): (&'a ModelInfo, &Contents),
    ) -> Vec<Self> {
        let item = &case.item;
        let (path, _) = dicom::of_stack(&item.path);
        let (image_bytes, image_changed) = stamp(&path);
        let image = slashes(item.path.strip_prefix(folder).unwrap_or(&item.path));
        // An image outside the folder has a place below the results too, and images of the same name one each.
        let parts = item.path.strip_prefix(folder).unwrap_or(&item.path).components();
        let below: PathBuf = parts.filter(|part| matches!(part, Component::Normal(_))).collect();
        let entry = |prompt: &str| Entry {
            image: image.clone(),
            image_bytes,
            image_changed,
            prompt: prompt.to_owned(),
            model: info.name.clone(),
            model_content: Some(contents.model.clone()),
            segment_codes: contents.codes.clone(),
            threshold: settings.threshold,
            window: settings.window.map(|window| [window.centre, window.width]),
            formats: settings.formats.names(),
            ..Entry::default()
        };
        let job = |entry: Entry, folder: PathBuf, refused| {
            let folder = slashes(&folder);
            Self { item, settings, folder, out, refused, info, entry }
        };
        if case.prompts.is_empty() {
            let reason = "no prompt is known for it; give one with --prompt or --prompts".to_owned();
            return vec![job(entry(""), below, Some(reason))];
        }
        let is_alone = case.prompts.len() == 1;
        let folder = |number: usize| if is_alone { below.clone() } else { below.join(number.to_string()) };
        let prompts = case.prompts.iter().enumerate();
        prompts.map(|(number, prompt)| job(entry(prompt), folder(number), None)).collect()
    }

    /// Returns whether the image is a single picture.
    pub fn is_picture(&self) -> bool {
        let end = self.item.path.extension().map(|end| end.to_string_lossy().to_lowercase());
        self.item.files.is_empty() && end.is_some_and(|end| PICTURES.contains(&end.as_str()))
    }

    /// Does the work and returns what became of it. `go_on` returns before every slice whether to continue; `None` if it
    /// did not. `replaces` is called before anything is written into the folder.
    pub fn run(
        &self,
        segmenter: &mut dyn Segmenter,
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
        replaces: &dyn Fn() -> Result<(), DataError>,
    ) -> Option<Entry> {
        let mut entry = self.entry.clone();
        match self.results(segmenter, go_on, replaces, &mut entry) {
            Ok(ControlFlow::Break(())) => return None,
            Ok(ControlFlow::Continue(())) if entry.error.is_none() => entry.state = State::Done,
            Ok(ControlFlow::Continue(())) if !entry.files.is_empty() => entry.state = State::Partial,
            Ok(ControlFlow::Continue(())) => {}
            Err(reason) => entry.error = Some(reason),
        }
        Some(entry)
    }

    fn results(
        &self,
        segmenter: &mut dyn Segmenter,
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
        replaces: &dyn Fn() -> Result<(), DataError>,
        entry: &mut Entry,
    ) -> Result<ControlFlow<()>, String> {
        if let Some(reason) = &self.refused {
            return Err(reason.clone());
        }
        let volume = self.read().map_err(|error| error.to_string())?;
        let wanted = SlicesWanted {
            prompt: &self.entry.prompt,
            window: self.settings.window,
            threshold: self.settings.threshold,
            with_probability: self.settings.formats.has(Format::DicomSeg),
        };
        let found = predict_slices(segmenter, &volume, 0..volume.slices, wanted, |_, _| go_on());
        let Some(mut slices) = found.map_err(|error| error.to_string())? else {
            return Ok(ControlFlow::Break(()));
        };
        entry.slices = volume.slices;
        entry.presence = slices.iter().filter_map(|slice| slice.presence).reduce(f32::max);
        let sources =
            if self.item.files.is_empty() { vec![self.item.path.clone()] } else { self.item.files.clone() };
        let probabilities = probabilities(&mut slices);
        let (label, words) = predicted(slices, &self.entry.prompt, self.info, &self.settings.codes);
        entry.foreground_pixels = label.pixels();
        replaces().map_err(|error| error.to_string())?;
        let folder = self.out.join(&self.folder);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: the folder cannot be created ({error})", folder.display()))?;
        let export = Export {
            volume: &volume,
            name: &self.entry.image,
            sources: &sources,
            labels: &[label],
            words: &[words],
            creator: "",
            limit: self.settings.limit,
        };
        let formats = &self.settings.formats;
        let Exported { files, notes, failed } = write(&folder, "mask", formats, &export, probabilities);
        entry.files = files.iter().map(|file| slashes(file.strip_prefix(self.out).unwrap_or(file))).collect();
        entry.notes = volume.notes.into_iter().chain(notes).collect();
        let reasons: Vec<String> = failed.iter().map(|(_, error)| error.to_string()).collect();
        entry.error = (!reasons.is_empty()).then(|| reasons.join(" "));
        Ok(ControlFlow::Continue(()))
    }

    fn read(&self) -> Result<Volume, DataError> {
        match self.item.files.as_slice() {
            [] | [_] => {
                let orientation = self.item.reading.orientation;
                open::open_as(&self.item.path, self.settings.limit, orientation, &|_, _| true)
            }
            files => dicom::open_series(files, self.settings.limit, &|_| true),
        }
    }
}
