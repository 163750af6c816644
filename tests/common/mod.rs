//! What several test programs need.

// Each user takes its part of this.
#![allow(dead_code, unused_imports)]

mod child;

use std::path::PathBuf;

pub use child::Child;

/// Something that a machine may lack and a test cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What every machine can be given: files, a virtual screen, a software graphics driver.
    Installable,
    /// A graphics card.
    GraphicsCard,
}

/// Reports that a test is skipped because `what` is missing; the caller then returns.
///
/// # Panics
/// Where `HIMIX_REQUIRE_ALL` says that nothing may be skipped: `1` for all but the tests of a graphics card, `gpu` for those too.
#[track_caller]
pub fn skip(need: Need, what: &str) {
    let required = std::env::var("HIMIX_REQUIRE_ALL").unwrap_or_default();
    assert!(!is_required(&required, need), "HIMIX_REQUIRE_ALL={required}, but this test cannot run: {what}");
    println!("skipped: {what}");
}

fn is_required(required: &str, need: Need) -> bool {
    match required {
        "" | "0" => false,
        "gpu" => true,
        _ => need == Need::Installable,
    }
}

/// A file or folder of the shared test data (`""` is all of it); `None` where it is missing.
#[track_caller]
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HIMIX_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    skip(
        Need::Installable,
        &format!("there is no {} (HIMIX_TEST_DATA names the shared test data)", path.display()),
    );
    None
}

#[test]
fn only_what_is_asked_for_must_run() {
    let all = [Need::Installable, Need::GraphicsCard];
    assert_eq!(
        ["", "0", "1", "gpu"].map(|asked| all.map(|need| is_required(asked, need))),
        [[false, false], [false, false], [true, false], [true, true],]
    );
}
