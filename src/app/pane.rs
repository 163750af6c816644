//! What is known of a panel before it is drawn: its name, its title, what it is for and where it stands.

use super::tab::Tab;

/// Names a panel in commands, and in the settings file. The panel itself is declared in its own file in `panels`; the names here are those that
/// other parts of the program open or ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pane(&'static str);

impl Pane {
    /// The cases of a folder.
    pub const WORKLIST: Self = Self("worklist");
    /// Scores, areas, threshold and opacity.
    pub const RESULT: Self = Self("result");
    /// What the file says of the image.
    pub const INFORMATION: Self = Self("information");
    /// The predictions of this session.
    pub const PAST: Self = Self("past");
    /// All messages.
    pub const MESSAGES: Self = Self("messages");
    /// The spectrum filters of the stages.
    pub const SPECTRUM: Self = Self("spectrum");
    /// Weights of the text layers.
    pub const FUSION: Self = Self("fusion");
    /// The masks of the stages as numbers.
    pub const NUMBERS: Self = Self("numbers");
    /// The masks of two models.
    pub const COMPARISON: Self = Self("comparison");

    /// The panel that the settings file calls `name`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name in the settings file.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// A column of a layout, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// At the left edge.
    Left,
    /// The widest one.
    Middle,
    /// At the right edge.
    Right,
}

/// Where a panel stands unless the user moves it. Panels in the same place share it, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The task in whose layout it is.
    pub tab: Tab,
    /// The column of that layout.
    pub column: Column,
    /// The row of that column, counted from the top.
    pub row: u8,
    /// Whether it is closed until somebody opens it.
    pub is_closed: bool,
}

impl Place {
    /// An open panel in a column and a row of it.
    pub const fn new(tab: Tab, column: Column, row: u8) -> Self {
        Self { tab, column, row, is_closed: false }
    }

    /// The same place, closed.
    pub const fn closed(self) -> Self {
        Self { is_closed: true, ..self }
    }
}

/// What a panel says of itself.
#[derive(Clone, Copy, Debug)]
pub struct PaneInfo {
    /// Names it.
    pub pane: Pane,
    /// Its title.
    pub title: &'static str,
    /// What it is for, in one sentence.
    pub help: &'static str,
    /// Where it stands in each layout that has it.
    pub places: &'static [Place],
    /// Width and height where nobody has set any, in points.
    pub size: [f32; 2],
    /// Which of the panels side by side takes the space that the others leave: the one with the highest number.
    pub growth: u8,
    /// Whether it is what its layout is for. It has no tab while it stands alone, and cannot be closed.
    pub is_hero: bool,
    /// Whether it has no tab while it stands alone, because it is drawn with its name.
    pub is_named: bool,
}

impl PaneInfo {
    /// A panel of the usual size. The rest is filled in by whoever declares it.
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

    /// Where it stands in the layout of a task; `None` if that has no such panel.
    pub fn place(&self, tab: Tab) -> Option<Place> {
        self.places.iter().copied().find(|place| place.tab == tab)
    }
}

/// The panels of the window.
#[derive(Clone, Debug, Default)]
pub struct Panes(Vec<&'static PaneInfo>);

impl Panes {
    /// Those panels, in the order in which they are listed.
    pub fn new(all: impl IntoIterator<Item = &'static PaneInfo>) -> Self {
        Self(all.into_iter().collect())
    }

    /// What a panel says of itself; `None` if there is no such panel.
    pub fn get(&self, pane: Pane) -> Option<&'static PaneInfo> {
        self.0.iter().copied().find(|info| info.pane == pane)
    }

    /// The panel that the settings file calls `name`.
    pub fn named(&self, name: &str) -> Option<Pane> {
        self.0.iter().map(|info| info.pane).find(|pane| pane.name() == name)
    }

    /// The panels of a task's layout.
    pub fn of(&self, tab: Tab) -> impl Iterator<Item = &'static PaneInfo> {
        self.0.iter().copied().filter(move |info| info.place(tab).is_some())
    }
}
