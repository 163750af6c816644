//! The settings that the window saves between sessions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::keys::Bindings;
use super::layout::StoredLayouts;
use super::stages::StagesSettings;
use super::theme::{Colours, ThemeChoice};
use crate::data::volume::{Modality, NamedWindow, PRESETS, Window};
use crate::data::{Limit, Orientation, PairReading, overlay};
use crate::device::{GpuTuning, Precision};
use crate::engine::{OverlayPaint, threshold_at, threshold_step};
use crate::infer::ModelSource;

/// The minimum width and height at which the window is fully usable, in points.
pub const MINIMUM_SIZE: [f32; 2] = [1024.0, 640.0];
/// The threshold of a model that has none for a kind of image.
const USUAL_THRESHOLD: f32 = 0.5;
/// The maximum number of recent images.
const RECENT: usize = 8;
/// The maximum number of recent prompts.
const PROMPTS: usize = 40;

/// The content of the settings file. Every key has a default, so that files of older and newer versions can be
/// read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The model that was open last.
    pub model: Option<ModelSource>,
    /// The recently opened models, newest first.
    pub models: Vec<ModelSource>,
    /// `auto`, `cpu`, `gpu`, `gpu:N` or `remote:HOST`.
    pub device: String,
    /// How thoroughly a GPU is tuned.
    pub gpu_tuning: GpuTuning,
    /// The precision of predictions on a GPU.
    pub precision: Precision,
    /// The name of the graphics adapter that draws the window; `None` chooses the fastest one.
    pub display_adapter: Option<String>,
    /// The probability at and above which a pixel belongs to the mask.
    pub threshold: f32,
    /// The threshold that a model brought for a kind of image. As long as `threshold` is the same, or 0.5 without one, the user
    /// has set none.
    pub model_threshold: Option<f32>,
    /// The opacity of the overlay's fill, 0…1.
    pub opacity: f32,
    /// Whether areas are filled.
    pub fill: bool,
    /// Whether outlines are drawn.
    pub contour: bool,
    /// Whether the image is interpolated between its pixels.
    pub smooth: bool,
    /// The dark or the light theme.
    pub theme: ThemeChoice,
    /// The last display window for each modality whose values have a defined meaning.
    pub windows: BTreeMap<Modality, Window>,
    /// Whether the patient's name is shown.
    pub show_patient: bool,
    /// Whether the EXIF orientation of images is applied.
    pub upright: bool,
    /// The maximum memory for the decoded content of one file, in GiB.
    pub memory_limit_gib: f32,
    /// The maximum memory for undoing, in MiB.
    pub undo_memory_mib: u32,
    /// Whether the probability is shown as a heat map.
    pub heat: bool,
    /// The colours of the overlay.
    pub colours: Colours,
    /// The display windows assigned to the number keys from 1, for each modality.
    pub presets: BTreeMap<Modality, Vec<NamedWindow>>,
    /// The keys that differ from the defaults.
    pub keys: Bindings,
    /// The panel layouts.
    pub layouts: StoredLayouts,
    /// The width and height of the window, in points at a text size of 100 %.
    pub window: [f32; 2],
    /// The user's own list of codes for DICOM segmentations, which comes before that of the program; `None` for none.
    pub segment_codes: Option<PathBuf>,
    /// The recently used prompts, newest first.
    pub prompts: Vec<String>,
    /// Whether a mask is drawn while the prompt is empty.
    pub draws_without_prompt: bool,
    /// The user's favourite prompts.
    pub favourites: Vec<String>,
    /// The size of text and widgets relative to the default.
    pub zoom: f32,
    /// The recently opened images, newest first.
    pub recent: Vec<PathBuf>,
    /// The folder of the training run that is active, or was active at the end of the last session.
    pub training: Option<PathBuf>,
    /// The folder of the study that is active, or was active at the end of the last session.
    pub study: Option<PathBuf>,
    /// The name under which the states of cases and accepted masks are kept; `None` until it is asked for.
    pub reader: Option<String>,
    /// The folder of the data set to which pairs for training are added.
    pub pairs_folder: Option<PathBuf>,
    /// The split to which they are added; `None` has it chosen for each pair.
    pub pairs_split: Option<String>,
    /// The settings of the Stages tab.
    pub stages: StagesSettings,
    /// The settings of the next training run as TOML, without its data and its folder.
    pub training_form: Option<String>,
    /// The number of training runs started so far.
    pub runs: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            models: Vec::new(),
            device: "auto".into(),
            gpu_tuning: GpuTuning::default(),
            precision: Precision::default(),
            display_adapter: None,
            threshold: USUAL_THRESHOLD,
            model_threshold: None,
            opacity: 0.45,
            fill: true,
            contour: true,
            smooth: true,
            theme: ThemeChoice::Dark,
            windows: BTreeMap::new(),
            show_patient: false,
            upright: true,
            memory_limit_gib: 2.0,
            undo_memory_mib: 256,
            heat: false,
            colours: Colours::default(),
            presets: usual_presets(),
            keys: Bindings::default(),
            layouts: StoredLayouts::default(),
            window: [1280.0, 800.0],
            prompts: Vec::new(),
            draws_without_prompt: false,
            favourites: Vec::new(),
            zoom: 1.0,
            recent: Vec::new(),
            training: None,
            study: None,
            reader: None,
            pairs_folder: None,
            segment_codes: None,
            pairs_split: None,
            stages: StagesSettings::default(),
            training_form: None,
            runs: 0,
        }
    }
}

impl Settings {
    /// Reads the file at `path`. A damaged file is renamed and the defaults are used; in this case, a message is
    /// returned.
    pub fn load(path: &Path) -> (Self, Option<String>) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Self::default(), None),
            Err(error) => return (Self::default(), Some(set_aside(path, &error.to_string()))),
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(settings) => (settings.within_bounds(), None),
            Err(error) => (Self::default(), Some(set_aside(path, &error.to_string()))),
        }
    }

    /// Returns the content of the settings file as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing strings, numbers and lists to memory does not fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Takes the threshold that a model has for the kind of the image, or the usual one if it has none, unless the user has
    /// set another.
    pub fn follow_threshold(&mut self, of_model: Option<f32>) {
        if self.threshold == self.model_threshold.unwrap_or(USUAL_THRESHOLD) {
            self.use_threshold(of_model);
        }
    }

    /// Takes the threshold that a model has for the kind of the image, or the usual one, whatever the user has set.
    pub fn use_threshold(&mut self, of_model: Option<f32>) {
        self.set_threshold(of_model.unwrap_or(USUAL_THRESHOLD));
        self.model_threshold = of_model.map(|_| self.threshold);
    }

    /// Sets the threshold, rounded to the nearest step for which there are pixel counts.
    pub fn set_threshold(&mut self, threshold: f32) {
        self.threshold = threshold_at(threshold_step(threshold));
    }

    /// Moves `image` to the front of the recent images.
    pub fn remember(&mut self, image: &Path) {
        self.recent.retain(|other| other != image);
        self.recent.insert(0, image.to_owned());
        self.recent.truncate(RECENT);
    }

    /// Makes `model` the one to open next time, and moves it to the front of the recent models.
    pub fn remember_model(&mut self, model: ModelSource) {
        self.list_model(model.clone());
        self.model = Some(model);
    }

    /// Moves `model` to the front of the recent models.
    pub fn list_model(&mut self, model: ModelSource) {
        self.models.retain(|other| *other != model);
        self.models.insert(0, model);
        self.models.truncate(RECENT);
    }

    /// Moves `prompt` to the front of the recent prompts, unless it is empty.
    pub fn remember_prompt(&mut self, prompt: &str) {
        let prompt = prompt.trim();
        if !prompt.is_empty() {
            self.prompts.retain(|other| other != prompt);
            self.prompts.insert(0, prompt.to_owned());
            self.prompts.truncate(PROMPTS);
        }
    }

    /// Adds `prompt` to the favourites or removes it.
    pub fn favour(&mut self, prompt: String, is_on: bool) {
        self.favourites.retain(|other| *other != prompt);
        if is_on {
            self.favourites.insert(0, prompt);
        }
    }

    /// Returns the default folder of the next training run; empty if the system has no data folder.
    pub fn next_run_folder(&self) -> PathBuf {
        let folders = directories::ProjectDirs::from("", "", "himix");
        let name = format!("run-{}", self.runs + 1);
        folders.map_or_else(PathBuf::new, |folders| folders.data_dir().join("runs").join(name))
    }

    /// Returns how to read an image and its masks: as its data set specifies, with the stored orientation if the
    /// user chose so.
    pub fn reading(&self, of_case: Option<&PairReading>) -> PairReading {
        let mut reading = of_case.cloned().unwrap_or_default();
        if !self.upright {
            reading.orientation = Orientation::AsStored;
        }
        reading
    }

    /// Returns the maximum memory for one file.
    pub fn limit(&self) -> Limit {
        Limit((f64::from(self.memory_limit_gib) * f64::from(1 << 30)) as u64)
    }

    /// Returns the maximum memory for undoing, in bytes.
    pub fn undo_memory(&self) -> usize {
        (self.undo_memory_mib as usize) << 20
    }

    /// Returns how to render the overlay into a file: colours, opacity, fill and outlines.
    pub fn overlay_paint(&self) -> OverlayPaint {
        OverlayPaint {
            colours: self.colours.overlay(),
            prediction_outline: overlay::PREDICTION_OUTLINE,
            truth_outline: overlay::TRUTH_OUTLINE,
            opacity: self.opacity,
            fill: self.fill,
            contour: self.contour,
        }
    }

    fn within_bounds(mut self) -> Self {
        let gib = self.memory_limit_gib;
        self.memory_limit_gib = if gib.is_finite() { gib.clamp(0.25, 64.0) } else { 2.0 };
        self.undo_memory_mib = self.undo_memory_mib.clamp(16, 16_384);
        self.windows.retain(|_, window| window.is_sound());
        self.presets.values_mut().for_each(|presets| presets.retain(|preset| preset.window.is_sound()));
        let within = |value: f32, default: f32| if value.is_finite() { value.clamp(0.0, 1.0) } else { default };
        // There are pixel counts only for the threshold steps.
        self.threshold = threshold_at(threshold_step(within(self.threshold, 0.5)));
        self.opacity = within(self.opacity, 0.45);
        self.zoom = if self.zoom.is_finite() { self.zoom.clamp(0.5, 3.0) } else { 1.0 };
        for (side, least) in self.window.iter_mut().zip(MINIMUM_SIZE) {
            *side = if side.is_finite() { side.clamp(least, 16_000.0) } else { least };
        }
        self.recent.truncate(RECENT);
        self.models.truncate(RECENT);
        self
    }
}

/// Returns the standard display windows for CT.
pub fn usual_presets() -> BTreeMap<Modality, Vec<NamedWindow>> {
    let named =
        |preset: crate::data::volume::Preset| NamedWindow { name: preset.name.into(), window: preset.window };
    BTreeMap::from([(Modality::Ct, PRESETS.map(named).into())])
}

/// Returns the path of the settings file, if the system has a folder for it.
pub fn settings_path() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "himix").map(|folders| folders.config_dir().join("settings.json"))
}

/// Returns the folder of the settings, if the system has one.
pub fn settings_folder() -> Option<PathBuf> {
    settings_path().and_then(|path| path.parent().map(Path::to_owned))
}

fn set_aside(path: &Path, reason: &str) -> String {
    let aside = path.with_extension("damaged.json");
    match std::fs::rename(path, &aside) {
        Ok(()) => format!(
            "The settings could not be read ({reason}). Defaults are used; the old file was kept: {}",
            aside.display()
        ),
        Err(error) => format!(
            "The settings could not be read ({reason}) nor set aside ({error}). Defaults are used. File: {}",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("settings.json");
        let mut settings = Settings { threshold: 0.3, device: "gpu:1".into(), ..Settings::default() };
        settings.remember(Path::new("a.png"));
        std::fs::write(&path, settings.to_json())?;
        assert_eq!(Settings::load(&path), (settings, None));
        Ok(())
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_a_message() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("settings.json");
        std::fs::write(&path, "{ \"threshold\": ")?;
        let (settings, message) = Settings::load(&path);
        assert_eq!(settings, Settings::default());
        assert!(message.is_some_and(|text| text.contains("settings.damaged.json")));
        assert!(!path.exists() && path.with_extension("damaged.json").exists());
        Ok(())
    }

    #[test]
    fn wild_numbers_are_brought_within_bounds() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("settings.json");
        std::fs::write(&path, "{\"threshold\": 7, \"window\": [1, 1e9], \"unknown\": 1}")?;
        let (settings, message) = Settings::load(&path);
        assert_eq!((settings.threshold, message), (1.0, None));
        assert_eq!(settings.window, [MINIMUM_SIZE[0], 16_000.0]);
        Ok(())
    }

    #[test]
    fn a_threshold_of_the_user_is_kept_and_that_of_a_model_goes_with_it() {
        let mut settings = Settings::default();
        settings.follow_threshold(Some(0.42));
        assert_eq!((settings.threshold, settings.model_threshold), (0.42, Some(0.42)));
        settings.follow_threshold(None);
        assert_eq!((settings.threshold, settings.model_threshold), (0.5, None));
        settings.follow_threshold(Some(0.3));
        settings.set_threshold(0.5);
        settings.follow_threshold(Some(0.42));
        assert_eq!(settings.threshold, 0.5, "the user chose it");
        settings.use_threshold(Some(0.42));
        settings.follow_threshold(Some(0.6));
        assert_eq!(settings.threshold, 0.6);
        // Files of older versions have a threshold alone.
        let mut older = Settings { threshold: 0.7, ..Settings::default() };
        older.follow_threshold(Some(0.42));
        assert_eq!(older.threshold, 0.7);
    }
}
