//! One thing that people can tell the program to do.

use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord, Keyed};
use crate::app::state::{OpenImage, State};
use crate::app::tab::Tab;

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
    /// What it would undo or redo now; `None` where it is about no step.
    pub step: Option<fn(&State) -> Option<&str>>,
    /// What it does now, or why it cannot be done.
    pub command: fn(&State) -> Given,
    /// How it is taken back.
    pub undo: Undo,
}

/// The tasks in which a picture is looked at.
pub const VIEWERS: &[Tab] = &[Tab::Read, Tab::Stages];

impl Action {
    /// An action of a group, without keys. The rest is filled in by whoever declares it.
    pub const fn of(group: Group) -> Self {
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
            step: None,
            command: |_| Err(""),
            undo: Undo::Unneeded,
        }
    }

    /// Its name where it stands alone: of a switch what it does to what it is called after.
    pub fn full_name(&self) -> String {
        match self.is_on {
            Some(_) => format!("{} on or off", self.name),
            None => self.name.to_owned(),
        }
    }

    /// What it is called now, by the name of its entry: undo and redo say which step they are about.
    pub fn title(&self, state: &State) -> String {
        match self.step.and_then(|step| step(state)) {
            Some(step) => format!("{} {step}", self.name),
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

/// The open image, or what to do about it.
pub fn image(state: &State) -> Result<&OpenImage, &'static str> {
    state.document.image.as_ref().ok_or("Open an image first.")
}
