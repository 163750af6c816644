//! `himix train`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use himix::device;
use himix::train::{Epoch, Event, TrainConfig, TrainError};

use super::arguments::DeviceArguments;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix train --data qata --out my-bundle --config assets/qata-small.toml
  himix train --data qata --out my-bundle --set epochs=20 --set batch_size=16
  himix train --data qata --out fine-tuned --set start=imported-bundle

The data set lies as the authors' does: DIR/prompt/SPLIT.csv with the columns Image and Description, images in
DIR/SPLIT/Images, masks in DIR/SPLIT/GTs. The best weights by validation loss are written to --out as a model bundle
whenever they are reached, so that stopping a run early keeps them.

Keys of the configuration and of --set, with the defaults:";

/// Train a model on a data set in the authors' layout
#[derive(Debug, Args)]
#[command(after_help = help_with_keys())]
pub struct TrainArguments {
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder that receives the model bundle
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Settings as a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, over those of the file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    device: DeviceArguments,
}

fn help_with_keys() -> String {
    let keys = toml::to_string(&TrainConfig::default()).unwrap_or_default();
    let keys: String = keys.lines().map(|line| format!("  {line}\n")).collect();
    format!("{EXAMPLES}\n{keys}  architecture, start, vocab (files), train_text (true or false)")
}

/// Trains.
pub fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let config = settings(arguments)?;
    let device = device::open(arguments.device.choice());
    if let Some(notice) = &device.notice {
        terminal::note(notice);
    }
    let stop = AtomicBool::new(false);
    let mut bar = terminal::bar(0, "steps");
    let outcome = himix::train::run(&config, &device, &stop, &mut |event| match event {
        Event::Started { train, validation, parameters, device } => {
            let line = format!(
                "{train} pairs to train on, {validation} to validate on, {:.2} M parameters, {device}",
                parameters as f64 / 1e6
            );
            let _ = terminal::print(&line);
        }
        Event::Step { epoch, step, steps } => {
            if step == 1 {
                bar = terminal::bar(steps, &format!("steps of epoch {epoch}"));
            }
            bar.set_position(step as u64);
        }
        Event::Epoch(epoch) => {
            bar.finish_and_clear();
            let _ = terminal::print(&line(&epoch, config.epochs));
        }
        Event::Warning(text) => terminal::note(text),
        Event::Finished { best, reason } => {
            let best = best.map_or("no epoch was finished".to_owned(), |best| {
                format!("the best weights are those of epoch {}, in {}", best.number, config.out.display())
            });
            let _ = terminal::print(&format!("The run ended: {reason}; {best}."));
        }
    });
    outcome.map(|_| ()).map_err(|error| match error {
        TrainError::Data(error) => error.into(),
        TrainError::NotANumber { .. } => Failure::work(error),
        error => Failure::input(error),
    })
}

/// The one line of an epoch.
fn line(epoch: &Epoch, epochs: usize) -> String {
    format!(
        "epoch {:3}/{epochs}  loss {:.4}  validation loss {:.4}  Dice {:.4} pooled, {:.4} per image  lr {:.2e}  {:.0} s  waiting {:.1} %{}",
        epoch.number,
        epoch.train_loss,
        epoch.validation_loss,
        epoch.pooled_dice,
        epoch.per_image_dice,
        epoch.learning_rate,
        epoch.seconds,
        100.0 * epoch.waiting,
        if epoch.is_best { "  best" } else { "" }
    )
}

/// File, then `--set`, then the options of their own.
fn settings(arguments: &TrainArguments) -> Result<TrainConfig, Failure> {
    let mut table = match &arguments.config {
        Some(path) => read(path)?,
        None => toml::Table::new(),
    };
    for pair in &arguments.set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::input(format!(
                "--set {pair}: this is no setting; say KEY=VALUE, for instance epochs=20"
            )));
        };
        // A value that is no TOML on its own, like a path, is text.
        let value = format!("value = {value}")
            .parse::<toml::Table>()
            .ok()
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        table.insert(key.trim().to_owned(), value);
    }
    let mut config: TrainConfig = table.try_into().map_err(|error: toml::de::Error| {
        let name = arguments.config.as_ref().map_or("--set".into(), |path| path.display().to_string());
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::input(format!("{name}: {message}; himix train --help lists the keys"))
    })?;
    if let Some(data) = &arguments.data {
        config.data.clone_from(data);
    }
    if let Some(out) = &arguments.out {
        config.out.clone_from(out);
    }
    for (name, path) in [("--data", &config.data), ("--out", &config.out)] {
        if path.as_os_str().is_empty() {
            return Err(Failure::input(format!("{name} is missing; name the folder")));
        }
    }
    Ok(config)
}

fn read(path: &Path) -> Result<toml::Table, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("{name}: the settings cannot be read ({error}); check the path"))
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::input(format!("{name}: this is no TOML ({message}); mend it"))
    })
}
