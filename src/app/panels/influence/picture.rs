//! Where in the image the selected part of the prompt acts.

use eframe::egui::{Image, RichText, Ui, vec2};

use super::sentence::bar;
use crate::analysis::maps::Scale;
use crate::app::influence::{InfluenceState, Method, Selection};
use crate::infer::influence::Influence;

/// The maximum height of the picture, in points.
const HEIGHT: f32 = 220.0;

/// Draws the picture, and what it shows.
pub fn show(ui: &mut Ui, influence: &InfluenceState, found: &Influence) {
    let Some(selected) = influence.selected else {
        ui.label(RichText::new("Click a word to see where in the image it acts.").small().weak());
        return;
    };
    let Some((effect, bytes)) = selected.effect(found, influence.method) else {
        ui.label(RichText::new("This part was not examined by this method.").small().weak());
        return;
    };
    let part = &found.prompt[bytes];
    let what = match (selected, influence.method) {
        (Selection::Exchange(place), _) => {
            let label = found.exchanges.get(place).map(|exchange| exchange.label.as_str()).unwrap_or_default();
            format!("exchange {label}")
        }
        (_, Method::LeaveOut) => format!("“{part}” left out"),
        (_, Method::MaskToken) => format!("“{part}” replaced by [MASK]"),
    };
    let ticket = influence.words.found.as_ref().map(|(ticket, ..)| *ticket);
    let wanted = ticket.map(|ticket| (ticket, selected, influence.method));
    match &influence.picture {
        Some((of, texture)) if Some(*of) == wanted => {
            let size = texture.size_vec2();
            let scale = (ui.available_width() / size.x).min(HEIGHT / size.y);
            let picture = Image::new((texture.id(), vec2(size.x * scale, size.y * scale)));
            ui.add(picture.alt_text(format!("Change of the probability: {what}")));
        }
        _ => {
            ui.label(RichText::new("The picture appears in a moment.").small().weak());
        }
    }
    ui.label(RichText::new(format!("Change of the probability, {what}")).small().weak())
        .on_hover_text(&effect.text);
    bar(ui, Scale::Diverging, ["−1".to_owned(), "1".to_owned()], "Colours of the change");
}
