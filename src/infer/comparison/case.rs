//! The cases of a comparison: pairs of a data set, phantoms, or an open image.

use std::borrow::Cow;
use std::sync::Arc;

use crate::data::dataset::pair;
use crate::data::phantom::{Kind, phantom};
use crate::data::{
    Area, DataError, Dataset, Image, Mask, PairReading, Pixels, Sample, fingerprint, subject_or_name,
};

/// A case of a comparison.
#[derive(Clone, Debug)]
pub struct ComparedCase {
    /// The name of the image.
    pub name: String,
    /// The prompt that models are given.
    pub prompt: String,
    /// The box that models are given which take one; `None` if the prompt itself describes it.
    pub area: Option<Area>,
    /// Where image and ground truth come from.
    pub origin: CaseOrigin,
}

/// Where the image and the ground truth of a case come from.
#[derive(Clone, Debug)]
pub enum CaseOrigin {
    /// A pair of a data set, and how it is read.
    Pair(Sample, PairReading),
    /// A synthetic image.
    Phantom {
        /// The kind of image.
        kind: Kind,
        /// The seed.
        seed: u64,
        /// The number of the phantom.
        index: u64,
        /// The side of the image in pixels.
        side: usize,
    },
    /// An image in memory, with its ground truth if there is one.
    Open(Arc<Image>, Option<Arc<Mask>>),
}

/// The pixels of a case.
#[derive(Clone, Debug)]
pub struct CaseImage {
    /// The image.
    pub image: Arc<Image>,
    /// The ground truth, of the image's size; `None` if there is none.
    pub truth: Option<Arc<Mask>>,
    /// The fingerprint of the image's file ([`fingerprint`]); of an image without a file, that of its samples.
    pub fingerprint: String,
}

impl ComparedCase {
    /// What a model is asked, which takes a box or reads a prompt.
    pub(super) fn asked(&self, takes_box: bool) -> Cow<'_, str> {
        match self.area.filter(|_| takes_box) {
            Some(area) => Cow::Owned(area.to_string()),
            None => Cow::Borrowed(&self.prompt),
        }
    }

    /// The cases of a split, in the order of its table, each with its first prompt.
    pub fn of_dataset(dataset: &Dataset) -> Vec<Self> {
        let case = |sample: &Sample| Self {
            name: sample.name.clone(),
            prompt: sample.prompt.clone(),
            area: None,
            origin: CaseOrigin::Pair(sample.clone(), dataset.reading.clone()),
        };
        dataset.samples.iter().map(case).collect()
    }

    /// `count` phantoms of a seed, which alternate between `kinds`, as `himix phantoms` draws them.
    pub fn phantoms(kinds: &[Kind], seed: u64, count: u64, side: usize) -> Vec<Self> {
        let case = |index: u64| {
            let kind = *kinds.get(index as usize % kinds.len().max(1))?;
            let prompt = phantom(kind, seed, index, side).prompt;
            let origin = CaseOrigin::Phantom { kind, seed, index, side };
            Some(Self { name: format!("{kind}_{:05}.png", index + 1), prompt, area: None, origin })
        };
        (0..count).map_while(case).collect()
    }

    /// The subject of the image; its name if that does not tell one.
    pub fn subject(&self) -> &str {
        subject_or_name(&self.name)
    }

    /// Reads the image and the ground truth.
    ///
    /// # Errors
    /// A file cannot be read, or the mask has another size than the image.
    pub fn read(&self) -> Result<CaseImage, DataError> {
        match &self.origin {
            CaseOrigin::Pair(sample, reading) => {
                let pair = pair::read(sample, reading)?;
                let fingerprint = fingerprint::of_file(&sample.image, &|_| true)?;
                let (image, truth) = (Arc::new(pair.image), Some(Arc::new(pair.mask)));
                Ok(CaseImage { image, truth, fingerprint })
            }
            CaseOrigin::Phantom { kind, seed, index, side } => {
                let made = phantom(*kind, *seed, *index, *side);
                let fingerprint = of_samples(&made.image);
                Ok(CaseImage { image: Arc::new(made.image), truth: Some(Arc::new(made.mask)), fingerprint })
            }
            CaseOrigin::Open(image, truth) => {
                let fingerprint = of_samples(image);
                Ok(CaseImage { image: image.clone(), truth: truth.clone(), fingerprint })
            }
        }
    }
}

/// The fingerprint of an image's samples, in little-endian order.
fn of_samples(image: &Image) -> String {
    match &image.pixels {
        Pixels::U8(values) => fingerprint::of_bytes(values),
        Pixels::U16(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            fingerprint::of_bytes(&bytes)
        }
        Pixels::F32(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            fingerprint::of_bytes(&bytes)
        }
    }
}
