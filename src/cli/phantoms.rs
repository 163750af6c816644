//! `himix phantoms`: creates a data set of synthetic images.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::phantom::{Kind, Phantom, SPLITS, phantom, split};
use himix::data::{Pixels, write};

use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix phantoms --out phantoms --count 300
  himix phantoms --out polyps --kind endoscopy --count 100 --seed 7 --side 256

The folder becomes a data set in the HiMix authors' layout, split 80 : 10 : 10 into train, val and test. If there are few images,
the last ones of each kind are for val and test. \"Left\" and \"right\" in the prompts are sides of the image.";

/// Make a data set of synthetic images with lesions, their masks and prompts
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PhantomArguments {
    /// Folder for the data set; it must be empty or not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Kind of image: xray, ct or endoscopy; may be repeated [default: all]
    #[arg(long, value_name = "KIND")]
    kind: Vec<Kind>,
    /// Total number of images
    #[arg(long, value_name = "N", default_value = "300", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: u64,
    /// Seed of the random numbers; another seed gives other images
    #[arg(long, value_name = "SEED", default_value = "0")]
    seed: u64,
    /// Side of the square images in pixels
    #[arg(long, value_name = "PIXELS", default_value = "224", value_parser = clap::value_parser!(u64).range(64..=1024))]
    side: u64,
}

/// Runs the command.
pub fn run(arguments: &PhantomArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    let is_taken = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken {
        return Err(Failure::input(format!("{}: the folder is not empty; choose another", out.display())));
    }
    let kinds = if arguments.kind.is_empty() { Kind::ALL.to_vec() } else { arguments.kind.clone() };
    let part = |index| split(index, arguments.count, kinds.len() as u64);
    // A split without images gets no folder and no table.
    let mut tables = SPLITS.map(|_| String::new());
    for (place, name) in SPLITS.iter().enumerate() {
        if (0..arguments.count).any(|index| part(index) == place) {
            for folder in ["Images", "GTs"] {
                make_folder(&out.join(name).join(folder))?;
            }
        }
    }
    make_folder(&out.join("prompt"))?;
    let bar = terminal::bar(arguments.count as usize, "images");
    for index in 0..arguments.count {
        let kind = kinds[index as usize % kinds.len()];
        let made = phantom(kind, arguments.seed, index, arguments.side as usize);
        let name = format!("{kind}_{:05}.png", index + 1);
        put(&out.join(SPLITS[part(index)]), &name, &made)?;
        tables[part(index)] += &format!("{name},\"{}\"\n", made.prompt);
        bar.inc(1);
    }
    bar.finish_and_clear();
    // The tables are written last, because an incomplete folder without them is not taken for a data set.
    let written = || SPLITS.iter().zip(&tables).filter(|(_, table)| !table.is_empty());
    for (split, table) in written() {
        let text = format!("Image,Description\n{table}");
        write::bytes(&out.join("prompt").join(format!("{split}.csv")), text.as_bytes())?;
    }
    let counts: Vec<String> =
        written().map(|(split, table)| format!("{} {split}", table.lines().count())).collect();
    let images = if arguments.count == 1 { "image" } else { "images" };
    terminal::print(&format!("{}: {} {images} ({})", out.display(), arguments.count, counts.join(", ")))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| {
        Failure::work(format!("{}: the folder cannot be created ({error}); choose another", path.display()))
    })
}

fn put(folder: &Path, name: &str, made: &Phantom) -> Result<(), Failure> {
    let (width, height) = (made.image.width, made.image.height);
    let path = folder.join("Images").join(name);
    if let Pixels::U8(bytes) = &made.image.pixels {
        match made.image.channels {
            1 => write::png8(&path, width, height, bytes)?,
            _ => write::png_rgb(&path, width, height, bytes)?,
        }
    }
    let mask: Vec<u8> = made.mask.values.iter().map(|value| value * 255).collect();
    Ok(write::png8(&folder.join("GTs").join(format!("mask_{name}")), width, height, &mask)?)
}
