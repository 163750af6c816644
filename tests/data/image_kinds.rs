//! All kinds of images that must be supported, by stored value.

use himix::data::{Image, MaskRule, Pixels, image::load, mask};
use image::{DynamicImage, ImageBuffer, ImageFormat};

use super::fixtures::{folder, grey_float_tiff, png, put};
use super::hostile::tiff;

fn load_bytes(name: &str, bytes: &[u8]) -> Image {
    let folder = folder();
    load(&put(&folder, name, bytes)).unwrap_or_else(|error| panic!("{error}"))
}

fn image(channels: usize, pixels: Pixels) -> Image {
    Image { width: 2, height: 2, channels, pixels }
}

#[test]
fn png_of_every_colour_type_keeps_its_values() {
    let grey = load_bytes("g.png", &png(2, 2, 8, 0, &[], &[&[0, 7], &[200, 255]]));
    assert_eq!(grey, image(1, Pixels::U8(vec![0, 7, 200, 255])));

    let deep = load_bytes("d.png", &png(2, 2, 16, 0, &[], &[&[0, 7, 1, 0], &[255, 255, 18, 52]]));
    assert_eq!(deep, image(1, Pixels::U16(vec![7, 256, 65535, 0x1234])));

    let alpha = load_bytes("a.png", &png(2, 2, 8, 4, &[], &[&[1, 0, 2, 9], &[3, 128, 4, 255]]));
    assert_eq!(alpha, image(1, Pixels::U8(vec![1, 2, 3, 4])));

    let rgba = load_bytes("c.png", &png(2, 1, 8, 6, &[], &[&[1, 2, 3, 0, 4, 5, 6, 255]]));
    assert_eq!(rgba, Image { height: 1, ..image(3, Pixels::U8(vec![1, 2, 3, 4, 5, 6])) });

    let palette = [10, 20, 30, 40, 50, 60];
    let indexed = load_bytes("p.png", &png(2, 2, 8, 3, &palette, &[&[0, 1], &[1, 0]]));
    assert_eq!(indexed, image(3, Pixels::U8(vec![10, 20, 30, 40, 50, 60, 40, 50, 60, 10, 20, 30])));

    let bits = load_bytes("b.png", &png(2, 2, 1, 0, &[], &[&[0b0100_0000], &[0b1000_0000]]));
    assert_eq!(bits, image(1, Pixels::U8(vec![0, 255, 255, 0])));
}

#[test]
fn every_format_is_read_under_a_wrong_name() {
    let source = ImageBuffer::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, 77]));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Jpeg] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(source.clone()).write_to(&mut bytes, format).expect("encoded");
        let read = load_bytes("scan.dat", bytes.get_ref());
        assert_eq!((read.width, read.height, read.channels), (40, 30, 3), "{format:?}");
        let worst = source.enumerate_pixels().flat_map(|(x, y, pixel)| {
            let read = &read;
            (0..3).map(move |c| (read.value(x as usize, y as usize, c) - f32::from(pixel.0[c])).abs())
        });
        let worst = worst.fold(0.0, f32::max);
        let allowed = if format == ImageFormat::Jpeg { 16.0 } else { 0.0 };
        assert!(worst <= allowed, "{format:?}: {worst}");
    }
}

#[test]
fn floating_point_tiff_in_colour_and_grey() {
    let values = vec![0.5, -1.0, 2.0e6, 0.0, 1.0, 3.25];
    let colour = ImageBuffer::<image::Rgb<f32>, _>::from_raw(2, 1, values.clone()).expect("fits");
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb32F(colour).write_to(&mut bytes, ImageFormat::Tiff).expect("encoded");
    let read = load_bytes("f.tif", bytes.get_ref());
    assert_eq!(read, Image { width: 2, height: 1, channels: 3, pixels: Pixels::F32(values.clone()) });

    let read = load_bytes("g.tif", &grey_float_tiff(3, 2, &values));
    assert_eq!(read, Image { width: 3, height: 2, channels: 1, pixels: Pixels::F32(values) });
}

#[test]
fn display_and_key_follow_the_values() {
    let eight = image(1, Pixels::U8(vec![3, 7, 9, 255]));
    assert_eq!(eight.to_rgba8(), [3, 3, 3, 255, 7, 7, 7, 255, 9, 9, 9, 255, 255, 255, 255, 255]);
    let deep = image(1, Pixels::U16(vec![1000, 1100, 1050, 1000]));
    let grey: Vec<u8> = deep.to_rgba8().chunks(4).map(|pixel| pixel[0]).collect();
    assert_eq!(grey, [0, 255, 128, 0]);
    assert_eq!(image(1, Pixels::U16(vec![5; 4])).to_rgba8()[..4], [0, 0, 0, 255]);

    assert_eq!(eight.content_key(), eight.clone().content_key());
    let lower = Image { width: 4, height: 1, ..eight.clone() };
    assert_ne!(eight.content_key(), lower.content_key(), "the shape is part of the key");
    let other = image(1, Pixels::U8(vec![3, 7, 9, 254]));
    assert_ne!(eight.content_key(), other.content_key());
}

#[test]
fn a_mask_has_the_size_of_its_image() {
    let folder = folder();
    let path = put(&folder, "m.png", &png(2, 2, 8, 0, &[], &[&[0, 255], &[255, 255]]));
    let read = mask::load(&path, &MaskRule::default()).expect("a mask");
    assert_eq!((read.width, read.height, read.foreground()), (2, 2, 3));
    assert!(read.must_fit(&path, 2, 2).is_ok());
    let refused = read.must_fit(&path, 3, 5).expect_err("another size").to_string();
    assert!(refused.contains("m.png") && refused.contains("2x2") && refused.contains("3x5"), "{refused}");
}

#[test]
fn only_the_first_page_of_a_jpeg_tiff_counts() {
    let jpeg = |side| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::GrayImage::from_pixel(side, side, image::Luma([80]));
        DynamicImage::ImageLuma8(image).write_to(&mut bytes, ImageFormat::Jpeg).expect("encoded");
        bytes.into_inner()
    };
    let (small, large) = (jpeg(16), jpeg(64));
    // The directory is followed by offsets and lengths of the two; the larger one is that of another page.
    let tags = [(256, 1, 16), (257, 1, 16), (258, 1, 8), (259, 1, 7), (262, 1, 1), (277, 1, 1), (278, 1, 16)];
    type Tags = Vec<(u16, u32, u32)>;
    let file = |more: &dyn Fn([u32; 2], [u32; 2]) -> Tags| {
        let count = tags.len() + more([0; 2], [0; 2]).len();
        let first = [10 + 12 * count as u32 + 64, small.len() as u32];
        let second = [first[0] + first[1], large.len() as u32];
        let mut all = [tags.to_vec(), more(first, second)].concat();
        all.sort_by_key(|tag| tag.0);
        [tiff(&all), small.clone(), large.clone()].concat()
    };
    let refusal = |bytes: &[u8]| {
        let folder = folder();
        load(&put(&folder, "x.tif", bytes)).expect_err("refused").to_string()
    };
    let pages = file(&|[start, length], _| vec![(273, 1, start), (279, 1, length)]);
    let read = load_bytes("pages.tif", &pages);
    assert_eq!((read.width, read.height, read.value(8, 8, 0)), (16, 16, 80.0));
    // The strip is larger than the page, overlaps it, or belongs to an entry after the first one of its tag.
    for bytes in [
        file(&|_, [start, length]| vec![(273, 1, start), (279, 1, length)]),
        file(&|[start, length], other| vec![(273, 1, start), (279, 1, length + other[1])]),
        file(&|[start, length], other| {
            vec![(273, 1, start), (273, 1, other[0]), (279, 1, length), (279, 1, other[1])]
        }),
    ] {
        let error = refusal(&bytes);
        assert!(error.contains("a part of 16x16 pixels has a JPEG of 64x64"), "{error}");
    }
    // The tables with which every strip begins extend into the middle of a frame header.
    let frame = large.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    let mut parted = file(&|[start, _], [other, length]| {
        let (begin, cut) = (start + small.len() as u32, frame as u32 + 6);
        assert!(start == 0 || begin == other);
        vec![(273, 1, other + cut.saturating_sub(4)), (279, 1, length.saturating_sub(cut)), (347, cut, other)]
    });
    let entry = parted.windows(4).position(|four| four == [0x5b, 1, 4, 0]).expect("the tables");
    parted[entry + 2] = 7;
    let error = refusal(&parted);
    assert!(error.contains("a part of 16x16 pixels has a JPEG of 64x64"), "{error}");
}

#[test]
fn palettes_alpha_channels_and_frames_are_what_pillow_reads() {
    use super::tiff::{compare, expected, fixtures};
    let files = expected("kinds");
    assert!(files.len() > 10);
    for (name, one) in files {
        let path = fixtures().join("kinds").join(&name);
        compare(&path, &one);
        let read = himix::data::decode::raster(&path, Default::default(), Default::default()).expect("a picture");
        assert_eq!(read.is_lossy, one["is_lossy"] == true, "{name}");
        assert_eq!(read.source.pages, if name.starts_with("moving") { 2 } else { 1 }, "{name}");
    }
}
