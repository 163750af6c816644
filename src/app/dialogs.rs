//! The system's file dialogs, each of which runs on its own thread.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::annotate::journal::EXTENSION as ANNOTATION;
use crate::engine::session::{EXTENSION, Part};
use crate::engine::{FigureKind, Wake};

/// The minimum time in which a user can close a dialog. A dialog that ends sooner was never displayed.
const TOO_QUICK: Duration = Duration::from_millis(120);

const IMAGES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"];
const SCANS: &[&str] = &["dcm", "nii", "gz"];
const WEIGHTS: &[&str] = &["safetensors", "ckpt"];

/// What a file dialog asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogKind {
    /// An image to open.
    Image,
    /// A folder of images or of a series.
    Folder,
    /// A ground truth mask to compare with.
    Truth,
    /// A file to open as annotation.
    Annotation,
    /// The file to export labels to.
    Export,
    /// The user's list of segment codes.
    SegmentCodes,
    /// The folder for the results of a batch.
    BatchFolder,
    /// A folder with a model bundle.
    ModelFolder,
    /// A weight file with a configuration beside it.
    ModelFile,
    /// The file to write the mask to.
    SaveMask,
    /// An annotation to open.
    OpenAnnotation,
    /// The file to save the annotation in.
    SaveAnnotation,
    /// The file to write the image with its overlay to, at this size.
    SaveOverlay(OverlaySize),
    /// A data set for training.
    TrainData,
    /// The data set to which pairs for training are added.
    PairsFolder,
    /// The file to write the agreement of two readers to.
    SaveAgreement,
    /// The output folder of a training run.
    RunFolder,
    /// A model to start training from.
    StartModel,
    /// A file with the settings of a training run.
    LoadSettings,
    /// The file to write the settings of a training run to.
    SaveSettings,
    /// A model for comparison.
    CompareModel,
    /// The destination of a modified model.
    SaveModified,
    /// A data set for fitting stage read-outs.
    FitData,
    /// A data set for fitting the stage read-outs of the comparison model.
    FitComparedData,
    /// A model or a folder of predictions that is compared with others.
    NetworkFolder,
    /// A data set on which networks are compared.
    NetworksData,
    /// The folder in which predictions of compared networks are kept.
    NetworksKept,
    /// The folder for the tables and the figure of a comparison.
    SaveNetworks,
    /// A data set for a study of robustness.
    StudyData,
    /// The folder for the results of a study of robustness.
    StudyResults,
    /// The file to write a figure of the stages to.
    SaveFigure(FigureKind),
    /// A session to open.
    OpenSession,
    /// The file to write a session to.
    SaveSession,
    /// The file to write the table of the variants to.
    SaveVariants,
    /// A file that the open session lacks.
    FindFile(Part),
    /// A model folder that the open session lacks.
    FindFolder(Part),
}

/// The size at which the image with its overlay is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlaySize {
    /// The size of the image.
    Image,
    /// Twice the size of the image, for a smoother mask edge.
    Twice,
    /// The visible part, at its size on the screen.
    Screen,
}

impl OverlaySize {
    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "at image resolution (1×)",
            Self::Twice => "at twice the resolution (2×)",
            Self::Screen => "as on screen",
        }
    }
}

/// How a dialog ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A path was chosen. If the file exists, the dialog has asked whether it is replaced.
    Picked(PathBuf),
    /// A name was chosen that lacked its ending, and a file with the ending exists, about which nobody was asked.
    Exists(PathBuf),
    /// The dialog was closed without a choice.
    Cancelled,
    /// The dialog could not be shown.
    Unavailable,
}

/// The file dialogs, of which at most one is open.
pub struct Dialogs {
    answers: Receiver<(DialogKind, Answer)>,
    sender: Sender<(DialogKind, Answer)>,
    open: Option<DialogKind>,
    wake: Wake,
}

impl Dialogs {
    /// Creates the dialogs. `wake` is called when a dialog has ended.
    pub fn new(wake: Wake) -> Self {
        let (sender, answers) = bounded(1);
        Self { answers, sender, open: None, wake }
    }

    /// Returns what the open dialog asks for; `None` if no dialog is open.
    pub fn open(&self) -> Option<DialogKind> {
        self.open
    }

    /// Opens a dialog in `folder`, unless one is open; `name` is the suggested name of a file to write. Fails if
    /// the dialog's thread cannot be started.
    pub fn ask(&mut self, kind: DialogKind, folder: Option<PathBuf>, name: Option<String>) -> std::io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let (sender, wake) = (self.sender.clone(), self.wake.clone());
        thread::Builder::new().name("himix-dialog".into()).spawn(move || {
            let start = Instant::now();
            let answer = match show(kind, folder, name) {
                Some(path) => picked(path, ending(kind)),
                None if start.elapsed() < TOO_QUICK => Answer::Unavailable,
                None => Answer::Cancelled,
            };
            let _ = sender.send((kind, answer));
            wake();
        })?;
        self.open = Some(kind);
        Ok(())
    }

    /// Returns how the dialog ended; each answer is returned once.
    pub fn answer(&mut self) -> Option<(DialogKind, Answer)> {
        let answer = self.answers.try_recv().ok()?;
        self.open = None;
        Some(answer)
    }
}

fn show(kind: DialogKind, folder: Option<PathBuf>, name: Option<String>) -> Option<PathBuf> {
    let mut dialog = rfd::FileDialog::new();
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    if let Some(name) = &name {
        dialog = dialog.set_file_name(name);
    }
    let find = || format!("Find {}", name.unwrap_or_default());
    match kind {
        DialogKind::Image => dialog
            .set_title("Open image")
            .add_filter("Images and scans", &[IMAGES, SCANS].concat())
            .add_filter("All files", &["*"])
            .pick_file(),
        DialogKind::Folder => dialog.set_title("Open folder").pick_folder(),
        DialogKind::Truth => {
            dialog.set_title("Open ground truth").add_filter("Masks", &[IMAGES, SCANS].concat()).pick_file()
        }
        DialogKind::Annotation => dialog
            .set_title("Open as annotation")
            .add_filter("Masks, label maps and segmentations", &[IMAGES, SCANS].concat())
            .add_filter("All files", &["*"])
            .pick_file(),
        DialogKind::Export => dialog.set_title("Export").save_file(),
        DialogKind::SegmentCodes => dialog
            .set_title("Choose list of segment codes")
            .add_filter("Tables", &["csv", "tsv", "txt"])
            .pick_file(),
        DialogKind::BatchFolder => dialog.set_title("Choose folder for the masks").pick_folder(),
        DialogKind::ModelFolder => dialog.set_title("Open model folder").pick_folder(),
        DialogKind::ModelFile => dialog.set_title("Open model file").add_filter("Weights", WEIGHTS).pick_file(),
        DialogKind::SaveMask => dialog.set_title("Save mask").add_filter("PNG", &["png"]).save_file(),
        DialogKind::OpenAnnotation => {
            dialog.set_title("Open annotation").add_filter("Annotations", &[ANNOTATION]).pick_file()
        }
        DialogKind::SaveAnnotation => {
            dialog.set_title("Save annotation").add_filter("Annotations", &[ANNOTATION]).save_file()
        }
        DialogKind::SaveOverlay(size) => {
            let title = format!("Save overlay {}", size.name());
            dialog.set_title(title).add_filter("PNG", &["png"]).save_file()
        }
        DialogKind::TrainData => dialog.set_title("Add data set").pick_folder(),
        DialogKind::PairsFolder => dialog.set_title("Choose data set for new pairs").pick_folder(),
        DialogKind::SaveAgreement => {
            dialog.set_title("Save agreement as table").add_filter("CSV", &["csv"]).save_file()
        }
        DialogKind::RunFolder => dialog.set_title("Choose run folder").pick_folder(),
        DialogKind::CompareModel => dialog.set_title("Choose model to compare with").pick_folder(),
        DialogKind::SaveModified => dialog.set_title("Save modified model as a new bundle").save_file(),
        DialogKind::FitData | DialogKind::FitComparedData => {
            dialog.set_title("Choose data set for the stage read-outs").pick_folder()
        }
        DialogKind::NetworkFolder => dialog.set_title("Choose folder of a model or of predictions").pick_folder(),
        DialogKind::NetworksData => dialog.set_title("Choose data set to compare on").pick_folder(),
        DialogKind::NetworksKept => dialog.set_title("Choose folder for kept predictions").pick_folder(),
        DialogKind::SaveNetworks => dialog.set_title("Choose folder for tables and figure").pick_folder(),
        DialogKind::StudyData => dialog.set_title("Choose data set for the study").pick_folder(),
        DialogKind::StudyResults => dialog.set_title("Choose folder for the results").pick_folder(),
        DialogKind::SaveFigure(_) => dialog
            .set_title("Save figure")
            .add_filter("PNG image", &["png"])
            .add_filter("SVG drawing", &["svg"])
            .add_filter("CSV table of all values", &["csv"])
            .save_file(),
        DialogKind::StartModel => dialog.set_title("Choose model to start from").pick_folder(),
        DialogKind::LoadSettings => dialog.set_title("Load settings").add_filter("TOML", &["toml"]).pick_file(),
        DialogKind::SaveSettings => dialog.set_title("Save settings").add_filter("TOML", &["toml"]).save_file(),
        DialogKind::OpenSession => {
            dialog.set_title("Open session").add_filter("Sessions", &[EXTENSION]).pick_file()
        }
        DialogKind::SaveSession => {
            dialog.set_title("Save session").add_filter("Sessions", &[EXTENSION]).save_file()
        }
        DialogKind::SaveVariants => {
            dialog.set_title("Save variants as table").add_filter("CSV", &["csv"]).save_file()
        }
        DialogKind::FindFile(_) => dialog.set_title(find()).pick_file(),
        DialogKind::FindFolder(_) => dialog.set_title(find()).pick_folder(),
    }
}

/// Returns the path that was chosen, with the ending if it has none.
fn picked(path: PathBuf, ending: Option<&str>) -> Answer {
    match ending {
        Some(ending) if path.extension().is_none() => {
            let path = path.with_extension(ending);
            if path.exists() { Answer::Exists(path) } else { Answer::Picked(path) }
        }
        _ => Answer::Picked(path),
    }
}

/// Returns the file extension for a file that is to be written.
fn ending(kind: DialogKind) -> Option<&'static str> {
    match kind {
        DialogKind::SaveMask | DialogKind::SaveOverlay(_) | DialogKind::SaveFigure(_) => Some("png"),
        DialogKind::SaveSettings => Some("toml"),
        DialogKind::SaveSession => Some(EXTENSION),
        DialogKind::SaveAnnotation => Some(ANNOTATION),
        DialogKind::SaveVariants | DialogKind::SaveAgreement => Some("csv"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nobody_was_asked_about_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        assert_eq!(picked(path("mask"), Some("png")), Answer::Picked(path("mask.png")));
        assert_eq!(picked(path("mask"), None), Answer::Picked(path("mask")));
        std::fs::write(path("mask.png"), "precious").expect("written");
        assert_eq!(picked(path("mask"), Some("png")), Answer::Exists(path("mask.png")));
        assert_eq!(
            picked(path("mask.png"), Some("png")),
            Answer::Picked(path("mask.png")),
            "the dialog has asked"
        );
    }
}
