//! The maps of a decoder stage.

use serde::{Deserialize, Serialize};

use crate::data::colour_map::{diverging, magma};
use crate::data::preprocess;
use crate::infer::{Plane, StageView};

/// The kind of map of every stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapKind {
    /// The mean over the channels of the stage's output, scaled to 0…1 over the map (figures 7 and 8 of the
    /// paper).
    #[default]
    Activation,
    /// Grad-CAM of the mask's mean logit, scaled to a maximum of 1.
    Attribution,
    /// The probability of the stage's own mask, from its linear probe.
    StageMask,
    /// The difference from the previous stage: of the masks' probabilities, or of the activations if there are no
    /// linear probes.
    Change,
}

impl MapKind {
    /// All kinds, in display order.
    pub const ALL: [Self; 4] = [Self::Activation, Self::Attribution, Self::StageMask, Self::Change];

    /// Returns the name for display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activation => "Activation",
            Self::Attribution => "Lesion attribution",
            Self::StageMask => "Stage mask",
            Self::Change => "Change",
        }
    }
}

/// The colour scale of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A scale from 0 to 1.
    Sequential,
    /// A scale from −1 through 0 to 1.
    Diverging,
}

impl Scale {
    /// Returns the red, green and blue components of a value, 8-bit sRGB.
    pub fn colour(self, value: f32) -> [u8; 3] {
        let colour = match self {
            Self::Sequential => magma(value),
            Self::Diverging => diverging(value),
        };
        colour.map(|part| (part * 255.0).round() as u8)
    }

    /// Returns the lowest and the highest value.
    pub fn range(self) -> [f32; 2] {
        match self {
            Self::Sequential => [0.0, 1.0],
            Self::Diverging => [-1.0, 1.0],
        }
    }
}

/// A map of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The values within the scale.
    pub plane: Plane,
    /// The scale that defines its colours.
    pub scale: Scale,
}

/// Returns the map of stage `index`, counted from the coarsest; `None` if the inspection does not include it: no
/// attribution, no linear probes, or no previous stage.
pub fn stage_map(stages: &[StageView], index: usize, kind: MapKind) -> Option<Map> {
    let stage = stages.get(index)?;
    let sequential = |plane| Map { plane, scale: Scale::Sequential };
    match kind {
        MapKind::Activation => Some(sequential(stage.activation().normalised())),
        MapKind::Attribution => {
            let mut plane = stage.attribution.as_ref()?.map.clone();
            let (_, highest) = plane.range();
            if highest > 0.0 {
                plane.values.iter_mut().for_each(|value| *value /= highest);
            }
            Some(sequential(plane))
        }
        MapKind::StageMask => Some(sequential(stage.linear_probe.clone()?)),
        MapKind::Change => {
            let before = stages.get(index.checked_sub(1)?)?;
            let values =
                |stage: &StageView| stage.linear_probe.clone().unwrap_or_else(|| stage.activation().normalised());
            Some(difference(&values(stage), &values(before)))
        }
    }
}

/// Returns one channel of a stage's output, scaled to 0…1; `None` if there is no such channel.
pub fn channel_map(stage: &StageView, channel: usize) -> Option<Map> {
    Some(Map { plane: stage.channel(channel)?.normalised(), scale: Scale::Sequential })
}

/// Returns `after − before`, both square, on the finer of the two grids.
pub fn difference(after: &Plane, before: &Plane) -> Map {
    let side = after.width.max(before.width);
    let (after, before) = (raised(after, side, side), raised(before, side, side));
    let values = after.values.iter().zip(&before.values).map(|(a, b)| a - b).collect();
    Map { plane: Plane { width: side, height: side, values }, scale: Scale::Diverging }
}

/// Resizes a square plane: bilinear with half-pixel centres, in the same way as masks are enlarged.
pub fn raised(plane: &Plane, width: usize, height: usize) -> Plane {
    if (plane.width, plane.height) == (width, height) {
        return plane.clone();
    }
    Plane { width, height, values: preprocess::plane_to_image(&plane.values, plane.width, false, width, height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(grid: usize, output: Vec<f32>) -> StageView {
        let channels = output.len() / (4 * grid * grid);
        StageView { grid, channels, output, attribution: None, linear_probe: None, spectra: None }
    }

    #[test]
    fn what_is_not_there_is_not_drawn() {
        let stages = [stage(1, vec![0.0, 1.0, 2.0, 3.0])];
        assert!(stage_map(&stages, 0, MapKind::Attribution).is_none());
        assert!(stage_map(&stages, 0, MapKind::StageMask).is_none());
        assert!(stage_map(&stages, 0, MapKind::Change).is_none());
        assert!(stage_map(&stages, 1, MapKind::Activation).is_none());
    }

    #[test]
    fn an_activation_is_the_scaled_mean() {
        let stages = [stage(1, vec![0.0, 2.0, 4.0, 8.0, 0.0, 0.0, 0.0, 0.0])];
        let map = stage_map(&stages, 0, MapKind::Activation).expect("a map");
        assert_eq!(map.plane.values, [0.0, 0.25, 0.5, 1.0]);
    }

    #[test]
    fn a_change_is_on_the_finer_grid_and_keeps_its_sign() {
        let linear_probe =
            |side: usize, value: f32| Some(Plane { width: side, height: side, values: vec![value; side * side] });
        let mut stages = [stage(1, vec![0.0; 4]), stage(2, vec![0.0; 16])];
        stages[0].linear_probe = linear_probe(2, 0.75);
        stages[1].linear_probe = linear_probe(4, 0.25);
        let map = stage_map(&stages, 1, MapKind::Change).expect("a map");
        assert_eq!((map.plane.width, map.scale), (4, Scale::Diverging));
        assert!(map.plane.values.iter().all(|value| (value + 0.5).abs() < 1e-6));
    }
}
