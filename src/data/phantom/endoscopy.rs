//! Draws a colonoscopy frame with polyps, and their prompt in the grammar of the Kvasir-SEG prompts.

use super::canvas::{Noise, bell, ellipse, parts, step};
use crate::data::{Image, Pixels};
use crate::text::prompt::{Colour, Place, Polyps, Prompt, Shape, Size};

/// The colours: their frequency in the prompts, their name and their tone (red, green, blue in 0…1).
const COLOURS: &[(u32, Colour, [f32; 3])] = &[
    (43, Colour::White, [0.93, 0.80, 0.74]),
    (11, Colour::Yellow, [0.90, 0.72, 0.42]),
    (9, Colour::Brown, [0.58, 0.33, 0.24]),
    (6, Colour::Pink, [0.93, 0.55, 0.54]),
    (5, Colour::Orange, [0.90, 0.50, 0.30]),
    (4, Colour::Tan, [0.80, 0.60, 0.46]),
    (2, Colour::Red, [0.76, 0.22, 0.20]),
];
/// The shapes: their frequency in the prompts, their name, the range of the ratio of their axes, and how
/// triangular they are (0 to 1).
const SHAPES: &[(u32, Shape, (f32, f32), f32)] = &[
    (50, Shape::Round, (0.85, 1.15), 0.0),
    (13, Shape::Circle, (0.97, 1.03), 0.0),
    (9, Shape::Oval, (0.55, 0.7), 0.0),
    (5, Shape::Triangular, (0.8, 1.2), 1.0),
];
/// The sizes: their frequency in the prompts, their name, and the range of the share of the image that a polyp
/// covers.
const SIZES: &[(u32, Size, (f32, f32))] =
    &[(39, Size::Small, (0.018, 0.07)), (49, Size::Medium, (0.09, 0.22)), (12, Size::Large, (0.3, 0.42))];
/// The most attempts to place polyps that do not touch.
const ATTEMPTS: usize = 20;

struct Polyp {
    middle: (f32, f32),
    half: (f32, f32),
    turn: f32,
    corner: f32,
    size: Size,
    noise: Noise,
}

impl Polyp {
    /// Returns the distance from the centre, scaled to 1 on the boundary.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.middle.0, y - self.middle.1);
        let (sin, cos) = (self.turn.sin(), self.turn.cos());
        let (u, v) = ((dx * cos + dy * sin) / self.half.0, (dy * cos - dx * sin) / self.half.1);
        let round = (u * u + v * v).sqrt();
        let triangle = (v * 0.9 + 0.2).max(0.78 * u.abs() - 0.45 * v + 0.2).max(0.0) * 1.25;
        let ragged = 1.0 + 0.12 * self.noise.cloud(x * 9.0, y * 9.0, 2);
        (round * (1.0 - self.corner) + triangle * self.corner) / ragged
    }
}

/// Draws an image of `side × side` pixels, its mask and its prompt; without polyps if not `has_lesion`.
pub fn draw(random: &mut fastrand::Rng, side: usize, has_lesion: bool) -> (Image, Vec<u8>, String) {
    let (_, colour, tone) = pick(COLOURS, random, |entry| entry.0);
    let (_, shape, ratio, corner) = pick(SHAPES, random, |entry| entry.0);
    let wanted = match has_lesion {
        true if random.f32() < 0.84 => 1,
        true => 2 + usize::from(random.f32() < 0.12),
        false => 0,
    };
    let mut polyps: Vec<Polyp> = Vec::new();
    for _ in 0..ATTEMPTS {
        if polyps.len() == wanted {
            break;
        }
        let polyp = polyp(*ratio, *corner, wanted > 1, random);
        let is_apart = |other: &Polyp| {
            let reach = polyp.half.0.max(polyp.half.1) + other.half.0.max(other.half.1);
            let (dx, dy) = (polyp.middle.0 - other.middle.0, polyp.middle.1 - other.middle.1);
            (dx * dx + dy * dy).sqrt() > 1.2 * reach
        };
        if polyps.iter().all(is_apart) {
            polyps.push(polyp);
        }
    }
    let scene = Scene::draw(random);
    let mut mask = vec![0u8; side * side];
    let mut bytes = Vec::with_capacity(3 * side * side);
    for (index, infected) in mask.iter_mut().enumerate() {
        let (x, y) = (((index % side) as f32 + 0.5) / side as f32, ((index / side) as f32 + 0.5) / side as f32);
        let inside = scene.field(x, y);
        let mut rgb = scene.wall(x, y);
        for polyp in &polyps {
            let distance = polyp.distance(x, y);
            // The shadow falls towards the lower right.
            let shadow = polyp.distance(x - 0.02, y - 0.03);
            let dark = 1.0 - 0.35 * step(1.35, 0.95, shadow) * step(0.9, 1.05, distance);
            rgb = rgb.map(|value| value * dark);
            if distance < 1.08 {
                rgb = mix(rgb, scene.polyp(polyp, *tone, x, y, distance), step(1.08, 0.92, distance));
            }
            *infected |= u8::from(distance <= 1.0 && inside > 0.5);
        }
        let shine = scene.shine(x, y);
        let rough = 0.02 * (random.f32() + random.f32() - 1.0);
        bytes.extend(rgb.map(|value| {
            let value = (value + shine + rough) * inside;
            (value.clamp(0.0, 1.0) * 255.0).round() as u8
        }));
    }
    let image = Image { width: side, height: side, channels: 3, pixels: Pixels::U8(bytes) };
    let prompt = match has_lesion {
        true => prompt(&mask, side, &polyps, *colour, *shape),
        false => Prompt::Polyps(Polyps { number: Some(0), ..Polyps::default() }).to_string(),
    };
    (image, mask, prompt)
}

fn pick<'a, T>(entries: &'a [T], random: &mut fastrand::Rng, weight: impl Fn(&T) -> u32) -> &'a T {
    let mut at = random.u32(0..entries.iter().map(&weight).sum());
    for entry in entries {
        if at < weight(entry) {
            return entry;
        }
        at -= weight(entry);
    }
    &entries[0]
}

fn polyp(ratio: (f32, f32), corner: f32, is_one_of_several: bool, random: &mut fastrand::Rng) -> Polyp {
    let sizes = if is_one_of_several { &SIZES[..2] } else { SIZES };
    let (_, size, range) = pick(sizes, random, |entry| entry.0);
    let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
    // If there are several, each must leave space for the others.
    let share = within(range.0, if is_one_of_several { range.1.min(0.12) } else { range.1 });
    let radius = (share / std::f32::consts::PI).sqrt();
    let stretch = within(ratio.0, ratio.1).sqrt();
    let reach = radius / stretch.min(1.0 / stretch);
    let space = (0.5 - 0.75 * reach).max(0.04);
    Polyp {
        middle: (0.5 + within(-space, space), 0.5 + within(-space, space)),
        half: (radius * stretch, radius / stretch),
        turn: within(0.0, std::f32::consts::PI),
        corner,
        size: *size,
        noise: Noise(random.u32(..)),
    }
}

/// Returns the prompt that describes the mask: number, sizes, colour, shape and positions of the polyps.
fn prompt(mask: &[u8], side: usize, polyps: &[Polyp], colour: Colour, shape: Shape) -> String {
    let mut sizes: Vec<Size> = polyps.iter().map(|polyp| polyp.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut places: Vec<Place> = parts(mask, side)
        .iter()
        // Remains at the border of the field are not polyps.
        .filter(|part| part.len() > side * side / 500)
        .map(|part| {
            let mean = |coordinate: &dyn Fn(usize) -> usize| {
                part.iter().map(|index| coordinate(*index)).sum::<usize>() / part.len() * 3 / side
            };
            Place::at(mean(&|index| index / side), mean(&|index| index % side))
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    let number = Some(polyps.len().clamp(1, 3) as u32);
    Prompt::Polyps(Polyps { number, sizes, colour: Some(colour), shape: Some(shape), places }).to_string()
}

/// The bowel around the polyps.
struct Scene {
    tone: [f32; 3],
    light: (f32, f32),
    lumen: (f32, f32),
    lumen_half: (f32, f32),
    folds: f32,
    noise: Noise,
    veins: f32,
    shine: f32,
    corner: f32,
    has_panel: bool,
}

impl Scene {
    fn draw(random: &mut fastrand::Rng) -> Self {
        let noise = Noise(random.u32(..));
        let has_panel = random.f32() < 0.35;
        let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
        let angle = within(0.0, std::f32::consts::TAU);
        let far = within(0.2, 0.55);
        let red = within(0.62, 0.86);
        let size = within(0.05, 0.17);
        Self {
            tone: [red, red * within(0.42, 0.6), red * within(0.3, 0.48)],
            light: (within(0.35, 0.65), within(0.35, 0.65)),
            lumen: (0.5 + far * angle.cos(), 0.5 + far * angle.sin()),
            lumen_half: (size * within(0.8, 1.5), size),
            folds: within(5.0, 13.0),
            noise,
            veins: within(0.0, 0.16),
            shine: within(0.25, 0.62),
            corner: within(0.1, 0.3),
            has_panel,
        }
    }

    /// Returns 1 in the field of view, and 0 in the black border and in the panel.
    fn field(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = ((x - 0.5).abs(), (y - 0.5).abs());
        let corner = step(1.0 - self.corner, 0.99 - self.corner, dx + dy);
        let border = step(0.485, 0.478, dx.max(dy));
        let panel = if self.has_panel && x < 0.32 && y > 0.67 { 0.0 } else { 1.0 };
        corner * border * panel
    }

    fn wall(&self, x: f32, y: f32) -> [f32; 3] {
        let bend = 0.06 * self.noise.cloud(x * 4.0, y * 4.0, 3);
        let lumen = ellipse(x + bend, y + bend, self.lumen, self.lumen_half);
        // The folds run around the lumen.
        let fold = ((lumen + 2.0 * bend).ln().max(-1.0) * self.folds).sin();
        let light = 1.18 - 0.85 * ellipse(x, y, self.light, (1.0, 1.0));
        let depth = step(0.75, 1.9, lumen);
        let branch = step(0.0, 0.5, Noise(self.noise.0 ^ 3).at(x * 5.0, y * 5.0));
        let vein = Noise(self.noise.0 ^ 9).lines(x * 15.0 + bend * 30.0, y * 15.0, 0.03) * self.veins * branch;
        let shade = light * (0.16 + 0.84 * depth) * (1.0 + 0.18 * fold * step(1.0, 1.6, lumen))
            + 0.1 * self.noise.cloud(x * 12.0, y * 12.0, 3);
        [0, 1, 2].map(|channel| {
            let drain = if channel == 0 { 0.4 * vein } else { vein };
            (self.tone[channel] * shade - drain).max(0.02)
        })
    }

    fn polyp(&self, polyp: &Polyp, tone: [f32; 3], x: f32, y: f32, distance: f32) -> [f32; 3] {
        // The polyp is a dome that is lit from the upper left.
        let height = (1.0 - distance.min(1.0).powi(2)).max(0.0).sqrt();
        let (dx, dy) = ((x - polyp.middle.0) / polyp.half.0, (y - polyp.middle.1) / polyp.half.1);
        let lit = 0.56 + 0.42 * height - 0.14 * (dx + dy) + 0.16 * polyp.noise.cloud(x * 25.0, y * 25.0, 3);
        let light = 1.1 - 0.45 * ellipse(x, y, self.light, (1.0, 1.0));
        // Every polyp takes on part of the wall's tone.
        [0, 1, 2].map(|channel| (0.6 * tone[channel] + 0.4 * self.tone[channel]) * lit * light)
    }

    /// Returns the brightness of the specular reflections on wet folds.
    fn shine(&self, x: f32, y: f32) -> f32 {
        // The reflections are elongated, and occur only where the wall bulges.
        let bend = 0.4 * self.noise.at(x * 6.0, y * 6.0);
        let spots = Noise(self.noise.0 ^ 77).at(x * 30.0 + bend * 8.0, y * 46.0 - bend * 8.0);
        let bulge = step(0.1, 0.45, Noise(self.noise.0 ^ 5).at(x * 7.0, y * 7.0));
        let near = bell(ellipse(x, y, self.light, (0.4, 0.4)), 1.0);
        self.shine * step(0.45, 0.7, spots) * near * bulge
    }
}

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    [0, 1, 2].map(|channel| a[channel] * (1.0 - share) + b[channel] * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_names_places_of_more_than_a_five_hundredth_of_the_image() {
        // A five hundredth of 50 × 50 pixels is 5.
        let places = |count: usize| {
            let mut mask = vec![0; 50 * 50];
            mask[..count].fill(1);
            mask[25 * 50 + 20..25 * 50 + 30].fill(1);
            prompt(&mask, 50, &[], Colour::Red, Shape::Round)
        };
        assert!(places(5).ends_with("located in center of the image"), "{}", places(5));
        assert!(places(6).ends_with("located in top left, center of the image"), "{}", places(6));
    }
}
