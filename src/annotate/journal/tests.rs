//! Tests of journals: what was appended comes back, whatever happens to the file.

use std::fs;
use std::path::Path;

use super::*;
use crate::annotate::{Annotation, Combine, Edit, Label, LabelId, Origin, PredictedBy, Region, Rules, reversed};
use crate::data::{DataError, Limit};

const SHAPE: [usize; 3] = [13, 7, 4];
const ALL: Limit = Limit(u64::MAX);

/// Somebody who draws at random, and undoes and redoes.
struct Hand {
    random: fastrand::Rng,
    annotation: Annotation,
    past: Vec<Vec<Edit>>,
    future: Vec<Vec<Edit>>,
}

impl Hand {
    fn new(seed: u64) -> Self {
        let annotation = Annotation::new(SHAPE);
        Self { random: fastrand::Rng::with_seed(seed), annotation, past: Vec::new(), future: Vec::new() }
    }

    fn label(&mut self) -> Option<LabelId> {
        let labels: Vec<LabelId> = self.annotation.labels().map(|(id, _)| id).collect();
        self.random.choice(labels)
    }

    fn new_edits(&mut self) -> Vec<Edit> {
        let Some(label) = self.label() else {
            let name = format!("label {}", self.random.u32(..));
            let colour = [self.random.u8(..); 3];
            return vec![self.annotation.add_label(Label::new(name, colour)).expect("a new name").1];
        };
        match self.random.u8(..20) {
            0 => {
                let name = format!("label {}", self.random.u32(..));
                self.annotation.add_label(Label::new(name, [1, 2, 3])).map_or(Vec::new(), |(_, edit)| vec![edit])
            }
            1 => self.annotation.remove_label(label).expect("it is not locked"),
            2 => {
                let mut known = self.annotation.label(label).expect("it is there").clone();
                known.is_visible = !known.is_visible;
                self.annotation.set_label(label, known).expect("it is there").into_iter().collect()
            }
            _ => {
                let corner = [self.random.usize(..SHAPE[0]), self.random.usize(..SHAPE[1])];
                let size = [self.random.usize(1..6), self.random.usize(1..6)];
                let pixels = (0..size[0] * size[1]).map(|_| self.random.u8(..2)).collect();
                let region = Region::new(corner, size, pixels);
                let combine = [Combine::Add, Combine::Remove, Combine::Replace][self.random.usize(..3)];
                let by = PredictedBy { model: "m".into(), prompt: "left “lung”".into(), threshold: 0.35 };
                let origin =
                    [Origin::Drawn, Origin::Derived, Origin::Predicted(by)][self.random.usize(..3)].clone();
                let slice = self.random.usize(..SHAPE[2]);
                let edits = self.annotation.paint(label, slice, &region, combine, &Rules::default(), &origin);
                edits.expect("it is not locked")
            }
        }
    }

    /// Does something, and returns the edits that were applied.
    fn does(&mut self) -> Vec<Edit> {
        let edits = match self.random.u8(..6) {
            0 if !self.past.is_empty() => {
                let step = self.past.pop().expect("a step");
                let edits = reversed(&step);
                self.future.push(step);
                edits
            }
            1 if !self.future.is_empty() => {
                let step = self.future.pop().expect("a step");
                self.past.push(step.clone());
                step
            }
            _ => {
                let edits = self.new_edits();
                self.future.clear();
                self.past.push(edits.clone());
                edits
            }
        };
        self.annotation.apply(&edits).expect("the edits fit");
        edits
    }

    fn state(&self) -> JournalState {
        JournalState { annotation: self.annotation.clone(), file: None }
    }

    /// Appends what it does next.
    fn writes(&mut self, journal: &mut JournalFile) {
        let record = Record::Edits(self.does());
        journal.append(&[record], &self.state()).expect("written");
    }
}

/// Whether two annotations have the same labels with the same pixels of the same origin.
fn is_same(a: &Annotation, b: &Annotation) -> bool {
    let labels = |of: &Annotation| of.labels().map(|(id, label)| (id, label.clone())).collect::<Vec<_>>();
    let masks = |of: &Annotation| {
        let all = of.labels().flat_map(|(id, _)| of.slices(id).map(move |slice| (id, slice)));
        all.map(|(id, slice)| (id, slice, of.mask(id, slice).cloned())).collect::<Vec<_>>()
    };
    labels(a) == labels(b) && masks(a) == masks(b)
}

fn image() -> ImageIdentity {
    ImageIdentity::of_sample("Two foci", SHAPE)
}

fn opened(folder: &Path) -> (JournalFile, Option<Replayed>) {
    let OpenedJournal { journal, content, aside, former } = open(folder, image(), ALL);
    assert_eq!((aside, former), (None, None));
    (journal.expect("a journal"), content)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_thousand_edits_undone_and_redone_give_the_same_bits() {
    for seed in 0..4 {
        let mut hand = Hand::new(seed);
        let steps: Vec<Vec<Edit>> = (0..1000).map(|_| hand.does()).collect();
        let end = hand.annotation.clone();
        let mut again = hand.annotation;
        for step in steps.iter().rev() {
            again.apply(&reversed(step)).expect("what was done can be undone");
        }
        assert!(is_same(&again, &Annotation::new(SHAPE)), "seed {seed}");
        for step in &steps {
            again.apply(step).expect("what was undone can be done again");
        }
        assert!(is_same(&again, &end), "seed {seed}");
    }
}

#[test]
fn a_replayed_journal_is_the_live_annotation() {
    for seed in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut hand = Hand::new(seed);
        for _ in 0..20 {
            let (mut journal, content) = opened(folder.path());
            let kept = content.map_or(Annotation::new(SHAPE), |content| content.annotation);
            assert!(is_same(&kept, &hand.annotation), "seed {seed}");
            (0..50).for_each(|_| hand.writes(&mut journal));
        }
        // And so is the shortest way to it.
        let (bytes, _) = file_content(&image().header(None), &hand.annotation, false).expect("written");
        let short = replay(&bytes, SHAPE, ALL).expect("a journal");
        assert!(is_same(&short.annotation, &hand.annotation) && short.tail == Tail::None);
    }
}

#[test]
fn whatever_is_cut_off_everything_before_it_is_kept() {
    let mut hand = Hand::new(7);
    let mut bytes = Vec::new();
    encode_start(&mut bytes);
    let mut seal = encode_to(&mut bytes, Seal::default(), &Record::Image(image().header(None))).expect("written");
    let mut kept = vec![(bytes.len(), hand.annotation.clone())];
    for _ in 0..40 {
        seal = encode_to(&mut bytes, seal, &Record::Edits(hand.does())).expect("written");
        kept.push((bytes.len(), hand.annotation.clone()));
    }
    for end in 0..=bytes.len() {
        let (length, expected) = match kept.iter().rev().find(|(length, _)| *length <= end) {
            Some(found) => found,
            None => {
                assert!(replay(&bytes[..end], SHAPE, ALL).is_err());
                continue;
            }
        };
        let found = replay(&bytes[..end], SHAPE, ALL).expect("the header is whole");
        assert!(found.end == *length && is_same(&found.annotation, expected), "cut at {end}");
        assert_eq!(found.tail, if end == *length { Tail::None } else { Tail::Torn });
        // A power failure can leave zeros where something was to be written.
        let zeros = [&bytes[..*length], &[0; 100]].concat();
        let found = replay(&zeros, SHAPE, ALL).expect("the header is whole");
        assert_eq!((found.end, found.tail), (*length, Tail::Torn));
    }
    // A record that is damaged later, or stands where it does not belong, ends it.
    let place = kept[20].0;
    for at in [place, place + 5, place + 13] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        let found = replay(&damaged, SHAPE, ALL).expect("the header is whole");
        assert_eq!(found.end, place, "damaged at {at}");
    }
    let twice = [&bytes[..kept[21].0], &bytes[place..]].concat();
    let found = replay(&twice, SHAPE, ALL).expect("the header is whole");
    assert_eq!((found.end, found.tail), (kept[21].0, Tail::Damaged));
}

#[test]
fn a_torn_record_is_cut_before_the_next_one_is_appended() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut hand = Hand::new(1);
    let (mut journal, _) = opened(folder.path());
    (0..30).for_each(|_| hand.writes(&mut journal));
    let path = journal.path().to_owned();
    drop(journal);
    let whole = fs::read(&path).expect("a file");
    fs::write(&path, [&whole[..], &[9, 0, 0, 0, 1, 2]].concat()).expect("written");
    let (mut journal, content) = opened(folder.path());
    assert_eq!(content.expect("a journal").tail, Tail::Torn);
    assert_eq!(fs::read(&path).expect("a file"), whole);
    hand.writes(&mut journal);
    drop(journal);
    assert!(is_same(&opened(folder.path()).1.expect("a journal").annotation, &hand.annotation));
}

#[test]
fn what_was_damaged_later_is_kept_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut hand = Hand::new(2);
    let (mut journal, _) = opened(folder.path());
    (0..30).for_each(|_| hand.writes(&mut journal));
    let path = journal.path().to_owned();
    drop(journal);
    let mut bytes = fs::read(&path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("written");
    let OpenedJournal { journal, content, aside, .. } = open(folder.path(), image(), ALL);
    assert_eq!(content.expect("a journal").tail, Tail::Damaged);
    assert_eq!(fs::read(aside.expect("a copy")).expect("a file"), bytes);
    drop(journal);
    // What is no journal at all is kept as well, and another one begins.
    fs::write(&path, "something else").expect("written");
    let OpenedJournal { journal, content, aside, .. } = open(folder.path(), image(), ALL);
    assert!(content.is_none());
    assert_eq!(fs::read(aside.expect("a copy")).expect("a file"), b"something else");
    hand.writes(&mut journal.expect("a journal"));
    assert_eq!(names(folder.path()).len(), 3);
    assert!(is_same(&opened(folder.path()).1.expect("a journal").annotation, &hand.annotation));
}

#[test]
fn a_long_journal_is_replaced_by_a_short_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, mut hand) = (opened(folder.path()).0, Hand::new(3));
    while !hand.annotation.labels().any(|(id, _)| hand.annotation.slices(id).count() > 2) {
        hand.writes(&mut journal);
    }
    let label = hand.annotation.labels().next().expect("a label").0;
    let mut name = 0;
    let (mut longest, mut is_shorter) = (0, false);
    while !is_shorter {
        let known = hand.annotation.label(label).expect("it is there").clone();
        name += 1;
        let renamed = Label { name: format!("{name} {}", "long ".repeat(2000)), ..known };
        let edit = hand.annotation.set_label(label, renamed).expect("a new name").expect("a change");
        hand.annotation.apply(std::slice::from_ref(&edit)).expect("it fits");
        journal.append(&[Record::Edits(vec![edit])], &hand.state()).expect("written");
        let length = fs::metadata(journal.path()).expect("a file").len();
        is_shorter = length < longest;
        longest = longest.max(length);
        assert!(longest < 2 << 20, "it is not replaced");
    }
    hand.writes(&mut journal);
    drop(journal);
    let content = opened(folder.path()).1.expect("a journal");
    assert!(is_same(&content.annotation, &hand.annotation));
}

#[test]
fn a_journal_that_could_not_be_replaced_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, mut hand) = (opened(folder.path()).0, Hand::new(11));
    (0..5).for_each(|_| hand.writes(&mut journal));
    let path = journal.path().to_owned();
    let before = fs::read(&path).expect("a file");
    let full = |path: &Path, _: &[u8]| Err(DataError::writing(path, "no space left on device"));
    assert!(journal.replace(&hand.state(), false, full).is_err());
    (0..3).for_each(|_| hand.writes(&mut journal));
    let after = fs::read(&path).expect("a file");
    assert!(after.len() > before.len() && after.starts_with(&before), "it is appended to");
    drop(journal);
    assert!(is_same(&opened(folder.path()).1.expect("a journal").annotation, &hand.annotation));
}

#[test]
fn a_case_is_open_in_one_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut hand = Hand::new(4);
    let (mut journal, _) = opened(folder.path());
    (0..5).for_each(|_| hand.writes(&mut journal));
    let second = open(folder.path(), image(), ALL);
    assert_eq!(second.journal.err(), Some(Refusal::InUse(Some(std::process::id()))));
    assert!(is_same(&second.content.expect("it can be looked at").annotation, &hand.annotation));
    let another = open(folder.path(), ImageIdentity::of_sample("Two fronts", SHAPE), ALL);
    assert!(another.journal.is_ok(), "another case is another lock");
    drop((journal, another));
    assert_eq!(names(folder.path()).len(), 1, "no lock is left, and no journal of what was only looked at");
    opened(folder.path());
}

#[test]
fn closing_and_saving_are_known_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, mut hand) = (opened(folder.path()).0, Hand::new(5));
    (0..5).for_each(|_| hand.writes(&mut journal));
    drop(journal);
    let (mut journal, content) = opened(folder.path());
    let content = content.expect("a journal");
    assert!(content.steps_since_closed > 0 && content.annotation.is_dirty() && content.file.is_none());
    let file = SavedIn::new(Path::new("a.himixa"), "0123").expect("a name");
    hand.annotation.saved(hand.annotation.revision());
    let state = JournalState { file: Some(file.clone()), ..hand.state() };
    let saved = Record::Saved { file: file.clone(), is_current: true };
    journal.append(&[saved, Record::Closed], &state).expect("written");
    drop(journal);
    let (mut journal, content) = opened(folder.path());
    let content = content.expect("a journal");
    assert_eq!((content.steps_since_closed, content.annotation.is_dirty()), (0, false));
    assert_eq!(content.file, Some(file.clone()));
    // Looking at it leaves it as it is.
    let bytes = fs::read(journal.path()).expect("a file");
    journal.append(&[Record::Closed], &state).expect("nothing to do");
    assert_eq!(fs::read(journal.path()).expect("a file"), bytes);
    let edits = std::iter::repeat_with(|| hand.does()).find(|edits| !edits.is_empty()).expect("a change");
    journal.append(&[Record::Edits(edits)], &JournalState { file: Some(file), ..hand.state() }).expect("written");
    drop(journal);
    let content = opened(folder.path()).1.expect("a journal");
    assert!(content.steps_since_closed == 1 && content.annotation.is_dirty() && content.file.is_some());
}

#[test]
fn a_case_without_an_annotation_leaves_no_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, mut hand) = (opened(folder.path()).0, Hand::new(6));
    (0..3).for_each(|_| hand.writes(&mut journal));
    let state = JournalState { annotation: Annotation::new(SHAPE), file: None };
    journal.append(&[Record::Closed], &state).expect("removed");
    drop(journal);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_journal_that_was_deleted_or_changed_is_written_again_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("journals");
    let (mut journal, mut hand) = (opened(&place).0, Hand::new(8));
    (0..5).for_each(|_| hand.writes(&mut journal));
    fs::remove_dir_all(&place).expect("removed");
    hand.writes(&mut journal);
    assert_eq!(names(&place).len(), 1);
    fs::write(journal.path(), "somebody else's").expect("written");
    hand.writes(&mut journal);
    let aside = journal.path().with_extension("1.himixa");
    assert_eq!(fs::read(aside).expect("it was kept aside"), b"somebody else's");
    drop(journal);
    assert!(is_same(&opened(&place).1.expect("a journal").annotation, &hand.annotation));
}

#[test]
fn what_could_not_be_written_is_written_with_the_next_try() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("journals");
    let (mut journal, mut hand) = (opened(&place).0, Hand::new(9));
    (0..5).for_each(|_| hand.writes(&mut journal));
    fs::rename(&place, folder.path().join("moved")).expect("moved");
    fs::write(&place, "a file in the place of the folder").expect("written");
    let first = Record::Edits(hand.does());
    let error = journal.append(std::slice::from_ref(&first), &hand.state()).expect_err("no folder");
    assert!(error.to_string().contains("cannot be written"), "{error}");
    fs::remove_file(&place).expect("removed");
    let second = Record::Edits(hand.does());
    journal.append(&[first, second], &hand.state()).expect("written");
    drop(journal);
    assert!(is_same(&opened(&place).1.expect("a journal").annotation, &hand.annotation));
    // Where not even a lock is to be had, the reason is known.
    fs::remove_dir_all(&place).expect("removed");
    fs::write(&place, "a file in the place of the folder").expect("written");
    let refused = open(&place, image(), ALL);
    assert!(matches!(refused.journal, Err(Refusal::Failed(_))), "{refused:?}");
}

#[test]
fn a_journal_follows_its_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let journals = folder.path().join("journals");
    let [was, is] = ["was.png", "is.png"].map(|name| folder.path().join(name));
    fs::write(&was, "pixels").expect("written");
    let of = |path: &Path, content: &str| ImageIdentity::of_file(path, format!("{content:0<32}"), SHAPE);
    let mut hand = Hand::new(10);
    let mut journal = open(&journals, of(&was, "a"), ALL).journal.expect("a journal");
    (0..5).for_each(|_| hand.writes(&mut journal));
    drop(journal);
    // A copy is another case as long as both are there.
    fs::copy(&was, &is).expect("copied");
    let found = open(&journals, of(&is, "a"), ALL);
    assert!(found.content.is_none());
    drop(found);
    fs::remove_file(&was).expect("removed");
    let found = open(&journals, of(&is, "a"), ALL);
    assert!(is_same(&found.content.expect("it was moved").annotation, &hand.annotation));
    drop(found.journal);
    // Another content in the same place has no annotation, but the former one is known.
    let found = open(&journals, of(&is, "b"), ALL);
    assert!(found.content.is_none());
    let former = found.former.expect("it was annotated before");
    let known = replay(&read(&former).expect("a file"), SHAPE, ALL).expect("a journal");
    assert!(is_same(&known.annotation, &hand.annotation));
}

#[test]
fn what_is_no_journal_of_the_image_is_refused() {
    let error = |bytes: &[u8]| replay(bytes, SHAPE, ALL).map(drop).expect_err("refused");
    let start = |line: &str| [line.as_bytes(), &[0; 3]].concat();
    for line in
        ["", "HiMix", "HiMix annotation \n", "HiMix annotation 1", "HiMix annotation 0\n", "himix annotation 1\n"]
    {
        assert_eq!(error(&start(line)), JournalError::NotAJournal, "{line}");
    }
    assert_eq!(error(&start("HiMix annotation 2\n")), JournalError::Newer("2".into()));
    assert_eq!(error(&start("HiMix annotation 1\n")), JournalError::NoHeader);
    let mut annotation = Annotation::new([3, 2, 1]);
    let (id, edit) = annotation.add_label(Label::new("lesion", [1, 2, 3])).expect("a new name");
    annotation.apply(&[edit]).expect("it fits");
    let region = Region::new([0, 0], [2, 1], vec![1, 1]);
    let edits = annotation.paint(id, 0, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
    annotation.apply(&edits.expect("not locked")).expect("it fits");
    let header = ImageIdentity::of_sample("x", [3, 2, 1]).header(None);
    let (bytes, _) = file_content(&header, &annotation, false).expect("written");
    let other = JournalError::OtherShape { image: "x".into(), annotated: [3, 2, 1], shape: SHAPE };
    assert_eq!(error(&bytes), other);
    assert!(other.to_string().contains("3×2×1") && other.to_string().contains("13×7×4"), "{other}");
    assert!(replay(&bytes, [3, 2, 1], Limit(6)).is_ok());
    assert_eq!(replay(&bytes, [3, 2, 1], Limit(5)).map(drop), Err(JournalError::TooLarge(5)));
}

/// A journal of the image with these records, as JSON.
fn written(records: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_start(&mut bytes);
    let mut seal = encode_to(&mut bytes, Seal::default(), &Record::Image(image().header(None))).expect("written");
    for record in records {
        seal = encode_record(&mut bytes, seal, record.as_bytes()).expect("written");
    }
    bytes
}

#[test]
fn edits_that_do_not_fit_are_left_out() {
    let label = |id: u32, name: &str| {
        format!(
            r#"{{"label": {{"id": {id}, "before": null, "after":
            {{"name": "{name}", "colour": [1, 2, 3], "is_locked": false, "is_visible": true}}}}}}"#
        )
    };
    let patch = |label: u32, slice: u64, corner: u64, runs: &str| {
        format!(
            r#"{{"mask": {{"label": {label}, "slice": {slice}, "patch": {{"corner": [{corner}, 0], "size": [2, 2], "runs": {runs}}},
            "origins": [null, "drawn"]}}}}"#
        )
    };
    let predicted =
        |threshold: &str| format!(r#"{{"predicted": {{"model": "m", "prompt": "p", "threshold": {threshold}}}}}"#);
    let edits = |edits: &[String]| format!(r#"{{"edits": [{}]}}"#, edits.join(","));
    let good = patch(0, 1, 3, "[1, 2]").replace(r#""drawn""#, &predicted("0.35"));
    let good = edits(&[label(0, "a"), good]);
    for bad in [
        patch(1, 1, 3, "[1, 2]"),
        patch(0, 4, 3, "[1, 2]"),
        patch(0, u64::MAX, 3, "[1, 2]"),
        patch(0, 1, 12, "[1, 2]"),
        patch(0, 1, 4_294_967_295, "[1, 2]"),
        patch(0, 1, 3, "[1, 4]"),
        patch(0, 1, 3, "[4294967295, 4294967295, 4294967295]"),
        label(1, "a"),
        label(u32::MAX, "b"),
        patch(0, 1, 3, "[1, 2]").replace(r#""drawn""#, &predicted("1e300")),
    ] {
        // It is left out together with what was applied at the same time and what comes after it.
        let both = edits(&[patch(0, 0, 0, "[0, 4]"), bad.clone()]);
        let bytes = written(&[&good, &both, &good]);
        let found = replay(&bytes, SHAPE, ALL).expect("the header is whole");
        let expected = replay(&written(&[&good]), SHAPE, ALL).expect("the header is whole");
        assert_eq!((found.end, found.tail), (expected.end, Tail::Damaged), "{bad}");
        assert!(is_same(&found.annotation, &expected.annotation) && !found.annotation.is_blank());
    }
    let many: Vec<String> = (0..300).map(|id| label(id, &id.to_string())).collect();
    assert_eq!(replay(&written(&[&edits(&many)]), SHAPE, ALL).expect("a header").tail, Tail::Damaged);
    // What this version does not know ends it as well.
    for unknown in [r#"{"drawn": 1}"#, r#""opened""#, "[1]", "", "{"] {
        let found = replay(&written(&[&good, unknown, &good]), SHAPE, ALL).expect("a header");
        assert_eq!((found.end, found.tail), (written(&[&good]).len(), Tail::Damaged), "{unknown}");
    }
}
