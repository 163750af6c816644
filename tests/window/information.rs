//! The panel *Image information*, and measurements in the unit that the file supports.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, OutputCommand};
use egui_kittest::kittest::Queryable;

use super::truth::volume;
use super::{window, with_result};
use crate::fake::FakeModel;
use crate::formats::{element, grey_dicom};
use crate::harness::{Files, Window, drop_file, says, wait};

/// Writes a CT slice of 16×12 pixels of 0.5 mm across and 0.75 mm down, with a patient; `is_rescaled` decides whether
/// values become Hounsfield units.
fn slice(folder: &Path, is_rescaled: bool) -> PathBuf {
    let pixels: Vec<u16> = (0..16 * 12).map(|value| value * 5).collect();
    let mut more = vec![
        element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2"),
        element(8, 0x18, b"UI", b"2.25.771"),
        element(8, 0x60, b"CS", b"CT"),
        element(0x10, 0x10, b"PN", b"Doe^Jane"),
        element(0x20, 0xd, b"UI", b"2.25.775"),
        element(0x20, 0xe, b"UI", b"2.25.777"),
        element(0x20, 0x32, b"DS", b"-10\\-20\\30"),
        element(0x20, 0x37, b"DS", b"1\\0\\0\\0\\1\\0"),
        element(0x28, 0x30, b"DS", b"0.75\\0.5"),
    ];
    if is_rescaled {
        more.push(element(0x28, 0x1052, b"DS", b"-1024"));
        more.push(element(0x28, 0x1053, b"DS", b"1"));
        more.push(element(0x28, 0x1054, b"LO", b"HU"));
    }
    let bytes = grey_dicom([16, 12], &pixels, &more);
    let path = folder.join("slice.dcm");
    std::fs::write(&path, bytes).expect("a slice is written");
    path
}

fn information(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::I);
    window.run();
}

/// Returns what “Copy” copies.
fn copied(window: &mut Window) -> String {
    window.get_by_label("Copy").click();
    for _ in 0..8 {
        window.step();
        let commands = &window.output().platform_output.commands;
        if let Some(OutputCommand::CopyText(text)) =
            commands.iter().find(|c| matches!(c, OutputCommand::CopyText(_)))
        {
            return text.clone();
        }
    }
    panic!("nothing is copied");
}

#[test]
fn it_says_what_is_known_and_who_it_is_only_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = with_result(&FakeModel::default(), vec![slice(folder.path(), true)]);
    information(&mut window);
    window.get_by_label("0.5 × 0.75\u{a0}mm");
    window.get_by_label("16 × 12 pixels");
    window.get_by_label("slope 1, intercept −1024");
    window.get_by_label("R\u{a0}10.0  A\u{a0}20.0  S\u{a0}30.0\u{a0}mm");
    window.get_by_label("left R, right L, top A, bottom P");
    window.get_by_label("−1\u{2009}024 to −69 HU");
    let secrets = ["Doe", "2.25.77"];
    assert!(secrets.iter().all(|secret| !says(&window, secret)));
    assert!(says(&window, "that can identify a person are not shown"));
    let text = copied(&mut window);
    assert!(text.contains("0.5 × 0.75 mm  ") && text.contains("(from PixelSpacing"), "{text}");
    assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    window.get_by_label("Identifiers").click();
    window.run();
    assert!(secrets.iter().all(|secret| says(&window, secret)));
    let text = copied(&mut window);
    assert!(secrets.iter().all(|secret| text.contains(secret)), "{text}");
    // The same key closes it and shows the scores.
    information(&mut window);
    assert!(window.query_by_label("16 × 12 pixels").is_none() && window.query_by_label("Display").is_some());
}

#[test]
fn hounsfield_units_and_their_presets_are_where_the_file_gives_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let preset =
        |window: &Window| window.get_by_role_and_label(Role::ComboBox, "Preset").value().unwrap_or_default();
    let mut known = with_result(&FakeModel::default(), vec![slice(folder.path(), true)]);
    assert_eq!(preset(&known), "Lung");
    known.get_by_label("HU");
    known.key_press(Key::Num3);
    known.run();
    assert_eq!(preset(&known), "Bone");
    let mut unknown = with_result(&FakeModel::default(), vec![slice(folder.path(), false)]);
    assert_eq!(preset(&unknown), "Full range");
    assert!(unknown.query_by_label("HU").is_none());
    unknown.key_press(Key::Num3);
    unknown.run();
    assert_eq!(preset(&unknown), "Full range", "there is no third window");
    information(&mut unknown);
    assert!(!says(&unknown, "HU"));
}

#[test]
fn without_an_image_it_says_what_to_do() {
    let mut window = window(&FakeModel::default(), false, Vec::new());
    information(&mut window);
    window.get_by_label("Open an image to see what its file states.");
}

#[test]
fn it_follows_the_slice_and_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false, 2.0);
    let mask = volume(folder.path(), "mask_ct.nii", true, 2.0);
    let mut window = with_result(&FakeModel::default(), vec![image, mask]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    information(&mut window);
    assert!(says(&window, "−800 to −795 HU"), "the middle slice");
    window.get_by_label("two values, 0 and 1");
    window.get_by_label("by position");
    window.get_by_label("1 (scanner)");
    window.key_press(Key::End);
    window.run();
    wait(&mut window, "the last slice", |window| says(window, "−600 to −595 HU"));
}

#[test]
fn a_picture_is_turned_as_it_asks_unless_that_is_switched_off() {
    let files = Files::new();
    let path = files.folder.path().join("turned.jpg");
    let mut jpeg = Vec::new();
    let grey = image::GrayImage::from_pixel(40, 24, image::Luma([90]));
    grey.write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).expect("a JPEG");
    // An APP1 segment with one entry of one directory: tag 274, SHORT, 1 value, 6.
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.splice(0..0, [0xff, 0xd8]);
    std::fs::write(&path, [exif, jpeg[2..].to_vec()].concat()).expect("written");
    let mut window = with_result(&FakeModel::default(), vec![path]);
    information(&mut window);
    window.get_by_label("24 × 40 pixels");
    window.get_by_label("6 (turned by 90° clockwise), applied");
    window.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::Comma);
    window.run();
    window.get_by_label("Turn pictures upright as their EXIF data asks").click();
    window.run();
    window.key_press(Key::Escape);
    wait(&mut window, "the picture as it is stored", |window| says(window, "40 × 24 pixels"));
    assert!(says(&window, "not applied"));
}

#[test]
fn a_note_stands_there_once_however_often_its_file_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = volume(folder.path(), "ct.nii", false, 2.0);
    // Without either code the position is not known.
    let mut bytes = std::fs::read(&path).expect("the volume");
    bytes[254..256].copy_from_slice(&[0, 0]);
    std::fs::write(&path, bytes).expect("written");
    let mut window = with_result(&FakeModel::default(), vec![path.clone()]);
    let count = |window: &Window| window.query_all_by_label_contains("Its header has no position").count();
    assert!(count(&window) <= 1 && window.query_by_label("Dismiss").is_none(), "in the bar at most, and no toast");
    open_notes(&mut window);
    let listed = count(&window);
    assert!(listed > 0);
    window.key_press(Key::Escape);
    window.key_press(Key::Home);
    window.run();
    drop_file(&mut window, &path);
    // The file is open again when its middle slice is shown.
    let spoken = |window: &Window| window.get_by_label("Picture").value().unwrap_or_default();
    wait(&mut window, "the middle slice", |window| spoken(window).starts_with("Slice 3 of 5"));
    open_notes(&mut window);
    assert_eq!(count(&window), listed, "no more often than before");
    window.get_by_label("Hide the notes on this case").click();
    window.run();
    assert_eq!(count(&window), 0);
}

/// Opens the list of the notes on the case by the button that counts them.
fn open_notes(window: &mut Window) {
    let names = (1..9).map(|count| if count == 1 { "1 note".to_owned() } else { format!("{count} notes") });
    let name = names.into_iter().find(|name| window.query_by_label(name).is_some()).expect("a bar with notes");
    window.get_by_label(&name).click();
    window.run();
}
