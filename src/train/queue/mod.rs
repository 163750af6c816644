//! The queue of a study: runs of variants, or networks, and seeds in a folder, one after another or one on each GPU, which can
//! be paused, reordered and resumed.
//!
//! The folder holds `queue.json` and a run folder for each run, named `ablation=VARIANT,seed=N`, or
//! `architecture=NAME,seed=N` for a network:
//!
//! ```json
//! {
//!   "format": 1,
//!   "plan": {
//!     "variants": ["full", "last-layer"],
//!     "seeds": [1, 2],
//!     "split": "test",
//!     "settings": "data = [\"/data/qata\"]\nepochs = 100\n…"
//!   },
//!   "runs": [
//!     { "variant": "full", "seed": 1, "state": "finished" },
//!     { "variant": "last-layer", "seed": 1, "state": "failed", "error": "…" },
//!     { "variant": "full", "seed": 2, "state": "waiting" },
//!     { "variant": "last-layer", "seed": 2, "state": "removed" }
//!   ]
//! }
//! ```
//!
//! In the place of a variant, a network is an object, `{ "architecture": "unet-small" }`. `plan` is what was asked for and
//! never changes, with the settings as the text of a settings file; `runs` are in the order in which they are done. The states are `waiting`
//! (also of a run that was interrupted and has a checkpoint), `running`, `finished` (trained and scored), `failed` and
//! `removed`. The file is replaced as a whole with every change, so that the queue goes on where it was after a crash.
//! `queue.lock` is locked while a program works on the queue; the system gives the lock up when the program ends.

mod plan;
mod variant;
mod work;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::control::{Control, RunControl};
use super::error::TrainError;
use super::folder::RunFolder;
use super::grid::{Cell, is_own};
use crate::data::write;
pub use plan::Plan;
pub use variant::Variant;
pub use work::{LocalWorker, QueueEvent, WorkFault, Worker};

/// The file of a queue.
pub const FILE: &str = "queue.json";
/// The file whose lock is held while the queue is worked on.
const LOCK: &str = "queue.lock";
/// The version of the file's format.
const FORMAT: u32 = 1;

/// The state of a run in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It has not begun, or was interrupted and goes on from its checkpoint.
    Waiting,
    /// It is being trained or scored.
    Running,
    /// It is trained and scored.
    Finished,
    /// It failed, and is tried again when the queue is begun again.
    Failed,
    /// It was taken out of the queue and is not done.
    Removed,
}

impl RunState {
    /// The state in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }
}

/// A run of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedRun {
    /// The variant, or the network.
    pub variant: Variant,
    /// The seed.
    pub seed: u64,
    /// The state.
    pub state: RunState,
    /// Why it failed; one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl QueuedRun {
    /// The name of the run and of its folder.
    pub fn name(&self) -> String {
        plan::name(&self.variant, self.seed)
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunProgress {
    /// The number of finished epochs.
    pub epochs: usize,
    /// The mean Dice per image of the validation in the best epoch so far.
    pub dice_per_image: Option<f64>,
}

/// What a queue looks like at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueView {
    /// The folder.
    pub folder: PathBuf,
    /// What was asked for.
    pub plan: Plan,
    /// The runs in the order in which they are done, and how far each is.
    pub runs: Vec<(QueuedRun, RunProgress)>,
    /// The last command.
    pub command: RunControl,
}

impl QueueView {
    /// The finished runs with their folders, in the order of the plan's variants and seeds.
    pub fn finished(&self) -> Vec<(&Variant, u64, RunFolder)> {
        let is_finished = |variant: &Variant, seed: u64| {
            let is =
                |run: &QueuedRun| run.variant == *variant && run.seed == seed && run.state == RunState::Finished;
            self.runs.iter().any(|(run, _)| is(run))
        };
        let Plan { variants, seeds, .. } = &self.plan;
        let all = variants.iter().flat_map(|variant| seeds.iter().map(move |seed| (variant, *seed)));
        let folder =
            |(variant, seed)| (variant, seed, RunFolder::new(self.folder.join(plan::name(variant, seed))));
        all.filter(|(variant, seed)| is_finished(variant, *seed)).map(folder).collect()
    }

    /// The number of runs in a state.
    pub fn count(&self, state: RunState) -> usize {
        self.runs.iter().filter(|(run, _)| run.state == state).count()
    }
}

/// The content of `queue.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    plan: Plan,
    runs: Vec<QueuedRun>,
}

/// A queue that this process works on. Clones are handles of the same queue.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    plan: Plan,
    cells: BTreeMap<String, Cell>,
    state: Mutex<State>,
    changed: Condvar,
    /// Holds the lock of the queue.
    _lock: File,
}

#[derive(Debug)]
struct State {
    runs: Vec<QueuedRun>,
    progress: BTreeMap<String, RunProgress>,
    /// The controls of the runs that are being trained.
    controls: BTreeMap<String, Control>,
    command: RunControl,
}

impl Queue {
    /// Makes a queue in `folder`, or takes up the one that is there if it has the same plan.
    ///
    /// # Errors
    /// The plan cannot be carried out, the folder holds another queue or a run, it cannot be written to, or another program
    /// is working on the queue.
    pub fn open(folder: &Path, plan: Plan) -> Result<Self, TrainError> {
        let name = folder.display();
        plan.validate().map_err(TrainError::Config)?;
        if folder.join(FILE).exists() {
            let queue = Self::reopen(folder)?;
            if let Some(what) = queue.0.plan.difference(&plan) {
                return Err(TrainError::Folder(format!(
                    "{name}: the queue in this folder has {what} than this one; give it the same, or choose another folder with --out"
                )));
            }
            return Ok(queue);
        }
        if RunFolder::new(folder).is_used() {
            return Err(TrainError::Folder(format!(
                "{name}: there is a training run in this folder; choose another folder for the queue"
            )));
        }
        fs::create_dir_all(folder).map_err(|error| {
            TrainError::Folder(format!("{name}: the folder cannot be made ({error}); choose another"))
        })?;
        let runs = plan.runs();
        let queue = Self::of(folder, plan, runs)?;
        queue.store(&queue.lock())?;
        Ok(queue)
    }

    /// Takes up the queue in `folder` with its own plan. Runs that were interrupted or failed wait again.
    ///
    /// # Errors
    /// There is no queue, its file is damaged, or another program is working on it.
    pub fn reopen(folder: &Path) -> Result<Self, TrainError> {
        let Stored { plan, runs, .. } = read(folder)?;
        let again = |run: QueuedRun| match run.state {
            RunState::Running | RunState::Failed => QueuedRun { state: RunState::Waiting, error: None, ..run },
            RunState::Waiting | RunState::Finished | RunState::Removed => run,
        };
        let queue = Self::of(folder, plan, runs.into_iter().map(again).collect())?;
        queue.store(&queue.lock())?;
        Ok(queue)
    }

    fn of(folder: &Path, plan: Plan, runs: Vec<QueuedRun>) -> Result<Self, TrainError> {
        let path = folder.join(LOCK);
        let fail = |reason: String| TrainError::Folder(format!("{}: {reason}", folder.display()));
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock =
            lock.map_err(|error| fail(format!("the folder cannot be written to ({error}); choose another")))?;
        lock.try_lock()
            .map_err(|_| fail("another program is working on this queue; wait for it, or end it".to_owned()))?;
        let cells = plan.cells(folder).map_err(TrainError::Config)?;
        // Another run in a folder is found before hours are spent on the others.
        cells.iter().try_for_each(is_own)?;
        let progress = runs.iter().map(|run| (run.name(), reached(&folder.join(run.name())))).collect();
        let cells = cells.into_iter().map(|cell| (cell.name.clone(), cell)).collect();
        let state = State { runs, progress, controls: BTreeMap::new(), command: RunControl::Run };
        let (folder, state, changed) = (folder.to_owned(), Mutex::new(state), Condvar::new());
        Ok(Self(Arc::new(Shared { folder, plan, cells, state, changed, _lock: lock })))
    }

    /// The folder of the queue.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// What the queue looks like now.
    pub fn view(&self) -> QueueView {
        let state = self.lock();
        let far = |run: &QueuedRun| (run.clone(), state.progress.get(&run.name()).copied().unwrap_or_default());
        QueueView {
            folder: self.0.folder.clone(),
            plan: self.0.plan.clone(),
            runs: state.runs.iter().map(far).collect(),
            command: state.command,
        }
    }

    /// Sends a command to the queue and its runs: a paused queue begins no run, and its runs wait before their next step; a
    /// stopped one ends with checkpoints to resume from. A stop cannot be revoked.
    pub fn ask(&self, command: RunControl) {
        let mut state = self.lock();
        if state.command != RunControl::Stop {
            state.command = command;
        }
        state.controls.values().for_each(|control| control.ask(command));
        self.0.changed.notify_all();
    }

    /// Moves a waiting run by `places` towards the end (or, if negative, the start) of the queue, past other waiting runs.
    ///
    /// # Errors
    /// The queue cannot be written.
    pub fn shift(&self, name: &str, places: isize) -> Result<(), TrainError> {
        let mut state = self.lock();
        let waiting: Vec<usize> =
            (0..state.runs.len()).filter(|at| state.runs[*at].state == RunState::Waiting).collect();
        let Some(place) = waiting.iter().position(|at| state.runs[*at].name() == name) else { return Ok(()) };
        let target = place.saturating_add_signed(places).min(waiting.len() - 1);
        let moved = state.runs.remove(waiting[place]);
        state.runs.insert(waiting[target], moved);
        self.store(&state)
    }

    /// Takes a run out of the queue. One that is being trained is stopped, and its folder is kept.
    ///
    /// # Errors
    /// The queue cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), TrainError> {
        self.change(name, |run| {
            if run.state != RunState::Finished {
                run.state = RunState::Removed;
            }
        })
    }

    /// Puts a run that was taken out, or failed, back into the queue.
    ///
    /// # Errors
    /// The queue cannot be written.
    pub fn restore(&self, name: &str) -> Result<(), TrainError> {
        self.change(name, |run| {
            if matches!(run.state, RunState::Removed | RunState::Failed) {
                (run.state, run.error) = (RunState::Waiting, None);
            }
        })
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut QueuedRun)) -> Result<(), TrainError> {
        let mut state = self.lock();
        if let Some(run) = state.runs.iter_mut().find(|run| run.name() == name) {
            change(run);
            if run.state == RunState::Removed
                && let Some(control) = state.controls.get(name)
            {
                control.ask(RunControl::Stop);
            }
        }
        self.store(&state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the queue; the folder must still be there.
    fn store(&self, state: &State) -> Result<(), TrainError> {
        let Shared { folder, plan, .. } = &*self.0;
        if !folder.is_dir() {
            return Err(vanished(folder));
        }
        let stored = Stored { format: FORMAT, plan: plan.clone(), runs: state.runs.clone() };
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(&stored)
            .map_err(|error| TrainError::Folder(format!("{}: {error}", path.display())))?;
        Ok(write::durably(&path, |out| out.write_all(text.as_bytes()))?)
    }
}

/// The error of a queue whose folder or file is gone.
fn vanished(folder: &Path) -> TrainError {
    TrainError::Folder(format!(
        "{}: the folder of the queue is gone, or its {FILE}; put it back and begin the queue again, or choose another folder",
        folder.display()
    ))
}

/// Reads a queue without working on it.
///
/// # Errors
/// There is no queue or its file is damaged.
fn read(folder: &Path) -> Result<Stored, TrainError> {
    let path = folder.join(FILE);
    let fail = |reason: String| TrainError::Folder(format!("{}: {reason}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => vanished(folder),
        _ => fail(format!("the queue cannot be read ({error}); let this user read it")),
    })?;
    let stored: Stored = serde_json::from_str(&text).map_err(|error| {
        fail(format!("the queue is damaged ({error}); mend the file, or choose another folder"))
    })?;
    if stored.format != FORMAT {
        return Err(fail(format!(
            "the queue has format {}, and this program knows format {FORMAT}; go on with the version that made it",
            stored.format
        )));
    }
    Ok(stored)
}

/// How far the run in a folder is.
fn reached(folder: &Path) -> RunProgress {
    let Ok(progress) = RunFolder::new(folder).progress() else { return RunProgress::default() };
    RunProgress { epochs: progress.history.len(), dice_per_image: progress.best().map(|best| best.per_image_dice) }
}

/// The queue in a folder that can be resumed: how many of its runs are finished, and how many there are. `None` without
/// one, and if all are done.
pub fn unfinished(folder: &Path) -> Option<[usize; 2]> {
    let runs = read(folder).ok()?.runs;
    let count = |state: RunState| runs.iter().filter(|run| run.state == state).count();
    let all = runs.len() - count(RunState::Removed);
    let finished = count(RunState::Finished);
    (finished < all).then_some([finished, all])
}
