//! `himix train`: trains a model, resumes a run, or fits stage read-outs.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::device::{self, DeviceChoice};
use himix::infer::{BUNDLED_NAME, OpenModel};
use himix::train::{Control, EmptyTruths, Epoch, Event, RunFolder, Task, TrainConfig, TrainError, config};

use super::readout::{self, ReadoutArguments};
use super::{Failure, sweep, terminal};

const EXAMPLES: &str = "\
Examples:
  himix train --data qata --out run --config assets/qata-small.toml
  himix train --data qata --data kvasir --out run --set phantoms=300 --set lr=1e-3
  himix train --data qata --out fine-tuned --set start=imported-bundle
  himix train --resume run
  himix train --resume run --data /new/place/of/qata
  himix train --data qata --out test --config assets/qata-small.toml --find-lr
  himix train --data qata --out sweep --config assets/qata-small.toml --grid lr=1e-3,3e-4 --grid loss=binary,dice
  himix train --readout --model run/best --data qata

The run folder receives the settings (config.toml), a table with one row for each epoch (metrics.csv), the bundle with the
best weights by the criterion of the settings (best), with ema_decay the best averaged weights (ema), the last checkpoint (last) and a log. A run that was stopped or interrupted continues
with --resume and reaches the same weights as an uninterrupted run. If its data sets moved together with the run folder, they
are found; otherwise give their new location with --data. Their contents must be unchanged.

Keys of the settings and of --set:";

/// Train a model on data sets and synthetic images, resume a run, or fit stage read-outs
#[derive(Debug, Args)]
#[command(after_help = help_with_keys())]
pub struct TrainArguments {
    /// Folder of a data set; may be repeated. With --resume: the current location of the run's data sets, in their
    /// order
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Run folder, which must not contain a run yet. With --readout: file for the stage read-outs [default with
    /// --readout: in the model's bundle]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// TOML file with the settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Single setting, which takes precedence over the file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of a run to resume
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "config", "set", "grid", "find_lr"])]
    resume: Option<PathBuf>,
    /// Values of a setting, for a run of each; may be repeated for all combinations. Each run has a folder of its own in
    /// --out, and grid.csv there has their results. The same command again goes on with the runs that are not finished
    #[arg(long = "grid", value_name = "KEY=A,B,C", conflicts_with = "linear_probe")]
    grid: Vec<String>,
    /// Search for a learning rate: up to 100 steps with rising rates, a table of the losses (find-lr.csv in --out) and
    /// a suggestion
    #[arg(long = "find-lr", conflicts_with_all = ["grid", "linear_probe"])]
    find_lr: bool,
    /// Fit a stage read-out (linear probe) for each decoder stage on the images of --data; the model itself
    /// stays unchanged
    #[arg(long = "readout", requires = "data", conflicts_with_all = ["resume", "config", "set"])]
    linear_probe: bool,
    /// With --readout: model, as the folder of a bundle or a weights file
    #[arg(long, value_name = "M", default_value = BUNDLED_NAME, requires = "linear_probe")]
    model: PathBuf,
    /// With --readout: split that provides the images
    #[arg(long, value_name = "SPLIT", default_value = "train", requires = "linear_probe")]
    split: String,
    /// With --readout: largest number of images of each data set, spread evenly over its list; 0 takes all
    #[arg(long, value_name = "N", default_value = "200", requires = "linear_probe")]
    limit: usize,
    /// Compute device: auto, cpu, gpu, gpu:N or remote:HOST [default: as in the settings, else auto]
    #[arg(long, value_name = "D")]
    device: Option<DeviceChoice>,
}

fn help_with_keys() -> String {
    let defaults = toml::Table::try_from(TrainConfig::default()).unwrap_or_default();
    let line = |(key, meaning): &(&str, &str)| {
        let default = defaults.get(*key).map(|value| format!(" [{value}]")).unwrap_or_default();
        format!("  {key:<18} {meaning}{default}\n")
    };
    format!("{EXAMPLES}\n{}", config::KEYS.iter().map(line).collect::<String>())
}

/// Runs the training.
pub fn run(arguments: &TrainArguments, open: &OpenModel) -> Result<(), Failure> {
    if arguments.linear_probe {
        let fitted = ReadoutArguments {
            model: &arguments.model,
            data: &arguments.data,
            split: &arguments.split,
            limit: arguments.limit,
            out: arguments.out.as_deref(),
            device: arguments.device.unwrap_or_default(),
        };
        return readout::run(&fitted, open);
    }
    let config = match &arguments.resume {
        Some(folder) => RunFolder::new(folder).config().map_err(failure)?,
        None => settings(arguments)?,
    };
    let choice = match arguments.device {
        Some(choice) => choice,
        None => config.device.parse().map_err(Failure::input)?,
    };
    // These checks come first, because opening a device takes time and may make a driver print messages.
    let cells = if arguments.grid.is_empty() {
        config.validate().map_err(Failure::input)?;
        Vec::new()
    } else {
        sweep::cells(&arguments.grid, &config)?
    };
    device::reach(choice).map_err(Failure::work)?;
    let device = device::open(choice);
    if let Some(notice) = &device.notice {
        terminal::note(notice);
    }
    if !arguments.grid.is_empty() {
        return sweep::grid(&cells, &config, &device);
    }
    if arguments.find_lr {
        return sweep::search(&config, &device);
    }
    let control = Control::default();
    let mut report = Report::new(config.epochs);
    let mut report = |event| report.say(event);
    let task = match &arguments.resume {
        Some(folder) => Task::Resume(folder.clone(), arguments.data.clone()),
        None => Task::New(Box::new(config)),
    };
    let outcome = himix::train::start(&task, &device, &control, &mut report);
    outcome.map(|_| ()).map_err(failure)
}

pub(super) fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::Data(error) => error.into(),
        error if error.is_input() => Failure::input(error),
        error => Failure::work(error),
    }
}

/// Reports a run on the terminal.
pub(super) struct Report {
    epochs: usize,
    bar: indicatif::ProgressBar,
}

impl Report {
    /// Reports a run of at most `epochs` epochs.
    pub(super) fn new(epochs: usize) -> Self {
        Self { epochs, bar: terminal::bar_with_message(0) }
    }

    /// Reports an event.
    pub(super) fn say(&mut self, event: Event) {
        match event {
            Event::Preparing(what) => self.bar.set_message(what),
            Event::Started { train, validation, parameters, history, device, .. } => {
                let begun = match history.len() {
                    0 => String::new(),
                    done => format!(", {done} epochs done"),
                };
                let _ = terminal::print(&format!(
                    "{train} cases to train on, {validation} to validate on, {:.2} M parameters, {device}{begun}",
                    parameters as f64 / 1e6
                ));
            }
            Event::Start(start) => {
                self.bar.finish_and_clear();
                let _ = terminal::print(&format!(
                    "start          validation loss {:.4}  Dice {:.3} pooled, {:.3} per image",
                    start.validation_loss, start.pooled_dice, start.per_image_dice
                ));
            }
            Event::Step { epoch, step, steps, loss, seconds_left } => {
                if self.bar.length() != Some(steps as u64) || self.bar.is_finished() {
                    self.bar = terminal::bar_with_message(steps);
                }
                let loss = loss.map_or(String::new(), |loss| format!(", loss {loss:.4}"));
                self.bar.set_message(format!("epoch {epoch}{loss}, {} left", terminal::duration(seconds_left)));
                self.bar.set_position(step as u64);
            }
            Event::Epoch(epoch) => {
                self.bar.finish_and_clear();
                let _ = terminal::print(&line(&epoch, self.epochs));
            }
            Event::Warning(text) => terminal::note(text),
            Event::Finished { best, bundle, reason } => {
                self.bar.finish_and_clear();
                let best = match (best, bundle) {
                    (Some(best), Some(bundle)) => {
                        format!("the best weights are those of epoch {}, in {}", best.number, bundle.display())
                    }
                    _ => "no epoch was completed".into(),
                };
                let _ = terminal::print(&format!("The run ended: {reason}; {best}."));
            }
            Event::Paused | Event::Continued | Event::Preview { .. } | Event::Checkpoint => {}
        }
    }
}

/// Describes an epoch on one line.
pub(super) fn line(epoch: &Epoch, epochs: usize) -> String {
    let mut more = String::new();
    if let Some(average) = &epoch.average {
        more += &format!(
            "  averaged: validation loss {:.4}, Dice {:.3} pooled, {:.3} per image",
            average.validation_loss, average.pooled_dice, average.per_image_dice
        );
    }
    if let Some(EmptyTruths { images, false_positive_area: Some(area), .. }) = epoch.empty.as_deref() {
        let plural = if *images == 1 { "" } else { "s" };
        more += &format!("  {:.2} % marked on average in {images} image{plural} without lesion", 100.0 * area);
    }
    format!(
        "epoch {:3}/{epochs}  loss {:.4}  validation loss {:.4}  Dice {:.3} pooled, {:.3} per image  lr {:.2e}  {:.0} s  waiting {:.1} %{more}{}",
        epoch.number,
        epoch.train_loss,
        epoch.validation_loss,
        epoch.pooled_dice,
        epoch.per_image_dice,
        epoch.learning_rate,
        epoch.seconds,
        100.0 * epoch.waiting,
        match (epoch.is_best, epoch.is_average) {
            (true, true) => "  best (averaged)",
            (true, false) => "  best",
            (false, _) => "",
        }
    )
}

/// Merges the settings of a file, `--set` and the folders of `--data`.
pub(super) fn merged(file: Option<&Path>, set: &[String], data: &[PathBuf]) -> Result<TrainConfig, Failure> {
    let mut config = match file {
        Some(path) => read(path)?,
        None => TrainConfig::default(),
    };
    for pair in set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::input(format!(
                "--set {pair}: this is not a setting; give KEY=VALUE, for instance epochs=20"
            )));
        };
        config = config.set(key.trim(), value).map_err(|error| {
            Failure::input(format!("--set {pair}: {error}; himix train --help lists the keys"))
        })?;
    }
    if !data.is_empty() {
        config.data = data.to_vec();
    }
    Ok(config)
}

/// Merges the settings of the file, `--set` and the other options.
fn settings(arguments: &TrainArguments) -> Result<TrainConfig, Failure> {
    let mut config = merged(arguments.config.as_deref(), &arguments.set, &arguments.data)?;
    if let Some(out) = &arguments.out {
        config.out.clone_from(out);
    }
    if let Some(choice) = arguments.device {
        config.device = choice.to_string();
    }
    if config.out.as_os_str().is_empty() {
        return Err(Failure::input("--out is missing; give the run folder"));
    }
    Ok(config)
}

fn read(path: &Path) -> Result<TrainConfig, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("{name}: the settings cannot be read ({error}); check the path"))
    })?;
    TrainConfig::from_toml(&text)
        .map_err(|error| Failure::input(format!("{name}: {error}; himix train --help lists the keys")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_epoch_says_how_much_is_marked_without_a_lesion() {
        let of = |images, false_positive_area| {
            let empty = EmptyTruths { images, false_positive_area, ..EmptyTruths::default() };
            line(&Epoch { number: 1, empty: Some(Box::new(empty)), ..Epoch::default() }, 3)
        };
        let five = of(5, Some(0.02));
        assert!(five.ends_with("  2.00 % marked on average in 5 images without lesion"), "{five}");
        assert!(of(1, Some(0.5)).ends_with("  50.00 % marked on average in 1 image without lesion"));
        assert!(!of(0, None).contains("marked"));
    }
}
