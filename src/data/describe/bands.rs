//! The part of an image that a single place in a prompt means.

use super::lung_field::Area;
use super::{ImageLook, Kind, USUAL_AREA};
use crate::text::prompt::Zone;

/// The bands of the image's height that the zones of a lung mean, as shares of it. A point lies in one zone, unlike an area,
/// of which [`describe`](super::describe()) may name several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoneBands {
    /// Where the middle zone begins.
    middle: f64,
    /// Where the lower zone begins.
    lower: f64,
}

impl ZoneBands {
    /// The bands of an image; `None` for an endoscopy frame.
    ///
    /// X-rays: from 0.435 and 0.71 of the box of the lungs, at which the zone of the centroid is most often the one that the
    /// sentence names (83 % on average over the zones, of the 211 training pairs of QaTa-COV19 that name one area and one
    /// zone). CT slices: from 0.36 and 0.69 of the image, as in MosMedData+.
    pub fn of(look: &ImageLook) -> Option<Self> {
        let within = |area: &Area, share: f64| area.top + share * (area.bottom - area.top);
        match look.kind {
            Kind::Xray => {
                let area = look.lung_field.map_or(USUAL_AREA, |found| found.area);
                Some(Self { middle: within(&area, 0.435), lower: within(&area, 0.71) })
            }
            Kind::Ct => Some(Self { middle: 0.36, lower: 0.69 }),
            Kind::Endoscopy => None,
        }
    }

    /// The zone of a row, given as a share of the image's height.
    pub fn zone(&self, height: f64) -> Zone {
        match () {
            () if height < self.middle => Zone::Upper,
            () if height < self.lower => Zone::Middle,
            () => Zone::Lower,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_follow_the_lungs_of_an_x_ray_and_the_frame_of_a_slice() {
        let look = |kind| ImageLook { kind, lung_field: None };
        let bands = ZoneBands::of(&look(Kind::Xray)).expect("bands");
        assert_eq!([0.3, 0.45, 0.6].map(|height| bands.zone(height)), [Zone::Upper, Zone::Middle, Zone::Lower]);
        let bands = ZoneBands::of(&look(Kind::Ct)).expect("bands");
        assert_eq!([0.35, 0.36, 0.69].map(|height| bands.zone(height)), [Zone::Upper, Zone::Middle, Zone::Lower]);
        assert_eq!(ZoneBands::of(&look(Kind::Endoscopy)), None);
    }
}
