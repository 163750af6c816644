//! The prompt written out as a report.

use eframe::egui::{Label, RichText, Ui};

use super::form;
use crate::app::command::Command;
use crate::app::panels::builder::chips::{chip, line};
use crate::app::panels::widgets::heading;
use crate::app::report::ReportCommand;
use crate::app::state::State;
use crate::app::text::capitalised;
use crate::app::theme;
use crate::text::prompt::report::Style;

/// From this width on, both forms stand side by side, in points.
const WIDE: f32 = 560.0;

/// Draws the styles, and the prompt in both forms.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    heading(ui, "Prompt to report", "");
    let report = &state.report;
    let (Some(structured), Some(written)) = (report.structured(), report.written()) else {
        ui.add(
            Label::new(RichText::new("The prompt names no finding that a report could be written of.").weak())
                .wrap(),
        );
        return;
    };
    line(ui, "Style", |ui| {
        for style in Style::ALL {
            let name = capitalised(style.name());
            if chip(ui, report.style == style, &name, &format!("{name} style"))
                .on_hover_text(explained(style))
                .clicked()
            {
                commands.push(Command::Report(ReportCommand::Style(style)));
            }
        }
    });
    line(ui, &format!("Wording {}", report.seed + 1), |ui| {
        if ui.small_button("Next").on_hover_text("Writes the report in other words.").clicked() {
            commands.push(Command::Report(ReportCommand::Next));
        }
    });
    if !report.lost().is_empty() {
        let words = format!("Words of the prompt that are not in the report: {}", report.lost());
        ui.add(Label::new(RichText::new(words).color(theme::palette(ui.visuals()).warning)).wrap());
    }
    let structured = structured.to_string();
    let forms = |ui: &mut Ui, commands: &mut Vec<Command>, is_report: bool| {
        let (name, text) = if is_report { ("As a report", written) } else { ("Structured", structured.as_str()) };
        ui.push_id(name, |ui| {
            ui.label(RichText::new(name).strong());
            form(ui, state, text, commands);
        });
    };
    if ui.available_width() >= WIDE {
        ui.columns(2, |columns| {
            for (column, is_report) in columns.iter_mut().zip([false, true]) {
                forms(column, commands, is_report);
            }
        });
    } else {
        forms(ui, commands, false);
        forms(ui, commands, true);
    }
    if ui.button("Read this report").on_hover_text("Condenses it to a prompt again, above.").clicked() {
        commands.push(Command::Report(ReportCommand::SetText(written.to_owned())));
    }
}

/// Explains a style in a sentence.
fn explained(style: Style) -> &'static str {
    match style {
        Style::Paper => "As in figure 9 of the supplementary material: negations stand before the places.",
        Style::Concise => "Findings and impression in a few words.",
        Style::Narrative => "Whole sentences.",
        Style::Detailed => "Whole sentences, with what is normal and what is absent.",
        Style::Telegraphic => "An impression alone.",
    }
}
