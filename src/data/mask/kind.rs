//! How the values of a mask file were interpreted.

use serde::Serialize;

/// How foreground and labels were distinguished. The application displays it wherever it displays the mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MaskKind {
    /// All pixels have the same value, and it is not above 0.
    Nothing,
    /// All pixels have the same value, and it is above 0.
    Everything {
        /// The value.
        value: f64,
    },
    /// Two values occur; the larger one is foreground.
    TwoValues {
        /// The smaller value.
        background: f64,
        /// The larger value.
        foreground: f64,
    },
    /// The values are integers, one for each class.
    Labels {
        /// The number of classes without the background.
        count: usize,
    },
    /// The pixels have palette colours, one for each class. A label is the palette index.
    Palette {
        /// The number of classes without the background.
        count: usize,
        /// The palette index of the background.
        background: u8,
    },
    /// The pixels have several colours, one for each class. The classes are numbered from 1.
    Colours {
        /// The number of classes without the background.
        count: usize,
        /// The colour of the background.
        background: [u8; 3],
    },
    /// There are many values, as JPEG compression, smoothing or predicted probabilities produce them. Values
    /// above a threshold are foreground.
    Half {
        /// The threshold, which is half of the range.
        above: f64,
    },
    /// There are many colours, as JPEG compression produces them. A pixel is foreground if its colour is further
    /// from that of the background than half of the largest distance.
    OffBackground {
        /// The colour of the background, which is the typical colour at the image's edge.
        background: [u8; 3],
    },
    /// The alpha channel is the mask, because all pixels have the same colour.
    Alpha,
    /// There is one channel or volume for each class (one-hot).
    Channels {
        /// The number of channels.
        count: usize,
        /// The index of the background channel, from 0. `None` if there is none.
        background: Option<usize>,
    },
    /// Pixels whose channels are all exactly 255 are foreground. This is the rule of the HiMix authors, and it
    /// was requested.
    Exactly255,
    /// Several files were united, or each of them became a label.
    Files {
        /// The number of files.
        count: usize,
        /// How the first of the files was interpreted.
        each: Box<MaskKind>,
    },
}

impl MaskKind {
    /// Returns a description of the kind, for instance "labels (3 classes)".
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

/// Returns "black", "white", or the hexadecimal code of any other colour.
pub fn colour_name(colour: [u8; 3]) -> String {
    match colour {
        [0, 0, 0] => "black".into(),
        [255, 255, 255] => "white".into(),
        [r, g, b] => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}
