//! Checks a prompt before a network reads it: contradictions, what is missing, negation, and what the network
//! cannot read. A network draws a mask for any text, so these are the only signs that a prompt is unsound.

use super::check_values::{lungs, polyps};
use super::lexicon::{Token, is_negation, is_slip, spaced, tokens};
use super::parse::parse;
use super::parsed::Parsed;
use super::value::Prompt;
use super::warning::{Rule, Warning, warning};

/// Counts the tokens of a text, with the special ones.
pub type TokenCounter<'a> = &'a dyn Fn(&str) -> usize;

/// What a network can read, for the checks that depend on it. Without it these checks are left out.
#[derive(Clone, Copy, Default)]
pub struct Readable<'a> {
    /// Counts the tokens of a text, with the special ones, and the most that the network reads.
    pub tokens: Option<(TokenCounter<'a>, usize)>,
    /// Says whether a word is in the vocabulary.
    pub knows: Option<&'a dyn Fn(&str) -> bool>,
}

/// Checks a prompt. The warnings are in the order of the rules.
pub fn check(text: &str, readable: &Readable) -> Vec<Warning> {
    let tokens = tokens(text);
    if !tokens.iter().any(|token| token.is_word) {
        return vec![warning(Rule::Empty, "The prompt is empty; a mask for it would mean nothing.")];
    }
    let parsed = parse(text);
    let mut warnings = Vec::new();
    match &parsed.prompt {
        Some(Prompt::Lungs(value)) => lungs(value, &parsed, &mut warnings),
        Some(Prompt::Polyps(value)) => polyps(value, &parsed, &mut warnings),
        None => {
            warnings.push(warning(Rule::NoFinding, "The prompt names no finding that the known grammars have."));
        }
    }
    negations(text, &tokens, &parsed, &mut warnings);
    words(text, &tokens, &parsed, &mut warnings);
    reading(text, &tokens, readable, &mut warnings);
    warnings.sort_by_key(|warning| warning.rule);
    warnings
}

/// Finds words of negation in what was not understood.
fn negations(text: &str, tokens: &[Token], parsed: &Parsed, warnings: &mut Vec<Warning>) {
    let is_unread = |token: &&Token| {
        let at = parsed.not_understood.partition_point(|range| range.end <= token.bytes.start);
        parsed.not_understood.get(at).is_some_and(|range| range.start <= token.bytes.start)
    };
    let Some(token) = tokens.iter().filter(|token| is_negation(&token.text)).find(is_unread) else { return };
    let word = &text[token.bytes.clone()];
    warnings.push(Warning {
        bytes: Some(token.bytes.clone()),
        ..warning(
            Rule::Negation,
            format!("\"{word}\" negates what follows, but a network draws what is named, negated or not."),
        )
    });
}

/// Finds misspelt words and words that were not understood.
fn words(text: &str, tokens: &[Token], parsed: &Parsed, warnings: &mut Vec<Warning>) {
    let Some(prompt) = &parsed.prompt else { return };
    if let Some(first) = parsed.not_understood.first() {
        let stretches =
            parsed.not_understood.iter().map(|bytes| format!("\"{}\"", shortened(&text[bytes.clone()])));
        let shown: Vec<String> = stretches.take(3).collect();
        let more = if parsed.not_understood.len() > 3 { ", …" } else { "" };
        let spaced = spaced(text);
        warnings.push(Warning {
            bytes: Some(first.clone()),
            mended: spaced.filter(|mended| parse(mended).is_whole()),
            ..warning(Rule::NotUnderstood, format!("Not understood: {}{more}.", shown.join(", ")))
        });
        for bytes in &parsed.not_understood {
            let within = text[bytes.clone()].to_lowercase();
            let names = |side: &str| within.split_whitespace().any(|word| word == side);
            if names("left") && names("right") {
                let message = format!("\"{}\" names both sides for one place.", shortened(&text[bytes.clone()]));
                let found = warning(Rule::Contradiction, message);
                warnings.push(Warning { bytes: Some(bytes.clone()), ..found });
                break;
            }
        }
    } else if matches!(prompt, Prompt::Lungs(_))
        && let Some(slip) = tokens.iter().find(|token| is_slip(&token.text))
    {
        let word = &text[slip.bytes.clone()];
        warnings.push(Warning {
            bytes: Some(slip.bytes.clone()),
            mended: Some(prompt.to_string()),
            ..warning(
                Rule::Spelling,
                format!("\"{word}\" is misspelt; the network reads other pieces than it learnt."),
            )
        });
    }
}

/// Finds what the network cannot read.
fn reading(text: &str, tokens: &[Token], readable: &Readable, warnings: &mut Vec<Warning>) {
    if let Some((count, limit)) = readable.tokens {
        let total = count(text);
        if total > limit {
            warnings.push(warning(
                Rule::TooLong,
                format!("The prompt has {total} tokens; the network reads the first {limit}."),
            ));
        }
    }
    if let Some(knows) = readable.knows {
        let mut unknown: Vec<&Token> =
            tokens.iter().filter(|token| token.is_word && !knows(&token.text)).collect();
        if let Some(first) = unknown.first().map(|token| token.bytes.clone()) {
            let mut seen = std::collections::HashSet::new();
            unknown.retain(|token| seen.insert(token.text.as_str()));
            let shown: Vec<String> =
                unknown.iter().take(3).map(|token| format!("\"{}\"", shortened(&token.text))).collect();
            let more = if unknown.len() > 3 { format!(" and {} more", unknown.len() - 3) } else { String::new() };
            let message = format!("Not in the network's vocabulary: {}{more}.", shown.join(", "));
            warnings.push(Warning { bytes: Some(first), ..warning(Rule::UnknownWords, message) });
        }
    }
}

/// Returns at most 40 letters of a text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&'static str, Option<String>)> {
        check(text, &Readable::default()).into_iter().map(|warning| (warning.rule.id(), warning.mended)).collect()
    }

    #[test]
    fn sound_prompts_have_no_warning() {
        for text in [
            "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.",
            "Unilateral pulmonary infection, two infected areas, lower right lung.",
            "one small pink circle polyp which is a projecting growth of tissue located in right of the image",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn unsound_prompts_are_told_by_rule_and_mended() {
        let mended = |rule, text: &str| vec![(rule, Some(text.to_owned()))];
        assert_eq!(
            found("Bilateral pulmonary infection, one infected area, upper left lung."),
            mended("contradiction", "Unilateral pulmonary infection, one infected area, upper left lung.")
        );
        assert_eq!(
            found("Bilateral pulmonary infection, one infected area."),
            [
                ("contradiction", Some("Bilateral pulmonary infection, two infected areas.".into())),
                ("no-place", None)
            ]
        );
        assert_eq!(
            found("Unilateral pulmonary infection, two infected areas, all left lung and all right lung."),
            mended(
                "contradiction",
                "Bilateral pulmonary infection, two infected areas, all left lung and all right lung."
            )
        );
        assert_eq!(
            found("Bilateral pulmonary infection, one infected area, all left lung and all right lung."),
            mended(
                "count",
                "Bilateral pulmonary infection, two infected areas, all left lung and all right lung."
            )
        );
        assert_eq!(
            found("bilateral pulmonary infection, two infected areas, all lung and all right lung."),
            mended(
                "no-side",
                "Bilateral pulmonary infection, two infected areas, all left lung and all right lung."
            )
        );
        assert_eq!(
            found("Unilateral pulmonary infection, one infected area, midlle left lung."),
            mended("spelling", "Unilateral pulmonary infection, one infected area, middle left lung.")
        );
        assert_eq!(
            found("Unilateral pulmonary infection, one infected area, lower rightlung."),
            [
                ("no-place", None),
                (
                    "not-understood",
                    Some("Unilateral pulmonary infection, one infected area, lower right lung.".into())
                )
            ]
        );
    }

    #[test]
    fn what_cannot_be_mended_is_told_without_a_mend() {
        let rules = |text| found(text).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
        assert_eq!(rules(""), ["empty"]);
        assert_eq!(rules(" \n.,"), ["empty"]);
        assert_eq!(rules("asdf qwerty banana zebra"), ["no-finding"]);
        assert_eq!(rules("No pulmonary infection."), ["absent"]);
        assert_eq!(rules("no focal consolidation"), ["no-finding", "negation"]);
        assert_eq!(rules("left lung"), ["no-place"]);
        assert_eq!(rules("upper lung"), ["no-side"]);
        assert_eq!(rules("no polyp"), ["absent"]);
        assert_eq!(rules("one round polyp located in left, right of the image"), ["count"]);
        assert_eq!(
            rules("Unilateral pulmonary infection, middle right left lung."),
            ["contradiction", "no-place", "not-understood"]
        );
    }

    #[test]
    fn a_mend_keeps_what_was_not_understood() {
        for text in [
            "Bilateral pulmonary infection, two infected areas, all lower left lung and lower right lung.",
            "Bilateral pulmonary infection, one infected area, upper left lung and lower right lung banana.",
        ] {
            assert!(found(text).iter().all(|(_, mended)| mended.is_none()), "{:?}", found(text));
        }
    }

    #[test]
    fn tokens_and_words_are_counted_by_whoever_reads_them() {
        let count = |text: &str| text.split_whitespace().count();
        let knows = |word: &str| word != "xyz";
        let readable = Readable { tokens: Some((&count, 3)), knows: Some(&knows) };
        let found = check("upper left lung xyz xyz", &readable);
        let rules: Vec<Rule> = found.iter().map(|warning| warning.rule).collect();
        assert_eq!(rules, [Rule::NotUnderstood, Rule::TooLong, Rule::UnknownWords]);
        assert_eq!(found[2].message, "Not in the network's vocabulary: \"xyz\".");
        assert_eq!(found[2].bytes, Some(16..19));
    }
}
