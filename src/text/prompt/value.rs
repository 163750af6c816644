//! A prompt as a value: what it says, without the place in a text where it says it.

use serde::{Serialize, Serializer};

use super::words::{Colour, Laterality, Place, Shape, Side, Size, Zone};

/// The grammar of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grammar {
    /// Infected areas of the lungs, in the words of LViT's prompts of QaTa-COV19 (X-rays) and MosMedData+ (CT).
    Lungs,
    /// Polyps in an endoscopy frame, in the words of medvlsm's prompts of Kvasir-SEG.
    Polyps,
}

/// What a prompt says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// Infected areas of the lungs.
    Lungs(Lungs),
    /// Polyps.
    Polyps(Polyps),
}

/// What a prompt says of the lungs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lungs {
    /// "Bilateral", "unilateral" or "no pulmonary infection"; `None` if the prompt says nothing of it.
    pub laterality: Option<Laterality>,
    /// The number of infected areas; `None` if the prompt names none.
    pub areas: Option<u32>,
    /// The infected places, in the order in which they are named.
    pub findings: Vec<LungFinding>,
}

/// An infected place: zones of one lung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LungFinding {
    /// The lung by its side of the *image*; `None` if the prompt does not say which.
    pub side: Option<Side>,
    /// The zones; empty if the prompt names none.
    pub zones: Zones,
}

/// What a prompt says of polyps. All attributes hold for all polyps, as in the data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Polyps {
    /// The number of polyps; 0 if the prompt says that there is none, `None` if it gives no number.
    pub number: Option<u32>,
    /// The sizes, several if the polyps differ.
    pub sizes: Vec<Size>,
    /// The colour.
    pub colour: Option<Colour>,
    /// The shape.
    pub shape: Option<Shape>,
    /// The places in the image, usually one for each polyp. A place may occur twice.
    pub places: Vec<Place>,
}

/// A set of zones of a lung. "All" is kept apart from "upper middle lower", because a network reads other words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Zones(u8);

impl Zones {
    /// No zone.
    pub const NONE: Self = Self(0);
    /// The whole lung, by the word "all".
    pub const ALL: Self = Self(8);

    /// Adds a zone, except to "all".
    #[must_use]
    pub const fn with(self, zone: Zone) -> Self {
        if self.is_all() { self } else { Self(self.0 | 1 << zone as u8) }
    }

    /// Says whether the zones are given by the word "all".
    pub const fn is_all(self) -> bool {
        self.0 == Self::ALL.0
    }

    /// Says whether no zone is named.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Says whether `zone` belongs to them.
    pub const fn has(self, zone: Zone) -> bool {
        self.is_all() || self.0 & 1 << zone as u8 != 0
    }

    /// Returns the zones from top to bottom; all three for "all".
    pub fn iter(self) -> impl Iterator<Item = Zone> {
        Zone::ALL.iter().copied().filter(move |zone| self.has(*zone))
    }

    /// Returns the same zones with the word "all" for all three, so that sets of zones compare as sets.
    #[must_use]
    pub fn merged(self) -> Self {
        if self.iter().count() == 3 { Self::ALL } else { self }
    }

    /// Returns the words of the zones: `["all"]`, or names from top to bottom.
    pub fn words(self) -> Vec<&'static str> {
        if self.is_all() { vec!["all"] } else { self.iter().map(Zone::word).collect() }
    }
}

impl FromIterator<Zone> for Zones {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        zones.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Zones {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

impl Prompt {
    /// Returns the grammar that the prompt is printed in.
    pub const fn grammar(&self) -> Grammar {
        match self {
            Self::Lungs(_) => Grammar::Lungs,
            Self::Polyps(_) => Grammar::Polyps,
        }
    }

    /// Returns the prompt for the mirrored image: left and right are exchanged, the order stays. This is also the
    /// exchange between the side of the image and the side of the patient.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        match self {
            Self::Lungs(lungs) => {
                let mirrored =
                    |finding: &LungFinding| LungFinding { side: finding.side.map(Side::other), ..*finding };
                let findings = lungs.findings.iter().map(mirrored).collect();
                Self::Lungs(Lungs { findings, ..lungs.clone() })
            }
            Self::Polyps(polyps) => {
                let places = polyps.places.iter().map(|place| place.mirrored()).collect();
                Self::Polyps(Polyps { places, ..polyps.clone() })
            }
        }
    }

    /// Returns the prompt with one place for each lung, in the order in which the lungs are first named, and with "all"
    /// for three zones: prompts that say the same in other words become equal. The laterality that follows from the
    /// sides is filled in.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let Self::Lungs(lungs) = self else { return self.clone() };
        let mut findings: Vec<LungFinding> = Vec::new();
        for finding in &lungs.findings {
            match findings.iter_mut().find(|known| known.side == finding.side) {
                Some(known) if finding.zones.is_all() => known.zones = Zones::ALL,
                Some(known) => known.zones = finding.zones.iter().fold(known.zones, Zones::with),
                None => findings.push(*finding),
            }
        }
        findings.iter_mut().for_each(|finding| finding.zones = finding.zones.merged());
        let derived = Lungs::new(lungs.areas, findings);
        let laterality = lungs.laterality.or(derived.laterality.filter(|_| !derived.findings.is_empty()));
        Self::Lungs(Lungs { laterality, ..derived })
    }

    /// Says whether the prompt states that there is no finding at all.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Lungs(lungs) => lungs.laterality == Some(Laterality::None) || lungs.areas == Some(0),
            Self::Polyps(polyps) => polyps.number == Some(0),
        }
    }
}

impl Lungs {
    /// Returns what a prompt says of these places: the laterality follows from their sides, and there is no
    /// infection if there is no place.
    pub fn new(areas: Option<u32>, findings: Vec<LungFinding>) -> Self {
        let laterality =
            Some(laterality_of(&findings)).filter(|_| findings.iter().all(|place| place.side.is_some()));
        Self { laterality, areas, findings }
    }
}

/// Returns the laterality that the sides of the places give.
pub fn laterality_of(findings: &[LungFinding]) -> Laterality {
    let has = |side| findings.iter().any(|finding| finding.side == Some(side));
    match (has(Side::Left), has(Side::Right)) {
        (true, true) => Laterality::Bilateral,
        (false, false) => Laterality::None,
        _ => Laterality::Unilateral,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_a_set_that_remembers_the_word_all() {
        let three: Zones = [Zone::Lower, Zone::Upper, Zone::Middle].into_iter().collect();
        assert_eq!(three.words(), ["upper", "middle", "lower"]);
        assert_ne!(three, Zones::ALL);
        assert_eq!(three.merged(), Zones::ALL);
        assert_eq!(Zones::ALL.with(Zone::Upper).words(), ["all"]);
        assert!(Zones::ALL.has(Zone::Middle) && !Zones::NONE.has(Zone::Middle));
    }
}
