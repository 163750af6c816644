//! The pairs of a split, and what has no partner.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Problem};
use super::layout::{Share, Source};
use super::listing::{Listing, is_mask, key, stem};
use super::{Sample, table};
use crate::data::DataError;

/// Image files of a split by key, and how masks are found for them.
struct Files {
    images: Listing,
    /// Key to names of images.
    by_key: HashMap<String, Vec<String>>,
    masks: Vec<(Listing, HashMap<String, Vec<String>>)>,
}

/// The pairs of a split in the order of its table, or of their names where it has none.
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

    let mut samples = Vec::new();
    let mut seen = HashSet::new();
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
        if !seen.insert(image.clone()) {
            findings.push(Finding::new(Problem::DuplicateRow, format!("line {}: {image}", row.line)));
            continue;
        }
        let Some(mask) = files.mask(&image) else {
            missing += 1;
            let wanted = source.masks.first().map_or_else(|| files.images.path().to_owned(), PathBuf::clone);
            first_missing.get_or_insert((row.line, wanted.join(format!("mask_{image}"))));
            findings.push(Finding::new(Problem::MissingMask, image));
            continue;
        };
        if row.sentence.trim().is_empty() {
            findings.push(Finding::new(Problem::EmptySentence, image.clone()));
        }
        samples.push(Sample { image: files.images.path().join(&image), mask, prompt: row.sentence, name: image });
    }

    files.without_row(source, &belongs, &seen, &mut samples, &mut findings);
    if samples.is_empty() {
        return Err(refusal(source, &files, first_missing, missing, count));
    }
    Ok((samples, findings))
}

/// Why a split has no pair at all.
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
    let has_masks = files.masks.iter().any(|(_, by_key)| !by_key.is_empty());
    match (&source.table, first_missing) {
        (Some(path), Some((line, first))) if has_masks || !files.by_key.contains_key(&key(&name_of(&first))) => {
            DataError::MissingFiles { path: path.clone(), line, first, missing, rows }
        }
        _ if has_masks => {
            let available = "images of other names only".into();
            DataError::NoSplit { path: source.images.clone(), split: source.name.clone(), available }
        }
        _ => DataError::NoMasks { path: source.images.clone(), split: source.name.clone() },
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether the image of a name belongs to the split.
type Belongs = Box<dyn Fn(&str) -> bool>;

/// Which images belong to the split.
fn share(source: &Source) -> Result<Belongs, DataError> {
    Ok(match &source.share {
        Share::All | Share::ByTable => Box::new(|_| true),
        Share::Tenths(range) => {
            let range = range.clone();
            Box::new(move |name| Share::of_tenth(&range, name))
        }
        Share::Listed(path) => {
            let text = table::text(path)?;
            let names: HashSet<String> = text.lines().map(|line| key(line.trim())).collect();
            Box::new(move |name| names.contains(&key(name)))
        }
    })
}

impl Files {
    fn of(source: &Source) -> Self {
        let images = Listing::or_empty(&source.images);
        let is_mixed = source.masks.contains(&source.images);
        let mut by_key: HashMap<String, Vec<String>> = HashMap::new();
        for name in images.images().filter(|name| !is_mixed || !is_mask(name)) {
            by_key.entry(key(name)).or_default().push(name.to_owned());
        }
        let masks = source.masks.iter().map(|folder| {
            let listing = Listing::or_empty(folder);
            let mut by_key: HashMap<String, Vec<String>> = HashMap::new();
            for name in listing.images().filter(|name| folder != &source.images || is_mask(name)) {
                by_key.entry(key(name)).or_default().push(name.to_owned());
            }
            (listing, by_key)
        });
        let masks = masks.collect();
        Self { images, by_key, masks }
    }

    /// The image that a row names: as it is written, without `mask_`, in another case, without its ending.
    fn image(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        let bare = name.get(..5).filter(|start| start.eq_ignore_ascii_case("mask_")).map_or(name, |_| &name[5..]);
        let exact = [name, bare].into_iter().find_map(|name| self.images.find(name));
        let found = exact.or_else(|| self.by_key.get(&key(bare)).map(|names| names[0].as_str()))?;
        // A mask among the images is not the image of its row.
        self.by_key.contains_key(&key(found)).then(|| found.to_owned())
    }

    /// Its mask: of several the one that is called most like it, in the first folder that has one.
    fn mask(&self, image: &str) -> Option<PathBuf> {
        let stem = stem(image).to_lowercase();
        let wanted = [
            format!("mask_{image}").to_lowercase(),
            image.to_lowercase(),
            format!("mask_{stem}.png"),
            format!("{stem}.png"),
        ];
        self.masks.iter().find_map(|(listing, by_key)| {
            let names = by_key.get(&key(image))?;
            let rank =
                |name: &&String| wanted.iter().position(|wanted| *wanted == name.to_lowercase()).unwrap_or(9);
            names.iter().min_by_key(rank).map(|name| listing.path().join(name))
        })
    }

    /// Images that no row names: pairs of a folder without a table, otherwise something to tell.
    fn without_row(
        &self,
        source: &Source,
        belongs: &dyn Fn(&str) -> bool,
        seen: &HashSet<String>,
        samples: &mut Vec<Sample>,
        findings: &mut Vec<Finding>,
    ) {
        // Images that another split's table names are no trouble of this one.
        if source.share == Share::ByTable {
            return;
        }
        let seen_keys: HashSet<String> = seen.iter().map(|name| key(name)).collect();
        let mut rest: Vec<&String> =
            self.by_key.iter().filter(|(key, _)| !seen_keys.contains(*key)).flat_map(|(_, names)| names).collect();
        rest.sort();
        for name in rest.into_iter().filter(|name| belongs(name)) {
            let path = self.images.path().join(name);
            match (self.mask(name), &source.table) {
                (Some(mask), None) => {
                    findings.push(Finding::new(Problem::EmptySentence, name.clone()));
                    samples.push(Sample { image: path, mask, prompt: String::new(), name: name.clone() });
                }
                (Some(_), Some(_)) => findings.push(Finding::new(Problem::NoSentence, name.clone())),
                (None, None) => findings.push(Finding::new(Problem::MissingMask, name.clone())),
                (None, Some(_)) => {}
            }
        }
        // Of images that several splits share, a mask without one is told once, by the whole.
        if source.share == Share::All {
            let by_key = self.masks.iter().flat_map(|(_, by_key)| by_key);
            let mut alone: Vec<&String> =
                by_key.filter(|(key, _)| !self.by_key.contains_key(*key)).flat_map(|(_, names)| names).collect();
            alone.sort();
            alone.dedup();
            findings.extend(alone.into_iter().map(|name| Finding::new(Problem::MissingPartner, name.clone())));
        }
    }
}

/// The mask of an image by the folders that data sets have.
pub fn mask_beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let here = Listing::of(folder).ok()?;
    let parent = folder.parent().map(Listing::or_empty).unwrap_or_default();
    let in_masks = folder.file_name().is_some_and(|name| {
        super::layout::MASKS.iter().any(|known| name.to_string_lossy().eq_ignore_ascii_case(known))
    });
    if is_mask(name) || in_masks {
        return None;
    }
    let mut masks = here.all_folders(super::layout::MASKS);
    masks.extend(parent.all_folders(super::layout::MASKS));
    masks.push(folder.to_owned());
    let source = Source { name: String::new(), table: None, images: folder.to_owned(), masks, share: Share::All };
    Files::of(&source).mask(name)
}
