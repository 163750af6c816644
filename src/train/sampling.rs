//! Which cases an epoch consists of: every case once, or pairs by the weights of their data sets and by their last
//! losses.

use serde::{Deserialize, Serialize};

use super::cases::Cases;
use super::config::TrainConfig;

/// A number that keeps the random numbers of this choice apart from others with the same seed.
const APART: u64 = 0x5a3b_1e00_0000_0001;

/// The last loss of each case. The choice of an epoch depends on the losses at its beginning, so that a run resumed in
/// the middle of the epoch makes the same choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseLosses {
    /// The losses at the beginning of the current epoch by the index of the case; `None` for a case that was not trained
    /// on.
    at_start: Vec<Option<f32>>,
    /// The newest losses.
    newest: Vec<Option<f32>>,
}

impl CaseLosses {
    /// Stores the losses of cases.
    pub fn note(&mut self, cases: &[usize], losses: &[f32]) {
        for (case, loss) in cases.iter().zip(losses).filter(|(_, loss)| loss.is_finite()) {
            if self.newest.len() <= *case {
                self.newest.resize(case + 1, None);
            }
            self.newest[*case] = Some(*loss);
        }
    }

    /// Begins an epoch.
    pub fn begin_epoch(&mut self) {
        self.at_start.clone_from(&self.newest);
    }

    /// The losses of `count` cases from index `first`. A case without a loss has the mean of the others, or 1.
    fn of(&self, first: usize, count: usize) -> Vec<f64> {
        let losses: Vec<Option<f64>> =
            (first..first + count).map(|case| self.at_start.get(case).copied().flatten().map(f64::from)).collect();
        let known: Vec<f64> = losses.iter().copied().flatten().collect();
        let mean = if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
        losses.into_iter().map(|loss| loss.unwrap_or(mean).max(1e-6)).collect()
    }
}

/// The cases of an epoch by their index, some perhaps more than once. Without weights and hard examples, these are all
/// cases in their order.
///
/// An epoch has as many pairs as all data sets together. With weights, each data set has a number of them in proportion
/// to its weight. Of this number, the share `hard_examples` is drawn without repetition with a probability that is
/// proportional to the last loss. The rest goes through the data set in random order, in the next epoch from where it
/// stopped, and in another order once all pairs were used. The same seed, epoch and losses give the same cases. Synthetic
/// images are always added as they are.
pub fn cases_of_epoch(cases: &Cases, config: &TrainConfig, epoch: usize, losses: &CaseLosses) -> Vec<usize> {
    if config.weight.is_empty() && config.hard_examples == 0.0 {
        return (0..cases.len()).collect();
    }
    let counts: Vec<usize> = cases.parts().iter().map(|part| part.len()).collect();
    let pairs: usize = counts.iter().sum();
    let mut chosen = Vec::with_capacity(cases.len());
    let mut first = 0;
    for (set, (count, wanted)) in counts.iter().zip(quotas(&counts, &config.weight)).enumerate() {
        let hard = ((config.hard_examples * wanted as f64).round() as usize).min(*count);
        let seed = seed(&[config.seed, set as u64]);
        let passing = stream(*count, wanted - hard, epoch, seed);
        chosen.extend(passing.into_iter().map(|case| first + case));
        let drawn = drawn(&losses.of(first, *count), hard, seed.wrapping_add(1 + epoch as u64));
        chosen.extend(drawn.into_iter().map(|case| first + case));
        first += count;
    }
    chosen.extend(pairs..cases.len());
    chosen
}

/// The number of pairs of each data set in an epoch, which has as many pairs as there are. Remainders go to the largest
/// fractions. A data set without pairs has none.
fn quotas(counts: &[usize], weights: &[f64]) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let weights: Vec<f64> =
        counts.iter().zip(weights).map(|(count, weight)| if *count == 0 { 0.0 } else { *weight }).collect();
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return counts.to_vec();
    }
    let exact: Vec<f64> = weights.iter().map(|weight| total as f64 * weight / sum).collect();
    let mut quotas: Vec<usize> = exact.iter().map(|exact| exact.floor() as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).filter(|set| weights[*set] > 0.0).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let missing = total.saturating_sub(quotas.iter().sum());
    order.into_iter().cycle().take(missing).for_each(|set| quotas[set] += 1);
    quotas
}

/// The part of epoch `epoch` of an endless sequence of permutations of `count` cases, of which every epoch takes `wanted`.
fn stream(count: usize, wanted: usize, epoch: usize, seed: u64) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let (from, to) = (epoch * wanted, (epoch + 1) * wanted);
    let passes = from / count..to.div_ceil(count);
    let skipped = passes.start * count;
    let permutation = |pass: usize| {
        let mut order: Vec<usize> = (0..count).collect();
        fastrand::Rng::with_seed(self::seed(&[seed, APART, pass as u64])).shuffle(&mut order);
        order
    };
    passes.flat_map(permutation).skip(from - skipped).take(to - from).collect()
}

/// Draws `wanted` of the cases without repetition, each with a probability proportional to its loss: those with the largest
/// `u^(1/loss)` for a random `u` of each (Efraimidis and Spirakis 2006).
fn drawn(losses: &[f64], wanted: usize, seed: u64) -> Vec<usize> {
    let mut random = fastrand::Rng::with_seed(self::seed(&[seed, APART]));
    let mut keys: Vec<(f64, usize)> = losses
        .iter()
        .enumerate()
        .map(|(case, loss)| (random.f64().max(f64::MIN_POSITIVE).ln() / loss, case))
        .collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    keys.into_iter().take(wanted).map(|(_, case)| case).collect()
}

/// One seed of several numbers.
pub fn seed(numbers: &[u64]) -> u64 {
    // The steps of FNV-1a, followed by the mixer of SplitMix64.
    let joined =
        numbers.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, n| (hash ^ n).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (joined ^ joined >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_shared_out_by_the_weights() {
        assert_eq!(quotas(&[100, 100], &[1.0, 1.0]), [100, 100]);
        assert_eq!(quotas(&[7000, 550, 50], &[2.0, 1.0, 1.0]), [3800, 1900, 1900]);
        assert_eq!(quotas(&[3, 3, 4], &[1.0, 1.0, 1.0]), [4, 3, 3], "what remains goes to the first of equals");
        assert_eq!(quotas(&[10, 5], &[0.0, 3.0]), [0, 15]);
        assert_eq!(quotas(&[10, 0], &[1.0, 9.0]), [10, 0], "a data set without pairs gives none");
        assert_eq!(quotas(&[4, 6], &[]), [4, 6]);
    }

    #[test]
    fn every_pair_of_a_data_set_comes_as_often_as_the_others() {
        // 7 of 10 an epoch: after ten epochs, every pair was used seven times.
        let mut seen = [0; 10];
        for epoch in 0..10 {
            let part = stream(10, 7, epoch, 5);
            assert_eq!(part.len(), 7);
            assert_eq!(part, stream(10, 7, epoch, 5), "the same epoch is the same again");
            part.into_iter().for_each(|case| seen[case] += 1);
            assert!(seen.iter().max().expect("a case") - seen.iter().min().expect("a case") <= 1, "{seen:?}");
        }
        assert_eq!(seen, [7; 10]);
        assert_ne!(stream(10, 10, 0, 5), stream(10, 10, 1, 5), "another order");
        assert_ne!(stream(10, 10, 0, 5), stream(10, 10, 0, 6), "another seed");
        assert_eq!(stream(2, 7, 1, 5).len(), 7, "a small data set goes round several times");
    }

    #[test]
    fn hard_cases_are_drawn_in_proportion_to_their_loss() {
        let losses = [1.0, 3.0];
        let second = (0..4000).filter(|draw| drawn(&losses, 1, *draw) == [1]).count();
        // Three of four; the standard deviation is 27.
        assert!((2880..3120).contains(&second), "{second}");
        let mut all = drawn(&[0.5; 6], 6, 1);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5], "no case twice");
    }

    #[test]
    fn losses_count_from_the_next_epoch_on() {
        let mut losses = CaseLosses::default();
        losses.note(&[2, 0], &[0.5, 0.1]);
        losses.note(&[1], &[f32::NAN]);
        assert_eq!(losses.of(0, 3), [1.0; 3]);
        losses.begin_epoch();
        let expected =
            [f64::from(0.1_f32), (f64::from(0.1_f32) + 0.5) / 2.0, 0.5, (f64::from(0.1_f32) + 0.5) / 2.0];
        assert_eq!(losses.of(0, 4), expected);
        let text = serde_json::to_string(&losses).expect("written");
        assert_eq!(serde_json::from_str::<CaseLosses>(&text).expect("read"), losses);
    }

    #[test]
    fn without_weights_an_epoch_is_all_cases_once() {
        let config = TrainConfig { phantoms: 5, ..TrainConfig::default() };
        let (cases, _) = Cases::open(&config, true, 32, false, true).expect("phantoms");
        assert_eq!(cases_of_epoch(&cases, &config, 3, &CaseLosses::default()), [0, 1, 2, 3, 4]);
        let hard = TrainConfig { hard_examples: 0.5, ..config };
        assert_eq!(cases_of_epoch(&cases, &hard, 3, &CaseLosses::default()), [0, 1, 2, 3, 4], "phantoms stay");
    }
}
