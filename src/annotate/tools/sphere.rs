//! The brush as a sphere over neighbouring slices.

use super::{Length, Stroke, ToolError};
use crate::annotate::Region;
use crate::data::volume::Geometry;

/// The section of a sphere with a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// The index of the slice, starting at 0.
    pub slice: usize,
    /// The radius of the section in mm.
    pub radius_mm: f64,
    /// The place of the sphere's centre in this slice relative to its place in the slice it was put in, in columns and
    /// rows; not 0 in a tilted stack.
    pub shift: [f64; 2],
}

/// Returns the sections of a sphere, whose centre lies in the slice `slice`, with the slices of a stack, in ascending
/// order. The positions of the slices are used if they are known, otherwise the distance between slices.
///
/// # Errors
/// Returns an error if the pixel size or the distance between slices is not known, if the radius is not a positive
/// number, or if there is no such slice.
pub fn sections(
    geometry: &Geometry,
    slices: usize,
    slice: usize,
    radius_mm: f64,
) -> Result<Vec<Section>, ToolError> {
    Length::Mm(radius_mm).in_pixels(geometry.pixel_mm)?;
    if slice >= slices {
        return Err(ToolError::Outside);
    }
    let place = |at: usize| offset(geometry, slice, at).ok_or(ToolError::NoSliceDistance);
    let mut found = Vec::new();
    for at in 0..slices {
        let ([across, down], distance) = if at == slice { ([0.0; 2], 0.0) } else { place(at)? };
        let squared = radius_mm.powi(2) - distance.powi(2);
        if squared > 0.0 {
            // The centre stays where it is in the patient, so it moves against the slice.
            found.push(Section { slice: at, radius_mm: squared.sqrt(), shift: [-across, -down] });
        }
    }
    Ok(found)
}

/// Returns how far slice `to` lies from slice `from`: along columns and rows in pixels, and across the slices in mm.
fn offset(geometry: &Geometry, from: usize, to: usize) -> Option<([f64; 2], f64)> {
    let by_position = || {
        let (placement, normal, [width, height]) =
            (geometry.placement.as_ref()?, geometry.normal()?, geometry.pixel_mm?);
        let (from, to) = (placement.positions.get(from)?, placement.positions.get(to)?);
        let along = |axis: [f64; 3]| (0..3).map(|part| axis[part] * (to[part] - from[part])).sum::<f64>();
        Some(([along(placement.across) / width, along(placement.down) / height], along(normal)))
    };
    let by_distance = || {
        let mm = geometry.slice_mm.filter(|mm| mm.is_finite() && *mm > 0.0)?;
        Some(([0.0; 2], mm * (to as f64 - from as f64)))
    };
    by_position().or_else(by_distance)
}

/// A stroke of a sphere: in each slice, the stroke of the sphere's section.
#[derive(Clone, Debug)]
pub struct SphereStroke {
    strokes: Vec<(Section, Stroke)>,
}

impl SphereStroke {
    /// Begins a stroke with a sphere whose centre moves in the slice `slice` of a stack with the shape columns × rows ×
    /// slices.
    ///
    /// # Errors
    /// Returns the errors of [`sections`].
    pub fn new(
        geometry: &Geometry,
        [columns, rows, slices]: [usize; 3],
        slice: usize,
        radius_mm: f64,
    ) -> Result<Self, ToolError> {
        let stroke = |section: Section| {
            let radius = Length::Mm(section.radius_mm);
            Ok((section, Stroke::new([columns, rows], radius, geometry.pixel_mm)?))
        };
        let strokes: Result<_, ToolError> =
            sections(geometry, slices, slice, radius_mm)?.into_iter().map(stroke).collect();
        Ok(Self { strokes: strokes? })
    }

    /// Continues the stroke through further points of its slice and returns the pixels of this part by slice; see
    /// [`Stroke::extend`].
    pub fn extend(&mut self, points: &[[f64; 2]]) -> Vec<(usize, Region)> {
        let part = |(section, stroke): &mut (Section, Stroke)| {
            let [across, down] = section.shift;
            let moved: Vec<[f64; 2]> = points.iter().map(|[x, y]| [x + across, y + down]).collect();
            (section.slice, stroke.extend(&moved))
        };
        self.strokes.iter_mut().map(part).filter(|(_, region)| !region.is_empty()).collect()
    }
}
