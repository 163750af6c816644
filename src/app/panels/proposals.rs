//! Proposals for the prompt: what a rule makes of masks. None of them is a reading of the image.

use eframe::egui::{Button, ComboBox, Label, Response, RichText, Role, Ui, WidgetInfo};

use super::panel::Panel;
use super::widgets::{explain, grouped, heading, working_bar};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::proposals::{DescribedMask, ProposalsCommand};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::data::describe::Kind;
use crate::engine::Pending;
use crate::infer::{RefineStep, SearchHit, presence_words};

const RULE: &str = "Proposals of a rule, not readings of the image.";
const RULE_WHY: &str = "A sentence is derived from a mask: sides, number of connected areas, zones by the height of the lungs; number, size \
                        and place of polyps. The rule is wrong for many single cases. A model that follows any prompt agrees with any.";
const DESCRIBE: &str =
    "The sentence that the rule derives from a mask. Of the ground truth, it can complete a training pair.";
const REFINE: &str = "Predict, describe the mask, predict with the description, and so on, until the sentence stands still or repeats.";
const SEARCH: &str = "Sentences of the grammar, from coarse to fine, without the prompt. They are ranked by the agreement of mask and sentence times \
                      how sure the mask is: twice the sum of the probabilities in the mask, divided by the sum of all probabilities plus the \
                      pixels of the mask.";
/// The number of sentences of a search that are listed.
const LISTED: usize = 12;

/// Describe, refine and search.
pub struct Proposals;

const INFO: PaneInfo = PaneInfo {
    title: "Proposals",
    help: "Sentences that a rule proposes for the prompt: of a mask, step by step, or of all sentences.",
    places: &[Place::new(Tab::Prompts, Column::Right, 0)],
    size: [320.0, 400.0],
    growth: 1,
    ..PaneInfo::new(Pane::new("proposals"))
};

impl Panel for Proposals {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.document.image.is_none().then_some("No image is open. Open one in the Read tab.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        ui.horizontal(|ui| {
            ui.label(RichText::new(RULE).weak());
            explain(ui, RULE_WHY);
        });
        ui.add(Label::new(RichText::new(sides(state)).small().weak()).wrap());
        kind(ui, state, commands);
        describe(ui, state, commands);
        refine(ui, state, commands);
        search(ui, state, commands);
    }
}

/// Says whose left the sentences mean.
fn sides(state: &State) -> &'static str {
    let image = state.document.image.as_ref();
    match image.and_then(|open| open.volume.geometry.sides?.is_mirrored()) {
        Some(true) => "Left is the left of the image, which is the patient's right.",
        Some(false) => "Left is the left of the image, which is also the patient's left.",
        None => "Left is the left of the image, not of the patient.",
    }
}

const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Xray => "X-ray",
        Kind::Ct => "CT slice",
        Kind::Endoscopy => "Endoscopy frame",
    }
}

fn kind(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let chosen = state.proposals.kind;
    let words = |kind: Option<Kind>| kind.map_or("As recognised", kind_words);
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Kind of image").weak());
        ComboBox::from_id_salt("kind of image")
            .selected_text(words(chosen))
            .show_ui(ui, |ui| {
                for kind in [None].into_iter().chain(Kind::ALL.map(Some)) {
                    if ui.selectable_label(kind == chosen, words(kind)).clicked() {
                        commands.push(Command::Proposals(ProposalsCommand::SetKind(kind)));
                    }
                }
            })
            .response
            .labelled_by(label.id);
    });
}

fn describe(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    titled(ui, "Describe", DESCRIBE);
    ui.horizontal_wrapped(|ui| {
        for (mask, name, without) in [
            (DescribedMask::Shown, "Describe the mask", "There is no mask yet."),
            (DescribedMask::Truth, "Describe the ground truth", "No ground truth is open."),
        ] {
            let button = ui.add_enabled(state.described_now(mask).is_some(), Button::new(name));
            if button.on_disabled_hover_text(without).clicked() {
                commands.push(Command::Proposals(ProposalsCommand::Describe(mask)));
            }
        }
    });
    let Some((of, kind, sentence)) = &state.proposals.description else { return };
    let source = match of.mask {
        DescribedMask::Shown => "The mask",
        DescribedMask::Truth => "The ground truth",
    };
    let is_current = state.described_now(of.mask) == Some(*of);
    let earlier = if is_current { "" } else { " as it was before" };
    ui.label(RichText::new(format!("{source}{earlier}, described as {}:", about(*kind))).small().weak());
    ui.add(Label::new(sentence).wrap());
    ui.horizontal_wrapped(|ui| {
        if ui.button("Use the description as prompt").clicked() {
            commands.push(Command::Proposals(ProposalsCommand::Use(sentence.clone())));
        }
        // For the table of a training set.
        if ui.button("Copy").clicked() {
            ui.ctx().copy_text(sentence.clone());
        }
    });
}

const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Xray => "an X-ray",
        Kind::Ct => "a CT slice",
        Kind::Endoscopy => "an endoscopy frame",
    }
}

/// Draws a heading with its explanation.
fn titled(ui: &mut Ui, title: &str, words: &str) {
    ui.separator();
    ui.horizontal(|ui| {
        heading(ui, title, "");
        explain(ui, words);
    });
}

/// Returns why there can be no prediction.
fn without_model(state: &State) -> Option<&'static str> {
    match &state.model {
        None => Some("No model is open. Open one from the Model menu."),
        Some(model) if !model.info.reads_text() => Some("This model reads no text."),
        Some(_) => None,
    }
}

/// Draws a button that starts work with the model, or the progress of the work with a button that ends it.
fn work<A>(
    ui: &mut Ui,
    state: &State,
    pending: &Pending<crate::app::proposals::ProposedFor, A>,
    [name, unit]: [&str; 2],
    start: ProposalsCommand,
    commands: &mut Vec<Command>,
) {
    let Some(asked) = pending.pending() else {
        let why_not = without_model(state);
        let button = ui.add_enabled(why_not.is_none(), Button::new(name));
        if button.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            commands.push(Command::Proposals(start));
        }
        return;
    };
    let is_cancelled = working_bar(ui, asked, |progress| match progress {
        Some([done, count]) => format!("{done} of about {count} {unit}"),
        None => "Waiting…".to_owned(),
    });
    if is_cancelled {
        commands.push(Command::Proposals(ProposalsCommand::Cancel));
    }
}

fn refine(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    titled(ui, "Refine", REFINE);
    let proposals = &state.proposals;
    work(ui, state, &proposals.refining, ["Refine the prompt", "steps"], ProposalsCommand::Refine, commands);
    let Some((of, found)) = &proposals.refinement else { return };
    earlier(ui, state.proposed_for() == Some(*of));
    for (index, step) in found.steps.iter().enumerate() {
        let name = if step.prompt.trim().is_empty() { "(no text)" } else { &step.prompt };
        let response = sentence(ui, state, index + 1, name, &step.prompt);
        response
            .widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Use step {}: {name}", index + 1)));
        if response.on_hover_text("Use as prompt").clicked() {
            commands.push(Command::Proposals(ProposalsCommand::Use(step.prompt.clone())));
        }
        ui.label(RichText::new(step_words(step)).small().weak());
    }
    ui.add(Label::new(found.end_in_words()).wrap());
    if let Some(last) = found.steps.last().filter(|last| last.description != last.prompt) {
        ui.add(Label::new(&last.description).wrap());
        if ui.button("Use the last description as prompt").clicked() {
            commands.push(Command::Proposals(ProposalsCommand::Use(last.description.clone())));
        }
    }
}

fn step_words(step: &RefineStep) -> String {
    let mut parts = vec![format!("Mask {:.1} %", 100.0 * step.area)];
    parts.extend(step.agreement.map(|agreement| format!("agreement {agreement:.2}")));
    parts.extend(step.dice.map(|dice| format!("Dice {dice:.3}")));
    if step.presence.is_some_and(|presence| presence_words(presence).is_some()) {
        parts.push(format!("presence {:.2}", step.presence.unwrap_or_default()));
    }
    parts.join(" · ")
}

/// Says that a result belongs to another image, slice, window, kind or model.
fn earlier(ui: &mut Ui, is_current: bool) {
    if !is_current {
        let colour = theme::palette(ui.visuals()).warning;
        ui.label(RichText::new("Of an earlier slice, window, kind or model").small().color(colour));
    }
}

/// Draws a numbered sentence that can be clicked; the current prompt is selected.
fn sentence(ui: &mut Ui, state: &State, number: usize, shown: &str, prompt: &str) -> Response {
    let is_current = state.document.prompt == prompt;
    ui.add(Button::selectable(is_current, format!("{number}  {shown}")).wrap())
}

fn search(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    titled(ui, "Search", SEARCH);
    let proposals = &state.proposals;
    let names = ["Search without a prompt", "sentences"];
    work(ui, state, &proposals.searching, names, ProposalsCommand::Search, commands);
    let Some((of, found)) = &proposals.search else { return };
    earlier(ui, state.proposed_for() == Some(*of));
    let count = grouped(found.hits.len() as u64);
    ui.label(RichText::new(format!("{count} sentences were tried; the best first")).small().weak());
    for (index, hit) in found.hits.iter().take(LISTED).enumerate() {
        let response = sentence(ui, state, index + 1, &hit.prompt, &hit.prompt);
        let name = || format!("Use rank {}: {}", index + 1, hit.prompt);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name()));
        let described = format!("Use as prompt. The rule describes its mask as: {}", hit.description);
        if response.on_hover_text(described).clicked() {
            commands.push(Command::Proposals(ProposalsCommand::Use(hit.prompt.clone())));
        }
        ui.label(RichText::new(hit_words(hit)).small().weak());
    }
}

fn hit_words(hit: &SearchHit) -> String {
    let dice = hit.dice.map(|dice| format!(" · Dice {dice:.3}")).unwrap_or_default();
    format!(
        "{:.3} = agreement {:.2} × sure {:.2} · mask {:.1} %{dice}",
        hit.score,
        hit.agreement,
        hit.sureness,
        100.0 * hit.area
    )
}
