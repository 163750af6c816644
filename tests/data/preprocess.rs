//! Preprocessing compared with values that were computed by hand.

use himix::data::preprocess::{
    input_tensor, network_sized, plane_to_image, reduced, resampled, target, untranspose,
};
use himix::data::{EnlargedTruth, Image, Mask, Pixels};
use himix::input::InputForm;

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-5, "at {index}: {a} instead of {b}");
    }
}

#[test]
fn same_size_is_only_normalised_and_repeated() {
    let image = Image { width: 2, height: 2, channels: 1, pixels: Pixels::U8(vec![1, 2, 3, 4]) };
    // Mean 2.5, population variance 1.25.
    let plane = [-1.5, -0.5, 0.5, 1.5].map(|value: f32| value / 1.25_f32.sqrt());
    close(&input_tensor(&image, 2, false, InputForm::default()), &plane.repeat(3));
    let turned = [plane[0], plane[2], plane[1], plane[3]];
    close(&input_tensor(&image, 2, true, InputForm::default()), &turned.repeat(3));
    close(&untranspose(&turned, 2), &plane);
}

#[test]
fn every_channel_stands_for_itself() {
    let pixels = Pixels::U16(vec![0, 500, 9, 2, 500, 9, 4, 500, 10, 6, 500, 10]);
    let image = Image { width: 2, height: 2, channels: 3, pixels };
    let tensor = input_tensor(&image, 2, false, InputForm::default());
    close(&tensor[..4], &[-3.0, -1.0, 1.0, 3.0].map(|value: f32| value / 5.0_f32.sqrt()));
    close(&tensor[4..8], &[0.0; 4]);
    close(&tensor[8..], &[-1.0, -1.0, 1.0, 1.0]);
}

#[test]
fn a_constant_image_of_any_size_and_type_becomes_zero() {
    for pixels in [Pixels::U8(vec![255; 35]), Pixels::U16(vec![60_001; 35]), Pixels::F32(vec![0.1; 35])] {
        let image = Image { width: 7, height: 5, channels: 1, pixels };
        assert!(input_tensor(&image, 16, true, InputForm::default()).iter().all(|value| *value == 0.0));
    }
}

#[test]
fn bicubic_halves_a_row_with_the_known_weights() {
    // From 4 to 2 the source lies half-way between two pixels: weights −0.09375, 0.59375, 0.59375, −0.09375,
    // the edge repeated. Rows are alike, so only the columns matter.
    let row = [0.0, 0.0, 1.0, 0.0];
    let image = Image { width: 4, height: 4, channels: 1, pixels: Pixels::F32(row.repeat(4)) };
    let tensor = input_tensor(&image, 2, false, InputForm::default());
    // Left −0.09375, right 0.59375 + … − 0.09375·0: two values, so ±1 after normalisation.
    close(&tensor[..4], &[-1.0, 1.0, -1.0, 1.0]);
    // Three columns from six keep the proportions that normalisation does not hide.
    let row = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let image = Image { width: 6, height: 6, channels: 1, pixels: Pixels::F32(row.repeat(6)) };
    let tensor = input_tensor(&image, 3, false, InputForm::default());
    let values = [0.0_f32, 0.59375, -0.09375];
    let mean = values.iter().sum::<f32>() / 3.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 3.0).sqrt();
    close(&tensor[..3], &values.map(|value| (value - mean) / deviation));
}

#[test]
fn targets_take_the_nearest_pixel() {
    let mask = Mask { width: 4, height: 2, values: vec![0, 1, 1, 0, 1, 1, 0, 0] };
    // Columns 0 and 2, rows 0 and 1.
    assert_eq!(target(&mask, 2, false), [0.0, 1.0, 1.0, 0.0]);
    let mask = Mask { width: 2, height: 1, values: vec![0, 1] };
    assert_eq!(target(&mask, 2, false), [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(target(&mask, 2, true), [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn a_plane_returns_to_the_image() {
    let plane = [0.0, 1.0, 2.0, 3.0];
    assert_eq!(plane_to_image(&plane, 2, false, 2, 2), plane);
    // Doubled: half-pixel centres give weights 1, ¾, ¼, 0 along each axis.
    let wide = plane_to_image(&plane, 2, false, 4, 2);
    close(&wide, &[0.0, 0.25, 0.75, 1.0, 2.0, 2.25, 2.75, 3.0]);
    let turned = plane_to_image(&plane, 2, true, 4, 2);
    close(&turned, &[0.0, 0.5, 1.5, 2.0, 1.0, 1.5, 2.5, 3.0]);
    assert_eq!(plane_to_image(&plane, 2, false, 3, 1).len(), 3);
}

#[test]
fn a_picture_for_people_keeps_its_channels_and_is_stretched_to_a_byte() {
    let pixels = Pixels::U8((1..=12).map(|value| 20 * value).collect());
    let image = Image { width: 2, height: 2, channels: 3, pixels };
    assert_eq!(resampled(&image, 2), image, "at its own size it is the same");
    // From 1000 to 1300: steps of a third of 255.
    let deep = Image { width: 2, height: 2, channels: 1, pixels: Pixels::U16(vec![1000, 1100, 1200, 1300]) };
    assert_eq!(resampled(&deep, 2).pixels, Pixels::U8(vec![0, 85, 170, 255]));
}

#[test]
fn a_thumbnail_has_the_means_of_its_blocks() {
    let pixels = Pixels::U8(vec![1, 3, 5, 7, 3, 5, 7, 9]);
    let image = Image { width: 4, height: 2, channels: 1, pixels };
    let expected = Image { width: 2, height: 1, channels: 1, pixels: Pixels::F32(vec![3.0, 7.0]) };
    assert_eq!(reduced(&image, 2), expected);
    assert_eq!(reduced(&image, 4), image, "it is small enough");
}

#[test]
fn an_image_at_the_size_of_the_network_gives_the_same_input_to_the_last_bit() {
    let bytes = |count: usize| (0..count).map(|at| (at * at * 7 % 251) as u8).collect::<Vec<_>>();
    let deep = Pixels::F32((0..35 * 20).map(|at| -1000.5 + (at * at % 977) as f32).collect());
    for image in [
        Image { width: 37, height: 22, channels: 1, pixels: Pixels::U8(bytes(37 * 22)) },
        Image { width: 23, height: 41, channels: 3, pixels: Pixels::U8(bytes(23 * 41 * 3)) },
        Image { width: 35, height: 20, channels: 1, pixels: deep },
    ] {
        let small = network_sized(&image, 16);
        assert_eq!((small.width, small.height, small.channels), (16, 16, image.channels));
        for turned in [false, true] {
            assert_eq!(
                input_tensor(&small, 16, turned, InputForm::default()),
                input_tensor(&image, 16, turned, InputForm::default())
            );
        }
    }
}

#[test]
fn a_mask_is_compared_as_if_it_were_enlarged() {
    let mut random = fastrand::Rng::with_seed(3);
    for (width, height, size) in [(61, 47, 7), (7, 7, 7), (5, 9, 8), (1, 1, 2), (90, 3, 1)] {
        let truth = Mask { width, height, values: (0..width * height).map(|_| random.u8(0..3) / 2).collect() };
        let known = EnlargedTruth::new(&truth, size);
        for round in 0..20 {
            // Every other plane is smooth, and some values are at a threshold.
            let step = if round % 2 == 0 { 1.0 } else { 0.05 };
            let mut value = 0.5_f32;
            let plane: Vec<f32> = (0..size * size)
                .map(|_| {
                    value = (value + step * (random.f32() - 0.5)).clamp(0.0, 1.0);
                    if random.u8(0..8) == 0 { 0.5 } else { value }
                })
                .collect();
            let enlarged = plane_to_image(&plane, size, false, width, height);
            for threshold in [0.0, 0.3, 0.5, 0.999, 1.0] {
                let pairs = || enlarged.iter().map(|value| *value >= threshold).zip(&truth.values);
                let count =
                    |found: bool, real: u8| pairs().filter(|(a, b)| *a == found && **b == real).count() as u64;
                let expected = [count(true, 1), count(true, 0), count(false, 1)];
                assert_eq!(known.counts(&plane, threshold), expected, "{width}x{height} of {size} at {threshold}");
            }
        }
    }
}
