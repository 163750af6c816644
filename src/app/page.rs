//! The pages that open over the window.

/// A page, of which one is open at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The first part of the preferences: appearance, pictures, overlay, computing, files.
    Preferences,
    /// The part of the preferences with all keys.
    Shortcuts,
    /// The part of the preferences with the windows on the number keys.
    Presets,
    /// What the network gets of the picture.
    Network,
    /// What this program is and is not.
    About,
}

impl Page {
    /// The parts of the preferences, which are one page.
    pub const PREFERENCES: [Self; 3] = [Self::Preferences, Self::Shortcuts, Self::Presets];

    /// Its name in the window.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preferences => "General",
            Self::Shortcuts => "Keyboard shortcuts",
            Self::Presets => "Window presets",
            Self::Network => "What the network gets",
            Self::About => "About HiMix",
        }
    }
}
