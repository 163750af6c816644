//! Writes a page as SVG 1.1: texts stay texts, images are embedded as PNG.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::FigureError;
use super::font::{self, FAMILIES};
use super::picture::Picture;
use super::scene::{Anchor, Item, Rect, Rgb, Scene, Stroke, Text};

/// The line width that makes text bold, as a share of its size, because the font has only one weight.
const STRONG: f32 = 0.045;
/// The width of a white outline, as a share of the text size.
const EDGE: f32 = 0.35;

/// Texts narrower than this, in points, are not fitted.
const FITTED: f32 = 40.0;

/// The purpose of the SVG.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    /// A file: longer texts are fitted to their width in the font used here, because a viewer may use another
    /// font.
    File,
    /// Rasterisation within this program, with this number of pixels per point.
    Drawing(f32),
}

impl Purpose {
    /// Returns the number of image pixels per point; in a file, this is 576 per inch.
    fn density(self) -> f32 {
        match self {
            Self::File => 8.0,
            Self::Drawing(density) => density,
        }
    }
}

/// Returns the page as SVG.
///
/// # Errors
/// Returns an error if an image cannot be encoded.
pub fn text(scene: &Scene, purpose: Purpose) -> Result<String, FigureError> {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{width}pt\" height=\"{height}pt\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILIES}\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escaped(&scene.title)
    );
    for item in &scene.items {
        let element = match item {
            Item::Rect { rect, fill, stroke } => {
                let fill = fill.map_or("none".into(), colour);
                let line = stroke.as_ref().map(stroked).unwrap_or_default();
                format!("<rect {} fill=\"{fill}\"{line}/>", placed(rect))
            }
            Item::Line { points, stroke } => {
                let points: Vec<String> =
                    points.iter().map(|[x, y]| format!("{},{}", number(*x), number(*y))).collect();
                let (points, line) = (points.join(" "), stroked(stroke));
                format!("<polyline points=\"{points}\" fill=\"none\" stroke-linejoin=\"round\"{line}/>")
            }
            Item::Text(text) => words(text, purpose),
            Item::Picture { rect, picture, is_smooth } => embedded(rect, picture, *is_smooth, purpose.density())?,
        };
        out.push_str(&element);
        out.push('\n');
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn words(text: &Text, purpose: Purpose) -> String {
    let [x, y] = text.at.map(number);
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let turn = if text.is_upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    let fill = colour(text.colour);
    let line = if text.is_strong {
        format!(" stroke=\"{fill}\" stroke-width=\"{}\"", number(STRONG * text.size))
    } else if text.has_edge {
        format!(" stroke=\"#ffffff\" stroke-width=\"{}\" paint-order=\"stroke\"", number(EDGE * text.size))
    } else {
        String::new()
    };
    let size = number(text.size);
    let width = font::width(&text.words, text.size);
    let fit = if purpose == Purpose::File && width > FITTED {
        format!(" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", number(width))
    } else {
        String::new()
    };
    let words = escaped(&text.words);
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{fill}\"{line}{anchor}{turn}{fit}>{words}</text>"
    )
}

fn embedded(rect: &Rect, picture: &Picture, is_smooth: bool, density: f32) -> Result<String, FigureError> {
    let pixels = |points: f32| (points * density).ceil().max(1.0) as usize;
    let fitted = if is_smooth {
        picture.at_most(pixels(rect.width), pixels(rect.height))
    } else {
        // The image is enlarged to its displayed size, because not every program respects that it must not be
        // interpolated.
        picture.enlarged((pixels(rect.width) / picture.width.max(1)).max(1))
    };
    let png = STANDARD.encode(png(&fitted)?);
    // Both are needed: browsers read the style, older programs the attribute.
    let sharp =
        if is_smooth { "" } else { " image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\"" };
    let place = placed(rect);
    Ok(format!("<image {place} preserveAspectRatio=\"none\"{sharp} xlink:href=\"data:image/png;base64,{png}\"/>"))
}

/// Returns an image as a PNG file, with one channel if it is grey.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, FigureError> {
    let fail = |reason: String| FigureError::Drawing { reason };
    let side = |side: usize| u32::try_from(side).map_err(|error| fail(error.to_string()));
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    if picture.rgb.len() != 3 * picture.width * picture.height {
        return Err(fail(format!("{} bytes are not an image of {width}x{height}", picture.rgb.len())));
    }
    let pixels = picture.rgb.as_chunks::<3>().0;
    let grey: Option<Vec<u8>> = pixels.iter().map(|[r, g, b]| (r == g && g == b).then_some(*r)).collect();
    let (bytes, kind) = match &grey {
        Some(grey) => (grey, ExtendedColorType::L8),
        None => (&picture.rgb, ExtendedColorType::Rgb8),
    };
    let mut out = Vec::new();
    PngEncoder::new(&mut out).write_image(bytes, width, height, kind).map_err(|error| fail(error.to_string()))?;
    Ok(out)
}

fn placed(rect: &Rect) -> String {
    let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(number);
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

fn stroked(stroke: &Stroke) -> String {
    let mut out = format!(" stroke=\"{}\" stroke-width=\"{}\"", colour(stroke.colour), number(stroke.width));
    if let Some([dash, gap]) = stroke.dash {
        // Writing to a string cannot fail.
        let _ = write!(out, " stroke-dasharray=\"{} {}\"", number(dash), number(gap));
    }
    out
}

fn colour([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Formats a number; a thousandth of a point is precise enough.
fn number(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

/// Escapes the content of an element or an attribute. Characters that XML does not allow are omitted.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use resvg::usvg;

    fn scene() -> Scene {
        let mut scene = Scene::new("A <page> & \"more\"", 100.0);
        scene.height = 50.0;
        scene.fill(Rect::new(0.0, 0.0, 10.0, 10.0), [255, 0, 128]);
        scene.line([[0.0, 0.0], [-0.0001, 20.5]], Stroke::dashed([0, 0, 0], 0.5));
        scene.text(
            Text::new([5.0, 40.0], "σ < 5 & \u{1}\"quoted\"\n×", 8.0, [0; 3]).anchored(Anchor::End).strong(),
        );
        let rgb = (0..12 * 8).flat_map(|at| [at as u8, 0, 255 - at as u8]).collect();
        scene.picture(Rect::new(20.0, 10.0, 12.0, 8.0), Picture { width: 12, height: 8, rgb }, false);
        scene
    }

    #[test]
    fn it_is_well_formed_and_words_are_escaped() {
        let text = text(&scene(), Purpose::File).expect("a page");
        let tree = usvg::Tree::from_str(&text, &usvg::Options::default()).expect("well formed");
        assert_eq!((tree.size().width() * 0.75, tree.size().height() * 0.75), (100.0, 50.0), "points");
        assert!(text.contains("<title>A &lt;page&gt; &amp; &quot;more&quot;</title>"), "{text}");
        assert!(text.contains(">σ &lt; 5 &amp; &quot;quoted&quot; ×</text>"), "{text}");
        assert!(text.contains("points=\"0,0 0,20.5\"") && text.contains("stroke-dasharray=\"3 2\""), "{text}");
        assert!(text.contains("fill=\"#ff0080\"") && text.contains("sans-serif"), "{text}");
    }

    fn embedded_sizes(text: &str) -> Vec<(u32, u32)> {
        let parts = text.split("data:image/png;base64,").skip(1);
        let decode = |part: &str| {
            let bytes = STANDARD.decode(part.split('"').next().expect("an end")).expect("base64");
            let picture = image::load_from_memory(&bytes).expect("a picture");
            (picture.width(), picture.height())
        };
        parts.map(decode).collect()
    }

    #[test]
    fn pictures_are_inside() {
        let mut scene = scene();
        let text = |scene: &Scene, density| super::text(scene, Purpose::Drawing(density)).expect("a page");
        assert_eq!(embedded_sizes(&text(&scene, 0.5)), [(12, 8)], "what shows its pixels keeps them");
        assert_eq!(embedded_sizes(&text(&scene, 4.0)), [(48, 32)], "and each stays a square");
        let tree = usvg::Tree::from_str(&text(&scene, 4.0), &usvg::Options::default()).expect("well formed");
        assert!(format!("{:?}", tree.root()).contains("PNG("), "the picture is read back");
        if let Some(Item::Picture { is_smooth, .. }) = scene.items.last_mut() {
            *is_smooth = true;
        }
        assert_eq!(embedded_sizes(&text(&scene, 0.5)), [(6, 4)], "no more pixels than the density asks for");
        assert_eq!(embedded_sizes(&text(&scene, 4.0)), [(12, 8)]);
    }

    #[test]
    fn long_words_keep_their_room_in_another_font() {
        let mut scene = Scene::new("", 300.0);
        scene.height = 20.0;
        scene.text(Text::new([0.0, 10.0], "Dice", 8.0, [0; 3]));
        scene.text(Text::new([0.0, 10.0], "Dice and IoU are per image", 8.0, [0; 3]));
        let lengths = |purpose| text(&scene, purpose).expect("a page").matches("textLength=").count();
        assert_eq!([lengths(Purpose::File), lengths(Purpose::Drawing(2.0))], [1, 0]);
    }

    #[test]
    fn a_picture_of_another_size_than_its_pixels_is_refused() {
        assert!(png(&Picture { width: 2, height: 2, rgb: vec![0; 11] }).is_err());
        let grey = png(&Picture { width: 1, height: 1, rgb: vec![7; 3] }).expect("a picture");
        assert_eq!(image::load_from_memory(&grey).expect("a picture").color(), image::ColorType::L8);
    }
}
