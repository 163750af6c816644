//! `himix vocabulary`, and what is read in place of words outside a vocabulary.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};

use crate::files::folder;
use crate::model::put_picture;
use crate::presence::copied;
use crate::program::himix;

#[test]
fn the_kept_vocabulary_is_written_and_further_words_are_added() {
    let folder = folder();
    let [plain, more, words] = ["plain.txt", "more.txt", "words.txt"].map(|name| folder.path().join(name));
    let said = himix!["vocabulary", "--out", &plain].done().out;
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/vocabulary/report-english.txt");
    let written = fs::read_to_string(&plain).expect("written");
    assert!(written == fs::read_to_string(kept).expect("the kept one"), "himix vocabulary --out {kept}");
    assert!(said.contains(&format!("({} entries)", written.lines().count())), "{said}");
    fs::write(&words, "Zygapophysis, bronchocele\n").expect("written");
    himix!["vocabulary", "--words", &words, "--out", &more].done();
    let more = fs::read_to_string(&more).expect("written");
    for word in ["zygapophysis", "bronchocele"] {
        assert!(more.lines().any(|entry| entry == word) && !written.lines().any(|entry| entry == word), "{word}");
    }
}

#[test]
fn every_further_word_is_an_entry_unless_a_limit_is_given() {
    let folder = folder();
    let path = folder.path().join("words.txt");
    // More words than the vocabulary has of its own, made of letters alone.
    let letter = |number: u32| char::from(b'a' + (number % 26) as u8);
    let words: Vec<String> = (0..5000)
        .map(|number| format!("zzq{}{}{}", letter(number / 676), letter(number / 26), letter(number)))
        .collect();
    fs::write(&path, words.join("\n")).expect("written");
    let ran = himix!["vocabulary", "--words", &path].done();
    let entries: HashSet<&str> = ran.out.lines().collect();
    assert!(words.iter().all(|word| entries.contains(word.as_str())));
    assert!(!ran.err.contains("leaves out"), "{}", ran.err);
    let cut = himix!["vocabulary", "--words", &path, "--limit", "250"].done();
    assert_eq!(cut.out.lines().collect::<Vec<_>>(), ran.out.lines().take(250).collect::<Vec<_>>());
    let said = format!("--limit 250 leaves out {} of {} entries", entries.len() - 250, entries.len());
    assert!(cut.err.contains(&said), "{}", cut.err);
}

#[test]
fn words_that_cannot_be_read_are_named() {
    let folder = folder();
    let missing = folder.path().join("missing.txt");
    himix!["vocabulary", "--words", &missing].refused(&["missing.txt", "give a text file"]);
    himix!["vocabulary", "--limit", "3"].refused(&["at least 200"]);
}

#[test]
fn the_configuration_says_what_is_read_in_place_of_unknown_words() {
    let folder = folder();
    let (model, image) = (copied(folder.path()), put_picture(&folder, "chest.png", 64, 64));
    let config = fs::read_to_string(model.join("config.json")).expect("a configuration");
    let read = |rule: &str, prompt: &str| {
        let mut object: Value = serde_json::from_str(&config).expect("JSON");
        if !rule.is_empty() {
            object["unknown_words"] = rule.into();
        }
        fs::write(model.join("config.json"), object.to_string()).expect("written");
        let ran = himix![
            "predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", prompt, "--json"
        ]
        .done();
        let found: Value = serde_json::from_str(&ran.out).expect("JSON");
        (found["tokens"]["read"].clone(), ran.err)
    };
    const PROMPT: &str = "lower qqzzxx left lung";
    let (pieces, said) = read("", PROMPT);
    assert!(
        pieces.as_array().is_some_and(|pieces| pieces.len() > 4) && !said.contains("vocabulary"),
        "{pieces} {said}"
    );
    assert_eq!(read("pieces", PROMPT), (pieces, said));
    let (token, said) = read("token", PROMPT);
    assert_eq!(token, json!(["lower", "[UNK]", "left", "lung"]));
    assert!(said.contains("1 word is not in the vocabulary") && said.contains("one token"), "{said}");
    let (dropped, said) = read("drop", PROMPT);
    assert_eq!(dropped, json!(["lower", "left", "lung"]));
    assert!(said.contains("are not read"), "{said}");
    let (nothing, said) = read("drop", "qqzzxx xxzzqq");
    assert_eq!(nothing, json!([]));
    assert!(said.contains("nothing of the prompt is read; the network receives no text"), "{said}");
    fs::write(model.join("config.json"), config.replacen('{', "{\"unknown_words\": \"letters\",", 1))
        .expect("written");
    himix!["predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", PROMPT]
        .refused(&["config.json", "letters"]);
}
