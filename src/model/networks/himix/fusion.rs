//! Dynamic layer fusion (DLFM): each decoder stage reads its own weighted sum of text encoder layers.
//!
//! Paper section 3.2; variants from the supplementary material, Tables 1 and 2.

use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::HiMixConfig;
use crate::model::config::ConfigError;
use crate::model::overrides::GroupOverrides;

/// The groups of layers and their weights.
#[derive(Module, Debug)]
pub struct Fusion {
    /// The values before the softmax, `[groups, largest group]`, initialised to 1. Row 0 belongs to G1. A shorter
    /// group uses the first entries of its row. `None` if nothing is learned.
    pub alpha: Option<Param<Tensor<2>>>,
    #[module(skip)]
    groups: Vec<Vec<usize>>,
    #[module(skip)]
    order: Vec<usize>,
    #[module(skip)]
    removed: Vec<usize>,
}

impl Fusion {
    /// Creates a fusion with uniform weights.
    ///
    /// # Errors
    /// The groups of the configuration are invalid.
    pub fn new(config: &HiMixConfig, device: &Device) -> Result<Self, ConfigError> {
        let groups = config.groups()?;
        let widest = groups.iter().map(Vec::len).max().unwrap_or(1);
        let alpha = config.has_learned_fusion().then(|| Initializer::Ones.init([groups.len(), widest], device));
        let (order, removed) = (config.fusion.order.clone(), config.fusion.removed.clone());
        Ok(Self { alpha, groups, order, removed })
    }

    /// The layers of the group that feeds `stage` (coarse to fine) and, if they are learned, their softmax
    /// weights, `[layers of the group]`; `None` if the group was removed.
    fn weights(&self, stage: usize) -> Option<(&[usize], Option<Tensor<1>>)> {
        let number = self.order[stage];
        if self.removed.contains(&number) {
            return None;
        }
        let layers = self.groups[number - 1].as_slice();
        let weights = self.alpha.as_ref().map(|alpha| {
            let row = alpha.val().slice([number - 1..number, 0..layers.len()]);
            softmax(row.reshape([layers.len()]), 0)
        });
        Some((layers, weights))
    }

    /// Returns the weights as numbers, so that a prediction does not compute the softmax.
    pub fn fixed(&self) -> FixedFusion {
        let of_stage = |stage| {
            let (layers, weights) = self.weights(stage)?;
            let weights: Vec<f32> = match weights {
                Some(weights) => weights.into_data().iter().collect(),
                None => vec![1.0 / layers.len() as f32; layers.len()],
            };
            Some(layers.iter().copied().zip(weights).collect())
        };
        FixedFusion { stages: (0..self.order.len()).map(of_stage).collect() }
    }

    /// The number, from 1, of the group for each stage, coarse to fine.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The groups, G1 first, with the values before the softmax.
    pub fn group_overrides(&self) -> Vec<GroupOverrides> {
        let rows = self.alpha.as_ref().map(|alpha| {
            let values: Vec<f32> = alpha.val().into_data().iter::<f32>().collect();
            let widest = values.len() / self.groups.len();
            values.chunks_exact(widest).map(<[f32]>::to_vec).collect::<Vec<_>>()
        });
        let alpha = |index: usize, layers: usize| Some(rows.as_ref()?[index][..layers].to_vec());
        self.groups
            .iter()
            .enumerate()
            .map(|(index, layers)| GroupOverrides {
                layers: layers.clone(),
                alpha: alpha(index, layers.len()),
                is_used: !self.removed.contains(&(index + 1)),
            })
            .collect()
    }

    /// Returns the same groups with other values, another order or other removed groups. The values are ignored if
    /// nothing is learned.
    pub fn with_overrides(&self, overrides: &[GroupOverrides], order: &[usize]) -> Self {
        let alpha = self.alpha.as_ref().map(|alpha| {
            let [count, widest] = alpha.dims();
            let mut values: Vec<f32> = alpha.val().into_data().iter::<f32>().collect();
            for (row, group) in values.chunks_exact_mut(widest).zip(overrides) {
                row.iter_mut().zip(group.alpha.iter().flatten()).for_each(|(old, new)| *old = *new);
            }
            let tensor = Tensor::<2>::from_data(TensorData::new(values, [count, widest]), &alpha.device());
            Param::initialized(alpha.id, tensor)
        });
        let removed = overrides.iter().enumerate().filter(|(_, group)| !group.is_used).map(|(index, _)| index + 1);
        Self { alpha, order: order.to_vec(), removed: removed.collect(), groups: self.groups.clone() }
    }

    /// Maps the outputs of the embedding and of every layer to the text of each stage, coarse to fine, each
    /// `[batch, tokens, hidden]`; `None` for a stage without text.
    pub fn forward(&self, states: &[Tensor<3>]) -> Vec<Option<Tensor<3>>> {
        (0..self.order.len())
            .map(|stage| {
                let (layers, weights) = self.weights(stage)?;
                if let [layer] = layers {
                    return Some(states[*layer].clone());
                }
                let mut sum: Option<Tensor<3>> = None;
                for (index, &layer) in layers.iter().enumerate() {
                    let state = states[layer].clone();
                    let term = match &weights {
                        Some(weights) => state * weights.clone().slice([index..index + 1]).unsqueeze::<3>(),
                        None => state / layers.len() as f64,
                    };
                    sum = Some(match sum {
                        Some(sum) => sum + term,
                        None => term,
                    });
                }
                sum
            })
            .collect()
    }
}

/// A [`Fusion`] whose weights do not change.
#[derive(Clone, Debug)]
pub struct FixedFusion {
    /// For each stage, coarse to fine, the layers and their weights; `None` for a stage without text.
    stages: Vec<Option<Vec<(usize, f32)>>>,
}

impl FixedFusion {
    /// Computes [`Fusion::forward`].
    pub fn forward(&self, states: &[Tensor<3>]) -> Vec<Option<Tensor<3>>> {
        let fused = |layers: &Vec<(usize, f32)>| match layers.as_slice() {
            [(layer, _)] => Some(states[*layer].clone()),
            layers => layers.iter().map(|(layer, weight)| states[*layer].clone() * *weight).reduce(|a, b| a + b),
        };
        self.stages.iter().map(|layers| layers.as_ref().and_then(fused)).collect()
    }
}
