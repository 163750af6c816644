//! The mean chest X-ray that [`super::lung_field`] looks for. `tests/tools/lung_template.py` made it.

/// The number of rows and columns of the template.
pub const SIDE: usize = 16;
/// The margin around the box of the lungs, as a share of the height and of the width of the box.
pub const MARGIN: f64 = 0.25;

/// The mean of 1061 training images of QaTa-COV19 (`sub-S…`; masks of two areas whose prompts name all zones of both
/// lungs), each normalised as [`super::lung_field`] does and cut to the box of its mask with [`MARGIN`] around it. The
/// lungs are negative (dark) and the mediastinum, the ribs' outer border and the abdomen are positive. The scale is
/// arbitrary.
#[rustfmt::skip]
pub const TEMPLATE: [[i8; SIDE]; SIDE] = [
    [-27, -38, -45, -53, -50, -30, -3, 13, 9, -11, -35, -47, -50, -43, -37, -25],
    [-37, -41, -42, -44, -40, -22, 9, 33, 30, 3, -25, -35, -42, -44, -44, -35],
    [-28, -14, 0, 6, 8, 25, 37, 53, 50, 32, 28, 14, 12, -1, -16, -27],
    [-9, 14, 40, 49, 54, -2, -16, 50, 46, -34, -6, 56, 53, 39, 10, -7],
    [1, 24, 53, 64, 21, -76, -42, 55, 53, -67, -86, 25, 63, 45, 18, 2],
    [-3, 14, 51, 75, -42, -115, -55, 68, 78, -63, -124, -31, 71, 40, 3, 0],
    [-13, 4, 57, 73, -72, -124, -47, 78, 86, -42, -127, -59, 73, 44, -14, -10],
    [-23, -4, 66, 58, -82, -117, -22, 81, 84, -4, -113, -73, 64, 48, -24, -23],
    [-32, -9, 70, 35, -94, -102, -5, 86, 85, 9, -89, -85, 45, 50, -28, -31],
    [-40, -13, 68, 7, -102, -96, -3, 81, 85, 27, -55, -82, 18, 50, -30, -37],
    [-44, -21, 62, -13, -91, -94, -11, 73, 78, 31, -19, -60, -8, 48, -32, -41],
    [-47, -26, 55, -11, -54, -74, -16, 64, 70, 22, -7, -32, -22, 44, -34, -43],
    [-50, -31, 46, 24, 22, -1, 2, 57, 63, 16, 9, 9, -5, 40, -38, -43],
    [-51, -34, 34, 50, 47, 34, 27, 55, 58, 24, 25, 34, 33, 30, -42, -44],
    [-52, -36, 25, 46, 49, 40, 35, 54, 52, 26, 31, 36, 34, 23, -40, -44],
    [-48, -33, 16, 35, 39, 33, 30, 45, 39, 16, 22, 28, 28, 14, -38, -44],
];
