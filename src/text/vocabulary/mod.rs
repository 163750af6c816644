//! Builds WordPiece vocabularies for text encoders that are trained from random weights: of the sentences of a training
//! run ([`build`]), or of report English ([`report_english`]).
//!
//! The trainer of the `tokenizers` crate is not used: it numbers its first pieces in the order of a hash map with a random
//! seed, so that the same input gives another vocabulary every time.

mod report_english;

pub use report_english::report_english;

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

/// The special entries that every BERT vocabulary has.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Returns the content of a `vocab.txt` with at most `limit` entries. The special entries come first. Then come
/// single letters, digits and punctuation, and letters and digits as continuations, so that no word of these
/// letters is unknown. The words of the prompts follow, the most frequent first.
pub fn build<'a>(prompts: impl Iterator<Item = &'a str>, limit: usize) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for prompt in prompts {
        for word in words(prompt) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut entries = first_entries(counts.keys());
    let mut by_count: Vec<(String, usize)> =
        counts.into_iter().filter(|(word, _)| word.chars().count() > 1).collect();
    by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    entries.extend(by_count.into_iter().map(|(word, _)| word));
    entries.truncate(limit);
    entries.join("\n") + "\n"
}

/// Returns the special entries, single letters, digits and marks, and letters and digits as continuations: those that
/// English is written with and those of `words`.
fn first_entries<'a>(words: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut letters: BTreeSet<char> = ('a'..='z').chain('0'..='9').chain(".,;:/%()-'".chars()).collect();
    letters.extend(words.flat_map(|word| word.chars()));
    let mut entries: Vec<String> = SPECIAL.iter().map(|entry| (*entry).to_owned()).collect();
    entries.extend(letters.iter().map(char::to_string));
    entries.extend(letters.iter().filter(|c| c.is_alphanumeric()).map(|c| format!("##{c}")));
    entries
}

/// Returns the words of a prompt, split and normalised as the tokenizer does it.
fn words(prompt: &str) -> Vec<String> {
    let mut text = NormalizedString::from(prompt);
    if BertNormalizer::new(true, true, Some(true), true).normalize(&mut text).is_err() {
        return Vec::new();
    }
    let mut parts = PreTokenizedString::from(text);
    if BertPreTokenizer.pre_tokenize(&mut parts).is_err() {
        return Vec::new();
    }
    let splits = parts.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    splits.into_iter().map(|(word, _, _)| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tokenizer;

    #[test]
    fn every_word_of_the_prompts_is_one_piece_and_no_other_is_unknown() {
        let prompts = ["Upper left lung, upper right lung.", "Naïve café"];
        let vocabulary = build(prompts.into_iter(), 1000);
        let tokenizer = Tokenizer::from_vocab_text(&vocabulary).expect("a vocabulary");
        assert_eq!(tokenizer.encode("upper LEFT lung, cafe", 24).read, ["upper", "left", "lung", ",", "cafe"]);
        assert_eq!(tokenizer.encode("lux", 24).read, ["l", "##u", "##x"]);
        assert_eq!(build(prompts.into_iter(), 20).lines().count(), 20, "the limit holds");
    }
}
