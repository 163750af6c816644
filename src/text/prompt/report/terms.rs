//! The words of chest reports, beyond those of the prompts' grammar.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::prompt::lexicon::{LungTerm, lung_term};
use crate::text::prompt::words::{Laterality, Side, Zone};

/// What a word of a chest report means for a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// An infected area, in any of the usual words.
    Lesion,
    /// "Bilateral", "unilateral".
    Laterality(Laterality),
    /// Another finding or organ: what is said of its place is not said of an infected area.
    Other,
    /// A side.
    Side(Side),
    /// Both sides.
    Both,
    /// A zone.
    Zone(Zone),
    /// The whole lung.
    All,
    /// A part of the lung by one word: "base", "apices".
    Part(Zone, Number),
    /// A lobe by its abbreviation: "RLL".
    Lobe(Side, Zone),
    /// "Bibasal".
    BothZone(Zone),
    /// "Lung", "lobe", "zone", "field".
    Noun,
    /// A preposition before a place.
    Preposition,
    /// "And", "or", "plus".
    And,
    /// A number.
    Count(u32),
    /// An adjective of an infected area, or its unit: "patchy", "areas of".
    Adjective,
    /// A word that tells nothing for a prompt.
    Known,
}

/// Whether a word names one part or the parts of both lungs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// One.
    One,
    /// Those of both lungs.
    Both,
}

const LESIONS: &str = "infected infection infections infectious consolidation consolidations consolidative opacity \
    opacities opacification opacifications opacified infiltrate infiltrates infiltration infiltrations pneumonia \
    pneumonitis shadowing haziness ggo ggos lesion lesions area areas";
const ADJECTIVES: &str = "patchy focal multifocal ill defined hazy subtle faint dense confluent mild moderate severe \
    extensive small large new airspace alveolar interstitial reticular ground glass groundglass pulmonary subpleural \
    peripheral central nodular linear diffuse scattered multiple several few increased worsening improving persistent \
    residual separate distinct discrete further focus foci patch patches region regions of";
const OTHERS: &str = "effusion effusions pneumothorax pneumothoraces cardiomegaly nodule nodules mass masses fracture \
    fractures edema oedema atelectasis catheter tube line lines pacemaker emphysema fibrosis scarring scar scars \
    calcification calcifications granuloma granulomas hernia air diaphragm hemidiaphragm hemidiaphragms heart ventricle \
    atrium hilum hila hilar bronchus rib ribs clavicle shoulder breast arm costophrenic cardiophrenic angle angles \
    pleural pleura thickening aorta aortic mediastinum mediastinal trachea tracheal spine scoliosis humerus jugular \
    subclavian port stent clip clips adenopathy lymphadenopathy cavity cavitation cardiomediastinal cardiac silhouette \
    osseous bony";
const PREPOSITIONS: &str = "in within at on involving throughout affecting over from across along to into";
const KNOWN: &str = "a an the is are was were be been being has have had there this these that those it its they he she \
    his her patient with for by as than both which also only most more less mainly predominantly mostly seen noted \
    present demonstrated identified shown shows show demonstrates demonstrate reveals appear appears appearance consistent \
    compatible evidence evident signs sign normal clear intact unremarkable well aerated inflated expanded limits \
    size contour contours structure structures soft tissues tissue imaged visualized visualised below above beneath \
    under free acute chronic chest x ray radiograph film image images view views frontal lateral ap pa portable ct scan \
    unchanged stable change changes interval otherwise remaining remainder rest finding findings impression likely \
    possible possibly probable probably suspected suspicion suggestive suggesting suspicious concerning may might could \
    represent represents cannot can not exclude excluded no nor neither without absent absence negative resolved cleared \
    resolving previous previously prior history but however although though except apart other versus vs given located \
    location extent extending sided side greater worse any some again still currently now today \
    covid 19 disease viral bacterial atypical typical process involvement involved affected visible \
    recommend follow up clinical correlation correlate suggested examination study unlikely definite compared development sparing spares spared relative unaffected uninvolved";

/// The words of the lists and those with a term of their own.
static TERMS: LazyLock<HashMap<&str, Term>> = LazyLock::new(|| {
    // What comes later holds.
    let lists = [
        (KNOWN, Term::Known),
        (ADJECTIVES, Term::Adjective),
        (PREPOSITIONS, Term::Preposition),
        (OTHERS, Term::Other),
        (LESIONS, Term::Lesion),
        ("lung lungs lobe lobes zone zones field fields hemithorax", Term::Noun),
        ("and or plus", Term::And),
        ("single solitary", Term::Count(1)),
        ("both bilaterally", Term::Both),
        ("bibasal bibasilar", Term::BothZone(Zone::Lower)),
        ("biapical", Term::BothZone(Zone::Upper)),
        ("basal basilar", Term::Zone(Zone::Lower)),
        ("apical", Term::Zone(Zone::Upper)),
        ("entire whole all", Term::All),
        ("midzone midzones", Term::Part(Zone::Middle, Number::One)),
        ("base", Term::Part(Zone::Lower, Number::One)),
        ("apex", Term::Part(Zone::Upper, Number::One)),
        ("bases", Term::Part(Zone::Lower, Number::Both)),
        ("apices", Term::Part(Zone::Upper, Number::Both)),
        ("rul", Term::Lobe(Side::Right, Zone::Upper)),
        ("rml", Term::Lobe(Side::Right, Zone::Middle)),
        ("rll", Term::Lobe(Side::Right, Zone::Lower)),
        ("lul", Term::Lobe(Side::Left, Zone::Upper)),
        ("lll", Term::Lobe(Side::Left, Zone::Lower)),
    ];
    lists
        .into_iter()
        .flat_map(|(list, term)| list.split_ascii_whitespace().map(move |word| (word, term)))
        .collect()
});

/// Returns the words that have a term of their own, in no particular order.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    TERMS.keys().copied()
}

/// Returns the term of a word in lower case; `None` if the word is not known.
pub fn term(word: &str) -> Option<Term> {
    TERMS.get(word).copied().or_else(|| match lung_term(word)? {
        LungTerm::Zone(zone) => Some(Term::Zone(zone)),
        LungTerm::All => Some(Term::All),
        LungTerm::Side(side) => Some(Term::Side(side)),
        LungTerm::Laterality(laterality) => Some(Term::Laterality(laterality)),
        LungTerm::Infected | LungTerm::Area | LungTerm::Infection => Some(Term::Lesion),
        LungTerm::Number(number) => Some(Term::Count(number)),
        LungTerm::Lung => Some(Term::Noun),
        LungTerm::And | LungTerm::No | LungTerm::Filler => None,
    })
}
