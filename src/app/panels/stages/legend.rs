//! The meaning of the colours in the images.

use eframe::egui::{Align, Color32, Layout, Rect, RichText, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use crate::analysis::maps::Scale;
use crate::app::panels::widgets::{at_threshold, explain, swatch};
use crate::app::state::State;
use crate::app::theme;
use crate::data::Outcome;

/// The minimum width for a legend in one line, in points.
const WIDE: f32 = 620.0;
/// The height of the images' area below which a legend in one line is abbreviated, in points.
const LOW: f32 = 240.0;
/// The height of the images' area below which there is no legend, in points.
const LOWEST: f32 = 130.0;
const GESTURES: &str =
    "Scroll to zoom, drag to move, double-click to see the whole picture. All pictures show the same part.";

/// How much of the legend is written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In one line below the images.
    Line,
    /// In two lines below the images.
    Lines,
    /// In one line of abbreviations, which are explained on hover.
    Brief,
    /// One entry below the other, beside the images.
    Stacked,
    /// Left out, because the images need all the space.
    Absent,
}

impl Form {
    /// Returns the form of a legend below the images, which share `area` with it.
    pub fn below(area: Rect) -> Self {
        match (area.width() >= WIDE, area.height()) {
            (_, ..LOWEST) => Self::Absent,
            (true, _) => Self::Line,
            (false, ..LOW) => Self::Brief,
            (false, _) => Self::Lines,
        }
    }

    /// Returns the height of a legend below the images, in points.
    pub fn height(self) -> f32 {
        match self {
            Self::Lines => 52.0,
            Self::Absent => 0.0,
            Self::Line | Self::Brief | Self::Stacked => 30.0,
        }
    }
}

/// Draws the legend in `rect`.
pub fn show(ui: &mut Ui, state: &State, rect: Rect, scale: Option<Scale>, form: Form) {
    if form == Form::Absent {
        return;
    }
    let ink = theme::palette(ui.visuals()).canvas_text;
    let words = |text: &str| RichText::new(text).size(12.0).color(ink);
    let overlay = state.settings.colours.overlay();
    let outcomes = if state.compares() { &Outcome::COMPARED[..] } else { &[Outcome::Mask] };
    let is_brief = form == Form::Brief;
    let layout = match form {
        Form::Stacked => Layout::top_down(Align::Min),
        Form::Brief => Layout::left_to_right(Align::Center),
        Form::Line | Form::Lines | Form::Absent => Layout::left_to_right(Align::Center).with_main_wrap(true),
    };
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        ui.spacing_mut().interact_size.y = 18.0;
        // The canvas is dark in the light theme too.
        ui.visuals_mut().hyperlink_color = ink;
        // Entries are not split: an entry that does not fit moves to the next line.
        let entry = |ui: &mut Ui, width: f32, content: &mut dyn FnMut(&mut Ui)| match form {
            Form::Stacked => drop(ui.horizontal(content)),
            _ => {
                if !is_brief && ui.available_size_before_wrap().x < width {
                    ui.end_row();
                }
                content(ui);
                ui.add_space(if is_brief { 2.0 } else { 6.0 });
            }
        };
        if let Some(scale) = scale {
            entry(ui, 190.0, &mut |ui| colours(ui, scale, if is_brief { 24 } else { 58 }, ink));
        }
        for outcome in outcomes {
            entry(ui, 118.0, &mut |ui| {
                swatch(ui, theme::colour(overlay.colour(*outcome)));
                let name = if is_brief { outcome.abbreviation() } else { outcome.title() };
                ui.label(words(name)).on_hover_text(outcome.title());
            });
        }
        let masks = format!("Masks at {}", at_threshold(state.settings.threshold));
        if is_brief {
            explain(ui, &format!("{masks}. {GESTURES}"));
            return;
        }
        entry(ui, 150.0, &mut |ui| drop(ui.label(words(&masks))));
        entry(ui, 110.0, &mut |ui| {
            ui.label(words("Zoom and move"));
            explain(ui, GESTURES);
        });
    });
}

/// Draws the colour scale of the maps in `steps` steps, with its lowest and highest value.
fn colours(ui: &mut Ui, scale: Scale, steps: u16, ink: Color32) {
    let [low, high] = scale.range();
    let number = |value: f32| RichText::new(format!("{value}").replace('-', "−")).size(12.0).color(ink);
    ui.label(number(low));
    let (bar, response) = ui.allocate_exact_size(vec2(2.0 * f32::from(steps), 10.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Colours of the maps"));
    for step in (0..steps).map(f32::from) {
        let [r, g, b] = scale.colour(low + (high - low) * (step + 0.5) / f32::from(steps));
        let part = Rect::from_min_size(bar.min + vec2(step * 2.0, 0.0), vec2(2.0, 10.0));
        ui.painter().rect_filled(part, 0.0, Color32::from_rgb(r, g, b));
    }
    ui.label(number(high));
}
