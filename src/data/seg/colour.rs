//! Colours in CIELab as DICOM writes them (PS3.3 C.10.7.1.1): L* from 0 to 100, a* and b* from −128 to 127, each as
//! 16 bits, for the white point D50.

/// The white point D50 (ICC.1:2022), X, Y and Z.
const WHITE: [f64; 3] = [0.9642, 1.0, 0.8249];
/// Linear sRGB to XYZ relative to D50, with the chromatic adaptation of Bradford.
const TO_XYZ: [[f64; 3]; 3] = [
    [0.436_065_7, 0.385_151_5, 0.143_078_4],
    [0.222_493_2, 0.716_887_0, 0.060_616_9],
    [0.013_923_9, 0.097_081_3, 0.714_099_4],
];
/// The inverse of [`TO_XYZ`].
const TO_RGB: [[f64; 3]; 3] = [
    [3.134_136_6, -1.617_386_4, -0.490_662_6],
    [-0.978_795_5, 1.916_254_4, 0.033_442_9],
    [0.071_955_4, -0.228_976_8, 1.405_386_1],
];

/// Returns an 8-bit sRGB colour as three numbers of 16 bits.
pub fn to_lab(colour: [u8; 3]) -> [u16; 3] {
    let linear = colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let [x, y, z] = std::array::from_fn(|part| {
        let ratio = product(TO_XYZ[part], linear) / WHITE[part];
        if ratio > 216.0 / 24_389.0 { ratio.cbrt() } else { (24_389.0 / 27.0 * ratio + 16.0) / 116.0 }
    });
    let [l, a, b] = [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)];
    let whole = |value: f64| (value * 65_535.0).round().clamp(0.0, 65_535.0) as u16;
    [whole(l / 100.0), whole((a + 128.0) / 255.0), whole((b + 128.0) / 255.0)]
}

/// Returns the 8-bit sRGB colour of three numbers of 16 bits; a colour outside sRGB is clipped.
pub fn of_lab(lab: [u16; 3]) -> [u8; 3] {
    let [l, a, b] = lab.map(|value| f64::from(value) / 65_535.0);
    let y = (l * 100.0 + 16.0) / 116.0;
    let roots = [y + (a * 255.0 - 128.0) / 500.0, y, y - (b * 255.0 - 128.0) / 200.0];
    let xyz: [f64; 3] = std::array::from_fn(|part| {
        let root = roots[part];
        let ratio = if root > 6.0 / 29.0 { root.powi(3) } else { (116.0 * root - 16.0) * 27.0 / 24_389.0 };
        ratio * WHITE[part]
    });
    TO_RGB.map(|row| {
        let value = product(row, xyz);
        let curved = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (curved * 255.0).round().clamp(0.0, 255.0) as u8
    })
}

fn product(row: [f64; 3], values: [f64; 3]) -> f64 {
    row.iter().zip(values).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_red() {
        // L* = 100, a* = b* = 0, up to the digits of the matrices.
        let off = to_lab([255; 3]).iter().zip([65_535_u16, 32_896, 32_896]).map(|(a, b)| a.abs_diff(b)).max();
        assert!(off < Some(8), "{off:?}");
        assert_eq!(to_lab([0; 3])[0], 0);
        // sRGB red in D50: L* = 54.29, a* = 80.8, b* = 69.9.
        let [l, a, b] = to_lab([255, 0, 0]).map(f64::from);
        let lab = [l / 655.35, a / 257.0 - 128.0, b / 257.0 - 128.0];
        let off = lab.iter().zip([54.29, 80.81, 69.89]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 0.1, "{lab:?}");
    }

    #[test]
    fn there_and_back() {
        for code in 0..16_usize.pow(3) {
            let colour = [code / 256, code / 16 % 16, code % 16].map(|part| (part * 17) as u8);
            assert_eq!(of_lab(to_lab(colour)), colour);
        }
    }
}
