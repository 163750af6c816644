//! The strip of word pieces below the prompt.

use eframe::egui::{Color32, Response, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2};

use super::widgets::grouped;
use crate::app::theme;
use crate::infer::TokensRead;

/// The maximum number of listed pieces beyond the limit; a text can have thousands.
const LISTED: usize = 60;

/// The token of a word that is not in the vocabulary.
const UNKNOWN: &str = "[UNK]";
/// The number of tokens that mark the start and the end of every text.
const SPECIAL: usize = 2;

/// Describes how many tokens the network receives, and the limit.
pub fn summary(tokens: &TokensRead) -> String {
    let used = (tokens.read.len() + SPECIAL).min(tokens.limit.max(SPECIAL));
    let mut text = format!("{used} of {} tokens", tokens.limit);
    if !tokens.dropped.is_empty() {
        text.push_str(&format!(", {} not read", grouped(tokens.dropped.len() as u64)));
    }
    text
}

/// Draws the pieces; those beyond the limit are struck through.
pub fn show(ui: &mut Ui, tokens: &TokensRead) {
    let palette = theme::palette(ui.visuals());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        for (place, piece) in tokens.read.iter().enumerate() {
            let is_known = piece != UNKNOWN && !is_spelled(&tokens.read, place);
            let colour = if is_known { palette.text } else { palette.warning };
            let response = chip(ui, piece, colour, Some(palette.token), false);
            if !is_known {
                response.on_hover_text("This word is not in the model's vocabulary.");
            }
        }
        for piece in tokens.dropped.iter().take(LISTED) {
            chip(ui, piece, palette.weak, None, true);
        }
        if tokens.dropped.len() > LISTED {
            chip(ui, &format!("and {} more", tokens.dropped.len() - LISTED), palette.weak, None, false);
        }
    });
}

/// Returns whether the word around a piece is split into single letters because it is not in the vocabulary.
fn is_spelled(pieces: &[String], place: usize) -> bool {
    let is_inside = |piece: &String| piece.starts_with("##");
    let begin = (0..=place).rev().find(|&place| !is_inside(&pieces[place])).unwrap_or(0);
    let end = (begin + 1..pieces.len()).find(|&place| !is_inside(&pieces[place])).unwrap_or(pieces.len());
    let letters: usize =
        pieces[begin..end].iter().map(|piece| piece.trim_start_matches("##").chars().count()).sum();
    end - begin >= 3 && letters < 2 * (end - begin)
}

/// Draws one piece as one widget, so that lines break between pieces.
fn chip(ui: &mut Ui, text: &str, colour: Color32, fill: Option<Color32>, is_struck: bool) -> Response {
    let font = TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(8.0, 3.0), Sense::hover());
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 3.0, fill);
    }
    ui.painter().galley(pos2(rect.left() + 4.0, rect.center().y - galley.size().y / 2.0), galley, colour);
    if is_struck {
        ui.painter().hline(rect.x_range().shrink(2.0), rect.center().y, Stroke::new(1.0, colour));
    }
    let state = if is_struck { "not read: " } else { "" };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{state}{text}")));
    if is_struck {
        return response
            .on_hover_text("The network does not read this word: the prompt is longer than its limit.");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_read_letter_by_letter() {
        let pieces = ["lung", "z", "##z", "##q", "pneu", "##mo", "##thorax", "."].map(String::from);
        let spelled: Vec<usize> = (0..pieces.len()).filter(|&place| is_spelled(&pieces, place)).collect();
        assert_eq!(spelled, [1, 2, 3]);
    }
}
