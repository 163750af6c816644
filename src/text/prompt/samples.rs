//! Prompts of all kinds, for whatever must hold for every prompt.

use super::value::{LungFinding, Lungs, Polyps, Prompt, Zones};
use super::words::{Colour, Place, Shape, Side, Size, Zone};

/// Returns prompts that together have every word of the grammars, and places in every combination of zones: one without
/// infection, 63 of infected lungs and 200 of polyps.
pub fn samples() -> Vec<Prompt> {
    let zones = |bits: usize| -> Zones {
        let named = Zone::ALL.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        named.map(|(_, zone)| *zone).collect::<Zones>().merged()
    };
    let mut prompts = vec![Prompt::Lungs(Lungs::new(Some(0), Vec::new()))];
    for both in 1..64_usize {
        let sides = [(Side::Left, zones(both % 8)), (Side::Right, zones(both / 8))];
        let named = sides.into_iter().filter(|(_, zones)| !zones.is_empty());
        let findings = named.map(|(side, zones)| LungFinding { side: Some(side), zones }).collect();
        prompts.push(Prompt::Lungs(Lungs::new(Some(2 + both as u32 % 19), findings)));
    }
    for index in 0..200 {
        // The lists have different lengths, so that their words meet in many combinations.
        prompts.push(Prompt::Polyps(Polyps {
            number: Some(index as u32 % 21),
            sizes: vec![Size::ALL[index % Size::ALL.len()]],
            colour: Some(Colour::ALL[index % Colour::ALL.len()]),
            shape: Some(Shape::ALL[index % Shape::ALL.len()]),
            places: vec![Place::ALL[index % Place::ALL.len()]],
        }));
    }
    prompts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::parse;

    #[test]
    fn samples_are_read_as_they_are_printed() {
        for prompt in samples().iter().filter(|prompt| !prompt.is_negative()) {
            let text = prompt.to_string();
            let read = parse(&text);
            assert!(read.is_whole() && read.prompt.as_ref() == Some(prompt), "{text}");
        }
    }
}
