//! Files made on the spot.

use std::path::PathBuf;

/// Makes a PNG with any header: `colour` as numbered by the standard (0 grey, 2 RGB, 3 palette, 4 grey-alpha, 6
/// RGBA), `scanlines` without their filter bytes.
pub fn png(width: u32, height: u32, bits: u8, colour: u8, palette: &[u8], scanlines: &[&[u8]]) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([bits, colour, 0, 0, 0]);
    let mut raw = Vec::new();
    for line in scanlines {
        raw.push(0);
        raw.extend_from_slice(line);
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    if !palette.is_empty() {
        chunk(&mut out, b"PLTE", palette);
    }
    chunk(&mut out, b"IDAT", &stored(&raw));
    chunk(&mut out, b"IEND", &[]);
    out
}

/// Appends a chunk of a PNG.
pub fn chunk(out: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    out.extend((content.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(name);
    out.extend_from_slice(content);
    let sum = crc(&out[start..]);
    out.extend(sum.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| {
        if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 }
    };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
}

/// Returns a zlib stream that stores `raw` (at most 65535 bytes) uncompressed.
fn stored(raw: &[u8]) -> Vec<u8> {
    let length = u16::try_from(raw.len()).expect("a small fixture");
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(raw);
    let (a, b) = raw.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// Makes a little-endian TIFF of one uncompressed strip of grey `f32`.
pub fn grey_float_tiff(width: u32, height: u32, values: &[f32]) -> Vec<u8> {
    let entries: [(u16, u32); 9] = [
        (256, width),
        (257, height),
        (258, 32),
        (259, 1),
        (262, 1),
        (273, 8 + 2 + 9 * 12 + 4),
        (277, 1),
        (279, values.len() as u32 * 4),
        (339, 3),
    ];
    let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(4_u16.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
    out
}

/// Writes `content` as `name` into `folder`.
pub fn put(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("a folder for the fixture");
    }
    std::fs::write(&path, content).expect("a fixture");
    path
}

/// Makes a temporary folder that is deleted when the value is dropped.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Makes a grey PNG whose pixels are all `value` except for the first, which is `first`.
pub fn grey_png(width: u32, height: u32, value: u8, first: u8) -> Vec<u8> {
    let mut lines = vec![vec![value; width as usize]; height as usize];
    lines[0][0] = first;
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    png(width, height, 8, 0, &[], &lines)
}

/// Makes a ZIP archive whose entries are stored uncompressed.
pub fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let stored: Vec<_> = entries.iter().map(|(name, content)| (*name, content.as_bytes(), None)).collect();
    zip_of(&stored)
}

/// Makes a ZIP archive of contents that may already be packed by the given method; their unpacked size is then wrong.
pub fn zip_of(entries: &[(&str, &[u8], Option<u16>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content, method) in entries {
        let offset = out.len() as u32;
        let mut common = Vec::new();
        common.extend([20_u16, 0, method.unwrap_or(0), 0, 0].iter().flat_map(|value| value.to_le_bytes()));
        common.extend(crc(content).to_le_bytes());
        common.extend([content.len() as u32; 2].iter().flat_map(|value| value.to_le_bytes()));
        common.extend([name.len() as u16, 0].iter().flat_map(|value| value.to_le_bytes()));
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*content);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = entries.len() as u16;
    let (start, length) = (out.len() as u32, directory.len() as u32);
    out.extend(&directory);
    out.extend(b"PK\x05\x06");
    out.extend([0_u16, 0, count, count].iter().flat_map(|value| value.to_le_bytes()));
    out.extend([length, start].iter().flat_map(|value| value.to_le_bytes()));
    out.extend([0; 2]);
    out
}

/// Makes a workbook of one sheet.
pub fn xlsx(rows: &[&[&str]]) -> Vec<u8> {
    let mut sheet = String::new();
    for (row, cells) in rows.iter().enumerate() {
        sheet += &format!("<row r=\"{}\">", row + 1);
        for (column, cell) in cells.iter().enumerate() {
            let letter = char::from(b'A' + column as u8);
            sheet += &format!("<c r=\"{letter}{}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>", row + 1);
        }
        sheet += "</row>";
    }
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    zip(&[
        (
            "[Content_Types].xml",
            &format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"a\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"b\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"b\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ])
}
