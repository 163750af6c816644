//! Panel sizes: each panel keeps its own size, and in every row and column one panel takes the remaining space.

use eframe::egui::{Vec2, vec2};
use egui_tiles::{Container, LinearDir, Tile, TileId, Tiles};

use super::children;
use crate::app::pane::{Pane, Panes};

/// The minimum share of a row and of a column for the part that takes the remaining space.
const LEAST: [f32; 2] = [0.42, 0.3];
/// Sizes below this, in points, are unset: the part has just been placed there.
const UNSET: f32 = 8.0;

/// Adjusts the sizes within the tile `id` to `room`, in points; `gap` is the space between parts, and `bar` the
/// height of a tab bar.
pub fn fit(tiles: &mut Tiles<Pane>, panes: &Panes, id: TileId, room: Vec2, gap: f32, bar: f32) {
    let linear = match tiles.get(id) {
        Some(Tile::Container(Container::Linear(linear))) => linear.clone(),
        Some(Tile::Container(_)) => {
            let inside = vec2(room.x, (room.y - bar).max(0.0));
            return children(tiles, id).into_iter().for_each(|child| fit(tiles, panes, child, inside, gap, bar));
        }
        _ => return,
    };
    let axis = usize::from(linear.dir == LinearDir::Vertical);
    let seen: Vec<TileId> =
        linear.children.iter().copied().filter(|child| tiles.is_visible_in_layout(*child)).collect();
    if seen.is_empty() {
        return;
    }
    let length = (room[axis] - gap * (seen.len() as f32 - 1.0)).max(1.0);
    let mut shares = linear.shares.clone();
    for &child in &linear.children {
        if shares[child] < UNSET {
            shares.set_share(child, usual(tiles, panes, child, axis));
        }
    }
    // Among equals, the last one grows, that is, a panel at the right or below. While it is closed, the others
    // share its space in proportion to their sizes but keep these; otherwise no space would be left when it is
    // reopened.
    let grows = linear.children.iter().copied().max_by_key(|child| growth(tiles, panes, *child));
    if let Some(grows) = grows.filter(|grows| seen.contains(grows)) {
        let others: f32 = seen.iter().filter(|child| **child != grows).map(|child| shares[*child]).sum();
        shares.set_share(grows, (length - others).max(length * LEAST[axis]));
    }
    let sizes = shares.split(&seen, length);
    if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(id) {
        linear.shares = shares;
    }
    for (child, size) in seen.into_iter().zip(sizes) {
        let mut inside = room;
        inside[axis] = size;
        fit(tiles, panes, child, inside, gap, bar);
    }
}

/// Returns the growth priority of a part: the highest priority of its panels, whether closed or not.
fn growth(tiles: &Tiles<Pane>, panes: &Panes, id: TileId) -> u8 {
    match tiles.get(id) {
        Some(Tile::Pane(pane)) => panes.get(*pane).map_or(0, |info| info.growth) + 1,
        Some(Tile::Container(_)) => {
            children(tiles, id).into_iter().map(|child| growth(tiles, panes, child)).max().unwrap_or(0)
        }
        None => 0,
    }
}

/// Returns the default size of a part, which is that of its largest panel.
fn usual(tiles: &Tiles<Pane>, panes: &Panes, id: TileId, axis: usize) -> f32 {
    match tiles.get(id) {
        Some(Tile::Pane(pane)) => panes.get(*pane).map_or(100.0, |info| info.size[axis]),
        _ => children(tiles, id).into_iter().map(|child| usual(tiles, panes, child, axis)).fold(100.0, f32::max),
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::Id;

    use super::super::Node;
    use super::super::arrangement::tests::panes;
    use super::*;
    use crate::app::pane::{Column, PaneInfo, Place};
    use crate::app::tab::Tab;

    const fn of_run(name: &'static str, places: &'static [Place], height: f32, growth: u8) -> PaneInfo {
        PaneInfo { title: name, places, size: [700.0, height], growth, ..PaneInfo::new(Pane::new(name)) }
    }

    const RUN: PaneInfo = of_run("run", &[Place::new(Tab::Train, Column::Middle, 0)], 132.0, 1);
    const CASES: PaneInfo = of_run("cases", &[Place::new(Tab::Train, Column::Middle, 1)], 240.0, 0);
    const CURVES: PaneInfo = of_run("curves", &[Place::new(Tab::Train, Column::Middle, 2)], 300.0, 2);
    const COMPARED: PaneInfo = of_run("comparison", &[Place::new(Tab::Train, Column::Middle, 2)], 300.0, 2);
    const LOG: PaneInfo = of_run("log", &[Place::new(Tab::Train, Column::Middle, 3)], 106.0, 0);

    #[test]
    fn the_picture_takes_what_the_others_leave() {
        let panes = panes();
        let mut tree = Node::usual(Tab::Read, &panes).tree(Id::unique("tree"), &panes);
        let root = tree.root().expect("a root");
        let sizes = |tiles: &Tiles<Pane>| match tiles.get(root) {
            Some(Tile::Container(Container::Linear(linear))) => {
                [0, 1, 2].map(|place| linear.shares[linear.children[place]])
            }
            _ => [0.0; 3],
        };
        fit(&mut tree.tiles, &panes, root, vec2(1280.0, 800.0), 1.0, 22.0);
        assert_eq!(sizes(&tree.tiles), [196.0, 1278.0 - 196.0 - 272.0, 272.0]);
        fit(&mut tree.tiles, &panes, root, vec2(1920.0, 800.0), 1.0, 22.0);
        assert_eq!(sizes(&tree.tiles), [196.0, 1918.0 - 196.0 - 272.0, 272.0]);
        // If the space is too narrow for all, the image keeps its share, and all set sizes are kept.
        fit(&mut tree.tiles, &panes, root, vec2(402.0, 800.0), 1.0, 22.0);
        assert_eq!(sizes(&tree.tiles).map(f32::round), [196.0, 168.0, 272.0]);
        let worklist = tree.tiles.find_pane(&Pane::WORKLIST).expect("a tile");
        tree.set_visible(worklist, false);
        fit(&mut tree.tiles, &panes, root, vec2(1280.0, 800.0), 1.0, 22.0);
        assert_eq!(sizes(&tree.tiles), [196.0, 1279.0 - 272.0, 272.0]);
    }

    #[test]
    fn a_panel_that_is_opened_again_has_its_size_again() {
        let panes = Panes::new([&RUN, &CASES, &CURVES, &COMPARED, &LOG]);
        let mut tree = Node::usual(Tab::Train, &panes).tree(Id::unique("tree"), &panes);
        let root = tree.root().expect("a root");
        let heights = |tree: &egui_tiles::Tree<Pane>| {
            let tiles = &tree.tiles;
            let linear = tiles.iter().find_map(|(_, tile)| match tile {
                Tile::Container(Container::Linear(linear)) if linear.dir == LinearDir::Vertical => Some(linear),
                _ => None,
            });
            let linear = linear.expect("a column");
            linear.children.iter().map(|child| linear.shares[*child]).collect::<Vec<f32>>()
        };
        let fit = |tree: &mut egui_tiles::Tree<Pane>| {
            fit(&mut tree.tiles, &panes, root, vec2(1280.0, 800.0), 1.0, 22.0);
        };
        fit(&mut tree);
        let before = heights(&tree);
        assert!(before[2] > 250.0, "{before:?}");
        for pane in [CURVES.pane, COMPARED.pane] {
            let tile = tree.tiles.find_pane(&pane).expect("a tile");
            tree.set_visible(tile, false);
        }
        fit(&mut tree);
        fit(&mut tree);
        for pane in [CURVES.pane, COMPARED.pane] {
            let tile = tree.tiles.find_pane(&pane).expect("a tile");
            tree.set_visible(tile, true);
        }
        fit(&mut tree);
        assert_eq!(heights(&tree), before, "run, cases, curves, log");
    }
}
