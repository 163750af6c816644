//! JPEG with 12 bits per sample, extended sequential with Huffman coding (ITU-T T.81, DICOM transfer syntax
//! 1.2.840.10008.1.2.4.51). It is implemented here because no Rust library decodes more than 8 bits of the lossy
//! process.

/// A decoded grey frame.
pub struct Frame {
    /// The number of pixels per row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// `width * height` samples, 0…4095.
    pub samples: Vec<u16>,
}

/// The largest number of pixels of a frame. The caller has already compared the header of the DICOM file with
/// its limit.
const MOST: usize = 1 << 28;
/// Maps the order of coefficients in the stream to their order in the block.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
    21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53,
    60, 61, 54, 47, 55, 62, 63,
];

/// A Huffman table as used in T.81 annex F.2.2.3, with an entry for each length of a code.
#[derive(Clone, Default)]
struct Huffman {
    /// The largest code of each length; −1 if there is none.
    most: [i32; 17],
    /// The smallest code of each length.
    least: [i32; 17],
    /// The index in `values` of the smallest code of each length.
    place: [usize; 17],
    values: Vec<u8>,
}

impl Huffman {
    /// Makes a table from the number of codes of each length and their values. Returns `None` if these are
    /// invalid.
    fn new(counts: &[u8], values: &[u8]) -> Option<Self> {
        let mut table = Self { values: values.to_vec(), most: [-1; 17], ..Self::default() };
        let (mut code, mut place) = (0_i32, 0);
        for length in 1..=16 {
            let count = usize::from(counts[length - 1]);
            if count > 0 {
                table.least[length] = code;
                table.place[length] = place;
                code += count as i32;
                place += count;
                table.most[length] = code - 1;
                if code > 1 << length {
                    return None;
                }
            }
            code <<= 1;
        }
        (place <= values.len()).then_some(table)
    }
}

/// Reads the bits of the entropy-coded segment and skips stuffed zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    /// Reads a bit. Returns `None` at a marker or at the end of the data.
    fn bit(&mut self) -> Option<u32> {
        if self.count == 0 {
            let byte = *self.bytes.get(self.at)?;
            if byte == 0xff {
                match self.bytes.get(self.at + 1)? {
                    0 => self.at += 1,
                    // The segment ends at a marker.
                    _ => return None,
                }
            }
            self.at += 1;
            self.held = u32::from(byte);
            self.count = 8;
        }
        self.count -= 1;
        Some(self.held >> self.count & 1)
    }

    /// Reads a code and returns its value, or `None` if the table has no such code.
    fn value(&mut self, table: &Huffman) -> Option<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.bit()? as i32;
            if code <= table.most[length] {
                let place = table.place[length] + usize::try_from(code - table.least[length]).ok()?;
                return table.values.get(place).copied();
            }
        }
        None
    }

    /// Reads a number of `size` bits. It is negative if its first bit is 0 (T.81, figure F.12).
    fn signed(&mut self, size: u8) -> Option<i32> {
        let mut value = 0_i32;
        for _ in 0..size {
            value = value << 1 | self.bit()? as i32;
        }
        Some(if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// Skips to the next restart marker and continues after it. Returns `None` if there is none.
    fn restart(&mut self) -> Option<()> {
        self.count = 0;
        while !(self.bytes.get(self.at) == Some(&0xff) && matches!(self.bytes.get(self.at + 1)?, 0xd0..=0xd7)) {
            self.at += 1;
        }
        self.at += 2;
        Some(())
    }
}

/// Decodes a grey frame of 12 bits. Returns `None` if the data have another coding or are damaged.
pub fn decode(bytes: &[u8]) -> Option<Frame> {
    let mut at = 2;
    let mut quantisation = [[1_i32; 64]; 4];
    let mut tables: [[Huffman; 4]; 2] = Default::default();
    let (mut size, mut quantiser, mut interval) = (None, 0, 0);
    if bytes.get(..2)? != [0xff, 0xd8] {
        return None;
    }
    loop {
        while bytes.get(at)? == &0xff && bytes.get(at + 1)? == &0xff {
            at += 1;
        }
        let marker = [*bytes.get(at)?, *bytes.get(at + 1)?];
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let segment = bytes.get(at + 4..at + 2 + length.max(2))?;
        at += 2 + length.max(2);
        match marker {
            [0xff, 0xdb] => quantisers(segment, &mut quantisation)?,
            [0xff, 0xc4] => huffmans(segment, &mut tables)?,
            [0xff, 0xdd] => interval = usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?])),
            // Extended sequential, 12 bits, one component.
            [0xff, 0xc1] => {
                if segment.first()? != &12 || segment.get(5)? != &1 {
                    return None;
                }
                let height = usize::from(u16::from_be_bytes([segment[1], segment[2]]));
                let width = usize::from(u16::from_be_bytes([segment[3], segment[4]]));
                quantiser = usize::from(*segment.get(8)? & 3);
                size = Some((width, height)).filter(|(w, h)| *w > 0 && *h > 0 && w * h <= MOST);
            }
            [0xff, 0xda] => {
                let (width, height) = size?;
                let which = *segment.get(2)?;
                let (dc, ac) = (&tables[0][usize::from(which >> 4 & 3)], &tables[1][usize::from(which & 3)]);
                let bits = Bits { bytes, at, held: 0, count: 0 };
                let samples = scan(bits, dc, ac, &quantisation[quantiser], width, height, interval)?;
                return Some(Frame { width, height, samples });
            }
            // All other frame headers announce another coding.
            [0xff, 0xc0 | 0xc2..=0xcf] => return None,
            [0xff, _] => {}
            _ => return None,
        }
    }
}

/// Reads the quantisation tables of a segment. Returns `None` if it is damaged.
fn quantisers(mut segment: &[u8], tables: &mut [[i32; 64]; 4]) -> Option<()> {
    while let Some((&which, rest)) = segment.split_first() {
        let wide = usize::from(which >> 4 != 0);
        let table = tables.get_mut(usize::from(which & 15))?;
        for (index, place) in ZIGZAG.iter().enumerate() {
            table[*place] = if wide == 1 {
                i32::from(u16::from_be_bytes([*rest.get(2 * index)?, *rest.get(2 * index + 1)?]))
            } else {
                i32::from(*rest.get(index)?)
            };
        }
        segment = rest.get(64 << wide..)?;
    }
    Some(())
}

/// Reads the Huffman tables of a segment into `tables`, which has those of DC coefficients at index 0 and those
/// of AC coefficients at index 1. Returns `None` if the segment is damaged.
fn huffmans(mut segment: &[u8], tables: &mut [[Huffman; 4]; 2]) -> Option<()> {
    while let Some((&which, rest)) = segment.split_first() {
        let counts = rest.get(..16)?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let values = rest.get(16..16 + total)?;
        *tables.get_mut(usize::from(which >> 4))?.get_mut(usize::from(which & 15))? =
            Huffman::new(counts, values)?;
        segment = &rest[16 + total..];
    }
    Some(())
}

/// Decodes all blocks of the scan, row by row. `interval` is the number of blocks between restart markers; 0 if
/// there are none. Returns the samples, or `None` if the data are damaged.
fn scan(
    mut bits: Bits<'_>,
    dc: &Huffman,
    ac: &Huffman,
    quantisation: &[i32; 64],
    width: usize,
    height: usize,
    interval: usize,
) -> Option<Vec<u16>> {
    let mut samples = vec![0; width * height];
    let (across, down) = (width.div_ceil(8), height.div_ceil(8));
    let basis = basis();
    let mut last = 0_i32;
    for number in 0..across * down {
        if interval > 0 && number > 0 && number.is_multiple_of(interval) {
            bits.restart()?;
            last = 0;
        }
        let mut block = [0_i32; 64];
        let size = bits.value(dc)?;
        // The differences of damaged data may add up to any number.
        last = last.checked_add(bits.signed(size.min(16))?)?;
        block[0] = last.checked_mul(quantisation[0])?;
        let mut place = 1;
        while place < 64 {
            let value = bits.value(ac)?;
            let (run, size) = (usize::from(value >> 4), value & 15);
            match (run, size) {
                (15, 0) => place += 16,
                (_, 0) => break,
                _ => {
                    place += run;
                    let coefficient = bits.signed(size)?;
                    let at = *ZIGZAG.get(place)?;
                    // 15 bits and a sign times 16 bits fit.
                    block[at] = coefficient * quantisation[at];
                    place += 1;
                }
            }
        }
        let values = inverse(&block, &basis);
        let (left, top) = (number % across * 8, number / across * 8);
        for row in 0..8.min(height - top) {
            for column in 0..8.min(width - left) {
                let value = (values[row * 8 + column] + 2048.0).round().clamp(0.0, 4095.0);
                samples[(top + row) * width + left + column] = value as u16;
            }
        }
    }
    Some(samples)
}

/// Returns the basis `basis[u][x]` of the discrete cosine transform of 8 samples.
fn basis() -> [[f32; 8]; 8] {
    std::array::from_fn(|u| {
        std::array::from_fn(|x| {
            let scale = if u == 0 { 0.125_f64.sqrt() } else { 0.5 };
            let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0;
            (scale * angle.cos()) as f32
        })
    })
}

/// Returns the inverse cosine transform of a block, first along rows and then along columns.
fn inverse(block: &[i32; 64], basis: &[[f32; 8]; 8]) -> [f32; 64] {
    let mut rows = [0.0_f32; 64];
    for v in 0..8 {
        for x in 0..8 {
            rows[v * 8 + x] = (0..8).map(|u| block[v * 8 + u] as f32 * basis[u][x]).sum();
        }
    }
    std::array::from_fn(|at| {
        let (y, x) = (at / 8, at % 8);
        (0..8).map(|v| rows[v * 8 + x] * basis[v][y]).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a file of two blocks side by side. Each table has a single code of one bit. There are differences
    /// of size 1 and ends of blocks.
    fn file() -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        bytes.extend([8; 64]);
        bytes.extend([0xff, 0xc1, 0, 11, 12, 0, 3, 0, 9, 1, 1, 0x11, 0]);
        for (class, value) in [(0x00, 1), (0x10, 0)] {
            bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
            bytes.extend([0; 15]);
            bytes.push(value);
        }
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        // 0 (size 1), 1 (+1), 0 (end); 0 (size 1), 0 (−1), 0 (end); ones to the end of the byte.
        bytes.extend([0b0100_0011, 0xff, 0xd9]);
        bytes
    }

    #[test]
    fn two_flat_blocks() {
        let frame = decode(&file()).expect("a frame");
        assert_eq!((frame.width, frame.height), (9, 3));
        // A difference of 1 times 8 over 8 is one grey level above the middle; the next block is back at the
        // middle.
        assert_eq!(frame.samples[..9], [2049, 2049, 2049, 2049, 2049, 2049, 2049, 2049, 2048]);
    }

    #[test]
    fn what_is_cut_or_changed_never_panics() {
        let whole = file();
        for length in 0..whole.len() - 2 {
            assert!(decode(&whole[..length]).is_none(), "cut at {length}");
        }
        for place in 0..whole.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] ^= flip;
                let _ = decode(&bytes);
            }
        }
    }

    /// Returns a file of 256 blocks across and `down` blocks down, each of which adds 65,535 to the coefficient of
    /// the block before it. The quantisation multiplies the coefficients by `factor`.
    fn rising(down: u16, factor: u8) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        bytes.extend([factor; 64]);
        bytes.extend([0xff, 0xc1, 0, 11, 12]);
        bytes.extend([8 * down, 8 * 256].map(u16::to_be_bytes).as_flattened());
        bytes.extend([1, 1, 0x11, 0]);
        for (class, value) in [(0x00, 16), (0x10, 0)] {
            bytes.extend([0xff, 0xc4, 0, 20, class, 1]);
            bytes.extend([0; 15]);
            bytes.push(value);
        }
        bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        // 0 (size 16), sixteen ones, 0 (end); a zero byte follows eight ones.
        let bits = (0..256 * usize::from(down)).flat_map(|_| (0..18).map(|place| (1..17).contains(&place)));
        let bits: Vec<bool> = bits.collect();
        for byte in bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit))) {
            bytes.push(byte);
            if byte == 0xff {
                bytes.push(0);
            }
        }
        bytes.extend([0xff, 0xd9]);
        bytes
    }

    /// 65,535 · 32,768 is just below 2³¹, and one block more is beyond it.
    #[test]
    fn a_coefficient_out_of_range_is_damage() {
        for (down, factor) in [(128, 1), (16, 8)] {
            assert!(decode(&rising(down, factor)).is_some(), "times {factor}");
            assert!(decode(&rising(down + 1, factor)).is_none(), "times {factor}");
        }
    }
}
