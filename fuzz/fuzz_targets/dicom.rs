//! A DICOM file, opened, as a mask of itself, twice as a series, and as the only file of a folder that is looked through for series.
#![no_main]

use himix_fuzz::data::{MaskReading, dicom, mask, open};
use himix_fuzz::{LIMIT, bounded, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("study/scan.dcm", bytes, |path| {
        if let Ok(scan) = bounded(|| open::open(path, LIMIT, &|_, _| true)) {
            let slice = scan.slice(scan.slices / 2);
            let seen = scan.first_display_window(&slice);
            let _ = slice.windowed(seen.window, seen.is_inverted);
            let reading = MaskReading { limit: LIMIT, ..MaskReading::default() };
            if bytes.len() % 8 == 2
                && let Ok(labels) = bounded(|| mask::read(path, &reading))
            {
                let _ = mask::lay(path, labels, scan.grid(), Some(0), mask::Agreed::Resample);
            }
            // Every eighth, because it reads the file three times more.
            if bytes.len() % 8 == 0 {
                let files = [path.to_owned(), path.to_owned()];
                let _ = bounded(|| dicom::open_series(&files, LIMIT, &|_| true));
            }
        }
        if let (Some(folder), 1) = (path.parent(), bytes.len() % 8) {
            let _ = bounded(|| dicom::series_in(folder));
        }
    });
});
