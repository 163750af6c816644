//! Images with several masks, and data sets that say how their pairs are read.

use std::path::Path;

use himix::data::dataset::{pair, partners};
use himix::data::mask::Several;
use himix::data::{DataError, Dataset, MaskRule, Orientation, PairReading, Problem, summary, survey, worklist};
use tempfile::TempDir;

use super::fixtures::{folder, grey_png, png, put};
use crate::common::shared;

/// Makes a 6x2 mask whose foreground is these pixels, counted along the rows.
fn mask(places: &[usize]) -> Vec<u8> {
    let pixels: Vec<u8> = (0..12).map(|at| if places.contains(&at) { 255 } else { 0 }).collect();
    let lines: Vec<&[u8]> = pixels.chunks(6).collect();
    png(6, 2, 8, 0, &[], &lines)
}

fn names(paths: &[std::path::PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect()
}

/// Makes a data set like BUSI, with numbers that are easily confused.
fn busi() -> TempDir {
    let set = folder();
    for number in ["1", "2", "10"] {
        put(&set, &format!("benign ({number}).png"), &grey_png(6, 2, 90, number.len() as u8));
        put(&set, &format!("benign ({number})_mask.png"), &mask(&[0, 1]));
    }
    put(&set, "benign (1)_mask_1.png", &mask(&[1, 2]));
    put(&set, "benign (1)_mask_2.png", &mask(&[7]));
    put(&set, "benign (1)_mask_10.png", &mask(&[11]));
    set
}

#[test]
fn numbered_masks_belong_to_their_image() {
    let set = busi();
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let found: Vec<(&str, Vec<String>)> =
        all.samples.iter().map(|sample| (sample.name.as_str(), names(&sample.masks))).collect();
    let four = ["", "_1", "_2", "_10"].map(|end| format!("benign (1)_mask{end}.png")).to_vec();
    let one = |number: &str| vec![format!("benign ({number})_mask.png")];
    assert_eq!(
        found,
        [("benign (1).png", four.clone()), ("benign (10).png", one("10")), ("benign (2).png", one("2"))]
    );
    let said = summary(&all.findings).join("; ");
    assert!(said.contains("1 image with several masks (benign (1).png: 4)"), "{said}");

    assert_eq!(names(&partners(&set.path().join("benign (1).png"))), four);
    assert!(partners(&set.path().join("benign (1)_mask_1.png")).is_empty(), "a mask has no mask");
    let items = worklist::list(set.path()).expect("a list");
    assert_eq!(items.iter().map(|item| item.truth.len()).sum::<usize>(), 6, "{items:?}");
}

#[test]
fn they_are_united_or_labels() {
    let set = busi();
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let united = pair::read(&all.samples[0], &PairReading::default()).expect("a pair");
    assert_eq!(united.mask.values, [1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(united.notes, ["The 4 masks of benign (1).png form one ground truth."]);
    assert!(united.kind.words().starts_with("4 files; two values"), "{}", united.kind.words());

    let reading = PairReading { several: Several::AsLabels, ..PairReading::default() };
    let labels = pair::read(&all.samples[0], &reading).expect("a pair");
    assert_eq!(labels.mask, united.mask);
    assert!(labels.notes[1].contains("overlap in 1 pixel;"), "{:?}", labels.notes);
    let second = PairReading { labels: [2].into(), ..reading.clone() };
    let second = pair::read(&all.samples[0], &second).expect("a pair");
    assert_eq!(second.mask.values, [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let chosen = PairReading { labels: [1, 4].into(), ..reading };
    let chosen = pair::read(&all.samples[0], &chosen).expect("a pair");
    assert_eq!(chosen.mask.values, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn what_may_be_the_mask_of_another_image_stays_its_own() {
    let set = folder();
    // If the folders are separate, image names may end in marks and numbers themselves.
    for name in ["x.png", "x_mask_1.png", "x_1.png"] {
        put(&set, &format!("images/{name}"), &grey_png(6, 2, 90, 1));
    }
    for name in ["x.png", "x_mask_1.png", "x_1.png", "x_mask_2.png", "mask_x_3.png"] {
        put(&set, &format!("masks/{name}"), &mask(&[3]));
    }
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let found: Vec<Vec<String>> = all.samples.iter().map(|sample| names(&sample.masks)).collect();
    assert_eq!(found, [vec!["x.png", "x_mask_2.png"], vec!["x_1.png"], vec!["x_mask_1.png"]]);
    let alone: Vec<&str> = all
        .findings
        .iter()
        .filter(|finding| finding.problem == Problem::MissingPartner)
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(alone, ["mask_x_3.png"]);
    // Without an image of the name before its number, a file is an image.
    let set = folder();
    put(&set, "scan_seg_1.png", &grey_png(6, 2, 90, 1));
    put(&set, "scan_seg_1_mask.png", &mask(&[3]));
    let all = Dataset::open(set.path(), "all").expect("a data set");
    assert_eq!((all.samples[0].name.as_str(), all.samples.len()), ("scan_seg_1.png", 1));
}

#[test]
fn one_of_several_of_another_size_is_refused() {
    let set = busi();
    put(&set, "benign (1)_mask_2.png", &grey_png(3, 2, 0, 255));
    let mut all = Dataset::open(set.path(), "all").expect("a data set");
    let error = pair::read(&all.samples[0], &PairReading::default()).expect_err("never stretched").to_string();
    assert!(error.contains("benign (1)_mask_2.png") && error.contains("3x2 but the image is 6x2"), "{error}");
    assert_eq!(all.check(&PairReading::default()).expect("two pairs").with_foreground, 2);
}

#[test]
fn a_picture_with_four_masks_of_the_shared_set() {
    let Some(root) = shared("data/reports/13-several-masks/benign") else { return };
    let all = Dataset::open(&root, "all").expect("a data set");
    assert_eq!(all.samples.len(), 12);
    let sample = all.samples.iter().find(|sample| sample.name == "benign (4).png").expect("there");
    assert_eq!(sample.masks.len(), 2);
    assert_eq!(pair::read(sample, &all.reading).expect("a pair").mask.foreground(), 800);
}

fn turned(mask: &str, settings: &str) -> TempDir {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sets");
    let file = |name: &str| std::fs::read(made.join(name)).expect("a fixture");
    let set = folder();
    put(&set, "images/a.jpg", &file("turned.jpg"));
    put(&set, "masks/a.png", &file(mask));
    if !settings.is_empty() {
        put(&set, "himix-data.toml", settings.as_bytes());
    }
    set
}

#[test]
fn a_data_set_says_that_its_masks_were_drawn_on_stored_pixels() {
    let set = turned("mask_stored.png", "orientation = \"as_stored\"\n");
    let mut all = Dataset::open(set.path(), "all").expect("a data set");
    assert_eq!(all.reading.orientation, Orientation::AsStored);
    let pair = pair::read(&all.samples[0], &all.reading).expect("a pair");
    assert_eq!((pair.image.width, pair.image.height, pair.mask.foreground()), (24, 16, 44));
    let reading = all.reading.clone();
    assert_eq!(all.check(&reading).expect("a pair").with_foreground, 1);
    let found = survey(set.path(), &reading, &|_, _| ()).expect("a data set");
    assert_eq!(found.reading.words(), "images as stored");
    assert_eq!(found.splits.iter().flat_map(|(_, split)| split).map(|split| split.turned).sum::<usize>(), 1);

    let items = worklist::list(set.path()).expect("a list");
    assert!(items.iter().all(|item| item.reading == reading), "the list says how its pairs are read");
    let line = ["train", "val", "test"].iter().find_map(|split| Dataset::open(set.path(), split).err());
    assert!(line.expect("one image fills one split").to_string().contains("use the split 'all'"));

    // By default an image is upright, as in the tool with which its mask was drawn.
    let set = turned("mask_upright.png", "");
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let pair = pair::read(&all.samples[0], &all.reading).expect("a pair");
    assert_eq!((pair.image.width, pair.image.height, pair.mask.foreground()), (16, 24, 44));
    assert!(pair.is_turned && pair.notes.iter().any(|note| note.contains("Orientation 6")), "{:?}", pair.notes);
    // A mask with the size of the stored image was drawn on that, and is turned with it.
    let set = turned("mask_stored.png", "");
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let stored = pair::read(&all.samples[0], &all.reading).expect("a pair");
    assert_eq!(stored.mask, pair.mask);
    assert!(stored.notes.iter().any(|note| note.contains("turned with it")), "{:?}", stored.notes);

    // A mask with the size of the image in the other orientation: both readings are named.
    let set = turned("mask_upright.png", "orientation = \"as_stored\"\n");
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let error = pair::read(&all.samples[0], &all.reading).expect_err("another orientation");
    assert!(matches!(error, DataError::MaskTurned { mask_width: 16, mask_height: 24, .. }), "{error}");
    let line = error.to_string();
    assert!(line.contains("orientation = \"upright\"") && line.contains("a.png"), "{line}");
}

#[test]
fn pictures_with_an_orientation_of_the_shared_set() {
    let Some(root) = shared("data/reports/05-exif/set") else { return };
    let mut all = Dataset::open(&root, "all").expect("a data set");
    let count = all.samples.len();
    assert_eq!(all.check(&PairReading::default()).expect("pairs").with_foreground, count, "{:?}", all.findings);
    let found = survey(&root, &PairReading::default(), &|_, _| ()).expect("a data set");
    assert_eq!(found.splits.iter().flat_map(|(_, split)| split).map(|split| split.turned).sum::<usize>(), 1);
}

#[test]
fn settings_of_a_data_set() {
    let read = |text: &str| {
        let set = folder();
        put(&set, "himix-data.toml", text.as_bytes());
        PairReading::of(set.path()).map_err(|error| error.to_string())
    };
    assert_eq!(PairReading::of(folder().path()).expect("nothing said"), PairReading::default());
    let all = "mask_rule = \"exactly_255\"\nseveral = \"as_labels\"\nlabels = [3, 1]\norientation = \"upright\"\n";
    let expected = PairReading {
        rule: MaskRule::Exactly255,
        several: Several::AsLabels,
        labels: [1, 3].into(),
        orientation: Orientation::Upright,
    };
    assert_eq!(read(all), Ok(expected.clone()));
    assert_eq!(read(&format!("\u{feff}{all}")), Ok(expected.clone()));
    assert_eq!(expected.clone().under(Some(MaskRule::Half)).rule, MaskRule::Half);
    assert_eq!(expected.clone().under(None), expected);
    for (text, line) in [
        ("\n# by us\norientation = \"sideways\"\n", "line 3"),
        ("labels = [1]\nturn = 1\n", "line 2"),
        ("labels = 1\n", "line 1"),
        ("= =\n", "line 1"),
    ] {
        let error = read(text).expect_err("refused");
        assert!(error.contains("himix-data.toml") && error.contains(line) && !error.contains('\n'), "{error}");
    }
    let large = format!("#{}\n", "x".repeat(1 << 17));
    assert!(read(&large).is_err_and(|error| error.contains("64 KiB")));
}
