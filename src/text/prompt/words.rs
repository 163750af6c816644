//! The values that the words of the two grammars stand for, each with its word in the data set.

use serde::Serialize;

/// Declares an enumeration whose values are words of a data set.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// Returns the word of the data set.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            /// Returns the value of a word of the data set in lower case; `None` if it is no such word.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

words! {
    /// A side of the image, as the prompts of the data sets mean it. In an X-ray or a CT slice in the usual
    /// orientation, the patient's left is at the right of the image.
    Side {
        /// The left half.
        Left = "left",
        /// The right half.
        Right = "right",
    }
}

impl Side {
    /// Returns the opposite side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

words! {
    /// A third of a lung by height.
    Zone {
        /// The upper third.
        Upper = "upper",
        /// The middle third.
        Middle = "middle",
        /// The lower third.
        Lower = "lower",
    }
}

words! {
    /// Whether one lung, both lungs or none is infected.
    Laterality {
        /// Both lungs.
        Bilateral = "bilateral",
        /// One lung.
        Unilateral = "unilateral",
        /// No infection.
        None = "none",
    }
}

words! {
    /// The size of a polyp, in the terms of the Kvasir-SEG prompts.
    Size {
        /// A small polyp.
        Small = "small",
        /// A polyp of medium size.
        Medium = "medium",
        /// A large polyp.
        Large = "large",
    }
}

words! {
    /// The colour of a polyp. These are all colours of the Kvasir-SEG prompts.
    Colour {
        /// White.
        White = "white",
        /// Yellow.
        Yellow = "yellow",
        /// Brown.
        Brown = "brown",
        /// Pink.
        Pink = "pink",
        /// Orange.
        Orange = "orange",
        /// Tan.
        Tan = "tan",
        /// Red.
        Red = "red",
        /// Black.
        Black = "black",
        /// Grey, in the spelling of the data set.
        Gray = "gray",
        /// Peach.
        Peach = "peach",
    }
}

words! {
    /// The shape of a polyp. These are the shapes of the Kvasir-SEG prompts; "large", which stands for a shape in
    /// six of them, is none.
    Shape {
        /// Round.
        Round = "round",
        /// A circle.
        Circle = "circle",
        /// Oval.
        Oval = "oval",
        /// Ovoid.
        Ovoid = "ovoid",
        /// Triangular.
        Triangular = "triangular",
        /// A rectangle.
        Rectangle = "rectangle",
        /// A semicircle.
        Semicircle = "semicircle",
        /// Flat.
        Flat = "flat",
        /// Irregular: not in the data set, but in the preset prompts.
        Irregular = "irregular",
        /// Like a heart.
        Heart = "heart",
        /// Like a kidney.
        Kidney = "kidney",
        /// Like a thumb.
        Thumb = "thumb",
        /// Like an ear.
        Ear = "ear",
        /// Like the middle of an ear.
        MiddleOfEar = "middle of ear",
        /// Like the middle of a donut.
        MiddleOfDonut = "middle of donut",
        /// Like a toe.
        Toe = "toe",
        /// Like a nail.
        Nail = "nail",
        /// Like a mouth.
        Mouth = "mouth",
        /// Like a large bone.
        LargeBone = "large bone",
    }
}

words! {
    /// A field of the image, of three by three.
    Place {
        /// Row 1, column 1.
        TopLeft = "top left",
        /// Row 1, column 2.
        Top = "top",
        /// Row 1, column 3.
        TopRight = "top right",
        /// Row 2, column 1.
        Left = "left",
        /// Row 2, column 2.
        Center = "center",
        /// Row 2, column 3.
        Right = "right",
        /// Row 3, column 1.
        BottomLeft = "bottom left",
        /// Row 3, column 2.
        Bottom = "bottom",
        /// Row 3, column 3.
        BottomRight = "bottom right",
    }
}

impl Place {
    /// Returns the field in `row` and `column`, each 0 to 2 from the top left; larger numbers count as 2.
    pub fn at(row: usize, column: usize) -> Self {
        Self::ALL[3 * row.min(2) + column.min(2)]
    }

    /// Returns the row and the column of the field, each 0 to 2 from the top left.
    pub const fn cell(self) -> (usize, usize) {
        (self as usize / 3, self as usize % 3)
    }

    /// Returns the field in the image that is mirrored from left to right.
    #[must_use]
    pub fn mirrored(self) -> Self {
        let (row, column) = self.cell();
        Self::at(row, 2 - column)
    }
}

/// The words for 0 to 20.
const NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// Returns the word for a number, or its digits if it is above 20.
pub fn number_word(number: u32) -> String {
    NUMBERS.get(number as usize).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// Returns the number that a word in lower case or up to three digits name; `None` if it is no number.
pub fn number_of(word: &str) -> Option<u32> {
    let digits = (1..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        return word.parse().ok();
    }
    NUMBERS.iter().position(|number| *number == word).map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_correspond() {
        assert_eq!(Place::of("bottom right"), Some(Place::BottomRight));
        assert_eq!(Place::at(2, 0).mirrored(), Place::BottomRight);
        for (index, place) in Place::ALL.iter().enumerate() {
            assert_eq!(place.cell(), (index / 3, index % 3));
            assert_eq!(place.mirrored().mirrored(), *place);
        }
        for number in 0..200 {
            assert_eq!(number_of(&number_word(number)), Some(number));
        }
        assert_eq!((number_of("1234"), number_of(""), number_of("a")), (None, None, None));
    }
}
