//! The sides of the patient at the edges of the image.

use serde::Serialize;

use super::Turn;

/// The letters of the patient's sides at the edges of the image: R (right), L (left), A (anterior), P
/// (posterior), S (superior) and I (inferior).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// The letter at the left edge of the image.
    pub left: char,
    /// The letter at the right edge of the image.
    pub right: char,
    /// The letter at the upper edge of the image.
    pub top: char,
    /// The letter at the lower edge of the image.
    pub bottom: char,
}

impl Sides {
    /// Derives the letters from the directions in which the column and row numbers increase, in the patient
    /// coordinates of DICOM (PS3.3 C.7.6.2.1.1): x to the patient's left, y to the back, z to the head. `None`
    /// if a direction has no length or if both point mostly along the same axis.
    pub fn new(across: [f64; 3], down: [f64; 3]) -> Option<Self> {
        let (right, bottom) = (letter(across)?, letter(down)?);
        (right != bottom && right != opposite(bottom)).then(|| Self {
            left: opposite(right),
            right,
            top: opposite(bottom),
            bottom,
        })
    }

    /// Returns the letters of the image turned by `turn`.
    pub fn turned(self, turn: Turn) -> Self {
        let Self { mut left, mut right, mut top, mut bottom } = self;
        if turn.transposed {
            std::mem::swap(&mut left, &mut top);
            std::mem::swap(&mut right, &mut bottom);
        }
        if turn.reversed[0] {
            std::mem::swap(&mut left, &mut right);
        }
        if turn.reversed[1] {
            std::mem::swap(&mut top, &mut bottom);
        }
        Self { left, right, top, bottom }
    }

    /// Returns whether the patient's right is at the left edge, as in the usual radiological display. `None` if
    /// neither the patient's left nor right is at the left edge.
    pub fn is_mirrored(self) -> Option<bool> {
        match self.left {
            'R' => Some(true),
            'L' => Some(false),
            _ => None,
        }
    }
}

/// Returns the letter of the side to which a direction mostly points, or `None` if it has no finite length.
fn letter(direction: [f64; 3]) -> Option<char> {
    let letters = [['R', 'L'], ['A', 'P'], ['I', 'S']];
    let (axis, length) = direction.iter().map(|part| part.abs()).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (length > 1e-6 && length.is_finite()).then(|| letters[axis][usize::from(direction[axis] > 0.0)])
}

fn opposite(letter: char) -> char {
    match letter {
        'R' => 'L',
        'L' => 'R',
        'A' => 'P',
        'P' => 'A',
        'S' => 'I',
        _ => 'S',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_planes() {
        let axial = Sides::new([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).expect("sides");
        assert_eq!(axial, Sides { left: 'R', right: 'L', top: 'A', bottom: 'P' });
        assert_eq!(axial.is_mirrored(), Some(true));
        let coronal = Sides::new([-0.9, 0.1, 0.0], [0.0, 0.2, -0.98]).expect("sides");
        assert_eq!(coronal, Sides { left: 'L', right: 'R', top: 'S', bottom: 'I' });
        let sagittal = Sides::new([0.0, 1.0, 0.0], [0.0, 0.0, -1.0]).expect("sides");
        assert_eq!((sagittal.left, sagittal.top, sagittal.is_mirrored()), ('A', 'S', None));
        assert_eq!(Sides::new([0.0; 3], [0.0, 1.0, 0.0]), None);
        assert_eq!(Sides::new([1.0, 0.0, 0.0], [-1.0, 0.1, 0.0]), None, "both along one axis");
    }
}
