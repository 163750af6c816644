//! The names of the tensors in our modules, in the authors' model, and of those that do not influence the mask.

use super::config::HiMixConfig;
use crate::model::key_table::{Encoder, EncoderKeys, Fill, KeySpec, KeyTable};
use crate::model::weights::deterministic;

/// The prefix of the text encoder's keys, which a checkpoint may lack.
const TEXT_ENCODER: &str = "text_encoder.model.bert.";

/// Replacements from our parameter path to the authors' key, applied to the whole path in this order.
const TABLE: &[(&str, &str)] = &[
    // The vision encoder (ConvNeXt), named as in Hugging Face's transformers.
    ("vision.embeddings.", "encoder.model.embeddings."),
    ("vision.stages.", "encoder.model.encoder.stages."),
    (".downsample.norm.", ".downsampling_layer.0."),
    (".downsample.conv.", ".downsampling_layer.1."),
    (".blocks.", ".layers."),
    // The text encoder (BERT), named as in Hugging Face's transformers.
    ("text.embeddings.word.", "text_encoder.model.bert.embeddings.word_embeddings."),
    ("text.embeddings.position.", "text_encoder.model.bert.embeddings.position_embeddings."),
    ("text.embeddings.token_type.", "text_encoder.model.bert.embeddings.token_type_embeddings."),
    ("text.embeddings.norm.", "text_encoder.model.bert.embeddings.LayerNorm."),
    ("text.layers.", "text_encoder.model.bert.encoder.layer."),
    (".query.", ".attention.self.query."),
    (".key.", ".attention.self.key."),
    (".value.", ".attention.self.value."),
    (".attention_out.", ".attention.output.dense."),
    (".attention_norm.", ".attention.output.LayerNorm."),
    (".intermediate.", ".intermediate.dense."),
    // The layer fusion.
    ("fusion.alpha", "attention_weights"),
    // The decoder stages.
    (".guide.text_project.token_weight", ".guide_layer.text_project.0.weight"),
    (".guide.text_project.token_bias", ".guide_layer.text_project.0.bias"),
    (".guide.text_project.linear.", ".guide_layer.text_project.2."),
    (".guide.spectrum.sigma", ".guide_layer.sig"),
    (".guide.", ".guide_layer."),
    (".up.transp_conv.", ".decoder.transp_conv.conv."),
    (".up.conv1.", ".decoder.conv_block.conv1.conv."),
    (".up.conv2.", ".decoder.conv_block.conv2.conv."),
    (".up.norm", ".decoder.conv_block.norm"),
    (".gamma", ".weight"),
    (".beta", ".bias"),
    // The head.
    ("head.conv.", "decoder1.conv_block."),
    ("head.out.", "out.conv.conv."),
];

/// The number in the names of a decoder stage's tensors: 16, 8, 4 for three stages.
fn stage_number(stages: usize, index: usize) -> usize {
    4 << (stages - 1 - index)
}

/// The authors' key of a parameter at `path` in our module.
pub fn reference_key(path: &str, stages: usize) -> String {
    let mut key = path.to_owned();
    if let Some(rest) = path.strip_prefix("stages.") {
        let (index, rest) = rest.split_once('.').unwrap_or((rest, ""));
        let number = stage_number(stages, index.parse().unwrap_or(0));
        key = format!("decoder{number}.{rest}");
    }
    for (ours, theirs) in TABLE {
        key = key.replace(ours, theirs);
    }
    // The output layer and its norm in a BERT layer have names that are too short for a plain replacement.
    if let Some(rest) = key.strip_prefix("text_encoder.model.bert.encoder.layer.") {
        let parts: Vec<&str> = rest.split('.').collect();
        if let [layer, name @ ("out" | "norm"), leaf] = parts[..] {
            let name = if name == "out" { "dense" } else { "LayerNorm" };
            key = format!("text_encoder.model.bert.encoder.layer.{layer}.output.{name}.{leaf}");
        }
    }
    key
}

/// The key of the word embeddings, to which the language-model head is tied.
const WORD_EMBEDDINGS: &str = "text_encoder.model.bert.embeddings.word_embeddings.weight";

/// The mapping from the key prefixes of Hugging Face to those of the authors. A model saved without its head has
/// keys without the leading `bert.` or `convnext.`.
const TEXT_KEYS: EncoderKeys = EncoderKeys {
    table: &[
        ("bert.", "text_encoder.model.bert."),
        ("cls_projection_head.", "text_encoder.model.cls_projection_head."),
        ("cls.", "text_encoder.model.cls."),
        ("embeddings.", "text_encoder.model.bert.embeddings."),
        ("encoder.layer.", "text_encoder.model.bert.encoder.layer."),
        ("pooler.", ""),
    ],
    prefix: "text_encoder.",
};
const VISION_KEYS: EncoderKeys = EncoderKeys {
    table: &[
        ("classifier.", ""),
        ("convnext.", "encoder.model."),
        ("embeddings.", "encoder.model.embeddings."),
        ("encoder.stages.", "encoder.model.encoder.stages."),
        ("layernorm.", "encoder.model.layernorm."),
    ],
    prefix: "encoder.",
};

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
        ["position_ids", ".bert.pooler.", "encoder.model.classifier."].iter().any(|part| key.contains(part))
            || key.starts_with("text_encoder.model.cls.seq_relationship")
    }

    fn is_own_part(&self, part: &str) -> bool {
        part.strip_prefix("decoder").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn separate_part(&self) -> Option<&'static str> {
        Some(TEXT_ENCODER)
    }

    fn encoder(&self, encoder: Encoder) -> Option<EncoderKeys> {
        Some(match encoder {
            Encoder::Text => TEXT_KEYS,
            Encoder::Vision => VISION_KEYS,
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
    let mut list = Vec::new();
    let mut add = |name: String, shape: &[usize], fill: Fill| {
        list.push((KeySpec { name, shape: shape.to_vec() }, fill));
    };
    let (hidden, vocabulary) = (config.text.hidden_size, config.text.vocab_size);
    let last = config.vision.hidden_sizes.last().copied().unwrap_or(0);
    // The width of CXR-BERT's projection; the small reference model has a quarter of it.
    let projection = if hidden >= 768 { 128 } else { 32 };
    let text = "text_encoder.model.cls";
    add("encoder.model.layernorm.weight".into(), &[last], Fill::Ones);
    add("encoder.model.layernorm.bias".into(), &[last], Fill::Zeros);
    add("encoder.project_head.weight".into(), &[last, last], Fill::Zeros);
    add("encoder.project_head.bias".into(), &[last], Fill::Zeros);
    add(format!("{text}.predictions.bias"), &[vocabulary], Fill::Zeros);
    add(format!("{text}.predictions.transform.dense.weight"), &[hidden, hidden], Fill::Zeros);
    add(format!("{text}.predictions.transform.dense.bias"), &[hidden], Fill::Zeros);
    add(format!("{text}.predictions.transform.LayerNorm.weight"), &[hidden], Fill::Ones);
    add(format!("{text}.predictions.transform.LayerNorm.bias"), &[hidden], Fill::Zeros);
    add(format!("{text}.predictions.decoder.weight"), &[vocabulary, hidden], Fill::Tied(WORD_EMBEDDINGS));
    add(format!("{text}.predictions.decoder.bias"), &[vocabulary], Fill::Zeros);
    let head = "text_encoder.model.cls_projection_head";
    add(format!("{head}.dense_to_hidden.weight"), &[projection, hidden], Fill::Zeros);
    add(format!("{head}.dense_to_hidden.bias"), &[projection], Fill::Zeros);
    add(format!("{head}.LayerNorm.weight"), &[projection], Fill::Ones);
    add(format!("{head}.LayerNorm.bias"), &[projection], Fill::Zeros);
    add(format!("{head}.dense_to_output.weight"), &[projection, projection], Fill::Zeros);
    add(format!("{head}.dense_to_output.bias"), &[projection], Fill::Zeros);
    for (layer, shape) in [(0, &[hidden, hidden][..]), (1, &[hidden][..]), (3, &[hidden, hidden][..])] {
        let fill = if layer == 1 { Fill::Ones } else { Fill::Zeros };
        add(format!("text_encoder.project_head.{layer}.weight"), shape, fill);
        add(format!("text_encoder.project_head.{layer}.bias"), &[hidden], Fill::Zeros);
    }
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
