//! The table `metrics.csv`, with one row for each epoch. The columns are those that the first epoch has, so that a run of
//! an older version goes on as it began.

use super::event::{AverageScores, Epoch};

/// The table as CSV.
///
/// # Errors
/// A row cannot be written.
pub fn table(history: &[Epoch]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = history.first() {
        writer.write_record(header(first)).map_err(|error| error.to_string())?;
        for epoch in history {
            writer.write_record(row(epoch, first)).map_err(|error| error.to_string())?;
        }
    }
    writer.into_inner().map_err(|error| error.to_string())
}

fn header(epoch: &Epoch) -> Vec<String> {
    let mut names: Vec<String> = [
        "epoch",
        "train_loss",
        "validation_loss",
        "dice_pooled",
        "iou_pooled",
        "dice_per_image",
        "iou_per_image",
        "lr",
        "images",
        "skipped",
        "seconds",
        "waiting",
        "best",
    ]
    .map(str::to_owned)
    .into();
    names.extend((0..epoch.sigma.len()).map(|stage| format!("sigma_{}", stage + 1)));
    for (stage, layers) in epoch.layer_weights.iter().enumerate() {
        names.extend(layers.iter().map(|(layer, _)| format!("stage_{}_layer_{layer}", stage + 1)));
    }
    if epoch.empty.is_some() {
        names.extend(["dice_lesions", "empty_truths", "false_positive_area"].map(str::to_owned));
    }
    if epoch.average.is_some() {
        let columns = ["ema_validation_loss", "ema_dice_pooled", "ema_dice_per_image", "best_is_ema"];
        names.extend(columns.map(str::to_owned));
    }
    names
}

/// The row of an epoch, with the columns that the first epoch has.
fn row(epoch: &Epoch, first: &Epoch) -> Vec<String> {
    let mut values = vec![
        epoch.number.to_string(),
        epoch.train_loss.to_string(),
        epoch.validation_loss.to_string(),
        epoch.pooled_dice.to_string(),
        epoch.pooled_iou.to_string(),
        epoch.per_image_dice.to_string(),
        epoch.per_image_iou.to_string(),
        epoch.learning_rate.to_string(),
        epoch.images.to_string(),
        epoch.skipped.to_string(),
        format!("{:.1}", epoch.seconds),
        format!("{:.4}", epoch.waiting),
        u8::from(epoch.is_best).to_string(),
    ];
    values.extend(epoch.sigma.iter().map(|sigma| sigma.map_or(String::new(), |sigma| sigma.to_string())));
    values.extend(epoch.layer_weights.iter().flatten().map(|(_, weight)| weight.to_string()));
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    if first.empty.is_some() {
        let empty = epoch.empty.clone().unwrap_or_default();
        values.extend([number(empty.lesion_dice), empty.images.to_string(), number(empty.false_positive_area)]);
    }
    if first.average.is_some() {
        let average = epoch.average.as_deref();
        let scores: [fn(&AverageScores) -> f64; 3] =
            [|scores| scores.validation_loss, |scores| scores.pooled_dice, |scores| scores.per_image_dice];
        values.extend(scores.map(|score| number(average.map(score))));
        values.push(u8::from(epoch.is_average).to_string());
    }
    values
}
