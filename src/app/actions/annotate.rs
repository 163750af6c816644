//! The Annotation menu.

use eframe::egui::Key;

use super::action::{ANNOTATED, Action, Given, Group, Hold, Undo, VIEWERS, image};
use super::cases;
use super::choices::Item;
use crate::annotate::Operation;
use crate::app::annotating::{AnnotateCommand, Looked, Place, RADIUS_STEP, Tool};
use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord};
use crate::app::state::State;
use crate::app::tab::Tab;

const NEW: Action = Action { undo: Undo::Step, ..Action::of(Group::Annotate) };
const TOOL: Action = Action { undo: Undo::Unneeded, ..NEW };
const LOOK: Action = Action { undo: Undo::Again, tabs: ANNOTATED, ..NEW };

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("use_prediction"),
        name: "Use prediction",
        words: "accept take over mask replace annotation",
        keys: &[Chord { ctrl: false, shift: true, alt: false, key: Key::Enter }],
        tabs: ANNOTATED,
        command: |state| prediction(state, Place::Replace),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("add_prediction"),
        name: "Add prediction",
        words: "use accept take over mask annotation",
        tabs: ANNOTATED,
        command: |state| prediction(state, Place::Add),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("fill_in_prediction"),
        name: "Use prediction where nothing is drawn",
        words: "accept take over mask unlabelled annotation",
        tabs: ANNOTATED,
        command: |state| prediction(state, Place::WhereNothing),
        ..NEW
    }),
    Item::Line,
    Item::Menu("Tools", TOOLS),
    Item::Menu("Operations on the label", OPERATIONS),
    Item::Action(Action {
        id: ActionId("new_label"),
        name: "New label",
        words: "add class segment",
        tabs: VIEWERS,
        command: |state| image(state).map(|_| Command::Annotate(AnnotateCommand::AddLabel)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("clear_slice"),
        name: "Clear the label in this slice",
        words: "erase empty delete annotation",
        command: |state| label(state).map(|()| Command::Annotate(AnnotateCommand::ClearSlice)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("clear_label"),
        name: "Clear the label in all slices",
        words: "erase empty delete annotation",
        command: |state| label(state).map(|()| Command::Annotate(AnnotateCommand::ClearLabel)),
        ..NEW
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("look_at_annotation"),
        name: "Look at the annotation",
        words: "prediction mask show compare",
        keys: &[Chord::key(Key::V)],
        is_on: Some(|state| state.looked() == Looked::Annotation),
        command: |state| look(state, Looked::Annotation),
        ..LOOK
    }),
    Item::Action(Action {
        id: ActionId("difference"),
        name: "Difference of prediction and annotation",
        words: "compare show mask",
        keys: &[Chord::key(Key::X)],
        is_on: Some(|state| state.looked() == Looked::Difference),
        command: |state| look(state, Looked::Difference),
        ..LOOK
    }),
    Item::Line,
    Item::Menu("Case", cases::ITEMS),
];

/// The operations on the active label.
const OPERATIONS: &[Item] = &[
    operation(ActionId("fill_holes"), "Fill holes", "close", |state| operate(state, Operation::FillHoles)),
    operation(ActionId("keep_largest"), "Keep the largest parts", "component", |state| {
        operate(state, Operation::KeepLargest(state.annotating.operations.count))
    }),
    operation(ActionId("drop_smaller"), "Drop small parts", "component speck remove", |state| {
        operate(state, Operation::DropSmaller(state.annotating.operations.smallest(state.has_pixel_mm())))
    }),
    operation(ActionId("smooth_label"), "Smooth the label", "outline gaussian", |state| {
        operate(state, Operation::Smooth(state.annotating.operations.length(state.has_pixel_mm())))
    }),
    operation(ActionId("grow_label"), "Grow the label", "dilate margin outline", |state| {
        operate(state, Operation::Grow(state.annotating.operations.length(state.has_pixel_mm())))
    }),
    operation(ActionId("shrink_label"), "Shrink the label", "erode margin outline", |state| {
        operate(state, Operation::Shrink(state.annotating.operations.length(state.has_pixel_mm())))
    }),
    operation(ActionId("interpolate"), "Interpolate between slices", "fill stack", |state| {
        operate(state, Operation::Interpolate)
    }),
    operation(ActionId("copy_to_next"), "Copy the label to the next slice", "stack duplicate", |state| {
        operate(state, Operation::CopyToNext)
    }),
];

/// The tools.
const TOOLS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("hand"),
        name: "Hand",
        words: "tool move pan",
        keys: &[Chord::key(Key::Q)],
        command: |_| Ok(choose(Tool::Hand)),
        ..TOOL
    }),
    Item::Action(Action {
        id: ActionId("brush"),
        name: "Brush",
        words: "tool paint draw",
        keys: &[Chord::key(Key::B)],
        command: |_| Ok(choose(Tool::Brush)),
        ..TOOL
    }),
    Item::Action(Action {
        id: ActionId("eraser"),
        name: "Eraser",
        words: "tool remove rubber",
        keys: &[Chord::key(Key::E)],
        command: |_| Ok(choose(Tool::Eraser)),
        ..TOOL
    }),
    tool(ActionId("smart_brush"), "Smart brush", "tool paint similar", &[shift(Key::B)], |_| {
        Ok(choose(Tool::SmartBrush))
    }),
    tool(ActionId("lasso"), "Lasso", "tool freehand outline", &[Chord::key(Key::L)], |_| Ok(choose(Tool::Lasso))),
    tool(ActionId("polygon"), "Polygon", "tool outline", &[Chord::key(Key::Y)], |_| Ok(choose(Tool::Polygon))),
    tool(ActionId("live_wire"), "Live wire", "tool outline edge scissors", &[shift(Key::L)], |_| {
        Ok(choose(Tool::LiveWire))
    }),
    tool(ActionId("flood"), "Flood", "tool fill wand similar", &[Chord::key(Key::R)], |_| Ok(choose(Tool::Flood))),
    tool(ActionId("grow_tool"), "Growing region", "tool seed front edge", &[Chord::key(Key::O)], |_| {
        Ok(choose(Tool::Grow))
    }),
    tool(ActionId("region"), "Region of the prediction", "tool component click", &[Chord::key(Key::T)], |_| {
        Ok(choose(Tool::Region))
    }),
    Item::Action(Action {
        id: ActionId("close_outline"),
        name: "Close the outline",
        words: "polygon live wire finish",
        command: |state| {
            outline(state).map(|()| Command::Annotate(AnnotateCommand::CloseOutline { removes: false }))
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("take_from_outline"),
        name: "Close the outline and take it away",
        words: "polygon live wire finish remove",
        command: |state| {
            outline(state).map(|()| Command::Annotate(AnnotateCommand::CloseOutline { removes: true }))
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("remove_point"),
        name: "Take the last point back",
        words: "polygon live wire undo",
        command: |state| outline(state).map(|()| Command::Annotate(AnnotateCommand::RemovePoint)),
        ..TOOL
    }),
    Item::Action(Action {
        id: ActionId("smaller_brush"),
        name: "Smaller brush",
        words: "size radius",
        keys: &[Chord::key(Key::OpenBracket)],
        hold: Hold::Repeats,
        command: |_| Ok(Command::Annotate(AnnotateCommand::ScaleRadius(1.0 / RADIUS_STEP))),
        ..TOOL
    }),
    Item::Action(Action {
        id: ActionId("larger_brush"),
        name: "Larger brush",
        words: "size radius",
        keys: &[Chord::key(Key::CloseBracket)],
        hold: Hold::Repeats,
        command: |_| Ok(Command::Annotate(AnnotateCommand::ScaleRadius(RADIUS_STEP))),
        ..TOOL
    }),
    Item::Action(LABELS[0]),
    Item::Action(LABELS[1]),
    Item::Action(LABELS[2]),
    Item::Action(LABELS[3]),
    Item::Action(LABELS[4]),
    Item::Action(LABELS[5]),
    Item::Action(LABELS[6]),
    Item::Action(LABELS[7]),
    Item::Action(LABELS[8]),
];

/// The choice of a label by its number.
const LABELS: [Action; 9] = [
    numbered(ActionId("label1"), "Label 1", &[alt(Key::Num1)], |state| activate(state, 1)),
    numbered(ActionId("label2"), "Label 2", &[alt(Key::Num2)], |state| activate(state, 2)),
    numbered(ActionId("label3"), "Label 3", &[alt(Key::Num3)], |state| activate(state, 3)),
    numbered(ActionId("label4"), "Label 4", &[alt(Key::Num4)], |state| activate(state, 4)),
    numbered(ActionId("label5"), "Label 5", &[alt(Key::Num5)], |state| activate(state, 5)),
    numbered(ActionId("label6"), "Label 6", &[alt(Key::Num6)], |state| activate(state, 6)),
    numbered(ActionId("label7"), "Label 7", &[alt(Key::Num7)], |state| activate(state, 7)),
    numbered(ActionId("label8"), "Label 8", &[alt(Key::Num8)], |state| activate(state, 8)),
    numbered(ActionId("label9"), "Label 9", &[alt(Key::Num9)], |state| activate(state, 9)),
];

const fn alt(key: Key) -> Chord {
    Chord { alt: true, ..Chord::key(key) }
}

const fn numbered(
    id: ActionId,
    name: &'static str,
    keys: &'static [Chord],
    command: fn(&State) -> Given,
) -> Action {
    Action { id, name, keys, is_in_palette: false, command, ..TOOL }
}

const fn shift(key: Key) -> Chord {
    Chord { shift: true, ..Chord::key(key) }
}

const fn tool(
    id: ActionId,
    name: &'static str,
    words: &'static str,
    keys: &'static [Chord],
    command: fn(&State) -> Given,
) -> Item {
    Item::Action(Action { id, name, words, keys, command, ..TOOL })
}

const fn operation(id: ActionId, name: &'static str, words: &'static str, command: fn(&State) -> Given) -> Item {
    Item::Action(Action { id, name, words, command, ..NEW })
}

fn choose(tool: Tool) -> Command {
    Command::Annotate(AnnotateCommand::Choose(tool))
}

fn activate(state: &State, number: usize) -> Given {
    let command = Command::Annotate(AnnotateCommand::ActivateNumber(number));
    state
        .document
        .annotation
        .labels()
        .nth(number - 1)
        .map(|_| command)
        .ok_or("There is no label with this number.")
}

fn label(state: &State) -> Result<(), &'static str> {
    state.annotating.active.map(|_| ()).ok_or("There is no label yet. Draw something first.")
}

fn outline(state: &State) -> Result<(), &'static str> {
    if state.annotating.has_outline() { Ok(()) } else { Err("Begin a polygon or a live wire first.") }
}

fn operate(state: &State, operation: Operation) -> Given {
    image(state)?;
    label(state)?;
    Ok(Command::Annotate(AnnotateCommand::Operate(operation)))
}

fn prediction(state: &State, place: Place) -> Given {
    image(state)?;
    let command = Command::Annotate(AnnotateCommand::UsePrediction(place));
    match state.predicted_now() {
        // The command says what is waited for, which a key that does nothing would not.
        Err(_) if state.is_stale() => Ok(command),
        ready => ready.map(|_| command),
    }
}

fn look(state: &State, looked: Looked) -> Given {
    image(state)?;
    label(state)?;
    if state.tab == Tab::Annotate || state.tab == Tab::Read {
        let next = if state.looked() == looked { Looked::Prediction } else { looked };
        return Ok(Command::Annotate(AnnotateCommand::Look(next)));
    }
    Err("Go to the Annotate tab first.")
}
