//! `himix prompt`: reads, mirrors and checks prompts, writes them out as reports, condenses reports to prompts, and
//! describes masks.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use himix::text::Tokenizer;
use himix::text::prompt::report::{self, Limit, Options, Style};
use himix::text::prompt::{Prompt, Readable, check, json, mirror, parse, reading};
use serde_json::{Value, json};

use super::describe::{self, DescribeArguments};
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix prompt parse \"Unilateral pulmonary infection, one infected area, lower left lung.\" --json
  himix prompt augment --style detailed --seed 3 --file prompts.txt
  himix prompt distil --left patient \"Patchy opacities in the right lower lobe, no effusion.\"
  himix prompt check --vocabulary my-bundle/vocab.txt \"left lung\"
  himix prompt describe --image chest.png --mask lesion.png --kind xray

In prompts, left is the left of the image. Reports usually mean the left of the patient: --left says whose left a report means.
Several texts, or a file with one text a line, give one result each; with --json an array.";

/// Read, mirror and check prompts; write a prompt out as a report; condense a report or describe a mask to a prompt
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PromptArguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say what a prompt says, and what of it is not understood
    Parse(Texts),
    /// Exchange left and right
    Mirror(Texts),
    /// Write a prompt out as a report
    Augment(AugmentArguments),
    /// Condense a report to a prompt
    Distil(DistilArguments),
    /// Warn of contradictions, of what is missing, and of what a network cannot read
    Check(CheckArguments),
    /// Propose a prompt for a mask, by rules
    Describe(DescribeArguments),
}

/// The texts, and the form of the output.
#[derive(Debug, Args)]
struct Texts {
    /// Prompts or reports
    #[arg(value_name = "TEXT", required_unless_present = "file")]
    texts: Vec<String>,
    /// File with one text a line
    #[arg(long, value_name = "F", conflicts_with = "texts")]
    file: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Whose left a report means
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Left {
    /// The left of the image, as in prompts
    Image,
    /// The left of the patient
    Patient,
}

#[derive(Debug, Args)]
struct AugmentArguments {
    #[command(flatten)]
    texts: Texts,
    /// Style of the report
    #[arg(long, value_name = "S", default_value = "paper", value_parser = Style::ALL.map(Style::name))]
    style: String,
    /// Seed of the wording; each further text has the next one
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Whose left the report means
    #[arg(long, value_enum, default_value = "image")]
    left: Left,
}

#[derive(Debug, Args)]
struct DistilArguments {
    #[command(flatten)]
    texts: Texts,
    /// Whose left the report means [default: the image's, with a note]
    #[arg(long, value_enum)]
    left: Option<Left>,
    /// Leave out what the report calls possible
    #[arg(long)]
    certain: bool,
    #[command(flatten)]
    network: NetworkArguments,
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    texts: Texts,
    #[command(flatten)]
    network: NetworkArguments,
}

/// What a network reads.
#[derive(Debug, Args)]
struct NetworkArguments {
    /// Vocabulary of the network (vocab.txt or tokenizer.json), to count tokens and find unknown words
    #[arg(long, value_name = "V")]
    vocabulary: Option<PathBuf>,
    /// Tokens that the network reads
    #[arg(long, value_name = "N", default_value_t = 24)]
    tokens: usize,
}

impl NetworkArguments {
    fn tokenizer(&self) -> Result<Option<Tokenizer>, Failure> {
        Ok(self.vocabulary.as_deref().map(Tokenizer::from_file).transpose()?)
    }
}

impl From<Left> for report::Left {
    fn from(left: Left) -> Self {
        match left {
            Left::Image => Self::Image,
            Left::Patient => Self::Patient,
        }
    }
}

/// What is printed for a text.
struct Printed {
    lines: String,
    object: Value,
}

/// Runs the command.
pub fn run(arguments: &PromptArguments) -> Result<(), Failure> {
    match &arguments.task {
        Task::Parse(texts) => texts.each(|_, text| parsed(text)),
        Task::Mirror(texts) => texts.each(|_, text| {
            let mirrored = mirror(text);
            Printed { object: json::prompt(&mirrored), lines: mirrored }
        }),
        Task::Augment(arguments) => augment(arguments),
        Task::Distil(arguments) => distil(arguments),
        Task::Check(arguments) => checked(arguments),
        Task::Describe(arguments) => describe::run(arguments),
    }
}

impl Texts {
    /// Prints the result for each text; as JSON, one object for one text and an array otherwise.
    fn each(&self, result: impl Fn(usize, &str) -> Printed) -> Result<(), Failure> {
        let texts = match &self.file {
            None => self.texts.clone(),
            Some(path) => {
                let content = fs::read_to_string(path).map_err(|error| {
                    Failure::input(format!(
                        "{}: the texts cannot be read ({error}); give a text file with one text a line",
                        path.display()
                    ))
                })?;
                content.trim_start_matches('\u{feff}').lines().map(String::from).collect()
            }
        };
        let printed = texts.iter().enumerate().map(|(index, text)| result(index, text));
        if !self.json {
            let lines: Vec<String> = printed.map(|printed| printed.lines).collect();
            return terminal::print(&lines.join("\n"));
        }
        let mut objects: Vec<Value> = printed.map(|printed| printed.object).collect();
        let is_one = self.file.is_none() && objects.len() == 1;
        let object = if is_one { objects.swap_remove(0) } else { Value::Array(objects) };
        terminal::print(&format!("{object:#}"))
    }
}

fn parsed(text: &str) -> Printed {
    let object = json!(json::parsed(text, &Readable::default()));
    let found = parse(text);
    let mut lines = vec![match &found.prompt {
        Some(prompt) => prompt.to_string(),
        None => "in no known grammar".to_owned(),
    }];
    let places = found.findings.iter().map(|bytes| format!("  finding: {}", &text[bytes.clone()]));
    lines.extend(places);
    lines.extend(found.not_understood.iter().map(|bytes| format!("  not understood: {}", &text[bytes.clone()])));
    lines.extend(warnings(text, &Readable::default()));
    Printed { lines: lines.join("\n"), object }
}

fn warnings(text: &str, readable: &Readable) -> Vec<String> {
    let line = |warning: himix::text::prompt::Warning| {
        let mend = warning.mended.map(|mended| format!(" Mended: {mended}")).unwrap_or_default();
        format!("  {}: {}{mend}", warning.rule.id(), warning.message)
    };
    check(text, readable).into_iter().map(line).collect()
}

fn augment(arguments: &AugmentArguments) -> Result<(), Failure> {
    let style = Style::of(&arguments.style).unwrap_or(Style::Paper);
    let left: report::Left = arguments.left.into();
    arguments.texts.each(|index, text| {
        let seed = arguments.seed.wrapping_add(index as u64);
        let found = parse(text).prompt.map(|prompt: Prompt| report::augment(&prompt, style, seed, left));
        let object = json::augmented(text, found.as_deref(), style, seed, left);
        Printed { lines: found.unwrap_or_else(|| format!("not understood: {text}")), object }
    })
}

fn distil(arguments: &DistilArguments) -> Result<(), Failure> {
    if arguments.left.is_none() {
        terminal::note(
            "left is taken for the left of the image; give --left patient for a report that means the patient's",
        );
    }
    let left: report::Left = arguments.left.unwrap_or(Left::Image).into();
    let tokenizer = arguments.network.tokenizer()?;
    let count = |text: &str| tokenizer.as_ref().map_or(0, |tokenizer| tokenizer.count(text));
    let limit = tokenizer.as_ref().map(|_| Limit { count: &count, most: arguments.network.tokens });
    let options = Options { left, with_possible: !arguments.certain, limit };
    arguments.texts.each(|_, text| {
        let found = report::distil(text, &options);
        let mut lines = vec![match &found.prompt {
            Some(prompt) => prompt.to_string(),
            None if found.is_foreign => "not understood; the report seems to be in another language".to_owned(),
            None => "the report asserts no finding that a prompt can name".to_owned(),
        }];
        lines.extend(
            found
                .sources
                .iter()
                .map(|source| format!("  {} from: {}", json::told(source.told), &text[source.bytes.clone()])),
        );
        lines.extend(
            found.not_understood.iter().map(|bytes| format!("  not understood: {}", &text[bytes.clone()])),
        );
        Printed { lines: lines.join("\n"), object: json::distilled(text, &found, left) }
    })
}

fn checked(arguments: &CheckArguments) -> Result<(), Failure> {
    let tokenizer = arguments.network.tokenizer()?;
    let limit = arguments.network.tokens;
    let count = |text: &str| tokenizer.as_ref().map_or(0, |tokenizer| tokenizer.count(text));
    let knows = |word: &str| tokenizer.as_ref().is_none_or(|tokenizer| tokenizer.knows(word));
    let readable = match tokenizer {
        Some(_) => Readable { tokens: Some((&count, limit)), knows: Some(&knows) },
        None => Readable::default(),
    };
    arguments.texts.each(|_, text| {
        let reading = tokenizer.as_ref().map(|tokenizer| reading(text, tokenizer, limit));
        let mut lines = vec![text.to_owned()];
        lines.extend(reading.as_ref().map(|reading| format!("  {}", reading.summary())));
        let found = warnings(text, &readable);
        if found.is_empty() {
            lines.push("  no warning".into());
        }
        lines.extend(found);
        let object = json::checked(text, &readable, reading.as_ref());
        Printed { lines: lines.join("\n"), object }
    })
}
