//! The names of the tensors in the authors' model, and of those that do not influence the mask.

use super::config::{GuideDecoderConfig, STAGES};
use crate::model::blocks::keys;
use crate::model::key_table::{Encoder, EncoderKeys, Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// The key of the tensor at `path` of a guide layer.
fn guide_key(path: &str) -> String {
    match path.split_once('.') {
        Some(("text_project", rest)) => keys::text_projection(rest),
        _ => path.to_owned(),
    }
}

/// The key of a tensor of the decoder stages, whose `path` begins with the index of the stage.
fn stage_key(path: &str) -> String {
    let (index, rest) = path.split_once('.').unwrap_or((path, ""));
    let rest = match rest.split_once('.') {
        Some(("up", rest)) => keys::up_block(rest),
        Some(("guide", rest)) => format!("guide_layer.{}", guide_key(rest)),
        _ => rest.to_owned(),
    };
    format!("{}.{rest}", GuideDecoderConfig::stage_key(index.parse().unwrap_or(0)))
}

impl KeyTable for GuideDecoderConfig {
    fn key(&self, path: &str) -> String {
        let (part, rest) = path.split_once('.').unwrap_or((path, ""));
        match part {
            "vision" => keys::vision_encoder(rest),
            "text" => keys::text_encoder(rest),
            "head" => keys::head(rest),
            _ => stage_key(rest),
        }
    }

    fn is_scalar(&self, key: &str) -> bool {
        key.ends_with(".guide_layer.scale")
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        let last = self.vision.hidden_sizes.last().copied().unwrap_or(0);
        let (hidden, width) = (self.text.hidden_size, self.project_dim);
        let mut list = keys::text_auxiliary(&self.text, self.text_projection_size);
        list.push(keys::position_ids(&self.text));
        list.extend(keys::text_project_head(hidden, width));
        let mut add = |name: String, shape: &[usize], fill: Fill| {
            list.push((KeySpec { name, shape: shape.to_vec() }, fill));
        };
        add("encoder.model.layernorm.weight".into(), &[last], Fill::Ones);
        add("encoder.model.layernorm.bias".into(), &[last], Fill::Zeros);
        add("encoder.project_head.weight".into(), &[width, last], Fill::Zeros);
        add("encoder.project_head.bias".into(), &[width], Fill::Zeros);
        for stage in 0..STAGES {
            let (name, channels) = (Self::stage_key(stage), self.stage_channels(stage));
            if self.reads_text(stage) {
                let length = self.decoder.text_lengths[stage];
                add(format!("{name}.guide_layer.vis_pos.pe"), &[1, 5000, channels], Fill::Positions);
                add(format!("{name}.guide_layer.txt_pos.pe"), &[1, length, channels], Fill::Positions);
            }
            for norm in ["norm1", "norm2"] {
                add(format!("{name}.decoder.conv_block.{norm}.num_batches_tracked"), &[], Fill::Counter);
            }
        }
        list
    }

    fn is_ignorable(&self, key: &str) -> bool {
        keys::is_ignorable(key)
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

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        if key.ends_with(".guide_layer.scale") { (1.421, 0.0) } else { deterministic::distribution(key, shape) }
    }
}
