//! Phantoms: synthetic images with lesions, their masks, and prompts that describe the masks.
//!
//! The prompts of chest X-rays and CT slices have the grammar of QaTa-COV19 and MosMedData+, and those of
//! endoscopy frames that of the Kvasir-SEG prompts. Left and right are sides of the image, as in those data
//! sets. The same kind, seed and index give the same image on every machine whose floating-point functions agree
//! to a grey level.

mod canvas;
mod chest;
mod endoscopy;
mod lungs;
mod share;
mod slice;

use std::fmt;
use std::str::FromStr;

pub use share::{SPLITS, split};

use super::{Image, Mask};

/// The kind of a phantom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A grey frontal chest X-ray.
    Xray,
    /// A grey axial CT slice of the chest in a lung window.
    Ct,
    /// A colonoscopy frame in colour.
    Endoscopy,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Xray, Self::Ct, Self::Endoscopy];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xray => "xray",
            Self::Ct => "ct",
            Self::Endoscopy => "endoscopy",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.to_string() == text.trim().to_ascii_lowercase());
        known.ok_or_else(|| format!("'{text}' is not a kind of image; choose xray, ct or endoscopy"))
    }
}

/// A synthetic image with its mask and its prompt.
#[derive(Clone, Debug)]
pub struct Phantom {
    /// The kind of image.
    pub kind: Kind,
    /// The 8-bit image of `side × side` pixels.
    pub image: Image,
    /// The mask of the lesions, of the image's size.
    pub mask: Mask,
    /// A prompt that describes the mask.
    pub prompt: String,
}

/// Draws phantom number `index` of a seed, with `side × side` pixels.
pub fn phantom(kind: Kind, seed: u64, index: u64, side: usize) -> Phantom {
    draw(kind, seed, index, side, true)
}

/// Draws a phantom without lesions. The anatomy varies as that of [`phantom`], the mask is empty, and the prompt says
/// that there is no finding.
pub fn phantom_without_lesion(kind: Kind, seed: u64, index: u64, side: usize) -> Phantom {
    draw(kind, seed, index, side, false)
}

fn draw(kind: Kind, seed: u64, index: u64, side: usize, has_lesion: bool) -> Phantom {
    let salt = (kind as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ index.wrapping_add(salt));
    // The first random numbers are skipped, because they are similar for neighbouring seeds.
    for _ in 0..4 {
        random.u64(..);
    }
    let (image, values, prompt) = match kind {
        Kind::Xray => {
            let (image, infection) = chest::draw(&mut random, side, has_lesion);
            (image, infection.mask, infection.prompt)
        }
        Kind::Ct => {
            let (image, infection) = slice::draw(&mut random, side, has_lesion);
            (image, infection.mask, infection.prompt)
        }
        Kind::Endoscopy => endoscopy::draw(&mut random, side, has_lesion),
    };
    Phantom { kind, image, mask: Mask { width: side, height: side, values }, prompt }
}

#[cfg(test)]
mod tests {
    use super::canvas::parts;
    use super::*;
    use crate::text::prompt::parse;

    const SIDE: usize = 224;

    fn centre(part: &[usize]) -> (f32, f32) {
        let mean =
            |f: &dyn Fn(usize) -> usize| part.iter().map(|i| f(*i)).sum::<usize>() as f32 / part.len() as f32;
        (mean(&|i| i % SIDE) / SIDE as f32, mean(&|i| i / SIDE) / SIDE as f32)
    }

    #[test]
    fn lung_prompts_are_true() {
        let numbers = ["no", "one", "two", "three", "four", "five", "six"];
        for kind in [Kind::Xray, Kind::Ct] {
            for index in 0..60 {
                let made = phantom(kind, 5, index, SIDE);
                let parts = parts(&made.mask.values, SIDE);
                let said = made.prompt.to_ascii_lowercase();
                assert!(said.contains(&format!("{} infected", numbers[parts.len()])), "{kind} {index}: {said}");
                let (left, right): (Vec<_>, Vec<_>) = parts.iter().partition(|part| centre(part).0 < 0.5);
                assert_eq!(said.contains("left lung"), !left.is_empty(), "{kind} {index}: {said}");
                assert_eq!(said.contains("right lung"), !right.is_empty(), "{kind} {index}: {said}");
                assert_eq!(said.starts_with("bilateral"), !left.is_empty() && !right.is_empty());
                assert!(said.ends_with("lung."), "{said}");
                let share = made.mask.foreground() as f32 / (SIDE * SIDE) as f32;
                assert!((0.001..0.4).contains(&share), "{kind} {index}: {share}");
            }
        }
    }

    #[test]
    fn the_named_third_is_the_infected_one() {
        let mut seen = 0;
        for index in 0..200 {
            let made = phantom(Kind::Xray, 9, index, SIDE);
            let said = made.prompt.to_ascii_lowercase();
            let Some(place) = said.strip_prefix("unilateral pulmonary infection, one infected area, ") else {
                continue;
            };
            let (_, y) = centre(&parts(&made.mask.values, SIDE)[0]);
            let zone = place.split(' ').next().expect("a word");
            let expected = match zone {
                "upper" => 0.1..0.45,
                "lower" => 0.45..0.85,
                _ => 0.2..0.7,
            };
            assert!(expected.contains(&y), "{said}: {y}");
            seen += 1;
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn polyp_prompts_are_true() {
        for index in 0..60 {
            let made = phantom(Kind::Endoscopy, 5, index, SIDE);
            let found: Vec<_> =
                parts(&made.mask.values, SIDE).into_iter().filter(|part| part.len() > 100).collect();
            assert!(!found.is_empty(), "{index}: {}", made.prompt);
            if let Some(rest) = made.prompt.strip_prefix("one small ") {
                let share = made.mask.foreground() as f32 / (SIDE * SIDE) as f32;
                assert!((0.005..0.09).contains(&share), "{index} {rest}: {share}");
            }
            let (x, y) = centre(&found[0]);
            if found.len() == 1 {
                let place = made.prompt.split("located in ").nth(1).expect("a place");
                assert_eq!(place.contains("left"), x < 1.0 / 3.0, "{index} {x}: {place}");
                assert_eq!(place.contains("top"), y < 1.0 / 3.0, "{index} {y}: {place}");
            }
        }
    }

    #[test]
    fn a_seed_and_a_number_make_one_picture() {
        for kind in Kind::ALL {
            let [a, b, c] = [(1, 2), (1, 2), (1, 3)].map(|(seed, index)| phantom(kind, seed, index, 96));
            assert_eq!(a.image, b.image);
            assert_eq!((a.mask, a.prompt), (b.mask, b.prompt));
            assert_ne!(a.image, c.image);
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("mri".parse::<Kind>().is_err());
    }

    #[test]
    fn a_phantom_without_lesion_is_the_same_body_and_its_prompt_says_so() {
        for kind in Kind::ALL {
            for index in 0..20 {
                let (ill, healthy) = (phantom(kind, 4, index, 96), phantom_without_lesion(kind, 4, index, 96));
                assert_eq!(healthy.mask.foreground(), 0, "{kind} {index}");
                assert!(parse(&healthy.prompt).prompt.is_some_and(|prompt| prompt.is_negative()), "{healthy:?}");
                assert_ne!(healthy.image, ill.image, "{kind} {index}");
                assert_ne!(healthy.image, phantom_without_lesion(kind, 4, index + 1, 96).image, "{kind} {index}");
            }
        }
    }
}
