//! An image as the network shall see it, and its mask, from whatever files they are.

use std::path::Path;

use clap::Args;
use himix::data::{Image, Limit, Mask, MaskRule, Volume, Window, mask, open};

use super::{Failure, terminal};

/// Which slice of a scan, and how it is seen.
#[derive(Debug, Args)]
pub struct ScanArguments {
    /// Slice of a volume or a series, from 1; the middle one by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slice: Option<u32>,
    /// Window in which the network sees a scan: level and width, for instance -600,1500; the file's own by default
    #[arg(long, value_name = "L,W", allow_hyphen_values = true, value_parser = window)]
    window: Option<Window>,
}

/// A picture as the network sees it.
pub struct Seen {
    /// The picture.
    pub image: Image,
    /// Number of its slice, from 0.
    pub slice: usize,
    /// Slices that there are.
    pub slices: usize,
    /// Height of a pixel over its width.
    pub pixel_aspect: f32,
}

impl ScanArguments {
    /// Reads a picture, a slice of a volume or of a series.
    pub fn read(&self, path: &Path) -> Result<Seen, Failure> {
        let scan = open::open(path, Limit::default(), &|_, _| true)?;
        scan.notes.iter().for_each(terminal::note);
        self.of_scan(&scan, path)
    }

    /// A picture of the file `path` that has been read already.
    pub fn of_image(&self, image: Image, path: &Path) -> Result<Seen, Failure> {
        self.of_scan(&Volume::of_image(image), path)
    }

    fn of_scan(&self, scan: &Volume, path: &Path) -> Result<Seen, Failure> {
        let slice = self.slice.map_or(scan.slices / 2, |slice| slice as usize - 1);
        if slice >= scan.slices {
            return Err(Failure::input(format!(
                "{}: there is no slice {}; it has {}",
                path.display(),
                slice + 1,
                scan.slices
            )));
        }
        let image = scan.seen_first(slice, self.window);
        Ok(Seen { image, slice, slices: scan.slices, pixel_aspect: scan.pixel_aspect() })
    }
}

impl Seen {
    /// Its mask: of a stack of masks the one of its slice.
    pub fn mask(&self, path: &Path) -> Result<Mask, Failure> {
        let mask = mask::load_of_slice(path, &MaskRule::Half, Limit::default(), self.slice, self.slices)?;
        mask.must_fit(path, self.image.width, self.image.height)?;
        Ok(mask)
    }
}

/// Level and width.
fn window(text: &str) -> Result<Window, String> {
    let pair = text.split_once(',').and_then(|(l, w)| Some((l.trim().parse().ok()?, w.trim().parse().ok()?)));
    match pair {
        Some((centre, width)) if f32::is_finite(centre) && width > 0.0 && f32::is_finite(width) => {
            Ok(Window { centre, width })
        }
        _ => Err("say level and width, for instance -600,1500".into()),
    }
}
