use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::data::phantom::Kind;
use crate::data::predictions::{About, PredictionsWriter};
use crate::data::{Area, Image, Mask, Pixels, write};
use crate::infer::{InspectOptions, Inspection, ModelInfo, Overrides, Plane, Prediction};
use crate::metrics::{Confusion, hd95};

/// A model whose probability is the grey value divided by `most`.
struct Grey {
    most: f32,
    /// The images of a side other than that of the measurement that were predicted.
    predicted: Arc<AtomicUsize>,
    refuses: bool,
    /// The prompts that it knows; empty if any.
    known: Vec<String>,
}

/// The side of the phantoms; the measurement has another one.
const SIDE: usize = 64;

impl Segmenter for Grey {
    fn info(&self) -> ModelInfo {
        let (parameters, operations) = (1234, 5e9);
        let device = "none".to_owned();
        ModelInfo { name: "grey".into(), is_trained: true, parameters, operations, device, ..ModelInfo::default() }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        if self.refuses {
            return Err("it needs a box; draw one".into());
        }
        if !self.known.is_empty() && !self.known.iter().any(|known| known == prompt) {
            return Err("it knows other sentences".into());
        }
        if image.width == SIDE {
            self.predicted.fetch_add(1, Ordering::SeqCst);
        }
        let (width, height) = (image.width, image.height);
        let values = image.floats().map(|value| (value / self.most).min(1.0)).collect();
        Ok(Prediction::of_map(prompt, Plane { width, height, values }))
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        _: Option<&Overrides>,
        _: InspectOptions,
    ) -> Result<Inspection, InferError> {
        let prediction = self.predict(image, prompt)?;
        Ok(Inspection { prediction, stages: Vec::new(), similarity: Vec::new(), explained: 0 })
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }
}

fn model(name: &str) -> Entrant {
    // It lies nowhere; the tests open it by its name.
    Entrant { name: name.into(), source: EntrantSource::Model(ModelSource::bundled()) }
}

fn settings(out: Option<&Path>) -> ComparisonSettings<'_> {
    ComparisonSettings { threshold: 0.5, data: ["phantoms", "all"], is_part: false, out }
}

fn grey(most: f32, predicted: &Arc<AtomicUsize>) -> Box<dyn Segmenter> {
    Box::new(Grey { most, predicted: predicted.clone(), refuses: false, known: Vec::new() })
}

#[test]
fn cases_that_predictions_leave_out_are_left_out_for_all() {
    let root = tempfile::tempdir().expect("a folder");
    let cases = ComparedCase::phantoms(&[Kind::Xray], 5, 3, SIDE);
    let folder = root.path().join("boxed");
    let names: Vec<(&str, &str)> = cases.iter().map(|case| (case.name.as_str(), "a box")).collect();
    let mut writer = PredictionsWriter::open(&folder, About::default(), &names).expect("opens");
    for case in &cases[1..] {
        let read = case.read().expect("drawn");
        writer.add([&case.name, "a box", &read.fingerprint], [SIDE, SIDE], &[0.7; SIDE * SIDE]).expect("written");
    }
    let predicted = Arc::<AtomicUsize>::default();
    let boxed = Entrant { name: "boxed".into(), source: EntrantSource::Predictions(folder.clone()) };
    let run = || {
        let entrants = [model("a"), boxed.clone()];
        let open = |_: &ModelSource| Ok(grey(255.0, &predicted));
        compare::<InferError>(&entrants, &cases, settings(None), open, |_| ControlFlow::Continue(()))
    };
    // A prediction that is not there for no reason is missing.
    writer.finish().expect("written");
    let error = run().expect_err("refused").to_string();
    assert!(error.contains(&format!("1 of the 3 images has no prediction ({})", cases[0].name)), "{error}");
    writer.leave_out(&cases[0].name, "its truth is empty");
    writer.finish().expect("written");
    let found = run().expect("compared").expect("to the end");
    assert_eq!(found.cases.iter().map(|case| &case.name).collect::<Vec<_>>(), [&cases[1].name, &cases[2].name]);
    assert!(found.networks.iter().all(|network| network.scores.len() == 2));
    let reason = format!("{}: the predictions of boxed leave it out (its truth is empty)", cases[0].name);
    assert_eq!(found.skipped, [reason]);
    let notes = &found.networks[1].notes;
    assert!(notes.iter().any(|note| note.contains("leaves 1 image out")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("2 of its 2 predictions")), "{notes:?}");
}

#[test]
fn models_and_predictions_are_scored_alike() {
    let root = tempfile::tempdir().expect("a folder");
    let cases = ComparedCase::phantoms(&[Kind::Xray, Kind::Ct], 3, 5, SIDE);
    assert_eq!(cases[1].name, "ct_00002.png");
    // The same masks as PNG files of a network that is not in this program.
    let folder = root.path().join("theirs");
    std::fs::create_dir(&folder).expect("a folder");
    for case in &cases {
        let read = case.read().expect("drawn");
        let Pixels::U8(values) = &read.image.pixels else { panic!("8 bits") };
        write::png8(&folder.join(&case.name), SIDE, SIDE, values).expect("written");
    }
    let entrants =
        [model("a"), Entrant { name: "b".into(), source: EntrantSource::Predictions(folder.clone()) }, model("c")];
    let predicted = Arc::<AtomicUsize>::default();
    let mut opened = 0;
    let mut seen = Vec::new();
    let found = compare::<InferError>(
        &entrants,
        &cases,
        settings(None),
        |_| {
            opened += 1;
            Ok(grey(if opened == 1 { 255.0 } else { 128.0 }, &predicted))
        },
        |step| {
            seen.push((step.network.to_owned(), step.done, step.count));
            ControlFlow::Continue(())
        },
    );
    let found = found.expect("compared").expect("to the end");
    assert_eq!((found.networks.len(), found.cases.len(), found.skipped.len()), (3, 5, 0));
    assert_eq!(found.networks[0].scores, found.networks[1].scores);
    assert_ne!(found.networks[0].scores, found.networks[2].scores);
    assert_eq!(seen.first(), Some(&("a".into(), 0, 15)));
    assert_eq!(seen.last(), Some(&("c".into(), 15, 15)));
    for (case, score) in found.cases.iter().zip(&found.networks[2].scores) {
        let read = case.read().expect("drawn");
        let truth = read.truth.expect("a truth");
        let mask: Vec<u8> = read.image.floats().map(|value| u8::from(value >= 64.0)).collect();
        assert_eq!(score.mask.values(), mask);
        assert_eq!(score.counts, Some(Confusion::of(&mask, &truth.values)));
        assert_eq!(score.hd95, hd95(&mask, &truth.values, SIDE, SIDE));
    }
    let cost = &found.networks[0].cost;
    assert_eq!((cost.parameters, cost.gflop, cost.device.as_deref()), (Some(1234), Some(5.0), Some("none")));
    assert!(cost.milliseconds.is_some_and(|time| time > 0.0));
    assert_eq!(found.networks[1].cost, NetworkCost::default());
    assert!(found.networks[1].notes[0].contains("It has no description"), "{:?}", found.networks[1].notes);
}

#[test]
fn a_comparison_goes_on_where_it_was() {
    let root = tempfile::tempdir().expect("a folder");
    let cases = ComparedCase::phantoms(&[Kind::Ct], 1, 6, SIDE);
    let predicted = Arc::<AtomicUsize>::default();
    let run = |end: usize| {
        let before = predicted.load(Ordering::SeqCst);
        let found = compare::<InferError>(
            &[model("a"), model("b")],
            &cases,
            settings(Some(root.path())),
            |_| Ok(grey(200.0, &predicted)),
            |step| if step.done < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) },
        );
        (found.expect("no failure"), predicted.load(Ordering::SeqCst) - before)
    };
    let (stopped, _) = run(8);
    assert!(stopped.is_none());
    let (found, new) = run(usize::MAX);
    let found = found.expect("to the end");
    // Six masks of the first network and two of the second were kept; at least they are not made again.
    assert!(found.known >= 8 && new == 12 - found.known, "{} kept, {new} new", found.known);
    let (again, new) = run(usize::MAX);
    let again = again.expect("to the end");
    assert_eq!((new, again.known), (0, 12));
    assert_eq!(again.networks[1].scores, found.networks[1].scores, "what is read back gives the same masks");
    // What was written takes part as the predictions of another program do.
    let entrant =
        Entrant { name: "read".into(), source: EntrantSource::Predictions(root.path().join("predictions/a")) };
    let read = compare::<InferError>(
        &[entrant],
        &cases,
        settings(None),
        |_| Err(InferError::Refused("nothing is opened".into())),
        |_| ControlFlow::Continue(()),
    );
    let read = read.expect("compared").expect("to the end");
    assert_eq!(read.networks[0].scores, found.networks[0].scores);
    assert_eq!((read.networks[0].cost.parameters, read.networks[0].notes.len()), (Some(1234), 0));
}

#[test]
fn a_model_that_wants_a_box_is_named_and_the_others_are_compared() {
    let cases = ComparedCase::phantoms(&[Kind::Ct], 1, 2, SIDE);
    let predicted = Arc::<AtomicUsize>::default();
    let run = |names: &[&str]| {
        let entrants: Vec<Entrant> = names.iter().map(|name| model(name)).collect();
        let mut next = names.iter();
        compare::<InferError>(
            &entrants,
            &cases,
            settings(None),
            |_| {
                let refuses = next.next() == Some(&"boxed");
                Ok(Box::new(Grey { most: 255.0, predicted: predicted.clone(), refuses, known: Vec::new() }))
            },
            |_| ControlFlow::Continue(()),
        )
    };
    let found = run(&["boxed", "a"]).expect("compared").expect("to the end");
    assert_eq!(found.left_out, [("boxed".to_owned(), "it needs a box; draw one".to_owned())]);
    assert_eq!(found.networks.iter().map(|network| network.name.as_str()).collect::<Vec<_>>(), ["a"]);
    let error = run(&["boxed"]).expect_err("nothing is left").to_string();
    assert!(error.contains("no network could take part; boxed: it needs a box"), "{error}");
    for (names, words) in [
        (&["a", "A"][..], "two networks have the name A"),
        (&["a/b"], "\"a/b\" cannot be the name"),
        (&[], "nothing to compare"),
    ] {
        let error = run(names).expect_err("refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_model_that_knows_the_sentences_of_the_cases_alone_takes_part() {
    let cases = ComparedCase::phantoms(&[Kind::Xray], 1, 3, SIDE);
    let predicted = Arc::<AtomicUsize>::default();
    let run = |known: Vec<String>| {
        compare::<InferError>(
            &[model("a")],
            &cases,
            settings(None),
            |_| {
                Ok(Box::new(Grey {
                    most: 255.0,
                    predicted: predicted.clone(),
                    refuses: false,
                    known: known.clone(),
                }))
            },
            |_| ControlFlow::Continue(()),
        )
    };
    let found =
        run(cases.iter().map(|case| case.prompt.clone()).collect()).expect("compared").expect("to the end");
    assert!(found.left_out.is_empty() && found.networks[0].cost.milliseconds.is_some_and(|time| time > 0.0));
    let error = run(vec!["another".into()]).expect_err("nothing is left").to_string();
    assert!(error.contains("a: it knows other sentences"), "{error}");
}

#[test]
fn cases_without_a_readable_image_or_a_truth() {
    let root = tempfile::tempdir().expect("a folder");
    let predicted = Arc::<AtomicUsize>::default();
    let image = Arc::new(Image { width: SIDE, height: 1, channels: 1, pixels: Pixels::U8(vec![200; SIDE]) });
    let truth = Arc::new(Mask { width: SIDE, height: 1, values: vec![1; SIDE] });
    let open = |name: &str, truth| ComparedCase {
        name: name.into(),
        prompt: String::new(),
        area: None,
        origin: CaseOrigin::Open(image.clone(), truth),
    };
    let gone = crate::data::Sample {
        image: root.path().join("gone.png"),
        masks: vec![root.path().join("gone.png")],
        prompt: String::new(),
        variants: Vec::new(),
        name: "gone.png".into(),
    };
    let gone = ComparedCase {
        name: "gone.png".into(),
        prompt: String::new(),
        area: None,
        origin: CaseOrigin::Pair(gone, Default::default()),
    };
    let cases = [open("without.png", None), gone, open("with.png", Some(truth))];
    let run = |cases: &[ComparedCase]| {
        compare::<InferError>(
            &[model("a"), model("b")],
            cases,
            settings(None),
            |_| Ok(grey(255.0, &predicted)),
            |_| ControlFlow::Continue(()),
        )
    };
    let found = run(&cases).expect("compared").expect("to the end");
    assert_eq!(found.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["without.png", "with.png"]);
    assert!(found.skipped.len() == 1 && found.skipped[0].contains("gone.png"), "{:?}", found.skipped);
    let scores = &found.networks[1].scores;
    assert_eq!(
        (scores.len(), scores[0].counts, scores[1].counts.map(|counts| counts.dice())),
        (2, None, Some(1.0))
    );
    let error = run(&cases[1..2]).expect_err("nothing is readable").to_string();
    assert!(error.contains("none of the 1 images can be read"), "{error}");
}

#[test]
fn predictions_of_an_image_that_was_changed_are_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let predicted = Arc::<AtomicUsize>::default();
    let case = |grey_value: u8| {
        let pixels = Pixels::U8(vec![grey_value; SIDE]);
        let image = Arc::new(Image { width: SIDE, height: 1, channels: 1, pixels });
        ComparedCase {
            name: "a.png".into(),
            prompt: String::new(),
            area: None,
            origin: CaseOrigin::Open(image, None),
        }
    };
    let run = |case: ComparedCase| {
        let go_on = |_: ComparisonStep<'_>| ControlFlow::Continue(());
        compare::<InferError>(
            &[model("a")],
            &[case],
            settings(Some(root.path())),
            |_| Ok(grey(255.0, &predicted)),
            go_on,
        )
    };
    run(case(7)).expect("compared");
    let error = run(case(8)).expect_err("another image").to_string();
    assert!(error.contains("a.png") && error.contains("another image"), "{error}");
}

#[test]
fn masks_are_packed_and_unpacked() {
    for pixels in [0, 1, 7, 8, 9, 64, 65] {
        let mask: Vec<u8> = (0..pixels).map(|at| u8::from(at % 3 == 0)).collect();
        assert_eq!(PackedMask::of(&mask).values(), mask);
    }
}

#[test]
fn a_model_is_asked_with_what_it_takes() {
    let image = Arc::new(Image { width: SIDE, height: 1, channels: 1, pixels: Pixels::U8(vec![200; SIDE]) });
    let area = Area { left: 1.0, top: 0.0, right: 3.0, bottom: 1.0 };
    let case = ComparedCase {
        name: "a.png".into(),
        prompt: "left lung".into(),
        area: Some(area),
        origin: CaseOrigin::Open(image, None),
    };
    assert_eq!((case.asked(false), case.asked(true)), ("left lung".into(), area.to_string().into()));
    // A data set has the box in the place of the prompt.
    let case = ComparedCase { prompt: area.to_string(), area: None, ..case };
    assert_eq!(case.asked(true), area.to_string());
}
