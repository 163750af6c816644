//! The shader says the same as the rest of the program of what is foreground.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use eframe::egui::{self, LayerId, Rect, pos2, vec2};
use eframe::wgpu::TextureFormat;
use himix::data::foreground::{THRESHOLD_STEPS, threshold_at};
use himix::data::{OverlayColours, Texels, is_foreground};
use himix::render::{
    ImageLayer, Paint, Picture, PictureColours, PictureStyle, Placement, ProbabilityLayer, Show, Uniforms,
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
