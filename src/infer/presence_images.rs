//! The images of a calibration of presence: pairs of data sets, images without lesion, and phantoms.

use std::ops::ControlFlow;

use super::error::InferError;
use super::presence::PresenceFeatures;
use super::presence_fit::PresenceCase;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair;
use crate::data::describe::{Kind, recognise};
use crate::data::image::load_as;
use crate::data::phantom::{phantom, phantom_without_lesion};
use crate::data::worklist::Item;
use crate::data::{DataError, Image, Limit, PairReading, Sample};
use crate::text::prompt::{Grammar, parse};

/// The side length of the phantoms in pixels.
const SIDE: usize = 224;

/// An image of a calibration.
#[derive(Clone, Debug)]
pub enum PresenceImage {
    /// A pair, which has a lesion if its mask has foreground.
    Pair(Sample, PairReading),
    /// An image without lesion.
    Healthy(Item),
    /// The phantom of a seed and an index, with or without lesion.
    Phantom(Kind, u64, u64, bool),
}

/// What was measured of a set of images.
#[derive(Clone, Debug, Default)]
pub struct PresenceCases {
    /// The images that could be read, in their order.
    pub cases: Vec<PresenceCase>,
    /// The reasons why others could not.
    pub skipped: Vec<String>,
}

/// Predicts every image and measures its probability map; `None` if `progress` broke.
///
/// An image with a lesion gets its own prompt. An image without lesion gets the prompt of one with a lesion, so that the
/// prompts do not tell the two apart: a phantom that of the same phantom with lesions, another image
/// one of the pairs' prompts of the same grammar. `progress` receives the number of finished images and the total.
///
/// # Errors
/// A prediction failed, no image can be read, or there is no prompt for images without lesion.
pub fn presence_cases(
    segmenter: &mut dyn Segmenter,
    images: &[PresenceImage],
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<PresenceCases>, InferError> {
    let pool: Vec<(Grammar, &str)> = images
        .iter()
        .filter_map(|image| {
            let PresenceImage::Pair(sample, _) = image else { return None };
            let prompt = parse(&sample.prompt).prompt.filter(|prompt| !prompt.is_negative())?;
            Some((prompt.grammar(), sample.prompt.as_str()))
        })
        .collect();
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| {
        let Shown { image, prompt, group, has_lesion } = match Shown::of(&images[index], index, &pool) {
            Ok(shown) => shown,
            Err(Unusable::File(error)) => return Ok(Err(error.to_string())),
            Err(Unusable::NoPrompt) => {
                return Err(
                    "there is no prompt for the images without lesion; name a data set with lesions".into()
                );
            }
        };
        let prediction = segmenter.predict(&image, &prompt)?;
        let Some(features) = PresenceFeatures::of(&prediction.probability_model) else {
            return Ok(Err("the model gives no probability map".to_owned()));
        };
        Ok::<_, InferError>(Ok(PresenceCase { group, features, has_lesion }))
    };
    let PresenceCases { mut cases, mut skipped } = PresenceCases::default();
    let is_done = in_order(segmenter, images.len(), 1, job, |next| {
        for done in 0..images.len() {
            if progress(done, images.len()).is_break() {
                return Ok(false);
            }
            match next()? {
                Ok(case) => cases.push(case),
                Err(reason) => skipped.push(reason),
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    if let (true, Some(reason)) = (cases.is_empty(), skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    Ok(is_done.then_some(PresenceCases { cases, skipped }))
}

/// Why an image cannot be used.
enum Unusable {
    File(DataError),
    NoPrompt,
}

/// What the network is shown.
struct Shown {
    image: Image,
    prompt: String,
    group: String,
    has_lesion: bool,
}

impl Shown {
    fn of(image: &PresenceImage, index: usize, pool: &[(Grammar, &str)]) -> Result<Self, Unusable> {
        match image {
            PresenceImage::Phantom(kind, seed, index, has_lesion) => {
                let made = phantom(*kind, *seed, *index, SIDE);
                let group = format!("phantom {}", kind_words(*kind));
                let image = match has_lesion {
                    true => made.image,
                    false => phantom_without_lesion(*kind, *seed, *index, SIDE).image,
                };
                Ok(Self { image, prompt: made.prompt, group, has_lesion: *has_lesion })
            }
            PresenceImage::Pair(sample, reading) => {
                let pair = pair::read(sample, reading).map_err(Unusable::File)?;
                let has_lesion = pair.mask.foreground() > 0;
                let is_negative = parse(&sample.prompt).prompt.is_some_and(|prompt| prompt.is_negative());
                let own = Some(&sample.prompt).filter(|own| !own.trim().is_empty() && !is_negative);
                Self::with(pair.image, own.map(String::as_str), has_lesion, index, pool)
            }
            PresenceImage::Healthy(item) => {
                let image =
                    load_as(&item.path, Limit::default(), item.reading.orientation).map_err(Unusable::File)?;
                Self::with(image, None, false, index, pool)
            }
        }
    }

    fn with(
        image: Image,
        own: Option<&str>,
        has_lesion: bool,
        index: usize,
        pool: &[(Grammar, &str)],
    ) -> Result<Self, Unusable> {
        let kind = recognise(&image);
        let prompt = own.or_else(|| prompt_of(pool, kind, index)).ok_or(Unusable::NoPrompt)?.to_owned();
        Ok(Self { image, prompt, group: kind_words(kind).to_owned(), has_lesion })
    }
}

/// Returns a prompt of `pool` for an image of this kind; another for every index.
fn prompt_of<'a>(pool: &[(Grammar, &'a str)], kind: Kind, index: usize) -> Option<&'a str> {
    let grammar = if kind == Kind::Endoscopy { Grammar::Polyps } else { Grammar::Lungs };
    let of_kind: Vec<&str> =
        pool.iter().filter(|(other, _)| *other == grammar).map(|(_, prompt)| *prompt).collect();
    // Neighbours in a table may be of one subject, so that neighbouring indices take distant prompts.
    (!of_kind.is_empty()).then(|| of_kind[index * 7919 % of_kind.len()])
}

/// Returns a kind of images in words: "X-rays".
pub const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Xray => "X-rays",
        Kind::Ct => "CT slices",
        Kind::Endoscopy => "endoscopy frames",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_lesion_get_prompts_of_their_grammar() {
        let pool = [(Grammar::Lungs, "left lung"), (Grammar::Polyps, "one polyp"), (Grammar::Lungs, "right lung")];
        let prompts: Vec<_> = (0..2).map(|index| prompt_of(&pool, Kind::Xray, index)).collect();
        assert_eq!(prompts, [Some("left lung"), Some("right lung")]);
        assert_eq!(prompt_of(&pool, Kind::Endoscopy, 5), Some("one polyp"));
        assert_eq!(prompt_of(&pool[..1], Kind::Endoscopy, 5), None);
    }

    #[test]
    fn a_phantom_without_lesion_gets_the_prompt_of_the_one_with() {
        let shown = |has_lesion| Shown::of(&PresenceImage::Phantom(Kind::Ct, 3, 4, has_lesion), 0, &[]).ok();
        let (ill, healthy) = (shown(true).expect("drawn"), shown(false).expect("drawn"));
        assert_eq!((&ill.prompt, &ill.group), (&healthy.prompt, &healthy.group));
        assert_eq!(ill.group, "phantom CT slices");
        assert!(ill.has_lesion && !healthy.has_lesion && ill.image != healthy.image);
    }
}
