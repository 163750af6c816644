//! Reads and prints prompts of polyps, in the words of medvlsm's prompts of Kvasir-SEG (Poudel et al., 2023): "one
//! small pink circle polyp which is a projecting growth of tissue located in right of the image".

use std::ops::Range;

use super::lexicon::Token;
use super::parsed::{Parsed, Part, PartKind, Unread};
use super::value::{Polyps, Prompt};
use super::words::{Colour, Place, Shape, Size, number_of, number_word};

/// The words that connect the attributes and tell nothing by themselves.
const FILLERS: [&str; 14] =
    ["a", "an", "and", "at", "in", "is", "it", "located", "of", "shape", "shaped", "the", "image", "with"];
/// The words of the phrase that follows "polyp".
const GROWTH: [&str; 7] = ["which", "is", "are", "a", "projecting", "growth", "growths"];
/// Words that negate what follows.
const NEGATIONS: [&str; 6] = ["no", "not", "without", "never", "nor", "absent"];
/// Shapes of several words; one of a single word may be followed by "shape".
const LONG_SHAPES: [(&[&str], Shape); 3] = [
    (&["middle", "of", "ear"], Shape::MiddleOfEar),
    (&["middle", "of", "donut"], Shape::MiddleOfDonut),
    (&["large", "bone"], Shape::LargeBone),
];

/// Reads the words of a prompt of polyps.
pub(super) fn parse(tokens: &[Token]) -> Parsed {
    let mut reader = Reader {
        words: tokens,
        is_understood: vec![false; tokens.len()],
        at: 0,
        polyps: Polyps::default(),
        parts: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.finish()
}

struct Reader<'a> {
    words: &'a [Token],
    is_understood: Vec<bool>,
    at: usize,
    polyps: Polyps,
    parts: Vec<Part>,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |token| token.text.as_str())
    }

    fn understood(&mut self, kind: Option<PartKind>, count: usize) {
        let words = self.at..self.at + count;
        self.is_understood[words.clone()].fill(true);
        if let Some(kind) = kind {
            let bytes = self.words[words.start].bytes.start..self.words[words.end - 1].bytes.end;
            self.parts.push(Part { kind, bytes });
        }
        self.at = words.end;
    }

    fn step(&mut self) {
        let word = self.word(self.at).to_owned();
        if NEGATIONS.contains(&word.as_str()) {
            return self.negation();
        }
        if let Some((shape, count)) = shape_at(self.words, self.at).filter(|(_, count)| *count > 1) {
            return self.shape(shape, count);
        }
        if let Some((place, count)) = place_at(self.words, self.at) {
            self.polyps.places.push(place);
            return self.understood(Some(PartKind::Place), count);
        }
        if let Some(number) = number_of(&word) {
            return self.number(number);
        }
        // After the colour stands the shape, and "large" is none.
        if let Some(size) = Size::of(&word).filter(|_| self.polyps.colour.is_none()) {
            self.polyps.sizes.push(size);
            return self.understood(Some(PartKind::Size), 1);
        }
        if let Some(colour) = colour_of(&word) {
            return match self.polyps.colour {
                None => {
                    self.polyps.colour = Some(colour);
                    self.understood(Some(PartKind::Colour), 1);
                }
                Some(_) => self.at += 1,
            };
        }
        if let Some((shape, count)) = shape_at(self.words, self.at) {
            return self.shape(shape, count);
        }
        match word.as_str() {
            "polyp" | "polyps" => {
                self.understood(Some(PartKind::Polyp), 1);
                self.growth();
            }
            _ if FILLERS.contains(&word.as_str()) => self.understood(None, 1),
            _ => self.at += 1,
        }
    }

    /// Reads "no polyp", or passes over what is negated: up to the next mark.
    fn negation(&mut self) {
        let is_polyp = |word: &str| matches!(word, "polyp" | "polyps");
        if self.word(self.at) == "no" && is_polyp(self.word(self.at + 1)) && self.polyps.number.is_none() {
            self.polyps.number = Some(0);
            return self.understood(Some(PartKind::Number), 2);
        }
        let rest = &self.words[self.at..];
        self.at += rest.iter().position(|token| !token.is_word).unwrap_or(rest.len());
    }

    fn number(&mut self, number: u32) {
        match self.polyps.number {
            None => {
                self.polyps.number = Some(number);
                self.understood(Some(PartKind::Number), 1);
            }
            Some(_) => self.at += 1,
        }
    }

    fn shape(&mut self, shape: Shape, count: usize) {
        match self.polyps.shape {
            None => {
                self.polyps.shape = Some(shape);
                self.understood(Some(PartKind::Shape), count);
            }
            Some(_) => self.at += count,
        }
    }

    /// Reads the phrase "which is a projecting growth of tissue".
    fn growth(&mut self) {
        let rest = &self.words[self.at..];
        let mut count = rest.iter().take_while(|token| GROWTH.contains(&token.text.as_str())).count();
        if count > 0 && rest[..count].iter().any(|token| token.text.starts_with("growth")) {
            let of_tissue = ["of", "tissue"];
            if (0..2).all(|offset| self.word(self.at + count + offset) == of_tissue[offset]) {
                count += 2;
            }
            self.understood(Some(PartKind::Growth), count);
        }
    }

    fn finish(self) -> Parsed {
        let mut unread = Unread::default();
        for (token, is_understood) in self.words.iter().zip(&self.is_understood) {
            if *is_understood { unread.close() } else { unread.add(token) }
        }
        let is_named =
            self.polyps != Polyps::default() || self.parts.iter().any(|part| part.kind == PartKind::Polyp);
        let whole: Option<Range<usize>> = self
            .parts
            .iter()
            .map(|part| part.bytes.clone())
            .reduce(|whole, part| whole.start.min(part.start)..whole.end.max(part.end));
        let findings = whole.filter(|_| is_named && self.polyps.number != Some(0)).into_iter().collect();
        Parsed {
            prompt: Some(Prompt::Polyps(self.polyps)),
            findings,
            parts: self.parts,
            not_understood: unread.ranges,
        }
    }
}

/// Returns the colour of a word in lower case.
pub(super) fn colour_of(word: &str) -> Option<Colour> {
    Colour::of(if word == "grey" { "gray" } else { word })
}

/// Returns the shape whose words begin at `at`, and their number.
pub(super) fn shape_at(words: &[Token], at: usize) -> Option<(Shape, usize)> {
    let word = |at: usize| words.get(at).map_or("", |token| token.text.as_str());
    let begins =
        |shape: &[&str]| shape.iter().enumerate().all(|(offset, expected)| word(at + offset) == *expected);
    let long = LONG_SHAPES.iter().find(|(words, _)| begins(words));
    long.map(|(words, shape)| (*shape, words.len())).or_else(|| Shape::of(word(at)).map(|shape| (shape, 1)))
}

/// Returns the place whose words begin at `at`, and their number.
pub(super) fn place_at(words: &[Token], at: usize) -> Option<(Place, usize)> {
    let word = |at: usize| words.get(at).map_or("", |token| token.text.as_str());
    let row = |word: &str| match word {
        "top" | "upper" => Some(0),
        "bottom" | "lower" => Some(2),
        _ => None,
    };
    let column = |word: &str| match word {
        "left" => Some(0),
        "right" => Some(2),
        _ => None,
    };
    match (row(word(at)), column(word(at + 1))) {
        (Some(row), Some(column)) => Some((Place::at(row, column), 2)),
        (Some(row), None) => Some((Place::at(row, 1), 1)),
        (None, _) if matches!(word(at), "center" | "centre" | "middle") => Some((Place::Center, 1)),
        (None, _) => column(word(at)).map(|column| (Place::at(1, column), 1)),
    }
}

/// How the noun is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noun {
    /// "polyp which is" for any number, as in the data set.
    #[default]
    AsInData,
    /// "polyps which are" for several, as in the preset prompts.
    Plural,
}

/// Prints what is known, in the words of Kvasir-SEG.
pub(super) fn print(polyps: &Polyps, noun: Noun) -> String {
    if polyps.number == Some(0) {
        return "no polyp".to_owned();
    }
    let joined = |words: Vec<&'static str>| Some(words.join(", ")).filter(|words| !words.is_empty());
    let number = polyps.number.map(number_word);
    let sizes = joined(polyps.sizes.iter().map(|size| size.word()).collect());
    let colour = polyps.colour.map(|colour| colour.word().to_owned());
    let shape = polyps.shape.map(|shape| shape.word().to_owned());
    let is_plural = noun == Noun::Plural && polyps.number.is_some_and(|number| number > 1);
    let (noun, verb) = if is_plural { ("polyps", "are") } else { ("polyp", "is") };
    let attributes = [number, sizes, colour, shape].into_iter().flatten();
    let mut text = attributes.chain([noun.to_owned()]).collect::<Vec<_>>().join(" ");
    text += &format!(" which {verb} a projecting growth of tissue");
    if let Some(places) = joined(polyps.places.iter().map(|place| place.word()).collect()) {
        text += &format!(" located in {places} of the image");
    }
    text
}
