//! The threshold that a model has for a kind of image.

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};

use super::with_result;
use crate::fake::FakeModel;
use crate::harness::{Files, Window, says, wait};

fn threshold(window: &Window) -> f64 {
    let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
    slider.accesskit_node().numeric_value().unwrap_or_default()
}

#[test]
fn an_image_gets_the_threshold_of_its_kind_until_the_user_sets_another() {
    let files = Files::new();
    let model = FakeModel { threshold: Some(0.42), ..FakeModel::default() };
    let mut window = with_result(&model, vec![files.image()]);
    wait(&mut window, "the model's threshold", |window| (threshold(window) - 0.42).abs() < 1e-6);
    window.run();
    window.get_by_label("0.42 was chosen for X-rays when this model was validated.");
    // The user's own has precedence, also for the next mask.
    window.get_by_role_and_label(Role::Slider, "Threshold").set_value_accesskit(0.7);
    window.run();
    super::type_prompt(&mut window, "another prompt ");
    wait(&mut window, "the next mask", |_| model.last_prompt().contains("another prompt"));
    for _ in 0..5 {
        window.run();
    }
    assert!((threshold(&window) - 0.7).abs() < 1e-6);
    assert!(!says(&window, "was chosen for X-rays"));
    window.get_by_label("Use 0.42, the model's for X-rays").click();
    window.run();
    assert!((threshold(&window) - 0.42).abs() < 1e-6);
}
