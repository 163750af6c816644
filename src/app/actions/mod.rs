//! What people can tell the program to do, declared once. An action says its name, its menu, its usual keys, where it can be done and why not
//! elsewhere, and how it is undone. The menus, the command palette, the page of shortcuts and the preferences are made from these
//! declarations; `command` says what each of them changes.

mod file;
mod help;
mod model;
mod panels;
mod picture;
mod prompt;
mod view;

use super::command::Command;
use super::keys::{ActionId, Chord, Keyed};
use super::state::State;
use super::tab::Tab;
use crate::app::state::OpenImage;

pub use model::{COMPARE, ITEMS as MODEL};
pub use picture::{HOLD_OVERLAY, WINDOWS};
pub use prompt::{FOCUS_PROMPT, HISTORY, PRESETS};
pub use view::{REDO, RESET_TEXT_SIZE, UNDO};

/// What an action does now, or why it cannot be done, as a sentence.
pub type Given = Result<Command, &'static str>;

/// Headings of the page of shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The picture.
    Picture,
    /// Slices and cases.
    Slices,
    /// Window and level.
    Window,
    /// The overlay.
    Overlay,
    /// The prompt.
    Prompt,
    /// Files, models, panels and everything else.
    Program,
}

impl Group {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Picture, Self::Slices, Self::Window, Self::Overlay, Self::Prompt, Self::Program];

    /// Its name in the window.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "Picture",
            Self::Slices => "Slices and cases",
            Self::Window => "Window and level",
            Self::Overlay => "Overlay",
            Self::Prompt => "Prompt",
            Self::Program => "Program",
        }
    }
}

/// Headings of the preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Theme and size of text.
    Appearance,
    /// How pictures are opened and shown.
    Pictures,
    /// How masks are drawn.
    Overlay,
    /// Where the network computes.
    Computing,
}

impl Section {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Appearance, Self::Pictures, Self::Overlay, Self::Computing];

    /// Its name in the window.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appearance => "Appearance",
            Self::Pictures => "Pictures",
            Self::Overlay => "Overlay",
            Self::Computing => "Computing",
        }
    }
}

/// How an action is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// It is a step of the history.
    Step,
    /// Done once more it is taken back.
    Again,
    /// It only moves about or opens something: nothing is lost.
    Unneeded,
    /// It cannot be taken back.
    Impossible,
}

impl Undo {
    /// As a sentence; empty where there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::Step => "“Undo” takes it back.",
            Self::Again => "The same command takes it back.",
            Self::Unneeded => "",
            Self::Impossible => "It cannot be undone.",
        }
    }
}

/// What holding the keys of an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing more than a press.
    Nothing,
    /// It is done again and again.
    Repeats,
}

/// One thing that people can tell the program to do.
#[derive(Clone, Copy)]
pub struct Action {
    /// Names it in the settings file.
    pub id: ActionId,
    /// Its name in the window. A switch is called after what it switches.
    pub name: &'static str,
    /// Other words by which the palette finds it.
    pub words: &'static str,
    /// Its heading on the page of shortcuts.
    pub group: Group,
    /// Its heading in the preferences, if it is one of them.
    pub section: Option<Section>,
    /// Its keys, unless the user says otherwise.
    pub keys: &'static [Chord],
    /// The tasks in which it can be done.
    pub tabs: &'static [Tab],
    /// What holding its keys does.
    pub hold: Hold,
    /// Whether a widget that has the keyboard uses such a key itself: a slider the arrows, a button the space bar.
    pub yields_to_widgets: bool,
    /// Whether the palette lists it.
    pub is_in_palette: bool,
    /// Whether it is on, where it is a switch.
    pub is_on: Option<fn(&State) -> bool>,
    /// What it does now, or why it cannot be done.
    pub command: fn(&State) -> Given,
    /// How it is taken back.
    pub undo: Undo,
}

/// The tasks in which a picture is looked at.
const VIEWERS: &[Tab] = &[Tab::Read, Tab::Stages];

impl Action {
    /// An action of a group, without keys. The rest is filled in by whoever declares it.
    const fn of(group: Group) -> Self {
        Self {
            id: ActionId(""),
            name: "",
            words: "",
            group,
            section: None,
            keys: &[],
            tabs: if matches!(group, Group::Program) { &Tab::ALL } else { VIEWERS },
            hold: Hold::Nothing,
            yields_to_widgets: false,
            is_in_palette: true,
            is_on: None,
            command: |_| Err(""),
            undo: Undo::Unneeded,
        }
    }

    /// Its name where it stands alone: of a switch what it does to what it is called after.
    pub fn title(&self) -> String {
        match self.is_on {
            Some(_) => format!("{} on or off", self.name),
            None => self.name.to_owned(),
        }
    }

    /// What it does in the task that is open, or why it cannot be done there.
    pub fn given(&self, state: &State) -> Given {
        if self.works_in(state.tab) {
            (self.command)(state)
        } else {
            Err("Go to the Read or the Stages tab first.")
        }
    }
}

impl Keyed for Action {
    fn id(&self) -> ActionId {
        self.id
    }

    fn usual(&self) -> &'static [Chord] {
        self.keys
    }

    fn works_in(&self, tab: Tab) -> bool {
        self.tabs.contains(&tab)
    }
}

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
    fn new(name: impl Into<String>, command: Command) -> Self {
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
    const fn named(name: &'static str) -> Self {
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

/// The menus, from left to right; the last list is in no menu.
pub const MENUS: [(&str, &[Item]); 5] = [
    ("File", file::ITEMS),
    ("View", view::ITEMS),
    ("Prompt", prompt::ITEMS),
    ("Model", model::ITEMS),
    ("Help", help::ITEMS),
];

/// What has a key or a place in the palette, but in no menu.
const OTHERS: &[Item] = picture::ITEMS;

/// All that can be done and chosen, menus within menus included.
pub fn items() -> impl Iterator<Item = &'static Item> + Clone {
    let all = MENUS.iter().map(|(_, items)| *items).chain([OTHERS]).flatten();
    all.flat_map(|item| match item {
        Item::Menu(_, items) => items.iter(),
        item => std::slice::from_ref(item).iter(),
    })
}

/// All that can be done.
pub fn all() -> impl Iterator<Item = &'static Action> + Clone {
    items().filter_map(|item| match item {
        Item::Action(action) => Some(action),
        _ => None,
    })
}

/// All that can be chosen.
pub fn choices() -> impl Iterator<Item = &'static Choices> + Clone {
    items().filter_map(|item| match item {
        Item::Choices(choices) => Some(choices),
        _ => None,
    })
}

/// The action of that name; `None` if there is no such action.
pub fn find(id: ActionId) -> Option<&'static Action> {
    all().find(|action| action.id == id)
}

/// The open image, or what to do about it.
fn image(state: &State) -> Result<&OpenImage, &'static str> {
    state.image.as_ref().ok_or("Open an image first.")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for action in all() {
            assert!(!action.id.0.is_empty() && !action.name.is_empty(), "{:?} {}", action.id, action.name);
            assert!(ids.insert(action.id), "{:?}", action.id);
            assert!(names.insert(action.name), "{}", action.name);
        }
        assert!(ids.len() > 60, "only {} actions", ids.len());
    }

    #[test]
    fn no_key_does_two_things_at_once() {
        for tab in Tab::ALL {
            let mut seen: Vec<(Chord, ActionId)> = Vec::new();
            for action in all().filter(|action| action.works_in(tab)) {
                for chord in action.keys {
                    assert!(!chord.is_reserved(), "{:?}", action.id);
                    let other = seen.iter().find(|(other, _)| other == chord);
                    assert!(other.is_none(), "{chord} in {tab:?}: {:?} and {other:?}", action.id);
                    seen.push((*chord, action.id));
                }
            }
        }
    }

    /// The names under which version 0.1 wrote keys into the settings file.
    const OLD: &str = "zoom_in zoom_out fit actual_size pan_left pan_right pan_up pan_down next_slice previous_slice first_slice last_slice \
                       play next_case previous_case window0 window1 window2 window3 window4 window5 window6 window7 window8 window9 \
                       invert use_window network_view overlay hold_overlay truth heat safe_colours less_opacity more_opacity \
                       less_threshold more_threshold focus_prompt past information open_image open_folder save_mask undo redo read \
                       stages train palette shortcuts quit";

    #[test]
    fn keys_of_version_0_1_are_of_the_same_actions() {
        for name in OLD.split_whitespace() {
            assert!(all().any(|action| action.id.0 == name), "{name}");
        }
    }
}
