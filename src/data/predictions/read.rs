//! Reads a folder of predictions, with or without its description.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST, Manifest, PredictedCase};
use super::{listed, png_name};
use crate::data::dataset::{fold, natural, readable};
use crate::data::volume::StoredPixels;
use crate::data::{DataError, Limit, Orientation, decode};

/// The signature and the header of a PNG, in bytes.
const HEADER: usize = 33;

/// A folder of predictions.
#[derive(Clone, Debug)]
pub struct Predictions {
    folder: PathBuf,
    /// The description; `None` if there are only PNG files.
    pub manifest: Option<Manifest>,
    /// The names of the PNG files, if there is no description.
    files: Vec<String>,
}

/// The predictions of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The file of the probabilities.
    file: PathBuf,
    /// What the description says of the image; `None` without one.
    pub case: Option<PredictedCase>,
    bits: Option<u8>,
}

impl Predictions {
    /// Opens a folder. The PNG files are not read.
    ///
    /// # Errors
    /// The folder cannot be read, its description is invalid ([`Manifest::open`]), or it has neither a description nor
    /// PNG files.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let entries = fs::read_dir(folder).map_err(|error| DataError::reading(folder, &error))?;
        let manifest = Manifest::open(folder)?;
        let mut files = Vec::new();
        if manifest.is_none() {
            for entry in entries {
                let entry = entry.map_err(|error| DataError::reading(folder, &error))?;
                let name = readable(&entry.file_name()).into_owned();
                if fold(&name).ends_with(".png") && entry.path().is_file() {
                    files.push(name);
                }
            }
            files.sort_by(|a, b| natural(a, b));
        }
        if manifest.as_ref().map_or(files.len(), |manifest| manifest.cases.len()) == 0 {
            let reason = format!(
                "there are no predictions in it; give a folder with a grey PNG for each image, with or without {MANIFEST}"
            );
            return Err(DataError::Predictions { path: folder.to_owned(), reason });
        }
        Ok(Self { folder: folder.to_owned(), manifest, files })
    }

    /// Returns why the model did not predict an image, if the description says so.
    pub fn left_out(&self, name: &str) -> Option<&str> {
        let known = self.manifest.iter().flat_map(|manifest| &manifest.left_out);
        known
            .filter(|left_out| fold(&left_out.image) == fold(name))
            .map(|left_out| left_out.reason.as_str())
            .next()
    }

    /// Returns the predictions of every image of `names`, in their order. Without a description, the file of an image is
    /// the PNG of its name ([`png_name`]), or else the one of its name with the extension replaced. With `is_part`, the folder
    /// may have predictions of further images.
    ///
    /// # Errors
    /// Two images have one name or one file, or the predictions are of other images than these; the message says which
    /// are missing and which are too many.
    pub fn matched(&self, names: &[&str], is_part: bool) -> Result<Vec<Found>, DataError> {
        let refuse = |reason: String| DataError::Predictions { path: self.folder.clone(), reason };
        let mut stored: HashMap<String, Found> = HashMap::new();
        match &self.manifest {
            Some(manifest) => {
                for case in &manifest.cases {
                    let file = self.folder.join(&case.file);
                    let found = Found { file, case: Some(case.clone()), bits: Some(manifest.bits) };
                    stored.insert(fold(&case.image), found);
                }
            }
            None => {
                for name in &self.files {
                    let found = Found { file: self.folder.join(name), case: None, bits: None };
                    if stored.insert(fold(name), found).is_some() {
                        return Err(refuse(format!(
                            "there are two files whose names differ from {name} only in case; give each image one"
                        )));
                    }
                }
            }
        }
        let mut owners: HashMap<String, &str> = HashMap::new();
        let (mut all, mut missing) = (Vec::with_capacity(names.len()), Vec::new());
        for name in names {
            let keys = match &self.manifest {
                Some(_) => vec![fold(name)],
                None => {
                    let stem = Path::new(name).with_extension("png");
                    vec![fold(&png_name(name)), fold(&stem.to_string_lossy())]
                }
            };
            let Some(key) = keys.into_iter().find(|key| stored.contains_key(key)) else {
                missing.push((*name).to_owned());
                continue;
            };
            all.extend(stored.get(&key).cloned());
            if let Some(other) = owners.insert(key, name) {
                return Err(refuse(format!(
                    "{other} and {name} of the data set share one prediction; name the files {} and {}",
                    png_name(other),
                    png_name(name)
                )));
            }
        }
        let file_name = |found: &Found| found.file.file_name().map(|name| readable(name).into_owned());
        let extra = stored.iter().filter(|(key, _)| !is_part && !owners.contains_key(*key));
        let name_of = |found: &Found| match &found.case {
            Some(case) => Some(case.image.clone()),
            None => file_name(found),
        };
        let mut extra: Vec<String> = extra.filter_map(|(_, found)| name_of(found)).collect();
        extra.sort_by(|a, b| natural(a, b));
        if missing.is_empty() && extra.is_empty() {
            return Ok(all);
        }
        let mut parts = Vec::new();
        if !missing.is_empty() {
            let count = missing.len();
            let have = if count == 1 { "has" } else { "have" };
            parts.push(format!(
                "{count} of the {} images {have} no prediction ({})",
                names.len(),
                listed(&missing)
            ));
        }
        if !extra.is_empty() {
            let are = if extra.len() == 1 { "prediction is" } else { "predictions are" };
            parts.push(format!("{} {are} of no image of the data set ({})", extra.len(), listed(&extra)));
        }
        Err(refuse(format!("{}; give the predictions of this data set and split", parts.join(", and "))))
    }
}

impl Found {
    /// Returns the file of the probabilities.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Reads the probabilities, `width * height` values of 0…1, row-major.
    ///
    /// # Errors
    /// The file cannot be read, is no grey PNG of 8 or 16 bits, has another number of bits than its description says, or
    /// another size than the image.
    pub fn read(&self, [width, height]: [usize; 2]) -> Result<Vec<f32>, DataError> {
        let path = &self.file;
        let refuse = |reason: String| DataError::Predictions { path: path.clone(), reason };
        let bits = bits(path)?;
        if let Some(said) = self.bits.filter(|said| *said != bits) {
            return Err(refuse(format!(
                "it has {bits} bits for a pixel and {MANIFEST} says {said}; correct one of them"
            )));
        }
        let raster = decode::raster(path, Limit::default(), Orientation::AsStored)?;
        if (raster.columns, raster.rows) != (width, height) {
            return Err(refuse(format!(
                "it is {}x{} but the image is {width}x{height}; give the probabilities at the size of the image",
                raster.columns, raster.rows
            )));
        }
        match raster.values {
            StoredPixels::U8(values) => Ok(values.iter().map(|value| f32::from(*value) / 255.0).collect()),
            StoredPixels::U16(values) => Ok(values.iter().map(|value| f32::from(*value) / 65_535.0).collect()),
            _ => Err(refuse("its pixels are no whole numbers; write a grey PNG of 8 or 16 bits".into())),
        }
    }
}

/// Returns the bits of a pixel of a grey PNG (PNG, third edition, 11.2.1: bit depth and colour type).
fn bits(path: &Path) -> Result<u8, DataError> {
    let refuse = |reason: &str| DataError::Predictions {
        path: path.to_owned(),
        reason: format!("{reason}; write the probabilities as a grey PNG of 8 or 16 bits without transparency"),
    };
    let file = File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let mut bytes = Vec::new();
    file.take(HEADER as u64).read_to_end(&mut bytes).map_err(|error| DataError::reading(path, &error))?;
    if bytes.len() < HEADER || !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(refuse("it is no PNG"));
    }
    match (bytes[24], bytes[25]) {
        (bits @ (8 | 16), 0) => Ok(bits),
        (_, 0) => Err(refuse("its pixels have fewer than 8 bits")),
        (_, 4) => Err(refuse("it has an alpha channel")),
        (_, 3) => Err(refuse("its pixels are colours of a palette")),
        _ => Err(refuse("its pixels are colours")),
    }
}
