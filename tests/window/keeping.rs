//! Annotations are kept while one draws, come back, and are saved in files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::App;
use eframe::egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::Queryable;
use himix::annotate::Annotation;
use himix::annotate::journal::{self, ImageIdentity, OpenedJournal, Record};
use himix::app::Start;
use himix::data::{Limit, fingerprint};

use super::fake::{FakeModel, HEIGHT, WIDTH};
use super::harness::{Files, Window, drop_file, open, says, wait};

const SHAPE: [usize; 3] = [WIDTH, HEIGHT, 1];

/// A window with settings in the folder of the files, in the Annotate tab.
fn window(files: &Files, named: Vec<PathBuf>) -> Window {
    let start =
        Start { files: named, settings: Some(files.folder.path().join("settings.json")), ..Start::default() };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    window.key_press(Key::F5);
    window.run();
    window
}

fn add_label(window: &mut Window) {
    window.get_by_label("Add label").click();
    window.run();
}

fn journals(files: &Files) -> PathBuf {
    files.folder.path().join("annotations")
}

fn identity(image: &Path) -> ImageIdentity {
    let content = fingerprint::of_file(image, &|_| true).expect("read");
    ImageIdentity::of_file(image, content, SHAPE)
}

/// The annotation of an image as it is on the disk.
fn on_disk(files: &Files, image: &Path) -> Option<Annotation> {
    let path = journals(files).join(format!("{}.himixa", identity(image).stem()));
    let bytes = std::fs::read(path).ok()?;
    Some(journal::replay(&bytes, SHAPE, Limit::default()).expect("a journal").annotation)
}

fn labels(annotation: Option<Annotation>) -> usize {
    annotation.map_or(0, |annotation| annotation.labels().count())
}

/// Waits for a number of labels on the disk.
#[track_caller]
fn wait_for_labels(window: &mut Window, files: &Files, count: usize) {
    let image = files.image();
    wait(window, "the labels on the disk", |_| labels(on_disk(files, &image)) == count);
}

fn has_label(window: &Window, name: &str) -> bool {
    window.query_by_label(&format!("Paint {name}")).is_some()
}

/// Ends the program as a crash does, without closing the window.
fn crash(window: Window) {
    drop(window);
}

#[test]
fn a_change_reaches_the_disk_within_two_seconds_and_comes_back_after_a_crash() {
    let files = Files::new();
    let mut first = window(&files, vec![files.image()]);
    let start = std::time::Instant::now();
    add_label(&mut first);
    wait_for_labels(&mut first, &files, 1);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(says(&first, "Kept with the image"));
    add_label(&mut first);
    wait_for_labels(&mut first, &files, 2);
    first.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    first.run();
    wait_for_labels(&mut first, &files, 1);
    crash(first);

    let mut second = window(&files, vec![files.image()]);
    wait(&mut second, "the label", |window| has_label(window, "Lesion"));
    assert!(!has_label(&second, "Label 2"), "it was undone");
    assert!(says(&second, "was restored"));
}

#[test]
fn an_annotation_comes_back_with_its_image() {
    let files = Files::new();
    let other = files.folder.path().join("other.png");
    image::GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([7])).save(&other).expect("written");
    let mut window = window(&files, vec![files.image()]);
    add_label(&mut window);
    drop_file(&mut window, &other);
    let stem =
        ImageIdentity::of_file(&other, fingerprint::of_file(&other, &|_| true).expect("read"), SHAPE).stem();
    let lock = journals(&files).join(format!("{stem}.lock"));
    wait(&mut window, "the other image", |window| !has_label(window, "Lesion") && lock.exists());
    drop_file(&mut window, &files.image());
    wait(&mut window, "the label", |window| has_label(window, "Lesion"));
    assert!(!says(&window, "was restored"), "nothing had crashed");
    let count = || std::fs::read_dir(journals(&files)).expect("a folder").count();
    wait(&mut window, "the journal and the lock of the open image alone", |_| count() == 2);
}

#[test]
fn a_second_window_on_the_same_image_only_looks_until_the_first_one_leaves_it() {
    let files = Files::new();
    let taken = || journal::open(&journals(&files), identity(&files.image()), Limit::default());
    // Another program, in which one label was made. It is not this process for the window.
    let OpenedJournal { journal, .. } = taken();
    let mut other = journal.expect("a journal");
    let mut annotation = Annotation::new(SHAPE);
    let label = himix::annotate::Label::new("Theirs", [1, 2, 3]);
    let edits = vec![annotation.add_label(label).expect("a new name").1];
    annotation.apply(&edits).expect("it fits");
    let state = journal::JournalState { annotation, file: None };
    other.append(&[Record::Edits(edits)], &state).expect("written");
    let lock = journals(&files).join(format!("{}.lock", identity(&files.image()).stem()));
    std::fs::write(&lock, "1").expect("the number of another process");

    let mut window = window(&files, vec![files.image()]);
    wait(&mut window, "the reason", |window| says(window, "open in another HiMix window (process 1)"));
    assert!(has_label(&window, "Theirs"), "it can be looked at");
    add_label(&mut window);
    assert!(!has_label(&window, "Lesion") && !has_label(&window, "Label 2"));
    assert!(says(&window, "The annotation is read-only."));

    other.append(&[Record::Closed], &state).expect("written");
    drop(other);
    wait(&mut window, "the other window to have gone", |window| !says(window, "The annotation is read-only."));
    add_label(&mut window);
    assert!(has_label(&window, "Theirs") && has_label(&window, "Lesion"));
    wait_for_labels(&mut window, &files, 2);
}

#[test]
fn what_cannot_be_written_is_said_and_written_later() {
    let files = Files::new();
    std::fs::write(journals(&files), "a file in the place of the folder").expect("written");
    let mut window = window(&files, vec![files.image()]);
    assert!(!says(&window, "cannot be written"), "there is nothing to write");
    add_label(&mut window);
    wait(&mut window, "the reason", |window| says(window, "Changes of the annotation cannot be written"));
    assert!(has_label(&window, "Lesion") && says(&window, "Changes are only in memory"));
    std::fs::remove_file(journals(&files)).expect("removed");
    window.get_by_label("Try again").click();
    window.run();
    wait_for_labels(&mut window, &files, 1);
    wait(&mut window, "the line", |window| says(window, "Kept with the image"));
    assert!(window.query_by_label("Try again").is_none());
}

/// Saves with the key, after the path was chosen once.
fn save(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.run();
}

/// A saved annotation with one label of this name.
fn saved(files: &Files, name: &str) -> PathBuf {
    let mut annotation = Annotation::new(SHAPE);
    let edit = annotation.add_label(himix::annotate::Label::new(name, [1, 2, 3])).expect("a new name").1;
    annotation.apply(&[edit]).expect("it fits");
    let header = identity(&files.image()).header(None);
    let (bytes, _) = journal::file_content(&header, &annotation, false).expect("written");
    let path = files.folder.path().join("chest.himixa");
    std::fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn a_file_is_opened_and_saved_and_not_replaced_if_others_have_changed_it() {
    let files = Files::new();
    let mut window = window(&files, vec![files.image()]);
    let path = saved(&files, "Theirs");
    let before = std::fs::read(&path).expect("a file");
    drop_file(&mut window, &path);
    wait(&mut window, "the label", |window| has_label(window, "Theirs"));
    assert!(says(&window, "Saved in chest.himixa"));
    add_label(&mut window);
    assert!(says(&window, "not saved in chest.himixa yet"));
    save(&mut window);
    wait(&mut window, "the file", |window| says(window, "Saved in chest.himixa"));
    let read = || journal::replay(&std::fs::read(&path).expect("a file"), SHAPE, Limit::default());
    assert_eq!(read().expect("an annotation").annotation.labels().count(), 2);
    let backup = files.folder.path().join("chest.himixa.bak");
    assert_eq!(std::fs::read(&backup).expect("the version before"), before);

    // Another program writes to the file.
    std::fs::write(&path, &before).expect("written");
    add_label(&mut window);
    save(&mut window);
    wait(&mut window, "the question", |window| says(window, "Another program has changed chest.himixa"));
    assert_eq!(std::fs::read(&path).expect("a file"), before, "it is as they left it");
    window.get_by_label("Replace it").click();
    window.run();
    wait(&mut window, "the file", |window| says(window, "Saved in chest.himixa"));
    assert_eq!(read().expect("an annotation").annotation.labels().count(), 3);
    // The journal knows it as well.
    let image = files.image();
    wait(&mut window, "the journal", |_| on_disk(&files, &image).is_some_and(|known| !known.is_dirty()));
    crash(window);
    let mut again = super::keeping::window(&files, vec![files.image()]);
    wait(&mut again, "the label", |window| has_label(window, "Theirs"));
    assert!(says(&again, "Saved in chest.himixa"));
}

#[test]
fn an_annotation_can_be_named_together_with_its_image() {
    let files = Files::new();
    let path = saved(&files, "Theirs");
    let mut window = window(&files, vec![files.image(), path]);
    wait(&mut window, "the label", |window| has_label(window, "Theirs"));
    assert!(says(&window, "Saved in chest.himixa"));
}

/// Asks the window to close. Returns whether it would.
fn closes(window: &mut Window) -> bool {
    let viewport = window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    viewport.events.push(ViewportEvent::Close);
    window.step();
    let is_refused = has_command(window, &ViewportCommand::CancelClose);
    let viewport = window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    viewport.events.clear();
    // A question is measured in one frame and drawn in the next.
    window.run();
    !is_refused
}

fn has_command(window: &Window, command: &ViewportCommand) -> bool {
    window.output().viewport_output.values().any(|output| output.commands.contains(command))
}

#[test]
fn closing_with_unsaved_changes_asks_once() {
    let files = Files::new();
    let path = saved(&files, "Theirs");
    let mut window = window(&files, vec![files.image()]);
    assert!(closes(&mut window), "there is nothing to lose");
    drop_file(&mut window, &path);
    wait(&mut window, "the label", |window| has_label(window, "Theirs"));
    assert!(closes(&mut window), "it is saved");
    add_label(&mut window);
    assert!(!closes(&mut window));
    assert!(says(&window, "Close without saving the annotation?") && says(&window, "HiMix keeps them"));
    window.get_by_label("Keep open").click();
    window.run();
    assert!(!says(&window, "Close without saving the annotation?"));
    assert!(!closes(&mut window));
    window.get_by_label("Close without saving").click();
    window.run();
    assert!(closes(&mut window), "it does not ask twice");
    window.state_mut().as_mut().expect("the app").on_exit();
    drop(window);
    let mut again = super::keeping::window(&files, vec![files.image()]);
    wait(&mut again, "both labels", |window| has_label(window, "Theirs") && has_label(window, "Lesion"));
    assert!(!says(&again, "was restored"), "it was closed properly");
    assert!(closes(&mut again), "nothing was changed here");
}
