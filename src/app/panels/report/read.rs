//! A report, and the prompt that it condenses to.

use std::sync::Arc;

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{
    Checkbox, FontSelection, Galley, Label, RichText, ScrollArea, Stroke, TextBuffer, TextEdit, Ui,
};

use super::{form, phrases};
use crate::app::builder::Whose;
use crate::app::command::Command;
use crate::app::panels::builder::chips::{chip, line};
use crate::app::panels::widgets::{explain, grouped, heading};
use crate::app::report::{Kind, LONGEST, Mark, Read, ReportCommand};
use crate::app::state::State;
use crate::app::theme::{self, Palette};
use crate::text::prompt::Prompt;
use crate::text::prompt::report::Left;

const HINT: &str = "Paste or type a report: Patchy opacities in the right lower lobe. No pleural effusion.";
const WHOSE_WHY: &str = "Prompts name the sides of the image. Reports usually name those of the patient: the patient's left is \
                         the right of an X-ray in the usual display.";
const POSSIBLE_WHY: &str = "Takes what the report calls possible, probable or not excluded into the prompt.";
const FOREIGN: &str = "Not understood: the report seems to be in another language. Reports are read in English.";
const NOTHING: &str = "The report asserts no finding that a prompt can name.";
const WORKING: &str = "The report is being read…";
/// The height of the field for the report, in lines.
const LINES: usize = 6;

/// Draws the report and what it says.
pub fn show(ui: &mut Ui, state: &State, whose: Whose, commands: &mut Vec<Command>) {
    heading(ui, "Report to prompt", "");
    field(ui, state, commands);
    let report = &state.report;
    if report.text.chars().nth(LONGEST - 1).is_some() {
        let words = format!("Only the first {} characters are read.", grouped(LONGEST as u64));
        ui.add(Label::new(RichText::new(words).color(theme::palette(ui.visuals()).warning)).wrap());
    }
    line(ui, "Left is", |ui| {
        for (left, name) in [(Left::Image, "the image's"), (Left::Patient, "the patient's")] {
            if chip(ui, report.left == left, name, &format!("Left is {name}")).clicked() {
                commands.push(Command::Report(ReportCommand::Left(left)));
            }
        }
        explain(ui, WHOSE_WHY);
    });
    if report.left == Left::Patient {
        let words = match (whose.is_known(), whose.of_report(Left::Patient)) {
            (false, _) => {
                "The file names no sides: the usual display is assumed, with the patient's right at the left."
            }
            (true, Left::Patient) => "The sides are exchanged: the patient's right is at the left of this image.",
            (true, Left::Image) => "The sides stay: the patient's left is at the left of this image.",
        };
        ui.add(Label::new(RichText::new(words).small().weak()).wrap());
    }
    let mut with_possible = report.with_possible;
    if ui.add(Checkbox::new(&mut with_possible, "With what is possible")).on_hover_text(POSSIBLE_WHY).changed() {
        commands.push(Command::Report(ReportCommand::WithPossible(with_possible)));
    }
    if report.text.trim().is_empty() {
        return;
    }
    match &report.read {
        Some(read) => said(ui, state, read, commands),
        None => drop(ui.label(RichText::new(WORKING).weak())),
    }
}

/// Draws what the report says.
fn said(ui: &mut Ui, state: &State, read: &Read, commands: &mut Vec<Command>) {
    let distilled = &read.distilled;
    match &distilled.prompt {
        Some(prompt) => form(ui, state, &prompt.to_string(), commands),
        None => {
            let words = if distilled.is_foreign { FOREIGN } else { NOTHING };
            let colour = theme::palette(ui.visuals()).warning;
            ui.add(Label::new(RichText::new(words).color(colour)).wrap());
        }
    }
    if distilled.prompt.as_ref().is_some_and(Prompt::is_negative) {
        let words = "It says that nothing is there; a mask for it has no meaning.";
        ui.add(Label::new(RichText::new(words).small().weak()).wrap());
    }
    phrases::show(ui, &read.rows);
}

/// Draws the field for the report. Its phrases are marked by how they were understood.
fn field(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let report = &state.report;
    let palette = theme::palette(ui.visuals());
    let mut text = report.text.clone();
    // While the report is read again, the marks of what comes before the edit hold.
    let same = report.read.as_ref().map_or(0, |read| same_beginning(&read.of.text, &report.text));
    let marks = report.read.as_ref().map_or(&[][..], |read| before(&read.marks, same));
    let mut layouter = |ui: &Ui, text: &dyn TextBuffer, width: f32| -> Arc<Galley> {
        let plain = TextFormat {
            font_id: FontSelection::Default.resolve(ui.style()),
            color: palette.text,
            ..TextFormat::default()
        };
        let mut job = marked(text.as_str(), marks, &plain, palette);
        job.wrap.max_width = width;
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    // The margins of the field stand beside its lines.
    let height = ui.text_style_height(&eframe::egui::TextStyle::Body) * LINES as f32 + 12.0;
    ScrollArea::vertical().id_salt("report").max_height(height).show(ui, |ui| {
        let edit = TextEdit::multiline(&mut text)
            .id_salt("report text")
            .hint_text(HINT)
            .char_limit(LONGEST)
            .desired_rows(LINES)
            .desired_width(f32::INFINITY)
            .layouter(&mut layouter);
        let response = ui.add(edit);
        name(&response);
        if response.changed() {
            commands.push(Command::Report(ReportCommand::SetText(text)));
        }
    });
}

/// Gives the field its name where it cannot be seen.
fn name(response: &eframe::egui::Response) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label("Report text"));
}

/// Returns how many bytes two texts have in common at their beginning.
fn same_beginning(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

/// Returns the marks that end within the first `end` bytes.
fn before(marks: &[Mark], end: usize) -> &[Mark] {
    &marks[..marks.partition_point(|mark| mark.bytes.end <= end)]
}

/// Lays out a text with its marks: what was taken is underlined, what was left out is struck through, and what was not
/// understood has the colour of warnings.
fn marked(text: &str, marks: &[Mark], plain: &TextFormat, palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut done = 0;
    for mark in marks {
        let (Some(between), Some(phrase)) = (text.get(done..mark.bytes.start), text.get(mark.bytes.clone()))
        else {
            continue;
        };
        job.append(between, 0.0, plain.clone());
        job.append(phrase, 0.0, format(mark.kind, plain, palette));
        done = mark.bytes.end;
    }
    job.append(text.get(done..).unwrap_or_default(), 0.0, plain.clone());
    job
}

fn format(kind: Kind, plain: &TextFormat, palette: &Palette) -> TextFormat {
    let line = |colour| Stroke::new(1.0, colour);
    match kind {
        Kind::Taken => TextFormat { color: palette.accent, underline: line(palette.accent), ..plain.clone() },
        Kind::Possible => {
            TextFormat { color: palette.accent, underline: line(palette.accent), italics: true, ..plain.clone() }
        }
        Kind::LeftOut => TextFormat { color: palette.weak, strikethrough: line(palette.weak), ..plain.clone() },
        Kind::NotUnderstood => TextFormat { color: palette.warning, ..plain.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_laid_out_whole_whatever_its_marks_are() {
        let text = "léft lung \u{1F600} الرئة";
        let mark = |bytes| Mark { bytes, kind: Kind::Taken };
        let palette = theme::palette(&eframe::egui::Visuals::dark());
        let laid = |marks: &[Mark]| marked(text, marks, &TextFormat::default(), palette).text;
        assert_eq!(laid(&[]), text);
        assert_eq!(laid(&[mark(0..5), mark(6..10)]), text);
        assert_eq!(laid(&[mark(0..2), mark(5..900)]), text, "a mark that cuts a letter is left out");
        assert_eq!(before(&[mark(0..2), mark(3..5)], 4).len(), 1);
        assert_eq!(same_beginning("left", "leer"), 2);
    }
}
