//! How the image is looked at, as far as it can be undone.

use std::path::PathBuf;

use eframe::egui::Vec2;

use crate::app::HimixApp;
use crate::app::theme::Colours;
use crate::data::LabelChoice;
use crate::data::volume::DisplayWindow;
use crate::engine::Ticket;

/// The view before and after a change. Undoing it leaves everything else untouched, because another image may have
/// been opened since.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewChange {
    pub(super) before: ViewSnapshot,
    pub(super) after: ViewSnapshot,
}

/// The state of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewSnapshot {
    pub(super) threshold: f32,
    pub(super) opacity: f32,
    pub(super) colours: Colours,
    /// The switches, in the order of [`SWITCHES`].
    pub(super) switches: [bool; 6],
    /// The foreground labels of a ground truth, which is identified by the ticket of its image and its path.
    pub(super) labels: Option<(Ticket, PathBuf, LabelChoice)>,
    /// The display window and the ruler of an image, which is identified by its ticket.
    pub(super) of_image: Option<(Ticket, DisplayWindow, Option<[Vec2; 2]>)>,
}

/// The names of the switches.
const SWITCHES: [&str; 6] = ["filled areas", "outlines", "smoothing", "heat map", "overlay", "comparison"];
/// The names of view changes that are visible only in the image itself, which the Stages tab does not show.
pub(super) const OF_PICTURE: [&str; 6] = ["filled areas", "outlines", "smoothing", "heat map", "overlay", RULER];
const RULER: &str = "ruler";

impl ViewSnapshot {
    /// Returns this snapshot with the values of `to` wherever `from` and `to` differ.
    pub(super) fn with(mut self, from: &Self, to: &Self) -> Self {
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
        // Another image has its own window and ruler.
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

    /// Returns the name of the first difference between two snapshots.
    pub(super) fn difference(&self, other: &Self) -> &'static str {
        let switch = self.switches.iter().zip(&other.switches).position(|(own, other)| own != other);
        let of_image = self.of_image.as_ref().zip(other.of_image.as_ref());
        let changed = [
            (self.threshold != other.threshold, "threshold"),
            (self.opacity != other.opacity, "opacity"),
            (self.colours != other.colours, "overlay colours"),
            (switch.is_some(), switch.map_or("", |place| SWITCHES[place])),
            (self.labels != other.labels, "choice of labels"),
            (of_image.is_some_and(|(own, other)| own.2 != other.2), RULER),
            (of_image.is_some_and(|(own, other)| own.1.window != other.1.window), "window"),
        ];
        changed.into_iter().find(|(is_changed, _)| *is_changed).map_or("inversion", |(_, name)| name)
    }
}

impl HimixApp {
    /// Returns the current state of the view.
    pub(super) fn view_snapshot(&self) -> ViewSnapshot {
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
                .document
                .image
                .as_ref()
                .zip(state.document.truth.as_ref())
                .map(|(open, truth)| (open.ticket, truth.path.clone(), truth.truth.choice.clone())),
            of_image: state.document.image.as_ref().map(|open| (open.ticket, open.seen, state.ruler)),
        }
    }

    /// Restores this state of the view.
    pub(super) fn look(&mut self, look: ViewSnapshot) {
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
