//! All colours of the window, and its spacing.

use eframe::egui::{self, Color32, CornerRadius, FontId, Shadow, Stroke, TextStyle, Theme, Visuals};
use serde::{Deserialize, Serialize};

use crate::data::overlay::{self, OverlayColours};
use crate::render::PictureColours;

/// The dark or the light theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// Dark neutral grey.
    #[default]
    Dark,
    /// Light neutral grey.
    Light,
}

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// The background of panels, menus and dialogs.
    pub panel: Color32,
    /// The background of text fields and slider rails.
    pub field: Color32,
    /// The area around the image.
    pub canvas: Color32,
    /// The text on the canvas.
    pub canvas_text: Color32,
    /// The background of panel tabs.
    pub bar: Color32,
    /// The lines between panels.
    pub line: Color32,
    /// The background of buttons.
    pub button: Color32,
    /// A button under the pointer.
    pub button_hovered: Color32,
    /// The normal text.
    pub text: Color32,
    /// The explanatory text.
    pub weak: Color32,
    /// Active elements.
    pub accent: Color32,
    /// The background of selected elements.
    pub accent_fill: Color32,
    /// The text of selected elements.
    pub chosen: Color32,
    /// Warnings.
    pub warning: Color32,
    /// Errors.
    pub error: Color32,
    /// The background of a word that the network received.
    pub token: Color32,
    /// The lines of a chart.
    pub lines: [Color32; 4],
}

const DARK: Palette = Palette {
    panel: Color32::from_gray(32),
    field: Color32::from_gray(20),
    canvas: Color32::from_gray(12),
    canvas_text: Color32::from_gray(200),
    bar: Color32::from_gray(23),
    line: Color32::from_gray(54),
    button: Color32::from_gray(56),
    button_hovered: Color32::from_gray(72),
    text: Color32::from_gray(222),
    weak: Color32::from_gray(164),
    accent: Color32::from_rgb(92, 172, 255),
    accent_fill: Color32::from_rgb(24, 74, 124),
    chosen: Color32::from_rgb(168, 212, 255),
    warning: Color32::from_rgb(255, 190, 92),
    error: Color32::from_rgb(255, 138, 128),
    token: Color32::from_gray(50),
    lines: [
        Color32::from_rgb(92, 172, 255),
        Color32::from_rgb(255, 168, 80),
        Color32::from_rgb(110, 208, 132),
        Color32::from_rgb(236, 138, 196),
    ],
};

const LIGHT: Palette = Palette {
    panel: Color32::from_gray(241),
    field: Color32::WHITE,
    canvas: Color32::from_gray(46),
    canvas_text: Color32::from_gray(222),
    bar: Color32::from_gray(224),
    line: Color32::from_gray(202),
    button: Color32::from_gray(222),
    button_hovered: Color32::from_gray(208),
    text: Color32::from_gray(32),
    weak: Color32::from_gray(88),
    accent: Color32::from_rgb(0, 92, 168),
    accent_fill: Color32::from_rgb(190, 218, 246),
    chosen: Color32::from_rgb(0, 72, 138),
    warning: Color32::from_rgb(134, 76, 0),
    error: Color32::from_rgb(170, 28, 28),
    token: Color32::from_gray(224),
    lines: [
        Color32::from_rgb(0, 92, 168),
        Color32::from_rgb(176, 84, 0),
        Color32::from_rgb(20, 118, 50),
        Color32::from_rgb(158, 30, 108),
    ],
};

/// The colour scheme of the overlay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Yellow, red and green.
    #[default]
    Paper,
    /// Blue, orange and hatched grey.
    Safe,
    /// The user-defined colours.
    Own,
}

impl Scheme {
    /// All schemes with their names.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Paper, "Paper: yellow, red, green"),
        (Self::Safe, "Safe: blue, orange, hatched grey"),
        (Self::Own, "Own colours"),
    ];
}

/// The chosen overlay colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Colours {
    /// The scheme in use.
    pub scheme: Scheme,
    /// The user-defined colours.
    pub own: OverlayColours,
}

impl Default for Colours {
    fn default() -> Self {
        Self { scheme: Scheme::Paper, own: OverlayColours::PAPER }
    }
}

impl Colours {
    /// Returns the colours in use.
    pub fn overlay(&self) -> OverlayColours {
        match self.scheme {
            Scheme::Paper => OverlayColours::PAPER,
            Scheme::Safe => OverlayColours::SAFE,
            Scheme::Own => self.own,
        }
    }

    /// Returns whether false positives are hatched.
    pub fn is_hatched(&self) -> bool {
        self.scheme == Scheme::Safe
    }
}

/// Converts an overlay colour for the screen.
pub fn colour(bytes: [u8; 3]) -> Color32 {
    from_bytes(bytes)
}

/// Returns the colour of text on a coloured background: black or white, whichever is easier to read.
pub fn text_on(background: Color32) -> Color32 {
    // From this luminance on, black has the higher contrast.
    if luminance(background) > 0.179 { Color32::BLACK } else { Color32::WHITE }
}

/// Returns the relative luminance of a colour, 0…1 (WCAG 2.1).
fn luminance(colour: Color32) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

/// The colour that marks a cell of a small map.
pub const MARK: Color32 = Color32::from_rgb(255, 48, 48);
/// The outline of the predicted mask.
pub const PREDICTION_OUTLINE: Color32 = from_bytes(overlay::PREDICTION_OUTLINE);
/// The colour of text over the image.
pub const OVER_PICTURE: Color32 = Color32::from_gray(235);
/// The colour of a warning over the image.
pub const WARNING_OVER_PICTURE: Color32 = Color32::from_rgb(255, 190, 92);
/// The background that keeps text and lines over the image visible on white.
pub const BEHIND_WORDS: Color32 = Color32::from_black_alpha(150);
/// The outline of an eraser.
pub const ERASER: Color32 = Color32::from_rgb(255, 150, 150);
/// The colour of the ruler.
pub const RULER: Color32 = Color32::from_rgb(255, 200, 90);
/// The outline of the ground truth.
pub const TRUTH_OUTLINE: Color32 = from_bytes(overlay::TRUTH_OUTLINE);

const fn from_bytes([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// Returns the colours of the theme in use.
pub fn palette(visuals: &Visuals) -> &'static Palette {
    if visuals.dark_mode { &DARK } else { &LIGHT }
}

/// Sets up both themes; called once.
pub fn install(ctx: &egui::Context) {
    for (theme, palette) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(theme, palette);
            style.text_styles.insert(TextStyle::Heading, FontId::proportional(16.0));
            style.text_styles.insert(TextStyle::Body, FontId::proportional(13.5));
            style.text_styles.insert(TextStyle::Button, FontId::proportional(13.5));
            style.text_styles.insert(TextStyle::Small, FontId::proportional(12.0));
            style.spacing.item_spacing = egui::vec2(8.0, 5.0);
            style.spacing.button_padding = egui::vec2(8.0, 3.0);
            style.spacing.interact_size.y = 22.0;
            style.spacing.window_margin = egui::Margin::same(12);
        });
    }
}

/// Switches the window to `choice`.
pub fn apply(ctx: &egui::Context, choice: ThemeChoice) {
    ctx.set_theme(match choice {
        ThemeChoice::Dark => Theme::Dark,
        ThemeChoice::Light => Theme::Light,
    });
}

/// Converts the overlay's colours for the graphics device.
pub fn overlay_colours(colours: &Colours, palette: &Palette) -> PictureColours {
    let canvas = palette.canvas;
    PictureColours { overlay: colours.overlay(), canvas: [canvas.r(), canvas.g(), canvas.b()] }
}

fn visuals(theme: Theme, palette: &Palette) -> Visuals {
    let mut visuals = match theme {
        Theme::Dark => Visuals::dark(),
        Theme::Light => Visuals::light(),
    };
    let radius = CornerRadius::same(4);
    let text = Stroke::new(1.0, palette.text);
    let widgets = &mut visuals.widgets;
    for widget in [
        &mut widgets.noninteractive,
        &mut widgets.inactive,
        &mut widgets.hovered,
        &mut widgets.active,
        &mut widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.expansion = 0.0;
        widget.fg_stroke = text;
        widget.bg_stroke = Stroke::NONE;
        widget.bg_fill = palette.button;
        widget.weak_bg_fill = palette.button;
    }
    widgets.noninteractive.bg_fill = palette.panel;
    widgets.noninteractive.weak_bg_fill = palette.panel;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    for widget in [&mut widgets.hovered, &mut widgets.active, &mut widgets.open] {
        widget.bg_fill = palette.button_hovered;
        widget.weak_bg_fill = palette.button_hovered;
    }
    widgets.active.bg_stroke = Stroke::new(1.0, palette.accent);
    visuals.weak_text_color = Some(palette.weak);
    visuals.selection.bg_fill = palette.accent_fill;
    // This is the colour of selected text and of the edge of a focused field.
    visuals.selection.stroke = Stroke::new(1.0, palette.chosen);
    visuals.hyperlink_color = palette.accent;
    visuals.extreme_bg_color = palette.field;
    visuals.faint_bg_color = palette.token;
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(6);
    visuals.menu_corner_radius = radius;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.error;
    visuals.slider_trailing_fill = true;
    // A blinking cursor redraws the whole window twice a second while the prompt has the focus.
    visuals.text_cursor.blink = false;
    visuals.window_shadow = Shadow { offset: [0, 4], blur: 12, spread: 0, color: Color32::from_black_alpha(70) };
    visuals.popup_shadow = visuals.window_shadow;
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_everything_it_stands_on() {
        for palette in [DARK, LIGHT] {
            let on_panels = [palette.text, palette.weak, palette.accent, palette.warning, palette.error];
            let mut pairs: Vec<_> = on_panels
                .iter()
                .flat_map(|&text| [palette.panel, palette.field, palette.token].map(|behind| (text, behind)))
                .collect();
            pairs.extend([palette.button, palette.button_hovered, palette.accent_fill].map(|b| (palette.text, b)));
            pairs.push((palette.canvas_text, palette.canvas));
            pairs.push((palette.chosen, palette.accent_fill));
            for (text, behind) in pairs {
                let ratio = contrast(text, behind);
                assert!(ratio >= 4.5, "{text:?} on {behind:?}: {ratio:.2}");
            }
            for (line, behind) in
                palette.lines.iter().flat_map(|line| [(line, palette.panel), (line, palette.field)])
            {
                let ratio = contrast(*line, behind);
                assert!(ratio >= 3.0, "{line:?} on {behind:?}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn text_is_readable_on_every_colour() {
        for bytes in (0..=255_u8).flat_map(|a| [[a, a, a], [a, 0, 255 - a], [255, a, 0], [0, a, 128]]) {
            let behind = colour(bytes);
            assert!(contrast(text_on(behind), behind) >= 4.5, "{bytes:?}");
        }
    }
}
