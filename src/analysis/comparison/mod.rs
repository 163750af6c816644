//! What a comparison of networks shows: the scores of every network with intervals, the differences of every pair of them, the
//! published scores beside those found here, tables and a figure.

mod chosen;
mod published;
mod report;
mod summary;
mod tables;

pub use chosen::{MOST_ROWS, chosen_figure, spread_cases};
pub use published::{Convention, Published, PublishedSet, published};
pub use report::{NetworksReport, write_figure};
pub use summary::{CaseDifference, NetworkSummary, PairSummary, differences, pairs, summaries};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::data::{Image, Mask, Pixels};
    use crate::infer::comparison::{
        CaseImage, CaseOrigin, CaseScore, ComparedCase, ComparedNetwork, Comparison, NetworkCost,
    };

    /// Five images of 4 × 1 pixels and three networks. The ground truth is the two pixels at the left; the masks are given as
    /// numbers of pixels from the left.
    pub fn comparison() -> Comparison {
        let names = ["sub-a_1.png", "sub-a_2.png", "sub-b.png", "c.png", "d.png"];
        let truth = Arc::new(row(2));
        let image = Arc::new(Image { width: 4, height: 1, channels: 1, pixels: Pixels::U8(vec![9, 8, 7, 6]) });
        let case = |name: &str| ComparedCase {
            name: name.into(),
            prompt: "left".into(),
            area: None,
            origin: CaseOrigin::Open(image.clone(), Some(truth.clone())),
        };
        let cases: Vec<ComparedCase> = names.into_iter().map(case).collect();
        let network = |name: &str, pixels: [usize; 5]| {
            let score = |pixels: usize| {
                let read =
                    CaseImage { image: image.clone(), truth: Some(truth.clone()), fingerprint: String::new() };
                let values: Vec<f32> = row(pixels).values.iter().map(|value| f32::from(*value)).collect();
                CaseScore::of(&read, &values, 0.5)
            };
            let cost = NetworkCost { parameters: Some(44_700_000), gflop: Some(22.4), ..NetworkCost::default() };
            ComparedNetwork {
                name: name.into(),
                cost,
                notes: Vec::new(),
                scores: pixels.into_iter().map(score).collect(),
            }
        };
        let networks =
            vec![network("HiMix", [2, 2, 2, 2, 1]), network("U-Net", [1, 0, 4, 2, 3]), network("B|x", [0; 5])];
        Comparison { cases, networks, left_out: Vec::new(), skipped: Vec::new(), known: 0 }
    }

    fn row(pixels: usize) -> Mask {
        Mask { width: 4, height: 1, values: (0..4).map(|at| u8::from(at < pixels)).collect() }
    }
}
