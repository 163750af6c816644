//! A NIfTI volume, packed or not, as an image and as masks.
#![no_main]

use himix_fuzz::data::{MaskReading, mask, open};
use himix_fuzz::{LIMIT, bounded, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("volume.nii", bytes, |path| {
        if let Ok(scan) = bounded(|| open::open(path, LIMIT, &|_, _| true)) {
            let slice = scan.slice(scan.slices / 2);
            let seen = scan.first_display_window(&slice);
            let _ = slice.windowed(seen.window, seen.is_inverted);
            let reading = MaskReading { limit: LIMIT, ..MaskReading::default() };
            if let Ok(labels) = bounded(|| mask::read(path, &reading)) {
                let _ = mask::lay(path, labels, scan.grid(), None, mask::Agreed::Resample);
            }
        }
    });
});
