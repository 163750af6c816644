//! Determines what a path is: an image, a folder of images, a mask, a model or a session.

use std::path::{Path, PathBuf};

use super::session;
use crate::annotate::journal;
use crate::data::seg;
use crate::infer::ModelSource;

/// The kinds of paths that can be dropped on the window or given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    Truth,
    Annotation,
    Model,
    Folder,
    Session,
}

/// The files for which the user is asked whether they are labels of the open image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AsksFor {
    /// None.
    #[default]
    Nothing,
    /// DICOM segmentations.
    Segmentations,
    /// Every file that may hold labels: segmentations, NIfTI volumes, and masks by their names.
    Labels,
}

/// Sorted paths, at most one of each kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Sorted {
    /// The image.
    pub image: Option<PathBuf>,
    /// The folder of images or of a series.
    pub folder: Option<PathBuf>,
    /// The ground truth.
    pub truth: Option<PathBuf>,
    /// The annotation, which is laid on the image.
    pub annotation: Option<PathBuf>,
    /// The model.
    pub model: Option<ModelSource>,
    /// The session, which brings its own image, ground truth and model.
    pub session: Option<PathBuf>,
    /// A file that holds labels of the open image or something else, which the user has to say.
    pub labels: Option<PathBuf>,
    /// Messages about paths that were left out.
    pub refused: Vec<String>,
}

/// Sorts `paths`. A mask is recognised by its name (`mask…`) or folder (`GTs`), but only together with an image or
/// the folder of a series. With a session, nothing else is opened.
pub(super) fn sort(paths: Vec<PathBuf>, has_image: bool, asks: AsksFor) -> Sorted {
    if let [path] = paths.as_slice()
        && has_image
        && may_be_labels(path, asks)
    {
        let labels = Some(path.clone());
        let refused = Vec::new();
        return Sorted {
            image: None,
            folder: None,
            truth: None,
            annotation: None,
            model: None,
            session: None,
            labels,
            refused,
        };
    }
    let kinds: Vec<_> = paths.into_iter().map(|path| (kind(&path), path)).collect();
    if let Some((_, session)) = kinds.iter().find(|(kind, _)| *kind == Kind::Session) {
        let left = match kinds.len() - 1 {
            0 => None,
            1 => Some("1 file was left out: a session brings its own files.".to_owned()),
            left => Some(format!("{left} files were left out: a session brings its own files.")),
        };
        let session = Some(session.clone());
        let refused = left.into_iter().collect();
        return Sorted {
            image: None,
            folder: None,
            truth: None,
            annotation: None,
            model: None,
            session,
            labels: None,
            refused,
        };
    }
    let has_image = has_image || kinds.iter().any(|(kind, _)| matches!(kind, Kind::Image | Kind::Folder));
    let (mut image, mut folder, mut truth, mut annotation, mut model) = (None, None, None, None, None);
    let (mut refused, mut left) = (Vec::new(), 0);
    for (kind, path) in kinds {
        let place = match kind {
            Kind::Truth if has_image => &mut truth,
            Kind::Image | Kind::Truth => &mut image,
            Kind::Annotation => &mut annotation,
            Kind::Model => &mut model,
            Kind::Folder => &mut folder,
            Kind::Session => continue,
        };
        if place.is_none() {
            *place = Some(path);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        let files = if left == 1 { "1 file was".to_owned() } else { format!("{left} files were") };
        refused
            .push(format!("{files} left out: one image or folder, one mask and one model are shown at a time."));
    }
    let model = model.map(ModelSource::new);
    Sorted { image, folder, truth, annotation, model, session: None, labels: None, refused }
}

/// Returns whether the user is asked about a file.
fn may_be_labels(path: &Path, asks: AsksFor) -> bool {
    if asks == AsksFor::Nothing || !path.is_file() {
        return false;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_nifti = name.ends_with(".nii") || name.ends_with(".nii.gz");
    let is_mask = asks == AsksFor::Labels && (is_nifti || kind(path) == Kind::Truth);
    is_mask || seg::is_segmentation(path)
}

fn kind(path: &Path) -> Kind {
    if path.is_dir() {
        return if holds_model(path) { Kind::Model } else { Kind::Folder };
    }
    if is_weights(path) {
        return Kind::Model;
    }
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case(session::EXTENSION)) {
        return Kind::Session;
    }
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case(journal::EXTENSION)) {
        return Kind::Annotation;
    }
    let named_mask =
        path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with("mask"));
    let in_masks = path.parent().is_some_and(|folder| folder.components().any(|part| part.as_os_str() == "GTs"));
    if named_mask || in_masks { Kind::Truth } else { Kind::Image }
}

fn is_weights(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors") || e.eq_ignore_ascii_case("ckpt"))
}

fn holds_model(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|e| e.file_name() == "config.json" || is_weights(&e.path())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("config.json"), "{}")?;
        let model = folder.path().to_owned();
        let paths =
            vec![PathBuf::from("set/GTs/a.png"), PathBuf::from("set/a.png"), model.clone(), "b.png".into()];
        let Sorted { image, truth, model: found, refused, .. } = sort(paths, false, AsksFor::Nothing);
        assert_eq!(image, Some(PathBuf::from("set/a.png")));
        assert_eq!(truth, Some(PathBuf::from("set/GTs/a.png")));
        assert_eq!(found, Some(ModelSource::new(model)));
        assert_eq!(refused.len(), 1);
        Ok(())
    }

    #[test]
    fn a_lone_mask_is_an_image_and_a_folder_a_worklist() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mask = || PathBuf::from("mask_1.png");
        let Sorted { image, truth, model, .. } = sort(vec![mask()], false, AsksFor::Nothing);
        assert_eq!((image, truth, model), (Some(mask()), None, None));
        // Together with a folder, it is the mask of the series in it.
        let paths = vec![mask(), folder.path().to_owned()];
        let Sorted { image, folder: list, truth, refused, .. } = sort(paths, false, AsksFor::Nothing);
        assert_eq!((image, truth), (None, Some(mask())));
        assert_eq!((list.as_deref(), refused.len()), (Some(folder.path()), 0));
        Ok(())
    }

    #[test]
    fn what_may_be_labels_is_asked_about() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [volume, mask, image] = ["a.NII.gz", "mask_a.png", "a.png"].map(|name| folder.path().join(name));
        for path in [&volume, &mask, &image] {
            std::fs::write(path, "x")?;
        }
        let asked = |path: &PathBuf, has_image, asks| sort(vec![path.clone()], has_image, asks).labels;
        assert_eq!(asked(&volume, true, AsksFor::Labels), Some(volume.clone()));
        assert_eq!(asked(&mask, true, AsksFor::Labels), Some(mask.clone()));
        assert_eq!(asked(&image, true, AsksFor::Labels), None);
        for (has_image, asks) in
            [(false, AsksFor::Labels), (true, AsksFor::Segmentations), (true, AsksFor::Nothing)]
        {
            assert_eq!(asked(&mask, has_image, asks), None, "{asks:?}");
        }
        let segmentation = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/segmentation.dcm");
        assert!(asked(&segmentation, true, AsksFor::Segmentations).is_some());
        assert_eq!(sort(vec![volume, mask], true, AsksFor::Labels).labels, None, "several files are opened");
        Ok(())
    }

    #[test]
    fn a_session_brings_its_own_files() {
        let Sorted { image, session, refused, .. } =
            sort(vec!["a.png".into(), "Case.HIMIX".into()], true, AsksFor::Nothing);
        assert_eq!((image, session), (None, Some(PathBuf::from("Case.HIMIX"))));
        assert_eq!(refused, ["1 file was left out: a session brings its own files."]);
    }
}
