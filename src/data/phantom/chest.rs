//! Draws a frontal chest X-ray, which is bright where rays are absorbed.

use super::canvas::{Noise, Plane, bell, ellipse, grain_of, place, step};
use super::lungs::{Infection, Lungs, infect};
use crate::data::{Image, Pixels};

/// The anatomy and the position of one person.
struct Pose {
    middle: f32,
    width: f32,
    top: f32,
    bottom: f32,
    tilt: f32,
    heart: f32,
    shoulders: f32,
}

impl Pose {
    fn draw(random: &mut fastrand::Rng) -> Self {
        let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
        Self {
            middle: within(0.46, 0.54),
            width: within(0.84, 1.1),
            top: within(0.08, 0.17),
            bottom: within(0.66, 0.84),
            tilt: within(-0.05, 0.05),
            heart: within(0.8, 1.25),
            shoulders: within(0.1, 0.2),
        }
    }

    /// Returns the horizontal position of the midline at this height.
    fn line(&self, y: f32) -> f32 {
        self.middle + self.tilt * (y - 0.5)
    }

    /// Returns the height of the diaphragm below a position in the left or right half of the image.
    fn diaphragm(&self, x: f32, half: usize) -> f32 {
        let centre = self.line(0.7) + [-0.19, 0.19][half] * self.width;
        let dome = ((x - centre) / (0.2 * self.width)).powi(2);
        // The liver lifts the diaphragm on the left of the image.
        self.bottom + [-0.02, 0.01][half] - 0.07 + 0.1 * dome
    }

    fn heart(&self, x: f32, y: f32) -> f32 {
        let line = self.line(y);
        let low = self.bottom - 0.1;
        let lean = x - 0.35 * (y - low);
        let body = ellipse(lean, y, (line + 0.05 * self.heart, low), (0.125 * self.heart, 0.17 * self.heart));
        let vessels = ellipse(x, y, (line + 0.005, low - 0.22), (0.06, 0.2));
        step(1.14, 0.86, body).max(step(1.2, 0.8, vessels))
    }

    /// Returns the share of lung at a position in this half of the image, 0 to 1.
    fn lung(&self, x: f32, y: f32, half: usize) -> f32 {
        let away = (x - self.line(y)) * [-1.0, 1.0][half];
        let height = (y - self.top) / (self.bottom - self.top);
        let outer = self.width * (0.235 + 0.11 * step(0.0, 0.8, height));
        let inner = 0.045 + 0.02 * step(0.2, 0.9, height);
        let apex = self.top + 5.0 * ((away - 0.12 * self.width) / self.width).powi(2);
        let across = step(inner, inner + 0.03, away) * step(outer, outer - 0.03, away);
        let along = step(apex, apex + 0.05, y) * step(0.0, 0.03, self.diaphragm(x, half) - y);
        across * along * (1.0 - self.heart(x, y))
    }
}

/// Draws an image of `side × side` pixels, and its infected areas with their prompt; none if not `has_lesion`.
pub fn draw(random: &mut fastrand::Rng, side: usize, has_lesion: bool) -> (Image, Infection) {
    let pose = Pose::draw(random);
    let lungs = Lungs { inside: [0, 1].map(|half| Plane::of(side, |x, y| pose.lung(x, y, half))) };
    let infection = if has_lesion { infect(&lungs, random) } else { Infection::none(side) };
    let picture = exposed(&pose, &lungs, &infection, random);
    (picture, infection)
}

fn exposed(pose: &Pose, lungs: &Lungs, infection: &Infection, random: &mut fastrand::Rng) -> Image {
    let side = lungs.inside[0].side;
    let noise = Noise(random.u32(..));
    let (fine, patchy) = (Noise(random.u32(..)), Noise(random.u32(..)));
    let mut within = |from: f32, to: f32| from + (to - from) * random.f32();
    let air = within(0.45, 0.62);
    let (first, gap, slope) = (within(0.02, 0.06), within(0.075, 0.095), within(0.25, 0.45));
    let ribs = within(0.04, 0.09);
    let markings = within(0.1, 0.2);
    let strength = within(0.16, 0.42);
    let mut picture = Plane::of(side, |x, y| {
        let line = pose.line(y);
        let away = (x - line).abs() / pose.width;
        let inside = lungs.inside[0].values[place(x, y, side)] + lungs.inside[1].values[place(x, y, side)];
        // The shoulders narrow towards the neck.
        let neck = 0.1 + 0.75 * (y / pose.shoulders).powi(2) * pose.shoulders.sqrt();
        let body_edge = neck.min(0.46 + 0.06 * bell(y - 0.3, 0.15));
        let body = step(body_edge, body_edge - 0.05, away);
        let soft = 0.58 + 0.1 * step(0.3, 0.0, away) + 0.2 * step(pose.bottom - 0.1, pose.bottom + 0.12, y);
        let mut value = body * soft + 0.03 * noise.cloud(x * 5.0, y * 5.0, 3);
        value += body * 0.08 * bell(x - line, 0.03) * (1.0 + 0.35 * (y * 75.0).sin());
        value -= air * inside;
        value += 0.09 * pose.heart(x, y) * (1.0 - inside);
        // Ribs fall outwards at the back and rise at the front.
        let down = y - pose.top - first;
        let behind = (down - slope * away).rem_euclid(gap) / gap - 0.5;
        let before = (down * 0.8 + 0.5 * away).rem_euclid(gap * 1.25) / (gap * 1.25) - 0.5;
        let chest = step(0.05, 0.1, away) * step(0.42, 0.36, away) * step(pose.bottom + 0.12, pose.bottom, y);
        let edge = |t: f32| bell(t, 0.16) + 0.35 * bell(t.abs() - 0.2, 0.05);
        value += body * ribs * chest * (edge(behind) + 0.5 * edge(before) * step(0.12, 0.25, away));
        // The clavicles rise towards the sides.
        let bone = y - (pose.top + 0.1 - 0.16 * away + 0.05 * (away * 14.0).sin() * 0.4);
        value += body * 0.12 * bell(bone, 0.012) * step(0.05, 0.09, away) * step(0.4, 0.34, away);
        // Vessels leave the hila and become thinner.
        let hilum = ellipse(x, y, (line, pose.top + 0.3), (0.3, 0.34));
        let branches = fine.lines(x * 22.0, y * 22.0, 0.16) * 0.7 + fine.cloud(x * 30.0, y * 30.0, 2);
        value + markings * inside * branches * step(1.15, 0.1, hilum)
    });
    let density = &infection.density.values;
    picture.change(|x, y, value| {
        let patches = 0.75 + 0.5 * patchy.cloud(x * 16.0, y * 16.0, 3);
        value + strength * density[place(x, y, side)] * patches
    });
    develop(picture, random)
}

/// Applies exposure, noise and possibly a side marker, and returns the 8-bit grey image.
fn develop(picture: Plane, random: &mut fastrand::Rng) -> Image {
    let side = picture.side;
    let gamma = 0.75 + 0.6 * random.f32();
    let (dark, light) = (0.12 * random.f32(), 0.9 + 0.12 * random.f32());
    let grain = 0.004 + 0.012 * random.f32();
    let sign = (random.f32() < 0.4).then(|| (random.f32() * 0.12 + 0.03, random.f32() * 0.1 + 0.03));
    let mut bytes = Vec::with_capacity(side * side);
    for (index, value) in picture.values.iter().enumerate() {
        let (x, y) = ((index % side) as f32 / side as f32, (index / side) as f32 / side as f32);
        let mut value = ((value - dark) / (light - dark)).clamp(0.0, 1.0).powf(gamma);
        // The side marker is a letter of two strokes.
        if let Some((left, top)) = sign {
            let (x, y) = (x - left, y - top);
            let stroke = (0.0..0.012).contains(&x) || (0.038..0.05).contains(&y);
            if stroke && (0.0..0.03).contains(&x) && (0.0..0.05).contains(&y) {
                value = 0.95;
            }
        }
        bytes.push(((value + grain_of(random, grain)).clamp(0.0, 1.0) * 255.0).round() as u8);
    }
    Image { width: side, height: side, channels: 1, pixels: Pixels::U8(bytes) }
}
