//! The JSON objects of `himix prompt`, on whose keys scripts depend.

use std::ops::Range;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::check::{Readable, check};
use super::parse::parse;
use super::parsed::Parsed;
use super::reading::Reading;
use super::report::{Distilled, Left, LeftOut, Source, Style, Told};
use super::value::{Grammar, LungFinding, Polyps, Prompt, Zones};
use super::warning::Warning;
use super::words::{Laterality, Side};

/// The object of `himix prompt parse`.
#[derive(Clone, Debug, Serialize)]
pub struct ParsedObject {
    /// `"lungs"`, `"polyps"` or null.
    pub grammar: Option<Grammar>,
    /// `"bilateral"`, `"unilateral"`, `"none"` or null; null for polyps.
    pub laterality: Option<Laterality>,
    /// The number of infected areas or null; null for polyps.
    pub areas: Option<u32>,
    /// The findings in the order of the text.
    pub findings: Vec<FindingObject>,
    /// The stretches that were not understood.
    pub not_understood: Vec<String>,
    /// What is wrong with the prompt.
    pub warnings: Vec<WarningObject>,
}

/// A finding: an infected place, or the polyps, with their attributes.
#[derive(Clone, Debug, Serialize)]
pub struct FindingObject {
    /// The side of the image; null if none is named, and for polyps.
    pub side: Option<Side>,
    /// The zones; empty if none is named, and for polyps.
    pub zones: Zones,
    /// Where the finding was read, in bytes: from, to.
    pub bytes: [usize; 2],
    /// The attributes of polyps; absent for infected places.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub polyps: Option<PolypObject>,
}

/// The attributes of polyps. `size` and `place` are in the words of the prompt, `sizes` and `places` one by one.
#[derive(Clone, Debug, Serialize)]
pub struct PolypObject {
    /// The number or null.
    pub number: Option<u32>,
    /// Such as `"small, medium"`, or null.
    pub size: Option<String>,
    /// The colour or null.
    pub colour: Option<&'static str>,
    /// The shape or null.
    pub shape: Option<&'static str>,
    /// Such as `"top left, center"`, or null.
    pub place: Option<String>,
    /// The sizes.
    pub sizes: Vec<&'static str>,
    /// The places.
    pub places: Vec<&'static str>,
}

/// A warning.
#[derive(Clone, Debug, Serialize)]
pub struct WarningObject {
    /// The identifier of the rule.
    pub rule: &'static str,
    /// A sentence.
    pub message: String,
    /// The mended text; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
}

impl From<Warning> for WarningObject {
    fn from(warning: Warning) -> Self {
        Self { rule: warning.rule.id(), message: warning.message, mended: warning.mended }
    }
}

impl From<&Polyps> for PolypObject {
    fn from(polyps: &Polyps) -> Self {
        let sizes: Vec<&str> = polyps.sizes.iter().map(|size| size.word()).collect();
        let places: Vec<&str> = polyps.places.iter().map(|place| place.word()).collect();
        let joined = |words: &[&str]| (!words.is_empty()).then(|| words.join(", "));
        Self {
            number: polyps.number,
            size: joined(&sizes),
            colour: polyps.colour.map(|colour| colour.word()),
            shape: polyps.shape.map(|shape| shape.word()),
            place: joined(&places),
            sizes,
            places,
        }
    }
}

/// Returns the object of a prompt: what it says, and what is wrong with it.
pub fn parsed(text: &str, readable: &Readable) -> ParsedObject {
    let warnings = check(text, readable).into_iter().map(WarningObject::from).collect();
    object(text, parse(text), warnings)
}

fn object(text: &str, parsed: Parsed, warnings: Vec<WarningObject>) -> ParsedObject {
    let (mut laterality, mut areas, mut findings) = (None, None, Vec::new());
    match &parsed.prompt {
        Some(Prompt::Lungs(lungs)) => {
            (laterality, areas) = (lungs.laterality, lungs.areas);
            let places = lungs.findings.iter().zip(&parsed.findings);
            findings.extend(places.map(|(&LungFinding { side, zones }, bytes)| FindingObject {
                side,
                zones,
                bytes: [bytes.start, bytes.end],
                polyps: None,
            }));
        }
        Some(Prompt::Polyps(polyps)) => {
            findings.extend(parsed.findings.iter().map(|bytes| FindingObject {
                side: None,
                zones: Zones::NONE,
                bytes: [bytes.start, bytes.end],
                polyps: Some(polyps.into()),
            }));
        }
        None => {}
    }
    let not_understood = pieces(text, &parsed.not_understood);
    ParsedObject { grammar: parsed.grammar(), laterality, areas, findings, not_understood, warnings }
}

fn pieces(text: &str, ranges: &[Range<usize>]) -> Vec<String> {
    ranges.iter().map(|bytes| text[bytes.clone()].to_owned()).collect()
}

/// Returns `{prompt}` beside the keys of `parse`: the object of `himix prompt mirror` and of a description.
pub fn prompt(text: &str) -> Value {
    let mut object = Map::new();
    object.insert("prompt".into(), json!(text));
    if let Value::Object(keys) = json!(parsed(text, &Readable::default())) {
        object.extend(keys);
    }
    Value::Object(object)
}

/// Returns the object of `himix prompt augment`; `text` is null if the prompt is not understood.
pub fn augmented(prompt: &str, report: Option<&str>, style: Style, seed: u64, left: Left) -> Value {
    let not_understood = pieces(prompt, &parse(prompt).not_understood);
    json!({
        "text": report,
        "prompt": prompt,
        "style": style.name(),
        "seed": seed,
        "left": left,
        "not_understood": not_understood,
    })
}

/// Returns the object of `himix prompt distil`. `prompt` is null if the report asserts nothing; the bytes of the
/// findings are those of the prompt, the bytes of the sources those of the report.
pub fn distilled(report: &str, distilled: &Distilled, left: Left) -> Value {
    let text = distilled.text();
    let found = parsed(&text, &Readable::default());
    let source = |source: &Source| {
        let finding = if let Told::Finding(index) = source.told { Some(index) } else { None };
        json!({
            "text": &report[source.bytes.clone()],
            "bytes": [source.bytes.start, source.bytes.end],
            "told": told(source.told),
            "finding": finding,
            "status": source.status,
        })
    };
    let left_out = |left_out: &LeftOut| {
        json!({
            "text": &report[left_out.bytes.clone()],
            "bytes": [left_out.bytes.start, left_out.bytes.end],
            "reason": left_out.reason,
        })
    };
    let has_prompt = distilled.prompt.is_some();
    json!({
        "prompt": has_prompt.then_some(&text),
        "grammar": found.grammar,
        "laterality": found.laterality,
        "areas": found.areas,
        "findings": found.findings,
        "sources": distilled.sources.iter().map(source).collect::<Vec<_>>(),
        "left_out": distilled.left_out.iter().map(left_out).collect::<Vec<_>>(),
        "not_understood": pieces(report, &distilled.not_understood),
        "left": left,
        "other_language": distilled.is_foreign,
        "warnings": if has_prompt { found.warnings } else { Vec::new() },
    })
}

/// Returns the name of what a phrase told.
pub fn told(told: Told) -> &'static str {
    match told {
        Told::Laterality => "laterality",
        Told::Number => "number",
        Told::Finding(_) => "finding",
        Told::Size => "size",
        Told::Colour => "colour",
        Told::Shape => "shape",
        Told::Place => "place",
    }
}

/// Returns the object of `himix prompt check`. `reading` says what a network reads, if a vocabulary is given.
pub fn checked(text: &str, readable: &Readable, reading: Option<&Reading>) -> Value {
    let warnings: Vec<WarningObject> = check(text, readable).into_iter().map(WarningObject::from).collect();
    let mut object = json!({ "prompt": text, "warnings": warnings });
    if let Some(reading) = reading {
        let (understood, words) = reading.understood();
        object["tokens"] = json!(reading.tokens);
        object["limit"] = json!(reading.limit);
        object["words"] = json!(words);
        object["words_understood"] = json!(understood);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::super::report::{Options, distil};
    use super::*;

    #[test]
    fn parse_has_the_keys_that_scripts_depend_on() {
        let text = "Bilateral pulmonary infection, two infected areas, upper  left lung and all right lung";
        let expected = json!({
            "grammar": "lungs",
            "laterality": "bilateral",
            "areas": 2,
            "findings": [
                { "side": "left", "zones": ["upper"], "bytes": [51, 67] },
                { "side": "right", "zones": ["all"], "bytes": [72, 86] },
            ],
            "not_understood": [],
            "warnings": [],
        });
        assert_eq!(json!(parsed(text, &Readable::default())), expected);
        let nothing = json!(parsed("asdf, banana", &Readable::default()));
        assert_eq!(nothing["grammar"], Value::Null);
        assert_eq!(nothing["not_understood"], json!(["asdf", "banana"]));
        assert_eq!(nothing["warnings"][0]["rule"], "no-finding");
        assert_eq!(json!(parsed("No pulmonary infection.", &Readable::default()))["laterality"], "none");
    }

    #[test]
    fn polyps_have_their_attributes() {
        let text = "two small, medium white round polyp which is a projecting growth of tissue located in top left, \
            center of the image";
        let object = json!(parsed(text, &Readable::default()));
        assert_eq!((&object["grammar"], &object["areas"]), (&json!("polyps"), &Value::Null));
        let finding = &object["findings"][0];
        assert_eq!((&finding["side"], &finding["zones"]), (&Value::Null, &json!([])));
        assert_eq!(
            (&finding["number"], &finding["size"], &finding["colour"]),
            (&json!(2), &json!("small, medium"), &json!("white"))
        );
        assert_eq!(
            (&finding["place"], &finding["places"]),
            (&json!("top left, center"), &json!(["top left", "center"]))
        );
        assert_eq!(finding["bytes"], json!([0, text.find(" of the image").expect("the end")]));
    }

    #[test]
    fn distil_says_where_each_finding_comes_from() {
        let report = "Possible opacity in the left lower zone, no effusion on the right. Xyzzy.";
        let found = distil(report, &Options { left: Left::Patient, with_possible: true, limit: None });
        let object = distilled(report, &found, Left::Patient);
        assert_eq!(object["prompt"], "Unilateral pulmonary infection, lower right lung.");
        assert_eq!(object["findings"][0]["side"], "right");
        assert_eq!(object["sources"][0]["text"], "left lower zone");
        assert_eq!(object["sources"][0]["status"], "possible");
        assert_eq!(object["left_out"][0]["reason"], "other-finding");
        assert_eq!((&object["not_understood"], &object["left"]), (&json!(["Xyzzy"]), &json!("patient")));
    }
}
