//! Choices between several things of one kind, and menu entries.

use super::action::{Action, Given, Section, Undo};
use crate::app::command::Command;
use crate::app::state::State;

/// One of several options.
pub struct Choice {
    /// The heading above the option; options with the same heading are adjacent.
    pub heading: &'static str,
    /// The name of the option.
    pub name: String,
    /// Details beside the name.
    pub detail: String,
    /// Details in the tooltip.
    pub hint: String,
    /// Whether the option is in use; `None` if no option is ever in use.
    pub is_on: Option<bool>,
    /// The command of the option, or the reason why it is not available.
    pub given: Given,
}

impl Choice {
    /// Creates an option without details.
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

/// How a menu shows the options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// In a submenu.
    Submenu,
    /// As long texts in a submenu, in lines of this width in points.
    Texts(f32),
    /// As entries of the menu.
    Lines,
    /// Only in the palette.
    Hidden,
}

/// Several options of one kind, which depend on what is open.
#[derive(Clone, Copy)]
pub struct Choices {
    /// The name of the menu.
    pub name: &'static str,
    /// The prefix of the names in the palette; empty if the names are self-explanatory.
    pub prefix: &'static str,
    /// Additional search words for the palette.
    pub words: &'static str,
    /// The heading in the preferences, if the options are listed there.
    pub section: Option<Section>,
    /// How a menu shows the options.
    pub shape: Shape,
    /// Whether several options can be on at once.
    pub is_several: bool,
    /// The text to show if there are no options.
    pub none: &'static str,
    /// Returns the current options.
    pub all: fn(&State) -> Vec<Choice>,
    /// How a choice is undone.
    pub undo: Undo,
}

impl Choices {
    /// Creates choices in a submenu. The declaration fills in the other fields.
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

/// An entry of a menu.
#[derive(Clone, Copy)]
pub enum Item {
    /// An action.
    Action(Action),
    /// A set of options.
    Choices(Choices),
    /// A submenu.
    Menu(&'static str, &'static [Item]),
    /// A separator.
    Line,
}
