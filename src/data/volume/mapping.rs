//! From stored values to those that are shown.

/// From stored values to those that are shown and read off.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ValueMapping {
    /// As stored.
    #[default]
    Same,
    /// `value * slope + intercept` (DICOM PS3.3 C.11.1.1, NIfTI scl_slope), one pair for each slice or one for all.
    Linear(Vec<[f32; 2]>),
    /// A table whose first entry stands for the stored value `first`; what lies outside takes the nearest entry.
    Table {
        /// Stored value of the first entry.
        first: f32,
        /// The entries.
        entries: Vec<f32>,
    },
}

impl ValueMapping {
    /// What a stored value of the first slice stands for.
    pub fn of(&self, stored: f32) -> f32 {
        let mut values = [stored];
        self.apply(&mut values, 0);
        values[0]
    }

    /// Maps the samples of slice `slice` in place.
    pub(super) fn apply(&self, values: &mut [f32], slice: usize) {
        match self {
            Self::Same => {}
            Self::Linear(pairs) => {
                if let Some([slope, intercept]) = pairs.get(slice).or(pairs.first()) {
                    values.iter_mut().for_each(|value| *value = *value * slope + intercept);
                }
            }
            Self::Table { first, entries } => {
                let last = entries.len().saturating_sub(1) as f32;
                for value in values {
                    *value = entries.get((*value - first).clamp(0.0, last) as usize).copied().unwrap_or(0.0);
                }
            }
        }
    }
}
