//! Whoever wants masks gets a model injected: evaluation, sweeps and studies, with one that has no weights.

use std::ops::ControlFlow;
use std::path::Path;

use himix::data::Dataset;
use himix::device::DeviceChoice;
use himix::engine::{Pending, Study, StudyAnswer, StudyRequest, SweepOver};
use himix::infer::{
    EvaluationSettings, ModelSource, Overrides, Parameter, Segmenter, SweepCase, evaluate, local, sweep,
};

use super::fake::{FakeModel, HEIGHT, WIDTH};
use super::{answer, engine, image, message};

/// Two pictures whose upper half is lesion, with their prompts.
fn dataset(folder: &Path) -> Dataset {
    let test = folder.join("test");
    for part in ["Images", "GTs"] {
        std::fs::create_dir_all(test.join(part)).expect("a folder");
    }
    for name in ["a.png", "b.png"] {
        let grey = image::GrayImage::from_pixel(WIDTH as u32, HEIGHT as u32, image::Luma([90]));
        grey.save(test.join("Images").join(name)).expect("written");
        let truth = image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |_, y| {
            image::Luma([if (y as usize) < HEIGHT / 2 { 255 } else { 0 }])
        });
        truth.save(test.join("GTs").join(name)).expect("written");
    }
    std::fs::create_dir(folder.join("prompt")).expect("a folder");
    let table = "Image,Description\na.png,left lung\nb.png,right lung\n";
    std::fs::write(folder.join("prompt/test.csv"), table).expect("written");
    Dataset::open(folder, "test").expect("a data set")
}

#[test]
fn a_split_is_evaluated_with_any_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = dataset(folder.path());
    let mut model = FakeModel { has_linear_probes: true, ..FakeModel::default() };
    let settings = EvaluationSettings { stages: true, ..EvaluationSettings::default() };
    let go_on = |_, _| ControlFlow::Continue(());
    let evaluation = evaluate(&mut model, &dataset, settings, go_on, |_| Ok(())).expect("scores");
    assert_eq!(evaluation.images.len(), 2);
    // The left half against the upper half.
    assert!((evaluation.pooled().dice() - 0.5).abs() < 1e-9);
    assert_eq!(evaluation.stages().len(), 3);
    assert_eq!(model.all_prompts(), ["left lung", "right lung"]);
    let mut refusing = FakeModel { refuses_masks: true, ..FakeModel::default() };
    let failed = evaluate(&mut refusing, &dataset, settings, go_on, |_| Ok(()));
    assert_eq!(failed.expect_err("a refusal").to_string(), "this model makes no masks");
}

#[test]
fn a_value_is_swept_with_any_model() {
    let mut model = FakeModel::default();
    let overrides = model.info().overrides;
    let case = || Ok(SweepCase { image: image(), prompt: "left lung".into(), truth: None });
    let go_on = |_| ControlFlow::Continue(());
    let values = [1.0, 5.0];
    let swept = sweep(&mut model, &overrides, Parameter::Sigma(0), &values, 0.5, &[Box::new(case)], go_on);
    let swept = swept.expect("a sweep").expect("it was not cancelled");
    // Sigma moves the edge of the fake's lesion.
    let areas: Vec<f64> = swept.points.iter().map(|point| point.area).collect();
    assert!((areas[0] - 6.0 / 64.0).abs() < 1e-9 && (areas[1] - 0.5).abs() < 1e-9, "{areas:?}");
    let none = sweep(&mut model, &Overrides::default(), Parameter::Sigma(9), &values, 0.5, &[], go_on);
    assert!(none.expect_err("no such value").to_string().contains("no such value"));
}

#[test]
fn a_study_opens_its_model_by_what_the_engine_was_given() {
    let (mut engine, _) = engine(&FakeModel::default());
    let mut study = |name: &str, work| {
        let request = StudyRequest { source: ModelSource::new(name), device: DeviceChoice::Cpu, work };
        let mut pending = Pending::default();
        engine.study(&mut pending, "a study", request).expect("a thread");
        answer(&mut pending)
    };
    let sweep = || Study::Sweep {
        overrides: FakeModel::default().info().overrides,
        parameter: Parameter::Sigma(0),
        values: vec![1.0, 5.0],
        threshold: 0.5,
        over: SweepOver::Picture { image: image(), seen: None, prompt: "x".into(), truth: None },
    };
    let Ok(StudyAnswer::Swept(swept)) = study("demo", sweep()) else { panic!("a sweep") };
    assert_eq!((swept.points.len(), swept.cases), (2, 1));
    assert!(message(study("missing", sweep())).contains("there is no such model"));
    // The fake's weights lie nowhere.
    let save = Study::Save { overrides: Overrides::default(), folder: "nowhere".into() };
    assert_eq!(message(study("demo", save)), "fake does not lie on this computer: its weights cannot be written");
}

#[test]
fn what_only_a_model_of_this_computer_can_do_is_refused_in_words() {
    let mut model = FakeModel::default();
    let refused = local(&mut model, "its tensors cannot be read").err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("fake does not lie on this computer: its tensors cannot be read"));
}
