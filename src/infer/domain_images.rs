//! The features of sets of pictures, for a summary of training pictures or to see how it tells others.

use std::ops::ControlFlow;

use super::error::InferError;
use super::segmenter::{Segmenter, local};
use super::side_by_side::without_batches;
use crate::data::describe::Kind;
use crate::data::image::load_as;
use crate::data::phantom::phantom;
use crate::data::worklist::Item;
use crate::data::{DataError, Image, Limit};

/// The side length of the phantoms in pixels.
const SIDE: usize = 224;

/// A picture whose features are wanted.
#[derive(Clone, Debug)]
pub enum DomainImage {
    /// A picture of a folder.
    File(Item),
    /// The phantom of a seed and an index.
    Phantom(Kind, u64, u64),
}

impl DomainImage {
    fn image(&self) -> Result<Image, DataError> {
        match self {
            Self::File(item) => load_as(&item.path, Limit::default(), item.reading.orientation),
            Self::Phantom(kind, seed, index) => Ok(phantom(*kind, *seed, *index, SIDE).image),
        }
    }
}

/// The features of a set of pictures.
#[derive(Clone, Debug, Default)]
pub struct DomainRows {
    /// Those of the pictures that could be read, in their order.
    pub rows: Vec<Vec<f32>>,
    /// The reasons why others could not.
    pub skipped: Vec<String>,
}

/// Computes the features of every picture; `None` if `progress`, which receives the number of finished pictures and the
/// total, broke.
///
/// # Errors
/// The model is not on this computer or failed, or no picture can be read.
pub fn domain_rows(
    segmenter: &mut dyn Segmenter,
    images: &[DomainImage],
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<DomainRows>, InferError> {
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| {
        let image = match images[index].image() {
            Ok(image) => image,
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok::<_, InferError>(Ok(local(segmenter, "its features cannot be read")?.pooled_features(&image)?))
    };
    let DomainRows { mut rows, mut skipped } = DomainRows::default();
    let is_done = without_batches(segmenter, images.len(), 1, job, |next| {
        for done in 0..images.len() {
            if progress(done, images.len()).is_break() {
                return Ok(false);
            }
            match next()? {
                Ok(row) => rows.push(row),
                Err(reason) => skipped.push(reason),
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    if let (true, Some(reason)) = (rows.is_empty(), skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    Ok(is_done.then_some(DomainRows { rows, skipped }))
}
