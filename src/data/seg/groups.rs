//! The functional groups and dimensions of a segmentation (DICOM PS3.3 C.7.6.16 and C.7.6.17).

use std::collections::{BTreeSet, HashMap};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::Code;
use super::build::{code, decimal, decimals, group, longs, sequence, short, text};
use super::sources::{Plane, SourceSlice, Sources};
use super::uid::new_uid;

/// A frame in the grid and the orientation of its image.
pub struct StoredFrame {
    /// The index of the segment, from 0.
    pub segment: usize,
    /// The slice, from 0, in stored order.
    pub slice: usize,
    /// A value for each pixel, in stored order.
    pub values: Vec<u8>,
}

/// A dimension by which frames are sorted.
struct Dimension {
    /// The attribute, and the sequence of the functional group that has it.
    pointers: [Tag; 2],
    label: &'static str,
}

const SEGMENT: Dimension = Dimension {
    pointers: [tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE],
    label: "Segment Number",
};
const POSITION: Dimension = Dimension {
    pointers: [tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE],
    label: "Image Position (Patient)",
};
const NUMBER: Dimension = Dimension {
    pointers: [tags::IN_STACK_POSITION_NUMBER, tags::FRAME_CONTENT_SEQUENCE],
    label: "In-Stack Position Number",
};

/// Adds dimensions and functional groups. Frames are indexed by segment and by position; if images have no
/// positions, or several the same one, by segment and by their number in the stack, or by segment alone if there is
/// only one image.
pub fn add(object: &mut InMemDicomObject, sources: &Sources, frames: &[StoredFrame]) {
    let slices = &sources.slices;
    let second = match () {
        () if sources.is_placed() && are_apart(slices) => Some(POSITION),
        () if slices.len() > 1 => Some(NUMBER),
        () if sources.is_placed() => Some(POSITION),
        () => None,
    };
    let dimensions: Vec<&Dimension> = [&SEGMENT].into_iter().chain(&second).collect();
    let organization = new_uid();
    object.put(group(
        tags::DIMENSION_ORGANIZATION_SEQUENCE,
        [text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, &organization)],
    ));
    let indices = dimensions.iter().map(|Dimension { pointers: [attribute, sequence], label }| {
        InMemDicomObject::from_element_iter([
            pointer(tags::DIMENSION_INDEX_POINTER, *attribute),
            pointer(tags::FUNCTIONAL_GROUP_POINTER, *sequence),
            text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, &organization),
            text(tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label),
        ])
    });
    object.put(sequence(tags::DIMENSION_INDEX_SEQUENCE, indices.collect()));

    // Index values count from 1 without gaps, among the slices that frames have.
    let used: BTreeSet<usize> = frames.iter().map(|frame| frame.slice).collect();
    let ranks: HashMap<usize, u32> = used.iter().copied().zip(1..).collect();
    let planes: Vec<&Plane> = used.iter().filter_map(|slice| slices.get(*slice)?.plane.as_ref()).collect();
    let shared =
        planes.first().filter(|first| sources.is_placed() && planes.iter().all(|plane| is_alike(first, plane)));

    let shared_groups: Vec<InMemElement> = shared.iter().flat_map(|plane| of_plane(plane, sources)).collect();
    object.put(group(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared_groups));
    let items = frames.iter().filter_map(|frame| {
        let slice = slices.get(frame.slice)?;
        let rank = ranks.get(&frame.slice).copied().unwrap_or(1);
        let number = u16::try_from(frame.segment + 1).unwrap_or(u16::MAX);
        let mut item = InMemDicomObject::new_empty();
        let values: Vec<u32> = [u32::from(number)].into_iter().chain(second.as_ref().map(|_| rank)).collect();
        let mut content = vec![longs(tags::DIMENSION_INDEX_VALUES, &values)];
        if second.as_ref().is_some_and(|second| second.pointers == NUMBER.pointers) {
            content.push(text(tags::STACK_ID, VR::SH, "1"));
            content.push(longs(tags::IN_STACK_POSITION_NUMBER, &[rank]));
        }
        item.put(group(tags::FRAME_CONTENT_SEQUENCE, content));
        item.put(group(tags::SEGMENT_IDENTIFICATION_SEQUENCE, [short(tags::REFERENCED_SEGMENT_NUMBER, number)]));
        item.put(derivation(slice, &sources.class));
        if let Some(plane) = slice.plane.as_ref().filter(|_| sources.is_placed()) {
            item.put(group(
                tags::PLANE_POSITION_SEQUENCE,
                [decimals(tags::IMAGE_POSITION_PATIENT, &plane.position)],
            ));
            if shared.is_none() {
                of_plane(plane, sources).into_iter().for_each(|element| {
                    item.put(element);
                });
            }
        }
        Some(item)
    });
    object.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items.collect()));
}

/// Returns an element that names another.
fn pointer(tag: Tag, attribute: Tag) -> InMemElement {
    DataElement::new(tag, VR::AT, PrimitiveValue::Tags([attribute].as_slice().into()))
}

/// Returns whether no two slices have the same position.
fn are_apart(slices: &[SourceSlice]) -> bool {
    let bits = |plane: &Plane| plane.position.map(|value| (value + 0.0).to_bits());
    let positions: std::collections::HashSet<_> =
        slices.iter().filter_map(|slice| slice.plane.as_ref()).map(bits).collect();
    positions.len() == slices.len()
}

/// Returns whether two slices have the same orientation, spacing and thickness.
fn is_alike(a: &Plane, b: &Plane) -> bool {
    a.orientation == b.orientation && a.spacing == b.spacing && a.thickness == b.thickness
}

/// Returns the groups of the orientation and the pixel sizes of a slice.
fn of_plane(plane: &Plane, sources: &Sources) -> Vec<InMemElement> {
    let mut measures = vec![decimals(tags::PIXEL_SPACING, &plane.spacing)];
    // Readers without the positions of neighbours take the thickness for the distance between slices.
    if let Some(thickness) = plane.thickness.or(sources.between) {
        measures.push(text(tags::SLICE_THICKNESS, VR::DS, &decimal(thickness)));
    }
    if let Some(between) = sources.between {
        measures.push(text(tags::SPACING_BETWEEN_SLICES, VR::DS, &decimal(between)));
    }
    vec![
        group(tags::PLANE_ORIENTATION_SEQUENCE, [decimals(tags::IMAGE_ORIENTATION_PATIENT, &plane.orientation)]),
        group(tags::PIXEL_MEASURES_SEQUENCE, measures),
    ]
}

/// Returns the reference of a frame to its image (PS3.3 C.7.6.16.2.6).
fn derivation(slice: &SourceSlice, class: &str) -> InMemElement {
    let mut image = vec![
        text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, class),
        text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &slice.instance),
        text(tags::SPATIAL_LOCATIONS_PRESERVED, VR::CS, "YES"),
        code(
            tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
            &Code::new("121322", "DCM", "Source image for image processing operation"),
        ),
    ];
    if let Some(frame) = slice.frame {
        image.push(text(tags::REFERENCED_FRAME_NUMBER, VR::IS, &frame.to_string()));
    }
    group(
        tags::DERIVATION_IMAGE_SEQUENCE,
        [
            code(tags::DERIVATION_CODE_SEQUENCE, &Code::new("113076", "DCM", "Segmentation")),
            group(tags::SOURCE_IMAGE_SEQUENCE, image),
        ],
    )
}
