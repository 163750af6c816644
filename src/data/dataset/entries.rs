//! Reads the prompts of a JSON file: an object that maps names to prompts, or a list of objects with both. The
//! file is read as a stream, because a tree of all values would take some fifty times the memory of the file.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::row::{NAMES, PROMPTS, Row, push};
use crate::data::error::one_line;

/// The content of a JSON file.
#[derive(Default)]
pub struct Entries {
    /// The entries that have a name and a prompt, one row for each prompt. Their line is the number of the entry,
    /// from 1.
    pub rows: Vec<Row>,
    /// Whether the file holds an empty object or list.
    pub is_empty: bool,
}

/// Reads the entries of a JSON text.
///
/// # Errors
/// Returns a one-line message if the text is not valid JSON, or has too many rows or a cell that is too long.
pub fn read(text: &str) -> Result<Entries, String> {
    let mut entries = Entries::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Top(&mut entries).deserialize(&mut json).and_then(|()| json.end());
    read.map(|()| entries).map_err(|error| one_line(&error))
}

/// The top level of a file.
struct Top<'a>(&'a mut Entries);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Top<'_> {
    fn add<E: Error>(&mut self, line: u64, name: Option<String>, prompts: Vec<String>) -> Result<(), E> {
        self.0.is_empty = false;
        let Some(name) = name else { return Ok(()) };
        for prompt in prompts {
            let row = Row { line, name: name.trim().to_owned(), prompt };
            push(&mut self.0.rows, row).map_err(E::custom)?;
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.0.is_empty = true;
        let mut line = 0;
        while let Some(name) = map.next_key()? {
            line += 1;
            let entry: Entry = map.next_value()?;
            self.add(line, Some(name), entry.prompts)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.0.is_empty = true;
        let mut line = 0;
        while let Some(entry) = list.next_element::<Entry>()? {
            line += 1;
            self.add(line, entry.name, entry.prompts)?;
        }
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The name and the prompts in a value. A prompt is the value itself if it is a text, each item of a list of texts, or
/// in an object the value of a known key. Of numbered keys ("p0" … "p9") the last ones come first, because later
/// prompts are more detailed, and blank ones are left out.
#[derive(Default)]
struct Entry {
    name: Option<String>,
    prompts: Vec<String>,
    is_text: bool,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry { prompts: vec![text.to_owned()], is_text: true, ..Entry::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        let mut prompts = Vec::new();
        if let Some(first) = list.next_element::<Entry>()?
            && first.is_text
        {
            prompts = first.prompts;
            while let Some(next) = list.next_element::<Entry>()? {
                if next.is_text {
                    prompts.extend(next.prompts);
                }
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry { prompts, ..Entry::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        // The first two hold the best value so far, with the rank of its key among the known keys.
        let mut name: Option<(usize, String)> = None;
        let mut known: Option<(usize, Vec<String>)> = None;
        let mut numbered: Vec<(u32, Vec<String>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let rank = |names: &[&str]| names.iter().position(|name| *name == key);
            if let Some(rank) = rank(NAMES) {
                let value: Entry = map.next_value()?;
                if value.is_text && name.as_ref().is_none_or(|(best, _)| rank <= *best) {
                    name = value.prompts.into_iter().next().map(|text| (rank, text));
                }
            } else if let Some(rank) = rank(PROMPTS) {
                let value: Entry = map.next_value()?;
                if known.as_ref().is_none_or(|(best, _)| rank <= *best) {
                    known = Some((rank, value.prompts));
                }
            } else if let Some(number) = number(&key) {
                let value: Entry = map.next_value()?;
                let texts = value.prompts.into_iter().filter(|text| !text.trim().is_empty());
                numbered.push((number, texts.collect()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let prompts = known.map(|(_, texts)| texts).unwrap_or_else(|| {
            // Of two equal keys the later one counts first.
            numbered.reverse();
            numbered.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
            numbered.into_iter().flat_map(|(_, texts)| texts).collect()
        });
        Ok(Entry { name: name.map(|(_, text)| text), prompts, is_text: false })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_unit<E>(self) -> Result<Entry, E> {
        Ok(Entry::default())
    }
}

/// Returns the number in the key of a numbered prompt, such as "p3"; `None` for other keys.
fn number(key: &str) -> Option<u32> {
    let digits = key.strip_prefix('p')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let entries = read(text).unwrap_or_else(|error| panic!("{error}"));
        entries.rows.into_iter().map(|row| (row.name, row.prompt)).collect()
    }

    fn pair(name: &str, prompt: &str) -> (String, String) {
        (name.into(), prompt.into())
    }

    #[test]
    fn a_prompt_in_every_form() {
        assert_eq!(pairs(r#"{"a": "x", "b": ["y", 1], "c": {"text": "z", "p9": "no"}}"#)[1], pair("b", "y"));
        assert_eq!(
            pairs(r#"{"c": {"caption": "less", "other": {"text": 1}, "description": "z"}}"#),
            [pair("c", "z")]
        );
        let numbered = r#"{"d": {"prompts": {"p0": "a", "p9": [" "], "p10": "b", "p2": "c", "px": "no"}}}"#;
        assert_eq!(pairs(numbered), [pair("d", "b"), pair("d", "c"), pair("d", "a")]);
        assert_eq!(pairs(r#"{"e": ["x", 1, "y", ["z"]]}"#), [pair("e", "x"), pair("e", "y")]);
        assert_eq!(
            pairs(r#"[{"file": "g", "image": "f", "report": "r"}, {"image": 3, "id": "h", "text": "s"}]"#),
            [pair("f", "r"), pair("h", "s")]
        );
        // Values that are not prompts.
        assert_eq!(
            pairs(r#"{"a": 1, "b": [], "c": [[1]], "d": {"text": null, "p1": "x"}, "e": [{"text": "x"}]}"#),
            []
        );
    }

    #[test]
    fn empty_is_not_unknown() {
        assert!(read("{}").is_ok_and(|entries| entries.is_empty));
        assert!(read("[]").is_ok_and(|entries| entries.is_empty));
        assert!(read("[1]").is_ok_and(|entries| !entries.is_empty));
        assert!(read("7").is_ok_and(|entries| !entries.is_empty && entries.rows.is_empty()));
        assert!(read("{} x").is_err());
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&deep).is_err());
        let objects = format!("{{\"a\": {}1{}}}", "{\"text\": ".repeat(100_000), "}".repeat(100_000));
        assert!(read(&objects).is_err());
    }
}
