//! The font of the figures, and the width of texts in it.

use std::sync::{Arc, LazyLock};

use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};
use resvg::usvg::fontdb::Database;
use ttf_parser::Face;

/// Font families for viewers of an SVG, in order of preference. All but the last, which is generic and may be much
/// wider, have nearly the same width.
pub const FAMILIES: &str = "Ubuntu, 'Liberation Sans', 'Nimbus Sans', Helvetica, Arial, sans-serif";

/// The share of the width that texts may fill, because another font may be wider.
const SLACK: f32 = 0.95;

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(UBUNTU_LIGHT, 0).ok());

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(UBUNTU_LIGHT.to_vec());
    // This font contains characters that the first font lacks.
    fonts.load_font_data(HACK_REGULAR.to_vec());
    let first = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    if let Some(name) = first {
        fonts.set_sans_serif_family(name);
    }
    Arc::new(fonts)
});

/// Returns the fonts that draw a figure. They are those of the window and none of the system, so that the result
/// is the same on every machine.
pub fn fonts() -> Arc<Database> {
    Arc::clone(&FONTS)
}

/// Returns whether the font contains a character.
pub fn has(letter: char) -> bool {
    FACE.as_ref().is_some_and(|face| face.glyph_index(letter).is_some())
}

/// Returns the width of a text at a size, both in points.
pub fn width(words: &str, size: f32) -> f32 {
    let Some(face) = FACE.as_ref() else { return 0.5 * size * words.chars().count() as f32 };
    let advance = |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph));
    let units: f32 = words.chars().map(|letter| advance(letter).map_or(500.0, f32::from)).sum();
    units * size / f32::from(face.units_per_em())
}

/// Breaks a text into lines of at most `available` points.
pub fn wrapped(words: &str, size: f32, available: f32) -> Vec<String> {
    let available = available * SLACK;
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size) <= available {
            *line = longer;
        } else if line.is_empty() {
            *line = shortened(word, size, available);
        } else {
            lines.push(shortened(word, size, available));
        }
    }
    lines
}

/// Returns a text, shortened to `available` points with an ellipsis if necessary.
pub fn shortened(words: &str, size: f32, available: f32) -> String {
    if width(words, size) <= available {
        return words.to_owned();
    }
    let mut kept = String::new();
    for letter in words.chars() {
        kept.push(letter);
        if width(&kept, size) + width("…", size) > available {
            kept.pop();
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_figures_are_there() {
        for letter in "σβα−±²×…·≥½–“”₁₀≈°".chars() {
            assert!(has(letter), "{letter}");
        }
        assert!(!has('→'), "arrows are words in a figure");
    }

    #[test]
    fn lines_fit_and_lose_no_word() {
        let words = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";
        let lines = wrapped(words, 7.0, 90.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 7.0) <= 90.0), "{lines:?}");
        assert_eq!(lines.join(" "), words);
        assert_eq!(wrapped("", 7.0, 90.0), [""]);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(shortened("lung", 7.0, 90.0), "lung");
        let cut = shortened("sub-S08047_ses-E16280_run-1_bp-chest_vp-ap_dx.png", 7.0, 60.0);
        assert!(cut.starts_with("sub-S0") && cut.ends_with('…') && width(&cut, 7.0) <= 60.0, "{cut}");
    }
}
