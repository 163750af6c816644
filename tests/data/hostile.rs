//! Malformed and hostile files, made byte by byte.

use std::io::Write;

use super::fixtures::{chunk, zip_of};

/// Returns `count` zeros, packed by zlib, or raw deflate data if `is_raw`.
pub fn packed_zeros(before: &[u8], count: usize, is_raw: bool) -> Vec<u8> {
    fn fill(mut out: impl Write, before: &[u8], mut count: usize) {
        out.write_all(before).expect("packed");
        let zeros = vec![0; 1 << 20];
        while count > 0 {
            let part = count.min(zeros.len());
            out.write_all(&zeros[..part]).expect("packed");
            count -= part;
        }
        out.flush().expect("packed");
    }
    let best = flate2::Compression::fast();
    if is_raw {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), best);
        fill(&mut out, before, count);
        out.finish().expect("packed")
    } else {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), best);
        fill(&mut out, before, count);
        out.finish().expect("packed")
    }
}

/// Makes a PNG of these chunks.
pub fn png_of(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunks.iter().for_each(|(name, content)| chunk(&mut out, name, content));
    out
}

/// Makes its first chunk.
pub fn png_header(width: u32, height: u32, bits: u8, colour: u8, is_interlaced: bool) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([bits, colour, 0, 0, u8::from(is_interlaced)]);
    header
}

/// Makes a TIFF of these tags, all of 32-bit numbers: tag, count, value.
pub fn tiff(tags: &[(u16, u32, u32)]) -> Vec<u8> {
    let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
    out.extend((tags.len() as u16).to_le_bytes());
    for (tag, count, value) in tags {
        out.extend(tag.to_le_bytes());
        out.extend(4_u16.to_le_bytes());
        out.extend([count, value].iter().flat_map(|number| number.to_le_bytes()));
    }
    out.extend([0; 64]);
    out
}

/// Makes a BigTIFF of these tags, all of 64-bit numbers: tag, count, value. After them comes `data`, at 32 + 20 for
/// each tag.
pub fn big_tiff(tags: &[(u16, u64, u64)], data: &[u8]) -> Vec<u8> {
    let mut out = b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
    out.extend((tags.len() as u64).to_le_bytes());
    for (tag, count, value) in tags {
        out.extend(tag.to_le_bytes());
        out.extend(16_u16.to_le_bytes());
        out.extend([count, value].iter().flat_map(|number| number.to_le_bytes()));
    }
    out.extend(0_u64.to_le_bytes());
    out.extend(data);
    out
}

/// Makes a TIFF of `pages` grey 8-bit pages that all have the same packed strip.
pub fn tiff_pages(pages: u32, width: u32, height: u32, strip: &[u8]) -> Vec<u8> {
    let page = tiff_page(width, height, &[(259, 1, 8), (279, 1, strip.len() as u32)]);
    tiff_chain(&vec![page; pages as usize], strip)
}

/// Returns the tags of a grey 8-bit page whose strip begins at byte 8, changed by `more`.
pub fn tiff_page(width: u32, height: u32, more: &[(u16, u32, u32)]) -> Vec<(u16, u32, u32)> {
    let mut tags = vec![(256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, 1), (262, 1, 1), (273, 1, 8)];
    tags.extend([(277, 1, 1), (278, 1, height), (279, 1, 64)]);
    for change in more {
        tags.retain(|tag| tag.0 != change.0);
        tags.push(*change);
    }
    tags.sort_by_key(|tag| tag.0);
    tags
}

/// Makes a TIFF of pages with these tags, all of 32-bit numbers except those that the decoder accepts only as 16 bit;
/// `data` begins at byte 8.
pub fn tiff_chain(pages: &[Vec<(u16, u32, u32)>], data: &[u8]) -> Vec<u8> {
    let mut out = b"II\x2a\0".to_vec();
    let mut next = 8 + data.len() as u32;
    out.extend(next.to_le_bytes());
    out.extend(data);
    for (number, tags) in pages.iter().enumerate() {
        out.extend((tags.len() as u16).to_le_bytes());
        for (tag, count, value) in tags {
            let kind = if matches!(tag, 284 | 338) { 3 } else { 4 };
            out.extend([*tag, kind].iter().flat_map(|number| number.to_le_bytes()));
            out.extend([count, value].iter().flat_map(|number| number.to_le_bytes()));
        }
        next += 2 + 12 * tags.len() as u32 + 4;
        out.extend(if number + 1 == pages.len() { 0 } else { next }.to_le_bytes());
    }
    out
}

/// Makes a grey 8-bit TIFF with one strip at the end of the directory, and the tags of `more`.
pub fn tiff_of(width: u32, height: u32, more: &[(u16, u32, u32)]) -> Vec<u8> {
    tiff(&tiff_page(width, height, more))
}

/// Makes a 24-bit BMP of this size without pixels.
pub fn bmp(width: i32, height: i32, bits: u16, way: u32) -> Vec<u8> {
    let mut out = b"BM".to_vec();
    out.extend([1000_u32, 0, 54, 40].iter().flat_map(|number| number.to_le_bytes()));
    out.extend([width, height].iter().flat_map(|number| number.to_le_bytes()));
    out.extend([1, bits].iter().flat_map(|number| number.to_le_bytes()));
    out.extend([way, 0, 0, 0, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
    out.extend([0; 200]);
    out
}

/// Makes a WebP of these chunks.
pub fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(*name);
        body.extend((content.len() as u32).to_le_bytes());
        body.extend(*content);
    }
    [b"RIFF".as_slice(), &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// Makes a JPEG frame header with this marker.
pub fn jpeg_frame(marker: u8, width: u16, height: u16, samples: u8) -> Vec<u8> {
    let mut out = vec![0xff, marker, 0, 8 + 3 * samples, 8];
    out.extend(height.to_be_bytes());
    out.extend(width.to_be_bytes());
    out.push(samples);
    (1..=samples).for_each(|sample| out.extend([sample, 0x11, 0]));
    out
}

/// Makes a flat JPEG of two one-bit codes: start, tables, frame, and `scans` that end at once.
pub fn jpeg(marker: u8, width: u16, height: u16, samples: u8, scans: usize) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    out.extend([8; 64]);
    out.extend(jpeg_frame(marker, width, height, samples));
    for class in [0x00, 0x10] {
        out.extend([0xff, 0xc4, 0, 20, class, 1]);
        out.extend([0; 16]);
    }
    for _ in 0..scans {
        out.extend([0xff, 0xda, 0, 6 + 2 * samples, samples]);
        (1..=samples).for_each(|sample| out.extend([sample, 0]));
        out.extend([0, if marker == 0xc2 { 0 } else { 63 }, 0, 0, 0]);
    }
    out.extend([0xff, 0xd9]);
    out
}

/// Makes a JPEG 2000 codestream of tiles with side `tile`, the first of them empty.
pub fn jpeg_2000(width: u32, height: u32, tile: u32) -> Vec<u8> {
    jpeg_2000_of([width, height, 0, 0, tile, tile, 0, 0], &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1])
}

/// Makes one of a single tile whose precincts have one sample each.
pub fn jpeg_2000_precincts(side: u32) -> Vec<u8> {
    jpeg_2000_of([side, side, 0, 0, side, side, 0, 0], &[1, 0, 0, 1, 0, 0, 4, 4, 0, 1, 0])
}

fn jpeg_2000_of(sizes: [u32; 8], coding: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
    out.extend(sizes.iter().flat_map(|number| number.to_be_bytes()));
    out.extend([0, 1, 7, 1, 1, 0xff, 0x52, 0, 2 + coding.len() as u8]);
    out.extend(coding);
    out.extend([0xff, 0x5c, 0, 4, 0x40, 0x40]);
    out.extend([0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x93, 0, 0, 0xff, 0xd9]);
    out
}

/// Makes a DICOM element, explicit VR, least significant byte first.
pub fn element(group: u16, number: u16, kind: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = claim(group, number, kind, value.len() as u32);
    out.extend(value);
    out
}

/// Makes the header of an element that claims `length` bytes.
pub fn claim(group: u16, number: u16, kind: &[u8; 2], length: u32) -> Vec<u8> {
    let mut out: Vec<u8> = [group, number].iter().flat_map(|part| part.to_le_bytes()).collect();
    out.extend(kind);
    if [b"OB", b"OW", b"SQ", b"UN"].contains(&kind) {
        out.extend([0, 0]);
        out.extend(length.to_le_bytes());
    } else {
        out.extend((length as u16).to_le_bytes());
    }
    out
}

/// Makes preamble and transfer syntax.
pub fn dicom_start(syntax: &str) -> Vec<u8> {
    let mut syntax = syntax.as_bytes().to_vec();
    syntax.resize(syntax.len().next_multiple_of(2), 0);
    [[0; 128].as_slice(), b"DICM", &element(2, 0x10, b"UI", &syntax)].concat()
}

/// Makes what a grey 8-bit image needs before its pixels.
pub fn dicom_picture(columns: u16, rows: u16, frames: &str) -> Vec<u8> {
    let number = |number, value: u16| element(0x28, number, b"US", &value.to_le_bytes());
    [
        number(2, 1),
        element(0x28, 4, b"CS", b"MONOCHROME2 "),
        element(0x28, 8, b"IS", frames.as_bytes()),
        number(0x10, rows),
        number(0x11, columns),
        number(0x100, 8),
        number(0x101, 8),
        number(0x103, 0),
    ]
    .concat()
}

/// Makes an image whose pixels are one compressed piece.
pub fn dicom_piece(syntax: &str, columns: u16, rows: u16, piece: &[u8]) -> Vec<u8> {
    dicom_pieces(syntax, columns, rows, "1 ", &[piece])
}

/// Makes an image whose pixels are compressed, in pieces.
pub fn dicom_pieces(syntax: &str, columns: u16, rows: u16, frames: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out =
        [dicom_start(syntax), dicom_picture(columns, rows, frames), claim(0x7fe0, 0x10, b"OB", u32::MAX)].concat();
    // The first is the table of offsets, which stays empty.
    for piece in [&[][..]].iter().chain(pieces) {
        out.extend([0xfe, 0xff, 0, 0xe0]);
        out.extend((piece.len() as u32).to_le_bytes());
        out.extend(*piece);
    }
    out.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    out
}

/// Makes a workbook with this sheet and these shared strings, which are packed.
pub fn workbook(sheet: &str, strings: &[u8]) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = format!(
        "<workbook xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"b\"/></sheets></workbook>"
    );
    let links = format!(
        "<Relationships><Relationship Id=\"b\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    zip_of(&[
        ("xl/workbook.xml", book.as_bytes(), None),
        ("xl/_rels/workbook.xml.rels", links.as_bytes(), None),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes(), None),
        ("xl/sharedStrings.xml", strings, Some(8)),
    ])
}
