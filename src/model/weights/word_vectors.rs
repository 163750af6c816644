//! The vectors of the words of sentences, made elsewhere: a safetensors file whose tensors have the sentences as names.
//! A network that reads word vectors and has no text encoder needs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::bundle::Located;
use super::{TensorSource, WeightsError, source};
use crate::model::network::VectorInput;

/// The name of the file in a bundle.
pub const WORD_VECTORS_FILE: &str = "word_vectors.safetensors";
/// The file.
const BESIDE: Beside = Beside {
    name: WORD_VECTORS_FILE,
    bundled: None,
    what: "file of word vectors",
    mend: "make it again, with a tensor for each sentence",
};

/// The sentences of a file and the vectors of their words.
pub struct WordVectors {
    source: Box<dyn TensorSource>,
    /// The sentences, in the order of the alphabet.
    sentences: Vec<String>,
    input: VectorInput,
}

impl WordVectors {
    /// Opens a file for a network that reads `input`.
    ///
    /// # Errors
    /// The file cannot be read, has no sentence, or a sentence has vectors of another number or size.
    pub fn open(path: &Path, input: VectorInput) -> Result<Self, WeightsError> {
        let source = source::open(path)?;
        let shapes: BTreeMap<String, Vec<usize>> = source.shapes();
        let VectorInput { words, size } = input;
        if let Some((sentence, shape)) = shapes.iter().find(|(_, shape)| shape[..] != [words, size]) {
            return Err(WeightsError::file(
                path,
                format!(
                    "the vectors of \"{sentence}\" are {shape:?} and the network reads {words} words of {size} values; write tensors of [{words}, {size}]"
                ),
            ));
        }
        if shapes.is_empty() {
            return Err(WeightsError::file(path, "it has no sentences; write one tensor for each sentence"));
        }
        Ok(Self { sentences: shapes.into_keys().collect(), source, input })
    }

    /// The sentences.
    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    /// The number of words of a sentence.
    pub fn words(&self) -> usize {
        self.input.words
    }

    /// The place of a sentence among all; `None` if the file has no vectors of it.
    pub fn find(&self, sentence: &str) -> Option<usize> {
        self.sentences.binary_search_by(|known| known.as_str().cmp(sentence.trim())).ok()
    }

    /// Reads the vectors of the sentence at this place, `[words, size]`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, place: usize) -> Result<Vec<f32>, WeightsError> {
        self.source.read(&self.sentences[place])
    }
}

impl Located {
    /// The path where the word vectors are or would be; `None` for a model that is not a file.
    pub fn word_vectors_path(&self) -> Option<PathBuf> {
        BESIDE.path(self)
    }

    /// Opens the word vectors of a network that needs them: one that reads word vectors and no tokens. `None` for any
    /// other network.
    ///
    /// # Errors
    /// There is no such file, or it does not fit the network.
    pub fn word_vectors(&self) -> Result<Option<WordVectors>, WeightsError> {
        let network = &self.config.network;
        let (Some(input), None) = (network.vectors(), network.text()) else { return Ok(None) };
        match self.word_vectors_path().filter(|path| path.is_file()) {
            Some(path) => WordVectors::open(&path, input).map(Some),
            None => Err(WeightsError::file(
                self.source.path(),
                format!(
                    "the network reads vectors of words, and there is no {WORD_VECTORS_FILE} with those of your sentences beside it; write one, or import the network with its text encoder"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::save;

    #[test]
    fn sentences_are_found_and_other_shapes_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(WORD_VECTORS_FILE);
        let input = VectorInput { words: 2, size: 3 };
        let tensors = [("right lung", 10.0), ("left lung", 0.0)].map(|(sentence, first)| {
            (sentence.to_owned(), (vec![2, 3], (0..6).map(|at| first + at as f32).collect::<Vec<f32>>()))
        });
        save::save_tensors(&path, tensors.into_iter().collect()).expect("written");
        let vectors = WordVectors::open(&path, input).expect("opens");
        assert_eq!(vectors.sentences(), ["left lung", "right lung"]);
        let place = vectors.find(" right lung\n").expect("it is there");
        assert_eq!(vectors.read(place).expect("read"), [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        assert_eq!(vectors.find("Right lung"), None);
        let error =
            WordVectors::open(&path, VectorInput { words: 10, size: 3 }).err().expect("refused").to_string();
        assert!(error.contains("[2, 3]") && error.contains("10 words of 3 values"), "{error}");
        save::save_tensors(&path, BTreeMap::new()).expect("written");
        assert!(WordVectors::open(&path, input).is_err(), "a file without sentences is of no use");
    }
}
