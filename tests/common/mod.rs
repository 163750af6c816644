//! What several tests need.

use std::path::PathBuf;

/// A folder of the shared test data, or none with a word that the test was skipped.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HIMIX_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {folder} of the shared test data is not here (HIMIX_TEST_DATA names its folder)");
    None
}
