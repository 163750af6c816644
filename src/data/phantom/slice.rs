//! Draws an axial CT slice of the chest in a lung window, seen from the feet, with the front of the body at the
//! top.

use super::canvas::{Noise, Plane, bell, ellipse, grain_of, place, step};
use super::lungs::{Infection, Lungs, infect};
use crate::data::{Image, Pixels};

struct Body {
    middle: (f32, f32),
    half: (f32, f32),
    heart: (f32, f32),
    heart_size: f32,
    lung_half: [(f32, f32); 2],
}

impl Body {
    fn draw(random: &mut fastrand::Rng) -> Self {
        let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
        let middle = (within(0.47, 0.53), within(0.46, 0.53));
        let half = (within(0.4, 0.46), within(0.28, 0.36));
        let heart_size = within(0.6, 1.15);
        Self {
            middle,
            half,
            heart: (middle.0 + within(0.01, 0.07), middle.1 - half.1 * 0.28),
            heart_size,
            lung_half: std::array::from_fn(|_| (half.0 * within(0.34, 0.4), half.1 * within(0.66, 0.8))),
        }
    }

    fn heart(&self, x: f32, y: f32) -> f32 {
        let size = self.heart_size;
        let heart = ellipse(x, y, self.heart, (0.125 * size, 0.12 * size));
        // The mediastinum lies between the lungs and reaches down to the spine.
        let between = ellipse(x, y, (self.middle.0, self.middle.1), (0.055, self.half.1 * 0.85));
        step(1.08, 0.92, heart).max(step(1.1, 0.9, between))
    }

    fn lung(&self, x: f32, y: f32, half: usize) -> f32 {
        let sign = [-1.0, 1.0][half];
        let centre = (self.middle.0 + sign * self.half.0 * 0.47, self.middle.1);
        // The lungs lean towards the midline at the front.
        let lean = x + sign * 0.12 * (centre.1 - y);
        let shape = ellipse(lean, y, centre, self.lung_half[half]);
        step(1.04, 0.96, shape) * (1.0 - self.heart(x, y)) * step(1.0, 0.97, self.distance(x, y) * 1.16)
    }

    fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = ((x - self.middle.0) / self.half.0, (y - self.middle.1) / self.half.1);
        (dx.abs().powf(2.5) + dy.abs().powf(2.5)).powf(0.4)
    }
}

/// Draws an image of `side × side` pixels, and its infected areas with their prompt; none if not `has_lesion`.
pub fn draw(random: &mut fastrand::Rng, side: usize, has_lesion: bool) -> (Image, Infection) {
    let body = Body::draw(random);
    let lungs = Lungs { inside: [0, 1].map(|half| Plane::of(side, |x, y| body.lung(x, y, half))) };
    let infection = if has_lesion { infect(&lungs, random) } else { Infection::none(side) };
    let picture = scanned(&body, &lungs, &infection, random);
    (picture, infection)
}

fn scanned(body: &Body, lungs: &Lungs, infection: &Infection, random: &mut fastrand::Rng) -> Image {
    let side = lungs.inside[0].side;
    let [tissue, vessels, patchy] = std::array::from_fn(|_| Noise(random.u32(..)));
    let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
    let (air, soft) = (within(0.08, 0.2), within(0.5, 0.66));
    let strength = within(0.22, 0.5);
    let table = within(0.14, 0.22);
    let picture = Plane::of(side, |x, y| {
        let place = place(x, y, side);
        let inside = lungs.inside[0].values[place] + lungs.inside[1].values[place];
        let distance = body.distance(x, y);
        let skin = step(1.02, 0.99, distance);
        let fat = step(0.86, 0.94, distance);
        let mut value = skin * (soft - 0.17 * fat + 0.12 * bell(distance - 1.0, 0.02));
        value += skin * 0.05 * tissue.cloud(x * 14.0, y * 14.0, 3);
        // The slice cuts the ribs all around the chest.
        let angle = (y - body.middle.1).atan2(x - body.middle.0);
        let cut = (angle * 9.0).sin();
        value += 0.38 * skin * bell(distance - 0.9, 0.03) * step(0.55, 0.9, cut);
        // These are the vertebra with its spinous process, and the sternum.
        let spine = (body.middle.0, body.middle.1 + body.half.1 * 0.68);
        let vertebra = ellipse(x, y, spine, (0.06, 0.05));
        value += 0.33 * step(1.1, 0.9, vertebra) * (0.8 + 0.4 * tissue.cloud(x * 40.0, y * 40.0, 2));
        value += 0.2 * step(1.1, 0.8, ellipse(x, y, (spine.0, spine.1 + 0.085), (0.022, 0.05)));
        let bone = (body.middle.0, body.middle.1 - body.half.1 * 0.9);
        value += 0.3 * step(1.2, 0.8, ellipse(x, y, bone, (0.05, 0.015)));
        value += 0.05 * body.heart(x, y);
        // In the air of the lungs, vessels are visible. Those that are cut across are spots, larger towards the
        // centre.
        let spots = vessels.at(x * 34.0, y * 34.0) + 0.5 * vessels.at(x * 75.0, y * 75.0);
        let branches = step(0.4 + 0.3 * distance, 0.7 + 0.3 * distance, spots)
            + 0.5 * vessels.lines(x * 16.0, y * 16.0, 0.05) * step(0.2, 0.5, vessels.at(y * 7.0, x * 7.0));
        let lung =
            air + 0.4 * branches.min(1.0) * step(1.0, 0.6, distance) + 0.05 * tissue.cloud(x * 60.0, y * 60.0, 2);
        let patches = 0.75 + 0.6 * patchy.cloud(x * 22.0, y * 22.0, 3);
        let ill = strength * infection.density.values[place] * patches;
        value = value * (1.0 - inside) + (lung + ill) * inside;
        // The patient table lies below the body.
        let below = body.middle.1 + body.half.1 + table * (1.0 - 3.0 * (x - 0.5).powi(2)) - 0.1;
        value + (1.0 - skin) * 0.35 * bell(y - below, 0.007)
    });
    let grain = 0.01 + 0.02 * random.f32();
    let bytes = picture
        .values
        .iter()
        .map(|value| ((value + grain_of(random, grain)).clamp(0.0, 1.0) * 255.0).round() as u8);
    Image { width: side, height: side, channels: 1, pixels: Pixels::U8(bytes.collect()) }
}
