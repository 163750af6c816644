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

/// The beginning of a word piece that continues a word.
const CONTINUING: &str = "##";
/// What LViT's authors append to a description of fewer than nine words, as often as words are missing.
const FILLER: &str = " EOF XXX";

/// A tokenizer that splits prompts into the word pieces of one vocabulary.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    padding: u32,
    unknown: (u32, String),
    unknown_words: UnknownWords,
    /// The number of words that the network reads, if it reads words and not pieces.
    word_limit: Option<usize>,
    size: usize,
}

/// A prompt in the form that the text encoder reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The token ids with `[CLS]`, `[SEP]` and padding; their number is the limit.
    pub ids: Vec<i64>,
    /// The attention mask: 1 for tokens, 0 for padding; as long as `ids`. For a network that reads words, a piece that
    /// continues a word has 2.
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
            .continuing_subword_prefix(CONTINUING.into())
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
        Ok(Self { inner, start, end, padding, unknown, unknown_words, word_limit: None, size })
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

    /// Sets the number of words that a network reads which averages the pieces of each word; `None` for a network that
    /// reads pieces.
    #[must_use]
    pub fn with_word_limit(mut self, word_limit: Option<usize>) -> Self {
        self.word_limit = word_limit;
        self
    }

    /// Says whether a network that reads `limit` tokens reads all of these pieces, which are the first ones of a prompt.
    pub fn fits<'a>(&self, pieces: impl Iterator<Item = &'a str>, limit: usize) -> bool {
        let (mut count, mut words) = (0, 0);
        for piece in pieces {
            count += 1;
            words += usize::from(!continues(piece));
        }
        count <= limit.saturating_sub(2) && self.word_limit.is_none_or(|most| words <= most)
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

    /// Does what [`Tokenizer::encode`] says for a network that reads the first `words` words, a punctuation mark counting
    /// as one. A prompt that is too short is filled up as LViT's authors do; one that has exactly one word too few, which
    /// their code cannot read, gets the same filling once. What is read and dropped are pieces of the prompt alone.
    fn encode_words(&self, prompt: &str, limit: usize, words: usize) -> Encoding {
        let available = limit.saturating_sub(2);
        let own = self.split(prompt);
        let total = own.len() + 2;
        let mut number = 0;
        let (mut read, mut dropped) = (Vec::new(), Vec::new());
        for (at, piece) in own.into_iter().enumerate() {
            number += usize::from(!continues(&piece.text));
            let place = if at < available && number <= words { &mut read } else { &mut dropped };
            place.push(piece.text);
        }
        let missing = words.saturating_sub(1).saturating_sub(prompt.split_whitespace().count());
        let mut filled = prompt.to_owned() + &FILLER.repeat(missing);
        let mut pieces = self.split(&filled);
        if pieces.iter().filter(|piece| !continues(&piece.text)).count() < words {
            filled += FILLER;
            pieces = self.split(&filled);
        }
        pieces.truncate(available);
        let mut ids = vec![i64::from(self.start)];
        let mut mask = vec![1];
        for piece in &pieces {
            ids.push(i64::from(piece.id));
            mask.push(if continues(&piece.text) { 2 } else { 1 });
        }
        ids.push(i64::from(self.end));
        mask.push(1);
        ids.resize(limit, i64::from(self.padding));
        mask.resize(limit, 0);
        Encoding { ids, mask, read, dropped, total }
    }

    /// Returns the tokens of `prompt` for a model that reads `limit` tokens. An empty prompt gives `[CLS]
    /// [SEP]`.
    pub fn encode(&self, prompt: &str, limit: usize) -> Encoding {
        if let Some(words) = self.word_limit {
            return self.encode_words(prompt, limit, words);
        }
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

/// Says whether a word piece continues the word of the piece before it.
fn continues(piece: &str) -> bool {
    piece.starts_with(CONTINUING)
}

/// Puts the text of another library's error on one line.
fn one_line(error: &tokenizers::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer(words: usize) -> Tokenizer {
        let entries = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nleft\nlung\n##s\n.\neof\nxxx\n";
        Tokenizer::from_vocab_text(entries).expect("a vocabulary").with_word_limit(Some(words))
    }

    fn texts(tokenizer: &Tokenizer, encoding: &Encoding) -> Vec<String> {
        let real = encoding.ids.iter().zip(&encoding.mask).filter(|(_, mask)| **mask > 0);
        real.map(|(id, _)| tokenizer.inner.id_to_token(*id as u32).expect("an entry")).collect()
    }

    #[test]
    fn a_short_prompt_is_filled_up_as_lvits_authors_do() {
        let tokenizer = tokenizer(4);
        // Fewer than three words by the spaces: one filling for each that is missing.
        let encoding = tokenizer.encode("left lungs", 12);
        assert_eq!(texts(&tokenizer, &encoding), ["[CLS]", "left", "lung", "##s", "eof", "xxx", "[SEP]"]);
        assert_eq!(encoding.mask, [1, 1, 1, 2, 1, 1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(encoding.read, ["left", "lung", "##s"]);
        assert!(encoding.dropped.is_empty());
        assert_eq!((encoding.total, encoding.ids.len()), (5, 12));
        // Three words are enough with a mark, and one too few without it.
        let marked = tokenizer.encode("left left lungs.", 12);
        assert_eq!(texts(&tokenizer, &marked), ["[CLS]", "left", "left", "lung", "##s", ".", "[SEP]"]);
        let bare = tokenizer.encode("left left lung", 12);
        assert_eq!(texts(&tokenizer, &bare), ["[CLS]", "left", "left", "lung", "eof", "xxx", "[SEP]"]);
        assert_eq!(tokenizer.encode("", 12).mask.iter().filter(|mask| **mask == 1).count(), 8);
    }

    #[test]
    fn only_the_first_words_count_as_read() {
        let tokenizer = tokenizer(3);
        let encoding = tokenizer.encode("left lungs. left lungs", 12);
        assert_eq!(encoding.read, ["left", "lung", "##s", "."]);
        assert_eq!(encoding.dropped, ["left", "lung", "##s"]);
        let pieces = tokenizer.pieces("left lungs. left");
        let names = || pieces.iter().map(|(piece, _)| piece.as_str());
        assert!(tokenizer.fits(names().take(4), 12) && !tokenizer.fits(names(), 12));
        assert!(!tokenizer.fits(names().take(4), 5), "they do not fit into the tokens");
        let cut = tokenizer.encode("left lungs left", 5);
        assert_eq!((cut.ids.len(), cut.mask.as_slice()), (5, [1, 1, 1, 2, 1].as_slice()));
    }
}
