//! The mean chest X-ray that [`super::lung_field`] looks for.

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
    [-24, -34, -40, -48, -45, -26, -2, 12, 8, -9, -31, -42, -45, -39, -34, -22],
    [-31, -35, -38, -40, -36, -20, 9, 31, 29, 3, -22, -31, -37, -39, -40, -32],
    [-24, -12, 0, 6, 8, 24, 35, 50, 47, 30, 26, 14, 12, 0, -15, -23],
    [-9, 13, 38, 47, 52, -3, -18, 48, 44, -35, -7, 54, 51, 37, 9, -6],
    [0, 23, 51, 62, 20, -76, -43, 53, 51, -68, -87, 24, 61, 43, 17, 2],
    [-3, 13, 49, 73, -43, -115, -56, 66, 75, -64, -124, -32, 69, 39, 3, 0],
    [-12, 4, 55, 71, -73, -124, -48, 76, 83, -44, -127, -60, 71, 43, -12, -9],
    [-21, -4, 64, 57, -82, -117, -24, 79, 82, -6, -114, -73, 63, 46, -21, -21],
    [-30, -8, 68, 34, -94, -102, -7, 84, 83, 7, -89, -85, 44, 48, -26, -27],
    [-37, -12, 66, 6, -102, -96, -4, 79, 82, 25, -56, -83, 17, 49, -27, -33],
    [-40, -19, 60, -14, -92, -94, -13, 71, 76, 29, -20, -61, -9, 46, -29, -36],
    [-43, -24, 53, -12, -55, -75, -17, 62, 68, 20, -8, -33, -23, 43, -30, -37],
    [-45, -29, 45, 22, 21, -2, 0, 56, 61, 15, 8, 8, -6, 39, -34, -38],
    [-46, -31, 33, 48, 45, 32, 25, 52, 55, 22, 24, 32, 32, 30, -38, -38],
    [-47, -32, 24, 44, 46, 38, 33, 52, 50, 24, 29, 34, 32, 22, -36, -38],
    [-43, -30, 15, 33, 37, 32, 29, 43, 38, 15, 21, 27, 27, 14, -34, -37],
];
