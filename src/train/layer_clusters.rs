//! Groups of text layers whose outputs are alike, for the variant *clustering* of an ablation study.
//!
//! Each layer is described by mean and variance of its token embeddings over the training prompts. These descriptions are
//! reduced to [`COMPONENTS`] principal components and divided by k-means; the groups are ordered by their average layer,
//! so that the last one feeds the coarsest stage (supplementary material of HiMix, Table 2). How many components are kept
//! is not published.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::Form;
use super::error::TrainError;
use crate::metrics::{kmeans, principal_components};
use crate::model::{Model, Tokens, Trace};

/// The number of principal components. Two are usual where clusters are to be shown in a plane.
const COMPONENTS: usize = 2;

/// The text layers (from 1) of `count` groups, those with the lowest layers first. Padding is left out.
///
/// # Errors
/// The network reads no text, or too few layers differ.
pub fn layer_clusters(
    model: &dyn Model,
    form: &Form,
    sentences: &[String],
    count: usize,
    device: &Device,
) -> Result<Vec<Vec<usize>>, TrainError> {
    let refused = |reason: &str| TrainError::Config(format!("ablation clustering: {reason}"));
    let plain = model.without_gradients();
    let (Some(encoder), Some((tokenizer, limit))) = (plain.text_conditioned(), &form.text) else {
        return Err(refused("the network reads no text, so it has no layers to group"));
    };
    let mut sentences: Vec<&String> = sentences.iter().collect();
    sentences.sort_unstable();
    sentences.dedup();
    let device = device.clone().inner();
    let mut layers: Vec<Moments> = Vec::new();
    for sentence in sentences {
        let encoded = tokenizer.encode(sentence, *limit);
        let tensor = |values: Vec<i64>| Tensor::<2, Int>::from_data(TensorData::new(values, [1, *limit]), &device);
        let read = encoded.mask.iter().filter(|mask| **mask == 1).count();
        let tokens = Tokens { ids: tensor(encoded.ids), mask: tensor(encoded.mask) };
        let states = encoder.text_states(tokens, &mut Trace::off());
        layers.resize_with(states.len(), Moments::default);
        for (layer, state) in layers.iter_mut().zip(states) {
            let hidden = state.dims()[2];
            let values: Vec<f32> = state.into_data().iter().collect();
            values.chunks_exact(hidden).take(read).for_each(|token| layer.add(token));
        }
    }
    // The first state is the output of the embedding, which belongs to no group.
    let rows: Vec<Vec<f64>> = layers.iter().skip(1).map(Moments::description).collect();
    let clusters = kmeans(&principal_components(&rows, COMPONENTS), count)
        .ok_or_else(|| refused("the outputs of the text layers do not differ enough to form groups"))?;
    Ok(groups(&clusters, count))
}

/// The layers of each cluster, ordered by their average layer.
fn groups(clusters: &[usize], count: usize) -> Vec<Vec<usize>> {
    let of = |cluster| (1..=clusters.len()).filter(|layer| clusters[layer - 1] == cluster).collect::<Vec<_>>();
    let mut groups: Vec<Vec<usize>> = (0..count).map(of).collect();
    let average = |group: &Vec<usize>| group.iter().sum::<usize>() as f64 / group.len().max(1) as f64;
    groups.sort_by(|a, b| average(a).total_cmp(&average(b)));
    groups
}

/// Sums over the token embeddings of a layer.
#[derive(Debug, Default)]
struct Moments {
    count: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn add(&mut self, token: &[f32]) {
        self.count += 1.0;
        self.sums.resize(token.len(), 0.0);
        self.squares.resize(token.len(), 0.0);
        for ((sum, square), value) in self.sums.iter_mut().zip(&mut self.squares).zip(token) {
            let value = f64::from(*value);
            *sum += value;
            *square += value * value;
        }
    }

    /// The means of all features, then their population variances.
    fn description(&self) -> Vec<f64> {
        let means = self.sums.iter().map(|sum| sum / self.count);
        let squares = self.squares.iter().map(|square| square / self.count);
        let variances = means.clone().zip(squares).map(|(mean, square)| (square - mean * mean).max(0.0));
        means.clone().chain(variances).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_described_by_mean_and_variance() {
        let mut moments = Moments::default();
        for token in [[1.0, 10.0], [3.0, 10.0], [5.0, 10.0]] {
            moments.add(&token);
        }
        let expected = [3.0, 10.0, 8.0 / 3.0, 0.0];
        assert!(moments.description().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn groups_are_ordered_by_their_average_layer() {
        // Cluster 0 holds layers 1 and 12, with an average of 6.5.
        let clusters = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0];
        assert_eq!(groups(&clusters, 3), [(2..=6).collect::<Vec<_>>(), vec![1, 12], (7..=11).collect()]);
    }
}
