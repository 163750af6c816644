//! Connected components of a label in all slices, the largest first.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Mask;
use crate::data::mask::components::{Component, Connectivity, components as connected};

/// Returns the connected components of a label, the largest first; components of one size in the order of their first
/// pixels. `masks` holds the masks by slice, from 0. Pixels of neighbouring slices are connected only if `is_stack`.
pub fn components(masks: &BTreeMap<usize, Arc<Mask>>, is_stack: bool) -> Vec<Component> {
    let slices: Vec<(usize, &Mask)> = masks.iter().map(|(slice, mask)| (*slice, mask.as_ref())).collect();
    let at_once = if is_stack { slices.len().max(1) } else { 1 };
    let parts = slices.chunks(at_once);
    let mut found: Vec<Component> = parts.flat_map(|part| connected(part, Connectivity::Corner)).collect();
    // A stable sort keeps those of one size in their order.
    found.sort_by_key(|component| std::cmp::Reverse(component.pixels()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Arc<Mask> {
        let values = rows.iter().flat_map(|row| row.bytes().map(|letter| u8::from(letter == b'#'))).collect();
        Arc::new(Mask { width: rows[0].len(), height: rows.len(), values })
    }

    fn sizes(masks: &[(usize, &[&str])], is_stack: bool) -> Vec<u64> {
        let masks = masks.iter().map(|(slice, rows)| (*slice, mask(rows))).collect();
        components(&masks, is_stack).iter().map(Component::pixels).collect()
    }

    #[test]
    fn edges_and_corners_connect() {
        let shape: &[&str] = &["##..#", "..#.#", "#.#.#", "#...."];
        assert_eq!(sizes(&[(0, shape)], true), [4, 3, 2]);
        let comb: &[&str] = &["#.#.#", "#.#.#", "#####"];
        assert_eq!(sizes(&[(0, comb)], true), [11]);
        assert!(sizes(&[(0, &["....", "...."])], true).is_empty());
    }

    #[test]
    fn slices_connect_only_in_a_stack_and_only_neighbours() {
        let left: &[&str] = &["#...", "...."];
        let diagonal: &[&str] = &["....", ".#.."];
        assert_eq!(sizes(&[(3, left), (4, diagonal)], true), [2]);
        assert_eq!(sizes(&[(3, left), (4, diagonal)], false), [1, 1]);
        assert_eq!(sizes(&[(3, left), (5, left)], true), [1, 1]);
        assert_eq!(sizes(&[(3, left), (4, &["..#.", "...."])], true), [1, 1]);
    }
}
