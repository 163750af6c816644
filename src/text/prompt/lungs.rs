//! Reads and prints prompts of infected lungs, in the words of LViT's prompts of QaTa-COV19 and MosMedData+ (Li et
//! al., LViT, 2022): "Bilateral pulmonary infection, two infected areas, upper left lung and all right lung."

use std::ops::Range;

use super::lexicon::{LungTerm, Token, lung_terms};
use super::parsed::{Parsed, Part, PartKind, Unread};
use super::value::{LungFinding, Lungs, Prompt, Zones};
use super::words::{Laterality, Side, number_word};
use crate::text::capitalised;

/// Reads the words of a prompt of infected lungs.
pub(super) fn parse(tokens: &[Token]) -> Parsed {
    let mut reader = Reader::new(lung_terms(tokens));
    while reader.at < reader.words.len() {
        reader.step();
    }
    reader.end_place();
    reader.finish()
}

/// A place that is being read.
#[derive(Debug, Default)]
struct Open {
    /// The indices of its words.
    words: Vec<usize>,
    zones: Zones,
    side: Option<Side>,
    /// "lung" was read.
    is_closed: bool,
    /// It names both sides, or "all" beside a zone.
    is_contradictory: bool,
}

struct Reader {
    words: Vec<(Token, Option<LungTerm>)>,
    is_understood: Vec<bool>,
    at: usize,
    open: Open,
    lungs: Lungs,
    findings: Vec<Range<usize>>,
    parts: Vec<Part>,
}

impl Reader {
    fn new(words: Vec<(Token, Option<LungTerm>)>) -> Self {
        let is_understood = vec![false; words.len()];
        let (open, lungs) = (Open::default(), Lungs::default());
        Self { words, is_understood, at: 0, open, lungs, findings: Vec::new(), parts: Vec::new() }
    }

    fn term(&self, at: usize) -> Option<LungTerm> {
        self.words.get(at).and_then(|word| word.1)
    }

    /// Returns the end of the words from `at` for which `belongs` holds.
    fn run(&self, at: usize, belongs: impl Fn(LungTerm) -> bool) -> usize {
        let belong = self.words[at.min(self.words.len())..].iter().take_while(|word| word.1.is_some_and(&belongs));
        at + belong.count()
    }

    /// Notes that the words `from..to` were understood, as a part if they tell something.
    fn understood(&mut self, kind: Option<PartKind>, from: usize, to: usize) {
        self.is_understood[from..to].fill(true);
        if let Some(kind) = kind {
            let bytes = self.words[from].0.bytes.start..self.words[to - 1].0.bytes.end;
            self.parts.push(Part { kind, bytes });
        }
        self.at = to;
    }

    fn step(&mut self) {
        let at = self.at;
        let is_infection = |term| matches!(term, LungTerm::Infection | LungTerm::Infected);
        match self.term(at) {
            Some(LungTerm::Zone(_) | LungTerm::All | LungTerm::Side(_) | LungTerm::Lung) => self.place(),
            Some(LungTerm::And) => self.and(),
            Some(LungTerm::Filler) => self.understood(None, at, at + 1),
            Some(LungTerm::Laterality(laterality)) => {
                self.end_place();
                let end = self.run(at + 1, is_infection);
                self.laterality(laterality, at, end);
            }
            Some(LungTerm::No) => {
                self.end_place();
                let end = self.run(at + 1, is_infection);
                if end > at + 1 && self.words[at].0.is("no") {
                    self.laterality(Laterality::None, at, end);
                } else {
                    self.skip_negated();
                }
            }
            Some(LungTerm::Number(number)) => {
                self.end_place();
                self.number(number);
            }
            Some(LungTerm::Infected | LungTerm::Infection | LungTerm::Area) => {
                self.end_place();
                self.understood(None, at, at + 1);
            }
            None => {
                if self.words[at].0.is_word && !self.open.is_closed && !self.is_whole() {
                    // Of "lower xyz lung" it is not known what was meant.
                    self.open = Open::default();
                } else {
                    self.end_place();
                }
                self.at += 1;
            }
        }
    }

    /// Says whether the open place has both a side and zones, so that the word "lung" may be missing.
    fn is_whole(&self) -> bool {
        self.open.side.is_some() && !self.open.zones.is_empty()
    }

    fn laterality(&mut self, laterality: Laterality, from: usize, to: usize) {
        if self.lungs.laterality.is_some_and(|other| other != laterality) {
            self.at = to;
            return;
        }
        self.lungs.laterality = Some(laterality);
        self.understood(Some(PartKind::Laterality), from, to);
    }

    /// Passes over what a word such as "not" or "without" negates: up to the next mark.
    fn skip_negated(&mut self) {
        let rest = &self.words[self.at..];
        self.at += rest.iter().position(|(token, _)| !token.is_word).unwrap_or(rest.len());
    }

    fn number(&mut self, number: u32) {
        let at = self.at;
        let end = self.run(at + 1, |term| matches!(term, LungTerm::Infected | LungTerm::Area));
        let names_areas = self.words[at + 1..end].iter().any(|word| word.1 == Some(LungTerm::Area));
        let follows_number = at > 0 && matches!(self.term(at - 1), Some(LungTerm::Number(_)));
        if names_areas && !follows_number && self.lungs.areas.is_none() {
            self.lungs.areas = Some(number);
            self.understood(Some(PartKind::Areas), at, end);
        } else {
            self.at += 1;
        }
    }

    fn place(&mut self) {
        if self.open.is_closed {
            self.end_place();
        }
        let (at, open) = (self.at, &mut self.open);
        open.words.push(at);
        match self.words[at].1 {
            Some(LungTerm::Zone(zone)) => {
                open.is_contradictory |= open.zones.is_all();
                open.zones = open.zones.with(zone);
            }
            Some(LungTerm::All) => {
                open.is_contradictory |= !open.zones.is_empty() && !open.zones.is_all();
                open.zones = Zones::ALL;
            }
            Some(LungTerm::Side(side)) => {
                open.is_contradictory |= open.side.is_some_and(|other| other != side);
                open.side = Some(side);
            }
            _ => open.is_closed = true,
        }
        self.at += 1;
    }

    /// "And" ends a place, but for "upper and lower left lung".
    fn and(&mut self) {
        let zones_go_on = self.open.side.is_none()
            && !self.open.is_closed
            && !self.open.zones.is_empty()
            && matches!(self.term(self.at + 1), Some(LungTerm::Zone(_)));
        if !zones_go_on {
            self.end_place();
        }
        self.understood(None, self.at, self.at + 1);
    }

    /// Ends the place that is being read, and takes it as a finding unless it contradicts itself.
    fn end_place(&mut self) {
        let open = std::mem::take(&mut self.open);
        let (Some(first), Some(last)) = (open.words.first(), open.words.last()) else { return };
        if open.is_contradictory {
            return;
        }
        let at = self.at;
        for index in &open.words {
            self.is_understood[*index] = true;
        }
        if open.side.is_none() && open.zones.is_empty() {
            // The word "lung" alone is no place.
            return;
        }
        self.findings.push(self.words[*first].0.bytes.start..self.words[*last].0.bytes.end);
        self.lungs.findings.push(LungFinding { side: open.side, zones: open.zones });
        let is_zone = |index: &usize| matches!(self.words[*index].1, Some(LungTerm::Zone(_) | LungTerm::All));
        let (zones, sides): (Vec<usize>, Vec<usize>) = open.words.iter().copied().partition(is_zone);
        for (kind, words) in [(PartKind::Zones, zones), (PartKind::Side, sides)] {
            if let (Some(from), Some(to)) = (words.first(), words.last()) {
                let bytes = self.words[*from].0.bytes.start..self.words[*to].0.bytes.end;
                self.parts.push(Part { kind, bytes });
            }
        }
        self.at = at;
    }

    fn finish(self) -> Parsed {
        let mut unread = Unread::default();
        for ((token, _), is_understood) in self.words.iter().zip(self.is_understood) {
            if is_understood { unread.close() } else { unread.add(token) }
        }
        Parsed {
            prompt: Some(Prompt::Lungs(self.lungs)),
            findings: self.findings,
            parts: self.parts,
            not_understood: unread.ranges,
        }
    }
}

/// Prints what is known, in the words of QaTa-COV19.
pub(super) fn print(lungs: &Lungs) -> String {
    let mut clauses = Vec::new();
    if let Some(laterality) = lungs.laterality {
        let word = if laterality == Laterality::None { "no" } else { laterality.word() };
        clauses.push(format!("{word} pulmonary infection"));
    }
    if let Some(areas) = lungs.areas {
        let noun = if areas == 1 { "area" } else { "areas" };
        clauses.push(format!("{} infected {noun}", number_word(areas)));
    }
    let places: Vec<String> = lungs.findings.iter().map(place).collect();
    if !places.is_empty() {
        clauses.push(places.join(" and "));
    }
    match clauses.is_empty() {
        true => String::new(),
        false => capitalised(&clauses.join(", ")) + ".",
    }
}

/// Prints a place: "upper middle left lung".
pub(super) fn place(finding: &LungFinding) -> String {
    let side = finding.side.map(Side::word);
    let words = finding.zones.words().into_iter().chain(side);
    words.chain(["lung"]).collect::<Vec<_>>().join(" ")
}
