//! Requests the pictures of the grid.

use super::{Painted, SIDE};
use crate::app::HimixApp;
use crate::app::tab::Tab;
use crate::engine::jobs::PaintNetworks;

impl HimixApp {
    /// Requests the pictures of the grid if they depend on something that has changed.
    pub(in crate::app) fn paint_networks(&mut self) {
        if self.state.tab != Tab::Compare {
            return;
        }
        let colours = self.state.settings.colours.overlay();
        let networks = &mut self.state.networks;
        let Some((ticket, compared)) = &networks.found else { return };
        let wanted = Painted { compared: *ticket, rows: networks.rows.clone(), colours };
        if networks.painting.asked() == Some(&wanted) {
            return;
        }
        let job = PaintNetworks { compared: compared.clone(), cases: wanted.rows.clone(), colours, side: SIDE };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut networks.painting, wanted, job);
    }
}
