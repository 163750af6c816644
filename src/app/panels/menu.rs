//! The menu bar, with the model and its device at the right.

use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{
    Align, Atom, Button, Color32, Frame, IdSalt, Layout, MenuBar, Panel, RichText, Role, Ui, WidgetInfo, vec2,
};

use super::entries;
use super::widgets::{MARK, menu_mark};
use crate::app::MINIMUM_SIZE;
use crate::app::actions::{self, MENUS, RESET_TEXT_SIZE};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::{about_warm_up, file_name, warming_up};

/// The minimum width for the name of the model, in points.
const WORD: f32 = 72.0;

/// Draws the menu bar.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let frame = Frame::side_top_panel(ui.style()).fill(Color32::TRANSPARENT);
    Panel::top("menu").frame(frame).show(ui, |ui| {
        MenuBar::new().ui(ui, |ui| {
            text_size(ui, state, commands);
            for (name, items) in MENUS {
                ui.menu_button(name, |ui| entries::menu(ui, items, state, commands));
            }
            ui.separator();
            for tab in Tab::ALL {
                if ui.selectable_label(state.tab == tab, tab.name()).clicked() {
                    commands.push(Command::ShowTab(tab));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(headline) = state.training.headline()
                    && ui.button(headline).on_hover_text("Show the training").clicked()
                {
                    commands.push(Command::ShowTab(Tab::Train));
                }
                // Where there is no space for a word, the mark alone opens the menu.
                let words = if ui.available_width() < WORD { String::new() } else { what_computes(state) };
                // The space for the mark is no text, which would be cut off first.
                let space = Atom::custom(IdSalt::new("menu mark"), vec2(MARK, 1.0));
                let words = Button::new((RichText::new(words).weak(), space)).truncate();
                let (button, _) =
                    MenuButton::from_button(words).ui(ui, |ui| entries::menu(ui, actions::MODEL, state, commands));
                menu_mark(ui, &button);
                let button = match &state.warm_up {
                    Some(progress) => button.on_hover_text(about_warm_up(progress)),
                    None => button,
                };
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, what_computes(state)));
            });
        });
    });
}

/// Offers the default text size if the current one is too large for the window. The button comes first, so that it
/// is never cut off.
fn text_size(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let size = ui.ctx().content_rect().size();
    let is_too_small = size.x < MINIMUM_SIZE[0] || size.y < MINIMUM_SIZE[1];
    if ui.ctx().zoom_factor() <= 1.0 || !is_too_small {
        return;
    }
    let words = format!(
        "The text is at {:.0} %, which is more than this window has space for.",
        100.0 * ui.ctx().zoom_factor()
    );
    let button = Button::new(RichText::new(RESET_TEXT_SIZE.name).color(ui.visuals().warn_fg_color));
    if ui.add(button).on_hover_text(words).clicked()
        && let Ok(command) = RESET_TEXT_SIZE.given(state)
    {
        commands.push(command);
    }
}

/// Returns the model and its device in one line.
fn what_computes(state: &State) -> String {
    match (state.jobs.model.pending(), &state.model) {
        (Some(awaited), _) => format!("Opening model {}…", file_name(awaited.what.path())),
        (None, Some(model)) => {
            let words = format!("{} · {}", model.info.name, model.info.device);
            match &state.warm_up {
                // The news come first, where a narrow window does not cut them off.
                Some(progress) => format!("{} · {words}", warming_up(progress)),
                None => words,
            }
        }
        (None, None) => "No model is open".into(),
    }
}
