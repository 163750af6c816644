//! The scores of every image in a run, and their file.
//!
//! `cases.csv` in a run folder has a row for each image: `data` (the number of the data set in the settings, from 1),
//! `image`, `subject`, `prompt`, `dice_per_image`, `iou_per_image` and the pixel counts `true_positive`, `false_positive`,
//! `false_negative` and `true_negative`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::analysis::figure::Table;
use crate::data::{DataError, Dataset, MaskRule, subject_or_name, write};
use crate::infer::comparison::NetworkCost;
use crate::infer::{EvaluationSettings, InferError, ModelSource, Segmenter, evaluate};
use crate::metrics::Confusion;

/// The name of the file.
pub const CASES: &str = "cases.csv";
/// Its columns.
const COLUMNS: [&str; 10] = [
    "data",
    "image",
    "subject",
    "prompt",
    "dice_per_image",
    "iou_per_image",
    "true_positive",
    "false_positive",
    "false_negative",
    "true_negative",
];

/// The score of an image in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseScore {
    /// The data set and the image, and the number of the row among equal ones. Equal in all runs of a study.
    pub case: String,
    /// The subject, or the name of an image without one.
    pub subject: String,
    /// The pixel counts at a threshold of 0.5.
    pub counts: Confusion,
}

/// The scores of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunScores {
    /// The name of the variant.
    pub variant: String,
    /// The variant in words.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// The size of the network, as far as it is known.
    pub cost: NetworkCost,
    /// The images.
    pub cases: Vec<CaseScore>,
}

/// A finished run of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedRun {
    /// The name of the variant, or of the network.
    pub variant: String,
    /// The variant in words.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// Its folder, with the scores.
    pub folder: PathBuf,
    /// The bundle that was scored.
    pub model: PathBuf,
}

/// Why a run has no scores.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The data cannot be read or the scores cannot be written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot be opened or failed.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// The file with the scores is not what this program writes.
    #[error("{}: {reason}; remove the file, and begin the study again to score the run anew", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Scores a model on `split` of all data sets, at a threshold of 0.5, and writes the scores into `out`. The
/// data sets are read with `rule`, unless it is the default and they have a rule of their own.
///
/// # Errors
/// The model failed, the data cannot be used, or the file cannot be written.
pub fn score(
    model: &mut dyn Segmenter,
    (data, split, rule): (&[PathBuf], &str, MaskRule),
    out: &Path,
) -> Result<(), ScoreError> {
    model.warm_up(&mut |_| ControlFlow::Continue(()))?;
    let mut table = Table::new(&COLUMNS);
    for (number, root) in data.iter().enumerate() {
        let mut dataset = Dataset::open(root, split)?;
        dataset.reading = dataset.reading.clone().under(Some(rule).filter(|rule| *rule != MaskRule::default()));
        let settings = EvaluationSettings::default();
        let go_on = |_, _| ControlFlow::Continue(());
        let evaluation = evaluate(model, &dataset, settings, go_on, |_| Ok(()))?;
        for image in evaluation.images {
            let counts = image.counts;
            table.push([
                (number + 1).to_string(),
                image.name.clone(),
                subject_or_name(&image.name).to_owned(),
                image.prompt.clone(),
                format!("{:.6}", counts.dice()),
                format!("{:.6}", counts.iou()),
                counts.true_positive.to_string(),
                counts.false_positive.to_string(),
                counts.false_negative.to_string(),
                counts.true_negative.to_string(),
            ]);
        }
    }
    Ok(write::file(out, |file| table.write(file))?)
}

/// Reads the scores of runs.
///
/// # Errors
/// A file cannot be read.
pub fn read_runs(runs: impl IntoIterator<Item = FinishedRun>) -> Result<Vec<RunScores>, ScoreError> {
    let of = |FinishedRun { variant, title, seed, folder, model }| {
        let cases = read_cases(&folder.join(CASES))?;
        // The scores can be reported without the weights.
        let cost = NetworkCost::of_model(&ModelSource::new(model)).unwrap_or_default();
        Ok(RunScores { variant, title, seed, cost, cases })
    };
    runs.into_iter().map(of).collect()
}

/// Reads the scores that [`score`] wrote.
///
/// # Errors
/// The file cannot be read or is not such a file.
pub fn read_cases(path: &Path) -> Result<Vec<CaseScore>, ScoreError> {
    let fail = |reason: String| ScoreError::File { path: path.to_owned(), reason };
    let mut reader = csv::Reader::from_path(path).map_err(|error| fail(error.to_string()))?;
    let heads = reader.headers().map_err(|error| fail(error.to_string()))?;
    if heads.iter().ne(COLUMNS) {
        return Err(fail(format!("its columns are not {}", COLUMNS.join(", "))));
    }
    let mut cases: Vec<CaseScore> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| fail(error.to_string()))?;
        let count = |column: usize| {
            row[column].parse::<u64>().map_err(|_| fail(format!("“{}” is no number of pixels", &row[column])))
        };
        let image = format!("{}/{}", &row[0], write::text_of_cell(&row[1]));
        // An image may have several prompts, each with a row.
        let times: &mut usize = seen.entry(image.clone()).or_default();
        *times += 1;
        let [true_positive, false_positive, false_negative, true_negative] =
            [count(6)?, count(7)?, count(8)?, count(9)?];
        let subject = write::text_of_cell(&row[2]);
        // Images of one name in two data sets are two; subjects of one name are one.
        let is_named = subject != write::text_of_cell(&row[1]);
        cases.push(CaseScore {
            case: format!("{image}#{times}"),
            subject: if is_named { subject.to_owned() } else { image },
            counts: Confusion { true_positive, false_positive, false_negative, true_negative },
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_as_they_were_written_and_another_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(CASES);
        let mut table = Table::new(&COLUMNS);
        let row = |image: &str, tp: &str| {
            ["1", image, "sub-S1", "left", "0.5", "0.3", tp, "2", "3", "4"].map(str::to_owned)
        };
        table.push(row("a.png", "1"));
        table.push(row("a.png", "7"));
        write::file(&path, |file| table.write(file)).expect("written");
        let cases = read_cases(&path).expect("scores");
        assert_eq!([cases[0].case.as_str(), &cases[1].case], ["1/a.png#1", "1/a.png#2"]);
        assert_eq!((cases[1].subject.as_str(), cases[1].counts.true_positive), ("sub-S1", 7));
        // Two data sets may have images of one name, which are not of one subject.
        let unnamed = |data: &str| [data, "x.png", "x.png", "", "0", "0", "1", "2", "3", "4"].map(str::to_owned);
        let mut others = Table::new(&COLUMNS);
        others.push(unnamed("1"));
        others.push(unnamed("2"));
        write::file(&path, |file| others.write(file)).expect("written");
        let subjects: Vec<String> =
            read_cases(&path).expect("scores").into_iter().map(|case| case.subject).collect();
        assert_eq!(subjects, ["1/x.png", "2/x.png"]);
        table.push(row("b.png", "many"));
        write::file(&path, |file| table.write(file)).expect("written");
        let error = read_cases(&path).expect_err("no number").to_string();
        assert!(error.contains("“many” is no number of pixels") && error.contains(CASES), "{error}");
        write::bytes(&path, b"image,dice\na.png,1\n").expect("written");
        assert!(
            read_cases(&path).is_err_and(|error| error.to_string().contains("its columns are not data, image"))
        );
    }
}
