//! Writing labels for other programs.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::export::{
    Export, Exported, Format, Probabilities, SegmentWords, files, predicted_label, write_one,
};
use crate::data::export::LabelMasks;
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

    /// Returns the probabilities; none for labels that are no prediction.
    fn probabilities(&self) -> Probabilities {
        match self {
            Self::Predicted { mask: MaskOf::Prediction(prediction, _), slice, .. } => {
                vec![(*slice, prediction.probability.bytes())]
            }
            _ => Vec::new(),
        }
    }
}

/// Writes labels of an image in one format. The files are read again and compared before they get their names.
#[derive(Debug)]
pub struct ExportLabels {
    /// The path of the file.
    pub path: PathBuf,
    /// The format.
    pub format: Format,
    /// The existing files that the user agreed to replace. No other file is replaced.
    pub replaces: Vec<PathBuf>,
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
    /// Nothing was written, because these files exist and not all of them were to be replaced.
    Exists(Vec<PathBuf>),
}

impl Job for ExportLabels {
    type Answer = LabelsExported;
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<LabelsExported, Failure> {
        let probabilities = if self.format == Format::DicomSeg { self.labels.probabilities() } else { Vec::new() };
        let mut taken = files(&self.path, self.format, self.volume.slices, !probabilities.is_empty());
        taken.retain(|path| path.exists());
        if taken.iter().any(|path| !self.replaces.contains(path)) {
            return Ok(LabelsExported::Exists(taken));
        }
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
        write_one(&self.path, self.format, &export, probabilities, &mut exported)?;
        let Exported { files, notes, .. } = exported;
        Ok(LabelsExported::Written { files, notes })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::Mask;
    use crate::data::volume::StoredPixels;
    use crate::engine::job::Opened;

    fn job(path: &Path, format: Format, replaces: &[&Path]) -> ExportLabels {
        let mask = Arc::new(Mask { width: 2, height: 1, values: vec![0, 1] });
        let labels = LabelsOf::Predicted {
            mask: MaskOf::Mask(mask),
            slice: 1,
            prompt: "polyp".into(),
            model: Model::default(),
            codes: Arc::new(Codes::built_in()),
        };
        ExportLabels {
            path: path.to_owned(),
            format,
            replaces: replaces.iter().map(|path| path.to_path_buf()).collect(),
            volume: Arc::new(Volume::plain(2, 1, 2, StoredPixels::U8(vec![0; 4]))),
            name: "a".into(),
            sources: Vec::new(),
            labels,
            creator: String::new(),
            limit: Limit::default(),
        }
    }

    fn run(job: ExportLabels) -> LabelsExported {
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        job.run(&mut task).expect("an answer")
    }

    #[test]
    fn a_file_is_replaced_only_if_that_was_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        let [first, second] = ["a_001.png", "a_002.png"].map(|name| folder.path().join(name));
        let export = |replaces: &[&Path]| run(job(&path, Format::Png, replaces));
        let LabelsExported::Written { files, .. } = export(&[]) else { panic!("nothing was in the way") };
        assert_eq!(files, [first.clone(), second.clone()]);
        assert_eq!(image::open(&second).expect("a picture").into_luma8().into_raw(), [0, 255]);
        std::fs::remove_file(&first).expect("removed");
        let asked = |answer: LabelsExported| match answer {
            LabelsExported::Exists(files) => files,
            LabelsExported::Written { .. } => panic!("it was not asked for"),
        };
        assert_eq!(asked(export(&[])), std::slice::from_ref(&second));
        // A dialog asked about the name that the user chose, which is not that of a slice.
        assert_eq!(asked(export(&[&path])), std::slice::from_ref(&second));
        assert!(matches!(export(&[&second]), LabelsExported::Written { .. }));
        // What came since the question is asked about, with the rest.
        assert_eq!(asked(export(&[&second])), [first.clone(), second.clone()]);
        assert!(matches!(export(&[&first, &second]), LabelsExported::Written { .. }));
    }

    #[test]
    fn the_names_of_the_labels_are_not_replaced_unasked() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, names] = ["a.nii.gz", "a.labels.txt"].map(|name| folder.path().join(name));
        std::fs::write(&names, "precious").expect("written");
        let answer = run(job(&path, Format::Nifti, &[&path]));
        assert!(matches!(answer, LabelsExported::Exists(files) if files == [names.clone()]));
        assert!(!path.exists() && std::fs::read(&names).expect("a file") == b"precious");
        assert!(matches!(run(job(&path, Format::Nifti, &[&names])), LabelsExported::Written { .. }));
        assert!(path.exists() && std::fs::read(&names).expect("a file") != b"precious");
    }
}
