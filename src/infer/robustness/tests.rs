use std::path::Path;

use super::*;
use crate::data::write;
use crate::infer::{InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Plane, Prediction};

const WIDTH: usize = 64;
const HEIGHT: usize = 48;
const PROMPT: &str = "Unilateral pulmonary infection, one infected area, lower left lung.";

/// A model that marks the half of the image that the text names, and nothing if it names none.
#[derive(Clone)]
struct Halves {
    fails_at: Option<&'static str>,
}

impl Segmenter for Halves {
    fn info(&self) -> ModelInfo {
        ModelInfo { name: "halves".into(), ..ModelInfo::default() }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        if self.fails_at.is_some_and(|word| prompt.contains(word)) {
            return Err("the model failed".into());
        }
        let marks = |at: usize| {
            let is_left = at % image.width < image.width / 2;
            let word = if is_left { "left" } else { "right" };
            f32::from(u8::from(prompt.contains(word)))
        };
        let plane = Plane {
            width: image.width,
            height: image.height,
            values: (0..image.width * image.height).map(marks).collect(),
        };
        Ok(Prediction { device: "none".to_owned(), ..Prediction::of_map(prompt, plane) })
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
        Some(Box::new(self.clone()))
    }
}

/// A data set of three images whose lesion is the left half; the second has two prompts, the third no known one.
fn data_set(root: &Path) -> Dataset {
    let half: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| if at % WIDTH < WIDTH / 2 { 255 } else { 0 }).collect();
    for folder in ["prompt", "test/Images", "test/GTs"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for name in ["sub-S1_a.png", "sub-S1_b.png", "c.png"] {
        let grey: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at % 200) as u8).collect();
        write::png8(&root.join("test/Images").join(name), WIDTH, HEIGHT, &grey).expect("written");
        write::png8(&root.join("test/GTs").join(name), WIDTH, HEIGHT, &half).expect("written");
    }
    let table = format!(
        "Image,Description\nsub-S1_a.png,\"{PROMPT}\"\nsub-S1_b.png,\"{PROMPT}\"\nsub-S1_b.png,right lung\nc.png,banana\n"
    );
    write::bytes(&root.join("prompt/test.csv"), table.as_bytes()).expect("written");
    Dataset::open(root, "test").expect("a data set")
}

fn settings(forms: &[Form]) -> RobustnessSettings {
    RobustnessSettings { forms: in_order_of_study(forms), seed: 3, threshold: 0.5, style: Style::Paper }
}

fn run(dataset: &Dataset, settings: &RobustnessSettings, known: &HashSet<String>, most: usize) -> Vec<FormScore> {
    let mut scores = Vec::new();
    let progress = |done: usize, _| if done < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let keep = |image: Vec<FormScore>| {
        scores.extend(image);
        Ok(())
    };
    robustness(&mut Halves { fails_at: None }, dataset, settings, known, progress, keep).expect("scores");
    scores
}

fn study(dataset: &Dataset, settings: &RobustnessSettings) -> Study {
    Study::of(&ModelSource::bundled(), &ModelInfo::default(), dataset, settings).expect("a study")
}

#[test]
fn every_prompt_of_every_image_has_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = data_set(folder.path());
    let forms =
        [Form::SideSwapped, Form::Empty, Form::Augmented, Form::CountChanged, Form::Description, Form::Irrelevant];
    let settings = settings(&forms);
    assert_eq!(settings.forms[0], Form::Structured);
    let scores = run(&dataset, &settings, &HashSet::new(), usize::MAX);
    assert_eq!(scores.len(), 4 * 7);
    let of = |image: &str, prompt: usize, form: Form| {
        let score =
            scores.iter().find(|score| (score.image.as_str(), score.prompt, score.form) == (image, prompt, form));
        score.expect("a row").made.as_ref()
    };
    let dice = |image, prompt, form| of(image, prompt, form).map(|made| made.counts.dice());
    assert_eq!(dice("sub-S1_a.png", 0, Form::Structured), Some(1.0));
    assert_eq!(dice("sub-S1_a.png", 0, Form::SideSwapped), Some(0.0));
    assert!(of("sub-S1_a.png", 0, Form::Empty).expect("made").is_empty_mask());
    assert_eq!(dice("sub-S1_b.png", 1, Form::Structured), Some(0.0));
    assert_eq!(dice("sub-S1_b.png", 1, Form::SideSwapped), Some(1.0));
    // The rule's sentence about the truth names its side.
    assert_eq!(dice("c.png", 0, Form::Description), Some(1.0));
    assert_eq!((of("c.png", 0, Form::Augmented), of("c.png", 0, Form::CountChanged)), (None, None));
    assert!(of("c.png", 0, Form::SideSwapped).expect("made").is_unchanged, "it names no side");
    assert!(!of("sub-S1_a.png", 0, Form::SideSwapped).expect("made").is_unchanged);
    // The mask agrees with its own text as far as it follows it; a report is compared by the prompt it says.
    let agreement = |form| of("sub-S1_a.png", 0, form).expect("made").agreement;
    assert!(agreement(Form::SideSwapped).is_some_and(|one| one > 0.0) && agreement(Form::Augmented).is_some());
    assert_eq!((agreement(Form::Empty), agreement(Form::Irrelevant)), (None, None));
    let subjects: Vec<&str> = scores.iter().map(|score| score.subject.as_str()).collect();
    assert_eq!((subjects[0], subjects[27]), ("sub-S1", "c.png"));
}

#[test]
fn a_failure_ends_the_study_and_broken_pairs_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = data_set(folder.path());
    let settings = settings(&[]);
    let run = |fails_at| {
        let go = |_, _| ControlFlow::Continue(());
        robustness(&mut Halves { fails_at }, &dataset, &settings, &HashSet::new(), go, |_| Ok(()))
    };
    assert!(run(Some("banana")).is_err());
    write::bytes(&folder.path().join("test/GTs/c.png"), b"broken").expect("written");
    let skipped = run(None).expect("the others are scored");
    assert!(skipped.len() == 1 && skipped[0].contains("c.png"), "{skipped:?}");
    for name in ["sub-S1_a.png", "sub-S1_b.png"] {
        write::bytes(&folder.path().join("test/GTs").join(name), b"broken").expect("written");
    }
    assert!(run(None).is_err(), "nothing is left");
}

#[test]
fn a_cut_record_is_continued_to_the_same_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = data_set(folder.path());
    let settings = settings(&[Form::Shuffled, Form::WordDropout, Form::Irrelevant, Form::CountChanged]);
    let study = study(&dataset, &settings);
    let all = run(&dataset, &settings, &HashSet::new(), usize::MAX);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    let open = || Record::open(&out, &study, &dataset, &settings.forms).expect("a record");
    let (mut record, before) = open();
    assert_eq!(before, []);
    // The run is stopped after two images.
    let begun = run(&dataset, &settings, &HashSet::new(), 2);
    let count = begun.iter().filter(|score| score.image == "sub-S1_a.png").count();
    begun.chunk_by(|a, b| a.image == b.image).for_each(|image| record.append(image).expect("written"));
    drop(record);
    let path = out.join(RECORD);
    let whole = std::fs::read(&path).expect("the record");
    let header = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    // Wherever it is cut, whole images are kept, and the rest is computed again to the same scores.
    for end in (header..=whole.len()).step_by(7).chain([whole.len() - 1, whole.len()]) {
        write::bytes(&path, &whole[..end]).expect("written");
        let (mut record, mut scores) = open();
        let kept = scores.len();
        assert!(kept == 0 || kept == count || kept == begun.len(), "{kept} rows after {end} bytes");
        assert_eq!(kept == begun.len(), end == whole.len(), "{end}");
        let known: HashSet<String> = scores.iter().map(|score| score.image.clone()).collect();
        for image in run(&dataset, &settings, &known, usize::MAX).chunk_by(|a, b| a.image == b.image) {
            record.append(image).expect("written");
            scores.extend_from_slice(image);
        }
        assert_eq!(scores, all, "{end}");
        assert_eq!(open().1, all, "what was appended is read again");
    }
}

#[test]
fn a_record_of_another_study_is_not_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = data_set(folder.path());
    let own = settings(&[Form::Empty]);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    let open = |settings: &RobustnessSettings, dataset: &Dataset| {
        Record::open(&out, &study(dataset, settings), dataset, &settings.forms).map(|(_, scores)| scores)
    };
    open(&own, &dataset).expect("a record");
    assert!(open(&own, &dataset).is_ok());
    let refused = |settings: &RobustnessSettings, dataset: &Dataset, what: &str| {
        let error = open(settings, dataset).expect_err(what).to_string();
        assert!(error.contains(what) && error.contains(RECORD), "{error}");
    };
    refused(&RobustnessSettings { seed: 4, ..own.clone() }, &dataset, "differing in the seed;");
    refused(&settings(&[Form::Empty, Form::Shuffled]), &dataset, "the forms");
    refused(&RobustnessSettings { threshold: 0.4, ..own.clone() }, &dataset, "the threshold");
    refused(&RobustnessSettings { style: Style::Concise, ..own.clone() }, &dataset, "the style of the reports");
    let mut other = dataset.clone();
    other.samples[0].prompt += " ";
    refused(&own, &other, "the data set");
    assert!(open(&own, &dataset).is_ok(), "refusals change nothing");
    write::bytes(&out.join(STUDY), b"{").expect("written");
    refused(&own, &dataset, "missing or damaged");
    // A folder that cannot be written.
    let file = folder.path().join("file");
    write::bytes(&file, b"").expect("written");
    let error = Record::open(&file, &study(&dataset, &own), &dataset, &own.forms).expect_err("no folder");
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn what_is_drawn_depends_on_seed_image_and_prompt_alone() {
    let own = settings(&[]);
    let of = |image: &str, number: usize, seed: u64| {
        let settings = RobustnessSettings { seed, ..own.clone() };
        text_of(Form::WordDropout, PROMPT, image, number, &settings, None)
    };
    assert_eq!(of("a.png", 0, 1), of("a.png", 0, 1));
    let several: HashSet<_> = (0..8)
        .flat_map(|seed| [("a.png", 0), ("b.png", 0), ("a.png", 1)].map(|(image, number)| of(image, number, seed)))
        .collect();
    assert!(several.len() > 12, "{}", several.len());
    for form in Form::ALL {
        let text = text_of(form, " ", "a.png", 0, &own, Some("described"));
        let is_made = matches!(form, Form::Structured | Form::Empty | Form::Irrelevant | Form::Description);
        assert_eq!(text.is_some(), is_made, "{}", form.name());
    }
}
