//! A stored panel arrangement: rows, columns and stacks of panels.

use eframe::egui::Id;
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::app::pane::{Column, Pane, PaneInfo, Panes, Place};
use crate::app::tab::Tab;

/// The maximum nesting depth of containers; deeper arrangements are rejected as invalid.
const DEPTH: usize = 16;

/// A panel, or a container of several panels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Parts side by side.
    Row(Vec<Part>),
    /// Parts one above the other.
    Column(Vec<Part>),
    /// Panels that share a place, of which one is visible.
    Stack {
        /// The panels.
        panes: Vec<Leaf>,
        /// The index of the panel at the front.
        front: usize,
    },
}

/// A part of a row or a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The width or height in points; in each row and column, the size of one part follows from the others.
    pub size: f32,
    /// The content of the part.
    pub node: Node,
}

/// A panel in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// The name of the panel. Unknown names are skipped, so that layouts of newer versions can be read.
    pub pane: String,
    /// Whether the panel is closed.
    #[serde(default)]
    pub is_closed: bool,
}

/// The default width of the middle column in points; it takes the remaining width.
const MIDDLE: f32 = 800.0;

impl Node {
    /// Returns the default arrangement of a task, with each panel in its default place.
    pub fn usual(tab: Tab, panes: &Panes) -> Self {
        let mut all: Vec<(Place, &PaneInfo)> =
            panes.of(tab).filter_map(|info| Some((info.place(tab)?, info))).collect();
        // Panels with the same place keep the order in which they are listed.
        all.sort_by_key(|(place, _)| (place.column, place.row));
        let columns = all.chunk_by(|a, b| a.0.column == b.0.column).map(|column| {
            let rows = column.chunk_by(|a, b| a.0.row == b.0.row).map(|row| {
                let leaf = |(place, info): &(Place, &PaneInfo)| Leaf {
                    pane: info.pane.name().to_owned(),
                    is_closed: place.is_closed,
                };
                let node = Self::Stack { panes: row.iter().map(leaf).collect(), front: 0 };
                Part { size: row[0].1.size[1], node }
            });
            let mut rows: Vec<Part> = rows.collect();
            let size = if column[0].0.column == Column::Middle { MIDDLE } else { column[0].1.size[0] };
            let node = if rows.len() == 1 { rows.remove(0).node } else { Self::Column(rows) };
            Part { size, node }
        });
        Self::Row(columns.collect())
    }

    /// Returns this arrangement with exactly the panels of a task: unknown panels are removed, and missing ones,
    /// which are newer than the arrangement, are added beside the panels that share their place. `None` if the
    /// arrangement is invalid.
    pub fn completed(&self, tab: Tab, panes: &Panes) -> Option<Self> {
        let mut found = Vec::new();
        if !self.collect(&mut found, DEPTH) {
            return None;
        }
        let known: Vec<Pane> = found.iter().filter_map(|name| panes.named(name)).collect();
        let is_doubled = known.iter().enumerate().any(|(place, pane)| known[..place].contains(pane));
        let lacks = |info: &&PaneInfo| !known.contains(&info.pane);
        if is_doubled || panes.of(tab).any(|info| info.is_hero && lacks(&info)) {
            return None;
        }
        let is_of_tab = |name: &str| panes.of(tab).any(|info| info.pane.name() == name);
        let mut node = self.keeping(&is_of_tab)?;
        for info in panes.of(tab).filter(lacks) {
            let place = info.place(tab)?;
            let shares = |other: &PaneInfo| {
                other.place(tab).is_some_and(|of| (of.column, of.row) == (place.column, place.row))
            };
            let neighbours: Vec<&str> =
                panes.of(tab).filter(|other| shares(other)).map(|other| other.pane.name()).collect();
            let leaf = Leaf { pane: info.pane.name().to_owned(), is_closed: place.is_closed };
            if let Some(leaf) = node.add_beside(&neighbours, leaf) {
                let size = info.size[0];
                let part = Part { size, node: Self::Stack { panes: vec![leaf], front: 0 } };
                node = match node {
                    Self::Row(mut parts) => {
                        parts.push(part);
                        Self::Row(parts)
                    }
                    other => Self::Row(vec![Part { size: MIDDLE, node: other }, part]),
                };
            }
        }
        Some(node)
    }

    /// Returns this arrangement without the unwanted panels; `None` if no panel is left.
    fn keeping(&self, is_wanted: &impl Fn(&str) -> bool) -> Option<Self> {
        let keep = |parts: &[Part]| {
            let part = |part: &Part| Some(Part { size: part.size, node: part.node.keeping(is_wanted)? });
            let parts: Vec<Part> = parts.iter().filter_map(part).collect();
            (!parts.is_empty()).then_some(parts)
        };
        match self {
            Self::Row(parts) => keep(parts).map(Self::Row),
            Self::Column(parts) => keep(parts).map(Self::Column),
            Self::Stack { panes, front } => {
                let front = panes[..*front].iter().filter(|leaf| is_wanted(&leaf.pane)).count();
                let panes: Vec<Leaf> = panes.iter().filter(|leaf| is_wanted(&leaf.pane)).cloned().collect();
                let front = front.min(panes.len().checked_sub(1)?);
                Some(Self::Stack { panes, front })
            }
        }
    }

    /// Adds a panel to the first stack that contains one of `neighbours`; returns the panel if there is none.
    fn add_beside(&mut self, neighbours: &[&str], leaf: Leaf) -> Option<Leaf> {
        match self {
            Self::Row(parts) | Self::Column(parts) => {
                parts.iter_mut().try_fold(leaf, |leaf, part| part.node.add_beside(neighbours, leaf))
            }
            Self::Stack { panes, .. } if panes.iter().any(|other| neighbours.contains(&other.pane.as_str())) => {
                panes.push(leaf);
                None
            }
            Self::Stack { .. } => Some(leaf),
        }
    }

    /// Collects the names of the panels. Returns whether the arrangement is valid: not nested too deeply, without
    /// empty containers, and with finite sizes.
    fn collect(&self, found: &mut Vec<String>, depth: usize) -> bool {
        match self {
            Self::Row(parts) | Self::Column(parts) => {
                depth > 0
                    && !parts.is_empty()
                    && parts.iter().all(|part| {
                        part.size.is_finite() && part.size >= 0.0 && part.node.collect(found, depth - 1)
                    })
            }
            Self::Stack { panes, front } => {
                found.extend(panes.iter().map(|leaf| leaf.pane.clone()));
                *front < panes.len()
            }
        }
    }

    /// Converts the arrangement to a tree that can be drawn.
    pub fn tree(&self, id: Id, panes: &Panes) -> Tree<Pane> {
        let mut tiles = Tiles::default();
        let mut closed = Vec::new();
        let root = self.insert(&mut tiles, &mut closed, panes);
        let mut tree = Tree::new(id, root, tiles);
        closed.into_iter().for_each(|tile| tree.set_visible(tile, false));
        tree
    }

    fn insert(&self, tiles: &mut Tiles<Pane>, closed: &mut Vec<TileId>, known: &Panes) -> TileId {
        let mut linear = |dir: LinearDir, parts: &[Part]| {
            let children: Vec<TileId> = parts.iter().map(|part| part.node.insert(tiles, closed, known)).collect();
            let mut linear = Linear::new(dir, children.clone());
            for (child, part) in children.into_iter().zip(parts) {
                linear.shares.set_share(child, part.size);
            }
            tiles.insert_container(linear)
        };
        match self {
            Self::Row(parts) => linear(LinearDir::Horizontal, parts),
            Self::Column(parts) => linear(LinearDir::Vertical, parts),
            Self::Stack { panes, front } => {
                let pane = |leaf: &Leaf| known.named(&leaf.pane);
                let children: Vec<TileId> =
                    panes.iter().filter_map(pane).map(|pane| tiles.insert_pane(pane)).collect();
                let hidden = children.iter().zip(panes).filter(|(_, leaf)| leaf.is_closed);
                closed.extend(hidden.map(|(tile, _)| *tile));
                let mut tabs = Tabs::new(children.clone());
                if let Some(front) = children.get(*front) {
                    tabs.set_active(*front);
                }
                tiles.insert_container(tabs)
            }
        }
    }

    /// Returns the arrangement of the tile `id` of a tree; `None` if there is no such tile.
    pub fn of(tree: &Tree<Pane>, id: TileId) -> Option<Self> {
        let leaf = |tile: TileId| match tree.tiles.get(tile) {
            Some(Tile::Pane(pane)) => {
                Some(Leaf { pane: pane.name().to_owned(), is_closed: !tree.is_visible(tile) })
            }
            _ => None,
        };
        match tree.tiles.get(id)? {
            Tile::Pane(_) => Some(Self::Stack { panes: vec![leaf(id)?], front: 0 }),
            Tile::Container(Container::Tabs(tabs)) => {
                // A stack contains only panels; a row that was dropped into a stack cannot be stored.
                let panes: Vec<Leaf> = tabs.children.iter().map(|tile| leaf(*tile)).collect::<Option<_>>()?;
                let front = tabs.children.iter().position(|tile| tabs.is_active(*tile)).unwrap_or(0);
                (!panes.is_empty()).then_some(Self::Stack { panes, front })
            }
            Tile::Container(Container::Linear(linear)) => {
                let part = |tile: &TileId| {
                    Some(Part { size: linear.shares[*tile].round(), node: Self::of(tree, *tile)? })
                };
                let parts: Vec<Part> = linear.children.iter().map(part).collect::<Option<_>>()?;
                Some(if linear.dir == LinearDir::Horizontal { Self::Row(parts) } else { Self::Column(parts) })
            }
            Tile::Container(Container::Grid(grid)) => {
                let part = |tile: &TileId| Some(Part { size: 0.0, node: Self::of(tree, *tile)? });
                Some(Self::Row(grid.children().map(part).collect::<Option<_>>()?))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const fn info(name: &'static str, places: &'static [Place], size: [f32; 2]) -> PaneInfo {
        PaneInfo { title: name, places, size, ..PaneInfo::new(Pane::new(name)) }
    }

    const PICTURE: PaneInfo = PaneInfo {
        growth: 3,
        is_hero: true,
        ..info("picture", &[Place::new(Tab::Read, Column::Middle, 0)], [800.0, 600.0])
    };
    const PROMPT: PaneInfo = info("prompt", &[Place::new(Tab::Read, Column::Middle, 1)], [600.0, 152.0]);
    const WORKLIST: PaneInfo = info("worklist", &[Place::new(Tab::Read, Column::Left, 0)], [196.0, 400.0]);
    const RESULT: PaneInfo = info("result", &[Place::new(Tab::Read, Column::Right, 0)], [272.0, 400.0]);
    const PAST: PaneInfo = info("past", &[Place::new(Tab::Read, Column::Right, 1).closed()], [272.0, 172.0]);

    /// Returns some panels of the Read tab.
    pub(in crate::app::layout) fn panes() -> Panes {
        Panes::new([&WORKLIST, &PICTURE, &PROMPT, &RESULT, &PAST])
    }

    fn stack(names: &[&str]) -> Node {
        let leaf = |name: &&str| Leaf { pane: (*name).to_owned(), is_closed: false };
        Node::Stack { panes: names.iter().map(leaf).collect(), front: 0 }
    }

    fn names(node: &Node) -> Vec<String> {
        let mut found = Vec::new();
        assert!(node.collect(&mut found, DEPTH));
        found
    }

    #[test]
    fn the_usual_arrangement_holds_every_panel_and_comes_back_from_a_tree() {
        let panes = panes();
        let node = Node::usual(Tab::Read, &panes);
        assert_eq!(names(&node), ["worklist", "picture", "prompt", "result", "past"]);
        let tree = node.tree(Id::unique("tree"), &panes);
        let root = tree.root().expect("a root");
        assert_eq!(Node::of(&tree, root).as_ref(), Some(&node));
        let text = serde_json::to_string(&node).expect("text");
        assert_eq!(serde_json::from_str::<Node>(&text).expect("a node"), node);
    }

    #[test]
    fn a_newer_panel_stands_with_those_that_share_its_place_and_an_unknown_one_is_left_out() {
        let panes = panes();
        let stored = Node::Row(vec![
            Part { size: 700.0, node: stack(&["hologram", "picture"]) },
            Part { size: 300.0, node: stack(&["worklist", "prompt"]) },
            Part { size: 100.0, node: stack(&["hologram"]) },
        ]);
        let node = stored.completed(Tab::Read, &panes).expect("an arrangement");
        assert_eq!(names(&node), ["picture", "worklist", "prompt", "result", "past"]);
        let Node::Row(parts) = node else { panic!("a row") };
        assert_eq!(parts[1].node, stack(&["worklist", "prompt"]), "what the user arranged stays");
        assert_eq!(parts.len(), 4, "result and past have no neighbour here");
    }

    #[test]
    fn an_arrangement_that_nobody_could_have_made_is_not_used() {
        let panes = panes();
        let completed = |node: &Node| node.completed(Tab::Read, &panes);
        assert!(completed(&stack(&["picture", "prompt"])).is_some());
        assert!(completed(&stack(&["prompt"])).is_none(), "without what the layout is for");
        assert!(completed(&stack(&["picture", "prompt", "prompt"])).is_none());
        let broken = |size: f32| Node::Row(vec![Part { size, node: stack(&["picture"]) }]);
        assert!(completed(&broken(10.0)).is_some());
        assert!(completed(&broken(f32::NAN)).is_none());
        assert!(completed(&Node::Stack { panes: Vec::new(), front: 0 }).is_none());
    }
}
