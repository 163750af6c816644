//! The parts of a mask that a sentence about one side or one place asks for.

use crate::data::Mask;
use crate::data::describe::{ImageLook, Kind, ZoneBands, side_of};
use crate::text::prompt::{Side, Zone};

/// The least share of the mask that a half of the image holds for that side to be named alone, as in the rule that describes
/// masks.
const LEAST_SIDE: f64 = 0.03;
/// The least share of the mask in a place for that place to be named. A sentence does not name a place that the edge of an area
/// just reaches.
const LEAST_PLACE: f64 = 0.1;

/// A target mask, by halves of the image and by places.
pub struct MaskParts {
    mask: Mask,
    is_transposed: bool,
    /// The number of foreground pixels.
    count: usize,
    /// The zones of the image; `None` where there are none.
    bands: Option<ZoneBands>,
    /// The places with their numbers of foreground pixels.
    places: Vec<((Side, Zone), usize)>,
}

impl MaskParts {
    /// Looks at the target of an image of this kind, `side × side`.
    ///
    /// A place is a half of the image and a zone ([`ZoneBands`], with the usual box of the lungs, because the image may have been
    /// deformed).
    pub fn of(target: &[f32], side: usize, is_transposed: bool, kind: Kind) -> Self {
        let at = |index: usize| if is_transposed { index % side * side + index / side } else { index };
        let values: Vec<u8> = (0..side * side).map(|index| u8::from(target[at(index)] > 0.5)).collect();
        let count = values.iter().filter(|value| **value != 0).count();
        let mask = Mask { width: side, height: side, values };
        let bands = ZoneBands::of(&ImageLook { kind, lung_field: None });
        let mut places = Vec::new();
        if let Some(bands) = &bands {
            places.extend(Side::ALL.iter().flat_map(|side| Zone::ALL.iter().map(|zone| ((*side, *zone), 0))));
            for index in foreground(&mask) {
                let place = place_of(index, &mask, bands);
                places.iter_mut().filter(|(other, _)| *other == place).for_each(|(_, count)| *count += 1);
            }
        }
        Self { mask, is_transposed, count, bands, places }
    }

    /// Whether both halves of the image have foreground.
    pub fn has_both_sides(&self) -> bool {
        let width = self.mask.width;
        let all = self.foreground().count() as f64;
        Side::ALL.iter().all(|side| {
            let own = self.foreground().filter(|index| side_of(index % width, width) == *side).count() as f64;
            own > 0.0 && own >= LEAST_SIDE * all
        })
    }

    /// The places that can be named alone: each holds at least a tenth of the mask.
    pub fn places(&self) -> Vec<(Side, Zone)> {
        self.places_with(|count| count > 0 && count as f64 >= LEAST_PLACE * self.count as f64)
    }

    /// The places without any of the mask; none if the mask is empty, because nobody knows then what is absent.
    pub fn absent_places(&self) -> Vec<(Side, Zone)> {
        self.places_with(|count| count == 0 && self.count > 0)
    }

    fn places_with(&self, is_wanted: impl Fn(usize) -> bool) -> Vec<(Side, Zone)> {
        self.places.iter().filter(|(_, count)| is_wanted(*count)).map(|(place, _)| *place).collect()
    }

    /// The target with one half of the image alone.
    pub fn of_side(&self, side: Side) -> Vec<f32> {
        let width = self.mask.width;
        self.target(self.foreground().filter(|index| side_of(index % width, width) == side))
    }

    /// The target within one place alone; empty for one of [`Self::absent_places`].
    pub fn of_place(&self, place: (Side, Zone)) -> Vec<f32> {
        let is_inside =
            |index: &usize| self.bands.as_ref().is_some_and(|bands| place_of(*index, &self.mask, bands) == place);
        self.target(self.foreground().filter(is_inside))
    }

    fn foreground(&self) -> impl Iterator<Item = usize> {
        foreground(&self.mask)
    }

    fn target(&self, pixels: impl Iterator<Item = usize>) -> Vec<f32> {
        let side = self.mask.width;
        let mut target = vec![0.0; side * side];
        for index in pixels {
            target[if self.is_transposed { index % side * side + index / side } else { index }] = 1.0;
        }
        target
    }
}

fn foreground(mask: &Mask) -> impl Iterator<Item = usize> {
    mask.values.iter().enumerate().filter(|(_, value)| **value != 0).map(|(index, _)| index)
}

/// The place of a pixel.
fn place_of(index: usize, mask: &Mask, bands: &ZoneBands) -> (Side, Zone) {
    let height = ((index / mask.width) as f64 + 0.5) / mask.height as f64;
    (side_of(index % mask.width, mask.width), bands.zone(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 100;

    /// A target with squares of 20 pixels around these middles (column, row).
    fn target(middles: &[(usize, usize)], is_transposed: bool) -> Vec<f32> {
        let mut target = vec![0.0; SIDE * SIDE];
        for (x, y) in middles {
            for row in y - 10..y + 10 {
                for column in x - 10..x + 10 {
                    target[if is_transposed { column * SIDE + row } else { row * SIDE + column }] = 1.0;
                }
            }
        }
        target
    }

    #[test]
    fn sides_and_places_are_those_of_the_upright_image() {
        for is_transposed in [false, true] {
            let all = target(&[(20, 25), (80, 80), (25, 82)], is_transposed);
            let parts = MaskParts::of(&all, SIDE, is_transposed, Kind::Ct);
            assert!(parts.has_both_sides());
            assert_eq!(parts.of_side(Side::Left), target(&[(20, 25), (25, 82)], is_transposed));
            assert_eq!(parts.of_side(Side::Right), target(&[(80, 80)], is_transposed));
            let expected = [(Side::Left, Zone::Upper), (Side::Left, Zone::Lower), (Side::Right, Zone::Lower)];
            let absent = [(Side::Left, Zone::Middle), (Side::Right, Zone::Upper), (Side::Right, Zone::Middle)];
            assert_eq!((parts.places(), parts.absent_places()), (expected.to_vec(), absent.to_vec()));
            assert!(parts.of_place((Side::Right, Zone::Upper)).iter().all(|value| *value == 0.0));
            assert_eq!(parts.of_place((Side::Left, Zone::Lower)), target(&[(25, 82)], is_transposed));
        }
    }

    #[test]
    fn a_mask_on_one_side_has_no_other_side() {
        let one = MaskParts::of(&target(&[(20, 25)], false), SIDE, false, Kind::Ct);
        assert!(!one.has_both_sides() && one.places() == [(Side::Left, Zone::Upper)]);
        // Some pixels beyond the middle are no other side.
        let across = MaskParts::of(&target(&[(30, 25), (41, 80)], false), SIDE, false, Kind::Ct);
        assert!(!across.has_both_sides());
        let frame = MaskParts::of(&target(&[(20, 20), (80, 80)], false), SIDE, false, Kind::Endoscopy);
        assert!(frame.has_both_sides() && frame.places().is_empty() && frame.absent_places().is_empty());
        let nothing = MaskParts::of(&target(&[], false), SIDE, false, Kind::Xray);
        assert!(!nothing.has_both_sides() && nothing.places().is_empty() && nothing.absent_places().is_empty());
    }

    #[test]
    fn an_area_through_several_zones_is_cut_at_their_borders() {
        // A column of 20 pixels from the first row to the last, and a square whose edge reaches into the lower zone by a row.
        let column: Vec<(usize, usize)> = (1..=9).map(|step| (20, 10 * step)).collect();
        let mut all = target(&column, false);
        for (value, other) in all.iter_mut().zip(target(&[(80, 60)], false)) {
            *value += other;
        }
        let parts = MaskParts::of(&all, SIDE, false, Kind::Ct);
        // The borders of a CT slice are at 36 and 69 percent of the height.
        for (zone, rows) in [(Zone::Upper, 0..36), (Zone::Middle, 36..69), (Zone::Lower, 69..100)] {
            let part = parts.of_place((Side::Left, zone));
            let expected =
                |at: usize| f32::from(u8::from(rows.contains(&(at / SIDE)) && (10..30).contains(&(at % SIDE))));
            assert!((0..SIDE * SIDE).all(|at| part[at] == expected(at)), "{zone:?}");
            assert!(parts.places().contains(&(Side::Left, zone)));
        }
        assert!(parts.places().contains(&(Side::Right, Zone::Middle)));
        // 20 of 2,200 pixels: neither there nor absent.
        let edge = (Side::Right, Zone::Lower);
        assert!(!parts.places().contains(&edge) && !parts.absent_places().contains(&edge));
        assert_eq!(parts.absent_places(), [(Side::Right, Zone::Upper)]);
    }
}
