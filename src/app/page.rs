//! The pages that open over the window.

/// A page; at most one page is open at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The first section of the preferences: appearance, images, overlay, computing and files.
    Preferences,
    /// The section of the preferences with all keyboard shortcuts.
    Shortcuts,
    /// The section of the preferences with the display windows assigned to the number keys.
    Presets,
    /// The export of labels.
    Export,
    /// The image as the network receives it.
    Network,
    /// The description and the limitations of this program.
    About,
}

impl Page {
    /// The sections of the preferences, which form one page.
    pub const PREFERENCES: [Self; 3] = [Self::Preferences, Self::Shortcuts, Self::Presets];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preferences => "General",
            Self::Shortcuts => "Keyboard shortcuts",
            Self::Presets => "Window presets",
            Self::Export => "Export",
            Self::Network => "What the network gets",
            Self::About => "About HiMix",
        }
    }
}
