//! Tools that paint when the button is released: the lasso, and the growing region.

use std::time::{Duration, Instant};

use super::preview::{Line, Preview};
use super::sight::Sight;
use super::{STEPS_A_FRAME, Tool};
use crate::annotate::tools::{Front, polygon};
use crate::annotate::{Origin, Region};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::Ticket;

/// The least time between two previews of a growing region, which are made of all of its pixels.
const PREVIEW_STEP: Duration = Duration::from_millis(100);

/// What is being dragged.
pub(super) struct Drag {
    kind: DragKind,
    removes: bool,
    /// The ticket of the slice.
    of: Ticket,
    /// Whether the button was released, and the region is only computed to its end.
    is_released: bool,
}

enum DragKind {
    Lasso(Vec<[f64; 2]>),
    Grow(Box<Growing>),
}

/// A region that grows from a seed to a threshold.
struct Growing {
    front: Front,
    sight: Sight,
    seed: [f64; 2],
    threshold: f32,
    /// Whether the front has reached the threshold.
    is_there: bool,
    preview: Preview,
    /// When the preview was made.
    previewed: Option<Instant>,
    /// Whether the preview is that of an earlier threshold or of a smaller front.
    is_behind: bool,
}

/// Returns the time until another preview may be made, at `now`, if the last one was made at `previewed`.
fn until_preview(previewed: Option<Instant>, now: Instant) -> Duration {
    previewed.map_or(Duration::ZERO, |at| PREVIEW_STEP.saturating_sub(now.saturating_duration_since(at)))
}

impl Growing {
    /// Sets the threshold to the distance of a point from the seed, as the front measures it.
    fn reach(&mut self, [x, y]: [f64; 2]) {
        let [column, row] = self.sight.view().steps();
        let threshold = ((x - self.seed[0]) * column).hypot((y - self.seed[1]) * row) as f32;
        if threshold.is_finite() && threshold != self.threshold {
            self.threshold = threshold;
            (self.is_there, self.is_behind) = (false, true);
        }
    }

    /// Lets the front go on for a part of a frame. Returns when it wants to go on; `None` if all of it is shown.
    fn go_on(&mut self, now: Instant) -> Option<Duration> {
        if !self.is_there {
            self.is_there = self.front.advance(&self.sight.view(), self.threshold, STEPS_A_FRAME);
            self.is_behind = true;
        }
        let rest = until_preview(self.previewed, now);
        if self.is_behind && rest.is_zero() {
            self.preview = Preview::of(&self.region());
            (self.previewed, self.is_behind) = (Some(now), false);
        }
        if !self.is_there { Some(Duration::ZERO) } else { self.is_behind.then_some(rest) }
    }

    fn region(&self) -> Region {
        self.front.region(self.threshold)
    }
}

impl Drag {
    pub fn is_released(&self) -> bool {
        self.is_released
    }

    pub fn preview(&self) -> Option<&Preview> {
        match &self.kind {
            DragKind::Lasso(_) => None,
            DragKind::Grow(growing) => Some(&growing.preview),
        }
    }

    pub fn line(&self) -> Option<Line<'_>> {
        match &self.kind {
            DragKind::Lasso(points) => Some(Line { settled: points, next: &[], has_corners: false }),
            DragKind::Grow(_) => None,
        }
    }
}

impl HimixApp {
    /// Begins or continues to draw with the tool that is chosen.
    pub(super) fn draw(&mut self, points: &[[f64; 2]], removes: bool) {
        match self.state.annotating.tool {
            Tool::Brush | Tool::Eraser | Tool::SmartBrush => self.draw_stroke(points, removes),
            Tool::Lasso | Tool::Grow => {
                if let Err(text) = self.drag(points, removes) {
                    self.state.annotating.drag = None;
                    self.state.notes.add_of_case(Kind::Warning, text);
                }
            }
            Tool::Hand | Tool::Polygon | Tool::LiveWire | Tool::Flood | Tool::Region => {}
        }
    }

    fn drag(&mut self, points: &[[f64; 2]], removes: bool) -> Result<(), String> {
        if self.state.annotating.drag.as_ref().is_some_and(|drag| drag.is_released) {
            self.finish_drag();
        }
        if self.state.annotating.drag.is_none() {
            let kind = match self.state.annotating.tool {
                Tool::Grow => DragKind::Grow(Box::new(self.seed(points)?)),
                _ => DragKind::Lasso(Vec::new()),
            };
            let of = self.state.document.image.as_ref().ok_or("Open an image first.")?.layer.key;
            self.state.annotating.drag = Some(Drag { kind, removes, of, is_released: false });
        }
        match self.state.annotating.drag.as_mut().map(|drag| &mut drag.kind) {
            Some(DragKind::Lasso(line)) => line.extend(points),
            Some(DragKind::Grow(growing)) => points.last().into_iter().for_each(|point| growing.reach(*point)),
            None => {}
        }
        Ok(())
    }

    fn seed(&mut self, points: &[[f64; 2]]) -> Result<Growing, String> {
        let seed = points.first().copied().ok_or("The region has no seed.")?;
        let sight = self.sight()?;
        let front = Front::new(&sight.view(), seed, self.state.annotating.options.grow);
        let front = front.map_err(|error| error.to_string())?;
        Ok(Growing {
            front,
            sight,
            seed,
            threshold: 0.0,
            is_there: false,
            preview: Preview::default(),
            previewed: None,
            is_behind: true,
        })
    }

    /// Goes on with a growing region. Returns the time until another frame is needed; `None` if none is.
    pub(super) fn continue_drag(&mut self) -> Option<Duration> {
        let now = self.state.document.image.as_ref().map(|open| open.layer.key);
        let drag = self.state.annotating.drag.as_mut()?;
        if Some(drag.of) != now {
            self.state.annotating.drag = None;
            return None;
        }
        let DragKind::Grow(growing) = &mut drag.kind else { return None };
        let rest = growing.go_on(Instant::now());
        if growing.is_there && drag.is_released {
            self.finish_drag();
            return None;
        }
        rest
    }

    /// Takes the release of the button. A region that has not grown to its threshold yet does so first.
    pub(super) fn release(&mut self) {
        if let Some(Drag { kind: DragKind::Grow(growing), is_released, .. }) = &mut self.state.annotating.drag
            && !growing.is_there
        {
            *is_released = true;
            return;
        }
        self.finish_stroke();
    }

    /// Paints what was dragged.
    pub(super) fn finish_drag(&mut self) {
        let Some(drag) = self.state.annotating.drag.take() else { return };
        let (name, region) = match &drag.kind {
            DragKind::Lasso(points) => {
                let [columns, rows, _] = self.state.document.annotation.shape();
                ("lasso", polygon(points, [columns, rows]))
            }
            DragKind::Grow(growing) => ("grown region", growing.region()),
        };
        if let Err(text) = self.paint_region(name, &region, drag.removes, &Origin::Drawn) {
            self.state.notes.add_of_case(Kind::Warning, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::tools::GrowSettings;

    #[test]
    fn a_growing_region_is_shown_ten_times_a_second_and_once_more_at_the_end() {
        let sight = Sight::of_values([64, 64], vec![0.0; 64 * 64]);
        let front = Front::new(&sight.view(), [32.5, 32.5], GrowSettings::default()).expect("a seed");
        let seed = [32.5, 32.5];
        let mut growing = Growing {
            front,
            sight,
            seed,
            threshold: 0.0,
            is_there: false,
            preview: Preview::default(),
            previewed: None,
            is_behind: true,
        };
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        growing.reach([37.5, 32.5]);
        assert_eq!(growing.go_on(after(0)), None, "the first preview is there at once");
        let first = growing.preview.pixels;
        assert!(first > 50, "{first}");
        for (millis, x) in [(16, 40.5), (33, 42.5), (50, 44.5)] {
            growing.reach([x, 32.5]);
            assert_eq!(growing.go_on(after(millis)), Some(Duration::from_millis(100 - millis)));
            assert_eq!(growing.preview.pixels, first);
        }
        // The pointer rests, and the last threshold is shown.
        assert_eq!(growing.go_on(after(100)), None);
        assert_eq!(growing.preview, Preview::of(&growing.region()));
        assert!(growing.preview.pixels > 4 * first);
        assert_eq!(growing.go_on(after(300)), None);
    }
}
