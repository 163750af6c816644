//! The studies, on a model whose mask is a rule.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::*;
use crate::data::{Image, Mask, Pixels, preprocess};
use crate::infer::{
    InferError, InspectOptions, Inspection, ModelInfo, Overrides, Plane, Prediction, Segmenter, TokensRead,
};
use crate::text::prompt::{ReadWord, Reading};

/// The side length of its output.
const SIDE: usize = 4;

/// "left" and "right" are the halves of the output, "upper" leaves out what is below the middle. Every word is a piece,
/// but "lungs" is two.
#[derive(Clone)]
struct Rule {
    limit: usize,
    has_mask_token: bool,
    is_shared: bool,
    /// Whether it sees something else in a small image.
    minds_size: bool,
    prompts: Arc<Mutex<Vec<String>>>,
    /// The widths of the images.
    widths: Arc<Mutex<Vec<usize>>>,
}

impl Rule {
    fn new() -> Self {
        Self {
            limit: 24,
            has_mask_token: true,
            is_shared: true,
            minds_size: false,
            prompts: Arc::default(),
            widths: Arc::default(),
        }
    }

    fn prompts(&self) -> Vec<String> {
        self.prompts.lock().expect("no panic").clone()
    }
}

impl Segmenter for Rule {
    fn info(&self) -> ModelInfo {
        ModelInfo { token_limit: self.limit, ..ModelInfo::default() }
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        self.prompts.lock().expect("no panic").push(prompt.to_owned());
        self.widths.lock().expect("no panic").push(image.width);
        let inside = if self.minds_size && image.width <= SIDE { 0.7 } else { 0.75 };
        if prompt.contains("refuse") {
            return Err("it refuses".into());
        }
        let has = |word: &str| prompt.split_whitespace().any(|other| other.trim_end_matches([',', '.']) == word);
        let is_lesion = |x: usize, y: usize| {
            let is_named = if 2 * x < SIDE { has("left") } else { has("right") };
            is_named && (2 * y < SIDE || !has("upper"))
        };
        let value = |at: usize| if is_lesion(at % SIDE, at / SIDE) { inside } else { 0.25 };
        let values: Vec<f32> = (0..SIDE * SIDE).map(value).collect();
        let (width, height) = (image.width, image.height);
        let enlarged = preprocess::plane_to_image(&values, SIDE, false, width, height);
        let mut at = 0;
        let words = prompt.split_whitespace().map(|word| {
            let from = at + prompt[at..].find(word).unwrap_or(0);
            at = from + word.len();
            let pieces = if word == "lungs" { vec!["lung".into(), "##s".into()] } else { vec![word.into()] };
            ReadWord { bytes: from..at, pieces, is_mark: false, is_understood: true, is_within_limit: true }
        });
        let reading = Reading { words: words.collect(), tokens: 0, limit: self.limit };
        let token = |word: &str| if self.has_mask_token { word.to_owned() } else { word.replace("[MASK]", "[") };
        let tokens =
            TokensRead { read: prompt.split_whitespace().map(token).collect(), reading, ..Default::default() };
        let probability = Plane { width, height, values: enlarged };
        let map = Plane { width: SIDE, height: SIDE, values };
        Ok(Prediction { probability, tokens, ..Prediction::of_map(prompt, map) })
    }

    fn inspect(
        &mut self,
        _: &Image,
        _: &str,
        _: Option<&Overrides>,
        _: InspectOptions,
    ) -> Result<Inspection, InferError> {
        Err("it shows no stages".into())
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        self.is_shared.then(|| Box::new(self.clone()) as Box<dyn Segmenter>)
    }
}

fn image() -> Image {
    Image { width: 8, height: 8, channels: 1, pixels: Pixels::U8(vec![0; 64]) }
}

/// The left half.
fn truth() -> Mask {
    Mask { width: 8, height: 8, values: (0..64).map(|at| u8::from(at % 8 < 4)).collect() }
}

fn examined(rule: &mut Rule, prompt: &str, methods: InfluenceMethods) -> Influence {
    let (image, truth) = (image(), truth());
    let case = InfluenceCase { image: &image, prompt, truth: Some(&truth), threshold: 0.5 };
    let found = influence(rule, &case, methods, |_, _| ControlFlow::Continue(()));
    found.expect("a study").expect("it is whole")
}

#[test]
fn each_word_and_phrase_is_left_out_replaced_and_exchanged() {
    let mut rule = Rule::new();
    let prompt = "upper left lungs";
    let found = examined(&mut rule, prompt, InfluenceMethods::ALL);
    assert_eq!((found.area, found.dice), (0.25, Some(2.0 / 3.0)));
    let texts: Vec<&str> = found.words.iter().map(|word| &prompt[word.bytes.clone()]).collect();
    assert_eq!(texts, ["upper", "left", "lungs"]);
    let change = |effect: &Option<Effect>| effect.as_ref().expect("it was asked for").change;
    let [upper, left, lungs] = [0, 1, 2].map(|place| change(&found.words[place].left_out));
    // Without "upper" the whole left half is found, which is the ground truth.
    assert_eq!((upper.changed, upper.area, upper.probability), (0.25, 0.25, 0.125));
    assert!((upper.dice.expect("a ground truth") - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!((left.changed, left.area), (0.25, -0.25));
    assert_eq!(lungs, Change { dice: Some(0.0), ..Change::default() });
    let lungs = found.words[2].masked.as_ref().expect("it was asked for");
    assert_eq!(lungs.text, "upper left [MASK] [MASK]", "two pieces");
    assert_eq!(change(&found.words[1].masked).area, -0.25);
    // "upper" stands for all its zones, "left lungs" for the side.
    let phrases: Vec<&str> = found.phrases.iter().map(|phrase| &prompt[phrase.bytes.clone()]).collect();
    assert_eq!(phrases, ["upper", "left lungs"]);
    assert_eq!(change(&found.phrases[0].left_out), upper);
    assert!(found.phrases[1].kind.is_some());

    let labels: Vec<&str> = found.exchanges.iter().map(|exchange| exchange.label.as_str()).collect();
    assert_eq!(labels, ["lower for upper", "right for left"]);
    let right = &found.exchanges[1].effect;
    assert_eq!((right.text.as_str(), right.change.changed, right.change.area), ("upper right lungs", 0.5, 0.0));
    assert_eq!(right.probability.values[..4], [0.25, 0.25, 0.75, 0.75]);

    let prompts = rule.prompts();
    let different: std::collections::HashSet<&String> = prompts.iter().collect();
    assert_eq!((prompts.len(), found.predictions), (different.len(), different.len()), "each text once");
    assert!(found.remarks().is_empty(), "{:?}", found.remarks());
}

#[test]
fn a_large_image_is_reduced_once_if_the_model_makes_the_same_of_it() {
    let found = |minds_size: bool| {
        let mut rule = Rule { minds_size, ..Rule::new() };
        let image = Image { width: 32, height: 16, channels: 1, pixels: Pixels::U8(vec![0; 512]) };
        let truth = Mask { width: 32, height: 16, values: (0..512).map(|at| u8::from(at % 32 < 12)).collect() };
        let case = InfluenceCase { image: &image, prompt: "left upper lung", truth: Some(&truth), threshold: 0.5 };
        let found = influence(&mut rule, &case, InfluenceMethods::ALL, |_, _| ControlFlow::Continue(()));
        let widths = rule.widths.lock().expect("no panic").clone();
        (found.expect("a study").expect("it is whole"), widths)
    };
    let (small, widths) = found(false);
    assert_eq!((widths[0], widths[1..].iter().all(|width| *width == SIDE)), (32, true), "{widths:?}");
    let (large, widths) = found(true);
    assert_eq!(widths.iter().filter(|width| **width == SIDE).count(), 1, "it was tried");
    // All numbers are the same, Dice at the size of the image among them.
    assert_eq!(small, large);
    assert!(
        small.words[1].left_out.as_ref().is_some_and(|effect| effect.change.dice.is_some_and(|dice| dice > 0.2))
    );
}

#[test]
fn what_was_not_examined_as_it_stands_is_said() {
    let mut rule = Rule { limit: 5, has_mask_token: false, ..Rule::new() };
    let polyp = "two small pink round polyp which is a projecting growth of tissue located in top, left, center of the \
        image";
    let found = examined(&mut rule, polyp, InfluenceMethods::ALL);
    assert!(found.words.iter().chain(&found.phrases).all(|part| part.masked.is_none() && part.left_out.is_some()));
    assert_eq!((found.words.len(), found.phrases.len()), (3, 8));
    let remarks = found.remarks();
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    for (remark, words) in remarks.iter().zip(["The last 17 words", "were joined, so that 8", "no [MASK]"]) {
        assert!(remark.contains(words), "{remark}");
    }
}

#[test]
fn phrases_share_the_effect_of_the_text() {
    let mut rule = Rule::new();
    let (image, truth) = (image(), truth());
    let prompt = "left lung and right lung, upper";
    let case = InfluenceCase { image: &image, prompt, truth: Some(&truth), threshold: 0.5 };
    let calls = Mutex::new(Vec::new());
    let progress = |done, count| {
        calls.lock().expect("no panic").push((done, count));
        ControlFlow::Continue(())
    };
    let found = phrase_shares(&mut rule, &case, progress).expect("a study").expect("it is whole");
    let texts: Vec<&str> = found.phrases.iter().map(|phrase| &prompt[phrase.bytes.clone()]).collect();
    assert_eq!(texts, ["left lung", "right lung", "upper"]);
    assert_eq!((found.whole.area, found.none.area, found.whole.overlap), (0.5, 0.0, 1.0));
    // A side adds a half, or a quarter once "upper" is said, which takes a quarter from each side.
    let areas: Vec<f64> = found.phrases.iter().map(|phrase| phrase.value.area).collect();
    for (area, expected) in areas.iter().zip([0.375, 0.375, -0.25]) {
        assert!((area - expected).abs() < 1e-12, "{areas:?}");
    }
    let measures: [fn(&Worth) -> f64; 3] =
        [|worth| worth.area, |worth| worth.overlap, |worth| worth.dice.expect("a ground truth")];
    for measure in measures {
        let sum: f64 = found.phrases.iter().map(|phrase| measure(&phrase.value)).sum();
        assert!((sum - (measure(&found.whole) - measure(&found.none))).abs() < 1e-12);
    }
    assert_eq!((found.predictions, rule.prompts().len()), (8, 8));
    assert_eq!(calls.into_inner().expect("no panic"), (1..=8).map(|done| (done, 8)).collect::<Vec<_>>());
}

#[test]
fn a_study_can_be_stopped_and_refuses_what_it_cannot_do() {
    let (image, truth) = (image(), truth());
    let case = |prompt: &'static str| InfluenceCase { image: &image, prompt, truth: Some(&truth), threshold: 0.5 };
    let go_on = |_: usize, _: usize| ControlFlow::Continue(());
    let mut rule = Rule { is_shared: false, ..Rule::new() };
    let stop = |done, _| if done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    assert_eq!(influence(&mut rule, &case("left lung"), InfluenceMethods::ALL, stop).expect("no error"), None);
    assert_eq!(rule.prompts().len(), 3);
    assert_eq!(phrase_shares(&mut rule, &case("left lung, upper"), stop).expect("no error"), None);

    let refused = |rule: &mut Rule, prompt: &'static str| {
        let error = influence(rule, &case(prompt), InfluenceMethods::ALL, go_on).expect_err("it is refused");
        let other = phrase_shares(rule, &case(prompt), go_on).expect_err("it is refused");
        assert_eq!(error.to_string(), other.to_string());
        error.to_string()
    };
    assert!(refused(&mut rule, " .,\n").contains("no words"));
    assert!(refused(&mut rule, "refuse").contains("it refuses"));
    assert!(refused(&mut Rule { limit: 0, ..Rule::new() }, "left").contains("reads no text"));
    let small = Mask { width: 2, height: 2, values: vec![0; 4] };
    let case = InfluenceCase { truth: Some(&small), ..case("left") };
    let error = influence(&mut rule, &case, InfluenceMethods::ALL, go_on).expect_err("another size");
    assert!(error.to_string().contains("8 × 8") && error.to_string().contains("2 × 2"), "{error}");
}
