//! The tokenizer on a small vocabulary, and invalid vocabularies.

use std::time::Instant;

use himix::text::{TextError, Tokenizer};

use super::fixtures::{folder, put};

const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nleft\nlung\n##s\n,\ninfection\n";

fn small() -> Tokenizer {
    Tokenizer::from_vocab_text(VOCABULARY).expect("a vocabulary")
}

#[test]
fn pieces_are_padded_and_cut() {
    let tokenizer = small();
    assert_eq!(tokenizer.vocabulary_size(), 10);
    let short = tokenizer.encode("Left LÚNGS", 6);
    assert_eq!(short.ids, [2, 5, 6, 7, 3, 0]);
    assert_eq!(short.mask, [1, 1, 1, 1, 1, 0]);
    assert_eq!((short.read.join(" ").as_str(), short.dropped.len(), short.total), ("left lung ##s", 0, 5));

    let long = tokenizer.encode("left lungs, rare infection", 5);
    assert_eq!(long.ids, [2, 5, 6, 7, 3]);
    assert_eq!(long.mask, [1; 5]);
    assert_eq!(long.read, ["left", "lung", "##s"]);
    assert_eq!(long.dropped, [",", "[UNK]", "infection"]);
    assert_eq!(long.total, 8);
}

#[test]
fn odd_prompts_and_limits_work() {
    let tokenizer = small();
    let empty = tokenizer.encode("", 4);
    assert_eq!((empty.ids, empty.mask, empty.total), (vec![2, 3, 0, 0], vec![1, 1, 0, 0], 2));
    assert!(empty.read.is_empty() && empty.dropped.is_empty());
    assert_eq!(tokenizer.encode(" \t\n\0", 4).total, 2);
    for limit in 0..4 {
        let encoding = tokenizer.encode("left lung", limit);
        assert_eq!((encoding.ids.len(), encoding.mask.len()), (limit, limit));
        assert_eq!(encoding.read.len() + encoding.dropped.len(), 2);
    }
}

#[test]
fn a_very_long_prompt_is_quick() {
    let tokenizer = small();
    let start = Instant::now();
    let encoding = tokenizer.encode(&"left lungs ".repeat(5_000), 24);
    assert_eq!((encoding.read.len(), encoding.dropped.len(), encoding.total), (22, 14_978, 15_002));
    println!("10,000 words: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let one_word = tokenizer.encode(&"x".repeat(1_000_000), 24);
    assert_eq!(one_word.read, ["[UNK]"]);
    let seconds = start.elapsed().as_secs_f64();
    println!("10,000 words and one word of a million letters: {:.0} ms", seconds * 1e3);
    assert!(seconds < 3.0, "{seconds} s");
}

#[test]
fn a_tokenizer_file_reads_as_its_vocabulary_does() {
    let folder = folder();
    let entries: Vec<String> =
        VOCABULARY.lines().enumerate().map(|(id, entry)| format!("{entry:?}: {id}")).collect();
    let json = format!(
        r###"{{"version": "1.0",
        "truncation": {{"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}},
        "padding": {{"strategy": {{"Fixed": 9}}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "[PAD]"}},
        "added_tokens": [], "normalizer": {{"type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}},
        "pre_tokenizer": {{"type": "BertPreTokenizer"}}, "post_processor": null, "decoder": null,
        "model": {{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {{{}}}}}}}"###,
        entries.join(", ")
    );
    let from_json = Tokenizer::from_file(&put(&folder, "tokenizer.json", json.as_bytes())).expect("read");
    let from_lines = Tokenizer::from_file(&put(&folder, "vocab.txt", VOCABULARY.as_bytes())).expect("read");
    for prompt in ["Left lungs, infection and left lung", ""] {
        assert_eq!(from_json.encode(prompt, 6), from_lines.encode(prompt, 6), "{prompt:?}");
    }
    assert_eq!(from_json.vocabulary_size(), from_lines.vocabulary_size());
    // Line endings of another system do not belong to the entries.
    let windows = VOCABULARY.replace('\n', "\r\n");
    let from_windows = Tokenizer::from_file(&put(&folder, "dos.txt", windows.as_bytes())).expect("read");
    assert_eq!(from_windows.encode("left lung", 5), from_lines.encode("left lung", 5));
}

#[test]
fn vocabularies_that_do_not_do() {
    let folder = folder();
    let refusal = |name: &str, content: &[u8]| {
        let error = Tokenizer::from_file(&put(&folder, name, content)).expect_err("refused");
        let line = error.to_string();
        assert!(!line.contains('\n') && line.contains(name) && line.contains("; "), "{line:?}");
        error
    };
    assert!(matches!(refusal("empty.txt", b"\n\n"), TextError::Empty { .. }));
    assert!(matches!(refusal("empty.json", b""), TextError::Empty { .. }));
    assert!(matches!(refusal("weights.txt", &[0xFF, 0xFE, 0x80]), TextError::Unreadable { .. }));
    assert!(matches!(refusal("broken.json", b"{\"model\":"), TextError::Unreadable { .. }));
    assert!(matches!(refusal("other.json", b"{\"hidden_size\": 768}"), TextError::Unreadable { .. }));
    let partial = refusal("partial.txt", b"[PAD]\n[UNK]\nlung\n");
    assert!(partial.to_string().contains("[CLS], [SEP]"), "{partial}");
    for entry in ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] {
        let without = VOCABULARY.replace(&format!("{entry}\n"), "");
        let error = refusal("without.txt", without.as_bytes());
        assert!(matches!(&error, TextError::NoEntry { entries, .. } if entries == entry), "{error}");
    }
    let missing = Tokenizer::from_file(&folder.path().join("none.txt")).expect_err("no such file");
    assert!(matches!(missing, TextError::Missing { .. }), "{missing}");
}
