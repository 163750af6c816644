//! The prompt at the bottom, and what the network reads of it.

use eframe::egui::{
    Align, CursorIcon, Frame, Id, Key, Label, Layout, Margin, RichText, ScrollArea, Sense, Stroke, TextEdit,
    TextStyle, Ui,
};

use super::panel::{Around, Panel};
use super::widgets::{explain, grouped, milliseconds};
use super::{prompts, tokens};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;

const HINT: &str = "Describe what to segment: Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";
const NO_TEXT: &str = "This network reads no prompt: the mask follows the image alone.";
const SIDES: &str = "“left” means the left of the image";
const SIDES_WHY: &str =
    "The models were trained on prompts that name the sides of the image as it is seen, not the patient's sides.";
const LIMIT_WHY: &str = "The network reads at most this many tokens, two of which mark the start and the end. Words that do \
                         not fit are struck through and have no effect.";

/// Opening that takes longer can be cancelled.
const CANCEL_AFTER: std::time::Duration = std::time::Duration::from_millis(500);
/// Rows of text that are seen without scrolling, at the least and where the panel is high.
const ROWS: (usize, usize) = (2, 12);
/// Least height of the strip of tokens, and its height where the panel has room for it, in points.
const STRIP: (f32, f32) = (22.0, 48.0);
/// Width from which on there is room for the name of the picture beside the buttons, in points.
const NAME: f32 = 90.0;

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

/// Where the name of the panel, by which it is dragged, leaves its id.
fn label_key() -> Id {
    Id::unique("prompt label")
}

/// Draws the prompt.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let height = ui.available_height();
    // In a panel that is too low for all of it, nothing is cut off: the panel scrolls.
    ScrollArea::vertical().id_salt("prompt panel").auto_shrink(false).show(ui, |ui| {
        let top = ui.cursor().top();
        let left = |ui: &Ui| height - (ui.cursor().top() - top);
        let name = about_picture(ui, state, commands);
        if says_no_text(ui, state) {
            return;
        }
        let foot = Foot::of(ui, state);
        let field_height = left(ui) - foot.height(ui) - STRIP.1 - 16.0;
        field(ui, state, field_height, Some(name), commands);
        strip(ui, state, (left(ui) - foot.height(ui)).max(STRIP.0));
        foot.show(ui);
    });
}

/// Says that the open network reads no prompt, where that is so.
pub fn says_no_text(ui: &mut Ui, state: &State) -> bool {
    let is_so = state.model.as_ref().is_some_and(|model| !model.info.reads_text());
    if is_so {
        ui.add(Label::new(RichText::new(NO_TEXT).weak()).wrap());
    }
    is_so
}

/// What the network reads of the prompt.
fn strip(ui: &mut Ui, state: &State, height: f32) {
    let area = ScrollArea::vertical().id_salt("tokens").max_height(height).min_scrolled_height(height);
    area.auto_shrink(false).show(ui, |ui| match &state.shown {
        Some(shown) if state.model.is_some() => tokens::show(ui, &shown.prediction.tokens),
        _ => {
            ui.label(RichText::new("The tokens that the network reads appear here.").small().weak());
        }
    });
}

/// The name of the panel, its buttons, and what the picture is. Returns the id of the name, by which the panel is dragged.
fn about_picture(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) -> Id {
    ui.horizontal_wrapped(|ui| {
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

/// The picture: its name, its size and how large it is seen; or what is on its way.
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
            // The stages have a zoom of their own.
            let zoom = match state.tab {
                Tab::Read => format!(" · zoom {} %", grouped((100.0 * state.view.zoom()).round() as u64)),
                _ => String::new(),
            };
            format!("{} · {width} × {height} px{zoom}", open.name)
        }
        (None, None) => String::new(),
    }
}

/// The field for the prompt, `height` points high with its frame. `name` is the label beside it; `None` where there is none.
pub fn field(ui: &mut Ui, state: &mut State, height: f32, name: Option<Id>, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    // What is typed for one case is undone in that case.
    let id = Id::unique(("prompt field", &state.prompt_of));
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let edge = Stroke::new(1.0, if has_focus { palette.accent } else { palette.line });
    let frame =
        Frame::new().fill(palette.field).stroke(edge).corner_radius(4).inner_margin(Margin::symmetric(8, 4));
    let mut text = state.document.prompt.clone();
    let line = ui.text_style_height(&TextStyle::Body);
    let rows = ((height / line).floor().max(0.0) as usize).clamp(ROWS.0, ROWS.1);
    let height = line * rows as f32;
    frame.show(ui, |ui| {
        // Nothing of a prompt is greyed, also where it is longer than the field.
        ui.spacing_mut().scroll.fade.strength = 0.0;
        ScrollArea::vertical().id_salt("prompt").max_height(height).min_scrolled_height(height).show(ui, |ui| {
            let edit = TextEdit::multiline(&mut text)
                .id(id)
                .frame(Frame::NONE)
                .hint_text(HINT)
                .desired_rows(rows)
                .return_key(None)
                .desired_width(f32::INFINITY);
            let mut response = ui.add(edit);
            if let Some(name) = name {
                response = response.labelled_by(name);
            }
            if std::mem::take(&mut state.focus_prompt) {
                response.request_focus();
            }
            if response.changed() {
                // A prompt is one line, also where it was pasted from a report of several.
                commands.push(Command::SetPrompt(text.replace(['\r', '\n'], " ")));
            }
            if response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                response.surrender_focus();
            }
        });
    });
}

/// The foot of the panel: sides on the left, how much was read and how fast on the right, or beneath where the panel is narrow.
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
            None => ", not the patient's sides",
        };
        let sides = format!("{SIDES}{of_patient}");
        let reading = state.shown.as_ref().filter(|_| state.model.is_some()).map(|shown| {
            let prediction = &shown.prediction;
            let mut parts = vec![tokens::summary(&prediction.tokens), milliseconds(prediction.milliseconds.total)];
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
        let line = ui.spacing().interact_size.y + ui.spacing().item_spacing.y;
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
