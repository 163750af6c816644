//! Segmentations in DICOM, written and read again.

use std::path::PathBuf;

use himix::data::dicom::seg::{self, Algorithm, Codes, Frame, Kind, Model, Segment, Segmentation};
use himix::data::volume::Turn;
use himix::data::{Limit, Volume, open};

/// Returns a segmentation whose pixels follow from the stored values of the volume: in frame `slice`, pixel `at`, a
/// BINARY segment 1 has the lowest bit and segment 2 the next, so that both overlap; segment 3 is empty; a
/// FRACTIONAL segment has the lowest byte. The first segment lacks the last slice.
fn of_values(volume: &Volume, kind: Kind) -> Segmentation {
    let plane = volume.columns * volume.rows;
    let value = |slice: usize, at: usize| volume.values.at((slice * plane + at) * volume.channels) as i64;
    let codes = Codes::built_in();
    let model = || Model { name: "HiMix bundled".into(), version: "1.2".into() };
    let segment = |label: &str, colour: [u8; 3], algorithm: Algorithm| Segment {
        description: format!("Prompt: one small {}, Größe 3 mm.", label.to_lowercase()),
        colour: Some(colour),
        algorithm,
        ..codes.of(label).segment(label)
    };
    let segments = vec![
        segment("Polyp", [255, 64, 0], Algorithm::Automatic(model())),
        segment("Lung infection", [0, 200, 232], Algorithm::Semiautomatic(model())),
        segment("Leer – Größe", [1, 2, 3], Algorithm::Manual),
    ];
    let mut frames = Vec::new();
    for slice in 0..volume.slices {
        for segment in 0..2 {
            if segment == 0 && slice + 1 == volume.slices && slice > 0 {
                continue;
            }
            let values = (0..plane)
                .map(|at| match kind {
                    Kind::Binary => (value(slice, at) >> segment & 1) as u8,
                    Kind::Fractional => (value(slice, at) >> (4 * segment) & 255) as u8,
                })
                .collect();
            frames.push(Frame { segment, slice, values });
        }
    }
    Segmentation { kind, segments, frames, description: "Drawn on values".into(), creator: "Müller^Ada".into() }
}

/// The turns of a volume by their number.
fn turn(bits: u32) -> Turn {
    Turn { transposed: bits & 1 > 0, reversed: [bits & 2 > 0, bits & 4 > 0, bits & 8 > 0] }
}

/// Writes segmentations for the programs of `tests/validators`: for every folder in `HIMIX_SEG_SOURCES`, files of the
/// same name in `HIMIX_SEG_OUT`.
#[test]
#[ignore = "run by tests/validators/run"]
fn files_for_other_readers() {
    let from = |name: &str| PathBuf::from(std::env::var_os(name).expect("a folder"));
    let (sources, out) = (from("HIMIX_SEG_SOURCES"), from("HIMIX_SEG_OUT"));
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&sources).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let mut failed = Vec::new();
    for (number, folder) in (0_u32..).zip(&folders) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let mut volume = match open::open(folder, Limit::default(), &|_, _| true) {
            Ok(volume) => volume,
            Err(error) => {
                println!("{name}: not opened: {error}");
                continue;
            }
        };
        for (kind, end) in [(Kind::Binary, "binary"), (Kind::Fractional, "fractional")] {
            // Turns change the display alone.
            volume.turn(turn(number % 16));
            let path = out.join(format!("{name}.{end}.dcm"));
            let segmentation = of_values(&volume, kind);
            if let Err(error) = seg::write(&path, &segmentation, &volume, &[folder.clone()], Limit::default()) {
                failed.push(format!("{name}: {error}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
