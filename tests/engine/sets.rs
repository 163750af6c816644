//! Sets are computed side by side where a model can be shared, with the results and calls of one image after the other.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use himix::data::{Dataset, Image, Mask, Pixels};
use himix::infer::{
    Evaluation, EvaluationSettings, Parameter, ReadCase, Segmenter, Shown, SweepCase, SweepResult, evaluate, sweep,
};

use super::fake::FakeModel;

const IMAGES: usize = 9;

/// Runs `test` where this number of threads is available.
fn on<T: Send>(threads: usize, test: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(test)
}

fn model(is_shared: bool) -> FakeModel {
    FakeModel { is_shared, has_linear_probes: true, ..FakeModel::default() }
}

/// Images of different sizes, whose masks have different scores. Two of them cannot be read.
fn dataset(folder: &Path) -> Dataset {
    let test = folder.join("test");
    for part in [test.join("Images"), test.join("GTs"), folder.join("prompt")] {
        std::fs::create_dir_all(part).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for number in 0..IMAGES as u32 {
        let (width, height, name) = (20 + 7 * number, 30 - number, format!("{number}.png"));
        let image = image::GrayImage::from_pixel(width, height, image::Luma([90 + number as u8]));
        let mask =
            image::GrayImage::from_fn(width, height, |x, _| image::Luma([if x < 5 + number { 255 } else { 0 }]));
        image.save(test.join("Images").join(&name)).expect("written");
        mask.save(test.join("GTs").join(&name)).expect("written");
        table += &format!("{name},prompt {number}\n");
    }
    std::fs::write(folder.join("prompt/test.csv"), table).expect("a table");
    let dataset = Dataset::open(folder, "test").expect("a data set");
    std::fs::write(test.join("Images/3.png"), "no picture").expect("written");
    std::fs::write(test.join("GTs/6.png"), "no picture").expect("written");
    dataset
}

/// The calls of an evaluation, in their order, and its result.
fn evaluated(model: &mut FakeModel, dataset: &Dataset, end: usize) -> (Vec<String>, Result<Evaluation, String>) {
    let calls = std::sync::Mutex::new(Vec::new());
    let said = |text: String| calls.lock().expect("nothing panicked").push(text);
    let progress = |done: usize, count: usize| {
        said(format!("{done} of {count}"));
        if done < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let show = |Shown { sample, image, predicted, truth, .. }: Shown<'_>| {
        let (name, lesion) = (&sample.name, predicted.iter().filter(|pixel| **pixel != 0).count());
        said(format!("{name} {}x{} {lesion} {}", image.width, image.height, truth.foreground()));
        Ok(())
    };
    let settings = EvaluationSettings { stages: true, shuffle_seed: Some(4), ..EvaluationSettings::default() };
    let evaluation = evaluate(model, dataset, settings, progress, show).map_err(|error| error.to_string());
    (calls.into_inner().expect("nothing panicked"), evaluation)
}

#[test]
fn an_evaluation_is_the_same_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = dataset(folder.path());
    for end in [0, 1, 3, 4, 8, IMAGES, usize::MAX] {
        let alone = evaluated(&mut model(false), &dataset, end);
        for threads in [1, 2, 5] {
            let shared = on(threads, || evaluated(&mut model(true), &dataset, end));
            assert_eq!(shared, alone, "{threads} threads, ended at {end}");
        }
    }
    let (calls, evaluation) = on(2, || evaluated(&mut model(true), &dataset, usize::MAX));
    let evaluation = evaluation.expect("scores");
    assert_eq!((evaluation.images.len(), evaluation.skipped.len()), (IMAGES - 2, 2));
    assert!(evaluation.skipped[0].reason.contains("3.png") && evaluation.skipped[1].reason.contains("6.png"));
    assert_eq!(calls.len(), IMAGES + 1 + IMAGES - 2);
}

#[test]
fn a_refusal_in_the_middle_is_that_of_the_first_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dataset = dataset(folder.path());
    dataset.samples[5].prompt = "refuse".into();
    let alone = evaluated(&mut model(false), &dataset, usize::MAX);
    assert_eq!(alone.1.as_ref().err().map(String::as_str), Some("the fake refuses"));
    assert_eq!(on(3, || evaluated(&mut model(true), &dataset, usize::MAX)), alone);
}

#[test]
fn the_images_of_a_set_are_computed_at_the_same_time() {
    use std::time::{Duration, Instant};
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = dataset(folder.path());
    let took = |is_shared| {
        let mut model = FakeModel { takes: Duration::from_millis(40), ..model(is_shared) };
        let start = Instant::now();
        on(3, || evaluated(&mut model, &dataset, usize::MAX)).1.expect("scores");
        start.elapsed()
    };
    let (alone, shared) = (took(false), took(true));
    assert!(shared.as_secs_f64() < 0.7 * alone.as_secs_f64(), "{shared:?} instead of {alone:?}");
}

/// The numbers of finished masks that a sweep reported, and its result.
fn swept(model: &mut FakeModel, cases: usize, end: usize) -> (Vec<usize>, Result<Option<SweepResult>, String>) {
    let overrides = model.info().overrides;
    let case = |number: usize| {
        let (width, height) = (20 + 3 * number, 16);
        let image = Image { width, height, channels: 1, pixels: Pixels::U8(vec![number as u8; width * height]) };
        let truth = Mask { width, height, values: (0..width * height).map(|at| u8::from(at % 5 == 0)).collect() };
        let case =
            SweepCase { image: Arc::new(image), prompt: format!("case {number}"), truth: Some(Arc::new(truth)) };
        move || match number {
            2 => Err("case 2 cannot be read".to_owned()),
            _ => {
                Ok(SweepCase { image: case.image.clone(), prompt: case.prompt.clone(), truth: case.truth.clone() })
            }
        }
    };
    let cases: Vec<ReadCase> = (0..cases).map(|number| Box::new(case(number)) as ReadCase).collect();
    let mut calls = Vec::new();
    let progress = |done| {
        calls.push(done);
        if calls.len() <= end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let values = [1.0, 3.0, 5.0, 9.0];
    let result = sweep(model, &overrides, Parameter::Sigma(0), &values, 0.5, &cases, progress);
    (calls, result.map_err(|error| error.to_string()))
}

#[test]
fn a_sweep_is_the_same_side_by_side() {
    for cases in [0, 1, 5] {
        for end in [0, 1, 2, 4, 7, 12, 17, usize::MAX] {
            let alone = swept(&mut model(false), cases, end);
            for threads in [1, 2, 4] {
                let shared = on(threads, || swept(&mut model(true), cases, end));
                assert_eq!(shared, alone, "{cases} cases, {threads} threads, ended at call {end}");
            }
        }
    }
    let (calls, result) = swept(&mut model(false), 5, usize::MAX);
    // Every case asks before it is read and before each mask.
    assert_eq!(calls, [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 12, 12, 13, 14, 15, 16, 16, 17, 18, 19]);
    let result = result.expect("a sweep").expect("not cancelled");
    assert_eq!((result.cases, result.with_truth, result.skipped.len()), (4, 4, 1));
}
