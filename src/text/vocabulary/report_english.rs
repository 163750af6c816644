//! The vocabulary of report English: whole words of prompts, of reports and of a list of terms, and pieces for words of
//! the same stems and endings.

use std::collections::{BTreeMap, BTreeSet};

use super::{first_entries, words};
use crate::text::prompt::report::{self, Left, Style, augment};
use crate::text::prompt::{denials, samples};

/// The terms of radiology and endoscopy, with remarks.
const TERMS: &str = include_str!("../../../assets/vocabulary/terms.txt");
/// The numbers that are entries of their own, beside those that are words.
const NUMBERS: std::ops::RangeInclusive<u32> = 10..=150;
/// The usual abbreviations of the words of prompts.
const ABBREVIATIONS: [&str; 17] = [
    "bilat", "bil", "unilat", "pulm", "inf", "up", "mid", "low", "L", "lt", "R", "rt", "sm", "med", "lg", "ctr",
    "img",
];
/// The number of letters of a stem, and in how many words it must begin to be a piece.
const STEM: (std::ops::RangeInclusive<usize>, usize) = (4..=9, 4);
/// The number of letters of an ending, and in how many words it must end to be a piece.
const ENDING: (std::ops::RangeInclusive<usize>, usize) = (2..=7, 6);
/// The fewest letters of the other part of a word that a stem or an ending leaves.
const REST: usize = 3;

/// Returns the content of a `vocab.txt` of report English. The same program and `more` give the same text, whatever the
/// order of the lines of `more`, which are further words. Each of these words is an entry.
///
/// The entries are, in this order:
/// 1. the special entries, single letters, digits and marks, and letters and digits as continuations;
/// 2. the words of the prompts' grammars, of the reports that [`augment`] writes, of denials, of the usual abbreviations,
///    and of the rules that read reports, in the order of the alphabet;
/// 3. the terms of `assets/vocabulary/terms.txt`, the numbers from 10 to 150, and the words of `more`, in the same order;
/// 4. pieces, the most frequent first: endings of words as continuations ("##itis"), and stems that words begin with
///    ("pneumo"). A piece is an ending of six words at least or a stem of four; there are none from the middle of words,
///    so that a word without a known stem and ending falls into letters, by which
///    [`Tokenizer::knows`](crate::text::Tokenizer::knows) tells that it is not known.
pub fn report_english<'a>(more: impl Iterator<Item = &'a str>) -> String {
    let program = of_program();
    let mut terms: BTreeSet<String> = NUMBERS.map(|number| number.to_string()).collect();
    let listed = TERMS.lines().filter(|line| !line.starts_with('#'));
    terms.extend(listed.chain(more).flat_map(words));
    let is_long = |word: &&String| word.chars().count() > 1;
    let mut entries = first_entries(program.iter().chain(&terms));
    entries.extend(program.iter().filter(is_long).cloned());
    entries.extend(terms.difference(&program).filter(is_long).cloned());
    let known: BTreeSet<&String> = program.union(&terms).collect();
    entries.extend(pieces(&known));
    entries.join("\n") + "\n"
}

/// The words that the program itself writes and reads in prompts and reports.
fn of_program() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (seed, prompt) in samples().iter().enumerate() {
        found.extend(words(&prompt.to_string()));
        found.extend(words(&prompt.print_plural()));
        for style in Style::ALL {
            found.extend(words(&augment(prompt, style, seed as u64, Left::Image)));
        }
    }
    found.extend(report::words().flat_map(words));
    found.extend(denials().chain(ABBREVIATIONS).flat_map(words));
    found
}

/// Returns the endings and stems of `known`, the most frequent first, without those that are words themselves.
fn pieces(known: &BTreeSet<&String>) -> Vec<String> {
    let (mut stems, mut endings) = (BTreeMap::new(), BTreeMap::new());
    for word in known.iter().filter(|word| word.bytes().all(|letter| letter.is_ascii_lowercase())) {
        for length in STEM.0.filter(|length| length + REST <= word.len()) {
            *stems.entry(word[..length].to_owned()).or_default() += 1;
        }
        for length in ENDING.0.filter(|length| length + REST <= word.len()) {
            *endings.entry(word[word.len() - length..].to_owned()).or_default() += 1;
        }
    }
    let stems = closed(&stems, STEM.1, |longer, stem| longer.starts_with(stem));
    let endings = closed(&endings, ENDING.1, |longer, ending| longer.ends_with(ending));
    let stems = stems.into_iter().filter(|(stem, _)| !known.contains(stem));
    let mut found: Vec<(String, usize)> =
        endings.into_iter().map(|(ending, count)| (format!("##{ending}"), count)).chain(stems).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.into_iter().map(|(piece, _)| piece).collect()
}

/// Returns the parts with at least `fewest` words, without those that occur only within a part that is one letter
/// longer: "tion" is left out if all of its words end in "ation".
fn closed(
    counts: &BTreeMap<String, usize>,
    fewest: usize,
    is_within: impl Fn(&str, &str) -> bool,
) -> Vec<(String, usize)> {
    let frequent: Vec<(&String, usize)> =
        counts.iter().filter(|(_, count)| **count >= fewest).map(|(part, count)| (part, *count)).collect();
    let is_part_of = |part: &String, count: usize| {
        frequent
            .iter()
            .any(|(longer, same)| longer.len() == part.len() + 1 && *same == count && is_within(longer, part))
    };
    let kept = frequent.iter().filter(|(part, count)| !is_part_of(part, *count));
    kept.map(|(part, count)| ((*part).clone(), *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::{Form, VariantKind, training_variant};
    use crate::text::{Encoding, Tokenizer};

    const KEPT: &str = include_str!("../../../assets/vocabulary/report-english.txt");

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_vocab_text(KEPT).expect("a vocabulary")
    }

    #[test]
    fn the_kept_vocabulary_is_what_the_program_makes() {
        let made = report_english(std::iter::empty());
        assert!(made == KEPT, "make it again: himix vocabulary --out assets/vocabulary/report-english.txt");
        let entries: Vec<&str> = KEPT.lines().collect();
        assert!((2000..=4096).contains(&entries.len()), "{}", entries.len());
        let distinct: BTreeSet<&str> = entries.iter().copied().collect();
        assert_eq!(distinct.len(), entries.len(), "no entry stands twice");
        assert_eq!(&entries[..5], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
    }

    #[test]
    fn prompts_and_reports_are_read_in_whole_words() {
        let tokenizer = tokenizer();
        let (mut pieces, mut count) = (0, 0);
        let mut read = |text: &str| {
            let Encoding { read, .. } = tokenizer.encode(text, 10_000);
            assert!(!read.contains(&"[UNK]".to_owned()), "{text}: {read:?}");
            pieces += read.len();
            count += words(text).len();
            assert!(read.len() as f64 <= 1.3 * words(text).len() as f64, "{text}: {read:?}");
        };
        for (index, prompt) in samples().iter().enumerate() {
            let text = prompt.to_string();
            read(&text);
            for style in Style::ALL {
                // Other seeds than those from which the vocabulary was made.
                read(&augment(prompt, style, 7_000 + index as u64, Left::Patient));
            }
            let mut random = fastrand::Rng::with_seed(index as u64);
            let denied = training_variant(&text, VariantKind::Negated, &mut random);
            denied.iter().for_each(|variant| read(&variant.sentence));
            for form in [Form::Shuffled, Form::ZoneSwapped, Form::CountChanged, Form::WordDropout] {
                form.apply(&text, index as u64, Style::Paper, None).iter().for_each(|text| read(text));
            }
        }
        assert!(count > 50_000 && pieces as f64 <= 1.01 * f64::from(count as u32), "{pieces} of {count}");
    }

    #[test]
    fn words_of_reports_are_known_and_nonsense_is_not() {
        let tokenizer = tokenizer();
        for word in [
            "consolidation",
            "hydropneumothorax",
            "pedunculated",
            "costophrenic",
            "unchanged",
            "suspicious",
            "infiltrating",
            "localisation",
            "lobulations",
            "12",
        ] {
            assert!(tokenizer.knows(word), "{word}: {:?}", tokenizer.pieces(word));
        }
        for nonsense in ["asdf", "qwerty", "xyzzy", "banana", "zebra", "flurble", "grommish", "wibblefrotz"] {
            assert!(!tokenizer.knows(nonsense), "{nonsense}: {:?}", tokenizer.pieces(nonsense));
        }
        // None of the made-up words may be taken for a known one. The sentences about something else end in a point.
        let mut random = fastrand::Rng::with_seed(3);
        let made = (0..400).filter_map(|_| training_variant("lung", VariantKind::Irrelevant, &mut random));
        for made in made.filter(|made| !made.sentence.ends_with('.')) {
            for word in made.sentence.split(' ') {
                assert!(!tokenizer.knows(word), "{word}: {:?}", tokenizer.pieces(word));
            }
        }
    }

    #[test]
    fn further_words_become_entries_whatever_their_order() {
        let [one, other] =
            [["sternoclavicular zygapophysis", "bronchocele"], ["bronchocele", "zygapophysis sternoclavicular"]]
                .map(|lines| report_english(lines.into_iter()));
        assert_eq!(one, other);
        assert!(one.lines().any(|entry| entry == "zygapophysis"));
    }
}
