//! Condenses an endoscopy report. Places are those in the image, for which the patient's side has no meaning.

use super::context::{Status, statuses};
use super::distilled::{Distilled, LeftOut, Options, Reason, Source, Told};
use super::sentences::{Section, sentences};
use crate::text::prompt::lexicon::Token;
use crate::text::prompt::parsed::Unread;
use crate::text::prompt::polyps::{colour_of, place_at, shape_at};
use crate::text::prompt::value::{Polyps, Prompt};
use crate::text::prompt::words::{Size, number_of};

/// Words for a polyp, and those that stand for it in the next sentence.
const SUBJECTS: &str = "polyp polyps lesion lesions growth growths it they its their these them one shape";
/// What else is described: its colour and place are not those of a polyp.
const OTHERS: &str = "mucosa bleeding blood vessel vessels fold folds lumen preparation bowel stool fluid ulcer ulcers \
    ulceration diverticulum diverticula scope margin margins inflammation";
/// Words that tell nothing for a prompt.
const KNOWN: &str = "a an the and or of in at on with without no not nor is are was were there which that this has have \
    been seen noted found shows showed reveals demonstrates colonoscopy endoscopy frame image view located lies lie \
    position positions size sized colour color coloured colored shaped like projecting tissue surrounding normal \
    unremarkable active further other additional evidence identified visible area region part field quadrant from total \
    number measured appearance adequate clean well visualized visualised intact otherwise both each respectively to \
    resection advised biopsy surface measuring about middle mm cm";

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == word)
}

/// Condenses an endoscopy report.
pub(super) fn distil(report: &str, tokens: &[Token], options: &Options) -> Distilled {
    let mut reader = Reader { options, polyps: Polyps::default(), is_denied: false, found: Distilled::default() };
    let mut unread = Unread::default();
    let mut has_places = None;
    for sentence in sentences(report, tokens) {
        let words = &tokens[sentence.tokens.clone()];
        let statuses = statuses(words, |range| words[range].iter().any(|word| is_in("is are there", &word.text)));
        let names = |list| words.iter().any(|word| is_in(list, &word.text));
        let is_described = sentence.section != Section::Background && names(SUBJECTS) && !names(OTHERS);
        // The impression repeats what the findings say.
        let repeats = has_places.is_some_and(|section| section != sentence.section);
        unread.close();
        let mut at = 0;
        while at < words.len() {
            let (count, is_known) = reader.word(words, at, &statuses, is_described, repeats);
            for word in &words[at..at + count] {
                if is_known { unread.close() } else { unread.add(word) }
            }
            at += count;
        }
        if has_places.is_none() && !reader.polyps.places.is_empty() {
            has_places = Some(sentence.section);
        }
    }
    if reader.is_denied && reader.polyps == Polyps::default() {
        reader.polyps.number = Some(0);
    }
    let prompt = (reader.polyps != Polyps::default()).then_some(Prompt::Polyps(reader.polyps));
    Distilled { prompt, not_understood: unread.ranges, ..reader.found }
}

struct Reader<'a> {
    options: &'a Options<'a>,
    polyps: Polyps,
    /// The report says that there is no polyp.
    is_denied: bool,
    found: Distilled,
}

impl Reader<'_> {
    /// Reads the words from `at`. Returns how many were read, and whether they are known.
    fn word(
        &mut self,
        words: &[Token],
        at: usize,
        statuses: &[Status],
        is_described: bool,
        repeats: bool,
    ) -> (usize, bool) {
        let word = words[at].text.as_str();
        let told = |told, count| (count, Some(told));
        let place = place_at(words, at);
        let shape = shape_at(words, at);
        let counts_polyps = || {
            // "A 6 mm polyp" is one.
            if words
                .get(at + 1)
                .is_some_and(|word| matches!(word.text.as_str(), "mm" | "cm" | "." | "-" | "x" | "×"))
            {
                return false;
            }
            let rest = words[at + 1..].iter().take(12);
            let mut rest = rest.take_while(|word| word.is_word || word.is(","));
            rest.any(|word| matches!(word.text.as_str(), "polyp" | "polyps"))
        };
        let (count, told) = if let Some((_, count)) = shape.filter(|(_, count)| *count > 1) {
            told(Told::Shape, count)
        } else if let Some((_, count)) = place {
            told(Told::Place, count)
        } else if number_of(word).is_some() && counts_polyps() {
            told(Told::Number, 1)
        } else if Size::of(word).is_some() {
            told(Told::Size, 1)
        } else if colour_of(word).is_some() {
            told(Told::Colour, 1)
        } else if shape.is_some() {
            told(Told::Shape, 1)
        } else {
            if matches!(word, "polyp" | "polyps") && statuses[at] == Status::Negated {
                // "No further polyp" denies none of those before.
                self.is_denied = true;
                self.found.left_out.push(LeftOut { bytes: words[at].bytes.clone(), reason: Reason::Negated });
            }
            return (
                1,
                is_in(SUBJECTS, word) || is_in(OTHERS, word) || is_in(KNOWN, word) || number_of(word).is_some(),
            );
        };
        let Some(told) = told else { return (1, false) };
        let bytes = words[at].bytes.start..words[at + count - 1].bytes.end;
        let status = statuses[at];
        let reason = match status {
            _ if !is_described => Some(Reason::OtherFinding),
            Status::Negated => Some(Reason::Negated),
            Status::Past => Some(Reason::Past),
            Status::Possible if !self.options.with_possible => Some(Reason::Uncertain),
            _ => None,
        };
        if let Some(reason) = reason {
            self.found.left_out.push(LeftOut { bytes, reason });
            return (count, true);
        }
        let polyps = &mut self.polyps;
        let is_new = match told {
            Told::Number => number_of(word).is_some_and(|number| set(&mut polyps.number, number)),
            Told::Colour => colour_of(word).is_some_and(|colour| set(&mut polyps.colour, colour)),
            Told::Shape => shape.is_some_and(|(shape, _)| set(&mut polyps.shape, shape)),
            Told::Size => {
                let size = Size::of(word).filter(|size| !polyps.sizes.contains(size));
                polyps.sizes.extend(size);
                true
            }
            _ => {
                polyps.places.extend(place.map(|(place, _)| place).filter(|_| !repeats));
                true
            }
        };
        match is_new {
            true => self.found.sources.push(Source { told, bytes, status }),
            false => self.found.left_out.push(LeftOut { bytes, reason: Reason::Conflict }),
        }
        (count, true)
    }
}

/// Sets a value that is not set yet. Returns whether it now is `value`.
fn set<T: PartialEq + Copy>(known: &mut Option<T>, value: T) -> bool {
    *known.get_or_insert(value) == value
}
