//! The interface to all inference: callers that need masks use a [`Segmenter`], which was opened elsewhere.
//!
//! All inputs and results are plain data that serde can serialise, so that a model may run in another process or
//! on another computer.

use std::sync::Arc;

use super::error::InferError;
use super::info::ModelInfo;
use super::inspection::{InspectOptions, Inspection};
use super::prediction::{Plane, Prediction};
use super::predictor::Predictor;
use super::view::View;
use super::warm_up::{Report, WarmUp};
use super::watched::{Patience, Reopen, Watched};
use crate::data::Image;
use crate::device::{self, DeviceChoice};
use crate::model::overrides::Overrides;
use crate::model::weights::ModelSource;

/// An open model.
pub trait Segmenter: Send {
    /// Information about the model and its device.
    fn info(&self) -> ModelInfo;

    /// Segments `image` according to `prompt`.
    ///
    /// # Errors
    /// The model failed or rejected the request. The message is one line that says what to do.
    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError>;

    /// Predicts as [`Self::predict`] and also returns the intermediate results of the stages, with `overrides` in
    /// place of the model's own values.
    ///
    /// # Errors
    /// See [`Self::predict`]; [`InferError::Overrides`] if the model cannot run with these values.
    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError>;

    /// The probability of a changed copy of `image`, as on the copy and on the grid of the network's output. `prompt` is that
    /// of the image itself. A model may keep what it computed of the copies for further prompts.
    ///
    /// # Errors
    /// See [`Self::predict`].
    fn view(&mut self, image: &Image, view: View, prompt: &str) -> Result<Plane, InferError> {
        let prompt = view.prompt(prompt, [image.width, image.height]);
        Ok(self.predict(&view.image(image), &prompt)?.probability_model)
    }

    /// Runs everything that a prediction needs once, so that the first one does not wait for kernels to be compiled
    /// and tuned. Nothing is done where there is nothing to prepare, as on the CPU.
    ///
    /// # Errors
    /// The device failed. A prediction can be requested all the same.
    fn warm_up(&mut self, report: &mut Report<'_>) -> Result<(), InferError> {
        let _ = report;
        Ok(())
    }

    /// The work that makes the same model ready on the GPU that `choice` asks for; `None` if the model computes
    /// there already or if there is certainly none. The answer comes at once; the work may take minutes and belongs
    /// on a thread of its own.
    fn on_gpu(&self, choice: DeviceChoice) -> Option<WarmUp> {
        let _ = choice;
        None
    }

    /// Takes the messages for the user that were not reported yet.
    fn take_notices(&mut self) -> Vec<String>;

    /// The same model for another thread, so that the images of a set are processed side by side. It has no weights
    /// of its own, its results are the same to the last bit, and it has nothing to report. `None` if the model
    /// cannot do this or would gain nothing; sets are then processed one image at a time.
    fn share(&self) -> Option<Box<dyn Segmenter>> {
        None
    }

    /// The model itself if it is on this computer. Only then can its weights be written and its tensors be read.
    fn local(&mut self) -> Option<&mut Predictor> {
        None
    }
}

/// A function that opens a model. It is called on the threads that compute.
pub type OpenModel =
    Arc<dyn Fn(&ModelSource, DeviceChoice) -> Result<Box<dyn Segmenter>, InferError> + Send + Sync>;

/// Opens models on this computer.
pub fn local_models() -> OpenModel {
    Arc::new(|source, device| Ok(watched(Predictor::open(source, device)?, false)))
}

/// The predictor, watched if it computes on a hardware GPU. A software renderer does not hang, and takes longer for some
/// models than any patience. `is_tuned` tells whether everything that a prediction needs was run once.
pub(super) fn watched(predictor: Predictor, is_tuned: bool) -> Box<dyn Segmenter> {
    let open = predictor.device();
    if !open.is_gpu || open.is_software {
        return Box::new(predictor);
    }
    let (registry, source) = (predictor.registry().clone(), predictor.located().source.clone());
    let reopen: Reopen = Box::new(move || Ok(Box::new(Predictor::open_in(&registry, &source, device::cpu())?)));
    Box::new(Watched::new(Box::new(predictor), reopen, Patience::default(), is_tuned))
}

/// The model itself; `what` describes the operation that needs a model on this computer.
///
/// # Errors
/// [`InferError::NotLocal`] if the model is not on this computer.
pub fn local<'a>(segmenter: &'a mut dyn Segmenter, what: &'static str) -> Result<&'a mut Predictor, InferError> {
    let name = segmenter.info().name;
    segmenter.local().ok_or(InferError::NotLocal { name, what })
}

impl Segmenter for Predictor {
    fn info(&self) -> ModelInfo {
        Predictor::info(self).clone()
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        Predictor::predict(self, image, prompt)
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        Predictor::inspect(self, image, prompt, overrides, wanted)
    }

    fn view(&mut self, image: &Image, view: View, prompt: &str) -> Result<Plane, InferError> {
        Predictor::view(self, image, view, prompt)
    }

    fn warm_up(&mut self, report: &mut Report<'_>) -> Result<(), InferError> {
        Predictor::warm_up(self, report)
    }

    fn on_gpu(&self, choice: DeviceChoice) -> Option<WarmUp> {
        Predictor::on_gpu(self, choice)
    }

    fn take_notices(&mut self) -> Vec<String> {
        Predictor::take_notices(self)
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        Some(Box::new(Predictor::share(self)?))
    }

    fn local(&mut self) -> Option<&mut Predictor> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::data::Pixels;
    use crate::infer::{
        Attribution, GroupOverrides, Milliseconds, Parameter, Plane, Spectra, StageMap, StageOverrides,
        StageParameters, StageView, SuggestedThreshold, TokensRead,
    };
    use crate::text::UnknownWords;
    use crate::text::prompt::Reading;

    /// Serialises and deserialises a value, and checks that serialising it again gives the same text.
    fn carried<T: Serialize + DeserializeOwned>(value: &T) -> T {
        let text = serde_json::to_string(value).expect("it is written");
        let read: T = serde_json::from_str(&text).expect("it is read");
        assert_eq!(serde_json::to_string(&read).expect("it is written again"), text);
        read
    }

    fn overrides() -> Overrides {
        let stage = StageOverrides { grid: 7, sigma: Some(5.0), is_filtered: true, betas: Some([1.0, 0.5, 0.25]) };
        let group = GroupOverrides { layers: vec![1, 2], alpha: Some(vec![1.0, 2.0]), is_used: true };
        Overrides { stages: vec![stage], groups: vec![group], order: vec![1] }
    }

    #[test]
    fn questions_cross_the_seam() {
        let image = Image { width: 2, height: 1, channels: 1, pixels: Pixels::F32(vec![-1000.0, 0.1]) };
        assert_eq!(carried(&image), image);
        assert_eq!(carried(&overrides()), overrides());
        let wanted = InspectOptions { spectra: true, ..InspectOptions::default() };
        assert_eq!(carried(&wanted), wanted);
        assert_eq!(carried(&Parameter::Beta(1, 2)), Parameter::Beta(1, 2));
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Gpu(None), DeviceChoice::Gpu(Some(1))]
        {
            assert_eq!(carried(&choice), choice);
        }
    }

    #[test]
    fn answers_cross_the_seam() {
        let plane = |value: f32| Plane { width: 1, height: 2, values: vec![value, 1.0 / 3.0] };
        let prediction = Prediction {
            prompt: "left lung".into(),
            probability_model: plane(0.1),
            probability: plane(0.9),
            stages: vec![StageMap { grid: 7, map: plane(0.5) }],
            parameters: vec![StageParameters { grid: 7, sigma: Some(4.7), layer_weights: vec![(9, 0.25)] }],
            tokens: TokensRead {
                read: vec!["left".into()],
                dropped: vec!["lung".into()],
                limit: 3,
                reading: Reading::default(),
            },
            milliseconds: Milliseconds { vision: 1.0, text: 0.0, decoder: 2.5, total: 3.5 },
            device: "CPU".into(),
            presence: None,
            domain: None,
            threshold: Some(SuggestedThreshold { kind: "ct".into(), threshold: 0.42 }),
        };
        let stage = StageView {
            grid: 7,
            channels: 1,
            output: vec![-0.25, 3.0],
            attribution: Some(Attribution { map: plane(0.0), contributions: vec![-0.75] }),
            linear_probe: Some(plane(0.2)),
            spectra: Some(Spectra { before: vec![4.0], after: vec![5.0] }),
        };
        let inspection =
            Inspection { prediction, stages: vec![stage.clone()], similarity: vec![1.0, 0.5], explained: 9 };
        let read = carried(&inspection);
        assert_eq!((&read.stages, &read.similarity, read.explained), (&vec![stage], &vec![1.0, 0.5], 9));
        assert_eq!(read.prediction.probability, plane(0.9));
        assert_eq!(read.prediction.milliseconds, inspection.prediction.milliseconds);
        let info = ModelInfo {
            name: "demo".into(),
            unknown_words: UnknownWords::Token,
            temperature: Some(1.25),
            overrides: overrides(),
            history: vec![(1, vec![5.0])],
            linear_probes: Some("fitted".into()),
            ..ModelInfo::default()
        };
        assert_eq!(carried(&info), info);
    }
}
