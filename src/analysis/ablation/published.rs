//! The scores of the paper's supplementary material.
//!
//! Hwang, Sim, Kim: "HiMix", WACV 2026, Tables 1 and 2. All of them are pooled Dice scores, as the agreement of Dice and IoU
//! in the paper's main table shows, IoU = D / (2 − D). The mean ± standard deviation over images of Table 3 is not among
//! them: its means are these pooled scores, which a mean over images does not equal.

/// The data sets of which the variants' scores are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// QaTa-COV19.
    Qata,
    /// MosMedData+.
    Mosmed,
    /// Kvasir-SEG, of which only the full model's score is published.
    Kvasir,
}

impl Published {
    /// The data set with this name on the command line.
    ///
    /// # Errors
    /// There is no such data set.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "qata" => Ok(Self::Qata),
            "mosmed" => Ok(Self::Mosmed),
            "kvasir" => Ok(Self::Kvasir),
            _ => Err(format!("'{name}' is no data set with published scores; they are qata, mosmed and kvasir")),
        }
    }

    /// The name of the data set.
    pub fn title(self) -> &'static str {
        match self {
            Self::Qata => "QaTa-COV19",
            Self::Mosmed => "MosMedData+",
            Self::Kvasir => "Kvasir-SEG",
        }
    }

    /// The published Dice score of a variant on the test set, pooled over all pixels, 0…1; `None` if there is none.
    pub fn pooled_dice(self, variant: &str) -> Option<f64> {
        let percent = match (self, variant) {
            (Self::Qata, "no-grouping") => 90.90,
            (Self::Qata, "order-123") => 91.04,
            (Self::Qata, "order-132") => 90.99,
            (Self::Qata, "order-213") => 90.92,
            (Self::Qata, "order-231") => 90.96,
            (Self::Qata, "order-312") => 90.81,
            (Self::Qata, "full") => 91.17,
            (Self::Mosmed, "no-grouping") => 78.36,
            (Self::Mosmed, "order-123") => 78.46,
            (Self::Mosmed, "order-132") => 78.18,
            (Self::Mosmed, "order-213") => 77.80,
            (Self::Mosmed, "order-231") => 78.82,
            (Self::Mosmed, "order-312") => 78.09,
            (Self::Mosmed, "mean-pooling") => 78.15,
            (Self::Mosmed, "interleaved") => 78.55,
            (Self::Mosmed, "clustering") => 78.09,
            (Self::Mosmed, "without-g1") => 78.41,
            (Self::Mosmed, "without-g2") => 77.50,
            (Self::Mosmed, "without-g3") => 78.07,
            (Self::Mosmed, "full") => 79.44,
            (Self::Kvasir, "full") => 92.18,
            _ => return None,
        };
        Some(percent / 100.0)
    }
}
