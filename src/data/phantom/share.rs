//! Assigns phantoms to the splits of a data set.

/// The names of the splits.
pub const SPLITS: [&str; 3] = ["train", "val", "test"];

/// Returns the index in [`SPLITS`] of the split of phantom `index` of `count` phantoms, which alternate between
/// `kinds` kinds. Of every ten phantoms of a kind, the ninth is for validation and the tenth for testing. If
/// there are fewer than ten of a kind, the last two take these roles, so that no split is empty if there are at
/// least three phantoms.
///
/// # Panics
/// Panics if `kinds` is 0.
pub fn split(index: u64, count: u64, kinds: u64) -> usize {
    let of_kind = count.saturating_sub(index % kinds).div_ceil(kinds);
    let left = match of_kind {
        10.. => return [0, 0, 0, 0, 0, 0, 0, 0, 1, 2][(index / kinds % 10) as usize],
        3.. => of_kind - 1 - index / kinds,
        // If no kind has three phantoms, the last two of all are used. If another kind has three, it fills the
        // splits.
        _ if count > 2 * kinds => return 0,
        _ => count - 1 - index,
    };
    match (left, of_kind >= 3 || count >= 3) {
        (0, true) => 2,
        (1, true) => 1,
        // Two phantoms are enough for training and validation.
        (0, false) if count == 2 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: u64, kinds: u64) -> [usize; 3] {
        let mut sizes = [0; 3];
        (0..count).for_each(|index| sizes[split(index, count, kinds)] += 1);
        sizes
    }

    #[test]
    fn no_split_is_empty_that_need_not_be() {
        assert_eq!(sizes(24, 3), [18, 3, 3]);
        assert_eq!(sizes(300, 3), [240, 30, 30]);
        assert_eq!(sizes(30, 3), [24, 3, 3]);
        assert_eq!(sizes(10, 1), [8, 1, 1]);
        assert_eq!(sizes(3, 1), [1, 1, 1]);
        assert_eq!(sizes(6, 3), [4, 1, 1]);
        assert_eq!(sizes(2, 3), [1, 1, 0]);
        assert_eq!(sizes(1, 3), [1, 0, 0]);
        for kinds in 1..=3 {
            for count in 3..400 {
                let sizes = sizes(count, kinds);
                assert!(sizes.iter().all(|size| *size > 0), "{count} of {kinds}: {sizes:?}");
                assert_eq!(sizes.iter().sum::<usize>() as u64, count);
            }
        }
    }
}
