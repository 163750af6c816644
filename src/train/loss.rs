//! The loss of a step: a term of overlap for each image (Dice or Tversky) and a term for each pixel (a cross-entropy
//! or the focal loss), one or both of them.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_sigmoid, sigmoid};

use super::config::{EmptyTruth, LossKind, TrainConfig};

/// Prevents the numerator and denominator of the Dice loss from being zero.
const SMOOTHING: f64 = 1e-5;
/// Keeps the logarithm finite.
const CLAMP: f64 = 1e-7;
/// The predicted share of an image with an empty ground truth that costs one half ([`EmptyTruth::Area`]).
const HALF_AREA: f64 = 0.01;

/// The two terms and the total loss.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The soft Dice loss, or the Tversky loss, `[1]`.
    pub dice: Tensor<1>,
    /// The cross-entropy, or the focal loss, `[1]`; 0 if the loss has no such term.
    pub cross_entropy: Tensor<1>,
    /// What is minimised, `[1]`.
    pub total: Tensor<1>,
}

/// The settings of the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossTerms {
    /// The kind of loss.
    pub kind: LossKind,
    /// The term of overlap of an image with an empty ground truth.
    pub empty_truth: EmptyTruth,
    /// The exponent γ of the focal loss.
    pub focal_gamma: f64,
    /// The weight α of false positives in the Tversky loss.
    pub tversky_alpha: f64,
}

impl LossTerms {
    /// The loss that the settings of a run describe.
    pub fn of(config: &TrainConfig) -> Self {
        Self {
            kind: config.loss,
            empty_truth: config.empty_truth,
            focal_gamma: config.focal_gamma,
            tversky_alpha: config.tversky_alpha,
        }
    }

    /// Computes the loss of logits and targets, both `[batch, 1, side, side]`. A target is 0 or 1, or the share of
    /// foreground of a coarser pixel. The term of overlap is computed for each image and averaged.
    pub fn loss(&self, logits: Tensor<4>, target: Tensor<4>) -> Loss {
        let [batch, _, _, _] = logits.dims();
        let p = sigmoid(logits).reshape([batch as i32, -1]);
        let y = target.reshape([batch as i32, -1]);
        let dice = self.overlap(&p, &y).mean();
        let cross_entropy = self.per_pixel(p, y).unwrap_or_else(|| Tensor::zeros([1], &dice.device()));
        let total = match self.kind {
            LossKind::Binary | LossKind::Literal | LossKind::Focal | LossKind::Lvit => {
                (dice.clone() + cross_entropy.clone()) * 0.5
            }
            LossKind::DoubleSigmoid => dice.clone() + cross_entropy.clone(),
            LossKind::Dice | LossKind::Tversky => dice.clone(),
        };
        Loss { dice, cross_entropy, total }
    }

    /// The term of overlap of each image, `[batch, 1]`, from probabilities and targets `[batch, pixels]`.
    fn overlap(&self, p: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        let both = (p.clone() * y.clone()).sum_dim(1);
        let (areas_p, areas_y) = (p.clone().sum_dim(1), y.clone().sum_dim(1));
        let overlap = match self.kind {
            LossKind::Tversky => {
                let alpha = self.tversky_alpha;
                let wrong = (areas_p - both.clone()) * alpha + (areas_y.clone() - both.clone()) * (1.0 - alpha);
                // With α = ½ this is the Dice loss.
                let both = both + SMOOTHING / 2.0;
                both.clone() / (both + wrong)
            }
            // Sums of quarters in the authors' code, which shows in the smoothing.
            LossKind::Lvit => {
                let squares = p.clone().powi_scalar(2).sum_dim(1) + y.clone().powi_scalar(2).sum_dim(1);
                (both * 0.5 + SMOOTHING) / (squares * 0.25 + SMOOTHING)
            }
            _ => (both * 2.0 + SMOOTHING) / (areas_p + areas_y.clone() + SMOOTHING),
        };
        let term = overlap.neg().add_scalar(1.0);
        match self.empty_truth {
            EmptyTruth::Smoothed => term,
            EmptyTruth::Area => {
                let area = p.clone().mean_dim(1);
                let area = area.clone() / (area + HALF_AREA);
                term.mask_where(areas_y.equal_elem(0.0), area)
            }
        }
    }

    /// The mean over all pixels, `[1]`; `None` if the loss has no such term.
    fn per_pixel(&self, p: Tensor<2>, y: Tensor<2>) -> Option<Tensor<1>> {
        if self.kind == LossKind::DoubleSigmoid {
            // The probability takes the place of the logit.
            let background = y.clone().neg().add_scalar(1.0);
            return Some((y * log_sigmoid(p.clone()) + background * log_sigmoid(p.neg())).mean().neg());
        }
        let p = p.clamp(CLAMP, 1.0 - CLAMP);
        let background = |p: &Tensor<2>| p.clone().neg().add_scalar(1.0);
        if self.kind == LossKind::Lvit {
            // The mean over the foreground and that over the background; one that has no pixels is 0.
            let mean = |y: Tensor<2>, p: Tensor<2>| (y.clone() * p.log()).sum() / y.sum().clamp_min(1.0);
            return Some((mean(y.clone(), p.clone()) + mean(background(&y), background(&p))) * -0.5);
        }
        let terms = match self.kind {
            LossKind::Literal => y * p.log(),
            LossKind::Binary => y.clone() * p.clone().log() + background(&y) * background(&p).log(),
            LossKind::Focal => {
                let easy = |right: Tensor<2>| background(&right).powf_scalar(self.focal_gamma) * right.log();
                y.clone() * easy(p.clone()) + background(&y) * easy(background(&p))
            }
            LossKind::Dice | LossKind::DoubleSigmoid | LossKind::Tversky | LossKind::Lvit => return None,
        };
        Some(terms.mean().neg())
    }
}

/// Computes the loss of logits and targets (0 or 1), both `[batch, 1, side, side]`, with the other settings at their
/// defaults.
pub fn loss(logits: Tensor<4>, target: Tensor<4>, kind: LossKind) -> Loss {
    LossTerms { kind, ..LossTerms::of(&TrainConfig::default()) }.loss(logits, target)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    const LOGITS: [f32; 8] = [2.0, -1.0, 0.5, -3.0, 1.0, -0.5, 0.0, 3.0];
    const TARGET: [f32; 8] = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0];

    fn planes(values: &[f32]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len() / 4, 1, 2, 2]), &Device::flex())
    }

    fn number(tensor: &Tensor<1>) -> f64 {
        tensor.clone().into_data().iter::<f64>().next().expect("a number")
    }

    fn terms(kind: LossKind) -> LossTerms {
        LossTerms { kind, ..LossTerms::of(&TrainConfig::default()) }
    }

    /// The losses by their published formulas in double precision.
    fn expected(kind: LossKind) -> f64 {
        let p: Vec<f64> = LOGITS.iter().map(|x| 1.0 / (1.0 + (-f64::from(*x)).exp())).collect();
        let y: Vec<f64> = TARGET.iter().map(|y| f64::from(*y)).collect();
        let mean = |term: &dyn Fn(f64, f64) -> f64| {
            p.iter().zip(&y).map(|(p, y)| term(*p, *y)).sum::<f64>() / p.len() as f64
        };
        let images = |term: &dyn Fn(f64, f64, f64) -> f64| {
            let one = |at: usize| {
                let (p, y) = (&p[at..at + 4], &y[at..at + 4]);
                let both: f64 = p.iter().zip(y).map(|(p, y)| p * y).sum();
                term(both, p.iter().sum::<f64>() - both, y.iter().sum::<f64>() - both)
            };
            (one(0) + one(4)) / 2.0
        };
        let dice = images(&|hit, extra, missed| 1.0 - (2.0 * hit + 1e-5) / (2.0 * hit + extra + missed + 1e-5));
        match kind {
            LossKind::Binary => 0.5 * (dice - mean(&|p, y| y * p.ln() + (1.0 - y) * (1.0 - p).ln())),
            LossKind::Literal => 0.5 * (dice - mean(&|p, y| y * p.ln())),
            LossKind::Dice => dice,
            // As in `binary_cross_entropy_with_logits`, with the probability for the logit.
            LossKind::DoubleSigmoid => dice + mean(&|p, y| p - p * y + (-p).exp().ln_1p()),
            LossKind::Focal => {
                let focal = |right: f64| -(1.0 - right).powi(2) * right.ln();
                0.5 * (dice + mean(&|p, y| focal(if y == 1.0 { p } else { 1.0 - p })))
            }
            LossKind::Tversky => {
                images(&|hit, extra, missed| 1.0 - (hit + 5e-6) / (hit + 0.3 * extra + 0.7 * missed + 5e-6))
            }
            LossKind::Lvit => {
                let one = |at: usize| {
                    let pairs = p[at..at + 4].iter().zip(&y[at..at + 4]);
                    let both: f64 = pairs.clone().map(|(p, y)| p * y / 4.0).sum();
                    let squares: f64 = pairs.map(|(p, y)| (p * p + y * y) / 4.0).sum();
                    1.0 - (2.0 * both + 1e-5) / (squares + 1e-5)
                };
                let side = |wanted: f64| {
                    let right = p.iter().zip(&y).filter(|(_, y)| **y == wanted);
                    let terms: Vec<f64> =
                        right.map(|(p, _)| -(if wanted == 1.0 { *p } else { 1.0 - p }).ln()).collect();
                    terms.iter().sum::<f64>() / terms.len() as f64
                };
                0.5 * (one(0) + one(4)) / 2.0 + 0.25 * (side(1.0) + side(0.0))
            }
        }
    }

    #[test]
    fn every_loss_is_its_formula() {
        for kind in [
            LossKind::Binary,
            LossKind::Literal,
            LossKind::Dice,
            LossKind::DoubleSigmoid,
            LossKind::Focal,
            LossKind::Tversky,
            LossKind::Lvit,
        ] {
            let ours = number(&loss(planes(&LOGITS), planes(&TARGET), kind).total);
            assert!((ours - expected(kind)).abs() < 1e-5, "{kind:?}: {ours} instead of {}", expected(kind));
        }
    }

    #[test]
    fn even_weights_make_tversky_dice_and_no_exponent_makes_focal_binary() {
        let of = |terms: LossTerms| number(&terms.loss(planes(&LOGITS), planes(&TARGET)).total);
        let even = LossTerms { tversky_alpha: 0.5, ..terms(LossKind::Tversky) };
        assert!((of(even) - of(terms(LossKind::Dice))).abs() < 1e-6);
        let plain = LossTerms { focal_gamma: 0.0, ..terms(LossKind::Focal) };
        assert!((of(plain) - of(terms(LossKind::Binary))).abs() < 1e-6);
    }

    #[test]
    fn an_empty_truth_counts_by_the_predicted_area_if_wanted() {
        let (logits, nothing) = (planes(&[-6.0, -6.0, -6.0, 2.0]), planes(&[0.0; 4]));
        for kind in [LossKind::Dice, LossKind::Tversky, LossKind::Binary] {
            let smoothed = terms(kind).loss(logits.clone(), nothing.clone());
            assert!(number(&smoothed.dice) > 0.999, "{kind:?}: the published term is nearly constant");
            let by_area = LossTerms { empty_truth: EmptyTruth::Area, ..terms(kind) };
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let area = (3.0 * sigmoid(-6.0) + sigmoid(2.0)) / 4.0;
            let ours = number(&by_area.loss(logits.clone(), nothing.clone()).dice);
            assert!((ours - area / (area + 0.01)).abs() < 1e-5, "{kind:?}: {ours}");
            let silent = number(&by_area.loss(planes(&[-30.0; 4]), nothing.clone()).dice);
            assert!(silent < 1e-6, "{kind:?}: an empty mask of an empty truth costs nothing, not {silent}");
            // An image with a lesion is not concerned.
            let of = |terms: LossTerms| number(&terms.loss(planes(&LOGITS), planes(&TARGET)).total);
            assert_eq!(of(by_area), of(terms(kind)));
        }
    }

    #[test]
    fn an_empty_truth_and_a_truth_of_half_the_image_give_finite_gradients() {
        let device = Device::flex().autodiff();
        let half: Vec<f32> = (0..4).map(|at| f32::from(u8::from(at < 2))).collect();
        for (target, kind) in [vec![0.0; 4], half].into_iter().flat_map(|target| {
            [LossKind::Dice, LossKind::Focal, LossKind::Tversky, LossKind::DoubleSigmoid, LossKind::Lvit]
                .map(|kind| (target.clone(), kind))
        }) {
            let terms = LossTerms { empty_truth: EmptyTruth::Area, ..terms(kind) };
            for logit in [-40.0, 0.0, 40.0] {
                let logits = Tensor::<4>::full([1, 1, 2, 2], logit, &device).require_grad();
                let target = Tensor::<4>::from_data(TensorData::new(target.clone(), [1, 1, 2, 2]), &device);
                let gradients = terms.loss(logits.clone(), target).total.backward();
                let gradient = logits.grad(&gradients).expect("a gradient");
                let values: Vec<f32> = gradient.into_data().iter().collect();
                assert!(values.iter().all(|value| value.is_finite()), "{kind:?} at {logit}: {values:?}");
            }
        }
    }
}
