//! Which keys do what: the usual ones, and what the user has changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::chord::Chord;
use crate::app::state::Tab;

/// The user's keys; an action that is not named has its usual ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Bindings(BTreeMap<Action, Vec<Chord>>);

impl<'de> Deserialize<'de> for Bindings {
    /// Leaves out what it does not know: a key of a newer version is no reason to lose the settings.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        let pair = |(action, chords): (String, serde_json::Value)| {
            let action = serde_json::from_value(action.into()).ok()?;
            Some((action, serde_json::from_value(chords).ok()?))
        };
        Ok(Self(stored.into_iter().filter_map(pair).collect()))
    }
}

impl Bindings {
    /// The keys of an action.
    pub fn of(&self, action: Action) -> &[Chord] {
        self.0.get(&action).map_or(action.usual(), Vec::as_slice)
    }

    /// The first key of an action, for a menu; empty where it has none.
    pub fn label(&self, action: Action) -> String {
        self.of(action).first().map_or_else(String::new, Chord::to_string)
    }

    /// Whether the keys of an action are not the usual ones.
    pub fn is_changed(&self, action: Action) -> bool {
        self.0.contains_key(&action)
    }

    /// Whether any are not.
    pub fn are_changed(&self) -> bool {
        !self.0.is_empty()
    }

    /// What a key does in a task.
    pub fn action(&self, chord: Chord, tab: Tab) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.works_in(tab) && self.of(*action).contains(&chord))
    }

    /// Gives `chord` to `action`, in the place of its key number `place` or as one more; who had it loses it, and is returned.
    pub fn bind(&mut self, action: Action, place: Option<usize>, chord: Chord) -> Vec<Action> {
        let shares = |other: &Action| Tab::ALL.iter().any(|tab| other.works_in(*tab) && action.works_in(*tab));
        let losers: Vec<Action> = Action::ALL
            .iter()
            .copied()
            .filter(|other| *other != action && shares(other) && self.of(*other).contains(&chord))
            .collect();
        for loser in &losers {
            let rest = self.of(*loser).iter().copied().filter(|other| *other != chord).collect();
            self.set(*loser, rest);
        }
        let mut chords = self.of(action).to_vec();
        match place.and_then(|place| chords.get_mut(place)) {
            Some(old) => *old = chord,
            None => chords.push(chord),
        }
        let mut seen = Vec::new();
        chords.retain(|chord| {
            !seen.contains(chord) && {
                seen.push(*chord);
                true
            }
        });
        self.set(action, chords);
        losers
    }

    /// Takes key number `place` from an action.
    pub fn unbind(&mut self, action: Action, place: usize) {
        let mut chords = self.of(action).to_vec();
        if place < chords.len() {
            chords.remove(place);
            self.set(action, chords);
        }
    }

    /// The usual keys again; of all actions where none is named.
    pub fn reset(&mut self, action: Option<Action>) {
        match action {
            Some(action) => {
                // As a change of its own, so that nobody else keeps one of them.
                self.0.remove(&action);
                for chord in action.usual() {
                    self.bind(action, None, *chord);
                }
            }
            None => self.0.clear(),
        }
    }

    fn set(&mut self, action: Action, chords: Vec<Chord>) {
        if chords == action.usual() {
            self.0.remove(&action);
        } else {
            self.0.insert(action, chords);
        }
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::Key;

    use super::*;

    #[test]
    fn no_key_does_two_things_at_once() {
        for tab in Tab::ALL {
            let mut seen: Vec<(Chord, Action)> = Vec::new();
            for action in Action::ALL.iter().copied().filter(|action| action.works_in(tab)) {
                for chord in action.usual() {
                    assert!(!chord.is_reserved(), "{action:?}");
                    let other = seen.iter().find(|(other, _)| other == chord);
                    assert!(other.is_none(), "{chord} in {tab:?}: {action:?} and {other:?}");
                    seen.push((*chord, action));
                }
            }
        }
    }

    #[test]
    fn a_key_that_is_given_away_is_lost() {
        let mut bindings = Bindings::default();
        assert_eq!(bindings.bind(Action::Fit, Some(0), Chord::key(Key::N)), [Action::NextCase]);
        assert_eq!(bindings.of(Action::Fit), [Chord::key(Key::N)]);
        assert!(bindings.of(Action::NextCase).is_empty());
        assert_eq!(bindings.action(Chord::key(Key::N), Tab::Read), Some(Action::Fit));
        assert_eq!(bindings.action(Chord::key(Key::F), Tab::Read), None);
        let text = serde_json::to_string(&bindings).expect("text");
        assert_eq!(serde_json::from_str::<Bindings>(&text).expect("bindings"), bindings);
        bindings.reset(Some(Action::NextCase));
        assert!(bindings.of(Action::Fit).is_empty(), "the usual key goes back to whose it is");
        bindings.reset(None);
        assert!(!bindings.are_changed());
    }

    #[test]
    fn keys_that_are_not_known_are_left_out() {
        let text = r#"{"fit": ["Ctrl+J"], "teleport": ["T"], "heat": ["Hyper+Q"]}"#;
        let bindings: Bindings = serde_json::from_str(text).expect("bindings");
        assert_eq!(bindings.of(Action::Fit), [Chord::ctrl(Key::J)]);
        assert!(!bindings.is_changed(Action::Heat));
    }
}
