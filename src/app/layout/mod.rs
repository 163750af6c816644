//! The panel layouts: for each task, an arrangement that the user can change and that is saved.

mod arrangement;
mod fit;

use std::collections::BTreeMap;

use eframe::egui::{Id, Rect, Vec2};
use egui_tiles::{Container, Tile, TileId, Tree};
use serde::{Deserialize, Serialize};

pub use arrangement::Node;

use super::pane::{Pane, Panes};
use super::tab::Tab;

/// The current arrangement of one task.
pub struct Layout {
    tree: Tree<Pane>,
    panes: Panes,
    /// The panels that the last frame set aside because they had nothing to show.
    aside: Vec<Pane>,
    /// The panels that were opened by name, which are shown even if they have nothing to show yet.
    requested: Vec<Pane>,
}

impl Layout {
    /// Creates the layout from the stored arrangement, or the default one if there is none.
    fn of(tab: Tab, stored: Option<&Node>, panes: &Panes) -> Self {
        let stored = stored.and_then(|node| node.completed(tab, panes));
        let node = stored.unwrap_or_else(|| Node::usual(tab, panes));
        let tree = node.tree(Id::unique(("layout", tab)), panes);
        let mut layout = Self { tree, panes: panes.clone(), aside: Vec::new(), requested: Vec::new() };
        // The worklist opens together with a folder.
        layout.open(Pane::WORKLIST, false);
        layout
    }

    /// Adjusts the panel sizes to `size`, in points; `gap` is the space between panels, and `bar` the height of a
    /// tab bar.
    pub fn fit(&mut self, size: Vec2, gap: f32, bar: f32) {
        if let Some(root) = self.tree.root() {
            fit::fit(&mut self.tree.tiles, &self.panes, root, size, gap, bar);
        }
    }

    /// Returns the tree for drawing.
    pub fn tree(&mut self) -> &mut Tree<Pane> {
        &mut self.tree
    }

    /// Returns the arrangement to store; `None` if the tree is invalid.
    pub fn node(&self) -> Option<Node> {
        Node::of(&self.tree, self.tree.root()?)
    }

    fn tile(&self, pane: Pane) -> Option<TileId> {
        self.tree.tiles.find_pane(&pane)
    }

    /// Returns whether a panel is open, even if it is behind another one.
    pub fn is_open(&self, pane: Pane) -> bool {
        self.tile(pane).is_some_and(|tile| self.tree.is_visible(tile))
    }

    /// Returns whether a panel is open and not behind another one.
    pub fn is_seen(&self, pane: Pane) -> bool {
        self.tile(pane).is_some_and(|tile| self.tree.is_visible(tile) && self.tree.active_tiles().contains(&tile))
    }

    /// Opens or closes a panel; a panel that is opened moves to the front of its stack.
    pub fn open(&mut self, pane: Pane, is_open: bool) {
        let Some(tile) = self.tile(pane) else { return };
        if !is_open && self.panes.get(pane).is_some_and(|info| info.is_hero) {
            return;
        }
        self.tree.set_visible(tile, is_open);
        self.requested.retain(|requested| *requested != pane);
        self.aside.retain(|aside| *aside != pane);
        if is_open {
            self.requested.push(pane);
            self.tree.make_active(|id, _| id == tile);
        }
    }

    /// Whether a panel is open and was not set aside in the last frame.
    pub fn is_shown(&self, pane: Pane) -> bool {
        self.is_open(pane) && !self.aside.contains(&pane)
    }

    /// Whether a panel was opened by name, so that it is shown even if it has nothing to show yet.
    pub fn is_requested(&self, pane: Pane) -> bool {
        self.requested.contains(&pane)
    }

    /// Hides panels that have nothing to show, each given with whether it was at the front. They remain open:
    /// [`Self::bring_back`] restores their places.
    pub fn set_aside(&mut self, panes: &[(Pane, bool)]) {
        for tile in panes.iter().filter_map(|(pane, _)| self.tile(*pane)).collect::<Vec<TileId>>() {
            self.tree.set_visible(tile, false);
        }
        self.aside = panes.iter().map(|(pane, _)| *pane).collect();
        if panes.is_empty() {
            return;
        }
        // A stack whose front panel is hidden shows another one. The tree would report that as an edit, in every frame.
        let stacks: Vec<TileId> = self.tree.tiles.tile_ids().collect();
        for stack in stacks {
            let Some(Tile::Container(Container::Tabs(mut tabs))) = self.tree.tiles.get(stack).cloned() else {
                continue;
            };
            tabs.ensure_active(&self.tree.tiles);
            if let Some(Tile::Container(Container::Tabs(own))) = self.tree.tiles.get_mut(stack) {
                *own = tabs;
            }
        }
    }

    /// Shows the panels that [`Self::set_aside`] has hidden.
    pub fn bring_back(&mut self, panes: &[(Pane, bool)]) {
        for (pane, is_front) in panes {
            let Some(tile) = self.tile(*pane) else { continue };
            self.tree.set_visible(tile, true);
            if *is_front {
                self.tree.make_active(|id, _| id == tile);
            }
        }
    }

    /// Returns where a panel was drawn in the last frame.
    pub fn rect(&self, pane: Pane) -> Option<Rect> {
        self.tree.tiles.rect(self.tile(pane)?)
    }
}

/// The layouts of all tasks.
pub struct Layouts {
    panes: Panes,
    of: BTreeMap<Tab, Layout>,
}

impl Layouts {
    /// Creates the layouts from the stored ones.
    pub fn new(stored: &StoredLayouts, panes: Panes) -> Self {
        let of = Tab::ALL.map(|tab| (tab, Layout::of(tab, stored.0.get(&tab), &panes)));
        Self { of: of.into(), panes }
    }

    /// Returns the panels of the layouts.
    pub fn panes(&self) -> &Panes {
        &self.panes
    }

    /// Returns the layout of a task.
    pub fn get(&self, tab: Tab) -> Option<&Layout> {
        self.of.get(&tab)
    }

    /// Returns the layout of a task for modification.
    pub fn get_mut(&mut self, tab: Tab) -> Option<&mut Layout> {
        self.of.get_mut(&tab)
    }

    /// Restores the default layout of a task.
    pub fn reset(&mut self, tab: Tab) {
        self.of.insert(tab, Layout::of(tab, None, &self.panes));
    }

    /// Returns the layouts to store in the settings.
    pub fn stored(&self) -> StoredLayouts {
        StoredLayouts(self.of.iter().filter_map(|(tab, layout)| Some((*tab, layout.node()?))).collect())
    }
}

/// The layouts in the settings file. A layout that cannot be read is replaced by the default one, so that the
/// other settings are not lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoredLayouts(BTreeMap<Tab, Node>);

impl<'de> Deserialize<'de> for StoredLayouts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(serde_json::from_value(value).unwrap_or_default()))
    }
}

/// Returns the tiles of a container.
fn children(tree: &egui_tiles::Tiles<Pane>, id: TileId) -> Vec<TileId> {
    match tree.get(id) {
        Some(Tile::Container(container)) => container.children().copied().collect(),
        _ => Vec::new(),
    }
}
