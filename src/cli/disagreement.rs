//! How far the masks of several prompts of one image agree.

use std::path::{Path, PathBuf};

use himix::data::{DataError, write};
use himix::metrics::{UnequalMasks, foreground_share, pairwise_dice};

/// The most prompts for which the whole matrix is printed as text.
const PRINTED: usize = 12;

/// The agreement of several masks of one image.
pub struct Disagreement {
    /// The Dice coefficients of all pairs of masks; row and column are the numbers of the prompts.
    pub dice: Vec<Vec<f64>>,
    /// For each pixel the share of the masks in which it is foreground, 0 to 1.
    share: Vec<f32>,
}

impl Disagreement {
    /// Compares masks, one for each prompt.
    pub fn of(masks: &[Vec<u8>]) -> Result<Self, UnequalMasks> {
        let masks: Vec<&[u8]> = masks.iter().map(Vec::as_slice).collect();
        Ok(Self { dice: pairwise_dice(&masks)?, share: foreground_share(&masks)? })
    }

    /// Writes the matrix as `pairwise_dice.csv` and the map as `disagreement.png` into a folder that exists, and returns
    /// the files. The map has 16 bits: 0 where no prompt marks a pixel, 65535 where all do.
    pub fn write(
        &self,
        folder: &Path,
        [width, height]: [usize; 2],
        prompts: &[String],
    ) -> Result<[PathBuf; 2], DataError> {
        let files = ["pairwise_dice.csv", "disagreement.png"].map(|name| folder.join(name));
        write::file(&files[0], |out| {
            let mut table = csv::Writer::from_writer(out);
            let numbers = (0..prompts.len()).map(|number| number.to_string());
            table.write_record(["number".to_owned(), "prompt".to_owned()].into_iter().chain(numbers))?;
            for (number, (prompt, row)) in prompts.iter().zip(&self.dice).enumerate() {
                let cells = row.iter().map(|dice| format!("{dice:.6}"));
                table.write_record([number.to_string(), write::text_cell(prompt)].into_iter().chain(cells))?;
            }
            table.flush()
        })?;
        let values: Vec<u16> = self.share.iter().map(|share| (share * 65535.0).round() as u16).collect();
        write::png16(&files[1], width, height, &values)?;
        Ok(files)
    }

    /// Returns the matrix as text, or for many prompts its range.
    pub fn text(&self) -> String {
        let count = self.dice.len();
        let disputed = self.share.iter().filter(|share| **share > 0.0 && **share < 1.0).count();
        let percent = 100.0 * disputed as f64 / self.share.len().max(1) as f64;
        let mut text =
            format!("pairwise Dice of the {count} masks; they disagree in {percent:.2} % of the image\n");
        if count > PRINTED {
            let pairs = || (0..count).flat_map(|row| (0..row).map(move |column| self.dice[row][column]));
            let mean = pairs().sum::<f64>() / pairs().count().max(1) as f64;
            let least = pairs().fold(1.0, f64::min);
            return text + &format!("  mean {mean:.3}, least {least:.3}\n");
        }
        let heads: Vec<String> = (0..count).map(|number| format!("{number:>6}")).collect();
        text += &format!("      {}\n", heads.concat());
        for (number, row) in self.dice.iter().enumerate() {
            let cells: Vec<String> = row.iter().map(|dice| format!("{dice:6.3}")).collect();
            text += &format!("  {number:>3} {}\n", cells.concat());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_masks_are_summarised() {
        let masks: Vec<Vec<u8>> = (0..3).map(|index| vec![1, u8::from(index > 0), 0, 0]).collect();
        let few = Disagreement::of(&masks).expect("of one size").text();
        assert!(few.contains("3 masks; they disagree in 25.00 %"), "{few}");
        assert!(few.contains("    0  1.000 0.667 0.667\n"), "{few}");
        let masks: Vec<Vec<u8>> = (0..13).map(|index| vec![1, u8::from(index > 0), 0, 0]).collect();
        let many = Disagreement::of(&masks).expect("of one size").text();
        assert!(many.contains("mean 0.949, least 0.667"), "{many}");
    }
}
