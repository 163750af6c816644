//! A comparison as tables: for reading as Markdown and LaTeX, with all digits as CSV.

use super::published::{Convention, PublishedSet, published};
use super::summary::{NetworkSummary, PairSummary, differences};
use crate::analysis::figure::Table;
use crate::analysis::number::probability;
use crate::analysis::text_table::{difference, latex, markdown, mean_sd};
use crate::infer::comparison::Comparison;
use crate::metrics::{Bootstrap, Confusion, Interval};

const SCORES: [&str; 8] = [
    "Network",
    "Images",
    "Dice pooled",
    "IoU pooled",
    "Dice per image",
    "IoU per image",
    "HD95 per image (px)",
    "Empty masks",
];
const PAIRS: [&str; 5] =
    ["Networks", "Difference of pooled Dice", "Difference of Dice per image", "Images better, worse", "p"];
const COSTS: [&str; 5] = ["Network", "Parameters (M)", "GFLOP", "Time (ms)", "Device"];
const PRINTED: [&str; 7] =
    ["Network", "Convention", "Dice published", "Dice here", "IoU published", "IoU here", "Source"];

/// The tables of a comparison as rows of cells, in plain characters.
pub struct Tables {
    scores: Vec<[String; 8]>,
    pairs: Vec<[String; 5]>,
    costs: Vec<[String; 5]>,
    printed: Vec<[String; 7]>,
}

impl Tables {
    /// Makes the tables; `set` is the data set of which published scores stand beside those found here.
    pub fn of(summaries: &[NetworkSummary], pairs: &[PairSummary], set: Option<PublishedSet>) -> Self {
        let name = |number: usize| plain(&summaries[number].name);
        let pair = |pair: &PairSummary| {
            let [first, second] = pair.networks.map(name);
            let [better, worse] = pair.better_worse;
            [
                format!("{second} less {first}"),
                difference(&pair.pooled_dice),
                difference(&pair.dice_per_image),
                format!("{better}, {worse}"),
                probability(pair.p_holm),
            ]
        };
        Self {
            scores: summaries.iter().map(scores).collect(),
            pairs: pairs.iter().map(pair).collect(),
            costs: summaries.iter().map(costs).collect(),
            printed: set
                .map_or_else(Vec::new, |set| summaries.iter().filter_map(|one| printed(one, set)).collect()),
        }
    }

    /// Returns the tables and notes as Markdown, the scores first.
    pub fn markdown(&self, notes: &[String]) -> String {
        let mut text = markdown(&SCORES, &self.scores, &[]);
        if !self.pairs.is_empty() {
            text += &format!("\n{}", markdown(&PAIRS, &self.pairs, &[]));
        }
        text += &format!("\n{}", markdown(&COSTS, &self.costs, &[]));
        if !self.printed.is_empty() {
            text += &format!("\n{}", markdown(&PRINTED, &self.printed, &[]));
        }
        notes.iter().for_each(|note| text += &format!("\n{note}\n"));
        text
    }

    /// Returns the tables as LaTeX `tabular`s that need no package, with the notes as comments.
    pub fn latex(&self, notes: &[String]) -> String {
        let mut text = latex(&SCORES, &self.scores, notes);
        if !self.pairs.is_empty() {
            text += &format!("\n{}", latex(&PAIRS, &self.pairs, &[]));
        }
        text += &format!("\n{}", latex(&COSTS, &self.costs, &[]));
        if !self.printed.is_empty() {
            text += &format!("\n{}", latex(&PRINTED, &self.printed, &[]));
        }
        text
    }
}

/// Returns a name for a cell, which must not end it.
fn plain(name: &str) -> String {
    name.replace(['|', '\n', '\r'], " ")
}

fn dash() -> String {
    "–".to_owned()
}

fn scores(summary: &NetworkSummary) -> [String; 8] {
    let range = |interval: &Option<Interval>| match interval {
        Some(Interval { low, high, .. }) => format!(" [{low:.3}, {high:.3}]"),
        None => String::new(),
    };
    let pooled = |score: f64, interval: &Option<Interval>| match summary.images {
        0 => dash(),
        _ => format!("{score:.3}{}", range(interval)),
    };
    let [dice, iou] = [0, 1].map(|which| {
        format!("{}{}", mean_sd(&summary.per_image[which]), range(&summary.per_image_interval[which]))
    });
    let hd95 = &summary.hd95;
    let distance = if hd95.mean.is_finite() { format!("{:.1} ± {:.1}", hd95.mean, hd95.std) } else { dash() };
    [
        plain(&summary.name),
        summary.images.to_string(),
        pooled(summary.pooled.dice(), &summary.pooled_interval[0]),
        pooled(summary.pooled.iou(), &summary.pooled_interval[1]),
        dice,
        iou,
        distance,
        if summary.images > 0 { summary.empty.to_string() } else { dash() },
    ]
}

fn costs(summary: &NetworkSummary) -> [String; 5] {
    let cost = &summary.cost;
    [
        plain(&summary.name),
        cost.parameters.map_or_else(dash, |count| format!("{:.1}", count as f64 / 1e6)),
        cost.gflop.map_or_else(dash, |gflop| format!("{gflop:.1}")),
        cost.milliseconds.map_or_else(dash, |time| format!("{time:.0}")),
        cost.device.as_deref().map_or_else(dash, plain),
    ]
}

/// The published scores of a network beside those found here; `None` if there are none of a known convention.
fn printed(summary: &NetworkSummary, set: PublishedSet) -> Option<[String; 7]> {
    let row = published(&summary.name, set)?;
    let here = match row.convention {
        Convention::Pooled => [summary.pooled.dice(), summary.pooled.iou()],
        Convention::PerImage => [0, 1].map(|which| summary.per_image[which].mean),
        Convention::Unclear => return None,
    };
    let [[dice, iou], [dice_here, iou_here]] = [row.percent.map(|percent| percent / 100.0), here];
    let cell = |value: f64| if summary.images > 0 { format!("{value:.3}") } else { dash() };
    let text = |value: f64| format!("{value:.4}");
    let name = row.convention.name().to_owned();
    Some([
        plain(&summary.name),
        name,
        text(dice),
        cell(dice_here),
        text(iou),
        cell(iou_here),
        row.source.to_owned(),
    ])
}

/// Returns what the tables mean and leave out, a sentence or two each.
pub fn notes(
    comparison: &Comparison,
    summaries: &[NetworkSummary],
    pairs: &[PairSummary],
    (bootstrap, threshold): (Bootstrap, f32),
    set: Option<PublishedSet>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let images = summaries.first().map_or(0, |summary| summary.images);
    let (level, resamples) = (100.0 * bootstrap.level, bootstrap.resamples);
    let subjects =
        summaries.first().and_then(|summary| summary.pooled_interval[0]).map(|interval| interval.subjects);
    if let Some(subjects) = subjects {
        notes.push(format!(
            "All networks at threshold {threshold}. Pooled: one score over the pixels of all images. Per image: mean ± standard deviation over \
             the images. In brackets: {level} % interval of {resamples} bootstrap resamples of subjects ({subjects}; an image that names no \
             subject counts as one of its own). An image whose mask and ground truth are both empty scores 1."
        ));
    }
    if summaries.iter().any(|summary| summary.without_hd95 > 0 && summary.without_hd95 < images) {
        let each: Vec<String> = summaries
            .iter()
            .filter(|summary| summary.without_hd95 > 0)
            .map(|summary| format!("{} {}", summary.name, summary.without_hd95))
            .collect();
        notes.push(format!(
            "HD95: 95 % Hausdorff distance, over the images whose two masks are not empty. Images without one: {}.",
            each.join(", ")
        ));
    }
    if !pairs.is_empty() {
        let (count, s) = (pairs.len(), if pairs.len() == 1 { "" } else { "s" });
        notes.push(format!(
            "Differences: on the same images, resampled together by subject. p: Wilcoxon's signed-rank test of Dice per image, two-sided, with \
             Pratt's rule for differences of zero; Holm's correction over {count} pair{s}. Unlike the intervals, the test takes images of one \
             subject as independent."
        ));
    }
    if summaries.iter().any(|summary| summary.cost.gflop.is_some()) {
        notes.push(
            "GFLOP: multiplications and additions of one pass, each counted as one, estimated from the sizes of the network. Time: one prediction \
             of a new image and prompt on the device that is named, the median of seven; times of different devices are not comparable."
                .to_owned(),
        );
    }
    if let Some(set) = set {
        let unclear = |summary: &&NetworkSummary| {
            published(&summary.name, set).is_some_and(|row| row.convention == Convention::Unclear)
        };
        notes.push(format!(
            "Published scores are those of the HiMix paper's main table on {set}, beside scores of the same convention. They were found on the \
             authors' own splits and with other training; networks are recognised by their names."
        ));
        notes.extend(summaries.iter().filter(unclear).map(|summary| {
            format!(
                "{}: its published Dice and IoU on {set} fit neither convention, so that they are not shown.",
                summary.name
            )
        }));
    }
    for summary in summaries {
        notes.extend(summary.notes.iter().map(|note| format!("{}: {note}", summary.name)));
    }
    notes.extend(comparison.left_out.iter().map(|(name, reason)| format!("{name} takes no part: {reason}.")));
    if !comparison.skipped.is_empty() {
        notes.push(match comparison.skipped.len() {
            1 => "1 image could not be read or was left out by predictions, and is part of no score.".to_owned(),
            count => format!(
                "{count} images could not be read or were left out by predictions, and are part of no score."
            ),
        });
    }
    // A note has one line, but a name may contain a line break.
    notes.iter_mut().for_each(|note| *note = note.replace(['\n', '\r'], " "));
    notes
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

fn ends(interval: &Option<Interval>) -> [String; 2] {
    [number(interval.map(|interval| interval.low)), number(interval.map(|interval| interval.high))]
}

/// Returns the scores and costs of the networks with all their digits.
pub fn network_numbers(summaries: &[NetworkSummary]) -> Table {
    let mut table = Table::new(&[
        "network",
        "images",
        "dice_pooled",
        "dice_pooled_low",
        "dice_pooled_high",
        "iou_pooled",
        "iou_pooled_low",
        "iou_pooled_high",
        "dice_per_image_mean",
        "dice_per_image_sd",
        "dice_per_image_low",
        "dice_per_image_high",
        "iou_per_image_mean",
        "iou_per_image_sd",
        "iou_per_image_low",
        "iou_per_image_high",
        "hd95_pixels_mean",
        "hd95_pixels_sd",
        "images_without_hd95",
        "empty_masks",
        "parameters",
        "gflop",
        "milliseconds",
        "device",
    ]);
    for summary in summaries {
        let scored = |value: f64| number((summary.images > 0).then_some(value));
        let [dice_pooled, iou_pooled] = [0, 1].map(|which| ends(&summary.pooled_interval[which]));
        let [dice, iou] = [0, 1].map(|which| ends(&summary.per_image_interval[which]));
        let [dice_low, dice_high] = dice;
        let [iou_low, iou_high] = iou;
        let [dice_pooled_low, dice_pooled_high] = dice_pooled;
        let [iou_pooled_low, iou_pooled_high] = iou_pooled;
        let cost = &summary.cost;
        table.push([
            summary.name.clone(),
            summary.images.to_string(),
            scored(summary.pooled.dice()),
            dice_pooled_low,
            dice_pooled_high,
            scored(summary.pooled.iou()),
            iou_pooled_low,
            iou_pooled_high,
            number(Some(summary.per_image[0].mean)),
            number(Some(summary.per_image[0].std)),
            dice_low,
            dice_high,
            number(Some(summary.per_image[1].mean)),
            number(Some(summary.per_image[1].std)),
            iou_low,
            iou_high,
            number(Some(summary.hd95.mean)),
            number(Some(summary.hd95.std)),
            summary.without_hd95.to_string(),
            summary.empty.to_string(),
            cost.parameters.map_or_else(String::new, |count| count.to_string()),
            number(cost.gflop),
            number(cost.milliseconds),
            cost.device.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Returns the differences of every pair with all their digits.
pub fn pair_numbers(summaries: &[NetworkSummary], pairs: &[PairSummary]) -> Table {
    let mut table = Table::new(&[
        "reference",
        "network",
        "dice_pooled_difference",
        "dice_pooled_low",
        "dice_pooled_high",
        "dice_per_image_difference",
        "dice_per_image_low",
        "dice_per_image_high",
        "images_better",
        "images_worse",
        "subjects",
        "wilcoxon_p",
        "wilcoxon_zeros",
        "wilcoxon_is_exact",
        "p_holm",
    ]);
    for pair in pairs {
        let [reference, network] = pair.networks.map(|number| summaries[number].name.clone());
        let PairSummary { pooled_dice: pooled, dice_per_image: dice, better_worse: [better, worse], .. } = pair;
        table.push([
            reference,
            network,
            pooled.estimate.to_string(),
            pooled.low.to_string(),
            pooled.high.to_string(),
            dice.estimate.to_string(),
            dice.low.to_string(),
            dice.high.to_string(),
            better.to_string(),
            worse.to_string(),
            pooled.subjects.to_string(),
            pair.wilcoxon.p_value.to_string(),
            pair.wilcoxon.zeros.to_string(),
            pair.wilcoxon.is_exact.to_string(),
            pair.p_holm.to_string(),
        ]);
    }
    table
}

/// Returns the Dice of every image by every pair of networks, in ascending order of the difference within a pair.
pub fn difference_numbers(comparison: &Comparison, pairs: &[PairSummary]) -> Table {
    let columns = ["reference", "network", "image", "dice_per_image_reference", "dice_per_image", "difference"];
    let mut table = Table::new(&columns);
    for pair in pairs {
        let [reference, network] = pair.networks.map(|number| comparison.networks[number].name.clone());
        for difference in differences(comparison, pair.networks) {
            table.push([
                reference.clone(),
                network.clone(),
                comparison.cases[difference.case].name.clone(),
                difference.dice[0].to_string(),
                difference.dice[1].to_string(),
                difference.difference().to_string(),
            ]);
        }
    }
    table
}

/// Returns the scores of every image by every network. Those of an image without a ground truth are empty.
pub fn case_numbers(comparison: &Comparison) -> Table {
    let mut table = Table::new(&[
        "network",
        "image",
        "subject",
        "prompt",
        "dice_per_image",
        "iou_per_image",
        "true_positive",
        "false_positive",
        "false_negative",
        "true_negative",
        "hd95_pixels",
    ]);
    for network in &comparison.networks {
        for (case, score) in comparison.cases.iter().zip(&network.scores) {
            let of = |value: &dyn Fn(&Confusion) -> String| score.counts.as_ref().map_or_else(String::new, value);
            table.push([
                network.name.clone(),
                case.name.clone(),
                case.subject().to_owned(),
                case.prompt.clone(),
                of(&|counts| counts.dice().to_string()),
                of(&|counts| counts.iou().to_string()),
                of(&|counts| counts.true_positive.to_string()),
                of(&|counts| counts.false_positive.to_string()),
                of(&|counts| counts.false_negative.to_string()),
                of(&|counts| counts.true_negative.to_string()),
                number(score.hd95),
            ]);
        }
    }
    table
}
