//! Data sets in every layout that is recognised, and the reports of their problems.

use himix::data::dataset::Layout;
use himix::data::{Dataset, MaskRule, PairReading, Problem, summary, survey};
use tempfile::TempDir;

use super::fixtures::{folder, grey_png, put, xlsx, zip};
use crate::common::shared;

/// Writes an image or a mask, whose foreground is its first pixel.
fn picture(folder: &TempDir, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        put(folder, name, &grey_png(4, 3, 0, 200 + index as u8));
    }
}

fn open(folder: &TempDir, split: &str) -> Dataset {
    Dataset::open(folder.path(), split).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns image, mask below the folder, and prompt of every case.
fn rows(folder: &TempDir, dataset: &Dataset) -> Vec<[String; 3]> {
    let below = |path: &std::path::Path| {
        path.strip_prefix(folder.path()).expect("below").to_string_lossy().replace('\\', "/")
    };
    let row =
        |sample: &himix::data::Sample| [below(&sample.image), below(&sample.masks[0]), sample.prompt.clone()];
    dataset.samples.iter().map(row).collect()
}

#[test]
fn lvit_with_a_workbook() {
    let folder = folder();
    picture(
        &folder,
        &[
            "Train_Folder/img/a.png",
            "Train_Folder/labelcol/mask_a.png",
            "Val_Folder/img/b.jpg.png",
            "Val_Folder/labelcol/b.jpg.png",
        ],
    );
    let sheet = xlsx(&[&["Image", "Description"], &["mask_a.png", "one infected area, left lung"]]);
    put(&folder, "Train_Folder/Train_text.xlsx", &sheet);
    put(&folder, "Val_Folder/Val_text.csv", b"Image,Description\nb.jpg.png,two\n");
    let train = open(&folder, "train");
    assert_eq!(train.layout, Layout::Lvit);
    let expected = ["Train_Folder/img/a.png", "Train_Folder/labelcol/mask_a.png", "one infected area, left lung"];
    assert_eq!(rows(&folder, &train), [expected.map(String::from)]);
    assert_eq!(open(&folder, "validation").samples[0].prompt, "two");
}

#[test]
fn kvasir_as_downloaded() {
    let folder = folder();
    let names = ["a", "B", "c", "d"];
    for name in names {
        picture(&folder, &[&format!("images/{name}.jpg"), &format!("masks/{}.JPG", name.to_lowercase())]);
    }
    // The bounding boxes that come with Kvasir-SEG are not prompts.
    put(&folder, "kavsir_bboxes.json", br#"{"a": {"height": 3, "width": 4, "bbox": []}}"#);
    put(
        &folder,
        "sentences.json",
        br#"{"a.jpg": ["one polyp", "other"], "b.jpg": {"prompts": {"p0": "", "p9": ["small polyp"]}}}"#,
    );
    put(&folder, "train.txt", b"a.jpg\nb.jpg\n");
    put(&folder, "val.txt", b"c.jpg\n");
    let train = open(&folder, "train");
    assert_eq!(train.layout, Layout::Folders);
    let prompts: Vec<&str> = train.samples.iter().map(|sample| sample.prompt.as_str()).collect();
    assert_eq!(prompts, ["one polyp", "small polyp"]);
    assert_eq!(train.samples[0].variants, ["other"]);
    let all = open(&folder, "all");
    assert_eq!(all.samples.len(), 2);
    assert_eq!(all.findings.iter().filter(|finding| finding.problem == Problem::NoPrompt).count(), 2);
}

#[test]
fn tables_of_splits_beside_one_pool() {
    let folder = folder();
    picture(&folder, &["images/a.png", "images/b.png", "masks/a.png", "masks/b.png"]);
    put(&folder, "anns/train.json", br#"[{"img_name": "a.png", "prompts": {"p1": "", "p9": ["pink polyp"]}}]"#);
    put(&folder, "anns/test.json", br#"[{"img_name": "b.png", "prompt": "no polyp"}]"#);
    let train = open(&folder, "train");
    assert_eq!((train.samples.len(), train.samples[0].prompt.as_str()), (1, "pink polyp"));
    assert!(train.findings.is_empty(), "{:?}", train.findings);
    assert_eq!(open(&folder, "test").samples[0].prompt, "no polyp");
}

#[test]
fn a_flat_folder_is_divided_and_keeps_subjects_together() {
    let folder = folder();
    let mut table = String::from("file;sentence\n");
    for index in 0..60 {
        let name = format!("sub-S{:02}_run-{index}", index / 2);
        picture(&folder, &[&format!("{name}.png"), &format!("{name}_mask.png")]);
        table += &format!("{name}.png;Läsion, links {index}\n");
    }
    // The table has the encoding of old spreadsheets.
    let bytes: Vec<u8> = table.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1")).collect();
    put(&folder, "table.csv", &bytes);
    let parts = ["train", "val", "test"].map(|split| open(&folder, split));
    assert_eq!(parts[0].layout, Layout::Flat);
    assert_eq!(parts.iter().map(|part| part.samples.len()).sum::<usize>(), 60);
    assert!(parts[0].samples.len() > 30 && parts[0].samples[0].prompt.starts_with("Läsion, links"));
    let notes = summary(&parts[0].findings).join("; ");
    assert!(notes.contains("windows-1252") && notes.contains("';'"), "{notes}");
    let found = survey(folder.path(), &PairReading::default(), &|_, _| ()).expect("a data set");
    assert!(found.shared_subjects.is_empty());
    assert_eq!(found.splits.len(), 3);
}

#[test]
fn utf_16_tabs_and_no_header() {
    let folder = folder();
    picture(&folder, &["x.png", "masks/x.png", "y.png", "masks/mask_Y.png"]);
    let text = "x.png\tTumör\ny.png\tzwei\n";
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    put(&folder, "all.tsv", &bytes);
    let all = open(&folder, "all");
    let prompts: Vec<&str> = all.samples.iter().map(|sample| sample.prompt.as_str()).collect();
    assert_eq!(prompts, ["Tumör", "zwei"]);
}

#[test]
fn faults_are_listed_and_the_rest_is_used() {
    let folder = folder();
    for name in ["a", "c", "e", "f", "g", "h"] {
        picture(&folder, &[&format!("train/Images/{name}.png")]);
    }
    for name in ["a", "f", "g", "lonely"] {
        picture(&folder, &[&format!("train/GTs/mask_{name}.png")]);
    }
    put(&folder, "train/GTs/c.png", &grey_png(9, 9, 0, 255));
    put(&folder, "train/GTs/e.png", &grey_png(4, 3, 0, 0));
    put(&folder, "train/GTs/g.png", b"broken");
    put(&folder, "train/Images/g.png", b"broken");
    let table = "Image,Description\na.png,one\nmissing.png,two\nh.png,three\nA.PNG, one\nh.png,other\nc.png,x\ne.png,\ng.png,broken\n";
    put(&folder, "prompt/train.csv", table.as_bytes());
    let mut dataset = open(&folder, "train");
    let problems: Vec<Problem> = dataset.findings.iter().map(|finding| finding.problem).collect();
    use Problem::*;
    assert_eq!(
        problems,
        [MissingImage, MissingMask, DuplicateRow, DuplicateRow, EmptyPrompt, NoPrompt, MissingPartner],
        "{:?}",
        dataset.findings
    );
    let checked = dataset.check(&PairReading::default()).expect("pairs are left");
    assert_eq!(checked.with_foreground, 1);
    let names: Vec<&str> = dataset.samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names, ["a.png", "e.png"]);
    let found = survey(folder.path(), &PairReading::default(), &|_, _| ()).expect("a data set");
    let split = found.splits[0].1.as_ref().expect("usable");
    assert_eq!(split.pairs, 2);
    for problem in [SizeMismatch, Unreadable, EmptyMask] {
        assert!(split.findings.iter().any(|finding| finding.problem == problem), "{problem:?}");
    }
    // Two names (a and e) have the same content, and e's mask is empty.
    assert!(split.findings.iter().any(|finding| finding.problem == DuplicateImage), "{:?}", split.findings);
}

#[test]
fn several_prompts_of_an_image_are_variants_of_its_case() {
    let folder = folder();
    picture(&folder, &["train/Images/a.png", "train/GTs/a.png", "train/Images/b.png", "train/GTs/b.png"]);
    let table =
        "Image,Description\na.png,\nb.png,left\na.png,one\nA.png,two \na.png,two\nmask_a.png,three\na.png, \n";
    put(&folder, "prompt/train.csv", table.as_bytes());
    let train = open(&folder, "train");
    assert_eq!(train.samples.len(), 2);
    assert_eq!(train.samples[0].prompts().collect::<Vec<_>>(), ["one", "two ", "three"]);
    assert_eq!(train.samples[1].prompts().collect::<Vec<_>>(), ["left"]);
    let problems: Vec<(Problem, &str)> =
        train.findings.iter().map(|finding| (finding.problem, finding.what.as_str())).collect();
    let twice = |line| (Problem::DuplicateRow, line);
    assert_eq!(problems, [twice("line 6: a.png"), twice("line 8: a.png"), (Problem::SeveralPrompts, "a.png: 3")]);
    assert!(summary(&train.findings).contains(&"1 image with several prompts (a.png: 3)".to_owned()));
    // The worklist and the case of a file have them too.
    let items = himix::data::worklist::list(folder.path()).expect("a list");
    assert_eq!(
        (items[0].prompt.as_deref(), &items[0].variants),
        (Some("one"), &vec!["two ".into(), "three".into()])
    );
    let case = himix::data::worklist::case(&folder.path().join("train/Images/a.png")).expect("a case");
    assert_eq!((case.prompt.as_deref(), case.variants.len()), (Some("one"), 2));
}

#[test]
fn what_is_no_data_set_says_so() {
    let empty = folder();
    let error =
        |folder: &TempDir, split: &str| Dataset::open(folder.path(), split).expect_err("refused").to_string();
    assert!(error(&empty, "train").contains("no images were found"));
    put(&empty, "notes.txt", b"hello");
    assert!(error(&empty, "train").contains("no images were found"));

    let maskless = folder();
    picture(&maskless, &["train/Images/a.png"]);
    let line = error(&maskless, "train");
    assert!(line.contains("no masks") && line.contains("split train"), "{line}");
    put(&maskless, "prompt/train.csv", b"Image,Description\na.png,x\n");
    let line = error(&maskless, "train");
    assert!(line.contains("no masks"), "{line}");
    assert!(error(&maskless, "test").contains("the folder has train"), "{line}");

    let black = folder();
    put(&black, "images/a.png", &grey_png(2, 2, 9, 9));
    put(&black, "masks/a.png", &grey_png(2, 2, 0, 254));
    let mut all = open(&black, "all");
    let exact = PairReading { rule: MaskRule::Exactly255, ..PairReading::default() };
    assert_eq!(all.check(&exact).expect("a pair is left").with_foreground, 0);
    assert!(all.findings.iter().any(|finding| finding.problem == Problem::AllEmpty), "{:?}", all.findings);
    let line = all.all_empty_error().to_string();
    assert!(line.contains("none of the 1 masks") && line.contains("the rule half"), "{line}");
    let checked = open(&black, "all").check(&PairReading::default()).expect("a pair");
    assert_eq!(checked.with_foreground, 1, "half finds it");
}

#[test]
fn the_shared_sets_are_surveyed() {
    let Some(root) = shared("data/covid_ct_seg") else { return };
    let found = survey(&root, &PairReading::default(), &|_, _| ()).expect("a data set");
    let split = found.splits[0].1.as_ref().expect("usable");
    assert_eq!((found.splits[0].0.as_str(), split.pairs, split.prompts), ("test", 120, 1));
    assert_eq!(split.findings.iter().filter(|finding| finding.problem == Problem::EmptyPrompt).count(), 120);
}

#[test]
fn a_workbook_with_long_tags() {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = format!(
        "<workbook xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"b\"/></sheets></workbook>"
    );
    let links = format!(
        "<Relationships><Relationship Id=\"b\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let cell = |place, text| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let rows =
        [["Image", "Description"], ["a.png", "left lung"]].iter().enumerate().map(|(row, [image, text])| {
            let row = row + 1;
            format!("<row r=\"{row}\">{}{}</row>", cell(format!("A{row}"), image), cell(format!("B{row}"), text))
        });
    let rows: String = rows.collect();
    let with = |behind: &str, theme: &str| {
        let folder = folder();
        picture(&folder, &["Train_Folder/img/a.png", "Train_Folder/labelcol/a.png"]);
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData>{behind}</worksheet>");
        let parts = [
            ("xl/workbook.xml", book.as_str()),
            ("xl/_rels/workbook.xml.rels", &links),
            ("xl/worksheets/sheet1.xml", &sheet),
            ("xl/theme/theme1.xml", theme),
        ];
        put(&folder, "Train_Folder/Train_text.xlsx", &zip(&parts));
        let set = Dataset::open(folder.path(), "train").map_err(|error| error.to_string())?;
        Ok::<_, String>(set.samples[0].prompt.clone())
    };
    // A rule for every other cell of a column, as programs write it.
    let cells = |count: usize| (0..count).map(|row| format!("B{} ", 2 * row)).collect::<String>();
    let rule = |count| format!("<conditionalFormatting sqref=\"{}\"/>", cells(count));
    assert_eq!(with(&rule(2000), ""), Ok("left lung".into()));
    assert!(with(&rule(20_000), "").is_err_and(|error| error.contains("a tag of more than 65536 bytes")));
    let many: String = (0..1000).map(|number| format!(" a{number}=\"\"")).collect();
    let many = format!("<x{many}/>");
    assert!(with(&many, "").is_err_and(|error| error.contains("more than 512 attributes")));
    assert_eq!(with("", &many), Ok("left lung".into()), "nobody reads its colours");
}
