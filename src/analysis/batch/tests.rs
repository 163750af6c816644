//! Batches with a model whose masks follow from the pixels.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::data::export::{LabelMasks, read_labels};
use crate::data::mask::Agreed;
use crate::data::{Image, MaskReading, open, worklist, write};
use crate::infer::{InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Plane, Prediction};

/// A model that finds what is brighter than the middle of the range, or for the prompt "the dark" the rest, and counts its
/// masks.
struct Bright {
    masks: Arc<AtomicUsize>,
    is_shared: bool,
}

impl Segmenter for Bright {
    fn info(&self) -> ModelInfo {
        ModelInfo { name: "bright".into(), provenance: "1".into(), ..ModelInfo::default() }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        self.masks.fetch_add(1, Ordering::SeqCst);
        if prompt == "refused" {
            return Err("it reads no such prompt".into());
        }
        let values: Vec<f32> = image.floats().step_by(image.channels).collect();
        let [low, high] = values.iter().fold([f32::MAX, f32::MIN], |[low, high], v| [low.min(*v), high.max(*v)]);
        let middle = low.midpoint(high);
        let is_found = |value: f32| (value > middle) != (prompt == "the dark");
        let values = values.into_iter().map(|value| if is_found(value) { 0.9 } else { 0.1 }).collect();
        let map = Plane { width: image.width, height: image.height, values };
        Ok(Prediction { presence: Some(0.75), ..Prediction::of_map(prompt, map) })
    }

    fn inspect(
        &mut self,
        _: &Image,
        _: &str,
        _: Option<&Overrides>,
        _: InspectOptions,
    ) -> Result<Inspection, InferError> {
        Err("it has no stages".into())
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        let Self { masks, is_shared } = self;
        is_shared.then(|| Box::new(Self { masks: masks.clone(), is_shared: true }) as Box<dyn Segmenter>)
    }
}

fn bright(is_shared: bool) -> Bright {
    Bright { masks: Arc::default(), is_shared }
}

fn settings(formats: &str) -> BatchSettings {
    let formats = formats.parse().expect("formats");
    BatchSettings {
        model: ModelSource::bundled(),
        threshold: 0.5,
        window: None,
        formats,
        limit: Limit::default(),
        codes: Codes::built_in(),
    }
}

fn cases(folder: &Path, prompts: &[&str]) -> Vec<BatchCase> {
    let prompts: Vec<String> = prompts.iter().map(|prompt| (*prompt).to_owned()).collect();
    let items = worklist::list(folder).expect("images").into_iter();
    items.map(|item| BatchCase { item, prompts: prompts.clone() }).collect()
}

fn go_on(_: BatchEvent<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Makes a folder with two pictures, a broken one and a series.
fn images() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["a.png", "b.png"] {
        let values: Vec<u8> = (0..12 * 8).map(|at| if at % 12 < 5 { 200 } else { 20 }).collect();
        write::png8(&path(name), 12, 8, &values).expect("written");
    }
    write::bytes(&path("c.png"), b"no picture").expect("written");
    std::fs::create_dir(path("series")).expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/prone");
    for name in ["0.dcm", "3.dcm", "7.dcm"] {
        std::fs::copy(fixtures.join(name), path("series").join(name)).expect("copied");
    }
    folder
}

#[test]
fn a_series_is_exported_in_every_format_and_reads_back_the_same() {
    for is_shared in [false, true] {
        let folder = images();
        let out = folder.path().join("out");
        let cases: Vec<BatchCase> =
            cases(folder.path(), &["left lung"]).into_iter().filter(|case| !case.item.files.is_empty()).collect();
        let done = batch(
            &mut bright(is_shared),
            folder.path(),
            &cases,
            &settings("png,nifti,dicom-seg,csv"),
            &out,
            go_on,
        );
        let done = done.expect("a summary");
        let manifest = Manifest::open(&out).expect("a manifest");
        let entry = &manifest.cases[0];
        assert_eq!((done.done, done.failed, entry.error.as_deref()), (1, 0, None));
        assert_eq!((entry.slices, entry.presence, entry.state), (3, Some(0.75), State::Done));
        let volume = open::open(&folder.path().join("series"), Limit::default(), &|_, _| true).expect("a volume");
        let read = |name: &str| -> Vec<LabelMasks> {
            let path = entry.files.iter().find(|file| file.ends_with(name)).expect("a file");
            let opened =
                read_labels(&out.join(path), &volume, &MaskReading::default(), None, Agreed::Refuse).expect(name);
            opened.labels
        };
        let [segmentation, map] = ["/mask.dcm", ".nii.gz"].map(|name| read(name).remove(0).slices);
        assert_eq!(segmentation, map);
        assert_eq!(map.values().map(|mask| mask.foreground() as u64).sum::<u64>(), entry.foreground_pixels);
        assert_eq!(read("_probability.dcm").remove(0).slices, map, "the same from 0.5 on");
        for (slice, mask) in &map {
            let path = out.join(&entry.files[*slice]);
            let values = ::image::open(path).expect("a picture").into_luma8().into_raw();
            assert_eq!(values.iter().map(|value| value / 255).collect::<Vec<u8>>(), mask.values);
        }
    }
}

#[test]
fn a_batch_that_is_stopped_goes_on_where_it_was() {
    for is_shared in [false, true] {
        let folder = images();
        let out = folder.path().join("out");
        let cases = cases(folder.path(), &["left lung"]);
        assert_eq!(cases.len(), 4);
        let mut model = bright(is_shared);
        let stop = |event: BatchEvent<'_>| match event {
            BatchEvent::Progress { done: 1, .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let run = |model: &mut Bright, report: &mut dyn FnMut(BatchEvent<'_>) -> ControlFlow<()>| {
            batch(model, folder.path(), &cases, &settings("png"), &out, report).expect("a summary")
        };
        let first = run(&mut model, &mut { stop });
        assert_eq!((first.done, first.known, first.failed, first.is_stopped), (1, 0, 0, true));
        let mut failures = Vec::new();
        let second = run(&mut model, &mut |event| {
            if let BatchEvent::Failed { image, reason } = event {
                failures.push(format!("{image}: {reason}"));
            }
            ControlFlow::Continue(())
        });
        assert_eq!((second.done, second.known, second.failed, second.is_stopped), (2, 1, 1, false));
        assert!(failures.len() == 1 && failures[0].starts_with("c.png: ") && failures[0].contains("not an image"));
        let before = model.masks.load(Ordering::SeqCst);
        let third = run(&mut model, &mut |_| ControlFlow::Continue(()));
        assert_eq!((third.done, third.known, third.failed), (0, 3, 1));
        assert_eq!(model.masks.load(Ordering::SeqCst), before, "nothing is computed again");
    }
}

/// Returns the foreground pixels of a picture.
fn white(path: &Path) -> usize {
    let values = ::image::open(path).expect("a picture").into_luma8().into_raw();
    values.iter().filter(|value| **value == 255).count()
}

#[test]
fn masks_of_another_model_of_this_name_or_with_other_codes_are_made_again() {
    let folder = images();
    let (out, weights) = (folder.path().join("out"), folder.path().join("weights.bin"));
    let mut cases = cases(folder.path(), &["left lung"]);
    cases.retain(|case| !case.item.files.is_empty());
    let run = |settings: &BatchSettings| {
        let done = batch(&mut bright(true), folder.path(), &cases, settings, &out, go_on).expect("a summary");
        (done.done, done.known)
    };
    let of_files = |formats: &str| BatchSettings { model: ModelSource::new(&weights), ..settings(formats) };
    std::fs::write(&weights, "first").expect("written");
    assert_eq!(run(&of_files("png,dicom-seg")), (1, 0));
    assert_eq!(run(&of_files("png,dicom-seg")), (0, 1));
    std::fs::write(&weights, "again").expect("written");
    assert_eq!(run(&of_files("png,dicom-seg")), (1, 0));
    let table = folder.path().join("codes.csv");
    let text =
        "words,category,category_meaning,property,property_meaning\nlung,123037004,Body structure,39607008,Lung\n";
    std::fs::write(&table, text).expect("written");
    let codes = Codes::with_file(&table).expect("codes");
    let others = |formats: &str| BatchSettings { codes: codes.clone(), ..of_files(formats) };
    assert_eq!(run(&others("png")), (0, 1), "a picture has no codes");
    assert_eq!(run(&others("png,dicom-seg")), (1, 0));
    assert_eq!(run(&others("png,dicom-seg")), (0, 1));
}

#[test]
fn masks_that_another_prompt_replaced_are_made_again() {
    for is_shared in [false, true] {
        let folder = images();
        let out = folder.path().join("out");
        let run = |prompts: &[&str]| {
            let mut cases = cases(folder.path(), prompts);
            cases.retain(|case| case.item.name == "a.png" || case.item.name == "b.png");
            let done = batch(&mut bright(is_shared), folder.path(), &cases, &settings("png"), &out, go_on);
            let done = done.expect("a summary");
            (done.done, done.known)
        };
        let mask = out.join("b.png/mask.png");
        // 5 of 12 columns are bright.
        assert_eq!((run(&["left lung"]), white(&mask)), ((2, 0), 40));
        assert_eq!((run(&["the dark"]), white(&mask)), ((2, 0), 56));
        assert_eq!((run(&["left lung"]), white(&mask)), ((2, 0), 40), "the files were those of the other prompt");
        assert_eq!((run(&["left lung"]), white(&mask)), ((0, 2), 40));
        let manifest = Manifest::open(&out).expect("a manifest");
        assert!(manifest.cases.iter().all(|entry| entry.prompt == "left lung"), "{:?}", manifest.cases);
        // With several prompts, each has a folder of its own, which changes with their order.
        assert_eq!(run(&["left lung", "the dark"]), (4, 0));
        assert_eq!((run(&["the dark"]), white(&mask)), ((2, 0), 56));
        assert_eq!(run(&["the dark", "left lung"]), (4, 0));
        let in_order = ["0", "1"].map(|number| white(&out.join("b.png").join(number).join("mask.png")));
        assert_eq!(in_order, [56, 40]);
    }
}

#[test]
fn the_manifest_never_claims_a_file_that_is_replaced() {
    for is_shared in [false, true] {
        let folder = images();
        let out = folder.path().join("out");
        let run = |prompt: &str, report: &mut dyn FnMut(BatchEvent<'_>) -> ControlFlow<()>| {
            let cases = cases(folder.path(), &[prompt]);
            batch(&mut bright(is_shared), folder.path(), &cases, &settings("png"), &out, report)
                .expect("a summary")
        };
        run("left lung", &mut go_on);
        // What would be found if the program ended at any of these moments.
        let mut looked = 0;
        run("the dark", &mut |_| {
            looked += 1;
            for entry in Manifest::open(&out).expect("a manifest").cases {
                let pictures = ["a.png", "b.png"].into_iter().filter(|name| entry.image == *name);
                for name in pictures.filter(|_| entry.state == State::Done) {
                    let count = white(&out.join(name).join("mask.png"));
                    assert_eq!(count, if entry.prompt == "the dark" { 56 } else { 40 }, "{name}");
                }
            }
            ControlFlow::Continue(())
        });
        assert!(looked > 4, "{looked}");
    }
}

#[test]
fn images_of_the_same_name_outside_the_folder_have_results_of_their_own() {
    let [one, other] = [images(), images()];
    let out = one.path().join("out");
    let mut cases: Vec<BatchCase> =
        [&one, &other].iter().flat_map(|folder| cases(folder.path(), &["left lung"])).collect();
    cases.retain(|case| case.item.name == "a.png");
    let run = || batch(&mut bright(true), one.path(), &cases, &settings("png"), &out, go_on).expect("a summary");
    assert_eq!((run().done, run().known), (2, 2));
    let manifest = Manifest::open(&out).expect("a manifest");
    assert_eq!(manifest.cases[0].files, ["a.png/mask.png"]);
    assert!(manifest.cases[1].files[0].ends_with("/a.png/mask.png"), "{:?}", manifest.cases[1].files);
    assert!(manifest.cases.iter().all(|entry| out.join(&entry.files[0]).is_file()));
}

#[test]
fn results_among_the_images_are_no_cases() {
    let folder = images();
    let run = |out: &Path, folder: &Path| {
        let cases = cases(folder, &["left lung"]);
        batch(&mut bright(false), folder, &cases, &settings("png"), out, go_on)
    };
    let images = |out: &str| run(&folder.path().join(out), folder.path()).expect("a summary").images;
    assert_eq!(images("out"), 4);
    assert_eq!(images("out"), 4, "its own results");
    assert_eq!(images("other"), 4, "those of another batch");
    std::fs::create_dir(folder.path().join("more")).expect("a folder");
    std::fs::copy(folder.path().join("a.png"), folder.path().join("more/a.png")).expect("copied");
    write::bytes(&folder.path().join("more").join(MANIFEST), b"{\"name\": \"app\"}").expect("written");
    assert_eq!(images("out"), 5, "the manifest of another program makes no results");
    // Results above the images do not make results of them.
    let series = folder.path().join("series");
    assert_eq!(run(folder.path(), &series).expect("a summary").images, 1);
    let same = run(&series, &series).expect_err("refused").to_string();
    assert!(same.contains("the folder of the images"), "{same}");
    // Masks may be segmented if that is what is asked for, but not a folder without an image.
    assert!(run(&folder.path().join("third"), &folder.path().join("out")).expect("a summary").images > 2);
    let none = folder.path().join("none");
    let inner = none.join("out");
    std::fs::create_dir_all(&inner).expect("a folder");
    std::fs::copy(folder.path().join("a.png"), inner.join("mask.png")).expect("copied");
    assert!(run(&inner, &none).is_err());
}

#[test]
fn one_format_or_prompt_that_fails_keeps_no_other_from_being_written() {
    let folder = images();
    let out = folder.path().join("out");
    let mut cases = cases(folder.path(), &["left lung", "refused"]);
    cases.truncate(1);
    let done = batch(&mut bright(true), folder.path(), &cases, &settings("png,dicom-seg"), &out, go_on);
    let counts = done.map(|done| (done.done, done.partial, done.failed));
    assert_eq!(counts.map_err(|error| error.to_string()), Ok((0, 1, 1)));
    let manifest = Manifest::open(&out).expect("a manifest");
    let error = |number: usize| manifest.cases[number].error.clone().unwrap_or_default();
    assert!(error(0).contains("PNG has none of these"), "{}", error(0));
    assert_eq!(manifest.cases[0].files, ["a.png/0/mask.png"]);
    assert_eq!([manifest.cases[0].state, manifest.cases[1].state], [State::Partial, State::Failed]);
    assert!(out.join("a.png/0/mask.png").is_file());
    // What is there in part is made again, for the formats that were asked for.
    let again = |formats: &str| batch(&mut bright(true), folder.path(), &cases, &settings(formats), &out, go_on);
    let counts = again("png,dicom-seg").map(|done| (done.known, done.partial, done.failed));
    assert_eq!(counts.map_err(|error| error.to_string()), Ok((0, 1, 1)));
    // A mask that no format takes has failed.
    let counts = again("dicom-seg").map(|done| (done.known, done.partial, done.failed));
    assert_eq!(counts.map_err(|error| error.to_string()), Ok((0, 0, 2)));
    let manifest = Manifest::open(&out).expect("a manifest");
    assert!(manifest.cases.iter().all(|entry| entry.state == State::Failed), "{:?}", manifest.cases);
    assert!(error(1).contains("no such prompt"), "{}", error(1));
    // An image without a prompt is a failure that says what to do.
    cases[0].prompts.clear();
    let done = batch(&mut bright(true), folder.path(), &cases, &settings("png"), &out, go_on).expect("a summary");
    assert_eq!(done.failed, 1);
}
