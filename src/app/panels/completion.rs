//! Completion of the word that is being typed in the prompt.

use eframe::egui::{CompletionPopup, CompletionQuery, Event, Id, Key, Response, Suggestion, TextEdit, Ui};

use crate::text::prompt::{completed, completions};

/// Texts longer than this, in bytes, are not completed: no network reads so much, and the list would not stand beside
/// the word.
const LONGEST: usize = 600;
/// The maximum number of words that are offered.
const MOST: usize = 7;
/// Words of the model's vocabulary are offered from this many letters on.
const FEWEST_LETTERS: usize = 2;

/// What was typed in a field, kept between frames.
#[derive(Clone, Default)]
struct Typed {
    /// The word that is being typed; `None` if the last change was none of typing, such as a moved cursor.
    word: Option<String>,
    /// Whether a word of the list was chosen with the arrows.
    is_chosen: bool,
    /// Whether the list was open in the last frame.
    is_open: bool,
}

/// Draws a text field with completion. `before` is the text of the last frame; `vocabulary` are the words that the model
/// knows, in the order of the alphabet, empty if they are not known.
///
/// Tab takes the first word of the list, or the one that was chosen with the arrows; Enter takes a word only if it was
/// chosen; Escape closes the list until another letter is typed.
pub fn field(ui: &mut Ui, id: Id, edit: TextEdit<'_>, before: &str, vocabulary: &[String]) -> Response {
    let key = id.with("typed");
    let mut typed: Typed = ui.data(|data| data.get_temp(key)).unwrap_or_default();
    if typed.is_open && has_arrow(ui) {
        typed.is_chosen = true;
    }
    let accept: &[Key] = if typed.is_chosen { &[Key::Tab, Key::Enter] } else { &[Key::Tab] };
    let popup = CompletionPopup::new(id).word_boundary(|letter| !letter.is_alphanumeric()).accept_keys(accept);
    let output = popup.show(ui, edit, |query| {
        if query.text != before {
            // Another word begins without a choice.
            typed.is_chosen = false;
            typed.word = Some(query.word.to_owned());
        } else if typed.word.as_deref() != Some(query.word) {
            typed.word = None;
        }
        if typed.word.is_some() { suggestions(query, vocabulary) } else { Vec::new() }
    });
    typed.is_open = output.is_open;
    let mut response = output.text_edit.response.response;
    if output.accepted.is_some() {
        response.mark_changed();
    }
    if output.accepted.is_some() || !response.has_focus() {
        typed = Typed::default();
    }
    ui.data_mut(|data| data.insert_temp(key, typed));
    response
}

fn has_arrow(ui: &Ui) -> bool {
    let is_arrow = |event: &Event| matches!(event, Event::Key { key: Key::ArrowUp | Key::ArrowDown, pressed: true, modifiers, .. } if modifiers.is_none());
    ui.input(|input| input.events.iter().any(is_arrow))
}

/// Returns the words that the word at the cursor may become: those of the grammar, then those of the vocabulary.
fn suggestions(query: &CompletionQuery<'_>, vocabulary: &[String]) -> Vec<Suggestion> {
    if query.text.len() > LONGEST || query.word.is_empty() {
        return Vec::new();
    }
    let mut rest = query.text.chars();
    let before: String = rest.by_ref().take(query.word_range.end.0).collect();
    // Inside a word nothing is completed.
    if rest.next().is_some_and(char::is_alphanumeric) {
        return Vec::new();
    }
    let words = words(&before, query.word, vocabulary);
    words.into_iter().map(|word| Suggestion::new(completed(query.word, &word))).collect()
}

/// Returns the words that `begun`, the last word of `text`, may become.
fn words(text: &str, begun: &str, vocabulary: &[String]) -> Vec<String> {
    let mut words = completions(text);
    let begun = begun.to_lowercase();
    if begun.chars().count() >= FEWEST_LETTERS {
        let first = vocabulary.partition_point(|word| word.as_str() < begun.as_str());
        let same_beginning = vocabulary[first..].iter().take_while(|word| word.starts_with(&begun));
        let mut known: Vec<&String> = same_beginning.filter(|word| word.len() > begun.len()).collect();
        known.sort_unstable_by_key(|word| (word.len(), word.as_str()));
        for word in known {
            if words.len() >= MOST {
                break;
            }
            if !words.contains(word) {
                words.push(word.clone());
            }
        }
    }
    words.truncate(MOST);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_grammar_come_before_those_of_the_vocabulary() {
        let vocabulary = ["left", "lo", "lobe", "lobes", "low", "lower"].map(String::from);
        assert_eq!(words("upper lo", "lo", &vocabulary), ["lower", "low", "lobe", "lobes"]);
        assert_eq!(words("upper l", "l", &vocabulary), ["left", "lower", "lung"], "one letter is no word");
        assert_eq!(words("upper left lung", "lung", &vocabulary), [""; 0]);
        assert!(words("Größ", "Größ", &vocabulary).is_empty());
    }
}
