//! The ground truth in the window: its interpretation, its labels, and the question that is asked if it does not fit.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Toggled;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use super::{window, with_result};
use crate::fake::{FakeModel, HEIGHT, WIDTH};
use crate::formats::nifti;
use crate::harness::{Files, Window, says, wait};

/// Writes a NIfTI volume of 5 slices of 8×6 voxels of `spacing` mm with a position; slice k of a mask has k rows of
/// its left half.
pub fn volume(folder: &Path, name: &str, is_mask: bool, spacing: f32) -> PathBuf {
    let rows = [[-spacing, 0.0, 0.0, 0.0], [0.0, -spacing, 0.0, 0.0], [0.0, 0.0, spacing, 0.0]];
    let mut bytes = nifti(&[8, 6, 5], 4, 16, Some(rows));
    for slice in 0..5_i16 {
        for (row, column) in (0..6).flat_map(|row| (0..8).map(move |column| (row, column))) {
            let value = if is_mask { i16::from(column < 4 && row < slice) } else { -1000 + 100 * slice + row };
            bytes.extend(value.to_le_bytes());
        }
    }
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a volume is written");
    path
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// Waits for a value beside its name; several values may be equal.
#[track_caller]
fn wait_for(window: &mut Window, value: &str) {
    wait(window, value, |window| window.query_all_by_label(value).next().is_some());
}

#[test]
fn labels_that_are_chosen_change_the_scores_and_can_be_undone() {
    let files = Files::new();
    let path = files.folder.path().join("mask_labels.png");
    // The upper half: label 1 at the left, where the fake model finds a lesion, label 2 at the right.
    let labels = image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
        let label = if (x as usize) < WIDTH / 2 { 1 } else { 2 };
        image::Luma([if (y as usize) < HEIGHT / 2 { label } else { 0 }])
    });
    labels.save(&path).expect("a mask is written");
    let mut window = with_result(&FakeModel::default(), vec![files.image(), path]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    wait_for(&mut window, "0.333");
    window.get_by_label("labels (2 classes)");
    window.get_by_label("pixel on pixel");
    click(&mut window, "Labels: all");
    window.get_by_label("All");
    // 768 of the 1536 pixels in the prediction: 2 · 768 / (1536 + 768).
    // Not with the pointer: rows above the list may still arrive and move it.
    window.get_by_label("Label 2").click_accesskit();
    window.run();
    wait_for(&mut window, "0.667");
    window.get_by_label("Labels: 1");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    wait_for(&mut window, "0.333");
    assert_eq!(window.get_by_label("Label 2").accesskit_node().toggled(), Some(Toggled::True));
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.run();
    wait_for(&mut window, "0.667");
    // A mask without foreground gives a warning beside the score.
    assert!(!says(&window, "no foreground at all"));
    click(&mut window, "Label 1");
    wait(&mut window, "the warning", |window| says(window, "no foreground at all"));
    window.get_by_label("Labels: none");
    click(&mut window, "All");
    wait_for(&mut window, "0.333");
    assert!(!says(&window, "no foreground at all"));
}

#[test]
fn a_truth_on_another_grid_is_asked_about() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false, 2.0);
    let mask = volume(folder.path(), "mask_of_it.nii", true, 2.5);
    let asks =
        |window: &Window| says(window, "How should the ground truth mask_of_it.nii be placed on this image?");
    let ask = || {
        let mut window = with_result(&FakeModel::default(), vec![image.clone(), mask.clone()]);
        wait(&mut window, "the question", asks);
        assert!(says(&window, "another grid"), "both are named");
        assert!(window.query_by_label("Assign to this slice").is_none(), "that is no answer here");
        assert!(!says(&window, "Dice"));
        window
    };
    let mut window = ask();
    click(&mut window, "Match voxels by index");
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.get_by_label("by voxel indices, regardless of positions");
    wait(&mut window, "two rows of the left half", |window| says(window, "8 px, 32 mm², "));
    assert!(!asks(&window));
    let mut window = ask();
    click(&mut window, "Resample by position");
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.get_by_label("resampled to the nearest voxel by position");
    let mut window = ask();
    click(&mut window, "Do not use it");
    assert!(!asks(&window) && !says(&window, "Dice"));
}

#[test]
fn a_lone_mask_of_a_stack_is_laid_on_the_slice_that_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false, 2.0);
    let mask = folder.path().join("mask_of_it.png");
    let left = image::GrayImage::from_fn(8, 6, |x, _| image::Luma([if x < 4 { 255 } else { 0 }]));
    left.save(&mask).expect("a mask is written");
    let mut window = with_result(&FakeModel::default(), vec![image, mask]);
    wait(&mut window, "the question", |window| says(window, "give the slice on which it was drawn"));
    window.key_press(Key::PageUp);
    window.run();
    click(&mut window, "Assign to this slice");
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.get_by_label("on slice 4 alone");
    window.key_press(Key::PageUp);
    window.run();
    wait(&mut window, "the next slice", |window| says(window, "does not cover this slice"));
    assert!(!says(&window, "Dice"));
    window.key_press(Key::PageDown);
    wait(&mut window, "the scores again", |window| says(window, "Dice"));
}

#[test]
fn a_truth_that_is_everything_is_a_warning() {
    let files = Files::new();
    let path = files.folder.path().join("mask_all.png");
    let all = image::GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([255]));
    all.save(&path).expect("a mask is written");
    let mut window = window(&FakeModel::default(), true, vec![files.image(), path]);
    wait(&mut window, "the warning", |window| says(window, "foreground everywhere: check that it is a mask"));
    window.get_by_label("255 everywhere");
}

#[test]
fn a_mask_named_with_the_folder_of_a_volume_is_laid_on_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let series = folder.path().join("series");
    std::fs::create_dir(&series).expect("a folder");
    volume(&series, "scan.nii", false, 1.0);
    let mask = volume(folder.path(), "mask.nii", true, 1.0);
    let mut window = with_result(&FakeModel::default(), vec![series, mask]);
    wait(&mut window, "the kind of the truth", |window| says(window, "two values, 0 and 1"));
    window.get_by_label("by position");
}
