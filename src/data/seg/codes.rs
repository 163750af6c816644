//! Codes that say what a segment is: a list of SNOMED CT and DICOM codes by words, which a user's file extends.

use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;

use super::{Algorithm, Segment};
use crate::data::DataError;
use crate::data::dataset::Separated;

/// The list that comes with the program.
const BUILT_IN: &str = include_str!("../../../assets/segment_codes.csv");
/// The coding scheme of values without a scheme: SNOMED CT.
const SCHEME: &str = "SCT";
/// The columns that a list must have.
const NEEDED: [&str; 3] = ["words", "category", "property"];
/// The largest number of rows of a user's file.
const MOST_ROWS: usize = 10_000;
/// The largest number of characters of a code value (DICOM VR SH) and of a meaning (LO).
const MOST: [usize; 2] = [16, 64];

/// A coded term (DICOM PS3.3, 8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Code {
    /// CodeValue.
    pub value: String,
    /// CodingSchemeDesignator, for instance "SCT" for SNOMED CT.
    pub scheme: String,
    /// CodeMeaning.
    pub meaning: String,
}

impl Code {
    /// Creates a code of a scheme.
    pub fn new(value: &str, scheme: &str, meaning: &str) -> Self {
        Self { value: value.into(), scheme: scheme.into(), meaning: meaning.into() }
    }

    /// Returns the code of a cell, which is a SNOMED CT identifier or a scheme and a value with a colon between
    /// them. Returns `None` if it is empty, or too long for a DICOM file.
    fn of_cell(value: &str, meaning: &str) -> Option<Self> {
        let (scheme, value) = value.trim().split_once(':').unwrap_or((SCHEME, value.trim()));
        let meaning = if meaning.trim().is_empty() { value } else { meaning.trim() };
        Some(Self::new(value, scheme, meaning)).filter(Self::is_valid)
    }

    /// Returns whether the texts can be written: none is empty, too long, or has a backslash or a control character.
    pub(super) fn is_valid(&self) -> bool {
        let [short, long] = MOST;
        [(&self.value, short), (&self.scheme, short), (&self.meaning, long)].iter().all(|(text, most)| {
            (1..=*most).contains(&text.chars().count())
                && text.trim() == **text
                && !text.contains(|c: char| c == '\\' || c.is_control())
        })
    }
}

/// What a segment is: its category, its property and its region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concept {
    /// What kind of thing it is.
    pub category: Code,
    /// What it is.
    pub property: Code,
    /// The part of the body where it lies; `None` if it may lie anywhere.
    pub region: Option<Code>,
}

impl Concept {
    /// Returns a lesion anywhere.
    pub fn lesion() -> Self {
        Self {
            category: Code::new("49755003", SCHEME, "Morphologically Abnormal Structure"),
            property: Code::new("52988006", SCHEME, "Lesion"),
            region: None,
        }
    }

    /// Returns what it is in words: the property, and the region if there is one.
    pub fn words(&self) -> String {
        match &self.region {
            Some(region) => format!("{} ({})", self.property.meaning, region.meaning.to_lowercase()),
            None => self.property.meaning.clone(),
        }
    }

    /// Returns a segment of this name with the codes of the concept, drawn by a person.
    pub fn segment(&self, label: &str) -> Segment {
        Segment {
            label: label.to_owned(),
            description: String::new(),
            category: self.category.clone(),
            property: self.property.clone(),
            region: self.region.clone(),
            algorithm: Algorithm::Manual,
            colour: None,
        }
    }
}

impl Default for Segment {
    /// Returns a lesion without a name.
    fn default() -> Self {
        Concept::lesion().segment("")
    }
}

/// Concepts with the words by which they are found, those of a user's file first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    rows: Vec<(Vec<String>, Concept)>,
    /// The rows whose concept no earlier one has.
    distinct: Vec<usize>,
    lesion: Concept,
}

impl Codes {
    /// Returns the list that comes with the program.
    pub fn built_in() -> Self {
        static ROWS: OnceLock<Vec<(Vec<String>, Concept)>> = OnceLock::new();
        let rows = ROWS.get_or_init(|| rows(&Separated::of(BUILT_IN, is_header)).unwrap_or_default()).clone();
        Self::new(rows)
    }

    fn new(rows: Vec<(Vec<String>, Concept)>) -> Self {
        let distinct = {
            let mut known = HashSet::new();
            (0..rows.len()).filter(|row| known.insert(&rows[*row].1)).collect()
        };
        Self { distinct, rows, lesion: Concept::lesion() }
    }

    /// Returns the list that comes with the program, behind that of a file of the same form: a table with the columns
    /// `words` (with `|` between alternatives), `category`, `property` and, if wanted, `region`, each of them an
    /// identifier of SNOMED CT or `SCHEME:VALUE`, and `category_meaning`, `property_meaning` and `region_meaning`. It is
    /// read in any usual encoding and with any usual separator, like the tables of prompts.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, lacks a column, has an invalid code, or has too many rows.
    pub fn with_file(path: &Path) -> Result<Self, DataError> {
        let table = Separated::read(path, is_header)?;
        let mut own = rows(&table).map_err(|reason| DataError::Table { path: path.to_owned(), reason })?;
        own.extend(Self::built_in().rows);
        Ok(Self::new(own))
    }

    /// Iterates over the different concepts, in the order of the list.
    pub fn concepts(&self) -> impl Iterator<Item = &Concept> {
        self.distinct.iter().map(|row| &self.rows[*row].1)
    }

    /// Returns the place among [`Self::concepts`] of the concept of a text, see [`Self::of`]; `None` for a lesion that
    /// is not in the list.
    pub fn place_of(&self, text: &str) -> Option<usize> {
        let wanted = self.of(text);
        self.concepts().position(|concept| concept == wanted)
    }

    /// Returns the concept whose words occur in a text, for instance the name of a label or a prompt. If several
    /// do, the longest words decide, then the order of the list. A text without known words is a lesion.
    pub fn of(&self, text: &str) -> &Concept {
        let text = format!(" {} ", plain(text));
        let has = |words: &str| {
            ["", "s", "es"].iter().any(|end| !words.is_empty() && text.contains(&format!(" {words}{end} ")))
        };
        let mut best: (usize, &Concept) = (0, &self.lesion);
        for (words, concept) in &self.rows {
            let length = words.iter().filter(|words| has(words)).map(String::len).max().unwrap_or(0);
            if length > best.0 {
                best = (length, concept);
            }
        }
        best.1
    }
}

/// Returns a text in lower case, with a single space in place of everything but letters and digits.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns the place of a column in the header of a list.
fn column(header: &[String], name: &str) -> Option<usize> {
    header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name))
}

/// Returns whether these are the cells of the header of a list.
fn is_header(cells: &[String]) -> bool {
    NEEDED.iter().all(|name| column(cells, name).is_some())
}

/// Reads the rows of a list.
fn rows(table: &Separated) -> Result<Vec<(Vec<String>, Concept)>, String> {
    let mut rows = table.rows();
    let header = rows.next().transpose()?.map(|(_, cells)| cells).unwrap_or_default();
    if let Some(missing) = NEEDED.iter().find(|name| column(&header, name).is_none()) {
        return Err(format!("its first row has no column {missing}"));
    }
    let mut found = Vec::new();
    for row in rows {
        let (line, cells) = row?;
        let cell =
            |name: &str| column(&header, name).and_then(|place| cells.get(place)).map_or("", |cell| cell.trim());
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if found.len() >= MOST_ROWS {
            return Err(format!("it has more than {MOST_ROWS} rows"));
        }
        let code = |name: &str| {
            Code::of_cell(cell(name), cell(&format!("{name}_meaning")))
                .ok_or_else(|| format!("line {line} has no valid code in the column {name}"))
        };
        let region = if cell("region").is_empty() { None } else { Some(code("region")?) };
        let concept = Concept { category: code("category")?, property: code("property")?, region };
        found.push((cell("words").split('|').map(plain).collect(), concept));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_labels_and_prompts() {
        let codes = Codes::built_in();
        let of = |text: &str| codes.of(text).property.meaning.clone();
        assert_eq!(of("one small pink circle polyp which is a projecting growth"), "Polyp");
        assert_eq!(of("Polyps"), "Polyp");
        let infection = codes.of("Bilateral pulmonary infection, two infected areas, upper left lung.");
        assert_eq!(infection.property.meaning, "Lesion");
        assert_eq!(infection.region.as_ref().map(|code| code.meaning.as_str()), Some("Lung"));
        assert_eq!(of("Lung"), "Lung", "the organ itself");
        assert_eq!(of("Ground-glass opacity"), "Ground glass opacity");
        assert_eq!(codes.of("ground glass").property.scheme, "DCM");
        assert_eq!(*codes.of("Lungfish"), Concept::lesion(), "no part of a word");
        assert_eq!(*codes.of(""), Concept::lesion());
    }

    #[test]
    fn every_row_of_the_list_is_valid() {
        let lines = BUILT_IN.lines().count() - 1;
        assert_eq!(rows(&Separated::of(BUILT_IN, is_header)).expect("a list").len(), lines);
    }

    #[test]
    fn a_file_comes_first_and_its_faults_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("codes.csv");
        let header = "words,category,property,property_meaning\n";
        std::fs::write(&path, format!("{header}polyp|wart,49755003,99IHE:77,My polyp\n")).expect("written");
        let codes = Codes::with_file(&path).expect("codes");
        assert_eq!(codes.of("a wart").property, Code::new("77", "99IHE", "My polyp"));
        assert_eq!(codes.of("polyp").property.meaning, "My polyp");
        assert_eq!(codes.of("mass").property.meaning, "Mass", "as built in");
        assert_eq!(codes.place_of("a wart"), Some(0));
        let distinct: HashSet<&Concept> = codes.concepts().collect();
        assert_eq!(codes.concepts().count(), distinct.len());
        assert!(codes.rows.iter().all(|(_, concept)| distinct.contains(concept)));
        std::fs::write(&path, format!("{header}wart,49755003,,\n")).expect("written");
        let error = Codes::with_file(&path).expect_err("no property").to_string();
        assert!(error.contains("line 2") && error.contains("property"), "{error}");
        std::fs::write(&path, "word\nwart\n").expect("written");
        let error = Codes::with_file(&path).expect_err("no column").to_string();
        assert!(error.contains("codes.csv") && error.contains("no column words"), "{error}");
        std::fs::write(&path, format!("{header}{}", "wart,1,2,\n".repeat(MOST_ROWS + 1))).expect("written");
        let error = Codes::with_file(&path).expect_err("too long").to_string();
        assert!(error.contains("more than"), "{error}");
    }

    #[test]
    fn a_file_is_read_in_any_usual_encoding_and_with_any_usual_separator() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("codes.csv");
        let sixteen = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let table =
            "Words;Category;Property;Property_meaning\r\nGeschw\u{fc}r|ulcus;49755003;99IHE:7;Geschw\u{fc}r\r\n";
        let windows: Vec<u8> = table.chars().map(|letter| letter as u8).collect();
        let declared = format!("sep=\t\n{}", table.replace(';', "\t"));
        for bytes in
            [table.as_bytes().to_vec(), windows, sixteen(&format!("\u{feff}{table}")), declared.into_bytes()]
        {
            std::fs::write(&path, bytes).expect("written");
            let codes = Codes::with_file(&path).expect("codes");
            assert_eq!(codes.of("ein Geschw\u{fc}r").property, Code::new("7", "99IHE", "Geschw\u{fc}r"));
            assert_eq!(codes.of("ulcus").property.value, "7");
        }
        std::fs::write(&path, "sep=;\n\nwords;category;property\n\na;1;2\nwart;1;\n").expect("written");
        let error = Codes::with_file(&path).expect_err("no property").to_string();
        assert!(error.contains("line 6"), "{error}");
    }
}
