//! `himix train --grid` and `himix train --find-lr`: several runs with a table, and the search for a learning rate.

use himix::device::OpenDevice;
use himix::train::{Cell, CellResult, CellState, Control, Grid, GridEvent, TrainConfig, find_lr, run_grid};

use super::train::{Report, failure};
use super::{Failure, terminal};

/// The runs of a grid of `--grid` axes over these settings.
pub fn cells(axes: &[String], config: &TrainConfig) -> Result<Vec<Cell>, Failure> {
    let cells = Grid::parse(axes).and_then(|grid| grid.cells(config));
    cells.map_err(|error| Failure::input(format!("--grid: {error}; himix train --help lists the keys")))
}

/// Does the runs of a grid in the folder `config.out` and prints their table.
pub fn grid(cells: &[Cell], config: &TrainConfig, device: &OpenDevice) -> Result<(), Failure> {
    let control = Control::default();
    let mut report = Report::new(config.epochs);
    let mut say = |event| match event {
        GridEvent::Begun(index, count, name) => {
            let epochs = cells.get(index).map_or(config.epochs, |cell| cell.config.epochs);
            report = Report::new(epochs);
            let _ = terminal::print(&format!("run {} of {count}: {name}", index + 1));
        }
        GridEvent::Known(name) => {
            let _ = terminal::print(&format!("{name} is finished already"));
        }
        GridEvent::Run(event) => report.say(event),
    };
    let results = run_grid(cells, &config.out, device, &control, &mut say).map_err(failure)?;
    terminal::print(&table(&results))?;
    let best = results.iter().filter(|result| result.state == CellState::Finished);
    let best = best.filter_map(|result| Some((result, result.scores()?)));
    // The Dice score per image does not depend on the loss, which may differ between the runs.
    if let Some((best, [_, _, dice])) = best.max_by(|a, b| a.1[2].total_cmp(&b.1[2])) {
        let name = &best.cell.name;
        terminal::print(&format!("The highest Dice score per image is {dice:.3}, of {name}."))?;
    }
    let failed: Vec<&CellResult> =
        results.iter().filter(|result| matches!(result.state, CellState::Failed(_))).collect();
    for result in &failed {
        if let CellState::Failed(error) = &result.state {
            terminal::note(format!("{}: {error}", result.cell.name));
        }
    }
    match (failed.len(), results.len()) {
        (0, _) => Ok(()),
        (failed, all) if failed == all => {
            Err(Failure::work("every run of the grid failed; the reasons are in the notes and in grid.csv"))
        }
        (failed, all) => Err(Failure::work(format!(
            "{failed} of {all} runs of the grid failed; the reasons are in the notes and in grid.csv; the same command tries them again"
        ))),
    }
}

/// The results as an aligned table.
fn table(results: &[CellResult]) -> String {
    let header = ["run", "state", "epochs", "best", "validation loss", "Dice pooled", "Dice per image"];
    let mut rows = vec![header.map(str::to_owned)];
    for result in results {
        let scores = result.scores();
        let score = |index: usize, digits: usize| {
            scores.map_or("–".to_owned(), |scores| format!("{:.digits$}", scores[index]))
        };
        rows.push([
            result.cell.name.clone(),
            result.state_word().to_owned(),
            result.history.len().to_string(),
            result.best().map_or("–".to_owned(), |best| best.number.to_string()),
            score(0, 4),
            score(1, 3),
            score(2, 3),
        ]);
    }
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Searches for a learning rate and prints what it found.
pub fn search(config: &TrainConfig, device: &OpenDevice) -> Result<(), Failure> {
    let bar = terminal::bar_with_message(0);
    let mut say = |step: &himix::train::RateStep, steps: usize| {
        bar.set_length(steps as u64);
        bar.inc(1);
        bar.set_message(format!("lr {:.1e}, loss {:.4}", step.rate, step.smoothed));
    };
    let test = find_lr(config, device, &Control::default(), &mut say).map_err(failure)?;
    bar.finish_and_clear();
    let mut lines = vec!["      lr     loss  smoothed".to_owned()];
    // Every fifth step is enough to see the curve; the file has all of them.
    for step in test.steps.iter().step_by(5) {
        lines.push(format!("{:8.1e}  {:7.4}   {:7.4}", step.rate, step.loss, step.smoothed));
    }
    let path = config.out.join("find-lr.csv");
    lines.push(format!(
        "{} steps, in {}; the test ended because {}.",
        test.steps.len(),
        path.display(),
        test.reason
    ));
    lines.push(match test.suggestion {
        Some(rate) => format!("Suggestion: lr = {rate:.1e}, where the loss falls fastest."),
        None => {
            "No suggestion: the loss hardly fell. Check data and initial weights, or choose a larger batch.".into()
        }
    });
    terminal::print(&lines.join("\n"))
}
