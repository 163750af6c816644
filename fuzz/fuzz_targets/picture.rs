//! PNG, JPEG, TIFF, BMP, WebP, as a picture, as a stack of pages and as a mask.
#![no_main]

use himix_fuzz::data::decode;
use himix_fuzz::data::raster::Raster;
use himix_fuzz::data::{MaskReading, Orientation, Volume, mask, open};
use himix_fuzz::{LIMIT, bounded, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("picture", bytes, |path| {
        let Ok(stored) = bounded(|| decode::raster(path, LIMIT, Orientation::AsStored)) else { return };
        check(&stored);
        // A copy of a page more is needed to turn one, which the limit may not allow.
        if let Ok(volume) = bounded(|| open::open(path, LIMIT, &|_, _| true)) {
            look(&volume);
            let mut back = volume;
            back.turn(back.geometry.turn.inverse());
            let is_same = back.values.floats(0..back.values.len()) == stored.values.floats(0..stored.values.len());
            assert!(is_same && back.shape() == [stored.columns, stored.rows, stored.pages], "turned and back");
            let reading = MaskReading { limit: LIMIT, ..MaskReading::default() };
            let _ = bounded(|| mask::read(path, &reading));
        }
    });
});

/// Every part has as many samples as the sizes say.
fn check(raster: &Raster) {
    let pixels = raster.columns * raster.rows * raster.pages;
    assert!(pixels > 0 && matches!(raster.channels, 1 | 3));
    assert_eq!(raster.values.len(), pixels * raster.channels);
    assert!(raster.alpha.as_ref().is_none_or(|alpha| alpha.len() == pixels));
    assert!(raster.palette.as_ref().is_none_or(|palette| palette.indices.len() == pixels));
    assert!(raster.source.pages >= raster.pages);
}

/// What the window does with a picture that was read.
fn look(scan: &Volume) {
    for number in [0, scan.slices - 1] {
        let slice = scan.slice(number);
        let seen = scan.first_display_window(&slice);
        let _ = scan.for_network(scan.full_range(&slice), seen);
        let _ = slice.windowed(seen.window, seen.is_inverted);
    }
}
