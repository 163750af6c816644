//! The domain of the bundled model: phantoms are told from a photograph.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use himix::data::describe::Kind;
use himix::data::phantom::phantom;
use himix::data::{Image, Pixels};
use himix::infer::{
    Domain, DomainImage, DomainPictures, ModelSource, Predictor, domain_rows, fit_domain, kind_words,
};
use himix::model::weights::domain;

/// The bundled model as a bundle in a folder, so that a summary can be stored beside it.
fn bundle_in(folder: &Path) {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/model");
    for name in ["config.json", "vocab.txt", "model.safetensors"] {
        fs::copy(assets.join(name), folder.join(name)).expect("a copy");
    }
}

fn open(folder: &Path) -> Predictor {
    Predictor::open_on(&ModelSource::new(folder), himix::device::cpu()).expect("opens")
}

/// A picture as of a landscape: a blue sky that grows lighter, a dark ridge, a meadow with blades of grass, and a sun.
fn photograph(seed: u64) -> Image {
    let mut random = fastrand::Rng::with_seed(seed);
    let (side, horizon) = (200_usize, 80 + random.usize(0..40));
    let sun = (random.usize(20..180) as f64, random.usize(10..50) as f64);
    let mut pixels = Vec::with_capacity(3 * side * side);
    for y in 0..side {
        for x in 0..side {
            let ridge =
                horizon as f64 - 18.0 * ((x as f64 / 23.0).sin() + (x as f64 / 9.0 + seed as f64).sin() / 2.0);
            let is_sun = (x as f64 - sun.0).hypot(y as f64 - sun.1) < 12.0;
            let colour = match y as f64 {
                _ if is_sun => [255, 240, 180],
                height if height < ridge => [90 + y as u8 / 2, 140 + y as u8 / 2, 235],
                height if height < ridge + 25.0 => [60, 55, 70],
                _ => [40 + random.u8(..40), 110 + random.u8(..90), 30 + random.u8(..30)],
            };
            pixels.extend(colour);
        }
    }
    Image { width: side, height: side, channels: 3, pixels: Pixels::U8(pixels) }
}

#[test]
fn phantoms_are_like_the_training_pictures_and_a_photograph_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    let mut model = open(folder.path());
    let mut rows = |kind: Kind, seed: u64, count: u64| {
        let images: Vec<DomainImage> = (0..count).map(|index| DomainImage::Phantom(kind, seed, index)).collect();
        let found = domain_rows(&mut model, &images, |_, _| ControlFlow::Continue(())).expect("features");
        found.expect("all").rows
    };
    let kinds: Vec<DomainPictures> = Kind::ALL
        .into_iter()
        .map(|kind| DomainPictures {
            name: format!("phantom {}", kind_words(kind)),
            training: rows(kind, 1, 60),
            held_out: rows(kind, 2, 50),
        })
        .collect();
    let summary = fit_domain("phantoms", &kinds, 0.02).expect("a summary");
    let path = model.domain_path().expect("a folder");
    assert_eq!(model.info().domain, Vec::<String>::new());
    domain::write(&path, &summary).expect("written");
    assert!(fs::metadata(&path).expect("a file").len() < 1 << 20, "it is small beside the weights");

    let sound = Domain::new(summary).expect("sound");
    for kind in &kinds {
        let unlike = kind.held_out.iter().filter(|row| sound.figure(row).is_ok_and(|figure| figure.is_unlike));
        assert!(unlike.count() <= 1, "at most 2 % of 50 {}", kind.name);
    }
    // The summary is found beside the weights, and every prediction says it.
    let mut model = open(folder.path());
    assert_eq!(model.info().domain.len(), 3);
    for (index, kind) in Kind::ALL.into_iter().enumerate() {
        let image = phantom(kind, 1, 3, 224).image;
        let figure = model.predict(&image, "left lung").expect("a mask").domain.expect("a figure");
        assert!(!figure.is_unlike && figure.kind == kinds[index].name, "{figure:?}");
        assert_eq!(
            model.predict(&image, "right lung").expect("a mask").domain,
            Some(figure),
            "whatever the prompt"
        );
    }
    for seed in 0..4 {
        let figure = model.predict(&photograph(seed), "left lung").expect("a mask").domain.expect("a figure");
        assert!(figure.is_unlike && figure.words().is_some(), "{figure:?}");
    }
}

#[test]
fn a_damaged_summary_is_a_notice_and_not_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    bundle_in(folder.path());
    fs::write(folder.path().join("domain.json"), "{}").expect("written");
    let mut model = open(folder.path());
    let notices = model.take_notices();
    assert!(notices.iter().any(|notice| notice.contains("domain.json")), "{notices:?}");
    assert_eq!(model.predict(&photograph(1), "left lung").expect("a mask").domain, None);
}

#[test]
fn a_summary_of_the_bundled_model_belongs_to_it() {
    let mut model = Predictor::open_on(&ModelSource::bundled(), himix::device::cpu()).expect("the bundled model");
    let has_summary = !model.info().domain.is_empty();
    let figure = model.predict(&photograph(1), "left lung").expect("a mask").domain;
    assert_eq!(figure.is_some(), has_summary);
    assert!(figure.is_none_or(|figure| figure.is_unlike), "a photograph is unlike all training pictures");
    assert_eq!(model.take_notices(), Vec::<String>::new(), "the summary fits the network");
}
