//! The diagram of the lungs as an X-ray shows them: two fields of three zones each.

use eframe::egui::epaint::Mesh;
use eframe::egui::{
    Align2, Color32, CursorIcon, FontId, Pos2, Rect, Response, Role, Sense, Shape, Stroke, TextStyle, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::app::builder::Whose;
use crate::app::text::capitalised;
use crate::app::theme::{self, Palette};
use crate::text::prompt::{Lungs, Side, Zone};

/// The greatest width of the diagram and the height of its fields, in points.
const SIZE: [f32; 2] = [300.0, 168.0];
/// The share of the width that lies between the fields.
const BETWEEN: f32 = 0.06;
/// The distances of a field's outer and inner edge from its outer side, as shares of its width, by the height from the
/// apex (0) to the base (1).
const EDGES: [(f32, f32, f32); 8] = [
    (0.0, 0.60, 0.80),
    (0.04, 0.46, 0.88),
    (0.12, 0.32, 0.92),
    (0.28, 0.17, 0.93),
    (0.5, 0.08, 0.94),
    (0.7, 0.03, 0.95),
    (0.9, 0.0, 0.97),
    (1.0, 0.02, 1.0),
];
/// How much higher the base is at its inner than at its outer end, as a share of the height: the diaphragm.
const DOME: f32 = 0.13;
/// The steps of a zone's outline.
const STEPS: usize = 8;

/// Draws the diagram. Returns the prompt after a click on a zone.
pub fn show(ui: &mut Ui, lungs: &Lungs, whose: Whose) -> Option<Lungs> {
    let font = TextStyle::Small.resolve(ui.style());
    let line = ui.text_style_height(&TextStyle::Small);
    let lines = if whose.is_known() { 2.0 } else { 1.0 };
    let width = ui.available_width().min(SIZE[0]);
    let (rect, _) = ui.allocate_exact_size(vec2(width, lines * line + 4.0 + SIZE[1]), Sense::hover());
    let half = rect.width() * (1.0 - BETWEEN) / 2.0;
    let mut built = None;
    for side in Side::ALL.iter().copied() {
        let left = if side == Side::Left { rect.left() } else { rect.right() - half };
        let field = Rect::from_min_size(pos2(left, rect.bottom() - SIZE[1]), vec2(half, SIZE[1]));
        captions(ui, whose, side, pos2(field.center().x, rect.top()), &font, line);
        let field = Field { rect: field.shrink2(vec2(6.0, 2.0)), side };
        let clicked = field.show(ui, lungs, whose, &font);
        built = built.or(clicked.map(|zone| lungs.toggled(side, zone)));
    }
    built
}

/// Draws whose side this is, above a field.
fn captions(ui: &Ui, whose: Whose, side: Side, top: Pos2, font: &FontId, line: f32) {
    let palette = theme::palette(ui.visuals());
    let (first, second) = whose.captions(side);
    ui.painter().text(top, Align2::CENTER_TOP, first, font.clone(), palette.text);
    if let Some(second) = second {
        ui.painter().text(top + vec2(0.0, line), Align2::CENTER_TOP, second, font.clone(), palette.weak);
    }
}

/// A lung field.
struct Field {
    rect: Rect,
    side: Side,
}

impl Field {
    /// Draws the field. Returns the zone that was clicked.
    fn show(&self, ui: &mut Ui, lungs: &Lungs, whose: Whose, font: &FontId) -> Option<Zone> {
        let palette = theme::palette(ui.visuals());
        let zones = lungs.zones_of(self.side);
        let lung = whose.lung(self.side);
        let mut clicked = None;
        let mut edges = Vec::new();
        for (place, zone) in Zone::ALL.iter().copied().enumerate() {
            let from = place as f32 / 3.0;
            let is_on = zones.has(zone);
            let response = self.zone(ui, zone, from);
            let name = format!("{} zone of the {lung}", capitalised(zone.word()));
            response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, &name));
            ui.painter().add(Shape::mesh(self.mesh(from, fill(palette, is_on, &response))));
            let (left, right) = self.ends(from + 0.5 / 3.0);
            let colour = if is_on { palette.chosen } else { palette.weak };
            let middle = pos2((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
            ui.painter().text(middle, Align2::CENTER_CENTER, zone.word(), font.clone(), colour);
            if response.has_focus() || is_on {
                let width = if response.has_focus() { 2.5 } else { 1.5 };
                edges.push((from, Stroke::new(width, palette.accent)));
            }
            if response.on_hover_text(hint(is_on)).on_hover_cursor(CursorIcon::PointingHand).clicked() {
                clicked = Some(zone);
            }
        }
        for border in [1.0 / 3.0, 2.0 / 3.0] {
            let line: Vec<Pos2> =
                (0..=STEPS).map(|index| self.point(border, index as f32 / STEPS as f32)).collect();
            ui.painter().add(Shape::line(line, Stroke::new(1.0, palette.line)));
        }
        // A lung that is named without zones has the edge of one that is chosen.
        let is_bare = lungs.names(self.side) && zones.is_empty();
        let edge = if is_bare { Stroke::new(1.5, palette.accent) } else { Stroke::new(1.0, palette.weak) };
        ui.painter().add(Shape::closed_line(self.outline(0.0, 1.0, 3 * STEPS), edge));
        for (from, stroke) in edges {
            ui.painter().add(Shape::closed_line(self.outline(from, from + 1.0 / 3.0, STEPS), stroke));
        }
        clicked
    }

    /// Makes the zone that begins at the height `from` sensitive to clicks.
    fn zone(&self, ui: &Ui, zone: Zone, from: f32) -> Response {
        let (outline, id) =
            (self.outline(from, from + 1.0 / 3.0, STEPS), ui.scope_id().with(("zone", self.side, zone)));
        ui.interact(Rect::from_points(&outline).intersect(self.band(from)), id, Sense::click())
    }

    /// Returns the horizontal band in which a zone is clicked; the bands do not overlap.
    fn band(&self, from: f32) -> Rect {
        let height = self.rect.height() / 3.0;
        Rect::from_min_size(
            pos2(self.rect.left(), self.rect.top() + 3.0 * from * height),
            vec2(self.rect.width(), height),
        )
    }

    /// Returns the point at a share of the height, and at a share of the width from the outer to the inner edge.
    fn point(&self, height: f32, across: f32) -> Pos2 {
        let (outer, inner) = edges_at(height);
        let x = outer + (inner - outer) * across;
        let x = if self.side == Side::Left { x } else { 1.0 - x };
        let y = height * (1.0 - DOME * across * across);
        pos2(self.rect.left() + x * self.rect.width(), self.rect.top() + y * self.rect.height())
    }

    fn ends(&self, height: f32) -> (Pos2, Pos2) {
        (self.point(height, 0.0), self.point(height, 1.0))
    }

    /// Returns the outline of the part between two heights, with so many steps along its height.
    fn outline(&self, from: f32, to: f32, rows: usize) -> Vec<Pos2> {
        let step = |index: usize| index as f32 / STEPS as f32;
        let height = |index: usize| from + (to - from) * index as f32 / rows as f32;
        let inner = (0..=rows).map(|index| self.point(height(index), 1.0));
        let base = (1..STEPS).rev().map(|index| self.point(to, step(index)));
        let outer = (0..=rows).rev().map(|index| self.point(height(index), 0.0));
        let apex = (1..STEPS).map(|index| self.point(from, step(index)));
        inner.chain(base).chain(outer).chain(apex).collect()
    }

    /// Returns the filled zone that begins at the height `from`.
    fn mesh(&self, from: f32, colour: Color32) -> Mesh {
        let mut mesh = Mesh::default();
        let row = STEPS as u32 + 1;
        for at in 0..=STEPS {
            for across in 0..=STEPS {
                let height = from + at as f32 / STEPS as f32 / 3.0;
                mesh.colored_vertex(self.point(height, across as f32 / STEPS as f32), colour);
            }
        }
        for at in 0..STEPS as u32 {
            for across in 0..STEPS as u32 {
                let corner = at * row + across;
                mesh.add_triangle(corner, corner + 1, corner + row);
                mesh.add_triangle(corner + 1, corner + row + 1, corner + row);
            }
        }
        mesh
    }
}

/// Returns the colour of a part of a diagram.
pub(super) fn fill(palette: &Palette, is_on: bool, response: &Response) -> Color32 {
    match (is_on, response.hovered()) {
        (true, _) => palette.accent_fill,
        (false, true) => palette.token,
        (false, false) => palette.field,
    }
}

/// Returns what a click on a part of a diagram does.
pub(super) fn hint(is_on: bool) -> &'static str {
    if is_on { "Takes it out of the prompt" } else { "Adds it to the prompt" }
}

/// Returns the outer and the inner edge at a height.
fn edges_at(height: f32) -> (f32, f32) {
    let next = EDGES.partition_point(|(at, ..)| *at < height).clamp(1, EDGES.len() - 1);
    let ((from, outer, inner), (to, next_outer, next_inner)) = (EDGES[next - 1], EDGES[next]);
    let share = ((height - from) / (to - from)).clamp(0.0, 1.0);
    (outer + (next_outer - outer) * share, inner + (next_inner - inner) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_meet_and_stay_within_their_field() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(120.0, 160.0));
        for side in Side::ALL.iter().copied() {
            let field = Field { rect, side };
            for place in 0..3 {
                let from = place as f32 / 3.0;
                let outline = field.outline(from, from + 1.0 / 3.0, STEPS);
                assert!(outline.iter().all(|point| rect.expand(0.01).contains(*point)));
                // The name of a zone is where it is clicked.
                let (left, right) = field.ends(from + 0.5 / 3.0);
                assert!(field.band(from).contains(left.lerp(right, 0.5)), "{side:?} {place}");
            }
            assert_eq!(field.band(0.0).bottom(), field.band(1.0 / 3.0).top());
        }
        let (outer, inner) = (Field { rect, side: Side::Left }).ends(0.5);
        assert!(outer.x < inner.x, "the left field opens to the left");
    }
}
