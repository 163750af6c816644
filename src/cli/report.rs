//! The output of `himix predict`, as text and as JSON.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use himix::data::Truth;
use himix::data::describe::Judgement;
use himix::infer::{ModelInfo, Prediction, presence_words};
use himix::metrics::Confusion;
use himix::text::UnknownWords;
use serde_json::{Map, Value, json};

/// The result for one prompt.
pub struct Outcome<'a> {
    pub image: &'a Path,
    /// The network that made the mask.
    pub info: &'a ModelInfo,
    pub prediction: &'a Prediction,
    pub threshold: f32,
    /// The share of the image's pixels that are foreground, 0 to 1.
    pub foreground_fraction: f64,
    /// The agreement with the ground truth of this image, if there is one.
    pub counts: Option<Confusion>,
    /// What the rules say about prompt and mask.
    pub judgement: Option<&'a Judgement>,
    /// The ground truth.
    pub truth: Option<&'a Truth>,
    pub files: &'a [PathBuf],
}

impl Outcome<'_> {
    /// Returns a JSON object; its keys are part of the interface.
    pub fn json(&self) -> Value {
        let prediction = self.prediction;
        let per_stage = |value: &dyn Fn(&himix::infer::StageParameters) -> Value| {
            let entries = prediction.parameters.iter().map(|stage| (stage.grid.to_string(), value(stage)));
            Value::Object(entries.collect::<Map<_, _>>())
        };
        json!({
            "image": self.image.to_string_lossy(),
            "prompt": prediction.prompt,
            "tokens": { "read": prediction.tokens.read, "dropped": prediction.tokens.dropped },
            "device": prediction.device,
            "threshold": number(self.threshold),
            "foreground_fraction": self.foreground_fraction,
            "scores": self.counts.map(|counts| json!({
                "dice": counts.dice(),
                "iou": counts.iou(),
                "true_positive": counts.true_positive,
                "false_positive": counts.false_positive,
                "false_negative": counts.false_negative,
            })),
            "description": self.judgement.map(|judgement| &judgement.description),
            "agreement": self.judgement.and_then(|judgement| judgement.agreement),
            "presence": prediction.presence.map(number),
            "domain": prediction.domain.as_ref().map(|figure| json!({
                "nearest": figure.kind,
                "distance": number(figure.distance),
                "percentile": number(figure.percentile),
                "is_unlike": figure.is_unlike,
            })),
            "warnings": self.judgement.map_or(&[][..], |judgement| &judgement.warnings),
            "mask": self.truth.map(truth_json),
            "sigma": per_stage(&|stage| stage.sigma.map_or(Value::Null, |sigma| json!(number(sigma)))),
            "layer_weights": per_stage(&|stage| {
                let weights = stage.layer_weights.iter();
                weights.map(|(layer, weight)| json!({ "layer": layer, "weight": number(*weight) })).collect()
            }),
            "milliseconds": {
                "vision": hundredths(prediction.milliseconds.vision),
                "text": hundredths(prediction.milliseconds.text),
                "decoder": hundredths(prediction.milliseconds.decoder),
                "total": hundredths(prediction.milliseconds.total),
            },
            "files": self.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        })
    }

    /// Returns the same result as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut row = |name: &str, value: &str| {
            // Writing into a string does not fail.
            let _ = writeln!(out, "{name:<16}{value}");
        };
        let prediction = self.prediction;
        let plane = &prediction.probability;
        row("image", &format!("{} ({}x{})", self.image.display(), plane.width, plane.height));
        if self.info.takes_box {
            row("prompt", &prediction.prompt);
        } else if self.info.reads_text() {
            row("prompt", &format!("\"{}\"", shortened(&prediction.prompt, 200)));
            row("read", &words(&prediction.tokens.read));
        }
        row("device", &prediction.device);
        let percent = 100.0 * self.foreground_fraction;
        row("foreground", &format!("{percent:.2} % of the image at threshold {}", self.threshold));
        if let Some(presence) = prediction.presence {
            let words = presence_words(presence).map(|words| format!(". {words}")).unwrap_or_default();
            row("presence", &format!("{presence:.2} of 1, as calibrated{words}"));
        }
        if let Some(figure) = &prediction.domain {
            let words = figure.words().map(|words| format!(". {words}")).unwrap_or_default();
            row("domain", &format!("distance {:.1} to {}{words}", figure.distance, figure.kind));
        }
        if let Some(judgement) = self.judgement {
            row("described as", &format!("{} (proposal of a rule; sides of the image)", judgement.description));
            if let Some(agreement) = judgement.agreement {
                row("agreement", &format!("{agreement:.2} of 1 between prompt and mask, by the same rule"));
            }
            for (index, warning) in judgement.warnings.iter().enumerate() {
                row(if index == 0 { "warnings" } else { "" }, &warning.message);
            }
        }
        if let Some(counts) = &self.counts {
            row("scores", &format!("Dice {:.3}, IoU {:.3} (per image)", counts.dice(), counts.iou()));
            let Confusion { true_positive, false_positive, false_negative, .. } = counts;
            if let Some(truth) = self.truth {
                row("mask", &truth.words());
            }
            row(
                "",
                &format!(
                    "{true_positive} pixels true positive, {false_positive} false positive, {false_negative} false negative"
                ),
            );
        }
        for stage in &prediction.parameters {
            let sigma = stage.sigma.map_or("no filter".to_owned(), |sigma| format!("sigma {sigma:.2}"));
            let weights: Vec<String> =
                stage.layer_weights.iter().map(|(layer, weight)| format!("{layer}: {weight:.2}")).collect();
            let weights = if weights.is_empty() { "no text".to_owned() } else { weights.join(", ") };
            row(&format!("stage {}", stage.grid), &format!("{sigma}; text layers {weights}"));
        }
        let time = &prediction.milliseconds;
        row(
            "time",
            &format!(
                "{:.0} ms (vision {:.0}, text {:.0}, decoder {:.0})",
                time.total, time.vision, time.text, time.decoder
            ),
        );
        for (index, file) in self.files.iter().enumerate() {
            row(if index == 0 { "written" } else { "" }, &file.display().to_string());
        }
        out
    }
}

/// Describes how a mask was interpreted and aligned with its image, its labels, and what is unusual about it.
fn truth_json(truth: &Truth) -> Value {
    let labels = &truth.laid.labels;
    json!({
        "files": truth.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "found": labels.kind,
        "alignment": truth.laid.pairing,
        "labels": labels.labels.iter().filter(|label| label.pixels > 0).collect::<Vec<_>>(),
        "foreground": labels.labels.iter().filter(|label| truth.choice.has(label)).map(|label| label.value).collect::<Vec<_>>(),
        "warning": truth.oddity(),
        "notes": labels.notes,
    })
}

/// Returns notes about the model and the prompt, one line each.
pub fn notes(info: &ModelInfo, prediction: &Prediction, with_tokens: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let reading = &prediction.tokens.reading;
    let unknown = reading.only_words().filter(|word| !word.is_understood).count();
    if info.unknown_words != UnknownWords::Pieces && unknown > 0 {
        let of = if unknown == 1 { "1 word is".to_owned() } else { format!("{unknown} words are") };
        notes.push(format!("{of} not in the vocabulary of {}. {}", info.name, info.unknown_words.words()));
    }
    if prediction.tokens.read.is_empty() && info.reads_text() {
        let why = if unknown > 0 { "nothing of the prompt is read" } else { "the prompt is empty" };
        notes.push(format!("{why}; the network receives no text"));
    }
    let dropped = &prediction.tokens.dropped;
    if with_tokens && !dropped.is_empty() {
        notes.push(format!(
            "{} reads {} tokens including the start and end tokens; the last {} word pieces of the prompt were not read: {}",
            info.name,
            prediction.tokens.limit,
            dropped.len(),
            words(dropped)
        ));
    }
    notes
}

/// Joins word pieces; if there are many, only the first few.
fn words(pieces: &[String]) -> String {
    const SHOWN: usize = 30;
    if pieces.is_empty() {
        return "nothing".into();
    }
    let mut text = pieces[..pieces.len().min(SHOWN)].join(" ").replace(" ##", "");
    if pieces.len() > SHOWN {
        text += &format!(" … and {} more", pieces.len() - SHOWN);
    }
    text
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Converts an `f32` to the shortest decimal form, 0.9 instead of 0.8999999761581421.
pub fn number(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
