//! The names of the tensors in our modules, in the authors' model, and of those that do not influence the mask.

use super::config::HiMixConfig;
use crate::model::blocks::keys;
use crate::model::key_table::{Encoder, EncoderKeys, Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// The number in the names of a decoder stage's tensors: 16, 8, 4 for three stages.
fn stage_number(stages: usize, index: usize) -> usize {
    4 << (stages - 1 - index)
}

/// The authors' key of a parameter at `path` in our module.
pub fn reference_key(path: &str, stages: usize) -> String {
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    match part {
        "vision" => keys::vision_encoder(rest),
        "text" => keys::text_encoder(rest),
        "fusion" => rest.replace("alpha", "attention_weights"),
        "head" => keys::head(rest),
        _ => stage_key(rest, stages),
    }
}

/// The authors' key of a parameter of the decoder stages, whose `path` begins with the index of the stage.
fn stage_key(path: &str, stages: usize) -> String {
    let (index, rest) = path.split_once('.').unwrap_or((path, ""));
    let number = stage_number(stages, index.parse().unwrap_or(0));
    let rest = match rest.split_once('.') {
        Some(("up", rest)) => keys::up_block(rest),
        Some(("guide", rest)) => format!("guide_layer.{}", guide_key(rest)),
        _ => rest.to_owned(),
    };
    format!("decoder{number}.{rest}")
}

fn guide_key(path: &str) -> String {
    match path.split_once('.') {
        Some(("text_project", rest)) => keys::text_projection(rest),
        Some(("spectrum", _)) => "sig".to_owned(),
        _ => path.to_owned(),
    }
}

impl KeyTable for HiMixConfig {
    fn key(&self, path: &str) -> String {
        reference_key(path, self.stage_count())
    }

    fn is_scalar(&self, key: &str) -> bool {
        [".sig", ".scale1", ".scale2", ".scale3"].iter().any(|end| key.ends_with(end))
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        auxiliary(self)
    }

    fn is_ignorable(&self, key: &str) -> bool {
        keys::is_ignorable(key) || key.contains("encoder.model.classifier.")
    }

    fn is_own_part(&self, part: &str) -> bool {
        part.strip_prefix("decoder").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn separate_part(&self) -> Option<&'static str> {
        Some(keys::TEXT_PART)
    }

    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        Some(match encoder {
            Encoder::Text => keys::TEXT_KEYS,
            Encoder::Vision => keys::VISION_KEYS,
        })
    }

    fn refuse(&self, key: &str, values: &[f32]) -> Option<String> {
        let is_width = key.ends_with(".sig");
        (is_width && !values.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0)).then(|| {
            format!(
                "{key}, the width of a spectrum filter, is {values:?} and must be positive; train again or choose another checkpoint"
            )
        })
    }

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        if key.ends_with(".guide_layer.sig") {
            let sigma = match key.split('.').next() {
                Some("decoder16") => 6.18,
                Some("decoder8") => 4.70,
                _ => 0.95,
            };
            (sigma, 0.0)
        } else if [".scale1", ".scale2", ".scale3"].iter().any(|end| key.ends_with(end)) {
            (1.421, 0.0)
        } else if key == "attention_weights" {
            (1.0, 0.5)
        } else {
            deterministic::distribution(key, shape)
        }
    }
}

/// Implements [`KeyTable::auxiliary`].
fn auxiliary(config: &HiMixConfig) -> Vec<(KeySpec, Fill)> {
    let hidden = config.text.hidden_size;
    let last = config.vision.hidden_sizes.last().copied().unwrap_or(0);
    // The width of CXR-BERT's projection; the small reference model has a quarter of it.
    let projection = if hidden >= 768 { 128 } else { 32 };
    let mut list = keys::text_auxiliary(&config.text, projection);
    list.extend(keys::text_project_head(hidden, hidden));
    let mut add = |name: String, shape: &[usize], fill: Fill| {
        list.push((KeySpec { name, shape: shape.to_vec() }, fill));
    };
    add("encoder.model.layernorm.weight".into(), &[last], Fill::Ones);
    add("encoder.model.layernorm.bias".into(), &[last], Fill::Zeros);
    add("encoder.project_head.weight".into(), &[last, last], Fill::Zeros);
    add("encoder.project_head.bias".into(), &[last], Fill::Zeros);
    for stage in 0..config.stage_count() {
        let channels = config.stage_channels(stage);
        let name = format!("decoder{}", stage_number(config.stage_count(), stage));
        if !config.fusion.removed.contains(&config.fusion.order[stage]) {
            let length = config.decoder.text_lengths[stage];
            add(format!("{name}.guide_layer.norm.weight"), &[channels], Fill::Ones);
            add(format!("{name}.guide_layer.norm.bias"), &[channels], Fill::Zeros);
            add(format!("{name}.guide_layer.vis_pos.pe"), &[1, 5000, channels], Fill::Positions);
            add(format!("{name}.guide_layer.txt_pos.pe"), &[1, length, channels], Fill::Positions);
        }
        for norm in ["norm1", "norm2"] {
            add(format!("{name}.decoder.conv_block.{norm}.num_batches_tracked"), &[], Fill::Counter);
        }
    }
    list
}
