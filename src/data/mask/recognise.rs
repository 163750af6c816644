//! The rules by which the values of a mask file become labels. They are told in `docs/masks.md`.

use super::kind::colour_name;
use super::labels::{Indices, Label};
use super::tally::{Counted, Tally};
use super::{MaskKind, MaskRule};

/// Whole numbers up to this are classes, whatever the picture looks like; grey values are not so few.
const SMALL: f64 = 31.0;
/// Most different grey values of a picture, and of a volume, that are taken for classes.
const CLASSES: usize = 64;
const VOLUME_CLASSES: usize = 4096;
/// From so many values on, most of them near both ends are noise of a compression that the file does not have any more.
const NOISY: usize = 8;
/// Share of pixels between black and white from which on a mask of two sides is doubtful.
const MIDDLE: f64 = 0.05;
/// Brightest value of a picture compressed with losses that is noise of an empty mask.
const NOISE: f64 = 32.0;
/// Share of the edge of a picture that makes black, or the first colour of a palette, its background.
const EDGE: f64 = 1.0 / 3.0;
/// Largest difference of the channels of a pixel that counts as grey, after compression with losses.
const GREYISH: u8 = 24;
const BLACK: [u8; 3] = [0; 3];
const WHITE: [u8; 3] = [255; 3];

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

/// What else is known of the values.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
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
    habit: Habit,
    numbers: &dyn Fn() -> Box<dyn Iterator<Item = f64> + 'a>,
) -> Result<Found, String> {
    let counted = match tally {
        Tally::Few(counted) => counted,
        Tally::Many { low, high } => {
            let above = half(low, high, habit, false)?;
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
        [value] if !habit.is_lossy => {
            let kind = MaskKind::Everything { value: *value };
            return Ok(two(vec![1; counted.places.len()], [0.0, *value], kind));
        }
        // Two values below half of the range of a JPEG are noise of an empty mask.
        [background, foreground]
            if *foreground > 0.0 && (!habit.is_lossy || *foreground > habit.half || *foreground <= 1.0) =>
        {
            let kind = MaskKind::TwoValues { background: *background, foreground: *foreground };
            let indices = counted.places.iter().map(|&place| place as u8).collect();
            return Ok(two(indices, [*background, *foreground], kind));
        }
        _ => {}
    }
    let is_classes = is_whole && !habit.is_lossy && has_classes(&counted, habit);
    if is_classes {
        return Ok(classes(counted));
    }
    if is_whole && !habit.is_picture && low < 0.0 {
        let count = values.len();
        return Err(format!("it has {count} different whole values from {low} to {high}, as an image has"));
    }
    let above = half(low, high, habit, is_whole)?;
    let quarter = (high - low) / 4.0;
    let is_middle = |value: f64| value > low + quarter && value < high - quarter;
    let count = |is: &dyn Fn(f64) -> bool| {
        values.iter().zip(&counted.counts).filter(|(value, _)| is(**value)).map(|(_, count)| count).sum::<u64>()
    };
    let middle = count(&is_middle) as f64 / count(&|_| true).max(1) as f64;
    let is_above: Vec<bool> = values.iter().map(|value| *value > above).collect();
    let foreground = counted.places.iter().map(|&place| is_above[usize::from(place)]);
    let mut found = decided(foreground, MaskKind::Half { above });
    if habit.is_picture && middle > MIDDLE {
        found.notes.push(format!(
            "{:.0} % of its pixels are neither dark nor bright: if they are classes, they cannot be told apart in a picture like this; \
             above {above} counts as foreground.",
            100.0 * middle
        ));
    }
    Ok(found)
}

/// Whether whole numbers are classes.
fn has_classes(counted: &Counted, habit: Habit) -> bool {
    let Counted { values, counts, .. } = counted;
    let (low, high) = (values[0], values[values.len() - 1]);
    if !habit.is_picture {
        return values.len() <= VOLUME_CLASSES && (low >= 0.0 || values.len() <= CLASSES);
    }
    if high <= SMALL && low >= 0.0 {
        return true;
    }
    let [columns, rows] = habit.size;
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
    let quarter = (high - low) / 4.0;
    let is_middle = |value: f64| value > low + quarter && value < high - quarter;
    let middle: u64 =
        values.iter().zip(counts).filter(|(value, _)| is_middle(**value)).map(|(_, count)| count).sum();
    let all: u64 = counts.iter().sum();
    !(values.len() > NOISY && middle * 50 < all)
}

/// A label for each value; 0, or else the smallest, is background.
fn classes(counted: Counted) -> Found {
    let Counted { values, counts, places } = counted;
    let background = values.iter().position(|value| *value == 0.0).unwrap_or(usize::MAX);
    // Background first, the others in their order. Without a 0 no pixel is background.
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
fn half(low: f64, high: f64, habit: Habit, is_whole: bool) -> Result<f64, String> {
    if habit.is_lossy && high > NOISE {
        // Half of what the file has: 127 is as good a foreground as 255.
        return Ok((high / 2.0).floor());
    }
    if habit.is_picture && (is_whole || habit.is_lossy) {
        return Ok(habit.half);
    }
    if low < -1e-3 {
        return Err(format!(
            "it has many values from {low} to {high}: they could be probabilities before a sigmoid (foreground above 0) or an image"
        ));
    }
    if !habit.is_picture && high > 255.0 {
        return Err(format!("it has many values from {low} to {high}, as an image has"));
    }
    Ok(if high <= 1.0 { 0.5 } else { high / 2.0 })
}

/// Of colours, 8 bit, three a pixel. `palette` has the colour numbers of the pixels and the colours, where the file has a palette.
pub fn colour(rgb: &[u8], palette: Option<(&[u8], &[[u8; 3]])>, habit: Habit) -> Result<Found, String> {
    let pixels = rgb.as_chunks::<3>().0;
    let spread = |[r, g, b]: [u8; 3]| r.max(g).max(b) - r.min(g).min(b);
    let allowed = if habit.is_lossy { GREYISH } else { 0 };
    // A few pixels of colour are noise of a compression.
    let coloured = pixels.iter().filter(|pixel| spread(**pixel) > allowed).count();
    let is_grey = coloured == 0 || (habit.is_lossy && coloured * 200 < pixels.len());
    if is_grey {
        let sums = || pixels.iter().map(|pixel| pixel.iter().map(|&value| f64::from(value)).sum::<f64>() / 3.0);
        return grey(Tally::of(sums()), habit, &|| Box::new(sums()));
    }
    if habit.is_lossy {
        return Ok(off_background(pixels, habit));
    }
    if let Some((numbers, colours)) = palette {
        return Ok(by_number(numbers, colours, habit));
    }
    let packed = pixels.iter().map(|&[r, g, b]| f64::from(u32::from_be_bytes([0, r, g, b])));
    match Tally::of(packed) {
        Tally::Few(counted) => Ok(by_colour(counted, pixels, habit)),
        Tally::Many { .. } => Ok(off_background(pixels, habit)),
    }
}

/// The places of the pixels along the edge of every page.
fn edge([columns, rows]: [usize; 2], pixels: usize) -> impl Iterator<Item = usize> {
    let plane = (columns * rows).max(1);
    (0..pixels).filter(move |at| {
        let (column, row) = (at % plane % columns.max(1), at % plane / columns.max(1));
        column == 0 || row == 0 || column + 1 == columns || row + 1 == rows
    })
}

/// Colours that scatter, on the one that the edge of the picture has.
fn off_background(pixels: &[[u8; 3]], habit: Habit) -> Found {
    let distance =
        |pixel: [u8; 3], from: [u8; 3]| pixel.iter().zip(from).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0);
    let along: Vec<[u8; 3]> = edge(habit.size, pixels.len()).map(|at| pixels[at]).collect();
    let middle = |channel: usize| {
        let mut values: Vec<u8> = along.iter().map(|pixel| pixel[channel]).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(0)
    };
    let mut background = [middle(0), middle(1), middle(2)];
    for pure in [BLACK, WHITE] {
        if distance(background, pure) < 48 {
            background = pure;
        }
    }
    let most = pixels.iter().map(|pixel| distance(*pixel, background)).max().unwrap_or(0);
    let above = if f64::from(most) > NOISE { most / 2 } else { 127 };
    decided(
        pixels.iter().map(|pixel| distance(*pixel, background) > above),
        MaskKind::OffBackground { background },
    )
}

/// A label for each colour of a palette that is used.
fn by_number(numbers: &[u8], colours: &[[u8; 3]], habit: Habit) -> Found {
    let mut counts = [0_u64; 256];
    numbers.iter().for_each(|&number| counts[usize::from(number)] += 1);
    let colour = |number: usize| colours.get(number).copied().unwrap_or(BLACK);
    let used: Vec<usize> = (0..256).filter(|number| counts[*number] > 0).collect();
    let of_colour = |wanted: [u8; 3]| used.iter().copied().find(|number| colour(*number) == wanted);
    let mut along = [0_u64; 256];
    edge(habit.size, numbers.len()).for_each(|at| along[usize::from(numbers[at])] += 1);
    let all: u64 = along.iter().sum();
    let is_at_edge = |number: usize| along[number] as f64 >= EDGE * all as f64;
    // By convention the first colour, which data sets have black; where black is another one, that; where neither is at the edge of the
    // picture, the colour that is.
    let most = used.iter().copied().max_by_key(|number| along[*number]).unwrap_or(0);
    let mut notes = Vec::new();
    let background = match (used.contains(&0), of_colour(BLACK)) {
        (true, _) if colour(0) == BLACK => 0,
        (_, Some(black)) if is_at_edge(black) => black,
        (true, None) if is_at_edge(0) => 0,
        _ => {
            let name = colour_name(colour(most));
            notes.push(format!(
                "Taken as background: colour {most} of its palette, {name}, which most of its edge has."
            ));
            most
        }
    };
    let mut labels = vec![Label { value: 0, colour: None, pixels: 0, is_foreground: false }];
    if background < 256 {
        labels[0] = Label {
            value: background as i64,
            colour: Some(colour(background)),
            pixels: counts[background],
            is_foreground: false,
        };
    }
    let mut place_of = [0_u8; 256];
    for &number in used.iter().filter(|number| **number != background) {
        // Of 256 colours with a background none is left over; without one, the last shares a place with nothing.
        place_of[number] = labels.len().min(255) as u8;
        labels.push(Label {
            value: number as i64,
            colour: Some(colour(number)),
            pixels: counts[number],
            is_foreground: true,
        });
    }
    let count = labels.len() - 1;
    let indices = numbers.iter().map(|&number| u16::from(place_of[usize::from(number)])).collect();
    let kind = MaskKind::Palette { count, background: background.min(255) as u8 };
    Found { indices: Indices::of(indices, labels.len()), labels, kind, notes }
}

/// A label for each colour. What stands at edges alone, where there are many colours, gets the label of the colour next to it.
fn by_colour(counted: Counted, pixels: &[[u8; 3]], habit: Habit) -> Found {
    let Counted { values, places, .. } = &counted;
    let colour = |place: usize| {
        let [_, r, g, b] = (values[place] as u32).to_be_bytes();
        [r, g, b]
    };
    let mut kept: Vec<usize> = (0..values.len()).collect();
    if kept.len() > 16 {
        let [columns, rows] = habit.size;
        let interior = counted.interior(columns, rows);
        kept.retain(|place| interior[*place]);
        if kept.is_empty() || kept.len() > CLASSES {
            return off_background(pixels, habit);
        }
    }
    let of_colour = |wanted: [u8; 3]| kept.iter().copied().find(|place| colour(*place) == wanted);
    let mut along = vec![0_u64; values.len()];
    edge(habit.size, places.len()).for_each(|at| along[usize::from(places[at])] += 1);
    let all: u64 = along.iter().sum();
    let most = kept.iter().copied().max_by_key(|place| along[*place]).unwrap_or(0);
    let mut notes = Vec::new();
    // Black or white where it is at the edge of the picture, else what is at most of the edge.
    let is_at_edge = |place: &usize| along[*place] as f64 >= EDGE * all as f64;
    let pure = [BLACK, WHITE].into_iter().filter_map(of_colour).find(is_at_edge);
    let background = pure.unwrap_or(most);
    let has_other = [BLACK, WHITE].into_iter().filter_map(of_colour).any(|place| place != background);
    if pure.is_none() || has_other {
        let name = colour_name(colour(background));
        notes.push(format!("Taken as background: {name}, which most of its edge has."));
    }
    let label = |place: usize, value: i64, is_foreground| Label {
        value,
        colour: Some(colour(place)),
        pixels: 0,
        is_foreground,
    };
    let mut labels = vec![label(background, 0, false)];
    let mut place_of = vec![0_u16; values.len()];
    for &place in kept.iter().filter(|place| **place != background) {
        place_of[place] = labels.len() as u16;
        labels.push(label(place, labels.len() as i64, true));
    }
    if kept.len() < values.len() {
        let distance =
            |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
        for place in (0..values.len()).filter(|place| !kept.contains(place)) {
            let nearest = kept.iter().copied().min_by_key(|other| distance(colour(*other), colour(place)));
            place_of[place] = nearest.map_or(0, |nearest| place_of[nearest]);
        }
    }
    let count = labels.len();
    let indices = places.iter().map(|&place| place_of[usize::from(place)]).collect();
    let kind = MaskKind::Colours { count: count - 1, background: colour(background) };
    Found { indices: Indices::of(indices, count), labels, kind, notes }
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
