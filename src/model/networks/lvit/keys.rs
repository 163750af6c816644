//! The names of the tensors in our module and in the authors' model, and the tensors of theirs that do not influence the
//! mask.

use super::config::{LEVELS, LViTConfig};
use crate::model::blocks::keys::{self, TEXT_PART};
use crate::model::key_table::{Encoder, EncoderKeys, Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// The keys of a BERT from Hugging Face. A model saved without its head has keys without the leading `bert.`.
const TEXT_KEYS: EncoderKeys = EncoderKeys {
    prefixes: &["text_encoder."],
    rename: |key| {
        const TABLE: &[(&str, &str)] = &[
            ("bert.", TEXT_PART),
            ("cls.", ""),
            ("cls_projection_head.", ""),
            ("embeddings.", "text_encoder.model.bert.embeddings."),
            ("encoder.layer.", "text_encoder.model.bert.encoder.layer."),
            ("pooler.", ""),
        ];
        keys::prefixed(key, TABLE)
    },
};

/// The name of the transformer of a level in the authors' model: `downVit`, `downVit1` and so on.
fn vit(part: &str, level: usize) -> String {
    if level == 0 { part.to_owned() } else { format!("{part}{level}") }
}

/// The authors' key of a parameter at `path` in our module.
fn reference_key(path: &str) -> String {
    if let Some(rest) = path.strip_prefix("encoder.") {
        return keys::text_encoder(rest);
    }
    const TABLE: &[(&str, &str)] = &[
        (".convs.", ".nConvs."),
        (".gamma", ".weight"),
        (".beta", ".bias"),
        (".patch.", ".embeddings.patch_embeddings."),
        (".positions", ".embeddings.position_embeddings"),
        (".text.", ".CTBN3."),
        (".narrow.conv", ".CTBN.conv"),
        (".narrow.norm", ".CTBN.norm"),
        (".join.", ".CTBN2."),
        (".blocks.", ".Encoder_blocks."),
        (".qkv.", ".attn.qkv."),
        (".proj.", ".attn.proj."),
        (".fc1.", ".mlp.fc1."),
        (".fc2.", ".mlp.fc2."),
        (".attention.wide.", ".pixModule.bottleneck.0."),
        (".attention.narrow.", ".pixModule.bottleneck.2."),
        (".attention.", ".pixModule."),
    ];
    let key = TABLE.iter().fold(path.to_owned(), |key, (ours, theirs)| key.replace(ours, theirs));
    let (part, rest) = key.split_once('.').unwrap_or((&key, ""));
    let (index, rest) = rest.split_once('.').unwrap_or((rest, ""));
    let Ok(index) = index.parse::<usize>() else { return key };
    match part {
        "down" => format!("down{}.{rest}", index + 1),
        "up" => format!("up{}.{rest}", LEVELS - index),
        "down_vit" => format!("{}.{rest}", vit("downVit", index)),
        "up_vit" => format!("{}.{rest}", vit("upVit", index)),
        "merge" => format!("reconstruct{}.{rest}", index + 1),
        "text" => format!("text_module{}.{rest}", LEVELS - index),
        _ => key,
    }
}

impl KeyTable for LViTConfig {
    fn key(&self, path: &str) -> String {
        reference_key(path)
    }

    fn auxiliary(&self) -> Vec<(KeySpec, Fill)> {
        auxiliary(self)
    }

    fn is_ignorable(&self, key: &str) -> bool {
        key.starts_with("text_encoder.") && (key.contains("position_ids") || key.contains(".pooler."))
    }

    fn separate_part(&self) -> Option<&'static str> {
        self.text_encoder.as_ref().map(|_| TEXT_PART)
    }

    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        (encoder == Encoder::Text && self.text_encoder.is_some()).then_some(TEXT_KEYS)
    }

    fn is_exported(&self, key: &str) -> bool {
        !key.starts_with("text_encoder.")
    }

    fn distribution(&self, key: &str, shape: &[usize]) -> (f64, f64) {
        deterministic::baseline_distribution(key, shape, 6.0)
    }
}

/// Implements [`KeyTable::auxiliary`].
fn auxiliary(config: &LViTConfig) -> Vec<(KeySpec, Fill)> {
    let mut list = Vec::new();
    let mut add =
        |name: String, shape: &[usize], fill: Fill| list.push((KeySpec { name, shape: shape.to_vec() }, fill));
    let counters = (1..=LEVELS).flat_map(|level| {
        let convs = ["down", "up"].map(|part| [0, 1].map(|conv| format!("{part}{level}.nConvs.{conv}")));
        convs.into_iter().flatten().chain([format!("reconstruct{level}")])
    });
    for block in std::iter::once("inc".to_owned()).chain(counters) {
        add(format!("{block}.norm.num_batches_tracked"), &[], Fill::Counter);
    }
    for level in 0..LEVELS {
        let channels = config.channels(level);
        for part in ["downVit", "upVit"] {
            let (is_down, name) = (part == "downVit", vit(part, level));
            add(format!("{name}.norm.weight"), &[channels], Fill::Ones);
            add(format!("{name}.norm.bias"), &[channels], Fill::Zeros);
            add(format!("{name}.head.weight"), &[1, channels], Fill::Zeros);
            add(format!("{name}.head.bias"), &[1], Fill::Zeros);
            if !is_down {
                let side = config.patch_sizes[level];
                let embeddings = format!("{name}.embeddings");
                add(format!("{embeddings}.position_embeddings"), &[1, config.patches, channels], Fill::Zeros);
                add(
                    format!("{embeddings}.patch_embeddings.weight"),
                    &[channels, channels, side, side],
                    Fill::Zeros,
                );
                add(format!("{embeddings}.patch_embeddings.bias"), &[channels], Fill::Zeros);
            }
            for (layer, input, output, is_used) in [
                ("CTBN", channels, channels / 2, is_down && level > 0),
                ("CTBN2", 2 * channels, channels, !is_down && level + 1 < LEVELS),
                ("CTBN3", config.text_tokens, config.patches, is_down && level == 0),
            ] {
                let layer = format!("{name}.{layer}");
                add(format!("{layer}.norm.num_batches_tracked"), &[], Fill::Counter);
                if is_used {
                    continue;
                }
                add(format!("{layer}.conv.weight"), &[output, input, 3], Fill::Zeros);
                add(format!("{layer}.conv.bias"), &[output], Fill::Zeros);
                for (leaf, fill) in [
                    ("weight", Fill::Ones),
                    ("bias", Fill::Zeros),
                    ("running_mean", Fill::Zeros),
                    ("running_var", Fill::Ones),
                ] {
                    add(format!("{layer}.norm.{leaf}"), &[output], fill);
                }
            }
        }
        let sig = |name: &str| [format!("{name}.conv_sig.0.weight"), format!("{name}.conv_sig.0.bias")];
        for name in [format!("up{}.pixModule", level + 1), format!("pix_module{}", level + 1)] {
            let [weight, bias] = sig(&name);
            add(weight, &[channels, channels, 1, 1], Fill::Zeros);
            add(bias, &[channels], Fill::Zeros);
        }
        let unused = format!("pix_module{}", level + 1);
        add(format!("{unused}.conv_avg.weight"), &[channels, channels, 1, 1], Fill::Zeros);
        add(format!("{unused}.conv_max.weight"), &[channels, channels, 1, 1], Fill::Zeros);
        add(format!("{unused}.bottleneck.0.weight"), &[6, 3], Fill::Zeros);
        add(format!("{unused}.bottleneck.0.bias"), &[6], Fill::Zeros);
        add(format!("{unused}.bottleneck.2.weight"), &[1, 6], Fill::Zeros);
        add(format!("{unused}.bottleneck.2.bias"), &[1], Fill::Zeros);
    }
    list
}
