//! Prompts and reports of any kind: other scripts, control characters, emoji, and very long texts.

use std::ops::Range;
use std::time::Instant;

use himix::text::Tokenizer;
use himix::text::prompt::report::{Left, Limit, Options, Style, augment, distil};
use himix::text::prompt::{
    Form, Readable, check, exchanges, json, mirror, parse, phrases, reading, without, words,
};

const PIECES: &[&str] = &[
    "left",
    "Right",
    "UPPER",
    "middle",
    "lower",
    "all",
    "lung",
    "lungs",
    "and",
    ",",
    ".",
    ":",
    ";",
    "\n",
    "\t",
    " ",
    "  ",
    "bilateral",
    "unilateral",
    "pulmonary",
    "infection",
    "two",
    "1",
    "2",
    "ten",
    "infected",
    "areas",
    "area",
    "no",
    "not",
    "without",
    "possible",
    "cannot exclude",
    "resolved",
    "but",
    "FINDINGS:",
    "IMPRESSION:",
    "opacity",
    "consolidation",
    "effusion",
    "bibasal",
    "RLL",
    "base",
    "polyp",
    "polyps",
    "small",
    "large",
    "bone",
    "pink",
    "round",
    "top",
    "bottom",
    "center",
    "which is a projecting growth of tissue",
    "middlelower",
    "rightlung",
    "lwoer",
    "\u{0}",
    "\u{202e}",
    "\u{301}",
    "\u{1F600}",
    "\u{1F468}\u{200d}\u{1F469}",
    "Größe",
    "İ",
    "ﬁ",
    "左肺",
    "левое",
    "שמאל",
    "يسار",
    "-",
    "/",
    "'",
    "3.5",
    "…",
];

fn random_text(random: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(0..40) {
        text += random.choice(PIECES).expect("a piece");
        text += random.choice([" ", " ", " ", "", ", "]).expect("a gap");
    }
    text
}

fn assert_ranges(text: &str, ranges: &[Range<usize>]) {
    for range in ranges {
        assert!(!text.get(range.clone()).expect("a part of the text").trim().is_empty(), "{text:?}: {range:?}");
    }
}

fn tokenizer() -> Tokenizer {
    let vocabulary = himix::text::vocabulary::build(["left lung and right lung"].into_iter(), 1000);
    Tokenizer::from_vocab_text(&vocabulary).expect("a vocabulary")
}

/// Calls everything that takes a text.
fn all_of(text: &str, seed: u64, tokenizer: &Tokenizer) {
    let parsed = parse(text);
    assert_ranges(text, &parsed.not_understood);
    assert_ranges(text, &parsed.findings);
    assert_ranges(text, &parsed.parts.iter().map(|part| part.bytes.clone()).collect::<Vec<_>>());
    assert!(parsed.not_understood.is_sorted_by(|a, b| a.end <= b.start), "{text:?}");
    if let Some(prompt) = &parsed.prompt {
        let printed = prompt.to_string();
        let again = parse(&printed);
        let is_bare = printed.is_empty() || prompt.is_negative();
        assert!(is_bare || again.prompt.as_ref() == Some(prompt), "{text:?} is printed as {printed:?}");
        assert_eq!(prompt.mirrored().mirrored(), *prompt);
        for style in Style::ALL {
            assert!(!augment(prompt, style, seed, Left::Patient).is_empty());
        }
    }
    assert_eq!(mirror(&mirror(text)), text);
    assert_eq!(parse(&mirror(text)).prompt, parsed.prompt.map(|prompt| prompt.mirrored()), "{text:?}");
    let count = |text: &str| tokenizer.count(text);
    let knows = |word: &str| tokenizer.knows(word);
    let readable = Readable { tokens: Some((&count, 24)), knows: Some(&knows) };
    for warning in check(text, &readable) {
        assert!(!warning.message.is_empty() && warning.mended.as_deref() != Some(text), "{text:?}: {warning:?}");
    }
    let read = reading(text, tokenizer, 24);
    let ranges: Vec<Range<usize>> = read.words.iter().map(|word| word.bytes.clone()).collect();
    assert!(ranges.is_sorted_by(|a, b| a.end <= b.start));
    let found = phrases(text);
    assert!(found.len() <= 8);
    let found: Vec<Range<usize>> = found.into_iter().map(|phrase| phrase.bytes).collect();
    assert!(found.is_sorted_by(|a, b| a.end <= b.start), "{text:?}: {found:?}");
    without(text, &found);
    without(text, &words(text));
    exchanges(text);
    for form in Form::ALL {
        form.apply(text, seed, Style::ALL[seed as usize % 5], None);
    }
    for left in [Left::Image, Left::Patient] {
        let limit = Some(Limit { count: &count, most: 24 });
        let distilled = distil(text, &Options { left, with_possible: seed.is_multiple_of(2), limit });
        assert_ranges(text, &distilled.not_understood);
        assert_ranges(text, &distilled.sources.iter().map(|source| source.bytes.clone()).collect::<Vec<_>>());
        assert!(json::distilled(text, &distilled, left)["not_understood"].is_array());
    }
    json::prompt(text);
}

#[test]
fn any_text_is_taken() {
    let tokenizer = tokenizer();
    let mut random = fastrand::Rng::with_seed(16);
    for text in ["", " ", "\n\n", "\0", "\u{feff}", ".", ",,,", "left", "no", "polyp", "\u{202e}left lung\u{202c}"]
    {
        all_of(text, 1, &tokenizer);
    }
    for seed in 0..3000 {
        all_of(&random_text(&mut random), seed, &tokenizer);
    }
}

#[test]
fn long_texts_are_handled() {
    let tokenizer = tokenizer();
    for piece in [
        "left ",
        "no ",
        "no, ",
        "x",
        "左",
        "upper and ",
        "polyp left, ",
        "FINDINGS: left opacity. ",
        "two two ",
        "\u{301}",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let start = Instant::now();
        all_of(&text, 1, &tokenizer);
        println!("{piece:?}: {:?}", start.elapsed());
    }
}
