//! How the values of a mask file were interpreted.

use serde::Serialize;

/// How foreground and labels were distinguished; shown wherever the mask is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MaskKind {
    /// One value everywhere that is not above 0.
    Nothing,
    /// One value everywhere, above 0.
    Everything {
        /// The value.
        value: f64,
    },
    /// Two values: the larger one is foreground.
    TwoValues {
        /// The smaller value.
        background: f64,
        /// The larger value.
        foreground: f64,
    },
    /// Whole numbers, one for each class.
    Labels {
        /// How many of them are not background.
        count: usize,
    },
    /// The colours of a palette, one for each class; a label is the palette index.
    Palette {
        /// How many of them are not background.
        count: usize,
        /// Palette index of the background.
        background: u8,
    },
    /// Several colours, one for each class, numbered from 1.
    Colours {
        /// How many of them are not background.
        count: usize,
        /// The colour of the background.
        background: [u8; 3],
    },
    /// Many values, as left by JPEG, smoothing or a network's probabilities: values above a threshold are foreground.
    Half {
        /// Half of the range.
        above: f64,
    },
    /// Many colours on black or white, as left by JPEG: colours further than half of the range from the background
    /// are foreground.
    OffBackground {
        /// Colour of the background.
        background: [u8; 3],
    },
    /// The alpha channel, because the colour is the same everywhere.
    Alpha,
    /// A channel or volume for each class.
    Channels {
        /// Number of channels.
        count: usize,
        /// The channel of the background, from 0, if there is one.
        background: Option<usize>,
    },
    /// The authors' rule, if it was requested: every channel is exactly 255.
    Exactly255,
    /// Several files, united or with a label for each.
    Files {
        /// Number of files.
        count: usize,
        /// How each of them was interpreted.
        each: Box<MaskKind>,
    },
}

impl MaskKind {
    /// Describes the kind, for instance "labels (3 classes)".
    pub fn words(&self) -> String {
        let classes = |count: usize| if count == 1 { "1 class".to_owned() } else { format!("{count} classes") };
        match self {
            Self::Nothing => "no value above 0".into(),
            Self::Everything { value } => format!("{value} everywhere"),
            Self::TwoValues { background, foreground } => format!("two values, {background} and {foreground}"),
            Self::Labels { count } => format!("labels ({})", classes(*count)),
            Self::Palette { count, background: 0 } => format!("palette ({})", classes(*count)),
            Self::Palette { count, background } => {
                format!("palette ({}; colour {background} is background)", classes(*count))
            }
            Self::Colours { count, background } => {
                format!("colours on {} ({})", colour_name(*background), classes(*count))
            }
            Self::Half { above } => format!("many values; above {above} is foreground"),
            Self::OffBackground { background } => format!("many colours on {}", colour_name(*background)),
            Self::Alpha => "alpha channel".into(),
            Self::Channels { count, background: Some(background) } => {
                format!("{count} channels, one for each class; channel {background} is background")
            }
            Self::Channels { count, background: None } => format!("{count} channels, one for each class"),
            Self::Exactly255 => "exactly 255".into(),
            Self::Files { count, each } => format!("{count} files; {}", each.words()),
        }
    }
}

/// Returns "black", "white", or the code of a colour.
pub fn colour_name(colour: [u8; 3]) -> String {
    match colour {
        [0, 0, 0] => "black".into(),
        [255, 255, 255] => "white".into(),
        [r, g, b] => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}
