//! The labels of the annotation.

use eframe::egui::{Label as Words, RichText, Role, TextEdit, Ui, WidgetInfo, vec2};

use crate::annotate::{Label, LabelId, Origin};
use crate::app::annotating::AnnotateCommand;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::{keeping, scores, widgets};
use crate::app::state::State;
use crate::app::tab::Tab;

/// The labels with their colours, and what the active one has in this slice.
pub struct Labels;

const INFO: PaneInfo = PaneInfo {
    title: "Labels",
    help: "The labels of the annotation: names, colours, visibility and locks.",
    places: &[Place::new(Tab::Annotate, Column::Right, 0)],
    size: [272.0, 220.0],
    ..PaneInfo::new(Pane::new("labels"))
};

impl Panel for Labels {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.document.image.is_none().then_some("There is nothing to annotate. Open an image.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let annotation = &state.document.annotation;
        if annotation.labels().next().is_none() {
            let words = "There is no label yet. Draw with the brush, or take over the mask of the network with \
                         “Use prediction”.";
            ui.add(Words::new(RichText::new(words).weak()).wrap());
        }
        let gesture = gesture(ui);
        for (id, label) in annotation.labels() {
            row(ui, state, (id, label), gesture, commands);
        }
        ui.add_space(2.0);
        if ui.button("Add label").clicked() {
            commands.push(Command::Annotate(AnnotateCommand::AddLabel));
        }
        active(ui, state);
        keeping::line(ui, state);
    }
}

/// Returns the number of the gesture of the pointer that goes on, or ends in this frame; `None` if there is none. A colour
/// changes in every frame in which it is dragged.
fn gesture(ui: &Ui) -> Option<u64> {
    let newest = ui.scope_id().with("newest gesture");
    let (pressed, is_released) =
        ui.input(|input| (input.pointer.press_start_time(), input.pointer.any_released()));
    if let Some(time) = pressed {
        ui.data_mut(|data| data.insert_temp(newest, time.to_bits()));
    }
    ui.data(|data| data.get_temp(newest)).filter(|_| pressed.is_some() || is_released)
}

fn row(
    ui: &mut Ui,
    state: &State,
    (id, label): (LabelId, &Label),
    gesture: Option<u64>,
    commands: &mut Vec<Command>,
) {
    let mut send = |label: Label, gesture: Option<u64>| {
        commands.push(Command::Annotate(AnnotateCommand::SetLabel { id, label, gesture }));
    };
    // A click on the lock may end the edit of the name: the later change contains the earlier one.
    let mut edited = label.clone();
    let is_active = state.annotating.active == Some(id);
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let radio = ui.radio(is_active, "").on_hover_text("Tools paint this label.");
        radio.widget_info(|| {
            WidgetInfo::selected(Role::RadioButton, true, is_active, format!("Paint {}", label.name))
        });
        if radio.clicked() {
            chosen = Some(AnnotateCommand::Activate(id));
        }
        let mut colour = label.colour;
        let well = ui.color_edit_button_srgb(&mut colour);
        well.widget_info(|| WidgetInfo::labeled(Role::ColorWell, true, format!("Colour of {}", label.name)));
        if colour != label.colour {
            // The other changes are one step each, even if the click on one of them ends the edit of the name.
            edited.colour = colour;
            send(edited.clone(), gesture);
        }
        if let Some(name) = name(ui, id, label) {
            edited.name = name;
            send(edited.clone(), None);
        }
        let mut is_visible = label.is_visible;
        let shown = ui.checkbox(&mut is_visible, "").on_hover_text("Show the label");
        shown.widget_info(|| {
            WidgetInfo::selected(Role::CheckBox, true, is_visible, format!("Show {}", label.name))
        });
        if is_visible != label.is_visible {
            edited.is_visible = is_visible;
            send(edited.clone(), None);
        }
        let lock = ui.selectable_label(label.is_locked, "Lock").on_hover_text("A locked label keeps its pixels.");
        lock.widget_info(|| {
            WidgetInfo::selected(Role::CheckBox, true, label.is_locked, format!("Lock {}", label.name))
        });
        if lock.clicked() {
            edited.is_locked = !label.is_locked;
            send(edited.clone(), None);
        }
        let remove = ui.small_button("×").on_hover_text("Remove the label with its pixels. Undo brings it back.");
        remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove {}", label.name)));
        if remove.clicked() {
            chosen = Some(AnnotateCommand::RemoveLabel(id));
        }
    });
    commands.extend(chosen.map(Command::Annotate));
}

/// Draws the name. Returns the new one when the field loses the focus.
fn name(ui: &mut Ui, id: LabelId, label: &Label) -> Option<String> {
    let field = ui.scope_id().with(("name of label", id));
    let mut text = ui.data(|data| data.get_temp::<String>(field)).unwrap_or_else(|| label.name.clone());
    let width = (ui.available_width() - 118.0).max(60.0);
    let edit = TextEdit::singleline(&mut text).id(field.with("text")).desired_width(width).char_limit(64);
    let response = ui.add_sized(vec2(width, ui.spacing().interact_size.y), edit);
    response.widget_info(|| {
        let mut info = WidgetInfo::text_edit(true, &label.name, &text, "");
        info.label = Some(format!("Name of {}", label.name));
        info
    });
    if response.lost_focus() {
        ui.data_mut(|data| data.remove_temp::<String>(field));
        let name = text.trim().to_owned();
        return (!name.is_empty() && name != label.name).then_some(name);
    }
    if response.has_focus() {
        ui.data_mut(|data| data.insert_temp(field, text));
    }
    None
}

/// Draws what the active label has in this slice and where it comes from.
fn active(ui: &mut Ui, state: &State) {
    let (Some(open), Some(id)) = (&state.document.image, state.annotating.active) else { return };
    let annotation = &state.document.annotation;
    let Some(label) = annotation.label(id) else { return };
    widgets::section(ui, &label.name, "");
    let known = annotation.mask(id, open.slice);
    let [all, short] = scores::area(state, known.map_or(0, |known| known.pixels as u64));
    widgets::row(ui, "Area", RichText::new(short).small()).on_hover_text(all);
    if open.volume.slices > 1 {
        let count = annotation.slices(id).count();
        widgets::row(ui, "Slices", format!("{count} of {}", open.volume.slices));
    }
    let (origin, about) = match known.map(|known| &known.origin) {
        None => ("nothing in this slice", None),
        Some(Origin::Drawn) => ("drawn by hand", None),
        Some(Origin::Derived) => ("computed from other regions", None),
        Some(Origin::Read) => ("read from a file", None),
        Some(Origin::Predicted(by)) => ("predicted", Some(by)),
        Some(Origin::Corrected(by)) => ("predicted, then corrected", Some(by)),
    };
    let row = widgets::row(ui, "Origin", RichText::new(origin).small());
    if let Some(by) = about {
        row.on_hover_text(format!("{}\n“{}”\nThreshold {:.2}", by.model, by.prompt, by.threshold));
    }
}
