//! The static description of a panel: its name, its title, its purpose and its default place.

use super::tab::Tab;

/// The identifier of a panel in commands and in the settings file. A panel is declared in its own file in
/// `panels`; the constants here are the panels that other parts of the program open or query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pane(&'static str);

impl Pane {
    /// The cases of a folder.
    pub const WORKLIST: Self = Self("worklist");
    /// Scores, areas, threshold and opacity.
    pub const RESULT: Self = Self("result");
    /// The metadata in the image file.
    pub const INFORMATION: Self = Self("information");
    /// The predictions of this session.
    pub const PAST: Self = Self("past");
    /// Prompts that the user wrote or accepted.
    pub const HISTORY: Self = Self("prompt_history");
    /// Prompts in the form of the training data.
    pub const PRESETS: Self = Self("prompt_presets");
    /// Reports and prompts.
    pub const REPORT: Self = Self("report");
    /// The batch over the worklist.
    pub const BATCH: Self = Self("batch");
    /// All messages.
    pub const MESSAGES: Self = Self("messages");
    /// The spectrum filters of the stages.
    pub const SPECTRUM: Self = Self("spectrum");
    /// Weights of the text layers.
    pub const FUSION: Self = Self("fusion");
    /// The masks of the stages, as numbers.
    pub const NUMBERS: Self = Self("numbers");
    /// The influence of the words of the prompt.
    pub const INFLUENCE: Self = Self("influence");
    /// The agreement of two readers.
    pub const READERS: Self = Self("readers");
    /// Pairs for training.
    pub const TRAINING_PAIR: Self = Self("training_pair");
    /// The comparison of the masks of two models.
    pub const COMPARISON: Self = Self("comparison");

    /// Returns the panel with this name in the settings file.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name in the settings file.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// A column of a layout, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The column at the left edge.
    Left,
    /// The widest column.
    Middle,
    /// The column at the right edge.
    Right,
}

/// The default place of a panel. Panels with the same place share it, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The task whose layout contains the panel.
    pub tab: Tab,
    /// The column of that layout.
    pub column: Column,
    /// The row within the column, counted from the top.
    pub row: u8,
    /// Whether the panel is closed by default.
    pub is_closed: bool,
}

impl Place {
    /// Creates the place of an open panel.
    pub const fn new(tab: Tab, column: Column, row: u8) -> Self {
        Self { tab, column, row, is_closed: false }
    }

    /// Returns the same place with the panel closed.
    pub const fn closed(self) -> Self {
        Self { is_closed: true, ..self }
    }
}

/// The description of a panel.
#[derive(Clone, Copy, Debug)]
pub struct PaneInfo {
    /// The identifier of the panel.
    pub pane: Pane,
    /// The title of the panel.
    pub title: &'static str,
    /// The purpose of the panel, in one sentence.
    pub help: &'static str,
    /// The place of the panel in each layout that contains it.
    pub places: &'static [Place],
    /// The default width and height, in points.
    pub size: [f32; 2],
    /// The priority for extra space: of adjacent panels, the one with the highest number grows.
    pub growth: u8,
    /// Whether the panel is the main panel of its layout. It has no tab while it is alone in its place, and cannot
    /// be closed.
    pub is_hero: bool,
    /// Whether the panel has no tab while it is alone in its place, because it draws its own title.
    pub is_named: bool,
}

impl PaneInfo {
    /// Creates the description of a panel with the default size. The declaration fills in the other fields.
    pub const fn new(pane: Pane) -> Self {
        Self {
            pane,
            title: "",
            help: "",
            places: &[],
            size: [272.0, 172.0],
            growth: 0,
            is_hero: false,
            is_named: false,
        }
    }

    /// Returns the place in the layout of a task; `None` if that layout does not contain the panel.
    pub fn place(&self, tab: Tab) -> Option<Place> {
        self.places.iter().copied().find(|place| place.tab == tab)
    }
}

/// The panels of the window.
#[derive(Clone, Debug, Default)]
pub struct Panes(Vec<&'static PaneInfo>);

impl Panes {
    /// Creates a list of these panels, keeping their order.
    pub fn new(all: impl IntoIterator<Item = &'static PaneInfo>) -> Self {
        Self(all.into_iter().collect())
    }

    /// Returns the description of a panel; `None` if there is no such panel.
    pub fn get(&self, pane: Pane) -> Option<&'static PaneInfo> {
        self.0.iter().copied().find(|info| info.pane == pane)
    }

    /// Returns the panel with this name in the settings file; `None` if there is none.
    pub fn named(&self, name: &str) -> Option<Pane> {
        self.0.iter().map(|info| info.pane).find(|pane| pane.name() == name)
    }

    /// Returns the panels in the layout of a task.
    pub fn of(&self, tab: Tab) -> impl Iterator<Item = &'static PaneInfo> {
        self.0.iter().copied().filter(move |info| info.place(tab).is_some())
    }
}
