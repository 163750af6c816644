//! Takes the results about the influence of words into the state.

use eframe::egui::{ColorImage, Context, TextureOptions};

use super::{Selection, Study};
use crate::app::HimixApp;

impl<T> Study<T> {
    /// Takes the answer; returns whether there is a new result.
    fn take(&mut self) -> bool {
        match (self.request.take(), self.request.asked()) {
            (Some(Ok(found)), Some((examined, shown))) => {
                self.found = Some((self.request.newest(), examined.clone(), shown.clone(), found));
                true
            }
            (Some(Err(failure)), _) => {
                self.error = failure.message();
                false
            }
            (Some(Ok(_)), None) | (None, _) => false,
        }
    }
}

impl HimixApp {
    /// Handles the results that the panel has requested.
    pub(in crate::app) fn take_influence(&mut self, ctx: &Context) {
        let influence = &mut self.state.influence;
        influence.shares.take();
        if influence.words.take() {
            // The word with the largest effect shows at once what a click does.
            influence.selected = influence.words.found.as_ref().and_then(|(_, _, _, found)| {
                let effects = found.words.iter().map(|word| influence.method.of(word));
                let sizes = effects.map(|effect| effect.map_or(0.0, |effect| effect.change.probability));
                sizes.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| Selection::Word(place))
            });
        }
        let asked = influence.painting.asked().copied();
        match (influence.painting.take(), asked) {
            (Some(Ok(picture)), Some(of)) => {
                if let Some(bytes) = picture.texels.rgba() {
                    let image = ColorImage::from_rgba_unmultiplied([picture.width, picture.height], bytes);
                    let texture = ctx.load_texture("where a word acts", image, TextureOptions::LINEAR);
                    influence.picture = Some((of, texture));
                }
            }
            (Some(Err(failure)), _) => self.say_failure(failure),
            (Some(Ok(_)), None) | (None, _) => {}
        }
    }
}
