//! New unique identifiers.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a new UID made of a random UUID, as a decimal number below the root 2.25 (DICOM PS3.5 B.2).
pub fn new_uid() -> String {
    format!("2.25.{}", u128::from_be_bytes(uuid()))
}

/// Returns the bytes of a random UUID (RFC 9562, version 4).
fn uuid() -> [u8; 16] {
    // The system seeds a hasher with 128 random bits; the time separates the values of one thread even if it did not.
    let state = RandomState::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let [high, low] = [0_u8, 1].map(|half| state.hash_one((half, now, std::process::id())));
    let mut bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal_and_all_are_valid() {
        let made: std::collections::HashSet<String> = (0..1000).map(|_| new_uid()).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|uid| uid.len() <= 64 && !uid.starts_with("2.25.0")));
        let [version, variant] = [6, 8].map(|at| uuid()[at]);
        assert_eq!((version >> 4, variant >> 6), (4, 2));
    }
}
