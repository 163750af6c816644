//! Several things of one kind to choose from, and what stands in a menu.

use super::action::{Action, Given, Section, Undo};
use crate::app::command::Command;
use crate::app::state::State;

/// One of several things to choose from.
pub struct Choice {
    /// What it stands under; choices with the same heading follow each other.
    pub heading: &'static str,
    /// Its name.
    pub name: String,
    /// More about it, beside its name.
    pub detail: String,
    /// More about it, under the pointer.
    pub hint: String,
    /// Whether it is the one in use, where one of them is.
    pub is_on: Option<bool>,
    /// What choosing it does, or why it cannot be chosen.
    pub given: Given,
}

impl Choice {
    /// A choice without more about it.
    pub fn new(name: impl Into<String>, command: Command) -> Self {
        Self {
            heading: "",
            name: name.into(),
            detail: String::new(),
            hint: String::new(),
            is_on: None,
            given: Ok(command),
        }
    }
}

/// How a menu shows things to choose from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// In a menu of their own.
    Submenu,
    /// As long texts in a menu of their own, in lines of this width in points.
    Texts(f32),
    /// One below the other.
    Lines,
    /// Nowhere: they are in the palette alone.
    Hidden,
}

/// Several things of one kind to choose from, which change with what is open.
#[derive(Clone, Copy)]
pub struct Choices {
    /// The name of the menu.
    pub name: &'static str,
    /// What the palette calls one of them, before its name; empty where the names say enough.
    pub prefix: &'static str,
    /// Other words by which the palette finds them.
    pub words: &'static str,
    /// Their heading in the preferences, if they are one of them.
    pub section: Option<Section>,
    /// How a menu shows them.
    pub shape: Shape,
    /// Whether several of them can be on at once.
    pub is_several: bool,
    /// What to say where there are none.
    pub none: &'static str,
    /// All that there are now.
    pub all: fn(&State) -> Vec<Choice>,
    /// How choosing one is taken back.
    pub undo: Undo,
}

impl Choices {
    /// Choices in a menu of their own. The rest is filled in by whoever declares them.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            prefix: "",
            words: "",
            section: None,
            shape: Shape::Submenu,
            is_several: false,
            none: "",
            all: |_| Vec::new(),
            undo: Undo::Unneeded,
        }
    }
}

/// What stands in a menu.
#[derive(Clone, Copy)]
pub enum Item {
    /// Something to do.
    Action(Action),
    /// Something to choose.
    Choices(Choices),
    /// A menu within the menu.
    Menu(&'static str, &'static [Item]),
    /// A line.
    Line,
}
