//! The rule that describes infected areas of the lungs.
//!
//! *Sides* are halves of the image. A side is infected if it holds at least 3 % of the mask. *Number*: the connected
//! areas of [`components`](super::components). *Zones* of X-rays: see [`xray_zones`]; of CT slices: [`ct_zones`].

use super::components::Component;
use super::lung_field::Area;
use crate::data::Mask;
use crate::text::prompt::{LungFinding, Lungs, Side, Zone, Zones};

/// The least share of the mask that a half of the image holds for that side to be infected. Fitted on the training
/// pairs of QaTa-COV19, where 3 % gives the most prompts with the same laterality (99.6 %; 1 % and 5 % give 99.5 %).
const LEAST_SIDE: f64 = 0.03;

/// The height of a place in the box of the lungs, 0 at its top and 1 at its bottom, and in the image.
struct Extent {
    /// The row above which 5 % (X-ray) or 2 % (CT) of the pixels lie, as a share of the height of the box.
    top: f64,
    /// The row above which 80 % (X-ray) or 98 % (CT) lie, as a share of the height of the box.
    bottom: f64,
    /// The distance between the two as a share of the height of the image.
    height: f64,
}

impl Extent {
    /// Returns the extent of pixels that are counted by rows, the first of which is row `first`. `None` if there are
    /// no pixels.
    fn of(rows: &[usize], first: usize, height: usize, area: &Area, shares: [f64; 2]) -> Option<Self> {
        let total: usize = rows.iter().sum();
        if total == 0 {
            return None;
        }
        let place = |share: f64| {
            let mut sum = 0;
            let row = rows.iter().position(|count| {
                sum += count;
                sum as f64 >= share * total as f64
            });
            (first + row.unwrap_or(rows.len() - 1)) as f64 / height as f64
        };
        let [from, to] = shares.map(place);
        let within = |y: f64| (y - area.top) / (area.bottom - area.top).max(f64::EPSILON);
        Some(Self { top: within(from), bottom: within(to), height: to - from })
    }
}

/// Describes the parts of a mask. `area` is the box of the lungs; zones of CT slices do not depend on it.
pub fn describe(mask: &Mask, parts: &[Component], area: &Area, is_ct: bool) -> Lungs {
    let findings = sides(mask, parts).into_iter().map(|side| {
        let zones = if is_ct { ct_zones(mask, parts, side) } else { xray_zones(mask, parts, side, area) };
        LungFinding { side: Some(side), zones: zones.merged() }
    });
    Lungs::new(u32::try_from(parts.len()).ok(), findings.collect())
}

/// Returns the infected sides of the image, left before right.
fn sides(mask: &Mask, parts: &[Component]) -> Vec<Side> {
    let counts = Side::ALL.iter().map(|side| {
        let count = parts.iter().flat_map(|part| part.rows(*side, mask.width)).sum::<usize>();
        (*side, count)
    });
    let counts: Vec<(Side, usize)> = counts.collect();
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0 && *count as f64 >= LEAST_SIDE * total as f64)
        .map(|(side, _)| side)
        .collect()
}

/// Returns the zones of the X-ray's areas on one side: those of each area together. An area begins at its 5 % row and
/// ends at its 80 % row (the ends of a mask taper into the recess), in shares of the height of the box:
///
/// * *upper* if it begins above 0.26;
/// * *lower* if it ends below 0.50;
/// * *middle* if it begins above 0.63 and ends below 0.45, unless it is lower, not upper, and less than 0.23 of the
///   image's height long: such areas are called "lower" alone; and if it is neither upper nor lower.
///
/// The limits are not at thirds of the box. They were fitted to the prompts of the 3647 `sub-S…` training pairs of
/// QaTa-COV19: the prompts say "middle" more rarely and "lower" more often than equal thirds would. Of the training prompts, 79 % name
/// exactly these zones of both lungs.
fn xray_zones(mask: &Mask, parts: &[Component], side: Side, area: &Area) -> Zones {
    parts
        .iter()
        .filter_map(|part| Extent::of(&part.rows(side, mask.width), part.top, mask.height, area, [0.05, 0.80]))
        .flat_map(|extent| {
            let is_upper = extent.top < 0.26;
            let is_lower = extent.bottom > 0.50;
            let is_short_and_low = is_lower && !is_upper && extent.height < 0.23;
            let is_middle = extent.top < 0.63 && extent.bottom > 0.45 && !is_short_and_low;
            let named = [
                (Zone::Upper, is_upper),
                (Zone::Middle, is_middle || !(is_upper || is_lower)),
                (Zone::Lower, is_lower),
            ];
            named.into_iter().filter(|(_, is)| *is).map(|(zone, _)| zone)
        })
        .collect()
}

/// Returns the zones of the areas of a CT slice on one side. The prompts of MosMedData+ name one zone a side, by bands
/// of the image's height, or all: "upper" if the 2 % row of the side lies above 0.32 of the image, "lower" if the
/// 98 % row lies below 0.73, "all" if both, and "middle" if neither. The limits were fitted on the training slices.
fn ct_zones(mask: &Mask, parts: &[Component], side: Side) -> Zones {
    let mut rows = vec![0; mask.height];
    for part in parts {
        for (row, count) in part.rows(side, mask.width).into_iter().enumerate() {
            rows[part.top + row] += count;
        }
    }
    let Some(extent) = Extent::of(&rows, 0, mask.height, &Area::FRAME, [0.02, 0.98]) else { return Zones::NONE };
    match (extent.top < 0.32, extent.bottom > 0.73) {
        (true, true) => Zones::ALL,
        (true, false) => Zones::NONE.with(Zone::Upper),
        (false, true) => Zones::NONE.with(Zone::Lower),
        (false, false) => Zones::NONE.with(Zone::Middle),
    }
}
