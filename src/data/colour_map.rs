//! Colour maps, for the screen and for files.

/// Returns the magma colour at `t` as red, green and blue in 0…1. `t` is clamped to 0…1.
///
/// Magma ends in a pale cream, which cannot be mistaken for the yellow of a true positive, as the end of viridis
/// can. The colours are a polynomial fit of degree six to matplotlib's table, by Matt Zucker (CC0). The heat
/// map's shader uses the same polynomial.
pub fn magma(t: f32) -> [f32; 3] {
    const C: [[f32; 3]; 7] = [
        [-0.002_136_485, -0.000_749_655_1, -0.005_386_128],
        [0.251_660_54, 0.677_523_24, 2.494_026_7],
        [8.353_717, -3.577_719_5, 0.314_467_9],
        [-27.668_734, 14.264_731, -13.649_213],
        [52.176_14, -27.943_606, 12.944_169],
        [-50.768_525, 29.046_583, 4.234_153],
        [18.655_705, -11.489_774, -5.601_961_6],
    ];
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|channel| C.iter().rev().fold(0.0, |sum, c| sum * t + c[channel]).clamp(0.0, 1.0))
}

/// Returns the colour at `t` of a diverging map from blue through white to orange, as red, green and blue in
/// 0…1. `t` is clamped to −1…1. The two ends remain distinguishable with red-green colour blindness.
pub fn diverging(t: f32) -> [f32; 3] {
    const LOW: [f32; 3] = [0.02, 0.30, 0.68];
    const MIDDLE: [f32; 3] = [0.96, 0.96, 0.95];
    const HIGH: [f32; 3] = [0.80, 0.33, 0.0];
    let end = if t < 0.0 { LOW } else { HIGH };
    let t = t.abs().min(1.0);
    std::array::from_fn(|channel| MIDDLE[channel] + (end[channel] - MIDDLE[channel]) * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_end_is_not_the_yellow_of_a_true_positive() {
        let [r, g, b] = magma(1.0);
        assert!(r > 0.95 && g > 0.9 && b > 0.6, "a pale cream: {r} {g} {b}");
    }

    #[test]
    fn it_is_near_the_table_of_matplotlib() {
        // Entries 51, 102, 153 and 204 of 255.
        let table = [
            (0.2, [0.232, 0.060, 0.438]),
            (0.4, [0.550, 0.161, 0.506]),
            (0.6, [0.869, 0.288, 0.409]),
            (0.8, [0.995, 0.624, 0.427]),
        ];
        for (t, expected) in table {
            let found = magma(t);
            assert!(found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 0.02), "{t}: {found:?}");
        }
    }

    #[test]
    fn it_runs_from_dark_to_bright() {
        let luminance = |t: f32| {
            let [r, g, b] = magma(t);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let steps: Vec<f32> = (0..=20).map(|step| luminance(step as f32 / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "{steps:?}");
        let shader = include_str!("../../shaders/picture.wgsl");
        assert!(shader.contains("-5.601961508734096"), "the shader has the same map");
    }
}
