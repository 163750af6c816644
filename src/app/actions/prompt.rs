//! The Prompt menu.

use eframe::egui::Key;

use super::action::{Action, Group, Hold, READERS, Section, Undo, image};
use super::choices::{Choice, Choices, Item, Shape};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::influence::InfluenceCommand;
use crate::app::keys::{ActionId, Chord};
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::PRESETS as TEXTS;
use crate::app::variants::VariantsCommand;
use crate::text::prompt::words;

const NEW: Action = Action::of(Group::Prompt);
/// The width of a menu of prompts, in points.
const WIDTH: f32 = 420.0;

/// The action that moves the keyboard focus to the prompt.
pub const FOCUS_PROMPT: ActionId = ActionId("focus_prompt");

/// The user's favourite and recent prompts.
pub const HISTORY: Choices = Choices {
    prefix: "Prompt",
    shape: Shape::Texts(WIDTH),
    none: "Prompts that brought a mask are kept here.",
    all: |state| {
        let settings = &state.settings;
        let of = |heading, texts: &[String]| {
            let choice = |text: &String| Choice { heading, ..prompt(text) };
            texts.iter().map(choice).collect::<Vec<_>>()
        };
        let mut all = of("Favourites", &settings.favourites);
        all.extend(of("Recently used", &settings.prompts));
        all
    },
    ..Choices::named("History")
};

/// Prompts in the form that the models were trained on.
pub const PRESETS: Choices = Choices {
    prefix: "Prompt preset",
    shape: Shape::Texts(WIDTH),
    all: |_| {
        let mut all = Vec::new();
        for &(heading, ref texts) in TEXTS.iter() {
            all.extend(texts.iter().map(|text| Choice { heading, ..prompt(text) }));
        }
        all
    },
    ..Choices::named("Presets")
};

fn prompt(text: &str) -> Choice {
    Choice::new(text, Command::SetPrompt(text.to_owned()))
}

/// Returns whether an image is open whose mask follows a prompt.
fn prompted(state: &State) -> Result<(), &'static str> {
    match state.why_no_text() {
        Some(reason) => Err(reason),
        None => image(state).map(|_| ()),
    }
}

/// Returns whether something is pinned; the error says how to pin.
fn pins(state: &State) -> Result<(), &'static str> {
    if state.variants.pins.is_empty() { Err("Pin a prompt first.") } else { Ok(()) }
}

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: FOCUS_PROMPT,
        name: "Type in the prompt",
        words: "edit sentence",
        keys: &[Chord::key(Key::Slash)],
        command: |state| state.why_no_text().map_or(Ok(Command::FocusPrompt), Err),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("empty_prompt"),
        name: "Empty the prompt",
        words: "clear",
        command: |state| match state.document.prompt.is_empty() {
            true => Err("The prompt is empty."),
            false => Ok(Command::SetPrompt(String::new())),
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("examine_words"),
        name: "Examine its words",
        words: "influence important matter leave out mask token attribution shapley",
        command: |state| match (state.why_no_text(), state.examined()) {
            (Some(reason), _) => Err(reason),
            (None, Some(examined)) if !words(&examined.prompt).is_empty() => {
                Ok(Command::Influence(InfluenceCommand::Examine))
            }
            (None, Some(_)) => Err("The prompt has no words."),
            (None, None) => Err("Open an image and a model first."),
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("mask_without_prompt"),
        name: "Mask without a prompt",
        words: "empty draw preferences settings",
        section: Some(Section::Overlay),
        is_on: Some(|state| state.settings.draws_without_prompt),
        command: |state| Ok(Command::DrawWithoutPrompt(!state.settings.draws_without_prompt)),
        undo: Undo::Again,
        ..NEW
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("pin"),
        name: "Pin the prompt",
        words: "compare variant side by side",
        keys: &[Chord::ctrl(Key::P)],
        command: |state| prompted(state).map(|()| Command::Variants(VariantsCommand::Pin)),
        undo: Undo::Step,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("demonstration"),
        name: "Structured, report, distilled, empty",
        words: "demonstration preset compare variants forms pins",
        command: |state| prompted(state).map(|()| Command::Variants(VariantsCommand::Demonstrate)),
        undo: Undo::Step,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("unpin_all"),
        name: "Remove all pins",
        words: "clear variants",
        command: |state| pins(state).map(|()| Command::Variants(VariantsCommand::Clear)),
        undo: Undo::Step,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("save_variants"),
        name: "Save variants as table…",
        words: "export csv scores pins",
        command: |state| state.can_save_variants().map(|()| Command::OpenDialog(DialogKind::SaveVariants)),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("next_pin"),
        name: "Next pin",
        words: "variant step",
        keys: &[Chord::key(Key::Period)],
        tabs: &[Tab::Prompts],
        hold: Hold::Repeats,
        command: |state| pins(state).map(|()| Command::Variants(VariantsCommand::Step(1))),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("previous_pin"),
        name: "Previous pin",
        words: "variant step",
        keys: &[Chord::key(Key::Comma)],
        tabs: &[Tab::Prompts],
        hold: Hold::Repeats,
        command: |state| pins(state).map(|()| Command::Variants(VariantsCommand::Step(-1))),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("use_pin"),
        name: "Show the pin in the main view",
        words: "variant swap prompt",
        keys: &[Chord::key(Key::E)],
        tabs: &[Tab::Prompts],
        command: |state| pins(state).map(|()| Command::Variants(VariantsCommand::Use(None))),
        ..NEW
    }),
    Item::Line,
    Item::Choices(HISTORY),
    Item::Choices(PRESETS),
    Item::Line,
    Item::Action(Action {
        id: ActionId("past"),
        name: "Past predictions",
        words: "history session",
        keys: &[Chord::key(Key::L)],
        tabs: READERS,
        command: |_| Ok(Command::OpenPane(Pane::PAST, true)),
        ..NEW
    }),
];
