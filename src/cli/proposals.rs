//! `himix refine` and `himix search`: proposals for the prompt of an image.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use himix::data::describe::Kind;
use himix::data::{Image, Mask, write};
use himix::infer::{
    MOST_SENTENCES, OpenModel, REFINE_STEPS, RefineEnd, RefineSettings, RefineStep, Refinement, Search, SearchHit,
    SearchSettings, Segmenter, refine, search,
};
use serde_json::{Value, json};

use super::arguments::{DeviceArguments, ModelArguments, threshold};
use super::reading::{ScanArguments, TruthArguments};
use super::report::number;
use super::{Failure, model, terminal};

const REFINE_EXAMPLES: &str = "\
Examples:
  himix refine --image chest.png --prompt \"left lung\"
  himix refine --image chest.png --mask truth.png --out steps --json

The mask of a prompt is described by the rule of `himix prompt describe`, the description is the next prompt, and so on until the
sentence stands still or repeats. Every sentence is a proposal of a rule, not a reading of the image; left and right are sides
of the image.";

const SEARCH_EXAMPLES: &str = "\
Examples:
  himix search --image chest.png
  himix search --image frame.jpg --kind endoscopy --json

Sentences of the grammar are tried from coarse to fine, at most 96. They are ranked by the product of the text-mask agreement and of how
sure the mask is, 2 sum(p m) / (sum p + sum m) for the probabilities p and the mask m. The first is a proposal of a rule, not a
reading of the image; left and right are sides of the image.";

/// The image, the model and the form of the output.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V")]
    vocab: Option<PathBuf>,
    /// Image, volume or DICOM series
    #[arg(long, value_name = "F")]
    image: PathBuf,
    /// Ground-truth mask of the image, for scores; may be repeated, see --several
    #[arg(long = "mask", value_name = "G")]
    masks: Vec<PathBuf>,
    /// Kind of image: xray, ct or endoscopy [default: recognised by its look]
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Threshold: the probability, 0 to 1, from which a pixel is foreground
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = threshold)]
    threshold: f32,
    #[command(flatten)]
    scan: ScanArguments,
    #[command(flatten)]
    truth: TruthArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Refine a prompt: predict, describe the mask, predict with the description, until the sentence stands still
#[derive(Debug, Args)]
#[command(after_help = REFINE_EXAMPLES)]
pub struct RefineArguments {
    #[command(flatten)]
    common: Common,
    /// Prompt to begin with [default: empty]
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prompt: String,
    /// Largest number of predictions
    #[arg(long, value_name = "N", default_value_t = REFINE_STEPS as u32, value_parser = clap::value_parser!(u32).range(1..=100))]
    steps: u32,
    /// Folder for the mask of every step (step_1.png, …); created if necessary
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Search the sentence that fits an image, without a prompt
#[derive(Debug, Args)]
#[command(after_help = SEARCH_EXAMPLES)]
pub struct SearchArguments {
    #[command(flatten)]
    common: Common,
    /// Number of sentences to list, the best first; 0 lists all
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

/// An open model with the image and its ground truth.
struct Case {
    segmenter: Box<dyn Segmenter>,
    image: Image,
    truth: Option<Mask>,
}

impl Common {
    fn open(&self, open: &OpenModel, passes: usize) -> Result<Case, Failure> {
        let seen = self.scan.read(&self.image)?;
        let truth = match self.masks.as_slice() {
            [] => None,
            masks => self.truth.read(&seen, masks)?.mask(seen.slice).map(|mask| (*mask).clone()),
        };
        let source = self.model.source(self.vocab.as_ref());
        let segmenter = model::open(open, &source, self.device.choice_for(passes)?, "masks")?;
        model::must_read_text(segmenter.as_ref(), "there is no prompt to propose")?;
        Ok(Case { segmenter, image: seen.image, truth })
    }
}

/// Runs `himix refine` with the model that `open` opens.
pub fn run_refine(arguments: &RefineArguments, open: &OpenModel) -> Result<(), Failure> {
    let RefineArguments { common, prompt, steps, out } = arguments;
    let steps = *steps as usize;
    if let Some(folder) = out {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::work(format!("{}: the folder cannot be created ({error}); choose another", folder.display()))
        })?;
    }
    let Case { mut segmenter, image, truth } = common.open(open, steps)?;
    let settings = RefineSettings { threshold: common.threshold, kind: common.kind, steps };
    let bar = terminal::bar(steps, "steps");
    let progress = |done: usize, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let found = refine(segmenter.as_mut(), &image, prompt, truth.as_ref(), settings, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    let mut files = Vec::new();
    for (index, step) in found.steps.iter().enumerate() {
        let Some(folder) = out else { break };
        let path = folder.join(format!("step_{}.png", index + 1));
        let values: Vec<u8> = step.mask.values.iter().map(|value| value * 255).collect();
        write::png8_checked(&path, step.mask.width, step.mask.height, &values)?;
        files.push(path);
    }
    if common.json {
        return terminal::print(&format!("{:#}", refined_object(&found, &files)));
    }
    let mut text = String::new();
    for (index, step) in found.steps.iter().enumerate() {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{}  {}", index + 1, quoted(&step.prompt));
        let _ = writeln!(text, "   {}", step_words(step));
    }
    let last = found.steps.last().map_or("", |step| step.description.as_str());
    let _ = writeln!(text, "{} Proposal of the rule: {}", found.end_in_words(), quoted(last));
    files.iter().for_each(|file| text += &format!("written  {}\n", file.display()));
    terminal::print(&text)
}

fn quoted(prompt: &str) -> String {
    format!("\"{prompt}\"")
}

fn step_words(step: &RefineStep) -> String {
    let mut parts = vec![format!("mask {:.2} % of the image", 100.0 * step.area)];
    parts.extend(step.agreement.map(|agreement| format!("agreement {agreement:.2}")));
    parts.extend(step.presence.map(|presence| format!("presence {presence:.2}")));
    parts.extend(step.dice.map(|dice| format!("Dice {dice:.3}")));
    parts.join(", ")
}

fn refined_object(found: &Refinement, files: &[PathBuf]) -> Value {
    let (end, cycle) = match found.end {
        RefineEnd::StandsStill => ("stands-still", None),
        RefineEnd::Repeats(from) => ("repeats", Some(json!({ "from": from, "length": found.steps.len() - from }))),
        RefineEnd::EmptyMask => ("empty-mask", None),
        RefineEnd::StepsExhausted => ("steps-exhausted", None),
        RefineEnd::Stopped => ("stopped", None),
    };
    let step = |(index, step): (usize, &RefineStep)| {
        json!({
            "prompt": step.prompt,
            "area": step.area,
            "agreement": step.agreement,
            "presence": step.presence.map(number),
            "dice": step.dice,
            "description": step.description,
            "mask": files.get(index).map(|file| file.to_string_lossy()),
        })
    };
    json!({
        "end": end,
        "cycle": cycle,
        "words": found.end_in_words(),
        "proposal": found.steps.last().map(|step| &step.description),
        "steps": found.steps.iter().enumerate().map(step).collect::<Vec<_>>(),
    })
}

/// Runs `himix search` with the model that `open` opens.
pub fn run_search(arguments: &SearchArguments, open: &OpenModel) -> Result<(), Failure> {
    let SearchArguments { common, top } = arguments;
    let Case { mut segmenter, image, truth } = common.open(open, MOST_SENTENCES)?;
    let settings = SearchSettings { threshold: common.threshold, kind: common.kind };
    let bar = terminal::bar(MOST_SENTENCES, "sentences");
    let progress = |done: usize, count: usize| {
        bar.set_length(count as u64);
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    };
    let found = search(segmenter.as_mut(), &image, truth.as_ref(), settings, progress)?;
    bar.finish_and_clear();
    model::notices(segmenter.as_mut());
    // Nothing breaks the progress.
    let Some(Search { kind, hits }) = found else { return Ok(()) };
    let shown = if *top == 0 { hits.len() } else { hits.len().min(*top) };
    if common.json {
        let object = json!({
            "kind": kind.to_string(),
            "tried": hits.len(),
            "proposal": hits.first().map(|hit| &hit.prompt),
            "sentences": hits[..shown].iter().map(hit_object).collect::<Vec<_>>(),
        });
        return terminal::print(&format!("{object:#}"));
    }
    let mut text = format!("{} sentences were tried; the best, as a proposal of a rule:\n", hits.len());
    for hit in &hits[..shown] {
        let dice = hit.dice.map(|dice| format!(", Dice {dice:.3}")).unwrap_or_default();
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "  {:.3}  {}\n         agreement {:.2}, sure {:.2}, mask {:.2} % of the image{dice}",
            hit.score,
            quoted(&hit.prompt),
            hit.agreement,
            hit.sureness,
            100.0 * hit.area
        );
    }
    terminal::print(&text)
}

fn hit_object(hit: &SearchHit) -> Value {
    json!({
        "prompt": hit.prompt,
        "score": hit.score,
        "agreement": hit.agreement,
        "sureness": hit.sureness,
        "area": hit.area,
        "presence": hit.presence.map(number),
        "dice": hit.dice,
        "description": hit.description,
    })
}
