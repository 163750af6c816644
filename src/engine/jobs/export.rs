//! Writing labels for other programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::analysis::export::{
    Export, Exported, Format, SegmentWords, predicted_label, write_one, write_probability,
};
use crate::data::export::{LabelMasks, picture_paths};
use crate::data::seg::{Codes, Model};
use crate::data::{Limit, Volume};
use crate::engine::MaskOf;
use crate::engine::job::{Failure, Job, Task, Worker};

/// Labels, or what they are made from.
#[derive(Clone, Debug)]
pub enum LabelsOf {
    /// Labels that are known, with what a DICOM segmentation says of each.
    Known(Vec<(LabelMasks, SegmentWords)>),
    /// The mask of a prompt in one slice, from 0.
    Predicted {
        /// The mask.
        mask: MaskOf,
        /// The slice.
        slice: usize,
        /// The prompt.
        prompt: String,
        /// The model.
        model: Model,
        /// The list of codes by which the prompt is named.
        codes: Arc<Codes>,
    },
}

impl LabelsOf {
    /// Returns the labels, and what a DICOM segmentation says of each.
    pub fn resolve(self) -> (Vec<LabelMasks>, Vec<SegmentWords>) {
        match self {
            Self::Known(labels) => labels.into_iter().unzip(),
            Self::Predicted { mask, slice, prompt, model, codes } => {
                let masks = [(slice, mask.mask())].into();
                let (label, words) = predicted_label(masks, &prompt, model, &codes);
                (vec![label], vec![words])
            }
        }
    }

    /// Returns the probabilities by slice in 8 bits; `None` for labels that are no prediction.
    fn probabilities(&self) -> Option<Vec<(usize, Vec<u8>)>> {
        let Self::Predicted { mask: MaskOf::Prediction(prediction, _), slice, .. } = self else { return None };
        let values = prediction.probability.values.iter();
        Some(vec![(*slice, values.map(|value| (value * 255.0).round() as u8).collect())])
    }
}

/// Writes labels of an image in one format. The files are read again and compared before they get their names.
#[derive(Debug)]
pub struct ExportLabels {
    /// The path of the file.
    pub path: PathBuf,
    /// The format.
    pub format: Format,
    /// Whether a file of this name is replaced.
    pub replaces: bool,
    /// The image.
    pub volume: Arc<Volume>,
    /// The name of the image, for tables.
    pub name: String,
    /// The files from which the image was opened.
    pub sources: Vec<PathBuf>,
    /// The labels.
    pub labels: LabelsOf,
    /// The name of the person who made the labels; empty if it is not stated.
    pub creator: String,
    /// The memory that reading a source again may take.
    pub limit: Limit,
}

/// The result of an export.
#[derive(Debug)]
pub enum LabelsExported {
    /// The files were written, with notes about them as sentences.
    Written {
        /// The files.
        files: Vec<PathBuf>,
        /// The notes.
        notes: Vec<String>,
    },
    /// There is such a file already, and it was not to be replaced.
    Exists(PathBuf),
}

impl Job for ExportLabels {
    type Answer = LabelsExported;
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<LabelsExported, Failure> {
        let slices = if self.format == Format::Png { self.volume.slices } else { 1 };
        let mut paths = picture_paths(&self.path, slices);
        let has_probability = self.format == Format::DicomSeg && self.labels.probabilities().is_some();
        paths.extend(has_probability.then(|| beside(&self.path)));
        let taken = paths.into_iter().find(|path| path.exists());
        if let Some(path) = taken.filter(|_| !self.replaces) {
            return Ok(LabelsExported::Exists(path));
        }
        let probabilities = self.labels.probabilities();
        let (labels, words) = self.labels.resolve();
        let export = Export {
            volume: &self.volume,
            name: &self.name,
            sources: &self.sources,
            labels: &labels,
            words: &words,
            creator: &self.creator,
            limit: self.limit,
        };
        let mut exported = Exported::default();
        write_one(&self.path, self.format, &export, &mut exported)?;
        let Exported { mut files, notes, .. } = exported;
        if let (Format::DicomSeg, Some(probabilities)) = (self.format, probabilities) {
            let path = beside(&self.path);
            write_probability(&path, &export, probabilities)?;
            files.push(path);
        }
        Ok(LabelsExported::Written { files, notes })
    }
}

/// Returns the file of the probabilities beside that of the masks: `mask_probability.dcm` for `mask.dcm`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}_probability.dcm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Mask;
    use crate::data::volume::StoredPixels;
    use crate::engine::job::Opened;

    #[test]
    fn a_file_is_replaced_only_if_that_was_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        let mask = Arc::new(Mask { width: 2, height: 1, values: vec![0, 1] });
        let run = |replaces| {
            let labels = LabelsOf::Predicted {
                mask: MaskOf::Mask(mask.clone()),
                slice: 1,
                prompt: "polyp".into(),
                model: Model::default(),
                codes: Arc::new(Codes::built_in()),
            };
            let job = ExportLabels {
                path: path.clone(),
                format: Format::Png,
                replaces,
                volume: Arc::new(Volume::plain(2, 1, 2, StoredPixels::U8(vec![0; 4]))),
                name: "a".into(),
                sources: Vec::new(),
                labels,
                creator: String::new(),
                limit: Limit::default(),
            };
            let mut opened: Opened = None;
            let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
            job.run(&mut task).expect("an answer")
        };
        let second = folder.path().join("a_002.png");
        let LabelsExported::Written { files, .. } = run(false) else { panic!("nothing was in the way") };
        assert_eq!(files, [folder.path().join("a_001.png"), second.clone()]);
        assert_eq!(image::open(&second).expect("a picture").into_luma8().into_raw(), [0, 255]);
        std::fs::remove_file(&files[0]).expect("removed");
        assert!(matches!(run(false), LabelsExported::Exists(path) if path == second));
        assert!(matches!(run(true), LabelsExported::Written { .. }));
    }
}
