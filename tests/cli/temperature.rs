//! `himix temperature`.

use std::fs;

use serde_json::Value;

use crate::evaluate::data_set;
use crate::files::folder;
use crate::presence::copied;
use crate::program::himix;

#[test]
fn a_temperature_is_fitted_and_kept_in_the_configuration() {
    let folder = folder();
    let data = folder.path().join("set");
    data_set(&data);
    let model = copied(folder.path());
    let before = fs::read_to_string(model.join("config.json")).expect("a configuration");
    let fit = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["temperature", "--device", "cpu", "--split", "test", "--json", "--model"].map(Into::into).to_vec();
        arguments.extend([model.as_path().into(), "--data".into(), data.as_path().into()]);
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments).json()
    };
    let number = |object: &Value, key: &str| object[key].as_f64().expect("a number");
    let found = fit(&[]);
    assert_eq!(
        (&found["images"], &found["temperature_before"], &found["written"]),
        (&3.into(), &1.0.into(), &Value::Null)
    );
    assert_eq!(fs::read_to_string(model.join("config.json")).expect("text"), before, "nothing is written unasked");
    let temperature = number(&found, "temperature");
    assert!(temperature > 0.05 && temperature < 20.0 && found["is_at_limit"] == false, "{found}");

    let kept = fit(&["--write"]);
    assert!(kept["written"].as_str().is_some_and(|path| path.ends_with("config.json")), "{kept}");
    let config: Value =
        serde_json::from_slice(&fs::read(model.join("config.json")).expect("a configuration")).expect("JSON");
    assert_eq!(number(&config, "temperature"), temperature);
    let mut without = config;
    without.as_object_mut().expect("an object").shift_remove("temperature");
    assert_eq!(without, serde_json::from_str::<Value>(&before).expect("JSON"), "the rest stays");

    // The fit does not depend on the temperature that the model has.
    let again = fit(&[]);
    assert_eq!(number(&again, "temperature_before"), temperature);
    assert!((number(&again, "temperature") / temperature - 1.0).abs() < 0.01, "{again}");
    assert!((number(&again, "expected_error_before") - number(&found, "expected_error")).abs() < 0.01, "{again}");
}

#[test]
fn a_fit_that_ends_at_the_limit_is_said_and_not_kept() {
    let folder = folder();
    let data = folder.path().join("set");
    data_set(&data);
    // Masks that contradict the model: the flatter its probabilities, the better.
    for index in 0..3 {
        let path = data.join(format!("test/GTs/mask_{index}.png"));
        let mut mask = image::open(&path).expect("a mask").into_luma8();
        image::imageops::invert(&mut mask);
        mask.save(&path).expect("a mask");
    }
    let model = copied(folder.path());
    let before = fs::read_to_string(model.join("config.json")).expect("a configuration");
    let ran =
        himix!["temperature", "--device", "cpu", "--model", &model, "--data", &data, "--split", "test", "--json"]
            .done();
    let found: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&found["temperature"], &found["is_at_limit"]), (&20.0.into(), &true.into()));
    assert!(ran.err.contains("ended at the limit 20"), "{}", ran.err);
    himix!["temperature", "--device", "cpu", "--model", &model, "--data", &data, "--split", "test", "--write"]
        .refused(&["ended at the limit 20", "nothing was written"]);
    assert_eq!(fs::read_to_string(model.join("config.json")).expect("text"), before);
}

#[test]
fn what_cannot_be_kept_or_fitted_is_refused() {
    let folder = folder();
    let data = folder.path().join("set");
    data_set(&data);
    himix!["temperature", "--data", &data, "--split", "test", "--write"].refused(&["no configuration of its own"]);
    for index in 0..3 {
        let empty = image::GrayImage::new(60 + 10 * index, 48);
        empty.save(data.join(format!("test/GTs/mask_{index}.png"))).expect("a mask");
    }
    let model = copied(folder.path());
    himix!["temperature", "--device", "cpu", "--model", &model, "--data", &data, "--split", "test"]
        .refused(&["foreground and background"]);
}
