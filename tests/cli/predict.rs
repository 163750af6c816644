//! `himix predict`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::{folder, png, put};
use crate::model::{bundle, grey, picture, put_picture, read_tensors};
use crate::program::himix;

const PICTURES: [&str; 6] =
    ["mask.png", "probability.png", "overlay.png", "stage_7.png", "stage_14.png", "stage_28.png"];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn pictures_and_json_of_every_format() {
    let folder = folder();
    for name in ["chest.png", "chest.jpg", "chest.tif"] {
        let image = put_picture(&folder, name, 96, 64);
        let out = folder.path().join(format!("{name}-out"));
        let prompt = "Infection, left lung";
        let object = himix![
            "predict",
            "--model",
            bundle(),
            "--image",
            &image,
            "--prompt",
            prompt,
            "--out",
            &out,
            "--device",
            "cpu",
            "--json",
        ]
        .json();
        check_object(&object, &image, prompt);
        let files: Vec<&str> =
            object["files"].as_array().expect("files").iter().filter_map(Value::as_str).collect();
        let expected = PICTURES.map(|name| out.join(name).to_string_lossy().into_owned());
        assert_eq!(files, expected);
        check_pictures(&out, object["foreground_fraction"].as_f64().expect("a fraction"));
        assert_eq!(fs::read_dir(&out).expect("the folder").count(), PICTURES.len(), "nothing else is left there");
    }
}

fn check_object(object: &Value, image: &Path, prompt: &str) {
    assert_eq!(
        keys(object),
        [
            "image",
            "prompt",
            "tokens",
            "device",
            "threshold",
            "foreground_fraction",
            "scores",
            "description",
            "agreement",
            "presence",
            "domain",
            "warnings",
            "mask",
            "sigma",
            "layer_weights",
            "milliseconds",
            "files"
        ]
    );
    assert_eq!(object["image"], image.to_string_lossy().as_ref());
    assert_eq!(object["prompt"], prompt);
    assert_eq!(object["tokens"], serde_json::json!({ "read": ["infection", ",", "left", "lung"], "dropped": [] }));
    assert!(object["device"].as_str().is_some_and(|name| name.starts_with("CPU")));
    assert_eq!(object["threshold"], 0.5);
    assert_eq!(object["scores"], Value::Null);
    // These are the values of the deterministic weights.
    assert_eq!(object["sigma"], serde_json::json!({ "7": 6.18, "14": 4.7, "28": 0.95 }));
    assert_eq!(keys(&object["layer_weights"]), ["7", "14", "28"]);
    for (grid, layer) in [("7", 3), ("14", 2), ("28", 1)] {
        assert_eq!(object["layer_weights"][grid], serde_json::json!([{ "layer": layer, "weight": 1.0 }]));
    }
    assert_eq!(keys(&object["milliseconds"]), ["vision", "text", "decoder", "total"]);
    let total = object["milliseconds"]["total"].as_f64().expect("a time");
    assert!(object["milliseconds"]["vision"].as_f64().is_some_and(|vision| vision > 0.0 && vision < total));
}

fn check_pictures(out: &Path, foreground_fraction: f64) {
    let mask = grey(&out.join("mask.png"));
    assert!(mask.iter().all(|value| [0, 255].contains(value)));
    let foreground = mask.iter().filter(|value| **value == 255).count();
    assert!(foreground > 0 && foreground < mask.len(), "a mask that tells something: {foreground}");
    assert!((foreground as f64 / mask.len() as f64 - foreground_fraction).abs() < 1e-12);
    let probability = image::open(out.join("probability.png")).expect("probability");
    assert_eq!(probability.color(), image::ColorType::L16);
    let probability = probability.into_luma16();
    assert_eq!(probability.dimensions(), (96, 64));
    assert!(probability.iter().zip(&mask).all(|(p, mask)| (*p >= 32_768) == (*mask == 255)));
    let overlay = image::open(out.join("overlay.png")).expect("overlay");
    assert_eq!((overlay.color(), overlay.width(), overlay.height()), (image::ColorType::Rgb8, 96, 64));
    for stage in [7, 14, 28] {
        let map = grey(&out.join(format!("stage_{stage}.png")));
        assert_eq!(map.len(), 96 * 64);
        assert!(map.iter().max() > map.iter().min(), "stage {stage} is flat");
    }
}

#[test]
fn a_mask_gives_scores_and_colours() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 80, 60);
    let truth = image::GrayImage::from_fn(80, 60, |x, y| image::Luma([if x + y < 60 { 255 } else { 0 }]));
    let path = folder.path().join("truth.png");
    truth.save(&path).expect("a mask");
    let out = folder.path().join("out");
    let call = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--prompt", "lung"].map(Into::into).to_vec();
        for (name, path) in [("--model", bundle()), ("--image", &image), ("--mask", &path), ("--out", &out)] {
            arguments.extend([name.into(), path.into()]);
        }
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let object = call(&["--json"]).json();
    let mask = grey(&out.join("mask.png"));
    let count = |predicted: bool, real: bool| {
        let pixels = mask.iter().zip(truth.iter());
        pixels.filter(|(p, t)| (**p == 255) == predicted && (**t == 255) == real).count() as f64
    };
    let (hits, extra, missed) = (count(true, true), count(true, false), count(false, true));
    assert!(hits > 0.0 && extra > 0.0 && missed > 0.0, "every colour is met: {hits} {extra} {missed}");
    let scores = &object["scores"];
    assert_eq!(keys(scores), ["dice", "iou", "true_positive", "false_positive", "false_negative"]);
    let near = |key: &str, value: f64| (scores[key].as_f64().expect("a score") - value).abs() < 1e-12;
    assert!(near("true_positive", hits) && near("false_positive", extra) && near("false_negative", missed));
    assert!(
        near("dice", 2.0 * hits / (2.0 * hits + extra + missed)) && near("iou", hits / (hits + extra + missed))
    );

    let overlay = image::open(out.join("overlay.png")).expect("overlay").into_rgb8();
    let picture = picture(80, 60);
    for (index, pixel) in overlay.pixels().enumerate() {
        let grey = picture.as_raw()[index];
        let [r, g, b] = pixel.0;
        let is_as_said = match (mask[index] == 255, truth.as_raw()[index] == 255) {
            (true, true) => r >= g && g > b && b <= grey,
            (false, true) => r > g && r > b,
            (true, false) => g > r && g > b,
            (false, false) => [r, g, b] == [grey; 3],
        };
        assert!(is_as_said, "pixel {index}: {pixel:?} over {grey}");
    }
    let text = call(&[]).done().out;
    let dice = scores["dice"].as_f64().expect("a score");
    assert!(
        text.contains("per image") && text.contains(&format!("Dice {dice:.3},")) && text.contains("overlay.png"),
        "{text}"
    );
    assert!(call(&["--json", "--threshold", "0"]).json()["foreground_fraction"] == 1.0);
}

#[test]
fn several_prompts_share_the_image() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 64, 64);
    let out = folder.path().join("out");
    let array = himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        &image,
        "--prompt",
        "left lung",
        "--prompt",
        "two, right lung",
        "--out",
        &out,
        "--device",
        "cpu",
        "--json",
    ]
    .json();
    let array = array.as_array().expect("an array");
    assert_eq!(array.len(), 2);
    assert_eq!((&array[0]["prompt"], &array[1]["prompt"]), (&"left lung".into(), &"two, right lung".into()));
    assert!(array[0]["milliseconds"]["vision"].as_f64() > Some(0.0));
    assert_eq!(array[1]["milliseconds"]["vision"], 0.0, "the image is not looked at again");
    let read = |index: usize| fs::read(out.join(index.to_string()).join("probability.png")).expect("written");
    assert_ne!(read(0), read(1), "the prompt matters");
    assert!(array[1]["files"][0].as_str().is_some_and(|file| file.ends_with("1/mask.png")));

    himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        &image,
        "--prompt",
        "a",
        "--prompt",
        "b",
        "--activations",
        folder.path().join("a.safetensors"),
    ]
    .refused(&["--activations"]);
}

#[test]
fn prompts_from_a_file_and_how_far_their_masks_agree() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 64, 64);
    let out = folder.path().join("out");
    let list = folder.path().join("prompts.txt");
    fs::write(&list, "two, right lung\n\nleft lung\n").expect("written");
    let call = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--prompt", "left lung", "--prompts"].map(Into::into).to_vec();
        arguments.extend([list.clone().into(), "--model".into(), bundle().into(), "--image".into()]);
        arguments.extend([image.clone().into(), "--out".into(), out.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let ran = call(&["--json"]).done();
    assert!(ran.err.contains("1 line without a prompt was passed over"), "{}", ran.err);
    let array: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let array = array.as_array().expect("an array");
    let prompts: Vec<&str> = array.iter().filter_map(|one| one["prompt"].as_str()).collect();
    assert_eq!(prompts, ["left lung", "two, right lung", "left lung"]);
    // The matrix and the map follow from the masks that were written.
    let grey = |name: &str| image::open(out.join(name)).expect("a picture").into_luma16().into_raw();
    let masks: Vec<Vec<bool>> =
        (0..3).map(|index| grey(&format!("{index}/mask.png")).iter().map(|value| *value > 0).collect()).collect();
    let both = masks[0].iter().zip(&masks[1]).filter(|(a, b)| **a && **b).count() as f64;
    let sizes = masks.iter().map(|mask| mask.iter().filter(|is| **is).count() as f64).collect::<Vec<_>>();
    let dice = if sizes[0] + sizes[1] > 0.0 { 2.0 * both / (sizes[0] + sizes[1]) } else { 1.0 };
    let found: Vec<Vec<f64>> = array
        .iter()
        .map(|one| {
            one["pairwise_dice"].as_array().expect("a row").iter().filter_map(|cell| cell.as_f64()).collect()
        })
        .collect();
    let expected = [[1.0, dice, 1.0], [dice, 1.0, dice], [1.0, dice, 1.0]];
    // Reading a number from JSON may round its last digit.
    let is_close = |row: &Vec<f64>, expected: &[f64; 3]| {
        row.len() == 3 && row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    };
    assert!(
        found.iter().zip(&expected).all(|(row, expected)| is_close(row, expected)),
        "{found:?}, not {expected:?}"
    );
    let expected: Vec<u16> = (0..64 * 64)
        .map(|at| (masks.iter().filter(|mask| mask[at]).count() as f64 / 3.0 * 65535.0).round() as u16)
        .collect();
    assert_eq!(grey("disagreement.png"), expected);
    assert!(array[1]["disagreement_map"].as_str().is_some_and(|file| file.ends_with("disagreement.png")));
    let table = fs::read_to_string(out.join("pairwise_dice.csv")).expect("text");
    assert!(table.starts_with("number,prompt,0,1,2\n0,left lung,1.000000,"), "{table}");
    let text = call(&[]).done().out;
    assert!(text.contains("pairwise Dice of the 3 masks") && text.contains("disagreement.png"), "{text}");

    fs::write(&list, "\n").expect("written");
    call(&[]).failed(2, &["prompts.txt", "it has no prompt"]);
    fs::write(&list, "lung\n".repeat(300)).expect("written");
    call(&[]).failed(2, &["301 prompts are too many"]);
    fs::remove_file(&list).expect("removed");
    call(&[]).failed(2, &["prompts.txt"]);
    let table = folder.path().join("prompts.csv");
    fs::write(&table, "Image,Description\nchest.png,left lung\nother.png,lung\n").expect("written");
    let object =
        himix!["predict", "--model", bundle(), "--image", &image, "--prompts", table, "--json", "--device", "cpu"];
    assert_eq!(object.json()["prompt"], "left lung");
    himix!["predict", "--model", bundle(), "--image", &image].refused(&["--prompt"]);
}

#[test]
fn without_a_folder_nothing_is_written() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    let ran =
        himix!["predict", "--model", bundle(), "--image", &image, "--prompt", "lung", "--device", "cpu"].done();
    assert!(ran.out.contains("foreground") && !ran.out.contains("written"), "{}", ran.out);
    assert!(ran.err.is_empty(), "{}", ran.err);
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

/// Mesa's device selection complains on standard error where nobody is logged in; drivers are asked only where there may be a GPU.
#[cfg(target_os = "linux")]
#[test]
fn without_a_graphics_device_no_driver_is_asked() {
    if ["/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/mali0", "/dev/kgsl-3d0"]
        .iter()
        .any(|node| Path::new(node).exists())
    {
        return;
    }
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_himix"))
        .args(["predict", "--prompt", "lung", "--model"])
        .arg(bundle())
        .arg("--image")
        .arg(&image)
        .env_remove("XDG_RUNTIME_DIR")
        .env_remove("NODEVICE_SELECT")
        .output()
        .expect("the program starts");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_folder_that_cannot_be_made_is_a_failure() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        &image,
        "--prompt",
        "lung",
        "--out",
        &image,
        "--device",
        "cpu"
    ]
    .failed(1, &["chest.png", "folder"]);
}

#[test]
fn empty_and_endless_prompts_work_and_say_so() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    let call = |prompt: &str, more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--model"].map(Into::into).to_vec();
        arguments.extend([
            bundle().into(),
            "--image".into(),
            image.clone().into(),
            "--prompt".into(),
            prompt.into(),
        ]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments).done()
    };
    let empty = call("", &[]);
    assert!(empty.err.contains("prompt is empty") && empty.err.lines().count() == 1, "{}", empty.err);
    let endless = "infection ".repeat(10_000);
    let ran = call(&endless, &[]);
    assert!(ran.err.contains("9978") && ran.err.contains("not read"), "{}", ran.err);
    assert!(ran.err.len() < 1000 && ran.out.len() < 3000, "10,000 words are not all repeated");
    let tokens = call(&endless, &["--json"]).json()["tokens"].clone();
    let length = |key: &str| tokens[key].as_array().map(Vec::len);
    assert_eq!((length("read"), length("dropped")), (Some(22), Some(9978)));
}

#[test]
fn unusual_kinds_of_pixels_work() {
    let folder = folder();
    let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(20, 10, |x, y| {
        image::Luma([(x * 900 + y * 3000) as u16])
    });
    deep.save(folder.path().join("deep.png")).expect("a picture");
    put(&folder, "palette.png", &png(2, 2, 8, 3, &[0, 0, 0, 255, 0, 0, 0, 0, 255], &[&[0, 1], &[2, 1]]));
    put(&folder, "alpha.png", &png(2, 2, 8, 4, &[], &[&[10, 255, 200, 255], &[90, 0, 30, 128]]));
    for name in ["deep.png", "palette.png", "alpha.png"] {
        let (image, out) = (folder.path().join(name), folder.path().join("out"));
        let object = himix![
            "predict",
            "--model",
            bundle(),
            "--image",
            image,
            "--prompt",
            "lung",
            "--out",
            &out,
            "--device",
            "cpu",
            "--json",
        ]
        .json();
        assert_eq!(object["files"].as_array().map(Vec::len), Some(6), "{name}");
    }
}

#[test]
fn activations_are_written_and_can_be_verified() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 50, 70);
    let path = folder.path().join("activations.safetensors");
    let object = himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        image,
        "--prompt",
        "left lung",
        "--activations",
        &path,
        "--device",
        "cpu",
        "--json",
    ]
    .json();
    assert_eq!(object["files"], serde_json::json!([path.to_string_lossy()]));
    let tensors = read_tensors(&path);
    assert_eq!(tensors["input.image"].1, [1, 3, 224, 224]);
    assert_eq!(tensors["input.ids"].1, [1, 24]);
    assert_eq!(tensors["input.mask"].1, [1, 24]);
    for name in ["vision.hidden.4", "text.hidden", "stage3.asrm", "stage1.decoded", "subpixel", "probability"] {
        assert!(tensors.contains_key(name), "{name}");
    }
    let verified = himix!["verify", "--model", bundle(), "--reference", path, "--device", "cpu"].done();
    assert!(verified.out.contains("passed"), "{}", verified.out);
}

#[test]
fn an_image_is_seen_once_and_a_prompt_read_once() {
    use himix::device::DeviceChoice;
    use himix::infer::{ModelSource, Predictor};
    let folder = folder();
    let open = |name: &str, side: u32| {
        let path = folder.path().join(name);
        crate::model::picture(side, side).save(&path).expect("a picture");
        himix::data::image::load(&path).expect("an image")
    };
    let (first, other) = (open("first.png", 40), open("other.png", 50));
    let mut predictor = Predictor::open(&ModelSource::new(bundle()), DeviceChoice::Cpu).expect("opens");
    let mut parts = |image: &himix::data::Image, prompt: &str| {
        let prediction = predictor.predict(image, prompt).expect("a prediction");
        let times = prediction.milliseconds;
        (times.vision > 0.0, times.text > 0.0, prediction.probability.values)
    };
    let (seen, read, fresh) = parts(&first, "left lung");
    assert!(seen && read, "everything is new");
    let (seen, read, _) = parts(&first, "right lung");
    assert!(!seen && read, "the image is known, the prompt is not");
    let (seen, read, cached) = parts(&first, "left lung");
    assert!(!seen && !read, "both are known");
    assert_eq!(fresh, cached, "from the caches comes the same to the last bit");
    let (seen, read, _) = parts(&other, "LEFT  lung");
    assert!(seen && !read, "the prompt's tokens are known, the image is not");
}

#[test]
fn the_uncertainty_is_a_map_of_ten_predictions() {
    let folder = folder();
    let image = folder.path().join("chest.png");
    crate::model::picture(60, 48).save(&image).expect("a picture");
    let map = folder.path().join("uncertainty.png");
    let predict = |more: &[&std::ffi::OsStr]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--prompt", "left lung", "--model"].map(Into::into).to_vec();
        arguments.extend([bundle().into(), "--image".into(), image.clone().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let object = predict(&["--uncertainty".as_ref(), map.as_ref(), "--json".as_ref()]).json();
    let found = &object["uncertainty"];
    assert_eq!(found["predictions"], 10);
    assert_eq!(object["files"], serde_json::json!([map.to_string_lossy()]));
    let grey = image::open(&map).expect("a map").into_luma16();
    assert_eq!(grey.dimensions(), (224, 224), "the network's resolution");
    let most = grey.pixels().map(|pixel| pixel.0[0]).max().expect("pixels");
    let largest = found["largest_deviation"].as_f64().expect("a number");
    assert!(largest > 0.0 && largest <= 0.5, "{found}");
    assert!((f64::from(most) / 65_535.0 * 0.5 - largest).abs() < 1e-4, "{most} {found}");
    let text = predict(&["--uncertainty".as_ref(), map.as_ref()]).done().out;
    assert!(text.contains("uncertainty") && text.contains("10 predictions"), "{text}");
    predict(&["--uncertainty".as_ref(), map.as_ref(), "--prompt".as_ref(), "right lung".as_ref()])
        .refused(&["--uncertainty takes one --prompt, not 2"]);
}
