//! What the tools see of the slice that is shown.

use std::sync::Arc;

use crate::annotate::tools::{SliceView, grey};
use crate::app::HimixApp;
use crate::data::Mask;
use crate::engine::Ticket;
use crate::infer::Prediction;

/// The values of a slice as the tools read them, with the ticket of the slice.
pub(super) type Values = (Ticket, Arc<Vec<f32>>);

/// A slice with its prediction. It shares all arrays.
pub(super) struct Sight {
    size: [usize; 2],
    pixel_mm: Option<[f64; 2]>,
    values: Arc<Vec<f32>>,
    prediction: Option<Arc<Prediction>>,
    inside: Option<Arc<Mask>>,
}

impl Sight {
    /// Creates a slice that has values alone, row-major.
    #[cfg(test)]
    pub fn of_values(size: [usize; 2], values: Vec<f32>) -> Self {
        Self { size, pixel_mm: None, values: Arc::new(values), prediction: None, inside: None }
    }

    /// Returns the slice for a tool.
    pub fn view(&self) -> SliceView<'_> {
        let [width, height] = self.size;
        SliceView::new(width, height, &self.values)
            .with_pixel_mm(self.pixel_mm)
            .with_probability(self.prediction.as_ref().map(|prediction| prediction.probability.values.as_slice()))
            .inside(self.inside.as_ref().map(|mask| mask.values.as_slice()))
    }
}

impl HimixApp {
    /// Returns what the tools see of the slice that is shown.
    ///
    /// # Errors
    /// Returns a sentence for the user without an image.
    pub(super) fn sight(&mut self) -> Result<Sight, String> {
        let state = &mut self.state;
        let open = state.document.image.as_ref().ok_or("Open an image first.")?;
        let key = open.layer.key;
        let values = match &state.annotating.values {
            Some((of, values)) if *of == key => values.clone(),
            _ => Arc::new(grey(&open.image)),
        };
        let (size, pixel_mm) = ([open.image.width, open.image.height], open.volume.geometry.pixel_mm);
        state.annotating.values = Some((key, values.clone()));
        let (prediction, inside) = (state.prediction_of_slice(), state.confined_to());
        Ok(Sight { size, pixel_mm, values, prediction, inside })
    }
}
