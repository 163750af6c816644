//! Helpers for the tests of figures: a model and an inspection that need no network, and checks of a page.

use super::font;
use super::scene::{Anchor, Item, Rect};
use super::{Case, Content, Figure, Model, Picture};
use crate::data::Mask;
use crate::data::volume::Lengths;
use crate::infer::{
    Attribution, GroupOverrides, Inspection, ModelInfo, Overrides, Plane, Prediction, Spectra, StageOverrides,
    StageView,
};

/// The data from which a figure in the tests borrows.
pub struct Bench {
    pub info: ModelInfo,
    pub seen: Inspection,
    pub picture: Picture,
    pub truth: Mask,
}

fn plane(width: usize, height: usize, value: impl Fn(usize) -> f32) -> Plane {
    Plane { width, height, values: (0..width * height).map(value).collect() }
}

impl Bench {
    /// Creates a model with stages on these grids, and a small image.
    pub fn new(grids: &[usize]) -> Self {
        Self::sized(grids, 6, 4)
    }

    /// Like [`Self::new`], with an image of this size.
    pub fn sized(grids: &[usize], width: usize, height: usize) -> Self {
        let stages = grids.iter().enumerate();
        let overrides = Overrides {
            stages: stages
                .clone()
                .map(|(at, &grid)| StageOverrides {
                    grid,
                    sigma: Some(6.18 - at as f32),
                    is_filtered: true,
                    betas: Some([1.0; 3]),
                })
                .collect(),
            groups: stages
                .clone()
                .map(|(at, _)| GroupOverrides {
                    layers: (4 * at + 1..=4 * at + 4).collect(),
                    alpha: Some(vec![1.25, 0.5, 1.0, 1.0 - at as f32]),
                    is_used: true,
                })
                .collect(),
            order: (1..=grids.len()).rev().collect(),
        };
        let side = |grid: usize| 2 * grid;
        let views = stages.map(|(at, &grid)| {
            let cells = side(grid) * side(grid);
            StageView {
                grid,
                channels: 3,
                output: (0..3 * cells).map(|k| (k as f32 * 0.37 + at as f32).sin() - 0.2).collect(),
                attribution: Some(Attribution {
                    map: plane(side(grid), side(grid), |k| (k % 5) as f32 * 0.01),
                    contributions: vec![0.1, -0.2, 0.3],
                }),
                linear_probe: Some(plane(side(grid), side(grid), |k| (k * 7 % 10) as f32 / 10.0)),
                spectra: Some(Spectra {
                    before: (0..=grid / 2).map(|ring| 900.0 / (1 + ring * ring) as f32).collect(),
                    after: (0..=grid / 2).map(|ring| 1000.0 / (1 + ring * ring) as f32).collect(),
                }),
            }
        });
        let stages = views.collect();
        let probability = |width, height| plane(width, height, |k| (k * 3 % 11) as f32 / 10.0);
        let prediction = Prediction {
            probability_model: probability(8, 8),
            device: "none".into(),
            ..Prediction::of_map("left lung", probability(width, height))
        };
        let info = ModelInfo {
            name: "bench-model".into(),
            is_trained: true,
            overrides,
            linear_probes: Some("fitted on 500 images".into()),
            ..ModelInfo::default()
        };
        Self {
            info,
            seen: Inspection { prediction, stages, similarity: Vec::new(), explained: 3 },
            picture: Picture { width, height, rgb: vec![90; 3 * width * height] },
            truth: Mask { width, height, values: (0..width * height).map(|k| u8::from(k % 3 == 0)).collect() },
        }
    }

    /// Returns the content of one model and one case with its ground truth.
    pub fn content(&self) -> Content<'_> {
        self.content_of(1, 1)
    }

    /// Returns the content with the model and the case repeated.
    pub fn content_of(&self, models: usize, cases: usize) -> Content<'_> {
        let case =
            Case { name: "a-1.png", picture: &self.picture, lengths: Lengths::PIXELS, truth: Some(&self.truth) };
        let model =
            Model { info: &self.info, overrides: None, inspections: vec![&self.seen; cases], original: None };
        Content { models: vec![model; models], cases: vec![case; cases] }
    }
}

/// Returns the values of a column, in the rows with these cells.
pub fn column(figure: &Figure, wanted: &str, cells: &[(&str, &str)]) -> Vec<String> {
    let place = |name: &str| figure.table.columns.iter().position(|column| column == name).expect(name);
    let cells: Vec<(usize, &str)> = cells.iter().map(|(name, value)| (place(name), *value)).collect();
    let rows = figure.table.rows.iter().filter(|row| cells.iter().all(|(at, value)| row[*at] == *value));
    rows.map(|row| row[place(wanted)].clone()).collect()
}

/// Like [`column`], with the values parsed as numbers.
pub fn numbers(figure: &Figure, wanted: &str, cells: &[(&str, &str)]) -> Vec<f64> {
    column(figure, wanted, cells).iter().map(|cell| cell.parse().expect("a number")).collect()
}

/// Asserts that everything is on the page, texts do not overlap, every letter is in the font, and every row has its
/// cells.
pub fn assert_tidy(figure: &Figure, what: &str) {
    let scene = &figure.scene;
    let mut words: Vec<(Rect, &str)> = Vec::new();
    for item in &scene.items {
        let rect = match item {
            Item::Text(text) => {
                let missing = text.words.chars().find(|letter| !font::has(*letter));
                assert_eq!(missing, None, "{what}: {:?}", text.words);
                let width = font::width(&text.words, text.size);
                let before = match text.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
                let (above, height) = (0.72 * text.size, 0.9 * text.size);
                let [x, y] = text.at;
                let rect = if text.is_upright {
                    Rect::new(x - above, y - width + before, height, width)
                } else {
                    Rect::new(x - before, y - above, width, height)
                };
                words.push((rect, &text.words));
                rect
            }
            Item::Rect { rect, .. } | Item::Picture { rect, .. } => *rect,
            Item::Line { points, .. } => {
                let end = |axis: usize, f: fn(f32, f32) -> f32| {
                    points.iter().map(|p| p[axis]).reduce(f).expect("points")
                };
                let [x, y] = [0, 1].map(|axis| end(axis, f32::min));
                Rect::new(x, y, end(0, f32::max) - x, end(1, f32::max) - y)
            }
        };
        let is_inside =
            rect.x >= 0.0 && rect.y >= 0.0 && rect.right() <= scene.width && rect.bottom() <= scene.height;
        assert!(
            is_inside && rect.width >= 0.0,
            "{what}: {rect:?} of {item:?} is not on {}x{}",
            scene.width,
            scene.height
        );
    }
    for (index, (a, first)) in words.iter().enumerate() {
        for (b, second) in &words[..index] {
            let apart = a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
            assert!(
                apart || first.is_empty() || second.is_empty(),
                "{what}: {first:?} {a:?} is on {second:?} {b:?}"
            );
        }
    }
    assert!(!figure.table.rows.is_empty(), "{what}: no numbers");
    assert!(figure.table.rows.iter().all(|row| row.len() == figure.table.columns.len()), "{what}");
}
