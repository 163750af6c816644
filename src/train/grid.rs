//! A sweep over settings: a run for every combination of values, each in a folder of its own, and a table of their
//! results. A sweep that was interrupted goes on with the runs that are not finished.

use std::fs;
use std::path::Path;

use super::config::{TrainConfig, known};
use super::control::{Control, RunControl};
use super::error::TrainError;
use super::event::{Epoch, Event};
use super::folder::RunFolder;
use super::watch::{Task, start};
use crate::data::write;
use crate::device::OpenDevice;

/// The table of the results in the folder of the sweep.
const TABLE: &str = "grid.csv";
/// The most runs of a sweep.
const MOST: usize = 1000;

/// The settings that vary, with their values.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    axes: Vec<(String, Vec<String>)>,
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The name of its folder, such as `lr=1e-3,batch_size=8`.
    pub name: String,
    /// The settings that vary, with their values.
    pub settings: Vec<(String, String)>,
    /// All settings.
    pub config: TrainConfig,
}

/// How a run of a sweep ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    /// It is finished.
    Finished,
    /// It was stopped.
    Stopped,
    /// It failed, for this reason.
    Failed(String),
}

/// The result of one run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct CellResult {
    /// The run.
    pub cell: Cell,
    /// How it ended.
    pub state: CellState,
    /// The finished epochs.
    pub history: Vec<Epoch>,
}

/// An event of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum GridEvent {
    /// A run begins or goes on: its index, the number of runs, and its name.
    Begun(usize, usize, String),
    /// An event of the run.
    Run(Event),
    /// A run was finished earlier, and its result is taken from its folder.
    Known(String),
}

impl Grid {
    /// Reads axes in the form `key=a,b,c`. A value in brackets may contain commas.
    ///
    /// # Errors
    /// An axis has another form, its key is unknown, occurs twice or cannot vary, or it has no values.
    pub fn parse(axes: &[String]) -> Result<Self, String> {
        let mut grid = Self { axes: Vec::new() };
        for axis in axes {
            let Some((key, values)) = axis.split_once('=') else {
                return Err(format!(
                    "{axis}: this is no axis of a grid; give KEY=A,B,C, for instance lr=1e-3,3e-4"
                ));
            };
            let key = key.trim();
            known(key)?;
            if key == "out" {
                return Err("out cannot vary, because every run of a grid has a folder of its own".into());
            }
            if grid.axes.iter().any(|(other, _)| other == key) {
                return Err(format!("{key} occurs twice; give all its values at once"));
            }
            let values = split(values);
            if values.iter().any(String::is_empty) {
                return Err(format!("{axis}: a value of {key} is missing"));
            }
            grid.axes.push((key.to_owned(), values));
        }
        Ok(grid)
    }

    /// The runs of the sweep in the folder `base.out`: all combinations of values, the last axis varying fastest.
    ///
    /// # Errors
    /// A value is invalid, or two combinations are the same.
    pub fn cells(&self, base: &TrainConfig) -> Result<Vec<Cell>, String> {
        let count: usize = self.axes.iter().map(|(_, values)| values.len()).product();
        if count > MOST {
            return Err(format!("the grid has {count} runs and at most {MOST} are possible; leave values out"));
        }
        let mut cells: Vec<Cell> = Vec::with_capacity(count);
        for index in 0..count {
            let mut rest = index;
            let mut settings: Vec<(String, String)> = Vec::new();
            for (key, values) in self.axes.iter().rev() {
                settings.insert(0, (key.clone(), values[rest % values.len()].clone()));
                rest /= values.len();
            }
            let mut config = base.clone();
            for (key, value) in &settings {
                config = config.set(key, value).map_err(|error| format!("{key}={value}: {error}"))?;
            }
            let name = name(&settings);
            if let Some(same) =
                cells.iter().find(|cell| cell.name == name || with_out(&cell.config, base) == config)
            {
                return Err(format!("{} and {name} are the same run; leave one of them out", same.name));
            }
            config.validate().map_err(|error| format!("{name}: {error}"))?;
            let out = base.out.join(&name);
            cells.push(Cell { name, settings, config: TrainConfig { out, ..config } });
        }
        Ok(cells)
    }
}

/// `config` with the run folder of `other`.
fn with_out(config: &TrainConfig, other: &TrainConfig) -> TrainConfig {
    TrainConfig { out: other.out.clone(), ..config.clone() }
}

/// Splits at the commas that are not within brackets.
fn split(values: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut parts = vec![String::new()];
    for letter in values.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The name of a run's folder. Letters that a file name may not contain are replaced.
pub(super) fn name(settings: &[(String, String)]) -> String {
    let joined = settings.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let is_usual = |letter: char| letter.is_alphanumeric() || "=,.+-_".contains(letter);
    joined.chars().map(|letter| if is_usual(letter) { letter } else { '_' }).collect()
}

/// Does the runs one after the other and writes the table `grid.csv` into `out` after each of them. A run that is finished
/// already is not repeated, and one that was interrupted goes on. A run that fails does not end the sweep; it is tried again
/// when the sweep is. After a stop, and after a GPU that does not answer, the sweep ends.
///
/// # Errors
/// None of the runs can use its data or settings, the folder of a run holds another run, or the table cannot be written.
pub fn run_grid(
    cells: &[Cell],
    out: &Path,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(GridEvent),
) -> Result<Vec<CellResult>, TrainError> {
    fs::create_dir_all(out).map_err(|error| {
        TrainError::Folder(format!("{}: the folder cannot be made ({error}); choose another", out.display()))
    })?;
    // Another run in a folder is found before hours are spent on the others.
    cells.iter().try_for_each(is_own)?;
    let (mut results, mut refused) = (Vec::new(), Vec::new());
    for (index, cell) in cells.iter().enumerate() {
        let folder = RunFolder::new(&cell.config.out);
        let outcome = if is_finished(&folder) {
            report(GridEvent::Known(cell.name.clone()));
            Ok(())
        } else {
            report(GridEvent::Begun(index, cells.len(), cell.name.clone()));
            one(cell, &folder, device, control, &mut |event| report(GridEvent::Run(event)))
        };
        let state = match outcome {
            Err(error) => {
                let state = CellState::Failed(error.to_string());
                refused.extend(Some(error).filter(TrainError::is_input));
                state
            }
            Ok(()) if is_finished(&folder) => CellState::Finished,
            Ok(()) => CellState::Stopped,
        };
        let history = folder.progress().map(|progress| progress.history).unwrap_or_default();
        results.push(CellResult { cell: cell.clone(), state, history });
        write_table(out, &results)?;
        if control.command() == RunControl::Stop {
            break;
        }
    }
    // What is wrong with all of them is wrong with what they share, such as the data.
    let is_each = refused.len() == results.len();
    match refused.into_iter().next() {
        Some(error) if is_each => Err(error),
        _ => Ok(results),
    }
}

/// Whether the folder of a cell is unused or holds this run.
pub(super) fn is_own(cell: &Cell) -> Result<(), TrainError> {
    let folder = RunFolder::new(&cell.config.out);
    if !folder.is_used() {
        return Ok(());
    }
    let before = folder.config()?;
    // The run has recorded into how many parts it divides its batches, and it may go on on another device.
    // What a run settles at its beginning is recorded with it.
    let train_text = cell.config.train_text.or(before.train_text);
    let (shards, device) = (before.shards, before.device.clone());
    let expected = TrainConfig { shards, device, train_text, ..with_out(&cell.config, &before) };
    if before == expected {
        return Ok(());
    }
    let [before, now] = [&before, &expected].map(|config| toml::Table::try_from(config).unwrap_or_default());
    let differs = |key: &&String| before.get(*key) != now.get(*key);
    let key = now.keys().chain(before.keys()).find(differs).map_or("", String::as_str);
    Err(TrainError::Folder(format!(
        "{}: the run in this folder has another {key} than was asked for; choose another folder with --out",
        folder.path().display()
    )))
}

/// Whether the run in a folder has come to its end.
pub(super) fn is_finished(folder: &RunFolder) -> bool {
    folder.progress().is_ok_and(|progress| progress.ended.is_some())
}

/// Begins a run, or resumes it.
pub(super) fn one(
    cell: &Cell,
    folder: &RunFolder,
    device: &OpenDevice,
    control: &Control,
    report: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    let task = if folder.has_checkpoint() {
        Task::Resume(folder.path().to_owned(), cell.config.data.clone())
    } else {
        // A run that was ended before its first checkpoint begins anew.
        folder.forget()?;
        Task::New(Box::new(cell.config.clone()))
    };
    start(&task, device, control, report).map(drop)
}

impl CellResult {
    /// The best epoch.
    pub fn best(&self) -> Option<&Epoch> {
        self.history.iter().rfind(|epoch| epoch.is_best)
    }

    /// The scores of the weights that were kept: validation loss, Dice pooled and per image.
    pub fn scores(&self) -> Option<[f64; 3]> {
        let best = self.best()?;
        Some(match best.average.as_ref().filter(|_| best.is_average) {
            Some(average) => [average.validation_loss, average.pooled_dice, average.per_image_dice],
            None => [best.validation_loss, best.pooled_dice, best.per_image_dice],
        })
    }

    /// The state in a word.
    pub fn state_word(&self) -> &'static str {
        match self.state {
            CellState::Finished => "finished",
            CellState::Stopped => "stopped",
            CellState::Failed(_) => "failed",
        }
    }
}

fn write_table(out: &Path, results: &[CellResult]) -> Result<(), TrainError> {
    let path = out.join(TABLE);
    let fail = |error: String| TrainError::Folder(format!("{}: {error}", path.display()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let keys =
        results.first().map(|result| &result.cell.settings).into_iter().flatten().map(|(key, _)| key.as_str());
    let columns = [
        "folder",
        "state",
        "epochs",
        "best_epoch",
        "validation_loss",
        "dice_pooled",
        "dice_per_image",
        "best_is_ema",
        "seconds",
        "error",
    ];
    writer.write_record(keys.chain(columns)).map_err(|error| fail(error.to_string()))?;
    for result in results {
        let best = result.best();
        let scores = result.scores();
        let score = |index: usize| scores.map_or(String::new(), |scores| scores[index].to_string());
        let error = match &result.state {
            CellState::Failed(error) => error.clone(),
            CellState::Finished | CellState::Stopped => String::new(),
        };
        let seconds: f64 = result.history.iter().map(|epoch| epoch.seconds).sum();
        let row = result.cell.settings.iter().map(|(_, value)| value.clone()).chain([
            result.cell.name.clone(),
            result.state_word().to_owned(),
            result.history.len().to_string(),
            best.map_or(String::new(), |best| best.number.to_string()),
            score(0),
            score(1),
            score(2),
            best.map_or(String::new(), |best| u8::from(best.is_average).to_string()),
            format!("{seconds:.1}"),
            error,
        ]);
        writer.write_record(row).map_err(|error| fail(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| fail(error.to_string()))?;
    Ok(write::bytes(&path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(axes: &[&str]) -> Result<Vec<Cell>, String> {
        let base = TrainConfig { phantoms: 4, out: "sweep".into(), ..TrainConfig::default() };
        Grid::parse(&axes.iter().map(|axis| (*axis).to_owned()).collect::<Vec<_>>())?.cells(&base)
    }

    #[test]
    fn a_grid_is_every_combination_of_its_values() {
        let cells = cells(&["lr=1e-3,3e-4", "loss=binary,dice,focal"]).expect("a grid");
        let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names.len(), 6);
        assert_eq!(names[..2], ["lr=1e-3,loss=binary", "lr=1e-3,loss=dice"]);
        assert_eq!(names[5], "lr=3e-4,loss=focal");
        assert_eq!(cells[5].config.lr, 3e-4);
        assert_eq!(cells[5].config.out, Path::new("sweep").join("lr=3e-4,loss=focal"));
        assert_eq!(cells[5].settings, [("lr".into(), "3e-4".into()), ("loss".into(), "focal".into())]);
    }

    #[test]
    fn values_in_brackets_keep_their_commas_and_names_are_file_names() {
        assert_eq!(split("[1, 2],[3], x"), ["[1, 2]", "[3]", "x"]);
        let cells = cells(&["stage_losses=[],[0.2, 0.3, 0.5]"]).expect("a grid");
        assert_eq!(cells[1].config.stage_losses, [0.2, 0.3, 0.5]);
        assert_eq!(cells[1].name, "stage_losses=_0.2,_0.3,_0.5_");
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_runs() {
        let error = |axes: &[&str]| cells(axes).expect_err("refused");
        assert_eq!(
            error(&["lr=1e-3", "batchsize=4,8"]),
            "there is no setting 'batchsize'; did you mean 'batch_size'?"
        );
        assert!(error(&["lr"]).contains("KEY=A,B,C"));
        assert!(error(&["out=a,b"]).contains("folder of its own"));
        assert!(error(&["lr=1e-3", "lr=1e-4"]).contains("occurs twice"));
        assert!(error(&["lr=1e-3,,1e-4"]).contains("missing"));
        assert!(error(&["lr=1e-3,fast"]).starts_with("lr=fast: "));
        assert!(error(&["lr=1e-3,-1"]).contains("lr is not positive"));
        assert!(error(&["lr=1e-3,0.001"]).contains("are the same run"));
        assert!(
            error(&[
                "seed=1,2,3,4,5,6,7,8,9,10,11",
                "epochs=1,2,3,4,5,6,7,8,9,10",
                "batch_size=1,2,3,4,5,6,7,8,9,10"
            ])
            .contains("at most 1000")
        );
    }
}
