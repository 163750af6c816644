//! The notches of a mouse wheel.

use eframe::egui::{self, Ui};

/// The number of touchpad points per wheel notch, and the seconds after which a partial notch is discarded.
const POINTS: f32 = 40.0;
const PAUSE: f64 = 0.5;

/// Returns the whole wheel notches of this frame; up is positive. Partial notches of wheels and touchpads are
/// accumulated.
pub fn notches(ui: &Ui) -> i64 {
    let turned: f32 = ui.input(|input| {
        let lines = |event: &egui::Event| match event {
            egui::Event::MouseWheel { unit: egui::MouseWheelUnit::Point, delta, .. } => delta.y / POINTS,
            egui::Event::MouseWheel { delta, .. } => delta.y,
            _ => 0.0,
        };
        input.events.iter().map(lines).sum()
    });
    if turned == 0.0 {
        return 0;
    }
    let (id, now) = (egui::Id::unique("turned wheel"), ui.input(|input| input.time));
    let (rest, since) = ui.data(|data| data.get_temp::<(f32, f64)>(id)).unwrap_or_default();
    let goes_on = now - since < PAUSE && rest * turned > 0.0;
    let sum = if goes_on { rest + turned } else { turned };
    // The tolerance of a thousandth makes ten tenths add up to one notch.
    let steps = (sum + 1e-3 * sum.signum()).trunc();
    ui.data_mut(|data| data.insert_temp(id, (sum - steps, now)));
    steps as i64
}
