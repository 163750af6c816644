//! Phantoms are the same pictures in every version, so that a seed names a data set: against those of version 0.1
//! (`tests/fixtures/v0_1/phantoms`).

use std::path::Path;

use himix::data::image;
use himix::data::phantom::{Kind, phantom};

#[test]
fn pictures_masks_and_prompts_are_those_of_version_0_1() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0_1/phantoms");
    let prompts = std::fs::read_to_string(folder.join("prompts.csv")).expect("the prompts");
    for index in 0..9 {
        let kind = Kind::ALL[index % 3];
        let made = phantom(kind, 5, index as u64, 64);
        let name = format!("{kind}_{:05}.png", index + 1);
        let stored = image::load(&folder.join(&name)).expect("a picture");
        assert_eq!(
            (made.image.width, made.image.height, made.image.channels),
            (64, 64, stored.channels),
            "{name}"
        );
        // Floating-point functions of other machines may round a grey level otherwise.
        let differences: Vec<f32> = made.image.floats().zip(stored.floats()).map(|(a, b)| (a - b).abs()).collect();
        let largest = differences.iter().copied().fold(0.0, f32::max);
        let differing = differences.iter().filter(|difference| **difference > 0.0).count();
        assert!(largest <= 1.0 && differing * 50 <= differences.len(), "{name}: {largest}, {differing} differ");
        let mask = image::load(&folder.join(format!("mask_{name}"))).expect("a mask");
        let differing = mask.floats().zip(&made.mask.values).filter(|(a, b)| (*a > 127.0) != (**b == 1)).count();
        assert!(differing <= 2, "{name}: {differing} pixels of the mask differ");
        assert!(prompts.contains(&format!("{name},\"{}\"", made.prompt)), "{name}: {}", made.prompt);
    }
}
