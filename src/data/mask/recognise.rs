//! The rules by which the values of a mask file become labels. They are told in `docs/masks.md`.

use super::labels::{Indices, Label};
use super::tally::{Counted, Tally};
use super::{MaskKind, MaskRule};

/// Whole numbers up to this are classes, whatever the picture looks like; grey values are not so few.
const SMALL: f64 = 31.0;
/// Most different grey values of a picture, and of a volume, that are taken for classes.
pub const CLASSES: usize = 64;
const VOLUME_CLASSES: usize = 4096;
/// From so many values on, most of them near both ends are noise of a compression that the file does not have any more.
const NOISY: usize = 8;
/// Share of pixels between black and white below which the others are near both ends.
const NOISY_MIDDLE: f64 = 0.02;
/// Share of pixels between black and white from which on a mask of two sides is doubtful.
const MIDDLE: f64 = 0.05;
/// Brightest value of a picture compressed with losses that is noise of an empty mask.
pub const NOISE: f64 = 32.0;

/// Labels by rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The place of each pixel's label.
    pub indices: Indices,
    /// The labels, background first.
    pub labels: Vec<Label>,
    /// How they were told apart.
    pub kind: MaskKind,
    /// What there is to say of it.
    pub notes: Vec<String>,
}

/// What is known of how the values were stored.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// Pixels of a row and rows of a slice.
    pub size: [usize; 2],
    /// Whether they went through a compression with losses.
    pub is_lossy: bool,
    /// Whether they are of a picture, where values are shades, and not of a volume, where they are labels.
    pub is_picture: bool,
    /// Where half of the range lies, if it is the type that says so.
    pub half: f64,
}

/// Background and foreground.
fn two(indices: Vec<u8>, values: [f64; 2], kind: MaskKind) -> Found {
    let label =
        |value: f64, is_foreground| Label { value: value.round() as i64, colour: None, pixels: 0, is_foreground };
    let mut labels = vec![label(values[0], false), label(values[1], true)];
    if labels[0].value == labels[1].value {
        // Fractions: numbered.
        (labels[0].value, labels[1].value) = (0, 1);
    }
    Found { indices: Indices::U8(indices), labels, kind, notes: Vec::new() }
}

/// Of a binary decision that is made pixel by pixel.
pub fn decided(foreground: impl Iterator<Item = bool>, kind: MaskKind) -> Found {
    two(foreground.map(u8::from).collect(), [0.0, 1.0], kind)
}

/// Of grey values. `numbers` gives them again, pixel by pixel, where there are too many to tell apart.
///
/// # Errors
/// They are no mask; in words.
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
        return Err(format!("it has {count} different whole values from {low} to {high}, as an image has"));
    }
    let above = half(low, high, encoding, is_whole)?;
    let middle = counted.middle();
    let is_above: Vec<bool> = values.iter().map(|value| *value > above).collect();
    let foreground = counted.places.iter().map(|&place| is_above[usize::from(place)]);
    let mut found = decided(foreground, MaskKind::Half { above });
    if encoding.is_picture && middle > MIDDLE {
        found.notes.push(format!(
            "{:.0} % of its pixels are neither dark nor bright: if they are classes, they cannot be told apart in a picture like this; \
             above {above} counts as foreground.",
            100.0 * middle
        ));
    }
    Ok(found)
}

/// Whether whole numbers are classes.
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
        // Instances: nearly every value fills an area, as grey values of a picture do not.
        let filled = interior.iter().filter(|is_interior| **is_interior).count();
        return values.len() <= VOLUME_CLASSES && filled * 5 >= values.len() * 4;
    }
    // Smoothed edges: what lies between black and white never fills an area.
    let has_middle_area = interior[1..values.len() - 1].iter().any(|is_interior| *is_interior);
    if !has_middle_area {
        return false;
    }
    // What JPEG left in a file of another format: many values, nearly all of them near the ends.
    !(values.len() > NOISY && counted.middle() < NOISY_MIDDLE)
}

/// A label for each value; 0 is background. Without a 0 no pixel is.
fn classes(counted: Counted) -> Found {
    let Counted { values, counts, places } = counted;
    let background = values.iter().position(|value| *value == 0.0).unwrap_or(usize::MAX);
    // Background first, the others in their order.
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
        (negative > 0).then(|| format!("{negative} of its labels are below 0 and not taken as foreground."));
    Found { indices: Indices::of(indices, count), labels, kind, notes: note.into_iter().collect() }
}

/// The value above which many values are foreground.
fn half(low: f64, high: f64, encoding: Encoding, is_whole: bool) -> Result<f64, String> {
    if encoding.is_lossy && high > NOISE {
        // Half of what the file has: 127 is as good a foreground as 255.
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
        return Err(format!("it has many values from {low} to {high}, as an image has"));
    }
    Ok(if high <= 1.0 { 0.5 } else { high / 2.0 })
}

/// One channel or volume for each class: whether each pixel belongs to it.
pub fn one_hot(planes: Vec<Vec<bool>>) -> Found {
    let count = planes.len();
    let pixels = planes.first().map_or(0, Vec::len);
    let mut covered = vec![0_u16; pixels];
    for plane in &planes {
        covered.iter_mut().zip(plane).for_each(|(count, &is)| *count += u16::from(is));
    }
    let is_partition = covered.iter().all(|&count| count == 1);
    // Where each voxel is of exactly one channel, one of them is the background: the first, by convention, and it is the largest.
    let area = |plane: &Vec<bool>| plane.iter().filter(|is| **is).count();
    let largest = (0..count).max_by_key(|channel| (area(&planes[*channel]), count - channel));
    let background = largest.filter(|_| is_partition && count > 1);
    let mut notes = Vec::new();
    if let Some(background) = background.filter(|background| *background != 0) {
        notes.push(format!("Its channel {background}, the largest, is taken as background, and not channel 0."));
    }
    if covered.iter().any(|&count| count > 1) {
        notes.push("Its channels overlap; where they do, the later one is the label.".into());
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
        // With a background channel 0 stands for it; without one, channels are numbered from 1.
        let value = if background.is_some() { channel as i64 } else { channel as i64 + 1 };
        labels.push(Label { value, colour: None, pixels: 0, is_foreground: true });
        indices.iter_mut().zip(plane).filter(|(_, is)| **is).for_each(|(index, _)| *index = place);
    }
    let kind = MaskKind::Channels { count, background };
    Found { indices: Indices::of(indices, labels.len()), labels, kind, notes }
}

/// Under a rule that was asked for instead of being found, of samples of `channels` a pixel.
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
