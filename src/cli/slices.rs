//! Masks of `himix predict` in the formats of other programs, and of all slices of a stack.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use himix::analysis::export::{Export, Format, Formats, predicted, probabilities, write};
use himix::data::seg::{self, Codes};
use himix::data::{DataError, Limit, Volume, Window};
use himix::infer::{ModelInfo, Segmenter, SlicePrediction, SlicesWanted, predict_slices};
use serde_json::{Value, json};

use super::report::number;
use super::{Failure, model, terminal};

/// What is predicted and written of an image.
pub struct Wanted<'a> {
    /// The path that the user gave.
    pub image: &'a Path,
    /// All slices.
    pub volume: &'a Volume,
    /// The display window for the network's input; `None` for the first window of every slice.
    pub window: Option<Window>,
    /// The threshold of the masks.
    pub threshold: f32,
    /// The formats of the files.
    pub formats: &'a Formats,
    /// The codes for DICOM segmentations.
    pub codes: &'a Codes,
    /// Whether the result is printed as JSON.
    pub is_json: bool,
}

/// Checks, before the model is read, that the image can be written in the formats.
pub fn check(image: &Path, formats: &Formats, volume: &Volume) -> Result<(), Failure> {
    match seg::refusal(volume) {
        Some(reason) if formats.has(Format::DicomSeg) => {
            Err(DataError::NoSegmentation { path: image.to_owned(), reason }.into())
        }
        _ => Ok(()),
    }
}

/// Returns the codes for DICOM segmentations: those of a file before those of the program.
pub fn codes(file: Option<&Path>) -> Result<Codes, Failure> {
    Ok(file.map_or_else(|| Ok(Codes::built_in()), Codes::with_file)?)
}

impl Wanted<'_> {
    /// Writes masks into a folder that exists and returns the files.
    pub fn write(
        &self,
        folder: &Path,
        mut slices: Vec<SlicePrediction>,
        prompt: &str,
        info: &ModelInfo,
    ) -> Result<Vec<PathBuf>, Failure> {
        let probabilities = probabilities(&mut slices);
        let (label, words) = predicted(slices, prompt, info, self.codes);
        let name = self.image.file_name().unwrap_or(self.image.as_os_str()).to_string_lossy();
        let export = Export {
            volume: self.volume,
            name: &name,
            sources: &[self.image.to_owned()],
            labels: &[label],
            words: &[words],
            creator: "",
            limit: Limit::default(),
        };
        let exported = write(folder, "mask", self.formats, &export, probabilities);
        exported.notes.iter().for_each(terminal::note);
        match exported.failed.into_iter().next() {
            Some((_, error)) => Err(error.into()),
            None => Ok(exported.files),
        }
    }
}

/// Segments all slices with every prompt, writes the masks and prints the results.
pub fn run(
    segmenter: &mut dyn Segmenter,
    wanted: &Wanted<'_>,
    prompts: &[String],
    folders: &[Option<PathBuf>],
) -> Result<(), Failure> {
    let count = wanted.volume.slices;
    let mut objects = Vec::new();
    let mut text = String::new();
    for (prompt, folder) in prompts.iter().zip(folders) {
        let bar = terminal::bar(count, "slices");
        let progress = |done: usize, _| {
            bar.set_position(done as u64);
            ControlFlow::Continue(())
        };
        let asked = SlicesWanted {
            prompt,
            window: wanted.window,
            threshold: wanted.threshold,
            with_probability: folder.is_some() && wanted.formats.has(Format::DicomSeg),
        };
        // Nothing breaks the progress.
        let Some(slices) = predict_slices(segmenter, wanted.volume, 0..count, asked, progress)? else { continue };
        bar.finish_and_clear();
        model::notices(segmenter);
        let device = slices.last().map_or_else(String::new, |slice| slice.device.clone());
        let pixels: Vec<usize> = slices.iter().map(|slice| slice.mask.foreground()).collect();
        let all = wanted.volume.columns * wanted.volume.rows * count;
        let fraction = pixels.iter().sum::<usize>() as f64 / all.max(1) as f64;
        let rows: Vec<Value> = slices.iter().map(slice_object).collect();
        let files = match folder {
            Some(folder) => wanted.write(folder, slices, prompt, &segmenter.info())?,
            None => Vec::new(),
        };
        let with_mask = pixels.iter().filter(|pixels| **pixels > 0).count();
        objects.push(json!({
            "image": wanted.image.to_string_lossy(),
            "prompt": prompt,
            "device": device,
            "threshold": number(wanted.threshold),
            "foreground_fraction": fraction,
            "slices": rows,
            "files": files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        }));
        // Writing into a string does not fail.
        let _ = writeln!(text, "{:<16}{} ({count} slices)", "image", wanted.image.display());
        let _ = writeln!(text, "{:<16}\"{prompt}\"", "prompt");
        let _ = writeln!(text, "{:<16}{device}", "device");
        let percent = 100.0 * fraction;
        let _ = writeln!(
            text,
            "{:<16}{percent:.2} % of the stack at threshold {}, in {with_mask} slices",
            "foreground", wanted.threshold
        );
        for (index, file) in files.iter().enumerate() {
            let _ = writeln!(text, "{:<16}{}", if index == 0 { "written" } else { "" }, file.display());
        }
    }
    if wanted.is_json {
        let value = if objects.len() == 1 { objects.remove(0) } else { Value::Array(objects) };
        return terminal::print(&format!("{value:#}"));
    }
    terminal::print(&text)
}

fn slice_object(slice: &SlicePrediction) -> Value {
    json!({
        "slice": slice.slice + 1,
        "foreground_pixels": slice.mask.foreground(),
        "presence": slice.presence.map(number),
    })
}
