//! The data set that a folder or a file belongs to, found by looking upwards.

use std::path::Path;

use himix::data::dataset::{self, Splits};
use himix::data::worklist::{self, Item};
use himix::data::{Dataset, PairReading, survey};
use tempfile::TempDir;

use super::common::shared;
use super::fixtures::{folder, grey_png, put};

/// A data set with prompts in tables beside the folders of its splits.
fn set() -> TempDir {
    let set = folder();
    for (split, names) in [("train", vec!["a10", "a2"]), ("test", vec!["x1", "x2"])] {
        let mut table = String::from("Image,Description\n");
        for name in names {
            put(&set, &format!("{split}/Images/{name}.png"), &grey_png(4, 3, 0, 90));
            put(&set, &format!("{split}/GTs/mask_{name}.png"), &grey_png(4, 3, 0, 255));
            table += &format!("{name}.png,prompt of {name}\n");
        }
        put(&set, &format!("prompt/{split}.csv"), table.as_bytes());
    }
    set
}

fn list(folder: &Path) -> Vec<Item> {
    worklist::list(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// Name, prompt and split of every case.
fn told(items: &[Item]) -> Vec<(&str, Option<&str>, Option<&str>)> {
    items.iter().map(|item| (item.name.as_str(), item.prompt.as_deref(), item.split.as_deref())).collect()
}

#[test]
fn the_folder_of_a_split_is_that_split() {
    let set = set();
    let test = [("x1.png", Some("prompt of x1"), Some("test")), ("x2.png", Some("prompt of x2"), Some("test"))];
    assert_eq!(told(&list(&set.path().join("test"))), test);
    assert_eq!(told(&list(&set.path().join("test/Images"))), test);
    let train = list(&set.path().join("train/Images"));
    assert_eq!(train[0].name, "a2.png", "as people count");
    assert!(train.iter().all(|item| item.truth.len() == 1 && item.split.as_deref() == Some("train")));
    // In the whole, too.
    let names: Vec<String> = list(set.path()).into_iter().map(|item| item.name).collect();
    assert_eq!(names, ["a2.png", "a10.png", "x1.png", "x2.png"]);
}

#[test]
fn a_lone_file_has_the_prompt_that_its_data_set_gives_it() {
    let set = set();
    let path = set.path().join("test/Images/x2.png");
    let case = worklist::case(&path).expect("a case");
    assert_eq!((case.prompt.as_deref(), case.split.as_deref()), (Some("prompt of x2"), Some("test")));
    assert_eq!((case.path, case.truth.len()), (path, 1));
    // A mask is no image of it, and a file beside the splits is none of theirs.
    assert_eq!(worklist::case(&set.path().join("test/GTs/mask_x2.png")), None);
    put(&set, "other.png", &grey_png(4, 3, 0, 90));
    assert_eq!(worklist::case(&set.path().join("other.png")), None);
    // An image without a mask or a row is still of its split.
    put(&set, "test/Images/x3.png", &grey_png(4, 3, 0, 90));
    let case = worklist::case(&set.path().join("test/Images/x3.png")).expect("a case");
    assert_eq!((case.prompt, case.split.as_deref(), case.truth.len()), (None, Some("test"), 0));
    assert_eq!(list(&set.path().join("test/Images")).len(), 3, "all that the folder has");
}

#[test]
fn a_split_that_nobody_says_is_not_shown() {
    let set = folder();
    for name in 0..30 {
        put(&set, &format!("images/{name}.png"), &grey_png(4, 3, 0, 90));
        put(&set, &format!("masks/{name}.png"), &grey_png(4, 3, 0, 255));
    }
    let plain = list(set.path());
    assert_eq!(plain.len(), 30);
    assert!(plain.iter().all(|item| item.split.is_none() && item.truth.len() == 1));
    assert_eq!(dataset::splits(set.path()).ok(), Some(Splits { names: vec!["all".into()], are_said: false }));
    // A table of prompts says nothing of splits either.
    put(&set, "prompts.csv", b"Image,Description\n3.png,three\n20.png,twenty\n");
    let items = list(set.path());
    assert_eq!(told(&items), [("3.png", Some("three"), None), ("20.png", Some("twenty"), None)]);
    let images = list(&set.path().join("images"));
    assert_eq!((images.len(), images[3].prompt.as_deref(), images[3].split.as_deref()), (30, Some("three"), None));
    assert_eq!(
        worklist::case(&set.path().join("images/20.png")).and_then(|case| case.prompt).as_deref(),
        Some("twenty")
    );
    // That its name is that of no split does not make a folder with images one.
    let downloads = folder();
    put(&downloads, "Kvasir/images/1.png", &grey_png(4, 3, 0, 90));
    put(&downloads, "Kvasir/masks/1.png", &grey_png(4, 3, 0, 255));
    assert_eq!(told(&list(&downloads.path().join("Kvasir"))), [("1.png", None, None)]);
}

#[test]
fn lists_and_tables_beside_one_pool_say_the_split_of_its_images() {
    let set = folder();
    for name in ["a", "b", "c"] {
        put(&set, &format!("images/{name}.png"), &grey_png(4, 3, 0, 90));
        put(&set, &format!("masks/{name}.png"), &grey_png(4, 3, 0, 255));
    }
    put(&set, "train.txt", b"a.png\n");
    put(&set, "test.txt", b"b.png\n");
    let said = [("a.png", None, Some("train")), ("b.png", None, Some("test")), ("c.png", None, None)];
    assert_eq!(told(&list(&set.path().join("images"))), said);
    put(&set, "anns/test.csv", b"Image,Description\nb.png,two\n");
    let case = worklist::case(&set.path().join("images/b.png")).expect("a case");
    assert_eq!((case.prompt.as_deref(), case.split.as_deref()), (Some("two"), Some("test")));
}

#[test]
fn lvit_is_found_from_within() {
    let set = folder();
    put(&set, "Test_Folder/img/q.png", &grey_png(4, 3, 0, 90));
    put(&set, "Test_Folder/labelcol/q.png", &grey_png(4, 3, 0, 255));
    put(&set, "Test_Folder/Test_text.csv", b"Image,Description\nq.png,left lung\n");
    let expected = [("q.png", Some("left lung"), Some("test"))];
    for part in ["Test_Folder", "Test_Folder/img", "."] {
        assert_eq!(told(&list(&set.path().join(part))), expected, "{part}");
    }
}

#[test]
fn what_is_trained_and_surveyed_is_the_same_part() {
    let set = set();
    put(&set, dataset::SETTINGS_FILE, b"mask_rule = \"exactly_255\"\n");
    let folder = set.path().join("test");
    let dataset = Dataset::open(&folder, "test").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((dataset.samples.len(), dataset.samples[0].prompt.as_str()), (2, "prompt of x1"));
    assert_eq!(Dataset::open(&folder, "all").map(|all| all.split).ok().as_deref(), Some("test"));
    let error = Dataset::open(&folder, "train").expect_err("no test case is one of training").to_string();
    assert!(error.contains("test"), "{error}");
    let reading = dataset::reading(&folder).expect("settings");
    assert_ne!(reading, PairReading::default(), "those of the data set");
    assert_eq!(list(&folder)[0].reading, reading);
    assert_eq!(worklist::case(&folder.join("Images/x1.png")).map(|case| case.reading), Some(reading.clone()));
    let found = survey(&folder, &reading, &|_, _| ()).expect("a part");
    assert_eq!((found.splits.len(), found.splits[0].0.as_str(), found.is_hashed), (1, "test", false));
    assert_eq!(found.root, set.path());
}

#[cfg(unix)]
#[test]
fn links_lead_to_the_data_set_and_nowhere_else() {
    use std::os::unix::fs::symlink;
    let set = set();
    let outside = folder();
    // A link to a part is that part; one to a single file has no data set around it.
    symlink(set.path().join("test"), outside.path().join("linked")).expect("a link");
    assert_eq!(list(&outside.path().join("linked"))[0].split.as_deref(), Some("test"));
    let path = outside.path().join("linked/Images/x1.png");
    assert_eq!(worklist::case(&path).map(|case| (case.prompt.is_some(), case.path)), Some((true, path)));
    // A data set whose folders are links is found by how it is spelled.
    let made = folder();
    std::fs::create_dir_all(made.path().join("test")).expect("a folder");
    symlink(set.path().join("train/Images"), made.path().join("test/Images")).expect("a link");
    symlink(set.path().join("train/GTs"), made.path().join("test/GTs")).expect("a link");
    put(&made, "prompt/test.csv", b"Image,Description\na2.png,other words\n");
    let case = worklist::case(&made.path().join("test/Images/a2.png")).expect("a case");
    assert_eq!((case.prompt.as_deref(), case.split.as_deref()), (Some("other words"), Some("test")));
    // In a circle the search still ends.
    symlink(outside.path(), outside.path().join("around")).expect("a link");
    assert!(worklist::case(&outside.path().join("around/around/around/x.png")).is_none());
}

#[test]
fn the_shared_sets_are_found_from_their_parts() {
    let Some(qata) = shared("data/qata") else { return };
    let items = list(&qata.join("test"));
    assert_eq!(items.len(), 70);
    assert!(items.iter().all(|item| item.split.as_deref() == Some("test") && item.prompt.is_some()));
    assert_eq!(told(&list(&qata.join("test/Images"))), told(&items));
    let Some(plain) = shared("data/covid_ct_seg") else { return };
    assert!(list(&plain.join("test/Images")).iter().all(|item| item.split.as_deref() == Some("test")));
}
