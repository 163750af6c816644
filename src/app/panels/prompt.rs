//! The prompt at the bottom, and what the network reads of it.

use eframe::egui::{
    Align, CursorIcon, Frame, Id, Key, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextEdit,
    TextStyle, Ui,
};

use super::panel::{Around, Panel};
use super::widgets::{explain, milliseconds};
use super::{prompts, tokens};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;

const HINT: &str = "Say what to segment: Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";
const NO_TEXT: &str = "This network reads no prompt: the mask follows the image alone.";
const SIDES: &str = "“left” in a prompt is the left of the image";
const SIDES_WHY: &str = "The models were trained on sentences that name sides as they are seen on the picture, \
                         not as the patient has them.";
const LIMIT_WHY: &str = "The network reads this many word pieces, two of which mark the start and the end. What does \
                         not fit is struck through and has no effect.";

/// Opening that takes longer can be cancelled.
const CANCEL_AFTER: std::time::Duration = std::time::Duration::from_millis(500);
/// Rows of text that are seen without scrolling, at the least and where the panel is high.
const ROWS: (usize, usize) = (2, 8);
/// Height of what stands beneath the text, with two rows of word pieces, in points.
const BENEATH: f32 = 84.0;

/// The prompt and what the network reads of it.
pub struct Prompt;

const INFO: PaneInfo = PaneInfo {
    title: "Prompt",
    help: "The text that says what to segment, and what the network reads of it.",
    places: &[Place::new(Tab::Read, Column::Middle, 1), Place::new(Tab::Stages, Column::Middle, 1)],
    size: [600.0, 152.0],
    is_named: true,
    ..PaneInfo::new(Pane::new("prompt"))
};

impl Panel for Prompt {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }

    fn is_dragged(&self, ui: &Ui) -> bool {
        let label = ui.data(|data| data.get_temp::<Id>(label_key()));
        label.and_then(|id| ui.ctx().read_response(id)).is_some_and(|label| label.drag_started())
    }
}

/// Draws the prompt.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    about_picture(ui, state, commands);
    if state.model.as_ref().is_some_and(|model| !model.info.reads_text()) {
        ui.label(RichText::new(NO_TEXT).weak());
        return;
    }
    field(ui, state, commands);
    // What the field and the line beneath leave.
    let line = ui.text_style_height(&TextStyle::Small) + ui.spacing().item_spacing.y;
    let strip = (ui.available_height() - line).max(20.0);
    ScrollArea::vertical().id_salt("tokens").max_height(strip).min_scrolled_height(strip).auto_shrink(false).show(
        ui,
        |ui| match &state.shown {
            Some(shown) if state.model.is_some() => tokens::show(ui, &shown.prediction.tokens),
            _ => {
                ui.label(RichText::new("The words that the network reads appear here.").small().weak());
            }
        },
    );
    about_reading(ui, state);
}

/// One line beneath the picture: what it is and how large it is seen.
fn about_picture(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let label = ui.add(Label::new(RichText::new("Prompt").strong()).selectable(false).sense(Sense::drag()));
        ui.data_mut(|data| data.insert_temp(label_key(), label.id));
        prompts::buttons(ui, state, commands);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = match (state.jobs.image.pending(), &state.document.image) {
                (Some(awaited), _) => match awaited.progress() {
                    Some((done, count)) => {
                        format!("Opening {}: {done} of {count} slices…", awaited.what.name())
                    }
                    None => format!("Opening {}…", awaited.what.name()),
                },
                (None, Some(open)) => {
                    let (image, name) = (&open.image, &open.name);
                    // The stages have a zoom of their own.
                    let zoom = match state.tab {
                        Tab::Read => format!(" · zoom {:.0} %", 100.0 * state.view.zoom()),
                        _ => String::new(),
                    };
                    format!("{name} · {} × {} px{zoom}", image.width, image.height)
                }
                (None, None) => String::new(),
            };
            if state.jobs.image.pending().is_some_and(|awaited| awaited.since.elapsed() >= CANCEL_AFTER)
                && ui.small_button("Cancel").clicked()
            {
                commands.push(Command::CancelOpening);
            }
            ui.add(Label::new(RichText::new(text).small().weak()).truncate());
        });
        label.on_hover_cursor(CursorIcon::Grab);
    });
}

fn label_key() -> Id {
    Id::unique("prompt label")
}

fn field(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    // What is typed for one case is undone in that case.
    let id = Id::unique(("prompt field", &state.prompt_of));
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let edge = Stroke::new(1.0, if has_focus { palette.accent } else { palette.line });
    let frame =
        Frame::new().fill(palette.field).stroke(edge).corner_radius(4).inner_margin(Margin::symmetric(8, 4));
    let mut text = state.document.prompt.clone();
    let line = ui.text_style_height(&TextStyle::Body);
    let height = (ui.available_height() - BENEATH).clamp(line * ROWS.0 as f32, line * ROWS.1 as f32);
    let label = ui.data(|data| data.get_temp::<Id>(label_key()));
    frame.show(ui, |ui| {
        // Nothing of a sentence is greyed, also where it is longer than the field.
        ui.spacing_mut().scroll.fade.strength = 0.0;
        ScrollArea::vertical().id_salt("prompt").max_height(height).min_scrolled_height(height).show(ui, |ui| {
            let edit = TextEdit::multiline(&mut text)
                .id(id)
                .frame(Frame::NONE)
                .hint_text(HINT)
                .desired_rows(ROWS.0)
                .return_key(None)
                .desired_width(f32::INFINITY);
            let mut response = ui.add(edit);
            if let Some(label) = label {
                response = response.labelled_by(label);
            }
            if std::mem::take(&mut state.focus_prompt) {
                response.request_focus();
            }
            if response.changed() {
                // A sentence is one line, also where it was pasted from a report of several.
                commands.push(Command::SetPrompt(text.replace(['\r', '\n'], " ")));
            }
            if response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                response.surrender_focus();
            }
        });
    });
}

/// One line beneath the tokens: sides on the left, how much was read and how fast on the right.
fn about_reading(ui: &mut Ui, state: &State) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let of_patient =
            match state.document.image.as_ref().and_then(|open| open.volume.geometry.sides?.is_mirrored()) {
                Some(true) => ", the patient's right",
                Some(false) => ", the patient's left too",
                None => "",
            };
        ui.label(RichText::new(format!("{SIDES}{of_patient}")).small().weak());
        explain(ui, SIDES_WHY);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let Some(shown) = state.shown.as_ref().filter(|_| state.model.is_some()) else { return };
            let prediction = &shown.prediction;
            explain(ui, LIMIT_WHY);
            let mut parts = vec![tokens::summary(&prediction.tokens), milliseconds(prediction.milliseconds.total)];
            if state.document.prompt.trim().is_empty() && prediction.prompt.trim().is_empty() {
                parts.insert(0, "The prompt is empty: the mask follows the image alone".into());
            } else if state.is_dimmed() {
                parts.insert(0, "The mask belongs to an earlier prompt".into());
            }
            ui.add(Label::new(RichText::new(parts.join(" · ")).small().weak()).truncate());
        });
    });
}
