//! BERT's WordPiece tokenization: lower case, accents stripped, `[CLS] … [SEP]`, truncated and padded to the
//! model's limit.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Model, ModelWrapper};

use super::TextError;
use super::unknown_words::{Piece, UnknownWords, is_understood};

/// The largest accepted size of a vocabulary file, in bytes. Those of BERT models are below 1 MiB. The limit
/// prevents reading a whole weights file that was given by mistake.
const MAX_BYTES: u64 = 64 << 20;

/// A tokenizer that splits prompts into the word pieces of one vocabulary.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    padding: u32,
    unknown: (u32, String),
    unknown_words: UnknownWords,
    size: usize,
}

/// A prompt in the form that the text encoder reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The token ids with `[CLS]`, `[SEP]` and padding; their number is the limit.
    pub ids: Vec<i64>,
    /// The attention mask: 1 for tokens, 0 for padding; as long as `ids`.
    pub mask: Vec<i64>,
    /// The word pieces that the model reads, without `[CLS]`, `[SEP]` and padding.
    pub read: Vec<String>,
    /// The word pieces that did not fit, in their order.
    pub dropped: Vec<String>,
    /// The number of tokens before truncation, with `[CLS]` and `[SEP]`.
    pub total: usize,
}

impl Tokenizer {
    /// Reads a `vocab.txt`, which has one entry on each line and whose line numbers from 0 are the ids. If the
    /// name ends in `.json`, the file is read as a `tokenizer.json` of Hugging Face instead.
    ///
    /// # Errors
    /// Returns an error if the file is missing, larger than 64 MiB, not valid in its format, or empty, or if it
    /// lacks one of `[CLS]`, `[SEP]`, `[PAD]` and the entry for unknown words.
    pub fn from_file(path: &Path) -> Result<Self, TextError> {
        let unreadable = |reason: String| TextError::Unreadable { path: path.to_owned(), reason };
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => TextError::Missing { path: path.to_owned() },
            _ => unreadable(error.to_string()),
        };
        if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(unreadable("it is larger than 64 MiB".into()));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json { Self::from_json(path, &text) } else { Self::from_lines(path, &text) }
    }

    /// Does the same as [`Tokenizer::from_file`] for the content of a `vocab.txt`.
    ///
    /// # Errors
    /// Returns an error if the text is empty or lacks one of `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]`.
    pub fn from_vocab_text(text: &str) -> Result<Self, TextError> {
        Self::from_lines(Path::new("vocab.txt"), text)
    }

    fn from_lines(path: &Path, text: &str) -> Result<Self, TextError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Err(TextError::Empty { path: path.to_owned() });
        }
        // Only the line ending is removed, because an entry may consist of white space.
        let entries = text.lines().zip(0_u32..).map(|(entry, id)| (entry.to_owned(), id));
        let unreadable =
            |error: tokenizers::Error| TextError::Unreadable { path: path.to_owned(), reason: one_line(&error) };
        // This returns an empty map of the type that the builder takes, whose hasher is not a dependency of this
        // crate.
        let mut vocabulary = WordPiece::read_bytes(b"").map_err(unreadable)?;
        vocabulary.extend(entries);
        let model = WordPiece::builder()
            .vocab(vocabulary)
            .unk_token("[UNK]".into())
            .continuing_subword_prefix("##".into())
            .max_input_chars_per_word(100)
            .build()
            .map_err(unreadable)?;
        let special: Vec<_> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
            .into_iter()
            .filter(|entry| model.token_to_id(entry).is_some())
            .map(|entry| AddedToken::from(entry, true))
            .collect();
        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(Some(BertNormalizer::new(true, true, Some(true), true))).map_err(unreadable)?;
        inner.with_pre_tokenizer(Some(BertPreTokenizer));
        inner.add_special_tokens(special).map_err(unreadable)?;
        Self::checked(path, inner)
    }

    fn from_json(path: &Path, text: &str) -> Result<Self, TextError> {
        if text.trim().is_empty() {
            return Err(TextError::Empty { path: path.to_owned() });
        }
        let unreadable = |reason: String| TextError::Unreadable { path: path.to_owned(), reason };
        let mut inner = tokenizers::Tokenizer::from_bytes(text).map_err(|error| unreadable(one_line(&error)))?;
        if !matches!(inner.get_model(), ModelWrapper::WordPiece(_)) {
            return Err(unreadable("it is not a WordPiece tokenizer".into()));
        }
        // `encode` truncates and pads, because it must know the pieces that do not fit.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| unreadable(one_line(&error)))?;
        Self::checked(path, inner)
    }

    fn checked(path: &Path, inner: tokenizers::Tokenizer) -> Result<Self, TextError> {
        if inner.get_vocab_size(true) == 0 {
            return Err(TextError::Empty { path: path.to_owned() });
        }
        let mut unknown_entry = "[UNK]".to_owned();
        if let ModelWrapper::WordPiece(model) = inner.get_model() {
            unknown_entry.clone_from(&model.unk_token);
        }
        let names = ["[CLS]", "[SEP]", "[PAD]", &unknown_entry];
        let found = names.map(|name| inner.token_to_id(name));
        let [Some(start), Some(end), Some(padding), Some(unknown)] = found else {
            let missing = names.into_iter().zip(found).filter(|(_, id)| id.is_none()).map(|(name, _)| name);
            let entries = missing.collect::<Vec<_>>().join(", ");
            return Err(TextError::NoEntry { path: path.to_owned(), entries });
        };
        let size = inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        let (unknown, unknown_words) = ((unknown, unknown_entry), UnknownWords::default());
        Ok(Self { inner, start, end, padding, unknown, unknown_words, size })
    }

    /// Returns the number of rows that an embedding needs: one more than the largest id that
    /// [`Tokenizer::encode`] can return.
    pub fn vocabulary_size(&self) -> usize {
        self.size
    }

    /// Sets what is read in place of words that are not known; [`UnknownWords::Pieces`] if it is not set.
    #[must_use]
    pub fn with_unknown_words(mut self, unknown_words: UnknownWords) -> Self {
        self.unknown_words = unknown_words;
        self
    }

    /// Returns the word pieces of `prompt` that the network reads, without `[CLS]` and `[SEP]`, each with the bytes of
    /// `prompt` that it stands for, in their order.
    pub fn pieces(&self, prompt: &str) -> Vec<(String, Range<usize>)> {
        self.split(prompt).into_iter().map(|piece| (piece.text, piece.bytes)).collect()
    }

    fn split(&self, prompt: &str) -> Vec<Piece> {
        let Ok(encoding) = self.inner.encode(prompt, false) else {
            // This does not happen with a WordPiece model that has its entry for unknown words. A prompt that cannot
            // be split counts as one unknown word.
            let (id, text) = self.unknown.clone();
            let whole = Piece { id, text, bytes: 0..prompt.len(), word: None };
            return self.unknown_words.applied(vec![whole], (self.unknown.0, &self.unknown.1));
        };
        let (ids, texts) = (encoding.get_ids(), encoding.get_tokens());
        let (offsets, words) = (encoding.get_offsets(), encoding.get_word_ids());
        let piece = |index: usize| Piece {
            id: ids[index],
            text: texts[index].clone(),
            bytes: offsets[index].0..offsets[index].1,
            word: words[index],
        };
        let pieces = (0..ids.len()).map(piece).collect();
        self.unknown_words.applied(pieces, (self.unknown.0, &self.unknown.1))
    }

    /// Returns the entries of the vocabulary, special ones included, with their ids.
    pub fn entries(&self) -> HashMap<String, usize> {
        self.inner.get_vocab(true).into_iter().map(|(entry, id)| (entry, id as usize)).collect()
    }

    /// Returns the entries that are whole words of at least three letters, in the order of the alphabet.
    pub fn words(&self) -> Vec<String> {
        let is_word = |entry: &String| entry.chars().count() >= 3 && entry.chars().all(char::is_alphabetic);
        let mut words: Vec<String> = self.inner.get_vocab(false).into_keys().filter(is_word).collect();
        words.sort_unstable();
        words
    }

    /// Says whether a network can make something of a word: it is an entry of the vocabulary as a whole, or it falls into
    /// pieces that have two and a half letters or more on average and none of which is unknown.
    pub fn knows(&self, word: &str) -> bool {
        let pieces = self.pieces(word);
        self.understands(pieces.iter().map(|(piece, _)| piece.as_str()))
    }

    /// Says of the pieces of a word what [`Tokenizer::knows`] says of the word.
    pub(super) fn understands<'a>(&self, pieces: impl Iterator<Item = &'a str> + Clone) -> bool {
        is_understood(pieces, |piece| piece == self.unknown.1)
    }

    /// Returns the number of tokens of `prompt`, with `[CLS]` and `[SEP]`.
    pub fn count(&self, prompt: &str) -> usize {
        self.split(prompt).len() + 2
    }

    /// Returns the tokens of `prompt` for a model that reads `limit` tokens. An empty prompt gives `[CLS]
    /// [SEP]`.
    pub fn encode(&self, prompt: &str, limit: usize) -> Encoding {
        let (piece_ids, mut read): (Vec<u32>, Vec<String>) =
            self.split(prompt).into_iter().map(|piece| (piece.id, piece.text)).unzip();
        let total = read.len() + 2;
        let available = limit.saturating_sub(2);
        let dropped = read.split_off(available.min(read.len()));

        let pieces = piece_ids.into_iter().take(available);
        let tokens = std::iter::once(self.start).chain(pieces).chain(std::iter::once(self.end));
        let mut ids: Vec<i64> = tokens.take(limit).map(i64::from).collect();
        let mut mask = vec![1; ids.len()];
        ids.resize(limit, i64::from(self.padding));
        mask.resize(limit, 0);
        Encoding { ids, mask, read, dropped, total }
    }
}

/// Puts the text of another library's error on one line.
fn one_line(error: &tokenizers::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
