//! The agreement of the mask with the ground truth for this image, and its dependence on the threshold.

use std::sync::Arc;

use eframe::egui::{Id, Label, RichText, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::truth;
use super::widgets::{self, explain, explained_row, legend_row, row};
use crate::app::annotating::Looked;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::data::OverlayColours;
use crate::engine::{THRESHOLD_STEPS, ThresholdCounts, threshold_at};

const HD95: &str = "95 % Hausdorff distance: the 95th percentile of the distances from every boundary pixel of either mask to the boundary of the \
                    other. In mm where the file gives the size of a pixel.";
const CURVE: &str = "Dice of this image at every threshold. The line marks the threshold in use, the dot the best one. Click to set the \
                     threshold. A threshold chosen with the ground truth in view gives scores that are too good.";
/// The height of the curve, in points.
const HEIGHT: f32 = 54.0;

/// Returns whether there are scores, or will be in a moment.
pub fn are_coming(state: &State) -> bool {
    match state.looked() {
        Looked::Prediction => state.shown.is_some() && state.truth_mask().is_some(),
        Looked::Annotation => state.truth_mask().is_some(),
        Looked::Difference => state.shown.is_some(),
    }
}

/// Returns what is compared with what, if it is not the prediction with the ground truth.
pub fn compared(state: &State) -> Option<String> {
    match (state.looked(), state.shown_readers()) {
        (Looked::Prediction, Some([first, second])) => Some(format!("{second} against {first}")),
        (Looked::Prediction, None) => None,
        (Looked::Annotation, _) => Some("Annotation against the ground truth".into()),
        (Looked::Difference, _) => Some("Prediction against the annotation".into()),
    }
}

/// Draws the rows of scores and the legend of the comparison. While the pixels are being counted, the widgets
/// below keep their position.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let id = Id::unique("height of the scores");
    let height = ui.scope(|ui| rows(ui, state, commands)).response.rect.height();
    if state.confusion().is_some() {
        ui.data_mut(|data| data.insert_temp(id, height));
    } else if are_coming(state) {
        let last = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.0);
        ui.add_space((last - height).max(0.0));
    }
}

fn rows(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let looked = state.looked();
    if looked != Looked::Difference && state.document.truth.is_some() && state.truth_mask().is_none() {
        let words = "The ground truth does not cover this slice, so there are no scores.";
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
    let Some(counts) = state.confusion() else { return };
    if looked != Looked::Difference {
        truth::oddity(ui, state);
    }
    if let Some(words) = compared(state) {
        ui.label(RichText::new(words).small().weak());
    }
    row(ui, "Dice", format!("{:.3}", counts.dice()));
    row(ui, "IoU", format!("{:.3}", counts.iou()));
    let ratio =
        |of: u64, all: u64| if all == 0 { "–".to_owned() } else { format!("{:.3}", of as f64 / all as f64) };
    let (tp, fp, fneg) = (counts.true_positive, counts.false_positive, counts.false_negative);
    let (precision, recall) = match looked {
        Looked::Difference => {
            ("Share of the prediction that is annotated.", "Share of the annotation that is predicted.")
        }
        _ => ("Share of the mask that is lesion.", "Share of the lesion that is in the mask."),
    };
    row(ui, "Precision", ratio(tp, tp + fp)).on_hover_text(precision);
    row(ui, "Recall", ratio(tp, tp + fneg)).on_hover_text(recall);
    explained_row(ui, "HD95", HD95, distance(state));
    let OverlayColours { true_positive, false_negative, false_positive, .. } = state.settings.colours.overlay();
    let names = match (looked, state.shown_readers()) {
        (Looked::Difference, _) => ["In both", "Only annotated", "Only predicted"].map(String::from),
        (Looked::Prediction, Some([first, second])) => {
            ["Both".into(), format!("Only {first}"), format!("Only {second}")]
        }
        _ => ["True positive", "False negative", "False positive"].map(String::from),
    };
    let is_coloured = (state.compares() || looked == Looked::Difference) && state.show_overlay;
    for (colour, name, count) in
        [(true_positive, &names[0], tp), (false_negative, &names[1], fneg), (false_positive, &names[2], fp)]
    {
        let [all, short] = area(state, count);
        let short = RichText::new(short).small();
        // The colours are explained only where they are drawn: not on a heat map, and not if the comparison is
        // off.
        match is_coloured && (looked != Looked::Prediction || !state.settings.heat) {
            true => legend_row(ui, theme::colour(colour), name, short),
            false => row(ui, name, short),
        }
        .on_hover_text(all);
    }
    if let Some(shown) = state.predicted().filter(|_| looked == Looked::Prediction) {
        curve(ui, state, &shown.counts.table, commands);
    }
}

/// Formats an area in pixels, in mm² if the pixel size is known, and as a share of the image, as a long and as a
/// short text. If the area in mm² does not refer to the patient, the short text contains nothing else.
pub fn area(state: &State, count: u64) -> [String; 2] {
    let pixels = format!("{} px", widgets::grouped(count));
    let Some(open) = &state.document.image else { return [pixels.clone(), pixels] };
    let share = 100.0 * count as f64 / (open.image.width * open.image.height).max(1) as f64;
    let geometry = &open.volume.geometry;
    let Some(mm2) = geometry.lengths().area_mm2(count).map(widgets::number) else {
        let words = format!("{pixels}, {share:.1} %");
        return [words.clone(), words];
    };
    let elsewhere = geometry.measured.suffix();
    let all = format!("{pixels}, {mm2} mm²{elsewhere}, {share:.1} %");
    let short = if elsewhere.is_empty() { all.clone() } else { format!("{mm2} mm²{elsewhere}") };
    [all, short]
}

fn distance(state: &State) -> String {
    let known = match state.looked() {
        Looked::Prediction => {
            let known = state.distance.as_ref().filter(|known| Some(known.of) == state.distance_wanted());
            known.map(|known| known.length)
        }
        Looked::Annotation | Looked::Difference => state.annotation_scores().map(|scored| scored.distance),
    };
    let Some(length) = known else { return "…".into() };
    match length {
        None => "None: one mask is empty".into(),
        Some(length) => format!("{length:.1} {}", state.lengths().unit.words()),
    }
}

/// Draws the Dice score at every hundredth step of the threshold, cached until the counts change.
fn curve(ui: &mut Ui, state: &State, table: &Arc<ThresholdCounts>, commands: &mut Vec<Command>) {
    let id = Id::unique("dice over threshold");
    let key = Arc::as_ptr(table) as usize;
    let known: Option<(usize, Arc<Vec<f64>>)> = ui.data(|data| data.get_temp(id));
    let dice = match known {
        Some((of, dice)) if of == key => dice,
        _ => {
            let at = |step: usize| table.confusion(threshold_at(step)).map_or(0.0, |counts| counts.dice());
            let dice = Arc::new((0..=THRESHOLD_STEPS).step_by(10).map(at).collect::<Vec<f64>>());
            ui.data_mut(|data| data.insert_temp(id, (key, dice.clone())));
            dice
        }
    };
    let best = dice.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(place, _)| place);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let words = match dice[best] {
            0.0 => "Dice is 0 at every threshold".to_owned(),
            value => format!("Best Dice {value:.3} at {:.2}", best as f32 / 100.0),
        };
        ui.label(RichText::new(words).small().weak());
        explain(ui, CURVE);
    });
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Dice over threshold"));
    let palette = theme::palette(ui.visuals());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, palette.field);
    let inner = rect.shrink2(Vec2::new(6.0, 5.0));
    let at = |place: f32, dice: f64| {
        pos2(inner.left() + inner.width() * place, inner.bottom() - inner.height() * dice as f32)
    };
    let line: Vec<_> = dice.iter().enumerate().map(|(place, &dice)| at(place as f32 / 100.0, dice)).collect();
    painter.line(line, Stroke::new(1.5, palette.accent));
    let now = at(state.settings.threshold, 0.0).x;
    painter.vline(now, rect.y_range(), Stroke::new(1.0, palette.weak));
    painter.circle_filled(at(best as f32 / 100.0, dice[best]), 3.0, palette.warning);
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()) {
        commands.push(Command::SetThreshold((pointer.x - inner.left()) / inner.width()));
    }
}
