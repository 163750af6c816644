//! Formats the scores of an evaluation as text, as JSON and as a table. Every Dice and IoU value says whether it
//! is pooled or per image.

use std::path::Path;

use himix::data::{Orientation, write};
use himix::infer::{Evaluation, ImageScore, NEAR_EDGE};
use himix::metrics::{
    ByLesionSize, CALIBRATION_BINS, CalibrationBin, Confusion, LesionSizeGroup, Reliability, Spread,
};
use serde_json::{Value, json};

use super::Failure;

/// The maximum number of characters of a prompt in the list of the worst cases.
const PROMPT: usize = 80;

/// Returns the scores as a JSON object.
pub fn object(evaluation: &Evaluation, worst: usize) -> Value {
    let threshold = f64::from(evaluation.settings.threshold);
    let mut object = json!({
        "count": evaluation.images.len(),
        "threshold": (threshold * 1e6).round() / 1e6,
    });
    add_scores(&mut object, evaluation);
    object["calibration"] = calibration(evaluation);
    let ByLesionSize { groups, without } = evaluation.by_lesion_size();
    object["by_lesion_size"] = groups.iter().map(size_group).collect();
    object["without_lesion"] = json!({
        "count": without.images,
        "marked": without.marked,
        "false_positive_area": without.false_positive_area,
    });
    object["worst"] = evaluation.worst(worst).into_iter().map(one_case).collect();
    object["subjects"] = match evaluation.of_new_subjects() {
        None => Value::Null,
        Some(new) => {
            let known: Vec<&str> = known(evaluation).map(|image| image.name.as_str()).collect();
            let mut without = json!({ "count": new.images.len() });
            add_scores(&mut without, &new);
            json!({ "seen_in_training": known, "without_them": without })
        }
    };
    let stages = evaluation.stages();
    if !stages.is_empty() {
        let one = |(pooled, image): &(Confusion, Spread)| json!({ "pooled_dice": pooled.dice(), "per_image_dice": image });
        object["stages"] = stages.iter().map(one).collect();
    }
    let [empty, full] = evaluation.odd_masks();
    object["masks"] =
        json!({ "found": evaluation.mask_kinds, "without_foreground": empty, "foreground_everywhere": full });
    if evaluation.turned.0 > 0 {
        object["exif_orientation"] = json!({ "count": evaluation.turned.0, "read": evaluation.turned.1 });
    }
    object["skipped"] = evaluation.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    if let Some(seed) = evaluation.settings.shuffle_seed {
        object["shuffled"] = json!({ "seed": seed, "same_sentence": evaluation.same_sentence });
    }
    if let Some(margin) = evaluation.settings.box_from_truth {
        object["box_from_truth"] = json!({ "margin_pixels": margin });
    }
    object
}

fn add_scores(object: &mut Value, evaluation: &Evaluation) {
    let pooled = evaluation.pooled();
    let (distance, undefined) = evaluation.hd95();
    let (agreement, incomparable) = evaluation.agreement();
    object["pooled"] = json!({ "dice": pooled.dice(), "iou": pooled.iou() });
    object["per_image"] = json!({
        "dice": evaluation.dice_per_image(),
        "iou": evaluation.iou_per_image(),
        "hd95_pixels": distance,
        "hd95_undefined": undefined,
        "agreement": agreement,
        "agreement_undefined": incomparable,
    });
}

/// Returns the scores of the images whose lesions have a similar size. A single subject has no interval.
fn size_group(group: &LesionSizeGroup) -> Value {
    let interval = group.dice.filter(|dice| dice.subjects > 1);
    let pooled = |score: fn(&Confusion) -> f64| (group.images > 0).then(|| score(&group.pooled));
    json!({
        "from": group.from,
        "to": group.to,
        "count": group.images,
        "subjects": group.dice.map_or(0, |dice| dice.subjects),
        "per_image": {
            "dice": group.dice.map(|dice| dice.estimate),
            "dice_low": interval.map(|dice| dice.low),
            "dice_high": interval.map(|dice| dice.high),
        },
        "pooled": { "dice": pooled(Confusion::dice), "iou": pooled(Confusion::iou) },
    })
}

/// Returns the calibration as an object: the expected calibration error and the reliability curve, of all pixels and of
/// those near an edge. A bin without pixels has no point.
fn calibration(evaluation: &Evaluation) -> Value {
    let curve = |reliability: &Reliability| {
        let one = |(index, bin): (usize, &CalibrationBin)| {
            let [from, to] = [index, index + 1].map(|edge| edge as f64 / CALIBRATION_BINS as f64);
            let point = bin.point();
            json!({
                "from": from,
                "to": to,
                "pixels": bin.count,
                "mean_probability": point.map(|(mean, _)| mean),
                "foreground_share": point.map(|(_, share)| share),
            })
        };
        json!({
            "expected_error": reliability.expected_error(),
            "curve": reliability.bins().iter().enumerate().map(one).collect::<Vec<_>>(),
        })
    };
    let [all, near] = evaluation.reliability();
    let mut near = curve(&near);
    near["within_pixels"] = json!(NEAR_EDGE);
    json!({ "all": curve(&all), "near_edge": near })
}

fn one_case(image: &ImageScore) -> Value {
    json!({
        "image": image.name,
        "prompt": image.prompt,
        "dice": image.counts.dice(),
        "iou": image.counts.iou(),
        "hd95_pixels": image.hd95,
        "agreement": image.agreement,
    })
}

fn known(evaluation: &Evaluation) -> impl Iterator<Item = &ImageScore> {
    evaluation.images.iter().filter(|image| image.is_known == Some(true))
}

/// What must be said of masks that were made with the boxes of the ground truth, moved outwards by `margin` pixels.
pub fn told(margin: f32) -> String {
    format!(
        "the place of the answer was given: every prompt is the box around the ground truth with a margin of {margin} pixels"
    )
}

/// Returns the scores as text.
pub fn text(evaluation: &Evaluation, worst: usize) -> String {
    let mut lines = Vec::new();
    if evaluation.settings.shuffle_seed.is_some() {
        let same = evaluation.same_sentence;
        lines.push(format!(
            "prompts shuffled among the images ({same} of them received a prompt equal to their own)"
        ));
    }
    if let Some(margin) = evaluation.settings.box_from_truth {
        lines.push(told(margin));
    }
    lines.extend(table(evaluation));
    lines.extend(sizes(&evaluation.by_lesion_size()));
    let [all, near] = evaluation.reliability().map(|reliability| reliability.expected_error());
    if let Some(all) = all {
        let near = near.map(|near| format!(", within {NEAR_EDGE} px of an edge {near:.4}")).unwrap_or_default();
        lines.push(format!(
            "calibration expected error {all:.4}{near}   ({CALIBRATION_BINS} bins, all pixels pooled)"
        ));
    }
    lines.extend(masks(evaluation));
    match evaluation.of_new_subjects() {
        None => lines.push("it is not known whether subjects were in the training data".into()),
        Some(new) if new.images.len() == evaluation.images.len() => {
            lines.push("no image is of a subject in the training data".into());
        }
        Some(new) => {
            let seen = evaluation.images.len() - new.images.len();
            lines.push(match seen {
                1 => "1 image is of a subject in the training data; without it:".into(),
                _ => format!("{seen} images are of subjects in the training data; without them:"),
            });
            lines.extend(table(&new));
        }
    }
    let worst = evaluation.worst(worst);
    if !worst.is_empty() {
        lines.push("worst by Dice per image:".into());
    }
    for image in worst {
        let prompt: String = image.prompt.chars().take(PROMPT).collect();
        let distance = image.hd95.map_or("     –".into(), |distance| format!("{distance:6.1}"));
        lines.push(format!("  {:6.3}  {distance} px  {}  \"{prompt}\"", image.counts.dice(), image.name));
    }
    lines.join("\n")
}

/// The scores by the size of the lesion, without groups of no image.
fn sizes(ByLesionSize { groups, without }: &ByLesionSize) -> Vec<String> {
    let images = |count: usize| format!("{count:4} image{}", if count == 1 { " " } else { "s" });
    let row = |group: &LesionSizeGroup| {
        let dice = group.dice?;
        let name = match (group.from, group.to) {
            (0.0, to) => format!("below {to}"),
            (from, 1.0) => format!("from {from}"),
            (from, to) => format!("{from} to {to}"),
        };
        let interval = match dice.subjects {
            1 => "(one subject) ".into(),
            _ => format!("[{:.3}, {:.3}]", dice.low, dice.high),
        };
        Some(format!(
            "  {name:<12} {}   Dice per image {:6.3} {interval}   pooled {:6.3}",
            images(group.images),
            dice.estimate,
            group.pooled.dice()
        ))
    };
    let mut lines: Vec<String> = groups.iter().filter_map(row).collect();
    if !lines.is_empty() {
        lines.insert(
            0,
            "by the share of the image that the lesion covers (intervals of level 0.95, by subject):".into(),
        );
    }
    if let Some(area) = without.false_positive_area {
        lines.push(format!(
            "  no lesion    {}   {} with a predicted mask, mean share of the image {area:.4}",
            images(without.images),
            without.marked
        ));
    }
    lines
}

/// Describes how the masks were interpreted, with a warning if some consist entirely of background or of
/// foreground.
fn masks(evaluation: &Evaluation) -> Vec<String> {
    let kinds = evaluation.mask_kinds.iter().map(|(kind, count)| format!("{kind} ({count})"));
    let mut lines = vec![format!("masks       {}", kinds.collect::<Vec<_>>().join("; "))];
    if let (count @ 1.., orientation) = evaluation.turned {
        let how = if orientation == Orientation::Upright { "upright" } else { "as stored" };
        let pictures = if count == 1 { "1 image has".into() } else { format!("{count} images have") };
        lines.push(format!("{pictures} an EXIF orientation, read {how}"));
    }
    let [empty, full] = evaluation.odd_masks();
    let masks = |count: usize, one: &str, many: &str| match count {
        1 => format!("warning: 1 mask {one}"),
        _ => format!("warning: {count} masks {many}"),
    };
    if empty > 0 {
        lines.push(masks(empty, "has", "have") + " no foreground: any prediction that is not empty scores 0");
    }
    if full > 0 {
        lines.push(masks(full, "is", "are") + " foreground everywhere: check whether this is intended");
    }
    lines
}

/// Returns the scores of the stages' own masks, coarse to fine, as text; `grids` names them.
pub fn stages_text(evaluation: &Evaluation, grids: &[usize]) -> String {
    let row = |name: &str, pooled: &Confusion, image: &Spread| {
        let (dice, Spread { mean, std, .. }) = (pooled.dice(), image);
        format!("\n  {name:<9} Dice pooled {dice:6.3}, per image {mean:6.3} ± {std:5.3}")
    };
    let stages = evaluation.stages();
    if stages.is_empty() {
        return String::new();
    }
    let mut text = "\nmasks of the stages, coarse to fine:".to_owned();
    for ((pooled, image), grid) in stages.iter().zip(grids) {
        text += &row(&format!("stage {grid}"), pooled, image);
    }
    text + &row("final", &evaluation.pooled(), &evaluation.dice_per_image())
}

fn table(evaluation: &Evaluation) -> Vec<String> {
    let pooled = evaluation.pooled();
    let row = |name: &str, spread: &Spread, digits: usize, unit: &str| {
        let Spread { mean, std, lower_quartile: lower, median, upper_quartile: upper, .. } = spread;
        format!(
            "per image   {name:<9} {mean:6.digits$} ± {std:5.digits$}{unit:<3}   \
             median {median:6.digits$}, quartiles {lower:6.digits$} and {upper:6.digits$}"
        )
    };
    let (distance, undefined) = evaluation.hd95();
    let mut lines = vec![
        format!("pooled      Dice      {:6.3}             IoU {:6.3}", pooled.dice(), pooled.iou()),
        row("Dice", &evaluation.dice_per_image(), 3, ""),
        row("IoU", &evaluation.iou_per_image(), 3, ""),
    ];
    let (agreement, incomparable) = evaluation.agreement();
    if agreement.mean.is_finite() {
        let rest = match incomparable {
            0 => "   (of text and mask)".into(),
            1 => "   (of text and mask; 1 prompt without one)".into(),
            count => format!("   (of text and mask; {count} prompts without one)"),
        };
        lines.push(row("agreement", &agreement, 3, "") + &rest);
    }
    if distance.mean.is_finite() {
        let rest = match undefined {
            0 => String::new(),
            1 => "   (1 image without one: a mask is empty)".into(),
            count => format!("   ({count} images without one: a mask is empty)"),
        };
        lines.push(row("HD95", &distance, 2, " px") + &rest);
    }
    lines
}

/// Writes a table with one row for each image.
pub fn write_table(path: &Path, evaluation: &Evaluation) -> Result<(), Failure> {
    Ok(write::file(path, |out| {
        let mut table = csv::Writer::from_writer(out);
        table.write_record([
            "image",
            "prompt",
            "dice_per_image",
            "iou_per_image",
            "true_positive",
            "false_positive",
            "false_negative",
            "true_negative",
            "hd95_pixels",
            "subject_seen_in_training",
            "text_mask_agreement",
            "lesion_share",
        ])?;
        for image in &evaluation.images {
            let counts = &image.counts;
            let is_known = image.is_known.map_or("unknown", |is| if is { "yes" } else { "no" });
            table.write_record([
                &write::text_cell(&image.name),
                &write::text_cell(&image.prompt),
                &format!("{:.6}", counts.dice()),
                &format!("{:.6}", counts.iou()),
                &counts.true_positive.to_string(),
                &counts.false_positive.to_string(),
                &counts.false_negative.to_string(),
                &counts.true_negative.to_string(),
                &image.hd95.map_or(String::new(), |distance| format!("{distance:.3}")),
                is_known,
                &image.agreement.map_or(String::new(), |agreement| format!("{agreement:.4}")),
                &format!("{:.6}", counts.truth_share()),
            ])?;
        }
        table.flush()
    })?)
}
