//! What each word and each phrase of a prompt contributes, and what changes if one word is exchanged.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::case::InfluenceCase;
use super::change::Change;
use super::edits::{EditedPart, Edits, InfluenceMethods};
use crate::infer::error::InferError;
use crate::infer::prediction::Plane;
use crate::infer::segmenter::Segmenter;
use crate::text::prompt::{Exchange, PartKind, all_phrases};

/// The most words that are examined, whatever the token limit of the model is.
const MOST_WORDS: usize = 64;

/// The prediction for a changed prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The changed prompt.
    pub text: String,
    /// How its mask differs from that of the whole prompt.
    pub change: Change,
    /// Its probability at the size of the network's output.
    pub probability: Arc<Plane>,
}

/// The influence of a word or a phrase.
#[derive(Clone, Debug, PartialEq)]
pub struct PartInfluence {
    /// Where it stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// What a phrase tells; `None` for words, and for phrases that were not understood or join several parts.
    pub kind: Option<PartKind>,
    /// What changes without it; `None` if this was not asked for.
    pub left_out: Option<Effect>,
    /// What changes with the mask token in its place; `None` if this was not asked for or the model has no mask token.
    pub masked: Option<Effect>,
}

/// The influence of exchanging one word.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeInfluence {
    /// What is exchanged: "right for left".
    pub label: String,
    /// Where the word stands in the prompt, in bytes.
    pub bytes: Range<usize>,
    /// What changes.
    pub effect: Effect,
}

/// The influence of the words of a prompt on its mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    /// The prompt.
    pub prompt: String,
    /// The threshold of the masks.
    pub threshold: f32,
    /// The share of the network's output that the mask of the prompt covers, 0…1.
    pub area: f64,
    /// The Dice coefficient of that mask with the ground truth; `None` without one.
    pub dice: Option<f64>,
    /// The probability for the whole prompt at the size of the network's output.
    pub probability: Arc<Plane>,
    /// The words in the order of the text.
    pub words: Vec<PartInfluence>,
    /// The phrases in the order of the text.
    pub phrases: Vec<PartInfluence>,
    /// The exchanges in the order of the text.
    pub exchanges: Vec<ExchangeInfluence>,
    /// The number of words at the end of the text that were not examined, because the model cannot read as many.
    pub unexamined: usize,
    /// The number of phrases before neighbours were joined to at most eight.
    pub parts: usize,
    /// Whether the model lacks the mask token, so that nothing could be replaced by it.
    pub lacks_mask_token: bool,
    /// The number of different texts that were predicted.
    pub predictions: usize,
}

impl Influence {
    /// Returns remarks for the user about what was not examined as it stands: sentences, without a name of the model.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.unexamined > 0 {
            let (these, count) = (if self.unexamined == 1 { "word" } else { "words" }, self.unexamined);
            remarks.push(format!("The last {count} {these} of the text are beyond what the model reads."));
        }
        remarks.extend(joined(self.parts, self.phrases.len()));
        if self.lacks_mask_token {
            remarks.push("The vocabulary of the model has no [MASK], so no word could be replaced by it.".into());
        }
        remarks
    }
}

/// Says that phrases were joined; `None` if they were not.
pub(super) fn joined(parts: usize, phrases: usize) -> Option<String> {
    (parts > phrases).then(|| {
        format!("The prompt has {parts} phrases; short neighbours were joined, so that {phrases} are examined.")
    })
}

/// Examines the words and the phrases of a prompt by `methods`.
///
/// Each different text is predicted once. `progress` receives the numbers of finished and of all predictions; if it
/// breaks, the answer is `None`.
///
/// # Errors
/// The model reads no text, the prompt has no words, or a prediction failed.
pub fn influence(
    segmenter: &mut dyn Segmenter,
    case: &InfluenceCase<'_>,
    methods: InfluenceMethods,
    progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Influence>, InferError> {
    let InfluenceCase { prompt, threshold, .. } = *case;
    let most = case.readable_words(segmenter)?.min(MOST_WORDS);
    // The first prediction tells the pieces of the words, of which each becomes a mask token.
    let whole = case.whole(segmenter)?;
    let edits = Edits::of(prompt, most, methods, |word| whole.pieces(word));
    let texts = edits.texts.all();
    let Some(seen) = case.others(segmenter, whole, &texts[1..], progress)? else { return Ok(None) };
    let whole = &seen[0];
    // Without the token in its vocabulary, a model reads "[MASK]" as a word in brackets.
    let mut masked = edits.words.iter().chain(&edits.phrases).filter_map(|part| part.masked);
    let lacks_mask_token = methods.mask_token && !masked.any(|place| seen[place].has_mask_token);
    let effect = |place: usize| Effect {
        text: texts[place].clone(),
        change: seen[place].change_from(whole, threshold),
        probability: seen[place].probability.clone(),
    };
    let part = |part: EditedPart| PartInfluence {
        bytes: part.bytes,
        kind: part.kind,
        left_out: part.left_out.map(effect),
        masked: part.masked.filter(|_| !lacks_mask_token).map(effect),
    };
    let exchange = |(place, exchange): (usize, Exchange)| ExchangeInfluence {
        label: exchange.label,
        bytes: exchange.bytes,
        effect: effect(place),
    };
    Ok(Some(Influence {
        prompt: prompt.to_owned(),
        threshold,
        area: whole.area,
        dice: whole.dice,
        probability: whole.probability.clone(),
        words: edits.words.into_iter().map(part).collect(),
        phrases: edits.phrases.into_iter().map(part).collect(),
        exchanges: edits.exchanges.into_iter().map(exchange).collect(),
        unexamined: edits.unexamined,
        parts: all_phrases(prompt).len(),
        lacks_mask_token,
        predictions: texts.len(),
    }))
}
