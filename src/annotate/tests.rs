//! Tests of painting and of undoing what was painted.

use super::*;
use crate::data::Mask;

fn with_labels(names: &[&str]) -> (Annotation, Vec<LabelId>) {
    let mut annotation = Annotation::new([4, 2, 3]);
    let ids = names.iter().map(|name| {
        let (id, edit) = annotation.add_label(Label::new(*name, [255, 0, 0])).expect("a new name");
        annotation.apply(&[edit]).expect("the edit fits");
        id
    });
    let ids = ids.collect();
    (annotation, ids)
}

/// The region of a row of the slice whose characters are not dots.
fn row(y: usize, pixels: &str) -> Region {
    Region::new([0, y], [pixels.len(), 1], pixels.bytes().map(|byte| u8::from(byte != b'.')).collect())
}

/// The pixels of a label in a slice, as rows of dots and crosses.
fn seen(annotation: &Annotation, label: LabelId, slice: usize) -> String {
    let empty = Mask { width: 4, height: 2, values: vec![0; 8] };
    let mask = annotation.mask(label, slice).map_or(&empty, |known| &*known.mask);
    let rows = mask.values.chunks(4).map(|row| row.iter().map(|value| if *value == 0 { '.' } else { 'x' }));
    rows.map(String::from_iter).collect::<Vec<_>>().join("/")
}

fn paint(
    annotation: &mut Annotation,
    label: LabelId,
    region: &Region,
    combine: Combine,
    rules: Rules,
) -> Vec<Edit> {
    let edits = annotation.paint(label, 1, region, combine, &rules, &Origin::Drawn).expect("it can be painted");
    annotation.apply(&edits).expect("the edits fit");
    edits
}

#[test]
fn a_region_is_added_taken_away_or_put_in_place() {
    let (mut annotation, ids) = with_labels(&["lesion"]);
    let (lesion, rules) = (ids[0], Rules::default());
    paint(&mut annotation, lesion, &row(0, "xx.."), Combine::Add, rules);
    paint(&mut annotation, lesion, &row(1, ".xxx"), Combine::Add, rules);
    assert_eq!(seen(&annotation, lesion, 1), "xx../.xxx");
    paint(&mut annotation, lesion, &row(1, "xx.."), Combine::Remove, rules);
    assert_eq!(seen(&annotation, lesion, 1), "xx../..xx");
    assert_eq!(annotation.mask(lesion, 1).map(|known| known.pixels), Some(4));
    paint(&mut annotation, lesion, &row(1, "x..."), Combine::Replace, rules);
    assert_eq!(seen(&annotation, lesion, 1), "..../x...");
    assert_eq!((annotation.mask(lesion, 0), annotation.slices(lesion).collect::<Vec<_>>()), (None, vec![1]));
    assert_eq!(annotation.mask_count(), 1);
    let beyond = Region::new([3, 1], [2, 2], vec![1; 4]);
    paint(&mut annotation, lesion, &beyond, Combine::Add, rules);
    assert_eq!(seen(&annotation, lesion, 1), "..../x..x");
    paint(&mut annotation, lesion, &Region::default(), Combine::Replace, rules);
    assert!(annotation.is_blank(), "without a pixel there is no mask");
    assert_eq!(paint(&mut annotation, lesion, &Region::default(), Combine::Replace, rules), []);
}

#[test]
fn what_is_put_in_place_has_its_own_origin() {
    let (mut annotation, ids) = with_labels(&["lesion"]);
    paint(&mut annotation, ids[0], &row(0, "xx.."), Combine::Add, Rules::default());
    let by = PredictedBy { model: "m".into(), prompt: "p".into(), threshold: 0.5 };
    let origin = Origin::Predicted(by.clone());
    let mut use_prediction = |combine, pixels| {
        let edits = annotation.paint(ids[0], 1, &row(0, pixels), combine, &Rules::default(), &origin);
        annotation.apply(&edits.expect("it can be painted")).expect("the edits fit");
        annotation.mask(ids[0], 1).map(|known| known.origin.clone())
    };
    assert_eq!(use_prediction(Combine::Add, "..x."), Some(Origin::Corrected(by)), "mixed with what was drawn");
    assert_eq!(use_prediction(Combine::Replace, ".xxx"), Some(origin.clone()));
}

#[test]
fn a_pixel_has_one_label_unless_labels_may_overlap() {
    let (mut annotation, ids) = with_labels(&["lesion", "lung"]);
    let [lesion, lung] = ids[..] else { panic!("two labels") };
    paint(&mut annotation, lung, &row(0, "xxxx"), Combine::Add, Rules::default());
    paint(&mut annotation, lesion, &row(0, ".xx."), Combine::Add, Rules::default());
    assert_eq!(
        (seen(&annotation, lesion, 1), seen(&annotation, lung, 1)),
        (".xx./....".into(), "x..x/....".into())
    );
    let overlapping = Rules { overwrites: false, ..Rules::default() };
    paint(&mut annotation, lung, &row(0, ".x.."), Combine::Add, overlapping);
    assert_eq!(
        (seen(&annotation, lesion, 1), seen(&annotation, lung, 1)),
        (".xx./....".into(), "xx.x/....".into())
    );
    // Painting once more over what overlaps separates it.
    paint(&mut annotation, lung, &row(0, "xx.."), Combine::Add, Rules::default());
    assert_eq!(
        (seen(&annotation, lesion, 1), seen(&annotation, lung, 1)),
        ("..x./....".into(), "xx.x/....".into())
    );
}

#[test]
fn only_the_pixels_that_may_change_do() {
    let (annotation, ids) = with_labels(&["lesion", "lung"]);
    let [lesion, lung] = ids[..] else { panic!("two labels") };
    let after = |paint_only, overwrites| {
        let mut annotation = annotation.clone();
        paint(&mut annotation, lung, &row(0, "xx.."), Combine::Add, Rules::default());
        let rules = Rules { paint_only, overwrites };
        paint(&mut annotation, lesion, &row(0, ".xx."), Combine::Add, rules);
        seen(&annotation, lesion, 1)
    };
    assert_eq!(after(PaintOnly::Anywhere, true), ".xx./....");
    assert_eq!(after(PaintOnly::Inside(lung), true), ".x../....");
    assert_eq!(after(PaintOnly::Outside(lung), false), "..x./....");
    assert_eq!(after(PaintOnly::Unlabelled, true), "..x./....");
}

#[test]
fn where_pixels_may_not_change_no_label_loses_any() {
    let (mut annotation, ids) = with_labels(&["lesion", "lung", "vessel"]);
    let [lesion, lung, vessel] = ids[..] else { panic!("three labels") };
    // Lesion and lung overlap in the second pixel, lesion and vessel in the third.
    let overlapping = Rules { overwrites: false, ..Rules::default() };
    paint(&mut annotation, lung, &row(0, "xx.."), Combine::Add, overlapping);
    paint(&mut annotation, vessel, &row(0, "..xx"), Combine::Add, overlapping);
    paint(&mut annotation, lesion, &row(0, ".xx."), Combine::Add, overlapping);
    let after = |paint_only| {
        let mut annotation = annotation.clone();
        let rules = Rules { paint_only, overwrites: true };
        paint(&mut annotation, lesion, &row(0, "xxxx"), Combine::Add, rules);
        ids.iter().map(|id| seen(&annotation, *id, 1)[..4].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(after(PaintOnly::Outside(lung)), [".xxx", "xx..", "...."]);
    assert_eq!(after(PaintOnly::Unlabelled), [".xx.", "xx..", "..xx"]);
    assert_eq!(after(PaintOnly::Inside(lung)), ["xxx.", "....", "..xx"]);
    assert_eq!(after(PaintOnly::Anywhere), ["xxxx", "....", "...."]);
}

#[test]
fn every_label_that_loses_pixels_has_its_origin_changed() {
    let by = |prompt: &str| PredictedBy { model: "m".into(), prompt: prompt.into(), threshold: 0.5 };
    let (predicted, corrected) = (Origin::Predicted(by("left")), Origin::Corrected(by("left")));
    let other_after = |other: &Origin, act: &Origin| {
        let (mut annotation, ids) = with_labels(&["lesion", "lung"]);
        let [lesion, lung] = ids[..] else { panic!("two labels") };
        for (label, pixels, origin) in [(lung, "xxx.", other), (lesion, "..xx", act)] {
            let edits = annotation.paint(label, 1, &row(0, pixels), Combine::Add, &Rules::default(), origin);
            annotation.apply(&edits.expect("it can be painted")).expect("the edits fit");
        }
        assert_eq!(seen(&annotation, lung, 1), "xx../....");
        annotation.mask(lung, 1).map(|known| known.origin.clone())
    };
    assert_eq!(other_after(&predicted, &Origin::Drawn), Some(corrected.clone()));
    assert_eq!(other_after(&predicted, &predicted), Some(corrected), "it is not all of the prediction any more");
    assert_eq!(other_after(&Origin::Drawn, &predicted), Some(Origin::Drawn), "nothing of it was predicted");
    assert_eq!(other_after(&Origin::Read, &Origin::Drawn), Some(Origin::Drawn));
}

#[test]
fn a_prediction_that_is_derived_from_or_let_in_only_in_part_is_corrected() {
    let by = PredictedBy { model: "m".into(), prompt: "p".into(), threshold: 0.5 };
    let (predicted, corrected) = (Origin::Predicted(by.clone()), Origin::Corrected(by));
    let (mut annotation, ids) = with_labels(&["lesion", "lung"]);
    let [lesion, lung] = ids[..] else { panic!("two labels") };
    let mut after = |label, pixels, combine, rules: Rules, origin: &Origin| {
        let edits = annotation.paint(label, 1, &row(0, pixels), combine, &rules, origin);
        annotation.apply(&edits.expect("it can be painted")).expect("the edits fit");
        annotation.mask(label, 1).map(|known| known.origin.clone())
    };
    let (free, unlabelled) = (Rules::default(), Rules { paint_only: PaintOnly::Unlabelled, overwrites: true });
    assert_eq!(after(lesion, "xxx.", Combine::Replace, free, &predicted), Some(predicted.clone()));
    // As smoothing or dropping small parts does.
    assert_eq!(after(lesion, "xx..", Combine::Replace, free, &Origin::Derived), Some(corrected.clone()));
    assert_eq!(after(lung, ".xxx", Combine::Add, unlabelled, &predicted), Some(corrected.clone()));
    assert_eq!(after(lung, ".xxx", Combine::Replace, free, &predicted), Some(predicted), "there was room for all");
    assert_eq!(after(lung, "...x", Combine::Remove, free, &Origin::Drawn), Some(corrected));
}

#[test]
fn a_stroke_of_many_patches_is_joined_to_what_it_did() {
    let (start, ids) = with_labels(&["lesion", "lung"]);
    let (mut annotation, mut edits) = (start.clone(), Vec::new());
    for at in 0..4000 {
        let region = row(at % 2, ["x...", ".x..", "..x.", "...x"][at / 2 % 4]);
        edits.extend(paint(&mut annotation, ids[at / 8 % 2], &region, Combine::Add, Rules::default()));
    }
    let joined = joined(edits.clone());
    assert!(edits.len() > 4000 && joined.len() <= 2, "{} of {}", joined.len(), edits.len());
    let mut at_once = start;
    at_once.apply(&joined).expect("the edits fit");
    for id in ids {
        assert_eq!(seen(&at_once, id, 1), seen(&annotation, id, 1));
    }
}

#[test]
fn a_locked_label_keeps_its_pixels() {
    let (mut annotation, ids) = with_labels(&["lesion", "lung"]);
    let [lesion, lung] = ids[..] else { panic!("two labels") };
    paint(&mut annotation, lung, &row(0, "xx.."), Combine::Add, Rules::default());
    let locked = Label { is_locked: true, ..Label::new("lung", [0, 255, 0]) };
    let edit = annotation.set_label(lung, locked.clone()).expect("the label is there").expect("it changes");
    annotation.apply(&[edit]).expect("the edit fits");
    assert_eq!(annotation.set_label(lung, locked), Ok(None), "nothing changes");
    paint(&mut annotation, lesion, &row(0, ".xx."), Combine::Add, Rules::default());
    assert_eq!(
        (seen(&annotation, lesion, 1), seen(&annotation, lung, 1)),
        ("..x./....".into(), "xx../....".into())
    );
    let refused = AnnotationError::Locked("lung".into());
    let region = row(0, "x...");
    let painted = annotation.paint(lung, 1, &region, Combine::Remove, &Rules::default(), &Origin::Drawn);
    assert_eq!(painted, Err(refused.clone()));
    assert_eq!(annotation.remove_label(lung), Err(refused));
}

#[test]
fn labels_come_and_go_with_their_pixels() {
    let (mut annotation, ids) = with_labels(&["lesion", "lung"]);
    let [lesion, lung] = ids[..] else { panic!("two labels") };
    let taken = annotation.add_label(Label::new("lesion", [0; 3])).map(|_| ());
    assert_eq!(taken, Err(AnnotationError::NameTaken("lesion".into())));
    paint(&mut annotation, lesion, &row(0, "x..."), Combine::Add, Rules::default());
    let removal = annotation.remove_label(lesion).expect("it is not locked");
    annotation.apply(&removal).expect("the edits fit");
    assert_eq!((annotation.label(lesion), annotation.mask(lesion, 1)), (None, None));
    assert_eq!((annotation.number(lung), annotation.number(lesion)), (Some(1), None));
    let (again, edit) = annotation.add_label(Label::new("lesion", [0; 3])).expect("the name is free again");
    assert_ne!(again, lesion, "a removed label stays removed");
    annotation.apply(&[edit]).expect("the edit fits");
    annotation.apply(&reversed(&removal)).expect("the edits fit");
    assert_eq!(seen(&annotation, lesion, 1), "x.../....", "the removal can be undone");
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing() {
    let (mut annotation, ids) = with_labels(&["lesion"]);
    let edits = annotation.paint(ids[0], 2, &row(0, "xxxx"), Combine::Add, &Rules::default(), &Origin::Drawn);
    let edits = edits.expect("it can be painted");
    let mut small = Annotation::new([3, 2, 3]);
    let (_, edit) = small.add_label(Label::new("lesion", [0; 3])).expect("a new name");
    small.apply(&[edit]).expect("the edit fits");
    assert_eq!(small.apply(&edits), Err(AnnotationError::Size { mask: [4, 1], slice: [3, 2] }));
    assert_eq!(Annotation::new([4, 2, 3]).apply(&edits), Err(AnnotationError::NoLabel));
    let slice = annotation.paint(ids[0], 3, &row(0, "x"), Combine::Add, &Rules::default(), &Origin::Drawn);
    assert_eq!(slice, Err(AnnotationError::NoSlice { number: 4, slices: 3 }));
    let before = annotation.revision();
    annotation.apply(&[]).expect("nothing fits");
    assert_eq!(annotation.revision(), before);
}

#[test]
fn every_change_is_a_revision_and_is_saved_or_not() {
    let (mut annotation, ids) = with_labels(&["lesion"]);
    assert!((annotation.revision(), annotation.is_dirty()) == (1, true) && !Annotation::new([1; 3]).is_dirty());
    paint(&mut annotation, ids[0], &row(0, "x..."), Combine::Add, Rules::default());
    let revision = annotation.revision();
    paint(&mut annotation, ids[0], &row(0, "x..."), Combine::Add, Rules::default());
    assert_eq!((revision, annotation.revision()), (2, 2), "nothing was changed");
    paint(&mut annotation, ids[0], &row(0, ".x.."), Combine::Add, Rules::default());
    annotation.saved(revision);
    assert!(annotation.is_dirty(), "it was changed while it was saved");
    annotation.saved(3);
    assert!(!annotation.is_dirty());
}

#[test]
fn a_thousand_random_edits_are_undone_and_redone_to_the_bit() {
    let mut random = fastrand::Rng::with_seed(7);
    let (start, ids) = with_labels(&["lesion", "lung", "vessel"]);
    let (mut annotation, mut steps, mut states) = (start.clone(), Vec::new(), vec![start]);
    let content = |annotation: &Annotation| {
        let labels: Vec<(LabelId, Label)> = annotation.labels().map(|(id, label)| (id, label.clone())).collect();
        let masks: Vec<_> =
            ids.iter().flat_map(|id| (0..3).map(|slice| annotation.mask(*id, slice).cloned())).collect();
        (labels, masks)
    };
    while steps.len() < 1000 {
        let label = ids[random.usize(..3)];
        let pixels = (0..random.usize(1..5)).map(|_| ["x", "."][random.usize(..2)]).collect::<String>();
        let combine = [Combine::Add, Combine::Remove, Combine::Replace][random.usize(..3)];
        let other = ids[random.usize(..3)];
        let paint_only =
            [PaintOnly::Anywhere, PaintOnly::Inside(other), PaintOnly::Outside(other), PaintOnly::Unlabelled];
        let rules = Rules { paint_only: paint_only[random.usize(..4)], overwrites: random.bool() };
        let origin = [Origin::Drawn, Origin::Derived][random.usize(..2)].clone();
        let edits = if random.u8(..10) == 0 {
            let known = annotation.label(label).expect("no label is removed").clone();
            let changed = Label { is_locked: !known.is_locked, ..known };
            annotation.set_label(label, changed).expect("the name is the same").into_iter().collect()
        } else {
            let region = row(random.usize(..2), &pixels);
            annotation.paint(label, random.usize(..3), &region, combine, &rules, &origin).unwrap_or_default()
        };
        annotation.apply(&edits).expect("the edits fit");
        steps.push(edits);
        states.push(annotation.clone());
    }
    for (step, state) in steps.iter().zip(&states).rev() {
        annotation.apply(&reversed(step)).expect("the edits fit");
        assert_eq!(content(&annotation), content(state));
    }
    for (step, state) in steps.iter().zip(&states[1..]) {
        annotation.apply(step).expect("the edits fit");
        assert_eq!(content(&annotation), content(state));
    }
    // All in one, as if it had been a single stroke.
    let mut at_once = states[0].clone();
    at_once.apply(&joined(steps.into_iter().flatten().collect())).expect("the edits fit");
    let (labels, masks) = content(&at_once);
    let pixels = |masks: Vec<Option<LabelMask>>| -> Vec<_> {
        masks.into_iter().map(|known| known.map(|known| known.mask)).collect()
    };
    assert_eq!((labels, pixels(masks)), (content(&annotation).0, pixels(content(&annotation).1)));
}
