//! What the window adds to a session.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::app::settings::Settings;
use crate::app::tab::Tab;
use crate::app::variants::{MOST, PinSpec};
use crate::app::view::StoredView;
use crate::data::Area;
use crate::engine::{threshold_at, threshold_step};

/// Prompt, pins and view. What a file lacks has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionView {
    /// The prompt.
    pub prompt: String,
    /// The box of a model that takes one.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub area: Option<Area>,
    /// The pinned variants.
    pub pins: Vec<PinSpec>,
    /// The index of the current pin, starting at 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_pin: Option<usize>,
    /// The probability at and above which a pixel belongs to the mask.
    pub threshold: f32,
    /// The opacity of the overlay's fill, 0…1.
    pub opacity: f32,
    /// Whether areas are filled.
    pub fill: bool,
    /// Whether outlines are drawn.
    pub contour: bool,
    /// Whether the probability is shown as a heat map.
    pub heat: bool,
    /// Whether the overlay is shown.
    pub show_overlay: bool,
    /// Whether the comparison with the ground truth is shown.
    pub show_truth: bool,
    /// The part of the image that is shown; `None` if the image is fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoom: Option<StoredView>,
    /// The task.
    #[serde(deserialize_with = "known")]
    pub tab: Tab,
}

impl Default for SessionView {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            prompt: String::new(),
            area: None,
            pins: Vec::new(),
            current_pin: None,
            threshold: settings.threshold,
            opacity: settings.opacity,
            fill: settings.fill,
            contour: settings.contour,
            heat: settings.heat,
            show_overlay: true,
            show_truth: true,
            zoom: None,
            tab: Tab::default(),
        }
    }
}

impl SessionView {
    /// Returns the same with values that the window can have.
    pub fn within_bounds(mut self) -> Self {
        // A prompt is a single line.
        let line = |text: &mut String| *text = text.replace(['\r', '\n'], " ");
        line(&mut self.prompt);
        self.pins.truncate(MOST);
        for pin in &mut self.pins {
            line(&mut pin.prompt);
            pin.threshold = threshold_at(threshold_step(pin.threshold));
        }
        self.threshold = threshold_at(threshold_step(self.threshold));
        self.opacity = self.opacity.clamp(0.0, 1.0);
        self
    }
}

/// Reads a value; one that only a newer program knows becomes the default.
fn known<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_lacks_has_its_default() {
        let pin = PinSpec { name: "Empty".into(), prompt: String::new(), is_compared: true, threshold: 0.25 };
        let zoom = Some(StoredView { zoom: 2.5, centre: [3.0, 4.0] });
        let tab = Tab::Prompts;
        let view =
            SessionView { prompt: "left lung".into(), pins: vec![pin], zoom, tab, ..SessionView::default() };
        let text = serde_json::to_string(&view).expect("written");
        assert_eq!(serde_json::from_str::<SessionView>(&text).expect("read"), view);
        assert_eq!(serde_json::from_str::<SessionView>("{}").expect("read"), SessionView::default());
        let newer = serde_json::from_str::<SessionView>(r#"{"tab": "dream", "later": 1}"#).expect("read");
        assert_eq!(newer, SessionView::default());
    }

    #[test]
    fn wild_values_are_brought_within_bounds() {
        let pins = r#"[{"prompt": "a\nb", "threshold": 7}, {"prompt": "", "threshold": -1e39}]"#;
        let text = format!(r#"{{"threshold": 1e39, "opacity": -3, "prompt": "x\r\ny", "pins": {pins}}}"#);
        let view = serde_json::from_str::<SessionView>(&text).expect("read").within_bounds();
        assert_eq!((view.threshold, view.opacity, view.prompt.as_str()), (1.0, 0.0, "x  y"));
        assert_eq!(
            (view.pins[0].prompt.as_str(), view.pins[0].threshold, view.pins[1].threshold),
            ("a b", 1.0, 0.0)
        );
    }
}
