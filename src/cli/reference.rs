//! Reads a file of recorded activations, which is checked before anything is computed.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
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
        let batch = shape("input.image")?.first().copied().unwrap_or(0);
        let mut needed = vec![("input.image", vec![batch, 3, side, side])];
        if let Some(text) = text {
            needed.push(("input.ids", vec![batch, text.token_limit]));
            needed.push(("input.mask", vec![batch, text.token_limit]));
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
                mask: whole("input.mask", 2)?,
                limit: text.token_limit,
            }),
            None => None,
        };
        let image = source.read("input.image")?;
        let boxes = network.takes_box().then(|| source.read("input.box")).transpose()?;
        Ok(Self { batch, image, tokens, boxes, side, shapes, source })
    }

    /// Returns the inputs on a device.
    pub fn inputs(&self, device: &Device) -> Inputs {
        let image = TensorData::new(self.image.clone(), [self.batch, 3, self.side, self.side]);
        let tokens = self.tokens.as_ref().map(|RecordedTokens { ids, mask, limit }| {
            let tensor =
                |values: &[i64]| Tensor::from_data(TensorData::new(values.to_vec(), [self.batch, *limit]), device);
            Tokens { ids: tensor(ids), mask: tensor(mask) }
        });
        let boxes = self.boxes.clone();
        let boxes = boxes.map(|boxes| Tensor::from_data(TensorData::new(boxes, [self.batch, 4]), device));
        Inputs::new(Tensor::from_data(image, device)).with_tokens(tokens).with_boxes(boxes)
    }

    /// Returns whether the file has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Returns the values of a recorded tensor.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, Failure> {
        Ok(self.source.read(name)?)
    }

    /// Refuses a reference with tensors that the network does not compute, or computes in another shape.
    pub fn must_fit(&self, computed: &BTreeMap<&str, &[usize]>) -> Result<(), Failure> {
        let refuse = |reason: String| {
            let path = self.source.path().display();
            Err(Failure::input(format!("{path}: {reason}; give the reference of this architecture")))
        };
        let mut compared = 0;
        for (name, shape) in self.shapes.iter().filter(|(name, _)| !name.starts_with("input.")) {
            match computed.get(name.as_str()) {
                None => return refuse(format!("{name} is not a tensor of this network")),
                Some(ours) if *ours != shape.as_slice() => {
                    return refuse(format!("{name} is {shape:?} and this network's {ours:?}"));
                }
                Some(_) => compared += 1,
            }
        }
        if compared == 0 { refuse("it holds inputs only, nothing to compare with".into()) } else { Ok(()) }
    }
}
