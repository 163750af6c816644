//! The description of a folder of predictions, `predictions.json`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::DataError;
use crate::data::dataset::fold;

/// The file with the description.
pub const MANIFEST: &str = "predictions.json";
/// The name of the format, by which the file is told from other JSON.
pub const FORMAT: &str = "himix-predictions";
/// The version of the format.
pub const VERSION: u32 = 1;
/// The largest description that is read, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// What is known of the model and of the images. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The name of the model.
    #[serde(default)]
    pub model: String,
    /// Where its weights come from.
    #[serde(default)]
    pub description: String,
    /// A hash of the files that decide its masks, by which a folder is not continued with another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_content: Option<String>,
    /// The name of the data set.
    #[serde(default)]
    pub data: String,
    /// The split.
    #[serde(default)]
    pub split: String,
    /// The probability from which a pixel is foreground, 0…1. At this threshold the stored probabilities give exactly the
    /// masks of the model; at others, a pixel whose probability is within the rounding may differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// The number of parameters of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// The multiplications and additions of one pass in thousand millions, each counted as one operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflop: Option<f64>,
    /// The duration of one prediction in milliseconds, of an image and a prompt that were not seen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<f64>,
    /// The device that computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// An image that was predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedCase {
    /// The file name of the image in the data set.
    pub image: String,
    /// The file of its probabilities, in the same folder.
    pub file: String,
    /// The prompt that the model was given; absent if it is not known or the model reads none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The first 32 hexadecimal digits of the BLAKE3 hash of the image's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_blake3: Option<String>,
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// An image of the data set that the model did not predict, on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The file name of the image in the data set.
    pub image: String,
    /// Why; one line.
    #[serde(default)]
    pub reason: String,
}

/// The content of `predictions.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// What is known of the model and of the images.
    #[serde(flatten)]
    pub about: About,
    /// The bits of a pixel, 8 or 16.
    pub bits: u8,
    /// The images that are done, in the order in which they were predicted.
    pub cases: Vec<PredictedCase>,
    /// The images of the data set that were left out. One that is in neither list is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

impl Manifest {
    /// Reads the description in a folder; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, is no such description or one of a newer version, names an image twice, or names a file
    /// that does not lie in the folder itself.
    pub fn open(folder: &Path) -> Result<Option<Self>, DataError> {
        let path = folder.join(MANIFEST);
        let length = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            data => data.map_err(|error| DataError::reading(&path, &error))?.len(),
        };
        let refuse = |reason: String| DataError::Predictions { path: path.clone(), reason };
        if length > MOST_BYTES {
            return Err(refuse(format!("it is larger than {} MiB; check the file", MOST_BYTES >> 20)));
        }
        let bytes = fs::read(&path).map_err(|error| DataError::reading(&path, &error))?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| {
            refuse(format!("it does not have the form that docs/compare.md describes: {error}; correct it, or delete it to use the PNG files alone"))
        })?;
        if manifest.format != FORMAT {
            let (found, format) = (&manifest.format, FORMAT);
            return Err(refuse(format!(
                "its format is \"{found}\" and not \"{format}\"; give a folder of predictions"
            )));
        }
        if manifest.version != VERSION {
            let found = manifest.version;
            return Err(refuse(format!(
                "its version is {found} and this program reads {VERSION}; use a newer himix"
            )));
        }
        if ![8, 16].contains(&manifest.bits) {
            return Err(refuse(format!("it says {} bits for a pixel; probabilities have 8 or 16", manifest.bits)));
        }
        let mut seen = std::collections::HashSet::new();
        let left_out = manifest.left_out.iter().map(|left_out| &left_out.image);
        for image in manifest.cases.iter().map(|case| &case.image).chain(left_out) {
            if !seen.insert(fold(image)) {
                return Err(refuse(format!(
                    "it has two cases of the name {image}; give each image one prediction"
                )));
            }
        }
        for PredictedCase { image, file, .. } in &manifest.cases {
            let is_plain = Path::new(file).file_name().is_some_and(|name| name == file.as_str());
            if !is_plain {
                return Err(refuse(format!(
                    "the file of {image}, \"{file}\", does not lie in this folder; move it here"
                )));
            }
        }
        Ok(Some(manifest))
    }
}
