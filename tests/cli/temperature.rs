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
    assert!((0.05..=20.0).contains(&temperature), "{found}");

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
