//! What a user asks for, and what an environment variable makes of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[cfg(not(feature = "remote"))]
use super::WITHOUT_REMOTE;
#[cfg(feature = "remote")]
use super::remote;

/// The compute device that the user requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// What the environment variable [`super::VARIABLE`] says; without it a hardware GPU if there is one, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU: the first in the order of [`super::adapters`], or the one with this index. Only this variant accepts a
    /// software adapter.
    Gpu(Option<usize>),
    /// The device that another computer serves.
    #[cfg(feature = "remote")]
    Remote(remote::Address),
}

/// What the environment variable, a file of settings and the command line say.
impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            other => match (other.strip_prefix("gpu:").map(str::parse), other.strip_prefix("remote:")) {
                (Some(Ok(number)), _) => Ok(Self::Gpu(Some(number))),
                #[cfg(feature = "remote")]
                (_, Some(address)) => address.parse().map(Self::Remote),
                #[cfg(not(feature = "remote"))]
                (_, Some(_)) => Err(format!("'{text}': {WITHOUT_REMOTE}")),
                _ => Err(format!("'{text}' is no device; say auto, cpu, gpu, gpu:N or remote:HOST")),
            },
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(number)) => write!(f, "gpu:{number}"),
            #[cfg(feature = "remote")]
            Self::Remote(address) => write!(f, "remote:{address}"),
        }
    }
}

/// Returns what `choice` stands for if `variable` is the value of an environment variable that says what the automatic choice,
/// the default of its type, is; and a notice for the user, made of the reason by `notice`, if that cannot be read.
pub(super) fn resolved<T: Copy + Default + PartialEq + FromStr<Err = String>>(
    choice: T,
    variable: Option<&str>,
    notice: impl FnOnce(String) -> String,
) -> (T, Option<String>) {
    let variable = variable.filter(|text| choice == T::default() && !text.trim().is_empty());
    match variable.map(str::parse) {
        Some(Ok(said)) => (said, None),
        Some(Err(reason)) => (choice, Some(notice(reason))),
        None => (choice, None),
    }
}
