//! The influence of the words of a prompt on its mask.
//!
//! Three methods answer three questions. *Leave-one-out* takes a word or a phrase out of the text: what would the mask
//! be if nobody had said it? What follows then moves up, and words beyond the token limit may come into it.
//! *Mask token* replaces it by BERT's `[MASK]`, one for each of its pieces: what would the mask be if the word were
//! unreadable, with all others in their place? *Shapley values* share the whole effect of the text among its phrases:
//! a phrase receives the mean of what it adds over every order in which the phrases can be said, so that two phrases
//! that say the same share the credit, which leaving out either of them alone does not show.
//!
//! Areas, changed pixels and probabilities are those of the network's own output ([`Prediction::probability_model`]);
//! Dice is that of the mask at the size of the image, because it is compared with a ground truth.
//!
//! [`Prediction::probability_model`]: crate::infer::Prediction::probability_model

mod case;
mod change;
mod edits;
mod masked;
mod phrases;
mod shapley;
#[cfg(test)]
mod tests;
mod words;

pub use case::InfluenceCase;
pub use change::Change;
pub use edits::InfluenceMethods;
pub use phrases::{PhraseShare, PhraseShares, Worth, phrase_shares};
pub use shapley::shapley_values;
pub use words::{Effect, ExchangeInfluence, Influence, PartInfluence, influence};
