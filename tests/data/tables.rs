//! Tables as users make them: exported by Excel, with titles above the header, with the columns on another sheet.

use himix::data::{Dataset, summary};

use super::fixtures::{folder, grey_png, put, xlsx};

/// Reads a table of this name and content; returns its rows and the notes about it.
fn read(name: &str, content: &[u8]) -> Result<(Vec<[String; 2]>, String), String> {
    let set = folder();
    for image in ["a", "b", "c"] {
        put(&set, &format!("train/Images/{image}.png"), &grey_png(4, 3, 9, 1));
        put(&set, &format!("train/GTs/{image}.png"), &grey_png(4, 3, 0, 255));
    }
    put(&set, &format!("prompt/{name}"), content);
    let train = Dataset::open(set.path(), "train").map_err(|error| error.to_string())?;
    let rows = train.samples.iter().map(|sample| [sample.name.clone(), sample.prompt.clone()]).collect();
    Ok((rows, summary(&train.findings).join("; ")))
}

fn rows(name: &str, content: &[u8]) -> Vec<[String; 2]> {
    read(name, content).unwrap_or_else(|error| panic!("{error}")).0
}

const TWO: [[&str; 2]; 2] =
    [["a.png", "one infected area, left lung"], ["b.png", "two infected areas, right lung"]];

#[test]
fn a_first_line_says_the_separator() {
    let body = "Image;Description\r\na.png;one, left\r\nb.png;two; or three\r\n"
        .replace("two; or three", "\"two; or three\"");
    for first in ["sep=;", "SEP=;", "\"sep=;\"", "\u{feff}sep=;"] {
        let found = rows("train.csv", format!("{first}\r\n{body}").as_bytes());
        assert_eq!(found, [["a.png", "one, left"], ["b.png", "two; or three"]], "{first}");
    }
    assert_eq!(rows("train.csv", b"sep=\t\nImage\tDescription\na.png\tone, left\n"), [["a.png", "one, left"]]);
    assert_eq!(rows("train.csv", b"sep=,\nImage,Description\na.png,x;y;z;w\n"), [["a.png", "x;y;z;w"]]);
    // It counts as a line of the file.
    let error = read("train.csv", b"sep=;\nImage;Description\na.png;x\nb.png;y;z\n").expect_err("a cell too many");
    assert!(error.contains("line 4 has 3 cells where the header has 2"), "{error}");
    let missing = read("train.csv", b"sep=;\nImage;Description\na.png;x\ngone.png;y\n").expect("a row is left").1;
    assert!(missing.contains("line 4: gone.png"), "{missing}");
    // This is not a separator, so the header lacks both columns.
    assert!(read("train.csv", b"sep=;;\na.png;x\n").is_err());
    assert!(read("train.csv", b"sep=;").is_err_and(|error| error.contains("none")));
}

#[test]
fn a_title_stands_above_the_header() {
    let text = "Annotations; chest X-ray, second reading\n\n;;\nReader;Image;Description\nAB;a.png;one, left\n;;\nAB;b.png;two\n";
    let (found, said) = read("train.csv", text.as_bytes()).expect("a table");
    assert_eq!(found, [["a.png", "one, left"], ["b.png", "two"]]);
    assert!(said.contains("is in line 4") && said.contains("separated by ';'"), "{said}");
    let missing = read("train.csv", format!("{text}AB;gone.png;z\n").as_bytes()).expect("rows are left").1;
    assert!(missing.contains("line 8: gone.png"), "{missing}");
    // A header too far down is not found, and the closest line is reported.
    let far = format!("{}Image,Description\na.png,x\n", "note,\n".repeat(10));
    assert!(read("train.csv", far.as_bytes()).is_err_and(|error| error.contains("table has note")));
    let near = format!("{}Image,Description\na.png,x\n", "note,\n".repeat(9));
    assert_eq!(rows("train.csv", near.as_bytes()), [["a.png", "x"]]);
    let error = read("train.csv", b"Title\nImage,Note\na.png,x\n").expect_err("no sentence");
    assert!(error.contains("Image, Note"), "{error}");
    // Without a header the first row is an image, not a title.
    assert!(read("train.csv", b"Title,of it\na.png,x\n").is_err_and(|error| error.contains("Title, of it")));
    assert_eq!(rows("train.csv", b"a.png,x\nb.png,image\n"), [["a.png", "x"], ["b.png", "image"]]);
}

#[test]
fn workbooks_with_titles_and_sheets() {
    let fixture = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sets");
        std::fs::read(folder.join(name)).expect("a fixture")
    };
    let (found, said) = read("train.xlsx", &fixture("title.xlsx")).expect("a table");
    assert_eq!(found, TWO);
    assert!(said.contains("is in line 4"), "{said}");
    let (found, said) = read("train.xlsx", &fixture("sheets.xlsx")).expect("a table");
    assert_eq!(found, TWO);
    assert!(said.contains("read from its sheet 'Sätze'"), "{said}");
    // A note in a column without a header is not a problem of a workbook.
    let noted = xlsx(&[&["Image", "Description"], &["a.png", "x", "look again"]]);
    assert_eq!(rows("train.xlsx", &noted), [["a.png", "x"]]);
    let without = xlsx(&[&["Image", "Note"], &["a.png", "x"]]);
    assert!(read("train.xlsx", &without).is_err_and(|error| error.contains("Image, Note")));
}

/// UTF-16 of both byte orders, with a byte order mark and without one.
#[test]
fn utf_16_in_both_orders() {
    for text in ["\u{feff}Image,Description\na.png,Läsion → links\n", "Image,Description\na.png,Läsion → links\n"]
    {
        let words = || text.encode_utf16();
        let orders: [(&str, Vec<u8>); 2] = [
            ("UTF-16LE", words().flat_map(u16::to_le_bytes).collect()),
            ("UTF-16BE", words().flat_map(u16::to_be_bytes).collect()),
        ];
        for (name, bytes) in orders {
            let (found, said) = read("train.csv", &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found, [["a.png", "Läsion → links"]], "{name}");
            assert!(said.contains(&format!("is read as {name}")), "{said}");
        }
    }
}

#[test]
fn empty_rows_stand_above_a_table_without_header() {
    for above in ["", "\n", ",\n", " , \n\n,,,\n", "\" \"\n", " \n"] {
        let (found, said) = read("train.csv", format!("{above}a.png,x\nb.png,y\n").as_bytes())
            .unwrap_or_else(|error| panic!("{above:?}: {error}"));
        assert_eq!(found, [["a.png", "x"], ["b.png", "y"]], "{above:?}");
        assert!(!said.contains("header"), "{above:?}: {said}");
    }
    let rows_of_sheet = xlsx(&[&[" ", ""], &["a.png", "x"], &["b.png", "y"]]);
    assert_eq!(rows("train.xlsx", &rows_of_sheet), [["a.png", "x"], ["b.png", "y"]]);
    // An empty line does not say which separator the table has.
    for above in ["\n", " \n", ";\n"] {
        let text = format!("{above}a.png;one\nb.png;two, left\n");
        assert_eq!(rows("train.csv", text.as_bytes()), [["a.png", "one"], ["b.png", "two, left"]], "{above:?}");
    }
    // Rows with too many cells are named by the line they are in.
    let error = read("train.csv", b",\na.png,x\nb.png,y,z\n").expect_err("a cell too many");
    assert!(error.contains("line 3 has 3 cells where the first row has 2"), "{error}");
    // A title is not an empty row.
    assert!(read("train.csv", b",\nTitle,of it\na.png,x\n").is_err_and(|error| error.contains("Title, of it")));
}
