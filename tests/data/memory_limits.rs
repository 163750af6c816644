//! Files that claim more than they have, or unpack to more than the memory limit: each is refused by name, and the
//! process that opened it stays within the limit.

use std::path::{Path, PathBuf};
use std::process::Command;

use himix::data::{Dataset, Limit, open};

use super::fixtures::{folder, put};
use super::hostile::{
    big_tiff, bmp, claim, dicom_picture, dicom_piece, dicom_pieces, dicom_start, element, jpeg, jpeg_2000,
    jpeg_2000_precincts, jpeg_frame, packed_zeros, png_header, png_of, tiff_chain, tiff_of, tiff_page, tiff_pages,
    webp, workbook,
};

/// The memory limit for a file.
const LIMIT: Limit = Limit(64 << 20);
/// The memory limit for a table.
const TABLE: Limit = Limit(128 << 20);
/// Memory that a test program takes beyond that: its code, its threads, and what the allocator keeps.
const BESIDE_KIB: u64 = 48 << 10;
/// Names the file for the child.
const FILE: &str = "HIMIX_HOSTILE_FILE";
/// Prefix that the child writes before its peak memory and its answer.
const PEAK: &str = "peak in KiB: ";
const ANSWER: &str = "answer: ";

/// Returns the peak memory of this process; `None` if the system does not report it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}

/// Opens a file like the program, and a table like that of its data set.
fn answer(path: &Path) -> String {
    if path.parent().is_some_and(|folder| folder.ends_with("prompt")) {
        let root = path.parent().and_then(Path::parent).expect("a data set");
        return Dataset::open(root, "train")
            .map_or_else(|error| error.to_string(), |set| format!("{} pairs", set.samples.len()));
    }
    let scan = open::open(path, LIMIT, &|_, _| true);
    scan.map_or_else(|error| error.to_string(), |scan| format!("{}x{}", scan.columns, scan.rows))
}

/// Does nothing by itself: the other test runs it in a new process, with the name of a file.
#[test]
fn one_file_in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let said = answer(&path);
    println!("{ANSWER}{said}");
    if let Some(peak) = peak_kib() {
        println!("{PEAK}{peak}");
    }
}

/// Returns the answer of a separate process whose memory is checked.
fn alone(path: &Path, limit: Limit) -> String {
    let program = std::env::current_exe().expect("this program");
    // The path of the test without the program's name, which the harness leaves out.
    let (_, name) =
        concat!(module_path!(), "::one_file_in_a_process_of_its_own").split_once("::").expect("a path");
    let output = Command::new(program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .output()
        .expect("a process");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {text}", path.display());
    let line = |start: &str| text.lines().find_map(|line| line.split_once(start)).map(|(_, rest)| rest.to_owned());
    if let Some(peak) = line(PEAK).and_then(|peak| peak.parse::<u64>().ok()) {
        let most = (limit.0 >> 10) + BESIDE_KIB;
        assert!(peak < most, "{} took {peak} KiB, {most} at most: {text}", path.display());
    }
    line(ANSWER).unwrap_or_else(|| panic!("{} has no answer: {text}", path.display()))
}

/// Asserts that every file is refused, with its name and what to do.
fn refused(limit: Limit, files: Vec<(&str, Vec<u8>)>) {
    for (name, bytes) in files {
        let folder = folder();
        let path = put(&folder, name, &bytes);
        let line = alone(&path, limit);
        let file = path.file_name().expect("a name").to_string_lossy();
        assert!(line.contains(&*file) && line.contains("; "), "{name}: {line}");
    }
}

/// Makes two pages of four million pixels that are alike in everything that is read; the second has forty more
/// samples, in planes of four tiles each.
fn planes(tile: &[u8]) -> Vec<u8> {
    let (side, planes, length) = (2016, 41, tile.len() as u32);
    let tiles = 4 * planes;
    let lists = 8 + length;
    let grey = tiff_page(side, side, &[(259, 1, 8), (279, 1, length)]);
    let mut more = vec![(259, 1, 8), (277, 1, planes), (284, 1, 2), (322, 1, side / 2), (323, 1, side / 2)];
    more.extend([(324, tiles, lists), (325, tiles, lists + 4 * tiles)]);
    let mut second = tiff_page(side, side, &more);
    second.retain(|(tag, ..)| ![273, 278, 279].contains(tag));
    let numbers = |number: u32| number.to_le_bytes().repeat(tiles as usize);
    tiff_chain(&[grey, second], &[tile, &numbers(8), &numbers(length)].concat())
}

#[test]
fn pictures() {
    let (zeros, profile) = (packed_zeros(b"", 300 << 20, false), packed_zeros(b"", 200 << 20, false));
    let profile = [b"name\0\0".as_slice(), &profile].concat();
    let side = |pixels: u32| pixels.to_le_bytes()[..3].to_vec();
    let canvas = [&[0x02, 0, 0, 0][..], &side(16_000), &side(16_000)].concat();
    let big = |width, height, way, lengths| {
        let first = [(256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, way), (262, 1, 1)];
        let strip = 32 + 9 * 20;
        [&first[..], &[(273, 1, strip), (277, 1, 1), (278, 1, height), (279, lengths, 1 << 20)]].concat()
    };
    refused(
        LIMIT,
        vec![
            (
                "palette.png",
                png_of(&[
                    (b"IHDR", &png_header(4000, 4000, 8, 3, false)),
                    (b"PLTE", &[0; 768]),
                    (b"IDAT", &zeros),
                    (b"IEND", b""),
                ]),
            ),
            (
                "60000.png",
                png_of(&[(b"IHDR", &png_header(60_000, 60_000, 16, 6, true)), (b"IDAT", &zeros), (b"IEND", b"")]),
            ),
            (
                "bomb.png",
                png_of(&[(b"IHDR", &png_header(17_000, 17_000, 8, 0, false)), (b"IDAT", &zeros), (b"IEND", b"")]),
            ),
            (
                "alpha.png",
                png_of(&[(b"IHDR", &png_header(4000, 4000, 8, 6, false)), (b"IDAT", &zeros), (b"IEND", b"")]),
            ),
            (
                "profile.png",
                png_of(&[
                    (b"IHDR", &png_header(20_000, 20_000, 8, 0, false)),
                    (b"iCCP", &profile),
                    (b"IDAT", b""),
                ]),
            ),
            ("65500.jpg", jpeg(0xc0, 65_500, 65_500, 3, 1)),
            ("progressive.jpg", jpeg(0xc2, 4000, 4000, 3, 2)),
            ("passes.jpg", jpeg(0xc2, 6000, 4000, 1, 1)),
            ("scans.jpg", jpeg(0xc0, 4000, 4000, 3, 40)),
            ("65500.tif", tiff_of(65_500, 65_500, &[])),
            ("strips.tif", tiff_of(30_000, 2000, &[(273, 400_000_000, 8), (279, 400_000_000, 8)])),
            ("strip.tif", tiff_of(30_000, 2000, &[(279, 1, 4_000_000_000)])),
            ("rows.tif", tiff_of(2000, 2000, &[(278, 1, u32::MAX)])),
            ("tiles.tif", tiff_of(2000, 2000, &[(322, 1, 1 << 30), (323, 1, 1 << 30), (324, 1, 8), (325, 1, 64)])),
            ("samples.tif", tiff_of(20_000, 3000, &[(277, 1, 65_535)])),
            ("width.tif", tiff_of(20, 20, &[(256, 50_000_000, 8)])),
            ("65500-big.tif", big_tiff(&big(65_500, 65_500, 1, 1), &[])),
            ("strips-big.tif", big_tiff(&big(3000, 2000, 1, u64::MAX / 16), &[0; 64])),
            ("strip-big.tif", big_tiff(&big(8000, 8000, 8, 1), &zeros)),
            ("window.tif", big_tiff(&big(2000, 2000, 50_000, 1), &[0x28, 0xb5, 0x2f, 0xfd, 0, 0x88, 1, 0, 0])),
            ("endless.tif", [b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".as_slice(), &[0xff; 8], &[0; 640]].concat()),
            ("pages.tif", tiff_pages(400, 500, 500, &zeros)),
            ("planes.tif", planes(&zeros)),
            ("palette.tif", tiff_of(4000, 4000, &[(262, 1, 3), (320, 768, 8)])),
            ("tile-row.tif", tiff_of(20, 20, &[(322, 1, u32::MAX), (323, 1, 1), (324, 20, 8), (325, 20, 8)])),
            ("lossy.webp", webp(&[(b"VP8 ", &[0x10, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0, 0, 0])])),
            ("lossless.webp", webp(&[(b"VP8L", &[0x2f, 0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0])])),
            ("moving.webp", webp(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &[0; 40])])),
            ("60000.bmp", bmp(60_000, 60_000, 24, 0)),
            ("long.bmp", bmp(32_000, i32::MIN, 32, 0)),
            ("runs.bmp", bmp(30_000, 30_000, 8, 1)),
        ],
    );
}

#[test]
fn dicom() {
    let plain = "1.2.840.10008.1.2.1";
    let pixels = |length| claim(0x7fe0, 0x10, b"OW", length);
    let with = |parts: &[Vec<u8>]| [dicom_start(plain), parts.concat()].concat();
    let deflated = |length: u32, count| {
        let before = [dicom_picture(10_000, 10_000, "3 "), pixels(length)].concat();
        [dicom_start("1.2.840.10008.1.2.1.99"), packed_zeros(&before, count, true)].concat()
    };
    let deep = [claim(8, 0x1140, b"SQ", u32::MAX), vec![0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff]]
        .concat()
        .repeat(100_000);
    let inner = claim(0x28, 0x3006, b"OW", 0xffff_fff0);
    let table = [vec![0xfe, 0xff, 0, 0xe0, inner.len() as u8, 0, 0, 0], inner].concat();
    let ls = [&[0xff, 0xd8][..], &jpeg_frame(0xf7, 65_500, 65_500, 1), &[0xff, 0xd9]].concat();
    let stray = [&jpeg(0xc0, 512, 512, 1, 1)[..], &jpeg_frame(0xc0, 65_500, 65_500, 4), &[0xff, 0xd9]].concat();
    let mut segments = vec![0xff; 4];
    segments.resize(100, 64);
    refused(
        LIMIT,
        vec![
            ("frames.dcm", with(&[dicom_picture(65_535, 65_535, "1000"), pixels(8), vec![0; 8]])),
            ("countless.dcm", dicom_pieces("1.2.840.10008.1.2.5", 1, 1, "60000000", &[&[0; 70]])),
            ("claim.dcm", with(&[dicom_picture(64, 64, "1 "), pixels(0xffff_fff0), vec![0; 64]])),
            (
                "private.dcm",
                with(&[element(8, 0x60, b"CS", b"CT"), claim(9, 0x10, b"UN", 0xf000_0000), vec![0; 64]]),
            ),
            (
                "table.dcm",
                with(&[element(0x28, 0x3000, b"SQ", &table), dicom_picture(4, 4, "1 "), pixels(16), vec![0; 16]]),
            ),
            ("unknown.dcm", with(&[claim(9, 0x11, b"??", 0), vec![0xf0, 0xff, 0xff, 0xff], vec![0; 64]])),
            // A three-byte number: a reader that takes two bytes continues in its middle.
            (
                "odd.dcm",
                with(&[
                    element(0x28, 0x10, b"US", &[64, 0, 1]),
                    element(0x28, 0x11, b"US", &[64, 0]),
                    vec![1; 64],
                ]),
            ),
            ("deep.dcm", with(&[deep])),
            ("deflated.dcm", deflated(300 << 20, 300 << 20)),
            ("elements.dcm", deflated(0, 300 << 20)),
            ("jpeg.dcm", dicom_piece("1.2.840.10008.1.2.4.50", 512, 512, &jpeg(0xc0, 65_500, 65_500, 1, 1))),
            (
                "jpegs.dcm",
                dicom_piece("1.2.840.10008.1.2.4.50", 65_500, 65_500, &jpeg(0xc0, 65_500, 65_500, 1, 1)),
            ),
            ("stray.dcm", dicom_piece("1.2.840.10008.1.2.4.50", 512, 512, &stray)),
            ("ls.dcm", dicom_piece("1.2.840.10008.1.2.4.80", 512, 512, &ls)),
            ("j2k.dcm", dicom_piece("1.2.840.10008.1.2.4.90", 512, 512, &jpeg_2000(60_000, 60_000, 60_000))),
            ("tiles.dcm", dicom_piece("1.2.840.10008.1.2.4.90", 512, 512, &jpeg_2000(512, 512, 2))),
            ("precincts.dcm", dicom_piece("1.2.840.10008.1.2.4.90", 1000, 1000, &jpeg_2000_precincts(1000))),
            ("scans.dcm", dicom_piece("1.2.840.10008.1.2.4.50", 512, 512, &jpeg(0xc2, 512, 512, 1, 5000))),
            ("segments.dcm", dicom_piece("1.2.840.10008.1.2.5", 512, 512, &segments)),
        ],
    );
}

#[test]
fn volumes() {
    let header = |dim: [u16; 4], code: u16, offset: f32| {
        let mut bytes = vec![0; 352];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &348_i32.to_le_bytes());
        dim.iter().enumerate().for_each(|(axis, side)| put(40 + 2 * axis, &side.to_le_bytes()));
        put(70, &code.to_le_bytes());
        put(108, &offset.to_le_bytes());
        put(344, b"n+1\0");
        bytes
    };
    let packed = |before: &[u8], count| {
        let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        out.extend(packed_zeros(before, count, true));
        out.extend([0; 8]);
        out
    };
    refused(
        LIMIT,
        vec![
            ("long.nii", header([3, 30_000, 30_000, 30_000], 4, 352.0)),
            ("short.nii", header([3, 300, 300, 300], 2, 352.0)),
            ("offset.nii", header([3, 4, 4, 4], 2, 3e18)),
            ("bomb.nii.gz", packed(&header([3, 700, 700, 600], 2, 352.0), 300 << 20)),
            ("wide.nii.gz", packed(&header([3, 300, 300, 150], 64, 352.0), 120 << 20)),
            ("skipped.nii.gz", packed(&header([3, 4, 4, 4], 2, 3.2e8), 290 << 20)),
        ],
    );
}

#[test]
fn tables() {
    let strings = packed_zeros(b"<sst><si><t>", 300 << 20, true);
    let empty = packed_zeros(b"<sst></sst>", 0, true);
    let corner = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row></sheetData></worksheet>";
    let many = format!(
        "<worksheet><sheetData><row r=\"1\">{}</row></sheetData></worksheet>",
        "<c><v>1</v></c>".repeat(300_000)
    );
    let attributes = format!(
        "<worksheet {}><sheetData/></worksheet>",
        (0..100_000).map(|n| format!("a{n}=\"\" ")).collect::<String>()
    );
    let shared = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 20));
    let point = format!(
        "<worksheet><sheetData><row r=\"1\">{}</row></sheetData></worksheet>",
        "<c t=\"s\"><v>0</v></c>".repeat(500)
    );
    refused(
        TABLE,
        vec![
            ("prompt/train.xlsx", workbook(corner, &strings)),
            ("prompt/train.xlsx", workbook(corner, &empty)),
            ("prompt/train.xlsx", workbook(&many, &empty)),
            ("prompt/train.xlsx", workbook(&attributes, &empty)),
            ("prompt/train.xlsx", workbook(&point, &packed_zeros(shared.as_bytes(), 0, true))),
            ("prompt/train.json", "[".repeat(1 << 20).into_bytes()),
            ("prompt/train.json", format!("[{}0]", "[0],".repeat(6 << 20)).into_bytes()),
            ("prompt/train.json", format!("{{\"a.png\": \"{}\"}}", "x".repeat(20 << 20)).into_bytes()),
            ("prompt/train.csv", format!("Image,Description\na.png,{}\n", "x".repeat(20 << 20)).into_bytes()),
            ("prompt/train.csv", ",".repeat(20 << 20).into_bytes()),
            ("prompt/train.csv", "a\n".repeat(2 << 20).into_bytes()),
            ("prompt/train.csv", vec![b'x'; 70 << 20]),
        ],
    );
}
