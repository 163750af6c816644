//! Loss and gradients of a batch.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::batches::{Batch, Form};
use super::loss::LossTerms;
use super::shards::Shards;
use super::stage_heads::{HeadGradients, Heads, StageHeads};
use super::step::GradientSum;
use super::tensors::Tensors;
use super::text_states::TextStates;
use crate::model::{Inputs, Model, Trace};

/// The settings of a pass.
pub struct Pass<'a> {
    /// The form in which the network expects its inputs.
    pub form: &'a Form,
    /// The device with gradients.
    pub device: &'a Device,
    /// The loss.
    pub terms: LossTerms,
    /// Whether the loss of every image is wanted as well.
    pub is_by_case: bool,
    /// The threads for the parts of the batch; `None` on a GPU.
    pub shards: Option<&'a Shards>,
    /// The seed of the step's random numbers on the CPU.
    pub seed: u64,
}

/// The results of a pass.
pub struct Passed {
    /// The loss multiplied by the share of the pass, `[1]` on the plain device.
    pub loss: Tensor<1>,
    /// The gradients of this loss.
    pub gradients: GradientSum,
    /// Its gradients with respect to the heads of the stages; `None` without heads.
    pub stages: Option<HeadGradients>,
    /// The loss of the mask of every image, if it is wanted; otherwise empty.
    pub by_case: Vec<f32>,
}

impl Passed {
    /// Puts the results of two parts of a batch together.
    fn and(mut self, other: Self) -> Self {
        self.gradients.merge(other.gradients);
        self.by_case.extend(other.by_case);
        let stages = match (self.stages, other.stages) {
            (Some(stages), Some(more)) => Some(stages.and(more)),
            (stages, more) => stages.or(more),
        };
        Self { loss: self.loss + other.loss, stages, ..self }
    }
}

impl Pass<'_> {
    /// Computes loss and gradients of a batch that is not empty. The loss contains the auxiliary losses of `stages` and
    /// is multiplied by `share`.
    pub fn run(
        &self,
        model: &dyn Model,
        batch: &Batch,
        kept: Option<&mut TextStates>,
        stages: Option<&StageHeads>,
        share: f64,
    ) -> Passed {
        let states = states(model, batch, self.device, kept);
        let Some(shards) = self.shards else {
            let heads = stages.map(StageHeads::detached);
            return self.part(model, batch, 0..batch.count, states.as_deref(), heads, share);
        };
        let ranges = shards.ranges(batch.count);
        let inputs = ranges
            .iter()
            .map(|range| {
                let heads = stages.map(StageHeads::detached);
                (range.clone(), model.detached(), part_of(states.as_deref(), range), heads)
            })
            .collect();
        let found = shards.passes(&ranges, self.seed, inputs, |(range, model, states, heads)| {
            // The loss is a mean over the images, so that each part counts by its number of images.
            let share = share * range.len() as f64 / batch.count as f64;
            self.part(model.as_ref(), batch, range, states.as_deref(), heads, share)
        });
        found.into_iter().reduce(Passed::and).unwrap_or_else(|| Passed {
            loss: Tensor::zeros([1], &self.device.clone().inner()),
            gradients: GradientSum::default(),
            stages: None,
            by_case: Vec::new(),
        })
    }

    /// Computes the images of `range` on this thread.
    fn part(
        &self,
        model: &dyn Model,
        batch: &Batch,
        range: Range<usize>,
        states: Option<&[Tensor<3>]>,
        heads: Option<Heads>,
        share: f64,
    ) -> Passed {
        let tensors = Tensors::of(batch, range, self.form, self.device);
        let mut trace = if heads.is_some() { Heads::trace() } else { Trace::off() };
        let logits = logits(model, &tensors, states, &mut trace);
        let by_case = if self.is_by_case { self.by_case(&logits, &tensors.target) } else { Vec::new() };
        let mut value = self.terms.loss(logits, tensors.target.clone()).total;
        if let Some(more) = heads.as_ref().and_then(|heads| heads.loss(&self.terms, trace, &tensors.target)) {
            value = value + more;
        }
        let value = value * share;
        let loss = value.clone().inner();
        let mut gradients = value.backward();
        let stages = heads.map(|heads| heads.gradients(&mut gradients));
        Passed { loss, gradients: GradientSum::of(model, gradients), stages, by_case }
    }

    /// The loss of the mask of every image by itself.
    fn by_case(&self, logits: &Tensor<4>, target: &Tensor<4>) -> Vec<f32> {
        let (logits, target) = (logits.clone().inner(), target.clone().inner());
        let [count, ..] = logits.dims();
        let one = |image: usize| {
            let of = |tensor: &Tensor<4>| tensor.clone().narrow(0, image, 1);
            self.terms.loss(of(&logits), of(&target)).total
        };
        Tensor::cat((0..count).map(one).collect(), 0).into_data().iter::<f32>().collect()
    }
}

/// The outputs of a frozen text encoder for a batch; `None` if the encoder is trained or there is none.
pub fn states(
    model: &dyn Model,
    batch: &Batch,
    device: &Device,
    kept: Option<&mut TextStates>,
) -> Option<Vec<Tensor<3>>> {
    let kept = kept.filter(|_| model.text_conditioned().is_some())?;
    Some(kept.states(model, batch, device))
}

/// The outputs for the images of `range`.
pub fn part_of(states: Option<&[Tensor<3>]>, range: &Range<usize>) -> Option<Vec<Tensor<3>>> {
    let part = |states: &Tensor<3>| states.clone().slice([range.clone()]);
    states.map(|states| states.iter().map(part).collect())
}

fn inputs(image: Tensor<4>, tensors: &Tensors) -> Inputs {
    Inputs::new(image).with_tokens(tensors.tokens.clone()).with_boxes(tensors.boxes.clone())
}

/// Computes the logits of a batch, with the text encoder or its outputs.
pub fn logits(model: &dyn Model, tensors: &Tensors, states: Option<&[Tensor<3>]>, trace: &mut Trace) -> Tensor<4> {
    let image = tensors.image.clone();
    match (states, model.text_conditioned()) {
        (Some(states), Some(text)) => text.forward_from(image, states, trace),
        _ => model.forward(inputs(image, tensors), trace),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::input::InputForm;
    use crate::model::Registry;
    use crate::text::{Tokenizer, vocabulary};
    use crate::train::TrainConfig;

    const ENCODERS: &str = r#""text": { "vocab_size": 512, "hidden_size": 8, "num_hidden_layers": 3,
        "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 8 },
        "vision": { "hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1] }"#;
    /// The sizes of each network whose batches can be divided, and the number of its batch norms.
    const NETWORKS: [(&str, usize); 3] = [
        (
            r#""decoder": { "num_heads": 4, "text_lengths": [8, 4, 3], "input_text_length": 8, "image_size": 64,
                "dropout": 0.3 }, "token_limit": 8"#,
            6,
        ),
        (
            r#""network": "guidedecoder", "image_size": 64,
                "decoder": { "text_lengths": [8, 4, 3], "input_text_length": 8 }"#,
            6,
        ),
        (
            r#""network": "mmiunet", "image_size": 64, "input_text_length": 8,
                "bridger": { "heads": 4, "feed_forward": 16, "dropout": 0.3 }"#,
            3,
        ),
    ];

    /// Five different images with masks of different sizes.
    fn batch(form: &Form, seed: u64) -> Batch {
        let (tokenizer, tokens) = form.text.as_ref().expect("it reads text");
        let mut random = fastrand::Rng::with_seed(seed);
        let pixels = form.side * form.side;
        let mut batch = Batch { count: 5, ..Batch::default() };
        for index in 0..batch.count {
            batch.images.extend((0..3 * pixels).map(|_| random.f32() * (index + 1) as f32 - 1.0));
            batch.targets.extend((0..pixels).map(|at| f32::from(u8::from(at < 300 * (index + 1)))));
            let encoding = tokenizer.encode(["left lung", "right lung"][index % 2], *tokens);
            batch.ids.extend(encoding.ids);
            batch.attention.extend(encoding.mask);
        }
        batch
    }

    /// Loss, gradients by path, and weights with running statistics after a pass in `parts` parts.
    type Found = (f32, BTreeMap<String, Vec<f32>>, BTreeMap<String, Vec<f32>>);

    fn run(sizes: &str, parts: usize, is_text_frozen: bool, images: u64) -> Found {
        let device = Device::flex().autodiff();
        let sizes = format!("{{ {ENCODERS}, {sizes} }}");
        let network = Registry::default().parse(&sizes).expect("sizes").network;
        assert!(network.is_divisible());
        // The library's random numbers are those of the whole process, in which other tests draw, too.
        let mut random = fastrand::Rng::with_seed(2);
        let model = network.build(&device).expect("a model").map_parameters(&mut |path, slot| {
            let count = slot.shape().iter().product::<usize>();
            let middle = if count == 1 || path.ends_with("running_var") { 1.0 } else { 0.0 };
            slot.load((0..count).map(|_| middle + 0.4 * (random.f32() - 0.5)).collect());
        });
        let model = if is_text_frozen { model.freeze_text() } else { model };
        let words = vocabulary::build(["left lung", "right lung"].into_iter(), 512);
        let tokenizer = Tokenizer::from_vocab_text(&words).expect("a vocabulary");
        let form = Form {
            text: Some((tokenizer, 8)),
            side: 64,
            is_transposed: false,
            takes_box: false,
            input: InputForm::default(),
        };
        let shards = Shards::start(parts).expect("threads");
        let terms = LossTerms::of(&TrainConfig::default());
        let (shards, seed) = (Some(&shards), 9);
        let pass = Pass { form: &form, device: &device, terms, is_by_case: true, shards, seed };
        let mut kept = is_text_frozen.then(TextStates::default);
        let batch = batch(&form, images);
        let weights = [0.5, 0.25, 1.0];
        let heads =
            StageHeads::new(&weights, &network.stages(), 0.01, &device.clone().inner()).expect("three stages");
        let passed = pass.run(model.as_ref(), &batch, kept.as_mut(), Some(&heads), 0.5);
        let loss = passed.loss.into_data().iter::<f32>().next().expect("a loss");
        let (mut gradients, mut values) = (BTreeMap::new(), BTreeMap::new());
        model.visit_parameters(&mut |path, parameter| {
            values.insert(path.to_owned(), parameter.values());
            if let Some(gradient) = passed.gradients.get(path) {
                gradients.insert(path.to_owned(), gradient.clone().into_data().iter::<f32>().collect());
            }
        });
        for (index, gradient) in passed.stages.expect("gradients of the heads").values().into_iter().enumerate() {
            gradients.insert(format!("head {index}"), gradient);
        }
        gradients.insert("losses of the images".into(), passed.by_case);
        (loss, gradients, values)
    }

    fn norm(values: impl Iterator<Item = f64>) -> f64 {
        values.map(|x| x * x).sum::<f64>().sqrt()
    }

    /// The largest difference relative to the size of its tensor, with the name of the tensor. A tensor that is 10 000
    /// times smaller than the largest one is rounding: the bias of a key, for example, has no influence in a softmax.
    fn difference(ours: &BTreeMap<String, Vec<f32>>, theirs: &BTreeMap<String, Vec<f32>>) -> (f64, String) {
        assert!(ours.keys().eq(theirs.keys()));
        let size = |values: &Vec<f32>| norm(values.iter().map(|x| f64::from(*x)));
        let least = 1e-4 * theirs.values().map(size).fold(0.0, f64::max);
        let mut worst = (0.0, String::new());
        for (path, ours) in ours {
            let theirs = &theirs[path];
            let apart = norm(ours.iter().zip(theirs).map(|(a, b)| f64::from(a - b))) / size(theirs).max(least);
            if apart > worst.0 {
                worst = (apart, path.clone());
            }
        }
        worst
    }

    #[test]
    fn parts_of_a_batch_give_its_loss_gradients_and_statistics() {
        for (sizes, norms) in NETWORKS {
            for is_text_frozen in [false, true] {
                // Three sets of images. Where a value lies within rounding of the bend of a ReLU, its gradient is one of two,
                // which is a percent of a tensor; what is wrong would be so for all images.
                let sets = [4, 5, 6];
                let wholes = sets.map(|images| run(sizes, 1, is_text_frozen, images));
                for whole in &wholes {
                    assert!(whole.1.values().flatten().any(|value| *value != 0.0));
                    let is_of_text = |path: &String| path.starts_with("text.");
                    assert_eq!(whole.1.keys().any(is_of_text), !is_text_frozen);
                    let moved = whole.2.iter().filter(|(path, _)| path.ends_with("running_mean"));
                    assert!(
                        moved.clone().count() == norms
                            && moved.flat_map(|(_, values)| values).any(|value| *value != 0.0)
                    );
                }
                for parts in [2, 3, 5] {
                    let mut far = Vec::new();
                    for (images, whole) in sets.into_iter().zip(&wholes) {
                        let found = run(sizes, parts, is_text_frozen, images);
                        assert!((found.0 - whole.0).abs() < 1e-5, "{parts} parts: {} for {}", found.0, whole.0);
                        let statistics = difference(&found.2, &whole.2);
                        assert!(statistics.0 < 1e-4, "{parts} parts: {statistics:?}");
                        let gradients = difference(&found.1, &whole.1);
                        println!("{parts} parts, images {images}: {gradients:?}");
                        far.extend((gradients.0 >= 1e-3).then_some(gradients));
                    }
                    assert!(far.len() < 2 && far.iter().all(|(apart, _)| *apart < 0.05), "{parts} parts: {far:?}");
                    let found = run(sizes, parts, is_text_frozen, 4);
                    let again = run(sizes, parts, is_text_frozen, 4);
                    assert!(again == found, "the same number of parts gives the same bits");
                }
            }
        }
    }
}
