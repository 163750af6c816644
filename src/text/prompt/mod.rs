//! Prompts as values: read, printed and mirrored in the grammars of the data sets.
//!
//! Two grammars are known: infected areas of the lungs (LViT's prompts of QaTa-COV19 and MosMedData+) and polyps
//! (medvlsm's prompts of Kvasir-SEG). In both, left and right are sides of the *image*.

mod check;
mod check_values;
mod edit;
mod forms;
pub mod json;
mod lexicon;
mod lungs;
mod mirror;
mod parse;
mod parsed;
mod phrases;
mod polyps;
mod print;
mod reading;
pub mod report;
mod samples;
mod training;
mod training_words;
mod typing;
mod value;
mod warning;
mod words;

pub use check::{Readable, TokenCounter, check};
pub use forms::Form;
pub use mirror::mirror;
pub use parse::parse;
pub use parsed::{Parsed, Part, PartKind};
pub use phrases::{Exchange, MOST_PHRASES, Phrase, all_phrases, counterpart, exchanges, phrases, without, words};
pub use reading::{Misread, ReadWord, Reading, reading};
pub use samples::samples;
pub use training::{ELSEWHERE, Variant, VariantKind, VariantMask, training_variant};
pub use training_words::denials;
pub use typing::{complete_end, completed, completions, grammar_words};
pub use value::{Grammar, LungFinding, Lungs, Polyps, Prompt, Zones, laterality_of};
pub use warning::{Rule, Warning};
pub use words::{Colour, Laterality, Place, Shape, Side, Size, Zone, number_of, number_word};
