use std::fs;
use std::path::Path;

use super::*;
use crate::data::write;

const NAMES: [&str; 3] = ["a.png", "b.jpg", "c.png"];

fn about() -> About {
    let model_content = Some("0123".to_owned());
    About {
        model: "A".into(),
        model_content,
        data: "set".into(),
        split: "test".into(),
        threshold: Some(0.3),
        ..About::default()
    }
}

fn cases() -> Vec<(&'static str, &'static str)> {
    NAMES.iter().map(|name| (*name, "left lung")).collect()
}

fn reason(outcome: Result<impl Sized, crate::data::DataError>) -> String {
    outcome.err().expect("refused").to_string()
}

/// Values on both sides of the threshold and exactly at it.
fn values() -> Vec<f32> {
    let near = |steps: i32| f32::from_bits((0.3_f32.to_bits() as i32 + steps) as u32);
    vec![0.0, near(-1), near(0), near(1), 0.7, 1.0]
}

fn written(folder: &Path, names: &[&str]) {
    let mut writer = PredictionsWriter::open(folder, about(), &cases()).expect("opens");
    for name in names {
        writer.add([name, "left lung", "ff"], [3, 2], &values()).expect("written");
    }
    writer.finish().expect("written");
}

#[test]
fn what_is_written_is_read_and_gives_the_same_mask() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new/predictions");
    written(&folder, &NAMES);
    let read = Predictions::open(&folder).expect("opens");
    let manifest = read.manifest.as_ref().expect("a description");
    assert_eq!((manifest.about.clone(), manifest.bits), (about(), 16));
    let found = read.matched(&["c.png", "a.png", "b.jpg"], false).expect("all are there");
    assert_eq!(found[2].case.as_ref().map(|case| case.file.as_str()), Some("b.jpg.png"));
    for one in &found {
        let read = one.read([3, 2]).expect("probabilities");
        for (read, made) in read.iter().zip(values()) {
            assert!((read - made).abs() < 1.01 / 65_535.0, "{read} {made}");
            assert_eq!(*read >= 0.3, made >= 0.3, "no pixel changes sides: {read} {made}");
        }
    }
    // The rest of a folder is no obstacle for a part of its images.
    assert!(
        reason(read.matched(&["a.png"], false))
            .contains("2 predictions are of no image of the data set (b.jpg, c.png)")
    );
    assert_eq!(read.matched(&["a.png"], true).expect("one").len(), 1);
    let error = reason(read.matched(&["a.png", "b.jpg", "c.png", "d.png"], false));
    assert!(error.contains("1 of the 4 images has no prediction (d.png)"), "{error}");
}

#[test]
fn a_run_goes_on_where_it_was_and_only_with_the_same_model() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("predictions");
    written(&folder, &NAMES[..2]);
    let before = fs::read(folder.join(MANIFEST)).expect("read");
    let writer = PredictionsWriter::open(&folder, about(), &cases()).expect("opens");
    assert_eq!(NAMES.map(|name| writer.has(name)), [true, true, false]);
    assert_eq!(fs::read(folder.join(MANIFEST)).expect("read"), before);
    // Another prompt, or a file that is gone, is predicted once more.
    let other = [("a.png", "right lung"), ("b.jpg", "left lung"), ("c.png", "left lung")];
    let writer = PredictionsWriter::open(&folder, about(), &other).expect("opens");
    assert_eq!(NAMES.map(|name| writer.has(name)), [false, true, false]);
    fs::remove_file(folder.join("b.jpg.png")).expect("removed");
    let writer = PredictionsWriter::open(&folder, about(), &cases()).expect("opens");
    assert_eq!(NAMES.map(|name| writer.has(name)), [false; 3]);

    let trained = About { model_content: Some("4567".into()), ..about() };
    let error = reason(PredictionsWriter::open(&folder, trained, &cases()));
    assert!(error.contains("predictions of another model;"), "{error}");
    let moved = About { split: "val".into(), threshold: Some(0.5), ..about() };
    let error = reason(PredictionsWriter::open(&folder, moved, &cases()));
    assert!(error.contains("another split and another threshold;"), "{error}");
    let twice = [("a.png", ""), ("A.png", "")];
    assert!(reason(PredictionsWriter::open(&folder, about(), &twice)).contains("two cases of the name A.png"));
    // Files of somebody else are left alone.
    let others = root.path().join("others");
    fs::create_dir(&others).expect("a folder");
    fs::write(others.join("a.png"), "precious").expect("written");
    assert!(reason(PredictionsWriter::open(&others, about(), &cases())).contains("choose an empty folder"));
    assert_eq!(fs::read(others.join("a.png")).expect("read"), b"precious");
}

#[test]
fn images_that_were_left_out_are_named() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("predictions");
    written(&folder, &NAMES);
    // The next run leaves one out that was predicted before.
    let mut writer = PredictionsWriter::open(&folder, about(), &cases()).expect("opens");
    writer.leave_out("b.jpg", "its truth is empty");
    assert!(!writer.has("b.jpg"));
    writer.finish().expect("written");
    let read = read_again(&folder);
    assert_eq!(
        ["a.png", "B.JPG", "d.png"].map(|name| read.left_out(name)),
        [None, Some("its truth is empty"), None]
    );
    assert_eq!(read.matched(&["a.png", "c.png"], false).expect("the others").len(), 2);
    assert!(reason(read.matched(&NAMES, false)).contains("1 of the 3 images has no prediction (b.jpg)"));
    // What is predicted again is not left out any more.
    written(&folder, &NAMES);
    assert_eq!(read_again(&folder).left_out("b.jpg"), None);
    let manifest = fs::read_to_string(folder.join(MANIFEST)).expect("read");
    let both = manifest.replacen("\"cases\"", r#""left_out": [{"image": "A.png"}], "cases""#, 1);
    fs::write(folder.join(MANIFEST), both).expect("written");
    assert!(reason(Predictions::open(&folder)).contains("two cases of the name A.png"));
}

#[test]
fn png_files_alone_are_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let put =
        |name: &str| write::png8(&folder.path().join(name), 3, 2, &[0, 51, 102, 153, 204, 255]).expect("written");
    ["a.png", "b.png", "C.PNG"].into_iter().for_each(put);
    let read = Predictions::open(folder.path()).expect("opens");
    assert_eq!(read.manifest, None);
    let found = read.matched(&NAMES, false).expect("all are there");
    assert!(found.iter().all(|one| one.case.is_none()));
    let values = found[1].read([3, 2]).expect("probabilities");
    assert!(values.iter().zip([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{values:?}");
    // The name with its extension comes first.
    put("b.jpg.png");
    assert!(
        reason(read_again(folder.path()).matched(&NAMES, false)).contains("of no image of the data set (b.png)")
    );
    fs::remove_file(folder.path().join("b.jpg.png")).expect("removed");
    let error = reason(read_again(folder.path()).matched(&["a.png", "b.jpg", "b.png", "c.png"], false));
    assert!(
        error.contains("b.jpg and b.png of the data set share one prediction; name the files b.jpg.png and b.png"),
        "{error}"
    );
}

fn read_again(folder: &Path) -> Predictions {
    Predictions::open(folder).expect("opens")
}

#[test]
fn other_files_are_refused_in_words() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path();
    assert!(reason(Predictions::open(folder)).contains("there are no predictions in it"));
    let path = folder.join("a.png");
    let read = || read_again(folder).matched(&["a.png"], false).expect("there")[0].read([3, 2]);
    write::png_rgb(&path, 3, 2, &[9; 18]).expect("written");
    assert!(reason(read()).contains("its pixels are colours; write the probabilities as a grey PNG"));
    write::png8(&path, 2, 3, &[9; 6]).expect("written");
    assert!(reason(read()).contains("it is 2x3 but the image is 3x2"));
    image::DynamicImage::ImageLumaA8(image::GrayAlphaImage::new(3, 2)).save(&path).expect("written");
    assert!(reason(read()).contains("alpha channel"));
    fs::write(&path, "text").expect("written");
    assert!(reason(read()).contains("it is no PNG"));
    write::png16(&path, 3, 2, &[9; 6]).expect("written");
    let whole = fs::read(&path).expect("read");
    fs::write(&path, &whole[..whole.len() - 20]).expect("written");
    assert!(reason(read()).contains("a.png"));

    let say = |text: &str| fs::write(folder.join(MANIFEST), text).expect("written");
    let case = r#"{"image": "a.png", "file": "a.png", "width": 3, "height": 2}"#;
    let all = |version: u32, bits: u8, cases: &str| {
        format!(r#"{{"format": "{FORMAT}", "version": {version}, "bits": {bits}, "cases": [{cases}]}}"#)
    };
    fs::write(&path, whole).expect("written");
    say(&all(1, 16, case));
    assert_eq!(read().expect("read").len(), 6);
    say(&all(1, 8, case));
    assert!(reason(read()).contains("it has 16 bits for a pixel and predictions.json says 8"));
    for (text, words) in [
        ("{".to_owned(), "does not have the form that docs/compare.md describes"),
        (all(2, 16, case), "its version is 2"),
        (all(1, 12, case), "12 bits"),
        (all(1, 16, &format!("{case}, {case}")), "two cases of the name a.png"),
        (all(1, 16, &case.replace(r#""file": "a.png""#, r#""file": "../a.png""#)), "does not lie in this folder"),
        (all(1, 16, case).replace(FORMAT, "coco"), "its format is \"coco\""),
    ] {
        say(&text);
        let error = reason(Predictions::open(folder));
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn images_of_one_name_and_two_formats_have_two_files() {
    assert_eq!(
        ["a.png", "a.jpg", "b.PNG", "c.nii.gz"].map(png_name),
        ["a.png", "a.jpg.png", "b.PNG", "c.nii.gz.png"]
    );
}
