//! Condenses a chest report.

use std::ops::Range;

use super::Left;
use super::context::{Status, statuses};
use super::distilled::{Distilled, LeftOut, Options, Reason, Source, Told};
use super::locations::{Location, locations, union};
use super::sentences::{Section, sentences};
use super::terms::{Term, term};
use crate::text::prompt::lexicon::Token;
use crate::text::prompt::parsed::Unread;
use crate::text::prompt::value::{LungFinding, Lungs, Prompt, Zones, laterality_of};
use crate::text::prompt::words::{Laterality, Side};

/// The most adjectives between a number and what it counts.
const MOST_ADJECTIVES: usize = 4;

/// Condenses a chest report.
pub(super) fn distil(report: &str, tokens: &[Token], options: &Options) -> Distilled {
    let mut reader = Reader::new(options);
    let mut unread = Unread::default();
    for sentence in sentences(report, tokens) {
        let words = &tokens[sentence.tokens.clone()];
        let terms: Vec<Option<Term>> = words.iter().map(|word| term(&word.text)).collect();
        unread.close();
        for (word, term) in words.iter().zip(&terms) {
            if term.is_some() { unread.close() } else { unread.add(word) }
        }
        let sentence = Sentence::new(words, terms, sentence.section);
        reader.sentence(&sentence);
    }
    Distilled { not_understood: unread.ranges, ..reader.finish() }
}

/// A sentence with what its words mean.
struct Sentence<'a> {
    words: &'a [Token],
    terms: Vec<Option<Term>>,
    statuses: Vec<Status>,
    section: Section,
    places: Vec<Location>,
}

impl<'a> Sentence<'a> {
    fn new(words: &'a [Token], terms: Vec<Option<Term>>, section: Section) -> Self {
        let places = locations(words, &terms);
        let begins_anew = |range: Range<usize>| {
            let has_lesion = terms[range.clone()].contains(&Some(Term::Lesion));
            let has_place = places.iter().any(|place| range.contains(&place.words.start));
            let has_verb = words[range].iter().any(|word| matches!(word.text.as_str(), "is" | "are" | "there"));
            has_lesion && has_place || has_verb
        };
        let statuses = statuses(words, begins_anew);
        Self { words, terms, statuses, section, places }
    }

    fn bytes(&self, words: Range<usize>) -> Range<usize> {
        self.words[words.start].bytes.start..self.words[words.end - 1].bytes.end
    }

    fn is_lesion(&self, at: usize) -> bool {
        self.terms[at] == Some(Term::Lesion)
    }

    /// Returns the index of what is spoken of before or after a word: an infected area or something else.
    fn target_before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|at| self.is_target(*at))
    }

    fn target_after(&self, at: usize) -> Option<usize> {
        (at..self.words.len()).find(|at| self.is_target(*at))
    }

    fn is_target(&self, at: usize) -> bool {
        matches!(self.terms[at], Some(Term::Lesion | Term::Other))
    }

    /// Returns what each place belongs to: after a preposition to what stands before ("consolidation in the left
    /// lung"), otherwise to what follows ("left lung consolidation"), and in a list to the same as the one before.
    fn targets(&self) -> Vec<Option<usize>> {
        let mut found: Vec<Option<usize>> = Vec::with_capacity(self.places.len());
        let mut end = 0;
        for place in &self.places {
            let between = &self.words[end.min(place.words.start)..place.words.start];
            let is_list = !found.is_empty()
                && between
                    .iter()
                    .all(|word| matches!(word.text.as_str(), "," | "and" | "or" | "the" | "&" | "plus" | "in"));
            let next_is_target = place.words.end < self.words.len() && self.is_target(place.words.end);
            let before =
                (0..place.words.start).rev().find(|at| !matches!(self.words[*at].text.as_str(), "the" | "a"));
            let is_after_preposition =
                before.is_some_and(|at| self.terms[at] == Some(Term::Preposition) || self.words[at].is("of"));
            let (preceding, following) =
                (self.target_before(place.words.start), self.target_after(place.words.end));
            found.push(match found.last() {
                Some(last) if is_list && !next_is_target => *last,
                _ if is_after_preposition => preceding.or(following),
                _ => following.or(preceding),
            });
            end = place.words.end;
        }
        found
    }

    /// Says whether the sentence goes on from the one before ("from", "they are in") and every word is understood, so
    /// that its places are those of the infected areas named before.
    fn goes_on(&self) -> bool {
        let first = self.words.first().map_or("", |word| word.text.as_str());
        let begins = self.terms.first() == Some(&Some(Term::Preposition))
            || matches!(first, "they" | "it" | "these" | "this" | "those" | "located" | "mainly" | "mostly");
        let is_other = |(word, term): (&Token, &Option<Term>)| {
            word.is_word && matches!(term, None | Some(Term::Other | Term::Lesion))
        };
        begins && !self.words.iter().zip(&self.terms).any(is_other)
    }
}

struct Reader<'a> {
    options: &'a Options<'a>,
    lungs: Lungs,
    counts_differ: bool,
    /// What was last asserted of an infected area, for sentences that name places alone.
    last: Option<Status>,
    says_clear: bool,
    sources: Vec<Source>,
    left_out: Vec<LeftOut>,
}

impl<'a> Reader<'a> {
    fn new(options: &'a Options<'a>) -> Self {
        Self {
            options,
            lungs: Lungs::default(),
            counts_differ: false,
            last: None,
            says_clear: false,
            sources: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn sentence(&mut self, sentence: &Sentence) {
        if sentence.section == Section::Background {
            if sentence.terms.contains(&Some(Term::Lesion)) {
                self.leave_out(sentence.bytes(0..sentence.words.len()), Reason::Background);
            }
            return;
        }
        self.clear(sentence);
        let is_bilateral = self.lateralities(sentence);
        self.counts(sentence);
        self.places(sentence, is_bilateral);
        let asserted =
            (0..sentence.words.len()).filter(|at| sentence.is_lesion(*at)).map(|at| sentence.statuses[at]);
        let asserted = asserted.filter(|status| *status <= Status::Possible).min();
        self.last = asserted.or(self.last);
    }

    fn leave_out(&mut self, bytes: Range<usize>, reason: Reason) {
        self.left_out.push(LeftOut { bytes, reason });
    }

    /// Returns whether what has this status is taken, and notes it if it is not.
    fn takes(&mut self, status: Status, bytes: &Range<usize>) -> bool {
        let reason = match status {
            Status::Certain => return true,
            Status::Possible if self.options.with_possible => return true,
            Status::Possible => Reason::Uncertain,
            Status::Past => Reason::Past,
            Status::Negated => Reason::Negated,
        };
        self.leave_out(bytes.clone(), reason);
        false
    }

    /// Notes "no pulmonary infection" and "the lungs are clear".
    fn clear(&mut self, sentence: &Sentence) {
        for (at, word) in sentence.words.iter().enumerate() {
            let is_infection = matches!(word.text.as_str(), "infection" | "infections" | "pneumonia" | "infected");
            let is_clear = word.is("clear")
                && sentence.words.iter().any(|word| word.is("lungs"))
                && sentence.statuses[at] == Status::Certain;
            self.says_clear |= is_clear || is_infection && sentence.statuses[at] == Status::Negated;
            if sentence.is_lesion(at) && sentence.statuses[at] == Status::Negated {
                self.leave_out(word.bytes.clone(), Reason::Negated);
            }
        }
    }

    /// Reads "bilateral" and "unilateral". Returns whether the sentence calls an infected area bilateral.
    fn lateralities(&mut self, sentence: &Sentence) -> bool {
        let mut is_bilateral = false;
        for (at, term) in sentence.terms.iter().enumerate() {
            let Some(Term::Laterality(laterality)) = *term else { continue };
            let target = sentence.target_after(at).or_else(|| sentence.target_before(at));
            let Some(target) = target.filter(|target| sentence.is_lesion(*target)) else { continue };
            let status = sentence.statuses[at].max(sentence.statuses[target]);
            let bytes = sentence.words[at].bytes.clone();
            if !self.takes(status, &bytes) {
                continue;
            }
            is_bilateral |= laterality == Laterality::Bilateral;
            match self.lungs.laterality {
                Some(other) if other != laterality => self.leave_out(bytes, Reason::Conflict),
                _ => {
                    self.lungs.laterality = Some(laterality);
                    self.sources.push(Source { told: Told::Laterality, bytes, status });
                }
            }
        }
        is_bilateral
    }

    /// Reads the number of infected areas: a number, adjectives, and the word for them.
    fn counts(&mut self, sentence: &Sentence) {
        for (at, term) in sentence.terms.iter().enumerate() {
            let Some(Term::Count(number)) = *term else { continue };
            let rest = &sentence.terms[at + 1..];
            let adjectives =
                rest.iter().take_while(|term| matches!(term, Some(Term::Adjective | Term::Laterality(_))));
            let target = at + 1 + adjectives.count();
            if target > at + 1 + MOST_ADJECTIVES || target >= sentence.words.len() || !sentence.is_lesion(target) {
                continue;
            }
            let mut end = target + 1;
            while end < sentence.words.len() && sentence.is_lesion(end) {
                end += 1;
            }
            let (status, bytes) = (sentence.statuses[at], sentence.bytes(at..end));
            if !self.takes(status, &bytes) {
                continue;
            }
            match self.lungs.areas {
                Some(other) if other != number => {
                    // Two numbers of parts are no number of the whole.
                    self.counts_differ = true;
                    self.leave_out(bytes, Reason::Conflict);
                }
                _ => {
                    self.lungs.areas = Some(number);
                    self.sources.push(Source { told: Told::Number, bytes, status });
                }
            }
        }
    }

    fn places(&mut self, sentence: &Sentence, is_bilateral: bool) {
        let targets = sentence.targets();
        let mut places: Vec<(Location, Range<usize>, Status)> = Vec::new();
        for (place, target) in sentence.places.iter().zip(targets) {
            let bytes = sentence.bytes(place.words.clone());
            let status = match target {
                Some(target) if sentence.is_lesion(target) => sentence.statuses[target],
                Some(_) => {
                    self.leave_out(bytes, Reason::OtherFinding);
                    continue;
                }
                None => match self.last.filter(|_| sentence.goes_on()) {
                    Some(status) => status,
                    None => {
                        self.leave_out(bytes, Reason::OtherFinding);
                        continue;
                    }
                },
            };
            let status = status.max(sentence.statuses[place.words.start]);
            if self.takes(status, &bytes) {
                places.push((place.clone(), bytes, status));
            }
        }
        for (place, bytes, status) in joined(places, is_bilateral) {
            self.add(&place, &bytes, status);
        }
    }

    fn add(&mut self, place: &Location, bytes: &Range<usize>, status: Status) {
        let exchange = |side: Side| if self.options.left == Left::Patient { side.other() } else { side };
        let sides: Vec<Option<Side>> = match place.sides {
            [false, false] => vec![None],
            // Both are named in the order of the prompts.
            [true, true] => vec![Some(Side::Left), Some(Side::Right)],
            [left, _] => vec![Some(exchange(if left { Side::Left } else { Side::Right }))],
        };
        for side in sides {
            let known = self.lungs.findings.iter().position(|finding| finding.side == side);
            let index = known.unwrap_or(self.lungs.findings.len());
            match known {
                Some(index) => {
                    let zones = &mut self.lungs.findings[index].zones;
                    *zones = match (zones.is_empty(), place.zones.is_empty()) {
                        (true, _) => place.zones,
                        (_, true) => *zones,
                        _ => union(*zones, place.zones),
                    };
                }
                None => self.lungs.findings.push(LungFinding { side, zones: place.zones }),
            }
            self.sources.push(Source { told: Told::Finding(index), bytes: bytes.clone(), status });
        }
    }

    fn finish(mut self) -> Distilled {
        if self.counts_differ {
            self.lungs.areas = None;
            let is_count = |source: &Source| source.told == Told::Number;
            let lost: Vec<Range<usize>> =
                self.sources.iter().filter(|source| is_count(source)).map(|source| source.bytes.clone()).collect();
            self.sources.retain(|source| !is_count(source));
            lost.into_iter().for_each(|bytes| self.leave_out(bytes, Reason::Conflict));
        }
        let lungs = &mut self.lungs;
        let asserts = !lungs.findings.is_empty() || lungs.areas.is_some_and(|areas| areas > 0);
        if lungs.laterality.is_none() {
            let sides_known = lungs.findings.iter().all(|finding| finding.side.is_some());
            if !lungs.findings.is_empty() && sides_known {
                lungs.laterality = Some(laterality_of(&lungs.findings));
            } else if !asserts && self.says_clear && self.last.is_none() {
                lungs.laterality = Some(Laterality::None);
            }
        }
        let prompt = (self.lungs != Lungs::default()).then_some(Prompt::Lungs(self.lungs));
        self.left_out.sort_by_key(|left_out| left_out.bytes.start);
        Distilled { prompt, sources: self.sources, left_out: self.left_out, ..Distilled::default() }
    }
}

/// Gives places without a side the side that the sentence names apart from them, such as "left-sided consolidation in
/// the lower zone", or both if it calls the finding bilateral.
fn joined(
    places: Vec<(Location, Range<usize>, Status)>,
    is_bilateral: bool,
) -> Vec<(Location, Range<usize>, Status)> {
    let is_side_alone = |place: &Location| place.has_side() && place.zones == Zones::NONE;
    let mut sides = places.iter().filter(|(place, ..)| is_side_alone(place));
    let alone = match (sides.next(), sides.next()) {
        (Some((place, bytes, _)), None) => Some((place.sides, Some(bytes.clone()))),
        (None, _) if is_bilateral && !places.iter().any(|(place, ..)| place.has_side()) => Some(([true; 2], None)),
        _ => None,
    };
    let has_zones_alone = places.iter().any(|(place, ..)| !place.has_side());
    let Some((side, at)) = alone.filter(|_| has_zones_alone) else { return places };
    let kept = places.into_iter().filter(|(place, ..)| !is_side_alone(place));
    kept.map(|(mut place, mut bytes, status)| {
        if !place.has_side() {
            place.sides = side;
            if let Some(at) = &at {
                bytes = at.start.min(bytes.start)..at.end.max(bytes.end);
            }
        }
        (place, bytes, status)
    })
    .collect()
}
