//! The box of a model that takes one, with a small MedSAM of random weights.

use std::path::PathBuf;

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::analysis::maps::MapKind;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::{ModelSource, local_models};
use himix::model::Registry;
use himix::model::weights::bundle;
use himix::model::weights::save::Precision;

use crate::fake::{HEIGHT, WIDTH};
use crate::harness::{Files, Window, open, says, wait};

const SIZES: &str = r#"{
    "network": "medsam", "image_size": 64, "patch_size": 8,
    "image_encoder": { "embed_dim": 16, "depth": 1, "heads": 2, "mlp_ratio": 2, "window": 4, "global_blocks": [],
        "out_channels": 16 },
    "prompt_encoder": { "embed_dim": 16, "mask_in_channels": 4 },
    "mask_decoder": { "dim": 16, "depth": 1, "heads": 2, "mlp_size": 16, "iou_hidden": 8 },
    "provenance": { "name": "small box model", "trained": true, "description": "" }
}"#;

const WANTS: &str = "This model wants a box";
const NO_BOX: &str = "There is no box yet, so nothing is drawn. Drag one around the lesion in the picture.";

/// A bundle in the folder of the files.
fn model(files: &Files) -> PathBuf {
    let folder = files.folder.path().join("medsam");
    let config = Registry::default().parse(SIZES).expect("sizes");
    let device = burn::tensor::Device::flex();
    device.seed(3);
    let model = config.network.build(&device).expect("a network");
    bundle::write(&folder, &config, model.as_ref(), None, None, Precision::F32).expect("written");
    folder
}

fn window_with(files: &Files, named: Vec<PathBuf>) -> Window {
    let start = Start {
        files: named,
        model: Some(ModelSource::new(model(files))),
        device: Some(DeviceChoice::Cpu),
        settings: Some(files.folder.path().join("settings.json")),
        ..Start::default()
    };
    open(local_models(), himix::engine::trainer(), start)
}

/// A window with a picture and the model, which wait for a box.
fn ready(files: &Files) -> Window {
    let mut window = window_with(files, vec![files.image()]);
    wait(&mut window, "the model", |window| says(window, WANTS));
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    window
}

/// The position on the screen of a point of the image, which is fitted into the picture.
fn at(window: &Window, [x, y]: [f32; 2]) -> Pos2 {
    let rect = window.get_by_label("Picture").rect();
    let (width, height) = (WIDTH as f32, HEIGHT as f32);
    let zoom = ((rect.width() - 16.0) / width).min((rect.height() - 16.0) / height).min(64.0);
    rect.center() + vec2(x - width / 2.0, y - height / 2.0) * zoom
}

fn drag(window: &mut Window, from: [f32; 2], to: [f32; 2]) {
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let (first, last) = (at(window, from), at(window, to));
    window.event(Event::PointerMoved(first));
    window.step();
    window.event(button(first, true));
    window.step();
    for share in [0.5, 1.0] {
        window.event(Event::PointerMoved(first + (last - first) * share));
        window.step();
    }
    window.event(button(last, false));
    window.run();
}

/// Left, top, right and bottom as the fields show them; `None` without a box.
fn numbers(window: &Window) -> Option<[f64; 4]> {
    let number = |name: &str| {
        let field = window.query_by_role_and_label(Role::SpinButton, name)?;
        field.accesskit_node().numeric_value()
    };
    Some([number("Left")?, number("Top")?, number("Right")?, number("Bottom")?])
}

fn mask(window: &mut Window) {
    wait(window, "the mask", |window| says(window, " px, ") && !says(window, "an earlier box"));
}

#[test]
fn a_box_is_drawn_changed_moved_and_removed() {
    let files = Files::new();
    let mut window = ready(&files);
    window.get_by_label(NO_BOX);
    assert_eq!(numbers(&window), None);
    assert!(window.query_by_role(Role::MultilineTextInput).is_none(), "no text is asked for");

    drag(&mut window, [10.0, 8.0], [30.0, 28.0]);
    mask(&mut window);
    assert_eq!(numbers(&window), Some([10.0, 8.0, 30.0, 28.0]));
    // The lower right corner, then the left edge, then the inside.
    drag(&mut window, [30.0, 28.0], [40.0, 36.0]);
    assert_eq!(numbers(&window), Some([10.0, 8.0, 40.0, 36.0]));
    drag(&mut window, [10.0, 22.0], [16.0, 30.0]);
    assert_eq!(numbers(&window), Some([16.0, 8.0, 40.0, 36.0]));
    drag(&mut window, [28.0, 20.0], [30.0, 24.0]);
    assert_eq!(numbers(&window), Some([18.0, 12.0, 42.0, 40.0]));
    mask(&mut window);
    window.key_press(Key::Escape);
    window.run();
    assert_eq!(numbers(&window), None);
    window.get_by_label(NO_BOX);
}

#[test]
fn a_box_is_clipped_to_the_picture_and_one_without_area_is_refused() {
    let files = Files::new();
    let mut window = ready(&files);
    drag(&mut window, [50.0, 40.0], [WIDTH as f32 + 2.0, HEIGHT as f32 + 2.0]);
    assert_eq!(numbers(&window), Some([50.0, 40.0, WIDTH as f64, HEIGHT as f64]));
    // A drag along a line.
    drag(&mut window, [5.0, 10.0], [30.0, 10.0]);
    assert_eq!(numbers(&window), Some([50.0, 40.0, WIDTH as f64, HEIGHT as f64]), "the box stays");
    assert!(says(&window, "has no area"), "and a sentence says why");
}

#[test]
fn the_uncertainty_is_that_of_the_box() {
    let files = Files::new();
    let mut window = ready(&files);
    drag(&mut window, [10.0, 8.0], [30.0, 28.0]);
    mask(&mut window);
    for label in ["View", "Uncertainty map"] {
        window.get_by_label(label).click();
        window.run();
    }
    wait(&mut window, "the map", |window| says(window, "in the mask, at most"));
}

#[test]
fn the_whole_picture_is_a_choice() {
    let files = Files::new();
    let mut window = ready(&files);
    window.get_by_label("Whole picture").click();
    window.run();
    assert_eq!(numbers(&window), Some([0.0, 0.0, WIDTH as f64, HEIGHT as f64]));
    mask(&mut window);
    window.get_by_label("Remove box").click();
    window.run();
    window.get_by_label(NO_BOX);
}

#[test]
fn every_place_for_prompts_says_that_a_box_is_the_prompt() {
    let files = Files::new();
    let mut window = ready(&files);
    let click = |window: &mut Window, label: &str| {
        window.get_by_label(label).click();
        window.run();
    };
    click(&mut window, "Prompts");
    assert!(says(
        &window,
        "This network reads no text: it is prompted by a box in the picture. There are no variants"
    ));
    assert!(!says(&window, "reads no prompt"));
    // Beside a network with a box, the others are asked in words.
    click(&mut window, "Compare");
    assert!(says(&window, "in the picture of the tab Read"), "the box is drawn there");
    window.get_by_label("Compared networks that read a prompt are given this:");
    window.get_by_role(Role::MultilineTextInput);
}

#[test]
fn without_a_picture_it_is_said_to_open_one_first() {
    let files = Files::new();
    let mut window = window_with(&files, Vec::new());
    wait(&mut window, "the model", |window| says(window, WANTS));
    for tab in ["Prompts", "Compare"] {
        assert!(says(&window, "Open a picture first, then drag a box around the lesion in it."), "before {tab}");
        window.get_by_label(tab).click();
        window.run();
        assert!(!says(&window, "drag one around"), "{tab}");
    }
}

#[test]
fn maps_of_stages_that_the_network_has_not_cannot_be_chosen() {
    let files = Files::new();
    let mut window = ready(&files);
    window.get_by_label("Stages").click();
    window.run();
    for kind in MapKind::ALL {
        assert!(window.get_by_label(kind.name()).accesskit_node().is_disabled(), "{}", kind.name());
    }
    let why = "This network has no decoder stages to show.";
    let count = |window: &Window| window.query_all_by_label(why).count();
    let before = count(&window);
    window.get_by_label(MapKind::StageMask.name()).hover();
    wait(&mut window, "the reason", |window| count(window) > before);
    assert!(!says(&window, "Fit stage read-outs"), "there is nothing to fit them on");
}

#[test]
fn undo_and_redo_go_through_the_boxes() {
    let files = Files::new();
    let mut window = ready(&files);
    drag(&mut window, [10.0, 8.0], [30.0, 28.0]);
    window.get_by_label("Whole picture").click();
    window.run();
    let whole = Some([0.0, 0.0, WIDTH as f64, HEIGHT as f64]);
    assert_eq!(numbers(&window), whole);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    assert_eq!(numbers(&window), Some([10.0, 8.0, 30.0, 28.0]));
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.run();
    assert_eq!(numbers(&window), whole);
}

#[test]
fn a_session_brings_the_box_back() {
    let files = Files::new();
    let hash = himix::data::fingerprint::of_file(&files.image(), &|_| true).expect("read");
    for (stored, found) in [
        ("box 12, 6, 30, 20.5", Some([12.0, 6.0, 30.0, 20.5])),
        // Beyond the picture, and not readable.
        ("box 900, 6, 930, 20", None),
        ("somewhere", None),
    ] {
        let path = files.folder.path().join("case.himix");
        let session = serde_json::json!({
            "himix_session": 1,
            "image": {"files": [{"path": "chest.png", "hash": hash}]},
            "area": stored,
            "tab": "read",
        });
        std::fs::write(&path, session.to_string()).expect("written");
        let mut window = window_with(&files, vec![path]);
        wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
        wait(&mut window, "the model", |window| window.query_by_label("Whole picture").is_some());
        assert_eq!(numbers(&window), found, "{stored}");
    }
}
