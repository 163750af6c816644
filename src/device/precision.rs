//! The precision in which a GPU computes the products of a prediction. Training is always in single precision.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use super::{Fault, OpenDevice, choice};

/// The environment variable that says which precision [`Precision::Auto`] is.
pub const VARIABLE: &str = "HIMIX_PRECISION";

/// The precision of the models that this process opens.
static CHOSEN: Mutex<Precision> = Mutex::new(Precision::Auto);

/// What a device in half precision has at the end of its name.
const HALF: &str = ", f16";

/// Why a pass in half precision is not used.
const TOO_LARGE: &str = "half precision cannot hold a value of this model";

/// The precision that the user requests for the products of a prediction on a GPU. The CPU computes in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// What the environment variable [`VARIABLE`] says; without it single precision, because no card has been measured on
    /// which half precision is faster. Half precision takes its place where a model does not fit into the memory of a card.
    #[default]
    Auto,
    /// Single precision.
    F32,
    /// Weights and inputs of products in half precision; everything else in single precision.
    F16,
}

impl Precision {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Auto, Self::F32, Self::F16];

    /// The name on the command line, in settings and in the environment variable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == word)
            .ok_or_else(|| format!("'{text}' is no precision; say auto, f32 or f16"))
    }
}

/// Chooses the precision of the models that this process opens from now on.
pub fn choose(precision: Precision) {
    *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner) = precision;
}

/// Returns what `choice` stands for if `variable` is the value of the environment variable, and a notice for the user if
/// that is no precision.
fn resolved(choice: Precision, variable: Option<&str>) -> (Precision, Option<String>) {
    choice::resolved(choice, variable, |reason| format!("{VARIABLE}: {reason}. f32 is used."))
}

impl OpenDevice {
    /// The same device with the precision of this process. Where it has no half precision, a notice says so.
    pub fn for_prediction(self) -> Self {
        let chosen = *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (precision, wrong) = resolved(chosen, std::env::var(VARIABLE).ok().as_deref());
        let device = self.in_precision(precision);
        let notice = wrong.filter(|_| device.is_gpu).into_iter().chain(device.notice.clone());
        OpenDevice { notice: notice.reduce(|all, next| all + " " + &next), ..device }
    }

    /// The same device with this precision. Where it has no half precision, a notice says so.
    pub fn in_precision(self, precision: Precision) -> Self {
        if !self.is_gpu || precision == Precision::F32 {
            return self;
        }
        let offers_half = self.offers_half();
        match precision {
            Precision::F16 if offers_half => self.halved(),
            Precision::F16 => {
                let missing = format!("{} offers no half precision (f16); it computes in f32.", self.name);
                let notice = self.notice.clone().into_iter().chain([missing]);
                Self { notice: notice.reduce(|all, next| all + " " + &next), ..self }
            }
            Precision::Auto | Precision::F32 => Self { can_be_half: offers_half, ..self },
        }
    }

    /// Whether this is a GPU that computes in half precision.
    pub fn offers_half(&self) -> bool {
        self.is_gpu && !self.is_remote() && self.device.supports_dtype(DType::F16)
    }

    fn halved(self) -> Self {
        Self { name: self.name + HALF, is_half: true, can_be_half: false, ..self }
    }

    /// The same GPU in the other precision, if that may succeed where this one had `fault`, with a notice about it: in single
    /// precision after a value that half precision cannot hold, in half precision where the memory was too small.
    pub(super) fn in_other_precision(&self, fault: &Fault) -> Option<Self> {
        let name = card(&self.name).to_owned();
        if self.is_half && fault.is_too_large() {
            let notice = format!("{name}: {TOO_LARGE}; it computes in f32 from now on.");
            return Some(Self { name, is_half: false, notice: Some(notice), ..self.clone() });
        }
        if self.can_be_half && fault.is_out_of_memory() {
            let notice =
                format!("{name} has too little memory for this model in f32; it computes in f16 from now on.");
            return Some(Self { notice: Some(notice), ..self.clone().halved() });
        }
        None
    }
}

impl Fault {
    /// The fault of a pass on the device of this name that has a value which half precision cannot hold.
    pub fn too_large(device: &str) -> Self {
        Self { device: device.to_owned(), reason: TOO_LARGE.to_owned() }
    }

    fn is_too_large(&self) -> bool {
        self.reason == TOO_LARGE
    }
}

/// Returns the name of a device without its precision.
pub(super) fn card(name: &str) -> &str {
    name.strip_suffix(HALF).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::super::cpu;
    use super::*;

    fn gpu() -> OpenDevice {
        OpenDevice { name: "card".into(), is_gpu: true, ..cpu() }
    }

    fn fault(reason: &str) -> Fault {
        Fault { device: "card".into(), reason: reason.into() }
    }

    #[test]
    fn every_precision_comes_back_from_its_name() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
            assert_eq!(serde_json::to_string(&precision).expect("text"), format!("\"{precision}\""));
        }
        let wrong = "half".parse::<Precision>().expect_err("no precision");
        assert!(wrong.contains("'half'") && wrong.contains("auto, f32 or f16"), "{wrong}");
    }

    #[test]
    fn the_variable_says_what_auto_is_and_a_wrong_one_is_explained() {
        assert_eq!(resolved(Precision::Auto, Some(" F16 ")), (Precision::F16, None));
        assert_eq!(resolved(Precision::F32, Some("f16")), (Precision::F32, None));
        assert_eq!(resolved(Precision::Auto, Some("")), (Precision::Auto, None));
        let (precision, notice) = resolved(Precision::Auto, Some("double"));
        assert_eq!(precision, Precision::Auto);
        assert!(notice.expect("it is wrong").starts_with("HIMIX_PRECISION: 'double' is no precision"));
    }

    #[test]
    fn the_cpu_and_a_card_without_it_stay_in_single_precision() {
        let open = cpu().in_precision(Precision::F16);
        assert!(!open.is_half && !open.can_be_half && open.notice.is_none());
        // The device behind it is the CPU.
        if !gpu().offers_half() {
            let open = gpu().in_precision(Precision::F16);
            let notice = open.notice.expect("a notice");
            assert!(
                !open.is_half && notice == "card offers no half precision (f16); it computes in f32.",
                "{notice}"
            );
        }
    }

    #[test]
    fn a_model_that_does_not_fit_is_tried_in_half_precision_unless_f32_was_asked_for() {
        let memory = fault("Validation Error: Out of memory");
        let auto = OpenDevice { can_be_half: true, ..gpu() };
        let half = auto.in_other_precision(&memory).expect("it may fit");
        assert!(half.is_half && !half.can_be_half && half.name == "card, f16");
        let notice = half.notice.clone().expect("a notice");
        assert!(notice.starts_with("card has too little memory") && notice.contains("in f16"), "{notice}");
        assert!(half.in_other_precision(&memory).is_none(), "the CPU is next");
        assert!(auto.in_other_precision(&fault("the driver is lost")).is_none());
        assert!(gpu().in_other_precision(&memory).is_none(), "f32 was asked for");
    }

    #[test]
    fn a_value_that_half_precision_cannot_hold_leads_to_single_precision() {
        let half = gpu().halved();
        assert_eq!((half.name.as_str(), card(&half.name)), ("card, f16", "card"));
        let single = half.in_other_precision(&Fault::too_large(&half.name)).expect("it is possible");
        assert!(!single.is_half && !single.can_be_half && single.name == "card");
        assert!(single.notice.expect("a notice").contains("it computes in f32 from now on"));
        assert!(gpu().in_other_precision(&Fault::too_large("card")).is_none());
    }
}
