//! The rule that turns probabilities into a mask.
//!
//! A pixel is foreground if its probability is at least the threshold, compared in single precision. A
//! probability that is NaN is background at every threshold. Scores, figures, sweeps, the shader, saved masks
//! and the command line all use this rule.

/// Number of steps from threshold 0 to threshold 1.
pub const THRESHOLD_STEPS: usize = 1000;

/// Returns whether a pixel of this probability is foreground at `threshold`.
pub fn is_foreground(probability: f32, threshold: f32) -> bool {
    probability >= threshold
}

/// Returns whether a pixel of this logit is foreground at threshold ½. Its probability is `sigmoid(logit)`, and
/// `sigmoid(0)` is ½.
pub fn is_foreground_logit(logit: f32) -> bool {
    logit >= 0.0
}

/// Returns the mask of a plane of probabilities: one value per pixel, 1 for foreground at `threshold` and 0 for
/// background.
pub fn foreground(probability: &[f32], threshold: f32) -> Vec<u8> {
    probability.iter().map(|&p| u8::from(is_foreground(p, threshold))).collect()
}

/// Returns the step nearest to `threshold`, which is clamped to 0…1.
pub fn threshold_step(threshold: f32) -> usize {
    (threshold.clamp(0.0, 1.0) * THRESHOLD_STEPS as f32).round() as usize
}

/// Returns the threshold of a step. Every use of a step gets the same number from here. A step beyond the last
/// counts as the last.
pub fn threshold_at(step: usize) -> f32 {
    step.min(THRESHOLD_STEPS) as f32 / THRESHOLD_STEPS as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_at_the_threshold_is_foreground_and_one_below_is_not() {
        for step in 1..=THRESHOLD_STEPS {
            let threshold = threshold_at(step);
            assert!(is_foreground(threshold, threshold), "step {step}");
            assert!(!is_foreground(threshold.next_down(), threshold), "step {step}");
            assert_eq!(threshold_step(threshold), step, "a step keeps its number");
        }
        assert_eq!(foreground(&[f32::NAN, 0.0, 0.5, 1.0], 0.0), [0, 1, 1, 1], "not a number is background");
        assert_eq!(foreground(&[0.5, 1.0], f32::NAN), [0, 0]);
    }

    #[test]
    fn a_logit_says_the_same_as_its_probability_at_one_half() {
        for logit in [-8.0, -0.25, -1e-3, 0.0, 1e-3, 0.25, 8.0, f32::NAN] {
            let probability = 1.0 / (1.0 + (-logit).exp());
            assert_eq!(is_foreground_logit(logit), is_foreground(probability, 0.5), "logit {logit}");
        }
    }
}
