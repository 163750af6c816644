//! A DICOM file, opened, and as the only file of a folder that is looked through for series.
#![no_main]

use himix_fuzz::data::{dicom, open};
use himix_fuzz::{LIMIT, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("study/scan.dcm", bytes, |path| {
        if let Ok(scan) = open::open(path, LIMIT, &|_, _| true) {
            let slice = scan.slice(scan.slices / 2);
            let seen = scan.first_seen(&slice);
            let _ = slice.windowed(seen.window, seen.is_inverted);
        }
        if let Some(folder) = path.parent() {
            let _ = dicom::series_in(folder);
        }
    });
});
