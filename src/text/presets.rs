//! Preset prompts in the grammar of three data sets.

use std::sync::LazyLock;

use super::prompt::{Colour, LungFinding, Lungs, Place, Polyps, Prompt, Shape, Side, Size, Zone, Zones};

/// The name of a data set, and prompts in its grammar.
pub type Presets = (&'static str, Vec<String>);

/// The preset prompts. Those for lungs name sides, number of areas and zones, as LViT's prompts of QaTa-COV19
/// and MosMedData+ do; "left" is the left side of the image. Those for polyps name number, size, colour, shape
/// and position, as medvlsm's prompts of Kvasir-SEG do.
pub static PRESETS: LazyLock<[Presets; 3]> = LazyLock::new(|| {
    let (all, upper, middle, lower) =
        (Zones::ALL, zones(&[Zone::Upper]), zones(&[Zone::Middle]), zones(&[Zone::Lower]));
    let middle_lower = zones(&[Zone::Middle, Zone::Lower]);
    let (left, right) = (Some(Side::Left), Some(Side::Right));
    [
        (
            "Chest X-ray (QaTa-COV19)",
            vec![
                lungs(2, &[(left, upper), (right, upper)]),
                lungs(2, &[(left, lower), (right, lower)]),
                lungs(2, &[(left, all), (right, all)]),
                lungs(3, &[(left, middle_lower), (right, lower)]),
                lungs(1, &[(left, lower)]),
                lungs(1, &[(right, lower)]),
                lungs(1, &[(right, middle_lower)]),
            ],
        ),
        (
            "Chest CT (MosMedData+)",
            vec![
                lungs(2, &[(left, lower), (right, lower)]),
                lungs(4, &[(left, middle_lower), (right, zones(&[Zone::Upper, Zone::Lower]))]),
                lungs(1, &[(left, middle)]),
                lungs(2, &[(right, lower)]),
            ],
        ),
        (
            "Endoscopy (Kvasir-SEG)",
            vec![
                polyps(1, Size::Small, Colour::Pink, Shape::Circle, Place::Right),
                polyps(1, Size::Medium, Colour::Red, Shape::Oval, Place::Center),
                polyps(1, Size::Large, Colour::Pink, Shape::Irregular, Place::Left),
                polyps(2, Size::Small, Colour::Pink, Shape::Circle, Place::Center),
            ],
        ),
    ]
});

fn zones(zones: &[Zone]) -> Zones {
    zones.iter().copied().collect()
}

fn lungs(areas: u32, places: &[(Option<Side>, Zones)]) -> String {
    let findings = places.iter().map(|&(side, zones)| LungFinding { side, zones }).collect();
    Prompt::Lungs(Lungs::new(Some(areas), findings)).to_string()
}

fn polyps(number: u32, size: Size, colour: Colour, shape: Shape, place: Place) -> String {
    let polyps = Polyps {
        number: Some(number),
        sizes: vec![size],
        colour: Some(colour),
        shape: Some(shape),
        places: vec![place],
    };
    Prompt::Polyps(polyps).print_plural()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::parse;

    #[test]
    fn presets_read_as_the_data_sets_do_and_are_understood() {
        let [xray, ct, endoscopy] = &*PRESETS;
        assert_eq!(
            xray.1[3],
            "Bilateral pulmonary infection, three infected areas, middle lower left lung and lower right lung."
        );
        assert_eq!(
            ct.1[1],
            "Bilateral pulmonary infection, four infected areas, middle lower left lung and upper lower right lung."
        );
        assert_eq!(xray.1[5], "Unilateral pulmonary infection, one infected area, lower right lung.");
        assert_eq!(
            endoscopy.1[0],
            "one small pink circle polyp which is a projecting growth of tissue located in right of the image"
        );
        assert_eq!(
            endoscopy.1[3],
            "two small pink circle polyps which are a projecting growth of tissue located in center of the image"
        );
        for text in PRESETS.iter().flat_map(|(_, prompts)| prompts) {
            assert!(parse(text).is_whole(), "{text}");
        }
    }
}
