//! A segmentation in DICOM, read onto the stack on which the seeds were drawn: by its references, by position, and resampled onto a
//! stack that is displayed in another way.
#![no_main]

use himix_fuzz::data::seg;
use himix_fuzz::data::mask::Agreed;
use himix_fuzz::data::volume::{DicomSource, Geometry, Placement, Source, StoredPixels, Turn};
use himix_fuzz::data::{Limit, MOST_LABELS, Volume};
use himix_fuzz::{LIMIT, bounded, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("mask.dcm", bytes, |path| {
        let (series, turn, agreed) = match bytes.len() % 4 {
            0 => ("2.25.8", Turn::NONE, Agreed::Refuse),
            1 => ("2.25.8", Turn { transposed: true, reversed: [true, false, true] }, Agreed::Refuse),
            2 => ("2.25.88", Turn::NONE, Agreed::Resample),
            _ => ("2.25.88", Turn { transposed: true, reversed: [false, true, false] }, Agreed::ByNumber),
        };
        let mut volume = volume(series);
        volume.turn(turn);
        let opened = bounded(|| seg::read(path, &volume, agreed, LIMIT));
        if let Ok(opened) = opened {
            let plane = volume.columns * volume.rows;
            let is_sound = |frame: &seg::Frame| {
                frame.values.len() == plane
                    && frame.slice < volume.slices
                    && frame.segment < opened.segmentation.segments.len()
            };
            assert!(opened.segmentation.frames.iter().all(is_sound), "a frame that fits nowhere");
            assert!(opened.segmentation.segments.len() <= MOST_LABELS);
        }
        // A limit that most files exceed.
        let _ = seg::read(path, &volume, agreed, Limit(bytes.len() as u64 * 2));
    });
});

/// The stack of `tests/fixtures/dicom/seg`: 5 slices of 13 by 7 pixels.
fn volume(series: &str) -> Volume {
    let mut volume = Volume::plain(13, 7, 5, StoredPixels::U8(vec![0; 455]));
    volume.geometry = Geometry {
        pixel_mm: Some([0.5, 0.75]),
        placement: Some(Placement {
            across: [1.0, 0.0, 0.0],
            down: [0.0, 1.0, 0.0],
            positions: (0..5).map(|slice| [-10.5, 20.25, 2.5 * f64::from(slice)]).collect(),
        }),
        frame_of_reference: "2.25.9".into(),
        ..Geometry::default()
    };
    volume.geometry.derive();
    volume.source = Source::Dicom(Box::new(DicomSource {
        sop_instances: (1..=5).map(|slice| format!("{series}.{slice}")).collect(),
        ..DicomSource::default()
    }));
    volume
}
