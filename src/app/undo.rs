//! How the picture is looked at, with undo and redo: threshold, overlay, colours, window, ruler.

use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

use eframe::egui::Vec2;

use super::HimixApp;
use super::command::Command;
use super::state::State;
use super::theme::Colours;
use crate::data::scan::Seen;
use crate::engine::Ticket;

/// Steps back that are kept.
const KEPT: usize = 200;
/// Changes of one kind that follow each other within this time are one step: a slider that is held, a key that repeats.
const ONE_STEP: Duration = Duration::from_millis(700);

/// How the picture is looked at.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    threshold: f32,
    opacity: f32,
    colours: Colours,
    /// Fill, outline, interpolation, heat map, overlay, comparison.
    switches: [bool; 6],
    /// Of the image that is named.
    of_image: Option<(Ticket, Seen, Option<[Vec2; 2]>)>,
}

impl Look {
    fn of(state: &State) -> Self {
        let settings = &state.settings;
        Self {
            threshold: settings.threshold,
            opacity: settings.opacity,
            colours: settings.colours,
            switches: [
                settings.fill,
                settings.contour,
                settings.smooth,
                settings.heat,
                state.show_overlay,
                state.show_truth,
            ],
            of_image: state.image.as_ref().map(|open| (open.ticket, open.seen, state.ruler)),
        }
    }
}

/// Steps back and on again.
#[derive(Default)]
pub struct History {
    past: Vec<Look>,
    future: Vec<Look>,
    last: Option<(Discriminant<Command>, Instant)>,
}

impl History {
    /// Whether there is a step to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is a step to do again.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    fn record(&mut self, kind: Discriminant<Command>, before: Look, now: Instant) {
        let goes_on = self.last.is_some_and(|(last, at)| last == kind && now - at < ONE_STEP);
        if !goes_on || self.past.is_empty() {
            self.past.push(before);
            let surplus = self.past.len().saturating_sub(KEPT);
            self.past.drain(..surplus);
        }
        self.future.clear();
        self.last = Some((kind, now));
    }

    fn step(&mut self, now: Look, is_back: bool) -> Option<Look> {
        let (from, to) = match is_back {
            true => (&mut self.past, &mut self.future),
            false => (&mut self.future, &mut self.past),
        };
        let look = from.pop()?;
        to.push(now);
        self.last = None;
        Some(look)
    }
}

impl HimixApp {
    /// Applies `command` so that what it changes of the look can be undone.
    pub(super) fn apply(&mut self, ctx: &eframe::egui::Context, command: Command) {
        let kind = discriminant(&command);
        let is_step = matches!(command, Command::Undo | Command::Redo);
        let before = Look::of(&self.state);
        self.change(ctx, command);
        if !is_step && before != Look::of(&self.state) {
            self.state.history.record(kind, before, Instant::now());
        }
    }

    /// One step back, or on again.
    pub(super) fn step_look(&mut self, is_back: bool) {
        let now = Look::of(&self.state);
        let Some(look) = self.state.history.step(now, is_back) else { return };
        let state = &mut self.state;
        state.settings.threshold = look.threshold;
        state.settings.opacity = look.opacity;
        state.settings.colours = look.colours;
        let [fill, contour, smooth, heat, overlay, truth] = look.switches;
        state.settings.fill = fill;
        state.settings.contour = contour;
        state.settings.smooth = smooth;
        state.settings.heat = heat;
        state.show_overlay = overlay;
        state.show_truth = truth;
        // Another image has a window and a ruler of its own.
        let of_image =
            look.of_image.filter(|(of, ..)| state.image.as_ref().is_some_and(|open| open.ticket == *of));
        if let Some((_, seen, ruler)) = of_image {
            state.ruler = ruler;
            if let Some(open) = &mut state.image {
                open.seen.is_inverted = seen.is_inverted;
            }
            self.set_window(seen.window);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(threshold: f32) -> Look {
        Look { threshold, opacity: 0.5, colours: Colours::default(), switches: [true; 6], of_image: None }
    }

    #[test]
    fn what_follows_quickly_is_one_step() {
        let mut history = History::default();
        let (moved, filled) = (discriminant(&Command::MoveThreshold(0.1)), discriminant(&Command::Fill(true)));
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        history.record(moved, look(0.1), after(0));
        history.record(moved, look(0.2), after(500));
        history.record(moved, look(0.3), after(1000));
        history.record(moved, look(0.4), after(5000));
        history.record(filled, look(0.5), after(5001));
        let mut back = |now| history.step(look(now), true).map(|look| look.threshold);
        assert_eq!([back(0.6), back(0.5), back(0.4), back(0.1)], [Some(0.5), Some(0.4), Some(0.1), None]);
        assert_eq!(history.step(look(0.1), false).map(|look| look.threshold), Some(0.4));
        history.record(moved, look(0.7), after(9000));
        assert!(!history.can_redo(), "a new step ends what was undone");
    }
}
