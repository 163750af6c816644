//! The Stages tab by its labels, with a model that needs no weights.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod fake;
mod harness;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use fake::FakeModel;
use harness::{Files, Window, open, says, wait};
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

/// Opens the tab with an image and its stages.
fn stages(model: &FakeModel, files: Vec<PathBuf>) -> Window {
    stages_against(model, files, None)
}

fn stages_against(model: &FakeModel, files: Vec<PathBuf>, against: Option<ModelSource>) -> Window {
    let source = ModelSource::new("demo");
    let device = Some(DeviceChoice::Cpu);
    let start = Start { files, model: Some(source), against, device, ..Start::default() };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window.get_by_label("Stages").click();
    wait(&mut window, "the stages", |window| says(window, "Stage 28 (Layer 1), picture"));
    window
}

#[test]
fn without_a_picture_it_says_what_to_do() {
    let source = ModelSource::new("demo");
    let start = Start { model: Some(source), device: Some(DeviceChoice::Cpu), ..Start::default() };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    window.run();
    window.get_by_label("Stages").click();
    window.run();
    window.get_by_label("Open an image to see it stage by stage on its way through the network.");
}

#[test]
fn a_network_without_stages_and_text_says_so() {
    let files = Files::new();
    let source = ModelSource::new("demo");
    let device = Some(DeviceChoice::Cpu);
    let start = Start { files: vec![files.image()], model: Some(source), device, ..Start::default() };
    let model = FakeModel { is_plain: true, ..FakeModel::default() };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window.get_by_label("This network reads no prompt: the mask follows the image alone.");
    assert!(window.query_by_role(Role::MultilineTextInput).is_none(), "there is nothing to type");
    window.get_by_label("Stages").click();
    window.run();
    window.get_by_label("This network has no decoder stages to show.");
    assert_eq!(model.calls.load(Ordering::SeqCst), 1, "nobody looks inside");
}

#[test]
fn the_stages_stand_side_by_side_with_every_map() {
    let files = Files::new();
    let mut window = stages(&FakeModel { has_linear_probes: true, ..FakeModel::default() }, vec![files.image()]);
    for name in ["Input", "Stage 7 (Layer 3)", "Stage 14 (Layer 2)", "Stage 28 (Layer 1)", "Final mask"] {
        assert!(window.query_by_label(&format!("{name}, picture")).is_some(), "{name}");
    }
    for kind in ["Lesion attribution", "Stage mask", "Change", "Activation"] {
        window.get_by_label(kind).click();
        window.run();
    }
    window.get_by_label("Channel").click();
    let carries = "No. 1, 1 of 2, carries −0.750 of the mean logit";
    wait(&mut window, "the channel of most weight", |window| says(window, carries));
}

#[test]
fn stage_masks_have_numbers_where_there_are_read_outs() {
    let files = Files::new();
    let model = FakeModel { has_linear_probes: true, ..FakeModel::default() };
    let mut window = stages(&model, vec![files.image(), files.truth()]);
    window.get_by_label("Stage mask").click();
    window.get_by_label("Numbers").click();
    wait(&mut window, "the numbers", |window| says(window, "Against the ground truth"));
    // Left half compared with upper half, for each of the stages and the final mask.
    wait(&mut window, "the scores", |window| says(window, "Dice 0.500, IoU 0.333 per image"));
    window.get_by_label("From stage to stage");
    window.get_by_label("Stage read-outs (linear probes) fitted on nothing.");
}

#[test]
fn a_model_without_read_outs_offers_to_fit_them() {
    let files = Files::new();
    let mut window = stages(&FakeModel::default(), vec![files.image()]);
    window.get_by_label("Stage mask").click();
    window.run();
    window.get_by_label("This model has no stage read-outs (linear probes).");
    window.get_by_label("Fit stage read-outs…");
}

#[test]
fn a_modified_value_changes_the_mask_and_can_be_undone() {
    let files = Files::new();
    let mut window = stages(&FakeModel::default(), vec![files.image()]);
    window.get_by_label("Original. Change a parameter: the mask is updated at once.");
    // Switching off a filter is the simplest override.
    window.get_by_label("Spectrum filter of stage 7").click();
    wait(&mut window, "the modified mask", |window| {
        window.query_by_label("Modified − original, picture").is_some()
    });
    assert!(says(&window, "Modified: filter of stage 7 off."));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    wait(&mut window, "the original mask", |window| {
        window.query_by_label("Modified − original, picture").is_none()
    });
    window.get_by_label("Redo").click();
    wait(&mut window, "the modified mask again", |window| {
        window.query_by_label("Modified − original, picture").is_some()
    });
    window.get_by_label("Text of G2").click();
    wait(&mut window, "both changes", |window| says(window, "filter of stage 7 off; text of G2 off"));
    window.get_by_label("Reset").click();
    wait(&mut window, "the original values", |window| says(window, "Original."));
}

#[test]
fn spectrum_and_fusion_say_what_the_network_learned() {
    let files = Files::new();
    let mut window = stages(&FakeModel::default(), vec![files.image()]);
    window.get_by_label("Spectrum").click();
    window.run();
    assert!(says(&window, "5.00 (started at 5.00)"));
    // 1 − g at DC: 0.30 on 7², 0.86 on 14², 1.0 on 28².
    for gain in ["0.302", "0.859", "1.000"] {
        window.get_by_label(gain);
    }
    assert!(says(&window, "The model has no record of its training."));
    window.get_by_label("Fusion").click();
    wait(&mut window, "the similarity", |window| window.query_by_label("Orange 1, white 0, blue −1.").is_some());
    window.get_by_label("Weights of G1: layer 1 0.269, layer 2 0.731");
    window.get_by_label("feeds stage 7");
}

#[test]
fn two_models_stand_side_by_side_in_every_panel() {
    let files = Files::new();
    let model = FakeModel { has_linear_probes: true, ..FakeModel::default() };
    let other = Some(ModelSource::new("other"));
    let mut window = stages_against(&model, vec![files.image(), files.truth()], other);
    let has = |window: &Window, label: &str| window.query_by_label(label).is_some();
    let rows = |window: &Window| window.query_all_by_label("Input of fake, picture").count();
    wait(&mut window, "the other model's row", |window| rows(window) == 2);
    assert_eq!(window.get_all_by_label("Stage 7 (Layer 3), picture").count(), 2);
    window.get_by_label("Spectrum").click();
    window.run();
    assert_eq!(window.get_all_by_label("σ of fake").count(), 3, "one for each stage");
    window.get_by_label("Fusion").click();
    window.run();
    assert!(has(&window, "Weights of G1: layer 1 0.269, layer 2 0.731"));
    assert!(has(&window, "Weights of G1 of fake: layer 1 0.269, layer 2 0.731"));
    window.get_by_label("Numbers").click();
    wait(&mut window, "the other model's numbers", |window| {
        has(window, "Refinement of fake") && window.query_all_by_label("Against the ground truth").count() == 2
    });
    window.get_by_label("End the comparison").click();
    wait(&mut window, "one model alone", |window| has(window, "Input, picture"));
    assert_eq!(window.get_all_by_label("Stage 7 (Layer 3), picture").count(), 1);
}

#[test]
fn a_sweep_says_what_it_can_and_cannot_draw() {
    let files = Files::new();
    let mut window = stages(&FakeModel::default(), vec![files.image()]);
    window.get_by_label("Sweep").click();
    window.run();
    window.get_by_label("Without a ground truth, only the area can be drawn.");
    window.get_by_label("The open folder");
    window.get_by_label("Draw the sweep");
}

#[test]
fn a_compared_model_that_fails_says_so_in_the_window() {
    let files = Files::new();
    for (name, words) in [
        ("missing", "The compared model: missing: there is no such model; choose another"),
        ("no-masks", "The compared model: this model makes no masks"),
        ("no-stages", "The compared model shows no stages: this model shows no stages"),
    ] {
        let other = Some(ModelSource::new(name));
        let mut window = stages_against(&FakeModel::default(), vec![files.image()], other);
        wait(&mut window, name, |window| says(window, words));
        // It also stands where the comparison is ended, for as long as it lasts.
        let reason = words.rsplit_once(": ").map_or(words, |(_, reason)| reason);
        assert!(window.query_all_by_label_contains(reason).count() > 1, "{name}");
        assert!(window.query_by_label("Final mask, picture").is_some(), "the open model goes on");
    }
}

#[test]
fn pictures_stay_where_they_are_whatever_map_is_shown() {
    let files = Files::new();
    for has_linear_probes in [true, false] {
        let model = FakeModel { has_linear_probes, ..FakeModel::default() };
        let mut window = stages(&model, vec![files.image(), files.truth()]);
        let place = |window: &Window| window.get_by_label("Final mask, picture").rect();
        let before = place(&window);
        for kind in ["Lesion attribution", "Stage mask", "Change", "Channel", "Activation"] {
            window.get_by_label(kind).click();
            window.run();
            window.run();
            assert_eq!(place(&window), before, "{kind}");
        }
        window.get_by_label("Masks at threshold 0.50");
    }
}

#[test]
fn in_a_small_window_the_pictures_stay_legible_and_the_controls_are_in_menus() {
    let files = Files::new();
    let model = FakeModel::default();
    let mut window = stages(&model, vec![files.image(), files.truth()]);
    // A window of 1024 × 640 pixels with text at 150 %.
    window.set_size([683.0, 427.0].into());
    window.run();
    window.run();
    let picture = window.get_by_label("Stage 7 (Layer 3), picture").rect();
    assert!(picture.width() >= 70.0, "{picture:?}");
    // The whole legend is within the column, in one line.
    let legend = ["TP", "FN", "FP"].map(|name| window.get_by_label(name).rect());
    assert!(legend.iter().all(|at| at.right() < 342.0 && at.top() == legend[0].top()), "{legend:?}");
    assert!(legend[0].top() > picture.bottom(), "{legend:?} below {picture:?}");
    // The last picture is reached by the scroll bar, and is as large.
    window.get_by_label("Final mask, picture").scroll_to_me();
    window.run();
    let last = window.get_by_label("Final mask, picture").rect();
    assert!((last.width() - picture.width()).abs() < 0.1 && last.right() < 342.0, "{last:?}");
    window.get_by_role_and_label(Role::ComboBox, "Map").click();
    window.run();
    window.get_by_label("Stage mask").click();
    window.run();
    let fit = window.get_by_label("Fit stage read-outs…").rect();
    assert!(fit.right() < 342.0, "{fit:?}");
    window.get_by_label("Display").click();
    window.run();
    window.get_by_label("Maps only").click();
    window.run();
    // The menu is still open, so the click can be taken back.
    window.get_by_label("Maps only").click();
    window.run();
    window.key_press(Key::Escape);
    window.run();
    // The same window with text at 200 % has one line of controls, and pictures below it.
    window.set_size([512.0, 320.0].into());
    window.run();
    window.run();
    let [map, picture] = ["Map", "Input, picture"].map(|label| window.get_by_label(label).rect());
    assert!(picture.top() > map.bottom() && picture.top() < map.bottom() + 50.0, "{picture:?} below {map:?}");
    window.get_by_label("More").click();
    window.run();
    window.get_by_label("Maps only").click();
    window.run();
    window.get_by_label("Save figure").hover();
    window.run();
    window.get_by_label("Stages as shown…");
}

#[test]
fn a_modified_model_and_another_one_stand_in_the_same_columns() {
    let files = Files::new();
    let other = Some(ModelSource::new("other"));
    let mut window = stages_against(&FakeModel::default(), vec![files.image()], other);
    let places = |window: &Window, label: &str| -> Vec<f32> {
        window.query_all_by_label(label).map(|node| node.rect().left()).collect()
    };
    wait(&mut window, "both rows", |window| places(window, "Stage 7 (Layer 3), picture").len() == 2);
    window.get_by_label("Spectrum filter of stage 7").click();
    wait(&mut window, "the difference", |window| window.query_by_label("Modified − original, picture").is_some());
    for stage in ["Stage 7 (Layer 3)", "Stage 14 (Layer 2)", "Stage 28 (Layer 1)"] {
        let at = places(&window, &format!("{stage}, picture"));
        assert!(at.len() == 2 && at[0] == at[1], "{stage} at {at:?}");
    }
}

#[test]
fn read_outs_are_offered_where_their_absence_is_told() {
    let files = Files::new();
    let other = Some(ModelSource::new("other"));
    let mut window = stages_against(&FakeModel::default(), vec![files.image()], other);
    wait(&mut window, "the other model", |window| {
        window.query_all_by_label("Input of fake, picture").count() == 2
    });
    window.get_by_label("Numbers").click();
    wait(&mut window, "the offers", |window| window.query_by_label("Fit stage read-outs for fake…").is_some());
    window.get_by_label("Fit stage read-outs…");
    window.get_by_label("fake has no stage read-outs (linear probes).");
}

#[test]
fn a_sweep_over_a_folder_is_of_the_filtered_cases() {
    let files = Files::new();
    let folder = files.folder.path().join("cases");
    std::fs::create_dir(&folder).expect("a folder");
    for name in ["apple.png", "apricot.png", "banana.png"] {
        std::fs::copy(files.image(), folder.join(name)).expect("a picture");
    }
    let mut window = stages(&FakeModel::default(), vec![folder]);
    window.get_by_label("Sweep").click();
    window.run();
    window.get_by_label("The open folder (3 cases)");
    window.get_by_label("Read").click();
    window.run();
    window.get_by_label("Search the worklist").focus();
    window.run();
    window.get_by_label("Search the worklist").type_text("ap");
    window.run();
    window.get_by_label("Stages").click();
    window.run();
    window.get_by_label("The open folder (2 of 3 cases, as filtered)");
}
