//! Figures of an inspection, in the arrangement of the paper's figures 2 to 10, as vectors, pixels and
//! numbers.
//!
//! Each function maps models and cases ([`Content`]) to a [`Figure`] and has no side effects. It may take seconds
//! for large images, so the window calls it from a separate thread.

mod axes;
mod content;
#[cfg(test)]
mod fixture;
pub mod font;
mod forms;
mod mask_rows;
mod networks;
mod page;
pub mod picture;
mod raster;
mod refinement;
pub mod scene;
mod similarity;
mod spectrum;
mod stage_row;
mod stages;
mod study;
mod svg;
mod sweep;
mod table;
mod weights;

use std::path::{Path, PathBuf};

use crate::data::{DataError, write};
pub use content::{Case, Content, Model, Options};
pub use forms::forms;
pub use mask_rows::MaskRow;
pub use networks::networks;
pub use picture::Picture;
pub use refinement::refinement;
pub use scene::Scene;
pub use similarity::similarity;
pub use spectrum::spectrum;
pub use stages::stages;
pub use study::{StudyRow, study};
pub use sweep::sweep;
pub use table::Table;
pub use weights::weights;

/// The reason why a figure cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The file extension is not supported.
    #[error("{}: a figure is written as .png, .svg or .csv; choose one of these endings", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to draw.
    #[error("there is nothing to draw: {reason}")]
    Nothing {
        /// What is missing, and what to do.
        reason: String,
    },
    /// Stage masks were requested, but the model has no stage read-outs.
    #[error(
        "{model}: the model has no stage read-outs (linear probes); fit them with: himix train --readout --model MODEL --data DIR"
    )]
    NoReadouts {
        /// The name of the model.
        model: String,
    },
    /// The data of one image differ in size.
    #[error("{name}: the {what} has {found} pixels, the image {expected}; take one of the same size")]
    Size {
        /// The image.
        name: String,
        /// What does not match.
        what: &'static str,
        /// The width and height that were found.
        found: String,
        /// The width and height of the image.
        expected: String,
    },
    /// The figure would have too many pixels.
    #[error("the picture would have {width}x{height} pixels; make it narrower or give fewer images, or write SVG")]
    TooLarge {
        /// Pixels per row.
        width: u32,
        /// Number of rows.
        height: u32,
    },
    /// The drawing failed.
    #[error("the figure cannot be drawn ({reason}); please report it")]
    Drawing {
        /// The message of the library.
        reason: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// The formats of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Pixels.
    Png,
    /// Vectors, with embedded images.
    Svg,
    /// The numbers.
    Csv,
}

impl Format {
    /// Returns the format for the extension of a file name.
    ///
    /// # Errors
    /// Returns [`FigureError::Ending`] for another extension.
    pub fn of(path: &Path) -> Result<Self, FigureError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            Some("csv") => Ok(Self::Csv),
            _ => Err(FigureError::Ending { path: path.to_owned() }),
        }
    }
}

/// A figure and the numbers in it.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The page.
    pub scene: Scene,
    /// The numbers with all their digits. The function that makes the figure documents the columns.
    pub table: Table,
}

impl Figure {
    /// Writes the figure in the format of the file's extension; a PNG is `width_px` pixels wide.
    ///
    /// # Errors
    /// Returns an error if the extension is not supported, if there would be too many pixels, or if the file cannot
    /// be written.
    pub fn write(&self, path: &Path, width_px: u32) -> Result<(), FigureError> {
        match Format::of(path)? {
            Format::Png => write::bytes(path, &self.png(width_px)?)?,
            Format::Svg => write::bytes(path, self.svg()?.as_bytes())?,
            Format::Csv => write::file(path, |out| self.table.write(out))?,
        }
        Ok(())
    }

    /// Returns a PNG file that is `width_px` pixels wide.
    ///
    /// # Errors
    /// Returns an error if there would be too many pixels.
    pub fn png(&self, width_px: u32) -> Result<Vec<u8>, FigureError> {
        raster::png(&self.scene, width_px)
    }

    /// Returns an SVG file.
    ///
    /// # Errors
    /// Returns an error if an image cannot be embedded.
    pub fn svg(&self) -> Result<String, FigureError> {
        svg::text(&self.scene, svg::Purpose::File)
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{Bench, assert_tidy};
    use super::*;

    #[test]
    fn the_ending_decides() {
        for (name, format) in [("a.png", Format::Png), ("b.SVG", Format::Svg), ("c/d.csv", Format::Csv)] {
            assert_eq!(Format::of(Path::new(name)).expect("known"), format);
        }
        for name in ["a.pdf", "png", "a."] {
            let error = Format::of(Path::new(name)).expect_err("unknown").to_string();
            assert!(error.starts_with(name) && error.contains(".png, .svg or .csv"), "{error}");
        }
    }

    #[test]
    fn a_figure_is_written_in_every_format() {
        let folder = tempfile::tempdir().expect("a folder");
        let bench = Bench::new(&[2, 4]);
        let figure = weights(&bench.content()).expect("a figure");
        for name in ["a.png", "a.svg", "a.csv"] {
            figure.write(&folder.path().join(name), 300).expect("written");
        }
        assert_eq!(image::open(folder.path().join("a.png")).expect("a picture").width(), 300);
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("text");
        assert!(read("a.svg").starts_with("<svg ") && read("a.csv").starts_with("model,group,"));
        assert!(figure.write(&folder.path().join("gone/a.png"), 300).is_err());
    }

    /// For any model and any number of rows, nothing is cut off and texts do not overlap.
    #[test]
    fn every_page_is_tidy() {
        let long = "Bilateral pulmonary infection, two infected areas, upper middle lower left lung and upper middle lower right lung, and then some more of it, so that three lines do not hold it, because nobody ever said that a prompt must be short, not even for a network that reads twenty-four pieces of it and no more";
        for grids in [&[7, 14, 28][..], &[2, 4], &[3], &[2, 4, 8, 16, 32]] {
            for (width, height) in [(6, 4), (40, 160), (300, 20)] {
                let mut bench = Bench::sized(grids, width, height);
                for (prompt, models) in [("", 1), ("left lung", 2), (long, 2)] {
                    bench.seen.prediction.prompt = prompt.into();
                    let content = bench.content_of(models, 2);
                    let what = format!("{grids:?}, {width}x{height}, {models} models");
                    for map in crate::analysis::maps::MapKind::ALL {
                        let options = Options { map, ..Options::default() };
                        match stages(&content, &options) {
                            Ok(figure) => assert_tidy(&figure, &format!("{map:?} of {what}")),
                            // The first stage has no previous one.
                            Err(error) => {
                                assert!(grids.len() == 1 && error.to_string().contains("single stage"), "{error}")
                            }
                        }
                    }
                    let refinement = refinement(&content, &Options::default()).expect("a figure");
                    assert_tidy(&refinement, &format!("refinement of {what}"));
                    assert_tidy(&spectrum(&content).expect("a figure"), &format!("spectrum of {what}"));
                    assert_tidy(&weights(&content).expect("a figure"), &format!("weights of {what}"));
                }
            }
        }
    }
}
