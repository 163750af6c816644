//! Fingerprints of files: by them, the same content is recognised under another name and on another computer.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::DataError;

/// The number of hexadecimal digits of a fingerprint. 128 bits make accidental collisions practically impossible.
const DIGITS: usize = 32;
/// The number of bytes read at a time.
const CHUNK: usize = 1 << 18;

/// Returns the fingerprint of some bytes: the first 128 bits of their BLAKE3 hash, in hexadecimal digits.
pub fn of_bytes(bytes: &[u8]) -> String {
    short(&blake3::hash(bytes))
}

/// Returns the fingerprint of a file's bytes, see [`of_bytes`]. `goes_on` receives the number of bytes of every part
/// that was read, and returns whether to continue.
///
/// # Errors
/// Returns an error if the file cannot be read, and [`DataError::Cancelled`] if `goes_on` says so.
pub fn of_file(path: &Path, goes_on: &dyn Fn(u64) -> bool) -> Result<String, DataError> {
    let unreadable = |error: std::io::Error| DataError::reading(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    let mut part = vec![0; CHUNK];
    loop {
        let count = match file.read(&mut part) {
            Ok(0) => return Ok(short(&hasher.finalize())),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        hasher.update(&part[..count]);
        if !goes_on(count as u64) {
            return Err(DataError::Cancelled { path: path.to_owned() });
        }
    }
}

fn short(hash: &blake3::Hash) -> String {
    hash.to_hex()[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_file_has_the_fingerprint_of_its_bytes() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..3 * CHUNK + 5).map(|at| at as u8).collect();
        std::fs::write(&path, &bytes)?;
        let read = Cell::new(0);
        let count = |more| {
            read.set(read.get() + more);
            true
        };
        assert_eq!(of_file(&path, &count).expect("read"), of_bytes(&bytes));
        assert_eq!(read.get(), bytes.len() as u64);
        assert!(matches!(of_file(&path, &|_| false), Err(DataError::Cancelled { .. })));
        assert!(matches!(of_file(&folder.path().join("b"), &|_| true), Err(DataError::Missing { .. })));
        // The first 128 bits of the hash of "abc".
        assert_eq!(of_bytes(b"abc"), "6437b3ac38465133ffb63b75273a8db5");
        Ok(())
    }
}
