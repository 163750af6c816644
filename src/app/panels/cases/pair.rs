//! The panel that saves the open case as a pair for training.

use eframe::egui::{Align, Button, ComboBox, Label, Layout, RichText, TextEdit, Ui};

use crate::app::cases::{CasesCommand, PairCommand};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{explain, row};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;

/// The splits that are offered.
const SPLITS: [&str; 3] = ["train", "val", "test"];
const HELP: &str = "The image is saved as the network receives it, with its mask and a row with its sentence, in the layout of the \
                    authors of HiMix (train/Images, train/GTs, prompt/train.csv) or in the layout that the folder has.";
const AUTOMATIC: &str = "One pair in five goes to val, and all images of a subject (sub-…) to one split.";

/// The form of a pair.
pub struct TrainingPair;

const INFO: PaneInfo = PaneInfo {
    title: "Training pair",
    help: "Saves image, mask and sentence to a data set for training.",
    places: &[Place::new(Tab::Annotate, Column::Right, 1), Place::new(Tab::Read, Column::Right, 1).closed()],
    ..PaneInfo::new(Pane::TRAINING_PAIR)
};

impl Panel for TrainingPair {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.document.image.is_none().then_some("There is nothing to save. Open an image.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let mut send = |command| commands.push(Command::Cases(CasesCommand::Pair(command)));
        let mask = state.pair_source();
        let words = mask.clone().unwrap_or_else(str::to_owned);
        row(ui, "Mask", words.as_str()).on_hover_text(words);
        sentence(ui, state, mask.is_ok(), &mut send);
        let asks = target(ui, state, &mut send);
        let refusal = state.cannot_save_pair();
        ui.horizontal_wrapped(|ui| {
            let save = ui.add_enabled(refusal.is_none(), Button::new("Save as training pair"));
            if save.on_disabled_hover_text(refusal.unwrap_or_default()).clicked() {
                send(PairCommand::Save);
            }
            explain(ui, HELP);
        });
        if let Some(reason) = refusal.filter(|_| mask.is_ok()) {
            ui.add(Label::new(RichText::new(reason).small().weak()).wrap());
        }
        saved(ui, state, &mut send);
        if asks {
            commands.push(Command::OpenDialog(DialogKind::PairsFolder));
        }
    }
}

fn sentence(ui: &mut Ui, state: &State, has_mask: bool, send: &mut impl FnMut(PairCommand)) {
    ui.horizontal(|ui| {
        let name = ui.label(RichText::new("Sentence").weak());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_idle = state.cases.pair.describing.pending().is_none();
            let describe = ui.add_enabled(has_mask && is_idle, Button::new("Describe the mask").small());
            let words = "A rule proposes a sentence for the mask. It is not a reading of the image.";
            if describe.on_hover_text(words).clicked() {
                send(PairCommand::Describe);
            }
        });
        name
    });
    let mut text = state.pair_sentence().to_owned();
    let field = TextEdit::multiline(&mut text).desired_rows(2).desired_width(f32::INFINITY).return_key(None);
    let response = ui.add(field);
    response.widget_info(|| {
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::MultilineTextInput, true, "Sentence of the pair")
    });
    if response.changed() {
        send(PairCommand::Sentence(text.replace(['\r', '\n'], " ")));
    }
}

/// Draws folder and split. Returns whether the folder is to be chosen in a dialog.
fn target(ui: &mut Ui, state: &State, send: &mut impl FnMut(PairCommand)) -> bool {
    let mut asks = false;
    let folder = state.settings.pairs_folder.as_ref();
    ui.horizontal(|ui| {
        let name = ui.label(RichText::new("Folder").weak());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            asks = ui.button("Choose…").clicked();
            let mut text = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
            let field =
                TextEdit::singleline(&mut text).hint_text("empty, or a data set").desired_width(f32::INFINITY);
            if ui.add(field).labelled_by(name.id).changed() {
                send(PairCommand::Folder(text));
            }
        });
    });
    ui.horizontal(|ui| {
        let name = ui.label(RichText::new("Split").weak());
        let chosen = state.settings.pairs_split.as_deref();
        let combo = ComboBox::from_id_salt("split of the pair").selected_text(chosen.unwrap_or("automatic"));
        let shown = combo.show_ui(ui, |ui| {
            for split in std::iter::once(None).chain(SPLITS.map(Some)) {
                if ui.selectable_label(chosen == split, split.unwrap_or("automatic")).clicked() {
                    send(PairCommand::Split(split.map(str::to_owned)));
                }
            }
        });
        shown.response.labelled_by(name.id);
        explain(ui, AUTOMATIC);
    });
    asks
}

/// Says what was saved last, and offers to train with it.
fn saved(ui: &mut Ui, state: &State, send: &mut impl FnMut(PairCommand)) {
    let Some((of, saved)) = &state.cases.pair.saved else { return };
    let words = match saved.count {
        1 => format!("1 pair in split {}", saved.split),
        count => format!("{count} pairs in split {}", saved.split),
    };
    row(ui, "Data set", words).on_hover_text(saved.root.display().to_string());
    if Some(*of) == state.pair_of() {
        let name = file_name(&saved.image);
        let words = if saved.is_replaced { "Mask replaced" } else { "Saved as" };
        row(ui, words, name).on_hover_text(saved.image.display().to_string());
    }
    let words = "Adds the data set to the next training run. A run needs a pair in train and one in val.";
    if ui.button("Train with it").on_hover_text(words).clicked() {
        send(PairCommand::Train);
    }
}
