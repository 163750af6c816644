//! The text for a fault report: version, system, devices, settings and the end of the log. Nothing in it names a
//! person, a file or a folder.

use super::settings::Settings;
use super::state::State;
use crate::logging;

/// The settings to list. Settings that hold paths, prompts, user-defined names or a whole layout are left out.
const SETTINGS: [&str; 22] = [
    "device",
    "gpu_tuning",
    "precision",
    "display_adapter",
    "threshold",
    "model_threshold",
    "opacity",
    "fill",
    "contour",
    "smooth",
    "heat",
    "theme",
    "colours",
    "keys",
    "upright",
    "show_patient",
    "draws_without_prompt",
    "memory_limit_gib",
    "undo_memory_mib",
    "window",
    "zoom",
    "runs",
];

/// Returns the whole text. `graphics` describes the device that draws the window.
pub fn text(state: &State, graphics: &str) -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut lines = vec![
        format!("HiMix {}", env!("CARGO_PKG_VERSION")),
        format!("System: {}, {}, {threads} threads", std::env::consts::OS, std::env::consts::ARCH),
        format!("Window drawn by: {}", if graphics.is_empty() { "not known" } else { graphics }),
        format!("Device asked for: {}", state.device),
    ];
    lines.push(match &state.model {
        Some(model) => {
            let trained = if model.info.is_trained { "trained" } else { "not trained" };
            format!("Model: {} parameters, {trained}, on {}", model.info.parameters, model.info.device)
        }
        None => "Model: none is open".into(),
    });
    if let Some(progress) = &state.warm_up {
        lines.push(format!("Warming up: {}, {} %, {}", progress.device, progress.percent, progress.step));
    }
    lines.push(match &state.document.image {
        Some(open) => {
            let volume = &open.volume;
            let (columns, rows, slices) = (volume.columns, volume.rows, volume.slices);
            format!("Image: {columns} × {rows} pixels, {slices} slices, {} channels", volume.channels)
        }
        None => "Image: none is open".into(),
    });
    lines.push(format!("Tab: {}", state.tab.name()));
    lines.push("Settings:".into());
    lines.extend(settings(&state.settings).into_iter().map(|line| format!("  {line}")));
    lines.push("Log:".into());
    lines.extend(logging::tail().into_iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

fn settings(settings: &Settings) -> Vec<String> {
    let all: serde_json::Value = serde_json::from_slice(&settings.to_json()).unwrap_or_default();
    SETTINGS.iter().map(|name| format!("{name}: {}", all[*name])).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::infer::ModelSource;

    #[test]
    fn every_setting_is_listed_or_known_to_be_private() {
        let private = [
            "model",
            "models",
            "windows",
            "presets",
            "layouts",
            "prompts",
            "favourites",
            "reader",
            "segment_codes",
            "pairs_folder",
            "pairs_split",
            "recent",
            "training",
            "study",
            "stages",
            "training_form",
        ];
        let all: serde_json::Value = serde_json::from_slice(&Settings::default().to_json()).expect("JSON");
        for name in all.as_object().expect("an object").keys() {
            let (is_listed, is_private) = (SETTINGS.contains(&name.as_str()), private.contains(&name.as_str()));
            assert!(is_listed != is_private, "{name}: decide whether diagnostics may show it");
        }
    }

    #[test]
    fn nothing_names_a_file_or_a_person() {
        let named = PathBuf::from("/home/doe/doe.png");
        let mut all = Settings { training: Some(named.clone()), ..Settings::default() };
        all.remember(&named);
        all.remember_prompt("doe has a nodule");
        all.favour("doe".into(), true);
        all.remember_model(ModelSource::with(named, None, None));
        let text = settings(&all).join("\n");
        assert!(text.contains("threshold: 0.5") && !text.contains("doe"), "{text}");
    }
}
