//! Places infected areas in two lungs, and describes them by a prompt in the grammar of QaTa-COV19 and
//! MosMedData+.

use super::canvas::{Noise, Plane, largest_part, parts, step};
use crate::text::prompt::{self, LungFinding, Prompt, Side, Zone, Zones};

/// The smallest share of the image that an area may cover, so that it is visible.
const LEAST_AREA: f32 = 0.0015;
/// The number of attempts to place the areas so that they agree with the prompt; afterwards a simpler pattern is
/// tried.
const ATTEMPTS: u32 = 8;

/// The areas of one lung, each of which covers one or several neighbouring thirds (0 upper, 1 middle, 2 lower).
type Pattern = &'static [&'static [usize]];

/// The patterns with their weights, which follow their frequency in the training prompts of QaTa-COV19.
const PATTERNS: &[(u32, Pattern)] = &[
    (30, &[&[2]]),
    (10, &[&[1]]),
    (7, &[&[0]]),
    (16, &[&[1, 2]]),
    (6, &[&[0, 1]]),
    (20, &[&[0, 1, 2]]),
    (6, &[&[0], &[2]]),
    (3, &[&[0], &[1, 2]]),
    (2, &[&[0, 1], &[2]]),
];

/// The two lungs of an image. Left and right are sides of the *image*.
pub struct Lungs {
    /// The share of lung in each pixel, 0 to 1, for the lungs at the left and at the right of the image.
    pub inside: [Plane; 2],
}

/// The infected areas of an image, with their prompt.
pub struct Infection {
    /// Density of each pixel, 0 to 1.
    pub density: Plane,
    /// 1 for infected pixels, otherwise 0.
    pub mask: Vec<u8>,
    /// The prompt, with a capital first letter.
    pub prompt: String,
}

impl Infection {
    /// Returns no infection, for an image of `side × side` pixels.
    pub fn none(side: usize) -> Self {
        let density = Plane { side, values: vec![0.0; side * side] };
        Self { density, mask: vec![0; side * side], prompt: prompt([None; 2], 0) }
    }
}

/// Places infected areas of a random pattern in the lungs.
pub fn infect(lungs: &Lungs, random: &mut fastrand::Rng) -> Infection {
    let is_bilateral = random.f32() < 0.7;
    let first = usize::from(random.bool());
    let mut wanted: [Option<Pattern>; 2] = [None, None];
    wanted[first] = Some(pattern(random));
    if is_bilateral {
        wanted[1 - first] = Some(pattern(random));
    }
    for attempt in 0.. {
        if attempt == ATTEMPTS {
            // Narrow lungs may not have space for two areas above each other; one area has more.
            wanted = wanted.map(|pattern| pattern.map(|_| PATTERNS[0].1));
        }
        if let Some(infection) = place(lungs, wanted, random) {
            return infection;
        }
    }
    unreachable!("the loop has no end of its own")
}

fn pattern(random: &mut fastrand::Rng) -> Pattern {
    let total: u32 = PATTERNS.iter().map(|(weight, _)| weight).sum();
    let mut at = random.u32(0..total);
    for (weight, pattern) in PATTERNS {
        if at < *weight {
            return pattern;
        }
        at -= weight;
    }
    PATTERNS[0].1
}

/// Places areas of the wanted patterns. Returns `None` if an area becomes too small or if two areas touch.
fn place(lungs: &Lungs, wanted: [Option<Pattern>; 2], random: &mut fastrand::Rng) -> Option<Infection> {
    let side = lungs.inside[0].side;
    let mut density = Plane { side, values: vec![0.0; side * side] };
    let mut mask = vec![0u8; side * side];
    let mut count = 0;
    for (inside, pattern) in lungs.inside.iter().zip(wanted) {
        for zones in pattern.unwrap_or_default() {
            let area = area(inside, zones, random);
            let mut own: Vec<u8> = area.iter().map(|value| u8::from(*value > 0.5)).collect();
            largest_part(&mut own, side);
            if own.iter().map(|value| u32::from(*value)).sum::<u32>() < (LEAST_AREA * (side * side) as f32) as u32
            {
                return None;
            }
            for (index, own) in own.iter().enumerate() {
                mask[index] |= own;
                density.values[index] = density.values[index].max(area[index] * if *own == 1 { 1.0 } else { 0.6 });
            }
            count += 1;
        }
    }
    (parts(&mask, side).len() == count).then(|| Infection { density, mask, prompt: prompt(wanted, count) })
}

/// Returns the density of one area, 0 to 1, over the neighbouring thirds `zones` of a lung.
fn area(inside: &Plane, zones: &[usize], random: &mut fastrand::Rng) -> Vec<f32> {
    let side = inside.side;
    let row_of = |y: usize| &inside.values[y * side..(y + 1) * side];
    let rows: Vec<usize> = (0..side).filter(|y| row_of(*y).iter().any(|value| *value > 0.5)).collect();
    let (top, bottom) = (rows[0] as f32, rows[rows.len() - 1] as f32 + 1.0);
    let third = (bottom - top) / 3.0;
    let from = top + third * zones[0] as f32;
    let to = top + third * (zones[zones.len() - 1] + 1) as f32;
    // A margin keeps the area within its thirds, and two areas apart.
    let margin = third * (0.12 + 0.13 * random.f32());
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0 - margin);
    let row = row_of((middle as usize).min(side - 1));
    let columns: Vec<usize> = (0..side).filter(|x| row[*x] > 0.5).collect();
    let (left, right) = match (columns.first(), columns.last()) {
        (Some(left), Some(right)) => (*left as f32, *right as f32 + 1.0),
        _ => (0.0, 1.0),
    };
    let share = if zones.len() == 1 { 0.25 + 0.3 * random.f32() } else { 0.35 + 0.3 * random.f32() };
    let half_width = (right - left) * share;
    let slack = ((right - left) / 2.0 - half_width).max(0.0);
    let centre = (left + right) / 2.0 + slack * (2.0 * random.f32() - 1.0);
    let half_height = half * (0.7 + 0.3 * random.f32()).min(1.0);
    let (noise, scale) = (Noise(random.u32(..)), 7.0 / side as f32);
    let mut values = vec![0f32; side * side];
    let lowest = (middle - half).max(0.0) as usize;
    let highest = ((middle + half) as usize + 1).min(side);
    for y in lowest..highest {
        for x in 0..side {
            let lung = inside.at(x, y);
            if lung < 0.05 {
                continue;
            }
            let (fx, fy) = (x as f32 + 0.5, y as f32 + 0.5);
            let (dx, dy) = ((fx - centre) / half_width, (fy - middle) / half_height);
            let ragged = 1.0 + 0.55 * noise.cloud(fx * scale, fy * scale, 3);
            let distance = (dx * dx + dy * dy).sqrt() / ragged.max(0.4);
            // The area has a soft boundary and ends at the border of the thirds.
            let fade = step(half, half * 0.9, (fy - middle).abs());
            values[y * side + x] = step(1.25, 0.75, distance) * lung * fade;
        }
    }
    values
}

/// Returns the prompt that describes the areas; more than six are called six.
fn prompt(wanted: [Option<Pattern>; 2], count: usize) -> String {
    let place = |(pattern, side): (Option<Pattern>, Side)| {
        let infected =
            |zone: &Zone| pattern.iter().copied().flatten().any(|area| area.contains(&(*zone as usize)));
        let zones: Zones = Zone::ALL.iter().copied().filter(infected).collect();
        pattern.map(|_| LungFinding { side: Some(side), zones: zones.merged() })
    };
    let findings = wanted.into_iter().zip([Side::Left, Side::Right]).filter_map(place).collect();
    Prompt::Lungs(prompt::Lungs::new(Some(count.min(6) as u32), findings)).to_string()
}
