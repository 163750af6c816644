//! The system's file dialogs, each on a thread of its own.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::engine::{FigureKind, Wake};

/// A person does not close a dialog sooner than this; one that never appeared ends sooner.
const TOO_QUICK: Duration = Duration::from_millis(120);

const IMAGES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"];
const SCANS: &[&str] = &["dcm", "nii", "gz"];
const WEIGHTS: &[&str] = &["safetensors", "ckpt"];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogKind {
    /// An image to open.
    Image,
    /// A folder of images or of a series.
    Folder,
    /// A mask to compare with.
    Truth,
    /// A model bundle.
    ModelFolder,
    /// Weights with a configuration beside them.
    ModelFile,
    /// Where to write the mask.
    SaveMask,
    /// Where to write the picture with its overlay in this size.
    SaveOverlay(OverlaySize),
    /// A data set to train on.
    TrainData,
    /// Where a training run writes.
    RunFolder,
    /// A model to start training from.
    StartModel,
    /// Settings of a training run.
    LoadSettings,
    /// Where to write the settings of a training run.
    SaveSettings,
    /// A model to compare with.
    CompareModel,
    /// Where to write a modified model.
    SaveModified,
    /// A data set to fit stage read-outs on.
    FitData,
    /// The same for the model that is compared with.
    FitComparedData,
    /// Where to write a figure of the stages.
    SaveFigure(FigureKind),
}

/// How large the picture with its overlay is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlaySize {
    /// As large as the image.
    Image,
    /// Twice as large, so that the edge of the mask is smoother.
    Twice,
    /// The part that is seen, as large as it is on the screen.
    Screen,
}

impl OverlaySize {
    /// Its name in the window.
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
    /// A path was chosen.
    Picked(PathBuf),
    /// It was closed.
    Cancelled,
    /// It could not be shown.
    Unavailable,
}

/// At most one open dialog.
pub struct Dialogs {
    answers: Receiver<(DialogKind, Answer)>,
    sender: Sender<(DialogKind, Answer)>,
    is_open: bool,
    wake: Wake,
}

impl Dialogs {
    /// `wake` is called when a dialog has ended.
    pub fn new(wake: Wake) -> Self {
        let (sender, answers) = bounded(1);
        Self { answers, sender, is_open: false, wake }
    }

    /// Opens a dialog in `folder`, unless one is open; `name` is suggested for a file to be written.
    pub fn ask(&mut self, kind: DialogKind, folder: Option<PathBuf>, name: Option<String>) -> std::io::Result<()> {
        if self.is_open {
            return Ok(());
        }
        let (sender, wake) = (self.sender.clone(), self.wake.clone());
        thread::Builder::new().name("himix-dialog".into()).spawn(move || {
            let start = Instant::now();
            let answer = match show(kind, folder, name) {
                Some(path) => Answer::Picked(path),
                None if start.elapsed() < TOO_QUICK => Answer::Unavailable,
                None => Answer::Cancelled,
            };
            let _ = sender.send((kind, answer));
            wake();
        })?;
        self.is_open = true;
        Ok(())
    }

    /// How the dialog ended, once.
    pub fn answer(&mut self) -> Option<(DialogKind, Answer)> {
        let answer = self.answers.try_recv().ok()?;
        self.is_open = false;
        Some(answer)
    }
}

fn show(kind: DialogKind, folder: Option<PathBuf>, name: Option<String>) -> Option<PathBuf> {
    let mut dialog = rfd::FileDialog::new();
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    if let Some(name) = name {
        dialog = dialog.set_file_name(name);
    }
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
        DialogKind::ModelFolder => dialog.set_title("Open model folder").pick_folder(),
        DialogKind::ModelFile => dialog.set_title("Open model file").add_filter("Weights", WEIGHTS).pick_file(),
        DialogKind::SaveMask => dialog.set_title("Save mask").add_filter("PNG", &["png"]).save_file(),
        DialogKind::SaveOverlay(size) => {
            let title = format!("Save overlay {}", size.name());
            dialog.set_title(title).add_filter("PNG", &["png"]).save_file()
        }
        DialogKind::TrainData => dialog.set_title("Add data set").pick_folder(),
        DialogKind::RunFolder => dialog.set_title("Choose run folder").pick_folder(),
        DialogKind::CompareModel => dialog.set_title("Choose model to compare with").pick_folder(),
        DialogKind::SaveModified => dialog.set_title("Save modified model as a new bundle").save_file(),
        DialogKind::FitData | DialogKind::FitComparedData => {
            dialog.set_title("Choose data set for the stage read-outs").pick_folder()
        }
        DialogKind::SaveFigure(_) => dialog
            .set_title("Save figure")
            .add_filter("PNG image", &["png"])
            .add_filter("SVG drawing", &["svg"])
            .add_filter("CSV table of all values", &["csv"])
            .save_file(),
        DialogKind::StartModel => dialog.set_title("Choose model to start from").pick_folder(),
        DialogKind::LoadSettings => dialog.set_title("Load settings").add_filter("TOML", &["toml"]).pick_file(),
        DialogKind::SaveSettings => dialog.set_title("Save settings").add_filter("TOML", &["toml"]).save_file(),
    }
    .map(|path| match ending(kind) {
        Some(ending) if path.extension().is_none() => path.with_extension(ending),
        _ => path,
    })
}

/// What the name of a file that is written ends with.
fn ending(kind: DialogKind) -> Option<&'static str> {
    match kind {
        DialogKind::SaveMask | DialogKind::SaveOverlay(_) | DialogKind::SaveFigure(_) => Some("png"),
        DialogKind::SaveSettings => Some("toml"),
        _ => None,
    }
}
