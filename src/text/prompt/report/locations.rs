//! Finds the places of the lungs that a sentence of a report names.

use std::ops::Range;

use super::terms::{Number, Term};
use crate::text::prompt::lexicon::Token;
use crate::text::prompt::value::Zones;
use crate::text::prompt::words::{Side, Zone};

/// A place: zones of one lung or of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The sides as the report means them, left then right.
    pub sides: [bool; 2],
    /// The zones; empty if none is named.
    pub zones: Zones,
    /// The indices of the words, within the sentence.
    pub words: Range<usize>,
    /// "Lung", "lobe" or the like was read.
    has_noun: bool,
    /// The side came before the zones.
    side_first: bool,
    /// A side that holds unless another follows: "right lower lobe and upper lobe".
    inherited: [bool; 2],
}

impl Location {
    fn at(index: usize) -> Self {
        Self { words: index..index + 1, ..Self::default() }
    }

    /// Says whether a side is named.
    pub fn has_side(&self) -> bool {
        self.sides != [false; 2]
    }
}

/// The place that is being read, and what connects it with the next word.
#[derive(Default)]
struct Reader {
    open: Option<Location>,
    has_and: bool,
    has_of: bool,
    found: Vec<Location>,
}

/// Returns the places of a sentence in their order. `terms` has the term of every word.
pub fn locations(words: &[Token], terms: &[Option<Term>]) -> Vec<Location> {
    let mut reader = Reader::default();
    for (index, (word, term)) in words.iter().zip(terms).enumerate() {
        match term {
            Some(Term::Side(side)) => reader.side(index, *side),
            Some(Term::Both) => reader.both(index),
            Some(Term::Zone(zone)) => reader.zones(index, |zones| zones.with(*zone)),
            Some(Term::All) => reader.zones(index, |_| Zones::ALL),
            Some(Term::Noun) => reader.noun(index),
            Some(Term::Part(zone, number)) => {
                reader.zones(index, |zones| zones.with(*zone));
                if *number == Number::Both
                    && let Some(open) = &mut reader.open
                    && !open.has_side()
                {
                    open.inherited = [true; 2];
                }
                reader.noun(index);
            }
            Some(Term::Lobe(side, zone)) => {
                reader.end();
                reader.side(index, *side);
                reader.zones(index, |zones| zones.with(*zone));
                reader.noun(index);
            }
            Some(Term::BothZone(zone)) => {
                reader.end();
                reader.both(index);
                reader.zones(index, |zones: Zones| zones.with(*zone));
            }
            Some(Term::And) => reader.has_and = true,
            _ => match word.text.as_str() {
                "," | "/" | "&" => reader.has_and = true,
                "of" | "in" => reader.has_of = true,
                "the" | "-" | "sided" => {}
                _ => reader.end(),
            },
        }
    }
    reader.end();
    reader.found
}

impl Reader {
    fn end(&mut self) {
        if let Some(mut open) = self.open.take() {
            if !open.has_side() {
                open.sides = open.inherited;
            }
            if open.has_side() || !open.zones.is_empty() {
                self.found.push(open);
            }
        }
        (self.has_and, self.has_of) = (false, false);
    }

    fn open(&mut self, index: usize) -> &mut Location {
        let open = self.open.get_or_insert_with(|| Location::at(index));
        open.words.end = index + 1;
        (self.has_and, self.has_of) = (false, false);
        open
    }

    fn side(&mut self, index: usize, side: Side) {
        let place = side as usize;
        if let Some(open) = &self.open {
            let goes_on = if !open.has_side() {
                // "Lower zone of the left lung", "lower left lung", but not "lung bases and left lung".
                if open.has_noun { self.has_of } else { !self.has_and }
            } else if open.sides[place] {
                !open.has_noun && !self.has_and
            } else {
                // "Left and right lower lobes".
                open.zones.is_empty() && !open.has_noun && self.has_and
            };
            if !goes_on {
                self.end();
            }
        }
        let open = self.open(index);
        open.side_first |= open.zones.is_empty();
        open.sides[place] = true;
    }

    fn both(&mut self, index: usize) {
        if self.open.as_ref().is_some_and(|open| open.has_side() || open.has_noun && !self.has_of) {
            // "In the lower zones bilaterally" comes after the noun.
            let follows_zones = self.open.as_ref().is_some_and(|open| !open.has_side() && !self.has_and);
            if !follows_zones {
                self.end();
            }
        }
        let open = self.open(index);
        open.side_first |= open.zones.is_empty();
        open.sides = [true; 2];
    }

    fn zones(&mut self, index: usize, add: impl Fn(Zones) -> Zones) {
        if let Some(open) = &self.open {
            let (sides, has_zones) = (open.sides, !open.zones.is_empty());
            let is_new = match open.has_noun {
                // "Left lung, lower zone" is one place, "left lung and lower right lung" are two.
                true => has_zones || self.has_and,
                false => has_zones && open.has_side() && !open.side_first,
            };
            if is_new {
                let inherited = if open.has_noun { sides } else { [false; 2] };
                self.end();
                self.open(index).inherited = inherited;
            }
        }
        let open = self.open(index);
        open.zones = add(open.zones);
    }

    fn noun(&mut self, index: usize) {
        if self.open.is_some() {
            self.open(index).has_noun = true;
        }
    }
}

/// Returns the zones of a lung in which only "all" or single zones stand.
pub fn union(a: Zones, b: Zones) -> Zones {
    if a.is_all() || b.is_all() {
        return Zones::ALL;
    }
    Zone::ALL.iter().copied().filter(|zone| a.has(*zone) || b.has(*zone)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::terms::term;
    use super::*;
    use crate::text::prompt::lexicon::tokens;

    fn read(sentence: &str) -> Vec<String> {
        let words = tokens(sentence);
        let terms: Vec<Option<Term>> = words.iter().map(|word| term(&word.text)).collect();
        let sides = |location: &Location| match location.sides {
            [true, true] => "both",
            [true, false] => "left",
            [false, true] => "right",
            _ => "none",
        };
        let found = locations(&words, &terms);
        found.iter().map(|found| format!("{} {}", sides(found), found.zones.words().join(" "))).collect()
    }

    #[test]
    fn places_in_the_usual_wordings() {
        for (sentence, expected) in [
            ("all left lung and upper lower right lung", &["left all", "right upper lower"][..]),
            ("in the right lower lobe and left upper zone", &["right lower", "left upper"]),
            ("the left mid and lower zones", &["left middle lower"]),
            ("the upper and lower zones of the left lung", &["left upper lower"]),
            ("the upper, middle and lower zones of the left lung", &["left upper middle lower"]),
            ("upper zone of the left lung and lower zone of the right lung", &["left upper", "right lower"]),
            ("right lower lobe and upper lobe", &["right lower", "right upper"]),
            ("both lower lobes", &["both lower"]),
            ("lower zones of both lungs", &["both lower"]),
            ("the left and right lower lobes", &["both lower"]),
            ("left and right lungs", &["both "]),
            ("bibasal", &["both lower"]),
            ("at the lung bases", &["both lower"]),
            ("the left base and right apex", &["left lower", "right upper"]),
            ("RLL and LUL", &["right lower", "left upper"]),
            ("the lower zones bilaterally", &["both lower"]),
            ("the left lung and lower right lung", &["left ", "right lower"]),
            ("upper left and lower right lung", &["left upper", "right lower"]),
            ("the whole right lung", &["right all"]),
            ("the lungs are clear", &[]),
        ] {
            assert_eq!(read(sentence), expected, "{sentence}");
        }
    }
}
