//! Draws a page as pixels.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::picture::Picture;
use super::scene::Scene;
use super::svg::Purpose;
use super::{FigureError, font, svg};

/// The maximum number of pixels of a figure, which take 4 bytes each.
const MOST: f64 = 150e6;

/// Draws the page as a PNG file of this width; the height follows from its proportions.
///
/// # Errors
/// Returns an error if it would have too many pixels, or cannot be drawn.
pub fn png(scene: &Scene, width_px: u32) -> Result<Vec<u8>, FigureError> {
    svg::png(&pixels(scene, width_px)?)
}

/// Draws the page as pixels.
///
/// # Errors
/// Returns the errors of [`png`].
pub fn pixels(scene: &Scene, width_px: u32) -> Result<Picture, FigureError> {
    let density = width_px as f32 / scene.width;
    let height_px = (scene.height * density).round() as u32;
    if f64::from(width_px) * f64::from(height_px) > MOST {
        return Err(FigureError::TooLarge { width: width_px, height: height_px });
    }
    let fail = |reason: String| FigureError::Drawing { reason };
    let options = Options { fontdb: font::fonts(), ..Options::default() };
    let tree = Tree::from_str(&svg::text(scene, Purpose::Drawing(density))?, &options)
        .map_err(|error| fail(error.to_string()))?;
    let mut pixmap = Pixmap::new(width_px, height_px)
        .ok_or_else(|| fail(format!("a page of {width_px}x{height_px} pixels cannot be made")))?;
    pixmap.fill(Color::WHITE);
    let scale = |pixels: u32, size: f32| pixels as f32 / size;
    let fit = Transform::from_scale(scale(width_px, tree.size().width()), scale(height_px, tree.size().height()));
    resvg::render(&tree, fit, &mut pixmap.as_mut());
    // The page is white, so everything is opaque.
    let rgb = pixmap.data().as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Ok(Picture { width: width_px as usize, height: height_px as usize, rgb })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Rect, Text};
    use super::*;

    fn scene() -> Scene {
        let mut scene = Scene::new("", 100.0);
        scene.height = 50.0;
        scene.fill(Rect::new(0.0, 0.0, 50.0, 25.0), [200, 10, 30]);
        scene
    }

    #[test]
    fn it_has_the_width_that_is_asked_for() {
        for (width, height) in [(100, 50), (333, 167), (1200, 600)] {
            let file = png(&scene(), width).expect("a picture");
            let picture = image::load_from_memory(&file).expect("a picture").into_rgb8();
            assert_eq!(picture.dimensions(), (width, height));
            assert_eq!(picture.get_pixel(1, 1).0, [200, 10, 30]);
            assert_eq!(picture.get_pixel(width - 1, height - 1).0, [255; 3]);
        }
    }

    #[test]
    fn words_are_drawn_with_the_font_that_is_inside() {
        let ink = |words: &str| {
            let mut scene = scene();
            scene.text(Text::new([10.0, 45.0], words, 12.0, [0; 3]));
            let picture = pixels(&scene, 400).expect("a picture");
            picture.rgb.as_chunks::<3>().0.iter().filter(|pixel| pixel.iter().all(|value| *value < 60)).count()
        };
        assert_eq!(ink(""), 0);
        assert!(ink("σ = 5.00") > 100);
        assert!(ink("σ = 5.00 bins") > ink("σ = 5.00"));
    }

    #[test]
    fn a_picture_is_drawn_where_it_is_put() {
        let mut scene = scene();
        let picture = Picture { width: 2, height: 1, rgb: vec![255, 0, 0, 0, 0, 255] };
        scene.picture(Rect::new(60.0, 30.0, 20.0, 10.0), picture, false);
        let drawn = pixels(&scene, 100).expect("a picture");
        let at = |x: usize, y: usize| &drawn.rgb[3 * (y * 100 + x)..][..3];
        assert_eq!((at(62, 32), at(78, 38), at(58, 32)), (&[255, 0, 0][..], &[0, 0, 255][..], &[255; 3][..]));
    }

    #[test]
    fn too_many_pixels_are_refused_before_they_are_made() {
        let mut scene = scene();
        scene.height = 1e7;
        let error = pixels(&scene, 2400).expect_err("too large").to_string();
        assert!(error.contains("2400x240000000") && error.contains("; "), "{error}");
    }
}
