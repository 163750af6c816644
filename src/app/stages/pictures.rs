//! Maps and masks as pictures for the screen.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::{Color32, ColorImage, Context, TextureHandle, TextureOptions};

use crate::analysis::maps::{Map, MapKind, Scale, raised};
use crate::app::theme;
use crate::data::{Mask, Outcome, OverlayColours, is_foreground};
use crate::engine::{Ticket, striped};
use crate::infer::Plane;

/// Longest side of a mask's picture, in pixels.
const MASK_SIDE: usize = 448;

/// Which picture of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Stage, coarse to fine.
    Stage(usize),
    /// The final mask.
    Final,
    /// What turning changed.
    Difference,
    /// The filter of a stage as it is applied, and centred.
    Filter(usize, bool),
    /// Similarity of the layers.
    Similarity,
}

/// What a picture shows; where this stays the same, so does the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pane {
    /// The look inside.
    pub of: Ticket,
    /// Whether it is of the model that is compared with.
    pub is_other: bool,
    /// Which picture.
    pub place: Place,
    /// The map; none for a mask.
    pub kind: Option<MapKind>,
    /// The channel, in place of the map.
    pub channel: Option<usize>,
    /// Threshold of a mask, the truth, the colours.
    pub mask: Option<(f32, Option<Ticket>, OverlayColours)>,
    /// Whether it lies over the picture.
    pub is_over_picture: bool,
    /// The other side of a difference, or a value that is drawn.
    pub against: Option<u64>,
}

/// Pictures on the graphics device.
#[derive(Default)]
pub struct Pictures {
    textures: HashMap<(bool, Place), (Pane, TextureHandle)>,
}

impl Pictures {
    /// The picture of a pane, made anew where it shows something else by now.
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

/// Of what a map is; where this stays the same, so does the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapOf {
    /// The inspection.
    pub of: Ticket,
    /// What is shown of every stage.
    pub kind: MapKind,
    /// Rank of a single channel in place of the map.
    pub channel: Option<usize>,
    /// The prediction on the other side of a difference.
    pub against: Option<Ticket>,
}

/// What a map is of, and the map; `None` where there is none.
type Made = (MapOf, Option<Arc<Map>>);

/// The maps that are shown, worked out once each: a frame computes none of them anew.
#[derive(Default)]
pub struct Maps {
    made: HashMap<(bool, Place), Made>,
    /// How many maps were worked out so far.
    #[cfg(test)]
    count: usize,
}

impl Maps {
    /// The map at a place; `make` is called where another one was there. `None` if `make` gave none.
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

/// A map in its colours, one pixel a cell. Over a picture, what is 0 on a scale with two sides is transparent.
pub fn map_picture(map: &Map, is_over_picture: bool) -> ColorImage {
    let pixels = map.plane.values.iter().map(|value| {
        let is_faded = is_over_picture && map.scale == Scale::Diverging;
        // The full colour of its side, the less of it the smaller the value; its root, so that a small change is seen too.
        let (shown, alpha) = if is_faded { (value.signum(), value.abs().min(1.0).sqrt()) } else { (*value, 1.0) };
        let [r, g, b] = map.scale.colour(shown);
        Color32::from_rgb(r, g, b).gamma_multiply(alpha)
    });
    ColorImage::new([map.plane.width, map.plane.height], pixels.collect())
}

/// A mask, transparent where there is nothing to show.
/// `shape` is width and height of the image.
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
