//! Tables of sentences. The first byte chooses CSV, JSON, XLSX, the parts of an XLSX file, which a zero byte divides, or the settings of a
//! data set.
#![no_main]

use himix_fuzz::data::{Dataset, PairReading};
use himix_fuzz::{bounded, with_file, zip};
use libfuzzer_sys::fuzz_target;

/// Parts of a workbook in the order in which they stand.
const PARTS: [&str; 6] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/worksheets/sheet2.xml",
];
const BOOK: &[u8] = br#"<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="b"/></sheets></workbook>"#;
const LINKS: &[u8] = br#"<Relationships><Relationship Id="b" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => read("csv", rest),
        1 => read("json", rest),
        2 => read("xlsx", rest),
        4 => settings(rest),
        _ => {
            let mut parts: Vec<&[u8]> = rest.splitn(PARTS.len(), |byte| *byte == 0).collect();
            parts.resize(PARTS.len(), b"");
            // Parts that are left out are as they should be.
            for (place, usual) in [(3, BOOK), (4, LINKS)] {
                if parts[place].is_empty() {
                    parts[place] = usual;
                }
            }
            let all: Vec<(&str, &[u8])> =
                PARTS.into_iter().zip(parts).filter(|(_, part)| !part.is_empty()).collect();
            read("xlsx", &zip(&all));
        }
    }
});

fn settings(bytes: &[u8]) {
    with_file("settings/himix-data.toml", bytes, |path| {
        let _ = path.parent().map(|root| bounded(|| PairReading::of(root).map(|reading| reading.words())));
    });
}

fn read(end: &str, bytes: &[u8]) {
    with_file(&format!("{end}/prompt/train.{end}"), bytes, |path| {
        if let Some(root) = path.parent().and_then(|folder| folder.parent()) {
            for part in ["train/Images", "train/GTs"] {
                let folder = root.join(part);
                if !folder.is_dir() {
                    std::fs::create_dir_all(&folder).expect("a folder");
                    std::fs::write(folder.join("a.png"), b"").expect("a file");
                }
            }
            let _ = bounded(|| Dataset::open(root, "train"));
        }
    });
}
