//! The report of a study: tables as Markdown, LaTeX and CSV, and a figure.

use std::path::{Path, PathBuf};

use super::cases::RunScores;
use super::published::pooled_dice;
use super::summary::{Difference, VariantSummary, over_seeds, summaries};
use crate::analysis::comparison::PublishedSet;
use crate::analysis::figure::{FigureError, StudyRow, Table, study};
use crate::analysis::text_table::{latex, markdown, mean_sd, probability, signed};
use crate::data::write;
use crate::metrics::{Bootstrap, Interval, Spread};

/// The width of the figure as PNG, in pixels.
const FIGURE_PX: u32 = 2400;

/// The heads of the columns.
const HEADS: [&str; 11] = [
    "Variant",
    "Seeds",
    "Images",
    "Dice pooled, over seeds",
    "IoU pooled, over seeds",
    "Dice per image, over images",
    "Dice per image, over seeds",
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
}

impl Report {
    /// Makes the statistics of the runs. `published` names the data set of which the paper's scores are shown beside those
    /// of the same convention.
    pub fn of(runs: &[RunScores], published: Option<PublishedSet>) -> Self {
        let bootstrap = Bootstrap::default();
        let summaries = summaries(runs, bootstrap);
        let notes = notes(&summaries, bootstrap, published);
        Self { summaries, notes, published }
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        match self.published {
            Some(published) => markdown(with_published(published), &self.rows_with(published), &self.notes),
            None => markdown(HEADS, &self.rows(), &self.notes),
        }
    }

    /// The table as a LaTeX `tabular`.
    pub fn latex(&self) -> String {
        match self.published {
            Some(published) => latex(with_published(published), &self.rows_with(published), &self.notes),
            None => latex(HEADS, &self.rows(), &self.notes),
        }
    }

    fn rows(&self) -> Vec<[String; 11]> {
        self.summaries.iter().map(cells).collect()
    }

    fn rows_with(&self, published: PublishedSet) -> Vec<[String; 12]> {
        let row = |summary: &VariantSummary| {
            let [a, b, c, d, rest @ ..] = cells(summary);
            let [e, f, g, h, i, j, k] = rest;
            let dice = pooled_dice(published, &summary.variant);
            [a, b, c, d, dice.map_or_else(|| "–".to_owned(), |dice| format!("{dice:.4}")), e, f, g, h, i, j, k]
        };
        self.summaries.iter().map(row).collect()
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
        let figure = study(&self.summaries.iter().map(row).collect::<Vec<_>>(), &self.notes)?;
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

/// The heads with the published scores beside those that they can be compared with.
fn with_published(published: PublishedSet) -> [&'static str; 12] {
    let [a, b, c, d, rest @ ..] = HEADS;
    let [e, f, g, h, i, j, k] = rest;
    let head = match published {
        PublishedSet::Qata => "Dice pooled, published (QaTa-COV19)",
        PublishedSet::Mosmed => "Dice pooled, published (MosMedData+)",
        PublishedSet::Kvasir => "Dice pooled, published (Kvasir-SEG)",
    };
    [a, b, c, d, head, e, f, g, h, i, j, k]
}

/// The cells of a variant, in plain characters.
fn cells(summary: &VariantSummary) -> [String; 11] {
    let seeds = |values: &[f64]| match over_seeds(values) {
        (mean, std) if std.is_finite() => mean_sd(&Spread { mean, std, ..summary.dice }),
        (mean, _) => format!("{mean:.3}"),
    };
    let interval = |at: &Interval| format!("{} [{}, {}]", signed(at.estimate), signed(at.low), signed(at.high));
    let dash = || "–".to_owned();
    let [pooled, each, p] = match &summary.difference {
        Some(one) => [interval(&one.pooled_dice), interval(&one.dice_per_image), probability(one.p_holm)],
        None => [dash(), dash(), dash()],
    };
    [
        summary.title.clone(),
        summary.seeds.len().to_string(),
        summary.images.to_string(),
        seeds(&summary.pooled_dice),
        seeds(&summary.pooled_iou),
        mean_sd(&summary.dice),
        seeds(&summary.mean_dice),
        mean_sd(&summary.iou),
        pooled,
        each,
        p,
    ]
}

/// The statistics with all their digits.
fn numbers(summaries: &[VariantSummary], published: Option<PublishedSet>) -> Table {
    let mut table = Table::new(&[
        "variant",
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
        let dice_published = published.and_then(|published| pooled_dice(published, &summary.variant));
        table.push([
            summary.variant.clone(),
            summary.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
            summary.images.to_string(),
            finite(dice.0),
            finite(dice.1),
            dice_published.map_or_else(String::new, |dice| format!("{dice:.4}")),
            finite(iou.0),
            finite(iou.1),
            finite(summary.dice.mean),
            finite(summary.dice.std),
            finite(over_seeds(&summary.mean_dice).1),
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
fn notes(summaries: &[VariantSummary], bootstrap: Bootstrap, published: Option<PublishedSet>) -> Vec<String> {
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
            "Differences: the variant less the full model, of the same images and seeds, with {level} % intervals of \
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
                "{}: compared over {} of its {} seeds, of which there is a run of the full model.",
                summary.title,
                difference.seeds,
                summary.seeds.len()
            ));
        }
    }
    if let Some(published) = published {
        notes.push(format!(
            "Published: {published}, with the authors' own test set and training, pooled as the column beside it. The published mean ± standard \
             deviation over images is not shown, because its means are pooled scores."
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
        Report::of(&runs, published)
    }

    #[test]
    fn the_tables_say_the_same() {
        let report = report(None);
        let text = report.markdown();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("| Variant | Seeds | Images | Dice pooled, over seeds |"), "{text}");
        // 2·18 / (2·18 + 6 + 12) in both runs.
        assert!(lines[2].starts_with("| FULL | 2 | 3 | 0.667 ± 0.000 | 0.500 ± 0.000 |"), "{text}");
        assert!(lines[3].starts_with("| WITHOUT-G1 | 2 | 3 | 0.588 ± 0.000 |"), "{text}");
        assert!(lines[3].contains("| −0.078 [−"), "{text}");
        assert!(text.contains("compared over 1 of its 2 seeds"), "{text}");
        let latex = report.latex();
        assert!(latex.contains("FULL & 2 & 3 & 0.667 $\\pm$ 0.000"), "{latex}");
        let numbers = numbers(&report.summaries, None);
        assert_eq!((numbers.rows[0][1].as_str(), numbers.rows[0][5].as_str()), ("1 2", ""));
    }

    #[test]
    fn published_scores_stand_beside_pooled_ones_only() {
        let text = report(Some(PublishedSet::Mosmed)).markdown();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains("| Dice pooled, over seeds | Dice pooled, published (MosMedData+) | IoU pooled"),
            "{text}"
        );
        assert!(lines[3].contains("| 0.588 ± 0.000 | 0.7841 |"), "{text}");
        assert!(text.contains("because its means are pooled scores"), "{text}");
        assert_eq!(pooled_dice(PublishedSet::Kvasir, "without-g1"), None);
        assert!("qatar".parse::<PublishedSet>().is_err());
    }

    #[test]
    fn the_files_are_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = report(Some(PublishedSet::Qata)).write(folder.path()).expect("written");
        assert_eq!(files.len(), 6);
        assert!(files.iter().all(|file| file.exists()));
        assert!(Report::of(&[], None).write(folder.path()).is_err());
    }
}
