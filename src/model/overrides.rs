//! The values of the decoder that can be overridden without training: σ, β, layer weights, and which parts are
//! disabled.

use serde::{Deserialize, Serialize};

/// The σ with which a filter passes its input unchanged: `g` is 1 everywhere in f32 precision.
pub const SIGMA_OFF: f32 = 1e9;

/// All values of a decoder that can be overridden.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overrides {
    /// The values of the stages, coarse to fine.
    pub stages: Vec<StageOverrides>,
    /// The values of the groups, G1 first; empty if the stages read no text of their own.
    pub groups: Vec<GroupOverrides>,
    /// The number, from 1, of the group for each stage, coarse to fine; empty if there are no groups.
    pub order: Vec<usize>,
}

impl Overrides {
    /// The values of a decoder whose stages have nothing that can be overridden, by the side lengths of their grids.
    pub fn nothing(grids: impl IntoIterator<Item = usize>) -> Self {
        let stage = |grid| StageOverrides { grid, sigma: None, is_filtered: false, betas: None };
        Self { stages: grids.into_iter().map(stage).collect(), ..Self::default() }
    }

    /// Whether there is no value that could be overridden.
    pub fn is_nothing(&self) -> bool {
        let is_fixed = |stage: &StageOverrides| stage.sigma.is_none() && stage.betas.is_none();
        self.groups.is_empty() && self.stages.iter().all(is_fixed)
    }
}

/// The values of a stage that can be overridden.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageOverrides {
    /// The side length of the grid, by which the stage is named.
    pub grid: usize,
    /// The width of the spectrum filter; `None` if the stage has none.
    pub sigma: Option<f32>,
    /// Whether the filter is used.
    pub is_filtered: bool,
    /// The scales β of cross-attention, self-attention and MLP; `None` if the stage has no guide block.
    pub betas: Option<[f32; 3]>,
}

/// The values of a group of text layers that can be overridden.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupOverrides {
    /// The numbers of its layers, counted from 1.
    pub layers: Vec<usize>,
    /// The values of its layers before the softmax; `None` if nothing is learned.
    pub alpha: Option<Vec<f32>>,
    /// Whether the group's text is used. If it is not, the stage runs without its guide block (supplementary
    /// material, Table 1).
    pub is_used: bool,
}

impl GroupOverrides {
    /// The weights of the layers: the softmax of the values, or equal weights if nothing is learned.
    pub fn weights(&self) -> Vec<f32> {
        let Some(alpha) = &self.alpha else {
            return vec![1.0 / self.layers.len().max(1) as f32; self.layers.len()];
        };
        let highest = alpha.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = alpha.iter().map(|value| (value - highest).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    }
}

/// A single value of a decoder that can be overridden. Stages are counted from 0, coarse to fine, and groups from
/// 0, starting with G1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Parameter {
    /// The σ of a stage.
    Sigma(usize),
    /// A β of a stage: 0 for cross-attention, 1 for self-attention, 2 for the MLP.
    Beta(usize, usize),
    /// The value of a layer in a group before the softmax.
    Layer(usize, usize),
}

impl Parameter {
    /// All values that a model has.
    pub fn all(overrides: &Overrides) -> Vec<Self> {
        let stages = 0..overrides.stages.len();
        let sigmas = stages.clone().map(Self::Sigma);
        let betas = stages.flat_map(|stage| (0..3).map(move |which| Self::Beta(stage, which)));
        let groups = overrides.groups.iter().enumerate();
        let layers =
            groups.flat_map(|(group, of)| (0..of.layers.len()).map(move |index| Self::Layer(group, index)));
        sigmas.chain(betas).chain(layers).filter(|parameter| parameter.get(overrides).is_some()).collect()
    }

    /// Returns the value; `None` if the model has no such value.
    pub fn get(self, overrides: &Overrides) -> Option<f32> {
        match self {
            Self::Sigma(stage) => overrides.stages.get(stage)?.sigma,
            Self::Beta(stage, which) => overrides.stages.get(stage)?.betas?.get(which).copied(),
            Self::Layer(group, index) => overrides.groups.get(group)?.alpha.as_ref()?.get(index).copied(),
        }
    }

    /// Sets the value. It does nothing if the model has no such value.
    pub fn set(self, overrides: &mut Overrides, value: f32) {
        let place = match self {
            Self::Sigma(stage) => overrides.stages.get_mut(stage).and_then(|stage| stage.sigma.as_mut()),
            Self::Beta(stage, which) => {
                overrides.stages.get_mut(stage).and_then(|stage| stage.betas.as_mut()?.get_mut(which))
            }
            Self::Layer(group, index) => {
                overrides.groups.get_mut(group).and_then(|group| group.alpha.as_mut()?.get_mut(index))
            }
        };
        if let Some(place) = place {
            *place = value;
        }
    }

    /// A name for display.
    pub fn name(self, overrides: &Overrides) -> String {
        let grid = |stage: usize| overrides.stages.get(stage).map_or(0, |stage| stage.grid);
        match self {
            Self::Sigma(stage) => format!("σ of stage {}", grid(stage)),
            Self::Beta(stage, which) => {
                let part = ["cross attention", "self attention", "MLP"].get(which).copied().unwrap_or("?");
                format!("β of stage {}, {part}", grid(stage))
            }
            Self::Layer(group, index) => {
                let layer =
                    overrides.groups.get(group).and_then(|group| group.layers.get(index)).copied().unwrap_or(0);
                format!("value of layer {layer} in G{}", group + 1)
            }
        }
    }
}

/// Implements [`Overrides::layer_weights`].
pub fn layer_weights(groups: &[GroupOverrides], order: &[usize]) -> Vec<Vec<(usize, f32)>> {
    let groups = order.iter().map(|number| &groups[number - 1]);
    groups
        .map(|group| {
            let weights = group.layers.iter().copied().zip(group.weights());
            if group.is_used { weights.collect() } else { Vec::new() }
        })
        .collect()
}

impl Overrides {
    /// The pairs `(layer, weight)` of each stage, coarse to fine; empty for a stage without text.
    pub fn layer_weights(&self) -> Vec<Vec<(usize, f32)>> {
        if self.groups.is_empty() {
            return vec![Vec::new(); self.stages.len()];
        }
        layer_weights(&self.groups, &self.order)
    }

    /// Checks that a network can run with these values.
    ///
    /// # Errors
    /// A σ is not positive, a value is not finite, or the order does not name each group once.
    pub fn validate(&self) -> Result<(), String> {
        for stage in &self.stages {
            if stage.sigma.is_some_and(|sigma| !sigma.is_finite() || sigma <= 0.0) {
                return Err(format!("σ of stage {} must be positive", stage.grid));
            }
            if stage.betas.is_some_and(|betas| betas.iter().any(|beta| !beta.is_finite())) {
                return Err(format!("β of stage {} must be a number", stage.grid));
            }
        }
        for (index, group) in self.groups.iter().enumerate() {
            if group.alpha.iter().flatten().any(|value| !value.is_finite()) {
                return Err(format!("a layer weight of G{} is no number", index + 1));
            }
        }
        let count = if self.groups.is_empty() { 0 } else { self.stages.len() };
        if self.order.len() != count || (1..=count).any(|number| !self.order.contains(&number)) {
            return Err(format!("the order must name each group from 1 to {count} once"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_softmax() {
        let group = |alpha| GroupOverrides { layers: vec![1, 2], alpha, is_used: true };
        let weights = group(Some(vec![1.0, 1.0 + 3f32.ln()])).weights();
        assert!((weights[0] - 0.25).abs() < 1e-6 && (weights[1] - 0.75).abs() < 1e-6);
        assert_eq!(group(None).weights(), [0.5, 0.5]);
    }

    #[test]
    fn what_cannot_run_is_refused() {
        let stage = StageOverrides { grid: 7, sigma: Some(5.0), is_filtered: true, betas: Some([1.0; 3]) };
        let group = GroupOverrides { layers: vec![1], alpha: Some(vec![1.0]), is_used: true };
        let sound = Overrides { stages: vec![stage], groups: vec![group], order: vec![1] };
        assert_eq!(sound.validate(), Ok(()));
        let broken = |change: fn(&mut Overrides)| {
            let mut overrides = sound.clone();
            change(&mut overrides);
            overrides.validate().is_err()
        };
        assert!(broken(|overrides| overrides.stages[0].sigma = Some(0.0)));
        assert!(broken(|overrides| overrides.stages[0].sigma = Some(f32::NAN)));
        assert!(broken(|overrides| overrides.stages[0].betas = Some([1.0, f32::INFINITY, 1.0])));
        assert!(broken(|overrides| overrides.groups[0].alpha = Some(vec![f32::NAN])));
        assert!(broken(|overrides| overrides.order = vec![2]));
        assert!(broken(|overrides| overrides.groups.clear()), "an order of nothing");
    }
}
