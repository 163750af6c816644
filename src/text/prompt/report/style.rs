//! The styles of reports, and what their wordings share.

use serde::Serialize;

/// The style of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// The report of figure 9 in HiMix's supplementary material, with its negations before the places.
    Paper,
    /// Findings and impression in a few words.
    Concise,
    /// Whole sentences.
    Narrative,
    /// Whole sentences, with what is normal and what is absent.
    Detailed,
    /// An impression in telegram style, without findings.
    Telegraphic,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 5] = [Self::Paper, Self::Concise, Self::Narrative, Self::Detailed, Self::Telegraphic];

    /// Returns the name, as the command line takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Concise => "concise",
            Self::Narrative => "narrative",
            Self::Detailed => "detailed",
            Self::Telegraphic => "telegraphic",
        }
    }

    /// Returns the style of a name; `None` if there is none.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.name() == name)
    }
}

/// Returns one of several wordings.
pub(super) fn one<'a>(random: &mut fastrand::Rng, wordings: &[&'a str]) -> &'a str {
    random.choice(wordings).copied().unwrap_or_default()
}

/// Joins with commas and "and".
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
