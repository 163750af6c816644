//! Exports, files that are opened as annotation, measurements, and the batch over the worklist.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Start;
use himix::data::mask::Agreed;
use himix::data::{Limit, seg};
use himix::infer::ModelSource;

use super::truth::volume;
use super::{window, with_result};
use crate::fake::{FakeModel, HEIGHT, WIDTH};
use crate::formats::nifti;
use crate::harness::{Files, Window, drop_file, open, says, wait};

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// Opens the form of an export by the File menu.
fn export(window: &mut Window, format: &str) {
    click(window, "File");
    click(window, "Export");
    click(window, format);
}

/// Writes the file of the form. The form has the same name as its button.
fn write(window: &mut Window) {
    window.get_by_role_and_label(Role::Button, "Export").click();
    window.step();
}

fn is_form_open(window: &Window) -> bool {
    window.query_by_role_and_label(Role::TextInput, "File").is_some()
}

fn file(window: &Window) -> PathBuf {
    let field = window.get_by_role_and_label(Role::TextInput, "File");
    PathBuf::from(field.value().expect("a path"))
}

/// A window with the prediction taken over into the annotation.
fn annotated(files: Vec<PathBuf>) -> Window {
    let mut window = with_result(&FakeModel::default(), files);
    click(&mut window, "Annotate");
    window.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    window.run();
    window
}

/// The name of a file without `.nii.gz`.
fn file_stem(path: &Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy();
    name.strip_suffix(".nii.gz").expect("a label map").to_owned()
}

fn grey(path: &Path) -> Vec<u8> {
    image::open(path).expect("a picture").into_luma8().into_raw()
}

#[test]
fn an_annotation_is_exported_beside_its_image() {
    let files = Files::new();
    let mut window = annotated(vec![files.image()]);
    export(&mut window, "PNG…");
    let path = file(&window);
    assert_eq!(path.parent(), Some(files.folder.path()));
    assert!(path.to_string_lossy().contains("annotation"), "{}", path.display());
    write(&mut window);
    wait(&mut window, "the file", |window| says(window, "Saved "));
    let left = |at: usize| if at % WIDTH < WIDTH / 2 { 255 } else { 0 };
    assert_eq!(grey(&path), (0..WIDTH * HEIGHT).map(left).collect::<Vec<u8>>());
    assert!(!is_form_open(&window), "it has done its work");
    // An existing file is replaced only if that is said.
    std::fs::write(&path, "precious").expect("written");
    export(&mut window, "PNG…");
    write(&mut window);
    wait(&mut window, "the question", |window| says(window, "exists already"));
    assert_eq!(std::fs::read(&path).expect("a file"), b"precious");
    window.get_by_label("Replace it").click();
    window.step();
    wait(&mut window, "the file", |window| !is_form_open(window));
    assert_eq!(grey(&path)[0], 255);
    // The name follows the format.
    export(&mut window, "Measurements (CSV)…");
    assert!(file(&window).to_string_lossy().ends_with("_measurements.csv"));
    click(&mut window, "NIfTI label map");
    let path = file(&window);
    assert!(path.to_string_lossy().ends_with(".nii.gz"), "{}", path.display());
    write(&mut window);
    wait(&mut window, "the file", |window| !is_form_open(window));
    assert!(path.is_file());
    // Both files of a label map are asked about, that with the names alone too.
    let names = path.with_file_name(file_stem(&path) + ".labels.txt");
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&names, "precious").expect("written");
    export(&mut window, "NIfTI label map…");
    write(&mut window);
    wait(&mut window, "the question", |window| says(window, ".labels.txt exists already"));
    assert!(!path.exists() && std::fs::read(&names).expect("a file") == b"precious");
    std::fs::write(&path, "precious as well").expect("written");
    window.get_by_label("Replace it").click();
    window.step();
    wait(&mut window, "another question", |window| says(window, "2 files exist already"));
    assert!(std::fs::read(&path).expect("a file") == b"precious as well");
    window.get_by_label("Replace them").click();
    window.step();
    wait(&mut window, "the files", |window| !is_form_open(window));
    assert!(std::fs::read(&names).expect("a file") != b"precious");
    // A picture has no patient and no study.
    export(&mut window, "DICOM segmentation…");
    assert!(says(&window, "PNG has none of these"));
    let button = window.get_by_role_and_label(Role::Button, "Export");
    assert!(button.accesskit_node().is_disabled());
}

#[test]
fn the_name_of_one_slice_alone_has_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = annotated(vec![volume(folder.path(), "ct.nii", false, 2.0)]);
    export(&mut window, "PNG…");
    let name = |window: &Window| file(window).file_name().expect("a name").to_string_lossy().into_owned();
    let annotation = name(&window);
    assert!(annotation.starts_with("ct_") && annotation.ends_with("_annotation.png"), "{annotation}");
    assert!(!annotation.contains("slice"), "it is of all slices: {annotation}");
    window.get_by_role_and_label(Role::RadioButton, "Prediction").click();
    window.run();
    let prediction = name(&window);
    assert!(prediction.contains("slice-3") && prediction.ends_with("_prediction.png"), "{prediction}");
}

#[test]
fn a_dropped_label_map_is_asked_about_and_becomes_annotation() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false, 2.0);
    let labels = volume(folder.path(), "labels.nii", true, 2.0);
    let other = volume(folder.path(), "other.nii", true, 2.5);
    let mut window = with_result(&FakeModel::default(), vec![image]);
    click(&mut window, "Annotate");
    drop_file(&mut window, &labels);
    wait(&mut window, "the question", |window| says(window, "What is labels.nii meant for?"));
    click(&mut window, "Open as annotation");
    wait(&mut window, "the labels", |window| says(window, "1 label, placed by position"));
    assert!(!says(&window, "meant for?"));
    click(&mut window, "Steps");
    assert!(says(&window, "Opening of labels"), "it is one step");
    click(&mut window, "Measurements");
    // 4 columns of 1 to 4 rows in slices 2 to 5, each voxel 8 mm³.
    wait(&mut window, "the volume", |window| window.query_all_by_label("320").next().is_some());
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    // A mask of another grid: both are named, and the user decides.
    drop_file(&mut window, &other);
    wait(&mut window, "the question", |window| says(window, "What is other.nii meant for?"));
    click(&mut window, "Open as annotation");
    wait(&mut window, "the grids", |window| says(window, "How should the annotation other.nii be placed"));
    assert!(says(&window, "of 2.50×2.50×2.50 mm") && says(&window, "of 2.00×2.00×2.00 mm"));
    click(&mut window, "Match voxels by index");
    wait(&mut window, "the labels", |window| says(window, "placed by voxel indices"));
    // Probabilities are no labels.
    let mut bytes =
        nifti(&[8, 6, 5], 16, 32, Some([[-2.0, 0.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]]));
    (0..240).for_each(|at| bytes.extend((at as f32 / 240.0).to_le_bytes()));
    let fractions = folder.path().join("fractions.nii");
    std::fs::write(&fractions, bytes).expect("written");
    drop_file(&mut window, &fractions);
    wait(&mut window, "the question", |window| says(window, "What is fractions.nii meant for?"));
    click(&mut window, "Open as annotation");
    wait(&mut window, "the reason", |window| says(window, "not whole numbers"));
}

#[test]
fn all_cases_of_the_worklist_are_segmented_and_not_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = folder.path().join("images");
    std::fs::create_dir(&images).expect("a folder");
    for name in ["a.png", "b.png"] {
        let grey = image::GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([100]));
        grey.save(images.join(name)).expect("written");
    }
    std::fs::write(images.join("c.png"), "no picture").expect("written");
    let mut window = window(&FakeModel::default(), true, vec![images]);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    super::type_prompt(&mut window, "left lung");
    click(&mut window, "File");
    click(&mut window, "Segment the worklist…");
    let start = |window: &Window| window.get_by_label("Segment all cases").accesskit_node().is_disabled();
    assert!(start(&window), "the cases have no prompts");
    click(&mut window, "The prompt below, for all cases");
    let out = folder.path().join("masks");
    window.get_by_role_and_label(Role::TextInput, "Masks to").focus();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Masks to").type_text(&out.to_string_lossy());
    window.run();
    click(&mut window, "Measurements (CSV)");
    assert!(!start(&window));
    click(&mut window, "Segment all cases");
    wait(&mut window, "the end", |window| says(window, "2 masks made, 0 were done before, 1 failed."));
    assert!(says(&window, "c.png: "), "the failure has a line");
    assert_eq!(grey(&out.join("a.png/mask.png"))[0], 255);
    assert!(out.join("b.png/mask_measurements.csv").is_file() && out.join("manifest.json").is_file());
    click(&mut window, "Segment all cases");
    wait(&mut window, "the end", |window| says(window, "0 masks made, 2 were done before, 1 failed."));
}

/// A window with the prediction taken over, and with a list of segment codes of the user in its settings.
fn with_codes(files: &Files, image: PathBuf, rows: &str) -> Window {
    let codes = files.folder.path().join("codes.csv");
    std::fs::write(&codes, format!("words,category,property,property_meaning\n{rows}\n")).expect("written");
    let settings = files.folder.path().join("settings.json");
    let text = serde_json::json!({ "segment_codes": codes }).to_string();
    std::fs::write(&settings, text).expect("written");
    let start = Start {
        files: vec![image],
        model: Some(ModelSource::new("demo")),
        settings: Some(settings),
        ..Start::default()
    };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    click(&mut window, "Annotate");
    window.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    window.run();
    window
}

/// Whether the form says that the segment is this.
fn is_coded(window: &Window, words: &str) -> bool {
    window.query_all_by_role(Role::ComboBox).any(|node| node.value().as_deref() == Some(words))
}

#[test]
fn a_list_of_segment_codes_of_the_user_is_used_and_written() {
    let files = Files::new();
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/prone");
    let mut window = with_codes(&files, series.clone(), "lesion,49755003,99HOSP:17,House lesion");
    export(&mut window, "DICOM segmentation…");
    wait(&mut window, "the list", |window| is_coded(window, "House lesion"));
    assert!(says(&window, "codes.csv"));
    let out = files.folder.path().join("out.dcm");
    window.get_by_role_and_label(Role::TextInput, "File").focus();
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(Role::TextInput, "File").type_text(&out.to_string_lossy());
    window.run();
    write(&mut window);
    wait(&mut window, "the file", |window| !is_form_open(window));
    let volume = himix::data::open::open(&series, Limit::default(), &|_, _| true).expect("a volume");
    let found = seg::read(&out, &volume, Agreed::Refuse, Limit::default()).expect("a segmentation");
    let property = &found.segmentation.segments[0].property;
    assert_eq!((property.scheme.as_str(), property.value.as_str()), ("99HOSP", "17"));
    // The list of the program is a click away.
    export(&mut window, "DICOM segmentation…");
    wait(&mut window, "the list", |window| is_coded(window, "House lesion"));
    click(&mut window, "Use the program's list");
    assert!(!is_coded(&window, "House lesion") && is_coded(&window, "Lesion"));
    assert!(says(&window, "list of the program"));
}

#[test]
fn a_list_of_segment_codes_with_a_fault_is_named_and_not_replaced_silently() {
    let files = Files::new();
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/prone");
    let mut window = with_codes(&files, series, "lesion,49755003,,House lesion");
    export(&mut window, "DICOM segmentation…");
    wait(&mut window, "the fault", |window| says(window, "line 2 has no valid code in the column property"));
    assert!(says(&window, "codes.csv"));
    let is_disabled =
        |window: &Window| window.get_by_role_and_label(Role::Button, "Export").accesskit_node().is_disabled();
    assert!(is_disabled(&window));
    click(&mut window, "Use the program's list");
    assert!(!is_disabled(&window) && is_coded(&window, "Lesion"));
}
