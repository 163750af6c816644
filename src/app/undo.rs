//! How the picture is looked at, with undo and redo: threshold, overlay, colours, window, ruler, labels of the ground truth.

use std::mem::{Discriminant, discriminant};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::Vec2;

use super::HimixApp;
use super::command::Command;
use super::theme::Colours;
use crate::data::LabelChoice;
use crate::data::volume::DisplayWindow;
use crate::engine::Ticket;

/// Steps back that are kept.
const KEPT: usize = 200;
/// Changes of one kind that follow each other within this time are one step: a slider that is held, a key that repeats.
const ONE_STEP: Duration = Duration::from_millis(700);

/// How the picture is looked at.
#[derive(Clone, Debug, PartialEq)]
struct ViewSnapshot {
    threshold: f32,
    opacity: f32,
    colours: Colours,
    /// Fill, outline, interpolation, heat map, overlay, comparison.
    switches: [bool; 6],
    /// Labels that count of a truth, which is named by its image and its file.
    labels: Option<(Ticket, PathBuf, LabelChoice)>,
    /// Of the image that is named.
    of_image: Option<(Ticket, DisplayWindow, Option<[Vec2; 2]>)>,
}

impl ViewSnapshot {
    /// As this, but where `from` and `to` differ as `to`.
    fn with(mut self, from: &Self, to: &Self) -> Self {
        if from.threshold != to.threshold {
            self.threshold = to.threshold;
        }
        if from.opacity != to.opacity {
            self.opacity = to.opacity;
        }
        if from.colours != to.colours {
            self.colours = to.colours;
        }
        for (own, (from, to)) in self.switches.iter_mut().zip(from.switches.iter().zip(&to.switches)) {
            if from != to {
                *own = *to;
            }
        }
        if let (Some(own), Some(from), Some(to)) = (&mut self.labels, &from.labels, &to.labels)
            && (own.0, &own.1) == (to.0, &to.1)
            && from.2 != to.2
        {
            own.2 = to.2.clone();
        }
        // Another image has a window and a ruler of its own.
        if let (Some(own), Some(from), Some(to)) = (&mut self.of_image, &from.of_image, &to.of_image)
            && own.0 == to.0
        {
            if from.1 != to.1 {
                own.1 = to.1;
            }
            if from.2 != to.2 {
                own.2 = to.2;
            }
        }
        self
    }
}

/// A change, which is undone without touching what it did not change: another image may have come since.
struct Step {
    before: ViewSnapshot,
    after: ViewSnapshot,
}

/// Steps back and on again.
#[derive(Default)]
pub struct History {
    past: Vec<Step>,
    future: Vec<Step>,
    /// A change that the next of its kind belongs to.
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

    /// Keeps a change. `held` is of which kind it is, where those that follow each other are one.
    fn record(
        &mut self,
        held: Option<Discriminant<Command>>,
        before: ViewSnapshot,
        after: ViewSnapshot,
        now: Instant,
    ) {
        let goes_on = self.last.is_some_and(|(last, at)| Some(last) == held && now - at < ONE_STEP);
        self.future.clear();
        self.last = held.map(|kind| (kind, now));
        match self.past.last_mut().filter(|_| goes_on) {
            Some(step) => step.after = after,
            None => self.past.push(Step { before, after }),
        }
        let surplus = self.past.len().saturating_sub(KEPT);
        self.past.drain(..surplus);
    }

    /// What `now` becomes by one step.
    fn step(&mut self, now: ViewSnapshot, is_back: bool) -> Option<ViewSnapshot> {
        let (from, to) = match is_back {
            true => (&mut self.past, &mut self.future),
            false => (&mut self.future, &mut self.past),
        };
        let step = from.pop()?;
        let look = match is_back {
            true => now.with(&step.after, &step.before),
            false => now.with(&step.before, &step.after),
        };
        to.push(step);
        self.last = None;
        Some(look)
    }
}

/// Of what kind a command is that is given again and again while something is held.
fn held(command: &Command) -> Option<Discriminant<Command>> {
    let is_held = matches!(
        command,
        Command::SetWindow(_)
            | Command::SetThreshold(_)
            | Command::MoveThreshold(_)
            | Command::SetOpacity(_)
            | Command::MoveOpacity(_)
            | Command::SetColours(_)
            | Command::Ruler(Some(_))
    );
    is_held.then(|| discriminant(command))
}

impl HimixApp {
    /// How the picture is looked at now.
    fn view_snapshot(&self) -> ViewSnapshot {
        let state = &self.state;
        let settings = &state.settings;
        ViewSnapshot {
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
            labels: state
                .document.image
                .as_ref()
                .zip(state.document.truth.as_ref())
                .map(|(open, truth)| (open.ticket, truth.path.clone(), truth.truth.choice.clone())),
            of_image: state.document.image.as_ref().map(|open| (open.ticket, open.seen, state.ruler)),
        }
    }

    /// Applies `command` so that what it changes of the look can be undone.
    pub(super) fn apply(&mut self, ctx: &eframe::egui::Context, command: Command) {
        let is_step = matches!(command, Command::Undo | Command::Redo);
        let (held, before) = (held(&command), self.view_snapshot());
        self.change(ctx, command);
        let after = self.view_snapshot();
        // What cannot be taken back, such as a truth that was closed, is no step.
        let is_changed = before.clone().with(&before, &after) != before;
        if !is_step && is_changed {
            self.state.history.record(held, before, after, Instant::now());
        }
    }

    /// One step back, or on again.
    pub(super) fn step_look(&mut self, is_back: bool) {
        let now = self.view_snapshot();
        let Some(look) = self.state.history.step(now, is_back) else { return };
        let labels = self.state.document.truth.as_ref().map(|truth| &truth.truth.choice);
        if let Some((.., choice)) = look.labels.filter(|(.., choice)| Some(choice) != labels) {
            self.choose_labels(choice);
        }
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
        if let Some((_, seen, ruler)) = look.of_image {
            state.ruler = ruler;
            if let Some(open) = state.document.image.as_mut().filter(|open| open.seen != seen) {
                open.seen.is_inverted = seen.is_inverted;
                self.set_window(seen.window);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(threshold: f32) -> ViewSnapshot {
        ViewSnapshot {
            threshold,
            opacity: 0.5,
            colours: Colours::default(),
            switches: [true; 6],
            labels: None,
            of_image: None,
        }
    }

    #[test]
    fn what_follows_quickly_is_one_step() {
        let mut history = History::default();
        let (moved, start) = (held(&Command::MoveThreshold(0.1)), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        let mut change = |held, from, to, millis| history.record(held, look(from), look(to), after(millis));
        change(moved, 0.1, 0.2, 0);
        change(moved, 0.2, 0.3, 500);
        change(moved, 0.3, 0.4, 1000);
        change(moved, 0.4, 0.5, 5000);
        change(held(&Command::Fill(true)), 0.5, 0.6, 5001);
        change(held(&Command::Fill(true)), 0.6, 0.7, 5002);
        let mut now = 0.7;
        let mut back = || {
            now = history.step(look(now), true)?.threshold;
            Some(now)
        };
        let steps: Vec<f32> = std::iter::from_fn(&mut back).collect();
        assert_eq!(steps, [0.6, 0.5, 0.4, 0.1], "a switch is a step each time");
        assert_eq!(history.step(look(0.1), false).map(|look| look.threshold), Some(0.4));
        history.record(moved, look(0.4), look(0.8), after(9000));
        assert!(!history.can_redo(), "a new step ends what was undone");
    }

    #[test]
    fn a_step_changes_back_what_it_changed_and_nothing_else() {
        let mut history = History::default();
        let hidden =
            |threshold| ViewSnapshot { switches: [true, true, true, true, true, false], ..look(threshold) };
        history.record(None, hidden(0.5), hidden(0.6), Instant::now());
        // Another image came, and with it its truth.
        let back = history.step(look(0.6), true);
        assert_eq!(back, Some(look(0.5)));
    }
}
