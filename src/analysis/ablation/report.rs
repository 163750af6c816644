//! The report of a study: tables as Markdown, LaTeX and CSV, and a figure.

use std::path::{Path, PathBuf};

use super::cases::RunScores;
use super::published::published_dice;
use super::summary::{Difference, VariantSummary, over_seeds, summaries};
use crate::analysis::comparison::{Convention, PublishedSet};
use crate::analysis::figure::{FigureError, StudyRow, Table, study};
use crate::analysis::number::probability;
use crate::analysis::text_table::{difference, latex, markdown, mean_sd};
use crate::data::write;
use crate::infer::comparison::NetworkCost;
use crate::metrics::{Bootstrap, Spread};

/// The width of the figure as PNG, in pixels.
const FIGURE_PX: u32 = 2400;

/// The heads of the columns.
const HEADS: [&str; 15] = [
    "Variant",
    "Parameters (M)",
    "GFLOP",
    "Seeds",
    "Images",
    "Dice pooled, over seeds",
    "Dice pooled, published",
    "IoU pooled, over seeds",
    "Dice per image, over images",
    "Dice per image, over seeds",
    "Dice per image, published",
    "IoU per image, over images",
    "Difference of pooled Dice",
    "Difference of Dice per image",
    "p",
];

/// The report of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The statistics of every variant that has a finished run.
    pub summaries: Vec<VariantSummary>,
    /// What the table means and leaves out, a sentence or two each.
    pub notes: Vec<String>,
    /// The data set of which published scores are shown; `None` for none.
    pub published: Option<PublishedSet>,
    /// What the others are compared with, in words.
    pub reference: String,
}

impl Report {
    /// Makes the statistics of the runs. All variants are compared with the one whose name is `reference`. `published` names
    /// the data set of which the paper's scores are shown beside those of the same convention.
    pub fn of(runs: &[RunScores], reference: &str, published: Option<PublishedSet>) -> Self {
        let bootstrap = Bootstrap::default();
        let summaries = summaries(runs, reference, bootstrap);
        // The variants of HiMix are compared with the whole of it.
        let reference = if reference == "full" { "the full model".to_owned() } else { reference.to_owned() };
        let notes = notes(&summaries, &reference, bootstrap, published);
        Self { summaries, notes, published, reference }
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let (heads, rows) = self.table();
        markdown(&heads, &rows, &self.notes)
    }

    /// The table as a LaTeX `tabular`.
    pub fn latex(&self) -> String {
        let (heads, rows) = self.table();
        latex(&heads, &rows, &self.notes)
    }

    /// The heads of the columns, and a row for each variant, in plain characters.
    fn table(&self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let rows: Vec<_> = self.summaries.iter().map(|summary| cells(summary, self.published)).collect();
        // A column of published scores stands there if a variant has one.
        let is_shown = |column: usize| rows.iter().any(|row: &[Option<String>; 15]| row[column].is_some());
        let shown: Vec<usize> = (0..HEADS.len()).filter(|column| is_shown(*column)).collect();
        let cell = |row: &[Option<String>; 15], column: usize| row[column].clone().unwrap_or_else(dash);
        let heads = shown.iter().map(|column| HEADS[*column]).collect();
        (heads, rows.iter().map(|row| shown.iter().map(|column| cell(row, *column)).collect()).collect())
    }

    /// Writes `report.md`, `report.tex`, `report.csv`, `figure.svg`, `figure.png` and `figure.csv` into a folder and returns
    /// the files.
    ///
    /// # Errors
    /// No run is finished, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
        let row = |summary| {
            let VariantSummary { variant, title, seeds, pooled_dice, difference, .. }: &'_ VariantSummary =
                summary;
            let difference = difference.map(|Difference { pooled_dice: at, .. }| [at.estimate, at.low, at.high]);
            let runs = seeds.iter().copied().zip(pooled_dice.iter().copied()).collect();
            StudyRow { variant, title, runs, difference }
        };
        let rows: Vec<_> = self.summaries.iter().map(row).collect();
        let figure = study(&rows, &self.reference, &self.notes)?;
        let path = |name: &str| folder.join(name);
        write::bytes(&path("report.md"), self.markdown().as_bytes())?;
        write::bytes(&path("report.tex"), self.latex().as_bytes())?;
        let numbers = numbers(&self.summaries, self.published);
        write::file(&path("report.csv"), |out| numbers.write(out))?;
        let mut files = ["report.md", "report.tex", "report.csv"].map(path).to_vec();
        for name in ["figure.svg", "figure.png", "figure.csv"] {
            figure.write(&path(name), FIGURE_PX)?;
            files.push(path(name));
        }
        Ok(files)
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// The cells of a variant; `None` for a published score that there is not.
fn cells(summary: &VariantSummary, published: Option<PublishedSet>) -> [Option<String>; 15] {
    let seeds = |values: &[f64]| match over_seeds(values) {
        (mean, std) if std.is_finite() => mean_sd(&Spread { mean, std, ..summary.dice }),
        (mean, _) => format!("{mean:.3}"),
    };
    let printed = |convention| {
        let dice = published_dice(published?, &summary.variant, convention)?;
        Some(format!("{dice:.4}"))
    };
    let [pooled, each, p] = match &summary.difference {
        Some(one) => [difference(&one.pooled_dice), difference(&one.dice_per_image), probability(one.p_holm)],
        None => [dash(), dash(), dash()],
    };
    let NetworkCost { parameters, gflop, .. } = summary.cost;
    [
        Some(summary.title.clone()),
        Some(parameters.map_or_else(dash, |count| format!("{:.2}", count as f64 / 1e6))),
        Some(gflop.map_or_else(dash, |gflop| format!("{gflop:.2}"))),
        Some(summary.seeds.len().to_string()),
        Some(summary.images.to_string()),
        Some(seeds(&summary.pooled_dice)),
        printed(Convention::Pooled),
        Some(seeds(&summary.pooled_iou)),
        Some(mean_sd(&summary.dice)),
        Some(seeds(&summary.mean_dice)),
        printed(Convention::PerImage),
        Some(mean_sd(&summary.iou)),
        Some(pooled),
        Some(each),
        Some(p),
    ]
}

/// The statistics with all their digits.
fn numbers(summaries: &[VariantSummary], published: Option<PublishedSet>) -> Table {
    let mut table = Table::new(&[
        "variant",
        "parameters",
        "gflop",
        "seeds",
        "images",
        "dice_pooled_mean_over_seeds",
        "dice_pooled_sd_over_seeds",
        "dice_pooled_published",
        "iou_pooled_mean_over_seeds",
        "iou_pooled_sd_over_seeds",
        "dice_per_image_mean",
        "dice_per_image_sd_over_images",
        "dice_per_image_sd_over_seeds",
        "dice_per_image_published",
        "iou_per_image_mean",
        "iou_per_image_sd_over_images",
        "iou_per_image_sd_over_seeds",
        "dice_pooled_difference",
        "dice_pooled_difference_low",
        "dice_pooled_difference_high",
        "dice_per_image_difference",
        "dice_per_image_difference_low",
        "dice_per_image_difference_high",
        "subjects",
        "wilcoxon_p",
        "wilcoxon_is_exact",
        "p_holm",
    ]);
    let finite = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    for summary in summaries {
        let of =
            |value: &dyn Fn(&Difference) -> String| summary.difference.as_ref().map_or_else(String::new, value);
        let [dice, iou] = [&summary.pooled_dice, &summary.pooled_iou].map(|values| over_seeds(values));
        let printed = |convention| {
            let dice = published.and_then(|set| published_dice(set, &summary.variant, convention));
            dice.map_or_else(String::new, |dice| format!("{dice:.4}"))
        };
        let NetworkCost { parameters, gflop, .. } = summary.cost;
        table.push([
            summary.variant.clone(),
            parameters.map_or_else(String::new, |count| count.to_string()),
            gflop.map_or_else(String::new, |gflop| gflop.to_string()),
            summary.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
            summary.images.to_string(),
            finite(dice.0),
            finite(dice.1),
            printed(Convention::Pooled),
            finite(iou.0),
            finite(iou.1),
            finite(summary.dice.mean),
            finite(summary.dice.std),
            finite(over_seeds(&summary.mean_dice).1),
            printed(Convention::PerImage),
            finite(summary.iou.mean),
            finite(summary.iou.std),
            finite(over_seeds(&summary.mean_iou).1),
            of(&|one| one.pooled_dice.estimate.to_string()),
            of(&|one| one.pooled_dice.low.to_string()),
            of(&|one| one.pooled_dice.high.to_string()),
            of(&|one| one.dice_per_image.estimate.to_string()),
            of(&|one| one.dice_per_image.low.to_string()),
            of(&|one| one.dice_per_image.high.to_string()),
            of(&|one| one.pooled_dice.subjects.to_string()),
            of(&|one| one.wilcoxon.p_value.to_string()),
            of(&|one| one.wilcoxon.is_exact.to_string()),
            of(&|one| one.p_holm.to_string()),
        ]);
    }
    table
}

/// What the table means, and what it leaves out.
fn notes(
    summaries: &[VariantSummary],
    reference: &str,
    bootstrap: Bootstrap,
    published: Option<PublishedSet>,
) -> Vec<String> {
    let mut notes = vec![
        "Pooled: one score over the pixels of all images. Per image: the mean over the images. All at a threshold of 0.5."
            .to_owned(),
        "± over seeds: sample standard deviation over the runs. ± over images: population standard deviation over the \
         images, each of which has the mean of its scores over the seeds."
            .to_owned(),
    ];
    let compared = summaries.iter().filter(|summary| summary.difference.is_some()).count();
    if let Some(difference) = summaries.iter().find_map(|summary| summary.difference) {
        let (level, resamples, subjects) =
            (100.0 * bootstrap.level, bootstrap.resamples, difference.pooled_dice.subjects);
        notes.push(format!(
            "Differences: the variant less {reference}, of the same images and seeds, with {level} % intervals of \
             {resamples} paired bootstrap resamples of subjects ({subjects}; an image that names no subject counts as one of its own). \
             They do not contain the chance of the seeds."
        ));
        notes.push(format!(
            "p: Wilcoxon's signed-rank test of Dice per image, averaged over the seeds, two-sided, with Pratt's rule for \
             differences of zero; Holm's correction over {compared} variant{}. Unlike the intervals, the test takes images of one \
             subject as independent.",
            if compared == 1 { "" } else { "s" }
        ));
    }
    for summary in summaries {
        if let Some(difference) = summary.difference.filter(|one| one.seeds < summary.seeds.len()) {
            notes.push(format!(
                "{}: compared over {} of its {} seeds, of which there is a run of {reference}.",
                summary.title,
                difference.seeds,
                summary.seeds.len()
            ));
        }
    }
    if summaries.iter().any(|summary| summary.cost.gflop.is_some()) {
        notes.push(
            "GFLOP: multiplications and additions of one pass in thousand millions, each counted as one, estimated from the sizes of the network. \
             Parameters include those of a text encoder."
                .to_owned(),
        );
    }
    if let Some(published) = published {
        notes.push(format!(
            "Published: {published}, with the authors' own sizes, test set and training, in the convention of the column beside it. The published \
             mean ± standard deviation over images of HiMix is not shown, because its means are pooled scores."
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::run;
    use super::*;

    fn report(published: Option<PublishedSet>) -> Report {
        let runs = [
            run("full", 1, &[8, 6, 4]),
            run("full", 2, &[6, 6, 6]),
            run("without-g1", 1, &[7, 5, 3]),
            run("without-g1", 3, &[7, 5, 3]),
        ];
        Report::of(&runs, "full", published)
    }

    #[test]
    fn the_tables_say_the_same() {
        let report = report(None);
        let text = report.markdown();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with(
                "| Variant | Parameters (M) | GFLOP | Seeds | Images | Dice pooled, over seeds | IoU pooled"
            ),
            "{text}"
        );
        // 2·18 / (2·18 + 6 + 12) in both runs.
        assert!(lines[2].starts_with("| FULL | 2.84 | 1.25 | 2 | 3 | 0.667 ± 0.000 | 0.500 ± 0.000 |"), "{text}");
        assert!(lines[3].starts_with("| WITHOUT-G1 | 2.84 | 1.25 | 2 | 3 | 0.588 ± 0.000 |"), "{text}");
        assert!(lines[3].contains("| −0.078 [−"), "{text}");
        assert!(text.contains("compared over 1 of its 2 seeds"), "{text}");
        let latex = report.latex();
        assert!(latex.contains("FULL & 2.84 & 1.25 & 2 & 3 & 0.667 $\\pm$ 0.000"), "{latex}");
        let numbers = numbers(&report.summaries, None);
        let cells = [1, 2, 3, 7].map(|column| numbers.rows[0][column].as_str());
        assert_eq!(cells, ["2840000", "1.25", "1 2", ""]);
    }

    #[test]
    fn published_scores_stand_beside_pooled_ones_only() {
        let text = report(Some(PublishedSet::Mosmed)).markdown();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains("| Dice pooled, over seeds | Dice pooled, published | IoU pooled")
                && !lines[0].contains("per image, published"),
            "{text}"
        );
        assert!(lines[3].contains("| 0.588 ± 0.000 | 0.7841 |"), "{text}");
        assert!(text.contains("because its means are pooled scores"), "{text}");
        assert!(text.contains("Published: MosMedData+"), "{text}");
        assert_eq!(published_dice(PublishedSet::Kvasir, "without-g1", Convention::Pooled), None);
        assert_eq!(published_dice(PublishedSet::Qata, "full", Convention::PerImage), None);
        assert!("qatar".parse::<PublishedSet>().is_err());
    }

    #[test]
    fn networks_stand_beside_what_was_published_of_them_in_the_same_convention() {
        let runs =
            [run("himix-small", 1, &[8, 6, 4]), run("unet-small", 1, &[7, 5, 3]), run("mine", 1, &[6, 5, 3])];
        let text = Report::of(&runs, "himix-small", Some(PublishedSet::Qata)).markdown();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(" | ").collect()).collect();
        let column = |head: &str| rows[0].iter().position(|cell| *cell == head).expect(head);
        let [pooled, each] = ["Dice pooled, published", "Dice per image, published"].map(column);
        assert_eq!([rows[2][pooled], rows[2][each]], ["0.9117", "–"], "{text}");
        assert_eq!([rows[3][pooled], rows[3][each]], ["–", "0.7902"], "{text}");
        assert_eq!([rows[4][pooled], rows[4][each]], ["–", "–"], "{text}");
        assert!(text.contains("the variant less himix-small,") && text.contains("over 2 variants"), "{text}");
    }

    #[test]
    fn the_files_are_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = report(Some(PublishedSet::Qata)).write(folder.path()).expect("written");
        assert_eq!(files.len(), 6);
        assert!(files.iter().all(|file| file.exists()));
        assert!(Report::of(&[], "full", None).write(folder.path()).is_err());
    }
}
