//! `himix evaluate`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::folder;
use crate::model::{bundle, picture};
use crate::program::{Ran, himix};

const PROMPTS: [&str; 3] = ["left lung", "two areas, right lung", "upper left lung"];

/// Writes three images and masks in the authors' layout.
pub fn data_set(root: &Path) {
    for part in ["prompt", "test/Images", "test/GTs"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for (index, prompt) in PROMPTS.iter().enumerate() {
        let (width, height) = (60 + 10 * index as u32, 48);
        picture(width, height).save(root.join(format!("test/Images/{index}.png"))).expect("a picture");
        let mask = image::GrayImage::from_fn(width, height, |x, y| {
            image::Luma([if x + 2 * y > 50 + 10 * index as u32 { 255 } else { 0 }])
        });
        mask.save(root.join(format!("test/GTs/mask_{index}.png"))).expect("a mask");
        table += &format!("{index}.png,\"{prompt}\"\n");
    }
    fs::write(root.join("prompt/test.csv"), table).expect("a table");
}

fn evaluate(root: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> =
        ["evaluate", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.extend([bundle().into(), "--data".into(), root.into(), "--split".into(), "test".into()]);
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn close(value: &Value, expected: f64) -> bool {
    (value.as_f64().expect("a number") - expected).abs() < 1e-9
}

/// Masks of 10, 60, 60, 400, 2000 and 0 of 2880 pixels.
#[test]
fn scores_are_given_by_the_size_of_the_lesion() {
    let folder = folder();
    let root = folder.path();
    for kind in ["prompt", "test/Images", "test/GTs"] {
        fs::create_dir_all(root.join(kind)).expect("a folder");
    }
    let mut rows = "Image,Description\n".to_owned();
    let sizes = [10, 60, 60, 400, 2000, 0];
    for (index, size) in sizes.into_iter().enumerate() {
        picture(60, 48).save(root.join(format!("test/Images/sub-{index}_a.png"))).expect("a picture");
        let mask =
            image::GrayImage::from_fn(60, 48, |x, y| image::Luma([if y * 60 + x < size { 255 } else { 0 }]));
        mask.save(root.join(format!("test/GTs/mask_sub-{index}_a.png"))).expect("a mask");
        rows += &format!("sub-{index}_a.png,\"{}\"\n", PROMPTS[0]);
    }
    fs::write(root.join("prompt/test.csv"), rows).expect("a table");
    let table = root.join("scores.csv");
    let object = evaluate(root, &["--json", "--threshold", "0.3", "--csv", &table.to_string_lossy()]).json();

    let mut rows = csv::Reader::from_path(&table).expect("the table");
    let header = rows.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|other| other == name).expect(name);
    let [hit, extra, missed, share] =
        ["true_positive", "false_positive", "false_negative", "lesion_share"].map(column);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    let number = |row: usize, column: usize| rows[row][column].parse::<f64>().expect("a number");
    for (row, size) in sizes.into_iter().enumerate() {
        assert!((number(row, share) - f64::from(size) / 2880.0).abs() < 1e-6);
    }
    let dice = |members: &[usize]| {
        let sum = |column: usize| members.iter().map(|row| number(*row, column)).sum::<f64>();
        2.0 * sum(hit) / (2.0 * sum(hit) + sum(extra) + sum(missed))
    };
    let groups = object["by_lesion_size"].as_array().expect("groups");
    let members: [&[usize]; 4] = [&[0], &[1, 2], &[3], &[4]];
    assert_eq!(groups.len(), 4);
    for (group, members) in groups.iter().zip(members) {
        assert_eq!((&group["count"], &group["subjects"]), (&members.len().into(), &members.len().into()));
        assert!(close(&group["pooled"]["dice"], dice(members)), "{group}");
        let mean = members.iter().map(|row| dice(&[*row])).sum::<f64>() / members.len() as f64;
        assert!(close(&group["per_image"]["dice"], mean), "{group}");
        assert_eq!(group["per_image"]["dice_low"].is_null(), members.len() == 1, "one subject has no interval");
    }
    let without = &object["without_lesion"];
    assert_eq!(without["count"], 1);
    assert!(close(&without["false_positive_area"], number(5, extra) / 2880.0));
    assert_eq!(without["marked"], u64::from(number(5, extra) > 0.0));

    let text = evaluate(root, &["--threshold", "0.3"]).done().out;
    for row in ["below 0.01 ", "0.01 to 0.05 ", "0.05 to 0.2 ", "from 0.2 ", "no lesion ", "(one subject)"] {
        assert!(text.contains(row), "{row}: {text}");
    }
}

#[test]
fn both_conventions_agree_with_single_predictions() {
    let folder = folder();
    data_set(folder.path());
    let table = folder.path().join("scores.csv");
    let object = evaluate(folder.path(), &["--json", "--csv", &table.to_string_lossy()]).json();
    let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
    let expected = [
        "count",
        "threshold",
        "pooled",
        "per_image",
        "calibration",
        "by_lesion_size",
        "without_lesion",
        "worst",
        "subjects",
        "masks",
        "skipped",
    ];
    assert_eq!(keys, expected);
    for (which, most) in [("all", 48 * (60 + 70 + 80)), ("near_edge", 48 * (60 + 70 + 80) - 1)] {
        let calibration = &object["calibration"][which];
        let bins = calibration["curve"].as_array().expect("bins");
        let pixels = |bin: &Value| bin["pixels"].as_u64().expect("a count");
        let count: u64 = bins.iter().map(pixels).sum();
        assert!(
            bins.len() == 15 && if which == "all" { count == most } else { (1..=most).contains(&count) },
            "{count}"
        );
        let difference = |bin: &Value| match (bin["mean_probability"].as_f64(), bin["foreground_share"].as_f64()) {
            (Some(mean), Some(share)) => pixels(bin) as f64 * (mean - share).abs(),
            _ => 0.0,
        };
        assert!(close(&calibration["expected_error"], bins.iter().map(difference).sum::<f64>() / count as f64));
    }
    assert_eq!(object["calibration"]["near_edge"]["within_pixels"], 10.0);
    assert_eq!(object["worst"].as_array().map(Vec::len), Some(3));
    let found = object["masks"]["found"].as_object().expect("kinds");
    assert_eq!(found.values().filter_map(Value::as_u64).sum::<u64>(), 3, "{found:?}");
    assert_eq!(object["subjects"], Value::Null, "neither the names nor the model say");
    assert_eq!((&object["count"], &object["threshold"]), (&3.into(), &0.5.into()));

    let mut rows = csv::Reader::from_path(&table).expect("the table");
    let header = rows.headers().expect("a header").clone();
    assert_eq!(header.iter().collect::<Vec<_>>()[..4], ["image", "prompt", "dice_per_image", "iou_per_image"]);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    let counts: Vec<[f64; 3]> =
        rows.iter().map(|row| [4, 5, 6].map(|column| row[column].parse().expect("a count"))).collect();
    for (index, prompt) in PROMPTS.iter().enumerate() {
        assert_eq!((&rows[index][0], &rows[index][1]), (format!("{index}.png").as_str(), *prompt));
        let path = |kind: &str, name: String| folder.path().join("test").join(kind).join(name);
        let alone = himix![
            "predict",
            "--model",
            bundle(),
            "--image",
            path("Images", format!("{index}.png")),
            "--mask",
            path("GTs", format!("mask_{index}.png")),
            "--prompt",
            *prompt,
            "--device",
            "cpu",
            "--json",
        ]
        .json();
        for (key, count) in ["true_positive", "false_positive", "false_negative"].iter().zip(counts[index]) {
            assert!(close(&alone["scores"][*key], count), "{key} of image {index}");
        }
    }
    let dice = |[hit, extra, missed]: [f64; 3]| 2.0 * hit / (2.0 * hit + extra + missed);
    let iou = |[hit, extra, missed]: [f64; 3]| hit / (hit + extra + missed);
    let sum = counts.iter().fold([0.0; 3], |sum, one| [0, 1, 2].map(|i| sum[i] + one[i]));
    assert!(close(&object["pooled"]["dice"], dice(sum)) && close(&object["pooled"]["iou"], iou(sum)));
    for (key, score) in [("dice", &dice as &dyn Fn([f64; 3]) -> f64), ("iou", &iou)] {
        let scores: Vec<f64> = counts.iter().map(|one| score(*one)).collect();
        let mean = scores.iter().sum::<f64>() / 3.0;
        let std = (scores.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
        assert!(std > 0.0, "the images differ");
        assert!(close(&object["per_image"][key]["mean"], mean) && close(&object["per_image"][key]["std"], std));
    }
    assert!(!close(&object["pooled"]["dice"], object["per_image"]["dice"]["mean"].as_f64().expect("a mean")));

    let text = evaluate(folder.path(), &[]).done().out;
    assert!(
        text.contains("calibration expected error 0.") && text.contains("within 10 px of an edge 0."),
        "{text}"
    );
    assert!(text.contains("pooled") && text.contains("per image") && text.contains("3 images"), "{text}");
    // Scores are fractions, as everywhere else.
    for score in [&object["pooled"]["dice"], &object["per_image"]["dice"]["mean"], &object["worst"][0]["dice"]] {
        assert!(text.contains(&format!(" {:.3} ", score.as_f64().expect("a score"))), "{score}: {text}");
    }
    assert!(!text.contains('%'), "{text}");
}

#[test]
fn obedience_is_that_of_single_predictions() {
    let folder = folder();
    data_set(folder.path());
    let object = evaluate(folder.path(), &["--obedience", "--json", "--threshold", "0.4"]).json();
    assert_eq!((&object["images"], &object["obeyed_from"]), (&3.into(), &0.5.into()));
    let prompts = object["prompts"].as_array().expect("prompts");
    let names: Vec<&str> = prompts.iter().map(|prompt| prompt["named"].as_str().expect("a name")).collect();
    let expected =
        ["left", "right", "upper left", "upper right", "middle left", "middle right", "lower left", "lower right"];
    assert_eq!(names, expected);
    // The sides, counted from the masks that the program writes.
    for (at, is_left) in [(0, true), (1, false)] {
        let (mut masks, mut obeyed, mut empty) = (0, 0, 0);
        for index in 0..3 {
            let image = folder.path().join(format!("test/Images/{index}.png"));
            let out = folder.path().join(format!("out{at}{index}"));
            himix![
                "predict",
                "--model",
                bundle(),
                "--image",
                &image,
                "--prompt",
                prompts[at]["prompt"].as_str().expect("text"),
                "--threshold",
                "0.4",
                "--device",
                "cpu",
                "--out",
                &out,
            ]
            .done();
            let mask = image::open(out.join("mask.png")).expect("a mask").to_luma8();
            let all = mask.pixels().filter(|pixel| pixel.0[0] > 0).count();
            let half = mask.width() / 2;
            let inside = mask.enumerate_pixels().filter(|(x, _, pixel)| pixel.0[0] > 0 && (*x < half) == is_left);
            let inside = inside.count();
            masks += usize::from(all > 0);
            empty += usize::from(all == 0);
            obeyed += usize::from(all > 0 && 2 * inside >= all);
        }
        let found = ["masks", "obeyed", "empty"].map(|key| prompts[at]["all"][key].as_u64().expect("a count"));
        assert_eq!(found.map(|count| count as usize), [masks, obeyed, empty], "{}", names[at]);
    }
    let sum: u64 = prompts[..2].iter().map(|prompt| prompt["all"]["masks"].as_u64().expect("a count")).sum();
    assert_eq!(object["sides"]["all"]["masks"], sum);
    let text = evaluate(folder.path(), &["--obedience"]).done().out;
    assert!(text.contains("obedience to words of a place (3 images") && text.contains("upper left"), "{text}");
    evaluate(folder.path(), &["--obedience", "--stages"]).refused(&["--obedience"]);
}

#[test]
fn a_mask_of_another_size_is_left_out_and_never_stretched() {
    let folder = folder();
    data_set(folder.path());
    let half = image::GrayImage::from_pixel(40, 24, image::Luma([255]));
    half.save(folder.path().join("test/GTs/mask_2.png")).expect("a mask");
    let ran = evaluate(folder.path(), &["--json"]).done();
    assert!(ran.err.contains("mask_2.png") && ran.err.contains("40x24 but the image is 80x48"), "{}", ran.err);
    assert!(ran.out.contains("\"count\": 2") && ran.out.contains("mask_2.png"), "{}", ran.out);
    let alone = |name: &str| folder.path().join("test").join(name);
    let text = himix!["data", folder.path()].done().out;
    assert!(text.contains("1 mask of another size than its image, left out (2.png: 80x48, mask 40x24)"), "{text}");
    let model = bundle();
    himix![
        "predict",
        "--model",
        &model,
        "--image",
        alone("Images/2.png"),
        "--mask",
        alone("GTs/mask_2.png"),
        "--prompt",
        "x"
    ]
    .failed(2, &["mask_2.png", "40x24 but the image is 80x48"]);
}

#[test]
fn shuffled_prompts_are_those_of_other_images() {
    let folder = folder();
    data_set(folder.path());
    let table = folder.path().join("scores.csv");
    let call = || {
        evaluate(folder.path(), &["--json", "--shuffle-prompts", "1", "--csv", &table.to_string_lossy()]).json()
    };
    let object = call();
    assert_eq!(object["shuffled"], serde_json::json!({ "seed": 1, "same_sentence": 0 }));
    let rows = csv::Reader::from_path(&table).expect("the table").into_records();
    let mut dealt: Vec<String> = rows.map(|row| row.expect("a row")[1].to_owned()).collect();
    assert!(dealt.iter().zip(PROMPTS).all(|(dealt, own)| dealt != own), "{dealt:?}");
    dealt.sort();
    let mut all = PROMPTS.to_vec();
    all.sort_unstable();
    assert_eq!(dealt, all);
    assert_eq!(call(), object, "the same seed deals the same");
    assert!(evaluate(folder.path(), &["--shuffle-prompts", "1"]).done().out.contains("shuffled"));
}

#[test]
fn the_mask_rule_decides_what_is_foreground() {
    let folder = folder();
    data_set(folder.path());
    let path = folder.path().join("test/GTs/mask_0.png");
    let mut mask = image::open(&path).expect("a mask").into_luma8();
    mask.iter_mut().for_each(|value| *value = if *value == 255 { 250 } else { 3 });
    mask.save(&path).expect("a mask");
    let pooled =
        |rule: &str| evaluate(folder.path(), &["--json", "--mask-rule", rule]).json()["pooled"]["dice"].clone();
    assert_ne!(pooled("half"), pooled("exactly-255"));
    evaluate(folder.path(), &["--mask-rule", "some"]).refused(&["--mask-rule"]);
}

#[test]
fn bad_data_sets_are_refused() {
    let folder = folder();
    data_set(folder.path());
    let put_table = |text: &str| fs::write(folder.path().join("prompt/test.csv"), text).expect("a table");
    put_table("Picture,Text\n0.png,lung\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "Image, Description", "Picture, Text"]);
    put_table("Image,Description\n0.png,lung\ngone.png,lung\n");
    let ran = evaluate(folder.path(), &["--json"]).done();
    assert!(ran.err.contains("line 3: gone.png") && ran.out.contains("\"count\": 1"), "{}", ran.err);
    put_table("Image,Description\ngone.png,lung\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "line 2", "gone.png", "1 of 1"]);
    put_table("Image,Description\n");
    evaluate(folder.path(), &[]).refused(&["test.csv", "no rows"]);
    fs::remove_file(folder.path().join("prompt/test.csv")).expect("removed");
    let ran = evaluate(folder.path(), &["--json"]).done();
    assert!(ran.err.contains("empty prompt"), "a split without a table has empty prompts: {}", ran.err);
    fs::remove_dir_all(folder.path().join("test")).expect("removed");
    evaluate(folder.path(), &[]).refused(&["no images were found"]);
    data_set(folder.path());
    fs::write(folder.path().join("test/Images/1.png"), "no picture").expect("written");
    let ran = evaluate(folder.path(), &["--json"]).done();
    assert!(ran.err.contains("1.png") && ran.err.contains("not an image"), "{}", ran.err);
    assert!(ran.out.contains("\"count\": 2"), "the others are scored: {}", ran.out);
    data_set(folder.path());
    let blocked = folder.path().join("nowhere/scores.csv");
    evaluate(folder.path(), &["--csv", &blocked.to_string_lossy()]).failed(1, &["scores.csv"]);
}

#[test]
fn subjects_of_the_training_are_told_apart_and_pictures_written() {
    let folder = folder();
    data_set(folder.path());
    let root = folder.path();
    for (from, to) in [("0", "sub-S1_a"), ("1", "sub-S2_b")] {
        fs::rename(root.join(format!("test/Images/{from}.png")), root.join(format!("test/Images/{to}.png")))
            .expect("moved");
        fs::rename(root.join(format!("test/GTs/mask_{from}.png")), root.join(format!("test/GTs/mask_{to}.png")))
            .expect("moved");
    }
    let table = "Image,Description\nsub-S1_a.png,left lung\nsub-S2_b.png,right lung\n";
    fs::write(root.join("prompt/test.csv"), table).expect("a table");
    // A model that was trained on the first subject.
    let model = root.join("model");
    fs::create_dir(&model).expect("a folder");
    for name in ["model.safetensors", "vocab.txt"] {
        fs::copy(bundle().join(name), model.join(name)).expect("copied");
    }
    let mut config = crate::model::config();
    config["provenance"]["subjects"] = serde_json::json!([himix::data::subject_code("sub-S1"), "00000000"]);
    fs::write(model.join("config.json"), config.to_string()).expect("a configuration");
    let pictures = root.join("pictures");
    let run = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["evaluate", "--device", "cpu", "--split", "test", "--model"].map(Into::into).to_vec();
        arguments.extend([model.clone().into(), "--data".into(), root.into()]);
        arguments.extend(["--overlays".into(), pictures.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let object = run(&["--json"]).json();
    assert_eq!(object["subjects"]["seen_in_training"], serde_json::json!(["sub-S1_a.png"]));
    assert_eq!(object["subjects"]["without_them"]["count"], 1);
    let (all, median) = (&object["per_image"]["dice"], &object["per_image"]["dice"]["median"]);
    assert!(close(median, all["mean"].as_f64().expect("a number")), "of two, the median is the mean: {all}");
    let overlay = image::open(pictures.join("sub-S1_a.png")).expect("a picture");
    assert_eq!((overlay.width(), overlay.height()), (60, 48));
    let said = run(&["--worst", "1"]).done().out;
    assert!(said.contains("1 image is of a subject") && said.contains("worst by Dice per image"), "{said}");
    assert!(said.contains("HD95") && said.contains("median"), "{said}");

    // An image that cannot be read is left out and named; if none can be read, it is an error.
    fs::write(root.join("test/Images/sub-S2_b.png"), "no picture").expect("written");
    let ran = run(&["--json"]).done();
    assert!(ran.err.contains("sub-S2_b.png"), "{}", ran.err);
    fs::write(root.join("test/Images/sub-S1_a.png"), "no picture").expect("written");
    run(&[]).failed(2, &["none of the 2 images", "sub-S1_a.png"]);
}

#[test]
fn a_set_is_scored_to_the_same_bits_on_any_number_of_threads() {
    let folder = folder();
    let data = folder.path().join("phantoms");
    himix!["phantoms", "--out", &data, "--count", "40", "--side", "96"].done();
    let images = data.join("train/Images");
    let mut names: Vec<_> =
        fs::read_dir(&images).expect("images").map(|entry| entry.expect("a name").path()).collect();
    names.sort();
    fs::write(&names[names.len() / 2], "no picture").expect("written");
    for model in [bundle().as_os_str(), "bundled".as_ref()] {
        let mut first = None;
        for threads in ["1", "2", "3"] {
            let (table, pictures) =
                (folder.path().join("scores.csv"), folder.path().join(format!("pictures{threads}")));
            let mut arguments: Vec<std::ffi::OsString> =
                ["evaluate", "--device", "cpu", "--split", "train", "--json", "--model"].map(Into::into).to_vec();
            arguments.extend([model.into(), "--data".into(), data.clone().into(), "--csv".into()]);
            arguments.extend([table.clone().into(), "--overlays".into(), pictures.clone().into()]);
            let ran = crate::program::run_with(&[("RAYON_NUM_THREADS", threads)], arguments).done();
            assert!(ran.err.contains("left out: ") && ran.out.contains("not an image"), "{}", ran.err);
            let picture = |path: &Path| fs::read(pictures.join(path.file_name().expect("a name"))).ok();
            let drawn: Vec<_> = names.iter().map(|path| picture(path)).collect();
            assert_eq!(drawn.iter().flatten().count(), names.len() - 1);
            let result = (ran.out, ran.err, fs::read(&table).expect("the table"), drawn);
            let first = first.get_or_insert_with(|| result.clone());
            assert!(*first == result, "{threads} threads: {}", result.0);
        }
    }
}
