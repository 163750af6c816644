//! The content of the image area while no image is open.

use eframe::egui::{
    Align2, Button, ColorImage, FontId, Id, Image, Label, Layout, Rect, Response, RichText, TextureHandle,
    TextureOptions, Ui, UiBuilder, vec2,
};

use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::state::State;
use crate::app::text::file_name;
use crate::app::theme;
use crate::data::samples::{SAMPLES, SampleCase};

/// The side length of a sample's thumbnail, in points.
const THUMBNAIL: f32 = 96.0;

/// Explains how to open an image and offers to do so, or explains why the requested case is not shown.
pub fn show(ui: &mut Ui, rect: Rect, state: &State, commands: &mut Vec<Command>) {
    let colour = theme::palette(ui.visuals()).canvas_text;
    if let Some(why) = &state.failed {
        let area = Rect::from_center_size(rect.center(), vec2(rect.width().min(560.0) - 24.0, 120.0));
        let layout = Layout::top_down(eframe::egui::Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(area).layout(layout), |ui| {
            ui.label(RichText::new("This case could not be opened.").heading().color(colour));
            ui.add_space(4.0);
            ui.add(Label::new(RichText::new(why).color(colour)).wrap().selectable(true));
        });
        return;
    }
    let area = Rect::from_center_size(rect.center(), vec2(rect.width().min(560.0) - 24.0, 280.0));
    let layout = Layout::top_down(eframe::egui::Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(area).layout(layout), |ui| {
        let words = "Open an image, then describe what to segment.";
        ui.label(RichText::new(words).heading().color(colour));
        ui.add_space(4.0);
        let about_model = match (&state.model, state.jobs.model.pending()) {
            (Some(model), _) => format!("The model {} is open.", model.info.name),
            (None, Some(awaited)) => format!("Opening model {}…", file_name(awaited.what.path())),
            (None, None) => "No model is open. Open one to see masks.".into(),
        };
        ui.label(RichText::new(about_model).color(colour));
        ui.add_space(10.0);
        let width = 2.0 * 130.0 + ui.spacing().item_spacing.x;
        ui.allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(eframe::egui::Align::Center), |ui| {
            for (text, kind) in [("Open image…", DialogKind::Image), ("Open model…", DialogKind::ModelFolder)]
            {
                if ui.add_sized([130.0, 28.0], eframe::egui::Button::new(text)).clicked() {
                    commands.push(Command::OpenDialog(kind));
                }
            }
        });
        ui.add_space(10.0);
        ui.label(
            RichText::new("Or drop files here, or try a sample case (synthetic images, no real patient):")
                .small()
                .color(colour),
        );
        ui.add_space(8.0);
        let samples = &SAMPLES[..3];
        let width = samples.len() as f32 * (THUMBNAIL + 2.0 * ui.spacing().button_padding.x)
            + (samples.len() - 1) as f32 * ui.spacing().item_spacing.x;
        ui.allocate_ui_with_layout(
            vec2(width, THUMBNAIL + 24.0),
            Layout::left_to_right(eframe::egui::Align::Min),
            |ui| {
                for sample in samples {
                    if thumbnail(ui, sample).clicked() {
                        commands.push(Command::OpenSample(*sample));
                    }
                }
            },
        );
    });
}

/// Draws a button with the sample's thumbnail above its title.
fn thumbnail(ui: &mut Ui, sample: &SampleCase) -> Response {
    let id = Id::unique(("thumbnail", sample.title));
    let known: Option<TextureHandle> = ui.data(|data| data.get_temp(id));
    let texture = known.unwrap_or_else(|| {
        // Rendering a few thousand pixels is cheaper than handing them to a thread.
        let picture = sample.thumbnail(THUMBNAIL as usize).image;
        let size = [picture.width, picture.height];
        let pixels = ColorImage::from_rgba_unmultiplied(size, &picture.to_rgba8());
        let texture = ui.ctx().load_texture(sample.title, pixels, TextureOptions::LINEAR);
        ui.data_mut(|data| data.insert_temp(id, texture.clone()));
        texture
    });
    ui.vertical(|ui| {
        let image = Image::new(&texture).fit_to_exact_size(vec2(THUMBNAIL, THUMBNAIL)).alt_text(sample.title);
        let response = ui.add(Button::image(image));
        ui.label(RichText::new(sample.title).small().color(theme::palette(ui.visuals()).canvas_text));
        response
    })
    .inner
}

/// Draws the drop target while files are dragged over the window; `words` describe what may be dropped.
pub fn drop_target(ui: &Ui, rect: Rect, words: &str) {
    let palette = theme::palette(ui.visuals());
    let inner = rect.shrink(8.0);
    let fill = palette.canvas.gamma_multiply(0.85);
    ui.painter().rect(
        inner,
        6.0,
        fill,
        eframe::egui::Stroke::new(2.0, palette.accent),
        eframe::egui::StrokeKind::Inside,
    );
    ui.painter().text(
        inner.center(),
        Align2::CENTER_CENTER,
        words,
        FontId::proportional(16.0),
        palette.canvas_text,
    );
}
