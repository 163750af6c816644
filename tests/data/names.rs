//! The same name in many spellings: composed and decomposed, in another case, in another encoding.

use himix::data::dataset::partners;
use himix::data::{Dataset, PairReading, worklist};

use super::fixtures::{folder, grey_png, put};
use crate::common::shared;

/// Composed and decomposed forms (Unicode Standard Annex 15): ü, ä, Å, ế, the Korean syllable 각.
const FORMS: [(&str, &str); 5] = [
    ("M\u{fc}ller", "Mu\u{308}ller"),
    ("L\u{e4}sion", "La\u{308}sion"),
    ("\u{c5}ngstr\u{f6}m", "A\u{30a}ngstro\u{308}m"),
    ("\u{1ebf}", "e\u{302}\u{301}"),
    ("\u{ac01}", "\u{1100}\u{1161}\u{11a8}"),
];

#[test]
fn composed_and_decomposed_are_one() {
    // A name occurs in three places, each in either form.
    for forms in 0..8_u32 {
        let folder = folder();
        let mut table = String::from("Image,Description\n");
        for (composed, decomposed) in FORMS {
            let form = |place: u32| if forms >> place & 1 == 0 { composed } else { decomposed };
            put(&folder, &format!("train/Images/{}.png", form(0)), &grey_png(4, 3, 9, 1));
            put(&folder, &format!("train/GTs/mask_{}.png", form(1)), &grey_png(4, 3, 0, 255));
            table += &format!("{}.png,{composed}\n", form(2));
        }
        put(&folder, "prompt/train.csv", table.as_bytes());
        let mut train = Dataset::open(folder.path(), "train").unwrap_or_else(|error| panic!("{forms}: {error}"));
        assert!(train.findings.is_empty(), "{forms}: {:?}", train.findings);
        let prompts: Vec<&str> = train.samples.iter().map(|sample| sample.prompt.as_str()).collect();
        assert_eq!(prompts, FORMS.map(|(composed, _)| composed));
        // The names are those of the files, so they can be opened.
        assert_eq!(train.check(&PairReading::default()).expect("readable").with_foreground, FORMS.len());
    }
}

#[test]
fn lists_tables_of_lvit_and_partners_take_either_form() {
    let (composed, decomposed) = FORMS[0];
    let set = folder();
    put(&set, &format!("images/{decomposed}.png"), &grey_png(4, 3, 9, 1));
    put(&set, &format!("masks/{composed}.png"), &grey_png(4, 3, 0, 255));
    put(&set, "images/other.png", &grey_png(4, 3, 9, 2));
    put(&set, "masks/other.png", &grey_png(4, 3, 0, 255));
    put(&set, "train.txt", format!("{composed}.png\n").as_bytes());
    let train = Dataset::open(set.path(), "train").expect("a data set");
    assert_eq!(train.samples.len(), 1);
    assert_eq!(train.samples[0].masks, [set.path().join(format!("masks/{composed}.png"))]);

    let set = folder();
    put(&set, &format!("Train_Folder/img/{composed}.png"), &grey_png(4, 3, 9, 1));
    put(&set, &format!("Train_Folder/labelcol/{decomposed}.png"), &grey_png(4, 3, 0, 255));
    put(&set, "Train_Folder/Train_text.csv", format!("Image,Description\nmask_{decomposed}.png,x\n").as_bytes());
    assert_eq!(Dataset::open(set.path(), "train").expect("a data set").samples[0].prompt, "x");

    let set = folder();
    let image = put(&set, &format!("{composed}.png"), &grey_png(4, 3, 9, 1));
    let mask = put(&set, &format!("{decomposed}_mask.png"), &grey_png(4, 3, 0, 255));
    assert_eq!(partners(&image), std::slice::from_ref(&mask));
    let items = worklist::list(set.path()).expect("a list");
    assert_eq!(items.iter().map(|item| item.truth.clone()).collect::<Vec<_>>(), [[mask]]);
}

#[test]
fn case_is_folded_in_full() {
    let set = folder();
    put(&set, "images/STRASSE.png", &grey_png(4, 3, 9, 1));
    put(&set, "masks/stra\u{df}e_mask.PNG", &grey_png(4, 3, 0, 255));
    // The dotless i is another letter.
    put(&set, "images/\u{131}.png", &grey_png(4, 3, 9, 2));
    put(&set, "masks/i.png", &grey_png(4, 3, 0, 255));
    let all = Dataset::open(set.path(), "all").expect("a data set");
    let names: Vec<&str> = all.samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names, ["STRASSE.png"]);
}

#[test]
fn a_name_that_was_taken_for_windows_1252_is_found() {
    let set = folder();
    put(&set, "train/Images/M\u{fc}ller.png", &grey_png(4, 3, 9, 1));
    put(&set, "train/GTs/M\u{fc}ller.png", &grey_png(4, 3, 0, 255));
    put(&set, "prompt/train.csv", "Image,Description\nM\u{c3}\u{bc}ller.png,x\n".as_bytes());
    assert_eq!(Dataset::open(set.path(), "train").expect("a data set").samples[0].prompt, "x");
}

/// Other systems do not allow such names.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let set = folder();
    let bytes = |part: &str, name: &[u8], content: &[u8]| {
        let folder = set.path().join(part);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(OsStr::from_bytes(name)), content).expect("a file");
    };
    // Two names that the replacement character would make equal, and one whose readable form is the name of another
    // file.
    for (number, name) in
        [&b"M\xfcller.png"[..], b"M\xf6ller.png", b"\xe4.png", "\u{e4}.png".as_bytes()].iter().enumerate()
    {
        bytes("train/Images", name, &grey_png(4, 3, 9, number as u8));
        bytes("train/GTs", &[b"mask_", *name].concat(), &grey_png(4, 3, 0, 255));
    }
    let utf8 = "Image,Description\nM\u{fc}ller.png,one\nM\u{f6}ller.png,two\n\u{e4}.png,three\n";
    let windows: Vec<u8> = utf8.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1")).collect();
    for table in [utf8.as_bytes(), &windows] {
        put(&set, "prompt/train.csv", table);
        let mut train = Dataset::open(set.path(), "train").expect("a data set");
        let found: Vec<(&[u8], &[u8], &str)> = train
            .samples
            .iter()
            .map(|sample| {
                let name = |path: &'_ std::path::Path| path.file_name().expect("a name").to_owned();
                assert_eq!(sample.masks.len(), 1);
                assert_eq!([b"mask_", name(&sample.image).as_bytes()].concat(), name(&sample.masks[0]).as_bytes());
                let image = sample.image.file_name().expect("a name").as_bytes();
                (image, sample.name.as_bytes(), sample.prompt.as_str())
            })
            .collect();
        let expected: [(&[u8], &[u8], &str); 3] = [
            (b"M\xfcller.png", "M\u{fc}ller.png".as_bytes(), "one"),
            (b"M\xf6ller.png", "M\u{f6}ller.png".as_bytes(), "two"),
            ("\u{e4}.png".as_bytes(), "\u{e4}.png".as_bytes(), "three"),
        ];
        assert_eq!(found, expected);
        assert_eq!(train.check(&PairReading::default()).expect("readable").with_foreground, 3);
    }
    let beside = partners(&set.path().join("train/Images").join(OsStr::from_bytes(b"\xe4.png")));
    assert_eq!(beside, [set.path().join("train/GTs").join(OsStr::from_bytes(b"mask_\xe4.png"))]);
}

#[test]
fn a_set_that_was_packed_on_a_mac() {
    let Some(root) = shared("data/reports/12-names/set") else { return };
    let mut train = Dataset::open(&root, "train").expect("a data set");
    assert_eq!(train.samples.len(), 7);
    assert!(train.findings.is_empty(), "{:?}", train.findings);
    train.check(&PairReading::default()).expect("readable");
    assert_eq!(train.samples.len(), 7);
}
