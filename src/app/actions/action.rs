//! An action: something that the user can tell the program to do.

use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord, Keyed};
use crate::app::state::{OpenImage, State};
use crate::app::tab::Tab;

/// The command of an action, or the reason why it is not available, as a sentence.
pub type Given = Result<Command, &'static str>;

/// The headings of the page of keyboard shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The image.
    Picture,
    /// Slices and cases.
    Slices,
    /// The display window.
    Window,
    /// The overlay.
    Overlay,
    /// Drawing and correcting masks.
    Annotate,
    /// The prompt.
    Prompt,
    /// Files, models, panels and everything else.
    Program,
}

impl Group {
    /// All groups, in display order.
    pub const ALL: [Self; 7] =
        [Self::Picture, Self::Slices, Self::Window, Self::Overlay, Self::Annotate, Self::Prompt, Self::Program];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "Picture",
            Self::Slices => "Slices and cases",
            Self::Window => "Window and level",
            Self::Overlay => "Overlay",
            Self::Annotate => "Annotate",
            Self::Prompt => "Prompt",
            Self::Program => "Program",
        }
    }
}

/// The headings of the preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Theme and text size.
    Appearance,
    /// Opening and showing images.
    Pictures,
    /// Drawing of masks.
    Overlay,
    /// The compute device of the network.
    Computing,
}

impl Section {
    /// All sections, in display order.
    pub const ALL: [Self; 4] = [Self::Appearance, Self::Pictures, Self::Overlay, Self::Computing];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appearance => "Appearance",
            Self::Pictures => "Pictures",
            Self::Overlay => "Overlay",
            Self::Computing => "Computing",
        }
    }
}

/// How an action is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// It is a step of the undo history.
    Step,
    /// Repeating the action undoes it.
    Again,
    /// It only navigates or opens something, so nothing is lost.
    Unneeded,
    /// It cannot be undone.
    Impossible,
}

impl Undo {
    /// Returns a sentence for the user; empty if there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::Step => "“Undo” takes it back.",
            Self::Again => "The same command takes it back.",
            Self::Unneeded => "",
            Self::Impossible => "It cannot be undone.",
        }
    }
}

/// The effect of holding the keys of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Holding has the same effect as a single press.
    Nothing,
    /// The action is repeated.
    Repeats,
}

/// Something that the user can tell the program to do.
#[derive(Clone, Copy)]
pub struct Action {
    /// The identifier in the settings file.
    pub id: ActionId,
    /// The name shown in the user interface. A switch is named after what it switches.
    pub name: &'static str,
    /// Additional search words for the palette.
    pub words: &'static str,
    /// The heading on the page of keyboard shortcuts.
    pub group: Group,
    /// The heading in the preferences, if it is listed there.
    pub section: Option<Section>,
    /// The default keys.
    pub keys: &'static [Chord],
    /// The tasks in which the action is available.
    pub tabs: &'static [Tab],
    /// The tasks in which its keys are those of another action.
    pub keyless: &'static [Tab],
    /// The effect of holding its keys.
    pub hold: Hold,
    /// Whether a focused widget uses such a key itself, as a slider uses the arrows and a button the space bar.
    pub yields_to_widgets: bool,
    /// Whether the palette lists the action.
    pub is_in_palette: bool,
    /// Returns whether a switch is on; `None` for other actions.
    pub is_on: Option<fn(&State) -> bool>,
    /// Returns the name of the step that would be undone or redone; `None` for other actions.
    pub step: Option<fn(&State) -> Option<&str>>,
    /// Returns the command, or the reason why the action is not available.
    pub command: fn(&State) -> Given,
    /// How the action is undone.
    pub undo: Undo,
}

/// The tasks in which an image is viewed.
pub const VIEWERS: &[Tab] = &[Tab::Read, Tab::Annotate, Tab::Prompts, Tab::Stages];
/// The tasks in which an image is viewed and not drawn on. In the Annotate tab, some of their keys are those of
/// tools.
pub const READERS: &[Tab] = &[Tab::Read, Tab::Prompts, Tab::Stages];
/// The tasks in which the annotation is shown.
pub const ANNOTATED: &[Tab] = &[Tab::Read, Tab::Annotate];

impl Action {
    /// Creates an action of a group, without keys. The declaration fills in the other fields.
    pub const fn of(group: Group) -> Self {
        Self {
            id: ActionId(""),
            name: "",
            words: "",
            group,
            section: None,
            keys: &[],
            tabs: match group {
                Group::Program => &Tab::ALL,
                Group::Annotate => &[Tab::Annotate],
                _ => VIEWERS,
            },
            keyless: &[],
            hold: Hold::Nothing,
            yields_to_widgets: false,
            is_in_palette: true,
            is_on: None,
            step: None,
            command: |_| Err(""),
            undo: Undo::Unneeded,
        }
    }

    /// Returns whether the action is available in a task.
    pub fn works_in(&self, tab: Tab) -> bool {
        self.tabs.contains(&tab)
    }

    /// Returns the name for use outside a menu; for a switch, it includes what the action does to the switch.
    pub fn full_name(&self) -> String {
        match self.is_on {
            Some(_) => format!("{} on or off", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Returns the current title of the menu entry; undo and redo name the step they refer to.
    pub fn title(&self, state: &State) -> String {
        match self.step.and_then(|step| step(state)) {
            Some(step) => format!("{} {step}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Returns the command in the current task, or the reason why the action is not available.
    pub fn given(&self, state: &State) -> Given {
        if self.works_in(state.tab) {
            (self.command)(state)
        } else {
            Err(if self.tabs == [Tab::Annotate] {
                "Go to the Annotate tab first."
            } else {
                "Go to a tab that shows the image first, such as Read."
            })
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

    fn has_keys_in(&self, tab: Tab) -> bool {
        self.works_in(tab) && !self.keyless.contains(&tab)
    }
}

/// Returns the open image; the error says that an image must be opened first.
pub fn image(state: &State) -> Result<&OpenImage, &'static str> {
    state.document.image.as_ref().ok_or("Open an image first.")
}
