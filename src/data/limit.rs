//! The memory that one file may take.

use std::path::Path;

use super::DataError;

/// Most bytes that the decoded content of a file may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u64);

impl Default for Limit {
    fn default() -> Self {
        Self(2 << 30)
    }
}

impl Limit {
    /// Checks that `bytes` are within the limit.
    ///
    /// # Errors
    /// Returns [`DataError::BeyondLimit`] otherwise.
    pub fn allow(self, path: &Path, bytes: u64) -> Result<(), DataError> {
        if bytes <= self.0 {
            return Ok(());
        }
        Err(DataError::BeyondLimit { path: path.to_owned(), needed: bytes, limit: self.0 })
    }
}
