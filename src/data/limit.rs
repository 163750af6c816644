//! The limit on the memory that one file may take.

use std::path::Path;

use super::DataError;

/// The most bytes that reading one file may take; 2 GiB by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u64);

impl Default for Limit {
    fn default() -> Self {
        Self(2 << 30)
    }
}

impl Limit {
    /// Checks that `bytes` does not exceed the limit. `path` is the file that the error names.
    ///
    /// # Errors
    /// Returns [`DataError::BeyondLimit`] if it does.
    pub fn allow(self, path: &Path, bytes: u64) -> Result<(), DataError> {
        if bytes <= self.0 {
            return Ok(());
        }
        Err(DataError::BeyondLimit { path: path.to_owned(), needed: bytes, limit: self.0 })
    }
}
