//! The networks without text against their authors' numbers: every intermediate tensor, the executor, gradients, steps of
//! AdamW, keys and the full size.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod common;
#[path = "without_text/keys.rs"]
mod keys;
#[path = "without_text/parity.rs"]
mod parity;
#[path = "without_text/training.rs"]
mod training;

use std::path::PathBuf;
use std::sync::Arc;

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use himix::model::networks::transunet::TransUNet;
use himix::model::networks::unet::UNet;
use himix::model::weights::{ModelSource, TensorSource, bundle, source};
use himix::model::{Inputs, Model, Network, Target};

const NAMES: [&str; 2] = ["unet", "transunet"];

/// A small network with the authors' weights and tensors.
struct Golden {
    folder: PathBuf,
    network: Arc<dyn Network>,
    model: Box<dyn Model>,
    activations: Box<dyn TensorSource>,
}

fn golden(name: &str, device: &Device) -> Option<Golden> {
    let folder = common::shared("golden/baselines")?.join(name);
    let source = ModelSource::with(folder.join("weights.safetensors"), Some(folder.join("config.json")), None);
    let located = bundle::locate(&source).expect("found");
    Some(Golden {
        model: located.load(device).expect("loads"),
        network: located.config.network,
        activations: source::open(&folder.join("activations.safetensors")).expect("opens"),
        folder,
    })
}

impl Golden {
    fn image(&self, device: &Device) -> Tensor<4> {
        tensor(self.activations.as_ref(), "input.image", device)
    }

    fn training(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.folder.join("training.json")).expect("training.json");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn tensor(source: &dyn TensorSource, name: &str, device: &Device) -> Tensor<4> {
    let values = source.read(name).expect("a tensor");
    Tensor::from_data(TensorData::new(values, source.shapes()[name].clone()), device)
}

fn relative(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>();
    let difference = sum(&|i| (f64::from(ours[i]) - f64::from(theirs[i])).powi(2));
    (difference / sum(&|i| f64::from(theirs[i]).powi(2)).max(1e-300)).sqrt()
}

/// Switches off what training changes besides weights, and keeps the gradients.
fn evaluation(model: Box<dyn Model>) -> Box<dyn Model> {
    struct Off;
    impl ModuleMapper for Off {
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            flag.with_value(false)
        }
    }
    match model.into_any().downcast::<UNet>() {
        Ok(model) => Box::new(model.map(&mut Off)),
        Err(other) => Box::new(other.downcast::<TransUNet>().expect("one of the two").map(&mut Off)),
    }
}

/// The executor's logits for one image after the other.
fn executed(model: Box<dyn Model>, image: &Tensor<4>) -> Vec<f32> {
    let executor = model.prepare(&Target::single(&image.device()));
    let one = |item: usize| {
        let features = executor.encode_image(image.clone().narrow(0, item, 1));
        executor.decode(&features, &Vec::new()).into_data().iter::<f32>().collect::<Vec<f32>>()
    };
    (0..image.dims()[0]).flat_map(one).collect()
}

fn inputs(image: Tensor<4>) -> Inputs {
    Inputs::new(image)
}
