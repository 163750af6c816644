//! Preset prompts in the grammars of three data sets.

/// A data set's name, and prompts in its grammar.
pub type Grammar = (&'static str, &'static [&'static str]);

/// For lungs: side, count, zone (LViT's prompts of QaTa-COV19 and MosMedData+; "left" is the left of the image). For
/// polyps: number, size, colour, shape, place (medvlsm's prompts of Kvasir-SEG).
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
