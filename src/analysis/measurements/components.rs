//! Connected components of a label in all slices, as runs of pixels.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Mask;

/// Neighbouring pixels of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The slice, from 0.
    pub slice: usize,
    /// The row.
    pub row: usize,
    /// The first column.
    pub start: usize,
    /// The column after the last one.
    pub end: usize,
}

impl Run {
    /// Returns the number of pixels.
    pub fn pixels(&self) -> u64 {
        (self.end - self.start) as u64
    }
}

/// A connected component, as its runs in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// The runs, by slice, row and column.
    pub runs: Vec<Run>,
}

impl Component {
    /// Returns the number of pixels in all slices.
    pub fn pixels(&self) -> u64 {
        self.runs.iter().map(Run::pixels).sum()
    }

    /// Returns the runs of each slice.
    pub fn slices(&self) -> impl Iterator<Item = &[Run]> {
        self.runs.chunk_by(|a, b| a.slice == b.slice)
    }
}

/// Returns the connected components of a label, the largest first; components of one size in the order of their first
/// pixels. `masks` holds the masks by slice, from 0. Pixels of neighbouring slices are connected only if `is_stack`.
pub fn components(masks: &BTreeMap<usize, Arc<Mask>>, is_stack: bool) -> Vec<Component> {
    let runs: Vec<Run> = masks.iter().flat_map(|(slice, mask)| runs(*slice, mask)).collect();
    // The runs of every row that has some, by slice and row.
    let mut rows: BTreeMap<(usize, usize), std::ops::Range<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        rows.entry((run.slice, run.row)).and_modify(|range| range.end = index + 1).or_insert(index..index + 1);
    }
    let mut forest = Forest { parents: (0..runs.len()).collect() };
    for (&(slice, row), range) in &rows {
        let earlier = [
            row.checked_sub(1).map(|row| (slice, row)),
            slice.checked_sub(1).filter(|_| is_stack).and_then(|slice| Some((slice, row.checked_sub(1)?))),
            slice.checked_sub(1).filter(|_| is_stack).map(|slice| (slice, row)),
            slice.checked_sub(1).filter(|_| is_stack).map(|slice| (slice, row + 1)),
        ];
        for other in earlier.into_iter().flatten().filter_map(|place| rows.get(&place)) {
            forest.join_touching(&runs, range.clone(), other.clone());
        }
    }
    let mut found: BTreeMap<usize, Component> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        found.entry(forest.root(index)).or_default().runs.push(*run);
    }
    let mut found: Vec<Component> = found.into_values().collect();
    found.sort_by_cached_key(|part| (std::cmp::Reverse(part.pixels()), part.runs[0]));
    found
}

/// Returns the runs of a mask, row by row.
fn runs(slice: usize, mask: &Mask) -> Vec<Run> {
    let mut found = Vec::new();
    if mask.width == 0 {
        return found;
    }
    for (row, values) in mask.values.chunks_exact(mask.width).enumerate() {
        let mut column = 0;
        while let Some(start) = values[column..].iter().position(|value| *value != 0).map(|at| column + at) {
            let end = values[start..].iter().position(|value| *value == 0).map_or(mask.width, |at| start + at);
            found.push(Run { slice, row, start, end });
            column = end;
        }
    }
    found
}

/// Runs that belong together, as trees of indices.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn root(&mut self, mut index: usize) -> usize {
        while self.parents[index] != index {
            self.parents[index] = self.parents[self.parents[index]];
            index = self.parents[index];
        }
        index
    }

    /// Joins the runs of two rows that touch at an edge or a corner. Both ranges are in the order of their columns.
    fn join_touching(&mut self, runs: &[Run], one: std::ops::Range<usize>, other: std::ops::Range<usize>) {
        let (mut a, mut b) = (one.start, other.start);
        while a < one.end && b < other.end {
            if runs[a].start <= runs[b].end && runs[b].start <= runs[a].end {
                let (x, y) = (self.root(a), self.root(b));
                self.parents[x.max(y)] = x.min(y);
            }
            if runs[a].end < runs[b].end { a += 1 } else { b += 1 }
        }
    }
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

    /// Compared with a search from pixel to pixel.
    #[test]
    fn runs_find_what_a_search_finds() {
        let mut state = 1_u64;
        for number in 0..60 {
            let (width, height, slices) = (9, 7, 4);
            let values: Vec<u8> = (0..width * height * slices)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    u8::from((state >> 33) % 100 < 10 + number)
                })
                .collect();
            let masks = values.chunks(width * height).enumerate();
            let masks: BTreeMap<_, _> = masks
                .map(|(slice, values)| (slice, Arc::new(Mask { width, height, values: values.to_vec() })))
                .collect();
            let mut is_open: Vec<bool> = values.iter().map(|value| *value != 0).collect();
            let mut expected = Vec::new();
            for first in 0..is_open.len() {
                let mut waiting = vec![first];
                let mut size = 0;
                while let Some(at) = waiting.pop() {
                    if !std::mem::take(&mut is_open[at]) {
                        continue;
                    }
                    size += 1;
                    let place = [at % width, at / width % height, at / width / height];
                    for step in 0..27 {
                        let next: [isize; 3] = std::array::from_fn(|axis| {
                            place[axis] as isize + step / 3_isize.pow(axis as u32) % 3 - 1
                        });
                        let sides = [width, height, slices];
                        if (0..3).all(|axis| (0..sides[axis] as isize).contains(&next[axis])) {
                            let [x, y, z] = next.map(|part| part as usize);
                            waiting.push((z * height + y) * width + x);
                        }
                    }
                }
                if size > 0 {
                    expected.push(size);
                }
            }
            expected.sort_by(|a, b| b.cmp(a));
            let found: Vec<u64> = components(&masks, true).iter().map(Component::pixels).collect();
            assert_eq!(found, expected, "{number}");
        }
    }
}
