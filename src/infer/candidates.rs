//! The sentences that a search tries: a coarse grid over the grammar, and the neighbours of a sentence.
//!
//! | kind | coarse | neighbours |
//! |---|---|---|
//! | X-ray, CT | one lung with one zone or all (8), both lungs with the same choice each (16); the least number of areas | one area more or fewer, up to six; one zone more or fewer in one lung (CT: another zone), the other lung added or left out |
//! | endoscopy | one polyp of every size in every place (27), white and round as most prompts say | another size; a second or third polyp in every other place (one polyp), one place fewer; the same places with one polyp more |
//!
//! Colour and shape of polyps are not varied, because no mask can agree or disagree with them.

use crate::data::describe::Kind;
use crate::text::prompt::{Colour, LungFinding, Lungs, Place, Polyps, Prompt, Shape, Side, Size, Zone, Zones};

/// The most infected areas that are tried.
const MOST_AREAS: u32 = 6;
/// The most polyps that are tried.
const MOST_POLYPS: u32 = 3;

/// Returns the sentences that a search begins with.
pub fn coarse(kind: Kind) -> Vec<Prompt> {
    if kind == Kind::Endoscopy {
        let sizes = Size::ALL.iter().flat_map(|size| Place::ALL.iter().map(move |place| (*size, *place)));
        return sizes.map(|(size, place)| polyps(1, vec![size], vec![place])).collect();
    }
    let choices: Vec<Zones> =
        [Zones::ALL].into_iter().chain(Zone::ALL.iter().map(|zone| Zones::NONE.with(*zone))).collect();
    let one_sided = choices.iter().flat_map(|zones| Side::ALL.iter().map(|side| lungs(1, &[(*side, *zones)])));
    let both_sided = choices
        .iter()
        .flat_map(|left| choices.iter().map(|right| lungs(2, &[(Side::Left, *left), (Side::Right, *right)])));
    one_sided.chain(both_sided).collect()
}

/// Returns the sentences next to one, without itself.
pub fn neighbours(prompt: &Prompt, kind: Kind) -> Vec<Prompt> {
    match prompt {
        Prompt::Lungs(lungs) => next_to_lungs(lungs, kind),
        Prompt::Polyps(polyps) => next_to_polyps(polyps),
    }
}

fn lungs(areas: u32, places: &[(Side, Zones)]) -> Prompt {
    let findings =
        places.iter().map(|(side, zones)| LungFinding { side: Some(*side), zones: zones.merged() }).collect();
    Prompt::Lungs(Lungs::new(Some(areas), findings))
}

fn next_to_lungs(said: &Lungs, kind: Kind) -> Vec<Prompt> {
    let places: Vec<(Side, Zones)> =
        said.findings.iter().filter_map(|finding| Some((finding.side?, finding.zones))).collect();
    let least = places.len() as u32;
    let areas = said.areas.unwrap_or(least).max(least);
    let mut found: Vec<Prompt> = [areas.checked_sub(1), Some(areas + 1)]
        .into_iter()
        .flatten()
        .filter(|areas| (least.max(1)..=MOST_AREAS).contains(areas))
        .map(|areas| lungs(areas, &places))
        .collect();
    for (index, (_, zones)) in places.iter().enumerate() {
        for other in next_zones(*zones, kind) {
            let mut places = places.clone();
            places[index].1 = other;
            found.push(lungs(areas, &places));
        }
    }
    match places[..] {
        [(side, zones)] => {
            let mut both = [(side, zones), (side.other(), zones)];
            both.sort_by_key(|place| place.0);
            found.push(lungs(areas.max(2), &both));
        }
        [left, right] => found.extend([left, right].map(|place| lungs((areas - 1).max(1), &[place]))),
        _ => {}
    }
    found
}

/// Returns the sets of zones next to one. A prompt of a CT slice names one zone of a lung, or all.
fn next_zones(zones: Zones, kind: Kind) -> Vec<Zones> {
    if kind == Kind::Ct {
        let single = Zone::ALL.iter().map(|zone| Zones::NONE.with(*zone));
        return single.chain([Zones::ALL]).filter(|other| *other != zones).collect();
    }
    let toggled = |zone: &Zone| -> Zones {
        Zone::ALL.iter().copied().filter(|other| zones.has(*other) != (other == zone)).collect()
    };
    Zone::ALL.iter().map(toggled).filter(|zones| !zones.is_empty()).map(Zones::merged).collect()
}

fn polyps(number: u32, mut sizes: Vec<Size>, mut places: Vec<Place>) -> Prompt {
    sizes.sort_unstable();
    sizes.dedup();
    places.sort_unstable();
    let (colour, shape) = (Some(Colour::White), Some(Shape::Round));
    Prompt::Polyps(Polyps { number: Some(number), sizes, colour, shape, places })
}

fn next_to_polyps(said: &Polyps) -> Vec<Prompt> {
    let number = said.number.unwrap_or(1);
    let (sizes, places) = (&said.sizes, &said.places);
    let mut found: Vec<Prompt> = Size::ALL
        .iter()
        .filter(|size| sizes[..] != [**size])
        .map(|size| polyps(number, vec![*size], places.clone()))
        .collect();
    if number < MOST_POLYPS {
        found.push(polyps(number + 1, sizes.clone(), places.clone()));
        let others = Place::ALL.iter().filter(|place| !places.contains(place));
        found.extend(
            others
                .map(|place| polyps(number + 1, sizes.clone(), places.iter().copied().chain([*place]).collect())),
        );
    }
    if number > 1 && places.len() > 1 {
        let without = |index: usize| {
            let rest = places.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, place)| *place);
            polyps(number - 1, sizes.clone(), rest.collect())
        };
        found.extend((0..places.len()).map(without));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::text::prompt::parse;

    #[test]
    fn every_sentence_is_in_the_grammar_and_none_contradicts_itself() {
        for (kind, count) in [(Kind::Xray, 24), (Kind::Ct, 24), (Kind::Endoscopy, 27)] {
            let coarse = coarse(kind);
            assert_eq!(coarse.iter().collect::<HashSet<_>>().len(), count, "{kind}");
            for prompt in &coarse {
                for prompt in [prompt.clone()].into_iter().chain(neighbours(prompt, kind)) {
                    let text = prompt.to_string();
                    let read = parse(&text);
                    assert!(read.is_whole() && read.prompt == Some(prompt), "{text}");
                    let warnings = crate::text::prompt::check(&text, &Default::default());
                    assert!(warnings.is_empty(), "{text}: {warnings:?}");
                }
            }
        }
    }

    #[test]
    fn the_neighbours_of_a_sentence_differ_in_one_thing() {
        let of = |text: &str, kind| -> Vec<String> {
            let prompt = parse(text).prompt.expect("a prompt");
            neighbours(&prompt, kind).iter().map(Prompt::to_string).collect()
        };
        let text = "Unilateral pulmonary infection, one infected area, lower left lung.";
        assert_eq!(
            of(text, Kind::Xray),
            [
                "Unilateral pulmonary infection, two infected areas, lower left lung.",
                "Unilateral pulmonary infection, one infected area, upper lower left lung.",
                "Unilateral pulmonary infection, one infected area, middle lower left lung.",
                "Bilateral pulmonary infection, two infected areas, lower left lung and lower right lung.",
            ]
        );
        let on_slice = of(text, Kind::Ct);
        assert!(on_slice.contains(&text.replace("lower", "all")) && !on_slice.join("").contains("upper lower"));
        let two = of(
            "two small white round polyp which is a projecting growth of tissue located in top left, center of the image",
            Kind::Endoscopy,
        );
        assert!(two.iter().any(|text| text.starts_with("one small") && text.contains("in center of")), "{two:?}");
        assert!(two.iter().any(|text| text.starts_with("three small") && text.contains("bottom right")));
    }

    #[test]
    fn any_sentence_of_the_grammar_can_be_reached() {
        let mut known: HashSet<Prompt> = coarse(Kind::Xray).into_iter().collect();
        let mut waiting: Vec<Prompt> = known.iter().cloned().collect();
        while let Some(prompt) = waiting.pop() {
            for next in neighbours(&prompt, Kind::Xray) {
                if known.insert(next.clone()) {
                    waiting.push(next);
                }
            }
        }
        // Seven sets of zones for one lung with one to six areas, and 49 for both with two to six.
        assert_eq!(known.len(), 2 * 7 * 6 + 49 * 5);
    }
}
