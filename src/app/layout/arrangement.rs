//! An arrangement as it is stored: rows, columns and stacks of panels.

use eframe::egui::Id;
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use super::{Pane, Tab};

/// Most containers within each other; more is no arrangement that anybody made.
const DEPTH: usize = 16;

/// A panel, or several of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Side by side.
    Row(Vec<Part>),
    /// One above the other.
    Column(Vec<Part>),
    /// One before the other.
    Stack {
        /// The panels.
        panes: Vec<Leaf>,
        /// The one in front.
        front: usize,
    },
}

/// What stands in a row or a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its width or height in points; that of one part in each row and column follows from the others'.
    pub size: f32,
    /// What it is.
    pub node: Node,
}

/// A panel in its place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// Which.
    pub pane: Pane,
    /// Whether it is closed.
    #[serde(default)]
    pub is_closed: bool,
}

fn stack(panes: &[Pane]) -> Node {
    Node::Stack { panes: panes.iter().map(|&pane| Leaf { pane, is_closed: false }).collect(), front: 0 }
}

fn closed(pane: Pane) -> Node {
    Node::Stack { panes: vec![Leaf { pane, is_closed: true }], front: 0 }
}

fn parts<const N: usize>(parts: [(f32, Node); N]) -> Vec<Part> {
    parts.into_iter().map(|(size, node)| Part { size, node }).collect()
}

impl Node {
    /// The arrangement of a task as it is meant.
    pub fn usual(tab: Tab) -> Self {
        let prompt = || (Pane::Prompt.size()[1], stack(&[Pane::Prompt]));
        match tab {
            Tab::Read => {
                let middle = Self::Column(parts([(600.0, stack(&[Pane::Picture])), prompt()]));
                let lower = stack(&[Pane::Window, Pane::Model, Pane::Past, Pane::Messages]);
                let upper = stack(&[Pane::Result, Pane::Information]);
                let right = parts([(400.0, upper), (Pane::Window.size()[1], lower)]);
                Self::Row(parts([
                    (Pane::Worklist.size()[0], stack(&[Pane::Worklist])),
                    (800.0, middle),
                    (Pane::Result.size()[0], Self::Column(right)),
                ]))
            }
            Tab::Stages => {
                let column = parts([(600.0, stack(&[Pane::Stages])), prompt(), (130.0, closed(Pane::Messages))]);
                let side = [Pane::WhatIf, Pane::Spectrum, Pane::Fusion, Pane::Numbers, Pane::Sweep];
                Self::Row(parts([
                    (Pane::Worklist.size()[0], closed(Pane::Worklist)),
                    (800.0, Self::Column(column)),
                    (Pane::WhatIf.size()[0], stack(&side)),
                ]))
            }
            Tab::Train => {
                let column = parts([
                    (Pane::Run.size()[1], stack(&[Pane::Run])),
                    (Pane::Cases.size()[1], stack(&[Pane::Cases])),
                    (300.0, stack(&[Pane::Curves, Pane::Comparison])),
                    (Pane::Log.size()[1], stack(&[Pane::Log, Pane::Messages])),
                ]);
                Self::Row(parts([
                    (Pane::Settings.size()[0], stack(&[Pane::Settings])),
                    (800.0, Self::Column(column)),
                ]))
            }
        }
    }

    /// Whether it holds each of `panes` once and nothing else, in sizes that are numbers.
    pub fn holds(&self, panes: &[Pane]) -> bool {
        let mut found = Vec::new();
        let mut wanted = panes.to_vec();
        let is_sound = self.collect(&mut found, DEPTH);
        found.sort();
        wanted.sort();
        is_sound && found == wanted
    }

    fn collect(&self, found: &mut Vec<Pane>, depth: usize) -> bool {
        match self {
            Self::Row(parts) | Self::Column(parts) => {
                depth > 0
                    && !parts.is_empty()
                    && parts.iter().all(|part| {
                        part.size.is_finite() && part.size >= 0.0 && part.node.collect(found, depth - 1)
                    })
            }
            Self::Stack { panes, front } => {
                found.extend(panes.iter().map(|leaf| leaf.pane));
                *front < panes.len()
            }
        }
    }

    /// As a tree that can be drawn.
    pub fn tree(&self, id: Id) -> Tree<Pane> {
        let mut tiles = Tiles::default();
        let mut closed = Vec::new();
        let root = self.insert(&mut tiles, &mut closed);
        let mut tree = Tree::new(id, root, tiles);
        closed.into_iter().for_each(|tile| tree.set_visible(tile, false));
        tree
    }

    fn insert(&self, tiles: &mut Tiles<Pane>, closed: &mut Vec<TileId>) -> TileId {
        let mut linear = |dir: LinearDir, parts: &[Part]| {
            let children: Vec<TileId> = parts.iter().map(|part| part.node.insert(tiles, closed)).collect();
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
                let children: Vec<TileId> = panes.iter().map(|leaf| tiles.insert_pane(leaf.pane)).collect();
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

    /// Of the tile `id` of a tree; none where that is missing.
    pub fn of(tree: &Tree<Pane>, id: TileId) -> Option<Self> {
        let leaf = |tile: TileId| match tree.tiles.get(tile) {
            Some(Tile::Pane(pane)) => Some(Leaf { pane: *pane, is_closed: !tree.is_visible(tile) }),
            _ => None,
        };
        match tree.tiles.get(id)? {
            Tile::Pane(_) => Some(Self::Stack { panes: vec![leaf(id)?], front: 0 }),
            Tile::Container(Container::Tabs(tabs)) => {
                // A stack holds panels; a row that was dropped into one is not taken apart.
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
mod tests {
    use super::*;

    #[test]
    fn the_usual_arrangements_hold_every_panel_and_come_back_from_a_tree() {
        for tab in Tab::ALL {
            let node = Node::usual(tab);
            assert!(node.holds(tab.panes()), "{tab:?}");
            let tree = node.tree(Id::unique("tree"));
            let root = tree.root().expect("a root");
            assert_eq!(Node::of(&tree, root).as_ref(), Some(&node), "{tab:?}");
            let text = serde_json::to_string(&node).expect("text");
            assert_eq!(serde_json::from_str::<Node>(&text).expect("a node"), node);
        }
    }

    #[test]
    fn an_arrangement_that_lacks_or_doubles_a_panel_is_not_used() {
        let panes = [Pane::Picture, Pane::Prompt];
        assert!(stack(&panes).holds(&panes));
        assert!(!stack(&[Pane::Picture]).holds(&panes));
        assert!(!stack(&[Pane::Picture, Pane::Prompt, Pane::Prompt]).holds(&panes));
        let broken =
            |size: f32| Node::Row(parts([(size, stack(&[Pane::Picture])), (1.0, stack(&[Pane::Prompt]))]));
        assert!(broken(10.0).holds(&panes));
        assert!(!broken(f32::NAN).holds(&panes));
        assert!(!Node::Stack { panes: Vec::new(), front: 0 }.holds(&[]));
    }
}
