//! Measures every network at its full size on the CPU, prepared and with deterministic weights, as ratios to a fixed matrix
//! product. The product is timed between the passes, because the speed of a machine changes from minute to minute.
//!
//! `cargo bench --bench networks`; names after `--` measure some networks only. One network is in memory at a time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use himix::model::weights::deterministic::RuleWeights;
use himix::model::weights::load::{self, Missing};
use himix::model::weights::manifest;
use himix::model::{Executor, ModelConfig, Registry, Target, Tokens};

/// The passes of which the median is taken.
const ROUNDS: usize = 9;
/// The same of a network whose pass takes seconds.
const FEW_ROUNDS: usize = 3;
/// The networks. LViT's text encoder is that of its authors, which their configuration does not contain.
const NETWORKS: [(&str, &str); 7] = [
    ("himix", r#"{"network": "himix"}"#),
    ("guidedecoder", r#"{"network": "guidedecoder"}"#),
    ("mmiunet", r#"{"network": "mmiunet"}"#),
    ("lvit", r#"{"network": "lvit", "text_encoder": {"kind": "bert_base"}}"#),
    ("medsam", r#"{"network": "medsam"}"#),
    ("unet", r#"{"network": "unet"}"#),
    ("transunet", r#"{"network": "transunet"}"#),
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(job: impl FnOnce()) -> f64 {
    let start = Instant::now();
    job();
    start.elapsed().as_secs_f64() * 1e3
}

/// The reference computation: 1024³ in f32, 2.1 GFLOP.
struct Unit([Tensor<2>; 2]);

impl Unit {
    fn new() -> Self {
        let device = Device::flex();
        Self([0, 1].map(|_| Tensor::random([1024, 1024], Distribution::Default, &device)))
    }

    fn once(&self) -> f64 {
        let [a, b] = self.0.clone();
        milliseconds(|| drop(a.matmul(b).into_data()))
    }

    /// Times `job`, which gets the number of its round, and the product by turns, after a round that does not count.
    /// Returns the medians of both in milliseconds.
    fn beside(&self, rounds: usize, mut job: impl FnMut(usize)) -> [f64; 2] {
        let (mut jobs, mut units) = (Vec::new(), Vec::new());
        job(0);
        for round in 1..=rounds {
            units.push(self.once());
            jobs.push(milliseconds(|| job(round)));
        }
        [median(jobs), median(units)]
    }
}

/// What a network is asked: a prompt of as many tokens as it reads, or a box; nothing otherwise.
struct Prompts {
    tokens: Option<usize>,
    has_box: bool,
    side: usize,
}

impl Prompts {
    fn encode(&self, executor: &dyn Executor, round: usize) -> Vec<Tensor<3>> {
        if let Some(count) = self.tokens {
            let device = Device::flex();
            let tensor =
                |values: Vec<i64>| Tensor::<2, Int>::from_data(TensorData::new(values, [1, count]), &device);
            // Every token is a word of its own, and another one in every round.
            let ids = (0..count).map(|place| (100 + 37 * round + place) as i64).collect();
            return executor.encode_text(Tokens { ids: tensor(ids), mask: tensor(vec![1; count]) });
        }
        if self.has_box {
            let edge = self.side as f32 / 4.0 + round as f32;
            return executor.encode_box([edge, edge, 2.0 * edge, 2.0 * edge]);
        }
        Vec::new()
    }
}

fn measure(name: &str, config: &ModelConfig, unit: &Unit) {
    let device = Device::flex();
    let network = config.network.as_ref();
    let rule = RuleWeights::new(config).expect("an architecture");
    let model = load::load(network, &rule, Missing::Refuse, &device).expect("loads");
    let executor = model.prepare(&Target::single(&device));
    let side = network.image_side();
    let prompts =
        Prompts { tokens: network.text().map(|text| text.token_limit), has_box: network.takes_box(), side };
    let image = Tensor::<4>::random([1, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
    let read = |logits: Tensor<4>| drop(logits.into_data());
    let rounds = if side > 512 { FEW_ROUNDS } else { ROUNDS };
    let whole = unit.beside(rounds, |round| {
        let features = executor.encode_image(image.clone());
        read(executor.decode(&features, &prompts.encode(executor.as_ref(), round)));
    });
    let parameters = manifest::parameter_count(network) as f64 / 1e6;
    let row = |what: &str, [ms, product]: [f64; 2], more: String| {
        println!("{name:14}{what:14}{ms:9.1} ms {:8.2} × the product of {product:.1} ms{more}", ms / product);
    };
    let gflop = network.cost().operations / 1e9;
    let rate = gflop / whole[0] * 1e3;
    row("whole", whole, format!("   {parameters:6.1} M, {gflop:7.1} GFLOP, {rate:.0} GFLOP/s"));
    if prompts.tokens.is_some() || prompts.has_box {
        let features = executor.encode_image(image.clone());
        let next = unit.beside(ROUNDS, |round| {
            read(executor.decode(&features, &prompts.encode(executor.as_ref(), round)));
        });
        row(if prompts.has_box { "another box" } else { "next prompt" }, next, String::new());
    }
}

fn main() {
    himix::memory::keep_between_tensors();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let unit = Unit::new();
    for _ in 0..ROUNDS {
        unit.once();
    }
    for (name, text) in NETWORKS {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            let config = Registry::default().parse(text).expect("the published sizes");
            measure(name, &config, &unit);
        }
    }
}
