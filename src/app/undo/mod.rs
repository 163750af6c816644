//! Undoable changes of the window's state.

mod view;

use std::cmp::Ordering;
use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

use super::HimixApp;
use super::boxed::BoxCommand;
use super::command::Command;
use super::notes::Kind;
use super::record::PromptOf;
use super::stages::StagesCommand;
use super::tab::Tab;
use super::variants::{PinSpec, VariantsCommand};
use crate::annotate::{self, Edit, LabelId, Step, Weigh};
use crate::data::Area;
use crate::engine::Ticket;
use crate::infer::{Overrides, Parameter};
use view::{OF_PICTURE, ViewChange, ViewSnapshot};

/// Changes of the same kind within this time form one step, for example a dragged slider or a repeating key.
const ONE_STEP: Duration = Duration::from_millis(700);

/// All undoable steps in chronological order.
pub type History = annotate::History<Change, Held>;

/// A change that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A change of the view.
    View(Box<ViewChange>),
    /// A change of the parameter overrides; `None` stands for the model's own parameters.
    Overrides {
        /// The overrides before the change.
        before: Option<Overrides>,
        /// The overrides after the change.
        after: Option<Overrides>,
    },
    /// A change of the prompt.
    Prompt {
        /// Whose prompt it is: another case has its own.
        of: PromptOf,
        /// The prompt before the change.
        before: String,
        /// The prompt after the change.
        after: String,
    },
    /// A change of the box of a model that takes one.
    Box {
        /// The ticket of the image in which it is.
        of: Ticket,
        /// The box before the change.
        before: Option<Area>,
        /// The box after the change.
        after: Option<Area>,
    },
    /// A change of the pinned variants.
    Pins {
        /// What was pinned before the change.
        before: Vec<PinSpec>,
        /// What is pinned after it.
        after: Vec<PinSpec>,
    },
    /// A change of the annotation.
    Annotation {
        /// The ticket of the image that is annotated.
        of: Ticket,
        /// The edits, in the order in which they were applied.
        edits: Vec<Edit>,
    },
}

impl Weigh for Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Annotation { edits, .. } => edits.iter().map(Edit::bytes).sum(),
            Self::View(_)
            | Self::Overrides { .. }
            | Self::Prompt { .. }
            | Self::Box { .. }
            | Self::Pins { .. } => 0,
        }
    }
}

/// The kind of a change that consists of many small ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// A command that is repeated while something is held.
    Command(Discriminant<Command>),
    /// The slider of a parameter.
    Overrides,
    /// The prompt or the threshold of a pin.
    Pin(u64),
    /// A label, in the gesture of this number.
    Label(LabelId, u64),
}

/// Returns the kind of a command that is repeated while something is held; `None` for other commands.
fn held(command: &Command) -> Option<Held> {
    let is_held = matches!(
        command,
        Command::SetWindow(_)
            | Command::SetThreshold(_)
            | Command::MoveThreshold(_)
            | Command::SetOpacity(_)
            | Command::MoveOpacity(_)
            | Command::SetColours(_)
            | Command::TypePrompt(_)
            | Command::Box(BoxCommand::Set(_))
            | Command::Ruler(Some(_))
    );
    is_held.then(|| Held::Command(discriminant(command)))
}

/// Returns the name of a step that changed overrides; `own` are the parameters of the model.
fn override_name(own: &Overrides, before: Option<&Overrides>, after: Option<&Overrides>) -> String {
    let (before, after) = (before.unwrap_or(own), after.unwrap_or(own));
    let mut changed = Parameter::all(own).into_iter().filter(|of| of.get(before) != of.get(after));
    match (changed.next(), changed.next()) {
        (Some(parameter), None) => format!("override of {}", parameter.name(own)),
        _ if after == own => "reset of the overrides".into(),
        _ => "overrides".into(),
    }
}

impl HimixApp {
    /// Applies `command` and records its changes so that they can be undone.
    pub(super) fn apply(&mut self, ctx: &eframe::egui::Context, command: Command) {
        let is_step = command.is_step();
        let held = held(&command);
        let goes_on = matches!(command, Command::Stages(StagesCommand::Override(_, true)));
        let edited = match &command {
            Command::Variants(VariantsCommand::Type(id, _) | VariantsCommand::SetThreshold(id, _)) => Some(*id),
            _ => None,
        };
        let (before, overrides) = (self.view_snapshot(), self.state.stages.overrides.clone());
        let pins = self.state.variants.specs();
        // A session brings its own prompt, with all that belongs to it.
        let is_session = matches!(command, Command::Session(_));
        let (prompt, of) = (self.state.document.prompt.clone(), self.state.prompt_of);
        let area = self.boxed();
        self.change(ctx, command);
        if is_step {
            return;
        }
        // The prompt of another case is no change of this one's.
        if !is_session && of == self.state.prompt_of {
            self.record_prompt(held, prompt);
        }
        // The box of another image is no change of this one's.
        if let (Some((image, before)), Some((same, after))) = (area, self.boxed())
            && image == same
            && before != after
        {
            self.record_box(held, Change::Box { of: image, before, after });
        }
        let after = self.view_snapshot();
        // A change that cannot be reverted, such as closing a ground truth, is not a step.
        if before.clone().with(&before, &after) != before {
            self.record_view(held, before, after);
        }
        if overrides != self.state.stages.overrides {
            self.record_overrides(overrides, goes_on);
        }
        let pinned = self.state.variants.specs();
        if pins != pinned {
            self.record_pins(pins, pinned, edited);
        }
    }

    fn record_view(&mut self, held: Option<Held>, before: ViewSnapshot, after: ViewSnapshot) {
        record_view(&mut self.state.history, held, before, after, Instant::now());
    }

    /// Records a change of the overrides. If `goes_on`, for example while a slider is held, it is merged with the
    /// previous step.
    fn record_overrides(&mut self, before: Option<Overrides>, goes_on: bool) {
        let after = self.state.stages.overrides.clone();
        // Another model has its own parameters.
        let Some(model) = &self.state.model else { return };
        let name = override_name(&model.info.overrides, before.as_ref(), after.as_ref());
        let step = Step { name, change: Change::Overrides { before, after } };
        let within = if goes_on { Duration::MAX } else { Duration::ZERO };
        let join = |last: &mut Step<Change>, next: Step<Change>| {
            if let (Change::Overrides { after, .. }, Change::Overrides { after: newest, .. }) =
                (&mut last.change, next.change)
            {
                *after = newest;
            }
        };
        self.state.history.record_held(step, Held::Overrides, within, Instant::now(), join);
    }

    /// Records a change of the prompt. Letters that are typed quickly are one step.
    fn record_prompt(&mut self, held: Option<Held>, before: String) {
        let after = self.state.document.prompt.clone();
        if before == after {
            return;
        }
        let step = Step {
            name: "change of the prompt".to_owned(),
            change: Change::Prompt { of: self.state.prompt_of, before, after },
        };
        let join = |last: &mut Step<Change>, next: Step<Change>| {
            if let (Change::Prompt { after, .. }, Change::Prompt { after: newest, .. }) =
                (&mut last.change, next.change)
            {
                *after = newest;
            }
        };
        match held {
            Some(kind) => self.state.history.record_held(step, kind, ONE_STEP, Instant::now(), join),
            None => self.state.history.record(step),
        }
    }

    /// Returns the ticket of the open image and its box.
    fn boxed(&self) -> Option<(Ticket, Option<Area>)> {
        self.state.document.image.as_ref().map(|open| (open.ticket, self.state.document.area))
    }

    /// Records a change of the box. A drag is one step.
    fn record_box(&mut self, held: Option<Held>, change: Change) {
        let step = Step { name: "change of the box".to_owned(), change };
        let join = |last: &mut Step<Change>, next: Step<Change>| {
            if let (Change::Box { after, .. }, Change::Box { after: newest, .. }) = (&mut last.change, next.change)
            {
                *after = newest;
            }
        };
        match held {
            Some(kind) => self.state.history.record_held(step, kind, ONE_STEP, Instant::now(), join),
            None => self.state.history.record(step),
        }
    }

    /// Records a change of the pins. Edits of the same pin that follow quickly are one step.
    fn record_pins(&mut self, before: Vec<PinSpec>, after: Vec<PinSpec>, edited: Option<u64>) {
        let name = match after.len().cmp(&before.len()) {
            Ordering::Greater => "pinning",
            Ordering::Less => "removal of pins",
            Ordering::Equal => "change of a pin",
        };
        let step = Step { name: name.to_owned(), change: Change::Pins { before, after } };
        let join = |last: &mut Step<Change>, next: Step<Change>| {
            if let (Change::Pins { after, .. }, Change::Pins { after: newest, .. }) =
                (&mut last.change, next.change)
            {
                *after = newest;
            }
        };
        match edited {
            Some(id) => self.state.history.record_held(step, Held::Pin(id), ONE_STEP, Instant::now(), join),
            None => self.state.history.record(step),
        }
    }

    /// Removes the steps that changed the annotation, because another image was opened.
    pub(super) fn forget_annotation_steps(&mut self) {
        self.state.history.retain(|change| !matches!(change, Change::Annotation { .. }));
    }

    /// Removes the steps that changed overrides, because they belong to another model.
    pub(super) fn forget_override_steps(&mut self) {
        self.state.history.retain(|change| !matches!(change, Change::Overrides { .. }));
    }

    /// Undoes or redoes one step, and switches to the tab in which it is visible. Returns whether that was done: a
    /// step that cannot be done now stays where it was.
    pub(super) fn step(&mut self, is_back: bool) -> bool {
        self.finish_stroke();
        let history = &mut self.state.history;
        let Some(step) = (if is_back { history.undo() } else { history.redo() }) else { return false };
        match step.change.clone() {
            Change::View(change) => {
                let ViewChange { before, after } = *change;
                let (from, to) = if is_back { (after, before) } else { (before, after) };
                if self.state.tab == Tab::Stages && OF_PICTURE.contains(&from.difference(&to)) {
                    self.show_tab(Tab::Read);
                }
                let now = self.view_snapshot();
                self.look(now.with(&from, &to));
            }
            Change::Overrides { before, after } => {
                self.show_tab(Tab::Stages);
                self.state.stages.overrides = if is_back { before } else { after };
            }
            Change::Prompt { of, before, after } => {
                if self.state.prompt_of == of {
                    if self.state.tab == Tab::Train {
                        self.show_tab(Tab::Read);
                    }
                    self.set_prompt(if is_back { before } else { after });
                }
            }
            Change::Annotation { of, edits } => {
                if let Err(text) = self.step_annotation(of, &edits, is_back) {
                    self.state.history.put_back(is_back);
                    self.state.notes.add_of_case(Kind::Error, text);
                    return false;
                }
            }
            Change::Box { of, before, after } => {
                if self.state.document.image.as_ref().is_some_and(|open| open.ticket == of) {
                    self.show_tab(Tab::Read);
                    self.set_box(if is_back { before } else { after });
                }
            }
            Change::Pins { before, after } => {
                self.show_tab(Tab::Prompts);
                self.set_pins(if is_back { before } else { after });
            }
        }
        true
    }

    /// Undoes or redoes the steps up to and including the one at `place`, the next one being at 0, as far as they can
    /// be done.
    pub(super) fn step_to(&mut self, place: usize, is_back: bool) {
        for _ in 0..=place {
            if !self.step(is_back) {
                break;
            }
        }
    }
}

fn record_view(
    history: &mut History,
    held: Option<Held>,
    before: ViewSnapshot,
    after: ViewSnapshot,
    now: Instant,
) {
    let name = before.difference(&after).to_owned();
    let step = Step { name, change: Change::View(Box::new(ViewChange { before, after })) };
    let join = |last: &mut Step<Change>, next: Step<Change>| {
        if let (Change::View(change), Change::View(next)) = (&mut last.change, next.change) {
            change.after = next.after;
        }
    };
    match held {
        Some(kind) => history.record_held(step, kind, ONE_STEP, now, join),
        None => history.record(step),
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Vec2, vec2};

    use super::*;
    use crate::app::theme::Colours;
    use crate::data::volume::{DisplayWindow, Window};
    use crate::infer::StageOverrides;

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

    fn with_ruler(end: Option<f32>) -> ViewSnapshot {
        let seen = DisplayWindow { window: Window::EIGHT_BIT, is_inverted: false };
        let ruler = end.map(|x| [Vec2::ZERO, vec2(x, 0.0)]);
        ViewSnapshot { of_image: Some((1, seen, ruler)), ..look(0.5) }
    }

    /// Returns `now` after undoing one step.
    fn back(history: &mut History, now: ViewSnapshot) -> Option<ViewSnapshot> {
        match &history.undo()?.change {
            Change::View(change) => Some(now.with(&change.after, &change.before)),
            Change::Overrides { .. }
            | Change::Prompt { .. }
            | Change::Box { .. }
            | Change::Pins { .. }
            | Change::Annotation { .. } => None,
        }
    }

    #[test]
    fn what_follows_quickly_is_one_step() {
        let mut history = History::default();
        let (moved, start) = (held(&Command::MoveThreshold(0.1)), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        let mut change =
            |held, from, to, millis| record_view(&mut history, held, look(from), look(to), after(millis));
        change(moved, 0.1, 0.2, 0);
        change(moved, 0.2, 0.3, 500);
        change(moved, 0.3, 0.4, 1000);
        change(moved, 0.4, 0.5, 5000);
        change(held(&Command::Fill(true)), 0.5, 0.6, 5001);
        change(held(&Command::Fill(true)), 0.6, 0.7, 5002);
        let mut now = 0.7;
        let mut threshold = || {
            now = back(&mut history, look(now))?.threshold;
            Some(now)
        };
        let steps: Vec<f32> = std::iter::from_fn(&mut threshold).collect();
        assert_eq!(steps, [0.6, 0.5, 0.4, 0.1], "a switch is a step each time");
    }

    #[test]
    fn a_step_changes_back_what_it_changed_and_nothing_else() {
        let mut history = History::default();
        let hidden =
            |threshold| ViewSnapshot { switches: [true, true, true, true, true, false], ..look(threshold) };
        record_view(&mut history, None, hidden(0.5), hidden(0.6), Instant::now());
        // Another image with its ground truth has been opened.
        assert_eq!(back(&mut history, look(0.6)), Some(look(0.5)));
    }

    #[test]
    fn a_ruler_is_taken_back_as_it_was_before() {
        let mut history = History::default();
        let drawn = held(&Command::Ruler(Some([Vec2::ZERO; 2])));
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        record_view(&mut history, drawn, with_ruler(None), with_ruler(Some(1.0)), start);
        record_view(&mut history, drawn, with_ruler(Some(1.0)), with_ruler(Some(4.0)), start);
        record_view(&mut history, drawn, with_ruler(Some(4.0)), with_ruler(Some(9.0)), start + second);
        assert_eq!(history.undo_name(), Some("ruler"));
        assert_eq!(back(&mut history, with_ruler(Some(9.0))), Some(with_ruler(Some(4.0))));
        assert_eq!(back(&mut history, with_ruler(Some(4.0))), Some(with_ruler(None)), "the drag is one step");
    }

    #[test]
    fn every_step_has_the_name_of_what_it_changed() {
        let of = |change: &dyn Fn(&mut ViewSnapshot)| {
            let mut other = with_ruler(None);
            change(&mut other);
            with_ruler(None).difference(&other)
        };
        assert_eq!(of(&|look| look.threshold = 0.7), "threshold");
        assert_eq!(of(&|look| look.switches[3] = false), "heat map");
        let seen = |window, is_inverted| {
            move |look: &mut ViewSnapshot| {
                look.of_image = Some((1, DisplayWindow { window, is_inverted }, None));
            }
        };
        assert_eq!(of(&seen(Window { centre: 1.0, width: 2.0 }, false)), "window");
        assert_eq!(of(&seen(Window::EIGHT_BIT, true)), "inversion");
    }

    #[test]
    fn an_override_is_named_by_its_parameter() {
        let with = |sigma| Overrides {
            stages: vec![StageOverrides { grid: 7, sigma: Some(sigma), is_filtered: true, betas: None }],
            ..Overrides::default()
        };
        let (own, new) = (with(1.0), with(2.0));
        let name = |before, after| override_name(&own, before, after);
        assert_eq!(name(None, Some(&new)), format!("override of {}", Parameter::Sigma(0).name(&own)));
        let reordered = Overrides { order: vec![2, 1], ..own.clone() };
        assert_eq!(name(None, Some(&reordered)), "overrides");
        assert_eq!(name(Some(&reordered), None), "reset of the overrides");
    }
}
