//! Changes a prompt as a value: one zone, place or number at a time, as a diagram or a form does it. What the zones and
//! places settle, the laterality and the number, follows them unless the prompt says otherwise.

use super::value::{LungFinding, Lungs, Polyps, Zones, laterality_of};
use super::words::{Laterality, Place, Side, Size, Zone};

impl Lungs {
    /// Returns the zones that the prompt names in one lung, over all of its places.
    pub fn zones_of(&self, side: Side) -> Zones {
        let of_side = self.findings.iter().filter(|finding| finding.side == Some(side));
        of_side.fold(Zones::NONE, |zones, finding| united(zones, finding.zones))
    }

    /// Says whether the prompt names a lung, with or without zones.
    pub fn names(&self, side: Side) -> bool {
        self.findings.iter().any(|finding| finding.side == Some(side))
    }

    /// Returns the prompt with a zone of a lung added, or removed if it is named. Three zones become "all".
    #[must_use]
    pub fn toggled(&self, side: Side, zone: Zone) -> Self {
        let zones = self.zones_of(side);
        let has = zones.has(zone);
        let wanted = |other: &Zone| if *other == zone { !has } else { zones.has(*other) };
        self.with_zones(side, Zone::ALL.iter().copied().filter(wanted).collect::<Zones>().merged())
    }

    /// Returns the prompt with all zones of a lung, or without the lung if all zones are named.
    #[must_use]
    pub fn toggled_all(&self, side: Side) -> Self {
        let is_all = self.zones_of(side).merged().is_all();
        self.with_zones(side, if is_all { Zones::NONE } else { Zones::ALL })
    }

    /// Returns the prompt with exactly these zones of a lung; without the lung if there are none. A lung that is added
    /// stands where the data sets have it: the left of the image first.
    #[must_use]
    pub fn with_zones(&self, side: Side, zones: Zones) -> Self {
        let at = self.findings.iter().position(|finding| finding.side == Some(side));
        let mut findings = self.findings.clone();
        findings.retain(|finding| finding.side != Some(side));
        if !zones.is_empty() {
            let first = if side == Side::Left { 0 } else { findings.len() };
            findings.insert(at.unwrap_or(first).min(findings.len()), LungFinding { side: Some(side), zones });
        }
        self.with_findings(findings)
    }

    /// Returns the prompt with other places. Laterality and number follow them, unless the prompt says otherwise: then
    /// they stay, but there are never fewer areas than places.
    fn with_findings(&self, findings: Vec<LungFinding>) -> Self {
        let (before, after) = (settled(&self.findings), settled(&findings));
        let laterality = match self.laterality {
            Some(Laterality::None) => after,
            None if self.findings.is_empty() => after,
            stated if stated == before => after,
            stated => stated,
        };
        let areas = followed(self.areas, self.findings.len(), findings.len());
        Self { laterality, areas, findings }
    }

    /// Says whether laterality and number are those that the places give.
    pub fn follows_places(&self) -> bool {
        *self == self.following_places()
    }

    /// Returns the prompt with the laterality and the number that the places give.
    #[must_use]
    pub fn following_places(&self) -> Self {
        let areas = Some(self.findings.len() as u32).filter(|areas| *areas > 0);
        Self { laterality: settled(&self.findings), areas, findings: self.findings.clone() }
    }

    /// Returns the prompt with another laterality. If it says that there is no infection, it names nothing else.
    #[must_use]
    pub fn with_laterality(&self, laterality: Option<Laterality>) -> Self {
        match laterality {
            Some(Laterality::None) => Self { laterality, ..Self::default() },
            _ => Self { laterality, ..self.clone() },
        }
    }
}

impl Polyps {
    /// Returns the prompt with a place added, or removed if it is named. The number follows the places unless the prompt
    /// says otherwise, and is never smaller than theirs.
    #[must_use]
    pub fn toggled(&self, place: Place) -> Self {
        let mut places = self.places.clone();
        places.retain(|other| *other != place);
        if places.len() == self.places.len() {
            places.push(place);
        }
        // Without a place there is still a polyp.
        let number = match places.is_empty() {
            true => self.number,
            false => followed(self.number, self.places.len(), places.len()),
        };
        Self { number, places, ..self.clone() }
    }

    /// Returns the prompt with a size added, or removed if it is named.
    #[must_use]
    pub fn with_size_toggled(&self, size: Size) -> Self {
        let mut sizes = self.sizes.clone();
        sizes.retain(|other| *other != size);
        if sizes.len() == self.sizes.len() {
            sizes.push(size);
            sizes.sort_unstable();
        }
        Self { sizes, ..self.clone() }
    }

    /// Returns the prompt with another number. If it says that there is no polyp, it names nothing else.
    #[must_use]
    pub fn with_number(&self, number: Option<u32>) -> Self {
        match number {
            Some(0) => Self { number, ..Self::default() },
            _ => Self { number, ..self.clone() },
        }
    }
}

fn united(one: Zones, other: Zones) -> Zones {
    if other.is_all() { other } else { other.iter().fold(one, Zones::with) }
}

/// Returns the laterality that places give; `None` if there are none or one of them names no side.
fn settled(findings: &[LungFinding]) -> Option<Laterality> {
    let is_settled = !findings.is_empty() && findings.iter().all(|finding| finding.side.is_some());
    is_settled.then(|| laterality_of(findings))
}

/// Returns the number to state when the number of places changes.
fn followed(stated: Option<u32>, before: usize, after: usize) -> Option<u32> {
    let (before, after) = (before as u32, after as u32);
    match stated {
        // A prompt that names places without a number goes on without one.
        None if before > 0 => None,
        None | Some(0) => Some(after),
        Some(number) if number == before => Some(after),
        Some(number) => Some(number.max(after)),
    }
    .filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::super::{Prompt, parse};
    use super::*;

    fn lungs(text: &str) -> Lungs {
        match parse(text).prompt {
            Some(Prompt::Lungs(lungs)) => lungs,
            _ => Lungs::default(),
        }
    }

    fn polyps(text: &str) -> Polyps {
        match parse(text).prompt {
            Some(Prompt::Polyps(polyps)) => polyps,
            _ => Polyps::default(),
        }
    }

    fn text(lungs: Lungs) -> String {
        Prompt::Lungs(lungs).to_string()
    }

    #[test]
    fn zones_bring_the_laterality_and_the_number_with_them() {
        let one = Lungs::default().toggled(Side::Right, Zone::Lower);
        assert_eq!(text(one.clone()), "Unilateral pulmonary infection, one infected area, lower right lung.");
        let two = one.toggled(Side::Left, Zone::Upper);
        let expected = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";
        assert_eq!(text(two.clone()), expected);
        let more = two.toggled(Side::Left, Zone::Lower).toggled(Side::Left, Zone::Middle);
        let expected = "Bilateral pulmonary infection, two infected areas, all left lung and lower right lung.";
        assert_eq!(text(more.clone()), expected);
        let less = more.toggled(Side::Left, Zone::Middle);
        let expected =
            "Bilateral pulmonary infection, two infected areas, upper lower left lung and lower right lung.";
        assert_eq!(text(less), expected);
        assert_eq!(text(more.toggled_all(Side::Left)), text(one.clone()));
        assert_eq!(text(one.toggled(Side::Right, Zone::Lower)), "");
        assert_eq!(
            text(lungs("No pulmonary infection.").toggled_all(Side::Left)),
            text(lungs("").toggled_all(Side::Left))
        );
    }

    #[test]
    fn what_the_prompt_says_otherwise_stays() {
        let zone = |typed: &str, side| text(lungs(typed).toggled(side, Zone::Upper));
        assert_eq!(zone("lower left lung", Side::Right), "Lower left lung and upper right lung.");
        assert_eq!(
            zone("Bilateral pulmonary infection.", Side::Left),
            "Bilateral pulmonary infection, one infected area, upper left lung."
        );
        assert_eq!(
            zone("Unilateral pulmonary infection, three infected areas, lower left lung.", Side::Left),
            "Unilateral pulmonary infection, three infected areas, upper lower left lung."
        );
        let fewer = "Bilateral pulmonary infection, one infected area, lower left lung and lower right lung.";
        let expected =
            "Bilateral pulmonary infection, two infected areas, lower left lung and upper lower right lung.";
        assert_eq!(zone(fewer, Side::Right), expected);
        // A lung that is named twice becomes one place, in its order; a zone without a side stays.
        assert_eq!(
            zone("lower right lung and lower left lung and middle right lung and middle lung", Side::Right),
            "All right lung and lower left lung and middle lung."
        );
    }

    #[test]
    fn laterality_and_number_can_be_stated_and_given_back_to_the_places() {
        let stated = lungs("upper left lung").with_laterality(Some(Laterality::Bilateral));
        assert_eq!(text(stated.clone()), "Bilateral pulmonary infection, upper left lung.");
        assert!(!stated.follows_places());
        let expected = "Unilateral pulmonary infection, one infected area, upper left lung.";
        assert_eq!(text(stated.following_places()), expected);
        assert!(stated.following_places().follows_places());
        assert_eq!(text(stated.with_laterality(Some(Laterality::None))), "No pulmonary infection.");
    }

    #[test]
    fn places_of_polyps_bring_the_number_with_them() {
        let one = Polyps::default().toggled(Place::Center);
        let printed = |polyps: &Polyps| Prompt::Polyps(polyps.clone()).to_string();
        let expected = "one polyp which is a projecting growth of tissue located in center of the image";
        assert_eq!(printed(&one), expected);
        let two = one.toggled(Place::TopLeft).with_size_toggled(Size::Large).with_size_toggled(Size::Small);
        let expected = "two small, large polyp which is a projecting growth of tissue located in center, top left of the image";
        assert_eq!(printed(&two), expected);
        let three = polyps("three polyp located in center of the image").toggled(Place::Top);
        assert_eq!((three.number, three.places.len()), (Some(3), 2));
        assert_eq!(one.toggled(Place::Center).number, Some(1), "a polyp without a place");
        assert_eq!(printed(&two.with_number(Some(0))), "no polyp");
    }

    #[test]
    fn whatever_is_clicked_is_read_back_from_its_text() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let (mut lungs, mut polyps) = (Lungs::default(), Polyps::default());
            for _ in 0..random.usize(1..8) {
                let side = *random.choice(Side::ALL).expect("a side");
                lungs = match random.u8(0..8) {
                    0 => lungs.toggled_all(side),
                    1 => lungs.with_laterality(random.choice(Laterality::ALL).copied()),
                    _ => lungs.toggled(side, *random.choice(Zone::ALL).expect("a zone")),
                };
                polyps = match random.u8(0..4) {
                    0 => polyps.with_size_toggled(*random.choice(Size::ALL).expect("a size")),
                    1 => polyps.with_number(Some(random.u32(1..5))),
                    _ => polyps.toggled(*random.choice(Place::ALL).expect("a place")),
                };
            }
            for prompt in [Prompt::Lungs(lungs), Prompt::Polyps(polyps)] {
                let text = prompt.to_string();
                if !text.is_empty() {
                    assert_eq!(parse(&text).prompt, Some(prompt), "{text}");
                }
            }
        }
    }
}
