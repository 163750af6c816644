//! Jobs that examine which words of a prompt matter for its mask.

use std::sync::Arc;

use crate::analysis::maps;
use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, Pixels, Texels};
use crate::engine::display::{DisplayPixels, as_seen};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::model_job::{ModelJob, ModelTask, network_input};
use crate::infer::influence::{
    Influence, InfluenceCase, InfluenceMethods, PhraseShares, influence, phrase_shares,
};
use crate::infer::{InferError, Plane, Segmenter};

/// A prompt on an image, whose words are examined.
#[derive(Clone, Debug)]
pub struct ExaminedPrompt {
    /// The image.
    pub image: Arc<Image>,
    /// The display window applied to the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The prompt.
    pub prompt: String,
    /// The ground truth, of the same size as the image.
    pub truth: Option<Arc<Mask>>,
    /// The threshold of the masks.
    pub threshold: f32,
}

impl ExaminedPrompt {
    /// Runs a study of the prompt; `None` if it was stopped.
    fn study<T>(
        &self,
        run: impl FnOnce(&InfluenceCase<'_>) -> Result<Option<T>, InferError>,
    ) -> Result<Arc<T>, Failure> {
        let image = network_input(&self.image, self.seen);
        let (prompt, truth, threshold) = (self.prompt.as_str(), self.truth.as_deref(), self.threshold);
        match run(&InfluenceCase { image: &image, prompt, truth, threshold }) {
            Ok(Some(found)) => Ok(Arc::new(found)),
            Ok(None) => Err(Failure::Cancelled),
            Err(error) => Err(Failure::Failed(error.to_string())),
        }
    }
}

/// Leaves out, replaces and exchanges the words of a prompt.
#[derive(Debug)]
pub struct ExamineWords(pub ExaminedPrompt);

impl ModelJob for ExamineWords {
    type Answer = Arc<Influence>;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Self::Answer, Failure> {
        self.0
            .study(|case| influence(model, case, InfluenceMethods::ALL, |done, count| task.progress(done, count)))
    }
}

/// Computes the Shapley values of the phrases of a prompt.
#[derive(Debug)]
pub struct SharePhrases(pub ExaminedPrompt);

impl ModelJob for SharePhrases {
    type Answer = Arc<PhraseShares>;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Self::Answer, Failure> {
        self.0.study(|case| phrase_shares(model, case, |done, count| task.progress(done, count)))
    }
}

/// Renders where the probability of two prompts differs, over their image: orange where the second one has more, blue
/// where it has less, and the more opaque the larger the difference.
#[derive(Debug)]
pub struct PaintDifference {
    /// The image.
    pub image: Arc<Image>,
    /// The display window; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The probabilities of both prompts at the size of the network's output, a square.
    pub probabilities: [Arc<Plane>; 2],
    /// The longest side of the rendered image in pixels.
    pub side: usize,
}

impl Job for PaintDifference {
    type Answer = DisplayPixels;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<DisplayPixels, Failure> {
        let seen = as_seen(self.image, self.seen);
        let (width, height) = (seen.width, seen.height);
        let pixels: Vec<u8> =
            seen.to_rgba8().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let colours = Image { width, height, channels: 3, pixels: Pixels::U8(pixels) };
        let mut painted = DisplayPixels::of(&colours, self.side);
        let [before, after] = &self.probabilities;
        if before.width != before.height || after.width != after.height {
            return Err("The output of this model is no square, so the difference cannot be drawn."
                .to_owned()
                .into());
        }
        let map = maps::difference(after, before);
        let fine = maps::raised(&map.plane, painted.width, painted.height);
        let mut pixels = painted.texels.rgba().unwrap_or_default().to_vec();
        for (pixel, &value) in pixels.chunks_exact_mut(4).zip(&fine.values) {
            // The square root keeps small differences visible.
            let opacity = value.abs().min(1.0).sqrt();
            for (own, over) in pixel.iter_mut().zip(map.scale.colour(value.signum())) {
                *own = (f32::from(*own) * (1.0 - opacity) + f32::from(over) * opacity).round() as u8;
            }
        }
        painted.texels = Texels::Rgba(Arc::new(pixels));
        Ok(painted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_orange_where_there_is_more_and_blue_where_there_is_less() {
        let image = Image { width: 4, height: 4, channels: 1, pixels: Pixels::U8(vec![100; 16]) };
        let plane = |values: [f32; 4]| Arc::new(Plane { width: 2, height: 2, values: values.to_vec() });
        let job = PaintDifference {
            image: Arc::new(image),
            seen: None,
            probabilities: [plane([0.0, 1.0, 0.5, 0.5]), plane([1.0, 0.0, 0.5, 0.5])],
            side: 2,
        };
        let mut task = Task { ticket: 0, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut None };
        let painted = job.run(&mut task).expect("a picture");
        assert_eq!((painted.width, painted.height), (2, 2));
        let pixels: Vec<&[u8]> = painted.texels.rgba().expect("colours").chunks_exact(4).collect();
        assert!(pixels[0][0] > pixels[0][2], "orange {:?}", pixels[0]);
        assert!(pixels[1][2] > pixels[1][0], "blue {:?}", pixels[1]);
        assert_eq!(pixels[2][..3], [100; 3], "no difference");
    }
}
