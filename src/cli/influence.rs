//! `himix influence`: which words of a prompt the mask depends on.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use himix::data::write;
use himix::infer::OpenModel;
use himix::infer::influence::{
    Change, Effect, Influence, InfluenceCase, InfluenceMethods, PhraseShares, Worth, influence, phrase_shares,
};
use himix::text::prompt::PartKind;
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, ModelArguments, threshold};
use super::reading::{ScanArguments, TruthArguments};
use super::{Failure, model, report, terminal};

const EXAMPLES: &str = "\
Examples:
  himix influence --image chest.png --prompt \"Unilateral pulmonary infection, one infected area, lower left lung.\"
  himix influence --image chest.png --mask truth.png --prompt \"lower left lung\" --method mask-token --csv words.csv
  himix influence --image chest.png --prompt \"upper left lung and all right lung\" --method shapley --json

leave-one-out takes each word and each phrase out of the prompt: what would the mask be if nobody had said it? mask-token puts
[MASK] in its place: what if it were unreadable, with all other words in their place? Both also exchange left and right, upper and
lower, numbers and others. shapley shares the effect of the whole prompt among up to eight phrases, by predicting every subset of
them. Its measures are the area of the mask, its overlap (Dice) with the mask of the whole prompt, and with --mask its Dice with
the ground truth. Areas and changed pixels are shares of the network's output; Dice with the ground truth is that of the image.";

/// Find out which words of a prompt matter for the mask
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfluenceArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Image: a PNG, JPEG, TIFF, BMP, WebP, DICOM or NIfTI file, or the folder of a DICOM series
    #[arg(long, value_name = "F")]
    image: PathBuf,
    #[command(flatten)]
    scan: ScanArguments,
    /// Prompt whose words are examined
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    prompt: String,
    /// Ground-truth mask, with which every mask is compared; may be repeated, see --several
    #[arg(long = "mask", value_name = "G")]
    masks: Vec<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    /// What is done with the words
    #[arg(long, value_name = "METHOD", default_value = "leave-one-out")]
    method: Method,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    device: DeviceArguments,
    /// Table (CSV) with one row for each word, phrase and exchange; with shapley one for each phrase
    #[arg(long, value_name = "OUT", visible_alias = "out")]
    csv: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Leave out each word and each phrase
    LeaveOneOut,
    /// Replace each word and each phrase by the mask token
    MaskToken,
    /// Compute exact Shapley values of up to eight phrases
    Shapley,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::LeaveOneOut => "leave-one-out",
            Self::MaskToken => "mask-token",
            Self::Shapley => "shapley",
        }
    }
}

/// The number of passes with which the automatic choice of the device reckons.
const PASSES: usize = 100;

/// Runs the study with the model that `open` opens.
pub fn run(arguments: &InfluenceArguments, open: &OpenModel) -> Result<(), Failure> {
    // Fast checks come before the model is read.
    let seen = arguments.scan.read(&arguments.image)?;
    let truth = match arguments.masks.as_slice() {
        [] => None,
        masks => Some(arguments.truth.read(&seen, masks)?),
    };
    let mask = truth.as_ref().and_then(|truth| truth.mask(seen.slice));
    let source = arguments.model.source(arguments.vocab.as_ref());
    let mut segmenter = model::open(open, &source, arguments.device.choice_for(PASSES)?, "masks")?;
    model::must_read_text(segmenter.as_ref(), "no word can matter")?;
    let InfluenceArguments { prompt, threshold, .. } = arguments;
    let case = InfluenceCase { image: &seen.image, prompt, truth: mask.as_deref(), threshold: *threshold };
    let bar = terminal::bar(0, "masks");
    let progress = |done, count| {
        bar.set_length(count as u64);
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let start = Instant::now();
    // Nobody stops the study, so that it always has an answer.
    let stopped = || Failure::work("the study was stopped; run the command again");
    let found = if arguments.method == Method::Shapley {
        Found::Shares(phrase_shares(segmenter.as_mut(), &case, progress)?.ok_or_else(stopped)?)
    } else {
        let mask_token = arguments.method == Method::MaskToken;
        let methods = InfluenceMethods { leave_out: !mask_token, mask_token, exchange: true };
        Found::Words(influence(segmenter.as_mut(), &case, methods, progress)?.ok_or_else(stopped)?)
    };
    bar.finish_and_clear();
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    model::notices(segmenter.as_mut());
    found.remarks().into_iter().for_each(terminal::note);
    if let Some(path) = &arguments.csv {
        found.write_table(path, arguments.method)?;
    }
    if arguments.json {
        let mut object = json!({
            "image": arguments.image.to_string_lossy(),
            "model": segmenter.info().name,
            "prompt": prompt,
            "method": arguments.method.name(),
            "device": segmenter.info().device,
            "threshold": report::number(*threshold),
            "milliseconds": milliseconds.round(),
        });
        found.add_to(&mut object, arguments.method);
        return terminal::print(&format!("{object:#}"));
    }
    let mut text = found.text(arguments.method);
    if let Some(path) = &arguments.csv {
        text += &format!("{} written\n", path.display());
    }
    terminal::print(&text)
}

/// The result of a study.
enum Found {
    Words(Influence),
    Shares(PhraseShares),
}

/// A word, a phrase or an exchange, with what changes.
struct Row<'a> {
    unit: &'static str,
    text: &'a str,
    bytes: &'a Range<usize>,
    kind: Option<PartKind>,
    effect: &'a Effect,
}

/// Returns what a study of words found, as one list.
fn rows(found: &Influence) -> Vec<Row<'_>> {
    let parts = found.words.iter().map(|part| ("word", part));
    let parts = parts.chain(found.phrases.iter().map(|part| ("phrase", part)));
    let parts = parts.filter_map(|(unit, part)| {
        let text = found.prompt.get(part.bytes.clone()).unwrap_or_default();
        let effect = part.left_out.as_ref().or(part.masked.as_ref())?;
        Some(Row { unit, text, bytes: &part.bytes, kind: part.kind, effect })
    });
    let exchanges = found.exchanges.iter().map(|exchange| Row {
        unit: "exchange",
        text: &exchange.label,
        bytes: &exchange.bytes,
        kind: None,
        effect: &exchange.effect,
    });
    parts.chain(exchanges).collect()
}

impl Found {
    fn remarks(&self) -> Vec<String> {
        match self {
            Self::Words(found) => found.remarks(),
            Self::Shares(found) => found.remarks(),
        }
    }

    /// Adds the keys of a study, which are part of the interface.
    fn add_to(&self, object: &mut Value, method: Method) {
        match self {
            Self::Words(found) => {
                object["area"] = json!(found.area);
                object["dice"] = json!(found.dice);
                for (key, unit) in [("words", "word"), ("phrases", "phrase"), ("exchanges", "exchange")] {
                    let rows = rows(found).into_iter().filter(|row| row.unit == unit);
                    object[key] = rows
                        .map(|row| row.json(if unit == "exchange" { "exchange" } else { method.name() }))
                        .collect();
                }
                object["unexamined_words"] = json!(found.unexamined);
                object["predictions"] = json!(found.predictions);
            }
            Self::Shares(found) => {
                object["whole"] = json!(found.whole);
                object["none"] = json!(found.none);
                let phrase = |phrase: &himix::infer::influence::PhraseShare| {
                    json!({
                        "text": found.prompt.get(phrase.bytes.clone()),
                        "bytes": [phrase.bytes.start, phrase.bytes.end],
                        "kind": phrase.kind,
                        "area": phrase.value.area,
                        "overlap": phrase.value.overlap,
                        "dice": phrase.value.dice,
                    })
                };
                object["phrases"] = found.phrases.iter().map(phrase).collect();
                object["predictions"] = json!(found.predictions);
            }
        }
        object["remarks"] = json!(self.remarks());
    }

    fn text(&self, method: Method) -> String {
        let percent = |share: f64| format!("{:+.2} %", 100.0 * share);
        let score = |score: Option<f64>| score.map_or(String::new(), |score| format!("  {score:+.3}"));
        let mask = |area: f64, dice: Option<f64>| {
            let dice = dice.map_or(String::new(), |dice| format!(", Dice {dice:.3} (per image)"));
            format!("{:.2} % of the network's output{dice}", 100.0 * area)
        };
        let (prompt, threshold) = match self {
            Self::Words(found) => (&found.prompt, found.threshold),
            Self::Shares(found) => (&found.prompt, found.threshold),
        };
        let mut text = format!("prompt          \"{prompt}\"\n");
        match self {
            Self::Words(found) => {
                text += &format!("mask            {} at threshold {threshold}\n", mask(found.area, found.dice));
                let dice = if found.dice.is_some() { "    Dice" } else { "" };
                let done = if method == Method::MaskToken { "by [MASK]" } else { "left out" };
                text += &format!("{done:<42} {:>9} {:>9} {:>11}{dice}\n", "changed", "area", "probability");
                for row in rows(found) {
                    let Change { changed, area, dice, probability } = row.effect.change;
                    let what = format!("{:<9} {}", row.unit, row.text);
                    let changed = format!("{:.2} %", 100.0 * changed);
                    let (area, dice) = (percent(area), score(dice));
                    text += &format!("{what:<42} {changed:>9} {area:>9} {probability:>11.4}{dice}\n");
                }
            }
            Self::Shares(found) => {
                let Worth { area, dice, .. } = found.whole;
                text += &format!("mask            {} at threshold {threshold}\n", mask(area, dice));
                let Worth { area, dice, .. } = found.none;
                text += &format!("without phrases {}\n", mask(area, dice));
                let dice = if found.whole.dice.is_some() { "    Dice" } else { "" };
                text += &format!("{:<42} {:>9} {:>9}{dice}\n", "Shapley values", "area", "overlap");
                for phrase in &found.phrases {
                    let what = prompt.get(phrase.bytes.clone()).unwrap_or_default();
                    let Worth { area, overlap, dice } = phrase.value;
                    let (area, dice) = (percent(area), score(dice));
                    text += &format!("{what:<42} {area:>9} {overlap:>+9.3}{dice}\n");
                }
            }
        }
        text
    }

    fn write_table(&self, path: &Path, method: Method) -> Result<(), Failure> {
        let number = |value: f64| format!("{value:.6}");
        let optional = |value: Option<f64>| value.map_or(String::new(), number);
        Ok(write::file(path, |out| {
            let mut table = csv::Writer::from_writer(out);
            match self {
                Self::Words(found) => {
                    table.write_record([
                        "unit",
                        "text",
                        "from_byte",
                        "to_byte",
                        "kind",
                        "method",
                        "prompt",
                        "changed_pixels",
                        "area_change",
                        "probability_change",
                        "dice_change",
                    ])?;
                    for row in rows(found) {
                        let change = row.effect.change;
                        table.write_record([
                            row.unit,
                            &write::text_cell(row.text),
                            &row.bytes.start.to_string(),
                            &row.bytes.end.to_string(),
                            &kind(row.kind),
                            if row.unit == "exchange" { row.unit } else { method.name() },
                            &write::text_cell(&row.effect.text),
                            &number(change.changed),
                            &number(change.area),
                            &number(change.probability),
                            &optional(change.dice),
                        ])?;
                    }
                }
                Self::Shares(found) => {
                    table.write_record(["text", "from_byte", "to_byte", "kind", "area", "overlap", "dice"])?;
                    for phrase in &found.phrases {
                        table.write_record([
                            &write::text_cell(found.prompt.get(phrase.bytes.clone()).unwrap_or_default()),
                            &phrase.bytes.start.to_string(),
                            &phrase.bytes.end.to_string(),
                            &kind(phrase.kind),
                            &number(phrase.value.area),
                            &number(phrase.value.overlap),
                            &optional(phrase.value.dice),
                        ])?;
                    }
                }
            }
            table.flush()
        })?)
    }
}

impl Row<'_> {
    fn json(&self, method: &str) -> Value {
        let change = self.effect.change;
        json!({
            "text": self.text,
            "bytes": [self.bytes.start, self.bytes.end],
            "kind": self.kind,
            "method": method,
            "prompt": self.effect.text,
            "changed_pixels": change.changed,
            "area_change": change.area,
            "probability_change": change.probability,
            "dice_change": change.dice,
        })
    }
}

/// Returns the name of a kind of phrase, as it stands in JSON.
fn kind(kind: Option<PartKind>) -> String {
    kind.and_then(|kind| Some(json!(kind).as_str()?.to_owned())).unwrap_or_default()
}
