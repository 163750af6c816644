//! Preset prompts in the grammar of three data sets.

/// The name of a data set, and prompts in its grammar.
pub type Grammar = (&'static str, &'static [&'static str]);

/// The preset prompts. Those for lungs name sides, number of areas and zones, as LViT's prompts of QaTa-COV19
/// and MosMedData+ do; "left" is the left side of the image. Those for polyps name number, size, colour, shape
/// and position, as medvlsm's prompts of Kvasir-SEG do.
pub const PRESETS: [Grammar; 3] = [
    (
        "Chest X-ray (QaTa-COV19)",
        &[
            "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.",
            "Bilateral pulmonary infection, two infected areas, lower left lung and lower right lung.",
            "Bilateral pulmonary infection, two infected areas, all left lung and all right lung.",
            "Bilateral pulmonary infection, three infected areas, middle lower left lung and lower right lung.",
            "Unilateral pulmonary infection, one infected area, lower left lung.",
            "Unilateral pulmonary infection, one infected area, lower right lung.",
            "Unilateral pulmonary infection, one infected area, middle lower right lung.",
        ],
    ),
    (
        "Chest CT (MosMedData+)",
        &[
            "Bilateral pulmonary infection, two infected areas, lower left lung and lower right lung.",
            "Bilateral pulmonary infection, four infected areas, middle lower left lung and upper lower right lung.",
            "Unilateral pulmonary infection, one infected area, middle left lung.",
            "Unilateral pulmonary infection, two infected areas, lower right lung.",
        ],
    ),
    (
        "Endoscopy (Kvasir-SEG)",
        &[
            "one small pink circle polyp which is a projecting growth of tissue located in right of the image",
            "one medium red oval polyp which is a projecting growth of tissue located in center of the image",
            "one large pink irregular polyp which is a projecting growth of tissue located in left of the image",
            "two small pink circle polyps which are a projecting growth of tissue located in center of the image",
        ],
    ),
];
