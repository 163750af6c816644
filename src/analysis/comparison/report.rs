//! The result of a comparison, and its files.

use std::path::{Path, PathBuf};

use super::published::PublishedSet;
use super::summary::{NetworkSummary, PairSummary, pairs, summaries};
use super::tables::{Tables, case_numbers, difference_numbers, network_numbers, notes, pair_numbers};
use crate::analysis::figure::{Figure, FigureError};
use crate::data::{DataError, write};
use crate::infer::comparison::Comparison;
use crate::metrics::Bootstrap;

/// The width of the figure as PNG, in pixels.
const FIGURE_PX: u32 = 2400;

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworksReport {
    /// The scores of every network.
    pub summaries: Vec<NetworkSummary>,
    /// The differences of every pair.
    pub pairs: Vec<PairSummary>,
    /// What the tables mean and leave out, a sentence or two each.
    pub notes: Vec<String>,
    /// The data set of which published scores stand beside those found here.
    pub published: Option<PublishedSet>,
}

impl NetworksReport {
    /// Makes statistics of the scores.
    pub fn of(
        comparison: &Comparison,
        bootstrap: Bootstrap,
        threshold: f32,
        published: Option<PublishedSet>,
    ) -> Self {
        let (summaries, pairs) = (summaries(comparison, bootstrap), pairs(comparison, bootstrap));
        let notes = notes(comparison, &summaries, &pairs, (bootstrap, threshold), published);
        Self { summaries, pairs, notes, published }
    }

    /// Returns the tables with their notes as Markdown.
    pub fn markdown(&self) -> String {
        self.tables().markdown(&self.notes)
    }

    /// Returns the tables with their notes as LaTeX.
    pub fn latex(&self) -> String {
        self.tables().latex(&self.notes)
    }

    fn tables(&self) -> Tables {
        Tables::of(&self.summaries, &self.pairs, self.published)
    }

    /// Writes `table.md`, `table.tex` and `table.csv` (the networks), `pairs.csv`, `differences.csv` (every image by every pair,
    /// sorted) and `scores.csv` (every image by every network) into a folder that exists. Returns the files.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, comparison: &Comparison, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
        let path = |name: &str| folder.join(name);
        write::bytes(&path("table.md"), self.markdown().as_bytes())?;
        write::bytes(&path("table.tex"), self.latex().as_bytes())?;
        write::file(&path("table.csv"), |out| network_numbers(&self.summaries).write(out))?;
        write::file(&path("pairs.csv"), |out| pair_numbers(&self.summaries, &self.pairs).write(out))?;
        write::file(&path("differences.csv"), |out| difference_numbers(comparison, &self.pairs).write(out))?;
        write::file(&path("scores.csv"), |out| case_numbers(comparison).write(out))?;
        Ok(["table.md", "table.tex", "table.csv", "pairs.csv", "differences.csv", "scores.csv"].map(path).to_vec())
    }
}

/// Writes a figure as `figure.svg` and `figure.png`, and its numbers as `figure.csv`, into a folder, and returns the files.
///
/// # Errors
/// A file cannot be written.
pub fn write_figure(figure: &Figure, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
    let files = ["figure.svg", "figure.png", "figure.csv"].map(|name| folder.join(name)).to_vec();
    files.iter().try_for_each(|path| figure.write(path, FIGURE_PX))?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::comparison::tests::comparison;

    fn report(published: Option<PublishedSet>) -> NetworksReport {
        let bootstrap = Bootstrap { resamples: 100, ..Bootstrap::default() };
        let mut comparison = comparison();
        comparison.left_out.push(("boxed".into(), "it needs a box".into()));
        comparison.skipped.push("gone.png: there is no such file".into());
        NetworksReport::of(&comparison, bootstrap, 0.5, published)
    }

    #[test]
    fn tables_say_their_conventions_and_what_is_left_out() {
        let text = report(Some(PublishedSet::Qata)).markdown();
        assert!(
            text.starts_with("| Network | Images | Dice pooled | IoU pooled | Dice per image | IoU per image |")
        );
        assert!(text.contains("| U-Net | 5 | 0.700 ["), "{text}");
        assert!(text.contains("| B x | 5 | 0.000 "), "a bar would end the cell: {text}");
        assert!(text.contains("| U-Net less HiMix | −0.247 ["), "{text}");
        assert!(text.contains("| HiMix | 44.7 | 22.4 | – | – |"), "{text}");
        for part in [
            "Holm's correction over 3 pairs",
            "resamples of subjects (4; an image",
            "boxed takes no part: it needs a box.",
            "1 image could not be read or was left out by predictions, and is part of no score.",
            "Images without one: U-Net 1, B|x 5.",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        // The published score of U-Net is per image, that of HiMix is pooled.
        assert!(text.contains("| U-Net | per image | 0.7902 | 0.62"), "{text}");
        assert!(text.contains("| HiMix | pooled | 0.9117 | 0.947 | 0.8378 | 0.900 |"), "{text}");
        assert!(!report(None).markdown().contains("published"));
        let latex = report(Some(PublishedSet::Kvasir)).latex();
        assert!(latex.contains("U-Net less HiMix & $-$0.247 ["), "{latex}");
        assert_eq!(latex.matches("\\begin{tabular}").count(), 4);
    }

    #[test]
    fn every_file_is_written_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let comparison = comparison();
        let files = report(None).write(&comparison, folder.path()).expect("written");
        assert_eq!(files.len(), 6);
        let rows = |name: &str| {
            let mut table = csv::Reader::from_path(folder.path().join(name)).expect("a table");
            table.records().map(|row| row.expect("a row")).collect::<Vec<_>>()
        };
        assert_eq!((rows("table.csv").len(), rows("pairs.csv").len(), rows("scores.csv").len()), (3, 3, 15));
        let differences = rows("differences.csv");
        assert_eq!((differences.len(), &differences[0][2]), (15, "sub-a_2.png"));
        let values: Vec<f64> = differences[..5].iter().map(|row| row[5].parse().expect("a number")).collect();
        assert!(values.is_sorted(), "{values:?}");
        // Pooled Dice follows from the counts of the images.
        let scores = rows("scores.csv");
        let sum = |column: usize| -> f64 {
            let of_network = scores.iter().filter(|row| &row[0] == "U-Net");
            of_network.map(|row| row[column].parse::<f64>().expect("a count")).sum()
        };
        let dice = 2.0 * sum(6) / (2.0 * sum(6) + sum(7) + sum(8));
        assert_eq!(rows("table.csv")[1][2].parse::<f64>().expect("a score"), dice);
    }
}
