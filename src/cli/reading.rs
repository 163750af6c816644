//! Reads an image in the form in which the network receives it, and its ground truth.

use std::path::{Path, PathBuf};

use clap::Args;
use himix::data::mask::{Agreed, Grid, LabelChoice};
use himix::data::{DataError, Image, Limit, MaskReading, Orientation, Truth, TruthReading, Volume, Window, open};

use super::arguments::{MaskRuleName, SeveralName};
use super::{Failure, terminal};

/// Arguments that select the slice of a volume and its display window.
#[derive(Debug, Args)]
pub struct ScanArguments {
    /// Slice of a volume or a series, counted from 1 [default: the middle one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slice: Option<u32>,
    /// Display window for the network's input: level and width in the unit of the values (HU for CT), for
    /// instance -600,1500 [default: the file's own window, else the usual one for its kind of image]
    #[arg(long, value_name = "L,W", allow_hyphen_values = true, value_parser = parse_window)]
    window: Option<Window>,
    /// Read an image as it is stored, without applying its EXIF orientation
    #[arg(long)]
    as_stored: bool,
}

/// Arguments for reading the mask of an image and aligning it with the image.
#[derive(Debug, Args)]
pub struct TruthArguments {
    /// Labels of the mask that are foreground, for instance 1,3; "all" means all except background
    #[arg(long, value_name = "N,N", default_value = "all", allow_hyphen_values = true)]
    labels: LabelChoice,
    /// Rule for the foreground of a mask file
    #[arg(long, value_name = "RULE", default_value = "found")]
    mask_rule: MaskRuleName,
    /// Meaning of several masks of the image
    #[arg(long, value_name = "WHAT", default_value = "united")]
    several: SeveralName,
    /// Treatment of a mask whose voxel grid differs from that of the image
    #[arg(long, value_name = "WAY", default_value = "refuse")]
    mask_grid: MaskGridName,
}

/// [`Agreed`] on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum MaskGridName {
    /// Refuse the mask
    Refuse,
    /// For every pixel of the image, take the mask's nearest voxel by position in mm
    Resample,
    /// Match the voxels of mask and image by their stored indices
    Index,
}

/// An image in the form in which the network receives it.
pub struct ReadImage {
    /// The image of the selected slice.
    pub image: Image,
    /// All slices as they were read.
    pub volume: Volume,
    /// Number of the slice, from 0.
    pub slice: usize,
    /// Whether the user chose the slice.
    is_named: bool,
    /// The orientation in which the image is read.
    orientation: Orientation,
}

impl ScanArguments {
    /// Reads an image, or a slice of a volume or a series.
    pub fn read(&self, path: &Path) -> Result<ReadImage, Failure> {
        let orientation = if self.as_stored { Orientation::AsStored } else { Orientation::Upright };
        let volume = open::open_as(path, Limit::default(), orientation, &|_, _| true)?;
        volume.notes.iter().chain(&volume.assumptions).for_each(terminal::note);
        self.of_volume(volume, orientation, path)
    }

    /// Prepares an image of the file `path` that has already been read.
    pub fn of_image(&self, image: Image, path: &Path) -> Result<ReadImage, Failure> {
        self.of_volume(Volume::of_image(image), Orientation::default(), path)
    }

    /// Returns the display window that was given.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    fn of_volume(&self, volume: Volume, orientation: Orientation, path: &Path) -> Result<ReadImage, Failure> {
        let slice = self.slice.map_or(volume.slices / 2, |slice| slice as usize - 1);
        if slice >= volume.slices {
            return Err(Failure::input(format!(
                "{}: there is no slice {}; it has {}",
                path.display(),
                slice + 1,
                volume.slices
            )));
        }
        let image = volume.default_network_input(slice, self.window);
        Ok(ReadImage { image, volume, slice, is_named: self.slice.is_some(), orientation })
    }
}

impl TruthArguments {
    /// Reads the mask files of an image and aligns them with it. They must cover the selected slice.
    pub fn read(&self, seen: &ReadImage, files: &[PathBuf]) -> Result<Truth, Failure> {
        let truth = self.lay(seen.volume.grid(), seen.orientation, seen.is_named.then_some(seen.slice), files)?;
        truth.laid.labels.notes.iter().for_each(terminal::note);
        if let Some(oddity) = truth.oddity() {
            terminal::note(oddity.warning());
        }
        if truth.mask(seen.slice).is_none() {
            let name = files.first().map(|file| file.display().to_string()).unwrap_or_default();
            return Err(Failure::input(format!(
                "{name}: the mask does not cover slice {}; choose another with --slice",
                seen.slice + 1
            )));
        }
        Ok(truth)
    }

    /// Reads the mask files of an image and aligns them with it, whichever slices they cover. `slice` is the one that
    /// the user chose, from 0.
    pub fn lay(
        &self,
        image: Grid<'_>,
        orientation: Orientation,
        slice: Option<usize>,
        files: &[PathBuf],
    ) -> Result<Truth, Failure> {
        let name = files.first().map(|file| file.display().to_string()).unwrap_or_default();
        let agreed = match self.mask_grid {
            MaskGridName::Refuse => Agreed::Refuse,
            MaskGridName::Resample => Agreed::Resample,
            MaskGridName::Index => Agreed::ByNumber,
        };
        let reading = TruthReading {
            mask: MaskReading { rule: self.mask_rule.rule(), orientation, limit: Limit::default() },
            several: self.several.several(),
            agreed,
            slice,
            choice: self.labels.clone(),
        };
        let truth = Truth::read(files, image, &reading).map_err(|error| match error {
            DataError::MaskGrid { fits_by_number, .. } => {
                let ways = if fits_by_number { "resample, or index" } else { "resample" };
                Failure::input(format!("{error} (--mask-grid {ways})"))
            }
            DataError::MaskFrame { .. } => Failure::input(format!("{error} (--mask-grid index)")),
            DataError::MaskSlice { .. } => Failure::input(format!("{error} (--slice N)")),
            other => other.into(),
        })?;
        let absent = truth.laid.labels.absent(&truth.choice);
        if !absent.is_empty() {
            let list = |values: &mut dyn Iterator<Item = i64>| {
                values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
            };
            let known = list(
                &mut truth.laid.labels.labels.iter().filter(|label| label.pixels > 0).map(|label| label.value),
            );
            let missing = list(&mut absent.into_iter());
            return Err(Failure::input(format!("{name}: the mask has no label {missing}; it has {known}")));
        }
        Ok(truth)
    }
}

/// Parses the level and the width of a window, separated by a comma.
pub fn parse_window(text: &str) -> Result<Window, String> {
    let pair = text.split_once(',').and_then(|(l, w)| Some((l.trim().parse().ok()?, w.trim().parse().ok()?)));
    match pair {
        Some((centre, width)) if f32::is_finite(centre) && width > 0.0 && f32::is_finite(width) => {
            Ok(Window { centre, width })
        }
        _ => Err("give level and width, for instance -600,1500".into()),
    }
}
