//! Takes the results of a comparison of networks into the state.

use super::{Cell, CellRow, FIRST_ROWS};
use crate::analysis::comparison::spread_cases;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::jobs::PaintedCase;
use crate::engine::{Failure, NetworksCompared};

impl HimixApp {
    /// Takes what a comparison found, and its pictures and files.
    pub(in crate::app) fn take_networks(&mut self) {
        let ticket = self.state.networks.pending.newest();
        match self.state.networks.pending.take() {
            Some(Ok(found)) => {
                let skipped = &found.comparison.skipped;
                if let Some(first) = skipped.first() {
                    let text =
                        format!("{} images were left out of the comparison; the first: {first}", skipped.len());
                    self.state.notes.add(Kind::Warning, text);
                }
                for (name, reason) in &found.comparison.left_out {
                    self.state
                        .notes
                        .add(Kind::Warning, format!("{name} takes no part in the comparison: {reason}"));
                }
                let networks = &mut self.state.networks;
                networks.rows = spread_cases(&found.comparison, FIRST_ROWS);
                networks.pair = 0;
                networks.cells.clear();
                networks.found = Some((ticket, found));
            }
            Some(Err(Failure::Cancelled)) if !self.state.networks.typed.kept.trim().is_empty() => {
                let text = "The comparison was stopped. Start it with the same settings to go on.";
                self.state.notes.add(Kind::Info, text);
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
        match self.state.networks.painting.take() {
            Some(Ok(painted)) => {
                let networks = &mut self.state.networks;
                if let Some((_, found)) = &networks.found {
                    networks.cells = painted.into_iter().map(|case| row(found, case)).collect();
                }
            }
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
        match self.state.networks.saving.take() {
            Some(Ok(files)) => self.say_networks_saved(&files),
            Some(Err(failure)) => self.say_failure(failure),
            None => {}
        }
    }
}

/// Names the pictures of a case.
fn row(found: &NetworksCompared, PaintedCase { case, image, truth, masks }: PaintedCase) -> CellRow {
    let comparison = &found.comparison;
    let name = comparison.cases.get(case).map_or("", |case| case.name.as_str());
    let cell =
        |what: &str, picture| Cell { name: format!("{what} of {name}"), fresh: Some(picture), texture: None };
    let mut cells = vec![cell("Image", image)];
    cells.extend(truth.map(|truth| cell("Ground truth", truth)));
    let networks = comparison.networks.iter().zip(masks);
    cells.extend(networks.map(|(network, mask)| cell(&format!("Mask by {}", network.name), mask)));
    CellRow { case, cells }
}
