//! The rules by which the values of a mask file become labels. `docs/masks.md` describes them.

use super::labels::{Indices, Label};
use super::tally::{Counted, Tally};
use super::{MaskKind, MaskRule};

/// Integers up to this value are classes, whatever the image looks like; grey values are never so few.
const SMALL: f64 = 31.0;
/// Most different grey values of an image or a volume that are taken for classes.
pub const CLASSES: usize = 64;
const VOLUME_CLASSES: usize = 4096;
/// From this number of values on, if most of them are near both ends, they are the noise of an earlier compression.
const NOISY: usize = 8;
/// Share of pixels between black and white below which the others are near both ends.
const NOISY_MIDDLE: f64 = 0.02;
/// Share of pixels between black and white from which on a binary mask is doubtful.
const MIDDLE: f64 = 0.05;
/// Brightest value of a lossily compressed image that is noise of an empty mask.
pub const NOISE: f64 = 32.0;

/// Labels found by a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The index of each pixel's label.
    pub indices: Indices,
    /// The labels, background first.
    pub labels: Vec<Label>,
    /// How the labels were distinguished.
    pub kind: MaskKind,
    /// Notes about the result.
    pub notes: Vec<String>,
}

/// What is known about the storage of the values.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// Pixels per row, and rows per slice.
    pub size: [usize; 2],
    /// Whether the values were compressed with losses.
    pub is_lossy: bool,
    /// Whether the values belong to an image, where they are grey levels, and not to a volume, where they are labels.
    pub is_picture: bool,
    /// Half of the range, if the type determines it.
    pub half: f64,
}

/// Makes the labels of background and foreground.
fn two(indices: Vec<u8>, values: [f64; 2], kind: MaskKind) -> Found {
    let label =
        |value: f64, is_foreground| Label { value: value.round() as i64, colour: None, pixels: 0, is_foreground };
    let mut labels = vec![label(values[0], false), label(values[1], true)];
    if labels[0].value == labels[1].value {
        // Fractions get the numbers 0 and 1.
        (labels[0].value, labels[1].value) = (0, 1);
    }
    Found { indices: Indices::U8(indices), labels, kind, notes: Vec::new() }
}

/// Makes the labels of a binary decision for each pixel.
pub fn decided(foreground: impl Iterator<Item = bool>, kind: MaskKind) -> Found {
    two(foreground.map(u8::from).collect(), [0.0, 1.0], kind)
}

/// Finds the labels of grey values. `numbers` iterates over them again if there are too many to distinguish.
///
/// # Errors
/// Returns a message if they are not a mask.
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
        // Two values below half of the range of a JPEG are noise of an empty mask.
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

/// Whether integers are classes.
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
        // These are instances: nearly every value fills an area, which grey values of a photograph do not.
        let filled = interior.iter().filter(|is_interior| **is_interior).count();
        return values.len() <= VOLUME_CLASSES && filled * 5 >= values.len() * 4;
    }
    // These are smoothed boundaries: values between black and white never fill an area.
    let has_middle_area = interior[1..values.len() - 1].iter().any(|is_interior| *is_interior);
    if !has_middle_area {
        return false;
    }
    // These are traces of JPEG in a file of another format: many values, nearly all of them near the ends.
    !(values.len() > NOISY && counted.middle() < NOISY_MIDDLE)
}

/// Makes a label for each value; 0 is background. Without a 0 there is no background.
fn classes(counted: Counted) -> Found {
    let Counted { values, counts, places } = counted;
    let background = values.iter().position(|value| *value == 0.0).unwrap_or(usize::MAX);
    // Background comes first, the others follow in order.
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

/// Returns the value above which many values are foreground.
fn half(low: f64, high: f64, encoding: Encoding, is_whole: bool) -> Result<f64, String> {
    if encoding.is_lossy && high > NOISE {
        // This is half of the largest value in the file: 127 can be foreground just as well as 255.
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

/// Finds the labels of one channel or volume for each class, which says whether each pixel belongs to it.
pub fn one_hot(planes: Vec<Vec<bool>>) -> Found {
    let count = planes.len();
    let pixels = planes.first().map_or(0, Vec::len);
    let mut covered = vec![0_u16; pixels];
    for plane in &planes {
        covered.iter_mut().zip(plane).for_each(|(count, &is)| *count += u16::from(is));
    }
    let is_partition = covered.iter().all(|&count| count == 1);
    // If each voxel belongs to exactly one channel, one of them is the background: the first by convention, if it is
    // the largest.
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
        // With a background channel, 0 stands for it; without one, channels are numbered from 1.
        let value = if background.is_some() { channel as i64 } else { channel as i64 + 1 };
        labels.push(Label { value, colour: None, pixels: 0, is_foreground: true });
        indices.iter_mut().zip(plane).filter(|(_, is)| **is).for_each(|(index, _)| *index = place);
    }
    let kind = MaskKind::Channels { count, background };
    Found { indices: Indices::of(indices, labels.len()), labels, kind, notes }
}

/// Applies a rule that was requested instead of derived, to samples with `channels` for each pixel.
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
