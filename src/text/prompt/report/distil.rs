//! Condenses a report to a prompt. Only what the report asserts is taken; for everything else the reason is given.

use std::ops::Range;

use super::context::Status;
use super::distilled::{Distilled, LeftOut, Limit, Options, Reason, Source, Told};
use super::{Left, distil_lungs, distil_polyps};
use crate::text::prompt::lexicon::{Token, tokens};
use crate::text::prompt::parse::parse;
use crate::text::prompt::value::{Grammar, Lungs, Polyps, Prompt};

/// Condenses a report to a prompt. Every text is accepted.
pub fn distil(report: &str, options: &Options) -> Distilled {
    let tokens = tokens(report);
    let mut distilled = match grammar_of(&tokens) {
        Grammar::Lungs => distil_lungs::distil(report, &tokens, options),
        Grammar::Polyps => distil_polyps::distil(report, &tokens, options),
    };
    if distilled.prompt.is_none() {
        distilled = of_prompt(report, options).unwrap_or(distilled);
    }
    let words = tokens.iter().filter(|token| token.is_word).count();
    let unread = |bytes: &Range<usize>| {
        tokens.iter().filter(|token| token.is_word && bytes.contains(&token.bytes.start)).count()
    };
    // A word or two tell no language. Long texts are judged by their beginning.
    if distilled.prompt.is_none() && words >= 4 {
        let unread: usize = distilled.not_understood.iter().take(200).map(unread).sum();
        let all = distilled.not_understood.get(199).map_or(words, |bytes| {
            tokens.iter().filter(|token| token.is_word && token.bytes.end <= bytes.end).count()
        });
        distilled.is_foreign = 10 * unread >= 7 * all;
    }
    if let Some(limit) = options.limit {
        shorten(&mut distilled, &limit);
    }
    distilled
}

/// Returns the grammar of a report: that of polyps if they are named more often than lungs and infections.
fn grammar_of(tokens: &[Token]) -> Grammar {
    let count = |names: &dyn Fn(&str) -> bool| tokens.iter().filter(|token| names(&token.text)).count();
    let polyps = count(&|word| matches!(word, "polyp" | "polyps"));
    let lungs = count(&|word| {
        matches!(super::terms::term(word), Some(super::terms::Term::Lesion)) || word.starts_with("lung")
    });
    if polyps > lungs { Grammar::Polyps } else { Grammar::Lungs }
}

/// Reads a text that is a prompt already; `None` if it is none.
fn of_prompt(text: &str, options: &Options) -> Option<Distilled> {
    let parsed = parse(text);
    if !parsed.is_whole() || parsed.findings.is_empty() {
        return None;
    }
    let is_lungs = parsed.grammar() == Some(Grammar::Lungs);
    let prompt = parsed.prompt?;
    let source = |(index, bytes): (usize, Range<usize>)| {
        let told = if is_lungs { Told::Finding(index) } else { Told::Place };
        Source { told, bytes, status: Status::Certain }
    };
    let sources = parsed.findings.into_iter().enumerate().map(source).collect();
    let prompt = if options.left == Left::Patient && is_lungs { prompt.mirrored() } else { prompt };
    Some(Distilled { prompt: Some(prompt), sources, ..Distilled::default() })
}

/// Leaves parts out until the prompt is within the limit: first those that a mask depends on least.
fn shorten(distilled: &mut Distilled, limit: &Limit) {
    let Some(mut prompt) = distilled.prompt.take() else { return };
    // Of a very long text no more is tried than a network can read, so that the time stays linear.
    match &mut prompt {
        Prompt::Lungs(lungs) => lungs.findings.truncate(limit.most.max(1)),
        Prompt::Polyps(polyps) => polyps.places.truncate(limit.most.max(1)),
    }
    while (limit.count)(&prompt.to_string()) > limit.most {
        let dropped = match &mut prompt {
            Prompt::Lungs(lungs) => shorten_lungs(lungs),
            Prompt::Polyps(polyps) => shorten_polyps(polyps),
        };
        let Some(dropped) = dropped else { break };
        let is_dropped = |source: &Source| dropped == Some(source.told);
        let lost = distilled.sources.iter().filter(|source| is_dropped(source));
        let lost: Vec<LeftOut> =
            lost.map(|source| LeftOut { bytes: source.bytes.clone(), reason: Reason::TooLong }).collect();
        distilled.left_out.extend(lost);
        distilled.sources.retain(|source| !is_dropped(source));
    }
    distilled.prompt = Some(prompt);
}

/// Shortens a prompt by one part. Returns what was dropped, `Some(None)` if nothing but words, and `None` if there
/// is nothing left to drop.
fn shorten_lungs(lungs: &mut Lungs) -> Option<Option<Told>> {
    if lungs.findings.iter().any(|finding| finding.zones != finding.zones.merged()) {
        lungs.findings.iter_mut().for_each(|finding| finding.zones = finding.zones.merged());
        return Some(None);
    }
    if lungs.areas.take().is_some() {
        return Some(Some(Told::Number));
    }
    if lungs.findings.is_empty() {
        return None;
    }
    if lungs.laterality.take().is_some() {
        return Some(Some(Told::Laterality));
    }
    (lungs.findings.len() > 1).then(|| {
        lungs.findings.pop();
        Some(Told::Finding(lungs.findings.len()))
    })
}

fn shorten_polyps(polyps: &mut Polyps) -> Option<Option<Told>> {
    if polyps.colour.take().is_some() {
        return Some(Some(Told::Colour));
    }
    if polyps.shape.take().is_some() {
        return Some(Some(Told::Shape));
    }
    if !polyps.sizes.is_empty() {
        polyps.sizes.clear();
        return Some(Some(Told::Size));
    }
    (polyps.places.len() > 1).then(|| {
        polyps.places.pop();
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(left: Left) -> Options<'static> {
        Options { left, with_possible: true, limit: None }
    }

    fn text_of(report: &str) -> String {
        distil(report, &options(Left::Image)).text()
    }

    #[test]
    fn ordinary_reports_give_the_places_that_they_assert() {
        for (report, expected) in [
            (
                "Patchy opacities in the right lower lobe and left upper zone, no pleural effusion.",
                "Bilateral pulmonary infection, lower right lung and upper left lung.",
            ),
            ("Bibasal consolidation.", "Bilateral pulmonary infection, lower left lung and lower right lung."),
            (
                "Right lower lobe consolidation with a small left pleural effusion.",
                "Unilateral pulmonary infection, lower right lung.",
            ),
            (
                "There is an effusion on the left and consolidation of the right base.",
                "Unilateral pulmonary infection, lower right lung.",
            ),
            (
                "No consolidation in the left lung. Opacity in the right upper zone.",
                "Unilateral pulmonary infection, upper right lung.",
            ),
            ("No effusion, opacities in the left lower zone.", "Unilateral pulmonary infection, lower left lung."),
            ("Left lower lobe consolidation has resolved.", ""),
            (
                "Previously seen right consolidation has cleared; new opacity in the left mid zone.",
                "Unilateral pulmonary infection, middle left lung.",
            ),
            (
                "HISTORY: pneumonia of the left lower lobe. FINDINGS: The lungs are clear.",
                "No pulmonary infection.",
            ),
            ("No focal consolidation, effusion, or pneumothorax.", ""),
            ("No pulmonary infection.", "No pulmonary infection."),
            ("Left-sided consolidation in the lower zone.", "Unilateral pulmonary infection, lower left lung."),
            (
                "Bilateral opacities in the lower zones.",
                "Bilateral pulmonary infection, lower left lung and lower right lung.",
            ),
            (
                "Two infected areas in the left lung and one infected area in the right lung.",
                "Bilateral pulmonary infection, left lung and right lung.",
            ),
            (
                "Consolidation in the left lower lobe; right lung clear.",
                "Unilateral pulmonary infection, lower left lung.",
            ),
            (
                "Left lower zone consolidation, unchanged. The right lung is unchanged.",
                "Unilateral pulmonary infection, lower left lung.",
            ),
            (
                "Opacity of the left base and the right lung is clear.",
                "Unilateral pulmonary infection, lower left lung.",
            ),
            (
                "Opacity in the left mid zone with sparing of the apices.",
                "Unilateral pulmonary infection, middle left lung.",
            ),
            (
                "Consolidation in the left lung but not in the right lung.",
                "Unilateral pulmonary infection, left lung.",
            ),
            (
                "Left lower lobe consolidation, heart size is normal.",
                "Unilateral pulmonary infection, lower left lung.",
            ),
            ("The left and right lungs are clear. No infection.", "No pulmonary infection."),
            (
                "A 6 mm pink polyp in the upper left of the image. The surrounding mucosa is red.",
                "pink polyp which is a projecting growth of tissue located in top left of the image",
            ),
            (
                "Two polyps: one small and round in the top left, one large in the bottom right.",
                "two small, large round polyp which is a projecting growth of tissue located in top left, bottom right of the image",
            ),
            ("No polyps were seen.", "no polyp"),
            ("Infection of the left lung is unlikely.", "No pulmonary infection."),
            ("Clear lungs.", "No pulmonary infection."),
            ("Cardiomegaly. Left rib fracture.", ""),
            ("all left lung", "all left lung."),
        ] {
            let text = text_of(report);
            assert_eq!(text.to_lowercase(), expected.to_lowercase(), "{report}");
        }
    }

    #[test]
    fn figure_9_is_condensed_to_what_it_says() {
        let report = "FINDINGS: The lungs are well aerated. There are two infected areas. There is no focal consolidation, \
            effusion, or pneumothorax. From all left lung and all right lung... The cardiomeastinal silhouette is normal. \
            Imaged osseous structures are intact. No free air below the right hemidiaphragm is seen. IMPRESSION: 1. \
            Bilateral pulmonary infection.";
        let distilled = distil(report, &options(Left::Image));
        let expected = "Bilateral pulmonary infection, two infected areas, all left lung and all right lung.";
        assert_eq!(distilled.text(), expected);
        let unread: Vec<&str> = distilled.not_understood.iter().map(|bytes| &report[bytes.clone()]).collect();
        assert_eq!(unread, ["cardiomeastinal"]);
        let found: Vec<&str> = distilled.sources.iter().map(|source| &report[source.bytes.clone()]).collect();
        assert_eq!(found, ["two infected areas", "all left lung", "all right lung", "Bilateral"]);
    }

    #[test]
    fn the_left_of_the_patient_is_the_right_of_the_image() {
        let report = "Consolidation in the left lower lobe. LUL opacity.";
        assert_eq!(
            distil(report, &options(Left::Patient)).text(),
            "Unilateral pulmonary infection, upper lower right lung."
        );
        assert_eq!(
            distil(report, &options(Left::Image)).text(),
            "Unilateral pulmonary infection, upper lower left lung."
        );
        assert_eq!(distil("all left lung", &options(Left::Patient)).text(), "All right lung.");
    }

    #[test]
    fn a_side_apart_from_its_zone_is_part_of_the_source() {
        let report = "Opacity of the left lung, mostly in the upper zone.";
        let distilled = distil(report, &options(Left::Image));
        assert_eq!(distilled.text(), "Unilateral pulmonary infection, upper left lung.");
        assert_eq!(&report[distilled.sources[0].bytes.clone()], "left lung, mostly in the upper zone");
    }

    #[test]
    fn what_is_uncertain_is_marked_or_left_out() {
        let report = "Cannot exclude consolidation in the left lower zone. Opacity in the right upper zone.";
        let with = distil(report, &options(Left::Image));
        assert_eq!(with.text(), "Bilateral pulmonary infection, lower left lung and upper right lung.");
        assert_eq!(with.sources[0].status, Status::Possible);
        assert_eq!(with.sources[1].status, Status::Certain);
        let without = distil(report, &Options { with_possible: false, ..options(Left::Image) });
        assert_eq!(without.text(), "Unilateral pulmonary infection, upper right lung.");
        assert_eq!(without.left_out[0].reason, Reason::Uncertain);
    }

    #[test]
    fn reports_in_other_languages_give_nothing_and_say_so() {
        for report in [
            "Pneumonische Infiltrate im linken Unterlappen, kein Pleuraerguss.",
            "Opacités en verre dépoli du lobe inférieur gauche.",
            "Очаги инфильтрации в нижней доле левого лёгкого.",
            "左肺下叶 可见 斑片状 高密度 影",
        ] {
            let distilled = distil(report, &options(Left::Image));
            assert_eq!(distilled.prompt, None, "{report}");
            assert!(distilled.is_foreign, "{report}");
        }
        assert!(!distil("The heart is normal in size.", &options(Left::Image)).is_foreign);
        assert!(!distil("", &options(Left::Image)).is_foreign);
    }

    #[test]
    fn a_prompt_is_shortened_to_the_limit() {
        let count = |text: &str| text.split_whitespace().count();
        let report =
            "Two infected areas in the upper, middle and lower zones of the left lung and the right lower zone.";
        let words = |most| {
            let limit = Some(Limit { count: &count, most });
            distil(report, &Options { limit, ..options(Left::Image) })
        };
        assert_eq!(
            words(20).text(),
            "Bilateral pulmonary infection, two infected areas, upper middle lower left lung and lower right lung."
        );
        assert_eq!(
            words(13).text(),
            "Bilateral pulmonary infection, two infected areas, all left lung and lower right lung."
        );
        let short = words(10);
        assert_eq!(short.text(), "Bilateral pulmonary infection, all left lung and lower right lung.");
        assert_eq!(&report[short.left_out[0].bytes.clone()], "Two infected areas");
        assert_eq!(words(3).text(), "All left lung.");
        assert_eq!(words(0).text(), "All left lung.");
    }
}
