//! Logistic regression of few features.

/// The most steps of Newton's method. A fit of few features takes about ten.
const STEPS: usize = 100;
/// The change of the parameters at which the fit ends.
const TOLERANCE: f64 = 1e-10;

/// A case of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticCase<const N: usize> {
    /// The features.
    pub features: [f64; N],
    /// Whether the case is positive.
    pub is_positive: bool,
    /// How much the case counts; not negative.
    pub weight: f64,
}

/// A logistic regression: `probability = sigmoid(bias + Σ weight · feature)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logistic<const N: usize> {
    /// The weights of the features.
    pub weights: [f64; N],
    /// The bias.
    pub bias: f64,
}

impl<const N: usize> Logistic<N> {
    /// Returns the log-odds of the positive class.
    pub fn logit(&self, features: &[f64; N]) -> f64 {
        self.bias + self.weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum::<f64>()
    }

    /// Returns the probability of the positive class, 0…1.
    pub fn probability(&self, features: &[f64; N]) -> f64 {
        sigmoid(self.logit(features))
    }

    /// Fits the regression: minimises the mean of the cases' cross-entropies, by their weights, plus `penalty / 2` times
    /// the sum of the squared weights of the features. A positive penalty keeps the weights finite where the classes
    /// can be separated. Newton's method with step halving; the objective is convex, so that the result does not depend
    /// on a start.
    ///
    /// Returns `None` if one of the classes has no weight, a feature is not finite, or the penalty is not positive.
    pub fn fit(cases: &[LogisticCase<N>], penalty: f64) -> Option<Self> {
        let weight_of =
            |class| cases.iter().filter(|case| case.is_positive == class).map(|case| case.weight).sum::<f64>();
        let total = weight_of(true) + weight_of(false);
        let is_finite = |case: &LogisticCase<N>| {
            case.weight >= 0.0 && case.features.iter().chain([&case.weight]).all(|value| value.is_finite())
        };
        let has_both = weight_of(true) > 0.0 && weight_of(false) > 0.0;
        if !has_both || !cases.iter().all(is_finite) || penalty.is_nan() || penalty <= 0.0 {
            return None;
        }
        let mut now = Self { weights: [0.0; N], bias: 0.0 };
        let mut loss = now.loss(cases, total, penalty);
        for _ in 0..STEPS {
            let step = now.newton_step(cases, total, penalty)?;
            let longest = step.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            // A full step may overshoot far from the minimum.
            let mut scale = 1.0;
            let (next, reached) = loop {
                let next = now.moved(&step, scale);
                let reached = next.loss(cases, total, penalty);
                if reached <= loss || scale < 1e-6 {
                    break (next, reached);
                }
                scale /= 2.0;
            };
            (now, loss) = (next, reached);
            if longest < TOLERANCE {
                break;
            }
        }
        Some(now)
    }

    fn loss(&self, cases: &[LogisticCase<N>], total: f64, penalty: f64) -> f64 {
        let entropy = |case: &LogisticCase<N>| {
            let logit = self.logit(&case.features);
            // ln(1 + e^x) without overflow.
            let signed = if case.is_positive { -logit } else { logit };
            case.weight * (signed.max(0.0) + (-signed.abs()).exp().ln_1p())
        };
        let squares: f64 = self.weights.iter().map(|weight| weight * weight).sum();
        cases.iter().map(entropy).sum::<f64>() / total + penalty / 2.0 * squares
    }

    /// Returns the parameters after `scale` times a step, whose last value is that of the bias.
    fn moved(&self, step: &[f64], scale: f64) -> Self {
        let mut next = *self;
        next.weights.iter_mut().zip(step).for_each(|(weight, value)| *weight -= scale * value);
        next.bias -= scale * step[N];
        next
    }

    /// Returns the solution of `hessian · step = gradient`.
    fn newton_step(&self, cases: &[LogisticCase<N>], total: f64, penalty: f64) -> Option<Vec<f64>> {
        let size = N + 1;
        let mut gradient = vec![0.0; size];
        let mut hessian = vec![vec![0.0; size]; size];
        for case in cases {
            let probability = self.probability(&case.features);
            let target = f64::from(u8::from(case.is_positive));
            let row: Vec<f64> = case.features.iter().copied().chain([1.0]).collect();
            let weight = case.weight / total;
            for i in 0..size {
                gradient[i] += weight * (probability - target) * row[i];
                for j in 0..size {
                    hessian[i][j] += weight * probability * (1.0 - probability) * row[i] * row[j];
                }
            }
        }
        for i in 0..N {
            gradient[i] += penalty * self.weights[i];
            hessian[i][i] += penalty;
        }
        // Where every case is certain, the bias alone has no curvature.
        hessian[N][N] += 1e-12;
        solve(hessian, gradient)
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Solves a linear system by elimination with pivoting; `None` if it has no unique solution.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < f64::MIN_POSITIVE {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..size {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column].clone();
            matrix[row].iter_mut().zip(&above).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[column];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty cases whose classes overlap.
    fn cases() -> Vec<LogisticCase<2>> {
        let case = |i: i32| {
            let is_positive = i * 7 % 5 < 2;
            let shift = if is_positive { 3 } else { 0 };
            let features = [f64::from(i * 11 % 9 + shift) / 10.0, f64::from(i * 13 % 7) / 7.0];
            LogisticCase { features, is_positive, weight: if is_positive { 1.5 } else { 1.0 } }
        };
        (0..40).map(case).collect()
    }

    /// Expected: gradient descent on the same objective in Python, without second derivatives
    /// (`tests/tools/logistic.py`).
    #[test]
    fn the_minimum_of_gradient_descent() {
        for (penalty, expected) in [
            (1e-3, [3.630_190_821_999, -0.703_704_878_648, -1.644_921_604_959]),
            (0.1, [0.548_385_306_543, -0.097_611_916_759, -0.251_780_056_713]),
        ] {
            let fit = Logistic::fit(&cases(), penalty).expect("a fit");
            let found = [fit.weights[0], fit.weights[1], fit.bias];
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{penalty}: {fit:?}");
            }
        }
    }

    #[test]
    fn separable_classes_have_finite_weights_and_certain_probabilities() {
        let case = |value: f64| LogisticCase { features: [value], is_positive: value > 0.5, weight: 1.0 };
        let fit = Logistic::fit(&[0.0, 0.1, 0.9, 1.0].map(case), 1e-4).expect("a fit");
        assert!(fit.weights[0].is_finite() && fit.probability(&[1.0]) > 0.99, "{fit:?}");
        assert!(fit.probability(&[0.0]) < 0.01 && (fit.probability(&[0.5]) - 0.5).abs() < 1e-6, "{fit:?}");
    }

    #[test]
    fn odd_cases_have_no_fit() {
        let case = |value: f64, is_positive| LogisticCase { features: [value], is_positive, weight: 1.0 };
        assert_eq!(Logistic::fit(&[case(1.0, true)], 0.1), None, "one class");
        assert_eq!(Logistic::<1>::fit(&[], 0.1), None);
        assert_eq!(Logistic::fit(&[case(1.0, true), case(f64::NAN, false)], 0.1), None);
        assert_eq!(Logistic::fit(&[case(1.0, true), case(0.0, false)], 0.0), None, "no penalty");
        let same = Logistic::fit(&[case(1.0, true), case(1.0, false)], 0.1).expect("a fit");
        assert!((same.probability(&[1.0]) - 0.5).abs() < 1e-9, "{same:?}");
    }
}
