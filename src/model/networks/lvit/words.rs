//! From the tokens of a text encoder to the vectors of words.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Averages the outputs of a text encoder, `[batch, tokens, size]`, over the pieces of each word, for the first `words`
/// words: `[batch, words, size]`. `[CLS]` and `[SEP]` are left out. A word that is missing has the vector 0.
///
/// `mask`, `[batch, tokens]`, is 0 for padding, 2 for a piece that continues a word, and 1 for any other token.
pub fn word_vectors(states: Tensor<3>, mask: Tensor<2, Int>, words: usize) -> Tensor<3> {
    let device = states.device();
    let [batch, tokens] = mask.dims();
    let starts = mask.clone().equal_elem(1).float();
    // The number of tokens up to each one that begin a word; that of [CLS] is 1.
    let number = starts.matmul(up_to(tokens, &device));
    let is_real = mask.not_equal_elem(0).float();
    let followed = match tokens {
        0 | 1 => Tensor::zeros([batch, tokens], &device),
        _ => Tensor::cat(vec![is_real.slice([0..batch, 1..tokens]), Tensor::zeros([batch, 1], &device)], 1),
    };
    // The last real token is [SEP].
    let wanted = Tensor::<1>::from_data(
        TensorData::new((0..words).map(|word| (word + 2) as f32).collect::<Vec<_>>(), [words]),
        &device,
    );
    let wanted = wanted.reshape([1, words, 1]).expand([batch, words, tokens]);
    let number = number.reshape([batch, 1, tokens]).expand([batch, words, tokens]);
    let shares = wanted.equal(number).float() * followed.reshape([batch, 1, tokens]);
    let counts = shares.clone().sum_dim(2).clamp_min(1.0);
    (shares / counts).matmul(states)
}

/// The matrix whose product with a row is its sums up to each position, `[n, n]`.
fn up_to(n: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..n * n).map(|at| f32::from(u8::from(at / n <= at % n))).collect();
    Tensor::from_data(TensorData::new(values, [n, n]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_word_are_averaged_and_special_tokens_left_out() {
        let device = Device::flex();
        // [CLS] one two ##two three [SEP] [PAD], and a text that fills all tokens.
        let masks = [[1, 1, 1, 2, 1, 1, 0], [1, 1, 2, 2, 1, 2, 1]];
        let mask = Tensor::<2, Int>::from_data(masks, &device);
        let states: Vec<f32> = (0..2 * 7 * 2).map(|at| at as f32).collect();
        let states = Tensor::<3>::from_data(TensorData::new(states, [2, 7, 2]), &device);
        let vectors: Vec<f32> = word_vectors(states, mask, 4).into_data().iter::<f32>().collect();
        let expected = [
            [2.0, 3.0],
            [5.0, 6.0],
            [8.0, 9.0],
            [0.0, 0.0], // one, two, three, none
            [18.0, 19.0],
            [23.0, 24.0],
            [0.0, 0.0],
            [0.0, 0.0],
        ];
        let pairs = vectors.iter().zip(expected.as_flattened());
        assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-4), "{vectors:?}");
        assert_eq!(pairs.count(), 16);
    }
}
