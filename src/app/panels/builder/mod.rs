//! The builder: the prompt as chips and as a diagram whose zones are clicked, in step with its text.

pub mod chips;
mod frame;
pub mod lung_fields;
mod polyps;

use eframe::egui::{Frame, Label, RichText, Stroke, Ui};

use self::chips::{chip, line};
use super::panel::Panel;
use super::prompt::says_no_text;
use super::widgets::explain;
use crate::app::builder::command::BuilderCommand;
use crate::app::builder::{Whose, listed};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::text::prompt::report::Left;
use crate::text::prompt::{Grammar, Laterality, Lungs, Prompt, Side, number_word};

const SIDES_WHY: &str = "A prompt names the sides of the image as it is seen. With the patient's sides, the diagram is read and \
                         clicked by the patient's left and right; the prompt that is sent stays in the sides of the image.";
const UNKNOWN_SIDES: &str = "The file does not say which side of the patient is at the left of the image.";
const NO_SIDES: &str = "Places of polyps are places in the frame.";
const EXCHANGE_WHY: &str = "For a prompt that was written for the patient's sides, or for a mirrored image.";
/// The largest number of areas that can be clicked; others can be typed.
const MOST_AREAS: u32 = 6;

/// The builder.
pub struct Builder;

const INFO: PaneInfo = PaneInfo {
    title: "Builder",
    help: "The prompt clicked together: zones of the lungs or places of polyps, in the words of the data sets.",
    places: &[Place::new(Tab::Prompts, Column::Right, 0)],
    size: [300.0, 400.0],
    ..PaneInfo::new(Pane::new("builder"))
};

impl Panel for Builder {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        state.builder.read(&state.document.prompt);
        if !says_no_text(ui, state) {
            show(ui, state, commands);
        }
    }
}

/// Draws the builder.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let builder = &state.builder;
    let whose = Whose::of(state);
    let grammar = builder.grammar();
    line(ui, "Prompt of", |ui| {
        for (other, name, words) in [
            (Grammar::Lungs, "Lungs", "Infected zones of the lungs, in the words of QaTa-COV19 and MosMedData+."),
            (Grammar::Polyps, "Polyps", "Polyps in an endoscopy frame, in the words of Kvasir-SEG."),
        ] {
            if chip(ui, grammar == other, name, &format!("Prompt of {}", name.to_lowercase()))
                .on_hover_text(words)
                .clicked()
            {
                commands.push(Command::Builder(BuilderCommand::Show(other)));
            }
        }
    });
    sides(ui, whose, grammar, commands);
    let prompt = builder.prompt();
    let built = match &prompt {
        Prompt::Lungs(value) => {
            let clicked = lung_fields::show(ui, value, whose);
            offer(ui, state, commands);
            clicked.or(lung_chips(ui, value, whose)).map(Prompt::Lungs)
        }
        Prompt::Polyps(value) => {
            let clicked = frame::show(ui, value);
            offer(ui, state, commands);
            clicked.or(polyps::chips(ui, value)).map(Prompt::Polyps)
        }
    };
    commands.extend(built.map(|built| builder.build(built)));
    if let Some(read) = whose
        .for_patient(&prompt)
        .filter(|read| matches!(read, Prompt::Lungs(lungs) if !lungs.findings.is_empty()))
    {
        ui.add(Label::new(RichText::new(format!("In the patient's sides: {read}")).weak()).wrap());
    }
    if let Some(mirrored) = builder.mirrored()
        && ui.small_button("Exchange left and right").on_hover_text(EXCHANGE_WHY).clicked()
    {
        commands.push(Command::SetPrompt(mirrored.to_owned()));
    }
    let unread = listed(builder.not_understood());
    if !unread.is_empty() {
        let words = RichText::new(format!("Not understood: {unread}")).color(theme::palette(ui.visuals()).warning);
        ui.add(Label::new(words).wrap());
    }
}

/// Draws the choice of the sides, and why there is none.
fn sides(ui: &mut Ui, whose: Whose, grammar: Grammar, commands: &mut Vec<Command>) {
    let can_switch = whose.is_known() && grammar == Grammar::Lungs;
    line(ui, "Sides", |ui| {
        for (left, name) in [(Left::Image, "of the image"), (Left::Patient, "of the patient")] {
            let is_on = whose.left() == left || !can_switch && left == Left::Image;
            ui.add_enabled_ui(can_switch || left == Left::Image, |ui| {
                if chip(ui, is_on, name, &format!("Sides {name}")).clicked() {
                    commands.push(Command::Builder(BuilderCommand::Sides(left)));
                }
            });
        }
        explain(ui, SIDES_WHY);
    });
    if !can_switch {
        let why = if grammar == Grammar::Polyps { NO_SIDES } else { UNKNOWN_SIDES };
        ui.add(Label::new(RichText::new(why).small().weak()).wrap());
    }
}

/// Draws the offer to replace a text whose words would be lost.
fn offer(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some((text, lost)) = state.builder.offer() else { return };
    let colour = theme::palette(ui.visuals()).warning;
    Frame::new().stroke(Stroke::new(1.0, colour)).corner_radius(4).inner_margin(6).show(ui, |ui| {
        let words = format!("The text holds other words, which would be left out: {lost}");
        ui.add(Label::new(RichText::new(words).color(colour)).wrap());
        let new = if text.is_empty() { "The prompt would be empty.".to_owned() } else { text.clone() };
        ui.add(Label::new(new).wrap());
        ui.horizontal_wrapped(|ui| {
            if ui.button("Replace the text").clicked() {
                commands.push(Command::SetPrompt(text));
                commands.push(Command::Builder(BuilderCommand::Offer(None)));
            }
            if ui.button("Keep the text").clicked() {
                commands.push(Command::Builder(BuilderCommand::Offer(None)));
            }
        });
    });
}

/// Draws the chips of a prompt of the lungs. Returns what was clicked together.
fn lung_chips(ui: &mut Ui, lungs: &Lungs, whose: Whose) -> Option<Lungs> {
    let mut built = None;
    line(ui, "Whole lung", |ui| {
        for side in Side::ALL.iter().copied() {
            let is_on = lungs.zones_of(side).merged().is_all();
            let name = format!("All of the {}", whose.lung(side));
            if chip(ui, is_on, &whose.short(side), &name).clicked() {
                built = Some(lungs.toggled_all(side));
            }
        }
    });
    line(ui, "Infection", |ui| {
        for (laterality, name) in [
            (Laterality::Bilateral, "Bilateral"),
            (Laterality::Unilateral, "Unilateral"),
            (Laterality::None, "None"),
        ] {
            let is_on = lungs.laterality == Some(laterality);
            if chip(ui, is_on, name, &format!("{name} infection")).clicked() {
                built = Some(lungs.with_laterality(Some(laterality).filter(|_| !is_on)));
            }
        }
    });
    line(ui, "Areas", |ui| {
        for number in 1..=MOST_AREAS {
            let is_on = lungs.areas == Some(number);
            let noun = if number == 1 { "area" } else { "areas" };
            let name = format!("{} infected {noun}", number_word(number));
            if chip(ui, is_on, &number.to_string(), &name).clicked() {
                built = Some(Lungs { areas: Some(number).filter(|_| !is_on), ..lungs.clone() });
            }
        }
    });
    let words = "Sets laterality and number to those of the zones.";
    if !lungs.findings.is_empty()
        && !lungs.follows_places()
        && ui.small_button("Follow the zones").on_hover_text(words).clicked()
    {
        built = Some(lungs.following_places());
    }
    built
}
