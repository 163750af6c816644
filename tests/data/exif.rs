//! Images with an EXIF orientation, compared with Pillow's result (`tests/fixtures/pictures/exif`).

use himix::data::decode;
use himix::data::volume::{Source, Turn};
use himix::data::{Image, Limit, Orientation, image, open};

use super::tiff::{expected, fixtures};

/// Returns the colours near the four corners, row by row.
fn corners(image: &Image) -> Vec<[f32; 3]> {
    let place = |x, y| [0, 1, 2].map(|channel| image.value(x, y, channel));
    let (right, bottom) = (image.width - 4, image.height - 4);
    vec![place(3, 3), place(right, 3), place(3, bottom), place(right, bottom)]
}

#[test]
fn all_eight_orientations_of_every_format() {
    let files = expected("exif");
    assert_eq!(files.len(), 8 * 4);
    for (name, one) in files {
        let path = fixtures().join("exif").join(&name);
        let image = image::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let size = [0, 1].map(|side| one["size"][side].as_u64().expect("a size") as usize);
        assert_eq!([image.width, image.height], size, "{name}");
        for (number, found) in corners(&image).into_iter().enumerate() {
            for (channel, value) in found.into_iter().enumerate() {
                let wanted = one["corners"][number][channel].as_f64().expect("a colour") as f32;
                let about = if name.ends_with("jpg") { 6.0 } else { 0.0 };
                assert!((value - wanted).abs() <= about, "{name}, corner {number}: {found:?}");
            }
        }
        let number: u16 = name[..1].parse().expect("a number");
        let volume = open::open(&path, Limit::default(), &|_, _| true).expect("a picture");
        let turn = Turn::of_exif(number).expect("an orientation");
        assert_eq!(volume.geometry.turn, turn, "{name}");
        let Source::Picture(source) = &volume.source else { panic!("{name}") };
        assert_eq!(source.orientation, Some(number), "{name}");
        let said = volume.notes.iter().filter(|note| note.contains("was applied")).count();
        assert_eq!(said, usize::from(number != 1), "{name}: {:?}", volume.notes);
        // Reverting the turn gives the stored pixels.
        let stored = image::load_as(&path, Limit::default(), Orientation::AsStored).expect("a picture");
        assert_eq!([stored.width, stored.height], [32, 16], "{name}");
        let mut back = volume;
        back.turn(turn.inverse());
        assert_eq!(back.slice(0), stored, "{name}");
        assert!(back.geometry.turn.is_none(), "{name}");
    }
}

#[test]
fn as_stored_is_said() {
    let path = fixtures().join("exif/6.jpg");
    let read = decode::raster(&path, Limit::default(), Orientation::AsStored).expect("a picture");
    assert!(read.turn.is_none());
    let note = "Orientation 6 in the file (turned by 90° clockwise) was not applied: pixels are as stored.";
    assert_eq!(read.notes, [note]);
    let turned = decode::raster(&path, Limit::default(), Orientation::Upright).expect("a picture");
    assert_eq!(turned.notes, ["Orientation 6 in the file was applied: turned by 90° clockwise."]);
}

/// Invalid orientations and truncated EXIF data leave an image unchanged.
#[test]
fn damaged_exif_data_are_passed_over() {
    let whole = std::fs::read(fixtures().join("exif/6.jpg")).expect("a file");
    let tag =
        whole.windows(4).position(|four| four == [1, 0x12, 0, 3]).expect("the tag, most significant byte first");
    let folder = super::fixtures::folder();
    let width = |bytes: &[u8]| {
        let path = super::fixtures::put(&folder, "x.jpg", bytes);
        image::load(&path).unwrap_or_else(|error| panic!("{error}")).width
    };
    assert_eq!(width(&whole), 16);
    for number in [0, 9, 255] {
        let mut bytes = whole.clone();
        bytes[tag + 9] = number;
        assert_eq!(width(&bytes), 32, "{number}");
    }
    // The offset of the first directory points outside the data.
    let begin = whole.windows(6).position(|six| six == b"Exif\0\0").expect("EXIF data") + 6;
    let mut bytes = whole;
    bytes[begin + 4..begin + 8].fill(0x7f);
    assert_eq!(width(&bytes), 32);
}

#[test]
fn the_reported_pictures_lie_under_their_masks() {
    let Some(folder) = crate::common::shared("data/reports/05-exif") else { return };
    let upright = image::load(&folder.join("upright.jpg")).expect("a picture");
    let difference = |name: &str| {
        let image = image::load(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((image.width, image.height), (upright.width, upright.height), "{name}");
        let all: f32 = image.floats().zip(upright.floats()).map(|(a, b)| (a - b).abs()).sum();
        all / (image.width * image.height * image.channels) as f32
    };
    for name in
        ["orientation_2.jpg", "orientation_3.jpg", "orientation_6.jpg", "orientation_3.png", "orientation_3.tif"]
    {
        let difference = difference(name);
        assert!(difference < 4.0, "{name}: {difference}");
    }
}
