//! Pairs that are added to data sets.

use std::fs;
use std::path::Path;

use himix::data::dataset::{Layout, NewPair, SavedPair, append, pair};
use himix::data::{DataError, Dataset, Image, Mask, Pixels, Problem};
use tempfile::TempDir;

use super::fixtures::{folder, grey_png, put, xlsx};

fn image(seed: u8) -> Image {
    let pixels = Pixels::U8((0..12).map(|at| at * 7 + seed).collect());
    Image { width: 4, height: 3, channels: 1, pixels }
}

fn mask(first: usize) -> Mask {
    Mask { width: 4, height: 3, values: (0..12).map(|at| u8::from(at >= first && at < first + 4)).collect() }
}

fn add(folder: &TempDir, split: Option<&str>, name: &str, seed: u8, prompt: &str) -> Result<SavedPair, DataError> {
    let (image, mask) = (image(seed), mask(usize::from(seed)));
    append(folder.path(), split, &NewPair { name, image: &image, mask: &mask, prompt })
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file with its content, but for locks.
fn content(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if path.extension().is_none_or(|end| end != "lock") {
            found.push((path.clone(), fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn an_empty_folder_becomes_a_data_set_as_the_authors_have_it() {
    let folder = folder();
    let saved = add(&folder, None, "chest", 1, "left lung, \"upper\"").expect("saved");
    assert_eq!((saved.split.as_str(), saved.count, saved.is_replaced), ("train", 1, false));
    assert_eq!(text(&folder, "prompt/train.csv"), "Image,Description\nchest.png,\"left lung, \"\"upper\"\"\"\n");
    // The second goes to validation, so that a run can begin; then one in five.
    let splits: Vec<String> =
        (2..9).map(|seed| add(&folder, None, "chest", seed, "right").expect("saved").split).collect();
    assert_eq!(splits, ["val", "train", "train", "train", "val", "train", "train"]);
    let train = Dataset::open(folder.path(), "train").expect("a data set");
    assert_eq!((train.layout, train.samples.len(), train.findings.len()), (Layout::Splits, 6, 0));
    let sample = &train.samples[1];
    assert!(sample.image.ends_with("train/Images/chest_2.png"), "{sample:?}");
    assert!(sample.masks[0].ends_with("train/GTs/mask_chest_2.png"), "{sample:?}");
    let read = pair::read(sample, &train.reading).expect("a pair");
    assert_eq!((read.image, read.mask), (image(3), mask(3)));
}

#[test]
fn images_of_a_subject_stay_in_one_split() {
    let folder = folder();
    let split = |name: &str, seed| add(&folder, None, name, seed, "x").expect("saved").split;
    assert_eq!(split("sub-S1_run-1", 0), "train");
    assert_eq!(split("sub-S1_run-2", 1), "train", "not validation, although that is empty");
    assert_eq!(split("sub-S2_run-1", 2), "val");
    assert_eq!(split("SUB-s2_run-2", 3), "val");
}

#[test]
fn the_same_image_gets_another_mask_and_another_sentence() {
    let folder = folder();
    put(
        &folder,
        "prompt/train.csv",
        "\u{feff}Image;Description\r\nother.png;größer\r\nchest.png;old\r\nlast.png;x\r\n".as_bytes(),
    );
    for name in ["other", "chest", "last"] {
        put(&folder, &format!("train/Images/{name}.png"), &grey_png(4, 3, 0, 200));
        put(&folder, &format!("train/GTs/{name}.png"), &grey_png(4, 3, 0, 255));
    }
    let known = himix::data::image::load(&folder.path().join("train/Images/chest.png")).expect("an image");
    let again = |first: usize, prompt: &str| {
        let new = NewPair { name: "chest", image: &known, mask: &mask(first), prompt };
        append(folder.path(), None, &new).expect("saved")
    };
    let before = fs::read(folder.path().join("train/GTs/chest.png")).expect("a mask");
    let saved = again(2, "new");
    assert_eq!((saved.is_replaced, saved.count), (true, 3));
    let expected = "\u{feff}Image;Description\r\nother.png;größer\r\nchest.png;new\r\nlast.png;x\r\n";
    assert_eq!(text(&folder, "prompt/train.csv"), expected);
    // The mask before is kept, and stays when the pair is saved once more.
    again(3, "new");
    assert_eq!(fs::read(folder.path().join("train/GTs/chest.png.bak")).expect("a copy"), before);
    assert_eq!(text(&folder, "prompt/train.csv"), expected);
    let train = Dataset::open(folder.path(), "train").expect("a data set");
    let read = pair::read(&train.samples[1], &train.reading).expect("a pair");
    assert_eq!((read.mask, train.samples.len()), (mask(3), 3));
    assert!(train.findings.iter().all(|finding| finding.problem == Problem::Table), "{:?}", train.findings);
    // Another image of this name is another pair, named as the others are.
    let saved = add(&folder, Some("train"), "chest", 9, "third").expect("saved");
    assert!(saved.image.ends_with("chest_2.png") && saved.mask.ends_with("GTs/chest_2.png"), "{saved:?}");
    assert_eq!(text(&folder, "prompt/train.csv"), format!("{expected}chest_2.png;third\r\n"));
}

#[test]
fn other_layouts_keep_their_form() {
    let lvit = folder();
    put(&lvit, "Train_Folder/img/a.png", &grey_png(4, 3, 0, 200));
    put(&lvit, "Train_Folder/labelcol/mask_a.png", &grey_png(4, 3, 0, 255));
    put(&lvit, "Train_Folder/Train_text.csv", b"Image,Description\nmask_a.png,one");
    add(&lvit, Some("train"), "b", 1, "two").expect("saved");
    assert_eq!(text(&lvit, "Train_Folder/Train_text.csv"), "Image,Description\nmask_a.png,one\nb.png,two\n");
    let saved = add(&lvit, Some("val"), "c", 2, "three").expect("saved");
    assert!(saved.image.ends_with("Val_Folder/img/c.png"), "{saved:?}");

    let flat = folder();
    for name in ["a.png", "a_mask.png"] {
        put(&flat, name, &grey_png(4, 3, 0, 255));
    }
    put(&flat, "prompts.csv", b"Image,Description\na.png,one\n");
    let saved = add(&flat, None, "b", 1, "two").expect("saved");
    assert_eq!((saved.split.as_str(), saved.count), ("all", 2));
    assert!(saved.mask.ends_with("b_mask.png"), "{saved:?}");
}

#[test]
fn what_cannot_be_added_to_is_left_as_it_is() {
    let refused = |folder: &TempDir, words: &str| {
        let before = content(folder.path());
        let error = add(folder, None, "b", 1, "two").expect_err("refused").to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(content(folder.path()), before, "{words}");
    };
    let workbook = folder();
    put(&workbook, "Train_Folder/img/a.png", &grey_png(4, 3, 0, 200));
    put(&workbook, "Train_Folder/labelcol/a.png", &grey_png(4, 3, 0, 255));
    put(&workbook, "Train_Folder/Train_text.xlsx", &xlsx(&[&["Image", "Description"], &["a.png", "one"]]));
    let error = add(&workbook, Some("train"), "b", 1, "two").expect_err("refused").to_string();
    assert!(error.contains("Train_text.xlsx") && error.contains("save it as CSV"), "{error}");

    let no_table = folder();
    put(&no_table, "images/a.png", &grey_png(4, 3, 0, 200));
    put(&no_table, "masks/a.png", &grey_png(4, 3, 0, 255));
    refused(&no_table, "no table of prompts");

    let listed = folder();
    put(&listed, "images/a.png", &grey_png(4, 3, 0, 200));
    put(&listed, "masks/a.png", &grey_png(4, 3, 0, 255));
    put(&listed, "prompts.csv", b"Image,Description\na.png,one\n");
    put(&listed, "himix-data.toml", b"labels = [3]\n");
    refused(&listed, "himix-data.toml");

    let damaged = folder();
    put(&damaged, "train/Images/a.png", &grey_png(4, 3, 0, 200));
    put(&damaged, "train/GTs/a.png", &grey_png(4, 3, 0, 255));
    put(&damaged, "prompt/train.csv", b"Image,Description\na.png,one, two\n");
    refused(&damaged, "put quotes around");

    for table in [
        &b"Image,Description\na.png,gr\xc3\xb6\xc3\x9fer\nc.png,gr\xf6\xdfer\n"[..],
        b"\xef\xbb\xbfImage,Text\na.png,\xdf\n",
    ] {
        let undecodable = folder();
        for name in ["a", "c"] {
            put(&undecodable, &format!("train/Images/{name}.png"), &grey_png(4, 3, 0, 200));
            put(&undecodable, &format!("train/GTs/{name}.png"), &grey_png(4, 3, 0, 255));
        }
        put(&undecodable, "prompt/train.csv", table);
        let before = content(undecodable.path());
        let error = add(&undecodable, Some("train"), "b", 1, "two").expect_err("refused").to_string();
        assert!(error.contains("train.csv") && error.contains("save the table as UTF-8"), "{error}");
        assert_eq!(content(undecodable.path()), before);
    }

    let other_size = Mask { width: 3, height: 4, values: vec![0; 12] };
    let new = NewPair { name: "b", image: &image(1), mask: &other_size, prompt: "x" };
    assert!(matches!(append(folder().path(), None, &new), Err(DataError::MaskSize { .. })));
}

#[test]
fn every_kind_of_image_and_every_name_is_read_again() {
    let folder = folder();
    let images = [
        Image { width: 4, height: 3, channels: 1, pixels: Pixels::U16((0..12).map(|at| at * 5000).collect()) },
        Image { width: 4, height: 3, channels: 3, pixels: Pixels::U8((0..36).collect()) },
        Image { width: 4, height: 3, channels: 3, pixels: Pixels::U16((0..36).map(|at| at * 257).collect()) },
        Image {
            width: 4,
            height: 3,
            channels: 1,
            pixels: Pixels::F32((0..12).map(|at| at as f32 - 1000.5).collect()),
        },
        Image { width: 4, height: 3, channels: 1, pixels: Pixels::F32(vec![f32::NAN; 12]) },
    ];
    let names = ["MR, 5 slices, slice 3", "mask_a", "b_mask_1", "../c", "Ü (4).nii"];
    for ((image, name), first) in images.iter().zip(names).zip(0..) {
        let new = NewPair { name, image, mask: &mask(first), prompt: "a\nb" };
        let saved = append(folder.path(), Some("train"), &new).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(saved.count, first + 1, "{saved:?}");
    }
    let train = Dataset::open(folder.path(), "train").expect("a data set");
    let names: Vec<&str> = train.samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(
        names,
        ["MR_5_slices_slice_3.png", "image_mask_a.png", "image_b_mask_1_image.png", "c.png", "Ü_(4).nii.png"]
    );
    assert!(train.samples.iter().all(|sample| sample.prompt == "a b"));
    let empty = Mask { values: vec![0; 12], ..mask(0) };
    let new = NewPair { name: "normal", image: &image(3), mask: &empty, prompt: "no pulmonary infection" };
    assert_eq!(append(folder.path(), Some("train"), &new).expect("saved").count, 6, "a normal case");
}
