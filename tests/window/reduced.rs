//! A picture that is drawn smaller than it is shows the mean of what each pixel of the screen covers.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use eframe::egui::{self, LayerId, Rect, pos2, vec2};
use eframe::wgpu::TextureFormat;
use himix::data::{OverlayColours, Texels, pyramid};
use himix::render::{ImageLayer, Paint, Picture, PictureColours, PictureStyle, Placement, Show, Uniforms};

use super::has_graphics;

/// The sizes of a screen pixel in pixels of the picture. Of these, 2.3 is drawn from the picture itself, the others from its
/// levels.
const STEPS: [f32; 6] = [2.3, 3.1, 4.36, 5.6, 7.9, 9.5];
const CORNER: [f32; 2] = [8.0, 8.0];

/// A grey picture and how it is drawn.
struct Drawn {
    values: Vec<f32>,
    columns: usize,
    /// Whether the texels are values rather than colours.
    is_values: bool,
    /// What is displayed as black and as white.
    window: [f32; 2],
    /// The size of a screen pixel in pixels of the picture.
    step: [f32; 2],
}

impl Drawn {
    /// Colours from 0 to 255.
    fn shades(columns: usize, rows: usize, step: f32, shade: impl Fn(usize, usize) -> f32) -> Self {
        let values = (0..columns * rows).map(|at| shade(at % columns, at / columns)).collect();
        Self { values, columns, is_values: false, window: [0.0, 255.0], step: [step; 2] }
    }

    fn size(&self) -> [usize; 2] {
        [self.columns, self.values.len() / self.columns]
    }

    /// The columns and rows of the screen that the picture covers as a whole.
    fn seen(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.size()[axis] as f32 / self.step[axis]) as usize)
    }

    fn paint(&self, key: u64) -> Paint {
        let size = self.size();
        let texels = match self.is_values {
            true => Texels::of_values(self.values.iter().copied()),
            false => Texels::Rgba(Arc::new(
                self.values.iter().flat_map(|value| [*value as u8, *value as u8, *value as u8, 255]).collect(),
            )),
        };
        let reduced = Arc::new(pyramid(&texels, size));
        let span = [0, 1].map(|axis| self.seen()[axis] as f32 * self.step[axis]);
        Paint {
            place: 0,
            image: ImageLayer { key, size, texture_size: size, reduction: 1, texels, reduced },
            probability: None,
            truth: None,
            labels: None,
            uniforms: Uniforms::new(
                Placement { corner: [0.0; 2], span, step: self.step },
                Show { smooth: true, ..Show::default() },
                &PictureColours { overlay: OverlayColours::PAPER, canvas: [0; 3] },
                PictureStyle {
                    threshold: 0.5,
                    opacity: 1.0,
                    outline_opacity: 1.0,
                    outline_px: 1.0,
                    window: self.window,
                },
            ),
        }
    }

    /// The mean of what a pixel of the screen covers, without the pixels of the picture that are not known.
    fn mean(&self, pixel: [usize; 2]) -> f32 {
        let sides = [0, 1].map(|axis| {
            let (from, to) = (pixel[axis] as f32 * self.step[axis], (pixel[axis] + 1) as f32 * self.step[axis]);
            let shares =
                (0..self.size()[axis]).map(move |at| (to.min(at as f32 + 1.0) - from.max(at as f32)).max(0.0));
            shares.collect::<Vec<_>>()
        });
        let (mut sum, mut whole) = (0.0, 0.0);
        for (at, value) in self.values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let share = sides[0][at % self.columns] * sides[1][at / self.columns];
            sum += share * value;
            whole += share;
        }
        sum / whole
    }
}

/// Draws pictures one after the other. Returns for each the rows of its shades, 0 to 255.
fn draw(pictures: &[Drawn]) -> Vec<Vec<Vec<f32>>> {
    let first = pictures.first().expect("a picture");
    let [mut wide, mut high] = first.seen();
    for picture in pictures {
        let [columns, rows] = picture.seen();
        (wide, high) = (wide.max(columns), high.max(rows));
    }
    let picture = Picture::new(TextureFormat::Rgba8Unorm);
    let now = Rc::new(RefCell::new((first.seen(), first.paint(1))));
    let drawn = now.clone();
    let size = [wide as f32 + 2.0 * CORNER[0], high as f32 + 2.0 * CORNER[1]];
    let mut window = egui_kittest::Harness::builder().with_size(size).build_ui(move |ui: &mut egui::Ui| {
        let (seen, paint) = drawn.borrow().clone();
        let rect = Rect::from_min_size(pos2(CORNER[0], CORNER[1]), vec2(seen[0] as f32, seen[1] as f32));
        ui.ctx().layer_painter(LayerId::background()).add(picture.callback(rect, paint));
    });
    let shades = |(key, picture): (u64, &Drawn)| {
        *now.borrow_mut() = (picture.seen(), picture.paint(key));
        window.step();
        let seen = window.render().expect("the picture is drawn");
        let [columns, rows] = picture.seen();
        let shade = |x: usize, y: usize| {
            f32::from(seen.get_pixel((x + CORNER[0] as usize) as u32, (y + CORNER[1] as usize) as u32).0[0])
        };
        (0..rows).map(|y| (0..columns).map(|x| shade(x, y)).collect()).collect()
    };
    (1..).zip(pictures).map(shades).collect()
}

#[test]
fn a_gradient_and_a_checkerboard_keep_their_means() {
    if !has_graphics() {
        return;
    }
    // An odd number of columns, half of which is no whole number.
    let gradient = |x: usize, y: usize| (x * 2 / 5 + y) as f32;
    let gradients = STEPS.map(|step| Drawn::shades(301, 96, step, gradient));
    let boards = STEPS.map(|step| Drawn::shades(301, 96, step, |x, y| 255.0 * ((x + y) % 2) as f32));
    // A square of 3.1 × 3.1 texels of a board has a surplus of up to one texel of one colour, which may be shared with its
    // neighbours.
    for (pictures, allowed) in [(gradients, 2.5), (boards, 255.0 / 2.0 / (3.1 * 3.1) + 1.0)] {
        for (picture, rows) in pictures.iter().zip(draw(&pictures)) {
            let [columns, lines] = picture.seen();
            for (y, row) in rows.iter().enumerate().take(lines - 2).skip(2) {
                for (x, shade) in row.iter().enumerate().take(columns - 2).skip(2) {
                    let mean = picture.mean([x, y]);
                    assert!((shade - mean).abs() <= allowed, "{:?}, {x} {y}: {shade} for {mean}", picture.step);
                }
            }
        }
    }
}

#[test]
fn a_thin_line_is_as_bright_wherever_it_lies() {
    if !has_graphics() {
        return;
    }
    let line = |at: usize| move |x: usize, _: usize| if x == at { 255.0 } else { 0.0 };
    let pictures: Vec<Drawn> =
        STEPS.iter().flat_map(|step| (100..110).map(|at| Drawn::shades(201, 40, *step, line(at)))).collect();
    for (number, (picture, rows)) in pictures.iter().zip(draw(&pictures)).enumerate() {
        let (row, step, at) = (&rows[rows.len() / 2], picture.step[0], 100 + number % 10);
        // A line of one pixel gives to a pixel of the screen what it covers of it.
        let whole: f32 = row.iter().sum::<f32>() * step / 255.0;
        assert!((0.8..=1.25).contains(&whole), "step {step}, line {at}: {whole}");
        let centre = (at as f32 + 0.5) / step;
        for (x, shade) in row.iter().enumerate() {
            let away = (x as f32 + 0.5 - centre).abs();
            assert!(*shade < 1.0 || away < 2.0, "step {step}, line {at}: {shade} at {x}");
        }
    }
}

#[test]
fn an_edge_stays_an_edge() {
    if !has_graphics() {
        return;
    }
    let edge = |at: usize| move |x: usize, _: usize| if x >= at { 255.0 } else { 0.0 };
    let pictures: Vec<Drawn> =
        STEPS.iter().flat_map(|step| (100..105).map(|at| Drawn::shades(201, 40, *step, edge(at)))).collect();
    for (number, (picture, rows)) in pictures.iter().zip(draw(&pictures)).enumerate() {
        let (y, at) = (rows.len() / 2, 100 + number % 5);
        for (x, shade) in rows[y].iter().enumerate() {
            let (mean, step) = (picture.mean([x, y]), picture.step[0]);
            let away = ((x as f32 + 0.5) - at as f32 / step).abs();
            let allowed = if away > 1.6 { 1.0 } else { 52.0 };
            assert!((shade - mean).abs() <= allowed, "step {step}, edge {at}, {x}: {shade} for {mean}");
        }
    }
}

#[test]
fn the_window_applies_to_the_mean_of_values_and_missing_ones_do_not_count() {
    if !has_graphics() {
        return;
    }
    // The mean of the windowed values would be 70 instead of 13.
    let board = |x: usize, y: usize| 1000.0 * ((x + y) % 2) as f32;
    let values = |shade: &dyn Fn(usize, usize) -> f32, window| Drawn {
        is_values: true,
        window,
        ..Drawn::shades(120, 90, 4.36, shade)
    };
    let holes = |x: usize, y: usize| if x % 9 == 4 && y % 7 == 3 { f32::NAN } else { 600.0 };
    let pictures = [values(&board, [450.0, 1450.0]), values(&holes, [0.0, 1000.0])];
    for (rows, expected) in draw(&pictures).iter().zip([12.75, 153.0]) {
        for row in &rows[2..rows.len() - 2] {
            assert!(
                row[2..row.len() - 2].iter().all(|shade| (shade - expected).abs() < 2.0),
                "{expected}: {row:?}"
            );
        }
    }
}

#[test]
fn a_picture_of_one_column_and_pixels_that_are_not_square_are_drawn() {
    if !has_graphics() {
        return;
    }
    let column = Drawn { step: [0.1, 4.0], ..Drawn::shades(1, 240, 1.0, |_, y| y as f32) };
    let lying = Drawn { step: [0.5, 6.3], ..Drawn::shades(20, 252, 1.0, |x, y| (100 * (x / 10) + y / 2) as f32) };
    let pictures = [column, lying];
    for (picture, rows) in pictures.iter().zip(draw(&pictures)) {
        assert_eq!([rows[0].len(), rows.len()], picture.seen());
        for (y, row) in rows.iter().enumerate().take(rows.len() - 2).skip(2) {
            // Between two columns is an edge that the screen enlarges.
            let edge = row.len() / 2;
            for (x, shade) in row.iter().enumerate().filter(|(x, _)| picture.columns == 1 || x.abs_diff(edge) > 2)
            {
                let mean = picture.mean([x, y]);
                assert!((shade - mean).abs() <= 2.0, "{:?}, {x} {y}: {shade} for {mean}", picture.step);
            }
        }
    }
}
