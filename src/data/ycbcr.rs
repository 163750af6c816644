//! Conversion of 8-bit luminance and colour differences (ITU-R BT.601) to RGB, for YCbCr in JPEG and TIFF and
//! YBR in DICOM.

/// The coded range of the luminance and the colour differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// The luminance runs from 0 to 255, as in JPEG.
    Full,
    /// The luminance runs from 16 (black) to 235 (white), as in video.
    Partial,
}

/// Converts interleaved samples to red, green and blue in place. Samples at the end that do not fill a pixel
/// stay unchanged.
pub(super) fn to_rgb(samples: &mut [u8], range: Range) {
    let [black, luminance, red, green_b, green_r, blue] = match range {
        Range::Full => [0.0, 1.0, 1.402, 0.344_136, 0.714_136, 1.772],
        Range::Partial => [16.0, 1.164_384, 1.596_027, 0.391_762, 0.812_968, 2.017_232],
    };
    for pixel in samples.as_chunks_mut::<3>().0 {
        let [y, b, r] = pixel.map(f32::from);
        let (y, b, r) = ((y - black) * luminance, b - 128.0, r - 128.0);
        *pixel = [y + red * r, y - green_b * b - green_r * r, y + blue * b]
            .map(|value| value.round().clamp(0.0, 255.0) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equations_of_the_recommendation() {
        // Y = 0.299 R + 0.587 G + 0.114 B, and so on, of (200, 100, 50); then Y = 16 + 0.2568 R + 0.5041 G + 0.0979 B.
        for (range, coded, about) in [(Range::Full, [124, 86, 182], 1), (Range::Partial, [123, 91, 175], 2)] {
            let mut pixel = coded;
            to_rgb(&mut pixel, range);
            assert!(
                pixel.iter().zip([200_u8, 100, 50]).all(|(a, b)| a.abs_diff(b) <= about),
                "{range:?}: {pixel:?}"
            );
        }
        // White and black of each range.
        for (range, white, black) in [(Range::Full, 255, 0), (Range::Partial, 235, 16)] {
            let mut both = [white, 128, 128, black, 128, 128];
            to_rgb(&mut both, range);
            assert_eq!(both, [255, 255, 255, 0, 0, 0], "{range:?}");
        }
    }
}
