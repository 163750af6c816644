//! Zoom and pan.

use eframe::egui::{Pos2, Rect, Vec2, vec2};
use serde::{Deserialize, Serialize};

use crate::render::Placement;

/// The maximum zoom, in screen pixels per image pixel.
const MAX_ZOOM: f32 = 64.0;
/// The minimum zoom relative to the zoom at which the image fits.
const MIN_FIT: f32 = 0.5;
/// The margin around a fitted image, in points.
const MARGIN: f32 = 8.0;
/// The zoom factor of one press of a zoom key.
pub const ZOOM_STEP: f32 = 1.25;
/// The distance of one press of an arrow key, in points.
pub const PAN_STEP: f32 = 40.0;

/// A part of an image that is shown in another window again, whatever its size is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredView {
    /// The zoom relative to that at which the image fits.
    pub zoom: f32,
    /// The image point at the centre of the viewport, in pixels.
    pub centre: [f32; 2],
}

/// The visible part of the image and its magnification.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Screen pixels per image pixel.
    zoom: f32,
    /// The image point at the centre of the viewport, in pixel widths.
    centre: Vec2,
    /// Whether the image is fitted to the viewport when the viewport is resized.
    fits: bool,
    /// The viewport of the last frame, in points.
    viewport: Rect,
    pixels_per_point: f32,
    /// The size of the image, in pixel widths.
    image: Vec2,
    pixels: [usize; 2],
    aspect: f32,
    /// The part to show as soon as the viewport and the size of the image are known.
    awaited: Option<StoredView>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            centre: Vec2::ZERO,
            fits: true,
            viewport: Rect::from_min_size(Pos2::ZERO, Vec2::splat(1.0)),
            pixels_per_point: 1.0,
            image: Vec2::splat(1.0),
            pixels: [1, 1],
            aspect: 1.0,
            awaited: None,
        }
    }
}

impl View {
    /// Sets the viewport and the image size; must be called before anything else in a frame.
    ///
    /// `image` is the width and height in pixels, and `aspect` is the height of an image pixel divided by its
    /// width.
    pub fn frame(&mut self, viewport: Rect, pixels_per_point: f32, image: [usize; 2], aspect: f32) {
        self.viewport = Rect::from_min_size(viewport.min, viewport.size().max(Vec2::splat(1.0)));
        self.pixels_per_point = pixels_per_point;
        self.aspect = if aspect.is_finite() { aspect.clamp(0.05, 20.0) } else { 1.0 };
        self.pixels = image;
        self.image = vec2(image[0].max(1) as f32, image[1].max(1) as f32 * self.aspect);
        if self.fits {
            self.zoom = self.fitting_zoom();
            self.centre = self.image / 2.0;
        }
        let is_sound = |stored: &StoredView| {
            stored.zoom > 0.0 && [stored.zoom, stored.centre[0], stored.centre[1]].iter().all(|at| at.is_finite())
        };
        if let Some(stored) = self.awaited.take().filter(is_sound) {
            self.fits = false;
            self.zoom = (stored.zoom * self.fitting_zoom()).clamp(self.least_zoom(), MAX_ZOOM);
            self.centre = Vec2::from(stored.centre) * self.side();
            self.keep_in_sight();
        }
    }

    /// Returns the part that is shown, to be shown again by [`Self::restore`]; `None` if the image is fitted.
    pub fn stored(&self) -> Option<StoredView> {
        let now = StoredView { zoom: self.zoom / self.fitting_zoom(), centre: (self.centre / self.side()).into() };
        self.awaited.or((!self.fits).then_some(now))
    }

    /// Shows this part of the image from the next frame on; `None` fits the image.
    pub fn restore(&mut self, stored: Option<StoredView>) {
        self.fits = true;
        self.awaited = stored;
    }

    /// Shows the whole image, and keeps doing so when the window is resized.
    pub fn fit(&mut self) {
        self.fits = true;
        self.frame(self.viewport, self.pixels_per_point, self.pixels, self.aspect);
    }

    /// Shows one image pixel per screen pixel.
    pub fn actual_size(&mut self) {
        self.zoom_by(1.0 / self.zoom, None);
    }

    /// Zooms by `factor` around `pointer`, or around the centre of the viewport.
    pub fn zoom_by(&mut self, factor: f32, pointer: Option<Pos2>) {
        let pointer = pointer.unwrap_or(self.viewport.center());
        let before = self.plane_at(pointer);
        self.zoom = (self.zoom * factor).clamp(self.least_zoom(), MAX_ZOOM);
        self.fits = false;
        self.centre += before - self.plane_at(pointer);
        self.keep_in_sight();
    }

    /// Pans the image by `points` on the screen.
    pub fn pan_by(&mut self, points: Vec2) {
        self.fits = false;
        self.centre -= points / self.points_per_pixel();
        self.keep_in_sight();
    }

    /// Returns the view of the same part of the image in another viewport: fitted if this one is, and otherwise with
    /// the same centre and the same zoom relative to the viewport.
    pub fn linked(&self, viewport: Rect) -> Self {
        let mut linked = *self;
        linked.frame(viewport, self.pixels_per_point, self.pixels, self.aspect);
        if !linked.fits {
            linked.zoom = (self.zoom * linked.fitting_zoom() / self.fitting_zoom()).min(MAX_ZOOM);
        }
        linked
    }

    /// Returns the number of screen pixels per image pixel.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Returns the image point at `position` on the screen, in pixels.
    pub fn image_at(&self, position: Pos2) -> Vec2 {
        self.plane_at(position) / self.side()
    }

    /// Returns the screen position of an image point given in pixels.
    pub fn screen_at(&self, pixel: Vec2) -> Pos2 {
        self.viewport.center() + (pixel * self.side() - self.centre) * self.points_per_pixel()
    }

    /// Like [`Self::image_at`], in pixel widths along both axes.
    fn plane_at(&self, position: Pos2) -> Vec2 {
        self.centre + (position - self.viewport.center()) / self.points_per_pixel()
    }

    /// Returns the width and height of a pixel, in pixel widths.
    fn side(&self) -> Vec2 {
        vec2(1.0, self.aspect)
    }

    /// Returns the placement of the image for the shader.
    pub fn placement(&self) -> Placement {
        let corner = self.image_at(self.viewport.min);
        let span = self.viewport.size() / self.points_per_pixel() / self.side();
        let step = Vec2::splat(1.0 / self.zoom) / self.side();
        Placement { corner: corner.into(), span: span.into(), step: step.into() }
    }

    /// Returns the visible part of an image of this size: its corner and its extent in image pixels, and its
    /// extent in screen pixels. `None` if no part is visible.
    pub fn seen(&self, image: [usize; 2]) -> Option<[[f32; 2]; 3]> {
        let Placement { corner, span, step } = self.placement();
        let begin = corner.map(|at| at.max(0.0));
        let end = [0, 1].map(|axis| (corner[axis] + span[axis]).min(image[axis] as f32));
        let seen = [0, 1].map(|axis| end[axis] - begin[axis]);
        let is_seen = seen.iter().all(|side| *side > 0.0);
        is_seen.then(|| [begin, seen, [seen[0] / step[0], seen[1] / step[1]]])
    }

    fn points_per_pixel(&self) -> f32 {
        self.zoom / self.pixels_per_point
    }

    fn fitting_zoom(&self) -> f32 {
        let room =
            (self.viewport.size() - Vec2::splat(2.0 * MARGIN)).max(Vec2::splat(1.0)) * self.pixels_per_point;
        (room.x / self.image.x).min(room.y / self.image.y).min(MAX_ZOOM)
    }

    fn least_zoom(&self) -> f32 {
        (self.fitting_zoom() * MIN_FIT).min(1.0)
    }

    fn keep_in_sight(&mut self) {
        self.centre = self.centre.clamp(Vec2::ZERO, self.image);
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::pos2;

    use super::*;

    fn view() -> View {
        let mut view = View::default();
        view.frame(Rect::from_min_size(pos2(10.0, 20.0), vec2(416.0, 216.0)), 2.0, [100, 100], 1.0);
        view
    }

    #[test]
    fn fits_the_shorter_side() {
        let view = view();
        assert_eq!(view.zoom(), 4.0);
        assert_eq!(view.placement(), Placement { corner: [-54.0, -4.0], span: [208.0, 108.0], step: [0.25; 2] });
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let mut view = view();
        let pointer = pos2(150.0, 90.0);
        let before = view.image_at(pointer);
        view.zoom_by(3.0, Some(pointer));
        assert!((view.image_at(pointer) - before).length() < 1e-3);
        view.actual_size();
        assert_eq!(view.zoom(), 1.0);
        view.fit();
        assert_eq!(view.zoom(), 4.0);
    }

    #[test]
    fn a_linked_view_shows_the_same_part() {
        let mut view = view();
        let half = Rect::from_min_size(pos2(500.0, 40.0), vec2(208.0 + 8.0, 108.0 + 4.0));
        assert!((view.linked(half).zoom() - 4.0 * 96.0 / 200.0).abs() < 1e-4, "it is fitted as well");
        view.zoom_by(3.0, Some(pos2(150.0, 90.0)));
        let linked = view.linked(half);
        assert!((linked.image_at(half.center()) - view.image_at(pos2(218.0, 128.0))).length() < 1e-3);
        assert!((linked.zoom() / view.zoom() - 96.0 / 200.0).abs() < 1e-4);
    }

    #[test]
    fn a_stored_view_shows_the_same_part_in_another_window() {
        let mut view = view();
        assert_eq!(view.stored(), None, "it is fitted");
        view.zoom_by(3.0, Some(pos2(150.0, 90.0)));
        let stored = view.stored();
        let mut other = View::default();
        other.restore(stored);
        assert_eq!(other.stored(), stored, "it waits for the window");
        let half = Rect::from_min_size(pos2(500.0, 40.0), vec2(216.0, 112.0));
        other.frame(half, 2.0, [100, 100], 1.0);
        assert_eq!((other.zoom(), other.image_at(half.center())), (view.linked(half).zoom(), view.centre));
        other.restore(Some(StoredView { zoom: f32::INFINITY, centre: [0.0; 2] }));
        other.frame(half, 2.0, [100, 100], 1.0);
        assert_eq!(other.stored(), None, "what nobody could have stored is left out");
        other.restore(Some(StoredView { zoom: 1e9, centre: [1e9; 2] }));
        other.frame(half, 2.0, [100, 100], 1.0);
        assert_eq!((other.zoom(), other.centre), (MAX_ZOOM, vec2(100.0, 100.0)));
    }

    #[test]
    fn pixels_that_are_no_squares() {
        let mut view = View::default();
        view.frame(Rect::from_min_size(pos2(0.0, 0.0), vec2(216.0, 216.0)), 1.0, [50, 100], 0.5);
        assert_eq!(view.zoom(), 4.0, "as high as wide on the screen");
        let corner = view.screen_at(vec2(50.0, 100.0));
        assert!((corner - pos2(208.0, 208.0)).length() < 1e-3, "{corner:?}");
        assert!((view.image_at(corner) - vec2(50.0, 100.0)).length() < 1e-3);
        assert_eq!(view.placement().step, [0.25, 0.5]);
    }

    #[test]
    fn the_part_that_is_seen_is_as_large_as_on_the_screen() {
        let mut view = view();
        assert_eq!(
            view.seen([100, 100]),
            Some([[0.0; 2], [100.0; 2], [400.0; 2]]),
            "all, without the margin around it"
        );
        view.zoom_by(8.0, None);
        let [corner, span, size] = view.seen([100, 100]).expect("a part");
        assert!(corner[0] > 30.0 && span[0] < 30.0, "{corner:?} {span:?}");
        assert!((size[0] - 832.0).abs() < 0.1 && (size[1] - 432.0).abs() < 0.1, "{size:?}");
    }

    #[test]
    fn the_image_cannot_be_lost() {
        let mut view = view();
        view.pan_by(vec2(1e6, -1e6));
        assert_eq!(view.image_at(view.viewport.center()), vec2(0.0, 100.0));
        view.zoom_by(1e-9, None);
        assert_eq!(view.zoom(), 1.0);
        view.zoom_by(1e9, None);
        assert_eq!(view.zoom(), MAX_ZOOM);
    }
}
