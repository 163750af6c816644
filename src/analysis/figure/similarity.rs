//! The similarity of the text layers: the cosines between their `[CLS]` vectors, as the fusion receives them.

use super::page::{
    HEADING, INK, INNER, LABEL, MARGIN, TICK, WEAK, WIDTH, caption, case_label, colour_bar, column_heading,
};
use super::scene::{Anchor, Rect, Scene, Text};
use super::table::{Table, cell};
use super::{Content, Figure, FigureError, Picture};
use crate::analysis::maps::{Map, Scale};
use crate::infer::Plane;

/// Side of a matrix, and distance between two of them.
const SIDE: f32 = 200.0;
const GAP: f32 = 44.0;
/// Width to the left of a matrix for the numbers of its rows.
const NUMBERS: f32 = 16.0;
/// Cells are enlarged, so that a viewer does not blur them.
const CELL: usize = 16;

/// Draws the cosine of every two text layers' sentence vectors (`[CLS]`) as a matrix, one for each model, with one
/// row for each case. It depends on the prompt, not on the image.
///
/// Columns: `model`, `image`, `prompt`, `layer_a`, `layer_b` (from 1), `cosine`.
///
/// # Errors
/// Returns an error if there is nothing to draw, or if the inspection does not include the layers.
pub fn similarity(content: &Content) -> Result<Figure, FigureError> {
    content.check()?;
    let names = content.names();
    let mut scene = Scene::new(format!("Similarity of the text layers of {}", names.join(" and ")), WIDTH);
    let mut table = Table::new(&["model", "image", "prompt", "layer_a", "layer_b", "cosine"]);
    let mut y = MARGIN;
    for (index, case) in content.cases.iter().enumerate() {
        for (place, (model, name)) in content.models.iter().zip(&names).enumerate() {
            let seen = model.inspections[index];
            let layers = seen.similarity.len().isqrt();
            if layers == 0 {
                return Err(FigureError::Nothing {
                    reason: "the similarity of the layers was not computed; request it".into(),
                });
            }
            let x = MARGIN + NUMBERS + place as f32 * (SIDE + GAP);
            let rect = Rect::new(x, y + HEADING + 8.0, SIDE.min(INNER - NUMBERS), SIDE.min(INNER - NUMBERS));
            column_heading(&mut scene, rect, y + HEADING, name, "");
            matrix(&mut scene, rect, &seen.similarity, layers);
            for (at, cosine) in seen.similarity.iter().enumerate() {
                table.push([
                    name.clone(),
                    case.name.into(),
                    seen.prediction.prompt.clone(),
                    cell(at / layers + 1),
                    cell(at % layers + 1),
                    cell(*cosine),
                ]);
            }
        }
        y += HEADING + 8.0 + SIDE + 14.0;
        let prompt = &content.models[0].inspections[index].prediction.prompt;
        y = case_label(&mut scene, y + 10.0, case.name, prompt) + 16.0;
    }
    colour_bar(&mut scene, [MARGIN, y], Scale::Diverging, "cosine");
    let sentences = [
        format!("Similarity of the text encoder's layers in {}.", names.join(" and ")),
        "Each cell is the cosine of the sentence vectors (the first token's) of two layers, numbered from 1; similar layers contribute the same to a stage.".into(),
        content.remarks(),
    ];
    caption(&mut scene, y + 20.0, &sentences);
    Ok(Figure { scene, table })
}

fn matrix(scene: &mut Scene, rect: Rect, values: &[f32], layers: usize) {
    let plane = Plane { width: layers, height: layers, values: values.to_vec() };
    let drawn = Picture::of_map(&Map { plane, scale: Scale::Diverging }).enlarged(CELL);
    scene.picture(rect, drawn, false);
    let step = rect.width / layers as f32;
    // As many numbers as there is space for.
    let every = (1..).find(|every| *every as f32 * step >= TICK + 1.0).unwrap_or(1);
    for layer in (0..layers).filter(|layer| layer % every == 0) {
        let middle = step * (layer as f32 + 0.5);
        let words = (layer + 1).to_string();
        let left = Text::new([rect.x - 4.0, rect.y + middle + 0.35 * TICK], &words, TICK, WEAK);
        scene.text(left.anchored(Anchor::End));
        let below = Text::new([rect.x + middle, rect.bottom() + TICK + 3.0], &words, TICK, WEAK);
        scene.text(below.anchored(Anchor::Middle));
    }
    let name = Text::new([rect.middle(), rect.bottom() + TICK + LABEL + 5.0], "Text layer", LABEL, INK);
    scene.text(name.anchored(Anchor::Middle));
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, assert_tidy, numbers};
    use super::*;

    #[test]
    fn every_cosine_is_in_the_table_and_the_page_is_tidy() {
        let mut bench = Bench::new(&[7, 14, 28]);
        assert!(similarity(&bench.content()).is_err(), "nobody asked for it");
        bench.seen.similarity = (0..144).map(|at| 1.0 - (at / 12_usize).abs_diff(at % 12) as f32 / 12.0).collect();
        for (models, cases) in [(1, 1), (2, 2)] {
            let figure = similarity(&bench.content_of(models, cases)).expect("a figure");
            assert_tidy(&figure, "similarity");
            assert_eq!(figure.table.rows.len(), 144 * models * cases);
        }
        let figure = similarity(&bench.content()).expect("a figure");
        let of = [("layer_a", "3"), ("layer_b", "9")];
        assert_eq!(numbers(&figure, "cosine", &of), [0.5]);
    }
}
