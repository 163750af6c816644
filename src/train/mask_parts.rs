//! The parts of a mask that a sentence about one side or one place asks for.

use crate::data::Mask;
use crate::data::describe::{ImageLook, Kind, ZoneBands, components, least_share, side_of};
use crate::text::prompt::{Side, Zone};

/// The least share of the mask that a half of the image holds for that side to be named alone, as in the rule that describes
/// masks.
const LEAST_SIDE: f64 = 0.03;
/// The least share of a place's areas that lies within its half and band.
const LEAST_INSIDE: f64 = 0.5;

/// A target mask, by halves of the image and by places.
pub struct MaskParts {
    mask: Mask,
    is_transposed: bool,
    /// The places with their pixels, if there are several.
    places: Vec<(Side, Zone, Vec<usize>)>,
}

impl MaskParts {
    /// Looks at the target of an image of this kind, `side × side`.
    ///
    /// A place is a half of the image and a zone ([`ZoneBands`], with the usual box of the lungs, because the image may have been
    /// deformed). Its pixels are those of the connected areas whose centroid lies there; areas too small to be counted belong to none. A place counts if at least
    /// half of these pixels lie within its half and band, and if there is another one.
    pub fn of(target: &[f32], side: usize, is_transposed: bool, kind: Kind) -> Self {
        let at = |index: usize| if is_transposed { index % side * side + index / side } else { index };
        let values = (0..side * side).map(|index| u8::from(target[at(index)] > 0.5)).collect();
        let mask = Mask { width: side, height: side, values };
        let bands = ZoneBands::of(&ImageLook { kind, lung_field: None });
        let places = bands.map(|bands| places(&mask, kind, &bands)).unwrap_or_default();
        Self { mask, is_transposed, places }
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

    /// The places that can be named alone; empty if there is only one.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (Side, Zone)> {
        self.places.iter().map(|(side, zone, _)| (*side, *zone))
    }

    /// The target with one half of the image alone.
    pub fn of_side(&self, side: Side) -> Vec<f32> {
        let width = self.mask.width;
        self.target(self.foreground().filter(|index| side_of(index % width, width) == side))
    }

    /// The target with the areas of one of [`Self::places`] alone.
    pub fn of_place(&self, place: (Side, Zone)) -> Vec<f32> {
        let own = self.places.iter().filter(|(side, zone, _)| (*side, *zone) == place);
        self.target(own.flat_map(|(_, _, pixels)| pixels.iter().copied()))
    }

    fn foreground(&self) -> impl Iterator<Item = usize> {
        self.mask.values.iter().enumerate().filter(|(_, value)| **value != 0).map(|(index, _)| index)
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

/// The places of a mask in which it has areas; empty if there is only one.
fn places(mask: &Mask, kind: Kind, bands: &ZoneBands) -> Vec<(Side, Zone, Vec<usize>)> {
    let (width, height) = (mask.width, mask.height);
    let place = |row: f64, column: f64| {
        let side = if 2.0 * column + 1.0 < width as f64 { Side::Left } else { Side::Right };
        (side, bands.zone((row + 0.5) / height as f64))
    };
    let mut found: Vec<(Side, Zone, Vec<usize>)> = Vec::new();
    for area in components(mask, least_share(kind)) {
        let mean = |of: &dyn Fn(usize) -> usize| {
            area.pixels.iter().map(|index| of(*index) as f64).sum::<f64>() / area.area().max(1) as f64
        };
        let (side, zone) = place(mean(&|index| index / width), mean(&|index| index % width));
        match found.iter_mut().find(|known| (known.0, known.1) == (side, zone)) {
            Some(known) => known.2.extend(area.pixels),
            None => found.push((side, zone, area.pixels)),
        }
    }
    if found.len() < 2 {
        return Vec::new();
    }
    found.retain(|(side, zone, pixels)| {
        let is_inside =
            |index: &&usize| place((**index / width) as f64, (**index % width) as f64) == (*side, *zone);
        pixels.iter().filter(is_inside).count() as f64 >= LEAST_INSIDE * pixels.len() as f64
    });
    found
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
            let places: Vec<_> = parts.places().collect();
            let expected = [(Side::Left, Zone::Upper), (Side::Right, Zone::Lower), (Side::Left, Zone::Lower)];
            assert!(places.len() == 3 && expected.iter().all(|place| places.contains(place)), "{places:?}");
            assert_eq!(parts.of_place((Side::Left, Zone::Lower)), target(&[(25, 82)], is_transposed));
        }
    }

    #[test]
    fn a_mask_in_one_place_or_on_one_side_is_not_divided() {
        let one = MaskParts::of(&target(&[(20, 25)], false), SIDE, false, Kind::Ct);
        assert!(!one.has_both_sides() && one.places().count() == 0);
        // Some pixels beyond the middle are no other side.
        let across = MaskParts::of(&target(&[(30, 25), (41, 80)], false), SIDE, false, Kind::Ct);
        assert!(!across.has_both_sides());
        let frame = MaskParts::of(&target(&[(20, 20), (80, 80)], false), SIDE, false, Kind::Endoscopy);
        assert!(frame.has_both_sides() && frame.places().count() == 0);
        assert!(!MaskParts::of(&target(&[], false), SIDE, false, Kind::Xray).has_both_sides());
    }

    #[test]
    fn an_area_through_all_zones_is_no_single_place() {
        // A column from top to bottom has its centroid in the middle, and less than half of it there.
        let column: Vec<(usize, usize)> = (1..=9).map(|step| (20, 10 * step)).collect();
        let mut all = target(&column, false);
        for (value, other) in all.iter_mut().zip(target(&[(80, 80)], false)) {
            *value += other;
        }
        let parts = MaskParts::of(&all, SIDE, false, Kind::Ct);
        assert_eq!(parts.places().collect::<Vec<_>>(), [(Side::Right, Zone::Lower)]);
    }
}
