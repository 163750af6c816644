//! `himix vocabulary`: writes the vocabulary of report English.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::write;
use himix::text::vocabulary::report_english;

use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix vocabulary --out report-english.txt
  himix vocabulary --words ultrasound.txt --out vocab.txt
  himix train --set vocab=vocab.txt --set architecture=my-architecture.json --data qata --out run

The words are those of prompts and reports as this program writes and reads them, a list of terms of radiology and endoscopy, and numbers;
then come endings and stems of words. The same version of the program and the same words give the same file. The text encoder needs as many
entries (text.vocab_size of the architecture). What is read in place of other words is the setting unknown_words of the architecture: pieces,
token or drop.";

/// The largest accepted size of a file of words, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Write a vocabulary of report English for a text encoder that is trained from random weights
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VocabularyArguments {
    /// Text file with further words; may be repeated. Every word in it becomes an entry
    #[arg(long, value_name = "FILE")]
    words: Vec<PathBuf>,
    /// Largest number of entries; endings and stems are left out first, then words, also those of --words [default: no
    /// limit]
    #[arg(long, value_name = "N", value_parser = entries)]
    limit: Option<usize>,
    /// File for the vocabulary, one entry on each line [default: print it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads a number of entries that has room for the special entries and single letters.
fn entries(text: &str) -> Result<usize, String> {
    let least = 200;
    match text.parse() {
        Ok(count) if count >= least => Ok(count),
        _ => Err(format!("a vocabulary has at least {least} entries")),
    }
}

/// Runs the command.
pub fn run(arguments: &VocabularyArguments) -> Result<(), Failure> {
    let more: Vec<String> = arguments.words.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let vocabulary = report_english(more.iter().flat_map(|text| text.lines()));
    let mut entries: Vec<&str> = vocabulary.lines().collect();
    let all = entries.len();
    if let Some(limit) = arguments.limit.filter(|limit| *limit < all) {
        entries.truncate(limit);
        terminal::note(format!("--limit {limit} leaves out {} of {all} entries", all - limit));
    }
    let text = entries.join("\n") + "\n";
    let Some(path) = &arguments.out else { return terminal::print(&text) };
    write::bytes(path, text.as_bytes())?;
    terminal::print(&format!("{} written ({} entries)", path.display(), entries.len()))
}

fn read(path: &Path) -> Result<String, Failure> {
    let fail = |reason: String| {
        Failure::input(format!("{}: the words cannot be read ({reason}); give a text file", path.display()))
    };
    let size = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(fail("it is larger than 16 MiB".into()));
    }
    std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))
}
