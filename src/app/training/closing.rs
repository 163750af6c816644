//! Closing the window during a training run.

use eframe::egui::{self, ViewportCommand};

use crate::app::HimixApp;

/// Whether the window is about to be closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// The window is not about to be closed.
    #[default]
    No,
    /// The user is asked what to do with the run.
    Asks,
    /// The window closes when the run has stopped.
    AfterStop,
    /// The window closes without waiting.
    Now,
}

impl HimixApp {
    /// Keeps the window open during a run until the user has decided what to do with the run.
    pub(in crate::app) fn guard_close(&mut self, ctx: &egui::Context) {
        let goes_on = self.engine.is_training();
        let closing = &mut self.state.training.closing;
        match *closing {
            Closing::AfterStop if !goes_on => {
                *closing = Closing::Now;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            // The run has ended while the question was shown.
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
