//! The folder of a run and its checkpoints.
//!
//! | | |
//! |---|---|
//! | `config.toml` | the settings |
//! | `data.json` | the locations of the data sets, and every pair with hashes of its contents |
//! | `metrics.csv` | one row per epoch |
//! | `best/` | bundle of the best weights, or of their average, by the criterion of the settings |
//! | `ema/` | bundle of the best averaged weights, if an average is kept |
//! | `last/` | bundle of the last checkpoint's weights, with `optimiser.safetensors` and `progress.json`, and with `average.safetensors` and `stages.safetensors` if the settings need them |
//! | `log.txt` | messages with the time |
//!
//! A folder of several files is written under a temporary name and then replaces the old one, which is kept until
//! then. Whenever the process ends, one of the two is complete.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::config::TrainConfig;
use super::control::Control;
use super::error::TrainError;
use super::event::{Epoch, StartScores};
use super::manifest::Manifest;
use super::metrics_table::table;
use super::sampling::CaseLosses;
use crate::data::write;
use crate::model::config::ModelConfig;
use crate::model::network::Model;
use crate::model::weights::{Tensors, bundle, save, save::Precision, source};

const CONFIG: &str = "config.toml";
const MANIFEST: &str = "data.json";
const METRICS: &str = "metrics.csv";
const LOG: &str = "log.txt";
const PROGRESS: &str = "progress.json";
/// The end of the name of a folder that is being filled.
const FRESH: &str = "new.himix-tmp";
/// The moments of the optimiser.
pub(super) const OPTIMISER: &str = "optimiser.safetensors";
/// The moving average of the weights.
pub(super) const AVERAGE: &str = "average.safetensors";
/// The heads of the auxiliary losses.
pub(super) const STAGES: &str = "stages.safetensors";

/// The progress of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The scores of the weights that the run starts from; `None` if it starts from random ones, before they are scored,
    /// and in the record of an older version.
    pub start: Option<StartScores>,
    /// The finished epochs.
    pub history: Vec<Epoch>,
    /// The number of finished steps in the current epoch.
    pub step: usize,
    /// The losses of these steps.
    pub losses: Vec<f32>,
    /// The number of cases in the current epoch that could not be read.
    pub skipped: usize,
    /// The last loss of each case, if hard examples are drawn.
    pub case_losses: CaseLosses,
    /// The seconds spent on the current epoch before this checkpoint.
    pub seconds: f64,
    /// The reason why the run ended; `None` if it has not ended.
    pub ended: Option<String>,
}

impl Progress {
    /// The best epoch so far.
    pub fn best(&self) -> Option<&Epoch> {
        self.history.iter().rfind(|epoch| epoch.is_best)
    }
}

/// A run that can be resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    /// The settings of the run.
    pub config: TrainConfig,
    /// The number of finished epochs.
    pub epoch: usize,
}

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// The control of the run that writes into the folder.
    control: Control,
}

impl RunFolder {
    /// The run folder at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), control: Control::default() }
    }

    /// The folder for the run with this control. Nothing is written into it once the run was given up, because another
    /// run may have taken it over.
    pub(super) fn of_run(self, control: &Control) -> Self {
        Self { control: control.clone(), ..self }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bundle of the best weights.
    pub fn best(&self) -> PathBuf {
        whole(&self.path.join("best"))
    }

    /// The bundle of the best averaged weights, if an average is kept.
    pub fn average(&self) -> PathBuf {
        whole(&self.path.join("ema"))
    }

    /// The bundle of the last checkpoint's weights.
    pub fn last(&self) -> PathBuf {
        whole(&self.path.join("last"))
    }

    /// Whether a run was ever started in this folder.
    pub fn is_used(&self) -> bool {
        self.path.join(CONFIG).exists()
    }

    /// The run in this folder that was interrupted or stopped, if there is one with a checkpoint.
    pub fn interrupted(&self) -> Option<Interrupted> {
        let progress = self.progress().ok()?;
        let config = self.config().ok()?;
        let is_stopped = progress.ended.is_none();
        is_stopped.then_some(Interrupted { config, epoch: progress.history.len() })
    }

    /// Reads the settings with which the run was started.
    ///
    /// # Errors
    /// There is no run in this folder or its settings are damaged.
    pub fn config(&self) -> Result<TrainConfig, TrainError> {
        let path = self.path.join(CONFIG);
        let text = fs::read_to_string(&path).map_err(|error| {
            TrainError::Folder(format!(
                "{}: there is no run to resume ({error}); name the folder of a run",
                path.display()
            ))
        })?;
        TrainConfig::from_toml(&text)
            .map_err(|error| TrainError::Folder(format!("{}: {error}; mend it", path.display())))
    }

    /// Reads the pairs with which the run was started; `None` for a folder of an older version, which did not
    /// record them.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>, TrainError> {
        let path = self.path.join(MANIFEST);
        let fail = |reason: String| {
            let name = path.display();
            TrainError::Folder(format!(
                "{name}: the record of the run's data is damaged ({reason}); remove it to resume without a comparison"
            ))
        };
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| fail(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fail(error.to_string())),
        }
    }

    /// Records the pairs of the run and their locations.
    pub(super) fn record(&self, manifest: &Manifest) -> Result<(), TrainError> {
        let path = self.path.join(MANIFEST);
        let text = serde_json::to_vec(manifest)
            .map_err(|error| TrainError::Folder(format!("{}: {error}", path.display())))?;
        self.write(&path, &text)
    }

    /// Writes a file, unless the run was given up.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
        Ok(self.control.unless_abandoned(|| write::bytes(path, bytes)).ok_or_else(abandoned)??)
    }

    pub(super) fn progress(&self) -> Result<Progress, TrainError> {
        let path = self.last().join(PROGRESS);
        let fail = |reason: String| {
            let name = self.path.display();
            TrainError::Folder(format!(
                "{name}: there is no whole checkpoint to resume from ({reason}); start anew"
            ))
        };
        let text = fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| fail(error.to_string()))
    }

    /// The arrays of a file of the last checkpoint.
    pub(super) fn arrays(&self, file: &str) -> Result<Tensors, TrainError> {
        let source = source::open(&self.last().join(file))?;
        let read = |(name, shape): (String, Vec<usize>)| Ok((name.clone(), (shape, source.read(&name)?)));
        source.shapes().into_iter().map(read).collect()
    }

    /// Whether there is a checkpoint, which need not be readable.
    pub(super) fn has_checkpoint(&self) -> bool {
        self.last().exists()
    }

    /// Removes the settings, so that a run that has no checkpoint can begin anew in this folder.
    pub(super) fn forget(&self) -> Result<(), TrainError> {
        let path = self.path.join(CONFIG);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let name = path.display();
                Err(TrainError::Folder(format!(
                    "{name}: the settings cannot be removed ({error}); choose another folder"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Creates the folder and writes the settings into it.
    pub(super) fn begin(&self, config: &TrainConfig) -> Result<(), TrainError> {
        fs::create_dir_all(&self.path).map_err(|error| {
            let name = self.path.display();
            TrainError::Folder(format!("{name}: the folder cannot be made ({error}); choose another"))
        })?;
        self.write(&self.path.join(CONFIG), config.to_toml().as_bytes())?;
        tracing::info!(epochs = config.epochs, batch = config.batch_size, "training run begun");
        Ok(())
    }

    /// Writes the best weights.
    pub(super) fn keep_best(
        &self,
        config: &ModelConfig,
        model: &dyn Model,
        vocabulary: Option<&Path>,
    ) -> Result<(), TrainError> {
        self.keep("best", config, model, vocabulary)
    }

    /// Writes the best averaged weights.
    pub(super) fn keep_average(
        &self,
        config: &ModelConfig,
        model: &dyn Model,
        vocabulary: Option<&Path>,
    ) -> Result<(), TrainError> {
        self.keep("ema", config, model, vocabulary)
    }

    fn keep(
        &self,
        name: &str,
        config: &ModelConfig,
        model: &dyn Model,
        vocabulary: Option<&Path>,
    ) -> Result<(), TrainError> {
        replace(&self.path.join(name), &self.control, |folder| {
            Ok(bundle::write(folder, config, model, vocabulary, None, Precision::F32)?)
        })
    }

    /// Writes a checkpoint; `arrays` are further files of tensors.
    pub(super) fn checkpoint(
        &self,
        config: &ModelConfig,
        model: &dyn Model,
        vocabulary: Option<&Path>,
        arrays: Vec<(&str, Tensors)>,
        progress: &Progress,
    ) -> Result<(), TrainError> {
        replace(&self.path.join("last"), &self.control, |folder| {
            bundle::write(folder, config, model, vocabulary, None, Precision::F32)?;
            for (file, arrays) in arrays {
                save::save_tensors(&folder.join(file), arrays)?;
            }
            let text = serde_json::to_vec_pretty(progress)
                .map_err(|error| TrainError::Folder(format!("{}: {error}", folder.display())))?;
            Ok(write::bytes(&folder.join(PROGRESS), &text)?)
        })?;
        if progress.ended.is_some() {
            tracing::info!(epochs = progress.history.len(), "training run ended");
        }
        self.write_metrics(&progress.history)
    }

    fn write_metrics(&self, history: &[Epoch]) -> Result<(), TrainError> {
        let bytes = table(history).map_err(|error| TrainError::Folder(format!("{METRICS}: {error}")))?;
        self.write(&self.path.join(METRICS), &bytes)
    }

    /// Appends a line to the log. Errors are ignored.
    pub(super) fn log(&self, line: &str) {
        if self.control.is_abandoned() {
            return;
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(self.path.join(LOG));
        if let Ok(mut file) = file {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let _ = writeln!(file, "{} {line}", since.map_or(0, |since| since.as_secs()));
        }
    }
}

/// The path where the new folder is written. It is another one each time, because a run that was given up may still be
/// writing into its own.
fn fresh(target: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    target.with_extension(format!("{}.{FRESH}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// The new folders that earlier runs have left behind.
fn left_behind(target: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (target.parent(), target.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let is_left = |path: &PathBuf| {
        let found = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        found.starts_with(&format!("{name}.")) && found.ends_with(FRESH)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_left).collect()
}

/// The error of a run that was given up and would write.
fn abandoned() -> TrainError {
    TrainError::Checkpoint("the run was given up, and writes nothing any more".into())
}

/// The path of the old folder until the new one has been renamed.
fn old(target: &Path) -> PathBuf {
    target.with_extension("old.himix-tmp")
}

/// The folder, or the old one if the process ended between two renames.
fn whole(target: &Path) -> PathBuf {
    let old = old(target);
    if !target.exists() && old.exists() { old } else { target.to_owned() }
}

/// Fills a new folder and replaces `target` by it.
///
/// # Errors
/// The folder cannot be written, or the run of `control` was given up: `target` is the old one.
fn replace(
    target: &Path,
    control: &Control,
    fill: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    if control.is_abandoned() {
        return Err(abandoned());
    }
    let (fresh, old) = (fresh(target), old(target));
    let fail = |error: std::io::Error| {
        let name = target.display();
        let kept = if target.exists() { "; the last good one is kept" } else { "; choose another run folder" };
        TrainError::Checkpoint(format!("{name}: the checkpoint cannot be written ({error}){kept}"))
    };
    let remove = |path: &Path| if path.exists() { fs::remove_dir_all(path) } else { Ok(()) };
    left_behind(target).iter().try_for_each(|path| remove(path)).map_err(fail)?;
    // The run folder itself is not created again. If someone removed it, the run ends with a message.
    fs::create_dir(&fresh).map_err(fail)?;
    if let Err(error) = fill(&fresh) {
        let _ = remove(&fresh);
        return Err(TrainError::Checkpoint(format!("{error}; the last good checkpoint is kept")));
    }
    // Filling it reads from the device, which may have taken so long that the run was given up.
    let exchanged = control.unless_abandoned(|| {
        if target.exists() {
            remove(&old)?;
            fs::rename(target, &old)?;
        }
        fs::rename(&fresh, target)?;
        remove(&old)
    });
    let Some(exchanged) = exchanged else {
        let _ = remove(&fresh);
        return Err(abandoned());
    };
    exchanged.map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_as_a_whole_or_not_at_all() {
        let temporary = tempfile::tempdir().expect("a folder");
        let target = temporary.path().join("last");
        let put = |text: &'static str| {
            move |folder: &Path| {
                fs::write(folder.join("a"), text).expect("written");
                Ok(())
            }
        };
        let content = || fs::read_to_string(whole(&target).join("a")).expect("read");
        let control = Control::default();
        replace(&target, &control, put("one")).expect("replaced");
        replace(&target, &control, put("two")).expect("replaced");
        assert_eq!(content(), "two");
        let failed = replace(&target, &control, |folder| {
            fs::write(folder.join("a"), "half").expect("written");
            Err(TrainError::Folder("full".into()))
        });
        assert!(failed.is_err());
        assert_eq!(content(), "two");
        assert_eq!(fs::read_dir(temporary.path()).expect("listed").count(), 1);
        // This is the state after the process was killed between the two renames.
        fs::rename(&target, old(&target)).expect("renamed");
        assert_eq!(content(), "two");
        // A folder that a killed process has not filled.
        fs::create_dir(temporary.path().join("last.7.new.himix-tmp")).expect("made");
        replace(&target, &control, put("three")).expect("replaced");
        assert_eq!(content(), "three");
        assert_eq!(fs::read_dir(temporary.path()).expect("listed").count(), 1);
    }

    #[test]
    fn a_run_that_was_given_up_writes_nothing() {
        let temporary = tempfile::tempdir().expect("a folder");
        let control = Control::default();
        let folder = RunFolder::new(temporary.path()).of_run(&control);
        let target = temporary.path().join("last");
        let put = |path: &Path, text: &str| fs::write(path.join("a"), text).expect("written");
        replace(&target, &control, |path| {
            put(path, "one");
            Ok(())
        })
        .expect("replaced");
        // It is given up while it reads weights back, and another run takes the folder over.
        let given_up = replace(&target, &control, |path| {
            control.abandon();
            replace(&target, &Control::default(), |path| {
                put(path, "of the other");
                Ok(())
            })
            .expect("replaced");
            fs::create_dir_all(path).expect("made");
            put(path, "late");
            Ok(())
        });
        assert!(given_up.is_err());
        assert!(folder.write(&temporary.path().join(METRICS), b"late").is_err());
        folder.log("late");
        assert_eq!(fs::read_to_string(target.join("a")).expect("read"), "of the other");
        assert_eq!(fs::read_dir(temporary.path()).expect("listed").count(), 1);
    }
}
