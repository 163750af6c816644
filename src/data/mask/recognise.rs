//! The rules by which the values of a mask file become labels. `docs/masks.md` describes them.

use super::labels::{Indices, Label};
use super::tally::{Counted, Tally};
use super::{MaskKind, MaskRule};

/// If no value of an image is above this limit, its integers are classes, whatever the image looks like.
/// Photographs have a larger range of grey values.
const SMALL: f64 = 31.0;
/// The largest number of different values of an image that are classes without further evidence. It is also the
/// limit for colours, and for volumes with negative values.
pub const CLASSES: usize = 64;
/// The largest number of different values of a volume without negative values that are classes. It is also the
/// limit for instances in an image.
const VOLUME_CLASSES: usize = 4096;
/// If an image has more values than this and nearly all pixels are near the ends of the range, the values
/// between are noise of an earlier lossy compression.
const NOISY: usize = 8;
/// The share of pixels in the middle half of the range below which the pixels count as near the ends.
const NOISY_MIDDLE: f64 = 0.02;
/// The share of pixels in the middle half of the range above which a binary mask is doubtful.
const MIDDLE: f64 = 0.05;
/// The largest value of a lossily compressed image that is noise in an empty mask.
pub const NOISE: f64 = 32.0;

/// The labels that a rule found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The index in `labels` of each pixel's label.
    pub indices: Indices,
    /// The labels, background first.
    pub labels: Vec<Label>,
    /// How the labels were distinguished.
    pub kind: MaskKind,
    /// Notes about the result.
    pub notes: Vec<String>,
}

/// The properties of the storage of the values.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// The number of pixels per row and of rows per slice.
    pub size: [usize; 2],
    /// Whether the values were compressed lossily.
    pub is_lossy: bool,
    /// Whether the values belong to an image, where they are grey levels. In a volume they are labels.
    pub is_picture: bool,
    /// Half of the range of the data type, above which integer values of an image are foreground.
    pub half: f64,
}

/// Makes a result with two labels. `indices` holds 0 (background) or 1 (foreground) for each pixel, and `values`
/// the value of each label.
fn two(indices: Vec<u8>, values: [f64; 2], kind: MaskKind) -> Found {
    let label =
        |value: f64, is_foreground| Label { value: value.round() as i64, colour: None, pixels: 0, is_foreground };
    let mut labels = vec![label(values[0], false), label(values[1], true)];
    if labels[0].value == labels[1].value {
        // Values that round to the same integer get the labels 0 and 1.
        (labels[0].value, labels[1].value) = (0, 1);
    }
    Found { indices: Indices::U8(indices), labels, kind, notes: Vec::new() }
}

/// Makes a background and a foreground label from a decision for each pixel.
pub fn decided(foreground: impl Iterator<Item = bool>, kind: MaskKind) -> Found {
    two(foreground.map(u8::from).collect(), [0.0, 1.0], kind)
}

/// Finds the labels of grey values. `numbers` returns another iterator over the values, which is used if the
/// tally has too many to store.
///
/// # Errors
/// Returns a message if there are no pixels, or if the values are not those of a mask.
pub fn grey<'a>(
    tally: Tally,
    encoding: Encoding,
    numbers: &dyn Fn() -> Box<dyn Iterator<Item = f64> + 'a>,
) -> Result<Found, String> {
    let counted = match tally {
        Tally::Few(counted) => counted,
        Tally::Many { low, high } => {
            let above = half(low, high, encoding, false)?;
            return Ok(decided(numbers().map(|value| value > above), MaskKind::Half { above }));
        }
    };
    let values = counted.values.as_slice();
    let (Some(&low), Some(&high)) = (values.first(), values.last()) else {
        return Err("it has no pixels".into());
    };
    let is_whole = values.iter().all(|value| (value - value.round()).abs() < 1e-4 && value.abs() < 9e18);
    match values {
        [value] if *value <= 0.0 => {
            return Ok(two(vec![0; counted.places.len()], [*value, value + 1.0], MaskKind::Nothing));
        }
        [value] if !encoding.is_lossy => {
            let kind = MaskKind::Everything { value: *value };
            return Ok(two(vec![1; counted.places.len()], [0.0, *value], kind));
        }
        // In a JPEG, two values below half of the range are noise of an empty mask.
        [background, foreground]
            if *foreground > 0.0 && (!encoding.is_lossy || *foreground > encoding.half || *foreground <= 1.0) =>
        {
            let kind = MaskKind::TwoValues { background: *background, foreground: *foreground };
            let indices = counted.places.iter().map(|&place| place as u8).collect();
            return Ok(two(indices, [*background, *foreground], kind));
        }
        _ => {}
    }
    let is_classes = is_whole && !encoding.is_lossy && has_classes(&counted, encoding);
    if is_classes {
        return Ok(classes(counted));
    }
    if is_whole && !encoding.is_picture && low < 0.0 {
        let count = values.len();
        return Err(format!("it has {count} different whole values from {low} to {high}, like an image"));
    }
    let above = half(low, high, encoding, is_whole)?;
    let middle = counted.middle();
    let is_above: Vec<bool> = values.iter().map(|value| *value > above).collect();
    let foreground = counted.places.iter().map(|&place| is_above[usize::from(place)]);
    let mut found = decided(foreground, MaskKind::Half { above });
    if encoding.is_picture && middle > MIDDLE {
        found.notes.push(format!(
            "{:.0} % of its pixels are neither dark nor bright. If they are classes, they cannot be distinguished; values above {above} count as foreground.",
            100.0 * middle
        ));
    }
    Ok(found)
}

/// Returns whether integer values are classes rather than grey levels.
fn has_classes(counted: &Counted, encoding: Encoding) -> bool {
    let values = &counted.values;
    let (low, high) = (values[0], values[values.len() - 1]);
    if !encoding.is_picture {
        return values.len() <= VOLUME_CLASSES && (low >= 0.0 || values.len() <= CLASSES);
    }
    if high <= SMALL && low >= 0.0 {
        return true;
    }
    let [columns, rows] = encoding.size;
    let interior = counted.interior(columns, rows);
    if values.len() > CLASSES {
        // These are instances: nearly every value fills an area, unlike the grey values of a photograph.
        let filled = interior.iter().filter(|is_interior| **is_interior).count();
        return values.len() <= VOLUME_CLASSES && filled * 5 >= values.len() * 4;
    }
    // These are smoothed boundaries: values between black and white never fill an area.
    let has_middle_area = interior[1..values.len() - 1].iter().any(|is_interior| *is_interior);
    if !has_middle_area {
        return false;
    }
    // These are traces of JPEG in a file of another format: there are many values, and nearly all are near the
    // ends.
    !(values.len() > NOISY && counted.middle() < NOISY_MIDDLE)
}

/// Makes a label for each value. The value 0 is the background; if it does not occur, no pixel is background.
fn classes(counted: Counted) -> Found {
    let Counted { values, counts, places } = counted;
    let background = values.iter().position(|value| *value == 0.0).unwrap_or(usize::MAX);
    // The background comes first; the other labels follow in ascending order.
    let mut labels = vec![Label { value: 0, colour: None, pixels: 0, is_foreground: false }];
    let mut place_of = vec![0_u16; values.len()];
    for (place, (value, pixels)) in values.iter().zip(&counts).enumerate() {
        let value = value.round() as i64;
        if place == background {
            labels[0].pixels = *pixels;
        } else {
            place_of[place] = labels.len() as u16;
            labels.push(Label { value, colour: None, pixels: *pixels, is_foreground: value > 0 });
        }
    }
    let count = labels.len();
    let kind = MaskKind::Labels { count: count - 1 };
    let indices = places.into_iter().map(|place| place_of[usize::from(place)]).collect();
    let negative = labels.iter().filter(|label| label.value < 0 && label.pixels > 0).count();
    let note =
        (negative > 0).then(|| format!("{negative} of its labels are below 0 and do not count as foreground."));
    Found { indices: Indices::of(indices, count), labels, kind, notes: note.into_iter().collect() }
}

/// Returns the threshold above which values are foreground if there are many.
///
/// # Errors
/// Returns a message if the values are those of an image, or probabilities before a sigmoid.
fn half(low: f64, high: f64, encoding: Encoding, is_whole: bool) -> Result<f64, String> {
    if encoding.is_lossy && high > NOISE {
        // Half of the largest value in the file is used, because the foreground may be 127 just as well as 255.
        return Ok((high / 2.0).floor());
    }
    if encoding.is_picture && (is_whole || encoding.is_lossy) {
        return Ok(encoding.half);
    }
    if low < -1e-3 {
        return Err(format!(
            "it has many values from {low} to {high}: they could be probabilities before a sigmoid (foreground above 0) or an image"
        ));
    }
    if !encoding.is_picture && high > 255.0 {
        return Err(format!("it has many values from {low} to {high}, like an image"));
    }
    Ok(if high <= 1.0 { 0.5 } else { high / 2.0 })
}

/// Finds the labels of a one-hot mask. `planes` has a channel or a volume for each class, which says for each
/// pixel whether it belongs to the class.
pub fn one_hot(planes: Vec<Vec<bool>>) -> Found {
    let count = planes.len();
    let pixels = planes.first().map_or(0, Vec::len);
    let mut covered = vec![0_u16; pixels];
    for plane in &planes {
        covered.iter_mut().zip(plane).for_each(|(count, &is)| *count += u16::from(is));
    }
    let is_partition = covered.iter().all(|&count| count == 1);
    // If each voxel belongs to exactly one channel, the largest channel is the background; among equal ones it
    // is the first, by convention.
    let area = |plane: &Vec<bool>| plane.iter().filter(|is| **is).count();
    let largest = (0..count).max_by_key(|channel| (area(&planes[*channel]), count - channel));
    let background = largest.filter(|_| is_partition && count > 1);
    let mut notes = Vec::new();
    if let Some(background) = background.filter(|background| *background != 0) {
        notes.push(format!("Its channel {background}, the largest, is the background, not channel 0."));
    }
    if covered.iter().any(|&count| count > 1) {
        notes.push("Its channels overlap; the later one takes precedence.".into());
    }
    let mut labels = vec![Label {
        value: background.map_or(0, |channel| channel as i64),
        colour: None,
        pixels: 0,
        is_foreground: false,
    }];
    let mut indices = vec![0_u16; pixels];
    for (channel, plane) in planes.iter().enumerate().filter(|(channel, _)| Some(*channel) != background) {
        let place = labels.len() as u16;
        // With a background channel, channels keep their numbers from 0. Without one they are numbered from 1.
        let value = if background.is_some() { channel as i64 } else { channel as i64 + 1 };
        labels.push(Label { value, colour: None, pixels: 0, is_foreground: true });
        indices.iter_mut().zip(plane).filter(|(_, is)| **is).for_each(|(index, _)| *index = place);
    }
    let kind = MaskKind::Channels { count, background };
    Found { indices: Indices::of(indices, labels.len()), labels, kind, notes }
}

/// Applies a requested rule to samples with `channels` samples for each pixel. `half` is half of their range.
/// Returns `None` if no rule was requested.
pub fn by_rule(samples: &[f32], channels: usize, rule: MaskRule, half: f64) -> Option<Found> {
    let pixels = || samples.chunks_exact(channels.max(1));
    match rule {
        MaskRule::Found => None,
        MaskRule::Exactly255 => {
            Some(decided(pixels().map(|pixel| pixel.iter().all(|value| *value == 255.0)), MaskKind::Exactly255))
        }
        MaskRule::Half => {
            let above = half as f32 * channels as f32;
            Some(decided(pixels().map(|pixel| pixel.iter().sum::<f32>() > above), MaskKind::Half { above: half }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_below_zero_are_told() {
        let found = |values: &[f64]| {
            let places = (0..values.len() as u16).collect();
            classes(Counted { values: values.to_vec(), counts: vec![1; values.len()], places })
        };
        assert_eq!(
            found(&[-2.0, -1.0, 0.0, 3.0]).notes,
            ["2 of its labels are below 0 and do not count as foreground."]
        );
        assert!(found(&[0.0, 1.0, 3.0]).notes.is_empty());
    }

    #[test]
    fn many_values_of_a_volume_are_a_mask_up_to_255() {
        let encoding = Encoding { size: [4, 4], is_lossy: false, is_picture: false, half: 0.5 };
        assert_eq!(half(0.0, 1.0, encoding, false), Ok(0.5));
        assert_eq!(half(0.0, 255.0, encoding, true), Ok(127.5));
        assert!(half(0.0, 300.0, encoding, true).is_err_and(|reason| reason.ends_with("like an image")));
    }
}
