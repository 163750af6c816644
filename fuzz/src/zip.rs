//! An archive that is not compressed, so that what a fuzzer changes in its parts is read as it is.

/// Names and contents.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut sum = flate2::Crc::new();
        sum.update(content);
        common.extend(sum.sum().to_le_bytes());
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
    let (start, length) = (out.len() as u32, directory.len() as u32);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([entries.len() as u16; 2].iter().flat_map(|value| value.to_le_bytes()));
    out.extend([length, start].iter().flat_map(|value| value.to_le_bytes()));
    out.extend([0; 2]);
    out
}
