//! `himix robustness`: how the masks of a model change with the wording of the prompts of a data set.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use himix::analysis::number::probability;
use himix::analysis::robustness::{CasesError, FormSummary, Loss, Outcome, Report, Wanted, study};
use himix::data::{Dataset, summary};
use himix::infer::OpenModel;
use himix::infer::robustness::{Form, RobustnessSettings, Style, in_order_of_study};
use himix::metrics::Spread;
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, ModelArguments, PairArguments, threshold};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix robustness --data qata --split test --out study
  himix robustness --model my-bundle --data qata --split test --forms structured,augmented,distilled,empty --out study
  himix robustness --data kvasir --split test --forms shuffled,word-dropout --seed 7 --out study --json

Forms:
structured     the prompt as it is; always part of the study
augmented      the prompt written out as a report, in the style of --style
distilled      the report condensed to a prompt again
empty          no text
shuffled       the words in random order
side-swapped   left and right exchanged
zone-swapped   upper and lower, top and bottom exchanged
count-changed  another number of areas or polyps
word-dropout   about a third of the words left out
irrelevant     a text about something else
description    a rule's sentence about the ground truth, which looks at the answer

The folder of --out receives scores.csv (a row for each image, prompt and form), table.md, table.csv and table.tex, worst.csv,
figure.svg and figure.png. scores.csv grows image by image: a run that was ended, also with Ctrl-C, goes on where it was when the
same command is given again. An image with several prompts in the table has each of them in every form.";

/// Measure how masks change with the wording of the prompts, on a split of a data set
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RobustnessArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Folder of the data set
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Split to score, for instance test, or "all" if the data set names no splits
    #[arg(long, value_name = "SPLIT")]
    split: String,
    /// Forms of the prompts, separated by commas [default: all]
    #[arg(long, value_name = "F,F", value_delimiter = ',', value_parser = form)]
    forms: Vec<Form>,
    /// Style of the reports
    #[arg(long, value_name = "S", default_value = "paper", value_parser = Style::ALL.map(Style::name))]
    style: String,
    /// Seed of what is drawn: wordings, orders, words left out, resamples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    reading: PairArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// Folder for the results, created if necessary
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of cases in the figure
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u8).range(0..=20))]
    rows: u8,
    /// Number of cases to list, by the loss of Dice against the structured prompt
    #[arg(long, value_name = "N", default_value = "5")]
    worst: usize,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

fn form(name: &str) -> Result<Form, String> {
    Form::of(name.trim()).ok_or_else(|| {
        let names = Form::ALL.map(Form::name).join(", ");
        format!("there is no form \"{name}\"; the forms are {names}")
    })
}

/// Runs the study with the model that `open` opens.
pub fn run(arguments: &RobustnessArguments, open: &OpenModel) -> Result<(), Failure> {
    let forms = if arguments.forms.is_empty() { Form::ALL.to_vec() } else { in_order_of_study(&arguments.forms) };
    let style = Style::of(&arguments.style).unwrap_or(Style::Paper);
    let settings = RobustnessSettings { forms, seed: arguments.seed, threshold: arguments.threshold, style };
    let mut dataset = Dataset::open(&arguments.data, &arguments.split)?;
    dataset.reading = arguments.reading.over(dataset.reading);
    summary(&dataset.findings).into_iter().for_each(terminal::note);
    // This is found out before the model is read.
    std::fs::create_dir_all(&arguments.out).map_err(|error| {
        let out = arguments.out.display();
        Failure::work(format!("{out}: the folder cannot be created ({error}); choose another"))
    })?;
    let source = arguments.model.source(arguments.vocab.as_ref());
    let mut segmenter = model::open(open, &source, arguments.device.choice()?, "scores")?;
    model::must_read_text(segmenter.as_ref(), "there are no forms of a prompt to compare")?;
    let bar = terminal::bar(dataset.samples.len(), "images");
    let progress = |done: usize, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let (out, rows) = (Some(arguments.out.as_path()), usize::from(arguments.rows));
    let wanted = Wanted { source: &source, dataset: &dataset, settings: &settings, out, rows };
    let outcome = study(segmenter.as_mut(), wanted, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    let Some(Outcome { report, images, known, skipped, files }) = outcome else {
        return Err(Failure::work("the study was stopped; give the same command to go on"));
    };
    if known > 0 {
        terminal::note(format!("{known} of {} images were already scored and passed over", dataset.samples.len()));
    }
    skipped.iter().for_each(|reason| terminal::note(format!("left out: {reason}")));
    if arguments.json {
        let object = json!({
            "count": images,
            "model": source.path().to_string_lossy(),
            "data": dataset.root.to_string_lossy(),
            "split": dataset.split,
            "threshold": (f64::from(settings.threshold) * 1e6).round() / 1e6,
            "seed": settings.seed,
            "style": settings.style.name(),
            "forms": report.summaries.iter().map(object_of).collect::<Vec<_>>(),
            "notes": report.notes,
            "worst": &report.worst[..report.worst.len().min(arguments.worst)],
            "skipped": skipped,
            "files": files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        });
        return terminal::print(&format!("{object:#}"));
    }
    let device = segmenter.info().device;
    terminal::print(&text(arguments, images, &report, &device, &files))
}

impl From<CasesError> for Failure {
    fn from(error: CasesError) -> Self {
        match error {
            CasesError::Infer(error) => error.into(),
            CasesError::Figure(error) => error.into(),
        }
    }
}

fn object_of(summary: &FormSummary) -> Value {
    let finite = |spread: &Spread| spread.mean.is_finite().then_some(*spread);
    let scored = |score: f64| (summary.masks > 0).then_some(score);
    json!({
        "form": summary.form,
        "images": summary.images,
        "masks": summary.masks,
        "not_made": summary.not_made,
        "unchanged": summary.unchanged,
        "pooled": { "dice": scored(summary.pooled.dice()), "iou": scored(summary.pooled.iou()) },
        "per_image": { "dice": finite(&summary.dice), "iou": finite(&summary.iou) },
        "empty_masks": scored(summary.empty as f64 / summary.masks as f64),
        "agreement": finite(&summary.agreement),
        "difference": summary.difference,
    })
}

fn text(
    arguments: &RobustnessArguments,
    images: usize,
    report: &Report,
    device: &str,
    files: &[PathBuf],
) -> String {
    let (data, split) = (arguments.data.display(), &arguments.split);
    let mut text = format!(
        "{data}, split {split}: {images} images at threshold {}, seed {}, on {device}\n",
        arguments.threshold, arguments.seed
    );
    text += &format!(
        "{:<14} {:>6}  {:>6}  {:>13}  {:>6}  {:>13}  {:>7}  {:>13}  {:>24}  {:>7}\n",
        "form", "images", "Dice", "per image", "IoU", "per image", "empty", "agreement", "difference", "p"
    );
    report.summaries.iter().for_each(|summary| text += &row(summary));
    report.notes.iter().for_each(|note| text += &format!("{note}\n"));
    let worst = &report.worst[..report.worst.len().min(arguments.worst)];
    if !worst.is_empty() {
        text += "greatest loss of Dice per image against the structured prompt:\n";
    }
    for Loss { image, form, dice_structured, dice, text: words, .. } in worst {
        let words: String = words.chars().take(80).collect();
        text += &format!("  {dice_structured:.3} to {dice:.3}  {:<13}  {image}  \"{words}\"\n", form.name());
    }
    files.iter().map(PathBuf::as_path).map(Path::display).for_each(|path| text += &format!("{path} written\n"));
    text
}

fn row(summary: &FormSummary) -> String {
    let name = summary.form.name();
    if summary.masks == 0 {
        return format!("{name:<14} {:>6}\n", 0);
    }
    let spread = |Spread { mean, std, .. }: &Spread| match mean.is_finite() {
        true => format!("{mean:.3} ± {std:.3}"),
        false => "–".to_owned(),
    };
    let (difference, p) = match &summary.difference {
        None => ("–".to_owned(), "–".to_owned()),
        Some(one) => {
            let at = one.pooled_dice;
            (format!("{:+.3} [{:+.3}, {:+.3}]", at.estimate, at.low, at.high), probability(one.p_holm))
        }
    };
    let empty = format!("{:.1} %", 100.0 * summary.empty as f64 / summary.masks as f64);
    format!(
        "{name:<14} {:>6}  {:>6.3}  {:>13}  {:>6.3}  {:>13}  {empty:>7}  {:>13}  {difference:>24}  {p:>7}\n",
        summary.images,
        summary.pooled.dice(),
        spread(&summary.dice),
        summary.pooled.iou(),
        spread(&summary.iou),
        spread(&summary.agreement),
    )
}
