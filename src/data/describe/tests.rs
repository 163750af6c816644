//! Tests of descriptions and of the checks of a mask against its prompt.

use super::*;
use crate::data::Pixels;
use crate::data::phantom::phantom;
use crate::text::prompt::parse;

fn image(width: usize, height: usize, channels: usize) -> Image {
    Image { width, height, channels, pixels: Pixels::U8(vec![90; width * height * channels]) }
}

/// A mask of 100 × 100 pixels with the given rectangles `[left, top, right, bottom]`.
fn mask(parts: &[[usize; 4]]) -> Mask {
    let mut mask = Mask { width: 100, height: 100, values: vec![0; 10_000] };
    for [left, top, right, bottom] in parts {
        for y in *top..*bottom {
            mask.values[y * 100 + left..y * 100 + right].fill(1);
        }
    }
    mask
}

fn said(parts: &[[usize; 4]], kind: Kind) -> String {
    describe(&image(100, 100, 1), &mask(parts), Some(kind)).expect("a description").prompt.to_string()
}

#[test]
fn places_are_sides_and_heights_of_the_image() {
    // A uniform image holds no lungs, so the usual box from 10 % to 73 % of the height counts.
    let low_left = [15, 55, 35, 70];
    assert_eq!(
        said(&[low_left], Kind::Xray),
        "Unilateral pulmonary infection, one infected area, lower left lung."
    );
    assert_eq!(
        said(&[low_left, [70, 15, 80, 68], [60, 12, 66, 20]], Kind::Xray),
        "Bilateral pulmonary infection, three infected areas, lower left lung and all right lung."
    );
    assert_eq!(
        said(&[[70, 45, 80, 60], [60, 25, 66, 30]], Kind::Ct),
        "Unilateral pulmonary infection, two infected areas, upper right lung."
    );
    assert_eq!(
        said(&[[5, 5, 25, 25], [50, 70, 60, 80]], Kind::Endoscopy),
        "two small brown round polyp which is a projecting growth of tissue located in top left, bottom of the image"
    );
}

#[test]
fn odd_masks_are_described() {
    assert_eq!(said(&[], Kind::Xray), "No pulmonary infection, zero infected areas.");
    assert_eq!(said(&[], Kind::Endoscopy), "no polyp");
    assert_eq!(
        said(&[[0, 0, 100, 100]], Kind::Xray),
        "Bilateral pulmonary infection, one infected area, all left lung and all right lung."
    );
    for kind in [None, Some(Kind::Xray), Some(Kind::Ct), Some(Kind::Endoscopy)] {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (2, 2)] {
            for value in [0, 1, 255] {
                for channels in [1, 3] {
                    let mask = Mask { width, height, values: vec![value; width * height] };
                    let found = describe(&image(width, height, channels), &mask, kind).expect("a description");
                    assert_eq!(found.components.is_empty(), value == 0);
                    compare(&found.prompt, &mask, &found);
                }
            }
        }
    }
}

#[test]
fn a_mask_of_another_size_is_an_error() {
    let error = describe(&image(90, 100, 1), &mask(&[]), None).expect_err("two sizes");
    assert_eq!(
        error.to_string(),
        "the mask has 100 x 100 pixels, but the image has 90 x 100; both must have the same size"
    );
    let nothing = Mask { width: 0, height: 0, values: Vec::new() };
    assert_eq!(describe(&image(0, 0, 1), &nothing, None), Err(DescribeError::NoPixels));
    let short = Mask { width: 100, height: 100, values: vec![1; 7] };
    assert!(describe(&image(100, 100, 1), &short, None).is_err());
}

/// Returns the rules that find a contradiction, and the agreement.
fn found(prompt: &str, parts: &[[usize; 4]], kind: Kind) -> (Vec<&'static str>, Option<f64>) {
    let prompt = parse(prompt).prompt.expect("a prompt");
    let mask = mask(parts);
    let description = describe(&image(100, 100, 1), &mask, Some(kind)).expect("a description");
    let rules = compare(&prompt, &mask, &description).into_iter().map(|warning| warning.rule.id()).collect();
    (rules, agreement(&prompt, &description))
}

#[test]
fn masks_that_contradict_their_prompts() {
    let (left, right) = ([15, 55, 35, 70], [65, 55, 85, 70]);
    let lower_left = "Unilateral pulmonary infection, one infected area, lower left lung.";
    let lower_both = "Bilateral pulmonary infection, two infected areas, lower left lung and lower right lung.";
    let xray = |prompt, parts: &[[usize; 4]]| found(prompt, parts, Kind::Xray);
    assert_eq!(xray(lower_left, &[left]), (vec![], Some(1.0)));
    assert_eq!(xray(lower_both, &[left, right]), (vec![], Some(1.0)));
    // Only the number agrees.
    let (rules, value) = xray(lower_left, &[right]);
    assert_eq!(rules, ["other-side", "outside-zones", "missing-zones"]);
    assert_eq!(value, Some(1.0 / 3.0));
    let (rules, value) = xray(lower_left, &[left, right]);
    assert_eq!((rules, value), (vec!["both-sides", "area-count", "outside-zones"], Some(0.5)));
    let (rules, value) = xray(lower_both, &[left]);
    assert_eq!((rules, value), (vec!["one-side", "area-count", "missing-zones"], Some(0.5)));
    let upper_left = "Unilateral pulmonary infection, one infected area, upper left lung.";
    assert_eq!(xray(upper_left, &[left]), (vec!["outside-zones", "missing-zones"], Some(2.0 / 3.0)));
    let middle_left = "Unilateral pulmonary infection, one infected area, middle left lung.";
    assert_eq!(xray(middle_left, &[left]), (vec![], Some(2.0 / 3.0)), "a neighbouring zone is no contradiction");
    let all_left = "Unilateral pulmonary infection, one infected area, all left lung.";
    assert_eq!(xray(all_left, &[left]).0, ["missing-zones"]);
    assert_eq!(xray(lower_left, &[]), (vec!["empty-mask"], Some(0.0)));
    assert_eq!(xray("No pulmonary infection.", &[left]), (vec!["unexpected-mask"], Some(0.0)));
    assert_eq!(xray("No pulmonary infection.", &[]), (vec![], Some(1.0)));
    assert_eq!(xray("Bilateral pulmonary infection.", &[left]), (vec!["one-side"], Some(0.5)));
    assert_eq!(xray("lower lung", &[right]), (vec![], Some(1.0)), "zones of either side");
    assert_eq!(xray("one small polyp", &[left]), (vec!["other-kind"], None));
}

#[test]
fn polyps_that_contradict_their_prompts() {
    let said = "one small white round polyp which is a projecting growth of tissue located in right of the image";
    let polyp = |parts: &[[usize; 4]]| found(said, parts, Kind::Endoscopy);
    assert_eq!(polyp(&[[70, 45, 80, 55]]), (vec![], Some(1.0)));
    assert_eq!(polyp(&[[10, 45, 80, 95]]).0, ["other-place", "other-size"]);
    let (rules, value) = polyp(&[[70, 45, 80, 55], [10, 10, 20, 20]]);
    assert_eq!((rules, value), (vec!["area-count", "other-place"], Some((0.5 + 0.5 + 1.0) / 3.0)));
}

#[test]
fn a_mend_changes_the_part_that_is_contradicted() {
    let prompt =
        parse("Unilateral pulmonary infection, two infected areas, upper left lung.").prompt.expect("a prompt");
    let mask = mask(&[[65, 55, 85, 70]]);
    let description = describe(&image(100, 100, 1), &mask, Some(Kind::Xray)).expect("a description");
    let mends: Vec<_> = compare(&prompt, &mask, &description)
        .into_iter()
        .map(|warning| (warning.rule.id(), warning.mended.unwrap_or_default()))
        .collect();
    assert_eq!(mends[0].1, "Unilateral pulmonary infection, two infected areas, lower right lung.");
    assert_eq!(
        mends[1],
        ("area-count", "Unilateral pulmonary infection, one infected area, upper left lung.".to_owned())
    );
}

/// The prompts of phantoms are true, so the rule must mostly find them again. Shapes and sizes of phantoms follow other
/// rules; sides and numbers are compared.
#[test]
fn phantoms_are_recognised_and_their_sides_and_numbers_found() {
    for kind in Kind::ALL {
        let (mut kinds, mut agree) = (0, 0);
        for index in 0..12 {
            let made = phantom(kind, 3, index, 160);
            let found = describe(&made.image, &made.mask, Some(kind)).expect("a description");
            kinds += usize::from(recognise(&made.image) == kind);
            let parsed = parse(&made.prompt).prompt.expect("a prompt");
            agree += usize::from(match (&parsed, &found.prompt) {
                (Prompt::Lungs(a), Prompt::Lungs(b)) => (a.laterality, a.areas) == (b.laterality, b.areas),
                (Prompt::Polyps(a), Prompt::Polyps(b)) => a.number == b.number,
                _ => false,
            });
        }
        assert!(kinds >= 11 && agree >= 11, "{kind}: {kinds} recognised and {agree} agree of 12");
    }
}
