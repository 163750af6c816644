//! A model whose masks a test draws.

use crate::data::{Image, Mask, Pixels};
use crate::infer::{InferError, InspectOptions, Inspection, ModelInfo, Overrides, Plane, Prediction, Segmenter};

/// The side of images and masks.
const SIDE: usize = 100;

/// A model that draws the mask that a function returns for the prompt.
pub struct Drawn(Box<dyn Fn(&str) -> Plane + Send>);

/// A mask of a square in the lower half of the image; `x` is the place of its middle, 0…1.
pub fn square(x: f32) -> Mask {
    let left = (x * SIDE as f32) as usize - 8;
    let is_inside = |at: usize| (left..left + 16).contains(&(at % SIDE)) && (55..71).contains(&(at / SIDE));
    let values = (0..SIDE * SIDE).map(|at| u8::from(is_inside(at))).collect();
    Mask { width: SIDE, height: SIDE, values }
}

impl Drawn {
    /// A model that is sure of its mask.
    pub fn new(draw: impl Fn(&str) -> Mask + Send + 'static) -> Self {
        Self::sure_to(draw, |_| 0.95)
    }

    /// A model whose probability in the mask is `sure` of the prompt, and small elsewhere.
    pub fn sure_to(
        draw: impl Fn(&str) -> Mask + Send + 'static,
        sure: impl Fn(&str) -> f32 + Send + 'static,
    ) -> Self {
        Self(Box::new(move |prompt| {
            let (mask, inside) = (draw(prompt), sure(prompt));
            let values = mask.values.iter().map(|value| if *value == 0 { 0.01 } else { inside }).collect();
            Plane { width: mask.width, height: mask.height, values }
        }))
    }

    /// The image that its masks belong to.
    pub fn image() -> Image {
        let pixels = (0..SIDE * SIDE).map(|at| (at % SIDE) as u8).collect();
        Image { width: SIDE, height: SIDE, channels: 1, pixels: Pixels::U8(pixels) }
    }
}

impl Segmenter for Drawn {
    fn info(&self) -> ModelInfo {
        ModelInfo::default()
    }

    fn predict(&mut self, _: &Image, prompt: &str) -> Result<Prediction, InferError> {
        Ok(Prediction { device: "none".into(), ..Prediction::of_map(prompt, (self.0)(prompt)) })
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        _: Option<&Overrides>,
        _: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let prediction = self.predict(image, prompt)?;
        Ok(Inspection { prediction, stages: Vec::new(), similarity: Vec::new(), explained: 0 })
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }
}
