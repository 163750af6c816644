//! Reading, printing and mirroring of the real prompts in the shared data.

use std::path::{Path, PathBuf};

use himix::text::prompt::report::{Left, Options, Style, augment, distil};
use himix::text::prompt::{self, Grammar, Prompt, parse};

use super::common::shared;

/// The texts of the columns of a table that are prompts.
fn texts(path: &Path, columns: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let names = reader.headers().expect("a header").clone();
    let wanted: Vec<usize> =
        names.iter().enumerate().filter(|(_, name)| columns.contains(name)).map(|(index, _)| index).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    rows.iter().flat_map(|row| wanted.iter().map(|index| row[*index].to_owned())).collect()
}

/// The tables in a folder of the shared data.
fn tables(folder: &str) -> Vec<PathBuf> {
    let Some(folder) = shared(&format!("data/{folder}")) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    found.sort();
    found
}

fn all_of(folder: &str, columns: &[&str]) -> Vec<String> {
    tables(folder).iter().flat_map(|path| texts(path, columns)).collect()
}

/// The prompts of a grammar in the shared data; those of QaTa-COV19 and Kvasir-SEG with all their columns.
fn prompts(grammar: Grammar) -> Vec<String> {
    match grammar {
        Grammar::Lungs => [
            "qata/annotations_full",
            "qata/prompt",
            "qata_more/prompt",
            "ct_lesions/prompt",
            "ct_lesions/source",
            "cxr_normal/prompt",
        ]
        .into_iter()
        .flat_map(|folder| all_of(folder, &["Description", "Description_sgseg", "LViT_sentence"]))
        .collect(),
        Grammar::Polyps => ["kvasir/annotations_full", "kvasir/prompt"]
            .into_iter()
            .flat_map(|folder| {
                all_of(folder, &["Description", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"])
            })
            .collect(),
    }
}

/// Says whether all of `text` is understood and prints to a text with the same findings.
fn is_kept(text: &str, grammar: Grammar) -> bool {
    let parsed = parse(text);
    let Some(read) = parsed.prompt.as_ref().filter(|_| parsed.is_whole() && parsed.grammar() == Some(grammar))
    else {
        return false;
    };
    for bytes in &parsed.findings {
        assert!(text.get(bytes.clone()).is_some(), "{text}: {bytes:?}");
    }
    let again = parse(&read.to_string());
    again.is_whole() && again.prompt.as_ref() == Some(read)
}

fn report(name: &str, texts: &[String], grammar: Grammar) -> f64 {
    let lost: Vec<&String> = texts.iter().filter(|text| !is_kept(text, grammar)).collect();
    let kept = texts.len() - lost.len();
    println!("{name}: {kept} of {} understood and printed to the same findings", texts.len());
    let mut lost: Vec<String> = lost
        .into_iter()
        .map(|text| {
            let parsed = parse(text);
            let words: Vec<&str> = parsed.not_understood.iter().map(|bytes| &text[bytes.clone()]).collect();
            format!("  not understood {words:?} in: {text}")
        })
        .collect();
    lost.sort();
    lost.dedup();
    lost.iter().for_each(|line| println!("{line}"));
    kept as f64 / texts.len() as f64
}

#[test]
fn the_real_prompts_are_understood_and_printed_to_the_same_findings() {
    let official = ["train", "val", "test"];
    let of = |set: &str| {
        let paths =
            official.iter().filter_map(|split| shared(&format!("data/{set}/annotations_full/{split}.csv")));
        paths.flat_map(|path| texts(&path, &["Description"])).collect::<Vec<_>>()
    };
    for (set, count, grammar) in [("qata", 9258, Grammar::Lungs), ("kvasir", 1000, Grammar::Polyps)] {
        let texts = of(set);
        if texts.is_empty() {
            return;
        }
        assert_eq!(texts.len(), count);
        assert!(report(set, &texts, grammar) >= 0.99);
    }
    let original = shared("data/qata/annotations_full/lvit_train.csv").map(|path| texts(&path, &["Description"]));
    assert!(report("LViT's originals", &original.expect("a table"), Grammar::Lungs) >= 0.99);
    for grammar in [Grammar::Lungs, Grammar::Polyps] {
        assert!(report("all tables", &prompts(grammar), grammar) >= 0.99);
    }
}

/// The rule that training mirrored prompts by before prompts were values.
fn mirrored_by_words(prompt: &str) -> String {
    let mut mirrored = String::new();
    for word in prompt.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
        let end = word.trim_end_matches(|letter: char| !letter.is_alphanumeric()).len();
        let (name, mark) = word.split_at(end);
        mirrored += match name {
            "left" => "right",
            "right" => "left",
            "Left" => "Right",
            "Right" => "Left",
            other => other,
        };
        mirrored += mark;
    }
    mirrored
}

#[test]
fn mirroring_a_text_mirrors_what_it_says() {
    for grammar in [Grammar::Lungs, Grammar::Polyps] {
        for text in prompts(grammar) {
            let mirrored = prompt::mirror(&text);
            assert_eq!(mirrored, mirrored_by_words(&text));
            assert_eq!(prompt::mirror(&mirrored), text);
            let expected = parse(&text).prompt.as_ref().map(Prompt::mirrored);
            assert_eq!(parse(&mirrored).prompt, expected, "{text}");
        }
    }
}

#[test]
fn a_report_of_a_prompt_gives_its_findings_back() {
    for (grammar, set) in [(Grammar::Lungs, "qata"), (Grammar::Polyps, "kvasir")] {
        let paths =
            ["train", "val", "test"].map(|split| shared(&format!("data/{set}/annotations_full/{split}.csv")));
        let texts: Vec<String> =
            paths.into_iter().flatten().flat_map(|path| texts(&path, &["Description"])).collect();
        let prompts: Vec<Prompt> = texts.iter().filter_map(|text| parse(text).prompt).collect();
        for style in Style::ALL {
            let mut lost = Vec::new();
            for (seed, prompt) in prompts.iter().enumerate() {
                let left = if seed % 2 == 0 { Left::Image } else { Left::Patient };
                let report = augment(prompt, style, seed as u64, left);
                let distilled = distil(&report, &Options { left, with_possible: true, limit: None });
                let is_kept = distilled.prompt.as_ref().map(Prompt::normalised) == Some(prompt.normalised());
                if !is_kept || !distilled.not_understood.is_empty() {
                    lost.push((prompt, report, distilled));
                }
            }
            let kept = prompts.len() - lost.len();
            println!("{grammar:?} {}: {kept} of {}", style.name(), prompts.len());
            for (prompt, report, distilled) in lost.iter().take(3) {
                let unread: Vec<&str> =
                    distilled.not_understood.iter().map(|bytes| &report[bytes.clone()]).collect();
                println!("  {prompt}\n    {report}\n    {} {unread:?}", distilled.text());
            }
            assert!(kept as f64 >= 0.98 * prompts.len() as f64, "{grammar:?} {}", style.name());
        }
    }
}
