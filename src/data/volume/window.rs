//! Window and level: the range of values that is displayed from black to white.

use serde::{Deserialize, Serialize};

/// A display window: centre (level) and width, in the unit of the values. Values from `centre - width / 2` to
/// `centre + width / 2` run from black to white (LINEAR_EXACT of DICOM PS3.3 C.11.2.1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The centre of the window (its level).
    pub centre: f32,
    /// The width of the window, above 0.
    pub width: f32,
}

impl Window {
    /// The window of an 8-bit image: 0…255.
    pub const EIGHT_BIT: Self = Self { centre: 127.5, width: 255.0 };

    /// Returns the window from `low` to `high`; its width is 1 if `high` is not above `low`.
    pub fn of_range(low: f32, high: f32) -> Self {
        let width = high - low;
        Self { centre: low + width / 2.0, width: if width > 0.0 { width } else { 1.0 } }
    }

    /// Returns whether the window is valid: finite, with a width above 0.
    pub fn is_sound(self) -> bool {
        self.centre.is_finite() && self.width.is_finite() && self.width > 0.0
    }

    /// Returns the value at which black ends and the value at which white begins.
    pub fn range(self) -> [f32; 2] {
        [self.centre - self.width / 2.0, self.centre + self.width / 2.0]
    }

    /// Returns the brightness of a value, from 0 (black) to 1 (white).
    pub fn shade(self, value: f32) -> f32 {
        ((value - self.range()[0]) / self.width).clamp(0.0, 1.0)
    }
}

/// How the values of an image are displayed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisplayWindow {
    /// The range of values that runs from black to white.
    pub window: Window,
    /// Whether black and white are exchanged.
    pub is_inverted: bool,
}

/// A window with a name, from the file or from the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedWindow {
    /// The name: the explanation in the file, or a number.
    pub name: String,
    /// The window.
    pub window: Window,
}

/// A window for computed tomography.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// The tissue that the window displays.
    pub name: &'static str,
    /// The window in Hounsfield units.
    pub window: Window,
}

const fn preset(name: &'static str, centre: f32, width: f32) -> Preset {
    Preset { name, window: Window { centre, width } }
}

/// The preset windows for computed tomography, in the order of the number keys from 1.
pub const PRESETS: [Preset; 5] = [
    preset("Lung", -600.0, 1500.0),
    preset("Soft tissue", 40.0, 400.0),
    preset("Bone", 480.0, 2500.0),
    preset("Mediastinum", 50.0, 350.0),
    preset("Brain", 40.0, 80.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_8_bit_stays_as_it_is() {
        for value in 0..=255_u8 {
            assert_eq!((Window::EIGHT_BIT.shade(f32::from(value)) * 255.0).round() as u8, value);
        }
        assert_eq!(Window::of_range(0.0, 255.0), Window::EIGHT_BIT);
        assert_eq!(Window::of_range(3.0, 3.0).width, 1.0);
        assert_eq!(PRESETS[0].window.range(), [-1350.0, 150.0]);
    }
}
