//! The table of several prompts of one image with their scores.

use std::path::PathBuf;
use std::sync::Arc;

use super::judging::JudgedImage;
use crate::data::write;
use crate::engine::inference::Counts;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::infer::Prediction;

/// The names of the columns. Scores are of this image.
pub const COLUMNS: [&str; 13] = [
    "image",
    "slice",
    "name",
    "prompt",
    "model",
    "threshold",
    "pixels",
    "share_of_image",
    "dice_per_image",
    "iou_per_image",
    "text_mask_agreement",
    "words_understood",
    "words",
];

/// Writes a table with a row for each variant (CSV as in RFC 4180).
#[derive(Debug)]
pub struct SaveVariants {
    /// The path of the file.
    pub path: PathBuf,
    /// The name of the image.
    pub image: String,
    /// The number of the slice, from 1.
    pub slice: usize,
    /// The image, for the rules of the text–mask agreement.
    pub judged: JudgedImage,
    /// The ticket of the ground truth. Counts against an earlier one are left out.
    pub truth: Option<Ticket>,
    /// The variants.
    pub rows: Vec<VariantRow>,
}

/// A variant: a prompt, and its mask if there is one.
#[derive(Clone, Debug)]
pub struct VariantRow {
    /// The name of the variant.
    pub name: String,
    /// The prompt.
    pub prompt: String,
    /// The name of the model; empty if it is not open.
    pub model: String,
    /// The threshold of the mask.
    pub threshold: f32,
    /// The prediction with its pixel counts; `None` if there is none, whose cells stay empty.
    pub mask: Option<(Arc<Prediction>, Counts)>,
}

impl Job for SaveVariants {
    type Answer = ();
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| self.cells(row)).collect::<Result<_, Failure>>()?;
        Ok(write::file(&self.path, |out| {
            let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
            table.write_record(COLUMNS)?;
            rows.iter().try_for_each(|row| table.write_record(row))?;
            table.flush()
        })?)
    }
}

impl SaveVariants {
    fn cells(&self, row: &VariantRow) -> Result<Vec<String>, Failure> {
        let mut cells = vec![
            write::text_cell(&self.image),
            self.slice.to_string(),
            write::text_cell(&row.name),
            write::text_cell(&row.prompt),
            write::text_cell(&row.model),
            row.threshold.to_string(),
        ];
        let Some((prediction, counts)) = &row.mask else {
            cells.resize(COLUMNS.len(), String::new());
            return Ok(cells);
        };
        let table = &counts.table;
        let scores = table.confusion(row.threshold).filter(|_| counts.truth == self.truth);
        let score = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        let agreement = self.judged.judge(prediction, row.threshold)?.agreement;
        let reading = &prediction.tokens.reading;
        let (understood, words) = reading.understood();
        cells.extend([
            table.foreground(row.threshold).to_string(),
            format!("{:.6}", table.foreground_fraction(row.threshold)),
            score(scores.map(|scores| scores.dice())),
            score(scores.map(|scores| scores.iou())),
            agreement.map_or_else(String::new, |agreement| format!("{agreement:.4}")),
            understood.to_string(),
            words.to_string(),
        ]);
        Ok(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Image, Mask, Pixels};
    use crate::engine::job::Opened;
    use crate::infer::Plane;

    fn prediction(prompt: &str) -> Prediction {
        // The left half.
        let values = (0..64 * 64).map(|at| if at % 64 < 32 { 0.9 } else { 0.1 }).collect();
        let plane = Plane { width: 64, height: 64, values };
        Prediction::of_map(prompt, plane)
    }

    fn row(name: &str, prompt: &str, has_mask: bool) -> VariantRow {
        let truth = Mask { width: 64, height: 64, values: (0..64 * 64).map(|at| u8::from(at < 2048)).collect() };
        let prediction = prediction(prompt);
        let counts = Counts::of(&prediction, Some(&(1, Arc::new(truth))));
        let mask = has_mask.then(|| (Arc::new(prediction), counts));
        VariantRow { name: name.into(), prompt: prompt.into(), model: "demo".into(), threshold: 0.35, mask }
    }

    #[test]
    fn the_table_is_read_back_and_no_cell_is_a_formula() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("variants.csv");
        let pixels = Pixels::U8(vec![100; 64 * 64]);
        let image = Arc::new(Image { width: 64, height: 64, channels: 1, pixels });
        let rows = vec![
            row("", "left, \"all\" lung\nor two", true),
            row("=1+1", "=HYPERLINK(\"x\")", true),
            row("@a", "-left", false),
        ];
        let judged = JudgedImage::new(image, None, None);
        let job =
            SaveVariants { path: path.clone(), image: "a,b.png".into(), slice: 2, judged, truth: Some(1), rows };
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        job.run(&mut task).expect("written");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.ends_with("\r\n") && text.lines().count() == 5, "{text}");
        let mut table = csv::Reader::from_path(&path).expect("a table");
        assert_eq!(table.headers().expect("a header"), COLUMNS.as_slice());
        let rows: Vec<Vec<String>> =
            table.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
        let numbers = ["0.35", "2048", "0.500000", "0.500000", "0.333333"];
        assert_eq!(rows[0][..5], ["a,b.png", "2", "", "left, \"all\" lung\nor two", "demo"]);
        assert_eq!(rows[0][5..10], numbers);
        assert_eq!(rows[1][2..4], ["'=1+1", "'=HYPERLINK(\"x\")"]);
        assert_eq!(rows[2][2..], ["'@a", "'-left", "demo", "0.35", "", "", "", "", "", "", ""]);
    }
}
