//! Feeds damaged files to every loader for as long as it is told to: bytes changed, cut, repeated, exchanged between seeds. A loader
//! must answer every one of them with a picture or an error, within its memory limit and without a panic.
//!
//! `cargo bench --bench mutate -- [MINUTES for each loader, 1]`. Seeds are made here, and taken from the shared data where they are
//! (`../shared` or `HIMIX_TEST_DATA`). What makes a loader panic is written to `target/findings`.

// A bench may write its files as it likes.
#![allow(clippy::disallowed_methods)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use himix::data::{Dataset, Limit, open};

const LIMIT: Limit = Limit(64 << 20);
/// A damaged file that takes longer is kept too.
const SLOW: Duration = Duration::from_secs(1);

/// One kind of file with its seeds.
struct Target {
    name: &'static str,
    file: &'static str,
    seeds: Vec<Vec<u8>>,
    load: fn(&Path),
}

fn load_scan(path: &Path) {
    let _ = open::open(path, LIMIT, &|_, _| true);
}

fn load_table(path: &Path) {
    if let Some(folder) = path.parent().and_then(Path::parent) {
        let _ = Dataset::open(folder, "train");
    }
}

fn mutated(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..1 + random.usize(..8) {
        if bytes.is_empty() {
            break;
        }
        // Headers come first, and there the damage is greatest.
        let reach = if random.bool() { bytes.len().min(600) } else { bytes.len() };
        let place = random.usize(..reach);
        match random.u8(..8) {
            0 => bytes[place] = random.u8(..),
            1 => bytes[place] ^= 1 << random.u8(..8),
            2 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.usize(..5)],
            3 => bytes.truncate(place),
            4 => {
                let end = (place + random.usize(..16)).min(bytes.len());
                bytes.drain(place..end);
            }
            5 => {
                let piece: Vec<u8> = bytes[place..(place + 16).min(bytes.len())].to_vec();
                bytes.splice(place..place, piece);
            }
            6 => {
                let other = &seeds[random.usize(..seeds.len())];
                let from = random.usize(..=other.len());
                let to = (from + random.usize(..256)).min(other.len());
                let end = (place + (to - from)).min(bytes.len());
                bytes.splice(place..end, other[from..to].iter().copied());
            }
            _ => {
                let wide = random.u32(..).to_le_bytes();
                for (offset, byte) in wide.into_iter().enumerate() {
                    if let Some(at) = bytes.get_mut(place + offset) {
                        *at = byte;
                    }
                }
            }
        }
    }
    bytes
}

/// Files of the shared data below `folder`, no larger than a megabyte.
fn shared(folder: &str, ends: &[&str]) -> Vec<Vec<u8>> {
    let root = std::env::var_os("HIMIX_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let mut found = Vec::new();
    let mut folders = vec![root.join("data").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end))
                && entry.metadata().is_ok_and(|data| data.len() < 1 << 20)
                && found.len() < 60
            {
                found.extend(std::fs::read(path));
            }
        }
    }
    found
}

fn pictures() -> Vec<Vec<u8>> {
    use image::ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    let grey =
        image::DynamicImage::ImageLuma8(image::GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * y) as u8])));
    let mut all = Vec::new();
    for (format, image) in [Png, Jpeg, Tiff, Bmp, WebP]
        .into_iter()
        .flat_map(|format| [(format, grey.clone()), (format, image::DynamicImage::ImageRgb8(grey.to_rgb8()))])
    {
        let mut bytes = std::io::Cursor::new(Vec::new());
        if image.write_to(&mut bytes, format).is_ok() {
            all.push(bytes.into_inner());
        }
    }
    all
}

fn volume() -> Vec<u8> {
    let mut bytes = vec![0; 352];
    bytes[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (index, side) in [3_i16, 6, 5, 4, 1, 1, 1, 1].iter().enumerate() {
        bytes[40 + 2 * index..42 + 2 * index].copy_from_slice(&side.to_le_bytes());
    }
    bytes[70] = 4;
    bytes[72] = 16;
    bytes[108..112].copy_from_slice(&352_f32.to_le_bytes());
    bytes[344..347].copy_from_slice(b"n+1");
    bytes.extend((0..240).map(|value| value as u8));
    bytes
}

fn main() {
    let minutes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1.0);
    std::panic::set_hook(Box::new(|_| {}));
    let volumes = [vec![volume()], shared("nifti", &[".nii.gz"])].concat();
    let tables: Vec<Vec<u8>> = [
        "Image,Description\na.png,one\nb.png,\"two, three\"\n",
        "file;sentence\na.png;x\n",
        "{\"a.png\": [\"one\"], \"b\": {\"prompts\": {\"p0\": \"\", \"p9\": [\"x\"]}}}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let targets = [
        Target { name: "pictures", file: "picture.png", seeds: pictures(), load: load_scan },
        Target { name: "DICOM", file: "scan.dcm", seeds: shared("dicom", &[".dcm"]), load: load_scan },
        Target { name: "NIfTI", file: "volume.nii.gz", seeds: volumes, load: load_scan },
        Target { name: "CSV tables", file: "prompt/train.csv", seeds: tables.clone(), load: load_table },
        Target { name: "JSON tables", file: "prompt/train.json", seeds: tables, load: load_table },
    ];
    let only: Option<String> = std::env::args().skip(2).find(|argument| argument.parse::<f64>().is_err());
    let mut random = fastrand::Rng::with_seed(std::process::id().into());
    for target in targets.iter().filter(|target| only.as_ref().is_none_or(|name| name == target.name)) {
        if target.seeds.is_empty() {
            println!("{}: no seeds", target.name);
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(target.file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let (mut tries, mut findings, mut slow, mut slowest) = (0_u64, 0, 0, Duration::ZERO);
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < 60.0 * minutes {
            let bytes = mutated(&target.seeds, &mut random);
            std::fs::write(&path, &bytes).expect("written");
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| (target.load)(&path)));
            slowest = slowest.max(start.elapsed());
            tries += 1;
            let is_slow = start.elapsed() > SLOW;
            if outcome.is_err() || is_slow {
                findings += u64::from(outcome.is_err());
                slow += u64::from(is_slow);
                let kept = PathBuf::from("target/findings");
                std::fs::create_dir_all(&kept).expect("a folder");
                std::fs::write(kept.join(format!("{}-{}", target.name, findings + slow)), &bytes)
                    .expect("written");
            }
        }
        let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
        println!(
            "{}: {tries} files, {findings} panics, {slow} that took more than a second, the slowest {:.2} s",
            target.name,
            slowest.as_secs_f64()
        );
        println!(
            "  peak memory of the process so far: {}",
            peak.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        );
    }
}
