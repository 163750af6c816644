//! A row of the figure of stages: the maps of one case by one model, and their numbers.

use super::content::{Case, Options};
use super::table::{Table, cell, optional};
use super::{FigureError, Model};
use crate::analysis::maps::{Map, MapKind, channel_map, difference, raised, stage_map};
use crate::analysis::stage_name;
use crate::data::foreground;
use crate::infer::Inspection;
use crate::metrics::Confusion;

/// The name of the panel that shows the effect of the overrides.
pub(super) const DIFFERENCE: &str = "Modified − original";

/// A map of a stage.
pub(super) struct Panel {
    /// The name, for instance "Stage 7 (Layer 3)".
    pub name: String,
    /// The side length of the grid.
    pub grid: usize,
    /// The map as drawn.
    pub map: Map,
    /// The minimum and maximum before the map was scaled.
    pub range: Option<[f32; 2]>,
    /// The agreement of the stage's own mask with the ground truth.
    pub counts: Option<Confusion>,
}

/// A row: the result of one model for one case.
pub(super) struct Row<'a> {
    /// The case.
    pub case: &'a Case<'a>,
    /// The name of the model.
    pub model: &'a str,
    /// The inspection of the case.
    pub seen: &'a Inspection,
    /// The maps, coarse to fine.
    pub panels: Vec<Panel>,
    /// The final mask, one byte per image pixel.
    pub mask: Vec<u8>,
    /// The agreement of the final mask with the ground truth.
    pub counts: Option<Confusion>,
    /// The change of the probability caused by the overrides.
    pub difference: Option<Map>,
}

impl<'a> Row<'a> {
    /// # Errors
    /// Returns an error if the inspection does not include the data of the map.
    pub fn of(
        case: &'a Case<'a>,
        model: &Model<'a>,
        name: &'a str,
        seen: &'a Inspection,
        options: &Options,
    ) -> Result<Self, FigureError> {
        let against = |mask: &[u8]| case.truth.map(|truth| Confusion::of(mask, &truth.values));
        let mut panels = Vec::new();
        if let Some((index, channel)) = options.channel {
            panels.push(channel_panel(seen, index, channel)?);
        }
        let stages = if options.channel.is_some() { &[][..] } else { &seen.stages };
        for (index, stage) in stages.iter().enumerate() {
            let map = match (stage_map(&seen.stages, index, options.map), options.map) {
                (Some(map), _) => map,
                // The first stage has no previous one.
                (None, MapKind::Change) => continue,
                (None, MapKind::StageMask) => {
                    return Err(FigureError::NoReadouts { model: model.info.name.clone() });
                }
                (None, _) => {
                    return Err(FigureError::Nothing {
                        reason: "the attribution was not computed; request it".into(),
                    });
                }
            };
            let range = match options.map {
                MapKind::Activation => Some(stage.activation().range()),
                MapKind::Attribution => stage.attribution.as_ref().map(|attribution| attribution.map.range()),
                _ => None,
            };
            let counts = (options.map == MapKind::StageMask).then(|| {
                let raised = raised(&map.plane, case.picture.width, case.picture.height);
                against(&foreground(&raised.values, options.threshold))
            });
            panels.push(Panel {
                name: stage_name(stage.grid, index, seen.stages.len()),
                grid: stage.grid,
                map,
                range: range.map(|(low, high)| [low, high]),
                counts: counts.flatten(),
            });
        }
        if panels.is_empty() {
            let reason = match options.map {
                MapKind::Change => "the model has a single stage, so there is no change; choose another map",
                _ => "the stages were not computed; request them",
            };
            return Err(FigureError::Nothing { reason: reason.into() });
        }
        let mask = foreground(&seen.prediction.probability.values, options.threshold);
        let counts = against(&mask);
        let original = model.original.filter(|_| model.overrides.is_some());
        let difference = original.map(|original| difference(&seen.prediction.probability_model, original));
        Ok(Self { case, model: name, seen, panels, mask, counts, difference })
    }

    /// Returns the names and grid sizes of the maps, for the column headings.
    pub fn headings(&self) -> Vec<(&str, usize)> {
        self.panels.iter().map(|panel| (panel.name.as_str(), panel.map.plane.width)).collect()
    }

    /// Appends the numbers of the row to a table.
    pub fn list(&self, table: &mut Table, options: &Options) {
        let mut push =
            |panel: &str, grid: Option<usize>, quantity: &str, at: Option<[usize; 2]>, value: String| {
                table.push([
                    self.model.into(),
                    self.case.name.into(),
                    self.seen.prediction.prompt.clone(),
                    cell(options.threshold),
                    panel.into(),
                    optional(grid),
                    quantity.into(),
                    optional(at.map(|[row, _]| row)),
                    optional(at.map(|[_, column]| column)),
                    value,
                ]);
            };
        let quantity = match options.map {
            _ if options.channel.is_some() => "channel",
            MapKind::Activation => "activation",
            MapKind::Attribution => "attribution",
            MapKind::StageMask => "stage_mask",
            MapKind::Change => "change",
        };
        for panel in &self.panels {
            let grid = Some(panel.grid);
            if let Some([low, high]) = panel.range {
                push(&panel.name, grid, "lowest", None, cell(low));
                push(&panel.name, grid, "highest", None, cell(high));
            }
            if let Some(counts) = panel.counts {
                push(&panel.name, grid, "dice_per_image", None, cell(counts.dice()));
                push(&panel.name, grid, "iou_per_image", None, cell(counts.iou()));
            }
            let width = panel.map.plane.width;
            for (at, value) in panel.map.plane.values.iter().enumerate() {
                push(&panel.name, grid, quantity, Some([at / width, at % width]), cell(*value));
            }
        }
        push("Final mask", None, "area_percent", None, cell(percent(&self.mask)));
        if let Some(counts) = self.counts {
            push("Final mask", None, "dice_per_image", None, cell(counts.dice()));
            push("Final mask", None, "iou_per_image", None, cell(counts.iou()));
        }
        if let Some(Map { plane, .. }) = &self.difference {
            for (at, value) in plane.values.iter().enumerate() {
                let cell_of = Some([at / plane.width, at % plane.width]);
                push(DIFFERENCE, None, "modified_minus_original", cell_of, cell(*value));
            }
        }
        if let Some(truth) = self.case.truth {
            push("Ground truth", None, "area_percent", None, cell(percent(&truth.values)));
        }
    }
}

/// Returns one channel of a stage's output.
fn channel_panel(seen: &Inspection, index: usize, channel: usize) -> Result<Panel, FigureError> {
    let nothing = || FigureError::Nothing { reason: "the model has no such channel; choose another".into() };
    let stage = seen.stages.get(index).ok_or_else(nothing)?;
    let (low, high) = stage.channel(channel).ok_or_else(nothing)?.range();
    Ok(Panel {
        name: format!("{}, channel {channel}", stage_name(stage.grid, index, seen.stages.len())),
        grid: stage.grid,
        map: channel_map(stage, channel).ok_or_else(nothing)?,
        range: Some([low, high]),
        counts: None,
    })
}

/// Returns the share of the image that a mask covers, in percent.
pub(super) fn percent(mask: &[u8]) -> f64 {
    100.0 * mask.iter().filter(|value| **value != 0).count() as f64 / mask.len().max(1) as f64
}
