//! Whether a report asserts what it names: negation, uncertainty and the past, by trigger phrases and the stretch of
//! the sentence that each governs (after Harkema et al., ConText, J Biomed Inform 2009).

use serde::Serialize;

use crate::text::prompt::lexicon::Token;

/// How a report speaks of a finding. The later of two holds where the scopes of two phrases overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is there.
    #[default]
    Certain,
    /// It may be there.
    Possible,
    /// It was there before.
    Past,
    /// It is not there.
    Negated,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// What follows.
    After(Status),
    /// What comes before.
    Before(Status),
    /// The clause before, of which the phrase says that it is normal.
    Clause,
    /// Nothing: the phrase holds a word that would else be a trigger.
    Nothing,
    /// Ends every scope.
    End,
}

use Scope::{After, Before, Clause, End, Nothing};
use Status::{Negated, Past, Possible};

/// The trigger phrases. Of those that begin at the same word the longest counts.
const TRIGGERS: &[(&str, Scope)] = &[
    ("no", After(Negated)),
    ("not", After(Negated)),
    ("nor", After(Negated)),
    ("neither", After(Negated)),
    ("without", After(Negated)),
    ("absent", Before(Negated)),
    ("absence of", After(Negated)),
    ("free of", After(Negated)),
    ("clear of", After(Negated)),
    ("negative for", After(Negated)),
    ("denies", After(Negated)),
    ("rather than", After(Negated)),
    ("sparing", After(Negated)),
    ("spares", After(Negated)),
    ("spared", Clause),
    ("clear", Clause),
    ("normal", Clause),
    ("unremarkable", Clause),
    ("unaffected", Clause),
    ("uninvolved", Clause),
    ("well aerated", Clause),
    ("well expanded", Clause),
    ("not clear", Nothing),
    ("not normal", Nothing),
    ("not seen", Before(Negated)),
    ("not present", Before(Negated)),
    ("not identified", Before(Negated)),
    ("not demonstrated", Before(Negated)),
    ("not evident", Before(Negated)),
    ("not visible", Before(Negated)),
    ("no longer", Before(Negated)),
    ("unlikely", Before(Negated)),
    ("unlikely to", After(Negated)),
    ("ruled out", Before(Negated)),
    ("excluded", Before(Negated)),
    ("possible", After(Possible)),
    ("possibly", After(Possible)),
    ("probable", After(Possible)),
    ("probably", After(Possible)),
    ("likely", After(Possible)),
    ("suspected", After(Possible)),
    ("suspicion of", After(Possible)),
    ("suspicious for", After(Possible)),
    ("suggestive of", After(Possible)),
    ("suggesting", After(Possible)),
    ("concerning for", After(Possible)),
    ("questionable", After(Possible)),
    ("may", After(Possible)),
    ("might", After(Possible)),
    ("could", After(Possible)),
    ("versus", After(Possible)),
    ("cannot exclude", After(Possible)),
    ("can not exclude", After(Possible)),
    ("does not exclude", After(Possible)),
    ("not exclude", After(Possible)),
    ("cannot rule out", After(Possible)),
    ("cannot be excluded", Before(Possible)),
    ("can not be excluded", Before(Possible)),
    ("cannot be ruled out", Before(Possible)),
    ("not excluded", Before(Possible)),
    ("not ruled out", Before(Possible)),
    ("is possible", Before(Possible)),
    ("are possible", Before(Possible)),
    ("is suspected", Before(Possible)),
    ("history of", After(Past)),
    ("previous", After(Past)),
    ("previously", After(Past)),
    ("prior", After(Past)),
    ("resolved", Before(Past)),
    ("cleared", Before(Past)),
    ("no change", Nothing),
    ("no interval change", Nothing),
    ("no significant change", Nothing),
    ("no significant interval change", Nothing),
    ("no increase", Nothing),
    ("not only", Nothing),
    ("not seen previously", Nothing),
    ("not previously seen", Nothing),
    ("not changed", Nothing),
    ("not resolved", Nothing),
    ("not cleared", Nothing),
    ("compared with prior", Nothing),
    ("compared to prior", Nothing),
    ("since prior", Nothing),
    ("since the prior", Nothing),
    ("from prior", Nothing),
    ("but", End),
    ("however", End),
    ("although", End),
    ("though", End),
    ("except", End),
    ("except for", End),
    ("apart from", End),
    ("aside from", End),
    ("other than", End),
    ("besides", End),
    ("whereas", End),
    ("while", End),
    ("which", End),
];

/// Returns the trigger phrases.
pub(super) fn phrases() -> impl Iterator<Item = &'static str> {
    TRIGGERS.iter().map(|(phrase, _)| *phrase)
}

/// Returns the status of every token of a sentence. `begins_anew` says whether what stands between two commas, given
/// by its range, is a statement of its own, so that a negation before it ends.
pub fn statuses(words: &[Token], begins_anew: impl Fn(std::ops::Range<usize>) -> bool) -> Vec<Status> {
    let mut found = vec![Status::Certain; words.len()];
    let mut phrases = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match trigger(words, at) {
            Some((scope, count)) => {
                phrases.push((at..at + count, scope));
                at += count;
            }
            None => at += 1,
        }
    }
    let is_end = |scope: &Scope| *scope == End;
    for (index, (phrase, scope)) in phrases.iter().enumerate() {
        let (range, status) = match *scope {
            After(status) => {
                let next = phrases[index + 1..].iter().find(|(_, scope)| is_end(scope));
                let end = next.map_or(words.len(), |(range, _)| range.start);
                (phrase.end..comma(words, phrase.end..end, status, &begins_anew), status)
            }
            Before(status) => {
                let last = phrases[..index].iter().rev().find(|(_, scope)| is_end(scope));
                (last.map_or(0, |(range, _)| range.end)..phrase.start, status)
            }
            Clause => (clause_start(words, phrase.start, &begins_anew)..phrase.start, Negated),
            Nothing | End => continue,
        };
        for place in &mut found[range] {
            *place = status.max(*place);
        }
    }
    found
}

/// Returns where the clause begins that ends at `end`: after a comma or a conjunction, or after an "and" that follows a
/// statement of its own ("consolidation in the left lung and the right lung is clear").
fn clause_start(words: &[Token], end: usize, begins_anew: &impl Fn(std::ops::Range<usize>) -> bool) -> usize {
    let breaks =
        |word: &Token| matches!(word.text.as_str(), "," | "but" | "however" | "while" | "whereas" | "with");
    let start = words[..end].iter().rposition(breaks).map_or(0, |at| at + 1);
    let and = words[start..end].iter().rposition(|word| word.is("and")).map(|at| start + at);
    and.filter(|and| begins_anew(start..*and)).map_or(start, |and| and + 1)
}

fn trigger(words: &[Token], at: usize) -> Option<(Scope, usize)> {
    let first = words[at].text.as_str();
    let begins = |phrase: &str| {
        if !phrase.starts_with(first) {
            return None;
        }
        let mut count = 0;
        let fits = phrase.split(' ').all(|word| {
            count += 1;
            words.get(at + count - 1).is_some_and(|token| token.is(word))
        });
        fits.then_some(count)
    };
    let fitting = TRIGGERS.iter().filter_map(|(phrase, scope)| begins(phrase).map(|count| (*scope, count)));
    fitting.max_by_key(|(_, count)| *count)
}

/// Returns where a scope ends: uncertainty at the first comma, negation at a comma after which something new begins.
fn comma(
    words: &[Token],
    scope: std::ops::Range<usize>,
    status: Status,
    begins_anew: &impl Fn(std::ops::Range<usize>) -> bool,
) -> usize {
    let commas: Vec<usize> = scope.clone().filter(|at| words[*at].is(",")).collect();
    if status == Possible {
        return commas.first().copied().unwrap_or(scope.end);
    }
    // "No X, Y or Z" is one list.
    let last_or = scope.clone().rev().find(|at| words[*at].is("or") || words[*at].is("nor")).unwrap_or(0);
    let ends = |(index, at): (usize, &usize)| {
        let end = commas.get(index + 1).copied().unwrap_or(scope.end);
        (*at > last_or && begins_anew(*at + 1..end)).then_some(*at)
    };
    commas.iter().enumerate().find_map(ends).unwrap_or(scope.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::lexicon::tokens;

    fn status_of(sentence: &str, word: &str) -> Status {
        let words = tokens(sentence);
        let found = statuses(&words, |range| words[range].iter().any(|token| token.is("left")));
        found[words.iter().position(|token| token.is(word)).expect("the word")]
    }

    #[test]
    fn phrases_govern_their_part_of_the_sentence() {
        for (sentence, word, expected) in [
            ("no focal consolidation, effusion, or pneumothorax", "pneumothorax", Negated),
            ("opacities in the right lung, no effusion", "opacities", Status::Certain),
            ("no effusion, opacities in the left lung", "opacities", Status::Certain),
            ("no effusion, opacities in the left lung, or mass", "opacities", Negated),
            ("no effusion but opacities", "opacities", Status::Certain),
            ("consolidation cannot be excluded", "consolidation", Possible),
            ("consolidation is excluded", "consolidation", Negated),
            ("cannot exclude consolidation", "consolidation", Possible),
            ("the consolidation has resolved", "consolidation", Past),
            ("the consolidation has not resolved", "consolidation", Status::Certain),
            ("no change of the consolidation", "consolidation", Status::Certain),
            ("consolidation is no longer seen", "consolidation", Negated),
            ("possible consolidation, effusion", "effusion", Status::Certain),
            ("opacities suggestive of infection", "opacities", Status::Certain),
            ("opacities suggestive of infection", "infection", Possible),
        ] {
            assert_eq!(status_of(sentence, word), expected, "{sentence}: {word}");
        }
    }
}
