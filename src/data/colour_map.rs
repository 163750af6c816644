//! Colour maps, for the screen and for files.

/// Returns the viridis colour at `t` in 0…1 as red, green, blue in 0…1. The heat map's shader has the same
/// polynomial: a fit of degree six to matplotlib's table by Matt Zucker (CC0).
pub fn viridis(t: f32) -> [f32; 3] {
    const C: [[f32; 3]; 7] = [
        [0.277_727_33, 0.005_407_344_5, 0.334_099_8],
        [0.105_093_04, 1.404_613_5, 1.384_590_1],
        [-0.330_861_84, 0.214_847_56, 0.095_095_16],
        [-4.634_230_6, -5.799_101, -19.332_441],
        [6.228_27, 14.179_934, 56.690_554],
        [4.776_385, -13.745_145, -65.353_03],
        [-5.435_456, 4.645_852_6, 26.312_435],
    ];
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|channel| C.iter().rev().fold(0.0, |sum, c| sum * t + c[channel]).clamp(0.0, 1.0))
}

/// Returns a colour from blue over white to orange at `t` in −1…1. The two ends can be told apart without seeing red
/// and green.
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
    fn it_runs_from_dark_to_bright() {
        let luminance = |t: f32| {
            let [r, g, b] = viridis(t);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let steps: Vec<f32> = (0..=20).map(|step| luminance(step as f32 / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "{steps:?}");
        let shader = include_str!("../../shaders/picture.wgsl");
        assert!(shader.contains("26.3124352495832"), "the shader has the same map");
    }
}
