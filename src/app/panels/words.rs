//! The strip of words below the prompt: what the network reads of each.

use eframe::egui::{Color32, Response, RichText, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2};

use super::widgets::grouped;
use crate::app::state::State;
use crate::app::theme;
use crate::infer::TokensRead;
use crate::text::prompt::ReadWord;

/// The maximum number of listed words beyond the limit; a text can have thousands.
const LISTED: usize = 60;
/// The number of tokens that mark the start and the end of every text.
const SPECIAL: usize = 2;

/// Describes how many tokens the network receives, and the limit. A network that reads a number of words may have room for
/// more tokens than it receives; its limit is then not that of the tokens.
pub fn summary(tokens: &TokensRead) -> String {
    let used = (tokens.read.len() + SPECIAL).min(tokens.limit.max(SPECIAL));
    let is_of_words = used < tokens.limit && !tokens.dropped.is_empty();
    let mut text =
        if is_of_words { format!("{used} tokens") } else { format!("{used} of {} tokens", tokens.limit) };
    if !tokens.dropped.is_empty() {
        text.push_str(&format!(", {} not read", grouped(tokens.dropped.len() as u64)));
    }
    text
}

/// Draws the words of the prompt that is shown, and the rest of the text that has not been sent yet.
pub fn show(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui.visuals());
    let typed = &state.document.prompt;
    let Some(shown) = state.shown.as_ref().filter(|_| state.model.is_some()) else {
        let words = if typed.trim().is_empty() {
            "The words that the network reads appear here."
        } else {
            "What the network reads appears with the mask."
        };
        ui.label(RichText::new(words).small().weak());
        return;
    };
    let prompt = shown.prediction.prompt.as_str();
    let reading = &shown.prediction.tokens.reading;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        for word in reading.words.iter().filter(|word| word.is_within_limit) {
            self::word(ui, prompt, word);
        }
        let mut cut = reading.words.iter().filter(|word| !word.is_within_limit);
        for word in cut.by_ref().take(LISTED) {
            self::word(ui, prompt, word);
        }
        let more = cut.count();
        if more > 0 {
            chip(ui, &format!("and {} more", grouped(more as u64)), palette.weak, None, false);
        }
        if let Some(rest) = typed.strip_prefix(prompt.trim_end()).map(str::trim).filter(|rest| !rest.is_empty()) {
            let rest = if rest.chars().count() > 40 { "the rest" } else { rest };
            let response = chip(ui, &format!("{rest} …"), palette.weak, None, false);
            response.on_hover_text("Not sent yet: a word is sent when it is complete, or after a moment.");
        }
    });
}

/// Draws a word with what the network reads of it.
fn word(ui: &mut Ui, prompt: &str, word: &ReadWord) {
    let palette = theme::palette(ui.visuals());
    let text = prompt.get(word.bytes.clone()).unwrap_or_default();
    let text = shortened(text);
    if !word.is_within_limit {
        let response = chip(ui, &text, palette.weak, None, true);
        response.on_hover_text("The network does not read this word: the prompt is longer than its limit.");
    } else if word.is_understood {
        let fill = if word.is_mark { None } else { Some(palette.token) };
        let response = chip(ui, &text, palette.text, fill, false);
        if word.pieces.len() > 1 {
            response.on_hover_text(format!("Read in parts: {}", word.pieces.join(" ")));
        }
    } else {
        let response = chip(ui, &text, palette.warning, Some(palette.token), false);
        let read = if word.pieces.is_empty() { "nothing".to_owned() } else { word.pieces.join(" ") };
        response
            .on_hover_text(format!("This word is not in the model's vocabulary. What the network reads: {read}"));
    }
}

/// Returns a word, cut if it is very long.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Draws one word as one widget, so that lines break between words.
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
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_words_is_not_told_as_one_of_tokens() {
        let words = |count: usize| vec!["lung".to_owned(); count];
        let said = |read, dropped, limit| {
            summary(&TokensRead { read: words(read), dropped: words(dropped), limit, ..TokensRead::default() })
        };
        assert_eq!(said(4, 0, 24), "6 of 24 tokens");
        assert_eq!(said(22, 3, 24), "24 of 24 tokens, 3 not read");
        // Ten words are read, whose pieces do not fill the tokens.
        assert_eq!(said(10, 6, 24), "12 tokens, 6 not read");
    }
}
