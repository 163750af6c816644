//! Reports: a prompt written out as a radiologist's or an endoscopist's report, and a report condensed to a prompt.

mod augment;
mod augment_polyps;
mod context;
mod distil;
mod distil_lungs;
mod distil_polyps;
mod distilled;
mod locations;
mod offer;
mod sentences;
mod style;
mod terms;

pub use augment::augment;
pub use context::Status;
pub use distil::distil;
pub use distilled::{Distilled, LeftOut, Limit, Options, Reason, Source, Told};
pub use offer::{is_report, offers_distil};
pub use style::Style;

use serde::Serialize;

/// Returns the words and phrases by which a report is read, in no particular order, for a vocabulary.
pub fn words() -> impl Iterator<Item = &'static str> {
    terms::words().chain(context::phrases())
}

/// Whose left a text means. In an X-ray or a CT slice in the usual orientation, the patient's left is at the right
/// of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Left {
    /// The left of the image, as in the prompts of the data sets.
    Image,
    /// The left of the patient, as in reports.
    Patient,
}
