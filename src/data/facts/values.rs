//! The facts about the values: storage, mapping, unit, padding, range and windows.

use super::words::{count, number};
use super::{Fact, Section};
use crate::data::volume::{Modality, Source, StoredPixels, ValueMapping};
use crate::data::{Image, Volume};

/// Returns the section on the values. `slice` is the number of the displayed slice, from 0, and `image` holds
/// its values.
pub fn section(volume: &Volume, slice: usize, image: &Image) -> Section {
    let mut rows = vec![stored(volume)];
    if !is_plain(volume) {
        rows.extend([mapping(volume, slice), unit(volume), padding(volume)]);
    }
    rows.push(range(volume, image));
    if volume.is_inverted {
        rows.push(Fact::new("Low values", "white", inverted(volume)));
    }
    if !is_plain(volume) {
        rows.extend(windows(volume));
    }
    Section { title: "Values", rows }
}

/// Returns whether the volume is a picture whose format states no mapping, unit, padding or windows.
fn is_plain(volume: &Volume) -> bool {
    let is_picture = matches!(volume.source, Source::Picture(_) | Source::Made);
    let is_as_stored = volume.mapping == ValueMapping::Same && volume.unit.is_empty();
    is_picture && is_as_stored && volume.padding.is_none() && volume.windows.is_empty()
}

fn stored(volume: &Volume) -> Fact {
    let samples = match volume.values {
        StoredPixels::U8(_) => "8 bit unsigned",
        StoredPixels::I16(_) => "16 bit signed",
        StoredPixels::U16(_) => "16 bit unsigned",
        StoredPixels::F32(_) => "32 bit floating point",
    };
    let channels = if volume.channels == 1 { "grey" } else { "red, green, blue" };
    let name = "Stored as";
    match &volume.source {
        Source::Nifti(nifti) if !nifti.data_type.is_empty() => Fact::new(name, nifti.data_type, "from datatype"),
        Source::Picture(picture) if !picture.samples.is_empty() => {
            Fact::new(name, picture.samples.as_str(), "from the file")
        }
        _ => Fact::new(name, format!("{channels}, {samples}"), "as stored in memory"),
    }
}

fn mapping(volume: &Volume, slice: usize) -> Fact {
    let name = "Value mapping";
    match &volume.mapping {
        ValueMapping::Same => match &volume.source {
            Source::Dicom(_) => Fact::new(name, "as stored", "no rescale in the file, or an identity"),
            Source::Nifti(_) => Fact::new(name, "as stored", "scl_slope is 0 or 1 and scl_inter 0"),
            _ => Fact::new(name, "as stored", super::UNKNOWN[1]),
        },
        ValueMapping::Linear(pairs) => {
            let Some([slope, intercept]) = pairs.get(slice).or(pairs.first()) else { return Fact::unknown(name) };
            let value =
                format!("slope {}, intercept {}", number(f64::from(*slope), 6), number(f64::from(*intercept), 4));
            let differs = pairs.windows(2).any(|pair| pair[0] != pair[1]);
            let of = if differs { " of this slice; others differ" } else { "" };
            let from = match &volume.source {
                Source::Dicom(_) => "from RescaleSlope and RescaleIntercept",
                Source::Nifti(_) => "from scl_slope and scl_inter",
                _ => "from the file",
            };
            Fact::new(name, value, format!("{from}{of}"))
        }
        ValueMapping::Table { first, entries } => {
            let entries = count(entries.len(), "entry", "entries");
            let value = format!("table of {entries} from stored value {}", number(f64::from(*first), 0));
            Fact::new(name, value, "from the lookup table or curve in the file")
        }
    }
}

fn unit(volume: &Volume) -> Fact {
    if volume.unit.is_empty() {
        return Fact::new("Unit", "none", super::UNKNOWN[1]);
    }
    let origin = match &volume.source {
        Source::Dicom(dicom) if !dicom.rescale_type.is_empty() => "from RescaleType",
        Source::Dicom(_) if volume.modality == Modality::Ct => "rescaled CT values are in Hounsfield units",
        Source::Nifti(_) => "from the lowest values, which are those of air in HU",
        _ => "from the file",
    };
    Fact::new("Unit", volume.unit, origin)
}

fn padding(volume: &Volume) -> Fact {
    match (volume.padding, &volume.source) {
        (Some(value), source) => {
            let origin = match source {
                Source::Dicom(_) => "from PixelPaddingValue, after mapping",
                Source::Nifti(_) => "from the lowest value, which is far below all others",
                _ => "from the file",
            };
            Fact::new("Padding", with_unit(volume, value), origin)
        }
        (None, Source::Nifti(_)) => Fact::new("Padding", "none", "no value is far below all others"),
        (None, _) => Fact::new("Padding", "none", super::UNKNOWN[1]),
    }
}

fn with_unit(volume: &Volume, value: f32) -> String {
    let value = number(f64::from(value), 3);
    if volume.unit.is_empty() { value } else { format!("{value} {}", volume.unit) }
}

/// Returns the range of a slice's values, with the number of padding pixels that are left out.
fn range(volume: &Volume, image: &Image) -> Fact {
    let (mut low, mut high, mut padding) = (f32::INFINITY, f32::NEG_INFINITY, 0_usize);
    for value in image.floats() {
        if Some(value) == volume.padding {
            padding += 1;
        } else {
            (low, high) = (low.min(value), high.max(value));
        }
    }
    let name = if volume.slices > 1 { "Range, this slice" } else { "Range" };
    if low > high {
        return Fact::new(name, "padding alone", "from its pixels");
    }
    let value = format!("{} to {}", number(f64::from(low), 3), with_unit(volume, high));
    let origin = match padding {
        0 => "from its pixels".to_owned(),
        padding => format!("from its pixels, without {} of padding", count(padding, "pixel", "pixels")),
    };
    Fact::new(name, value, origin)
}

fn inverted(volume: &Volume) -> &'static str {
    match &volume.source {
        Source::Dicom(_) => "from PhotometricInterpretation (MONOCHROME1)",
        _ => "from PhotometricInterpretation (white is zero)",
    }
}

fn windows(volume: &Volume) -> Vec<Fact> {
    let origin = match &volume.source {
        Source::Dicom(_) => "from WindowCenter and WindowWidth, or the table in the file",
        Source::Nifti(_) => "from cal_min and cal_max",
        _ => "from the file",
    };
    let row = |own: &crate::data::volume::NamedWindow| {
        let value = format!(
            "level {}, width {}",
            number(f64::from(own.window.centre), 2),
            number(f64::from(own.window.width), 2)
        );
        Fact::new(&format!("Window “{}”", own.name), value, origin)
    };
    match volume.windows.is_empty() {
        true => vec![Fact::new("Windows", "none", super::UNKNOWN[1])],
        false => volume.windows.iter().map(row).collect(),
    }
}
