//! The numbers of the labels of pixels, for drawing.

use super::annotation::Annotation;
use super::label::LabelId;

impl Annotation {
    /// Returns for every pixel of a box of a slice the number of its label ([`Annotation::number`]), row-major; 0 for
    /// pixels without a visible label. Where labels overlap, `top` comes first, then the one that was added last.
    /// `corner` is the first column and row of the box, `size` its numbers of columns and rows; the box lies within
    /// the slice.
    pub fn numbers(
        &self,
        slice: usize,
        corner: [usize; 2],
        [width, height]: [usize; 2],
        top: Option<LabelId>,
    ) -> Vec<u8> {
        let columns = self.shape()[0];
        let mut numbers = vec![0; width * height];
        let others = self.labels().filter(|(id, _)| Some(*id) != top);
        let last = top.and_then(|id| Some((id, self.label(id)?)));
        for (id, _) in others.chain(last).filter(|(_, label)| label.is_visible) {
            let (Some(known), Some(number)) = (self.mask(id, slice), self.number(id)) else { continue };
            for (row, line) in numbers.chunks_exact_mut(width.max(1)).enumerate() {
                let from = (corner[1] + row) * columns + corner[0];
                for (pixel, value) in line.iter_mut().zip(&known.mask.values[from..from + width]) {
                    if *value != 0 {
                        *pixel = number;
                    }
                }
            }
        }
        numbers
    }
}
