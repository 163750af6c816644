//! The prompt at the bottom, and the words that the network reads of it.

use eframe::egui::{
    Align, CursorIcon, Frame, Id, Key, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextEdit,
    TextStyle, Ui,
};

use super::panel::{Around, Panel};
use super::widgets::{explain, grouped, milliseconds};
use super::{area, completion, offer, prompts, words};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::BOX_ONLY;
use crate::app::theme;

const HINT: &str = "Describe what to segment: Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";
const NO_TEXT: &str = "This network reads no prompt: the mask follows the image alone.";
const OF_OTHERS: &str = "The open network reads no prompt. Compared networks that read one are given this:";
const BESIDE_BOX: &str = "Compared networks that read a prompt are given this:";
const SIDES: &str = "“left” means the left of the image";
const SIDES_WHY: &str =
    "The models were trained on prompts that name the sides of the image as it is seen, not the patient's sides.";
const LIMIT_WHY: &str = "The network reads at most this many tokens, two of which mark the start and the end. Words that do \
                         not fit are struck through and have no effect.";

/// Opening an image can be cancelled once it has taken this long.
const CANCEL_AFTER: std::time::Duration = std::time::Duration::from_millis(500);
/// The minimum and maximum number of text rows that are visible without scrolling.
const ROWS: (usize, usize) = (2, 12);
/// The minimum and the preferred height of the token strip, in points.
const STRIP: (f32, f32) = (22.0, 48.0);
/// The height of a line below the token strip, in points. It holds only small text, so it is lower than a control.
const LINE: f32 = 16.0;
/// The minimum width for showing the image name beside the buttons, in points.
const NAME: f32 = 90.0;

/// The prompt and the words that the network reads of it.
pub struct Prompt;

const INFO: PaneInfo = PaneInfo {
    title: "Prompt",
    help: "The text that says what to segment, and what the network reads of it.",
    places: &[
        Place::new(Tab::Read, Column::Middle, 1),
        Place::new(Tab::Annotate, Column::Middle, 1),
        Place::new(Tab::Prompts, Column::Middle, 1),
        Place::new(Tab::Compare, Column::Middle, 1),
        Place::new(Tab::Stages, Column::Middle, 1),
    ],
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

/// The key under which the panel stores the id of its title, by which it is dragged.
fn label_key() -> Id {
    Id::unique("prompt label")
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let height = ui.available_height();
    // In a panel that is too low for its content, nothing is cut off: the panel scrolls.
    ScrollArea::vertical().id_salt("prompt panel").auto_shrink(false).show(ui, |ui| {
        let top = ui.cursor().top();
        let left = |ui: &Ui| height - (ui.cursor().top() - top);
        let name = about_picture(ui, state, commands);
        let takes_box = area::bar(ui, state, commands);
        if state.tab == Tab::Compare && state.reads_no_text() {
            let words = if takes_box { BESIDE_BOX } else { OF_OTHERS };
            ui.add(Label::new(RichText::new(words).weak()).wrap());
            field(ui, state, left(ui) - ui.spacing().item_spacing.y, Some(name), commands);
            return;
        }
        if takes_box || says_no_text(ui, state) {
            return;
        }
        let foot = Foot::of(ui, state);
        let offered = offer::of(ui, state);
        let offer_height = if offered.is_some() { offer::HEIGHT } else { 0.0 };
        let field_height = left(ui) - foot.height(ui) - STRIP.1 - 16.0 - offer_height;
        field(ui, state, field_height, Some(name), commands);
        if let Some(offered) = offered {
            offer::show(ui, state, &offered, commands);
        }
        let gap = ui.spacing().item_spacing.y;
        strip(ui, state, (left(ui) - foot.height(ui) - gap).max(STRIP.0));
        foot.show(ui);
    });
}

/// Tells the user if the open network does not use a prompt. Returns whether this is the case.
pub fn says_no_text(ui: &mut Ui, state: &State) -> bool {
    let is_so = state.reads_no_text();
    if is_so {
        let words = if state.takes_box() { BOX_ONLY } else { NO_TEXT };
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
    is_so
}

/// Draws the words that the network reads.
fn strip(ui: &mut Ui, state: &State, height: f32) {
    let area = ScrollArea::vertical().id_salt("tokens").max_height(height).min_scrolled_height(height);
    area.auto_shrink(false).show(ui, |ui| words::show(ui, state));
}

/// Draws the title of the panel, its buttons and the image description. Returns the id of the title, by which the
/// panel is dragged.
fn about_picture(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) -> Id {
    ui.horizontal_wrapped(|ui| {
        // The title and the buttons fit into the narrowest column.
        ui.spacing_mut().item_spacing.x = 6.0;
        let name = ui.add(Label::new(RichText::new("Prompt").strong()).selectable(false).sense(Sense::drag()));
        let name = name.on_hover_cursor(CursorIcon::Grab).id;
        ui.data_mut(|data| data.insert_temp(label_key(), name));
        prompts::buttons(ui, state, commands);
        let can_cancel = state.jobs.image.pending().is_some_and(|awaited| awaited.since.elapsed() >= CANCEL_AFTER);
        if ui.available_size_before_wrap().x < NAME {
            if can_cancel && ui.small_button("Cancel").clicked() {
                commands.push(Command::CancelOpening);
            }
            return name;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if can_cancel && ui.small_button("Cancel").clicked() {
                commands.push(Command::CancelOpening);
            }
            ui.add(Label::new(RichText::new(picture_in_words(state)).small().weak()).truncate());
        });
        name
    })
    .inner
}

/// Describes the image by its name, its size and its zoom, or the image that is being opened.
fn picture_in_words(state: &State) -> String {
    match (state.jobs.image.pending(), &state.document.image) {
        (Some(awaited), _) => match awaited.progress() {
            Some((done, count)) => {
                let [done, count] = [done, count].map(|slices| grouped(slices as u64));
                format!("Opening {}: {done} of {count} slices…", awaited.what.name())
            }
            None => format!("Opening {}…", awaited.what.name()),
        },
        (None, Some(open)) => {
            let [width, height] = [open.image.width, open.image.height].map(|side| grouped(side as u64));
            // The stages have their own zoom.
            let zoom = match state.tab {
                Tab::Read => format!(" · zoom {} %", grouped((100.0 * state.view.zoom()).round() as u64)),
                _ => String::new(),
            };
            format!("{} · {width} × {height} px{zoom}", open.name)
        }
        (None, None) => String::new(),
    }
}

/// Draws the text field of the prompt, `height` points high including its frame. `name` is the id of its label;
/// `None` if there is no label.
pub fn field(ui: &mut Ui, state: &mut State, height: f32, name: Option<Id>, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    // Each case has its own text field id, so that undo does not cross cases.
    let id = Id::unique(("prompt field", &state.prompt_of));
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let edge = Stroke::new(1.0, if has_focus { palette.accent } else { palette.line });
    let frame =
        Frame::new().fill(palette.field).stroke(edge).corner_radius(4).inner_margin(Margin::symmetric(8, 4));
    let mut text = state.document.prompt.clone();
    let words: &[String] = state.model.as_ref().map_or(&[], |model| &model.words);
    let line = ui.text_style_height(&TextStyle::Body);
    let rows = ((height / line).floor().max(0.0) as usize).clamp(ROWS.0, ROWS.1);
    let height = line * rows as f32;
    frame.show(ui, |ui| {
        // No part of the prompt is faded, even if it is longer than the field.
        ui.spacing_mut().scroll.fade.strength = 0.0;
        ScrollArea::vertical().id_salt("prompt").max_height(height).min_scrolled_height(height).show(ui, |ui| {
            let edit = TextEdit::multiline(&mut text)
                .frame(Frame::NONE)
                .hint_text(HINT)
                .desired_rows(rows)
                .return_key(None)
                .desired_width(f32::INFINITY);
            let mut response = completion::field(ui, id, edit, &state.document.prompt, words);
            if let Some(name) = name {
                response = response.labelled_by(name);
            }
            if std::mem::take(&mut state.focus_prompt) {
                response.request_focus();
            }
            if response.changed() {
                // A prompt is a single line, even if it was pasted from several lines of a report.
                commands.push(Command::TypePrompt(text.replace(['\r', '\n'], " ")));
            }
            if response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                response.surrender_focus();
            }
            if response.lost_focus() {
                commands.push(Command::EndTyping);
            }
        });
    });
}

/// The footer of the panel: sides at the left, token count and timing at the right, or below in a narrow panel.
struct Foot {
    sides: String,
    reading: Option<String>,
    is_narrow: bool,
}

impl Foot {
    fn of(ui: &Ui, state: &State) -> Self {
        let image = state.document.image.as_ref();
        let of_patient = match image.and_then(|open| open.volume.geometry.sides?.is_mirrored()) {
            Some(true) => " (the patient's right)",
            Some(false) => " (also the patient's left)",
            None => ", not the patient's left",
        };
        let sides = format!("{SIDES}{of_patient}");
        let reading = state.shown.as_ref().filter(|_| state.model.is_some()).map(|shown| {
            let prediction = &shown.prediction;
            let mut parts = vec![words::summary(&prediction.tokens), milliseconds(prediction.milliseconds.total)];
            if state.document.prompt.trim().is_empty() && prediction.prompt.trim().is_empty() {
                parts.insert(0, "The prompt is empty: the mask follows the image alone".into());
            } else if state.is_dimmed() {
                parts.insert(0, "The mask belongs to an earlier prompt".into());
            }
            parts.join(" · ")
        });
        let font = TextStyle::Small.resolve(ui.style());
        let width =
            |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), theme::OVER_PICTURE).size().x;
        let both = width(&sides) + reading.as_deref().map_or(0.0, width) + 64.0;
        Self { is_narrow: both > ui.available_width(), sides, reading }
    }

    fn height(&self, ui: &Ui) -> f32 {
        let line = LINE.max(ui.text_style_height(&TextStyle::Small)) + ui.spacing().item_spacing.y;
        if self.is_narrow && self.reading.is_some() { 2.0 * line } else { line }
    }

    fn show(&self, ui: &mut Ui) {
        let sides = |ui: &mut Ui| {
            explain(ui, SIDES_WHY);
            ui.add(Label::new(RichText::new(&self.sides).small().weak()).truncate());
        };
        let reading = |ui: &mut Ui| {
            let Some(reading) = &self.reading else { return };
            explain(ui, LIMIT_WHY);
            ui.add(Label::new(RichText::new(reading).small().weak()).truncate());
        };
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.spacing_mut().interact_size.y = LINE;
        if self.is_narrow {
            ui.horizontal(sides);
            ui.horizontal(reading);
            return;
        }
        ui.horizontal(|ui| {
            ui.label(RichText::new(&self.sides).small().weak());
            explain(ui, SIDES_WHY);
            ui.with_layout(Layout::right_to_left(Align::Center), reading);
        });
    }
}
