//! Converts the colours of a mask file to labels: finds the background colour and the classes.

use super::MaskKind;
use super::kind::colour_name;
use super::labels::{Indices, Label};
use super::recognise::{CLASSES, Encoding, Found, NOISE, decided, grey};
use super::tally::{Counted, Tally};

/// The share of the edge pixels that a colour must cover at least to be the background, if it is black, white or
/// the first colour of a palette.
const SHARE: f64 = 1.0 / 3.0;
/// The largest difference between the channels of a pixel that counts as grey after lossy compression.
const GREYISH: u8 = 24;
const BLACK: [u8; 3] = [0; 3];
const WHITE: [u8; 3] = [255; 3];

/// Finds the labels of 8-bit colours. `rgb` holds three samples for each pixel. `palette` holds the palette
/// index of each pixel and the palette's colours, if the file has a palette.
///
/// # Errors
/// Returns a message if the colours are grey and their values are not those of a mask.
pub fn colour(rgb: &[u8], palette: Option<(&[u8], &[[u8; 3]])>, encoding: Encoding) -> Result<Found, String> {
    let pixels = rgb.as_chunks::<3>().0;
    let spread = |[r, g, b]: [u8; 3]| r.max(g).max(b) - r.min(g).min(b);
    let allowed = if encoding.is_lossy { GREYISH } else { 0 };
    // If only a few pixels are coloured, this is compression noise.
    let coloured = pixels.iter().filter(|pixel| spread(**pixel) > allowed).count();
    let is_grey = coloured == 0 || (encoding.is_lossy && coloured * 200 < pixels.len());
    if is_grey {
        let sums = || pixels.iter().map(|pixel| pixel.iter().map(|&value| f64::from(value)).sum::<f64>() / 3.0);
        return grey(Tally::of(sums()), encoding, &|| Box::new(sums()));
    }
    if encoding.is_lossy {
        return Ok(off_background(pixels, encoding));
    }
    if let Some((numbers, colours)) = palette {
        return Ok(by_number(numbers, colours, encoding));
    }
    let packed = pixels.iter().map(|&[r, g, b]| f64::from(u32::from_be_bytes([0, r, g, b])));
    match Tally::of(packed) {
        Tally::Few(counted) => Ok(by_colour(counted, pixels, encoding)),
        Tally::Many { .. } => Ok(off_background(pixels, encoding)),
    }
}

/// Returns whether a pixel lies at the edge of its page. `at` is the index of the pixel in a stack of pages with
/// `columns` by `rows` pixels.
fn is_at_edge([columns, rows]: [usize; 2], at: usize) -> bool {
    let (column, row) = (at % columns, at / columns % rows);
    column == 0 || row == 0 || column + 1 == columns || row + 1 == rows
}

/// The number of edge pixels of each colour, by the number of the colour.
struct Edge {
    counts: Vec<u64>,
}

impl Edge {
    /// Counts the edge pixels of pages of `size` (columns, rows). `numbers` iterates over the colour number of
    /// every pixel; each is less than `colours`.
    fn of(size: [usize; 2], numbers: impl Iterator<Item = usize>, colours: usize) -> Self {
        let mut counts = vec![0; colours];
        numbers.enumerate().filter(|(at, _)| is_at_edge(size, *at)).for_each(|(_, number)| counts[number] += 1);
        Self { counts }
    }

    /// Returns whether a colour covers enough of the edge to be the background.
    fn has(&self, number: usize) -> bool {
        self.counts[number] as f64 >= SHARE * self.counts.iter().sum::<u64>() as f64
    }

    /// Returns the colour that covers most of the edge, among the colours in `of`.
    fn most(&self, of: impl Iterator<Item = usize>) -> usize {
        of.max_by_key(|number| self.counts[*number]).unwrap_or(0)
    }
}

/// Separates foreground from background in an image with many colours. The background is the median colour of
/// the edge, or black or white if that is close. A pixel is foreground if its distance from the background,
/// which is the largest difference of a channel, is more than half of the largest distance in the image.
fn off_background(pixels: &[[u8; 3]], encoding: Encoding) -> Found {
    let distance =
        |pixel: [u8; 3], from: [u8; 3]| pixel.iter().zip(from).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0);
    let along: Vec<[u8; 3]> = pixels
        .iter()
        .enumerate()
        .filter(|(at, _)| is_at_edge(encoding.size, *at))
        .map(|(_, pixel)| *pixel)
        .collect();
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

/// Makes a label for each palette colour that occurs.
fn by_number(numbers: &[u8], colours: &[[u8; 3]], encoding: Encoding) -> Found {
    let mut counts = [0_u64; 256];
    numbers.iter().for_each(|&number| counts[usize::from(number)] += 1);
    let colour = |number: usize| colours.get(number).copied().unwrap_or(BLACK);
    let used: Vec<usize> = (0..256).filter(|number| counts[*number] > 0).collect();
    let of_colour = |wanted: [u8; 3]| used.iter().copied().find(|number| colour(*number) == wanted);
    let edge = Edge::of(encoding.size, numbers.iter().map(|&number| usize::from(number)), 256);
    // In most data sets the first colour is black and the background. If it is not black, black at the edge of
    // the image is the background. If black does not occur, it is the first colour if that is at the edge, and
    // otherwise the colour that covers most of the edge.
    let most = edge.most(used.iter().copied());
    let mut notes = Vec::new();
    let background = match (used.contains(&0), of_colour(BLACK)) {
        (true, _) if colour(0) == BLACK => 0,
        (_, Some(black)) if edge.has(black) => black,
        (true, None) if edge.has(0) => 0,
        _ => {
            let name = colour_name(colour(most));
            notes
                .push(format!("Background: colour {most} of its palette, {name}, which covers most of its edge."));
            most
        }
    };
    let label = |number: usize| Label {
        value: number as i64,
        colour: Some(colour(number)),
        pixels: counts[number],
        is_foreground: number != background,
    };
    let mut labels = vec![label(background)];
    let mut place_of = [0_u16; 256];
    for &number in used.iter().filter(|number| **number != background) {
        place_of[number] = labels.len() as u16;
        labels.push(label(number));
    }
    let count = labels.len() - 1;
    let indices = numbers.iter().map(|&number| place_of[usize::from(number)]).collect();
    let kind = MaskKind::Palette { count, background: background as u8 };
    Found { indices: Indices::of(indices, labels.len()), labels, kind, notes }
}

/// Makes a label for each colour. If there are more than 16 colours, those that occur only at boundaries get the
/// label of the most similar colour that fills an area.
fn by_colour(counted: Counted, pixels: &[[u8; 3]], encoding: Encoding) -> Found {
    let Counted { values, places, .. } = &counted;
    let colour = |place: usize| {
        let [_, r, g, b] = (values[place] as u32).to_be_bytes();
        [r, g, b]
    };
    let mut kept: Vec<usize> = (0..values.len()).collect();
    if kept.len() > 16 {
        let [columns, rows] = encoding.size;
        let interior = counted.interior(columns, rows);
        kept.retain(|place| interior[*place]);
        if kept.is_empty() || kept.len() > CLASSES {
            return off_background(pixels, encoding);
        }
    }
    let of_colour = |wanted: [u8; 3]| kept.iter().copied().find(|place| colour(*place) == wanted);
    let edge = Edge::of(encoding.size, places.iter().map(|&place| usize::from(place)), values.len());
    let mut notes = Vec::new();
    // The background is black or white if one of them covers enough of the edge, otherwise the colour that
    // covers most of it.
    let pure = [BLACK, WHITE].into_iter().filter_map(of_colour).find(|place| edge.has(*place));
    let background = pure.unwrap_or_else(|| edge.most(kept.iter().copied()));
    let has_other = [BLACK, WHITE].into_iter().filter_map(of_colour).any(|place| place != background);
    if pure.is_none() || has_other {
        let name = colour_name(colour(background));
        notes.push(format!("Background: {name}, which covers most of its edge."));
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
