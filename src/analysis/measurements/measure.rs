//! Measures the labels of an image.

use std::collections::BTreeMap;

use super::components::components;
use super::{Diameter, diameters};
use crate::data::export::LabelMasks;
use crate::data::mask::components::{Component, Run};
use crate::data::volume::{Lengths, SliceDistance, Source, Unit};
use crate::data::{Image, Volume};

/// The shortest distance in mm between slices that lie in different places.
const APART: f64 = 1e-3;

/// Mean and standard deviation of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values {
    /// The number of pixels with a value; pixels of padding have none.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of these pixels (divided by their number).
    pub std: f64,
}

/// A component in one slice.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceMeasures {
    /// The slice, from 0.
    pub slice: usize,
    /// The number of pixels.
    pub pixels: u64,
    /// The area in mm²; `None` if the size of the pixels is not known.
    pub area_mm2: Option<f64>,
    /// The longest diameter, in the unit of lengths.
    pub longest: Diameter,
    /// The longest chord of the convex hull at right angles to it.
    pub perpendicular: Diameter,
    /// The values; `None` for colours, and where all pixels are padding.
    pub values: Option<Values>,
}

/// A connected component.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentMeasures {
    /// The number of pixels in all slices.
    pub pixels: u64,
    /// The volume in mm³; `None` if it is not known.
    pub volume_mm3: Option<f64>,
    /// The values in all slices; `None` for colours, and where all pixels are padding.
    pub values: Option<Values>,
    /// Its parts in the slices, at least one.
    pub slices: Vec<SliceMeasures>,
}

impl ComponentMeasures {
    /// Returns the slice with the longest of all longest diameters.
    pub fn longest(&self) -> Option<&SliceMeasures> {
        self.slices.iter().max_by(|a, b| a.longest.length.total_cmp(&b.longest.length))
    }
}

/// A label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMeasures {
    /// The name.
    pub name: String,
    /// The colour, 8-bit sRGB.
    pub colour: [u8; 3],
    /// The connected components, the largest first.
    pub components: Vec<ComponentMeasures>,
}

/// The units of measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// The unit of lengths, and of areas if it is mm.
    pub length: Unit,
    /// The volume of a voxel in mm³; `None` if it is not known.
    pub voxel_mm3: Option<f64>,
    /// The unit of the values; empty if they have none.
    pub value: String,
}

impl Units {
    /// Returns the unit of areas in words.
    pub fn area_words(&self) -> String {
        match self.length {
            Unit::Millimetres(measured) => format!("mm²{}", measured.suffix()),
            Unit::Pixels | Unit::PixelWidths => "px".into(),
        }
    }

    /// Returns the unit of volumes in words.
    pub fn volume_words(&self) -> &'static str {
        if self.voxel_mm3.is_some() { "mm³" } else { "voxels" }
    }
}

/// The measurements of an image's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurements {
    /// The labels in their order.
    pub labels: Vec<LabelMeasures>,
    /// The units.
    pub units: Units,
    /// What limits the measurements, as sentences.
    pub notes: Vec<String>,
}

/// Measures the labels of an image. Lengths and areas are in mm only where the file has the size of its pixels, and
/// volumes only where it has the distance between slices too. Values have the unit of the file.
pub fn measure(volume: &Volume, labels: &[LabelMasks]) -> Measurements {
    let (lengths, is_stack) = (volume.geometry.lengths(), is_stack(volume));
    let (units, notes) = units(volume, lengths, is_stack);
    let mut parts: Vec<Vec<Component>> = labels.iter().map(|label| components(&label.slices, is_stack)).collect();
    // Every slice is read once for all labels.
    let mut by_slice: BTreeMap<usize, Vec<(usize, usize, Vec<Run>)>> = BTreeMap::new();
    for (label, parts) in parts.iter().enumerate() {
        for (number, part) in parts.iter().enumerate() {
            for runs in part.slices() {
                by_slice.entry(runs[0].slice).or_default().push((label, number, runs.to_vec()));
            }
        }
    }
    let mut found: Vec<Vec<ComponentMeasures>> = parts
        .iter()
        .map(|parts| parts.iter().map(|part| empty(part.pixels(), units.voxel_mm3)).collect())
        .collect();
    parts.clear();
    for (slice, parts) in by_slice {
        let image = (volume.channels == 1 && slice < volume.slices).then(|| volume.slice(slice));
        for (label, number, runs) in parts {
            let part = slice_measures(slice, &runs, lengths, image.as_ref(), volume.padding);
            let whole = &mut found[label][number];
            whole.values = joined(whole.values, part.values);
            whole.slices.push(part);
        }
    }
    let labels = labels.iter().zip(found).map(|(label, components)| LabelMeasures {
        name: label.name.clone(),
        colour: label.colour,
        components,
    });
    Measurements { labels: labels.collect(), units, notes }
}

/// Returns whether neighbouring slices touch in space. The frames of a film do not.
fn is_stack(volume: &Volume) -> bool {
    let steps = volume.geometry.steps();
    let is_apart = steps.is_empty() || steps.iter().any(|step| step.abs() > APART);
    volume.slices > 1 && is_apart && (!steps.is_empty() || volume.geometry.slice_mm.is_some())
}

fn units(volume: &Volume, lengths: Lengths, is_stack: bool) -> (Units, Vec<String>) {
    let geometry = &volume.geometry;
    let mut notes = Vec::new();
    if !matches!(lengths.unit, Unit::Millimetres(_)) {
        notes
            .push("The file does not have the size of its pixels, so lengths and areas are in pixels.".to_owned());
    } else if !geometry.measured.suffix().is_empty() {
        notes.push(format!("Lengths are{}, not in the patient.", geometry.measured.suffix()));
    }
    let has_gap = !geometry.gaps().is_empty();
    let voxel = geometry.spacing_mm().filter(|_| geometry.measured.suffix().is_empty() && !has_gap);
    let voxel_mm3 = voxel.map(|[column, row, slice]| column * row * slice);
    if is_stack && has_gap {
        notes.push("The slices are not at equal distances, so volumes are in voxels.".into());
    } else if is_stack && voxel_mm3.is_none() {
        notes.push("The file does not have the size of its voxels, so volumes are in voxels.".into());
    } else if voxel_mm3.is_some() && geometry.slice_from == SliceDistance::Thickness {
        notes.push(
            "Volumes follow from the thickness of the slices, whose distance the file does not have.".into(),
        );
    }
    // A NIfTI file has no unit; that of CT is concluded from the values.
    let is_assumed = matches!(volume.source, Source::Nifti(_)) && !volume.unit.is_empty();
    let value = if is_assumed { format!("{} (assumed)", volume.unit) } else { volume.unit.to_owned() };
    (Units { length: lengths.unit, voxel_mm3, value }, notes)
}

fn empty(pixels: u64, voxel_mm3: Option<f64>) -> ComponentMeasures {
    let volume_mm3 = voxel_mm3.map(|voxel| voxel * pixels as f64);
    ComponentMeasures { pixels, volume_mm3, values: None, slices: Vec::new() }
}

fn slice_measures(
    slice: usize,
    runs: &[Run],
    lengths: Lengths,
    image: Option<&Image>,
    padding: Option<f32>,
) -> SliceMeasures {
    let pixels = runs.iter().map(Run::pixels).sum();
    let [longest, perpendicular] = diameters(runs, lengths.size);
    let values = image.and_then(|image| {
        let of_run =
            |run: &Run| (run.start..run.end).map(|column| image.value(column, run.row, 0)).collect::<Vec<_>>();
        let values = runs.iter().flat_map(of_run).filter(|value| Some(*value) != padding);
        of_values(values.map(f64::from).collect())
    });
    SliceMeasures { slice, pixels, area_mm2: lengths.area_mm2(pixels), longest, perpendicular, values }
}

fn of_values(values: Vec<f64>) -> Option<Values> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (!values.is_empty()).then(|| Values { count: values.len() as u64, mean, std: (squares / count).sqrt() })
}

/// Returns the values of two parts together.
fn joined(one: Option<Values>, other: Option<Values>) -> Option<Values> {
    let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
    let [m, n] = [a.count as f64, b.count as f64];
    let mean = (m * a.mean + n * b.mean) / (m + n);
    let between = m * n / (m + n) * (a.mean - b.mean).powi(2);
    let squares = m * a.std.powi(2) + n * b.std.powi(2) + between;
    Some(Values { count: a.count + b.count, mean, std: (squares / (m + n)).sqrt() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Mask;
    use crate::data::volume::{Measured, Placement, StoredPixels};

    /// A stack of 4×3×3 pixels whose values are their numbers, and a label with two components.
    fn case() -> (Volume, Vec<LabelMasks>) {
        let volume = Volume::plain(4, 3, 3, StoredPixels::I16((0..36).collect()));
        let mask = |values: [u8; 12]| Arc::new(Mask { width: 4, height: 3, values: values.to_vec() });
        let first = mask([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let second = mask([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let slices = [(0, first), (1, second)].into();
        (volume, vec![LabelMasks { name: "lesion".into(), colour: [1, 2, 3], slices }])
    }

    fn positions(zs: [f64; 3]) -> Option<Placement> {
        let positions = zs.map(|z| [0.0, 0.0, z]).to_vec();
        Some(Placement { across: [1.0, 0.0, 0.0], down: [0.0, 1.0, 0.0], positions })
    }

    #[test]
    fn lengths_areas_volumes_and_values_of_a_stack() {
        let (mut volume, labels) = case();
        volume.unit = "HU";
        volume.geometry.pixel_mm = Some([0.5, 2.0]);
        volume.geometry.placement = positions([0.0, 3.0, 6.0]);
        volume.geometry.derive();
        let found = measure(&volume, &labels);
        assert_eq!((found.units.value.as_str(), found.units.voxel_mm3), ("HU", Some(3.0)));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        let [large, small] = found.labels[0].components.as_slice() else { panic!("two components") };
        assert_eq!((large.pixels, large.volume_mm3, small.pixels), (3, Some(9.0), 1));
        let areas: Vec<_> = large.slices.iter().map(|part| (part.slice, part.area_mm2)).collect();
        assert_eq!(areas, [(0, Some(2.0)), (1, Some(1.0))]);
        // Two pixels side by side are 1 mm long and 2 mm high.
        assert_eq!(large.longest().map(|part| part.slice), Some(0));
        assert!(large.slices[0].longest.length > 2.0 && small.slices[0].perpendicular.length == 0.5);
        // The values are 0, 1 and 14.
        let values = large.values.expect("values");
        assert!((values.mean - 5.0).abs() < 1e-12 && (values.std - (122.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(small.values, Some(Values { count: 1, mean: 11.0, std: 0.0 }));
    }

    #[test]
    fn nothing_is_assumed() {
        let (mut volume, labels) = case();
        let found = measure(&volume, &labels);
        assert_eq!(found.labels[0].components.len(), 3, "slices without a distance are no stack");
        assert_eq!((found.units.length, found.units.value.as_str()), (Unit::Pixels, ""));
        assert_eq!(found.labels[0].components[0].slices[0].area_mm2, None);
        assert!(found.notes[0].contains("size of its pixels"), "{:?}", found.notes);
        volume.geometry.pixel_mm = Some([1.0, 1.0]);
        volume.geometry.placement = positions([0.0, 3.0, 9.0]);
        volume.geometry.derive();
        let found = measure(&volume, &labels);
        assert_eq!((found.units.voxel_mm3, found.labels[0].components.len()), (None, 2));
        assert!(found.notes[0].contains("equal distances"), "{:?}", found.notes);
        // The frames of a film lie in one place.
        volume.geometry.placement = positions([0.0; 3]);
        assert_eq!(measure(&volume, &labels).labels[0].components.len(), 3);
        volume.geometry.measured = Measured::Detector;
        assert!(measure(&volume, &labels).notes[0].contains("at detector"));
        assert_eq!(measure(&volume, &labels).units.area_words(), "mm² at detector");
        volume.unit = "HU";
        volume.source = Source::Nifti(Box::default());
        assert_eq!(measure(&volume, &labels).units.value, "HU (assumed)");
    }

    #[test]
    fn padding_and_colours_have_no_values() {
        let (mut volume, labels) = case();
        volume.padding = Some(0.0);
        let pair = &measure(&volume, &labels).labels[0].components[0];
        assert_eq!(pair.values, Some(Values { count: 1, mean: 1.0, std: 0.0 }));
        volume.channels = 3;
        volume.values = StoredPixels::U8(vec![0; 108]);
        assert_eq!(measure(&volume, &labels).labels[0].components[0].values, None);
    }
}
