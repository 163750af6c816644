//! The stored results of kernel tuning, in child processes that open a GPU with a cache folder of their own. Opening a
//! device computes one small product, which is tuned.

use std::fs;
use std::path::{Path, PathBuf};

use himix::device::{self, DeviceChoice, tuning};

use crate::common::{self, Child, Need};

/// The name of the test that the children run.
const CHILD: &str = "tuning::in_a_child";

/// What a child reports.
#[derive(Debug)]
struct Outcome {
    /// The kernels that were launched to open the device, those tried out for tuning included.
    launches: usize,
    /// The stored results afterwards.
    entries: usize,
    notice: Option<String>,
}

impl Outcome {
    fn of(text: &str) -> Self {
        let line = |key: &str| {
            let found = text.lines().find_map(|line| line.split_once(&format!("{key}: ")).map(|(_, value)| value));
            found.unwrap_or_else(|| panic!("no {key} in {text}")).to_owned()
        };
        let number = |key: &str| line(key).parse().expect("a number");
        let notice = Some(line("notice")).filter(|notice| notice != "none");
        Self { launches: number("launches"), entries: number("entries"), notice }
    }
}

fn child(cache: &Path) -> Child {
    Child::with_little_tuning(CHILD).env("XDG_CACHE_HOME", cache)
}

fn open_in(cache: &Path) -> Outcome {
    Outcome::of(&child(cache).run())
}

/// Returns the files of a store that end with `ending`.
fn files(cache: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("himix/gpu")).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect()
}

#[test]
#[ignore = "run by the other tests of this file"]
fn in_a_child() {
    let (open, launches) = device::launches_of(false, || device::open(DeviceChoice::Gpu(None)));
    assert!(open.is_gpu, "{:?}", open.notice);
    let found = device::adapters().iter().find_map(tuning::stored);
    println!("\nlaunches: {}", launches.count());
    println!("entries: {}", found.map_or(0, |stored| stored.entries));
    println!("notice: {}", open.notice.unwrap_or_else(|| "none".into()));
}

#[test]
fn tuning_is_stored_and_not_repeated() {
    if device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path();
    let first = open_in(cache);
    assert!(first.entries > 0 && first.notice.is_none(), "{first:?}");
    assert_eq!(files(cache, "db").len(), 1, "one adapter, one store");
    assert!(!cache.join("cubecl").exists(), "nothing is stored elsewhere");
    let second = open_in(cache);
    assert!(second.launches < first.launches, "{second:?} after {first:?}");
    assert_eq!((second.entries, &second.notice), (first.entries, &None));

    // Two programs use one store at the same time.
    let together: Vec<_> = (0..2).map(|_| child(cache).start()).collect();
    for started in together {
        let outcome = Outcome::of(&started.finish());
        assert_eq!((outcome.entries, &outcome.notice), (first.entries, &None), "{outcome:?}");
    }

    // A damaged store is renamed and made anew.
    let store = files(cache, "db").remove(0);
    fs::write(&store, "no database at all, only some text that stands in its place").expect("written");
    let after = open_in(cache);
    assert!(after.notice.as_ref().is_some_and(|notice| notice.contains("damaged")), "{after:?}");
    assert!(after.entries == first.entries && after.launches > second.launches, "{after:?}");
    assert_eq!(files(cache, "damaged").len(), 1);
    // So is one whose beginning alone is right.
    let whole = fs::read(&store).expect("read");
    fs::write(&store, &whole[..whole.len().min(100)]).expect("written");
    let after = open_in(cache);
    assert!(after.launches > second.launches, "{after:?}");
}

#[test]
fn a_store_that_cannot_be_written_does_not_prevent_computing() {
    if device::adapters().is_empty() {
        return common::skip(Need::Installable, "there is no Vulkan driver, not even a software one");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("himix"), "a file where the folder should be").expect("written");
    let outcome = open_in(folder.path());
    assert!(outcome.notice.as_ref().is_some_and(|notice| notice.contains("cannot be stored")), "{outcome:?}");
    assert_eq!(outcome.entries, 0);

    // A file that may not grow is to a program what a full disk is.
    let full = tempfile::tempdir().expect("a folder");
    let outcome = Outcome::of(&child(full.path()).without_disk_space().run());
    assert_eq!(outcome.entries, 0, "{outcome:?}");
}
