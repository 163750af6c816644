//! The names of the tensors: ours, those of the authors' model, and those that never touch the mask.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use crate::model::config::{ConfigError, ModelConfig};
use crate::model::himix::HiMix;

/// Beginning of the text encoder's keys, which a checkpoint may lack.
pub const TEXT_ENCODER: &str = "text_encoder.model.bert.";

/// Our path → the authors' key. Applied in this order, each to the whole path; the stage's number is then put in
/// for `decoder#`.
const TABLE: &[(&str, &str)] = &[
    // Vision encoder (ConvNeXt as transformers names it).
    ("vision.embeddings.", "encoder.model.embeddings."),
    ("vision.stages.", "encoder.model.encoder.stages."),
    (".downsample.norm.", ".downsampling_layer.0."),
    (".downsample.conv.", ".downsampling_layer.1."),
    (".blocks.", ".layers."),
    // Text encoder (BERT as transformers names it).
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
    // Layer fusion.
    ("fusion.alpha", "attention_weights"),
    // Decoder stages.
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
    // Head.
    ("head.conv.", "decoder1.conv_block."),
    ("head.out.", "out.conv.conv."),
];

/// Number in the name of a decoder stage's tensors: 16, 8, 4 for three stages.
pub fn stage_number(stages: usize, index: usize) -> usize {
    4 << (stages - 1 - index)
}

/// The authors' key of one of our parameters.
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
    // The two norms and the narrowing layer of a BERT layer have names too short for a plain replacement.
    if let Some(rest) = key.strip_prefix("text_encoder.model.bert.encoder.layer.") {
        let parts: Vec<&str> = rest.split('.').collect();
        if let [layer, name @ ("out" | "norm"), leaf] = parts[..] {
            let name = if name == "out" { "dense" } else { "LayerNorm" };
            key = format!("text_encoder.model.bert.encoder.layer.{layer}.output.{name}.{leaf}");
        }
    }
    key
}

/// Whether the tensor has no dimension in files; burn's smallest rank is 1, so ours has shape `[1]`.
pub fn is_scalar(key: &str) -> bool {
    [".sig", ".scale1", ".scale2", ".scale3"].iter().any(|end| key.ends_with(end))
}

/// One tensor that a file should have.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySpec {
    /// The authors' key.
    pub name: String,
    /// Shape in the file.
    pub shape: Vec<usize>,
}

/// What stands in a tensor that the mask does not depend on, where no file gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
    /// The sine table of the positions.
    Positions,
    /// The word embeddings, to which the language-model head is tied.
    WordEmbeddings,
    /// An integer zero, counting batches.
    Counter,
}

/// Every parameter of the architecture with its key and shape, in the order of the modules.
pub fn parameters(config: &ModelConfig) -> Result<Vec<KeySpec>, ConfigError> {
    // Parameters are made lazily, so that this allocates next to nothing.
    let model = HiMix::new(config, &Device::flex())?;
    Ok(parameters_of(&model, config.stage_count()))
}

/// The same, of a model at hand.
pub fn parameters_of(model: &HiMix, stages: usize) -> Vec<KeySpec> {
    let mut collector = Collector { path: Vec::new(), stages, specs: Vec::new() };
    model.visit(&mut collector);
    collector.specs
}

struct Collector {
    path: Vec<String>,
    stages: usize,
    specs: Vec<KeySpec>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = reference_key(&self.path.join("."), self.stages);
        let shape = if is_scalar(&name) { Vec::new() } else { param.lazy_shape().to_vec() };
        self.specs.push(KeySpec { name, shape });
    }
}

/// Tensors that the authors' model has although its mask does not depend on them: heads of the encoders, an unused
/// norm, computed tables, counters. They are accepted on loading, carried through, and written on export.
pub fn auxiliary(config: &ModelConfig) -> Vec<(KeySpec, Fill)> {
    let mut list = Vec::new();
    let mut add = |name: String, shape: &[usize], fill: Fill| {
        list.push((KeySpec { name, shape: shape.to_vec() }, fill));
    };
    let (hidden, vocabulary) = (config.text.hidden_size, config.text.vocab_size);
    let last = config.vision.hidden_sizes.last().copied().unwrap_or(0);
    // Width of CXR-BERT's projection; the small reference model has a quarter of it.
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
    add(format!("{text}.predictions.decoder.weight"), &[vocabulary, hidden], Fill::WordEmbeddings);
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

/// Tensors of the encoders' own checkpoints that belong to no part of HiMix and are left behind.
pub fn is_ignorable(key: &str) -> bool {
    ["position_ids", ".bert.pooler.", "encoder.model.classifier."].iter().any(|part| key.contains(part))
        || key.starts_with("text_encoder.model.cls.seq_relationship")
}
