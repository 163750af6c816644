//! What the storage thread acknowledged of an annotation comes back, whatever ends the program.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use himix::annotate::journal::{self, ImageIdentity, JournalState, OpenedJournal, Record, Refusal, Seal};
use himix::annotate::{Annotation, Combine, Edit, Label, Origin, Region, Rules, reversed};
use himix::data::Limit;
use himix::engine::jobs::{AppendToJournal, CaseOpened, OpenJournal, SharedJournal};
use himix::engine::{Engine, Pending};

use super::common::Child;
use super::fake::FakeModel;
use super::{answer, engine, message};

const SHAPE: [usize; 3] = [61, 47, 3];
/// The environment variables of the children.
const FOLDER: &str = "HIMIX_TEST_JOURNALS";
const SEED: &str = "HIMIX_TEST_SEED";

fn image() -> ImageIdentity {
    ImageIdentity::of_sample("Two foci", SHAPE)
}

/// Somebody who draws, and now and then undoes it.
struct Hand {
    random: fastrand::Rng,
    annotation: Annotation,
    past: Vec<Vec<Edit>>,
}

impl Hand {
    fn new(seed: u64, annotation: Annotation) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), annotation, past: Vec::new() }
    }

    fn does(&mut self) -> Vec<Edit> {
        loop {
            let edits = match self.past.pop() {
                Some(step) if self.random.u8(..5) == 0 => reversed(&step),
                last => {
                    self.past.extend(last);
                    let edits = self.draws();
                    self.past.push(edits.clone());
                    edits
                }
            };
            self.annotation.apply(&edits).expect("the edits fit");
            if !edits.is_empty() {
                return edits;
            }
        }
    }

    fn draws(&mut self) -> Vec<Edit> {
        let labels: Vec<_> = self.annotation.labels().map(|(id, _)| id).collect();
        if labels.len() < 3 {
            let label = Label::new(format!("label {}", self.random.u64(..)), [1, 2, 3]);
            return vec![self.annotation.add_label(label).expect("a new name").1];
        }
        let label = self.random.choice(labels).expect("a label");
        let corner = [self.random.usize(..SHAPE[0]), self.random.usize(..SHAPE[1])];
        let size = [self.random.usize(1..30), self.random.usize(1..30)];
        let region = Region::new(corner, size, (0..size[0] * size[1]).map(|_| self.random.u8(..2)).collect());
        let combine = if self.random.bool() { Combine::Add } else { Combine::Remove };
        let slice = self.random.usize(..SHAPE[2]);
        let edits = self.annotation.paint(label, slice, &region, combine, &Rules::default(), &Origin::Drawn);
        edits.expect("the label is not locked")
    }
}

fn is_same(a: &Annotation, b: &Annotation) -> bool {
    let labels = |of: &Annotation| of.labels().map(|(id, label)| (id, label.clone())).collect::<Vec<_>>();
    let masks = |of: &Annotation| {
        let all = of.labels().flat_map(|(id, _)| of.slices(id).map(move |slice| (id, slice)));
        all.map(|(id, slice)| (id, slice, of.mask(id, slice).cloned())).collect::<Vec<_>>()
    };
    labels(a) == labels(b) && masks(a) == masks(b)
}

fn opened(engine: &Engine, folder: &Path, known: Option<Seal>) -> CaseOpened {
    let mut opening = Pending::default();
    let job = OpenJournal { folder: folder.to_owned(), image: image(), known };
    engine.ask(&mut opening, (), job).expect("not busy");
    answer(&mut opening).expect("an answer")
}

fn append(journal: &SharedJournal, records: Vec<Record>, annotation: &Annotation) -> AppendToJournal {
    let state = JournalState { annotation: annotation.clone(), file: None };
    AppendToJournal { journal: journal.clone(), records, state }
}

/// What there is of the case, read as the next program would.
fn kept(folder: &Path) -> Annotation {
    let OpenedJournal { journal, content, aside, .. } = journal::open(folder, image(), Limit::default());
    assert!(journal.is_ok(), "the lock of a program that ended is free: {journal:?}");
    assert_eq!(aside, None, "nothing is damaged");
    content.map_or(Annotation::new(SHAPE), |content| content.annotation)
}

#[test]
#[ignore = "a child process of the test below"]
fn draws_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let seed = std::env::var(SEED).expect("a seed").parse().expect("a number");
    let (engine, _) = engine(&FakeModel::default());
    let CaseOpened { journal, content, .. } = opened(&engine, &folder, None);
    let journal = journal.expect("a journal");
    let mut hand = Hand::new(seed, content.map_or(Annotation::new(SHAPE), |content| content.annotation));
    let (mut done, mut waiting) = (0, VecDeque::new());
    let mut writing = Pending::<usize, ()>::default();
    loop {
        // Several changes come while others are written, as in the window.
        for _ in 0..hand.random.usize(1..4) {
            waiting.push_back(Record::Edits(hand.does()));
            done += 1;
        }
        if writing.pending().is_none() {
            let job = append(&journal, waiting.drain(..).collect(), &hand.annotation);
            engine.ask(&mut writing, done, job).expect("not busy");
        }
        if let Some(answer) = writing.take() {
            answer.expect("written");
            println!("kept {}", writing.asked().expect("it was asked for"));
        }
    }
}

#[test]
fn twenty_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut random = fastrand::Rng::new();
    let mut before = Annotation::new(SHAPE);
    for round in 0..20 {
        let seed = random.u64(..);
        let child = Child::of_test("journal::draws_until_it_is_killed").env(FOLDER, folder.path());
        let child = child.env(SEED, seed.to_string()).start();
        let text = child.killed("kept ", Duration::from_micros(random.u64(..200_000)));
        let acknowledged: usize = text
            .lines()
            .filter_map(|line| line.rsplit_once("kept ")?.1.trim().parse().ok())
            .max()
            .expect("something was acknowledged");
        let after = kept(folder.path());
        // What comes back is what was there at some moment, and not before the last acknowledgement.
        let mut hand = Hand::new(seed, before);
        let (mut done, mut is_found) = (0, false);
        while !is_found && done < acknowledged + 100_000 {
            // The child draws as many numbers between its steps.
            for _ in 0..hand.random.usize(1..4) {
                hand.does();
                done += 1;
                is_found |= done >= acknowledged && is_same(&hand.annotation, &after);
            }
        }
        assert!(is_found, "round {round}, seed {seed}: {acknowledged} steps were acknowledged");
        println!("round {round}: {acknowledged} steps acknowledged");
        before = after;
    }
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "a child process of the test below"]
fn draws_on_a_full_disk() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let grow = |most| setrlimit(Resource::Fsize, Rlimit { current: most, maximum: None }).expect("it is lifted");
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let (engine, _) = engine(&FakeModel::default());
    let CaseOpened { journal, .. } = opened(&engine, &folder, None);
    let journal = journal.expect("a lock needs no space");
    let mut hand = Hand::new(7, Annotation::new(SHAPE));
    let mut writing = Pending::<(), ()>::default();
    let mut records = Vec::new();
    let mut goes = |records: &Vec<Record>, annotation: &Annotation| {
        engine.ask(&mut writing, (), append(&journal, records.clone(), annotation)).expect("not busy");
        answer(&mut writing)
    };
    // Nothing can be written, not even a part.
    records.push(Record::Edits(hand.does()));
    let text = message(goes(&records, &hand.annotation));
    assert!(text.contains("cannot be written") && text.contains("himixa"), "{text}");
    grow(None);
    assert_eq!(goes(&records, &hand.annotation), Ok(()));
    // The disk is full in the middle of a record, twice.
    let path = std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
    let path =
        path.into_iter().find(|path| path.extension().is_some_and(|end| end == "himixa")).expect("a journal");
    let length = std::fs::metadata(&path).expect("a file").len();
    records = (0..20).map(|_| Record::Edits(hand.does())).collect();
    for more in [5, 40] {
        grow(Some(length + more));
        assert!(message(goes(&records, &hand.annotation)).contains("cannot be written"));
        assert_eq!(std::fs::metadata(&path).expect("a file").len(), length, "the part was cut off");
    }
    grow(None);
    records.push(Record::Edits(hand.does()));
    assert_eq!(goes(&records, &hand.annotation), Ok(()));
    drop((engine, journal));
    assert!(is_same(&kept(&folder), &hand.annotation));
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_full_disk_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    Child::of_test("journal::draws_on_a_full_disk").env(FOLDER, folder.path()).without_disk_space().run();
}

#[test]
fn a_closed_case_can_be_opened_at_once_and_a_second_window_only_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _) = engine(&FakeModel::default());
    let mut hand = Hand::new(1, Annotation::new(SHAPE));
    for _ in 0..3 {
        let CaseOpened { journal, content, .. } = opened(&engine, folder.path(), None);
        let found = content.map_or(Annotation::new(SHAPE), |content| content.annotation);
        assert!(is_same(&found, &hand.annotation));
        let journal = journal.expect("the former one was closed");
        let second = opened(&engine, folder.path(), None);
        assert_eq!(second.journal.err(), Some(Refusal::InUse(Some(std::process::id()))));
        let records = vec![Record::Edits(hand.does()), Record::Closed];
        // The answer is not waited for: the thread does one after the other.
        engine
            .ask(&mut Pending::<(), ()>::default(), (), append(&journal, records, &hand.annotation))
            .expect("asked");
    }
}

#[test]
fn a_journal_that_others_wrote_in_the_meantime_is_kept_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("journals");
    let (engine, _) = engine(&FakeModel::default());
    std::fs::write(&place, "a file in the place of the folder").expect("written");
    let refused = opened(&engine, &place, None);
    assert!(matches!(refused.journal, Err(Refusal::Failed(_))), "{:?}", refused.journal);
    // Somebody draws without a journal, and then there is one of somebody else.
    let mut hand = Hand::new(1, Annotation::new(SHAPE));
    let records = vec![Record::Edits(hand.does())];
    std::fs::remove_file(&place).expect("removed");
    let mut other = Hand::new(2, Annotation::new(SHAPE));
    let theirs = opened(&engine, &place, Some(Seal::default())).journal.expect("a journal");
    let mut writing = Pending::<(), ()>::default();
    let closing = vec![Record::Edits(other.does()), Record::Closed];
    engine.ask(&mut writing, (), append(&theirs, closing, &other.annotation)).expect("asked");
    answer(&mut writing).expect("written");
    let CaseOpened { journal, aside, .. } = opened(&engine, &place, Some(Seal::default()));
    let ours = journal.expect("a journal");
    engine.ask(&mut writing, (), append(&ours, records, &hand.annotation)).expect("asked");
    answer(&mut writing).expect("written");
    let theirs = journal::read(&aside.expect("it was kept aside")).expect("a file");
    let theirs = journal::replay(&theirs, SHAPE, Limit::default()).expect("a journal");
    assert!(is_same(&theirs.annotation, &other.annotation));
    drop((engine, ours));
    assert!(is_same(&kept(&place), &hand.annotation));
}
