//! How often masks obey the words of a place.
//!
//! Every image gets eight prompts in turn: each side alone ("Unilateral pulmonary infection, left lung."), and each of the six
//! places, a zone of one side ("Unilateral pulmonary infection, upper left lung."). A mask obeys its prompt if at least half of its area lies in
//! the half of the image that is named and, for a place, in the band of the zone ([`ZoneBands`]). Sides are those of the image. An empty mask says
//! nothing and is counted apart: there may be no lesion in that place.

use std::ops::ControlFlow;

use super::error::InferError;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair;
use crate::data::describe::{Describer, ZoneBands, side_of};
use crate::data::{Dataset, Mask};
use crate::text::prompt::{LungFinding, Lungs, Prompt, Side, Zone, Zones};

/// The least share of a mask's area in the named part of the image with which it obeys.
pub const OBEYED_FROM: f64 = 0.5;

/// A prompt that names one side or one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The half of the image.
    pub side: Side,
    /// The zone; `None` for the whole side.
    pub zone: Option<Zone>,
}

impl Named {
    /// The sides, then the places, from left to right and from top to bottom.
    pub fn all() -> Vec<Self> {
        let sides = Side::ALL.iter().map(|side| Self { side: *side, zone: None });
        let places =
            Zone::ALL.iter().flat_map(|zone| Side::ALL.iter().map(|side| Self { side: *side, zone: Some(*zone) }));
        sides.chain(places).collect()
    }

    /// The prompt.
    pub fn prompt(&self) -> String {
        let zones = self.zone.into_iter().collect::<Zones>();
        Prompt::Lungs(Lungs::new(None, vec![LungFinding { side: Some(self.side), zones }])).to_string()
    }

    /// A short name: "left", or "upper left".
    pub fn words(&self) -> String {
        let zone = self.zone.map(|zone| format!("{} ", zone.word())).unwrap_or_default();
        format!("{zone}{}", self.side.word())
    }

    /// The number of foreground pixels of a mask, of those in the named half, and of those in the named part.
    fn counts(&self, mask: &Mask, bands: &ZoneBands) -> [usize; 3] {
        let mut counts = [0; 3];
        for (index, _) in mask.values.iter().enumerate().filter(|(_, value)| **value != 0) {
            let is_side = side_of(index % mask.width, mask.width) == self.side;
            let height = ((index / mask.width) as f64 + 0.5) / mask.height as f64;
            let is_zone = self.zone.is_none_or(|zone| bands.zone(height) == zone);
            counts[0] += 1;
            counts[1] += usize::from(is_side);
            counts[2] += usize::from(is_side && is_zone);
        }
        counts
    }
}

/// How masks answered prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The number of masks that are not empty.
    pub masks: usize,
    /// The number of those that obey.
    pub obeyed: usize,
    /// The number of empty masks.
    pub empty: usize,
}

impl Answers {
    /// The share of the masks that obey; `None` if all are empty.
    pub fn share(&self) -> Option<f64> {
        (self.masks > 0).then(|| self.obeyed as f64 / self.masks as f64)
    }

    fn add(&mut self, [all, _, inside]: [usize; 3]) {
        self.masks += usize::from(all > 0);
        self.empty += usize::from(all == 0);
        self.obeyed += usize::from(all > 0 && inside as f64 >= OBEYED_FROM * all as f64);
    }
}

/// The answers to one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedAnswers {
    /// What the prompt names.
    pub named: Named,
    /// All answers.
    pub all: Answers,
    /// Those for the images whose ground truth has foreground in the named part.
    pub present: Answers,
}

/// How often the masks of a set obey.
#[derive(Clone, Debug, PartialEq)]
pub struct Obedience {
    /// The answers to each prompt, in the order of [`Named::all`].
    pub prompts: Vec<NamedAnswers>,
    /// Whether the masks of the prompts with a zone lie in the half that is named, whatever the zone.
    pub sides_of_places: Answers,
    /// The number of images.
    pub images: usize,
    /// The reasons why images could not be used.
    pub skipped: Vec<String>,
}

impl Obedience {
    /// The answers to the prompts that name a side alone, with all images, and with those where something is.
    pub fn sides(&self) -> [Answers; 2] {
        self.sum(|named| named.zone.is_none())
    }

    /// The answers to the prompts that name a place, with all images, and with those where something is.
    pub fn places(&self) -> [Answers; 2] {
        self.sum(|named| named.zone.is_some())
    }

    fn sum(&self, is_wanted: impl Fn(&Named) -> bool) -> [Answers; 2] {
        let mut sums = [Answers::default(); 2];
        for of in self.prompts.iter().filter(|of| is_wanted(&of.named)) {
            for (sum, part) in sums.iter_mut().zip([of.all, of.present]) {
                sum.masks += part.masks;
                sum.obeyed += part.obeyed;
                sum.empty += part.empty;
            }
        }
        sums
    }
}

/// Counts for one image: for each prompt those of the mask, and whether the ground truth has foreground in the named part.
type OfImage = Vec<([usize; 3], bool)>;

/// Asks for each side and each place in every image of a data set, at `threshold`. Endoscopy frames are skipped. `progress` receives
/// the number of finished images and the total; `None` if it broke.
///
/// # Errors
/// No image can be used, or the model failed.
pub fn obedience(
    segmenter: &mut dyn Segmenter,
    dataset: &Dataset,
    threshold: f32,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Obedience>, InferError> {
    let samples = &dataset.samples;
    let all = Named::all();
    let job = |segmenter: &mut dyn Segmenter,
               _: &mut (),
               index: usize|
     -> Result<Result<OfImage, String>, InferError> {
        let sample = &samples[index];
        let pair = match pair::read(sample, &dataset.reading) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let look = match Describer::new(&pair.image, None) {
            Ok(describer) => describer.look(),
            Err(error) => return Ok(Err(format!("{}: {error}", sample.name))),
        };
        let Some(bands) = ZoneBands::of(&look) else {
            return Ok(Err(format!("{}: this looks like an endoscopy frame, which has no lungs", sample.name)));
        };
        let of = |named: &Named| {
            let values = segmenter.predict(&pair.image, &named.prompt())?.mask(threshold);
            let mask = Mask { width: pair.image.width, height: pair.image.height, values };
            let [.., truth] = named.counts(&pair.mask, &bands);
            Ok((named.counts(&mask, &bands), truth > 0))
        };
        all.iter().map(of).collect::<Result<OfImage, InferError>>().map(Ok)
    };
    let empty = NamedAnswers { named: all[0], all: Answers::default(), present: Answers::default() };
    let mut found = Obedience {
        prompts: all.iter().map(|named| NamedAnswers { named: *named, ..empty.clone() }).collect(),
        sides_of_places: Answers::default(),
        images: 0,
        skipped: Vec::new(),
    };
    let is_done = in_order(segmenter, samples.len(), 1, job, |next| {
        for done in 0..samples.len() {
            if progress(done, samples.len()).is_break() {
                return Ok(false);
            }
            match next()? {
                Ok(of_image) => {
                    found.images += 1;
                    for (answers, (counts, is_present)) in found.prompts.iter_mut().zip(of_image) {
                        answers.all.add(counts);
                        if is_present {
                            answers.present.add(counts);
                        }
                        if answers.named.zone.is_some() {
                            found.sides_of_places.add([counts[0], counts[1], counts[1]]);
                        }
                    }
                }
                Err(reason) => found.skipped.push(reason),
            }
        }
        Ok::<bool, InferError>(true)
    })?;
    if let (true, 0, Some(reason)) = (is_done, found.images, found.skipped.first()) {
        return Err(InferError::NothingReadable { count: found.skipped.len(), reason: reason.clone() });
    }
    let _ = progress(samples.len(), samples.len());
    Ok(is_done.then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::describe::{ImageLook, Kind};

    #[test]
    fn half_of_the_area_in_the_named_part_obeys_and_nothing_is_no_answer() {
        let bands = ZoneBands::of(&ImageLook { kind: Kind::Ct, lung_field: None }).expect("bands");
        let (width, height) = (10, 100);
        let mask = |is: &dyn Fn(usize, usize) -> bool| {
            let values = (0..width * height).map(|at| u8::from(is(at % width, at / width))).collect();
            Mask { width, height, values }
        };
        let named = Named { side: Side::Left, zone: Some(Zone::Upper) };
        // Columns 0 to 4 are left, rows 0 to 35 upper.
        let cases = [
            (mask(&|x, y| x < 5 && y < 30), 1, 1),
            (mask(&|_, y| y < 36), 1, 1),
            (mask(&|x, y| x < 5 && y < 80), 1, 0),
            (mask(&|x, y| x >= 5 && y < 36), 1, 0),
            (mask(&|_, _| false), 0, 0),
        ];
        for (index, (mask, masks, obeyed)) in cases.into_iter().enumerate() {
            let mut answers = Answers::default();
            answers.add(named.counts(&mask, &bands));
            assert_eq!((answers.masks, answers.obeyed, answers.empty), (masks, obeyed, 1 - masks), "case {index}");
        }
        assert_eq!(Answers::default().share(), None);
    }

    #[test]
    fn every_prompt_names_one_place_that_the_grammar_reads() {
        let all = Named::all();
        assert_eq!(all.len(), 8);
        assert_eq!(all[0].prompt(), "Unilateral pulmonary infection, left lung.");
        assert_eq!(all[7].prompt(), "Unilateral pulmonary infection, lower right lung.");
        assert_eq!(all[7].words(), "lower right");
        for named in all {
            let Some(Prompt::Lungs(lungs)) = crate::text::prompt::parse(&named.prompt()).prompt else {
                panic!("{}", named.prompt())
            };
            assert_eq!(lungs.findings[0].side, Some(named.side));
            assert_eq!(lungs.findings[0].zones.iter().next(), named.zone);
        }
    }
}
