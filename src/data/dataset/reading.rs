//! How the pairs of a data set are read, and the file with which a data set can change it.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::error::one_line;
use crate::data::mask::{LabelChoice, MaskReading, Several, TruthReading};
use crate::data::{DataError, Limit, MaskRule, Orientation};

/// The file in the folder of a data set that says how its pairs are read.
pub const FILE: &str = "himix-data.toml";
/// The largest accepted size of that file, in bytes.
const MOST_BYTES: u64 = 64 << 10;

/// How image and masks become a pair. `himix-data.toml` in the folder of the data set may have any of these
/// keys:
///
/// ```toml
/// orientation = "as_stored" # or "upright" (default): whether the EXIF orientation of images is applied
/// mask_rule = "exactly_255" # or "half", or "found" (default, from the values): the foreground of a mask file
/// several = "as_labels"     # or "united" (default): the meaning of several masks of one image
/// labels = [1, 3]           # the labels that are foreground; by default all except background
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairReading {
    /// The rule for the foreground of a mask file.
    #[serde(rename = "mask_rule")]
    pub rule: MaskRule,
    /// The treatment of the EXIF orientation of an image. Masks are usually drawn on the displayed image, so
    /// that upright is the default.
    pub orientation: Orientation,
    /// The meaning of several masks of one image.
    pub several: Several,
    /// The labels that are foreground; empty for all except background.
    pub labels: BTreeSet<i64>,
}

impl PairReading {
    /// Returns how the data set in `root` is read, from its `himix-data.toml`; the default if there is no such
    /// file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is larger than 64 KiB, or has unknown keys or values.
    pub fn of(root: &Path) -> Result<Self, DataError> {
        let path = root.join(FILE);
        let refuse = |reason: String| DataError::Setting { path: path.clone(), reason };
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(DataError::reading(&path, &error)),
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| DataError::reading(&path, &error))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(refuse(format!("it has more than {} KiB", MOST_BYTES >> 10)));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| refuse(one_line(&error)))?;
        let text = text.trim_start_matches('\u{feff}');
        toml::from_str(text).map_err(|error| {
            let above = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = above.matches('\n').count() + 1;
            refuse(format!("line {line}: {}", one_line(&error.message())))
        })
    }

    /// Returns the same reading with another mask rule, if one is given.
    #[must_use]
    pub fn under(self, rule: Option<MaskRule>) -> Self {
        Self { rule: rule.unwrap_or(self.rule), ..self }
    }

    /// Returns which labels are foreground.
    pub fn choice(&self) -> LabelChoice {
        if self.labels.is_empty() { LabelChoice::Foreground } else { LabelChoice::Only(self.labels.clone()) }
    }

    /// Returns how the masks of a pair are read. `limit` is the memory limit of each mask file.
    pub fn truth(&self, limit: Limit) -> TruthReading {
        TruthReading {
            mask: MaskReading { rule: self.rule, orientation: self.orientation, limit },
            several: self.several,
            choice: self.choice(),
            ..TruthReading::default()
        }
    }

    /// Describes in words how the reading differs from the default; empty if it does not.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if self.orientation == Orientation::AsStored {
            words.push("images as stored".to_owned());
        }
        match self.rule {
            MaskRule::Found => {}
            MaskRule::Half => words.push("foreground is above half of the range".to_owned()),
            MaskRule::Exactly255 => words.push("foreground is exactly 255".to_owned()),
        }
        if self.several == Several::AsLabels {
            words.push("several masks of an image are labels".to_owned());
        }
        if !self.labels.is_empty() {
            let labels: Vec<String> = self.labels.iter().map(i64::to_string).collect();
            words.push(format!("foreground is label {}", labels.join(", ")));
        }
        words.join("; ")
    }
}
