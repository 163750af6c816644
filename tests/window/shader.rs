//! The shader says the same as the rest of the program of what is foreground, and reads labels only where some are.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use eframe::egui::{self, LayerId, Rect, pos2, vec2};
use eframe::wgpu::TextureFormat;
use himix::data::foreground::{THRESHOLD_STEPS, threshold_at};
use himix::data::{Mask, OverlayColours, Texels, is_foreground, pyramid};
use himix::render::{
    ImageLayer, LabelColours, LabelLayer, Labels, Paint, Picture, PictureColours, PictureStyle, Placement,
    ProbabilityLayer, Show, TruthLayer, Uniforms,
};

use super::has_graphics;

/// Screen pixels of a pixel of the picture.
const ZOOM: usize = 8;
/// Probabilities that are looked at, from left to right: none, the number before the threshold, the threshold, the number after it. A
/// pixel is interpolated with its right neighbour, in which none must not be.
const COUNT: usize = 4;

fn probabilities(threshold: f32) -> [f32; COUNT] {
    [f32::NAN, threshold.next_down(), threshold, threshold.next_up()]
}

fn paint(step: usize) -> Paint {
    let threshold = threshold_at(step);
    let show = Show { prediction: true, fill: true, ..Show::default() };
    let size = [COUNT, 1];
    Paint {
        place: 0,
        image: ImageLayer {
            key: 1,
            size,
            texture_size: size,
            reduction: 1,
            texels: Texels::Rgba(Arc::new([9, 9, 9, 255].repeat(COUNT))),
            reduced: Arc::default(),
        },
        probability: Some(ProbabilityLayer {
            key: step as u64,
            size,
            values: Arc::new(probabilities(threshold).to_vec()),
        }),
        truth: None,
        labels: None,
        uniforms: Uniforms::new(
            Placement { corner: [0.0; 2], span: [COUNT as f32, 1.0], step: [1.0 / ZOOM as f32; 2] },
            show,
            &PictureColours { overlay: OverlayColours::PAPER, canvas: [0; 3] },
            PictureStyle { threshold, opacity: 1.0, outline_opacity: 1.0, outline_px: 1.0, window: [0.0, 255.0] },
        ),
    }
}

#[test]
fn the_shader_and_the_program_agree_at_the_exact_threshold() {
    if !has_graphics() {
        return;
    }
    let steps = [1, 7, 123, 250, 333, 499, 500, 501, 700, 999, THRESHOLD_STEPS];
    let rect = Rect::from_min_size(pos2(16.0, 16.0), vec2((COUNT * ZOOM) as f32, ZOOM as f32));
    let (picture, step) = (Picture::new(TextureFormat::Rgba8Unorm), Rc::new(Cell::new(1)));
    let drawn = step.clone();
    let mut window =
        egui_kittest::Harness::builder().with_size([96.0, 48.0]).build_ui(move |ui: &mut egui::Ui| {
            ui.ctx().layer_painter(LayerId::background()).add(picture.callback(rect, paint(drawn.get())));
        });
    for at in steps {
        step.set(at);
        window.step();
        let seen = window.render().expect("the picture is drawn");
        for (place, probability) in probabilities(threshold_at(at)).into_iter().enumerate() {
            let x = rect.left() + (place as f32 + 0.5) * ZOOM as f32;
            let image::Rgba([r, g, b, _]) = *seen.get_pixel(x as u32, rect.center().y as u32);
            let expected =
                if is_foreground(probability, threshold_at(at)) { OverlayColours::PAPER.mask } else { [9; 3] };
            assert_eq!([r, g, b], expected, "probability {probability} at threshold {}", threshold_at(at));
        }
    }
}

/// The sides of the picture with labels, and the box that holds them: left, top, width and height.
const SIDES: [usize; 2] = [90, 70];
const BOX: [usize; 4] = [21, 13, 34, 29];
/// The size of the part of the screen in which it is drawn, in pixels.
const VIEW: [f32; 2] = [150.0, 110.0];

/// A picture with two labels whose outermost pixels lie at the edges of the box, a ground truth and a probability.
fn labelled(labels: Labels, step: f32, labelled: Option<[usize; 4]>) -> Paint {
    let [columns, rows] = SIDES;
    let [left, top, width, height] = BOX;
    let every = |value: &dyn Fn(usize, usize) -> u8| -> Vec<u8> {
        (0..columns * rows).map(|at| value(at % columns, at / columns)).collect()
    };
    let is_in_box = |x: usize, y: usize| (left..left + width).contains(&x) && (top..top + height).contains(&y);
    let number = |x: usize, y: usize| if !is_in_box(x, y) || (x + y) % 11 == 5 { 0 } else { 1 + u8::from(x > 40) };
    let shade = |x: usize, y: usize| (x * 2 + y) as u8;
    let texels =
        Texels::Rgba(Arc::new(every(&shade).into_iter().flat_map(|grey| [grey, grey, grey, 255]).collect()));
    let reduced = Arc::new(pyramid(&texels, SIDES));
    let truth = every(&|x, y| u8::from(x + y > 80));
    let show = Show {
        prediction: labels != Labels::Mask,
        truth: labels != Labels::Coloured,
        fill: true,
        contour: true,
        smooth: true,
        labels,
        ..Show::default()
    };
    let colours = vec![None, Some([200, 30, 40]), Some([20, 180, 60])];
    // Of labels with the same key and revision, the box is the same.
    let key = labels as u64 * 3 + labelled.map_or(0, |area| 1 + u64::from(area == BOX));
    Paint {
        place: 0,
        image: ImageLayer { key: 1, size: SIDES, texture_size: SIDES, reduction: 1, texels, reduced },
        probability: Some(ProbabilityLayer {
            key: 1,
            size: [3, 2],
            values: Arc::new(vec![0.1, 0.9, 0.2, 0.8, 0.3, 0.7]),
        }),
        truth: Some(TruthLayer { key: 1, mask: Arc::new(Mask { width: columns, height: rows, values: truth }) }),
        labels: Some(LabelLayer {
            key,
            size: SIDES,
            values: Arc::new(every(&number)),
            revision: 0,
            changes: Vec::new(),
            labelled,
        }),
        uniforms: Uniforms::new(
            // The picture does not begin at a whole pixel of the screen, and there is canvas around it.
            Placement { corner: [-3.3, -2.6], span: VIEW.map(|side| side * step), step: [step; 2] },
            show,
            &PictureColours { overlay: OverlayColours::PAPER, canvas: [7, 8, 9] },
            PictureStyle {
                threshold: 0.5,
                opacity: 0.6,
                outline_opacity: 0.9,
                outline_px: 1.5,
                window: [0.0, 255.0],
            },
        )
        .with_labels(&LabelColours { colours, active: 1 }),
    }
}

#[test]
fn labels_are_drawn_the_same_whether_or_not_it_is_known_where_they_are() {
    if !has_graphics() {
        return;
    }
    let rect = Rect::from_min_size(pos2(16.0, 16.0), vec2(VIEW[0], VIEW[1]));
    let picture = Picture::new(TextureFormat::Rgba8Unorm);
    let now = Rc::new(Cell::new((Labels::Coloured, 1.0, None)));
    let drawn = now.clone();
    let mut window =
        egui_kittest::Harness::builder().with_size([182.0, 142.0]).build_ui(move |ui: &mut egui::Ui| {
            let (labels, step, area) = drawn.get();
            ui.ctx()
                .layer_painter(LayerId::background())
                .add(picture.callback(rect, labelled(labels, step, area)));
        });
    let mut draw = |labels, step, area| {
        now.set((labels, step, area));
        window.step();
        window.render().expect("the picture is drawn")
    };
    for labels in [Labels::Coloured, Labels::Mask, Labels::Truth] {
        // Enlarged beyond the screen, enlarged, as it is, reduced.
        for step in [0.41, 0.63, 1.0, 2.37, 4.9] {
            let everywhere = draw(labels, step, Some([0, 0, SIDES[0], SIDES[1]]));
            let within = draw(labels, step, Some(BOX));
            let differs = |other: &image::RgbaImage| everywhere.pixels().zip(other.pixels()).any(|(a, b)| a != b);
            assert!(!differs(&within), "{labels:?} at {step}");
            assert!(differs(&draw(labels, step, None)), "{labels:?} at {step}: labels are seen");
        }
    }
}
