//! The names of the shared blocks' tensors in the authors' files. The networks with CXR-BERT and ConvNeXt come from one
//! family of code, so that these names recur.

use super::text_encoder::TextConfig;
use crate::model::key_table::{EncoderKeys, Fill, KeySpec};

/// The prefix of the text encoder's keys, which a checkpoint may lack.
pub const TEXT_PART: &str = "text_encoder.model.bert.";
/// The key of the word embeddings, to which the language-model head is tied.
const WORD_EMBEDDINGS: &str = "text_encoder.model.bert.embeddings.word_embeddings.weight";
/// The key of the language-model head's bias, which its decoder shares.
const HEAD_BIAS: &str = "text_encoder.model.cls.predictions.bias";

fn replaced(path: &str, table: &[(&str, &str)]) -> String {
    table.iter().fold(path.to_owned(), |key, (ours, theirs)| key.replace(ours, theirs))
}

/// The key of the tensor at `path` of a [`TextEncoder`](super::text_encoder::TextEncoder) (BERT), named as in Hugging
/// Face's transformers.
pub fn text_encoder(path: &str) -> String {
    const TABLE: &[(&str, &str)] = &[
        ("embeddings.word.", "embeddings.word_embeddings."),
        ("embeddings.position.", "embeddings.position_embeddings."),
        ("embeddings.token_type.", "embeddings.token_type_embeddings."),
        ("embeddings.norm.", "embeddings.LayerNorm."),
        ("layers.", "encoder.layer."),
        (".query.", ".attention.self.query."),
        (".key.", ".attention.self.key."),
        (".value.", ".attention.self.value."),
        (".attention_out.", ".attention.output.dense."),
        (".attention_norm.", ".attention.output.LayerNorm."),
        (".intermediate.", ".intermediate.dense."),
    ];
    let mut key = replaced(path, TABLE);
    // The output layer and its norm in a BERT layer have names that are too short for a plain replacement.
    if let Some(rest) = key.strip_prefix("encoder.layer.") {
        let parts: Vec<&str> = rest.split('.').collect();
        if let [layer, name @ ("out" | "norm"), leaf] = parts[..] {
            let name = if name == "out" { "dense" } else { "LayerNorm" };
            key = format!("encoder.layer.{layer}.output.{name}.{leaf}");
        }
    }
    format!("{TEXT_PART}{key}")
}

/// The key of the tensor at `path` of a [`VisionEncoder`](super::vision_encoder::VisionEncoder) (ConvNeXt), named as in
/// Hugging Face's transformers.
pub fn vision_encoder(path: &str) -> String {
    format!("encoder.model.{}", hugging_face(path))
}

fn hugging_face(path: &str) -> String {
    const TABLE: &[(&str, &str)] = &[
        (".downsample.norm.", ".downsampling_layer.0."),
        (".downsample.conv.", ".downsampling_layer.1."),
        (".blocks.", ".layers."),
    ];
    let key = replaced(path, TABLE);
    if key.starts_with("stages.") { format!("encoder.{key}") } else { key }
}

/// The key of the tensor at `path` of a [`VisionEncoder`](super::vision_encoder::VisionEncoder) (ConvNeXt), named as in
/// the code of its authors (Facebook).
pub fn vision_encoder_facebook(path: &str) -> String {
    facebook(&hugging_face(path))
}

/// Maps a key of a ConvNeXt from Hugging Face's names to Facebook's. Other keys are kept.
fn facebook(key: &str) -> String {
    const TABLE: &[(&str, &str)] = &[
        ("embeddings.patch_embeddings.", "downsample_layers.0.0."),
        ("embeddings.layernorm.", "downsample_layers.0.1."),
        (".layernorm.", ".norm."),
        (".layer_scale_parameter", ".gamma"),
    ];
    let Some(rest) = key.strip_prefix("encoder.stages.") else {
        return if key.starts_with("layernorm.") {
            key.replace("layernorm.", "norm.")
        } else {
            replaced(key, TABLE)
        };
    };
    match rest.split_once(".downsampling_layer.") {
        Some((stage, rest)) => format!("downsample_layers.{stage}.{rest}"),
        None => replaced(&format!("stages.{}", rest.replacen(".layers.", ".", 1)), TABLE),
    }
}

/// Maps a key of a ConvNeXt from Facebook's names to Hugging Face's. Other keys, and those of Hugging Face, are kept.
fn from_facebook(key: &str) -> String {
    const TABLE: &[(&str, &str)] = &[
        ("downsample_layers.0.0.", "embeddings.patch_embeddings."),
        ("downsample_layers.0.1.", "embeddings.layernorm."),
    ];
    if let Some(rest) = key.strip_prefix("stages.") {
        let parts: Vec<&str> = rest.split('.').collect();
        return match parts[..] {
            [stage, block, "gamma"] => format!("encoder.stages.{stage}.layers.{block}.layer_scale_parameter"),
            [stage, block, "norm", leaf] => format!("encoder.stages.{stage}.layers.{block}.layernorm.{leaf}"),
            [stage, block, layer, leaf] => format!("encoder.stages.{stage}.layers.{block}.{layer}.{leaf}"),
            _ => key.to_owned(),
        };
    }
    match key.split('.').collect::<Vec<_>>()[..] {
        ["downsample_layers", stage, layer, leaf] if stage != "0" => {
            format!("encoder.stages.{stage}.downsampling_layer.{layer}.{leaf}")
        }
        ["norm", leaf] => format!("layernorm.{leaf}"),
        ["head", leaf] => format!("classifier.{leaf}"),
        _ => replaced(key, TABLE),
    }
}

/// The key of the tensor at `path` of an [`UpBlock`](super::up_block::UpBlock), behind the name of the decoder stage.
pub fn up_block(path: &str) -> String {
    const TABLE: &[(&str, &str)] = &[
        ("transp_conv.", "decoder.transp_conv.conv."),
        ("conv1.", "decoder.conv_block.conv1.conv."),
        ("conv2.", "decoder.conv_block.conv2.conv."),
        ("norm", "decoder.conv_block.norm"),
        (".gamma", ".weight"),
        (".beta", ".bias"),
    ];
    replaced(path, TABLE)
}

/// The key of the tensor at `path` of a [`TextProjection`](super::text_projection::TextProjection), behind the name of
/// the guide block.
pub fn text_projection(path: &str) -> String {
    const TABLE: &[(&str, &str)] = &[("token_weight", "0.weight"), ("token_bias", "0.bias"), ("linear.", "2.")];
    format!("text_project.{}", replaced(path, TABLE))
}

/// The key of the tensor at `path` of a [`Head`](super::head::Head).
pub fn head(path: &str) -> String {
    replaced(&format!("head.{path}"), &[("head.conv.", "decoder1.conv_block."), ("head.out.", "out.conv.conv.")])
}

/// Whether a file with the text encoder may contain this key although no network uses it.
pub fn is_ignorable(key: &str) -> bool {
    ["position_ids", ".bert.pooler."].iter().any(|part| key.contains(part))
        || key.starts_with("text_encoder.model.cls.seq_relationship")
}

/// The keys of a BERT from Hugging Face. A model saved without its head has keys without the leading `bert.`.
pub const TEXT_KEYS: EncoderKeys = EncoderKeys {
    prefixes: &["text_encoder."],
    rename: |key| {
        const TABLE: &[(&str, &str)] = &[
            ("bert.", "text_encoder.model.bert."),
            ("cls_projection_head.", "text_encoder.model.cls_projection_head."),
            ("cls.", "text_encoder.model.cls."),
            ("embeddings.", "text_encoder.model.bert.embeddings."),
            ("encoder.layer.", "text_encoder.model.bert.encoder.layer."),
            ("pooler.", ""),
        ];
        prefixed(key, TABLE)
    },
};

/// The keys of a ConvNeXt from Hugging Face or Facebook, for a network with Hugging Face's names.
pub const VISION_KEYS: EncoderKeys = EncoderKeys { prefixes: &["encoder."], rename: vision_key };

/// The keys of a ConvNeXt from Hugging Face or Facebook, for a network with Facebook's names.
pub const VISION_KEYS_FACEBOOK: EncoderKeys = EncoderKeys {
    prefixes: &["downsample_layers.", "stages."],
    rename: |key| {
        let key = vision_key(key)?;
        Some(key.strip_prefix("encoder.model.").map_or_else(|| key.clone(), facebook))
    },
};

/// The key of a ConvNeXt in a network with Hugging Face's names; `None` for its classifier.
fn vision_key(key: &str) -> Option<String> {
    // A model saved without its classifier has keys without the leading `convnext.`.
    const TABLE: &[(&str, &str)] = &[
        ("classifier.", ""),
        ("convnext.", "encoder.model."),
        ("embeddings.", "encoder.model.embeddings."),
        ("encoder.stages.", "encoder.model.encoder.stages."),
        ("layernorm.", "encoder.model.layernorm."),
    ];
    prefixed(&from_facebook(key), TABLE)
}

/// Replaces the first matching prefix; `None` if its replacement is empty.
pub fn prefixed(key: &str, table: &[(&str, &str)]) -> Option<String> {
    match table.iter().find(|(start, _)| key.starts_with(start)) {
        Some((_, "")) => None,
        Some((start, ours)) => Some(format!("{ours}{}", &key[start.len()..])),
        None => Some(key.to_owned()),
    }
}

/// The tensors of the authors' text encoder that do not influence the mask. `projection` is the width of CXR-BERT's
/// projection.
pub fn text_auxiliary(text: &TextConfig, projection: usize) -> Vec<(KeySpec, Fill)> {
    let (hidden, vocabulary) = (text.hidden_size, text.vocab_size);
    let mut list = Vec::new();
    let mut add =
        |name: String, shape: &[usize], fill: Fill| list.push((KeySpec { name, shape: shape.to_vec() }, fill));
    let predictions = "text_encoder.model.cls.predictions";
    add(HEAD_BIAS.into(), &[vocabulary], Fill::Zeros);
    add(format!("{predictions}.transform.dense.weight"), &[hidden, hidden], Fill::Zeros);
    add(format!("{predictions}.transform.dense.bias"), &[hidden], Fill::Zeros);
    add(format!("{predictions}.transform.LayerNorm.weight"), &[hidden], Fill::Ones);
    add(format!("{predictions}.transform.LayerNorm.bias"), &[hidden], Fill::Zeros);
    add(format!("{predictions}.decoder.weight"), &[vocabulary, hidden], Fill::Tied(WORD_EMBEDDINGS));
    add(format!("{predictions}.decoder.bias"), &[vocabulary], Fill::Tied(HEAD_BIAS));
    let head = "text_encoder.model.cls_projection_head";
    add(format!("{head}.dense_to_hidden.weight"), &[projection, hidden], Fill::Zeros);
    add(format!("{head}.dense_to_hidden.bias"), &[projection], Fill::Zeros);
    add(format!("{head}.LayerNorm.weight"), &[projection], Fill::Ones);
    add(format!("{head}.LayerNorm.bias"), &[projection], Fill::Zeros);
    add(format!("{head}.dense_to_output.weight"), &[projection, projection], Fill::Zeros);
    add(format!("{head}.dense_to_output.bias"), &[projection], Fill::Zeros);
    list
}

/// The tensors of the projection head behind the text encoder, which maps to `width` channels and does not influence
/// the mask.
pub fn text_project_head(hidden: usize, width: usize) -> Vec<(KeySpec, Fill)> {
    let shapes = [(0, vec![width, hidden]), (1, vec![width]), (3, vec![width, width])];
    let of_layer = |(layer, shape): (usize, Vec<usize>)| {
        let name = |leaf: &str| format!("text_encoder.project_head.{layer}.{leaf}");
        let fill = if layer == 1 { Fill::Ones } else { Fill::Zeros };
        let bias = KeySpec { name: name("bias"), shape: vec![width] };
        [(KeySpec { name: name("weight"), shape }, fill), (bias, Fill::Zeros)]
    };
    shapes.into_iter().flat_map(of_layer).collect()
}

/// The indices of BERT's positions, which version 4.24 of transformers stores with the weights.
pub fn position_ids(text: &TextConfig) -> (KeySpec, Fill) {
    let name = format!("{TEXT_PART}embeddings.position_ids");
    (KeySpec { name, shape: vec![1, text.max_position_embeddings] }, Fill::Indices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facebooks_names_and_hugging_faces_are_each_others() {
        for (ours, theirs) in [
            ("embeddings.patch_embeddings.weight", "downsample_layers.0.0.weight"),
            ("embeddings.layernorm.bias", "downsample_layers.0.1.bias"),
            ("encoder.stages.2.downsampling_layer.0.weight", "downsample_layers.2.0.weight"),
            ("encoder.stages.3.downsampling_layer.1.bias", "downsample_layers.3.1.bias"),
            ("encoder.stages.2.layers.8.dwconv.weight", "stages.2.8.dwconv.weight"),
            ("encoder.stages.0.layers.0.layernorm.bias", "stages.0.0.norm.bias"),
            ("encoder.stages.0.layers.2.layer_scale_parameter", "stages.0.2.gamma"),
            ("encoder.stages.1.layers.1.pwconv2.weight", "stages.1.1.pwconv2.weight"),
            ("layernorm.weight", "norm.weight"),
        ] {
            assert_eq!(facebook(ours), theirs);
            assert_eq!(from_facebook(theirs), ours);
            assert_eq!(from_facebook(ours), ours, "the names of Hugging Face are kept");
            for key in [ours.to_owned(), theirs.to_owned(), format!("convnext.{ours}")] {
                assert_eq!((VISION_KEYS.rename)(&key), Some(format!("encoder.model.{ours}")), "{key}");
                assert_eq!((VISION_KEYS_FACEBOOK.rename)(&key).as_deref(), Some(theirs), "{key}");
            }
        }
        for classifier in ["head.weight", "classifier.bias"] {
            assert_eq!((VISION_KEYS.rename)(classifier), None);
            assert_eq!((VISION_KEYS_FACEBOOK.rename)(classifier), None);
        }
    }
}
