//! The figure of chosen cases.

use crate::analysis::figure::{Figure, FigureError, MaskRow, Picture, networks};
use crate::analysis::robustness::CasesError;
use crate::data::{Mask, OverlayColours};
use crate::infer::InferError;
use crate::infer::comparison::Comparison;

/// The most rows of a figure.
pub const MOST_ROWS: usize = 24;

/// Returns the numbers of the cases on which the networks differ most, by the range of Dice per image, at most `count`. Without
/// a ground truth, the first cases.
pub fn spread_cases(comparison: &Comparison, count: usize) -> Vec<usize> {
    let range = |case: usize| {
        let dice = comparison.networks.iter().filter_map(|network| network.scores[case].counts);
        let (low, high) =
            dice.fold((1.0_f64, 0.0_f64), |(low, high), counts| (low.min(counts.dice()), high.max(counts.dice())));
        (high - low).max(0.0)
    };
    let mut cases: Vec<(usize, f64)> = (0..comparison.cases.len()).map(|case| (case, range(case))).collect();
    // The sort keeps the order of equal cases.
    cases.sort_by(|a, b| b.1.total_cmp(&a.1));
    cases.into_iter().take(count).map(|(case, _)| case).collect()
}

/// Draws the cases with these numbers, a row each, with the masks of all networks.
///
/// # Errors
/// There are no or too many cases, or one cannot be read any more.
pub fn chosen_figure(
    comparison: &Comparison,
    cases: &[usize],
    colours: &OverlayColours,
    about: &[String],
) -> Result<Figure, CasesError> {
    if cases.len() > MOST_ROWS {
        let reason =
            format!("a figure has at most {MOST_ROWS} rows and {} cases were chosen; choose fewer", cases.len());
        return Err(FigureError::Nothing { reason }.into());
    }
    let mut seen = Vec::with_capacity(cases.len());
    for number in cases {
        let case = &comparison.cases[*number];
        let read = case.read().map_err(InferError::from)?;
        let (picture, truth): (Picture, Option<Mask>) =
            (Picture::of(&read.image), read.truth.map(|truth| truth.as_ref().clone()));
        let masks: Vec<Option<Vec<u8>>> =
            comparison.networks.iter().map(|network| Some(network.scores[*number].mask.values())).collect();
        seen.push((case, picture, truth, masks));
    }
    let rows: Vec<MaskRow<'_>> = seen
        .iter()
        .map(|(case, picture, truth, masks)| MaskRow {
            name: &case.name,
            prompt: &case.prompt,
            picture,
            truth: truth.as_ref(),
            masks,
        })
        .collect();
    let names: Vec<&str> = comparison.networks.iter().map(|network| network.name.as_str()).collect();
    Ok(networks(&names, &rows, colours, about)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::comparison::tests::comparison;

    #[test]
    fn the_cases_with_the_widest_range_come_first() {
        let comparison = comparison();
        // Dice is 1 and 0 for the first four cases, 2/3, 4/5 and 0 for the last.
        assert_eq!(spread_cases(&comparison, 9), [0, 1, 2, 3, 4]);
        let mut two = comparison.clone();
        two.networks.pop();
        // 1 and 2/3, 1 and 0, 1 and 2/3, 1 and 1, 2/3 and 4/5.
        assert_eq!(spread_cases(&two, 9), [1, 0, 2, 4, 3]);
    }

    #[test]
    fn a_figure_shows_the_chosen_cases_with_their_scores() {
        let comparison = comparison();
        let figure = chosen_figure(&comparison, &[1, 4], &OverlayColours::PAPER, &[]).expect("a figure");
        assert_eq!((figure.table.rows.len(), figure.scene.pictures().count()), (6, 2 * (2 + 3)));
        assert_eq!(figure.table.rows[0][..3], ["sub-a_2.png", "left", "HiMix"]);
        assert_eq!(figure.table.rows[1][3], "0");
        let error = chosen_figure(&comparison, &[0; 25], &OverlayColours::PAPER, &[]).expect_err("too many");
        assert!(error.to_string().contains("at most 24 rows"), "{error}");
    }
}
