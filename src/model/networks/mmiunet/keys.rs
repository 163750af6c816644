//! The names of the tensors in the authors' model, and of those that do not influence the mask.

use super::config::{MmiUnetConfig, STAGES};
use crate::model::blocks::keys;
use crate::model::key_table::{Encoder, EncoderKeys, Fill, KeySpec, KeyTable};

/// The key of a tensor of the Bridgers, whose `path` begins with the index of the Bridger.
fn bridger_key(path: &str) -> String {
    let (index, rest) = path.split_once('.').unwrap_or((path, ""));
    format!("fusion{}.{rest}", index.parse::<usize>().unwrap_or(0) + 1)
}

/// The key of a tensor of the decoder stages, whose `path` begins with the index of the stage.
fn stage_key(path: &str) -> String {
    let (index, rest) = path.split_once('.').unwrap_or((path, ""));
    let rest = match rest.split_once('.') {
        Some(("conv", leaf)) => format!("conv_bn_relu.0.{leaf}"),
        Some(("norm", leaf)) => {
            format!("conv_bn_relu.1.{}", leaf.replace("gamma", "weight").replace("beta", "bias"))
        }
        _ => rest.to_owned(),
    };
    format!("{}.{rest}", MmiUnetConfig::stage_key(index.parse().unwrap_or(0)))
}

impl KeyTable for MmiUnetConfig {
    fn key(&self, path: &str) -> String {
        let (part, rest) = path.split_once('.').unwrap_or((path, ""));
        match part {
            "vision" => keys::vision_encoder_facebook(rest),
            "text" => keys::text_encoder(rest),
            "head" => keys::head(rest),
            "bridgers" => bridger_key(rest),
            _ => stage_key(rest),
        }
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        let last = self.vision.hidden_sizes.last().copied().unwrap_or(0);
        let mut list = keys::text_auxiliary(&self.text, self.text_projection_size);
        list.push(keys::position_ids(&self.text));
        list.extend(keys::text_project_head(self.text.hidden_size, self.project_dim));
        let mut add = |name: String, shape: &[usize], fill: Fill| {
            list.push((KeySpec { name, shape: shape.to_vec() }, fill));
        };
        add("norm.weight".into(), &[last], Fill::Ones);
        add("norm.bias".into(), &[last], Fill::Zeros);
        add("head.weight".into(), &[1, last], Fill::Zeros);
        add("head.bias".into(), &[1], Fill::Zeros);
        for stage in 0..STAGES {
            let name = Self::stage_key(stage);
            add(format!("{name}.conv_bn_relu.1.num_batches_tracked"), &[], Fill::Counter);
        }
        list
    }

    fn is_ignorable(&self, key: &str) -> bool {
        keys::is_ignorable(key)
    }

    fn is_own_part(&self, part: &str) -> bool {
        ["fusion", "decode"]
            .iter()
            .any(|name| part.strip_prefix(name).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())))
    }

    fn separate_part(&self) -> Option<&'static str> {
        Some(keys::TEXT_PART)
    }

    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        Some(match encoder {
            Encoder::Text => keys::TEXT_KEYS,
            Encoder::Vision => keys::VISION_KEYS_FACEBOOK,
        })
    }
}
