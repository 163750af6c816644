//! Finds the pairs of image and mask in a split, and the files without a partner.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::finding::{Finding, Problem};
use super::layout::{Share, Source};
use super::listing::{Listing, stem};
use super::marks::{Further, further, is_mask, key};
use super::names::{fold, mended, natural, readable};
use super::{Sample, table};
use crate::data::DataError;

/// The image files and the mask files of a split.
struct Files {
    images: Listing,
    /// Maps keys to the names of images.
    by_key: HashMap<String, Vec<String>>,
    masks: Vec<MaskFiles>,
}

/// The mask files of a folder.
struct MaskFiles {
    listing: Listing,
    /// Maps keys to the names of masks.
    by_key: HashMap<String, Vec<String>>,
    /// Maps keys to the names of the second and further masks of an image.
    further: HashMap<String, Vec<(Further, String)>>,
}

/// Returns the pairs of a split, in the order of its table or of the names if it has none, and the problems
/// found.
///
/// # Errors
/// Returns an error if the table or the list of the split cannot be read, or if there is no pair.
pub fn pairs(source: &Source) -> Result<(Vec<Sample>, Vec<Finding>), DataError> {
    let (rows, remarks) = match &source.table {
        Some(path) => table::read(path)?,
        None => (Vec::new(), Vec::new()),
    };
    let mut findings: Vec<Finding> =
        remarks.into_iter().map(|remark| Finding::new(Problem::Table, remark)).collect();
    if let (Some(path), true) = (&source.table, rows.is_empty()) {
        return Err(DataError::EmptySplit { path: path.clone() });
    }
    let files = Files::of(source);
    let belongs = share(source)?;

    let mut samples: Vec<Sample> = Vec::new();
    // The images of the rows so far, with the place of their sample if they have one.
    let mut seen: HashMap<String, Option<usize>> = HashMap::new();
    let (mut first_missing, mut missing) = (None, 0);
    let count = rows.len();
    for row in rows {
        let Some(image) = files.image(&row.name) else {
            if belongs(&row.name) {
                missing += 1;
                let path = files.images.path().join(&row.name);
                findings.push(Finding::new(Problem::MissingImage, format!("line {}: {}", row.line, row.name)));
                first_missing.get_or_insert((row.line, path));
            }
            continue;
        };
        if !belongs(&image) {
            continue;
        }
        if let Some(place) = seen.get(&image) {
            let sample = place.and_then(|place| samples.get_mut(place));
            if !sample.is_some_and(|sample| add_prompt(&mut sample.prompt, &mut sample.variants, row.prompt)) {
                findings.push(Finding::new(Problem::DuplicateRow, format!("line {}: {image}", row.line)));
            }
            continue;
        }
        let masks = files.masks(&image);
        if masks.is_empty() {
            missing += 1;
            let wanted = source.masks.first().map_or_else(|| files.images.path().to_owned(), PathBuf::clone);
            first_missing.get_or_insert((row.line, wanted.join(format!("mask_{image}"))));
            findings.push(Finding::new(Problem::MissingMask, image.clone()));
            seen.insert(image, None);
            continue;
        }
        seen.insert(image.clone(), Some(samples.len()));
        let (path, variants) = (files.images.join(&image), Vec::new());
        samples.push(Sample { image: path, masks, prompt: row.prompt, variants, name: image });
    }
    let blank = samples.iter().filter(|sample| sample.prompt.trim().is_empty());
    findings.extend(blank.map(|sample| Finding::new(Problem::EmptyPrompt, sample.name.clone())));
    let several = samples.iter().filter(|sample| !sample.variants.is_empty());
    let several = several.map(|sample| format!("{}: {}", sample.name, sample.prompts().count()));
    findings.extend(several.map(|what| Finding::new(Problem::SeveralPrompts, what)));

    files.without_row(source, &belongs, &seen.into_keys().collect(), &mut samples, &mut findings);
    let several = samples.iter().filter(|sample| sample.masks.len() > 1);
    let several = several.map(|sample| format!("{}: {}", sample.name, sample.masks.len()));
    findings.extend(several.map(|what| Finding::new(Problem::SeveralMasks, what)));
    if samples.is_empty() {
        return Err(refusal(source, &files, first_missing, missing, count));
    }
    Ok((samples, findings))
}

/// Adds a prompt to those of an image: as its first one if that is blank, otherwise as a variant. Returns `false` if it
/// is blank or the image has it already.
fn add_prompt(first: &mut String, variants: &mut Vec<String>, prompt: String) -> bool {
    let is_new = |known: &String| known.trim() != prompt.trim();
    if prompt.trim().is_empty() || !is_new(first) || !variants.iter().all(is_new) {
        return false;
    }
    if first.trim().is_empty() {
        *first = prompt;
    } else {
        variants.push(prompt);
    }
    true
}

/// An image of a split with its masks and prompt, as far as they exist.
pub struct Known {
    /// The image's file name, readable.
    pub name: String,
    /// The image's file.
    pub image: PathBuf,
    /// The files of the masks; empty if there are none.
    pub masks: Vec<PathBuf>,
    /// The prompt, unchanged; empty if there is none.
    pub prompt: String,
    /// The other prompts of the image; usually none.
    pub variants: Vec<String>,
}

/// Returns the images of a split: first those that its table names, in the order of the table, then the others
/// in natural order. The others are left out if the table decides which images belong to the split.
///
/// # Errors
/// Returns an error if the table or the list of the split cannot be read.
pub fn known(source: &Source) -> Result<Vec<Known>, DataError> {
    let rows = source.table.as_ref().map_or(Ok(Vec::new()), |path| table::read(path).map(|(rows, _)| rows))?;
    let files = Files::of(source);
    let belongs = share(source)?;
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<Known> = Vec::new();
    let mut add = |name: String, prompt: String| {
        if let Some(place) = seen.get(&name) {
            let known = &mut found[*place];
            add_prompt(&mut known.prompt, &mut known.variants, prompt);
        } else if belongs(&name) {
            seen.insert(name.clone(), found.len());
            let (image, masks) = (files.images.join(&name), files.masks(&name));
            found.push(Known { name, image, masks, prompt, variants: Vec::new() });
        }
    };
    for row in rows {
        if let Some(name) = files.image(&row.name) {
            add(name, row.prompt);
        }
    }
    if source.share != Share::ByTable {
        let mut rest: Vec<&String> = files.by_key.values().flatten().collect();
        rest.sort_by(|a, b| natural(a, b));
        rest.into_iter().for_each(|name| add(name.clone(), String::new()));
    }
    Ok(found)
}

/// Returns the error that explains why a split has no pair.
fn refusal(
    source: &Source,
    files: &Files,
    first_missing: Option<(u64, PathBuf)>,
    missing: usize,
    rows: usize,
) -> DataError {
    if files.by_key.is_empty() && source.table.is_none() {
        return DataError::NoImages { path: source.images.clone() };
    }
    let has_masks = files.masks.iter().any(|masks| !masks.by_key.is_empty());
    match (&source.table, first_missing) {
        (Some(path), Some((line, first))) if has_masks || !files.by_key.contains_key(&key(&name_of(&first))) => {
            DataError::MissingFiles { path: path.clone(), line, first, missing, rows }
        }
        _ if has_masks => {
            let available = match source.share {
                Share::Tenths(_) => "too few images: none falls into this tenth; use the split 'all'",
                _ => "images of other names only",
            };
            let available = available.into();
            DataError::NoSplit { path: source.images.clone(), split: source.name.clone(), available }
        }
        _ => DataError::NoMasks { path: source.images.clone(), split: source.name.clone() },
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| readable(name).into_owned()).unwrap_or_default()
}

/// A function that returns whether the image of a name belongs to the split.
type Belongs = Box<dyn Fn(&str) -> bool>;

/// Returns the function that decides which images belong to the split.
///
/// # Errors
/// Returns an error if the list of the split cannot be read.
fn share(source: &Source) -> Result<Belongs, DataError> {
    Ok(match &source.share {
        Share::All | Share::ByTable => Box::new(|_| true),
        Share::Tenths(range) => {
            let range = range.clone();
            Box::new(move |name| Share::of_tenth(&range, name))
        }
        Share::Listed(path) => {
            let text = table::text(path)?;
            let spellings = |line: &str| [Some(key(line)), mended(line).map(|line| key(&line))];
            let names: HashSet<String> = text.lines().flat_map(|line| spellings(line.trim())).flatten().collect();
            Box::new(move |name| names.contains(&key(name)))
        }
    })
}

impl Files {
    fn of(source: &Source) -> Self {
        let images = Listing::or_empty(&source.images);
        let is_mixed = source.masks.contains(&source.images);
        let mut by_key: HashMap<String, Vec<String>> = HashMap::new();
        let mut numbered = Vec::new();
        for name in images.images().filter(|name| !is_mixed || !is_mask(name)) {
            match further(name).filter(|_| is_mixed) {
                Some(further) => numbered.push((further, name)),
                None => by_key.entry(key(name)).or_default().push(name.to_owned()),
            }
        }
        // Among the images, a numbered name is a mask only if there is an image for it.
        for (further, name) in numbered {
            if !by_key.contains_key(&further.key) {
                by_key.entry(key(name)).or_default().push(name.to_owned());
            }
        }
        let masks = source.masks.iter().map(|folder| MaskFiles::of(folder, &source.images, &by_key)).collect();
        Self { images, by_key, masks }
    }

    /// Returns the name of the image that a row names. The row may add `mask_`, differ in case, or lack the
    /// extension. `None` if there is no such image.
    fn image(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        let bare = name.get(..5).filter(|start| start.eq_ignore_ascii_case("mask_")).map_or(name, |_| &name[5..]);
        let exact = [name, bare].into_iter().find_map(|name| self.images.find(name));
        let Some(found) = exact.or_else(|| self.by_key.get(&key(bare)).map(|names| names[0].as_str())) else {
            return mended(name).and_then(|name| self.image(&name));
        };
        // A mask that lies among the images is not the image of a row.
        self.by_key.contains_key(&key(found)).then(|| found.to_owned())
    }

    /// Returns the masks of an image, from the first folder that has any; empty if there are none.
    fn masks(&self, image: &str) -> Vec<PathBuf> {
        let mut found = self.masks.iter().map(|masks| masks.of_image(image));
        found.find(|masks| !masks.is_empty()).unwrap_or_default()
    }

    /// Handles the images that no row names. In a folder without a table they become pairs with an empty prompt;
    /// otherwise they are problems. Masks without an image are listed as well.
    fn without_row(
        &self,
        source: &Source,
        belongs: &dyn Fn(&str) -> bool,
        seen: &HashSet<String>,
        samples: &mut Vec<Sample>,
        findings: &mut Vec<Finding>,
    ) {
        // Images in the table of another split are not a problem of this one.
        if source.share == Share::ByTable {
            return;
        }
        let seen_keys: HashSet<String> = seen.iter().map(|name| key(name)).collect();
        let mut rest: Vec<&String> =
            self.by_key.iter().filter(|(key, _)| !seen_keys.contains(*key)).flat_map(|(_, names)| names).collect();
        rest.sort();
        for name in rest.into_iter().filter(|name| belongs(name)) {
            let masks = self.masks(name);
            match (masks.is_empty(), &source.table) {
                (false, None) => {
                    findings.push(Finding::new(Problem::EmptyPrompt, name.clone()));
                    let image = self.images.join(name);
                    let (prompt, variants) = (String::new(), Vec::new());
                    samples.push(Sample { image, masks, prompt, variants, name: name.clone() });
                }
                (false, Some(_)) => findings.push(Finding::new(Problem::NoPrompt, name.clone())),
                (true, None) => findings.push(Finding::new(Problem::MissingMask, name.clone())),
                (true, Some(_)) => {}
            }
        }
        // If several splits share the images, only the split of all images reports masks without an image.
        if source.share == Share::All {
            let by_key = self.masks.iter().flat_map(|masks| &masks.by_key);
            let mut alone: Vec<&String> =
                by_key.filter(|(key, _)| !self.by_key.contains_key(*key)).flat_map(|(_, names)| names).collect();
            alone.sort_by(|a, b| natural(a, b));
            alone.dedup();
            findings.extend(alone.into_iter().map(|name| Finding::new(Problem::MissingPartner, name.clone())));
        }
    }
}

impl MaskFiles {
    /// Lists the masks in `folder` for the images with these keys, which lie in the folder `images`.
    fn of(folder: &Path, images: &Path, image_keys: &HashMap<String, Vec<String>>) -> Self {
        let listing = Listing::or_empty(folder);
        let is_mixed = folder == images;
        let (mut by_key, mut numbered) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for name in listing.images() {
            // If there is an image for the name with its number, this is the mask of that image.
            let further = further(name)
                .filter(|further| image_keys.contains_key(&further.key) && !image_keys.contains_key(&key(name)));
            match further {
                Some(further) => numbered.entry(further.key.clone()).or_default().push((further, name.to_owned())),
                None if is_mixed && !is_mask(name) => {}
                None => by_key.entry(key(name)).or_default().push(name.to_owned()),
            }
        }
        Self { listing, by_key, further: numbered }
    }

    /// Returns the masks of an image: the one with the most similar name, followed by the numbered ones that
    /// belong to it.
    fn of_image(&self, image: &str) -> Vec<PathBuf> {
        let folded = fold(stem(image));
        let wanted =
            [format!("mask_{}", fold(image)), fold(image), format!("mask_{folded}.png"), format!("{folded}.png")];
        let rank = |name: &&String| {
            let name = fold(name);
            wanted.iter().position(|wanted| *wanted == name).unwrap_or(9)
        };
        let image_key = key(image);
        let first = self.by_key.get(&image_key).and_then(|names| names.iter().min_by_key(rank));
        let mut names: Vec<&String> = first.into_iter().collect();
        if let Some(further) = self.further.get(&image_key) {
            // If masks have different marks (x_mask, x_seg), those with the same mark belong together.
            let first = first.map(|name| fold(stem(name)));
            let marked = first.filter(|stem| further.iter().any(|(further, _)| further.first == *stem));
            let marked = marked.or_else(|| further.iter().map(|(further, _)| further.first.clone()).min());
            let mut rest: Vec<&String> = further
                .iter()
                .filter(|(further, _)| Some(&further.first) == marked.as_ref())
                .map(|(_, name)| name)
                .collect();
            rest.sort_by(|a, b| natural(a, b));
            // The same mask in two formats is one mask.
            rest.dedup_by_key(|name| fold(stem(name)));
            names.extend(rest);
        }
        names.into_iter().map(|name| self.listing.join(name)).collect()
    }
}

/// Returns the masks of the image `name` in `folder`, searched in the folders that are usual in data sets.
pub fn masks_beside(folder: &Path, name: &OsStr) -> Vec<PathBuf> {
    let Ok(here) = Listing::of(folder) else { return Vec::new() };
    let Some(name) = here.name_of(name) else { return Vec::new() };
    let parent = folder.parent().map(Listing::or_empty).unwrap_or_default();
    let in_masks = folder.file_name().is_some_and(|name| {
        super::layout::MASKS.iter().any(|known| name.to_string_lossy().eq_ignore_ascii_case(known))
    });
    if is_mask(name) || in_masks {
        return Vec::new();
    }
    let mut masks = here.all_folders(super::layout::MASKS);
    masks.extend(parent.all_folders(super::layout::MASKS));
    masks.push(folder.to_owned());
    let source = Source { name: String::new(), table: None, images: folder.to_owned(), masks, share: Share::All };
    let files = Files::of(&source);
    let is_further = |masks: &MaskFiles| masks.further.values().flatten().any(|(_, further)| further == name);
    if files.masks.last().is_some_and(is_further) {
        return Vec::new();
    }
    files.masks(name)
}
