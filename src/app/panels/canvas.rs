//! The image in the centre.

use eframe::egui::emath::GuiRounding;
use eframe::egui::{self, Painter, PointerButton, Rect, Response, Role, Sense, Ui, WidgetInfo};

use super::panel::{Around, Panel};
use super::{annotate, area, empty, hud, level, wheel};
use crate::app::annotating::Looked;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::app::view::View;
use crate::data::volume::Window;
use crate::render::{Labels, Paint, PictureStyle, ProbabilityLayer, Show, TruthLayer, Uniforms};

/// The opacity of an outdated mask relative to an up-to-date one.
const DIMMED: f32 = 0.4;
/// The width of an outline, in points.
const OUTLINE: f32 = 1.5;
/// The number of scroll points that double the zoom, divided by ln 2.
const WHEEL: f32 = 220.0;
/// The thickness of the progress line in points, and the seconds of one pass from end to end.
const PROGRESS: (f32, f64) = (2.0, 1.2);

/// The image with its overlay.
pub struct Canvas;

const INFO: PaneInfo = PaneInfo {
    title: "Picture",
    help: "The image that is open, with its mask.",
    places: &[Place::new(Tab::Read, Column::Middle, 0), Place::new(Tab::Annotate, Column::Middle, 0)],
    size: [800.0, 600.0],
    growth: 3,
    is_hero: true,
    ..PaneInfo::new(Pane::new("picture"))
};

impl Panel for Canvas {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Bare
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the image, and the slice strip of a stack below it.
pub fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let draws = state.tab == Tab::Annotate && state.presentation.is_none() && state.document.image.is_some();
    if draws {
        annotate::bars(ui, state, commands);
    }
    if state.presentation.is_none() {
        level::slices(ui, state, commands);
    }
    let rect = ui.available_rect_before_wrap().round_to_pixels(ui.pixels_per_point());
    if let Some(open) = &state.document.image {
        let aspect = open.volume.pixel_aspect();
        state.view.frame(rect, ui.pixels_per_point(), open.layer.size, aspect);
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo {
            current_text_value: Some(hud::spoken(state)),
            ..WidgetInfo::labeled(Role::Image, true, "Picture")
        });
        move_about(ui, &response, state, commands);
        if draws {
            annotate::draw(ui, &response, state, commands);
        }
        if state.draws_box() {
            area::draw(ui, &response, state, commands);
        }
        if let Some(paint) = paint(state, theme::palette(ui.visuals()), ui.pixels_per_point()) {
            ui.painter().with_clip_rect(rect).add(state.picture.callback(rect, paint));
        }
        area::show(ui, rect, state);
        hud::show(ui, rect, state, response.hover_pos());
        if draws {
            annotate::cursor(ui, &response, state);
        }
    } else {
        ui.painter().rect_filled(rect, 0.0, theme::palette(ui.visuals()).canvas);
        empty::show(ui, rect, state, commands);
    }
    if state.is_waiting_visibly() {
        progress_line(ui.painter(), rect, ui.input(|input| input.time), ui.visuals());
    }
    if ui.input(|input| !input.raw.hovered_files.is_empty()) {
        empty::drop_target(ui, rect, "Drop an image, a ground truth (mask…), a model or a session");
    }
}

fn move_about(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    let is_measuring = ui.input(|input| input.modifiers.shift);
    // In the Annotate tab, the left button belongs to the tool; with a model that takes a box, it draws the box.
    let is_box = state.draws_box();
    let is_tools = annotate::has_button(ui, state) || is_box;
    if response.dragged_by(PointerButton::Primary) && is_measuring && (!is_tools || is_box) {
        if let Some(pointer) = response.interact_pointer_pos() {
            let here = state.view.image_at(pointer);
            let begun = state.ruler.filter(|_| !response.drag_started());
            // A drag is detected only after a few points, so the ruler starts where the button was pressed.
            let pressed = || ui.input(|input| input.pointer.press_origin()).unwrap_or(pointer);
            let from = begun.map_or_else(|| state.view.image_at(pressed()), |[from, _]| from);
            commands.push(Command::Ruler(Some([from, here])));
        }
    } else if response.dragged_by(PointerButton::Primary) && !is_tools
        || response.dragged_by(PointerButton::Middle)
    {
        commands.push(Command::Pan(response.drag_delta()));
    }
    if response.dragged_by(PointerButton::Secondary)
        && let Some(open) = &state.document.image
    {
        // A drag across the whole image changes the window by twice the value range.
        let Window { centre, width } = open.seen.window;
        let step = 2.0 * open.full.width / response.rect.width().max(1.0);
        let delta = response.drag_delta() * step;
        commands.push(Command::SetWindow(Window { centre: centre + delta.y, width: width + delta.x }));
    }
    if response.double_clicked() && !is_tools {
        commands.push(Command::Fit);
    }
    if let Some(pointer) = response.hover_pos().filter(|_| !annotate::takes_wheel(ui, state)) {
        let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let is_stack = state.document.image.as_ref().is_some_and(|open| open.volume.slices > 1);
        if is_stack && pinch == 1.0 {
            let steps = wheel::notches(ui);
            if steps != 0 {
                commands.push(Command::StepSlice(-steps));
            }
        }
        let factor = pinch * if is_stack { 1.0 } else { (wheel / WHEEL).exp() };
        if factor != 1.0 {
            commands.push(Command::Zoom(factor, Some(pointer)));
        }
    }
    if response.dragged() && !is_tools {
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
    }
}

/// A mask over the image, in one place of a frame.
pub struct Over<'a> {
    /// The number of the place, see [`Paint::place`].
    pub place: u32,
    /// The part of the image that is seen.
    pub view: &'a View,
    /// The probability; `None` if there is no mask.
    pub probability: Option<ProbabilityLayer>,
    /// The threshold of the mask.
    pub threshold: f32,
    /// Whether the probability is shown in place of the mask.
    pub heat: bool,
    /// Whether the mask is compared with the ground truth, if there is one.
    pub compares: bool,
    /// Whether the mask is drawn dimmed.
    pub is_dimmed: bool,
    /// Which of prediction and annotation is looked at.
    pub looked: Looked,
}

/// Returns what the shader needs to draw the main view; `None` without an image.
fn paint(state: &State, palette: &theme::Palette, pixels_per_point: f32) -> Option<Paint> {
    let is_doubtful = state.misread().is_some_and(|misread| misread.doubt.is_some());
    let uncertain = state.uncertainty().map(|(_, layer)| layer.clone());
    let is_uncertain = uncertain.is_some();
    let over = Over {
        place: 0,
        view: &state.view,
        probability: uncertain.or_else(|| state.shown.as_ref().map(|shown| shown.layer.clone())),
        // A map of the uncertainty has no mask.
        threshold: if is_uncertain { 2.0 } else { state.settings.threshold },
        heat: state.settings.heat || is_uncertain,
        compares: state.compares() && !is_uncertain,
        is_dimmed: state.is_dimmed() || is_doubtful,
        looked: state.looked(),
    };
    paint_over(state, over, palette, pixels_per_point)
}

/// Returns what the shader needs to draw a mask over the open image; `None` without an image.
pub fn paint_over(
    state: &State,
    over: Over<'_>,
    palette: &theme::Palette,
    pixels_per_point: f32,
) -> Option<Paint> {
    let open = state.document.image.as_ref()?;
    let settings = &state.settings;
    let is_on = state.show_overlay && !state.overlay_held;
    let labels = state.label_layer().filter(|_| is_on && over.looked != Looked::Prediction);
    let drawn = match over.looked {
        _ if labels.is_none() => Labels::Hidden,
        Looked::Prediction => Labels::Hidden,
        Looked::Difference => Labels::Truth,
        Looked::Annotation if over.compares => Labels::Mask,
        Looked::Annotation => Labels::Coloured,
    };
    let has_probability = is_on && over.probability.is_some();
    let show = Show {
        prediction: has_probability && drawn != Labels::Mask,
        truth: match drawn {
            // Without a mask, a comparison would show all of the ground truth as missed.
            Labels::Hidden => has_probability && over.compares,
            Labels::Coloured => false,
            Labels::Mask => true,
            Labels::Truth => has_probability,
        },
        labels: drawn,
        fill: settings.fill,
        contour: settings.contour,
        smooth: settings.smooth,
        invert: open.seen.is_inverted,
        heat: over.heat && matches!(drawn, Labels::Hidden | Labels::Coloured),
        hatch: settings.colours.is_hatched(),
    };
    let dimming = if over.is_dimmed { DIMMED } else { 1.0 };
    let look = PictureStyle {
        threshold: over.threshold,
        opacity: settings.opacity * dimming,
        outline_opacity: dimming,
        outline_px: OUTLINE * pixels_per_point,
        window: open.seen().window.range(),
    };
    let truth = state.truth_mask().map(|(key, mask)| TruthLayer { key, mask });
    Some(Paint {
        place: over.place,
        image: open.layer.clone(),
        probability: over.probability,
        truth,
        labels,
        uniforms: Uniforms::new(
            over.view.placement(),
            show,
            &theme::overlay_colours(&settings.colours, palette),
            look,
        )
        .with_labels(&state.label_colours()),
    })
}

/// Draws an indeterminate progress line along the lower edge of the image.
pub fn progress_line(painter: &Painter, rect: Rect, time: f64, visuals: &egui::Visuals) {
    let (thickness, period) = PROGRESS;
    let phase = ((time / period).fract() * 1.3 - 0.3) as f32;
    let line = Rect::from_min_max(egui::pos2(rect.left(), rect.bottom() - thickness), rect.max);
    let piece = Rect::from_x_y_ranges(
        line.left() + line.width() * phase..=line.left() + line.width() * (phase + 0.3),
        line.y_range(),
    );
    painter.rect_filled(piece.intersect(line), 0.0, theme::palette(visuals).accent);
}
