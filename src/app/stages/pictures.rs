//! Converts maps and masks to images for the screen.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::{Color32, ColorImage, Context, TextureHandle, TextureOptions};

use crate::analysis::maps::{Map, MapKind, Scale, raised};
use crate::app::theme;
use crate::data::{Mask, Outcome, OverlayColours, is_foreground};
use crate::engine::{Ticket, striped};
use crate::infer::Plane;

/// The maximum side length of a mask image, in pixels.
const MASK_SIDE: usize = 448;

/// The position of an image in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A stage; the index counts from coarse to fine.
    Stage(usize),
    /// The final mask.
    Final,
    /// The change caused by the overrides.
    Difference,
    /// The filter of a stage, and whether it is centred.
    Filter(usize, bool),
    /// The similarity of the layers.
    Similarity,
}

/// The content of an image; equal values give the same image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pane {
    /// The ticket of the inspection.
    pub of: Ticket,
    /// Whether it belongs to the comparison model.
    pub is_other: bool,
    /// The position of the image.
    pub place: Place,
    /// The map; `None` for a mask.
    pub kind: Option<MapKind>,
    /// The channel that is shown instead of the map.
    pub channel: Option<usize>,
    /// The threshold of a mask, the ground truth and the colours.
    pub mask: Option<(f32, Option<Ticket>, OverlayColours)>,
    /// Whether it is drawn over the image.
    pub is_over_picture: bool,
    /// The other side of a difference, or a value that is drawn.
    pub against: Option<u64>,
}

/// The images on the graphics device.
#[derive(Default)]
pub struct Pictures {
    textures: HashMap<(bool, Place), (Pane, TextureHandle)>,
}

impl Pictures {
    /// Returns the texture of a pane, which is rendered again if its content has changed.
    pub fn texture(
        &mut self,
        ctx: &Context,
        pane: Pane,
        options: TextureOptions,
        make: impl FnOnce() -> ColorImage,
    ) -> TextureHandle {
        let key = (pane.is_other, pane.place);
        match self.textures.get_mut(&key) {
            Some((shown, texture)) if *shown == pane => texture.clone(),
            Some((shown, texture)) => {
                texture.set(make(), options);
                *shown = pane;
                texture.clone()
            }
            None => {
                let texture = ctx.load_texture(format!("{key:?}"), make(), options);
                self.textures.insert(key, (pane, texture.clone()));
                texture
            }
        }
    }
}

/// The inputs of a map; equal inputs give the same map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapOf {
    /// The ticket of the inspection.
    pub of: Ticket,
    /// The map that is shown for every stage.
    pub kind: MapKind,
    /// The rank of a single channel shown instead of the map.
    pub channel: Option<usize>,
    /// The prediction on the other side of a difference.
    pub against: Option<Ticket>,
}

/// The inputs of a map and the map; `None` if there is no map.
type Made = (MapOf, Option<Arc<Map>>);

/// The cache of the displayed maps, so that no frame recomputes them.
#[derive(Default)]
pub struct Maps {
    made: HashMap<(bool, Place), Made>,
    /// The number of maps that have been computed so far.
    #[cfg(test)]
    count: usize,
}

impl Maps {
    /// Returns the map at a place; `make` is called if its inputs have changed. `None` if `make` returned none.
    pub fn get(
        &mut self,
        place: (bool, Place),
        of: MapOf,
        make: impl FnOnce() -> Option<Map>,
    ) -> Option<Arc<Map>> {
        if let Some((shown, map)) = self.made.get(&place)
            && *shown == of
        {
            return map.clone();
        }
        #[cfg(test)]
        {
            self.count += 1;
        }
        let map = make().map(Arc::new);
        self.made.insert(place, (of, map.clone()));
        map
    }
}

/// Renders a map in its colours, one pixel per cell. Over an image, the value 0 of a diverging scale is
/// transparent.
pub fn map_picture(map: &Map, is_over_picture: bool) -> ColorImage {
    let pixels = map.plane.values.iter().map(|value| {
        let is_faded = is_over_picture && map.scale == Scale::Diverging;
        // Small values on both sides of the scale are more transparent; the square root keeps small changes
        // visible.
        let (shown, alpha) = if is_faded { (value.signum(), value.abs().min(1.0).sqrt()) } else { (*value, 1.0) };
        let [r, g, b] = map.scale.colour(shown);
        Color32::from_rgb(r, g, b).gamma_multiply(alpha)
    });
    ColorImage::new([map.plane.width, map.plane.height], pixels.collect())
}

/// Renders a mask that is transparent where there is nothing to show.
///
/// `shape` is the width and height of the image.
pub fn mask_picture(
    probability: &Plane,
    shape: [usize; 2],
    threshold: f32,
    truth: Option<&Mask>,
    colours: OverlayColours,
) -> ColorImage {
    let longest = shape[0].max(shape[1]).max(1);
    let size = shape.map(|side| (side * MASK_SIDE.min(longest) / longest).max(1));
    let fine = if probability.width == probability.height && [probability.width, probability.height] != shape {
        Cow::Owned(raised(probability, size[0], size[1]))
    } else {
        Cow::Borrowed(probability)
    };
    let mut pixels = Vec::with_capacity(size[0] * size[1]);
    for y in 0..size[1] {
        for x in 0..size[0] {
            let at = |width: usize, height: usize| {
                (2 * y + 1) * height / (2 * size[1]) * width + (2 * x + 1) * width / (2 * size[0])
            };
            let is_mask = is_foreground(fine.values[at(fine.width, fine.height)], threshold);
            let is_truth = truth.map(|truth| truth.values[at(truth.width, truth.height)] != 0);
            let outcome = Outcome::of(is_mask, is_truth);
            pixels.push(outcome.map_or(Color32::TRANSPARENT, |outcome| {
                let colour = colours.colour(outcome);
                theme::colour(match outcome {
                    Outcome::FalseNegative => striped(colour, [x, y], size[0].max(size[1])),
                    _ => colour,
                })
            }));
        }
    }
    ColorImage::new(size, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_compared_pixel_by_pixel() {
        let probability = Plane { width: 2, height: 1, values: vec![0.9, 0.1] };
        let colours = OverlayColours {
            mask: [0, 0, 255],
            true_positive: [255, 255, 0],
            false_negative: [255, 0, 0],
            false_positive: [0, 255, 0],
        };
        let picture = |truth: Option<[u8; 2]>| {
            let truth = truth.map(|values| Mask { width: 2, height: 1, values: values.to_vec() });
            mask_picture(&probability, [2, 1], 0.5, truth.as_ref(), colours).pixels
        };
        assert_eq!(picture(None), [Color32::BLUE, Color32::TRANSPARENT]);
        // A false negative has a pale stripe here.
        assert_eq!(picture(Some([1, 1])), [Color32::YELLOW, Color32::from_rgb(255, 191, 191)]);
        assert_eq!(picture(Some([0, 0])), [Color32::GREEN, Color32::TRANSPARENT]);
    }

    #[test]
    fn a_map_is_worked_out_once_for_what_it_shows() {
        let mut maps = Maps::default();
        let of = MapOf { of: 1, kind: MapKind::Activation, channel: None, against: None };
        let plane = Plane { width: 1, height: 1, values: vec![0.5] };
        let mut get = |of| {
            let make = || Some(Map { plane: plane.clone(), scale: Scale::Sequential });
            (maps.get((false, Place::Stage(0)), of, make), maps.count).1
        };
        assert_eq!([get(of), get(of)], [1, 1], "nothing has changed");
        assert_eq!([get(MapOf { of: 2, ..of }), get(MapOf { of: 2, ..of })], [2, 2]);
    }
}
