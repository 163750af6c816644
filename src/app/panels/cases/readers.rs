//! The panel about the agreement of two readers.

use eframe::egui::{Button, ComboBox, Grid, Label, RichText, ScrollArea, TextWrapMode, Ui};

use crate::analysis::agreement::{Agreement, Mean};
use crate::app::cases::{CasesCommand, Column, ReadersCommand};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column as Side, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{explain, row, section, working_bar};
use crate::app::state::State;
use crate::app::tab::Tab;

const KAPPA: &str =
    "Cohen's kappa over all pixels: agreement beyond chance. It depends on how much of an image is background.";
const HD95: &str =
    "95 % Hausdorff distance, in mm where the masks have a pixel spacing, otherwise in pixels; in 3D for a stack.";
const DIFFERENCES: &str =
    "A click opens the case and shows both masks: what both have, and what only one of them has.";

/// The width of the scores of a case with the space between them, and the minimum width of its name, in points.
const SCORES: f32 = 184.0;
const NAME: f32 = 60.0;

/// The scores of two readers by case and in total.
pub struct ReadersPanel;

const INFO: PaneInfo = PaneInfo {
    title: "Readers",
    help: "How far the accepted masks of two readers agree, by case and in total.",
    places: &[Place::new(Tab::Read, Side::Right, 1).closed(), Place::new(Tab::Annotate, Side::Right, 1).closed()],
    size: [300.0, 320.0],
    ..PaneInfo::new(Pane::READERS)
};

impl Panel for ReadersPanel {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let has_list = state.worklist.is_some();
        (!has_list).then_some("Open a folder in which two readers have accepted masks.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let mut send = |command| commands.push(Command::Cases(CasesCommand::Readers(command)));
        choice(ui, state, &mut send);
        running(ui, state, &mut send);
        shown(ui, state, &mut send);
        let Some(found) = state.agreement() else { return };
        totals(ui, found);
        let is_saved = ui.button("Save table…").clicked();
        table(ui, state, found, &mut send);
        if is_saved {
            commands.push(Command::OpenDialog(DialogKind::SaveAgreement));
        }
    }
}

fn choice(ui: &mut Ui, state: &State, send: &mut impl FnMut(ReadersCommand)) {
    let known = state.worklist.as_ref().map_or(&[][..], |list| list.states.readers());
    let chosen = state.compared_readers();
    for (place, words) in ["Reference", "Compared"].into_iter().enumerate() {
        ui.horizontal(|ui| {
            let name = ui.label(RichText::new(words).weak());
            let now = chosen.as_ref().map_or("–", |names| names[place].as_str());
            let combo = ComboBox::from_id_salt(("reader", place)).selected_text(now);
            let shown = combo.show_ui(ui, |ui| {
                for reader in known {
                    if ui.selectable_label(now == reader, reader).clicked() {
                        send(ReadersCommand::Choose(place, reader.clone()));
                    }
                }
            });
            shown.response.labelled_by(name.id);
        });
    }
    let start = ui.add_enabled(chosen.is_ok(), Button::new("Compare readers"));
    if start.clicked() {
        send(ReadersCommand::Compare);
    }
    if let Err(reason) = chosen {
        ui.add(Label::new(RichText::new(reason).small().weak()).wrap());
    }
}

fn running(ui: &mut Ui, state: &State, send: &mut impl FnMut(ReadersCommand)) {
    let Some(work) = state.cases.readers.comparing.pending() else { return };
    let is_cancelled = working_bar(ui, work, |progress| match progress {
        Some([done, count]) => format!("{done} of {count} cases"),
        None => "Beginning…".to_owned(),
    });
    if is_cancelled {
        send(ReadersCommand::Cancel);
    }
}

/// Says whose masks the picture shows.
fn shown(ui: &mut Ui, state: &State, send: &mut impl FnMut(ReadersCommand)) {
    let Some([first, second]) = state.shown_readers() else { return };
    let words = format!("The picture shows the mask of {second} against that of {first}.");
    ui.add(Label::new(words).wrap());
    if ui.button("Show the network's mask again").clicked() {
        send(ReadersCommand::EndDifference);
    }
}

fn totals(ui: &mut Ui, found: &Agreement) {
    let cases = match found.cases.len() {
        1 => "1 case".to_owned(),
        count => format!("{count} cases"),
    };
    section(ui, "Agreement", &cases);
    let (pooled, dice) = (found.pooled(), found.dice());
    if found.cases.is_empty() {
        ui.label(RichText::new("They have no case in common.").weak());
        return;
    }
    let mean = |Mean { spread, undefined }: Mean, digits: usize, unit: &str| {
        let rest = if undefined > 0 { format!(" ({undefined} undefined)") } else { String::new() };
        match spread.mean.is_nan() {
            true => "–".to_owned(),
            false => format!("{:.digits$} ± {:.digits$}{unit}{rest}", spread.mean, spread.std),
        }
    };
    row(ui, "Dice, per image", format!("{:.3} ± {:.3}", dice.mean, dice.std));
    row(ui, "Dice, pooled", format!("{:.3}", pooled.dice()));
    row(ui, "Kappa, per image", mean(found.kappa(), 3, "")).on_hover_text(KAPPA);
    let kappa = pooled.kappa().map_or("–".to_owned(), |kappa| format!("{kappa:.3}"));
    row(ui, "Kappa, pooled", kappa).on_hover_text(KAPPA);
    let distance = match found.hd95() {
        Some((distance, unit)) => mean(distance, 2, &format!(" {unit}")),
        None => "– (mm and px)".to_owned(),
    };
    row(ui, "HD95, per image", distance).on_hover_text(HD95);
    for (names, reader) in found.alone.iter().zip(&found.readers) {
        if !names.is_empty() {
            let words = format!("Only {reader}");
            row(ui, &words, names.len().to_string()).on_hover_text(names.join("\n"));
        }
    }
}

fn table(ui: &mut Ui, state: &State, found: &Agreement, send: &mut impl FnMut(ReadersCommand)) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("By case").weak());
        explain(ui, DIFFERENCES);
    });
    // The scores have their width, and the names what is left of it.
    let names = (ui.available_width() - SCORES).max(NAME);
    ScrollArea::horizontal().id_salt("agreement").show(ui, |ui| {
        Grid::new("agreement").striped(true).spacing([10.0, 3.0]).show(ui, |ui| {
            let columns =
                [(Column::Case, "Case"), (Column::Dice, "Dice"), (Column::Kappa, "Kappa"), (Column::Hd95, "HD95")];
            for (column, name) in columns {
                let is_on = state.cases.readers.sorted.0 == column;
                let head = ui.selectable_label(is_on, RichText::new(name).small());
                if head.on_hover_text("Sorts by this column; again, in the other order.").clicked() {
                    send(ReadersCommand::Sort(column));
                }
            }
            ui.end_row();
            for place in state.agreement_order(found) {
                let case = &found.cases[place];
                let name = ui.scope(|ui| {
                    ui.set_max_width(names);
                    ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
                    ui.link(&case.case)
                });
                if name.inner.on_hover_text(format!("{}\n{DIFFERENCES}", case.case)).clicked() {
                    send(ReadersCommand::Show(place));
                }
                ui.label(format!("{:.3}", case.counts.dice()));
                ui.label(case.counts.kappa().map_or("–".to_owned(), |kappa| format!("{kappa:.3}")));
                ui.label(case.hd95.map_or("–".to_owned(), |distance| format!("{distance:.1} {}", case.unit)));
                ui.end_row();
            }
        });
    });
}
