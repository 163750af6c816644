//! Connected components of the masks of a slice or of a stack, as runs of pixels.

use super::Mask;

/// Which pixels are neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connectivity {
    /// Pixels that share an edge: 4 neighbours in a slice, 6 in a stack.
    #[default]
    Edge,
    /// Pixels that share an edge or a corner: 8 neighbours in a slice, 26 in a stack.
    Corner,
}

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
    /// The runs, by slice, row and column; at least one.
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

/// Returns the runs of pixels that are not 0 of the mask of a slice, row by row.
pub fn runs(slice: usize, mask: &Mask) -> Vec<Run> {
    let mut found = Vec::new();
    for (row, values) in mask.values.chunks_exact(mask.width.max(1)).enumerate() {
        let mut column = 0;
        while let Some(skip) = values[column..].iter().position(|value| *value != 0) {
            let start = column + skip;
            let end = values[start..].iter().position(|value| *value == 0).map_or(values.len(), |run| start + run);
            found.push(Run { slice, row, start, end });
            column = end;
        }
    }
    found
}

/// Returns the connected components of a stack, of which only the slices with a mask are given, in ascending order with
/// their indices. Slices are neighbours if their indices are. The components are in the order of their first pixels,
/// by slice, row and column. For a single slice, `slices` has one entry.
pub fn components(slices: &[(usize, &Mask)], connectivity: Connectivity) -> Vec<Component> {
    let runs: Vec<Vec<Run>> = slices.iter().map(|(slice, mask)| runs(*slice, mask)).collect();
    let mut begins = Vec::with_capacity(runs.len());
    let mut count = 0;
    for runs in &runs {
        begins.push(count);
        count += runs.len();
    }
    let mut sets = Sets { parents: (0..count).collect() };
    for (at, (slice, _)) in slices.iter().enumerate() {
        join(&mut sets, [(&runs[at], begins[at]); 2], &[1], connectivity);
        if at > 0 && slices[at - 1].0 + 1 == *slice {
            let rows: &[isize] = if connectivity == Connectivity::Edge { &[0] } else { &[-1, 0, 1] };
            join(&mut sets, [(&runs[at - 1], begins[at - 1]), (&runs[at], begins[at])], rows, connectivity);
        }
    }
    let mut places = vec![usize::MAX; count];
    let mut found: Vec<Component> = Vec::new();
    for (number, run) in runs.into_iter().flatten().enumerate() {
        let root = sets.root(number);
        if places[root] == usize::MAX {
            places[root] = found.len();
            found.push(Component::default());
        }
        found[places[root]].runs.push(run);
    }
    found
}

/// Joins the runs that touch: those in a row of the first list with those in the rows of the second list that are lower
/// by one of `rows`. Each list comes with the number of its first run.
fn join(
    sets: &mut Sets,
    [(upper, upper_first), (lower, lower_first)]: [(&[Run], usize); 2],
    rows: &[isize],
    connectivity: Connectivity,
) {
    let reach = usize::from(connectivity == Connectivity::Corner);
    for shift in rows {
        let mut from = 0;
        for (index, run) in upper.iter().enumerate() {
            let Some(row) = run.row.checked_add_signed(*shift) else { continue };
            // Runs are sorted, so those that end before this one begins are never needed again.
            while lower.get(from).is_some_and(|other| (other.row, other.end + reach) <= (row, run.start)) {
                from += 1;
            }
            let touching =
                lower[from..].iter().take_while(|other| (other.row, other.start) < (row, run.end + reach));
            for (step, _) in touching.enumerate() {
                sets.unite(upper_first + index, lower_first + from + step);
            }
        }
    }
}

/// Disjoint sets of numbers.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    /// Returns the smallest number of the set.
    fn root(&mut self, mut of: usize) -> usize {
        while self.parents[of] != of {
            self.parents[of] = self.parents[self.parents[of]];
            of = self.parents[of];
        }
        of
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels of every component, as slice, row and column, by a rule that looks at pixels alone: each takes the
    /// smallest number of its neighbours until nothing changes.
    fn by_pixels(slices: &[(usize, &Mask)], connectivity: Connectivity) -> Vec<Vec<[usize; 3]>> {
        let pixels: Vec<[usize; 3]> = slices
            .iter()
            .flat_map(|(slice, mask)| {
                let inside = mask.values.iter().enumerate().filter(|(_, value)| **value != 0);
                inside.map(|(at, _)| [*slice, at / mask.width, at % mask.width])
            })
            .collect();
        let are_neighbours = |a: &[usize; 3], b: &[usize; 3]| {
            let away = [0, 1, 2].map(|axis| a[axis].abs_diff(b[axis]));
            match connectivity {
                Connectivity::Edge => away.iter().sum::<usize>() == 1,
                Connectivity::Corner => away.iter().all(|away| *away <= 1),
            }
        };
        let mut numbers: Vec<usize> = (0..pixels.len()).collect();
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for (a, b) in (0..pixels.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
                if numbers[a] != numbers[b] && are_neighbours(&pixels[a], &pixels[b]) {
                    let least = numbers[a].min(numbers[b]);
                    (numbers[a], numbers[b], has_changed) = (least, least, true);
                }
            }
        }
        let firsts = (0..pixels.len()).filter(|at| numbers[*at] == *at);
        let of =
            |first: usize| (0..pixels.len()).filter(|at| numbers[*at] == first).map(|at| pixels[at]).collect();
        firsts.map(of).collect()
    }

    fn pixels(component: &Component) -> Vec<[usize; 3]> {
        component
            .runs
            .iter()
            .flat_map(|run| (run.start..run.end).map(|column| [run.slice, run.row, column]))
            .collect()
    }

    #[test]
    fn runs_find_what_a_rule_for_pixels_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..120 {
            let (width, height) = (random.usize(1..9), random.usize(1..7));
            let density = random.f32();
            let indices: Vec<usize> = (0..6).filter(|_| round % 2 == 0 && random.bool()).chain([6]).collect();
            let masks: Vec<Mask> = indices
                .iter()
                .map(|_| {
                    let values = (0..width * height).map(|_| u8::from(random.f32() < density)).collect();
                    Mask { width, height, values }
                })
                .collect();
            let slices: Vec<(usize, &Mask)> = indices.iter().copied().zip(&masks).collect();
            for connectivity in [Connectivity::Edge, Connectivity::Corner] {
                let found = components(&slices, connectivity);
                let expected = by_pixels(&slices, connectivity);
                assert_eq!(found.iter().map(pixels).collect::<Vec<_>>(), expected, "{connectivity:?} {slices:?}");
                for component in &found {
                    assert_eq!(component.pixels(), pixels(component).len() as u64);
                    assert_eq!(component.slices().flatten().count(), component.runs.len());
                }
            }
        }
    }

    #[test]
    fn a_mask_without_pixels_has_no_components() {
        for (width, height) in [(0, 0), (0, 3), (3, 0), (2, 2)] {
            let mask = Mask { width, height, values: vec![0; width * height] };
            assert!(components(&[(0, &mask)], Connectivity::Corner).is_empty());
        }
        assert!(components(&[], Connectivity::Edge).is_empty());
    }
}
