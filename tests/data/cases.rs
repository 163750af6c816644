//! The states of cases, and the masks of several readers.

use std::fs;
use std::path::Path;

use himix::data::DataError;
use himix::data::cases::{CaseChange, CaseState, CaseStore, FOLDER, ReaderCases, pairs_of_folders};
use himix::data::worklist;
use tempfile::TempDir;

use super::fixtures::{folder, grey_png, put};

fn change(id: &str, state: CaseState) -> CaseChange {
    CaseChange { id: id.into(), state, mask: None }
}

fn states(reader: &ReaderCases) -> Vec<(&str, CaseState)> {
    reader.cases.iter().map(|(id, entry)| (id.as_str(), entry.state)).collect()
}

fn record(store: &CaseStore, reader: &str, changes: &[CaseChange]) -> ReaderCases {
    store.place(reader).and_then(|place| place.record(changes)).expect("recorded").0
}

/// Accepts the mask of a case.
fn accept(store: &CaseStore, reader: &str, id: &str, mask: &[u8]) {
    let place = store.place(reader).expect("a place");
    let name = place.mask_name(id, false).expect("a name");
    fs::write(place.folder.join(&name), mask).expect("written");
    let change = CaseChange { mask: Some(name), ..change(id, CaseState::Done) };
    place.record(&[change]).expect("recorded");
}

#[test]
fn two_readers_write_files_of_their_own() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    assert_eq!(store.read(), (Vec::new(), Vec::new()));
    record(&store, "Anna", &[change("a.png", CaseState::Draft), change("b.png", CaseState::Rejected)]);
    record(&store, "Bob", &[change("a.png", CaseState::Done)]);
    let found = record(&store, "anna ", &[change("a.png", CaseState::Done)]);
    assert_eq!(states(&found), [("a.png", CaseState::Done), ("b.png", CaseState::Rejected)]);
    let (readers, notes) = store.read();
    assert!(notes.is_empty() && readers.len() == 2, "{readers:?} {notes:?}");
    assert_eq!(states(&readers[0]), states(&found));
    assert_eq!((readers[1].reader.as_str(), states(&readers[1])), ("Bob", vec![("a.png", CaseState::Done)]));
    let at = &readers[1].cases["a.png"].at;
    assert!(at.ends_with('Z') && at.as_str() > "2026", "{at}");
}

#[test]
fn what_another_program_wrote_and_what_is_not_known_is_kept() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    let place = store.place("Anna").expect("a place");
    place.record(&[change("a.png", CaseState::Done)]).expect("recorded");
    let path = place.folder.join("cases.json");
    // Another program adds a case, a comment, and a state of its own.
    let text = fs::read_to_string(&path).expect("a file");
    let text = text.replacen("\"cases\": {", "\"team\": [1, 2],\n\"cases\": {\n\"c.png\": {\"state\": \"postponed\", \"why\": \"x\"},\n\"b.png\": {\"state\": \"draft\", \"at\": \"2020\", \"note\": \"blurred\"},", 1);
    fs::write(&path, text).expect("written");
    let (found, note) = place.record(&[change("b.png", CaseState::Done)]).expect("recorded");
    assert_eq!((states(&found), note), (vec![("a.png", CaseState::Done), ("b.png", CaseState::Done)], None));
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!((&json["team"][1], &json["cases"]["b.png"]["note"]), (&2.into(), &"blurred".into()));
    assert_eq!((&json["cases"]["c.png"]["state"], &json["himix_cases"]), (&"postponed".into(), &1.into()));
}

#[test]
fn many_programs_of_one_reader_lose_nothing() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    std::thread::scope(|scope| {
        for program in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for case in 0..25 {
                    record(store, "Anna", &[change(&format!("{program}-{case}.png"), CaseState::Done)]);
                }
            });
        }
    });
    assert_eq!(store.read().0[0].cases.len(), 100);
}

#[test]
fn a_damaged_file_is_set_aside_and_a_newer_one_is_left_alone() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    let place = store.place("Anna").expect("a place");
    let path = place.folder.join("cases.json");
    for (number, damaged) in
        ["{ \"himix_cases\": 1, ", "[]", "{\"himix_cases\": 1, \"cases\": 3}"].iter().enumerate()
    {
        fs::write(&path, damaged).expect("written");
        let (_, note) = place.record(&[change("a.png", CaseState::Done)]).expect("recorded");
        let note = note.expect("a note");
        assert!(note.contains("could not be read") && note.contains("damaged"), "{note}");
        let name =
            if number == 0 { "cases.damaged.json".into() } else { format!("cases.damaged-{}.json", number + 1) };
        assert_eq!(fs::read_to_string(place.folder.join(name)).expect("kept"), *damaged);
        assert_eq!(store.read().0[0].cases.len(), 1);
    }
    let newer = "{\"himix_cases\": 2, \"cases\": {\"a.png\": {\"state\": \"done\"}}}";
    fs::write(&path, newer).expect("written");
    let error = place.record(&[change("a.png", CaseState::Draft)]).expect_err("refused").to_string();
    assert!(error.contains("newer version") && store.read().1[0].contains("newer version"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("a file"), newer);
}

#[test]
fn without_a_place_beside_the_data_the_settings_have_one() {
    let (data, settings) = (folder(), folder());
    let store = CaseStore::of(data.path(), Some(settings.path()));
    record(&store, "Anna", &[change("a.png", CaseState::Draft), change("b.png", CaseState::Done)]);
    // A file in place of the folder stands for a folder that cannot be written to.
    let beside = data.path().join(FOLDER);
    let away = data.path().join("away");
    fs::rename(&beside, &away).expect("moved");
    fs::write(&beside, "").expect("written");
    // Times have milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(5));
    let found = record(&store, "Anna", &[change("a.png", CaseState::Done)]);
    assert_eq!(states(&found), [("a.png", CaseState::Done)]);
    assert!(store.place("Anna").expect("a place").folder.starts_with(settings.path()));
    // Once both places can be read, the newer entry of each case counts.
    fs::remove_file(&beside).expect("removed");
    fs::rename(&away, &beside).expect("moved");
    assert_eq!(states(&store.read().0[0]), [("a.png", CaseState::Done), ("b.png", CaseState::Done)]);
    let other = CaseStore::of(folder().path(), Some(settings.path()));
    assert!(other.read().0.is_empty(), "another folder has states of its own");
    fs::remove_dir_all(&beside).expect("removed");
    fs::write(&beside, "").expect("written");
    assert!(matches!(CaseStore::of(data.path(), None).place("Anna"), Err(DataError::Unwritable { .. })));
}

#[test]
fn a_case_has_one_name_wherever_the_list_begins() {
    let folder = folder();
    for name in ["test/Images/a.png", "train/Images/b.png"] {
        put(&folder, name, &grey_png(4, 3, 0, 200));
        put(&folder, &name.replace("Images", "GTs"), &grey_png(4, 3, 0, 255));
    }
    put(&folder, "prompt/test.csv", b"Image,Description\na.png,one\n");
    put(&folder, "prompt/train.csv", b"Image,Description\nb.png,two\n");
    let image = folder.path().join("test/Images/a.png");
    for begins in ["", "test", "test/Images"] {
        let store = CaseStore::of(&folder.path().join(begins), None);
        assert_eq!(store.id(&image), "test/Images/a.png", "{begins}");
    }
    let alone = CaseStore::of(&folder.path().join("test/Images"), None);
    assert!(alone.id(Path::new("/elsewhere/x.dcm#2")).ends_with("elsewhere/x.dcm#2"));
}

#[test]
fn masks_of_readers_are_not_listed_as_images() {
    let folder = folder();
    put(&folder, "a.png", &grey_png(4, 3, 0, 200));
    let store = CaseStore::of(folder.path(), None);
    accept(&store, "images", "a.png", &grey_png(4, 3, 0, 255));
    let names: Vec<String> =
        worklist::list(folder.path()).expect("a list").into_iter().map(|item| item.name).collect();
    assert_eq!(names, ["a.png"]);
}

#[test]
fn a_mask_has_the_name_of_its_image_and_keeps_it() {
    let folder = folder();
    let place = CaseStore::of(folder.path(), None).place("Anna").expect("a place");
    let name = |id: &str, is_stack| place.mask_name(id, is_stack).expect("a name");
    assert_eq!(name("test/Images/a.jpg", false), "masks/test/Images/a.png");
    assert_eq!(name("scan.nii.gz", true), "masks/scan.nii.gz");
    assert_eq!(name("ct/IM0001", true), "masks/ct/IM0001.nii.gz");
    assert_eq!(name("../b/c:d.png", false), "masks/up/b/c_d.png");
    let done = |id: &str, mask: String| {
        let change = CaseChange { mask: Some(mask), ..change(id, CaseState::Done) };
        place.record(&[change]).expect("recorded");
    };
    done("a.jpg", name("a.jpg", false));
    assert_eq!(name("a.png", false), "masks/a.png.png", "the plain one is taken");
    assert_eq!(name("a.jpg", false), "masks/a.png");
}

fn named(pairs: &[himix::data::cases::MaskPair]) -> Vec<&str> {
    pairs.iter().map(|pair| pair.case.as_str()).collect()
}

#[test]
fn masks_of_two_readers_are_paired() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    let refused = |readers: Option<[&str; 2]>| store.pairs(readers).expect_err("refused").to_string();
    assert!(refused(None).contains("no reader"));
    let mask = grey_png(4, 3, 0, 255);
    for id in ["a10.png", "a2.png", "only.png", "taken back.png"] {
        accept(&store, "Anna", id, &mask);
    }
    assert!(refused(None).contains("only Anna"));
    for id in ["a2.png", "a10.png", "taken back.png"] {
        accept(&store, "Bob", id, &mask);
    }
    record(&store, "Bob", &[change("taken back.png", CaseState::Rejected), change("b.png", CaseState::Draft)]);
    let found = store.pairs(None).expect("pairs");
    assert_eq!(found.readers, ["Anna", "Bob"]);
    assert_eq!(named(&found.pairs), ["a2.png", "a10.png"]);
    assert_eq!(found.alone, [vec!["only.png".to_owned(), "taken back.png".to_owned()], Vec::new()]);
    assert!(found.pairs[0].masks.iter().all(|mask| mask.is_file()));
    record(&store, "Carl", &[change("a2.png", CaseState::Done)]);
    assert!(refused(None).contains("Anna, Bob, Carl"));
    assert!(refused(Some(["anna", "Anna"])).contains("one reader"));
    assert!(refused(Some(["Anna", "Dora"])).contains("no reader Dora"));
    let found = store.pairs(Some(["bob", "anna"])).expect("pairs");
    assert_eq!(found.readers, ["Bob", "Anna"]);
    assert_eq!(found.notes, [""; 0]);
    // The folders of the readers say the same.
    let folders = ["anna", "bob"].map(|name| folder.path().join(FOLDER).join(name));
    let by_folder = pairs_of_folders([&folders[0], &folders[1]]).expect("pairs");
    assert_eq!(
        (named(&by_folder.pairs), by_folder.readers),
        (vec!["a2.png", "a10.png", "taken back.png"], ["anna".into(), "bob".into()])
    );
}

#[test]
fn a_comparison_says_which_states_could_not_be_read() {
    let folder = folder();
    let store = CaseStore::of(folder.path(), None);
    let mask = grey_png(4, 3, 0, 255);
    for reader in ["Anna", "Bob", "Carl"] {
        accept(&store, reader, "a.png", &mask);
    }
    put(&folder, &format!("{FOLDER}/carl/cases.json"), b"{");
    let found = store.pairs(None).expect("the other two");
    assert_eq!(found.readers, ["Anna", "Bob"]);
    assert!(found.notes.len() == 1 && found.notes[0].contains("damaged.json"), "{:?}", found.notes);
    put(&folder, &format!("{FOLDER}/bob/cases.json"), b"{");
    let refused = store.pairs(None).expect_err("one reader").to_string();
    assert!(refused.contains("only Anna") && refused.contains("damaged.json"), "{refused}");
}

#[test]
fn masks_of_two_folders_are_paired_by_name() {
    let (a, b): (TempDir, TempDir) = (folder(), folder());
    for name in ["x/mask_One.png", "x/two.nii.gz", "x/three.png", "y/one.png"] {
        put(&a, name, b"");
    }
    for name in ["X/one_mask.tif", "X/two.nii", "notes.txt", ".hidden.png"] {
        put(&b, name, b"");
    }
    let found = pairs_of_folders([a.path(), b.path()]).expect("pairs");
    assert_eq!(named(&found.pairs), ["x/mask_One.png", "x/two.nii.gz"]);
    assert_eq!(found.alone, [vec!["x/three.png".to_owned(), "y/one.png".to_owned()], Vec::new()]);
    assert!(pairs_of_folders([a.path(), folder().path()]).is_err());
    assert!(matches!(pairs_of_folders([a.path(), Path::new("/none")]), Err(DataError::Missing { .. })));
}
