//! The key bindings: the defaults and the user's changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chord::Chord;
use crate::app::tab::Tab;

/// The identifier of an action in commands and in the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub &'static str);

/// An action that keys can trigger.
pub trait Keyed {
    /// Returns the identifier.
    fn id(&self) -> ActionId;
    /// Returns the default keys.
    fn usual(&self) -> &'static [Chord];
    /// Returns whether its keys have an effect in a task.
    fn has_keys_in(&self, tab: Tab) -> bool;
}

/// The user's keys by action name; actions that are not listed have their default keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Bindings(BTreeMap<String, Vec<Chord>>);

impl<'de> Deserialize<'de> for Bindings {
    /// Skips unknown keys, so that a file written by a newer version does not lose all settings.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        let pair =
            |(action, chords): (String, serde_json::Value)| Some((action, serde_json::from_value(chords).ok()?));
        Ok(Self(stored.into_iter().filter_map(pair).collect()))
    }
}

impl Bindings {
    /// Returns the keys of an action.
    pub fn of(&self, action: &impl Keyed) -> &[Chord] {
        self.0.get(action.id().0).map_or(action.usual(), Vec::as_slice)
    }

    /// Returns the first key of an action, for a menu; empty if there is none.
    pub fn label(&self, action: &impl Keyed) -> String {
        self.of(action).first().map_or_else(String::new, Chord::to_string)
    }

    /// Returns whether the keys of an action differ from the defaults.
    pub fn is_changed(&self, action: &impl Keyed) -> bool {
        self.0.contains_key(action.id().0)
    }

    /// Returns whether any action has keys that differ from the defaults.
    pub fn are_changed(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns the action among `all` that a key triggers in a task.
    pub fn action<'a, A: Keyed>(
        &self,
        all: impl IntoIterator<Item = &'a A>,
        chord: Chord,
        tab: Tab,
    ) -> Option<&'a A> {
        all.into_iter().find(|action| action.has_keys_in(tab) && self.of(*action).contains(&chord))
    }

    /// Assigns `chord` to `action`, in place of its key at position `place` or as an additional key. Actions among
    /// `all` that had this key lose it and are returned.
    pub fn bind<'a, A: Keyed>(
        &mut self,
        all: impl IntoIterator<Item = &'a A>,
        action: &A,
        place: Option<usize>,
        chord: Chord,
    ) -> Vec<&'a A> {
        let shares = |other: &A| Tab::ALL.iter().any(|tab| other.has_keys_in(*tab) && action.has_keys_in(*tab));
        let losers: Vec<&A> = all
            .into_iter()
            .filter(|other| other.id() != action.id() && shares(other) && self.of(*other).contains(&chord))
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

    /// Removes the key at position `place` from an action.
    pub fn unbind(&mut self, action: &impl Keyed, place: usize) {
        let mut chords = self.of(action).to_vec();
        if place < chords.len() {
            chords.remove(place);
            self.set(action, chords);
        }
    }

    /// Restores the default keys of `action`; actions among `all` that use one of them lose it.
    pub fn reset<'a, A: Keyed + 'a>(&mut self, all: impl IntoIterator<Item = &'a A> + Clone, action: &A) {
        // The keys are assigned one by one, so that no other action keeps one of them.
        self.0.remove(action.id().0);
        for chord in action.usual() {
            self.bind(all.clone(), action, None, *chord);
        }
    }

    /// Restores the default keys of all actions.
    pub fn reset_all(&mut self) {
        self.0.clear();
    }

    fn set(&mut self, action: &impl Keyed, chords: Vec<Chord>) {
        if chords == action.usual() {
            self.0.remove(action.id().0);
        } else {
            self.0.insert(action.id().0.to_owned(), chords);
        }
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::Key;

    use super::*;

    struct Deed(&'static str, &'static [Chord]);

    impl Keyed for Deed {
        fn id(&self) -> ActionId {
            ActionId(self.0)
        }
        fn usual(&self) -> &'static [Chord] {
            self.1
        }
        fn has_keys_in(&self, tab: Tab) -> bool {
            tab != Tab::Train
        }
    }

    const FIT: Deed = Deed("fit", &[Chord::key(Key::F)]);
    const NEXT: Deed = Deed("next_case", &[Chord::key(Key::N)]);
    const ALL: [&Deed; 2] = [&FIT, &NEXT];

    #[test]
    fn a_key_that_is_given_away_is_lost() {
        let mut bindings = Bindings::default();
        let losers = bindings.bind(ALL, &FIT, Some(0), Chord::key(Key::N));
        assert_eq!(losers.iter().map(|loser| loser.0).collect::<Vec<_>>(), ["next_case"]);
        assert_eq!(bindings.of(&FIT), [Chord::key(Key::N)]);
        assert!(bindings.of(&NEXT).is_empty());
        let action =
            |bindings: &Bindings, key| bindings.action(ALL, Chord::key(key), Tab::Read).map(|deed| deed.0);
        assert_eq!(action(&bindings, Key::N), Some("fit"));
        assert_eq!(action(&bindings, Key::F), None);
        let text = serde_json::to_string(&bindings).expect("text");
        assert_eq!(serde_json::from_str::<Bindings>(&text).expect("bindings"), bindings);
        bindings.reset(ALL, &NEXT);
        assert!(bindings.of(&FIT).is_empty(), "the usual key goes back to whose it is");
        bindings.reset_all();
        assert!(!bindings.are_changed());
    }

    #[test]
    fn keys_that_are_not_known_are_left_out() {
        let text = r#"{"fit": ["Ctrl+J"], "teleport": ["T"], "next_case": ["Hyper+Q"]}"#;
        let bindings: Bindings = serde_json::from_str(text).expect("bindings");
        assert_eq!(bindings.of(&FIT), [Chord::ctrl(Key::J)]);
        assert!(!bindings.is_changed(&NEXT));
    }
}
