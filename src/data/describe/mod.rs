//! Describes a mask in words: image and mask in, a prompt in the wording of a data set out. The other direction, a
//! mask against a prompt, is [`compare`].
//!
//! A description is a proposal of a rule, not a reading of the image. Left and right are sides of the *image*, as in
//! the prompts of the data sets. The constants were fitted to training pairs of QaTa-COV19, MosMedData+ and Kvasir-SEG;
//! how often the rule agrees with the annotated prompts of other pairs is held by a test.
//!
//! | kind | what is described |
//! |---|---|
//! | X-ray | infected sides and their zones in the box of the lungs, number of areas |
//! | CT slice | infected sides and their zones in the image, number of areas |
//! | endoscopy | number, sizes, colour, shape and places of polyps |

mod agreement;
mod bands;
mod compare;
mod components;
mod judgement;
mod kind;
mod lung_field;
mod lungs;
mod polyps;
mod template;

use thiserror::Error;

pub use super::phantom::Kind;
pub use agreement::agreement;
pub use bands::ZoneBands;
pub use compare::{Disagreement, MaskWarning, compare, main_side};
pub use components::{Component, components, least_share, side_of};
pub use judgement::{Judgement, judge};
pub use kind::recognise;
pub use lung_field::{Area, LEAST_CORRELATION, LungField, lung_field};

use super::{Image, Mask};
use crate::text::prompt::Prompt;

/// The box of the lungs of an X-ray in which none were found: the mean box of the training images of QaTa-COV19.
const USUAL_AREA: Area = Area { top: 0.13, bottom: 0.75, left: 0.14, right: 0.87 };

/// Why a mask cannot be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DescribeError {
    /// The mask and the image differ in size.
    #[error(
        "the mask has {} x {} pixels, but the image has {} x {}; both must have the same size",
        mask[0], mask[1], image[0], image[1]
    )]
    Size {
        /// Width and height of the mask.
        mask: [usize; 2],
        /// Width and height of the image.
        image: [usize; 2],
    },
    /// The image has no pixels, or its samples are fewer than its size says.
    #[error("the image has no pixels; choose another")]
    NoPixels,
}

/// The description of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The kind of image, as given or recognised.
    pub kind: Kind,
    /// What the rule says of the mask. It prints in the wording of the data set.
    pub prompt: Prompt,
    /// The areas that were counted.
    pub components: Vec<Component>,
    /// The lungs of an X-ray, if they were found; otherwise the zones are those of a box of usual size.
    pub lung_field: Option<LungField>,
}

/// What is known of an image before its masks are described.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageLook {
    /// The kind of image, as given or recognised.
    pub kind: Kind,
    /// The lungs of an X-ray, if they were found.
    pub lung_field: Option<LungField>,
}

/// Describes masks of one image. It looks at the image once, so that many masks of it cost little.
#[derive(Clone, Debug)]
pub struct Describer<'a> {
    image: &'a Image,
    look: ImageLook,
}

impl<'a> Describer<'a> {
    /// Looks at an image. Its kind is [recognised](recognise) if it is not given.
    ///
    /// # Errors
    /// Returns [`DescribeError::NoPixels`] if the image has no pixels, or fewer samples than its size says.
    pub fn new(image: &'a Image, kind: Option<Kind>) -> Result<Self, DescribeError> {
        let samples = image.width * image.height * image.channels;
        if samples == 0 || image.pixels.len() < samples {
            return Err(DescribeError::NoPixels);
        }
        let kind = kind.unwrap_or_else(|| recognise(image));
        let lung_field = (kind == Kind::Xray).then(|| lung_field(image)).flatten();
        Ok(Self { image, look: ImageLook { kind, lung_field } })
    }

    /// Describes masks of an image that was looked at before.
    pub const fn again(image: &'a Image, look: ImageLook) -> Self {
        Self { image, look }
    }

    /// Returns what was found in the image, for [`Self::again`].
    pub const fn look(&self) -> ImageLook {
        self.look
    }

    /// Returns the kind of image, as given or recognised.
    pub const fn kind(&self) -> Kind {
        self.look.kind
    }

    /// Describes a mask of the image. An empty mask is described as "no pulmonary infection" or "no polyp".
    ///
    /// # Errors
    /// Returns [`DescribeError::Size`] if the mask is not as large as the image.
    pub fn describe(&self, mask: &Mask) -> Result<Description, DescribeError> {
        let sizes = [[mask.width, mask.height], [self.image.width, self.image.height]];
        if sizes[0] != sizes[1] || mask.values.len() != mask.width * mask.height {
            return Err(DescribeError::Size { mask: sizes[0], image: sizes[1] });
        }
        let ImageLook { kind, lung_field } = self.look;
        let components = components(mask, least_share(kind));
        let area = lung_field.map_or(USUAL_AREA, |found| found.area);
        let prompt = match kind {
            Kind::Xray => Prompt::Lungs(lungs::describe(mask, &components, &area, false)),
            Kind::Ct => Prompt::Lungs(lungs::describe(mask, &components, &area, true)),
            Kind::Endoscopy => Prompt::Polyps(polyps::describe(self.image, mask, &components)),
        };
        Ok(Description { kind, prompt, components, lung_field })
    }
}

/// Describes one mask: [`Describer::new`] and [`Describer::describe`] in one call.
///
/// # Errors
/// Returns [`DescribeError`] if the mask is not as large as the image, or if there are no pixels.
pub fn describe(image: &Image, mask: &Mask, kind: Option<Kind>) -> Result<Description, DescribeError> {
    Describer::new(image, kind)?.describe(mask)
}

#[cfg(test)]
mod tests;
