//! The palette of tools at the left edge of the picture.

use eframe::egui::{Color32, Frame, Margin, Panel, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};

use super::icons::{self, Icon};
use crate::app::actions;
use crate::app::annotating::{AnnotateCommand, Tool};
use crate::app::command::Command;
use crate::app::keys::ActionId;
use crate::app::state::State;
use crate::app::theme;

/// The side of a button and of its icon, in points.
const BUTTON: f32 = 30.0;
const ICON: f32 = 17.0;
/// The side of the sign beside the pointer, and its distance from it, in points.
const MARK: f32 = 13.0;

/// A tool as the palette shows it. Its name and its key are those of its action.
struct Entry {
    tool: Tool,
    action: ActionId,
    help: &'static str,
    icon: Icon,
}

/// The tools, from top to bottom.
const ENTRIES: &[Entry] = &[
    Entry { tool: Tool::Hand, action: ActionId("hand"), help: "Drag to move the picture.", icon: icons::hand },
    Entry {
        tool: Tool::Brush,
        action: ActionId("brush"),
        help: "Drag to add to the label. While Ctrl is held, it takes away.",
        icon: icons::brush,
    },
    Entry {
        tool: Tool::Eraser,
        action: ActionId("eraser"),
        help: "Drag to take away from the label.",
        icon: icons::eraser,
    },
    Entry {
        tool: Tool::SmartBrush,
        action: ActionId("smart_brush"),
        help: "Drag to add what is similar to the start of the stroke and connected to it, within the brush.",
        icon: icons::smart_brush,
    },
    Entry {
        tool: Tool::Lasso,
        action: ActionId("lasso"),
        help: "Drag around what is to be added. With Ctrl it is taken away.",
        icon: icons::lasso,
    },
    Entry {
        tool: Tool::Polygon,
        action: ActionId("polygon"),
        help: "Click the corners. A double click, Enter or a click on the first corner closes it.",
        icon: icons::polygon,
    },
    Entry {
        tool: Tool::LiveWire,
        action: ActionId("live_wire"),
        help: "Click points on an edge: the line between them follows the edge.",
        icon: icons::live_wire,
    },
    Entry {
        tool: Tool::Flood,
        action: ActionId("flood"),
        help: "Click to add what is similar to this point and connected to it.",
        icon: icons::flood,
    },
    Entry {
        tool: Tool::Grow,
        action: ActionId("grow_tool"),
        help: "Press on a seed and drag away from it. The region grows until edges stop it.",
        icon: icons::grow,
    },
    Entry {
        tool: Tool::Region,
        action: ActionId("region"),
        help: "Click to add a connected region of the prediction. With Ctrl it is taken away.",
        icon: icons::region,
    },
];

/// Draws the palette.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let frame = Frame::side_top_panel(ui.style()).fill(Color32::TRANSPARENT).inner_margin(Margin::same(3));
    Panel::left("tools").frame(frame).resizable(false).exact_size(BUTTON + 6.0).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for entry in ENTRIES {
            if button(ui, state, entry) {
                commands.push(Command::Annotate(AnnotateCommand::Choose(entry.tool)));
            }
        }
    });
}

/// Draws the sign of the tool beside the pointer.
pub fn mark(ui: &Ui, response: &Response, state: &State, at: Pos2) {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.tool == state.annotating.tool) else { return };
    let painter = ui.painter_at(response.rect);
    let square = Rect::from_center_size(at + vec2(MARK, MARK), vec2(MARK, MARK));
    painter.rect_filled(square.expand(3.0), 3.0, theme::BEHIND_WORDS);
    let colour = if super::erases(ui, state) { theme::ERASER } else { theme::OVER_PICTURE };
    (entry.icon)(&painter, square, colour);
}

fn button(ui: &mut Ui, state: &State, entry: &Entry) -> bool {
    let Some(action) = actions::find(entry.action) else { return false };
    let is_chosen = state.annotating.tool == entry.tool;
    let (rect, response) = ui.allocate_exact_size(vec2(BUTTON, BUTTON), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, action.name));
    let visuals = ui.style().interact_selectable(&response, is_chosen);
    if is_chosen || response.hovered() || response.has_focus() {
        ui.painter().rect(rect, 4.0, visuals.bg_fill, visuals.bg_stroke, eframe::egui::StrokeKind::Inside);
    }
    let square = Rect::from_center_size(rect.center(), vec2(ICON, ICON));
    (entry.icon)(ui.painter(), square, visuals.text_color());
    let key = state.settings.keys.label(action);
    let title = if key.is_empty() { action.name.to_owned() } else { format!("{} ({key})", action.name) };
    response.on_hover_text(format!("{title}\n{}", entry.help)).clicked()
}
