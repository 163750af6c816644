//! The mapping from stored values to displayed values, for instance rescale slope and intercept.

/// How stored values are mapped to the values that are displayed and reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ValueMapping {
    /// Values are used as stored.
    #[default]
    Same,
    /// `value * slope + intercept` (DICOM PS3.3 C.11.1.1, NIfTI scl_slope and scl_inter), with one pair of slope
    /// and intercept for each slice or one for all slices.
    Linear(Vec<[f32; 2]>),
    /// A lookup table whose first entry belongs to the stored value `first`. Values outside of the table take
    /// its nearest entry.
    Table {
        /// Stored value of the first entry.
        first: f32,
        /// The mapped values.
        entries: Vec<f32>,
    },
}

impl ValueMapping {
    /// Returns the mapped value of a stored value of the first slice.
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
