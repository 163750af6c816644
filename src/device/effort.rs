//! How thoroughly a GPU is tuned: the choice between an early start and the fastest kernels.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use cubecl_runtime::config::autotune::{AutotuneConfig, AutotuneLevel};
use serde::{Deserialize, Serialize};

/// The environment variable with the effort. It comes before the preferences.
pub const VARIABLE: &str = "HIMIX_GPU_TUNING";

/// The effort of this process. burn reads it once, before the first device is opened.
static CHOSEN: OnceLock<GpuTuning> = OnceLock::new();

/// How many kernels are tried for each operation, and how many shapes share a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuTuning {
    /// The first kernel that reaches 60 % of what the card can do is taken, slower ones are dropped after one trial,
    /// and shapes that differ by a factor of up to 2.5 share a result. The card is ready soonest.
    Minimal,
    /// burn's own choice: 80 %, three to ten trials, a factor of two.
    #[default]
    Balanced,
    /// Every kernel is tried for every shape. This takes longest.
    Full,
}

impl GpuTuning {
    /// All efforts, from the smallest.
    pub const ALL: [Self; 3] = [Self::Minimal, Self::Balanced, Self::Full];

    /// The name in settings and in the environment variable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Balanced => "balanced",
            Self::Full => "full",
        }
    }

    /// Writes the effort to burn's configuration.
    pub(super) fn apply(self, config: &mut AutotuneConfig) {
        match self {
            Self::Minimal => {
                config.level = AutotuneLevel::Minimal;
                config.bench.min_samples = 1;
                config.bench.max_samples = 3;
                config.bench.short_circuit_samples = 1;
                config.bench.speed_factor = 1.1;
            }
            Self::Balanced => config.level = AutotuneLevel::Balanced,
            Self::Full => config.level = AutotuneLevel::Full,
        }
    }

    /// The name of the store of an adapter for this effort. Results of another effort are not used, because their
    /// kernels may be slower and would never be tried again.
    pub(super) fn store(self, store: &str) -> String {
        match (self, store.rsplit_once('.')) {
            (Self::Balanced, _) | (_, None) => store.to_owned(),
            (_, Some((stem, ending))) => format!("{stem}-{self}.{ending}"),
        }
    }
}

impl fmt::Display for GpuTuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GpuTuning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|effort| effort.name() == word)
            .ok_or_else(|| format!("'{text}' is no effort of GPU tuning; say minimal, balanced or full"))
    }
}

/// Chooses the effort for this process. It has no effect once a GPU was opened, nor where the environment variable
/// chooses.
pub fn choose(effort: GpuTuning) {
    // A second choice would come too late, and the first one stands.
    let _ = CHOSEN.set(effort);
}

/// Returns the effort of this process, and a notice for the user if the environment variable is none.
pub(super) fn chosen() -> (GpuTuning, Option<String>) {
    let variable = std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty());
    effective(variable.as_deref(), CHOSEN.get().copied().unwrap_or_default())
}

fn effective(variable: Option<&str>, preferred: GpuTuning) -> (GpuTuning, Option<String>) {
    match variable.map(str::parse) {
        None => (preferred, None),
        Some(Ok(effort)) => (effort, None),
        Some(Err(reason)) => (preferred, Some(format!("{VARIABLE}: {reason}. {preferred} is used."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_first_and_a_wrong_one_is_explained() {
        assert_eq!(effective(None, GpuTuning::Full), (GpuTuning::Full, None));
        assert_eq!(effective(Some(" Minimal "), GpuTuning::Full), (GpuTuning::Minimal, None));
        let (effort, notice) = effective(Some("quick"), GpuTuning::Balanced);
        assert_eq!(effort, GpuTuning::Balanced);
        let notice = notice.expect("it is wrong");
        assert!(notice.starts_with("HIMIX_GPU_TUNING: 'quick'") && notice.contains("minimal, balanced or full"));
    }

    #[test]
    fn efforts_do_not_share_a_store() {
        let stores = GpuTuning::ALL.map(|effort| effort.store("card-0123.db"));
        assert_eq!(stores, ["card-0123-minimal.db", "card-0123.db", "card-0123-full.db"]);
    }

    #[test]
    fn less_effort_is_fewer_trials() {
        let trials = GpuTuning::ALL.map(|effort| {
            let mut config = AutotuneConfig::default();
            effort.apply(&mut config);
            config.bench.samples()
        });
        assert!(trials[0] < trials[1] && trials[1] <= trials[2], "{trials:?}");
        assert_eq!(trials[0], (1, 3));
    }

    #[test]
    fn every_effort_comes_back_from_its_name() {
        for effort in GpuTuning::ALL {
            assert_eq!(effort.to_string().parse(), Ok(effort));
            let json = serde_json::to_string(&effort).expect("text");
            assert_eq!(json, format!("\"{effort}\""));
        }
    }
}
