//! Closing the window while a run goes on.

use eframe::egui::{self, ViewportCommand};

use crate::app::HimixApp;

/// Whether the window is about to be closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// It is not.
    #[default]
    No,
    /// The user is asked what shall become of the run.
    Asks,
    /// It closes when the run has stopped.
    AfterStop,
    /// Nothing holds it.
    Now,
}

impl HimixApp {
    /// Keeps the window open while a run goes on, until the user has said what shall become of it.
    pub(in crate::app) fn guard_close(&mut self, ctx: &egui::Context) {
        let goes_on = self.engine.is_training();
        let closing = &mut self.state.training.closing;
        match *closing {
            Closing::AfterStop if !goes_on => {
                *closing = Closing::Now;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            // The run has ended by itself while the question stood.
            Closing::Asks if !goes_on => *closing = Closing::No,
            _ => {}
        }
        let is_asked = ctx.input(|input| input.viewport().close_requested());
        if is_asked && goes_on && *closing != Closing::Now {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            if *closing == Closing::No {
                *closing = Closing::Asks;
            }
        }
    }
}
