//! Reads a file of recorded activations, which is checked before anything is computed.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use himix::model::network::VectorInput;
use himix::model::weights::{TensorSource, source};
use himix::model::{Inputs, Network, Tokens};

use super::Failure;

/// The file of recorded activations, with the inputs of the network.
pub struct Reference {
    source: Box<dyn TensorSource>,
    shapes: BTreeMap<String, Vec<usize>>,
    batch: usize,
    image: Vec<f32>,
    side: usize,
    /// The tokens of the prompts; `None` for a network that reads no text.
    tokens: Option<RecordedTokens>,
    /// The word vectors, `[batch, words, size]`, of a network that reads them; then there need be no tokens.
    vectors: Option<(Vec<f32>, VectorInput)>,
    /// The boxes, of shape `[batch, 4]`; `None` for a network that takes no box.
    boxes: Option<Vec<f32>>,
}

/// The recorded tokens of the prompts, of shape `[batch, limit]`.
struct RecordedTokens {
    ids: Vec<i64>,
    mask: Vec<i64>,
    limit: usize,
}

impl Reference {
    /// Opens the file and checks that its inputs fit the network.
    pub fn open(path: &Path, network: &dyn Network) -> Result<Self, Failure> {
        let source = source::open(path)?;
        let shapes = source.shapes();
        let refuse = |reason: String| Failure::input(format!("{}: {reason}", path.display()));
        let shape = |name: &str| {
            shapes.get(name).cloned().ok_or_else(|| {
                refuse(format!("there is no {name}; record activations with `himix predict --activations`"))
            })
        };
        let (side, text) = (network.image_side(), network.text());
        // Word vectors take the place of the tokens of which a network makes them.
        let vectors = network.vectors().filter(|_| text.is_none() || shapes.contains_key("input.text"));
        let text = text.filter(|_| vectors.is_none());
        let batch = shape("input.image")?.first().copied().unwrap_or(0);
        let mut needed = vec![("input.image", vec![batch, 3, side, side])];
        if let Some(text) = text {
            needed.push(("input.ids", vec![batch, text.token_limit]));
            needed.push(("input.mask", vec![batch, text.token_limit]));
        }
        if let Some(VectorInput { words, size }) = vectors {
            needed.push(("input.text", vec![batch, words, size]));
        }
        if network.takes_box() {
            needed.push(("input.box", vec![batch, 4]));
        }
        for (name, needed) in needed {
            let found = shape(name)?;
            if found != needed || batch == 0 {
                let reason = format!("{name} is {found:?} and the model takes {needed:?}");
                return Err(refuse(format!("{reason}; give the reference of this architecture")));
            }
        }
        let whole = |name: &str, limit: usize| {
            let values = source.read(name)?;
            match values.iter().find(|value| !(0.0..limit as f32).contains(*value) || value.fract() != 0.0) {
                Some(value) => Err(refuse(format!(
                    "{name} holds {value}, which is not an integer below {limit}; give the reference of this architecture"
                ))),
                None => Ok(values.into_iter().map(|value| value as i64).collect::<Vec<_>>()),
            }
        };
        let tokens = match text {
            Some(text) => Some(RecordedTokens {
                ids: whole("input.ids", text.vocabulary_size)?,
                mask: whole("input.mask", if network.word_limit().is_some() { 3 } else { 2 })?,
                limit: text.token_limit,
            }),
            None => None,
        };
        let image = source.read("input.image")?;
        let vectors = match vectors {
            Some(input) => Some((source.read("input.text")?, input)),
            None => None,
        };
        let boxes = network.takes_box().then(|| source.read("input.box")).transpose()?;
        Ok(Self { batch, image, tokens, vectors, boxes, side, shapes, source })
    }

    /// Returns the inputs on a device.
    pub fn inputs(&self, device: &Device) -> Inputs {
        let image = TensorData::new(self.image.clone(), [self.batch, 3, self.side, self.side]);
        let tokens = self.tokens.as_ref().map(|RecordedTokens { ids, mask, limit }| {
            let tensor =
                |values: &[i64]| Tensor::from_data(TensorData::new(values.to_vec(), [self.batch, *limit]), device);
            Tokens { ids: tensor(ids), mask: tensor(mask) }
        });
        let vectors = self.vectors.as_ref().map(|(values, VectorInput { words, size })| {
            Tensor::<3>::from_data(TensorData::new(values.clone(), [self.batch, *words, *size]), device)
        });
        let boxes = self.boxes.clone();
        let boxes = boxes.map(|boxes| Tensor::from_data(TensorData::new(boxes, [self.batch, 4]), device));
        Inputs::new(Tensor::from_data(image, device)).with_tokens(tokens).with_vectors(vectors).with_boxes(boxes)
    }

    /// Returns whether the file has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Returns the names under which the file has the whole tensor of this name, or the beginning of it.
    pub fn names_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.shapes.keys().map(String::as_str).filter(move |recorded| whole(recorded).0 == name)
    }

    /// Returns the values of a recorded tensor.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, Failure> {
        Ok(self.source.read(name)?)
    }

    /// Returns the part of a computed tensor that the file has under this name.
    pub fn part_of(&self, recorded: &str, shape: &[usize], values: Vec<f32>) -> Vec<f32> {
        match self.shapes.get(recorded).filter(|part| part.as_slice() != shape) {
            Some(part) => beginning(part, shape, &values),
            None => values,
        }
    }

    /// Refuses a reference with tensors that the network does not compute, or computes in another shape.
    pub fn must_fit(&self, computed: &BTreeMap<&str, &[usize]>) -> Result<(), Failure> {
        let refuse = |reason: String| {
            let path = self.source.path().display();
            Err(Failure::input(format!("{path}: {reason}; give the reference of this architecture")))
        };
        let mut compared = 0;
        for (name, shape) in self.shapes.iter().filter(|(name, _)| !name.starts_with("input.")) {
            let (of, first) = whole(name);
            match computed.get(of) {
                None => return refuse(format!("{name} is not a tensor of this network")),
                Some(ours) if !fits(shape, ours, first) => {
                    return refuse(format!("{name} is {shape:?} and this network's {ours:?}"));
                }
                Some(_) => compared += 1,
            }
        }
        if compared == 0 { refuse("it holds inputs only, nothing to compare with".into()) } else { Ok(()) }
    }
}

/// Splits the name of a recorded tensor in the name of the network's tensor and, if only the beginning was recorded, the
/// number of entries along dimension 1: `subpixel.first2` has the first two channels of the first images.
fn whole(name: &str) -> (&str, Option<usize>) {
    let split = name.rsplit_once(".first").and_then(|(of, count)| Some((of, count.parse().ok()?)));
    split.map_or((name, None), |(of, count)| (of, Some(count)))
}

/// Whether a recorded tensor of shape `part` can be a computed one of shape `ours`, or its `first` entries along dimension
/// 1 of some images.
fn fits(part: &[usize], ours: &[usize], first: Option<usize>) -> bool {
    match (first, part, ours) {
        (Some(first), [images, entries, part @ ..], [of_images, of_entries, ours @ ..]) => {
            *entries == first && images <= of_images && entries <= of_entries && part == ours
        }
        _ => part == ours,
    }
}

/// The beginning of a row-major tensor along its first two dimensions, which must fit.
fn beginning(part: &[usize], shape: &[usize], values: &[f32]) -> Vec<f32> {
    let each = shape[2..].iter().product::<usize>();
    let images = values.chunks_exact((shape[1] * each).max(1)).take(part[0]);
    images.flat_map(|image| &image[..part[1] * each]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_tensor_can_be_recorded() {
        assert_eq!(whole("subpixel.first2"), ("subpixel", Some(2)));
        assert_eq!(whole("stage3.decoded"), ("stage3.decoded", None));
        assert_eq!(whole("x.firstborn"), ("x.firstborn", None));
        assert!(fits(&[1, 2, 3], &[2, 4, 3], Some(2)) && fits(&[2, 4, 3], &[2, 4, 3], None));
        for (part, first) in [([1, 2, 3], None), ([1, 3, 3], Some(2)), ([3, 2, 3], Some(2)), ([1, 2, 4], Some(2))]
        {
            assert!(!fits(&part, &[2, 4, 3], first), "{part:?}");
        }
        assert!(!fits(&[1, 5, 3], &[2, 4, 3], Some(5)));
        let values: Vec<f32> = (0..24).map(|value| value as f32).collect();
        assert_eq!(
            beginning(&[2, 2, 3], &[2, 4, 3], &values),
            [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17].map(|v| v as f32)
        );
    }
}
