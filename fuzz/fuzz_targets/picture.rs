//! PNG, JPEG, TIFF, BMP, WebP, as a picture and as a mask.
#![no_main]

use himix_fuzz::data::{MaskReading, Volume, mask, open};
use himix_fuzz::{LIMIT, bounded, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("picture", bytes, |path| {
        if let Ok(scan) = bounded(|| open::open(path, LIMIT, &|_, _| true)) {
            look(&scan);
            let reading = MaskReading { limit: LIMIT, ..MaskReading::default() };
            let _ = bounded(|| mask::read(path, &reading));
        }
    });
});

/// What the window does with a picture that was read.
fn look(scan: &Volume) {
    let slice = scan.slice(0);
    let seen = scan.first_seen(&slice);
    let _ = scan.for_network(scan.full_range(&slice), seen);
    let _ = slice.windowed(seen.window, seen.is_inverted);
}
