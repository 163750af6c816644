//! The list of cases on the left, with thumbnails of the visible ones.

use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    Align2, Color32, ComboBox, FontId, Image, Label, Painter, Rect, RichText, Role, ScrollArea, Sense, Shape,
    Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::cases;
use super::panel::{Around, Panel};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::{file_name, middle};
use crate::app::theme::{self, Palette};
use crate::app::worklist::Worklist;

/// The height of a row, in points.
const ROW: f32 = 56.0;
/// The side length of a thumbnail, in points.
const PICTURE: f32 = 48.0;
/// The side length of the corner that marks a case, in points.
const MARK: f32 = 14.0;

/// The cases of a folder.
pub struct Cases;

const INFO: PaneInfo = PaneInfo {
    title: "Worklist",
    help: "The cases of the open folder.",
    places: &[
        Place::new(Tab::Read, Column::Left, 0),
        Place::new(Tab::Annotate, Column::Left, 0),
        Place::new(Tab::Prompts, Column::Left, 0).closed(),
        Place::new(Tab::Stages, Column::Left, 0).closed(),
    ],
    size: [196.0, 400.0],
    ..PaneInfo::new(Pane::WORKLIST)
};

impl Panel for Cases {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the list, if there is one.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    cases::name_question(ui, state, commands);
    cases::open_case(ui, state, commands);
    let State { worklist, settings, document, .. } = state;
    let Some(list) = worklist else {
        ui.label(RichText::new("The cases of a folder are listed here.").weak());
        if ui.button("Open folder…").clicked() {
            commands.push(Command::OpenDialog(DialogKind::Folder));
        }
        return;
    };
    let mut search = list.search.clone();
    let field = TextEdit::singleline(&mut search).hint_text("Search…").desired_width(f32::INFINITY);
    let response = ui.add(field);
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search the worklist"));
    if response.changed() {
        commands.push(Command::SearchList(search));
    }
    let count = match list.shown.len() == list.items.len() {
        true => list.items.len().to_string(),
        false => format!("{} of {}", list.shown.len(), list.items.len()),
    };
    let words = format!("{count} · {}", file_name(&list.folder));
    ui.add(Label::new(RichText::new(words).small().weak()).truncate())
        .on_hover_text(list.folder.display().to_string());
    cases::filters(ui, list, commands);
    if let Some(prompts) = list.choices() {
        choice(ui, &prompts, &document.prompt, commands);
    }
    if list.shown.is_empty() {
        let words = match list.search.is_empty() {
            true => "No case is in this state.",
            false => "No case matches the search.",
        };
        ui.label(RichText::new(words).weak());
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if std::mem::take(&mut list.reveal)
        && let Some(row) = list.row_of_current()
    {
        let (top, height) = (row as f32 * ROW, ui.available_height());
        let offset = ui.data(|data| data.get_temp::<f32>(eframe::egui::Id::unique("worklist offset")));
        let offset = offset.unwrap_or(0.0);
        if top < offset || top + ROW > offset + height {
            area = area.vertical_scroll_offset((top - height / 2.0).max(0.0));
        }
    }
    let output = area.show_rows(ui, ROW, list.shown.len(), |ui, rows| {
        let places: Vec<usize> = list.shown[rows].to_vec();
        if let Some(request) = list.missing(&places, settings) {
            commands.push(Command::MakeThumbnails(request));
        }
        for place in places {
            row(ui, list, place, commands);
        }
    });
    ui.data_mut(|data| {
        data.insert_temp(eframe::egui::Id::unique("worklist offset"), output.state.unclamped_offset().y)
    });
}

/// Draws the choice among several prompts of the current case. `prompt` is the one in the text field, which may be none of
/// them.
fn choice(ui: &mut Ui, prompts: &[&str], prompt: &str, commands: &mut Vec<Command>) {
    let count = prompts.len();
    let chosen = prompts.iter().position(|known| *known == prompt);
    let words = match chosen {
        Some(place) => format!("Prompt {} of {count}", place + 1),
        None => format!("{count} prompts"),
    };
    let combo = ComboBox::from_id_salt("prompts of the case").width(ui.available_width()).selected_text(words);
    let shown = combo.show_ui(ui, |ui| {
        for (place, known) in prompts.iter().enumerate() {
            if ui.selectable_label(chosen == Some(place), *known).clicked() {
                commands.push(Command::SetPrompt((*known).to_owned()));
            }
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Prompt of the case"));
    shown.response.on_hover_text("The table has several prompts for this image.");
}

fn row(ui: &mut Ui, list: &Worklist, place: usize, commands: &mut Vec<Command>) {
    let item = &list.items[place];
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let is_current = list.current == Some(place);
    let name = list.name(place);
    let words = list.words(place);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(words.join(", ")),
        ..WidgetInfo::selected(Role::Button, true, is_current, &name)
    });
    let fill = if is_current {
        palette.accent_fill
    } else if response.hovered() {
        palette.button
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, 3.0, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 3.0, Stroke::new(1.0, palette.accent), StrokeKind::Inside);
    }
    let square =
        Rect::from_center_size(pos2(rect.left() + 4.0 + PICTURE / 2.0, rect.center().y), vec2(PICTURE, PICTURE));
    ui.painter().rect_filled(square, 2.0, palette.canvas);
    match list.textures.get(&place) {
        Some(Some(texture)) => {
            let size = texture.size_vec2();
            let side = size * (PICTURE / size.max_elem().max(1.0));
            Image::new(texture).paint_at(ui, Rect::from_center_size(square.center(), side));
        }
        Some(None) => {
            let font = FontId::proportional(11.0);
            ui.painter().text(square.center(), Align2::CENTER_CENTER, "–", font, palette.canvas_text);
        }
        None => {}
    }
    if list.marked.contains(&place) {
        mark(ui.painter(), square, palette);
    }
    cases::badge(ui.painter(), square, list.states.state(place), palette);
    let text = Rect::from_min_max(pos2(square.right() + 6.0, rect.top()), rect.right_bottom() - vec2(4.0, 0.0));
    describe(ui, text, &name, &words, is_current);
    if response.clicked() {
        commands.push(Command::OpenItem(place));
    }
    // A series has a descriptive name; its file distinguishes it from others with the same name.
    let file = file_name(&item.path);
    let mut hover = if file == item.name { name } else { format!("{name}\n{file}") };
    if !words.is_empty() {
        hover += &format!("\n{}", words.join(" · "));
    }
    for (reader, state) in list.states.others(place) {
        hover += &format!("\n{reader}: {}", state.name());
    }
    if let Some(prompt) = list.edited.get(&place).or(item.prompt.as_ref()) {
        hover += &format!("\n{prompt}");
    }
    response.on_hover_text(hover);
}

/// Draws a corner of the thumbnail in the accent colour.
fn mark(painter: &Painter, square: Rect, palette: &Palette) {
    let corner = square.right_top();
    let points = vec![corner - vec2(MARK, 0.0), corner, corner + vec2(0.0, MARK)];
    painter.add(Shape::convex_polygon(points, palette.accent, Stroke::new(1.0, palette.canvas)));
}

/// Draws the name on at most two lines, shortened in its middle, and the labels of the case below it. The user's
/// own labels come first, so that they are not cut off.
fn describe(ui: &Ui, rect: Rect, name: &str, words: &[&str], is_current: bool) {
    let palette = theme::palette(ui.visuals());
    let [large, small] = [FontId::proportional(12.5), FontId::proportional(11.5)];
    let fitting = |text: &str, font: &FontId, room: f32| {
        ui.fonts_mut(|fonts| middle(text, room, |letter| fonts.glyph_width(font, letter)))
    };
    let lay = |text: String, font: &FontId, colour: Color32, rows: usize| {
        let mut job = LayoutJob::simple_singleline(text, font.clone(), colour);
        job.wrap =
            TextWrapping { max_width: rect.width(), max_rows: rows, break_anywhere: true, ..Default::default() };
        ui.painter().layout_job(job)
    };
    // A line break can waste the width of up to one letter.
    let name = lay(fitting(name, &large, 2.0 * rect.width() - 14.0), &large, palette.text, 2);
    let colour = if is_current { palette.text } else { palette.weak };
    let said = lay(words.join(" · "), &small, colour, 1);
    let height = name.size().y + if words.is_empty() { 0.0 } else { said.size().y + 1.0 };
    let top = rect.center().y - height / 2.0;
    let beneath = pos2(rect.left(), top + name.size().y + 1.0);
    ui.painter().galley(pos2(rect.left(), top), name, palette.text);
    ui.painter().galley(beneath, said, colour);
}
