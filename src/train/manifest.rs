//! The record of the data that a run is trained on: the pairs of its data sets with hashes of their contents, and
//! how they are read. It is written when the run starts. A resumed run must find the same data, at any location.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cases::Cases;
use super::config::TrainConfig;
use super::place::Place;
use crate::data::{DataError, PairReading, Sample, fingerprint};

/// The number of pairs read between two progress reports.
const CHUNK: usize = 256;
/// The number of names that a message lists before it counts the rest.
const SHOWN: usize = 3;

/// The data sets of a run, in the order of its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The entries of the data sets; empty for a run that uses only phantoms.
    pub data: Vec<Entry>,
}

/// One data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The location of the data set.
    #[serde(flatten)]
    pub place: Place,
    /// How its pairs are read, according to its own file and the settings of the run; `None` in the record of an
    /// older version.
    #[serde(default)]
    pub reading: Option<PairReading>,
    /// The training pairs in their order.
    pub train: Vec<Pair>,
    /// The validation pairs in their order.
    pub validation: Vec<Pair>,
}

/// One pair. The hashes of the files' bytes and of the prompts are the first 128 bits of BLAKE3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The file name of the image.
    pub name: String,
    /// The hash of the prompt.
    pub prompt: String,
    /// The hash of the hashes of the other prompts, if the run draws among them; `None` otherwise, and in the record of
    /// an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variants: Option<String>,
    /// The hash of the image file.
    pub image: String,
    /// The hash of the mask file. For several mask files, it is the hash of their hashes.
    pub mask: String,
}

impl Manifest {
    /// Creates the record of the pairs of a run in `folder` and reads all their files. `progress` receives the
    /// number of pairs read and the total.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn of(
        config: &TrainConfig,
        folder: &Path,
        train: &Cases,
        validation: &Cases,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, DataError> {
        let (roots, is_reworded) = (&config.data, config.reword > 0.0);
        let readings = train.readings();
        let (train, validation) = (train.parts(), validation.parts());
        let total = train.iter().chain(&validation).map(|samples| samples.len()).sum();
        let mut done = 0;
        let mut pairs = |samples: &[Sample]| {
            let mut pairs = Vec::with_capacity(samples.len());
            for chunk in samples.chunks(CHUNK) {
                let read: Result<Vec<Pair>, DataError> =
                    chunk.par_iter().map(|sample| pair(sample, is_reworded)).collect();
                pairs.extend(read?);
                done += chunk.len();
                progress(done, total);
            }
            Ok::<_, DataError>(pairs)
        };
        let mut data = Vec::with_capacity(roots.len());
        for (((root, reading), train), validation) in roots.iter().zip(readings).zip(train).zip(validation) {
            let (train, validation) = (pairs(train)?, pairs(validation)?);
            data.push(Entry { place: Place::of(root, folder), reading: Some(reading.clone()), train, validation });
        }
        Ok(Self { data })
    }

    /// Describes the differences to `found`; `None` if both contain the same pairs, in any order, and read them
    /// the same way.
    pub fn difference(&self, found: &Self) -> Option<String> {
        let mut lines = Vec::new();
        for (recorded, found) in self.data.iter().zip(&found.data) {
            let name = found.place.name();
            if let (Some(before), Some(now)) = (&recorded.reading, &found.reading)
                && before != now
            {
                let [before, now] = [before, now].map(in_words);
                lines.push(format!("{name} is read otherwise (before: {before}; now: {now})"));
            }
            let splits = [
                ("train", &recorded.train, &found.train),
                ("validation", &recorded.validation, &found.validation),
            ];
            for (split, recorded, found) in splits {
                let difference = Difference::between(recorded, found);
                if !difference.is_none() {
                    lines.push(format!("{name}, {} {split} pairs: {difference}", recorded.len()));
                }
            }
        }
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    /// For each data set, the indices of its training pairs and validation pairs in `found`, which must have no
    /// [`Self::difference`].
    pub fn order_in(&self, found: &Self) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let orders = |of: fn(&Entry) -> &[Pair]| {
            let both = self.data.iter().zip(&found.data);
            both.map(|(recorded, found)| {
                let places: HashMap<_, _> =
                    keyed(of(found)).enumerate().map(|(index, (key, _))| (key, index)).collect();
                keyed(of(recorded)).filter_map(|(key, _)| places.get(&key).copied()).collect()
            })
            .collect()
        };
        (orders(|entry| &entry.train), orders(|entry| &entry.validation))
    }
}

/// Describes how pairs are read.
fn in_words(reading: &PairReading) -> String {
    let words = reading.words();
    if words.is_empty() { "the usual way".into() } else { words }
}

/// The pairs by their name and its count so far, because two images in nested folders may have the same name.
fn keyed(pairs: &[Pair]) -> impl Iterator<Item = ((&str, usize), &Pair)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    pairs.iter().map(move |pair| {
        let count = seen.entry(&pair.name).or_default();
        *count += 1;
        ((pair.name.as_str(), *count), pair)
    })
}

/// The names of differing pairs by the kind of difference.
#[derive(Default)]
struct Difference<'a> {
    missing: Vec<&'a str>,
    added: Vec<&'a str>,
    images: Vec<&'a str>,
    masks: Vec<&'a str>,
    prompts: Vec<&'a str>,
}

impl<'a> Difference<'a> {
    fn between(recorded: &'a [Pair], found: &'a [Pair]) -> Self {
        let mut difference = Self::default();
        let mut left: HashMap<_, _> = keyed(found).collect();
        for (key, pair) in keyed(recorded) {
            let Some(now) = left.remove(&key) else {
                difference.missing.push(&pair.name);
                continue;
            };
            for (is_same, names) in [
                (pair.image == now.image, &mut difference.images),
                (pair.mask == now.mask, &mut difference.masks),
                (pair.has_prompts_of(now), &mut difference.prompts),
            ] {
                if !is_same {
                    names.push(&pair.name);
                }
            }
        }
        difference.added = left.into_values().map(|pair| pair.name.as_str()).collect();
        difference.added.sort_unstable();
        difference
    }

    fn kinds(&self) -> [(&'static str, &[&'a str]); 5] {
        [
            ("missing", &self.missing),
            ("not there before", &self.added),
            ("with another image", &self.images),
            ("with another mask", &self.masks),
            ("with another prompt", &self.prompts),
        ]
    }

    fn is_none(&self) -> bool {
        self.kinds().iter().all(|(_, names)| names.is_empty())
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds();
        let lines = kinds.iter().filter(|(_, names)| !names.is_empty()).map(|(kind, names)| {
            let more = if names.len() > SHOWN { ", …" } else { "" };
            format!("{} {kind} ({}{more})", names.len(), names[..names.len().min(SHOWN)].join(", "))
        });
        f.write_str(&lines.collect::<Vec<_>>().join(", "))
    }
}

impl Pair {
    /// Whether the recorded prompts are those of `now`.
    fn has_prompts_of(&self, now: &Self) -> bool {
        let is_other =
            self.variants.as_ref().zip(now.variants.as_ref()).is_some_and(|(before, now)| before != now);
        self.prompt == now.prompt && !is_other
    }
}

fn pair(sample: &Sample, is_reworded: bool) -> Result<Pair, DataError> {
    let hash_of_text = |text: &String| fingerprint::of_bytes(text.as_bytes());
    let variants = || sample.variants.iter().map(hash_of_text).collect::<Vec<_>>().concat();
    Ok(Pair {
        name: sample.name.clone(),
        prompt: hash_of_text(&sample.prompt),
        variants: is_reworded.then(|| hash_of_text(&variants())),
        image: hash(&sample.image)?,
        mask: hash_of_all(&sample.masks)?,
    })
}

/// The hash of a single file, or the hash of the hashes of several files.
fn hash_of_all(paths: &[PathBuf]) -> Result<String, DataError> {
    if let [path] = paths {
        return hash(path);
    }
    let hashes: Result<Vec<String>, DataError> = paths.iter().map(|path| hash(path)).collect();
    Ok(fingerprint::of_bytes(hashes?.concat().as_bytes()))
}

fn hash(path: &Path) -> Result<String, DataError> {
    fingerprint::of_file(path, &|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, image: &str, mask: &str) -> Pair {
        Pair { name: name.into(), prompt: String::new(), variants: None, image: image.into(), mask: mask.into() }
    }

    fn manifest(train: &[Pair]) -> Manifest {
        let place = Place::of(Path::new("/data/lungs"), Path::new("/runs/one"));
        Manifest { data: vec![Entry { place, reading: None, train: train.to_vec(), validation: Vec::new() }] }
    }

    #[test]
    fn the_same_pairs_in_another_order_are_the_same() {
        // Two images have the same name and differ in their order.
        let before = manifest(&[pair("b", "1", "2"), pair("a", "3", "4"), pair("b", "5", "6")]);
        let after = manifest(&[pair("a", "3", "4"), pair("b", "1", "2"), pair("b", "5", "6")]);
        assert_eq!(before.difference(&after), None);
        assert_eq!(before.order_in(&after), (vec![vec![1, 0, 2]], vec![vec![]]));
    }

    #[test]
    fn what_differs_is_named() {
        let before =
            manifest(&[pair("a", "1", "2"), pair("b", "3", "4"), pair("c", "5", "6"), pair("d", "7", "8")]);
        let after =
            manifest(&[pair("a", "1", "x"), pair("b", "x", "4"), pair("e", "5", "6"), pair("d", "7", "8")]);
        let expected = "lungs, 4 train pairs: 1 missing (c), 1 not there before (e), 1 with another image (b), \
                        1 with another mask (a)";
        assert_eq!(before.difference(&after).as_deref(), Some(expected));
    }

    #[test]
    fn other_wordings_are_a_difference_unless_they_were_not_recorded() {
        let of = |variants: Option<&str>| {
            manifest(&[Pair { variants: variants.map(str::to_owned), ..pair("a", "1", "2") }])
        };
        let expected = "lungs, 1 train pairs: 1 with another prompt (a)";
        assert_eq!(of(Some("x")).difference(&of(Some("y"))).as_deref(), Some(expected));
        assert_eq!(of(Some("x")).difference(&of(Some("x"))), None);
        assert_eq!(of(None).difference(&of(Some("y"))), None);
        let text = serde_json::to_string(&of(None)).expect("written");
        assert!(!text.contains("variants"), "{text}");
        assert_eq!(serde_json::from_str::<Manifest>(&text).expect("read"), of(None));
    }

    #[test]
    fn another_reading_of_the_same_files_is_a_difference() {
        let read = |labels: &[i64]| {
            let mut manifest = manifest(&[pair("a", "1", "2")]);
            let labels = labels.iter().copied().collect();
            manifest.data[0].reading = Some(PairReading { labels, ..PairReading::default() });
            manifest
        };
        let expected = "lungs is read otherwise (before: foreground is label 1; now: the usual way)";
        assert_eq!(read(&[1]).difference(&read(&[])).as_deref(), Some(expected));
        assert_eq!(read(&[1]).difference(&read(&[1])), None);
        // The record stores the reading. A record of an older version can still be read but not compared.
        let mut text = serde_json::to_value(read(&[1, 3])).expect("written");
        assert_eq!(serde_json::from_value::<Manifest>(text.clone()).expect("read"), read(&[1, 3]));
        text["data"][0].as_object_mut().expect("an entry").remove("reading");
        let older: Manifest = serde_json::from_value(text).expect("read");
        assert_eq!(older.difference(&read(&[2])), None);
    }

    #[test]
    fn hashes_are_those_of_the_bytes() {
        // The first 128 bits of the `b3sum` of the three bytes "abc".
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").expect("written");
        assert_eq!(hash(&path).expect("read"), "6437b3ac38465133ffb63b75273a8db5");
        let several = hash_of_all(&[path.clone(), path.clone()]).expect("read");
        assert_ne!(several, hash(&path).expect("read"));
        assert!(hash(&folder.path().join("none")).is_err());
    }
}
