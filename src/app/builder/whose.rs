//! Whose left and right are meant: those of the image, as the prompts have them, or those of the patient.

use crate::text::prompt::report::Left;
use crate::text::prompt::{Prompt, Side};

/// The sides that the user reads and clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    left: Left,
    /// Whether the patient's right is at the left of the image; `None` if the file does not say it.
    is_mirrored: Option<bool>,
}

impl Whose {
    /// The sides of an image of which nothing is known.
    #[cfg(test)]
    pub const IMAGE: Self = Self { left: Left::Image, is_mirrored: None };

    /// Creates the sides from the user's choice and what the file says.
    pub(super) fn new(left: Left, is_mirrored: Option<bool>) -> Self {
        Self { left: if is_mirrored.is_some() { left } else { Left::Image }, is_mirrored }
    }

    /// Returns whose sides are shown.
    pub fn left(self) -> Left {
        self.left
    }

    /// Returns whether the file says which side of the patient is at which edge of the image.
    pub fn is_known(self) -> bool {
        self.is_mirrored.is_some()
    }

    /// Returns the name of the lung on this side of the image: "left lung (of the image)" or "patient's right lung".
    pub fn lung(self, side: Side) -> String {
        match (self.left, self.patients(side)) {
            (Left::Patient, Some(patients)) => format!("patient's {} lung", patients.word()),
            _ => format!("{} lung (of the image)", side.word()),
        }
    }

    /// Returns the side without whose it is, for places beside the diagram that says it: "left", "patient's right".
    pub fn short(self, side: Side) -> String {
        match self.left {
            Left::Image => side.word().to_owned(),
            Left::Patient => self.captions(side).0,
        }
    }

    /// Returns the names of a side of the image, the one that the user reads first; the second is `None` if the file
    /// does not say it.
    pub fn captions(self, side: Side) -> (String, Option<String>) {
        let of_image = format!("{} of the image", side.word());
        let Some(patients) = self.patients(side) else { return (of_image, None) };
        let of_patient = format!("patient's {}", patients.word());
        match self.left {
            Left::Image => (of_image, Some(of_patient)),
            Left::Patient => (of_patient, Some(of_image)),
        }
    }

    /// Returns the side of the patient at this side of the image; `None` if the file does not say it.
    fn patients(self, side: Side) -> Option<Side> {
        self.is_mirrored.map(|is_mirrored| if is_mirrored { side.other() } else { side })
    }

    /// Returns a prompt in the sides of the patient; `None` if those of the image are shown.
    pub fn for_patient(self, prompt: &Prompt) -> Option<Prompt> {
        match (self.left, self.is_mirrored) {
            (Left::Patient, Some(true)) => Some(prompt.mirrored()),
            (Left::Patient, Some(false)) => Some(prompt.clone()),
            _ => None,
        }
    }

    /// Returns how a report is read whose left is `left`: the patient's left is the image's where the file says so, and
    /// its right else, as in the usual display.
    pub fn of_report(self, left: Left) -> Left {
        if self.is_mirrored == Some(false) { Left::Image } else { left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::parse;

    #[test]
    fn the_patients_sides_are_named_only_where_the_file_says_them() {
        let unknown = Whose::new(Left::Patient, None);
        assert_eq!((unknown.left(), unknown.is_known()), (Left::Image, false));
        assert_eq!(unknown.lung(Side::Left), "left lung (of the image)");
        assert_eq!(unknown.captions(Side::Left), ("left of the image".into(), None));
        assert_eq!(unknown.short(Side::Left), "left");
        let usual = Whose::new(Left::Patient, Some(true));
        assert_eq!(usual.lung(Side::Left), "patient's right lung");
        assert_eq!(usual.captions(Side::Left), ("patient's right".into(), Some("left of the image".into())));
        assert_eq!(usual.short(Side::Left), "patient's right");
        let image = Whose::new(Left::Image, Some(true));
        assert_eq!(image.captions(Side::Left), ("left of the image".into(), Some("patient's right".into())));
        assert_eq!(Whose::new(Left::Patient, Some(false)).lung(Side::Left), "patient's left lung");
    }

    #[test]
    fn a_prompt_is_read_in_the_sides_of_the_patient() {
        let prompt = parse("upper left lung").prompt.expect("a prompt");
        let read =
            |left, is_mirrored| Whose::new(left, is_mirrored).for_patient(&prompt).map(|read| read.to_string());
        assert_eq!(read(Left::Patient, Some(true)).as_deref(), Some("Upper right lung."));
        assert_eq!(read(Left::Patient, Some(false)).as_deref(), Some("Upper left lung."));
        assert_eq!(read(Left::Image, Some(true)), None);
        assert_eq!(Whose::new(Left::Image, Some(false)).of_report(Left::Patient), Left::Image);
        assert_eq!(Whose::new(Left::Image, None).of_report(Left::Patient), Left::Patient);
    }
}
