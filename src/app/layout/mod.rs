//! Where the panels stand: for each task an arrangement that the user can change and that is remembered.

mod arrangement;
mod fit;

use std::collections::BTreeMap;

use eframe::egui::{Id, Rect};
use egui_tiles::{Tile, TileId, Tree};
use serde::{Deserialize, Serialize};

pub use arrangement::Node;
pub use fit::fit;

use super::state::Tab;

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// The picture with its overlay.
    Picture,
    /// The cases of a folder.
    Worklist,
    /// The sentence and what the network reads of it.
    Prompt,
    /// Scores, areas, threshold, opacity.
    Result,
    /// What the file says of the image and what was derived of it.
    Information,
    /// Window and level.
    Window,
    /// σ, time, device, origin of the model.
    Model,
    /// Predictions of this session.
    Past,
    /// All messages.
    Messages,
    /// The stages of the decoder side by side.
    Stages,
    /// Values of the decoder to turn.
    WhatIf,
    /// σ and the filters.
    Spectrum,
    /// Layer weights.
    Fusion,
    /// The stages' masks as numbers.
    Numbers,
    /// One value over a range.
    Sweep,
    /// Settings of a training run.
    Settings,
    /// How far the run is, and the hand on it.
    Run,
    /// Validation cases with their masks.
    Cases,
    /// Losses and scores over the epochs.
    Curves,
    /// Another model beside the one that is open.
    Comparison,
    /// What the run has said.
    Log,
}

impl Pane {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Picture => "Picture",
            Self::Worklist => "Worklist",
            Self::Prompt => "Prompt",
            Self::Result => "Result",
            Self::Information => "Image information",
            Self::Window => "Window",
            Self::Model => "Network",
            Self::Past => "Past",
            Self::Messages => "Messages",
            Self::Stages => "Stages",
            Self::WhatIf => "What if",
            Self::Spectrum => "Spectrum",
            Self::Fusion => "Fusion",
            Self::Numbers => "Numbers",
            Self::Sweep => "Sweep",
            Self::Settings => "Settings",
            Self::Run => "Run",
            Self::Cases => "Cases",
            Self::Curves => "Curves",
            Self::Comparison => "Comparison",
            Self::Log => "Run log",
        }
    }

    /// Whether it is what its layout is for. It has no tab while it stands alone, and cannot be closed.
    pub fn is_hero(self) -> bool {
        matches!(self, Self::Picture | Self::Stages | Self::Run)
    }

    /// Which of the panels side by side takes the room that the others leave: the one with the highest number.
    fn growth(self) -> u8 {
        match self {
            Self::Picture | Self::Stages => 3,
            Self::Curves | Self::Comparison => 2,
            Self::Result | Self::Information | Self::Run | Self::Settings => 1,
            _ => 0,
        }
    }

    /// Width and height where nobody has set any, in points.
    fn size(self) -> [f32; 2] {
        match self {
            Self::Picture | Self::Stages => [800.0, 600.0],
            Self::Worklist => [196.0, 400.0],
            Self::Prompt => [600.0, 152.0],
            Self::Result | Self::Information => [272.0, 400.0],
            Self::Window | Self::Model | Self::Past | Self::Messages => [272.0, 172.0],
            Self::WhatIf | Self::Spectrum | Self::Fusion | Self::Numbers | Self::Sweep => [340.0, 400.0],
            Self::Settings => [300.0, 600.0],
            Self::Run => [700.0, 132.0],
            Self::Cases => [700.0, 240.0],
            Self::Curves | Self::Comparison => [700.0, 300.0],
            Self::Log => [700.0, 106.0],
        }
    }
}

impl Tab {
    /// The panels that its layout can show.
    pub fn panes(self) -> &'static [Pane] {
        match self {
            Self::Read => &[
                Pane::Worklist,
                Pane::Picture,
                Pane::Prompt,
                Pane::Result,
                Pane::Information,
                Pane::Window,
                Pane::Model,
                Pane::Past,
                Pane::Messages,
            ],
            Self::Stages => &[
                Pane::Worklist,
                Pane::Stages,
                Pane::Prompt,
                Pane::WhatIf,
                Pane::Spectrum,
                Pane::Fusion,
                Pane::Numbers,
                Pane::Sweep,
                Pane::Messages,
            ],
            Self::Train => &[
                Pane::Settings,
                Pane::Run,
                Pane::Cases,
                Pane::Curves,
                Pane::Comparison,
                Pane::Log,
                Pane::Messages,
            ],
        }
    }
}

/// The arrangement of one task as it is on the screen.
pub struct Layout {
    tree: Tree<Pane>,
}

impl Layout {
    /// As it was left, or as it is meant where that is none.
    fn of(tab: Tab, stored: Option<&Node>) -> Self {
        let node = stored.filter(|node| node.holds(tab.panes())).cloned().unwrap_or_else(|| Node::usual(tab));
        let mut layout = Self { tree: node.tree(Id::unique(("layout", tab))) };
        // It opens with a folder.
        layout.open(Pane::Worklist, false);
        layout
    }

    /// The tree, for what draws it.
    pub fn tree(&mut self) -> &mut Tree<Pane> {
        &mut self.tree
    }

    /// As it is stored; none where the tree is not what it should be.
    pub fn node(&self) -> Option<Node> {
        Node::of(&self.tree, self.tree.root()?)
    }

    fn tile(&self, pane: Pane) -> Option<TileId> {
        self.tree.tiles.find_pane(&pane)
    }

    /// Whether a panel is open, be it behind another one.
    pub fn is_open(&self, pane: Pane) -> bool {
        self.tile(pane).is_some_and(|tile| self.tree.is_visible(tile))
    }

    /// Whether a panel is open and not behind another one.
    pub fn is_seen(&self, pane: Pane) -> bool {
        self.tile(pane).is_some_and(|tile| self.tree.is_visible(tile) && self.tree.active_tiles().contains(&tile))
    }

    /// Opens or closes a panel; one that is opened comes before those that share its place.
    pub fn open(&mut self, pane: Pane, is_open: bool) {
        let Some(tile) = self.tile(pane) else { return };
        if pane.is_hero() && !is_open {
            return;
        }
        self.tree.set_visible(tile, is_open);
        if is_open {
            self.tree.make_active(|id, _| id == tile);
        }
    }

    /// Where a panel was drawn in the last frame.
    pub fn rect(&self, pane: Pane) -> Option<Rect> {
        self.tree.tiles.rect(self.tile(pane)?)
    }
}

/// Those of all tasks.
pub struct Layouts(BTreeMap<Tab, Layout>);

impl Layouts {
    /// As they were left.
    pub fn of(stored: &StoredLayouts) -> Self {
        Self(Tab::ALL.map(|tab| (tab, Layout::of(tab, stored.0.get(&tab)))).into())
    }

    /// That of a task.
    pub fn get(&self, tab: Tab) -> Option<&Layout> {
        self.0.get(&tab)
    }

    /// As [`Self::get`].
    pub fn get_mut(&mut self, tab: Tab) -> Option<&mut Layout> {
        self.0.get_mut(&tab)
    }

    /// As it is meant.
    pub fn reset(&mut self, tab: Tab) {
        self.0.insert(tab, Layout::of(tab, None));
    }

    /// For the settings.
    pub fn stored(&self) -> StoredLayouts {
        StoredLayouts(self.0.iter().filter_map(|(tab, layout)| Some((*tab, layout.node()?))).collect())
    }
}

/// Layouts in the settings file. What cannot be read is as it is meant: a layout is no reason to lose the other settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoredLayouts(BTreeMap<Tab, Node>);

impl<'de> Deserialize<'de> for StoredLayouts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(serde_json::from_value(value).unwrap_or_default()))
    }
}

/// The tiles of a container.
fn children(tree: &egui_tiles::Tiles<Pane>, id: TileId) -> Vec<TileId> {
    match tree.get(id) {
        Some(Tile::Container(container)) => container.children().copied().collect(),
        _ => Vec::new(),
    }
}
