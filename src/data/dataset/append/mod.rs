//! Adds a pair to a data set: image, mask, and a row with the prompt. No other file and no other row is touched, and what
//! was written is read again before it counts as saved.

mod row;
mod target;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::listing::{Listing, stem};
use super::marks::{further, is_mask, key};
use super::names::readable;
use super::{Dataset, PairReading, Sample, pair, table};
use crate::data::error::one_line;
use crate::data::image::load_as;
use crate::data::{DataError, Image, Limit, Mask, Pixels, backup_path, write};
use target::{Place, Target};

/// The file whose lock a program holds while it changes the data set.
const LOCK: &str = ".himix-pairs.lock";
/// The most pairs of one name.
const MOST: usize = 10_000;
/// The most letters of a name.
const LONGEST: usize = 120;

/// A pair to be added.
#[derive(Clone, Debug)]
pub struct NewPair<'a> {
    /// The name, without the end of a file: that of the case, with the number of the slice for a stack.
    pub name: &'a str,
    /// The image as the network receives it, before it is resized.
    pub image: &'a Image,
    /// The mask, of the image's size.
    pub mask: &'a Mask,
    /// The prompt. Line breaks become spaces.
    pub prompt: &'a str,
}

/// A pair that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPair {
    /// The folder of the data set.
    pub root: PathBuf,
    /// The split.
    pub split: String,
    /// The file of the image.
    pub image: PathBuf,
    /// The file of the mask.
    pub mask: PathBuf,
    /// Whether the same image was there already, so that its mask was replaced. The mask before is kept once, with `.bak`
    /// at the end of its name.
    pub is_replaced: bool,
    /// The number of pairs that the split has now.
    pub count: usize,
}

/// Adds a pair to the data set in `folder`, or makes the folder a data set in the layout of the authors (`train/Images`,
/// `train/GTs`, `prompt/train.csv`) if it has no images. `split` is the split; by default one pair in five goes to
/// validation, and all images of a subject to one split. If the image is there already, its mask and its prompt are
/// replaced; another image of the same name keeps it, and the new one gets a number.
///
/// Images with more than 16 bits are scaled to 16 bits from their smallest to their largest value, which the
/// normalisation of the network undoes.
///
/// # Errors
/// Returns an error if a file cannot be written or read again, or if the data set has no CSV table to which a row can be
/// added. The data set is then as it was before.
pub fn append(folder: &Path, split: Option<&str>, new: &NewPair<'_>) -> Result<SavedPair, DataError> {
    new.mask.must_fit(folder, new.image.width, new.image.height)?;
    fs::create_dir_all(folder).map_err(|error| DataError::writing(folder, error))?;
    let place = Place::of(folder)?;
    let lock = place.root().join(LOCK);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .map_err(|error| DataError::writing(&lock, error))?;
    // On a file system without locks there is none.
    let _ = lock.lock();

    let image = storable(new.image);
    let name = plain(new.name);
    let reading = PairReading::of(place.root())?;
    let (target, free, known) = match known(&place, &name, &image, &reading)? {
        Some((target, known)) => (target, String::new(), Some(known)),
        None => {
            let target = place.choose(split, &name)?;
            let free = free(&target, &name)?;
            (target, free, None)
        }
    };
    for folder in
        [Some(target.images.as_path()), Some(target.masks.as_path()), target.table.parent()].into_iter().flatten()
    {
        fs::create_dir_all(folder).map_err(|error| DataError::writing(folder, error))?;
    }
    let mut undo = Undo::default();
    let saved = write_pair(&target, &free, known.as_ref(), &image, new, &mut undo);
    if saved.is_err() {
        undo.run();
    }
    saved
}

/// Writes the files of a pair and reads them again.
fn write_pair(
    target: &Target,
    free: &str,
    known: Option<&Sample>,
    image: &Image,
    new: &NewPair<'_>,
    undo: &mut Undo,
) -> Result<SavedPair, DataError> {
    let (image_path, mask_path) = match known {
        Some(known) => (known.image.clone(), known.masks[0].clone()),
        None => (target.images.join(format!("{free}.png")), target.masks.join(mask_name(target, free))),
    };
    match known {
        Some(_) => undo.keep(&mask_path)?,
        None => {
            undo.created.extend([image_path.clone(), mask_path.clone()]);
            write_image(&image_path, image)?;
        }
    }
    let values: Vec<u8> = new.mask.values.iter().map(|value| if *value == 0 { 0 } else { 255 }).collect();
    write::png8(&mask_path, new.mask.width, new.mask.height, &values)?;
    let name = image_path.file_name().map(|name| readable(name).into_owned()).unwrap_or_default();
    let prompt = one_line(&new.prompt);
    if !known.is_some_and(|known| known.prompts().any(|known| known.trim() == prompt.trim())) {
        write_row(&target.table, &name, &prompt, known.is_some(), undo)?;
    }
    let count = read_again(target, &image_path, image, new)?;
    let (root, split) = (target.root.clone(), target.split.clone());
    Ok(SavedPair { root, split, image: image_path, mask: mask_path, is_replaced: known.is_some(), count })
}

/// Adds the row of a pair to its table, or replaces its prompt. Every other byte of the table stays as it is, and every
/// other row is read as before.
fn write_row(path: &Path, name: &str, prompt: &str, replaces: bool, undo: &mut Undo) -> Result<(), DataError> {
    let bytes = if path.exists() { table::bytes(path)? } else { Vec::new() };
    let refuse = |reason: String| DataError::Append { path: path.to_owned(), reason };
    let changed = row::with_row(&bytes, name, prompt, replaces).map_err(refuse)?;
    let read = |bytes: &[u8]| table::of_bytes(path, bytes.to_owned()).map(|(rows, _)| rows);
    let (before, after) = (if bytes.is_empty() { Vec::new() } else { read(&bytes)? }, read(&changed)?);
    let differing = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    let is_kept = match after.len().checked_sub(before.len()) {
        Some(0) => replaces && differing <= 1,
        Some(1) => differing == 0,
        _ => false,
    };
    if !is_kept {
        return Err(refuse("its other rows would not stay as they are".into()));
    }
    let check = |part: &Path| match fs::read(part) {
        Ok(read) if read == changed => Ok(()),
        Ok(_) => Err("it has other bytes".into()),
        Err(error) => Err(error.to_string()),
    };
    write::checked(path, |out| out.write_all(&changed), check)?;
    match bytes.is_empty() {
        true => undo.created.push(path.to_owned()),
        false => undo.before.push((path.to_owned(), bytes)),
    }
    Ok(())
}

/// Reads the pair as a training run does, and returns the number of pairs of its split.
fn read_again(target: &Target, path: &Path, image: &Image, new: &NewPair<'_>) -> Result<usize, DataError> {
    let refuse = |reason: &str| DataError::Append { path: target.root.clone(), reason: reason.to_owned() };
    let dataset = Dataset::open(&target.root, &target.split)?;
    let sample = dataset.samples.iter().find(|sample| sample.image == path);
    let sample = sample.ok_or_else(|| refuse("the data set does not list it afterwards"))?;
    let read = pair::read(sample, &dataset.reading)?;
    if read.mask != *new.mask || read.image.pixels != image.pixels {
        return Err(refuse("it is read in another way than it was written; check himix-data.toml"));
    }
    let prompt = one_line(&new.prompt);
    if !sample.prompts().any(|known| known.trim() == prompt.trim()) {
        return Err(refuse("its prompt is not found afterwards"));
    }
    Ok(dataset.samples.len())
}

/// Returns the pair of the data set that has the same image under this name.
fn known(
    place: &Place,
    name: &str,
    image: &Image,
    reading: &PairReading,
) -> Result<Option<(Target, Sample)>, DataError> {
    for target in place.targets() {
        // A split that nothing can be added to does not matter here.
        let Ok(target) = target else { continue };
        let Ok(dataset) = Dataset::open(&target.root, &target.split) else { continue };
        let is_named = |sample: &&Sample| {
            let bare = key(stem(&sample.name));
            let rest = bare.strip_prefix(key(name).as_str());
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('_').is_some_and(|n| n.parse::<usize>().is_ok())
            })
        };
        for sample in dataset.samples.iter().filter(is_named) {
            let is_same =
                load_as(&sample.image, Limit::default(), reading.orientation).is_ok_and(|known| known == *image);
            if !is_same {
                continue;
            }
            let is_png = sample.masks[0].extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
            if sample.masks.len() > 1 || !is_png {
                let reason = format!("{} is there already, and its mask is not one PNG file", sample.name);
                return Err(DataError::Append { path: target.root, reason });
            }
            return Ok(Some((target, sample.clone())));
        }
    }
    Ok(None)
}

/// Returns the name that is free in the folders of the split: this one, or with a number.
fn free(target: &Target, name: &str) -> Result<String, DataError> {
    let taken: std::collections::HashSet<String> = [&target.images, &target.masks]
        .into_iter()
        .flat_map(|folder| Listing::or_empty(folder).images().map(key).collect::<Vec<_>>())
        .collect();
    let names = std::iter::once(name.to_owned()).chain((2..MOST).map(|number| format!("{name}_{number}")));
    let mut free = names.filter(|name| !taken.contains(&key(name)));
    let reason = || format!("there are {MOST} pairs named {name}");
    free.next().ok_or_else(|| DataError::Append { path: target.images.clone(), reason: reason() })
}

/// Returns the name of a new mask, as the other masks of the folder are named.
fn mask_name(target: &Target, name: &str) -> String {
    if target.masks == target.images {
        return format!("{name}_mask.png");
    }
    let masks = Listing::or_empty(&target.masks);
    let is_plain = masks.images().next().is_some_and(|known| !is_mask(known));
    if is_plain { format!("{name}.png") } else { format!("mask_{name}.png") }
}

/// Returns a name that every file system takes and that is not taken for a mask.
fn plain(name: &str) -> String {
    let safe = |letter: char| letter.is_alphanumeric() || "-_.()".contains(letter);
    let mut plain = String::new();
    for letter in name.trim().chars().take(LONGEST) {
        match letter {
            letter if safe(letter) => plain.push(letter),
            _ if plain.ends_with('_') => {}
            _ => plain.push('_'),
        }
    }
    let plain = plain.trim_matches(['.', '_']);
    let mut plain = if plain.is_empty() { "image".to_owned() } else { plain.to_owned() };
    let is_marked = |name: &str| is_mask(name) || further(name).is_some();
    if is_marked(&plain) {
        plain.insert_str(0, "image_");
    }
    if is_marked(&plain) {
        plain += "_image";
    }
    plain
}

/// Returns the image with 8 or 16 bits.
fn storable(image: &Image) -> Image {
    let Pixels::F32(_) = image.pixels else {
        return if image.channels == 1 { image.clone() } else { of_eight_bits(image) };
    };
    let finite = || image.floats().filter(|value| value.is_finite());
    let low = finite().fold(f32::INFINITY, f32::min);
    let high = finite().fold(f32::NEG_INFINITY, f32::max);
    let scale = if high > low { 1.0 / (f64::from(high) - f64::from(low)) } else { 0.0 };
    let share = |value: f32| if value.is_finite() { (f64::from(value) - f64::from(low)) * scale } else { 0.0 };
    let pixels = match image.channels {
        1 => Pixels::U16(image.floats().map(|value| (share(value) * 65_535.0).round() as u16).collect()),
        _ => Pixels::U8(image.floats().map(|value| (share(value) * 255.0).round() as u8).collect()),
    };
    Image { pixels, ..image.clone() }
}

/// Returns a colour image with 8 bits.
fn of_eight_bits(image: &Image) -> Image {
    match &image.pixels {
        Pixels::U16(values) => {
            let pixels = Pixels::U8(values.iter().map(|value| ((u32::from(*value) + 128) / 257) as u8).collect());
            Image { pixels, ..image.clone() }
        }
        _ => image.clone(),
    }
}

fn write_image(path: &Path, image: &Image) -> Result<(), DataError> {
    let (width, height) = (image.width, image.height);
    match &image.pixels {
        Pixels::U8(values) if image.channels == 3 => write::png_rgb(path, width, height, values),
        Pixels::U8(values) => write::png8(path, width, height, values),
        Pixels::U16(values) => write::png16(path, width, height, values),
        Pixels::F32(_) => write_image(path, &storable(image)),
    }
}

/// How a data set becomes what it was before.
#[derive(Default)]
struct Undo {
    /// Files that did not exist.
    created: Vec<PathBuf>,
    /// Files with their content before.
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl Undo {
    /// Keeps the content of a file, and once a copy beside it.
    fn keep(&mut self, path: &Path) -> Result<(), DataError> {
        let bytes = fs::read(path).map_err(|error| DataError::reading(path, &error))?;
        let copy = backup_path(path);
        if !copy.exists() {
            write::bytes(&copy, &bytes)?;
            self.created.push(copy);
        }
        self.before.push((path.to_owned(), bytes));
        Ok(())
    }

    /// Restores everything, as far as the system permits.
    fn run(self) {
        for path in self.created {
            let _ = fs::remove_file(path);
        }
        for (path, bytes) in self.before {
            let _ = write::bytes(&path, &bytes);
        }
    }
}
